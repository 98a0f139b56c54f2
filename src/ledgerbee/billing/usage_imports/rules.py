"""What the rows of a file of usage say: the body of a report, with the customer's number beside the id. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from ledgerbee.billing.usage_imports.headings import METADATA
from ledgerbee.billing.usage_imports.model import USAGE_IMPORT_UNREADABLE, FileRow
from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.ledger.imports.formats.numbers import read_number
from ledgerbee.ledger.imports.formats.records import Record, Records
from ledgerbee.ledger.imports.formats.rows import Lines
from ledgerbee.ledger.imports.model import CsvDialect, Place
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND

#: Characters of a value, and of a value that an error repeats.
_MAX_TEXT: Final = 10_000
_QUOTED: Final = 40
_MARKS: Final = {",": "a comma", ".": "a point"}


class UsageReader:
    """Reads the rows of a file from a place behind its header, in the dialect that was settled for all of it."""

    def __init__(self, dialect: CsvDialect, start: Place) -> None:
        self._columns = dialect.columns
        self._lines = Lines(start)
        self._records = Records(dialect.encoding, dialect.separator, start)

    @property
    def place(self) -> Place:
        """Where another reader can go on."""
        return self._records.begun or self._lines.place

    def feed(self, block: bytes) -> Iterator[FileRow]:
        """The rows that are complete with this block; empty ones are passed over."""
        for line in self._lines.feed(block):
            yield from self._rows(self._records.take(*line))
        if self._lines.is_too_long:  # no record goes over such a line
            yield from self._rows(self._records.end())

    def end(self) -> Iterator[FileRow]:
        """The rows that the end of the file completes."""
        for line in self._lines.end():
            yield from self._rows(self._records.take(*line))
        yield from self._rows(self._records.end())

    def _rows(self, records: Iterator[Record]) -> Iterator[FileRow]:
        for record in records:
            if record.values is None:
                yield FileRow(record.line, record.fault, record.after)
            elif any(value.strip() for value in record.values):
                yield FileRow(record.line, self._content([value.strip() for value in record.values]), record.after)

    def _content(self, values: list[str]) -> dict[str, str] | str:
        columns = self._columns
        if len(values) < len(columns):
            return f"The row has {len(values)} values, the header {len(columns)} columns"
        if max(map(len, values)) > _MAX_TEXT:
            return f"The row has a value of more than {_MAX_TEXT} characters"
        if any(values[len(columns) :]):
            return f"The row has a value behind column {len(columns)}, the last one that the header has a name for"
        return {name: text for name, text in zip(columns, values, strict=False) if text}


def numbers_in(rows: Collection[FileRow]) -> set[str]:
    """The customer numbers that rows name."""
    found = (row.content.get("customerNumber") for row in rows if isinstance(row.content, dict))
    return {number for number in found if number is not None}


def body_of(row: FileRow, decimal_mark: str, customers: Mapping[str, UUID]) -> dict[str, Any] | LedgerBeeError:
    """A row as the body of a report under its key; `customers` are those that the company has, by number."""
    content = row.content
    if isinstance(content, str):
        return USAGE_IMPORT_UNREADABLE.error(content)
    body: dict[str, Any] = {
        name: text for name, text in content.items() if name != "customerNumber" and not name.startswith(METADATA)
    }
    if "timestamp" not in body:
        return invalid(("timestamp", "isDefined", "timestamp must be given"))
    if "value" in body:
        number = read_number(body["value"]).with_mark(decimal_mark)
        if number is None:
            text = f"value must be a number with {_MARKS[decimal_mark]} before its decimals: {body['value'][:_QUOTED]}"
            return invalid(("value", "isNumber", text))
        body["value"] = number
    if (customer_number := content.get("customerNumber")) is not None:
        if "customerId" in body:
            return invalid(("customerNumber", "isEmpty", "customerNumber must be left out beside customerId"))
        customer_id = customers.get(customer_number)
        if customer_id is None:
            return CUSTOMER_NOT_FOUND.missing("customerNumber", "customerNumber", customer_number[:_QUOTED])
        body["customerId"] = str(customer_id)
    metadata = {name.removeprefix(METADATA): text for name, text in content.items() if name.startswith(METADATA)}
    return {**body, "metadata": metadata} if metadata else body
