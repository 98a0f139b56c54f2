"""Pure rules of billing documents: line nets, VAT, totals (decisions "Documents", EN 16931).

Each line's net is rounded half away from zero to the currency. VAT is computed per category and rate on the sum
of the rounded nets; each line shows its share of it, so that lines and totals always agree.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from ledgerbee.core.errors import invalid
from ledgerbee.core.money import (
    EXACT,
    HUNDRED,
    MAX_AMOUNT,
    UNIT_PRICE_PLACES,
    ZERO,
    allocate,
    percent_of,
    round_money,
    round_to,
    total,
)
from ledgerbee.sales.documents.model import (
    MAX_LINES,
    SALES_DOCUMENT_AMOUNT_TOO_LARGE,
    LineInput,
    LineType,
    TaxedAmount,
    Totals,
    VatRow,
)

K = TypeVar("K")


def line_net(gross: Decimal, discount_percent: Decimal, currency: str) -> Decimal:
    """What a line costs before VAT: the unrounded `gross` less the discount, rounded once.

    Raises `SALES_DOCUMENT_AMOUNT_TOO_LARGE` for what the books can't hold.
    """
    net = round_money(percent_of(gross, HUNDRED - discount_percent), currency)
    check_size(net)
    return net


def average_unit_price(gross: Decimal, quantity: Decimal) -> Decimal:
    """What one unit costs on average, at 12 decimals; zero units cost nothing each."""
    if quantity == 0:
        return ZERO
    return round_to(EXACT.divide(gross, quantity), UNIT_PRICE_PLACES)


def compute_totals(amounts: Sequence[TaxedAmount], currency: str) -> Totals:
    """Subtotal, VAT and amount of rounded nets, with the VAT table and each net's share of the VAT.

    The table has a row per (category, rate), highest rate first; a row's reasons are those of its first line.
    Raises `SALES_DOCUMENT_AMOUNT_TOO_LARGE`.
    """
    members: dict[tuple[str, Decimal], list[int]] = defaultdict(list)
    for index, amount in enumerate(amounts):
        members[amount.tax.category, amount.tax.rate].append(index)
    line_vat = [ZERO] * len(amounts)
    rows: list[VatRow] = []
    for (category, rate), indexes in sorted(members.items(), key=lambda item: (-item[0][1], item[0][0])):
        nets = [amounts[index].net for index in indexes]
        taxable = total(nets)
        vat = round_money(percent_of(taxable, rate), currency)
        for index, share in zip(indexes, share_vat(nets, rate, vat, currency), strict=True):
            line_vat[index] = share
        first = amounts[indexes[0]].tax
        rows.append(VatRow(category, rate, taxable, vat, first.exemption_reason, first.exemption_reason_da))
    subtotal = total([row.taxable for row in rows])
    vat_total = total([row.vat for row in rows])
    amount_total = total([subtotal, vat_total])
    check_size(subtotal, vat_total, amount_total)
    return Totals(subtotal, vat_total, amount_total, tuple(rows), tuple(line_vat))


def share_vat(nets: Sequence[Decimal], rate: Decimal, vat: Decimal, currency: str) -> list[Decimal]:
    """Each net's share of `vat`, the rounded VAT on their sum; the shares sum to it exactly.

    Positive and negative nets are shared apart: what the positive ones owe by the rate goes to them, the rest to
    the negative ones, so a discount line never carries VAT of the wrong sign.
    """
    if rate == 0 or not nets:
        return [ZERO] * len(nets)
    positive = [max(net, ZERO) for net in nets]
    negative = [max(-net, ZERO) for net in nets]
    if not any(negative):
        return allocate(vat, positive, currency)
    if not any(positive):
        return allocate(vat, negative, currency)
    charged = round_money(percent_of(total(positive), rate), currency)
    charges = allocate(charged, positive, currency)
    refunds = allocate(EXACT.subtract(vat, charged), negative, currency)
    return [EXACT.add(charge, refund) for charge, refund in zip(charges, refunds, strict=True)]


def sums_by(keyed: Iterable[tuple[K, Decimal]]) -> dict[K, Decimal]:
    """The exact sum per key, keys in the order of their first appearance."""
    groups: dict[K, list[Decimal]] = {}
    for key, amount in keyed:
        groups.setdefault(key, []).append(amount)
    return {key: total(amounts) for key, amounts in groups.items()}


def check_size(*amounts: Decimal) -> None:
    """Refuse what the books can't hold. Raises `SALES_DOCUMENT_AMOUNT_TOO_LARGE`."""
    if any(abs(amount) > MAX_AMOUNT for amount in amounts):
        raise SALES_DOCUMENT_AMOUNT_TOO_LARGE.error(maximum=f"{MAX_AMOUNT:f}")


def check_lines(lines: Sequence[LineInput]) -> None:
    """Refuse what no document can have (contract 3.3): no product line, a product without price, a text with one.

    Raises a validation error that names every offending line.
    """
    problems: list[tuple[str, str, str]] = []
    if not any(line.line_type is LineType.PRODUCT for line in lines):
        problems.append(("lines", "arrayMinSize", "lines must contain at least one product line"))
    if len(lines) > MAX_LINES:
        problems.append(("lines", "arrayMaxSize", f"lines must contain no more than {MAX_LINES} elements"))
    for index, line in enumerate(lines):
        name = f"lines.{index}"
        if line.line_type is LineType.PRODUCT and line.price_id is None:
            problems.append((f"{name}.priceId", "isDefined", f"{name}.priceId should not be null or undefined"))
        if line.line_type is LineType.TEXT and not (line.description or "").strip():
            problems.append((f"{name}.description", "isDefined", f"{name}.description should not be empty"))
    if problems:
        raise invalid(*problems)


def due_on(issued: date, payment_terms_days: int) -> date:
    """The day an invoice of `issued` is due, `payment_terms_days` later; never past the calendar's end."""
    return min(issued, date.max - timedelta(days=payment_terms_days)) + timedelta(days=payment_terms_days)


def check_due_date(issued: date, due: date) -> None:
    """Raises a validation error when an invoice would be due before it is issued."""
    if due < issued:
        raise invalid(("dueDate", "minDate", "dueDate must not be before date"))
