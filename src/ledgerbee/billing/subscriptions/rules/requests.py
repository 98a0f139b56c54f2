"""What may be asked for of a subscription, and what becomes of one that is asked for. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from ledgerbee.billing.charges.model import Charge, ChargeKind
from ledgerbee.billing.charges.rules import price_for_period, share_of
from ledgerbee.billing.plans.model import PlanVersion
from ledgerbee.billing.subscriptions.model import (
    SUBSCRIPTION_INVALID_STATE,
    SUBSCRIPTION_PRICE_NOT_IN_PLAN,
    CancelCommand,
    CancelStrategy,
    ChangeStatus,
    ChangeType,
    NewChange,
    NewSubscription,
    PaymentBehavior,
    ProductOverride,
    RefundBehavior,
    ScheduledChange,
    Subscription,
    SubscriptionId,
    SubscriptionStatus,
)
from ledgerbee.billing.subscriptions.rules.applying import chosen_items, first_terms, terms_after
from ledgerbee.billing.subscriptions.rules.chain import Advanced, BillingFacts, Chain
from ledgerbee.billing.subscriptions.rules.groups import moments, upcoming_of, with_dates
from ledgerbee.billing.subscriptions.rules.status import status_on
from ledgerbee.billing.subscriptions.rules.work import new_version
from ledgerbee.billing.timelines.model import BillingDirection, Item, Span, Terms
from ledgerbee.billing.timelines.rules import next_boundary, segment_on
from ledgerbee.catalog.prices.model import BillingPeriodType, Price
from ledgerbee.core.dates import add_months
from ledgerbee.core.errors import LedgerBeeError, invalid, refuse_first
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ONE, format_decimal

#: Years before today in which a subscription may start, years after today in which it may start or change, and years
#: after its start in which it may end.
_YEARS_BACK: Final = 20
_YEARS_AHEAD: Final = 10
_LONGEST_YEARS: Final = 100
ENDED: Final = frozenset({SubscriptionStatus.CANCELLED, SubscriptionStatus.EXPIRED})

Problem = tuple[str, str, str]


def first_start(today: date) -> date:
    """The earliest day on which a subscription may start."""
    return add_months(today, -12 * _YEARS_BACK)


def last_start(today: date) -> date:
    """The latest day on which a subscription may start, or change."""
    return add_months(today, 12 * _YEARS_AHEAD)


def day_problems(name: str, day: date, today: date) -> Iterator[Problem]:
    """What is wrong with a day that a subscription starts on, or that its periods are counted from."""
    if day < first_start(today):
        yield name, "min", f"{name} must not be more than {_YEARS_BACK} years ago"
    if day > last_start(today):
        yield name, "max", f"{name} must not be more than {_YEARS_AHEAD} years ahead"


def end_problems(start_date: date, end_date: date) -> Iterator[Problem]:
    """What is wrong with the last day of a subscription."""
    if end_date < start_date:
        yield "endDate", "min", "endDate must not be before startDate"
    if end_date > add_months(start_date, 12 * _LONGEST_YEARS):
        yield "endDate", "max", f"endDate must not be more than {_LONGEST_YEARS} years after startDate"


def pay_first_problems(given: NewSubscription, today: date) -> Iterator[Problem]:
    """Which fields of a new subscription don't go with being paid for first."""
    if given.payment_behavior is PaymentBehavior.DEFAULT:
        return
    why = "with the paymentBehavior pay_first"
    if not given.automatic_billing:
        yield "automaticBilling", "equals", f"automaticBilling must be true {why}"
    if given.payment_method_id is None:
        yield "paymentMethodId", "isNotEmpty", f"paymentMethodId should not be empty {why}"
    if given.billing_direction is not BillingDirection.ADVANCE:
        yield "billingDirection", "equals", f"billingDirection must be advance {why}"
    if given.trial_days:
        yield "trialDays", "equals", f"trialDays must be 0 {why}"
    if given.start_date < today:
        yield "startDate", "min", f"startDate must not be in the past {why}"


def effective_problems(effective_date: date, today: date) -> Iterator[Problem]:
    """What is wrong with the day of a change."""
    if effective_date < today:
        yield "effectiveDate", "min", "effectiveDate must not be in the past"
    if effective_date > last_start(today):
        yield "effectiveDate", "max", f"effectiveDate must not be more than {_YEARS_AHEAD} years ahead"


