"""A row of a file as an entry: the body of `POST /v2/journal-entries`, with numbers and names beside ids."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from msgspec import Meta, Struct
from msgspec.json import Decoder
from msgspec.structs import replace
from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND
from ledgerbee.chart.journal_categories.model import JOURNAL_CATEGORY_NOT_FOUND
from ledgerbee.chart.vat_codes.model import VAT_CODE_NOT_FOUND
from ledgerbee.core.errors import ErrorCode, invalid
from ledgerbee.core.ids import DriverUUID, parse_id
from ledgerbee.core.money import is_commodity, is_currency
from ledgerbee.http.hints import with_hints
from ledgerbee.http.stepwise import validated_in_steps
from ledgerbee.http.validation import validation_error
from ledgerbee.http.wire import Id, OptionalLine, RequestModel, Whole, to_whole
from ledgerbee.ledger.entries.decoder_checks import check_struct
from ledgerbee.ledger.entries.fast_wire import (
    DECIDED,
    LEFT,
    FastEntry,
    LineText,
    Tags,
    decode_amount,
    decode_id,
    decoded_values,
    stripped,
)
from ledgerbee.ledger.entries.model import (
    ENTRY_FIELDS,
    MAX_LINES,
    MAX_TAGS,
    EntryInput,
    EntryType,
    LineInput,
    Side,
    entry_values,
)
from ledgerbee.ledger.entries.wire import CreateJournalEntryRequest, PositiveAmount, VatAmount, VatIncluded
from ledgerbee.ledger.imports.rules import Directory, References
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND

#: Names of an entry, or of all of its lines, from which on it is validated in steps.
_MANY: Final = 1_000
_Number = Annotated[int, Field(strict=True, ge=1, le=2_147_483_647), Whole]


class ImportedLineRequest(RequestModel):
    """A line as in `JournalLineRequest`; its account and VAT code by id, or by number and code."""

    account_id: Id | None = None
    account_number: _Number | None = None
    side: Side
    amount: PositiveAmount
    vat_code_id: Id | None = None
    description: OptionalLine | None = None
    tag_ids: list[Id] = Field(default_factory=list, max_length=MAX_TAGS)
    vat_code: OptionalLine | None = None
    vat_included: VatIncluded = None
    vat_amount: VatAmount = None


class ImportedEntryRequest(CreateJournalEntryRequest):
    """An entry; customer, vendor and category by id, or by number and name."""

    lines: list[ImportedLineRequest] = Field(min_length=1, max_length=MAX_LINES)  # type: ignore[assignment]
    customer_number: OptionalLine | None = None
    vendor_number: OptionalLine | None = None
    journal_category: OptionalLine | None = None


def _check_code(value: str) -> str:
    if not (is_currency(value) or is_commodity(value)):
        raise PydanticCustomError("iso4217", "must be a valid ISO 4217 currency code or a commodity's")
    return value


class BookedEntryRequest(ImportedEntryRequest):
    """An entry of Beancount books: in a currency, or in a commodity that is counted beside money."""

    currency: Annotated[str, AfterValidator(_check_code)] | None = None


# The usual row, decoded as in `entries.fast_wire`: whatever is in the least unusual is left to the models above.


class _FastLine(Struct, frozen=True, gc=False, rename="camel", forbid_unknown_fields=True):
    side: Side
    amount: str | int
    account_number: Annotated[int, Meta(ge=1, le=2_147_483_647)] | None = None
    account_id: DriverUUID | None = None
    vat_code: LineText | None = None
    vat_code_id: DriverUUID | None = None
    description: LineText | None = None
    tag_ids: Tags = ()


class _FastRow(FastEntry, frozen=True, gc=False, kw_only=True, rename="camel", forbid_unknown_fields=True):
    lines: Annotated[tuple[_FastLine, ...], Meta(min_length=1, max_length=MAX_LINES)]
    customer_number: LineText | None = None
    vendor_number: LineText | None = None
    journal_category: LineText | None = None


class FastRow(NamedTuple):
    """A row from the fast decoder: with the values of `EntryFields` and the amounts of its lines."""

    row: _FastRow
    values: Sequence[Any]
    amounts: Sequence[Decimal]


check_struct(_FastRow, ImportedEntryRequest, DECIDED)
_DECODER: Final = Decoder(_FastRow, dec_hook=decode_id)


def decode_row(raw: bytes) -> FastRow | None:
    """The row in a line of JSON; None if that is left to the models."""
    if b"\\" in raw:
        return None
    try:
        row = _DECODER.decode(raw)
        amounts = [decode_amount(line.amount) for line in row.lines]
        values = decoded_values(row, decode_amount(row.original_amount))
    except LEFT:
        return None
    return FastRow(row, values, amounts) if min(amounts) > 0 else None


def collect(row: Any, wanted: References) -> None:
    """Add what a row refers to. Takes whatever JSON there is: what is wrong with it is reported later."""
    if isinstance(row, FastRow):
        _collect_fast(row.row, wanted)
        return
    if not isinstance(row, dict):
        return
    for name, found in (
        ("customerNumber", wanted.customer_numbers),
        ("vendorNumber", wanted.vendor_numbers),
        ("journalCategory", wanted.categories),
    ):
        if isinstance(text := row.get(name), str):
            found.add(text.strip())
    lines = row.get("lines")
    for line in lines if isinstance(lines, list) else ():
        if not isinstance(line, dict):
            continue
        number = to_whole(line.get("accountNumber"))
        if type(number) is int and 0 < number < 2**31:
            wanted.account_numbers.add(number)
        elif isinstance(text := line.get("accountId"), str) and (account_id := _uuid(text)) is not None:
            wanted.account_ids.add(account_id)
        if isinstance(code := line.get("vatCode"), str):
            wanted.vat_codes.add(code.strip())


def _collect_fast(row: _FastRow, wanted: References) -> None:
    for line in row.lines:
        if line.account_number is not None:
            wanted.account_numbers.add(line.account_number)
        if line.account_id is not None:
            wanted.account_ids.add(line.account_id)
        if line.vat_code is not None:
            wanted.vat_codes.add(line.vat_code.strip())
    if row.customer_number is not None:
        wanted.customer_numbers.add(row.customer_number.strip())
    if row.vendor_number is not None:
        wanted.vendor_numbers.add(row.vendor_number.strip())
    if row.journal_category is not None:
        wanted.categories.add(row.journal_category.strip())


def entered(row: Any, directory: Directory, model: type[ImportedEntryRequest] = ImportedEntryRequest) -> EntryInput:
    """The entry that a row describes, as `model` has it.

    Raises validation errors, `ACCOUNT_NOT_FOUND`, `VAT_CODE_NOT_FOUND`, `CUSTOMER_NOT_FOUND`, `VENDOR_NOT_FOUND` and
    `JOURNAL_CATEGORY_NOT_FOUND` for numbers and names that the company doesn't have.
    """
    if isinstance(row, FastRow):
        return _resolved(row.row, row.values, row.amounts, directory)
    _check_no_files(row)
    try:
        request = model.model_validate(row)
    except ValidationError as fault:
        problems = with_hints(model, fault.errors())
        raise validation_error([{**problem, "loc": ("body", *problem["loc"])} for problem in problems]) from None
    return _of_request(request, directory)


async def entered_in_steps(
    row: Any, directory: Directory, model: type[ImportedEntryRequest] = ImportedEntryRequest
) -> EntryInput:
    """What `entered` gives, of a row that `is_large`: in steps, and with a limit of what is found wrong."""
    _check_no_files(row)
    try:
        request = await validated_in_steps(model, row)
    except RequestValidationError as fault:
        raise validation_error(fault.errors()) from None
    return _of_request(request, directory)


def is_large(row: Any) -> bool:
    """Whether validation of a row takes long enough for others to wait: each thing found wrong takes a kilobyte."""
    if not isinstance(row, dict):
        return False
    lines = row.get("lines")
    return len(row) > _MANY or (
        isinstance(lines, list) and sum(len(line) if isinstance(line, dict) else 1 for line in lines) > _MANY
    )


def _check_no_files(row: Any) -> None:
    if isinstance(row, dict) and "attachments" in row:
        raise invalid(("attachments", "whitelistValidation", "attachments should not exist"))


def _of_request(request: ImportedEntryRequest, directory: Directory) -> EntryInput:
    *others, tag_ids = entry_values(request)
    return _resolved(request, [*others, tuple(tag_ids)], [line.amount for line in request.lines], directory)


_CUSTOMER, _VENDOR, _CATEGORY = (
    ENTRY_FIELDS.index(name) for name in ("customer_id", "vendor_id", "journal_category_id")
)


def _resolved(
    request: ImportedEntryRequest | _FastRow, given: Sequence[Any], amounts: Sequence[Decimal], directory: Directory
) -> EntryInput:
    """The entry of a row; `given` are its values of `EntryFields`, without what it names by number or name."""
    rows: Sequence[ImportedLineRequest | _FastLine] = request.lines
    lines = [
        _line(number, line, amount, directory) for number, (line, amount) in enumerate(zip(rows, amounts, strict=True))
    ]
    values = list(given)
    values[_CUSTOMER] = _named(
        request.customer_id, request.customer_number, directory.customers, CUSTOMER_NOT_FOUND, "customerNumber"
    )
    values[_VENDOR] = _named(
        request.vendor_id, request.vendor_number, directory.vendors, VENDOR_NOT_FOUND, "vendorNumber"
    )
    values[_CATEGORY] = _named(
        request.journal_category_id,
        request.journal_category,
        directory.categories,
        JOURNAL_CATEGORY_NOT_FOUND,
        "journalCategory",
    )
    return EntryInput(
        *values,
        lines=tuple(lines),
        owes_control_line=request.entry_type is not EntryType.JOURNAL_ENTRY,
        currency=request.currency,
        exchange_rate=request.exchange_rate,
    )


def _line(number: int, line: ImportedLineRequest | _FastLine, amount: Decimal, directory: Directory) -> LineInput:
    path = f"lines.{number}"
    account_id = _named(
        line.account_id, line.account_number, directory.account_numbers, ACCOUNT_NOT_FOUND, f"{path}.accountNumber"
    )
    if account_id is None:
        raise invalid((f"{path}.accountId", "isUuid", f"{path} must have accountId or accountNumber"))
    code_id = _named(line.vat_code_id, line.vat_code, directory.vat_codes, VAT_CODE_NOT_FOUND, f"{path}.vatCode")
    entered = LineInput(account_id, line.side, amount, code_id, stripped(line.description), tuple(line.tag_ids))
    if isinstance(line, ImportedLineRequest) and (line.vat_included is not None or line.vat_amount is not None):
        return replace(entered, vat_included=line.vat_included, vat_amount=line.vat_amount)
    return entered


#: The field of an id by that of the number or name that may stand in its place.
_ID_FIELDS: Final = {
    "accountNumber": "accountId",
    "vatCode": "vatCodeId",
    "customerNumber": "customerId",
    "vendorNumber": "vendorId",
    "journalCategory": "journalCategoryId",
}


def _named(
    by_id: UUID | None, by_name: str | int | None, known: Mapping[Any, UUID], code: ErrorCode, place: str
) -> UUID | None:
    """What a row names by its id, or by its number or name, which stands at `place`. A blank names nothing.

    Raises a validation error where it is named twice: the two may not agree. Raises `code` for what is not there.
    """
    key = by_name.strip() if isinstance(by_name, str) else by_name
    if key is None or key == "":
        return by_id
    if by_id is not None:
        beside = _ID_FIELDS[place.rpartition(".")[2]]
        raise invalid((place, "isEmpty", f"{place} must be left out beside {beside}"))
    found = known.get(key)
    if found is None:
        raise code.error(f"{code.meaning}: {by_name}", property=place)
    return found


@lru_cache(maxsize=4096)
def _uuid(text: str) -> UUID | None:
    try:
        return parse_id(text) if len(text) == 36 else None
    except ValueError:
        return None
