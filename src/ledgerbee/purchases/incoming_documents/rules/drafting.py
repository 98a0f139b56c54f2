"""The draft that a document becomes: which account and VAT code each line has, and what VAT of it. Pure.

Accounts are those that were chosen last time, for the same item or else for the same kind of VAT, then the vendor's
own. A VAT code is only one that fits what the document says: where nothing fits, the line has none and is booked with
the VAT that the vendor charged, and that is shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from ledgerbee.chart.vat_codes.model import VatCode, VatType
from ledgerbee.core.countries import EU_COUNTRIES
from ledgerbee.core.money import EXACT, ZERO, format_decimal, minor_units, percent_of, quantum_of, round_money, total
from ledgerbee.ledger.entries.model import EntryInput, EntryType, LineInput, Side
from ledgerbee.purchases.incoming_documents.model import (
    DocumentType,
    Problem,
    ProblemCode,
    ReceivedDocument,
    ReceivedLine,
)
from ledgerbee.purchases.incoming_documents.rules.checks import TaxKey, by_tax, stated_vat, tax_point

_INPUT: Final = "INPUT_VAT"
#: VAT that is asked back from the country that it was charged in.
_REFUND: Final = frozenset({"FOREIGN_VAT_REFUND"})
#: What a rubric of the EU is called in the Danish return, and in others.
_EU_GOODS: Final = frozenset({"RUBRIK_A_GOODS", "EU_GOODS_PURCHASES"})
_EU_SERVICES: Final = frozenset({"RUBRIK_A_SERVICES", "EU_SERVICES_PURCHASES"})
_NO_RUBRIC: Final[frozenset[str]] = frozenset()
_OTHERS: Final = frozenset({"REVERSE_CHARGE_VAT"})
_ROUNDING: Final = {"da": "Afrunding", "en": "Rounding"}
#: Characters of a line's text in the draft.
_LONGEST: Final = 500


class Origin(StrEnum):
    """Where the sender is, seen from the company."""

    DOMESTIC = "domestic"
    EU = "eu"
    ABROAD = "abroad"


#: By VAT category and origin, what a code for VAT that the buyer accounts for has: one of these rubrics, or exactly one
#: of these sets of boxes beside that of input VAT.
_REVERSE_CHARGE: Final[Mapping[tuple[str | None, Origin], tuple[frozenset[str], tuple[frozenset[str], ...]]]] = {
    ("AE", Origin.DOMESTIC): (_NO_RUBRIC, (frozenset({"OUTPUT_VAT"}),)),
    ("K", Origin.EU): (_EU_GOODS, ()),
    ("AE", Origin.EU): (_EU_SERVICES, ()),
    ("G", Origin.ABROAD): (_NO_RUBRIC, (frozenset({"FOREIGN_GOODS_VAT"}), _OTHERS)),
    ("AE", Origin.ABROAD): (_NO_RUBRIC, (frozenset({"FOREIGN_SERVICES_VAT"}), _OTHERS)),
    ("O", Origin.ABROAD): (_NO_RUBRIC, (frozenset({"FOREIGN_SERVICES_VAT"}), _OTHERS)),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a line of an earlier document of the vendor was booked on."""

    description: str | None
    account_id: UUID
    vat_code_id: UUID | None


@dataclass(frozen=True, slots=True)
class Accounts:
    """What lines may be booked on. `choices` come newest first; `fallback` is for what nothing was chosen for.

    `codes_of` are the accounts that can be booked on, with the VAT code that each commonly has.
    """

    choices: Sequence[Choice]
    fallback: UUID | None
    codes_of: Mapping[UUID, UUID | None]


@dataclass(slots=True)
class Drafting:
    """A draft in the making: its lines, and what was noticed on the way."""

    lines: list[LineInput] = field(default_factory=list)
    problems: dict[tuple[ProblemCode, str], Problem] = field(default_factory=dict)

    def notice(self, code: ProblemCode, message: str) -> None:
        """Note a problem, once however many lines have it."""
        self.problems.setdefault((code, message), Problem(code, message))


