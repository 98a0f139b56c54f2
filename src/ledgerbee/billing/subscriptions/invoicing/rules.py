"""What invoices are made of bills, and their lines. Pure."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from ledgerbee.billing.charges.model import BillShare, BookedAs, Charge, ChargeKind
from ledgerbee.billing.charges.rules import share_bill, share_of
from ledgerbee.billing.subscriptions.invoicing.model import (
    AdvancedChain,
    CreditPart,
    CreditSource,
    InvoiceLeft,
    InvoicePlan,
    InvoiceShare,
    PlannedInvoice,
)
from ledgerbee.billing.subscriptions.store.chains import LoadedChain
from ledgerbee.billing.timelines.model import Span
from ledgerbee.catalog.prices.model import SoldProduct
from ledgerbee.catalog.prices.rules import effective_unit_price
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ONE, UNIT_PRICE_PLACES, ZERO, minor_units, quantum_of, round_to, total
from ledgerbee.parties.order import natural_key
from ledgerbee.sales.documents.model import MAX_LINES, DocumentLineType, Line, ServicePeriod
from ledgerbee.sales.invoices.model import DeductionLine, Invoice, InvoiceId

L = TypeVar("L", bound=Line)

#: Of one child: its number in natural order, its name, and its id.
_ChildKey = tuple[tuple[list[str | int], str], str, UUID]


def plan_invoices(
    advanced_chains: Iterable[AdvancedChain],
    today: Mapping[UUID, Mapping[UUID, BookedAs]] = MappingProxyType({}),
    earlier: Mapping[UUID, BookedAs] = MappingProxyType({}),
) -> InvoicePlan:
    """What bills become: invoices, the oldest billing date first, and what credit notes take.

    What a parent pays for of one day and currency is one invoice, the children by number, or several where it has more
    lines than an invoice may have; any other subscription has its own, and so has one that waits to be paid
    for. `today` says by subscription and price how lines are booked, `earlier` by charge how that was which is taken
    back (`share_bill`).
    """
    grouped: dict[tuple[date, UUID, UUID | None, str], list[InvoiceShare]] = {}
    on_notes: dict[UUID, InvoiceShare] = {}
    set_off = []
    for loaded, advanced in advanced_chains:
        subscription = loaded.chain.subscription
        is_alone = loaded.is_alone or subscription.awaits_payment
        own = None if loaded.is_child and not is_alone else subscription.id
        for bill in advanced.bills:
            key = (bill.on, loaded.payer_id, own, subscription.currency)
            shares = share_bill(bill, today.get(subscription.id, {}), earlier)
            placed = [InvoiceShare(loaded, share) for share in shares]
            on_notes |= {one.share.charge.id: one for one in placed if one.share.on_note}
            set_off += [one for one in placed if one.share.set_off is not None]
            on_invoice = [one for one in placed if one.share.on_invoice and one.share.set_off is None]
            if on_invoice:
                grouped.setdefault(key, []).extend(on_invoice)
    invoices = []
    for (on, payer_id, _, currency), own_shares in sorted(grouped.items(), key=lambda item: item[0][0]):
        parts, left_over = _divide(own_shares, today)
        on_notes |= {one.share.charge.id: one for one in left_over}
        invoices += [PlannedInvoice(InvoiceId(new_id()), payer_id, on, currency, tuple(part)) for part in parts]
    return InvoicePlan(tuple(invoices), tuple(on_notes.values()), tuple(set_off))


def _divide(
    shares: Sequence[InvoiceShare], today: Mapping[UUID, Mapping[UUID, BookedAs]]
) -> tuple[list[list[InvoiceShare]], list[InvoiceShare]]:
    """The invoices that shares of one payer take, and what has to go onto notes after all.

    A child's lines stay together, unless they are more than an invoice may have.
    """
    parts: list[list[InvoiceShare]] = []
    left_over: list[InvoiceShare] = []
    room = 0
    for _, group in groupby(sorted(shares, key=_child_of), key=_child_of):
        own = list(group)
        headings = int(own[0].loaded.is_child)
        pieces, rest = ([own], []) if len(own) + headings <= MAX_LINES else _cut(own, MAX_LINES - headings, today)
        left_over += rest
        for piece in pieces:
            if len(piece) + headings > room:
                parts.append([])
                room = MAX_LINES
            parts[-1] += piece
            room -= len(piece) + headings
    return parts, left_over


def _cut(
    shares: Sequence[InvoiceShare], size: int, today: Mapping[UUID, Mapping[UUID, BookedAs]]
) -> tuple[list[list[InvoiceShare]], list[InvoiceShare]]:
    """Shares in pieces of at most `size`, none of which is below zero at any rate of VAT; and the credits that none has
    room for, as they go onto notes."""
    charged = deque(one for one in shares if one.share.on_invoice > 0)
    credited = deque(one for one in shares if one.share.on_invoice < 0)
    pieces: list[list[InvoiceShare]] = []
    amounts: dict[BookedAs | None, Decimal] = {}
    while charged or credited:
        if not pieces or len(pieces[-1]) == size:
            pieces.append([])
            amounts = {}
        if credited and EXACT.add(amounts.get(_booked(credited[0], today), ZERO), credited[0].share.on_invoice) >= 0:
            one = credited.popleft()
        elif charged:
            one = charged.popleft()
        else:
            break
        pieces[-1].append(one)
        booked = _booked(one, today)
        amounts[booked] = EXACT.add(amounts.get(booked, ZERO), one.share.on_invoice)
    left_over = [replace(one, share=BillShare(one.share.charge, ZERO, one.share.charge.net)) for one in credited]
    return [piece for piece in pieces if piece], left_over


def _booked(placed: InvoiceShare, today: Mapping[UUID, Mapping[UUID, BookedAs]]) -> BookedAs | None:
    """How a share is booked, as far as it had to be looked at: only where something is taken back of earlier bills."""
    return today.get(placed.loaded.chain.subscription.id, {}).get(placed.share.charge.price_id)


def _child_of(placed: InvoiceShare) -> _ChildKey:
    """By what the shares of an invoice are in order; those of one child have the same."""
    loaded = placed.loaded
    return natural_key(loaded.customer_number), loaded.customer_name, loaded.chain.subscription.customer_id


def credited_charges(advanced_chains: Iterable[AdvancedChain]) -> list[UUID]:
    """The charges that bills take something back of, which aren't theirs. Refunds need no look: they are all notes."""
    found = []
    for bill in (bill for _, advanced in advanced_chains for bill in advanced.bills if not bill.is_refund):
        own = {charge.id for charge in bill.charges}
        credited = [charge.credits_charge_id for charge in bill.charges]
        found += [charge_id for charge_id in credited if charge_id is not None and charge_id not in own]
    return found


