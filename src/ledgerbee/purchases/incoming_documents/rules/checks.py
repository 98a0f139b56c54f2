"""Whether what a document states adds up. Pure: each finding is shown, and none changes a figure.

The line's amount is what the line states (BT-131), whatever its parts. VAT is that of each category and rate on the sum
of its lines, rounded once (BR-CO-17), never line by line.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from ledgerbee.core.money import (
    EXACT,
    ONE,
    ZERO,
    format_decimal,
    is_currency,
    multiply,
    percent_of,
    round_money,
    total,
)
from ledgerbee.purchases.incoming_documents.model import (
    Problem,
    ProblemCode,
    ReceivedDocument,
    ReceivedLine,
)
from ledgerbee.purchases.incoming_documents.rules.types import check_type

#: How far quantity x price may be from a line's amount (PEPPOL-EN16931-R120).
_LINE_TOLERANCE: Final = Decimal("0.02")
#: How far, in percent, VAT in the company's currency may be from that at the rate of the day: senders have their own.
_RATE_TOLERANCE: Final = ONE
#: Characters of a number that are named at most.
_MOST_NAMED: Final = 5
#: How far delivery may be from the day of the document, in days, for its VAT rates to count (`ledger/entries/rules/`).
_DELIVERED: Final = (-3_650, 365)

#: A VAT category with its rate.
TaxKey = tuple[str | None, Decimal]


def check(document: ReceivedDocument, base_rate: tuple[str, Decimal] | None) -> Iterator[Problem]:
    """All that is noticed about the document's figures.

    `base_rate` is the company's currency with what one unit of the document's was worth on its day, None where that is
    not known.
    """
    yield from _check_number(document.stated_number)
    yield from check_type(document)
    if not is_currency(document.currency):
        yield Problem(ProblemCode.CURRENCY_UNKNOWN, f"{document.currency} is no currency of ISO 4217")
        return
    if document.other_currencies:
        text = f"Amounts are in {', '.join(document.other_currencies)}, the document is in {document.currency}"
        yield Problem(ProblemCode.CURRENCY_DIFFERS, text)
    yield from _check_lines(document)
    yield from _check_totals(document)
    yield from _check_taxes(document)
    yield from _check_vat_in_base(document, base_rate)
    if tax_point(document) != (document.delivery_date or document.issue_date):
        text = f"Delivered on {document.delivery_date}, issued on {document.issue_date}: the VAT is that of the issue"
        yield Problem(ProblemCode.DATES_UNLIKELY, text)


def _check_number(number: str) -> Iterator[Problem]:
    """Two numbers that look alike may differ in what can't be seen."""
    hidden = dict.fromkeys(f"U+{ord(char):04X}" for char in number if not char.isprintable())
    if hidden:
        text = f"Its number has characters that can't be seen: {', '.join(list(hidden)[:_MOST_NAMED])}"
        yield Problem(ProblemCode.NUMBER_UNREADABLE, text)


def tax_point(document: ReceivedDocument) -> date:
    """The day whose VAT rates count (momslovens § 23): that of delivery, unless it is too far from the issue to be."""
    delivered, issued = document.delivery_date, document.issue_date
    if delivered is not None and _DELIVERED[0] <= (delivered - issued).days <= _DELIVERED[1]:
        return delivered
    return issued


def by_tax(document: ReceivedDocument) -> Mapping[TaxKey, list[ReceivedLine]]:
    """The lines by VAT category and rate, in the order in which those appear."""
    groups: dict[TaxKey, list[ReceivedLine]] = defaultdict(list)
    for line in document.lines:
        groups[line.category, line.rate].append(line)
    return groups


def stated_vat(document: ReceivedDocument) -> Mapping[TaxKey, Decimal]:
    """The VAT that the document states, by category and rate."""
    found: dict[TaxKey, Decimal] = defaultdict(lambda: ZERO)
    for row in document.taxes:
        found[row.category, row.rate] = total([found[row.category, row.rate], row.tax])
    return found


