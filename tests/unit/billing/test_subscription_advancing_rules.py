"""Whatever happens to a subscription: it doesn't matter how often runs come, and in the end its timeline is paid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.billing.chains import (
    AT_ONCE,
    MONTH,
    NEXT_INVOICE,
    ONE_TIME,
    WEEK,
    Life,
    day,
    plan,
    price,
    subscribed,
    usage_price,
)

from ledgerbee.billing.charges.model import Charge, ChargeKind
from ledgerbee.billing.plans.model import PlanAlternative, PlanItem, PlanVersion
from ledgerbee.billing.subscriptions.model import ChangeType
from ledgerbee.billing.timelines.model import BillingDirection, ProrationBehavior, Timeline
from ledgerbee.billing.timelines.rules import period_at
from ledgerbee.catalog.prices.model import Price
from ledgerbee.core.fields import replace
from ledgerbee.core.money import total

FIRST = day("01-10")
#: Days that a story is told of.
LENGTH = 100

SMALL, LARGE, SEATS, SET_UP = price("99.90"), price("250"), price("17.35"), price("500", kind=ONE_TIME)
SMALL_WEEK = replace(price("30", WEEK, 2), product_id=SMALL.product_id)
SEATS_WEEK = replace(price("4.44", WEEK, 2), product_id=SEATS.product_id)
QUARTER = price("700", MONTH, 3)
CALLS, CALLS_WEEK = usage_price("0.3"), usage_price("0.25", WEEK)
PRICES: Sequence[Price] = (SMALL, LARGE, SEATS, SET_UP, SMALL_WEEK, SEATS_WEEK, QUARTER, CALLS, CALLS_WEEK)
BASIC = plan(
    SMALL,
    CALLS,
    PlanItem(SEATS.id, optional=True),
    alternatives=[
        PlanAlternative(WEEK, 2, (PlanItem(SMALL_WEEK.id), PlanItem(SEATS_WEEK.id, optional=True), PlanItem(CALLS.id)))
    ],
)
GRAND = plan(LARGE, SET_UP, CALLS_WEEK, PlanItem(SEATS.id, optional=True))
LONG = plan(QUARTER, CALLS, interval=MONTH, count=3)
PLANS: Sequence[PlanVersion] = (BASIC, GRAND, LONG)


@dataclass(frozen=True)
class Story:
    """A subscription's agreement, and what is asked for on which day."""

    mode: ProrationBehavior
    direction: BillingDirection
    anchor: int
    trial: int
    end: int | None
    grace_days: int
    asked: tuple[tuple[int, str, ProrationBehavior | None, bool], ...]

    def begin(self) -> Life:
        life = subscribed(
            BASIC,
            PRICES,
            FIRST,
            self.mode,
            anchor=FIRST + timedelta(days=self.anchor),
            trial_until=None if self.trial == 0 else f"{FIRST + timedelta(days=self.trial)}",
            ends_on=None if self.end is None else f"{FIRST + timedelta(days=self.end)}",
            direction=self.direction,
            others=PLANS,
            grace_days=self.grace_days,
        )
        for number in range(0, LENGTH, 3):
            life.meter.report(CALLS, FIRST + timedelta(days=number), "7")
            life.meter.report(CALLS_WEEK, FIRST + timedelta(days=number), "5")
        return life

    def ask_all(self, life: Life) -> Life:
        """Queue everything, in the order of its days."""
        for number, what, mode, restarts in sorted(self.asked, key=lambda one: one[0]):
            ask(life, FIRST + timedelta(days=number), what, mode, restarts=restarts)
        return life