def cancel_problems(
    strategy: CancelStrategy, effective_date: date | None, refund_behavior: RefundBehavior
) -> Iterator[Problem]:
    """Which fields of a cancellation don't go with its strategy."""
    is_of_day = strategy is CancelStrategy.SPECIFIC_DATE
    if is_of_day and effective_date is None:
        yield "effectiveDate", "isNotEmpty", "effectiveDate should not be empty with the strategy specific_date"
    if not is_of_day and effective_date is not None:
        yield "effectiveDate", "isEmpty", f"effectiveDate must be left out with the strategy {strategy.value}"
    refunds = is_of_day or strategy is CancelStrategy.IMMEDIATELY
    if not refunds and refund_behavior is not RefundBehavior.NONE:
        yield "refundBehavior", "equals", f"refundBehavior must be none with the strategy {strategy.value}"


# A new subscription


def overrides_payload(overrides: Sequence[ProductOverride]) -> list[dict[str, str]]:
    """Named prices with their quantities as a change keeps them."""
    return [{"priceId": str(one.price_id), "quantity": format_decimal(one.quantity)} for one in overrides]


def items_of(
    plan: PlanVersion, overrides: Sequence[ProductOverride], prices: Mapping[UUID, Price], place: str
) -> tuple[Item, ...]:
    """The items of a plan with the quantities that a caller names at `place` of its request.

    Raises `SUBSCRIPTION_PRICE_NOT_IN_PLAN`, and a validation error where nothing is left or a USAGE price, whose meter
    counts, is given a quantity of its own.
    """
    known = {item.price_id for item in plan.items}
    refuse_first(
        SUBSCRIPTION_PRICE_NOT_IN_PLAN.error(property=f"{place}.{index}.priceId", priceId=str(one.price_id))
        for index, one in enumerate(overrides)
        if one.price_id not in known
    )
    check_quantities(overrides, prices, place)
    items = chosen_items(plan.items, overrides_payload(overrides))
    if not items:
        raise invalid((place, "arrayNotEmpty", f"{place} must leave a price to bill"))
    return items


def check_quantities(overrides: Sequence[ProductOverride], prices: Mapping[UUID, Price], place: str) -> None:
    """Raises a validation error for a USAGE price with another quantity than 1, or 0, which leaves it out."""
    names = [
        f"{place}.{index}.quantity"
        for index, one in enumerate(overrides)
        if one.quantity not in {0, ONE}
        and one.price_id in prices
        and prices[one.price_id].billing_period_type is BillingPeriodType.USAGE
    ]
    if names:
        raise invalid(*((name, "isIn", f"{name} must be 1 or 0 of a USAGE price: its meter counts") for name in names))


def new_chain(
    given: NewSubscription, plan: PlanVersion, items: tuple[Item, ...], facts: BillingFacts, today: date, now: datetime
) -> Chain:
    """The chain of a new subscription, of which nothing is billed and everything up to today was told.

    Raises a validation error for one that is paid for first and has its plan's trial.
    """
    start = given.start_date
    trial_days = plan.trial_days if given.trial_days is None else given.trial_days
    pays_first = given.payment_behavior is PaymentBehavior.PAY_FIRST
    if pays_first and trial_days:
        raise invalid(("trialDays", "isNotEmpty", "trialDays must be sent as 0 with pay_first: the plan has a trial"))
    terms = first_terms(
        plan,
        items,
        given.billing_cycle_anchor or start,
        direction=given.billing_direction,
        proration=given.proration_behavior,
    )
    subscription = Subscription(
        id=SubscriptionId(new_id()),
        customer_id=given.customer_id,
        partner_reference_id=given.partner_reference_id,
        currency=plan.currency,
        starts_on=start,
        trial_until=start + timedelta(days=trial_days) if trial_days else None,
        proration_behavior=given.proration_behavior,
        version=1,
        name=given.name or plan.name,
        plan_id=plan.plan_id,
        is_paused=False,
        ends_on=None if given.end_date is None else given.end_date + timedelta(days=1),
        is_cancelled=False,
        payment_method_id=given.payment_method_id,
        automatic_billing=given.automatic_billing,
        awaits_payment=pays_first,
        customer_department_id=given.customer_department_id,
        department_contact_override_id=given.department_contact_override_id,
        billed_until=start,
        emitted_until=today,
        next_run_on=None,
        created_at=now,
        updated_at=now,
    )
    bare = Chain(subscription=subscription, versions=())
    chain = replace(bare, versions=(new_version(bare, "assigned", start, terms, now),))
    return _with_dates(chain, facts)


