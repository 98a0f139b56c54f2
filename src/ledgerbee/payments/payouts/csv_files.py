"""Movements of a provider in a CSV file, as Excel, banks and acquirers write them. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import ValidationError

from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.http.validation import validation_error
from ledgerbee.ledger.imports.formats import DialectReader
from ledgerbee.ledger.imports.formats.dates import read_date_as
from ledgerbee.ledger.imports.formats.headings import IGNORED, Headings, plain_heading
from ledgerbee.ledger.imports.formats.numbers import read_number
from ledgerbee.ledger.imports.formats.records import Record, Records
from ledgerbee.ledger.imports.formats.rows import Lines
from ledgerbee.ledger.imports.model import CsvDialect, CsvOptions, UnreadableFileError
from ledgerbee.ledger.imports.rules import refusal_of
from ledgerbee.payments.payouts.model import MAX_MOVEMENTS, PAYOUT_IMPORT_UNREADABLE
from ledgerbee.payments.payouts.wire import PayoutMovementRequest

_NAMES: Final = (
    "id", "type", "amount", "fee", "currency", "date", "object", "reference", "payout", "description",
)  # fmt: skip
_DANISH: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("transaktionsid", "transaktion"),
    "amount": ("beløb",),
    "fee": ("gebyr",),
    "currency": ("valuta", "valutakode"),
    "date": ("dato",),
    "reference": ("ordrenr", "ordrenummer", "order id", "order_id"),
    "payout": ("udbetaling", "udbetalingsid"),
    "description": ("tekst",),
    # What follows from the others.
    IGNORED: ("netto", "saldo"),
}
_COLUMNS: Final = {
    **{name.casefold(): name for name in _NAMES},
    **{heading: name for name, headings in _DANISH.items() for heading in headings},
}
_NUMBERS: Final = ("amount", "fee")
_MARKS: Final = {",": "a comma", ".": "a point"}
#: Characters of a value that an error repeats.
_QUOTED: Final = 40

MOVEMENTS: Final = Headings(
    lambda heading: _COLUMNS.get(plain_heading(heading)),
    needed=(("id",), ("type",), ("amount",), ("currency",), ("date",)),
    numbers=_NUMBERS,
    dates=("date",),
    kept_out="taken",
)


def read_file(raw: bytes, options: CsvOptions) -> list[tuple[int, PayoutMovementRequest]]:
    """The movements of a file by their lines: all of them, or none.

    Raises `PAYOUT_IMPORT_UNREADABLE`, which names the first line that is wrong, and `line` in its details.
    """
    try:
        looked_at = DialectReader(options, headings=MOVEMENTS)
        looked_at.feed(raw)
        dialect = looked_at.end()
    except UnreadableFileError as fault:
        line = {"line": fault.refusals[0].line} if fault.refusals else {}
        raise PAYOUT_IMPORT_UNREADABLE.error(fault.message, **line) from None
    found = [(record.line, _movement(record, dialect)) for record in _records(raw, dialect)]
    if not found:
        raise PAYOUT_IMPORT_UNREADABLE.error("The file has no row but its header")
    if len(found) > MAX_MOVEMENTS:
        raise PAYOUT_IMPORT_UNREADABLE.error(f"The file has more than {MAX_MOVEMENTS} rows: send it in parts")
    return found


def _records(raw: bytes, dialect: CsvDialect) -> Iterator[Record]:
    """The rows that say something, behind the header."""
    lines, records = Lines(dialect.first), Records(dialect.encoding, dialect.separator, dialect.first)
    rest = raw[dialect.first.position :]
    for line in [*lines.feed(rest), *lines.end()]:
        yield from (one for one in records.take(*line) if _says_something(one))
    yield from (one for one in records.end() if _says_something(one))


def _says_something(record: Record) -> bool:
    return record.values is None or any(value.strip() for value in record.values)


def _movement(record: Record, dialect: CsvDialect) -> PayoutMovementRequest:
    columns = dialect.columns
    if record.values is None:
        raise _wrong(record.line, record.fault)
    values = [value.strip() for value in record.values]
    if len(values) < len(columns):
        raise _wrong(record.line, f"the row has {len(values)} values, the header {len(columns)} columns")
    if any(values[len(columns) :]):
        raise _wrong(record.line, f"the row has a value behind column {len(columns)}, the last one with a name")
    row = {name: text for name, text in zip(columns, values, strict=False) if name and text}
    try:
        body: dict[str, object] = {**row, "type": row.get("type", "").casefold()}
        body |= {name: _number(name, row[name], dialect.decimal_mark) for name in _NUMBERS if name in row}
        if "date" in row:
            body["date"] = _day(row["date"], dialect.date_format)
        request = PayoutMovementRequest.model_validate(body)
        request.check()
    except ValidationError as fault:
        told = validation_error([{**one, "loc": ("body", *one["loc"])} for one in fault.errors()])
        raise at_line(record.line, told) from None
    except LedgerBeeError as fault:
        raise at_line(record.line, fault) from None
    return request


def _number(name: str, text: str, decimal_mark: str) -> str:
    number = read_number(text).with_mark(decimal_mark)
    if number is None:
        wanted = f"{name} must be a number with {_MARKS[decimal_mark]} before its decimals"
        raise invalid((name, "isNumber", f"{wanted}: {text[:_QUOTED]}"))
    return number


def _day(text: str, date_format: str) -> str:
    day = read_date_as(text, date_format)
    if day is None:
        raise invalid(
            ("date", "isDateString", f"date must be a valid date, as all of the file has it: {text[:_QUOTED]}")
        )
    return day


def at_line(line: int, fault: LedgerBeeError) -> LedgerBeeError:
    """A fault of a row, in the words of its first finding."""
    found = refusal_of(line, fault)
    return _wrong(line, found.message, found.property)


def _wrong(line: int, words: str, name: str | None = None) -> LedgerBeeError:
    where = {} if name is None else {"property": name}
    return PAYOUT_IMPORT_UNREADABLE.error(f"Line {line}: {words}. Nothing was taken", line=line, **where)
