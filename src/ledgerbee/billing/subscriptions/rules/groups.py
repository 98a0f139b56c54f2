"""What of a subscription falls due next, and when a run has to look at it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from ledgerbee.billing.charges.model import Charge, ChargeKind, DuePeriod
from ledgerbee.billing.charges.rules import (
    next_recurring,
    next_usage,
)
from ledgerbee.billing.subscriptions.model import (
    BillingSchedule,
    Subscription,
)
from ledgerbee.billing.subscriptions.rules.chain import BillingFacts, Chain
from ledgerbee.billing.timelines.model import (
    Cadence,
    Span,
    Timeline,
)
from ledgerbee.catalog.prices.model import BillingInterval, BillingPeriodType
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ONE, ZERO

_FEWEST_DAYS: Final = {
    BillingInterval.DAY: 1,
    BillingInterval.WEEK: 7,
    BillingInterval.MONTH: 28,
    BillingInterval.YEAR: 365,
}


@dataclass(frozen=True, slots=True)
class DueGroup:
    """What falls due on one day: a period of the recurring prices, of usage prices, prices that come once.

    `ready_on` is when it may be billed: after the grace time for late usage, where usage is among it.
    """

    on: date
    ready_on: date
    recurring: DuePeriod | None
    usage: Mapping[UUID, DuePeriod]
    once: tuple[UUID, ...]

    @property
    def is_period(self) -> bool:
        """Whether a period is billed, and not only what comes once."""
        return self.recurring is not None or bool(self.usage)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What is billed next of each kind of price, each by its own billing date."""

    recurring: DuePeriod | None
    usage: Mapping[UUID, DuePeriod]
    once: Mapping[UUID, date]


def upcoming_of(chain: Chain, facts: BillingFacts, timeline: Timeline) -> Upcoming:
    """What is billed next of a chain."""
    recurring = facts.of_type(BillingPeriodType.RECURRING)
    return Upcoming(
        recurring=next_recurring(timeline, chain.subscription.billed_until, recurring),
        usage=dict(_next_usages(chain, facts, timeline)),
        once=dict(_unbilled_once(chain, facts, timeline)),
    )


def group_of(upcoming: Upcoming, facts: BillingFacts) -> DueGroup | None:
    """What is billed first of it; None when there is nothing left."""
    recurring, usage, once = upcoming.recurring, upcoming.usage, upcoming.once
    days = [*(due.due_on for due in (recurring, *usage.values()) if due is not None), *once.values()]
    if not days:
        return None
    on = min(days)
    usage_now = {price_id: due for price_id, due in usage.items() if due.due_on == on}
    return DueGroup(
        on=on,
        ready_on=on + timedelta(days=facts.grace_days) if usage_now else on,
        recurring=recurring if recurring is not None and recurring.due_on == on else None,
        usage=usage_now,
        once=tuple(price_id for price_id, day in once.items() if day == on),
    )


def next_group(chain: Chain, facts: BillingFacts, timeline: Timeline | None = None) -> DueGroup | None:
    """What is billed next of a chain; None when there is nothing left."""
    return group_of(upcoming_of(chain, facts, chain.timeline if timeline is None else timeline), facts)


def count_due_periods(chain: Chain, facts: BillingFacts, as_of: date, limit: int) -> int:
    """How many billing dates with a period a chain has up to `as_of`, counted up to `limit`; changes left aside."""
    count = 0
    timeline = chain.timeline
    while count < limit:
        group = next_group(chain, facts, timeline)
        if group is None or group.ready_on > as_of:
            break
        count += group.is_period
        chain = passed(chain, facts, group)
        once = [new_charge(chain, price_id, ChargeKind.ONE_TIME, Span(group.on, group.on)) for price_id in group.once]
        chain = replace(chain, charges=(*chain.charges, *once))
    return count


def is_behind(chain: Chain, facts: BillingFacts, as_of: date, periods: int) -> bool:
    """Whether a chain has more than so many due periods. Most have none: then they are not counted one by one."""
    if _most_periods(chain, facts, as_of) <= periods:
        return False
    return count_due_periods(chain, facts, as_of, periods + 1) > periods


def _most_periods(chain: Chain, facts: BillingFacts, as_of: date) -> int:
    """No fewer than the billing dates of a chain up to a day, without looking at each."""
    since = [(chain.subscription.billed_until, version.terms.grid.cadence) for version in chain.versions]
    for price_id, schedule in chain.schedules.items():
        price = facts.prices[price_id]
        if schedule.billing_period_type is BillingPeriodType.USAGE and price.billing_interval is not None:
            cadence = Cadence(price.billing_interval, price.billing_interval_count or 1)
            since.append((schedule.billed_until, cadence))
    # Days that are billed ahead take nothing off: other prices may be behind.
    return sum(
        max((as_of - day).days, 0) // (_FEWEST_DAYS[cadence.interval] * cadence.count) + 2 for day, cadence in since
    )


def _run_on(chain: Chain, group: DueGroup | None) -> date | None:
    """When a run has to look at the chain next: for a bill, a change, or to emit a start or an end."""
    subscription = chain.subscription
    if subscription.awaits_payment:  # and then every day, until it is paid
        return subscription.starts_on
    days = [change.effective_on for change in chain.changes]
    days += [day for day, _ in moments(chain) if day > subscription.emitted_until]
    if group is not None:
        days.append(group.ready_on)
    if group is None and subscription.ends_on is not None and any(charge.waits for charge in chain.charges):
        days.append(subscription.ends_on)
    return min(days, default=None)


