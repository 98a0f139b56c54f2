"""From what a caller enters to what is posted: party, category, VAT, the control line, base amounts. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec.structs import astuple, replace

from ledgerbee.chart.accounts.model import Account, LedgerType
from ledgerbee.chart.dimensions.model import TagValue
from ledgerbee.chart.dimensions.rules import check_tags
from ledgerbee.chart.journal_categories.model import JOURNAL_CATEGORY_NOT_FOUND, JournalCategory
from ledgerbee.chart.vat_codes.model import VAT_CODE_NOT_FOUND, VatCode, VatRate
from ledgerbee.core.errors import LedgerBeeError, check_unique, invalid, property_path, refuse_first, with_more
from ledgerbee.core.money import HUNDRED, MAX_AMOUNT, ONE, format_amount, places_of, quantum_of
from ledgerbee.ledger.entries.model import (
    CONTROL_SIDES,
    CUSTOMER_TYPES,
    ENTRY_FIELDS,
    JOURNAL_CATEGORY_TYPE_NOT_ALLOWED,
    JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED,
    JOURNAL_ENTRY_PARTY_MISMATCH,
    JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH,
    JOURNAL_ENTRY_VAT_NOT_ALLOWED,
    VAT_TYPES,
    EntryInput,
    EntryToPost,
    LineInput,
    LineToPost,
    LineType,
)
from ledgerbee.ledger.entries.rules.balance import (
    Conversion,
    balance_in_base,
    check_amount,
    check_base_amounts,
    check_currency,
    check_entry_balanced,
    check_lines,
    fits,
)
from ledgerbee.ledger.entries.rules.hints import explained
from ledgerbee.ledger.entries.rules.vat import computed_vat, contains_vat, is_near, other, split, untaxed
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

#: Days from the date of an entry to a delivery that it may have.
_DELIVERED: Final = (-3_653, 366)


@dataclass(frozen=True, slots=True)
class Books:
    """What completing entries takes from the company's books; mappings hold what was asked for and is there.

    `customers` and `vendors` name the control account of their group. `accounts` are those of lines with a VAT code,
    and of all lines of entries in a foreign currency. `rates` are base units for one unit of a currency on a day.
    """

    base_currency: str
    default_category: JournalCategory | None
    categories: Mapping[UUID, JournalCategory] = field(default_factory=dict)
    customers: Mapping[UUID, UUID] = field(default_factory=dict)
    vendors: Mapping[UUID, UUID] = field(default_factory=dict)
    accounts: Mapping[UUID, Account] = field(default_factory=dict)
    vat_codes: Mapping[UUID, VatCode] = field(default_factory=dict)
    tags: Mapping[UUID, TagValue] = field(default_factory=dict)
    rates: Mapping[tuple[str, date], Decimal] = field(default_factory=dict)


def entry_to_post(entered: EntryInput, books: Books, entry_id: UUID, path: str = "") -> EntryToPost:
    """The entry to post. `path` is the entry's place in the request, for `details.property`.

    Raises, in this order: what `validated` raises, `EXCHANGE_RATE_MISSING`, and errors of the balance.
    """
    entered = validated(entered, books, path)
    if entered.journal_category_id is None and books.default_category is not None:
        entered = replace(entered, journal_category_id=books.default_category.id)
    currency = entered.currency or books.base_currency
    conversion = Conversion(currency, books.base_currency, _rate(entered, currency, books, path))
    is_base, tax_point = conversion.is_base, entered.tax_point
    lines: list[LineToPost] = []
    for line in entered.lines:
        if line.vat_code_id is None:
            lines.append(untaxed(line, line.amount if is_base else conversion.in_base(line.amount)))
        else:
            code = books.vat_codes[line.vat_code_id]
            lines += split(line, code, code.rate_on(tax_point), conversion)
    if not is_base:
        try:
            check_entry_balanced(lines, property_path(path, "lines"), currency)
        except LedgerBeeError as fault:
            raise explained(fault, entered, books.vat_codes, currency) from None
        lines = list(balance_in_base(lines, [_rank(line, books.accounts) for line in lines], conversion))
        check_base_amounts(lines, path)
    entry = EntryToPost(
        *astuple(entered)[: len(ENTRY_FIELDS)],
        id=entry_id,
        currency=currency,
        exchange_rate=conversion.rate,
        lines=tuple(lines),
        attachment_hashes=tuple([file.hash for file in entered.attachments]) if entered.attachments else (),
    )
    try:
        check_lines(entry, path)
    except LedgerBeeError as fault:
        raise explained(fault, entered, books.vat_codes, currency) from None
    return entry


def _rank(line: LineToPost, accounts: Mapping[UUID, Account]) -> int:
    """Who takes what is left when the amounts of an entry are converted one by one, the lowest first.

    The base: what was sold, bought or spent. Then money and other balances, then VAT; what a party owes comes last,
    since its papers say the same.
    """
    account = accounts.get(line.account_id)
    if line.line_type is LineType.CONTROL or (account is not None and account.control_account_type is not None):
        return 3
    if line.line_type in VAT_TYPES:
        return 2
    is_base = line.vat_code_id is not None or (
        account is not None and account.ledger_type is LedgerType.PROFIT_AND_LOSS
    )
    return 0 if is_base else 1


def validated(entered: EntryInput, books: Books, path: str = "") -> EntryInput:
    """The entry with all its lines, if the books take it once it balances and its day has a rate.

    Raises, in this order: what `check_delivery_date` and `with_control_line` raise; errors of the category, of
    currency, given rate and amounts (validation errors), of VAT codes, and of tags.
    """
    try:
        check_delivery_date(entered.delivery_date, entered.date, path)
        whole = with_control_line(entered, books, path)
        currency = whole.currency or books.base_currency
        _check_category(whole, books, path)
        _check_rate(whole, currency, books.base_currency, path)
        _check_amounts(whole, currency, path)
        _check_vat_codes(whole, currency, books, path)
        check_tags(whole.tag_ids, [line.tag_ids for line in whole.lines], books.tags, path)
    except LedgerBeeError as fault:
        raise with_more(fault, _each(entered, books, path)) from None
    return whole


def _each(entered: EntryInput, books: Books, path: str) -> Iterator[Callable[[], object]]:
    """Everything that `validated` looks at, one by one: each line's amounts and VAT by themselves."""
    currency = entered.currency or books.base_currency
    yield from checks_without_books(entered, lambda: books.base_currency, path)
    for number, line in enumerate(entered.lines):
        yield lambda number=number, line=line: _check_line_vat(entered, line, number, currency, books, path)  # type: ignore[misc]
    yield lambda: check_tags(entered.tag_ids, [line.tag_ids for line in entered.lines], books.tags, path)


