"""Pure rules of billing documents: line nets, VAT, totals (decisions "Documents", EN 16931).

Each line's net is rounded half away from zero to the currency. VAT is computed per category and rate on the sum
of the rounded nets; each line shows its share of it, so that lines and totals always agree.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

from ledgerbee.catalog.prices.model import Price, SoldProduct, ZoneSale
from ledgerbee.catalog.prices.rules import amount_for, effective_unit_price
from ledgerbee.chart.vat_codes.model import Principle, VatCode, VatType
from ledgerbee.core.dates import add_months
from ledgerbee.core.errors import LedgerBeeError, invalid, refuse
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.money import (
    EXACT,
    HUNDRED,
    MAX_AMOUNT,
    ONE,
    ZERO,
    allocate,
    minor_units,
    multiply,
    percent_of,
    round_money,
    total,
)
from ledgerbee.parties.customers.model import VatZone
from ledgerbee.sales.documents.model import (
    MAX_DUE_DAYS,
    MAX_LINES,
    SALES_DOCUMENT_AMOUNT_TOO_LARGE,
    SALES_DOCUMENT_VAT_CODE_UNUSABLE,
    Computed,
    DocumentLineType,
    Line,
    LineInput,
    PeriodLine,
    Tax,
    TaxedAmount,
    Totals,
    VatRow,
    period_of,
)

K = TypeVar("K")

#: The countries of the Danish Realm.
_DANISH_SPOKEN: Final = frozenset({"DK", "GL", "FO"})


def line_net(gross: Decimal, discount_percent: Decimal, currency: str) -> Decimal:
    """What a line costs before VAT: the unrounded `gross` less the discount, rounded once.

    Raises `SALES_DOCUMENT_AMOUNT_TOO_LARGE` for what the books can't hold.
    """
    net = round_money(percent_of(gross, HUNDRED - discount_percent), currency)
    check_size(net)
    return net


def tax_of(sale: ZoneSale, zone: VatZone, on: date) -> Tax:
    """How a sale in `zone` with its tax point on a day is taxed, from its revenue account and that account's VAT code.

    Only the zone `domestic_without_vat` may go without a code (contract 2.11): rate zero. A code with a contra account
    charges nothing, the buyer accounts for the VAT. Raises `SALES_DOCUMENT_VAT_CODE_UNUSABLE`: prices on documents
    exclude VAT, so a code whose amounts contain it (margin schemes) has no figure to print here.
    """
    code = sale.vat_code
    if code is None:
        if zone is not VatZone.DOMESTIC_WITHOUT_VAT:
            raise _unusable(sale, "the account carries no VAT code")
        return Tax(sale.account_id, None, ZERO, "Z")
    rate = sale.vat_rate_on(on)
    if code.type is not VatType.SALES or not code.is_active:
        raise _unusable(sale, f"{code.code} is no active code for sales")
    if rate and code.principle is not Principle.NET:
        raise _unusable(sale, f"amounts of {code.code} contain their VAT")
    if rate and code.account_id is None:
        raise _unusable(sale, f"{code.code} has no account to book on")
    return Tax(
        account_id=sale.account_id,
        vat_code_id=code.id,
        rate=rate,
        category=code.einvoice_category or ("S" if rate else "Z"),
        vat_account_id=code.account_id if rate else None,
        exemption_reason=code.exemption_reason,
        exemption_reason_da=code.exemption_reason_da,
    )


def _unusable(sale: ZoneSale, reason: str) -> LedgerBeeError:
    return SALES_DOCUMENT_VAT_CODE_UNUSABLE.error(
        f"{SALES_DOCUMENT_VAT_CODE_UNUSABLE.meaning}; {reason}", accountId=str(sale.account_id)
    )


def product_line(
    given: LineInput, price: Price, product: SoldProduct, *, line_id: UUID, currency: str, group_discount: Decimal
) -> Line:
    """A product line with its price decided; `price` is already in the document's currency.

    A `unit_price` of the author replaces the price's model; without a discount of the author's the customer group's
    applies, as it does to overridden prices. Raises `PRODUCT_PRICE_QUANTITY_INVALID` and
    `SALES_DOCUMENT_AMOUNT_TOO_LARGE`.
    """
    discount = group_discount if given.discount_percent is None else given.discount_percent
    if given.unit_price is None:
        gross, unit_price = amount_for(price, given.quantity), effective_unit_price(price, given.quantity)
    else:
        gross, unit_price = multiply(given.quantity, given.unit_price), given.unit_price
    check_size(gross, unit_price)
    line = Line(
        id=line_id,
        line_type=DocumentLineType.PRODUCT,
        description=product.name if given.description is None else given.description,
        price_id=price.id,
        product_id=product.id,
        unit=product.unit,
        quantity=given.quantity,
        unit_price=unit_price,
        unit_price_given=given.unit_price is not None,
        discount_percent=discount,
        discount_given=given.discount_percent is not None,
        net=line_net(gross, discount, currency),
    )
    if given.service_period is None:
        return line
    start, end = given.service_period
    return PeriodLine(**fields_of(line), service_period_start=start, service_period_end=end)


def as_input(line: Line) -> LineInput:
    """What the author gave of a line, to decide the rest anew."""
    return LineInput(
        line_type=line.line_type,
        price_id=line.price_id,
        quantity=ONE if line.quantity is None else line.quantity,
        unit_price=line.unit_price if line.unit_price_given else None,
        description=line.description,
        discount_percent=line.discount_percent if line.discount_given else None,
        service_period=period_of(line),
    )


def tax(
    lines: Sequence[Line], sales: Mapping[UUID, ZoneSale], zone: VatZone, tax_point: date, currency: str
) -> Computed:
    """Decide the VAT of lines whose prices stand, at the rates of the tax point; `sales` by the lines' price ids.

    Raises `SALES_DOCUMENT_VAT_CODE_UNUSABLE`, `SALES_DOCUMENT_AMOUNT_TOO_LARGE`.
    """
    return compute(lines, taxes_of(sales, zone, tax_point), currency)


def taxes_of(sales: Mapping[UUID, ZoneSale], zone: VatZone, tax_point: date) -> dict[UUID, Tax]:
    """How the sales of each price are taxed. Raises `SALES_DOCUMENT_VAT_CODE_UNUSABLE`."""
    return {price_id: tax_of(sale, zone, tax_point) for price_id, sale in sales.items()}


def tax_of_code(line: Line, code: VatCode | None) -> Tax:
    """The tax of a line as it was decided when the line was made: `code` is its VAT code."""
    assert line.account_id is not None
    assert line.vat_rate is not None
    rate: Decimal = line.vat_rate
    tax = Tax(line.account_id, None, rate, "Z")
    if code is None:
        return tax
    return replace(
        tax,
        vat_code_id=code.id,
        category=code.einvoice_category or ("S" if rate else "Z"),
        vat_account_id=code.account_id if rate else None,
        exemption_reason=code.exemption_reason,
        exemption_reason_da=code.exemption_reason_da,
    )


def compute(lines: Sequence[Line], taxes: Mapping[UUID, Tax], currency: str) -> Computed:
    """The lines with their VAT, and the totals; `taxes` by `tax_key`. Raises what `compute_totals` does."""
    sold = [
        (index, TaxedAmount(line.net, taxes[line.tax_key]))
        for index, line in enumerate(lines)
        if line.net is not None and line.tax_key is not None
    ]
    totals = compute_totals([amount for _, amount in sold], currency)
    taxed = list(lines)
    for (index, amount), vat in zip(sold, totals.line_vat, strict=True):
        tax = amount.tax
        taxed[index] = replace(
            taxed[index], vat=vat, vat_rate=tax.rate, account_id=tax.account_id, vat_code_id=tax.vat_code_id
        )
    return Computed(tuple(taxed), totals, taxes)


def compute_totals(amounts: Sequence[TaxedAmount], currency: str) -> Totals:
    """Subtotal, VAT and amount of rounded nets, with the VAT table and each net's share of the VAT.

    The table has a row per treatment, highest rate first: goods and services sold abroad share category and rate, are
    exempt for reasons of their own and stand apart with totals of their own (momsbekendtgørelsen § 58, stk. 3). What
    is charged at a rate has one row per category and rate, so that its VAT is rounded once.
    Raises `SALES_DOCUMENT_AMOUNT_TOO_LARGE`.
    """
    members: dict[Treatment, list[int]] = defaultdict(list)
    for index, amount in enumerate(amounts):
        members[treatment_of(amount.tax)].append(index)
    line_vat = [ZERO] * len(amounts)
    rows: list[VatRow] = []
    for treatment, indexes in sorted(members.items(), key=lambda item: (-item[0].rate, item[0])):
        category, rate = treatment.category, treatment.rate
        nets = [amounts[index].net for index in indexes]
        taxable = total(nets)
        vat = round_money(percent_of(taxable, rate), currency)
        for index, share in zip(indexes, share_vat(nets, rate, vat, currency), strict=True):
            line_vat[index] = share
        rows.append(VatRow(category, rate, taxable, vat, treatment.reason or None, treatment.reason_da or None))
    subtotal = total([row.taxable for row in rows])
    vat_total = total([row.vat for row in rows])
    amount_total = total([subtotal, vat_total])
    check_size(subtotal, vat_total, amount_total)
    return Totals(subtotal, vat_total, amount_total, tuple(rows), tuple(line_vat))


class Treatment(NamedTuple):
    """How sales are taxed as the buyer sees it: what one row of the VAT table is about. No reason is empty."""

    category: str
    rate: Decimal
    reason: str
    reason_da: str


def treatment_of(taxed: Tax | VatRow) -> Treatment:
    """The treatment that a tax gives, and the row of the VAT table that is about it. A rate needs no reason."""
    if taxed.rate:
        return Treatment(taxed.category, taxed.rate, "", "")
    danish = taxed.exemption_reason_da or taxed.exemption_reason
    return Treatment(taxed.category, taxed.rate, taxed.exemption_reason or "", danish or "")


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


def check_precision(amount: Decimal, currency: str, name: str) -> None:
    """Raises a validation error for an amount finer than the currency's minor unit."""
    if amount != round_money(amount, currency):
        places = minor_units(currency)
        raise invalid((name, "maxDecimalPlaces", f"{name} must have at most {places} decimals in {currency}"))


