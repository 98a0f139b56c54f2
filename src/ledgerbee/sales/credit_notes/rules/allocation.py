"""What a credit note takes of its invoice: from what is left of each line and at each rate of VAT. Pure.

Within these rules amounts have the invoice's sign; the lines of the note, made at the end, have the other.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import (
    EXACT,
    HUNDRED,
    ONE,
    UNIT_PRICE_PLACES,
    ZERO,
    format_amount,
    format_decimal,
    multiply,
    percent_of,
    round_money,
    round_to,
    total,
)
from ledgerbee.sales.credit_notes.model import (
    CREDIT_NOTE_EXCEEDS_INVOICE,
    CREDIT_NOTE_LINE_NOT_ON_INVOICE,
    Creditable,
    CreditedLine,
    CreditNoteLine,
    InvoiceLine,
    TakenLine,
)
from ledgerbee.sales.documents.model import Computed, DocumentLineType, Line, Tax, Totals, VatRow, period_of
from ledgerbee.sales.documents.rules import Treatment, line_net, share_vat, sums_by, treatment_of

#: Without a quantity, a line takes all that is left of the invoice's.
_ALL: Final = None


@dataclass(frozen=True, slots=True)
class LineLeft:
    """What is left of an invoice's product line."""

    source: InvoiceLine
    net: Decimal
    quantity: Decimal

    @property
    def is_something(self) -> bool:
        """Whether there is anything to credit: an amount, or pieces that cost nothing."""
        return bool(self.net) or (not self.source.line.net and bool(self.quantity))


class _Share(NamedTuple):
    """What a line of a note takes of a line of the invoice: `unit_price` and `discount_percent` as they are printed."""

    source: InvoiceLine
    quantity: Decimal
    net: Decimal
    unit_price: Decimal
    discount_percent: Decimal


class _Charge(NamedTuple):
    """What of an invoice's VAT is booked together: of one treatment, on one account, with one code."""

    treatment: Treatment
    account_id: UUID | None
    vat_code_id: UUID | None


class _ChargeLeft(NamedTuple):
    """What is left of that: the net that it was charged on, and the VAT."""

    net: Decimal
    vat: Decimal


def left_of(invoice: Creditable) -> dict[UUID, LineLeft]:
    """What is left of each product line, by its id, in the invoice's order.

    A note that credits a price of its own (a reduction) takes its quantity too, as far as there is one: of such a line
    an amount may be left without a quantity.
    """
    nets = sums_by((taken.invoice_line_id, taken.net) for taken in invoice.taken)
    quantities = sums_by((taken.invoice_line_id, taken.quantity) for taken in invoice.taken)
    left = {}
    for found in invoice.lines:
        line = found.line
        assert line.net is not None
        assert line.quantity is not None
        rest = EXACT.subtract(line.quantity, quantities.get(line.id, ZERO))
        left[line.id] = LineLeft(
            found, EXACT.add(line.net, nets.get(line.id, ZERO)), _between_zero_and(line.quantity, rest)
        )
    return left


def allocate(invoice: Creditable, asked: Sequence[CreditedLine] | None) -> tuple[CreditNoteLine, ...]:
    """The lines of a note, their amounts negative. `asked` None is all that is left.

    The net of a line: the invoice line's own share for the quantity, or quantity x price less discount where a price
    or discount is given; what takes all that is left of the quantity takes all of the net. VAT: rate x net, rounded,
    capped by what is left at that rate, and of each VAT code; the note that takes the last net takes the last VAT.

    Deductions of prepayments go with the last of what is sold, asked for or not.

    Raises `CREDIT_NOTE_LINE_NOT_ON_INVOICE`, `CREDIT_NOTE_EXCEEDS_INVOICE` and validation errors of quantities.
    """
    left = left_of(invoice)
    vat_left = _vat_left(invoice)
    chosen = _all_left(left.values()) if asked is None else asked
    if not any(line.line_type is DocumentLineType.PRODUCT for line in chosen):
        raise CREDIT_NOTE_EXCEEDS_INVOICE.error("Nothing is left of the invoice to credit")
    before = dict(left)
    by_price = _by_price(left.values())
    shares: dict[int, _Share] = {}
    for index, line in enumerate(chosen):
        if line.line_type is DocumentLineType.PRODUCT:
            source = _choose(left, by_price, line, f"lines.{index}")
            share = _share_of(source, line, invoice.currency, f"lines.{index}")
            rest = _between_zero_and(source.quantity, EXACT.subtract(source.quantity, share.quantity))
            left[source.source.line.id] = LineLeft(source.source, EXACT.subtract(source.net, share.net), rest)
            shares[index] = share
    for it in _last_deductions(left.values()):
        line = CreditedLine(DocumentLineType.PRODUCT, invoice_line_id=it.source.line.id)
        shares[len(chosen)] = _share_of(it, line, invoice.currency, "lines")
        left[it.source.line.id] = LineLeft(it.source, ZERO, ZERO)
        chosen = [*chosen, line]
    _check_deductions(shares.values(), left.values())
    vats = _vats(shares, before, vat_left, invoice.currency)
    _check_total(invoice, shares, vats)
    return tuple(
        _line(line, shares[index], vats[index])
        if index in shares
        else CreditNoteLine(new_id(), line.line_type, line.description)
        for index, line in enumerate(chosen)
    )