def past_topics(chain: Chain) -> list[str]:
    """What happened to a new subscription up to its `emitted_until`, after it was assigned: topics, in order."""
    past = [(day, topic) for day, topic in moments(chain) if day <= chain.subscription.emitted_until]
    return [topic for _, topic in sorted(past, key=lambda one: one[0])]


# Changes


def new_change(given: NewChange, subscription_id: SubscriptionId, effective_on: date, now: datetime) -> ScheduledChange:
    """A change that waits for its day."""
    return ScheduledChange(
        id=new_id(),
        subscription_id=subscription_id,
        type=given.type,
        effective_on=effective_on,
        status=ChangeStatus.PENDING,
        payload=given.payload,
        proration_behavior=given.proration_behavior,
        restarts_period=given.restarts_period,
        failure=None,
        created_at=now,
        updated_at=now,
    )


def pending_of(chain: Chain, kind: ChangeType) -> ScheduledChange | None:
    """The pending change of a type, of which there is one at most."""
    return next((one for one in chain.changes if one.type is kind), None)


def check_goes_on(subscription: Subscription, today: date) -> None:
    """Raises `SUBSCRIPTION_INVALID_STATE` for a subscription that has ended."""
    status = status_on(subscription, today)
    if status in ENDED:
        raise SUBSCRIPTION_INVALID_STATE.in_state(status.value)


def check_paid_for(subscription: Subscription, today: date) -> None:
    """Raises `SUBSCRIPTION_INVALID_STATE` for a subscription that waits for its first payment."""
    status = status_on(subscription, today)
    if status is SubscriptionStatus.AWAITING_PAYMENT:
        raise SUBSCRIPTION_INVALID_STATE.in_state(status.value)


def next_boundary_of(chain: Chain, today: date) -> date:
    """When the period ends that runs on a day: the trial is one; before the first day it is that day.

    Raises `SUBSCRIPTION_INVALID_STATE` for a subscription that has ended.
    """
    subscription = chain.subscription
    if today < subscription.starts_on:
        return subscription.starts_on
    if subscription.trial_until is not None and today < subscription.trial_until:
        return subscription.trial_until
    segment = segment_on(chain.timeline, today)
    if segment is None:
        raise SUBSCRIPTION_INVALID_STATE.in_state(status_on(subscription, today).value)
    return next_boundary(segment.terms.grid, today)


def change_day(chain: Chain, effective_date: date | None, today: date) -> date:
    """The day of a change: the next boundary where none is given.

    Raises a validation error for a given day that is not before the end of the subscription, and
    `SUBSCRIPTION_INVALID_STATE` where the subscription ends before its next boundary, or has ended.
    """
    check_goes_on(chain.subscription, today)
    end = chain.subscription.ends_on
    day = next_boundary_of(chain, today) if effective_date is None else effective_date
    if end is None or day < end:
        return day
    if effective_date is not None:
        raise invalid(("effectiveDate", "max", f"effectiveDate must be before the subscription's end, {end}"))
    raise SUBSCRIPTION_INVALID_STATE.in_state(
        status_on(chain.subscription, today).value, "The subscription ends before its next boundary"
    )


