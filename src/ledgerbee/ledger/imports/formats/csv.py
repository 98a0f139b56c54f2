"""CSV: a line of an entry a row; consecutive rows with the same value in `entry` are one entry."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ledgerbee.core.errors import VALIDATION_FAILED, LedgerBeeError, invalid
from ledgerbee.core.money import EXACT, MAX_AMOUNT, is_currency, minor_units, total
from ledgerbee.http.wire import MAX_TEXT
from ledgerbee.ledger.entries.model import MAX_LINES, EntryType, Side
from ledgerbee.ledger.imports.formats.dates import DAY_FIRST, MONTH_FIRST, read_date_as
from ledgerbee.ledger.imports.formats.headings import DATES, OF_ENTRY
from ledgerbee.ledger.imports.formats.numbers import read_number
from ledgerbee.ledger.imports.formats.records import Record, Records
from ledgerbee.ledger.imports.formats.rows import MAX_LINE_BYTES, Lines, Row
from ledgerbee.ledger.imports.model import JOURNAL_IMPORT_UNREADABLE, CsvDialect, Kept, Place, Refusal
from ledgerbee.ledger.imports.rules import refusal_of

_TEXTS: Final = (("vatCode", "vatCode"), ("description", "lineDescription"))
_NUMBER: Final = re.compile(r"[0-9]{1,10}")
_AMOUNT: Final = re.compile(r"[0-9]{1,13}(\.[0-9]{1,4})?")
#: Characters of a value that an error repeats.
_QUOTED: Final = 40
#: Bytes of empty rows that may stand within an entry.
_MAX_GAP: Final = 1024 * 1024
_MUCH: Final = f"The rows of the entry have more than {MAX_LINE_BYTES} bytes"
_YES_OR_NO: Final = {"true": True, "yes": True, "ja": True, "false": False, "no": False, "nej": False}
#: Characters that stand for what can't be read, or begin a value that goes over separators.
_DOUBTFUL: Final = frozenset('"\x00\ufffd')
_MARKS: Final = {",": "a comma", ".": "a point"}
_EITHER: Final = "YYYY-MM-DD or, as all of the file or dateFormat has it,"
_ORDERS: Final = {DAY_FIRST: f"{_EITHER} DD-MM-YYYY", MONTH_FIRST: f"{_EITHER} MM-DD-YYYY"}


class CsvReader:
    """Reads the rows of a CSV file from a place behind its header, in the dialect that was settled for all of it.

    Amounts are in the currency of their entry, `base_currency` where it has none.
    """

    def __init__(self, dialect: CsvDialect, base_currency: str, start: Place, kept: Kept | None = None) -> None:
        self._dialect = dialect
        self._base_currency = base_currency
        self._lines = Lines(start)
        self._records = Records(dialect.encoding, dialect.separator, start)
        #: Where the last record ended.
        self._last = start
        self._entry: _Entry | None = None
        #: The refusal of the last row that may be of the entry after it. It is kept back until that is known: reading
        #: that went on behind it would post the entry without it.
        self._unread: Row | None = None
        if kept is not None:
            self._keep(kept)

    def feed(self, block: bytes) -> Iterator[Row]:
        """The rows that are complete with this block."""
        for line in self._lines.feed(block):
            for record in self._records.take(*line):
                yield from self._take(record)
        if self._lines.is_too_long:  # no record goes over such a line
            for record in self._records.end():
                yield from self._take(record)

    def end(self) -> Iterator[Row]:
        """The rows that the end of the file completes."""
        for line in self._lines.end():
            for record in self._records.take(*line):
                yield from self._take(record)
        for record in self._records.end():
            yield from self._take(record)
        yield from self._close()

    def held(self) -> tuple[Place, Kept | None] | None:
        """Where another reader can go on, and with what; None within an entry that may still be good."""
        place = self._records.begun or self._lines.place
        if self._entry is not None:
            if self._entry.refusal is not None:
                return place, Kept(self._entry.refusal, self._entry.after, self._entry.key)
            if not self._lines.is_too_long:
                return None
            # Such a line hides its entry: as soon as it ends, this one has ended before it.
            return place, Kept(refusal_of(self._entry.line, _may_be_of(place.line)), self._entry.after)
        if self._unread is not None:
            assert isinstance(self._unread.content, LedgerBeeError)
            return place, Kept(refusal_of(self._unread.line, self._unread.content), self._unread.after)
        return place, None

    def _keep(self, kept: Kept) -> None:
        fault = _fault_of(kept.refusal)
        if kept.key is None:
            self._unread = Row(kept.refusal.line, fault, kept.after)
            return
        self._entry = _Entry(kept.key, kept.refusal.line, self._last, self._dialect, self._base_currency)
        self._entry.refuse(kept.refusal.line, fault, kept.after or self._last)

    def _take(self, record: Record) -> Iterator[Row]:
        yield from self._look_at(record)
        self._last = record.after

    def _look_at(self, record: Record) -> Iterator[Row]:
        columns = self._dialect.columns
        if record.values is None:
            yield from self._refuse(record, record.fault, record.text.split(self._dialect.separator))
            return
        values = [value.strip() for value in record.values]
        if not any(values):
            if self._entry is not None and self._entry.is_left_behind(record.after):
                yield from self._close()
            return
        if len(values) < len(columns):
            text = f"The row has {len(values)} values, the header {len(columns)} columns"
            yield from self._refuse(record, text, values)
        elif max(map(len, values)) > MAX_TEXT:
            yield from self._refuse(record, f"The row has a value of more than {MAX_TEXT} characters", values)
        elif any(values[len(columns) :]):
            text = f"The row has a value behind column {len(columns)}, the last one that the header has a name for"
            yield from self._refuse(record, text, values)
        else:
            row = {name: text for name, text in zip(columns, values, strict=False) if name and text}
            yield from self._row(record, row)

    def _refuse(self, record: Record, text: str, values: Sequence[str]) -> Iterator[Row]:
        """Refuse a record, and with it the entry that it is a line of: the rest of it would be another entry.

        Where the record doesn't show which entry that is, it may be the one before it or the one after it: both are
        refused, and each is reported.
        """
        fault = _left_out(text)
        key = self._key_of(values)
        if key is not None:
            yield from self._open(key, record)
            assert self._entry is not None
            self._entry.refuse(record.line, fault, record.after)
            return
        if self._entry is not None and self._entry.after is not None:
            self._entry.refuse(self._entry.line, _may_be_of(record.line), self._entry.after)
        yield from self._close()
        self._unread = Row(record.line, fault, record.after)

    def _key_of(self, values: Sequence[str]) -> str | None:
        """Which entry a record is a line of that has something wrong, if that is certain.

        What is wrong may have moved the values: only the first has its place, or one that is the open entry's.
        """
        place = self._dialect.columns.index("entry")
        key = values[place].strip() if len(values) > place else ""
        if not key or len(key) > MAX_TEXT or not _DOUBTFUL.isdisjoint(key):
            return None
        is_open = self._entry is not None and self._entry.key == key
        return key if is_open or place == 0 else None

    def _close(self) -> Iterator[Row]:
        if self._entry is not None:
            yield self._entry.row()
        if self._unread is not None:
            yield self._unread
        self._entry = self._unread = None

    def _open(self, key: str, record: Record) -> Iterator[Row]:
        """Be in the entry `key`: in the one that is open, or in a new one that begins with the record."""
        if self._entry is not None and self._entry.key != key:
            yield from self._close()
        if self._entry is None:
            self._entry = _Entry(key, record.line, self._last, self._dialect, self._base_currency)
        if self._unread is not None:
            line = self._unread.line
            yield Row(line, self._unread.content, None)
            self._entry.refuse(record.line, _may_be_of(line), record.after)
            self._unread = None

    def _row(self, record: Record, row: Mapping[str, str]) -> Iterator[Row]:
        key = row.get("entry")
        if key is None:
            yield from self._refuse(record, "The row doesn't say in `entry` which entry it is a line of", [])
            return
        yield from self._open(key, record)
        assert self._entry is not None
        self._entry.add(record.line, row, record.after)


class _Entry:
    """An entry of which the rows are coming in."""

    def __init__(self, key: str, line: int, before: Place, dialect: CsvDialect, base_currency: str) -> None:
        self.key = key
        self.line = line
        self.after: Place | None = None
        self._before = before
        self._dialect = dialect
        self._base_currency = base_currency
        self._fields: dict[str, Any] = {}
        self._lines: list[dict[str, Any]] = []
        self._fault: tuple[int, LedgerBeeError] | None = None
        #: The first amount with three decimals that could be thousands: (line, property, text).
        self._fine: tuple[int, str, str] | None = None

    def add(self, number: int, row: Mapping[str, str], after: Place) -> None:
        self.after = after
        if self._fault is not None:  # it is refused: no need to keep more
            return
        if after.position - self._before.position > MAX_LINE_BYTES:
            self._fault = self.line, _left_out(_MUCH)
            return
        if len(self._lines) >= MAX_LINES:
            text = f"lines must contain no more than {MAX_LINES} elements"
            self._fault = self.line, invalid(("lines", "arrayMaxSize", text))
            return
        try:
            row = self._with_own_text(row)
            for name in OF_ENTRY:
                value = row.get(name)
                if value is None:
                    continue
                value = self._of_entry(number, name, value)
                if self._fields.setdefault(name, value) != value:
                    raise invalid((name, "equals", f"{name} must be the same in all rows of the entry, or empty"))
            self._lines.append(self._line_of(number, row))
        except LedgerBeeError as fault:
            self._fault = number, fault

    @property
    def refusal(self) -> Refusal | None:
        """What it is refused for, if it is."""
        return refusal_of(*self._fault) if self._fault is not None else None

    def is_left_behind(self, now: Place) -> bool:
        """Whether it has ended, since so many empty rows have come after it. One that is refused goes on."""
        return self._fault is None and self.after is not None and now.position - self.after.position > _MAX_GAP

    def refuse(self, number: int, fault: LedgerBeeError, after: Place) -> None:
        """Refuse the entry for what is wrong on a line, unless it is refused already."""
        self.after = after
        self._fault = self._fault or (number, fault)

    def row(self) -> Row:
        """The whole entry, in the form of JSON."""
        if self._fault is None and self._fine is not None:
            self._check_fine(*self._fine)
        if self._fault is not None:
            return Row(*self._fault, self.after)
        fields = {"entryType": EntryType.JOURNAL_ENTRY.value, **self._fields, "lines": self._lines}
        if "originalAmount" not in fields and fields["entryType"] == EntryType.JOURNAL_ENTRY.value:
            fields["originalAmount"] = self._debits()
        return Row(self.line, fields, self.after)

    def _with_own_text(self, row: Mapping[str, str]) -> Mapping[str, str]:
        """A row whose text is not the entry's has it for its line: so programs with one column for both write it."""
        text = row.get("description")
        if text is None or "lineDescription" in row or self._fields.get("description", text) == text:
            return row
        return {**{name: value for name, value in row.items() if name != "description"}, "lineDescription": text}

    def _of_entry(self, number: int, name: str, text: str) -> str:
        if name == "originalAmount":
            return self._amount(number, name, name, text)
        if name == "exchangeRate":
            return self._rate(text)
        if name in DATES:
            day = read_date_as(text, self._dialect.date_format)
            if day is None:
                form = self._dialect.date_format
                order = _ORDERS.get(form, form)
                raise invalid((name, "isDateString", f"{name} must be a valid date ({order}): {text[:_QUOTED]}"))
            return day
        return text

    def _line_of(self, number: int, row: Mapping[str, str]) -> dict[str, Any]:
        place = f"lines.{len(self._lines)}"
        account = row.get("accountNumber", "")
        line: dict[str, Any] = {"accountNumber": int(account) if _NUMBER.fullmatch(account) else account}
        amounts = {
            name: self._amount(number, f"{place}.amount", name, row[name])
            for name in ("debit", "credit", "amount")
            if name in row
        }
        sides = [side for side in Side if _says_something(amounts.get(side.value.lower()))]
        if "amount" in amounts and not sides:
            line |= self._sided(amounts["amount"], row.get("side", ""), f"{place}.amount")
        elif len(sides) == 1 and "amount" not in amounts:
            line |= {
                "side": sides[0].value,
                "amount": _not_negative(amounts[sides[0].value.lower()], f"{place}.amount"),
            }
        else:
            text = f"{place} must have an amount in debit or in credit, or side and amount"
            raise invalid((f"{place}.amount", "isDefined", text))
        line |= {name: row[column] for name, column in _TEXTS if column in row}
        return line | self._voucher_vat(number, row, place)

    def _voucher_vat(self, number: int, row: Mapping[str, str], place: str) -> dict[str, Any]:
        """What the row says of the VAT on its voucher."""
        said: dict[str, Any] = {}
        if "vatAmount" in row:
            name = f"{place}.vatAmount"
            said["vatAmount"] = _not_negative(self._amount(number, name, "vatAmount", row["vatAmount"]), name)
        if "vatIncluded" in row:
            said["vatIncluded"] = _YES_OR_NO.get(row["vatIncluded"].casefold())
            if said["vatIncluded"] is None:
                name = f"{place}.vatIncluded"
                raise invalid((name, "isBoolean", f"{name} must be yes, ja or true, or no, nej or false"))
        return said

    def _sided(self, amount: str, side: str, place: str) -> dict[str, str]:
        """An amount beside its side; in a file without a column for sides, credits are negative."""
        if "side" in self._dialect.columns:
            return {"side": side.upper(), "amount": _not_negative(amount, place)}
        is_credit = amount.startswith("-")
        return {"side": (Side.CREDIT if is_credit else Side.DEBIT).value, "amount": amount.removeprefix("-")}

    def _amount(self, number: int, place: str, name: str, text: str) -> str:
        readings = read_number(text)
        amount = readings.with_mark(self._dialect.decimal_mark)
        if amount is None:
            raise self._not_a_number(place, name, text)
        if self._fine is None and readings.is_ambiguous and "." in amount:
            self._fine = number, place, text
        return amount

    def _rate(self, text: str) -> str:
        """The price of one unit."""
        readings = read_number(text)
        rate = readings.with_mark(self._dialect.decimal_mark)
        if rate is None:
            raise self._not_a_number("exchangeRate", "exchangeRate", text)
        if readings.is_ambiguous and "." not in rate:  # one of 7.456 where amounts have their decimals behind a comma
            both = f"{readings.comma} or as {readings.point}"
            raise invalid(
                ("exchangeRate", "isNumber", f"exchangeRate {text} can be read as {both}: write its decimals")
            )
        units = self._dialect.rate_units
        if units == 1 or len(rate) > _QUOTED:
            return rate
        return f"{EXACT.divide(Decimal(rate), Decimal(units)):f}"

    def _not_a_number(self, place: str, name: str, text: str) -> LedgerBeeError:
        mark = _MARKS[self._dialect.decimal_mark]
        wanted = f"{name} must be a number, with {mark} before its decimals as all of the file or decimalMark has it"
        return invalid((place, "isNumber", f"{wanted}: {text[:_QUOTED]}"))

    def _check_fine(self, number: int, place: str, text: str) -> None:
        """Refuse three decimals in a currency that has fewer: they may well be thousands."""
        currency = self._fields.get("currency", self._base_currency)
        places = minor_units(currency) if is_currency(currency) else 0
        if places < 3:
            problem = (
                f"{text} would be an amount with 3 decimals, {currency} has {places}: thousands are marked otherwise"
            )
            self._fault = number, invalid((place, "maxDecimalPlaces", f"{problem} in this file"))

    def _debits(self) -> str:
        amounts = [line["amount"] for line in self._lines if line["side"] == Side.DEBIT.value]
        if not all(_AMOUNT.fullmatch(amount) for amount in amounts):
            return "0"  # the line is refused
        return f"{min(total([Decimal(amount) for amount in amounts]), MAX_AMOUNT):f}"


def _fault_of(refusal: Refusal) -> LedgerBeeError:
    """The fault that is recorded as this refusal."""
    if refusal.code == VALIDATION_FAILED.code:
        return invalid((refusal.property, "isValid", refusal.message))
    return JOURNAL_IMPORT_UNREADABLE.error(refusal.message)


def _left_out(text: str) -> LedgerBeeError:
    return JOURNAL_IMPORT_UNREADABLE.error(f"{text}. Nothing of its entry is posted")


def _may_be_of(line: int) -> LedgerBeeError:
    """Why an entry is refused beside a row that doesn't show which entry it is a line of."""
    text = f"Line {line} doesn't show which entry it is a line of, and may be of this one: nothing of it is posted"
    return JOURNAL_IMPORT_UNREADABLE.error(text)


def _says_something(amount: str | None) -> bool:
    """Empty or zero, the other column has the amount."""
    return amount is not None and amount.strip("-0.") != ""


def _not_negative(amount: str, place: str) -> str:
    """An amount whose side is said: a minus beside it may turn it or only repeat it."""
    if amount.startswith("-"):
        raise invalid((place, "isPositive", f"{amount} must not be negative: debit or credit says which way it goes"))
    return amount