def ask(life: Life, on: date, what: str, mode: ProrationBehavior | None, *, restarts: bool) -> None:
    payloads: dict[str, tuple[ChangeType, dict[str, object]]] = {
        "basic": (ChangeType.REPLACE_PLAN, {"planId": str(BASIC.plan_id)}),
        "grand": (ChangeType.REPLACE_PLAN, {"planId": str(GRAND.plan_id)}),
        "long": (ChangeType.REPLACE_PLAN, {"planId": str(LONG.plan_id)}),
        "seats": (ChangeType.EDIT_PRODUCTS, {"products": [{"priceId": str(SEATS.id), "quantity": 3}]}),
        "more seats": (ChangeType.EDIT_PRODUCTS, {"products": [{"priceId": str(SEATS.id), "quantity": 7}]}),
        "no seats": (ChangeType.EDIT_PRODUCTS, {"products": [{"priceId": str(SEATS.id), "quantity": 0}]}),
        "weeks": (ChangeType.CHANGE_CADENCE, {"interval": "week", "intervalCount": 2}),
        "months": (ChangeType.CHANGE_CADENCE, {"interval": "month", "intervalCount": 1}),
        "advance": (ChangeType.CHANGE_DIRECTION, {"billingDirection": "advance"}),
        "arrears": (ChangeType.CHANGE_DIRECTION, {"billingDirection": "arrears"}),
        "pause": (ChangeType.PAUSE, {}),
        "resume": (ChangeType.RESUME, {}),
        "cancel": (ChangeType.CANCEL, {"refundBehavior": "prorated"}),
    }
    kind, payload = payloads[what]
    life.change(kind, on, mode, restarts=restarts and kind is not ChangeType.CANCEL, **payload)


WHAT = st.sampled_from(
    [
        *("basic", "grand", "long", "seats", "more seats", "no seats", "weeks", "months"),
        *("advance", "arrears", "pause", "resume", "pause", "resume", "cancel"),
    ]
)


def stories(modes: Sequence[ProrationBehavior], *, grace: bool = True) -> st.SearchStrategy[Story]:
    return st.builds(
        Story,
        st.sampled_from(modes),
        st.sampled_from(BillingDirection),
        st.integers(-45, 45),
        st.sampled_from([0, 0, 5, 21, 40]),
        st.none() | st.integers(1, LENGTH),
        st.sampled_from([0, 4]) if grace else st.just(0),
        st.lists(
            st.tuples(st.integers(0, LENGTH), WHAT, st.none() | st.sampled_from(modes), st.sampled_from([False, True])),
            max_size=7,
        ).map(tuple),
    )


ALL = tuple(ProrationBehavior)


def on_day(number: int) -> date:
    return FIRST + timedelta(days=number)


def shown(charge: Charge) -> tuple[object, ...]:
    return (
        charge.price_id,
        charge.kind,
        charge.period,
        charge.service,
        charge.quantity,
        charge.net,
        charge.is_credit,
        charge.part,
        charge.waits,
    )


def outcome(life: Life) -> tuple[object, ...]:
    """All that can be seen of a subscription, but for ids and the days on which runs came."""
    return (
        [(one.on, one.is_refund, one.invoice, one.notes, [shown(s.charge) for s in one.shares]) for one in life.paid],
        [shown(charge) for charge in life.chain.charges],
        life.topics,
        [(one.effective_on, one.terms.items, one.reason) for one in life.chain.versions],
        life.subscription.billed_until,
        life.subscription.ends_on,
        life.subscription.next_run_on,
        {(one.price_id, one.billed_until, one.next_billing_date, one.carried) for one in life.chain.schedules.values()},
    )


@given(stories(ALL))
def test_runs_may_come_daily_or_once(story: Story) -> None:
    daily, once = (story.ask_all(story.begin()) for _ in range(2))
    daily.run_daily(FIRST, on_day(LENGTH))
    once.run(on_day(LENGTH), at_most=1000)
    assert outcome(daily) == outcome(once)


@given(stories(ALL), st.integers(1, 5))
def test_a_catch_up_may_go_in_steps(story: Story, at_most: int) -> None:
    stepped, once = (story.ask_all(story.begin()) for _ in range(2))
    once.run(on_day(LENGTH), at_most=1000)
    for _ in range(200):
        stepped.run(on_day(LENGTH), at_most=at_most)
        if stepped.subscription.next_run_on is None or stepped.subscription.next_run_on > on_day(LENGTH):
            break
    assert sorted(stepped.topics) == sorted(once.topics)
    stepped.topics = once.topics
    assert outcome(stepped) == outcome(once)


@given(stories(ALL))
def test_runs_are_needed_on_the_days_that_are_named_and_on_no_others(story: Story) -> None:
    named, daily = (story.ask_all(story.begin()) for _ in range(2))
    on = named.subscription.next_run_on
    while on is not None and on <= on_day(LENGTH):
        named.run(on)
        following = named.subscription.next_run_on
        assert following is None or following > on
        on = following
    named.run(on_day(LENGTH))
    daily.run_daily(FIRST, on_day(LENGTH))
    assert outcome(named) == outcome(daily)