def origin_of(sender_country: str, company_country: str) -> Origin:
    """Whether the sender is in the company's country, elsewhere in the EU as the company is, or abroad."""
    if sender_country == company_country:
        return Origin.DOMESTIC
    return Origin.EU if {sender_country, company_country} <= EU_COUNTRIES else Origin.ABROAD


def description_of(line: ReceivedLine) -> str:
    """A line's text in the draft, by which the same item is known next time."""
    text = f"{line.item_number} {line.name}" if line.item_number else line.name
    return text[:_LONGEST]


def fitting(codes: Iterable[VatCode], origin: Origin, tax: TaxKey, day: date) -> list[VatCode]:
    """The purchase codes that fit a VAT category and rate, those that deduct the most first, then by code."""
    found = [one for one in codes if one.is_active and one.type is VatType.PURCHASE and _fits(one, origin, tax, day)]
    return sorted(found, key=lambda one: (-one.rate_on(day).deductible_share, one.code))


def _fits(code: VatCode, origin: Origin, tax: TaxKey, day: date) -> bool:
    category, rate = tax
    boxes = frozenset((code.return_box or "").split("+")) - {""}
    if category == "S" and origin is not Origin.DOMESTIC:
        return boxes == _REFUND
    if category == "S":
        return not code.is_reverse_charge and boxes == {_INPUT} and code.rate_on(day).rate == rate
    if (category, origin) in _REVERSE_CHARGE:
        rubrics, exact = _REVERSE_CHARGE[category, origin]
        return code.is_reverse_charge and (bool(boxes & rubrics) or boxes - {_INPUT} in exact)
    return category is not None and not code.is_reverse_charge and not boxes and not code.rate_on(day).rate


def shares(tax: Decimal, nets: Sequence[Decimal], rate: Decimal, currency: str) -> list[Decimal] | None:
    """Each line's part of the VAT of its category: what the rate makes of it, and a unit more or less on the largest
    until they sum to `tax`. None where that is not the VAT of these lines."""
    unit = quantum_of(minor_units(currency))
    parts = [round_money(percent_of(net, rate), currency) for net in nets]
    units = EXACT.divide(EXACT.subtract(tax, total(parts)), unit)
    if units != units.to_integral_value() or abs(units) > len(nets):
        return None
    step = unit if units > ZERO else EXACT.minus(unit)
    for index in sorted(range(len(nets)), key=lambda i: (-abs(nets[i]), i))[: int(abs(units))]:
        parts[index] = EXACT.add(parts[index], step)
    opposed = any(part * net < ZERO for part, net in zip(parts, nets, strict=True))
    return None if opposed else parts


def draft_of(
    document: ReceivedDocument,
    vendor_id: UUID,
    accounts: Accounts,
    codes: Sequence[VatCode],
    origin: Origin,
    language: str,
) -> tuple[EntryInput | None, list[Problem]]:
    """The draft of a document in a currency that is known, and what was noticed about its accounts and VAT.

    No draft where a line has no account. What is owed is the whole, as rounded: what was prepaid was another payment's.
    The draft is balanced where the document adds up.
    """
    made = Drafting()
    day = tax_point(document)
    stated = stated_vat(document)
    for tax, lines in by_tax(document).items():
        _add_lines(
            made, document, tax, lines, stated.get(tax, ZERO), accounts, fitting(codes, origin, tax, day), origin
        )
    rounding = round_money(document.totals.rounding, document.currency)
    if rounding and made.lines:
        text = _ROUNDING.get(language, _ROUNDING["en"])
        made.lines.append(_line(document, made.lines[0].account_id, rounding, text))
    problems = list(made.problems.values())
    if any(one.code is ProblemCode.ACCOUNT_UNKNOWN for one in problems):
        return None, problems
    owed = round_money(total([document.totals.gross, document.totals.rounding]), document.currency)
    is_note = document.type is DocumentType.CREDIT_NOTE
    entry = EntryInput(
        EntryType.SUPPLIER_INVOICE,
        document.issue_date,
        EXACT.minus(owed) if is_note else owed,
        day if day != document.issue_date else None,
        f"{document.sender.name} {document.number}",
        document.number,
        vendor_id=vendor_id,
        lines=tuple(made.lines),
        owes_control_line=True,
        currency=document.currency,
    )
    return entry, problems


