"""A row of a file as an entry: the body of `POST /v2/journal-entries`, with numbers and names beside ids."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import Field, ValidationError

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND
from ledgerbee.chart.journal_categories.model import JOURNAL_CATEGORY_NOT_FOUND
from ledgerbee.chart.vat_codes.model import VAT_CODE_NOT_FOUND
from ledgerbee.core.errors import ErrorCode, invalid
from ledgerbee.ledger.entries.model import MAX_LINES, EnteredEntry, EnteredLine, EntryType, Side
from ledgerbee.ledger.entries.wire import CreateJournalEntryRequest, PositiveAmount
from ledgerbee.ledger.imports.rules import Directory, References
from ledgerbee.parties.customers.model import CUSTOMER_NOT_FOUND
from ledgerbee.parties.vendors.model import VENDOR_NOT_FOUND
from ledgerbee.platform.http.validation import validation_error
from ledgerbee.platform.http.wire import MAX_LINE, MAX_TEXT, Id, OptionalLine, RequestModel

K = TypeVar("K")

_Number = Annotated[int, Field(strict=True, ge=1, le=2_147_483_647)]


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


class ImportedEntryRequest(CreateJournalEntryRequest):
    """An entry; customer, vendor and category by id, or by number and name."""

    lines: list[ImportedLineRequest] = Field(min_length=1, max_length=MAX_LINES)  # type: ignore[assignment]
    customer_number: OptionalLine | None = None
    vendor_number: OptionalLine | None = None
    journal_category: OptionalLine | None = None


def collect(row: Any, wanted: References) -> None:
    """Add what a decoded row refers to. Takes whatever JSON there is: what is wrong with it is told later."""
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
        number = line.get("accountNumber")
        if type(number) is int and 0 < number < 2**31:
            wanted.account_numbers.add(number)
        elif isinstance(text := line.get("accountId"), str) and (account_id := _uuid(text)) is not None:
            wanted.account_ids.add(account_id)
        if isinstance(code := line.get("vatCode"), str):
            wanted.vat_codes.add(code.strip())


def entered(row: Any, directory: Directory) -> EnteredEntry:
    """The entry that a decoded row describes.

    Raises validation errors, `ACCOUNT_NOT_FOUND`, `VAT_CODE_NOT_FOUND`, `CUSTOMER_NOT_FOUND`, `VENDOR_NOT_FOUND` and
    `JOURNAL_CATEGORY_NOT_FOUND` for numbers and names that the company doesn't have.
    """
    entry = _plain(row, directory)
    if entry is not None:
        return entry
    try:
        request = ImportedEntryRequest.model_validate(row)
    except ValidationError as fault:
        raise validation_error([{**problem, "loc": ("body", *problem["loc"])} for problem in fault.errors()]) from None
    return _resolved(request, directory)


def _resolved(request: ImportedEntryRequest, directory: Directory) -> EnteredEntry:
    return EnteredEntry(
        entry_type=request.entry_type,
        date=request.date,
        lines=tuple(_line(number, line, directory) for number, line in enumerate(request.lines)),
        original_amount=request.original_amount,
        owes_control_line=True,
        currency=request.currency,
        exchange_rate=request.exchange_rate,
        customer_id=request.customer_id
        or _found(directory.customers, request.customer_number, "customerNumber", CUSTOMER_NOT_FOUND),
        vendor_id=request.vendor_id
        or _found(directory.vendors, request.vendor_number, "vendorNumber", VENDOR_NOT_FOUND),
        description=request.description,
        reference=request.reference,
        external_system_id=request.external_system_id,
        journal_category_id=request.journal_category_id
        or _found(directory.categories, request.journal_category, "journalCategory", JOURNAL_CATEGORY_NOT_FOUND),
        tag_ids=tuple(request.tag_ids),
    )


def _line(number: int, line: ImportedLineRequest, directory: Directory) -> EnteredLine:
    name = f"lines.{number}.accountNumber"
    account_id = line.account_id or _found(directory.account_numbers, line.account_number, name, ACCOUNT_NOT_FOUND)
    if account_id is None:
        raise invalid((f"lines.{number}.accountId", "isUuid", f"lines.{number} must have accountId or accountNumber"))
    code_id = line.vat_code_id
    if code_id is None:
        code_id = _found(directory.vat_codes, line.vat_code, f"lines.{number}.vatCode", VAT_CODE_NOT_FOUND)
    return EnteredLine(account_id, line.side, line.amount, code_id, line.description, tuple(line.tag_ids))


def _found(known: Mapping[K, UUID], wanted: K | None, name: str, code: ErrorCode) -> UUID | None:
    if wanted is None or wanted == "":
        return None
    found = known.get(wanted)
    if found is None:
        raise code.error(f"{code.meaning}: {wanted}", property=name)
    return found


# The usual row, without the general way: it takes most of what reading a file costs. Whatever is in the least unusual
# here is left to the models above, which accept it or say what is wrong.

_PLAIN_ENTRY: Final = frozenset({
    "entryType", "date", "originalAmount", "description", "reference", "externalSystemId", "currency", "lines",
})  # fmt: skip
_PLAIN_LINE: Final = frozenset({"accountId", "accountNumber", "side", "amount", "description"})
_PLAIN_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_TYPES: Final = {entry_type.value: entry_type for entry_type in (EntryType.JOURNAL_ENTRY,)}
_SIDES: Final = {side.value: side for side in Side}


def _plain(row: Any, directory: Directory) -> EnteredEntry | None:
    if type(row) is not dict or not row.keys() <= _PLAIN_ENTRY or row.get("currency") is not None:
        return None
    entry_type, day = _TYPES.get(_text_or_none(row.get("entryType"))), _day(row.get("date"))
    amount, lines = _amount(row.get("originalAmount")), row.get("lines")
    if entry_type is None or day is None or amount is None or type(lines) is not list or not lines:
        return None
    description, reference, external = row.get("description"), row.get("reference"), row.get("externalSystemId")
    if not (_is_line(reference) and _is_line(external) and _is_text(description)) or len(lines) > MAX_LINES:
        return None
    plain = [_plain_line(line, directory) for line in lines]
    if None in plain:
        return None
    return EnteredEntry(
        entry_type, day, tuple(plain), amount, True,  # type: ignore[arg-type]  # no None among them
        description=description, reference=reference, external_system_id=external,
    )  # fmt: skip


def _plain_line(line: Any, directory: Directory) -> EnteredLine | None:
    if type(line) is not dict or not line.keys() <= _PLAIN_LINE:
        return None
    number, text = line.get("accountNumber"), line.get("accountId")
    if text is None:
        account_id = directory.account_numbers.get(number) if type(number) is int else None
    else:
        account_id = _uuid(text) if type(text) is str and number is None else None
    side, amount, description = (
        _SIDES.get(_text_or_none(line.get("side"))),
        _amount(line.get("amount")),
        line.get("description"),
    )
    if account_id is None or side is None or not amount or not _is_line(description):
        return None
    return EnteredLine(account_id, side, amount, None, description)


def _text_or_none(value: Any) -> str:
    return value if type(value) is str else ""


def _is_line(value: Any) -> bool:
    return value is None or (type(value) is str and len(value) <= MAX_LINE and value == value.strip())


def _is_text(value: Any) -> bool:
    return value is None or (type(value) is str and len(value) <= MAX_TEXT)


def _amount(value: Any) -> Decimal | None:
    """A plain amount >= 0: text, a whole number, or the decimal that a JSON number was read as."""
    if type(value) is str:
        return Decimal(value) if _PLAIN_AMOUNT.fullmatch(value) else None
    if type(value) is Decimal:
        return value if _PLAIN_AMOUNT.fullmatch(str(value)) else None
    return Decimal(value) if type(value) is int and 0 <= value < 10**12 else None


@lru_cache(maxsize=4096)
def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 and text.isascii() else None
    except ValueError:
        return None


def _day(value: Any) -> date | None:
    return _iso(value) if type(value) is str else None