def checks_without_books(
    entered: EntryInput, base_currency: Callable[[], str], path: str
) -> Iterator[Callable[[], object]]:
    """What can be said of an entry without the books, one by one; the fields are read by the checks alone."""

    def currency() -> str:
        return entered.currency or base_currency()

    yield lambda: check_delivery_date(entered.delivery_date, entered.date, path)
    yield lambda: _check_rate(entered, currency(), base_currency(), path)
    yield lambda: _check_original_amount(entered, currency(), path)
    yield lambda: check_unique(property_path(path, "tagIds"), entered.tag_ids)
    for number, line in enumerate(entered.lines):
        place = f"lines.{number}"
        yield lambda number=number, line=line: _check_line_amount(line, number, currency(), path)  # type: ignore[misc]
        yield lambda place=place, line=line: _check_no_vat(line, property_path(path, place))  # type: ignore[misc]
        yield lambda place=place, line=line: check_unique(property_path(path, f"{place}.tagIds"), line.tag_ids)  # type: ignore[misc]


def check_delivery_date(delivery: date | None, day: date, path: str = "") -> None:
    """Raises a validation error for a delivery ten years before its entry or a year after it: a mistyped year, whose
    VAT rates would be booked for good."""
    if delivery is not None and not _DELIVERED[0] <= (delivery - day).days <= _DELIVERED[1]:
        name = property_path(path, "deliveryDate")
        raise invalid((name, "isDate", f"{name} must be at most ten years before and one year after date"))