def prices_of_bills(advanced_chains: Iterable[AdvancedChain]) -> list[PlannedInvoice]:
    """For each chain that takes something back of earlier bills, a line of each price of its bills, as if they were an
    invoice: to see how that would be booked, whatever it sums up to."""
    found = []
    for loaded, advanced in advanced_chains:
        of_prices = {
            charge.price_id: InvoiceShare(loaded, BillShare(charge, charge.net, ZERO))
            for bill in advanced.bills
            for charge in bill.charges
            if charge.net and not bill.is_refund
        }
        if of_prices and credited_charges([(loaded, advanced)]):
            on, currency = advanced.bills[0].on, loaded.chain.subscription.currency
            found.append(PlannedInvoice(InvoiceId(new_id()), loaded.payer_id, on, currency, tuple(of_prices.values())))
    return found


def booked_today(
    planned: Sequence[PlannedInvoice], computed: Sequence[tuple[Invoice, Sequence[Line]]]
) -> dict[UUID, dict[UUID, BookedAs]]:
    """How the lines of planned invoices are booked, by subscription and price; `computed` are they, in order."""
    found: dict[UUID, dict[UUID, BookedAs]] = defaultdict(dict)
    for one, (invoice, lines) in zip(planned, computed, strict=True):
        for placed, line in zip(one.shares, product_lines(lines), strict=True):
            found[placed.loaded.chain.subscription.id][placed.share.charge.price_id] = BookedAs(
                invoice.customer_id, invoice.customer_department_id, line.account_id, line.vat_code_id, line.vat_rate
            )
    return found


