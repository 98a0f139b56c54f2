"""Files that requests bring: as they come in, decoded, and as they lie in the blob store until they are attached."""

from dataclasses import dataclass
from typing import Final, NewType, Protocol
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

#: Of a file that is attached to something, or about to be.
AttachmentId = NewType("AttachmentId", UUID)

#: At most so many for one entry (contract 2.8).
MAX_ATTACHMENTS: Final = 10
MAX_FILE_NAME: Final = 255


class EncodedFile(Protocol):
    """A file as a request carries it; `content` is base64."""

    @property
    def file_name(self) -> str: ...

    @property
    def content_type(self) -> str: ...

    @property
    def content(self) -> str: ...


@dataclass(frozen=True, slots=True)
class DecodedFile:
    """A file whose content is what its type says. `hash` is the content's SHA-256."""

    file_name: str
    content_type: str
    content: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file whose content is in the blob store, to be attached. `size` is in bytes, `hash` the content's SHA-256."""

    id: AttachmentId
    file_name: str
    content_type: str
    size: int
    hash: bytes


INVALID_ATTACHMENT_TYPE = ErrorCode(
    "INVALID_ATTACHMENT_TYPE",
    400,
    "The attachment's content is empty, no base64, of a type that is not taken, or not of the type it is said to be",
)