def with_control_line(entered: EntryInput, books: Books, path: str = "") -> EntryInput:
    """The entry with its receivable or payable among the lines, if that was left to the system (contract 2.28).

    Raises `JOURNAL_ENTRY_PARTY_MISMATCH`, `CUSTOMER_NOT_FOUND`, `VENDOR_NOT_FOUND` and
    `JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED`.
    """
    _check_party(entered, books, path)
    side = CONTROL_SIDES.get(entered.entry_type)
    if not entered.owes_control_line or side is None:
        return replace(entered, owes_control_line=False) if entered.owes_control_line else entered
    if entered.entry_type in CUSTOMER_TYPES:
        assert entered.customer_id is not None, "checked with the party"
        account_id = books.customers[entered.customer_id]
    else:
        assert entered.vendor_id is not None, "checked with the party"
        account_id = books.vendors[entered.vendor_id]
    if any(line.account_id == account_id for line in entered.lines):
        refuse_first(
            JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED.error(
                property=property_path(path, f"lines.{number}.accountId"), accountId=str(account_id)
            )
            for number, line in enumerate(entered.lines)
            if line.account_id == account_id
        )
    amount = entered.original_amount
    control = LineInput(account_id, side if amount >= 0 else other(side), abs(amount), line_type=LineType.CONTROL)
    return replace(entered, lines=(*entered.lines, control), owes_control_line=False)


def _check_party(entered: EntryInput, books: Books, path: str) -> None:
    if entered.entry_type in CONTROL_SIDES:
        parties = [("customerId", entered.customer_id), ("vendorId", entered.vendor_id)]
        (needed, own), (foreign, other_party) = parties if entered.entry_type in CUSTOMER_TYPES else reversed(parties)
        if own is None:
            raise JOURNAL_ENTRY_PARTY_MISMATCH.error(
                f"An entry of type {entered.entry_type} needs {needed}", property=property_path(path, needed)
            )
        if other_party is not None:
            raise JOURNAL_ENTRY_PARTY_MISMATCH.error(
                f"An entry of type {entered.entry_type} has no {foreign}", property=property_path(path, foreign)
            )
    if entered.customer_id is not None and entered.customer_id not in books.customers:
        raise CUSTOMER_NOT_FOUND.missing(property_path(path, "customerId"), "customerId", entered.customer_id)
    if entered.vendor_id is not None and entered.vendor_id not in books.vendors:
        raise VENDOR_NOT_FOUND.missing(property_path(path, "vendorId"), "vendorId", entered.vendor_id)


def _check_category(entered: EntryInput, books: Books, path: str) -> None:
    wanted = entered.journal_category_id
    category = books.default_category if wanted is None else books.categories.get(wanted)
    name = property_path(path, "journalCategoryId")
    if category is None:
        if wanted is not None:  # else the company has no categories
            raise JOURNAL_CATEGORY_NOT_FOUND.missing(name, "journalCategoryId", wanted)
    elif entered.entry_type not in category.allowed_journal_types:
        raise JOURNAL_CATEGORY_TYPE_NOT_ALLOWED.error(
            property=name, allowedJournalTypes=list(category.allowed_journal_types)
        )


def _check_rate(entered: EntryInput, currency: str, base_currency: str, path: str) -> None:
    if currency != base_currency:
        check_currency(currency, entered.exchange_rate or ONE, path)
    elif entered.exchange_rate is not None and entered.exchange_rate != ONE:
        name = property_path(path, "exchangeRate")
        raise invalid((name, "equals", "exchangeRate must be 1 for the company's own currency"))


def _rate(entered: EntryInput, currency: str, books: Books, path: str) -> Decimal:
    if currency == books.base_currency:
        return ONE
    rate = entered.exchange_rate or books.rates.get((currency, entered.date))
    if rate is None:
        raise EXCHANGE_RATE_MISSING.error(
            property=property_path(path, "currency"), currency=currency, date=entered.date.isoformat()
        )
    return rate