def card_of(invoice: PlannedInvoice) -> UUID | None:
    """The saved card that an invoice is charged to: that of all its subscriptions, which are billed automatically.

    None where they aren't paid alike: an invoice is charged in whole, and nobody for what was to be paid otherwise.
    """
    cards = _cards_of(invoice)
    return next(iter(cards)) if len(cards) == 1 else None


def are_paid_alike(invoice: PlannedInvoice) -> bool:
    """Whether all subscriptions on an invoice are billed automatically to the same card, or all to none."""
    return len(_cards_of(invoice)) == 1


def _cards_of(invoice: PlannedInvoice) -> set[UUID | None]:
    subscriptions = (placed.loaded.chain.subscription for placed in invoice.shares)
    return {one.payment_method_id if one.automatic_billing else None for one in subscriptions}


def is_automatic(invoice: PlannedInvoice) -> bool:
    """Whether a subscription on an invoice is to be charged automatically."""
    return any(placed.loaded.chain.subscription.automatic_billing for placed in invoice.shares)


def product_lines(lines: Sequence[L]) -> list[L]:
    """The lines of an invoice that are its shares', in their order: without the texts above those of each child."""
    return [line for line in lines if line.line_type is DocumentLineType.PRODUCT]


def lines_of(invoice: PlannedInvoice) -> tuple[DeductionLine, ...]:
    """The lines of an invoice: above those of each child a text with its number and name, and one for each share, in
    their order, whose net is the share's."""
    lines: list[DeductionLine] = []
    for _, group in groupby(invoice.shares, key=_child_of):
        own = list(group)
        if own[0].loaded.is_child:
            lines.append(_heading(own[0].loaded))
        lines += [_line(one) for one in own]
    return tuple(lines)


def _heading(loaded: LoadedChain) -> DeductionLine:
    return DeductionLine(
        id=new_id(),
        line_type=DocumentLineType.TEXT,
        description=heading_of(loaded),
        child_customer_id=loaded.chain.subscription.customer_id,
    )


def heading_of(loaded: LoadedChain) -> str:
    """What names a child on a document that its payer gets."""
    return f"{loaded.customer_number} {loaded.customer_name}"


def _line(placed: InvoiceShare) -> DeductionLine:
    """A line that says its share: a price for a unit, so that quantity x unit price, less discount, is the net.

    What is taken back has a negative quantity: prices are never below zero (EN 16931, BR-27).
    """
    share, charge, subscription = placed.share, placed.share.charge, placed.loaded.chain.subscription
    period = None if charge.kind is ChargeKind.ONE_TIME else service_period(charge.service)
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
        service_period_start=None if period is None else period.start,
        service_period_end=None if period is None else period.end,
        subscription_id=subscription.id,
        child_customer_id=subscription.customer_id if placed.loaded.is_child else None,
    )


def service_period(service: Span) -> ServicePeriod:
    """Half-open days as documents name them: the first and the last one."""
    return ServicePeriod(service.start, service.end - timedelta(days=1))


def _text(product: SoldProduct) -> str:
    return product.description or product.name


def spread(
    amount: Decimal,
    service: Span,
    invoice_id: UUID,
    line_id: UUID,
    lefts: Mapping[UUID, InvoiceLeft],
    currency: str,
) -> Iterator[CreditPart]:
    """How a credit of days of a subscription's line is spread over the invoices that billed it: as much as is left on
    that invoice of what is booked alike, and the rest where what its negative lines there take back was billed, the
    newest first. Less than `amount` where no more is left, by whatever hand it was credited or given up.

    An invoice of an upgrade is only the difference: what its line was charged was paid by the invoices before, too. So
    where an earlier one gives something back, the negative line takes back as much less of the same days: each day
    keeps what it earns, on whatever invoice it stands. Where the earlier invoice has another exchange rate only what is
    left of these days counts, so that none is paid for at one rate by what is taken back at another.
    """
    found = lefts.get(invoice_id)
    if found is None or amount <= 0 or line_id not in found.lines:
        return
    wanted = min(amount, found.lines[line_id])
    room = max(min(found.left, found.left_of_booking(found.bookings[line_id])), ZERO)
    given: list[CreditPart] = []
    moved = ZERO
    for source in found.sources:
        if found.bookings[source.negative_line_id] != found.bookings[line_id]:
            continue
        rest = EXACT.subtract(wanted, moved)
        short = EXACT.subtract(rest, room)
        earlier = lefts.get(source.invoice_id)
        if earlier is not None and earlier.exchange_rate != found.exchange_rate:
            short = max(short, _short_of_days(found, line_id, service, rest, currency))
        for days, most in _moves(found, source, service, short, currency):
            parts = list(spread(most, days, source.invoice_id, source.invoice_line_id, lefts, currency))
            taken = total([part.amount for part in parts])
            if taken > 0:
                moved = EXACT.add(moved, taken)
                given += [*parts, CreditPart(invoice_id, source.negative_line_id, -taken, days)]
    own = min(EXACT.subtract(wanted, moved), room)
    yield from _own_parts(found, CreditPart(invoice_id, line_id, own, service), moved, given)
    yield from (part for part in given if part.invoice_id != invoice_id)


