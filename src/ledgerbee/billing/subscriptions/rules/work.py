"""A subscription on its way to a day: bills, changes, late usage, starts and ends. Pure."""

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.billing.charges.model import Bill, BilledCharge, Charge, ChargeKind, DuePeriod
from ledgerbee.billing.charges.rules import (
    Settlement,
    billed_charges,
    left_of,
    price_for_period,
    settle,
    share_of,
    within_left,
    without_void,
)
from ledgerbee.billing.subscriptions.model import (
    SUBSCRIPTION_INVALID_STATE,
    BillingSchedule,
    ChangeStatus,
    ChangeType,
    FirstPayment,
    RefundBehavior,
    ScheduledChange,
    SubscriptionFields,
    VersionRow,
)
from ledgerbee.billing.subscriptions.rules.applying import TOPICS, NewTerms, day_of, terms_after
from ledgerbee.billing.subscriptions.rules.chain import Advanced, BillingFacts, Chain, ChainEvent, UsageOf
from ledgerbee.billing.subscriptions.rules.groups import (
    DueGroup,
    Upcoming,
    group_of,
    moments,
    new_charge,
    passed,
    upcoming_of,
    with_dates,
)
from ledgerbee.billing.subscriptions.rules.status import status_on
from ledgerbee.billing.timelines.model import (
    Grid,
    ProrationBehavior,
    Span,
    Terms,
    Timeline,
)
from ledgerbee.billing.timelines.rules import period_at, segment_on
from ledgerbee.catalog.prices.model import BillingPeriodType
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ZERO, round_money, total

#: Why a subscription that was not paid for has expired, in its `subscription.error`, where no decline was the reason.
NOT_PAID_IN_TIME: Final = "not_paid_in_time"


