"""What invoices are made of bills, and their lines. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from ledgerbee.billing.charges.model import BillShare, Charge, ChargeKind
from ledgerbee.billing.charges.rules import share_bill
from ledgerbee.billing.subscriptions.invoicing.model import (
    AdvancedChain,
    CreditPart,
    InvoiceLeft,
    InvoiceShare,
    PlannedInvoice,
)
from ledgerbee.catalog.prices.model import SoldProduct
from ledgerbee.catalog.prices.rules import effective_unit_price
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ONE, UNIT_PRICE_PLACES, ZERO, round_to, total
from ledgerbee.sales.documents.model import DocumentLineType
from ledgerbee.sales.invoices.model import DeductionLine, InvoiceId


def plan_invoices(advanced_chains: Iterable[AdvancedChain]) -> tuple[list[PlannedInvoice], list[InvoiceShare]]:
    """The invoices that bills become, the oldest billing date first, and the shares that credit notes take.

    What a parent pays for of one day and currency is one invoice; any other subscription has its own.
    """
    grouped: dict[tuple[date, UUID, UUID | None, str], list[InvoiceShare]] = {}
    on_notes = []
    for loaded, advanced in advanced_chains:
        subscription = loaded.chain.subscription
        own = None if loaded.payer_id != subscription.customer_id else subscription.id
        for bill in advanced.bills:
            key = (bill.on, loaded.payer_id, own, subscription.currency)
            placed = [InvoiceShare(loaded, share) for share in share_bill(bill)]
            on_notes += [one for one in placed if one.share.on_note]
            if any(one.share.on_invoice for one in placed):
                grouped.setdefault(key, []).extend(one for one in placed if one.share.on_invoice)
    invoices = [
        PlannedInvoice(InvoiceId(new_id()), payer_id, on, currency, tuple(shares))
        for (on, payer_id, _, currency), shares in sorted(grouped.items(), key=lambda item: item[0][0])
    ]
    return invoices, on_notes


def lines_of(invoice: PlannedInvoice) -> tuple[DeductionLine, ...]:
    """The lines of an invoice, in the order of its shares: the net of each is its share's."""
    return tuple(_line(one) for one in invoice.shares)


def _line(placed: InvoiceShare) -> DeductionLine:
    """A line that says its share: a price for a unit, so that quantity x unit price, less discount, is the net.

    What is taken back has a negative quantity: prices are never below zero (EN 16931, BR-27).
    """
    share, charge = placed.share, placed.share.charge
    has_days = charge.kind is not ChargeKind.ONE_TIME
    sold = placed.loaded.sellable[charge.price_id]
    net = share.on_invoice
    is_priced = charge.kind in {ChargeKind.USAGE, ChargeKind.ONE_TIME} or (
        charge.kind is ChargeKind.RECURRING and charge.service == charge.period
    )
    is_amount = charge.kind is ChargeKind.USAGE_DIFFERENCE or bool(share.on_note)
    quantity = ONE if is_amount else abs(charge.quantity)
    if is_priced and not is_amount:
        price = placed.loaded.facts.prices[charge.price_id]
        unit_price, discount = effective_unit_price(price, charge.quantity), charge.discount_percent
    else:
        unit_price, discount = round_to(EXACT.divide(abs(net), quantity), UNIT_PRICE_PLACES), ZERO
    return DeductionLine(
        id=new_id(),
        line_type=DocumentLineType.PRODUCT,
        description=_text(sold.product),
        price_id=charge.price_id,
        product_id=sold.product.id,
        unit=sold.product.unit,
        quantity=quantity if net > 0 else -quantity,
        unit_price=unit_price,
        unit_price_given=True,
        discount_percent=discount,
        discount_given=True,
        net=net,
        service_period_start=charge.service.start if has_days else None,
        service_period_end=charge.service.end - timedelta(days=1) if has_days else None,
    )


def _text(product: SoldProduct) -> str:
    return product.description or product.name


def spread(amount: Decimal, invoice_id: UUID, line_id: UUID, lefts: Mapping[UUID, InvoiceLeft]) -> Iterator[CreditPart]:
    """How a credit of a line is spread over the invoices that billed it: as much as that invoice has left, and the rest
    where what its negative lines take back was billed, the newest first.

    An invoice of an upgrade is only the difference: what its line was charged was paid by the invoices before, too.
    Less than `amount` where no more is left, by whatever hand it was credited or given up.
    """
    found = lefts.get(invoice_id)
    if found is None or amount <= 0:
        return
    taken = min(amount, found.left, found.lines.get(line_id, ZERO))
    if taken > 0:
        found.left = EXACT.subtract(found.left, taken)
        found.lines[line_id] = EXACT.subtract(found.lines[line_id], taken)
        yield CreditPart(invoice_id, line_id, taken)
    rest = EXACT.subtract(amount, max(taken, ZERO))
    for source in found.sources:
        parts = list(spread(min(rest, source.amount), source.invoice_id, source.invoice_line_id, lefts))
        rest = EXACT.subtract(rest, total([part.amount for part in parts]))
        yield from parts


def credited_as(charge: Charge, share: BillShare, noted: Sequence[tuple[UUID, Decimal]]) -> list[Charge]:
    """The rows of a credit: one for each note that takes of it, the first with what stands on the invoice.

    `noted` are the notes and their amounts; what no note could take is not given back, and is no part of the credit.
    """
    first: tuple[UUID | None, Decimal] = noted[0] if noted else (None, ZERO)
    rows = [
        replace(
            charge,
            net=EXACT.subtract(share.on_invoice, first[1]),
            credit_note_id=first[0],
            credit_note_net=first[1],
        )
    ]
    for number, (note_id, amount) in enumerate(noted[1:], 1):
        rows.append(
            replace(
                charge,
                id=new_id(),
                part=charge.part + number,
                net=EXACT.minus(amount),
                invoice_id=None,
                invoice_line_id=None,
                credit_note_id=note_id,
                credit_note_net=amount,
            )
        )
    return rows
