"""What all readers of rows share."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.imports.model import Place

#: The longest line that is read: an entry of 10,000 lines has room in it. A longer one is refused.
MAX_LINE_BYTES: Final = 16 * 1024 * 1024


class Row(Struct, frozen=True):
    """What stands for one entry: the line it begins on, its decoded content or what is wrong.

    Reading can go on at the place `after` it; None where only a later row has such a place.
    """

    line: int
    content: Any | LedgerBeeError
    after: Place | None


class Lines:
    """Cuts blocks into lines with their ends, and knows the place after each. A line that is too long comes empty."""

    def __init__(self, start: Place) -> None:
        self._rest: list[bytes] = []
        self._offset = start.bytes_read
        self._line = start.line
        self._rest_length = start.position - start.bytes_read

    @property
    def is_too_long(self) -> bool:
        """Whether the line that is coming in is too long already."""
        return self._rest_length > MAX_LINE_BYTES

    @property
    def place(self) -> Place:
        """Where reading can go on: where the line that is coming in begins, or within it if it is too long."""
        return Place(self._offset + (self._rest_length if self.is_too_long else 0), self._line, self._offset)

    def feed(self, block: bytes) -> Iterator[tuple[int, bytes | None, Place]]:
        """Number, content (None: too long) and the place after each line that ends in this block."""
        begin = 0
        while (found := block.find(b"\n", begin)) >= 0:
            self._keep(block[begin : found + 1])
            begin = found + 1
            yield self._take()
        self._keep(block[begin:])

    def end(self) -> Iterator[tuple[int, bytes | None, Place]]:
        """The last line, if nothing ended it."""
        if self._rest_length:
            yield self._take()

    def _keep(self, piece: bytes) -> None:
        self._rest_length += len(piece)
        if self._rest_length > MAX_LINE_BYTES:
            self._rest.clear()
        elif piece:
            self._rest.append(piece)

    def _take(self) -> tuple[int, bytes | None, Place]:
        content = b"".join(self._rest) if self._rest_length <= MAX_LINE_BYTES else None
        number = self._line
        self._offset += self._rest_length
        self._line += 1
        self._rest, self._rest_length = [], 0
        return number, content, Place(self._offset, self._line, self._offset)
