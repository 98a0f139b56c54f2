"""What may be asked for of a subscription: days, items, changes and cancellations, before anything is billed."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.billing.chains import NOW, YEAR, day, plan, price, subscribed, usage_price

from ledgerbee.billing.plans.model import PlanAlternative, PlanItem
from ledgerbee.billing.subscriptions import rules
from ledgerbee.billing.subscriptions.model import (
    CancelCommand,
    CancelStrategy,
    ChangeStatus,
    ChangeType,
    NewChange,
    NewSubscription,
    ProductOverride,
    RefundBehavior,
    ScheduledChange,
    SubscriptionStatus,
)
from ledgerbee.billing.subscriptions.rules.chain import BillingFacts, Chain
from ledgerbee.catalog.prices.model import Price
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id

TODAY = day("03-16")
MONTHLY = price("200")
PLAN = plan(MONTHLY)


def chain_of(**fields: Any) -> tuple[Chain, BillingFacts]:
    """A subscription to 200.00 a month from the first of March on."""
    life = subscribed(PLAN, [MONTHLY], fields.pop("starts_on", "03-01"), **fields)
    return life.chain, life.facts


def command(strategy: CancelStrategy, on: str | None = None) -> CancelCommand:
    return CancelCommand(strategy=strategy, effective_date=None if on is None else day(on))


def change_of(chain: Chain, kind: ChangeType, on: str, **payload: Any) -> ScheduledChange:
    return rules.new_change(NewChange(type=kind, payload=payload), chain.subscription.id, day(on), NOW)


def refusal(work: Callable[[], object]) -> tuple[str, set[str]]:
    """The code of a refusal, and the places that it names."""
    with pytest.raises(LedgerBeeError) as caught:
        work()
    details = caught.value.details
    named = {error["property"] for error in details.get("validationErrors", ())}
    return caught.value.code, named | set(
        details.get("properties", [details["property"]] if "property" in details else ())
    )


INVALID = "SHARED_VALIDATION_FAILED"
ENDED = "SUBSCRIPTION_INVALID_STATE"


@given(st.dates(date(1990, 1, 1), date(2050, 1, 1)))
def test_days_are_taken_within_twenty_years_back_and_ten_ahead(on: date) -> None:
    problems = list(rules.day_problems("startDate", on, TODAY))
    assert (not problems) == (date(2006, 3, 16) <= on <= date(2036, 3, 16))
    assert {name for name, _, _ in problems} <= {"startDate"}
    assert (not list(rules.effective_problems(on, TODAY))) == (TODAY <= on <= date(2036, 3, 16))


@pytest.mark.parametrize(
    ("end", "is_fine"), [("2026-03-01", True), ("2026-02-28", False), ("2126-03-01", True), ("2126-03-02", False)]
)
def test_the_last_day_is_not_before_the_first_and_within_a_century(end: str, is_fine: bool) -> None:
    assert (list(rules.end_problems(day("2026-03-01"), day(end))) == []) is is_fine


@pytest.mark.parametrize("strategy", CancelStrategy)
@pytest.mark.parametrize("on", [None, TODAY])
@pytest.mark.parametrize("refund", RefundBehavior)
def test_what_goes_with_a_strategy(strategy: CancelStrategy, on: date | None, refund: RefundBehavior) -> None:
    found = {name for name, _, _ in rules.cancel_problems(strategy, on, refund)}
    of_day = strategy is CancelStrategy.SPECIFIC_DATE
    refunds = of_day or strategy is CancelStrategy.IMMEDIATELY
    assert ("effectiveDate" in found) == (of_day != (on is not None))
    assert ("refundBehavior" in found) == (not refunds and refund is not RefundBehavior.NONE)


def test_items_are_the_plans_with_the_quantities_that_are_named() -> None:
    seats, fee, extra, calls = price("15"), price("100"), price("7"), usage_price()
    to = plan(PlanItem(seats.id, Decimal(5)), fee, PlanItem(extra.id, Decimal(2), optional=True), calls)
    prices: dict[UUID, Price] = {one.id: one for one in (seats, fee, extra, calls)}

    def items(*named: tuple[Any, str]) -> list[tuple[Any, Any]]:
        overrides = [ProductOverride(one.id, Decimal(quantity)) for one, quantity in named]
        return [(item.price_id, item.quantity) for item in rules.items_of(to, overrides, prices, "productOverrides")]

    assert items() == [(seats.id, 5), (fee.id, 1), (calls.id, 1)]
    assert items((extra, "3"), (fee, "0"), (calls, "1")) == [(seats.id, 5), (extra.id, 3), (calls.id, 1)]
    assert items((calls, "0")) == [(seats.id, 5), (fee.id, 1)]
    assert refusal(lambda: items((calls, "2"))) == (INVALID, {"productOverrides.0.quantity"})
    assert refusal(lambda: items((seats, "0"), (fee, "0"), (calls, "0"))) == (INVALID, {"productOverrides"})
    strange = price()
    assert refusal(lambda: items((strange, "1"), (seats, "1"), (price(), "1"))) == (
        "SUBSCRIPTION_PRICE_NOT_IN_PLAN", {"productOverrides.0.priceId", "productOverrides.2.priceId"},
    )  # fmt: skip


def assigned(**fields: Any) -> tuple[Chain, list[str]]:
    """A new chain, and what is told of it at once."""
    asked = NewSubscription(customer_id=new_id(), plan_id=PLAN.plan_id, start_date=day("03-10"), **fields)
    facts = BillingFacts(prices={MONTHLY.id: MONTHLY})
    to = replace(PLAN, trial_days=3)
    items = rules.items_of(to, (), facts.prices, "productOverrides")
    chain = rules.new_chain(asked, to, items, facts, TODAY, NOW)
    return chain, rules.past_topics(chain)


def test_what_is_left_out_of_a_new_subscription_is_the_plans() -> None:
    chain, told = assigned()
    subscription, (version,) = chain.subscription, chain.versions
    assert (subscription.name, subscription.trial_until, subscription.ends_on) == ("Plan", day("03-13"), None)
    assert (subscription.billed_until, subscription.emitted_until) == (day("03-10"), TODAY)
    assert (version.reason, version.effective_on, version.anchor) == ("assigned", day("03-10"), day("03-10"))
    assert subscription.next_run_on == day("03-13")
    assert chain.schedules[MONTHLY.id].next_billing_date == day("03-13")
    assert told == ["started", "trial_ended"]


def test_what_is_given_of_a_new_subscription_holds() -> None:
    chain, told = assigned(
        end_date=day("03-15"), billing_cycle_anchor=day("01-31"), trial_days=0, name="Mine", partner_reference_id="o-1"
    )
    subscription, (version,) = chain.subscription, chain.versions
    assert (subscription.name, subscription.trial_until, subscription.ends_on) == ("Mine", None, day("03-16"))
    assert (version.anchor, version.anchor_day, subscription.partner_reference_id) == (day("01-31"), 31, "o-1")
    assert told == ["started", "churned"]
    later, told = assigned(end_date=day("03-16"))
    assert (told, later.subscription.next_run_on) == (["started", "trial_ended"], day("03-13"))


@pytest.mark.parametrize(
    ("fields", "today", "boundary"),
    [
        ({}, "03-16", "04-01"),
        ({}, "04-01", "05-01"),
        ({"starts_on": "03-31"}, "04-30", "05-31"),
        ({"starts_on": "04-10"}, "03-16", "04-10"),
        ({"trial_until": "03-20"}, "03-16", "03-20"),
        ({"trial_until": "03-20"}, "03-20", "04-01"),
        ({"anchor": "01-20"}, "03-16", "03-20"),
    ],
)
def test_the_next_boundary(fields: dict[str, Any], today: str, boundary: str) -> None:
    chain, _ = chain_of(**fields)
    assert rules.change_day(chain, None, day(today)) == day(boundary)
    assert rules.cancel_day(chain, command(CancelStrategy.END_OF_CYCLE), day(today)) == day(boundary)


def test_a_change_is_before_the_end() -> None:
    chain, _ = chain_of(ends_on="03-25")
    assert rules.change_day(chain, day("03-24"), TODAY) == day("03-24")
    assert refusal(lambda: rules.change_day(chain, day("03-25"), TODAY)) == (INVALID, {"effectiveDate"})
    assert refusal(lambda: rules.change_day(chain, None, TODAY)) == (ENDED, set())
    assert refusal(lambda: rules.change_day(chain, day("03-26"), day("03-25"))) == (ENDED, set())
    assert refusal(lambda: rules.cancel_day(chain, command(CancelStrategy.END_OF_CYCLE), day("03-25"))) == (
        ENDED,
        set(),
    )


@pytest.mark.parametrize(
    ("fields", "asked", "on", "at_once"),
    [
        ({}, (CancelStrategy.IMMEDIATELY, None), "03-16", True),
        ({}, (CancelStrategy.SPECIFIC_DATE, "03-16"), "03-16", True),
        ({}, (CancelStrategy.SPECIFIC_DATE, "03-17"), "03-17", False),
        ({"ends_on": "03-25"}, (CancelStrategy.END_OF_CYCLE, None), "03-25", False),
        ({"ends_on": "03-25"}, (CancelStrategy.SPECIFIC_DATE, "03-25"), "03-25", False),
        ({"starts_on": "04-10"}, (CancelStrategy.IMMEDIATELY, None), "04-10", True),
        ({"starts_on": "04-10"}, (CancelStrategy.END_OF_CYCLE, None), "04-10", True),
        ({"starts_on": "04-10"}, (CancelStrategy.SPECIFIC_DATE, "03-20"), "04-10", True),
        ({"starts_on": "04-10"}, (CancelStrategy.SPECIFIC_DATE, "04-11"), "04-11", False),
    ],
)
def test_the_day_of_a_cancellation(
    fields: dict[str, Any], asked: tuple[CancelStrategy, str | None], on: str, at_once: bool
) -> None:
    chain, _ = chain_of(**fields)
    found = rules.cancel_day(chain, command(*asked), TODAY)
    assert found == day(on)
    assert rules.is_at_once(chain, found, TODAY) is at_once


def test_no_cancellation_is_after_the_agreed_end() -> None:
    chain, facts = chain_of(ends_on="06-01")
    beyond = command(CancelStrategy.SPECIFIC_DATE, "06-02")
    assert refusal(lambda: rules.cancel_day(chain, beyond, TODAY)) == (INVALID, {"effectiveDate"})
    first = rules.cancellation(chain.subscription.id, day("04-01"), RefundBehavior.NONE, rules.own_end(chain), NOW)
    scheduled = rules.with_cancellation(chain, facts, first, TODAY, NOW).chain
    assert scheduled.subscription.ends_on == day("04-01")
    assert rules.own_end(scheduled) == day("06-01")
    assert rules.cancel_day(scheduled, command(CancelStrategy.SPECIFIC_DATE, "05-01"), TODAY) == day("05-01")
    assert refusal(lambda: rules.cancel_day(scheduled, beyond, TODAY)) == (INVALID, {"effectiveDate"})


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=4),
    st.one_of(st.none(), st.integers(61, 400)),
    st.booleans(),
)
def test_a_cancellation_that_is_cleared_leaves_what_was_agreed(
    ends: list[int], agreed: int | None, pauses: bool
) -> None:
    """However many times it was scheduled before: the timeline, the schedules and the next run are as they were."""
    agreed_end = None if agreed is None else TODAY + timedelta(days=agreed)
    chain, facts = chain_of(ends_on=None if agreed_end is None else agreed_end.isoformat())
    if pauses:
        chain = rules.queued(chain, facts, change_of(chain, ChangeType.PAUSE, "03-20"), NOW).chain
    before = rules.updated(chain, facts, chain.subscription, TODAY, NOW).chain
    after = before
    for count in ends:
        on = TODAY + timedelta(days=count)
        change = rules.cancellation(chain.subscription.id, on, RefundBehavior.PRORATED, rules.own_end(after), NOW)
        done = rules.with_cancellation(after, facts, change, TODAY, NOW)
        assert [one.status for one in done.changes[:-1]] == [ChangeStatus.CANCELLED] * (after is not before)
        after = done.chain
        assert (after.subscription.ends_on, after.subscription.is_cancelled) == (on, True)
        assert after.timeline[-1].end == on
        assert rules.status_on(after.subscription, TODAY) is SubscriptionStatus.PENDING_CANCELLATION
        assert rules.pending_of(after, ChangeType.CANCEL) == change
    cleared = rules.without_cancellation(after, facts, change, TODAY, NOW)
    (cancelled,) = cleared.changes
    assert (cancelled.id, cancelled.status) == (change.id, ChangeStatus.CANCELLED)
    assert cleared.chain.timeline == before.timeline
    assert cleared.chain.schedules == before.schedules
    assert cleared.chain.changes == before.changes
    assert [version.number for version in cleared.chain.versions] == list(range(1, len(ends) + 4))
    assert cleared.chain.versions[-1].reason == "cancellation_cleared"
    assert replace(cleared.chain.subscription, version=before.subscription.version) == before.subscription


def test_a_change_that_is_taken_back_leaves_what_was() -> None:
    chain, facts = chain_of()
    chain = rules.updated(chain, facts, chain.subscription, TODAY, NOW).chain
    change = change_of(chain, ChangeType.PAUSE, "03-20")
    queued = rules.queued(chain, facts, change, NOW)
    assert (queued.changes, queued.versions) == ((change,), ())
    assert queued.chain.changes == (change,)
    back = rules.unqueued(queued.chain, facts, change, NOW)
    assert back.changes[0].status is ChangeStatus.CANCELLED
    assert back.chain == chain


def test_fields_change_from_today_on_or_from_the_first_day() -> None:
    for starts_on, on in (("03-01", "03-16"), ("04-10", "04-10")):
        chain, facts = chain_of(starts_on=starts_on)
        named = replace(chain.subscription, name="Mine")
        after = rules.updated(chain, facts, named, TODAY, NOW)
        (version,) = after.versions
        assert (version.effective_on, version.reason, version.name, version.number) == (day(on), "updated", "Mine", 2)
        assert after.chain.timeline == chain.timeline
        assert (after.chain.subscription.name, after.chain.subscription.version) == ("Mine", 2)


def test_what_is_possible_after_the_changes_that_wait() -> None:
    yearly = price("2000", YEAR, product=MONTHLY.product_id)
    alternative = PlanAlternative(YEAR, 1, (PlanItem(yearly.id),))
    own = replace(PLAN, alternatives=(alternative,))
    other_price = price("10")
    other, euros = plan(other_price), plan(other_price, currency="EUR")
    life = subscribed(own, [MONTHLY, yearly, other_price], "03-01", others=[other, euros])
    chain, facts = life.chain, life.facts

    def possible(change: ScheduledChange, *waiting: ScheduledChange) -> None:
        rules.check_possible(replace(chain, changes=(*waiting, change)), facts, change)

    def products(*named: tuple[Any, str]) -> list[dict[str, str]]:
        return [{"priceId": str(one.id), "quantity": quantity} for one, quantity in named]

    pause, resume = change_of(chain, ChangeType.PAUSE, "03-20"), change_of(chain, ChangeType.RESUME, "03-25")
    to_other = change_of(chain, ChangeType.REPLACE_PLAN, "04-01", planId=str(other.plan_id))
    edit = change_of(chain, ChangeType.EDIT_PRODUCTS, "04-10", products=products((other_price, "3")))
    cancel = change_of(chain, ChangeType.CANCEL, "03-20")
    possible(pause)
    possible(resume, pause)
    possible(edit, to_other)
    possible(change_of(chain, ChangeType.CHANGE_CADENCE, "04-01", interval="year", intervalCount=1))
    assert refusal(lambda: possible(resume)) == (ENDED, set())
    assert refusal(lambda: possible(resume, cancel)) == (ENDED, set())
    assert refusal(lambda: possible(change_of(chain, ChangeType.RESUME, "03-19"), pause)) == (ENDED, set())
    # One that will fail on its day changes nothing.
    assert refusal(lambda: possible(pause, replace(pause, id=new_id()))) == (ENDED, set())
    possible(pause, change_of(chain, ChangeType.RESUME, "03-18"))
    strange = ("SUBSCRIPTION_PRICE_NOT_IN_PLAN", {"payload.products.0.priceId"})
    assert refusal(lambda: possible(edit)) == strange
    nothing = change_of(chain, ChangeType.EDIT_PRODUCTS, "04-10", products=products((MONTHLY, "0")))
    assert refusal(lambda: possible(nothing)) == (INVALID, {"payload.products"})
    weekly = change_of(chain, ChangeType.CHANGE_CADENCE, "04-01", interval="week", intervalCount=1)
    assert refusal(lambda: possible(weekly))[0] == "SUBSCRIPTION_CADENCE_UNAVAILABLE"
    foreign = change_of(
        chain, ChangeType.REPLACE_PLAN, "04-01", planId=str(euros.plan_id), products=products((other_price, "1"))
    )
    assert refusal(lambda: possible(foreign))[0] == "SUBSCRIPTION_CURRENCY_MISMATCH"
    ended, facts = chain_of(ends_on="03-20")
    assert refusal(lambda: rules.check_possible(ended, facts, pause)) == (ENDED, set())


def test_what_is_shown_is_the_version_that_holds() -> None:
    chain, facts = chain_of()
    renamed = rules.updated(chain, facts, replace(chain.subscription, name="Mine"), TODAY, NOW).chain
    for on, number in (("02-01", 1), ("03-15", 1), ("03-16", 2), ("12-31", 2)):
        assert rules.version_on(renamed.versions, day(on)).number == number
    # A version of an earlier day that comes later holds from its day on.
    late = replace(renamed.versions[1], number=3, effective_on=day("03-10"))
    assert rules.version_on((*renamed.versions, late), day("03-20")).number == 3
    read = rules.read_of(renamed, {MONTHLY.id: MONTHLY.product_id}, TODAY, "Nordlys")
    assert (read.version.number, read.next_billing_date, read.customer_name) == (2, day("03-01"), "Nordlys")
    assert rules.timeline(renamed.subscription, renamed.versions) == renamed.timeline
    ended, _ = chain_of(ends_on="03-01")
    assert rules.read_of(replace(ended, schedules={}), {}, TODAY).next_billing_date is None