def _check_amounts(entered: EntryInput, currency: str, path: str) -> None:
    """Amounts in the currency's minor units: VAT is computed of these, so a finer one must not get that far."""
    places = places_of(currency)
    quantum = quantum_of(places)
    whole = entered.original_amount
    if not fits(whole, quantum):
        check_amount(whole, places, property_path(path, "originalAmount"))
    for number, line in enumerate(entered.lines):
        if line.amount is not whole and not fits(line.amount, quantum):
            check_amount(line.amount, places, property_path(path, f"lines.{number}.amount"))


def _check_original_amount(entered: EntryInput, currency: str, path: str) -> None:
    if entered.original_amount is not None:  # a request of v1 may leave it out
        check_amount(entered.original_amount, places_of(currency), property_path(path, "originalAmount"))


def _check_line_amount(line: LineInput, number: int, currency: str, path: str) -> None:
    check_amount(line.amount, places_of(currency), property_path(path, f"lines.{number}.amount"))


def _check_vat_codes(entered: EntryInput, currency: str, books: Books, path: str) -> None:
    for number, line in enumerate(entered.lines):
        if line.vat_code_id is not None or line.vat_included is not None or line.vat_amount is not None:
            _check_line_vat(entered, line, number, currency, books, path)


def _check_line_vat(entered: EntryInput, line: LineInput, number: int, currency: str, books: Books, path: str) -> None:
    if line.vat_code_id is None:
        _check_no_vat(line, property_path(path, f"lines.{number}"))
        return
    name = property_path(path, f"lines.{number}.vatCodeId")
    code = books.vat_codes.get(line.vat_code_id)
    account = books.accounts.get(line.account_id)
    if code is None:
        raise VAT_CODE_NOT_FOUND.missing(name, "vatCodeId", line.vat_code_id)
    if not code.is_active or (account is not None and account.control_account_type is not None):
        raise JOURNAL_ENTRY_VAT_NOT_ALLOWED.error(property=name, vatCodeId=str(line.vat_code_id))
    rate = code.rate_on(entered.tax_point)
    if line.amount * (1 + rate.rate / HUNDRED) > MAX_AMOUNT:
        raise invalid((property_path(path, f"lines.{number}.amount"), "max", "amount with its VAT is too large"))
    _check_voucher_vat(line, code, rate, currency, property_path(path, f"lines.{number}"))


def _check_no_vat(line: LineInput, path: str) -> None:
    if line.vat_code_id is None and (line.vat_included is not None or line.vat_amount is not None):
        field = "vatAmount" if line.vat_included is None else "vatIncluded"
        raise _unwanted(f"{path}.{field}", "of a line without vatCodeId")


def _check_voucher_vat(line: LineInput, code: VatCode, rate: VatRate, currency: str, path: str) -> None:
    """What a line says of the VAT on its voucher fits its code: nobody bills the VAT of a reverse charge."""
    if code.is_reverse_charge and (line.vat_included or line.vat_amount is not None):
        field = "vatIncluded" if line.vat_included else "vatAmount"
        raise _unwanted(f"{path}.{field}", f"with {code.code}: its VAT is not on the voucher")
    stated = line.vat_amount
    if stated is None:
        return
    check_amount(stated, places_of(currency), f"{path}.vatAmount")
    if contains_vat(line, code) and stated >= line.amount:
        raise invalid((f"{path}.vatAmount", "max", "vatAmount must be less than the amount that contains it"))
    computed = computed_vat(line, code, rate, currency)
    if not is_near(stated, computed) or (stated and not rate.rate):
        raise JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH.error(
            property=f"{path}.vatAmount",
            vatAmount=format_amount(stated, currency),
            computedVatAmount=format_amount(computed, currency),
        )


def _unwanted(name: str, where: str) -> LedgerBeeError:
    return invalid((name, "isEmpty", f"{name.rpartition('.')[2]} must be left out {where}"))