def _add_lines(
    made: Drafting,
    document: ReceivedDocument,
    tax: TaxKey,
    lines: Sequence[ReceivedLine],
    vat: Decimal,
    accounts: Accounts,
    codes: Sequence[VatCode],
    origin: Origin,
) -> None:
    """Add the lines of one VAT category and rate."""
    currency = document.currency
    nets = [round_money(line.net, currency) for line in lines]
    parts = shares(vat, nets, tax[1], currency)
    if not codes:
        _notice_no_code(made, tax)
    elif tax[0] == "S" and origin is not Origin.DOMESTIC:
        text = f"VAT of {format_decimal(tax[1])} % is that of {document.sender.country_code}: it isn't deducted here"
        made.notice(ProblemCode.VAT_OF_ANOTHER_COUNTRY, text)
    for index, (line, net) in enumerate(zip(lines, nets, strict=True)):
        if not net:
            continue
        description = description_of(line)
        account_id, code = _account(description, accounts, codes)
        if account_id is None:
            text = f"No account is known for {description or 'a line'}: the vendor has no default account"
            made.notice(ProblemCode.ACCOUNT_UNKNOWN, text)
            continue
        charged = round_money(percent_of(net, tax[1]), currency) if parts is None else parts[index]
        made.lines.append(_line(document, account_id, net, description, code, charged, is_exact=parts is not None))


def _notice_no_code(made: Drafting, tax: TaxKey) -> None:
    name = f"{tax[0] or 'unknown'} {format_decimal(tax[1])} %"
    made.notice(ProblemCode.VAT_CODE_MISSING, f"No purchase VAT code fits {name}: its lines are booked with their VAT")


def _account(description: str, accounts: Accounts, codes: Sequence[VatCode]) -> tuple[UUID | None, VatCode | None]:
    """The account and the VAT code of a line: chosen for the item, else for its kind of VAT, else the fallback."""
    fit = {code.id for code in codes}
    known = [
        one
        for one in accounts.choices
        if one.account_id in accounts.codes_of and one.description not in _ROUNDING.values()
    ]
    same_item = (one for one in known if one.description == description)
    same_vat = (one for one in known if (one.vat_code_id in fit if codes else one.vat_code_id is None))
    chosen = next(same_item, None) or next(same_vat, None)
    account_id = accounts.fallback if chosen is None else chosen.account_id
    if account_id is None:
        return None, None
    wanted = (chosen.vat_code_id if chosen else None, accounts.codes_of.get(account_id))
    return account_id, next((code for one in wanted for code in codes if code.id == one), codes[0] if codes else None)


def _line(
    document: ReceivedDocument,
    account_id: UUID,
    net: Decimal,
    description: str,
    code: VatCode | None = None,
    vat: Decimal = ZERO,
    *,
    is_exact: bool = True,
) -> LineInput:
    """A line of the draft. Its amount is without VAT where a code says what becomes of that, else with it; the VAT of a
    reverse charge was never charged."""
    is_note = document.type is DocumentType.CREDIT_NOTE
    side = Side.CREDIT if (net < ZERO) is not is_note else Side.DEBIT
    text, code_id = description or None, None if code is None else code.id
    if code is not None and code.is_reverse_charge:
        return LineInput(account_id, side, abs(net), code_id, text)
    if code is None or not code.rate_on(tax_point(document)).rate:
        return LineInput(account_id, side, abs(EXACT.add(net, vat)), code_id, text)
    stated = abs(vat) if is_exact else None
    return LineInput(account_id, side, abs(net), code_id, text, vat_included=False, vat_amount=stated)