@given(stories(ALL), st.integers(0, LENGTH))
def test_a_run_that_comes_again_does_nothing(story: Story, number: int) -> None:
    life = story.ask_all(story.begin())
    life.run(on_day(number), at_most=1000)
    before = life.chain
    again = life.run(on_day(number), at_most=1000)
    assert (again.bills, again.charges, again.versions, again.changes, again.events) == ((), (), (), (), ())
    assert life.chain == before


@given(stories((NEXT_INVOICE, AT_ONCE), grace=False), st.booleans())
def test_in_the_end_the_timeline_is_paid(story: Story, is_daily: bool) -> None:
    """Of all days that are billed, whatever happened: what they cost, each line rounded once."""
    life = story.ask_all(story.begin())
    if is_daily:
        life.run_daily(FIRST, on_day(LENGTH))
    else:
        life.run(on_day(LENGTH), at_most=1000)
    recurring: dict[UUID, Price] = {
        one.id: one for one in PRICES if one in (SMALL, LARGE, SEATS, SMALL_WEEK, SEATS_WEEK, QUARTER)
    }
    charges = [one for one in life.chain.charges if one.price_id in recurring]
    charged = Fraction(total([one.net for one in charges]))
    lines = sum(1 for one in charges if one.net)
    cost = cost_of(life.chain.timeline, recurring, life.subscription.billed_until)
    assert abs(charged - cost) <= Fraction(lines, 200)
    assert life.paid_in_all + total(life.waiting) == total([one.net for one in life.chain.charges])
    check_credits(life)


def cost_of(timeline: Timeline, recurring: Mapping[UUID, Price], until: date) -> Fraction:
    """What the days of a timeline cost, day by day and exactly."""
    cost = Fraction(0)
    for segment in timeline:
        end = until if segment.end is None else min(segment.end, until)
        for number in range((end - segment.start).days if segment.is_billed else 0):
            period = period_at(segment.terms.grid, segment.start + timedelta(days=number))
            cost += sum(
                Fraction(recurring[item.price_id].unit_amount or 0) * Fraction(item.quantity) / period.days
                for item in segment.terms.items
                if item.price_id in recurring
            )
    return cost


def check_credits(life: Life) -> None:
    """No charge is credited more than whole, and no day of it twice."""
    by_id = {charge.id: charge for charge in life.chain.charges}
    for charge in life.chain.charges:
        own = [one for one in life.chain.charges if one.credits_charge_id == charge.id]
        assert charge.net + total([one.net for one in own]) >= 0 or charge.is_credit
        taken = [one.service.start + timedelta(days=n) for one in own for n in range(one.service.days)]
        if charge.kind in {ChargeKind.RECURRING, ChargeKind.PRORATION}:
            assert len(taken) == len(set(taken))
        if charge.credits_charge_id is not None:
            of = by_id[charge.credits_charge_id]
            assert of.service.start <= charge.service.start <= charge.service.end <= of.service.end


@given(stories(ALL), st.integers(0, LENGTH), st.integers(0, LENGTH), st.booleans())
def test_an_end_that_is_scheduled_is_the_end(story: Story, asked: int, number: int, is_refunded: bool) -> None:
    """With changes before it, a credit by hand, and a refund or none."""
    life = story.ask_all(story.begin())
    asked, number = sorted((asked, number))
    life.run_daily(FIRST, on_day(asked))
    for charge in life.chain.charges:
        if charge.invoice_line_id is not None and not charge.is_credit and charge.net > 100:
            left = charge.net + total([one.net for one in life.chain.charges if one.credits_charge_id == charge.id])
            life.credit_by_hand(charge, left)
            break
    end = life.subscription.ends_on
    if end is not None and end <= on_day(number):
        return
    life.schedule_end(str(on_day(asked)), str(on_day(number)), "prorated" if is_refunded else "none")
    life.run_daily(on_day(asked), on_day(LENGTH + 40))
    assert life.topics.count("churned") == 1
    assert life.waiting == []
    assert life.subscription.next_run_on is None
    assert all(one.service.start < on_day(number) for one in life.chain.charges if one.kind is ChargeKind.USAGE)
    check_credits(life)
