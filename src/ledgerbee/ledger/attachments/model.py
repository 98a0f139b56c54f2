"""What is attached to journal entries and drafts."""

from dataclasses import dataclass
from datetime import datetime

from ledgerbee.core.errors import ErrorCode
from ledgerbee.ledger.uploads.model import NewAttachment


@dataclass(frozen=True, slots=True)
class Attachment(NewAttachment):
    """A file as it is attached, without its content."""

    created_at: datetime


ATTACHMENT_NOT_FOUND = ErrorCode("ATTACHMENT_NOT_FOUND", 404, "No such attachment of the journal entry")
