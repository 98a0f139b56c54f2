"""What is attached to journal entries and drafts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attached file, without its content. `size` is in bytes, `hash` the content's SHA-256."""

    id: UUID
    file_name: str
    content_type: str
    size: int
    hash: bytes
    created_at: datetime


ATTACHMENT_NOT_FOUND = ErrorCode("ATTACHMENT_NOT_FOUND", 404, "No such attachment of the journal entry")