def is_credited(invoice: Creditable, lines: Iterable[Line]) -> bool:
    """Whether nothing is left to credit of an invoice whose amount is credited, with the `lines` of the last note.

    `invoice.taken` are other notes that were sent. Deductions of prepayments pay for what they are deducted from: while
    they stand, that is not credited. Of an invoice of 0.00 it is when nothing at all is left.
    """
    taken = (*invoice.taken, *taken_by(lines))
    left = left_of(replace(invoice, taken=taken)).values()
    return not any(it.is_something and (it.source.line.is_added or not invoice.amount) for it in left)


def computed_of(lines: Sequence[Line], taxes: Mapping[UUID, Tax]) -> Computed:
    """Lines whose amounts and VAT stand, with the totals that follow from them; `taxes` by `tax_key`."""
    sold = [(line, taxes[line.tax_key]) for line in lines if line.tax_key is not None]
    nets = sums_by((treatment_of(tax), line.net or ZERO) for line, tax in sold)
    vats = sums_by((treatment_of(tax), line.vat or ZERO) for line, tax in sold)
    rows = tuple(
        VatRow(it.category, it.rate, nets[it], vats[it], it.reason or None, it.reason_da or None)
        for it in sorted(nets, key=lambda it: (-it.rate, it))
    )
    subtotal, vat = total(list(nets.values())), total(list(vats.values()))
    line_vat = tuple(line.vat or ZERO for line, _ in sold)
    return Computed(tuple(lines), Totals(subtotal, vat, EXACT.add(subtotal, vat), rows, line_vat), taxes)


def negated(lines: Iterable[Line]) -> tuple[CreditNoteLine, ...]:
    """Lines as an invoice would have them, as those of a note of no invoice."""
    return tuple(_turned_round(CreditNoteLine(**fields_of(line))) for line in lines)


def _check_deductions(shares: Iterable[_Share], left: Iterable[LineLeft]) -> None:
    """Refuse to give back a deduction while something else is left: it is one with all that its invoice sells."""
    if any(share.source.line.is_added for share in shares) and any(it.is_something for it in left):
        raise _exceeds("A deduction of a prepayment is credited together with all that is left of the invoice")


def _all_left(left: Iterable[LineLeft]) -> list[CreditedLine]:
    return [CreditedLine(DocumentLineType.PRODUCT, invoice_line_id=it.source.line.id) for it in left if it.is_something]


def _last_deductions(left: Iterable[LineLeft]) -> list[LineLeft]:
    """The deductions that are left where nothing else is: what they took is prepaid again."""
    rest = [it for it in left if it.is_something]
    return rest if all(it.source.line.is_added for it in rest) else []


def _by_price(left: Iterable[LineLeft]) -> dict[UUID, deque[UUID]]:
    """The lines of each price, in the invoice's order; what was added (deductions) is credited by its line alone."""
    lines: dict[UUID, deque[UUID]] = {}
    for it in left:
        if it.source.line.is_added:
            continue
        assert it.source.line.price_id is not None
        lines.setdefault(it.source.line.price_id, deque()).append(it.source.line.id)
    return lines


def _choose(
    left: Mapping[UUID, LineLeft], by_price: Mapping[UUID, deque[UUID]], asked: CreditedLine, path: str
) -> LineLeft:
    """The invoice's line that is credited: the one named, else the first of the price with something left.

    What has nothing left any more is dropped from `by_price`: it is never looked at again, however many lines ask.
    """
    if asked.invoice_line_id is None:
        assert asked.price_id is not None
        lines = by_price.get(asked.price_id)
        if lines is None:
            raise CREDIT_NOTE_LINE_NOT_ON_INVOICE.error(property=f"{path}.priceId", priceId=str(asked.price_id))
        while lines and not left[lines[0]].is_something:
            lines.popleft()
        if not lines:
            raise _exceeds("Nothing is left of the lines of this price", property=f"{path}.priceId")
        return left[lines[0]]
    found = left.get(asked.invoice_line_id)
    name = f"{path}.invoiceLineId"
    if found is None:
        raise CREDIT_NOTE_LINE_NOT_ON_INVOICE.error(property=name, invoiceLineId=str(asked.invoice_line_id))
    if asked.price_id not in {None, found.source.line.price_id}:
        raise invalid((f"{path}.priceId", "isIn", f"{path}.priceId must be the price of the invoice's line"))
    if not found.is_something:
        raise _exceeds("Nothing is left of this line", property=name)
    return found