#: What is wrong with lines that sell nothing.
NO_PRODUCT_LINE: Final = ("lines", "arrayMinSize", "lines must contain at least one product line")


def check_lines(lines: Sequence[LineInput]) -> None:
    """Refuse what no document can have (contract 3.3): no product line, a product without price, a text with one.

    Raises a validation error that names every offending line.
    """
    problems: list[tuple[str, str, str]] = []
    if not any(line.line_type is DocumentLineType.PRODUCT for line in lines):
        problems.append(NO_PRODUCT_LINE)
    if len(lines) > MAX_LINES:
        problems.append(("lines", "arrayMaxSize", f"lines must contain no more than {MAX_LINES} elements"))
    problems += [problem for index, line in enumerate(lines) for problem in line_problems(line, f"lines.{index}")]
    refuse(problems)


class GivenLine(Protocol):
    """What the rules look at of a line, or of a request for one."""

    @property
    def line_type(self) -> DocumentLineType: ...
    @property
    def price_id(self) -> UUID | None: ...
    @property
    def description(self) -> str | None: ...


def line_problems(line: GivenLine, name: str) -> Iterator[tuple[str, str, str]]:
    """A product without price, a text without words; `name` is the line's place."""
    if line.line_type is DocumentLineType.PRODUCT and line.price_id is None:
        yield f"{name}.priceId", "isDefined", f"{name}.priceId should not be null or undefined"
    if line.line_type is DocumentLineType.TEXT and not (line.description or "").strip():
        yield f"{name}.description", "isDefined", f"{name}.description should not be empty"


def buyer_language(own: str | None, country_code: str) -> str:
    """The language to write to a buyer in: its own, else Danish in Denmark, Greenland and the Faroe Islands, and
    English everywhere else."""
    return own or ("da" if country_code in _DANISH_SPOKEN else "en")


def due_on(issued: date, payment_terms_days: int) -> date:
    """The day an invoice of `issued` is due, `payment_terms_days` later; never past the calendar's end."""
    return min(issued, date.max - timedelta(days=payment_terms_days)) + timedelta(days=payment_terms_days)


def check_date(day: date, today: date) -> None:
    """Raises a validation error when the `date` of a document or payment is more than a year ahead: a mistyped year."""
    if day > add_months(today, 12):
        raise invalid(("date", "maxDate", "date must not be more than a year ahead"))


def check_due_date(issued: date, due: date) -> None:
    """Raises a validation error when an invoice would be due before it is issued, or later than any terms say."""
    if due < issued:
        raise invalid(("dueDate", "minDate", "dueDate must not be before date"))
    if due > due_on(issued, MAX_DUE_DAYS):
        raise invalid(("dueDate", "maxDate", f"dueDate must not be more than {MAX_DUE_DAYS} days after date"))