def check_possible(chain: Chain, facts: BillingFacts, change: ScheduledChange) -> None:
    """Whether a change could be carried out on its day, after the pending ones of earlier days.

    Raises `SUBSCRIPTION_INVALID_STATE`, `SUBSCRIPTION_CURRENCY_MISMATCH`, `SUBSCRIPTION_CADENCE_UNAVAILABLE`,
    `SUBSCRIPTION_CADENCE_UNCHANGED`, `SUBSCRIPTION_PRICE_NOT_IN_PLAN`, and a validation error where it would leave
    nothing to bill.
    """
    subscription = chain.subscription
    day = max(change.effective_on, subscription.starts_on)
    segment = segment_on(chain.timeline, day)
    if segment is None:
        raise SUBSCRIPTION_INVALID_STATE.in_state(status_on(subscription, day).value)
    terms = segment.terms
    for earlier in chain.changes:
        if earlier.id == change.id or earlier.type is ChangeType.CANCEL or earlier.effective_on > change.effective_on:
            continue
        try:
            terms = terms_after(chain, terms, earlier, facts).terms
        except LedgerBeeError:  # it will fail on its day, and change nothing
            continue
    refuse_first(_strange_prices(chain, terms, change, facts))
    after = terms_after(chain, terms, change, facts).terms
    if not after.items:
        raise invalid(("payload.products", "arrayNotEmpty", "payload.products must leave a price to bill"))


def _strange_prices(
    chain: Chain, terms: Terms, change: ScheduledChange, facts: BillingFacts
) -> Iterator[LedgerBeeError]:
    """Refusals of the prices that a change names and the plan doesn't have, with their places in the request."""
    for index, one in enumerate(change.payload.get("products") or ()):
        alone = replace(change, payload={**change.payload, "products": [one]})
        try:
            terms_after(chain, terms, alone, facts)
        except LedgerBeeError as fault:
            if fault.error_code is not SUBSCRIPTION_PRICE_NOT_IN_PLAN:
                raise
            place = f"payload.products.{index}.priceId"
            yield SUBSCRIPTION_PRICE_NOT_IN_PLAN.error(property=place, priceId=one["priceId"])


def queued(chain: Chain, facts: BillingFacts, change: ScheduledChange, now: datetime) -> Advanced:
    """The chain with a change that waits for its day."""
    changes = sorted((*chain.changes, change), key=lambda one: one.effective_on)
    return _moved(replace(chain, changes=tuple(changes)), facts, now, changes=(change,))


def unqueued(chain: Chain, facts: BillingFacts, change: ScheduledChange, now: datetime) -> Advanced:
    """The chain without a pending change, which is cancelled. Of a cancellation see `without_cancellation`."""
    cancelled = replace(change, status=ChangeStatus.CANCELLED, updated_at=now)
    changes = tuple(one for one in chain.changes if one.id != change.id)
    return _moved(replace(chain, changes=changes), facts, now, changes=(cancelled,))


# Cancellations


def own_end(chain: Chain) -> date | None:
    """The first day after the agreed end, whatever cancellation is scheduled."""
    pending = pending_of(chain, ChangeType.CANCEL)
    if pending is None:
        return chain.subscription.ends_on
    kept = pending.payload.get("endsOn")
    return None if kept is None else date.fromisoformat(kept)


def cancel_day(chain: Chain, command: CancelCommand, today: date) -> date:
    """The first day that is not covered after a cancellation; never after the agreed end, nor before the first day.

    Raises a validation error for a given day that is after the agreed end.
    """
    end = own_end(chain)
    if command.strategy is CancelStrategy.IMMEDIATELY:
        day = today
    elif command.effective_date is None:
        day = next_boundary_of(chain, today)
        day = day if end is None else min(day, end)
    else:
        day = command.effective_date
        if end is not None and day > end:
            raise invalid(("effectiveDate", "max", f"effectiveDate must not be after the agreed end, {end}"))
    return max(day, chain.subscription.starts_on)


def is_at_once(chain: Chain, day: date, today: date) -> bool:
    """Whether a cancellation on a day is carried out now: today, or before anything of the subscription began."""
    is_unpaid = status_on(chain.subscription, today) is SubscriptionStatus.AWAITING_PAYMENT
    return is_unpaid or day <= max(today, chain.subscription.starts_on)


def cancellation(
    subscription_id: SubscriptionId, day: date, refund: RefundBehavior, agreed_end: date | None, now: datetime
) -> ScheduledChange:
    """The change that ends a subscription on a day. It keeps the end that was agreed before."""
    payload = {"refundBehavior": refund.value}
    if agreed_end is not None:
        payload["endsOn"] = agreed_end.isoformat()
    return new_change(NewChange(type=ChangeType.CANCEL, payload=payload), subscription_id, day, now)