def _share_of(left: LineLeft, asked: CreditedLine, currency: str, path: str) -> _Share:
    line = left.source.line
    assert line.net is not None
    assert line.quantity is not None
    assert line.unit_price is not None
    assert line.discount_percent is not None
    if asked.unit_price is not None or asked.discount_percent is not None:
        return _priced_share(left, asked, currency, path)
    if asked.quantity is _ALL:
        quantity = left.quantity or line.quantity
        return _shown(left.source, quantity, left.net, currency)
    if asked.quantity == ZERO or (asked.quantity > 0) != (line.quantity > 0):
        raise invalid((f"{path}.quantity", "min", f"{path}.quantity must have the sign of the invoice line's quantity"))
    if abs(asked.quantity) > abs(left.quantity):
        raise _exceeds(property=f"{path}.quantity", quantityLeft=format_decimal(left.quantity))
    net = left.net
    if asked.quantity != left.quantity:
        share = EXACT.divide(multiply(line.net, asked.quantity), line.quantity)
        net = _between_zero_and(left.net, round_money(share, currency))
    return _shown(left.source, asked.quantity, net, currency)


def _priced_share(left: LineLeft, asked: CreditedLine, currency: str, path: str) -> _Share:
    """A share at a price of its author's: bounded by the amount that is left, whatever the quantity."""
    line = left.source.line
    assert line.unit_price is not None
    assert line.discount_percent is not None
    quantity = (left.quantity or line.quantity or ONE) if asked.quantity is None else asked.quantity
    unit_price = line.unit_price if asked.unit_price is None else asked.unit_price
    discount = line.discount_percent if asked.discount_percent is None else asked.discount_percent
    net = line_net(multiply(quantity, unit_price), discount, currency)
    if net != _between_zero_and(left.net, net):
        raise _exceeds(property=path, totalPriceLeft=format_amount(left.net, currency))
    return _Share(left.source, quantity, net, unit_price, discount)


def _shown(source: InvoiceLine, quantity: Decimal, net: Decimal, currency: str) -> _Share:
    """The price that makes `net` of a quantity: the invoice's own, else what is left of it for a unit."""
    line = source.line
    assert line.unit_price is not None
    assert line.discount_percent is not None
    own = round_money(
        percent_of(multiply(quantity, line.unit_price), EXACT.subtract(HUNDRED, line.discount_percent)), currency
    )
    if own == net:
        return _Share(source, quantity, net, line.unit_price, line.discount_percent)
    return _Share(source, quantity, net, round_to(EXACT.divide(net, quantity), UNIT_PRICE_PLACES), ZERO)


def _line(asked: CreditedLine, share: _Share, vat: Decimal) -> CreditNoteLine:
    source = share.source.line
    return CreditNoteLine(
        id=new_id(),
        line_type=DocumentLineType.PRODUCT,
        description=source.description if asked.description is None else asked.description,
        price_id=source.price_id,
        product_id=source.product_id,
        unit=source.unit,
        quantity=share.quantity,
        unit_price=share.unit_price,
        unit_price_given=asked.unit_price is not None,
        discount_percent=share.discount_percent,
        discount_given=asked.discount_percent is not None,
        net=-share.net,
        vat=-vat,
        vat_rate=source.vat_rate,
        account_id=source.account_id,
        vat_code_id=source.vat_code_id,
        invoice_line_id=source.id,
        **_period(source, asked),
    )


def _period(source: Line, asked: CreditedLine) -> dict[str, date]:
    """The days that are given back: those of the invoice's line, of which the note may say some."""
    period, given = period_of(source), asked.service_period
    if period is None:
        return {}
    start, end = period
    if given is not None and given.start <= end and given.end >= start:
        start, end = max(start, given.start), min(end, given.end)
    return {"service_period_start": start, "service_period_end": end}


def _charge_of(source: InvoiceLine) -> _Charge:
    return _Charge(treatment_of(source.tax), source.tax.vat_account_id, source.tax.vat_code_id)


def _vat_left(invoice: Creditable) -> dict[_Charge, Decimal]:
    charges = {found.line.id: _charge_of(found) for found in invoice.lines}
    return sums_by(
        [
            *((charges[found.line.id], found.line.vat or ZERO) for found in invoice.lines),
            *((charges[taken.invoice_line_id], taken.vat) for taken in invoice.taken),
        ]
    )


