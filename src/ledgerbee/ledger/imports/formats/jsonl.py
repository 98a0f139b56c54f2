"""JSON Lines: an entry a line."""

from collections.abc import Iterator
from typing import Any, Final

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.body_limits import MAX_ELEMENTS_LARGE, check_elements
from ledgerbee.http.json_body import decode_json
from ledgerbee.ledger.imports.formats.rows import MAX_LINE_BYTES, Lines, Row
from ledgerbee.ledger.imports.model import JOURNAL_IMPORT_UNREADABLE, Kept, Place
from ledgerbee.ledger.imports.row_wire import decode_row

_BOM: Final = b"\xef\xbb\xbf"


class JsonlReader:
    """Reads JSON Lines. Empty lines are passed over."""

    def __init__(self, start: Place) -> None:
        self._lines = Lines(start)

    def feed(self, block: bytes) -> Iterator[Row]:
        """The rows that are complete with this block."""
        for number, line, after in self._lines.feed(block):
            yield from _row(number, line, after)

    def end(self) -> Iterator[Row]:
        """The rows that the end of the file completes."""
        for number, line, after in self._lines.end():
            yield from _row(number, line, after)

    def held(self) -> tuple[Place, Kept | None]:
        """Where another reader can go on."""
        return self._lines.place, None


def _row(number: int, line: bytes | None, after: Place) -> Iterator[Row]:
    if line is None:
        fault = JOURNAL_IMPORT_UNREADABLE.error(f"The line is longer than {MAX_LINE_BYTES} bytes")
        yield Row(number, fault, after)
        return
    text = line.strip()
    if number == 1:
        text = text.removeprefix(_BOM)
    if text:
        yield Row(number, _decoded(text), after)


def _decoded(text: bytes) -> Any | LedgerBeeError:
    row = decode_row(text)
    if row is not None:
        return row
    try:
        text.decode()
        check_elements(text, MAX_ELEMENTS_LARGE)
        return decode_json(text)
    except LedgerBeeError as fault:
        problem = next(iter(fault.details["validationErrors"][0]["constraints"].values()))
        return JOURNAL_IMPORT_UNREADABLE.error(problem.replace("body", "the line", 1))
    except UnicodeDecodeError:
        return JOURNAL_IMPORT_UNREADABLE.error("The line is not UTF-8")
    except RecursionError:
        return JOURNAL_IMPORT_UNREADABLE.error("The line has objects or lists in too many others")
