"""Cuts the lines of a CSV file into records: a record in quotes may go over several lines."""

import csv
from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from ledgerbee.ledger.imports.formats.rows import MAX_LINE_BYTES
from ledgerbee.ledger.imports.model import Place

#: Lines that a record may go over, and their bytes: a quote that is never closed must not swallow the file.
_MAX_RECORD_LINES: Final = 100
_MAX_RECORD_BYTES: Final = 1024 * 1024
TOO_LONG: Final = f"The line is longer than {MAX_LINE_BYTES} bytes"
_UNCLOSED: Final = "The row is no valid CSV: a quote in it is never closed, or closed before the end of its value"
_BROKEN: Final = "The row is no valid CSV: a quote is closed before the end of its value, or a line ends with CR alone"


#: The encodings that files can have, by what Python calls them, as people write them.
ENCODINGS: Final = {"utf-8": "UTF-8", "windows-1252": "Windows-1252"}


class Record(NamedTuple):
    """A record that begins on `line`: its values, or what is wrong; reading can go on at the place `after` it.

    Without values `text` is what can be read of the line.
    """

    line: int
    values: list[str] | None
    fault: str
    after: Place
    text: str = ""


class _End(Enum):
    """How a line ends: its record is whole, goes on in quotes, or is no valid CSV."""

    WHOLE = "whole"
    OPEN = "open"
    BROKEN = "broken"


class _Line:
    """A line; `fault` says why it is no text. However often it is looked at, the csv module sees it once."""

    __slots__ = ("_ends", "_separator", "after", "before", "fault", "number", "text")

    def __init__(self, number: int, text: str, fault: str, before: Place, after: Place, separator: str) -> None:
        self.number = number
        self.before = before
        self.text = text
        self.fault = fault
        self.after = after
        self._separator = separator
        self._ends: dict[bool, _End] = {}

    def end(self, *, in_quotes: bool) -> _End:
        """How it ends where it begins in quotes, or outside of them."""
        if self.fault:
            return _End.BROKEN
        if in_quotes and '"' not in self.text:
            return _End.OPEN
        if in_quotes not in self._ends:
            self._ends[in_quotes] = self._find_end('"' + self.text if in_quotes else self.text)
        return self._ends[in_quotes]

    def _find_end(self, text: str) -> _End:
        try:
            next(csv.reader([text], delimiter=self._separator, strict=True), None)
        except csv.Error as fault:
            return _End.OPEN if "unexpected end" in str(fault) else _End.BROKEN
        return _End.WHOLE


class Records:
    """Takes lines from a place on, and gives records. Of one that is broken only its first line is given up."""

    def __init__(self, encoding: str, separator: str, start: Place) -> None:
        self._before = start
        self.not_decodable = f"The row is not {ENCODINGS[encoding]}"
        self._encoding = encoding
        self._separator = separator
        self._todo: deque[_Line] = deque()
        self._record: list[_Line] = []
        self._is_open = False

    @property
    def begun(self) -> Place | None:
        """The place before the record that goes on with the next line, if one does."""
        return self._record[0].before if self._record else None

    def take(self, number: int, raw: bytes | None, after: Place) -> Iterator[Record]:
        """The records that are complete with a line (None: too long)."""
        self._todo.append(self._line(number, raw, after))
        self._before = after
        yield from self._cut()

    def end(self) -> Iterator[Record]:
        """The records that the end of the file completes, or a line that no record can go over."""
        while self._record:
            yield self._give_up(_UNCLOSED)
            yield from self._cut()

    def _line(self, number: int, raw: bytes | None, after: Place) -> _Line:
        text = fault = ""
        try:
            text = (raw or b"").decode(self._encoding)
        except UnicodeDecodeError:
            text = (raw or b"").decode(self._encoding, "replace")
            fault = self.not_decodable
        if raw is None:
            fault = TOO_LONG
        elif "\x00" in text:
            fault = "The row has a NUL character"
        return _Line(number, text, fault, self._before, after, self._separator)

    def _cut(self) -> Iterator[Record]:
        while self._todo:
            line = self._todo.popleft()
            if not self._record and not line.fault and '"' not in line.text:
                content = line.text.removesuffix("\n").removesuffix("\r")
                if "\r" not in content:  # the usual line
                    yield Record(line.number, content.split(self._separator), "", line.after)
                    continue
            end = line.end(in_quotes=self._is_open)
            self._record.append(line)
            self._is_open = end is _End.OPEN
            if end is _End.WHOLE:
                yield self._whole()
            elif end is _End.BROKEN or self._is_too_long():
                yield self._give_up(_UNCLOSED if len(self._record) > 1 else line.fault or _BROKEN)

    def _is_too_long(self) -> bool:
        count = len(self._record)
        length = self._record[-1].after.position - self._record[0].after.position
        return count >= _MAX_RECORD_LINES or length > _MAX_RECORD_BYTES

    def _whole(self) -> Record:
        lines = [line.text for line in self._record]
        try:
            values = next(csv.reader(lines, delimiter=self._separator, strict=True), [])
        except csv.Error as fault:  # a value is too long
            return self._give_up(f"The row is no valid CSV: {fault}")
        first, last = self._record[0], self._record[-1]
        self._record = []
        return Record(first.number, values, "", last.after)

    def _give_up(self, fault: str) -> Record:
        """Refuse the first line of the record; the others may be good, and are looked at again."""
        first, *others = self._record
        self._todo.extendleft(reversed(others))
        self._record, self._is_open = [], False
        return Record(first.number, None, fault, first.after, first.text)