def _own_parts(
    found: InvoiceLeft, own: CreditPart, moved: Decimal, given: Sequence[CreditPart]
) -> Iterator[CreditPart]:
    """What a note takes of the invoice itself; where all that earlier ones give back is of days that the credit gives
    back whole, that is the difference alone: what is left of both lines is the same of each of these days."""
    less = [part for part in given if part.invoice_id == own.invoice_id]
    if own.amount and any(part.service != own.service for part in less):
        own = own._replace(amount=EXACT.add(own.amount, moved))
    else:
        less = []
    for part in (own, *less):
        if part.amount:
            found.left = EXACT.subtract(found.left, part.amount)
            found.lines[part.invoice_line_id] = EXACT.subtract(found.lines[part.invoice_line_id], part.amount)
            yield part


def _moves(
    found: InvoiceLeft, source: CreditSource, service: Span, short: Decimal, currency: str
) -> Iterator[tuple[Span, Decimal]]:
    """What of a negative line an earlier invoice is to give back, by days, for as much as there is no room for: first
    of those that are given back anyway, and then of those before them."""
    line_id = source.negative_line_id
    taken_back = max(EXACT.minus(found.lines[line_id]), ZERO)
    days = Span(max(service.start, source.service.start), min(service.end, source.service.end))
    before = Span(source.service.start, days.start) if days.days else source.service
    of_days = min(short, taken_back, EXACT.minus(_of_days(found, line_id, days, currency)))
    if of_days > 0:
        yield days, of_days
    others = EXACT.subtract(min(short, taken_back), max(of_days, ZERO))
    if others > 0:
        yield before if before.days else days, others


def _short_of_days(found: InvoiceLeft, line_id: UUID, service: Span, rest: Decimal, currency: str) -> Decimal:
    """How much more is to be given back than is left of days, of lines that are booked alike; nothing where it is no
    more than what rounding may have made of it."""
    own = [it for it, booking in found.bookings.items() if booking == found.bookings[line_id]]
    left = total([_of_days(found, it, service, currency) for it in own])
    short = EXACT.subtract(rest, left)
    unit = quantum_of(minor_units(currency))
    return short if short > EXACT.multiply(unit, Decimal(sum(len(found.days.get(it, ())) for it in own))) else ZERO


def _of_days(found: InvoiceLeft, line_id: UUID, service: Span, currency: str) -> Decimal:
    """What is left of days of a line: each of its days, and of what notes took of it, has as much."""
    shared = [
        (Span(max(span.start, service.start), min(span.end, service.end)), span, net)
        for span, net in found.days.get(line_id, ())
    ]
    return total([share_of(net, days, span, currency) for days, span, net in shared if days.days])


def credited_as(charge: Charge, share: BillShare, noted: Sequence[tuple[UUID, Decimal]]) -> list[Charge]:
    """The rows of a credit: one for each note that takes of it, the first with what stands on the invoice.

    `noted` are the notes and their amounts; what no note could take is not given back, and is no part of the credit.
    Usage that a credit takes back is counted once, on its first row.
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
    rest = charge
    if charge.kind is ChargeKind.USAGE_DIFFERENCE:
        rest = replace(charge, quantity=ZERO, events=0, carried=ZERO)
    for number, (note_id, amount) in enumerate(noted[1:], 1):
        rows.append(
            replace(
                rest,
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