def _vats(
    shares: Mapping[int, _Share],
    before: Mapping[UUID, LineLeft],
    vat_left: Mapping[_Charge, Decimal],
    currency: str,
) -> dict[int, Decimal]:
    """The VAT of each share, by its place: decided for each treatment on the sum of its nets, then for each code."""
    net_left = sums_by((_charge_of(it.source), it.net) for it in before.values())
    vats: dict[int, Decimal] = {}
    places: dict[Treatment, dict[_Charge, list[int]]] = {}
    for place, share in shares.items():
        charge = _charge_of(share.source)
        places.setdefault(charge.treatment, {}).setdefault(charge, []).append(place)
    for treatment, by_charge in places.items():
        nets = {charge: [shares[place].net for place in members] for charge, members in by_charge.items()}
        left = {
            charge: _ChargeLeft(of, vat_left[charge])
            for charge, of in net_left.items()
            if charge.treatment == treatment
        }
        for charge, vat in _vats_of_codes(nets, left, currency).items():
            shared = share_vat(nets[charge], treatment.rate, vat, currency)
            vats |= zip(by_charge[charge], shared, strict=True)
    return vats


def _vats_of_codes(
    nets: Mapping[_Charge, Sequence[Decimal]], left: Mapping[_Charge, _ChargeLeft], currency: str
) -> dict[_Charge, Decimal]:
    """What each code gives of the VAT on all `nets` of one treatment, so that none gives what another was charged.

    The invoice's VAT was rounded once and shared: a code may have a smallest unit more or less than its rate makes.
    What takes the last net of a code takes its last VAT; the others give by their rate, and no more than they have
    left, unless discounts are left for later. What one of them can't give, the next does. Whatever earlier notes took
    of one code for another, in all it is never more than is left, and in the end all of it.
    """
    (treatment, *_), sums = next(iter(nets)), {charge: total(of) for charge, of in nets.items()}
    net, net_left = total(list(sums.values())), total([of.net for of in left.values()])
    if net != _between_zero_and(net_left, net):
        raise _exceeds(
            "More would be credited than is left at this rate of VAT: credit discounts with what they are for",
            vatRate=format_decimal(treatment.rate),
            subtotalLeft=format_amount(net_left, currency),
        )
    vat_left = total([of.vat for of in left.values()])
    vat = vat_left
    if net != net_left:
        vat = _between_zero_and(vat_left, round_money(percent_of(net, treatment.rate), currency))
    found, bounds = {}, {}
    for charge, of in sums.items():
        if of == left[charge].net and any(nets[charge]):
            found[charge] = left[charge].vat
            continue
        given = round_money(percent_of(of, treatment.rate), currency)
        bounds[charge] = left[charge].vat if of == _between_zero_and(left[charge].net, of) else given
        found[charge] = _between_zero_and(bounds[charge], given)
    for charge, bound in bounds.items():
        if sums[charge]:
            found[charge] = _between_zero_and(bound, EXACT.add(found[charge], _less(vat, found)))
    beyond = _less(vat if net == net_left else max(vat_left, ZERO), found)
    if beyond < 0 or net == net_left:
        last = next((charge for charge in reversed(found) if any(nets[charge])), next(iter(found)))
        found[last] = EXACT.add(found[last], beyond)
    return found


def _less(amount: Decimal, found: Mapping[_Charge, Decimal]) -> Decimal:
    return EXACT.subtract(amount, total(list(found.values())))


def _check_total(invoice: Creditable, shares: Mapping[int, _Share], vats: Mapping[int, Decimal]) -> None:
    """A note gives something back, and never more than is left of the invoice's amount."""
    credited = total([*(share.net for share in shares.values()), *vats.values()])
    left = EXACT.add(invoice.amount, total([EXACT.add(taken.net, taken.vat) for taken in invoice.taken]))
    if credited != _between_zero_and(left, credited):
        raise _exceeds(amountLeft=format_amount(left, invoice.currency))


def _turned_round(line: CreditNoteLine) -> CreditNoteLine:
    if line.net is None or line.vat is None:
        return line
    return replace(line, net=-line.net, vat=-line.vat)


def _between_zero_and(bound: Decimal, value: Decimal) -> Decimal:
    """`value`, but not beyond `bound` and not on the other side of zero."""
    return min(max(value, ZERO), bound) if bound >= 0 else max(min(value, ZERO), bound)


def _exceeds(message: str | None = None, **details: str) -> LedgerBeeError:
    return CREDIT_NOTE_EXCEEDS_INVOICE.error(message, **details)


def taken_by(lines: Iterable[Line]) -> Iterator[TakenLine]:
    """What the lines of a note take of its invoice."""
    for line in lines:
        if isinstance(line, CreditNoteLine) and line.invoice_line_id is not None and line.quantity is not None:
            yield TakenLine(line.invoice_line_id, line.quantity, line.net or ZERO, line.vat or ZERO)
