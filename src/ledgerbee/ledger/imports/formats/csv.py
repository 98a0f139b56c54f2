"""CSV: a line of an entry a row; consecutive rows with the same value in `entry` are one entry."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.money import MAX_AMOUNT, total
from ledgerbee.ledger.entries.model import MAX_LINES, EntryType, Side
from ledgerbee.ledger.imports.formats.rows import Lines, Row
from ledgerbee.ledger.imports.model import JOURNAL_IMPORT_UNREADABLE, Place

#: Of the entry: said in its first row, and there or empty in the others.
_OF_ENTRY: Final = (
    "entryType", "date", "description", "reference", "externalSystemId", "currency", "exchangeRate", "customerNumber",
    "vendorNumber", "journalCategory", "originalAmount",
)  # fmt: skip
_OF_LINE: Final = ("accountNumber", "debit", "credit", "side", "amount", "vatCode", "lineDescription")
_COLUMNS: Final = frozenset({"entry", *_OF_ENTRY, *_OF_LINE})
_TEXTS: Final = (("vatCode", "vatCode"), ("description", "lineDescription"))
_NUMBER: Final = re.compile(r"[0-9]{1,10}")
_AMOUNT: Final = re.compile(r"[0-9]{1,13}(\.[0-9]{1,4})?")
_NEEDED: Final = ("entry", "date", "accountNumber")
#: Lines that a record may go over, in quotes: a quote that is never closed must not swallow the file.
_MAX_RECORD_LINES: Final = 100
#: Rows that can't be read, in the middle of an entry: after so many the entry is taken to be over.
_MAX_HELD: Final = 1_000


class CsvReader:
    """Reads CSV with a header row, separated by commas or semicolons, in UTF-8.

    Made for a place in the middle of a file it needs the file's first line, which has the header.
    """

    def __init__(self, start: Place, header: bytes = b"") -> None:
        self._lines = Lines(start)
        self._separator = ","
        self._columns: list[str] = []
        self._pending: list[tuple[int, bytes, Place]] = []
        self._entry: _Entry | None = None
        self._held: list[Row] = []
        if start.position:
            self._read_header(header)

    def feed(self, block: bytes) -> Iterator[Row]:
        """The rows that are complete with this block. Raises `JOURNAL_IMPORT_UNREADABLE` for a wrong header."""
        for line in self._lines.feed(block):
            yield from self._take(*line)

    def end(self) -> Iterator[Row]:
        """The rows that the end of the file completes."""
        for line in self._lines.end():
            yield from self._take(*line)
        while self._pending:
            yield from self._record(is_last=True)
        yield from self._close()
        if not self._columns:
            raise JOURNAL_IMPORT_UNREADABLE.error("The file is empty: it needs a header row")

    def _take(self, number: int, line: bytes | None, after: Place) -> Iterator[Row]:
        if not self._columns:
            self._read_header(line or b"")
        else:
            self._pending.append((number, line if line is not None else b"\xff", after))
            yield from self._record(is_last=False)

    def _read_header(self, line: bytes) -> None:
        try:
            text = line.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise JOURNAL_IMPORT_UNREADABLE.error("The header row is not UTF-8") from None
        self._separator = ";" if text.count(";") > text.count(",") else ","
        self._columns = [name.strip() for name in next(csv.reader([text], delimiter=self._separator), [])]
        unknown = [name for name in self._columns if name not in _COLUMNS]
        missing = [name for name in _NEEDED if name not in self._columns]
        if unknown or missing or len(set(self._columns)) < len(self._columns):
            problem = f"unknown columns {', '.join(unknown)}" if unknown else f"no column {', '.join(missing)}"
            raise JOURNAL_IMPORT_UNREADABLE.error(
                f"The header row has {problem if unknown or missing else 'a column twice'}"
            )

    def _record(self, *, is_last: bool) -> Iterator[Row]:
        """The record that begins with the first line that waits, if it is whole."""
        number, _, after = self._pending[0]
        try:
            lines = [line.decode() for _, line, _ in self._pending]
            values = next(csv.reader(lines, delimiter=self._separator, strict=True), [])
            "".join(values).encode()
        except csv.Error as fault:
            is_open = "unexpected end" in str(fault)
            if is_open and not is_last and len(self._pending) < _MAX_RECORD_LINES:
                return  # a line break in quotes: the record goes on
            yield from self._refuse(number, f"The row is no valid CSV: {fault}", after)
        except ValueError:
            yield from self._refuse(number, "The row is not UTF-8 without NUL characters, or too long", after)
        else:
            after = self._pending[-1][2]
            self._pending.clear()
            if any(value.strip() for value in values):
                yield from self._row(number, values, after)
            return
        # The lines after the bad one may be good: each is looked at by itself.
        waiting, self._pending = self._pending[1:], []
        for line in waiting:
            yield from self._take(*line)

    def _refuse(self, number: int, text: str, after: Place) -> Iterator[Row]:
        """Refuse one record. An entry that it stands in the middle of is refused by its balance, or needs it not."""
        fault = JOURNAL_IMPORT_UNREADABLE.error(text)
        if self._entry is None:
            yield Row(number, fault, after)
            return
        # Reading can't go on after this row by itself: it would miss the entry's rows before it.
        self._held.append(Row(number, fault, None))
        self._entry.after = after
        if len(self._held) >= _MAX_HELD:
            yield from self._close()

    def _close(self) -> Iterator[Row]:
        if self._entry is not None:
            yield from self._held
            yield self._entry.row()
            self._entry, self._held = None, []

    def _row(self, number: int, values: Sequence[str], after: Place) -> Iterator[Row]:
        if len(values) != len(self._columns):
            text = f"The row has {len(values)} values, the header {len(self._columns)}"
            yield from self._refuse(number, text, after)
            return
        row = {name: text for name, value in zip(self._columns, values, strict=True) if (text := value.strip())}
        key = row.get("entry")
        if key is None:
            yield from self._refuse(number, "The row doesn't say in `entry` which entry it is a line of", after)
            return
        if self._entry is not None and self._entry.key != key:
            yield from self._close()
        if self._entry is None:
            self._entry = _Entry(key, number, self._separator == ";")
        self._entry.add(number, row, after)


class _Entry:
    """An entry of which the rows are coming in."""

    def __init__(self, key: str, line: int, has_commas: bool) -> None:
        self.key = key
        self.after: Place | None = None
        self._line = line
        self._has_commas = has_commas
        self._fields: dict[str, Any] = {}
        self._lines: list[dict[str, Any]] = []
        self._fault: tuple[int, LedgerBeeError] | None = None

    def add(self, number: int, row: Mapping[str, str], after: Place) -> None:
        """Add a row."""
        self.after = after
        if self._fault is not None or len(self._lines) > MAX_LINES:  # it is refused: no need to keep more
            return
        try:
            for name in _OF_ENTRY:
                value = row.get(name)
                if value is not None and self._fields.setdefault(name, value) != value:
                    raise invalid((name, "equals", f"{name} must be the same in all rows of the entry, or empty"))
            self._lines.append(self._line_of(row))
        except LedgerBeeError as fault:
            self._fault = number, fault

    def row(self) -> Row:
        """The whole entry, in the form of JSON."""
        if self._fault is not None:
            return Row(*self._fault, self.after)
        fields = {"entryType": EntryType.JOURNAL_ENTRY.value, **self._fields, "lines": self._lines}
        for name in ("originalAmount", "exchangeRate"):
            if name in fields:
                fields[name] = self._number(fields[name])
        if "originalAmount" not in fields and fields["entryType"] == EntryType.JOURNAL_ENTRY.value:
            fields["originalAmount"] = self._debits()
        return Row(self._line, fields, self.after)

    def _line_of(self, row: Mapping[str, str]) -> dict[str, Any]:
        place = f"lines.{len(self._lines)}"
        number = row.get("accountNumber", "")
        line: dict[str, Any] = {"accountNumber": int(number) if _NUMBER.fullmatch(number) else number}
        amounts = {name: self._number(row[name]) for name in ("debit", "credit", "amount") if name in row}
        sides = [side for side in Side if _says_something(amounts.get(side.value.lower()))]
        if "amount" in amounts and not sides:
            line |= {"side": row.get("side", "").upper(), "amount": amounts["amount"]}
        elif len(sides) == 1 and "amount" not in amounts:
            line |= {"side": sides[0].value, "amount": amounts[sides[0].value.lower()]}
        else:
            text = f"{place} must have an amount in debit or in credit, or side and amount"
            raise invalid((f"{place}.amount", "isDefined", text))
        line |= {name: row[column] for name, column in _TEXTS if column in row}
        return line

    def _number(self, text: str) -> str:
        """A number as JSON has it; where semicolons separate, a comma may stand before the decimals."""
        return text.replace(",", ".") if self._has_commas and "." not in text else text

    def _debits(self) -> str:
        amounts = [line["amount"] for line in self._lines if line["side"] == Side.DEBIT.value]
        if not all(_AMOUNT.fullmatch(amount) for amount in amounts):
            return "0"  # the line is refused
        return f"{min(total([Decimal(amount) for amount in amounts]), MAX_AMOUNT):f}"


def _says_something(amount: str | None) -> bool:
    """Empty or zero, the other column has the amount."""
    return amount is not None and amount.strip("0.") != ""
