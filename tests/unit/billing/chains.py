"""Subscriptions in memory, advanced as billing does it, and their bills paid into a little ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledgerbee.billing.charges.model import Bill, BillShare, BookedAs, Charge
from ledgerbee.billing.charges.rules import share_bill
from ledgerbee.billing.plans.model import PlanAlternative, PlanId, PlanItem, PlanVersion
from ledgerbee.billing.subscriptions.model import (
    ChangeStatus,
    ChangeType,
    ScheduledChange,
    Subscription,
    SubscriptionId,
)
from ledgerbee.billing.subscriptions.rules import MAX_PERIODS, advance, chosen_items, first_terms, new_version
from ledgerbee.billing.subscriptions.rules.chain import Advanced, BillingFacts, Chain
from ledgerbee.billing.subscriptions.rules.groups import upcoming_of, with_dates
from ledgerbee.billing.timelines.model import BillingDirection, ProrationBehavior, Span
from ledgerbee.billing.usage.model import UsedQuantity
from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.catalog.prices.model import BillingInterval, BillingPeriodType, Price, PriceId, PricingModel, Tier
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO, total

D = Decimal
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY, WEEK, MONTH, YEAR = BillingInterval
ONE_TIME, RECURRING, USAGE = BillingPeriodType
ADVANCE, ARREARS = BillingDirection
GIVEN_AWAY, NEXT_INVOICE, AT_ONCE = ProrationBehavior


def day(text: str) -> date:
    """2026-07-11; 07-11 is of 2026."""
    return date.fromisoformat(text if len(text) > 5 else f"2026-{text}")


def days(start: str, end: str) -> Span:
    """The days from `start` up to and without `end`."""
    return Span(day(start), day(end))


def price(
    amount: str = "0",
    interval: BillingInterval | None = MONTH,
    count: int = 1,
    kind: BillingPeriodType = RECURRING,
    *,
    tiers: Sequence[Tier] = (),
    model: PricingModel | None = None,
    product: UUID | None = None,
) -> Price:
    """A price in kroner."""
    is_once = kind is ONE_TIME
    return Price(
        id=PriceId(new_id()),
        product_id=ProductId(product or new_id()),
        status=CatalogStatus.ACTIVE,
        is_default=True,
        is_locked=True,
        created_at=NOW,
        updated_at=NOW,
        billing_period_type=kind,
        pricing_model=model or (PricingModel.GRADUATED if tiers else PricingModel.FLAT_RATE),
        currency="DKK",
        unit_amount=None if tiers else D(amount),
        tiers=tuple(tiers),
        billing_interval=None if is_once else interval,
        billing_interval_count=None if is_once else count,
        meter_id=new_id() if kind is USAGE else None,
    )


def usage_price(amount: str = "1", interval: BillingInterval = MONTH, **others: Any) -> Price:
    """A price for what a meter counts."""
    return price(amount, interval, kind=USAGE, **others)


def plan(
    *items: Price | PlanItem,
    interval: BillingInterval = MONTH,
    count: int = 1,
    alternatives: Iterable[PlanAlternative] = (),
    currency: str = "DKK",
) -> PlanVersion:
    """A plan of prices, one of each."""
    return PlanVersion(
        plan_id=PlanId(new_id()),
        version=1,
        name="Plan",
        created_at=NOW,
        currency=currency,
        interval=interval,
        interval_count=count,
        trial_days=0,
        items=tuple(item if isinstance(item, PlanItem) else PlanItem(item.id) for item in items),
        alternatives=tuple(alternatives),
    )


#: How every line is booked.
BOOKED = BookedAs(new_id(), None, new_id(), new_id(), D(25))


@dataclass
class Meter:
    """Events of usage prices, by day."""

    events: list[tuple[UUID, date, Decimal]] = field(default_factory=list)

    def report(self, metered: Price, on: str | date, value: str | Decimal) -> None:
        self.events.append((metered.id, day(on) if isinstance(on, str) else on, D(value)))

    def count(self, price_id: UUID, spans: Sequence[Span]) -> UsedQuantity:
        found = [
            value
            for metered, on, value in self.events
            if metered == price_id and any(span.start <= on < span.end for span in spans)
        ]
        return UsedQuantity(events=len(found), quantity=total(found))


@dataclass(frozen=True, slots=True)
class Paid:
    """A bill as its documents say it: what stands on the invoice, and on credit notes."""

    on: date
    made_on: date
    shares: tuple[BillShare, ...]
    is_refund: bool

    @property
    def invoice(self) -> Decimal:
        return total([share.on_invoice for share in self.shares])

    @property
    def notes(self) -> Decimal:
        return total([share.on_note for share in self.shares])

    @property
    def lines(self) -> list[tuple[str, str, Decimal]]:
        """First and last day and net of each line, on the invoice or a note, that is not zero."""
        return [
            (f"{one.service.start:%m-%d}", f"{one.service.end:%m-%d}", one.net)
            for one in (share.charge for share in self.shares)
            if one.net
        ]


@dataclass
class Life:
    """A subscription from its assignment on. `run` is what a billing run does, `change` queues a change."""

    chain: Chain
    facts: BillingFacts
    meter: Meter = field(default_factory=Meter)
    paid: list[Paid] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    ran_on: date | None = None

    @property
    def subscription(self) -> Subscription:
        return self.chain.subscription

    @property
    def waiting(self) -> list[Decimal]:
        """The nets of what waits for the next invoice."""
        return [charge.net for charge in self.chain.charges if charge.waits]

    @property
    def paid_in_all(self) -> Decimal:
        return total([one.invoice + one.notes for one in self.paid])

    def run(self, as_of: str | date, *, at_most: int = MAX_PERIODS) -> Advanced:
        """Advance to a day, and make the documents: every bill is taken apart as invoicing does it."""
        on = day(as_of) if isinstance(as_of, str) else as_of
        after = advance(self.chain, self.facts, on, NOW, self.meter.count, at_most=at_most)
        check_unique(after.chain.charges)
        charges = {charge.id: charge for charge in after.chain.charges}
        for bill in after.bills:
            self.paid.append(self._documents_of(bill, on, charges))
        self.topics += [event.topic for event in after.events]
        self.chain = replace(after.chain, charges=tuple(charges.values()))
        self.ran_on = on
        return after

    def run_daily(self, first: date, last: date) -> None:
        """Run on every day."""
        for number in range(first.toordinal(), last.toordinal() + 1):
            self.run(date.fromordinal(number))

    def change(
        self,
        kind: ChangeType,
        on: str | date,
        mode: ProrationBehavior | None = None,
        *,
        restarts: bool = False,
        **payload: Any,
    ) -> ScheduledChange:
        """Queue a change for its day."""
        change = ScheduledChange(
            id=new_id(),
            subscription_id=self.subscription.id,
            type=kind,
            effective_on=day(on) if isinstance(on, str) else on,
            status=ChangeStatus.PENDING,
            payload=payload,
            proration_behavior=mode,
            restarts_period=restarts,
            failure=None,
            created_at=NOW,
            updated_at=NOW,
        )
        changes = sorted([*self.chain.changes, change], key=lambda one: one.effective_on)
        self.chain = replace(self.chain, changes=tuple(changes))
        return change

    def now(self, kind: ChangeType, on: str, mode: ProrationBehavior | None = None, **others: Any) -> Advanced:
        """A run of the day, and then a change in a request of the same day."""
        self.run(on)
        return self.change_and_run(kind, on, mode, **others)

    def change_and_run(
        self, kind: ChangeType, on: str, mode: ProrationBehavior | None = None, **others: Any
    ) -> Advanced:
        """A change on its day, before that day's bill."""
        change = self.change(kind, on, mode, **others)
        after = self.run(on)
        assert [one.status for one in after.changes if one.id == change.id] == [ChangeStatus.APPLIED]
        return after

    def replace_plan(self, to: PlanVersion, on: str, mode: ProrationBehavior | None = None, **others: Any) -> Advanced:
        return self.now(ChangeType.REPLACE_PLAN, on, mode, planId=str(to.plan_id), **others)

    def edit(
        self, of: Price, quantity: str | int | Decimal, on: str, mode: ProrationBehavior | None = None, **others: Any
    ) -> Advanced:
        products = [{"priceId": str(of.id), "quantity": str(quantity)}]
        return self.now(ChangeType.EDIT_PRODUCTS, on, mode, products=products, **others)

    def cancel(self, on: str, refund: str = "none") -> Advanced:
        return self.now(ChangeType.CANCEL, on, refundBehavior=refund)

    def schedule_end(self, asked_on: str, on: str, refund: str = "none") -> None:
        """A cancellation for a later day, as it is asked for: the end is known from then on."""
        self.run(asked_on)
        subscription = replace(self.subscription, ends_on=day(on), is_cancelled=True)
        self.chain = replace(self.chain, subscription=subscription)
        self.change(ChangeType.CANCEL, on, refundBehavior=refund)

    def credit_by_hand(self, charge: Charge, amount: str | Decimal) -> None:
        """A credit note on the invoice line of a charge that is not ours."""
        line = next(one for one in self.chain.charges if one.id == charge.id).invoice_line_id
        assert line is not None
        notes = dict(self.chain.credited_by_notes)
        self.chain = replace(self.chain, credited_by_notes=notes | {line: notes.get(line, ZERO) + D(amount)})

    def late(self) -> Advanced:
        """The run after events came for billed days."""
        usage = tuple(charge.id for charge in self.chain.charges if charge.kind.value == "usage")
        self.chain = replace(self.chain, late=usage)
        assert self.ran_on is not None
        return self.run(self.ran_on)

    def _documents_of(self, bill: Bill, made_on: date, charges: dict[UUID, Charge]) -> Paid:
        """Every line is booked alike; a bill that nets a change makes no invoice of 0.00."""
        invoiced = {one.id for one in charges.values() if one.invoice_line_id is not None}
        shares = share_bill(
            bill,
            dict.fromkeys(self.facts.prices, BOOKED),
            {one.credits_charge_id: BOOKED for one in bill.charges if one.credits_charge_id in invoiced},
        )
        new = [share.on_invoice for share in shares if share.set_off is None and share.on_invoice]
        assert total(new) >= 0
        assert not (bill.nets and new and not total(new))
        invoice_id = new_id()
        for share in shares:
            charge = charges[share.charge.id]
            assert not charge.waits
            assert share.on_invoice + share.on_note == charge.net
            if share.set_off is not None:
                line = charges[share.set_off]
                charges[charge.id] = replace(charge, invoice_id=line.invoice_id, invoice_line_id=line.invoice_line_id)
            elif share.on_invoice:
                charges[charge.id] = replace(charge, invoice_id=invoice_id, invoice_line_id=new_id())
        for share in shares:
            charge = charges[share.charge.id]
            if charge.credits_charge_id is not None:
                check_left(charges, charge.credits_charge_id, self.chain.credited_by_notes)
            if share.on_note:
                credited = charges[charge.credits_charge_id or charge.id]
                assert credited.invoice_line_id is not None, "a note takes back what stands on an invoice"
                charges[charge.id] = replace(charge, credit_note_id=new_id(), credit_note_net=-share.on_note)
        return Paid(bill.on, made_on, shares, bill.is_refund)


