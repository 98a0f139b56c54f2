"""What the processes that set documents are asked and answer, and how messages go through a pipe."""

from typing import IO, Final

import msgspec

from ledgerbee.sales.rendering.coverage import Hidden
from ledgerbee.sales.rendering.model import PrintableDocument

#: Bytes that say how long a message is.
_HEAD: Final = 4


class Task(msgspec.Struct, frozen=True):
    """A document to set, or only to see whether it can be set (`is_check`)."""

    document: PrintableDocument
    is_check: bool


class Answer(msgspec.Struct, frozen=True):
    """What came of a task: `pdf` (empty for a check), or why there is none, as one of the other fields.

    `hidden` belongs to `unprintable`. `warnings` are what was noticed about fonts, as the fields of log lines.
    """

    pdf: bytes = b""
    unprintable: str | None = None
    hidden: list[Hidden] = msgspec.field(default_factory=list)
    unreadable_logo: str | None = None
    fault: str | None = None
    warnings: list[dict[str, str]] = msgspec.field(default_factory=list)


def send(stream: IO[bytes], message: bytes) -> None:
    """Write one message. Raises `OSError` when nobody reads any more."""
    stream.write(len(message).to_bytes(_HEAD))
    stream.write(message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """The next message; None when the other side has ended, in the middle of a message too."""
    head = stream.read(_HEAD)
    if len(head) < _HEAD:
        return None
    length = int.from_bytes(head)
    message = stream.read(length)
    return message if len(message) == length else None