@dataclass
class Work:
    """A chain on its way, with what came of it so far."""

    chain: Chain
    facts: BillingFacts
    now: datetime
    #: Counts late usage.
    usage_of: UsageOf
    #: Changes whose refusal is the caller's.
    given: Collection[UUID] = ()
    versions: list[VersionRow] = field(default_factory=list)
    changes: list[ScheduledChange] = field(default_factory=list)
    charges: dict[UUID, Charge] = field(default_factory=dict)
    bills: list[Bill] = field(default_factory=list)
    events: list[ChainEvent] = field(default_factory=list)
    refund_behavior: RefundBehavior | None = None
    gives_up_first: bool = False
    #: Whether it began with a payment, from when on its usage counts.
    has_begun: bool = False
    #: Charges of usage that is counted at the end, by the charge's id, in the order in which they were made.
    uncounted: dict[UUID, Sequence[Span]] = field(default_factory=dict)
    _known: tuple[tuple[object, ...], Timeline, Upcoming] | None = None

    @property
    def currency(self) -> str:
        return self.chain.subscription.currency

    def upcoming(self) -> tuple[Timeline, Upcoming]:
        """The timeline as it is now, and what is billed next; computed again where either may be another one."""
        chain = self.chain
        subscription = chain.subscription
        now = (chain.versions, subscription.ends_on, subscription.billed_until, chain.schedules, len(chain.charges))
        if self._known is None or any(one is not other for one, other in zip(now, self._known[0], strict=True)):
            timeline = chain.timeline
            self._known = now, timeline, upcoming_of(chain, self.facts, timeline)
        return self._known[1], self._known[2]

    def next_group(self) -> DueGroup | None:
        """What is billed next."""
        return group_of(self.upcoming()[1], self.facts)

    def result(self) -> Advanced:
        """What became of the chain; its usage is counted (`count_usage`)."""
        chain = with_dates(self.chain, self.facts, *self.upcoming())
        return Advanced(
            chain=replace(chain, subscription=replace(chain.subscription, updated_at=self.now)),
            versions=tuple(self.versions),
            changes=tuple(self.changes),
            charges=tuple(self.charges.values()),
            bills=tuple(self.bills),
            events=tuple(self.events),
            refund_behavior=self.refund_behavior,
            gives_up_first=self.gives_up_first,
        )

    # The first payment

    def is_paid_for(self, as_of: date, *, may_bill: bool) -> bool:
        """Go on with a chain that begins when it is paid for, up to a day; whether all else may go on.

        | first invoice | what becomes of the chain |
        | --- | --- |
        | none, before its first day | changes that are given are carried out |
        | none, from its first day on | that day is billed; where nothing is to be paid, it begins |
        | paid | it begins |
        | not paid, a cancellation is given | it is cancelled, and so is the invoice |
        | being charged | it waits, whatever the day |
        | declined, or it is `pay_by` | it has expired, and the invoice is credited |
        | not paid, otherwise | it waits |

        Changes that are due wait with it.
        """
        subscription, payment = self.chain.subscription, self.chain.first_payment
        if subscription.first_invoice_id is None:
            self._bill_first(as_of, may_bill=may_bill)
        elif payment is FirstPayment.PAID:
            self._start()
        elif any(change.id in self.given for change in self.chain.changes):
            self._apply_given()
        elif payment is not FirstPayment.CHARGING:
            is_too_late = subscription.pay_by is not None and as_of >= subscription.pay_by
            if payment is FirstPayment.DECLINED or is_too_late:
                self._expire(payment)
        return not self.chain.subscription.awaits_payment

    def _bill_first(self, as_of: date, *, may_bill: bool) -> None:
        starts_on = self.chain.subscription.starts_on
        self._apply_given()
        if not self.chain.subscription.awaits_payment or as_of < starts_on or not may_bill:
            return
        for change in self.chain.changes:
            if change.effective_on <= starts_on:
                self.apply(change)
        group = self.next_group()
        if group is not None and group.on == starts_on:
            self.bill(group)
        if not self.bills:
            self._start()

    def _apply_given(self) -> None:
        for change in self.chain.changes:
            if change.id in self.given:
                self.apply(change)

    def _start(self) -> None:
        """Begin, with the period as it stands."""
        subscription = self.chain.subscription
        emitted_until = max(subscription.emitted_until, subscription.starts_on)
        begun = replace(subscription, awaits_payment=False, emitted_until=emitted_until)
        self.chain = replace(self.chain, subscription=begun)
        self.has_begun = True
        self._emit("started")

    def _expire(self, payment: FirstPayment) -> None:
        """End it without a day: it was not paid for in time. Of a decline `subscription.error` was emitted by then."""
        invoice_id = self.chain.subscription.first_invoice_id
        self._give_up()
        subscription = self.chain.subscription
        ended = replace(subscription, ends_on=subscription.starts_on, is_cancelled=False)
        self.chain = replace(self.chain, subscription=ended)
        self._append_version("expired", day=subscription.starts_on, terms=self.chain.versions[-1].terms)
        if payment is not FirstPayment.DECLINED:
            self._emit("error", errorType="charge_failed", invoiceId=str(invoice_id), code=NOT_PAID_IN_TIME)
        self._emit("churned")

    def _give_up(self) -> None:
        """Wait no longer for its payment: its invoice, if there is one, is credited in full, and changes that wait are
        cancelled."""
        subscription = self.chain.subscription
        self.gives_up_first = subscription.first_invoice_id is not None
        given = [change for change in self.chain.changes if change.id in self.given]
        self.changes += [
            replace(change, status=ChangeStatus.CANCELLED, updated_at=self.now)
            for change in self.chain.changes
            if change not in given
        ]
        waiting = replace(subscription, awaits_payment=False)
        self.chain = replace(self.chain, subscription=waiting, changes=tuple(given))

    # Bills

    def bill(self, group: DueGroup) -> None:
        """Charge what falls due on a day."""
        charges = [self._once(price_id, group.on) for price_id in group.once]
        takes_waiting = group.recurring is not None
        if group.recurring is not None:
            due = group.recurring
            recurring = list(self._recurring(due))
            if due.starts_late and not due.is_arrears and due.proration is ProrationBehavior.CREATE_PRORATIONS:
                recurring = [replace(charge, waits=bool(charge.net)) for charge in recurring]
                takes_waiting = False
                self._keep(recurring)
            else:
                charges += recurring
        charges += [self._usage(price_id, due) for price_id, due in group.usage.items()]
        self.chain = passed(self.chain, self.facts, group)
        takes_waiting = takes_waiting or (bool(group.usage) and self._next_recurring() is None)
        self._bill(group.on, charges, takes_waiting=takes_waiting)

    def _next_recurring(self) -> DuePeriod | None:
        return self.upcoming()[1].recurring

    def _bill(
        self, on: date, charges: list[Charge], *, takes_waiting: bool, is_refund: bool = False, nets: bool = False
    ) -> None:
        waiting = [replace(one, waits=False) for one in self.chain.charges if one.waits] if takes_waiting else []
        self._keep([*waiting, *charges])
        billed = without_void([*waiting, *charges])
        if any(one.is_credit for one in waiting):
            chain = self.chain
            billed = within_left(billed, chain.charges, chain.credited_by_notes, chain.given_up)
            self._keep(billed)
        if any(charge.net or charge.id in self.uncounted for charge in billed):
            self.bills.append(Bill(on, tuple(billed), is_refund, nets))

    def _keep(self, charges: list[Charge]) -> None:
        new = {charge.id: charge for charge in charges}
        self.charges |= new
        known = {charge.id: charge for charge in self.chain.charges} | new
        self.chain = replace(self.chain, charges=tuple(known.values()))

    def _recurring(self, due: DuePeriod) -> Iterator[Charge]:
        # A change that a late start came with may have said what becomes of it; an end is as the subscription says.
        behavior = due.proration if due.starts_late else self.chain.subscription.proration_behavior
        is_given_away = due.is_partial and not due.is_arrears and behavior is ProrationBehavior.NONE
        for part in due.parts:
            amount = ZERO if is_given_away else self._price(part.price_id, part.quantity)
            yield new_charge(
                self.chain,
                part.price_id,
                ChargeKind.RECURRING,
                due.period,
                service=part.span,
                quantity=part.quantity,
                period_amount=amount,
                discount_percent=self.facts.discount_percent,
                net=share_of(amount, part.span, due.period, self.currency),
                part=(part.span.start - due.period.start).days,
                change_id=due.restarted_by,
            )

    def _once(self, price_id: UUID, on: date) -> Charge:
        items = {item.price_id: item for segment in self.chain.timeline for item in segment.terms.items}
        quantity = items[price_id].quantity
        amount = self._price(price_id, quantity)
        day = Span(on, on + timedelta(days=1))
        return replace(
            new_charge(self.chain, price_id, ChargeKind.ONE_TIME, day),
            period=Span(self.chain.subscription.starts_on, self.chain.subscription.starts_on),
            quantity=quantity,
            period_amount=amount,
            discount_percent=self.facts.discount_percent,
            net=round_money(amount, self.currency),
        )

    def _usage(self, price_id: UUID, due: DuePeriod) -> Charge:
        """A period's usage, which is counted at the end."""
        spans = [part.span for part in due.parts]
        charge = new_charge(
            self.chain,
            price_id,
            ChargeKind.USAGE,
            due.period,
            service=Span(spans[0].start, spans[-1].end),
            discount_percent=self.facts.discount_percent,
            change_id=due.restarted_by,
        )
        self.uncounted[charge.id] = spans
        return charge

    def count_usage(self, usage_of: UsageOf) -> None:
        """Charge usage as it was counted. Nothing else depends on it but which bills there are."""
        if not self.uncounted:
            return
        counted = {
            charge_id: self._counted(self.charges[charge_id], spans, usage_of)
            for charge_id, spans in self.uncounted.items()
        }
        self.uncounted = {}
        self._keep(list(counted.values()))
        bills = [
            replace(bill, charges=tuple(counted.get(charge.id, charge) for charge in bill.charges))
            for bill in self.bills
        ]
        self.bills = [bill for bill in bills if any(charge.net for charge in bill.charges)]

    def _counted(self, charge: Charge, spans: Sequence[Span], usage_of: UsageOf) -> Charge:
        """A period's usage. What is below zero costs nothing and is taken off the next period."""
        price_id = charge.price_id
        counted = usage_of(price_id, spans)
        schedule = self.chain.schedules[price_id]
        taken = EXACT.add(counted.quantity, schedule.carried)
        if min(taken, ZERO) != schedule.carried:
            self._carry(schedule, min(taken, ZERO))
        quantity = max(taken, ZERO)
        amount = self._price(price_id, quantity)
        return replace(
            charge,
            quantity=quantity,
            period_amount=amount,
            net=round_money(amount, self.currency),
            events=counted.events,
            carried=EXACT.subtract(quantity, counted.quantity),
        )

    def _carry(self, schedule: BillingSchedule, carried: Decimal) -> None:
        kept = {**self.chain.schedules, schedule.price_id: replace(schedule, carried=carried)}
        self.chain = replace(self.chain, schedules=kept)

    def _price(self, price_id: UUID, quantity: Decimal) -> Decimal:
        return price_for_period(self.facts.prices[price_id], quantity, self.facts.discount_percent)

    # Late usage

    def charge_late_usage(self) -> None:
        """Charge or credit what late events make of billed periods: on the next invoice (decisions "Usage")."""
        for charge_id in self.chain.late:
            first = next(charge for charge in self.chain.charges if charge.id == charge_id)
            unbilled = {charge.id for charge in self.chain.charges if charge.waits}
            differences = self._differences(first)
            at_once = [one for one in differences if self._is_refunded_at_once(one, unbilled)]
            self._keep([replace(one, waits=bool(one.net)) for one in differences if one not in at_once])
            self._bill(first.service.end, at_once, takes_waiting=False, is_refund=True)
        self.chain = replace(self.chain, late=())

    def _is_refunded_at_once(self, difference: Charge, unbilled: Container[UUID | None]) -> bool:
        """Whether a credit is of what is invoiced, and the subscription has credits leave at once."""
        is_at_once = self.chain.subscription.proration_behavior is ProrationBehavior.ALWAYS_INVOICE
        return is_at_once and difference.is_credit and difference.credits_charge_id not in unbilled

    def _differences(self, first: Charge) -> list[Charge]:
        """What a period's usage comes to by now, less all that was charged and credited for it.

        What is below zero is taken off the next period; usage that comes late for more than was billed takes what is
        still to be taken off first, as the next period would, and then what later periods took off is charged there.
        No more is credited than what is left of what was billed.
        """
        billed = billed_usage(self.chain.charges, first)
        counted = self.usage_of(first.price_id, spans_of(self.chain, first))
        before = total([one.quantity for one in billed])
        left_to_next = total([one.carried for one in billed])
        taken = EXACT.add(counted.quantity, left_to_next)
        rise = max(EXACT.subtract(taken, before), ZERO)
        schedule = self.chain.schedules[first.price_id]
        taken_off = min(rise, -schedule.carried)
        later, given_back = self._not_taken_off(first, min(EXACT.subtract(rise, taken_off), max(left_to_next, ZERO)))
        taken = EXACT.subtract(EXACT.subtract(taken, taken_off), given_back)
        quantity = max(taken, ZERO)
        changed = EXACT.subtract(EXACT.subtract(quantity, taken), taken_off)
        self._carry(schedule, EXACT.subtract(schedule.carried, changed))
        carried = EXACT.subtract(changed, given_back)
        events = counted.events - sum(one.events for one in billed)
        return [*self._difference(billed, EXACT.subtract(quantity, before), events, carried), *later]

    def _not_taken_off(self, first: Charge, most: Decimal) -> tuple[list[Charge], Decimal]:
        """Differences of later periods, the newest first, that took off what a period had left to them and has by now;
        and how much that is."""
        found: list[Charge] = []
        rest = most
        for other in reversed(self.chain.charges):
            is_later = other.price_id == first.price_id and other.service.start >= first.service.end
            if rest and is_later and other.kind is ChargeKind.USAGE:
                billed = billed_usage(self.chain.charges, other)
                back = min(rest, max(-total([one.carried for one in billed]), ZERO))
                rest = EXACT.subtract(rest, back)
                found += self._difference(billed, back, 0, back)
        return found, EXACT.subtract(most, rest)

    def _difference(self, billed: Sequence[Charge], more: Decimal, events: int, carried: Decimal) -> list[Charge]:
        """The charge, or the credits, of so much more usage in a period than it was billed by."""
        first = billed[0]
        quantity = total([more, *(one.quantity for one in billed)])
        amount = round_money(self._price(first.price_id, quantity), self.currency)
        net = EXACT.subtract(amount, total([one.net for one in billed]))
        difference = replace(
            first,
            id=new_id(),
            kind=ChargeKind.USAGE_DIFFERENCE,
            part=len(billed) - 1,
            quantity=more,
            period_amount=net,
            net=net,
            events=events,
            carried=carried,
            invoice_id=None,
            invoice_line_id=None,
        )
        if not (events or more or carried or net):
            return []
        return [difference] if net >= 0 else list(self._taken_back(difference, billed))

    def _taken_back(self, difference: Charge, billed: Sequence[Charge]) -> Iterator[Charge]:
        """A difference below zero as credits of charges that have something left, the newest first."""
        wanted = -difference.net
        rest = replace(difference, period_amount=ZERO, net=ZERO)
        for charge in reversed(billed):
            amount = min(wanted, left_of(charge, self.chain.charges, self.chain.credited_by_notes))
            if amount > 0:
                wanted = EXACT.subtract(wanted, amount)
                yield replace(rest, period_amount=-amount, net=-amount, credits_charge_id=charge.id)
                rest = replace(rest, id=new_id(), part=rest.part + 1, quantity=ZERO, events=0, carried=ZERO)
        if rest.part == difference.part:
            yield rest

    # Changes

    def apply(self, change: ScheduledChange) -> None:
        """Carry out a change on its day; one that is not possible any more has failed."""
        try:
            self._apply(change)
            ended = replace(change, status=ChangeStatus.APPLIED, updated_at=self.now)
        except LedgerBeeError as fault:
            if change.id in self.given:
                raise
            ended = replace(change, status=ChangeStatus.FAILED, failure=fault.code, updated_at=self.now)
            self._emit("error", errorType="change_failed", changeId=str(change.id), code=fault.code)
        self.changes.append(ended)
        self.chain = replace(self.chain, changes=tuple(one for one in self.chain.changes if one.id != change.id))

    def _apply(self, change: ScheduledChange) -> None:
        if change.type is ChangeType.CANCEL:
            self._end(change)
            return
        before = self.chain
        segment = segment_on(before.timeline, day_of(before, change))
        if segment is None:
            raise SUBSCRIPTION_INVALID_STATE.in_state(status_on(before.subscription, change.effective_on).value)
        new = terms_after(before, segment.terms, change, self.facts)
        behavior = change.proration_behavior or before.subscription.proration_behavior
        if self._recurs(new.terms) and not self._recurs(segment.terms) and not segment.is_trial:
            # What begins with the change in mid-period begins as the change says.
            new = replace(new, terms=replace(new.terms, proration=behavior))
        if new.terms == segment.terms:  # carried out, and nothing is another one: there is nothing to tell or to bill
            return
        self._add_version(change, day=day_of(before, change), terms=new.terms)
        self._settle(before, segment.terms, change, new, behavior)
        self._emit(TOPICS[change.type], changeId=str(change.id))

    def _recurs(self, terms: Terms) -> bool:
        """Whether days under these terms cost something that recurs."""
        recurring = self.facts.of_type(BillingPeriodType.RECURRING)
        return not terms.is_paused and any(item.price_id in recurring for item in terms.items)

    def _settle(
        self, before: Chain, old: Terms, change: ScheduledChange, new: NewTerms, behavior: ProrationBehavior
    ) -> None:
        """Charge and credit what a change makes of the days that are billed already."""
        day, billed_until = day_of(before, change), before.subscription.billed_until
        if day >= billed_until:
            return
        if new.restarts:
            self.chain = replace(self.chain, subscription=replace(self.chain.subscription, billed_until=day))
        # Whoever begins a period anew and doesn't say otherwise pays no day twice (decisions "Periods").
        if behavior is ProrationBehavior.NONE and (change.proration_behavior is not None or not new.restarts):
            return
        items = () if new.terms.is_paused or new.restarts else new.terms.items
        end = before.subscription.ends_on
        window = Span(day, billed_until if end is None else min(billed_until, end))
        recurring = self.facts.of_type(BillingPeriodType.RECURRING)
        wanted = [item for item in items if item.price_id in recurring]
        settlement = settle(self._billed(before, old.grid), wanted, window, self.currency)
        charges = list(self._prorated(settlement, change, new.terms))
        if behavior is ProrationBehavior.ALWAYS_INVOICE and not self._is_billed_on(day):
            self._bill(day, charges, takes_waiting=True, nets=True)
        else:
            self._keep([replace(charge, waits=bool(charge.net)) for charge in charges])

    def _is_billed_on(self, day: date) -> bool:
        """Whether an invoice comes on that very day: of the period that begins anew."""
        due = self._next_recurring()
        return due is not None and due.due_on == day

    def _billed(self, chain: Chain, grid: Grid) -> list[BilledCharge]:
        """What was billed of the periods of a grid; what was billed before it began anew stays as it is."""
        return [
            one
            for one in billed_charges(chain.charges, chain.credited_by_notes)
            if period_at(grid, one.charge.period.start) == one.charge.period
        ]

    def _prorated(self, settlement: Settlement, change: ScheduledChange, terms: Terms) -> Iterator[Charge]:
        numbers: dict[UUID, int] = {}
        for credit in settlement.credits:
            number = numbers[credit.charge.id] = numbers.get(credit.charge.id, -1) + 1
            yield replace(
                credit.charge,
                id=new_id(),
                kind=ChargeKind.PRORATION,
                service=credit.service,
                net=-credit.amount,
                part=number,
                change_id=change.id,
                credits_charge_id=credit.charge.id,
                waits=False,
                invoice_id=None,
                invoice_line_id=None,
            )
        for part in settlement.parts:
            number = numbers[part.price_id] = numbers.get(part.price_id, -1) + 1
            period = period_at(terms.grid, part.span.start)
            amount = self._price(part.price_id, part.quantity)
            yield new_charge(
                self.chain,
                part.price_id,
                ChargeKind.PRORATION,
                period,
                service=part.span,
                quantity=part.quantity,
                period_amount=amount,
                discount_percent=self.facts.discount_percent,
                net=share_of(amount, part.span, period, self.currency),
                part=number,
                change_id=change.id,
            )

    def _end(self, change: ScheduledChange) -> None:
        """End the subscription on the change's day, and give back what was asked for."""
        is_unpaid = self.chain.subscription.awaits_payment
        if is_unpaid:
            self._give_up()
        before = self.chain
        day = before.subscription.starts_on if is_unpaid else day_of(before, change)
        if before.subscription.ends_on is not None and before.subscription.ends_on < day:
            raise SUBSCRIPTION_INVALID_STATE.in_state(status_on(before.subscription, day).value)
        subscription = replace(before.subscription, ends_on=day, is_cancelled=True)
        self.chain = replace(before, subscription=subscription)
        last = before.versions[-1]
        self._add_version(change, day=day, terms=last.terms)
        # One that ends before it began has no day on which that is told later.
        if day <= max(subscription.emitted_until, subscription.starts_on):
            self._emit("churned")
        if is_unpaid:
            return
        self.refund_behavior = RefundBehavior(change.payload.get("refundBehavior", RefundBehavior.NONE))
        if self.refund_behavior is not RefundBehavior.PRORATED or day >= before.subscription.billed_until:
            return
        billed = self._billed(before, last.terms.grid)
        window = Span(day, before.subscription.billed_until)
        credits_ = list(self._prorated(settle(billed, (), window, self.currency), change, last.terms))
        unbilled = {charge.id for charge in before.charges if charge.waits}
        waiting = [one for one in credits_ if one.credits_charge_id in unbilled]
        self._keep([replace(one, waits=bool(one.net)) for one in waiting])
        self._bill(day, [one for one in credits_ if one not in waiting], takes_waiting=False, is_refund=True)

    def _add_version(self, change: ScheduledChange, *, day: date, terms: Terms) -> None:
        self._append_version(change.type.value, day=day, terms=terms, change_id=change.id)

    def _append_version(self, reason: str, *, day: date, terms: Terms, change_id: UUID | None = None) -> None:
        subscription = self.chain.subscription
        version = new_version(self.chain, reason, day, terms, self.now, change_id=change_id)
        self.versions.append(version)
        self.chain = replace(
            self.chain,
            versions=(*self.chain.versions, version),
            subscription=replace(
                subscription, version=version.number, plan_id=terms.plan_id, is_paused=terms.is_paused
            ),
        )

    # Ends

    def settle_end(self, as_of: date) -> None:
        """Bill or credit what still waits when the subscription has ended and nothing else is billed."""
        end = self.chain.subscription.ends_on
        if end is not None and end <= as_of and self.next_group() is None:
            self._bill(end, [], takes_waiting=True, nets=True)

    def emit_until(self, as_of: date) -> None:
        """Emit the events of starts, ends of trials and ends up to a day."""
        subscription = self.chain.subscription
        for day, topic in moments(self.chain):
            if subscription.emitted_until < day <= as_of:
                self._emit(topic)
        self.chain = replace(
            self.chain, subscription=replace(subscription, emitted_until=max(subscription.emitted_until, as_of))
        )

    def _emit(self, topic: str, **details: str) -> None:
        self.events.append(ChainEvent(topic=topic, version_id=self.chain.versions[-1].id, details=details))