def check_left(charges: Mapping[UUID, Charge], charge_id: UUID, by_hand: Mapping[UUID, Decimal]) -> None:
    """Credits of a charge, by whatever hand, never exceed it, nor what all charges on its line come to."""
    line_id = charges[charge_id].invoice_line_id
    on_line = [one for one in charges.values() if not one.is_credit and one.invoice_line_id == line_id is not None]
    lefts = {one.id: one.net for one in [charges[charge_id], *on_line]}
    for one in charges.values():
        if one.credits_charge_id in lefts:
            lefts[one.credits_charge_id] += one.net
    assert lefts[charge_id] >= 0
    others = ZERO if line_id is None else by_hand.get(line_id, ZERO)
    own = total([one.net for one in charges.values() if one.credits_charge_id == charge_id])
    assert total(list(lefts.values())) >= others or own == 0


def check_unique(charges: Iterable[Charge]) -> None:
    """What the database holds charges to: one row for each chain, price, kind, period, part and change."""
    keys = [
        (one.price_id, one.kind, one.period.start, one.part, one.change_id, one.credits_charge_id) for one in charges
    ]
    assert len(keys) == len(set(keys))


def subscribed(
    to: PlanVersion,
    prices: Iterable[Price],
    starts_on: str | date,
    mode: ProrationBehavior = NEXT_INVOICE,
    *,
    anchor: str | date | None = None,
    trial_until: str | None = None,
    ends_on: str | None = None,
    direction: BillingDirection = ADVANCE,
    others: Iterable[PlanVersion] = (),
    overrides: Sequence[Mapping[str, Any]] = (),
    discount: str = "0",
    grace_days: int = 0,
) -> Life:
    """A new subscription that nothing was billed of. `others` are plans that it may change to."""
    start = day(starts_on) if isinstance(starts_on, str) else starts_on
    first = day(anchor) if isinstance(anchor, str) else anchor
    items = chosen_items(to.items, [dict(one) for one in overrides])
    terms = first_terms(to, items, first or start, direction=direction, proration=mode)
    subscription = Subscription(
        id=SubscriptionId(new_id()),
        customer_id=new_id(),
        partner_reference_id=None,
        name=to.name,
        currency=to.currency,
        starts_on=start,
        trial_until=None if trial_until is None else day(trial_until),
        proration_behavior=mode,
        version=1,
        plan_id=to.plan_id,
        is_paused=False,
        ends_on=None if ends_on is None else day(ends_on),
        is_cancelled=False,
        billed_until=start,
        emitted_until=date.fromordinal(start.toordinal() - 1),
        next_run_on=start,
        created_at=NOW,
        updated_at=NOW,
    )
    chain = Chain(subscription=subscription, versions=())
    plans = [to, *others]
    facts = BillingFacts(
        prices={one.id: one for one in prices},
        plans={(one.plan_id, one.version): one for one in plans},
        newest={one.plan_id: one for one in plans},
        discount_percent=D(discount),
        grace_days=grace_days,
    )
    chain = replace(chain, versions=(new_version(chain, "assigned", start, terms, NOW),))
    return Life(with_dates(chain, facts, chain.timeline, upcoming_of(chain, facts, chain.timeline)), facts)


def of_price(amount: str, starts_on: str | date, mode: ProrationBehavior = NEXT_INVOICE, **others: Any) -> Life:
    """A subscription to one price a month."""
    only = price(amount)
    return subscribed(plan(only), [only], starts_on, mode, **others)
