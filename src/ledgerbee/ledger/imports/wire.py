"""A row of a file as an entry: the body of `POST /v2/journal-entries`, with numbers and names beside ids."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from msgspec import Meta, MsgspecError, Struct
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
from ledgerbee.http.wire import MAX_LINE, MAX_TEXT, Id, OptionalLine, RequestModel, Whole, to_whole
from ledgerbee.ledger.entries import fast_wire
from ledgerbee.ledger.entries.model import MAX_LINES, MAX_TAGS, EnteredEntry, EnteredLine, EntryType, Side
from ledgerbee.ledger.entries.wire import CreateJournalEntryRequest, PositiveAmount, VatAmount, VatIncluded
from ledgerbee.ledger.imports.rules import Directory, References
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND

_Text = Annotated[str, Meta(max_length=MAX_LINE)]
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
    tag_ids: list[Id] = Field(default_factory=list, max_length=100)
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


def collect(row: Any, wanted: References) -> None:
    """Add what a row refers to. Takes whatever JSON there is: what is wrong with it is told later."""
    if isinstance(row, PlainRow):
        _collect_plain(row.row, wanted)
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


def _collect_plain(row: "_Plain", wanted: References) -> None:
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


def entered(row: Any, directory: Directory, model: type[ImportedEntryRequest] = ImportedEntryRequest) -> EnteredEntry:
    """The entry that a row describes, as `model` has it.

    Raises validation errors, `ACCOUNT_NOT_FOUND`, `VAT_CODE_NOT_FOUND`, `CUSTOMER_NOT_FOUND`, `VENDOR_NOT_FOUND` and
    `JOURNAL_CATEGORY_NOT_FOUND` for numbers and names that the company doesn't have.
    """
    if isinstance(row, PlainRow):
        return _resolved(row.row, row.original_amount, row.amounts, None, directory)
    _check_no_files(row)
    try:
        request = model.model_validate(row)
    except ValidationError as fault:
        problems = with_hints(model, fault.errors())
        raise validation_error([{**problem, "loc": ("body", *problem["loc"])} for problem in problems]) from None
    return _of_request(request, directory)


async def entered_in_steps(
    row: Any, directory: Directory, model: type[ImportedEntryRequest] = ImportedEntryRequest
) -> EnteredEntry:
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


def _of_request(request: ImportedEntryRequest, directory: Directory) -> EnteredEntry:
    amounts = [line.amount for line in request.lines]
    return _resolved(request, request.original_amount, amounts, request.exchange_rate, directory)


def _resolved(
    request: "ImportedEntryRequest | _Plain",
    original_amount: Decimal,
    amounts: Sequence[Decimal],
    exchange_rate: Decimal | None,
    directory: Directory,
) -> EnteredEntry:
    lines: Sequence[ImportedLineRequest | _PlainLine] = request.lines
    return EnteredEntry(
        entry_type=request.entry_type,
        date=request.date,
        lines=tuple(
            [
                _line(number, line, amount, directory)
                for number, (line, amount) in enumerate(zip(lines, amounts, strict=True))
            ]
        ),
        original_amount=original_amount,
        owes_control_line=request.entry_type is not EntryType.JOURNAL_ENTRY,
        currency=request.currency,
        exchange_rate=exchange_rate,
        customer_id=_named(
            ("customerId", request.customer_id),
            ("customerNumber", request.customer_number),
            directory.customers,
            CUSTOMER_NOT_FOUND,
        ),
        vendor_id=_named(
            ("vendorId", request.vendor_id),
            ("vendorNumber", request.vendor_number),
            directory.vendors,
            VENDOR_NOT_FOUND,
        ),
        description=request.description,
        reference=fast_wire.stripped(request.reference),
        external_system_id=fast_wire.stripped(request.external_system_id),
        journal_category_id=_named(
            ("journalCategoryId", request.journal_category_id),
            ("journalCategory", request.journal_category),
            directory.categories,
            JOURNAL_CATEGORY_NOT_FOUND,
        ),
        tag_ids=tuple(request.tag_ids),
        delivery_date=request.delivery_date if isinstance(request, ImportedEntryRequest) else None,
    )


def _line(number: int, line: "ImportedLineRequest | _PlainLine", amount: Decimal, directory: Directory) -> EnteredLine:
    path = f"lines.{number}"
    account_id = _named(
        (f"{path}.accountId", line.account_id),
        (f"{path}.accountNumber", line.account_number),
        directory.account_numbers,
        ACCOUNT_NOT_FOUND,
    )
    if account_id is None:
        raise invalid((f"{path}.accountId", "isUuid", f"{path} must have accountId or accountNumber"))
    code_id = _named(
        (f"{path}.vatCodeId", line.vat_code_id),
        (f"{path}.vatCode", line.vat_code),
        directory.vat_codes,
        VAT_CODE_NOT_FOUND,
    )
    entered = EnteredLine(
        account_id, line.side, amount, code_id, fast_wire.stripped(line.description), tuple(line.tag_ids)
    )
    if isinstance(line, ImportedLineRequest) and (line.vat_included is not None or line.vat_amount is not None):
        return replace(entered, vat_included=line.vat_included, vat_amount=line.vat_amount)
    return entered


def _named(
    by_id: tuple[str, UUID | None], by_name: tuple[str, str | int | None], known: Mapping[Any, UUID], code: ErrorCode
) -> UUID | None:
    """What a row names by its id, or by its number or name; both as (place in the row, value). A blank names nothing.

    Raises a validation error where it is named twice: the two may not agree. Raises `code` for what is not there.
    """
    (id_place, found), (place, wanted) = by_id, by_name
    key = wanted.strip() if isinstance(wanted, str) else wanted
    if key is None or key == "":
        return found
    if found is not None:
        beside = id_place.rpartition(".")[2]
        raise invalid((place, "isEmpty", f"{place} must be left out beside {beside}"))
    found = known.get(key)
    if found is None:
        raise code.error(f"{code.meaning}: {wanted}", property=place)
    return found


# The usual row, without the general way, as in `entries.fast_wire`: whatever is in the least unusual is left to the
# models above, which accept it or say what is wrong.


class _PlainLine(Struct, frozen=True, gc=False, rename="camel", forbid_unknown_fields=True):
    side: Side
    amount: str | int
    account_number: Annotated[int, Meta(ge=1, le=2_147_483_647)] | None = None
    account_id: DriverUUID | None = None
    vat_code: _Text | None = None
    vat_code_id: DriverUUID | None = None
    description: _Text | None = None
    tag_ids: Annotated[tuple[DriverUUID, ...], Meta(max_length=MAX_TAGS)] = ()


class _Plain(Struct, frozen=True, gc=False, rename="camel", forbid_unknown_fields=True):
    entry_type: EntryType
    date: date
    lines: Annotated[tuple[_PlainLine, ...], Meta(min_length=1, max_length=MAX_LINES)]
    original_amount: str | int
    customer_number: _Text | None = None
    customer_id: DriverUUID | None = None
    vendor_number: _Text | None = None
    vendor_id: DriverUUID | None = None
    journal_category: _Text | None = None
    journal_category_id: DriverUUID | None = None
    description: Annotated[str, Meta(max_length=MAX_TEXT)] | None = None
    reference: _Text | None = None
    external_system_id: _Text | None = None
    currency: str | None = None
    tag_ids: Annotated[tuple[DriverUUID, ...], Meta(max_length=MAX_TAGS)] = ()


class PlainRow(NamedTuple):
    """A row that can be taken as it is, if the company has what it names; and its amounts."""

    row: _Plain
    original_amount: Decimal
    amounts: list[Decimal]


_DECODER: Final = Decoder(_Plain, dec_hook=fast_wire.plain_id)


def plain_row(raw: bytes) -> PlainRow | None:
    """The row in a line of JSON, or None if it isn't plain."""
    if b"\\" in raw:
        return None
    try:
        row = _DECODER.decode(raw)
        amounts = [fast_wire.plain_amount(line.amount) for line in row.lines]
        original_amount = fast_wire.plain_amount(row.original_amount)
    except (MsgspecError, fast_wire.NotPlainError, ValueError, RecursionError):  # ValueError: no UTF-8, too many digits
        return None
    is_plain = min(amounts) > 0 and (row.currency is None or is_currency(row.currency))
    return PlainRow(row, original_amount, amounts) if is_plain else None


@lru_cache(maxsize=4096)
def _uuid(text: str) -> UUID | None:
    try:
        return parse_id(text) if len(text) == 36 else None
    except ValueError:
        return None