def spans_of(chain: Chain, charge: Charge) -> list[Span]:
    """The days of a period on which usage of the price counts; those of its own grid, where another one began."""
    return [
        Span(max(segment.start, charge.period.start), min(segment.end or charge.period.end, charge.period.end))
        for segment in chain.timeline
        if segment.is_billed
        and segment.terms.restarted_by == charge.change_id
        and any(item.price_id == charge.price_id for item in segment.terms.items)
        and segment.start < charge.period.end
        and (segment.end is None or segment.end > charge.period.start)
    ]


def billed_usage(charges: Iterable[Charge], first: Charge) -> list[Charge]:
    """What a period's usage was billed by: its first charge, and the differences since."""
    return [first, *(one for one in charges if _is_difference_of(one, first))]


def _is_difference_of(charge: Charge, first: Charge) -> bool:
    """Whether it is of the same period's usage, and came later."""
    return charge.kind is ChargeKind.USAGE_DIFFERENCE and (
        (charge.price_id, charge.period, charge.change_id) == (first.price_id, first.period, first.change_id)
    )


def new_version(
    chain: Chain, reason: str, day: date, terms: Terms, now: datetime, *, change_id: UUID | None = None
) -> VersionRow:
    """The next version of a chain, with its fields as they are now."""
    subscription = chain.subscription
    grid = terms.grid
    return VersionRow(
        **fields_of(subscription, SubscriptionFields),
        id=new_id(),
        subscription_id=subscription.id,
        number=len(chain.versions) + 1,
        reason=reason,
        effective_on=day,
        ends_on=subscription.ends_on,
        is_cancelled=subscription.is_cancelled,
        plan_id=terms.plan_id,
        plan_version=terms.plan_version,
        billing_direction=terms.direction,
        billing_interval=grid.cadence.interval,
        billing_interval_count=grid.cadence.count,
        anchor=grid.anchor,
        anchor_day=grid.anchor_day,
        proration=terms.proration,
        is_paused=terms.is_paused,
        restarted_by=terms.restarted_by,
        price_ids=[item.price_id for item in terms.items],
        quantities=[item.quantity for item in terms.items],
        change_id=change_id,
        created_at=now,
    )