def with_cancellation(
    chain: Chain, facts: BillingFacts, change: ScheduledChange, today: date, now: datetime
) -> Advanced:
    """The chain with a scheduled cancellation in place of any other: its end is known from now on."""
    replaced = tuple(
        replace(one, status=ChangeStatus.CANCELLED, updated_at=now)
        for one in chain.changes
        if one.type is ChangeType.CANCEL
    )
    kept = (one for one in chain.changes if one.type is not ChangeType.CANCEL)
    changes = tuple(sorted((*kept, change), key=lambda one: one.effective_on))
    subscription = replace(chain.subscription, ends_on=change.effective_on, is_cancelled=True)
    ending = replace(chain, subscription=subscription, changes=changes)
    return _noted(ending, facts, "cancellation_scheduled", today, now, changes=(*replaced, change), change=change)


def without_cancellation(
    chain: Chain, facts: BillingFacts, change: ScheduledChange, today: date, now: datetime
) -> Advanced:
    """The chain with the end that was agreed before a cancellation was scheduled.

    A period that was given away since it was to end with it is charged now that it doesn't: on the next invoice.
    """
    cancelled = replace(change, status=ChangeStatus.CANCELLED, updated_at=now)
    end = own_end(chain)
    subscription = replace(chain.subscription, ends_on=end, is_cancelled=False)
    charged = [
        _charged_whole(chain, facts, one, change)
        for one in chain.charges
        if one.kind is ChargeKind.RECURRING
        and not one.period_amount
        and one.service == Span(one.period.start, change.effective_on)
        and (end is None or end >= one.period.end)
    ]
    if charged:
        subscription = replace(subscription, billed_until=charged[0].period.end)
    changes = tuple(one for one in chain.changes if one.id != change.id)
    going_on = replace(chain, subscription=subscription, changes=changes, charges=(*chain.charges, *charged))
    noted = _noted(going_on, facts, "cancellation_cleared", today, now, changes=(cancelled,), change=change)
    return replace(noted, charges=tuple(charged))


def _charged_whole(chain: Chain, facts: BillingFacts, given_away: Charge, change: ScheduledChange) -> Charge:
    """The whole period of a charge that was given away."""
    amount = price_for_period(facts.prices[given_away.price_id], given_away.quantity, facts.discount_percent)
    net = share_of(amount, given_away.period, given_away.period, chain.subscription.currency)
    return replace(
        given_away,
        id=new_id(),
        kind=ChargeKind.PRORATION,
        service=given_away.period,
        period_amount=amount,
        net=net,
        change_id=change.id,
        waits=bool(net),
    )


def updated(chain: Chain, facts: BillingFacts, subscription: Subscription, today: date, now: datetime) -> Advanced:
    """The chain with other fields, by a version from today on, or from its first day on."""
    return _noted(replace(chain, subscription=subscription), facts, "updated", today, now)


def _noted(
    chain: Chain,
    facts: BillingFacts,
    reason: str,
    today: date,
    now: datetime,
    *,
    changes: tuple[ScheduledChange, ...] = (),
    change: ScheduledChange | None = None,
) -> Advanced:
    """The chain with a version that changes none of its terms: its end, or what it is called and paid by."""
    last = chain.versions[-1]
    day = max(today, last.effective_on)
    version = new_version(chain, reason, day, last.terms, now, change_id=None if change is None else change.id)
    subscription = replace(chain.subscription, version=version.number)
    longer = replace(chain, subscription=subscription, versions=(*chain.versions, version))
    return replace(_moved(longer, facts, now, changes=changes), versions=(version,))


def _moved(chain: Chain, facts: BillingFacts, now: datetime, *, changes: tuple[ScheduledChange, ...]) -> Advanced:
    touched = replace(chain, subscription=replace(chain.subscription, updated_at=now))
    return Advanced(chain=_with_dates(touched, facts), changes=changes)


def _with_dates(chain: Chain, facts: BillingFacts) -> Chain:
    timeline = chain.timeline
    return with_dates(chain, facts, timeline, upcoming_of(chain, facts, timeline))