def moments(chain: Chain) -> Iterator[tuple[date, str]]:
    """The days on which a subscription starts, ends its trial, and ends; none of one that ended before it began, or has
    to be paid for before it does."""
    subscription = chain.subscription
    end = subscription.ends_on
    if subscription.awaits_payment or (end is not None and end <= subscription.starts_on):
        return
    yield subscription.starts_on, "started"
    if subscription.trial_until is not None and (end is None or subscription.trial_until < end):
        yield subscription.trial_until, "trial_ended"
    if end is not None:
        yield end, "churned"


def _next_usages(chain: Chain, facts: BillingFacts, timeline: Timeline) -> Iterator[tuple[UUID, DuePeriod]]:
    metered = facts.of_type(BillingPeriodType.USAGE)
    for price_id in dict.fromkeys(item.price_id for segment in timeline for item in segment.terms.items):
        if price_id not in metered:
            continue
        price = facts.prices[price_id]
        assert price.billing_interval is not None
        schedule = chain.schedules.get(price_id)
        billed_until = chain.subscription.starts_on if schedule is None else schedule.billed_until
        cadence = Cadence(price.billing_interval, price.billing_interval_count or 1)
        due = next_usage(timeline, billed_until, price_id, cadence)
        if due is not None:
            yield price_id, due


def _unbilled_once(chain: Chain, facts: BillingFacts, timeline: Timeline) -> Iterator[tuple[UUID, date]]:
    """Prices that come once and were not charged, with the first day on which the subscription has them."""
    once = facts.of_type(BillingPeriodType.ONE_TIME)
    charged = {charge.price_id for charge in chain.charges if charge.kind is ChargeKind.ONE_TIME}
    seen: set[UUID] = set(charged)
    for segment in timeline:
        for item in segment.terms.items:
            if item.price_id in once and item.price_id not in seen:
                seen.add(item.price_id)
                yield item.price_id, segment.start


#: Days from the invoice of a subscription that is paid for first to the one on which it is given up.
PAY_WITHIN: Final = timedelta(days=7)


def awaiting(subscription: Subscription, invoice_id: UUID, today: date) -> Subscription:
    """A subscription that begins when an invoice of today is paid: within a week, and before it ends."""
    end = subscription.ends_on
    pay_by = today + PAY_WITHIN
    return replace(subscription, first_invoice_id=invoice_id, pay_by=pay_by if end is None else min(pay_by, end))


def passed(chain: Chain, facts: BillingFacts, group: DueGroup) -> Chain:
    """The chain with a group's periods behind it."""
    subscription, schedules = chain.subscription, dict(chain.schedules)
    if group.recurring is not None:
        subscription = replace(subscription, billed_until=group.recurring.until)
    for price_id, due in group.usage.items():
        schedules[price_id] = schedule_of(chain, price_id, facts, due.until)
    return replace(chain, subscription=subscription, schedules=schedules)


def schedule_of(chain: Chain, price_id: UUID, facts: BillingFacts, billed_until: date) -> BillingSchedule:
    earlier = chain.schedules.get(price_id)
    return BillingSchedule(
        subscription_id=chain.subscription.id,
        price_id=price_id,
        billing_period_type=facts.prices[price_id].billing_period_type,
        billed_until=billed_until,
        next_billing_date=None,
        carried=ZERO if earlier is None else earlier.carried,
    )


def new_charge(chain: Chain, price_id: UUID, kind: ChargeKind, period: Span, **others: Any) -> Charge:
    values = {"service": period, "quantity": ONE, "period_amount": ZERO, "net": ZERO, **others}
    return Charge(
        id=new_id(), subscription_id=chain.subscription.id, price_id=price_id, kind=kind, period=period, **values
    )


def schedules_of(
    chain: Chain, facts: BillingFacts, timeline: Timeline, upcoming: Upcoming
) -> dict[UUID, BillingSchedule]:
    """Where the billing of each price stands now; `upcoming` is what is billed next.

    With usage that may still come late all that is due on its day waits for the time of grace (`group_of`).
    """
    recurring = upcoming.recurring
    following_recurring = {} if recurring is None else {part.price_id: recurring.due_on for part in recurring.parts}
    usage_days = {due.due_on for due in upcoming.usage.values()}
    grace = timedelta(days=facts.grace_days)
    schedules = {}
    for price_id in dict.fromkeys(
        [*(item.price_id for segment in timeline for item in segment.terms.items), *chain.schedules]
    ):
        kind = facts.prices[price_id].billing_period_type
        earlier = chain.schedules.get(price_id)
        billed_until = chain.subscription.billed_until
        if kind is BillingPeriodType.USAGE:
            billed_until = chain.subscription.starts_on if earlier is None else earlier.billed_until
            due = upcoming.usage.get(price_id)
            following = None if due is None else due.due_on
        elif kind is BillingPeriodType.ONE_TIME:
            following = upcoming.once.get(price_id)
        else:
            following = following_recurring.get(price_id)
        schedules[price_id] = BillingSchedule(
            subscription_id=chain.subscription.id,
            price_id=price_id,
            billing_period_type=kind,
            billed_until=billed_until,
            next_billing_date=following + grace if following in usage_days else following,
            carried=ZERO if earlier is None else earlier.carried,
        )
    return schedules


def with_dates(chain: Chain, facts: BillingFacts, timeline: Timeline, upcoming: Upcoming) -> Chain:
    """The chain with its schedules, and with the day on which a run has to look at it next."""
    schedules = schedules_of(chain, facts, timeline, upcoming)
    subscription = replace(chain.subscription, next_run_on=_run_on(chain, group_of(upcoming, facts)))
    return replace(chain, schedules=schedules, subscription=subscription)