def _check_lines(document: ReceivedDocument) -> Iterator[Problem]:
    fine = [line for line in document.lines if round_money(line.net, document.currency) != line.net]
    if fine:
        text = f"Amounts finer than {document.currency} has decimals are rounded in the draft: {_named(fine)}"
        yield Problem(ProblemCode.AMOUNT_TOO_FINE, text)
    for line in document.lines:
        if line.parts and all(abs(EXACT.subtract(part, line.net)) > _LINE_TOLERANCE for part in line.parts):
            yield _differs(
                ProblemCode.LINE_AMOUNT_DIFFERS,
                f"Line {line.number}: quantity and price, with allowances and charges",
                line.parts[0],
                line.net,
            )
    unknown = [line for line in document.lines if line.category is None]
    if unknown:
        yield Problem(ProblemCode.LINE_VAT_UNKNOWN, f"Without a VAT category that is known: {_named(unknown)}")


def _named(lines: list[ReceivedLine]) -> str:
    """The first of the lines, in words."""
    shown = ", ".join(line.number or line.name for line in lines[:5])
    return f"lines {shown} and {len(lines) - 5} more" if len(lines) > 5 else f"lines {shown}"


def _check_totals(document: ReceivedDocument) -> Iterator[Problem]:
    stated = document.totals
    own = [line.net for line in document.lines if line.number]
    adjustments = [line.net for line in document.lines if not line.number]
    sums: list[tuple[str, Decimal, Decimal]] = [
        ("The lines", total(own), stated.lines),
        ("The allowances", EXACT.minus(total([one for one in adjustments if one < ZERO])), stated.allowances),
        ("The charges", total([one for one in adjustments if one > ZERO]), stated.charges),
        ("Lines less allowances, with charges,", total([*own, *adjustments]), stated.net),
        ("Net and VAT", total([stated.net, stated.vat]), stated.gross),
        ("The VAT of all categories", total([row.tax for row in document.taxes]), stated.vat),
    ]
    for what, computed, said in sums:
        if computed != said:
            yield _differs(ProblemCode.TOTALS_DIFFER, what, computed, said)
    payable = total([stated.gross, EXACT.minus(stated.prepaid), stated.rounding])
    if payable != stated.payable:
        yield _differs(
            ProblemCode.PAYABLE_DIFFERS, "The whole, less what is prepaid, rounded,", payable, stated.payable
        )


def _check_taxes(document: ReceivedDocument) -> Iterator[Problem]:
    bases = {key: total([line.net for line in lines]) for key, lines in by_tax(document).items()}
    for row in document.taxes:
        name = f"{row.category or 'unknown'} {format_decimal(row.rate)} %"
        vat = round_money(percent_of(row.taxable, row.rate), document.currency)
        if vat != row.tax:
            yield _differs(ProblemCode.VAT_DIFFERS, f"VAT of {name} on {format_decimal(row.taxable)}", vat, row.tax)
        base = bases.pop((row.category, row.rate), ZERO)
        if base != row.taxable:
            yield _differs(ProblemCode.VAT_DIFFERS, f"What the lines have at {name}", base, row.taxable)
    for (category, rate), base in bases.items():
        if base and rate:
            name = f"{category or 'unknown'} {format_decimal(rate)} %"
            yield _differs(ProblemCode.VAT_DIFFERS, f"What the lines have at {name}", base, ZERO)


def _check_vat_in_base(document: ReceivedDocument, base_rate: tuple[str, Decimal] | None) -> Iterator[Problem]:
    """VAT in the company's currency beside that of the document (VAT Directive, article 230)."""
    stated = document.totals.vat_in
    if stated is None or base_rate is None or stated[0] != base_rate[0]:
        return
    expected = round_money(multiply(document.totals.vat, base_rate[1]), base_rate[0])
    if abs(EXACT.subtract(expected, stated[1])) > abs(percent_of(expected, _RATE_TOLERANCE)):
        what = f"VAT in {stated[0]} at the day's rate of {format_decimal(base_rate[1])}"
        yield _differs(ProblemCode.VAT_IN_BASE_DIFFERS, what, expected, stated[1])


def _differs(code: ProblemCode, what: str, computed: Decimal, stated: Decimal) -> Problem:
    return Problem(code, f"{what} come to {format_decimal(computed)}, stated is {format_decimal(stated)}")
