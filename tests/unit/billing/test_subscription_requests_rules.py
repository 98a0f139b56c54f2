"""What may be asked for of a subscription, and what it is as it is shown (decisions "Cancel", "Scheduled changes")."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

import pytest
from tests.unit.billing.chains import NOW, USAGE, D, Life, day, of_price, plan, price, subscribed, usage_price

from ledgerbee.billing.plans.model import PlanItem
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
)
from ledgerbee.billing.subscriptions.rules.applying import terms_after
from ledgerbee.catalog.prices.model import Price
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id

TODAY = day("03-16")
AT_END, IMMEDIATELY, ON_DAY, CLEAR = CancelStrategy


def names(problems: Iterable[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(name, rule) for name, rule, _ in problems]


@pytest.mark.parametrize(
    ("on", "rule"),
    [("2006-03-16", None), ("2006-03-15", "min"), ("2036-03-16", None), ("2036-03-17", "max"), ("03-16", None)],
)
def test_days_lie_within_bounds(on: str, rule: str | None) -> None:
    assert names(rules.day_problems("startDate", day(on), TODAY)) == ([("startDate", rule)] if rule else [])


def test_an_end_is_after_the_start_and_a_change_not_past() -> None:
    start = day("03-16")
    assert names(rules.end_problems(start, start)) == []
    assert names(rules.end_problems(start, day("03-15"))) == [("endDate", "min")]
    assert names(rules.end_problems(start, day("2126-03-17"))) == [("endDate", "max")]
    assert names(rules.effective_problems(TODAY, TODAY)) == []
    assert names(rules.effective_problems(day("03-15"), TODAY)) == [("effectiveDate", "min")]
    assert names(rules.effective_problems(day("2036-03-17"), TODAY)) == [("effectiveDate", "max")]


@pytest.mark.parametrize(
    ("strategy", "on", "refund", "wrong"),
    [
        (ON_DAY, TODAY, RefundBehavior.PRORATED, []),
        (ON_DAY, None, RefundBehavior.NONE, [("effectiveDate", "isNotEmpty")]),
        (IMMEDIATELY, None, RefundBehavior.LAST_INVOICE, []),
        (IMMEDIATELY, TODAY, RefundBehavior.NONE, [("effectiveDate", "isEmpty")]),
        (AT_END, None, RefundBehavior.PRORATED, [("refundBehavior", "equals")]),
        (CLEAR, None, RefundBehavior.NONE, []),
    ],
)
def test_fields_of_a_cancellation(
    strategy: CancelStrategy, on: date | None, refund: RefundBehavior, wrong: list[tuple[str, str]]
) -> None:
    assert names(rules.cancel_problems(strategy, on, refund)) == wrong


def test_quantities_that_are_named() -> None:
    seats, calls = price("10"), usage_price()
    offered = plan(PlanItem(seats.id, D(2)), PlanItem(calls.id, optional=True))
    prices: dict[UUID, Price] = {seats.id: seats, calls.id: calls}
    assert calls.billing_period_type is USAGE

    def items(*given: ProductOverride) -> list[tuple[object, object]]:
        return [tuple(item) for item in rules.items_of(offered, given, prices, "productOverrides")]  # type: ignore[misc]

    assert items() == [(seats.id, D(2))]
    assert items(ProductOverride(calls.id, D(1)), ProductOverride(seats.id, D("2.50"))) == [
        (seats.id, D("2.5")),
        (calls.id, D(1)),
    ]
    with pytest.raises(LedgerBeeError) as unknown:
        items(ProductOverride(seats.id, D(1)), ProductOverride(new_id(), D(1)))
    assert unknown.value.details["property"] == "productOverrides.1.priceId"
    with pytest.raises(LedgerBeeError, match="Bad Request"):
        items(ProductOverride(calls.id, D(5)))
    with pytest.raises(LedgerBeeError, match="Bad Request"):
        items(ProductOverride(seats.id, D(0)))


def test_a_new_subscription() -> None:
    seats = price("10")
    offered = replace(plan(seats), trial_days=14)
    life = subscribed(offered, [seats], "03-01")
    given = NewSubscription(
        customer_id=new_id(), plan_id=offered.plan_id, start_date=day("03-01"), end_date=day("04-30")
    )
    items = rules.items_of(offered, (), {seats.id: seats}, "productOverrides")
    chain = rules.new_chain(given, offered, items, life.facts, TODAY, NOW)
    made = chain.subscription
    assert (made.trial_until, made.ends_on, made.billed_until) == (day("03-15"), day("05-01"), day("03-01"))
    assert (made.name, made.next_run_on, made.emitted_until) == ("Plan", day("03-15"), TODAY)
    assert rules.past_topics(chain) == ["started", "trial_ended"]
    other = replace(given, trial_days=0, end_date=None, billing_cycle_anchor=day("03-20"), name="Own")
    chain = rules.new_chain(other, offered, items, life.facts, TODAY, NOW)
    assert (chain.subscription.trial_until, chain.subscription.ends_on, chain.subscription.name) == (None, None, "Own")
    assert chain.versions[0].terms.grid.anchor == day("03-20")


# Days of changes


def test_the_next_boundary() -> None:
    life = of_price("100", "03-01", trial_until="03-20", ends_on="06-11", anchor="03-05")
    boundaries = [
        rules.change_day(life.chain, None, day(on)) for on in ("02-10", "03-01", "03-19", "03-20", "04-05", "05-05")
    ]
    assert boundaries == [day(on) for on in ("03-01", "03-20", "03-20", "04-05", "05-05", "06-05")]
    assert rules.change_day(life.chain, day("06-10"), TODAY) == day("06-10")
    with pytest.raises(LedgerBeeError, match="Bad Request"):
        rules.change_day(life.chain, day("06-11"), TODAY)
    with pytest.raises(LedgerBeeError, match="ends before its next boundary"):
        rules.change_day(life.chain, None, day("06-05"))
    with pytest.raises(LedgerBeeError, match="does not allow"):
        rules.change_day(life.chain, None, day("06-11"))
    command = CancelCommand(strategy=AT_END)
    with pytest.raises(LedgerBeeError, match="does not allow"):
        rules.cancel_day(life.chain, command, day("06-11"))


def test_a_change_has_to_be_possible_after_those_that_come_before_it() -> None:
    seats, other = price("10"), price("20")
    first, second = plan(seats), plan(other)
    life = subscribed(first, [seats, other], "01-01", others=[second])

    def check(kind: ChangeType, on: str, **payload: object) -> None:
        given = NewChange(type=kind, payload=payload)
        change = rules.new_change(given, life.subscription.id, day(on), NOW)
        rules.check_possible(life.chain, life.facts, change)

    check(ChangeType.PAUSE, "04-01")
    with pytest.raises(LedgerBeeError, match="does not allow"):
        check(ChangeType.RESUME, "04-01")
    with pytest.raises(LedgerBeeError) as unknown:
        check(ChangeType.EDIT_PRODUCTS, "04-01", products=[{"priceId": str(other.id), "quantity": 1}])
    assert unknown.value.details["property"] == "payload.products.0.priceId"
    with pytest.raises(LedgerBeeError, match="Bad Request"):
        check(ChangeType.EDIT_PRODUCTS, "04-01", products=[{"priceId": str(seats.id), "quantity": 0}])
    life.change(ChangeType.RESUME, "03-01")
    life.change(ChangeType.PAUSE, "03-20")
    life.change(ChangeType.REPLACE_PLAN, "03-25", planId=str(second.plan_id))
    check(ChangeType.RESUME, "04-01")
    check(ChangeType.PAUSE, "03-10")
    check(ChangeType.EDIT_PRODUCTS, "04-01", products=[{"priceId": str(other.id), "quantity": 3}])
    ended = replace(life.chain, subscription=replace(life.subscription, ends_on=day("02-01")))
    life.chain = ended
    with pytest.raises(LedgerBeeError, match="does not allow"):
        check(ChangeType.PAUSE, "04-01")


def test_a_cancellation_leaves_the_terms() -> None:
    life = of_price("100", "01-01")
    terms = life.chain.versions[0].terms
    change = rules.cancellation(life.subscription.id, day("02-01"), RefundBehavior.NONE, None, NOW)
    assert terms_after(life.chain, terms, change, life.facts).terms == terms


def test_a_change_is_queued_and_taken_back() -> None:
    life = of_price("100", "01-01")
    late, early = (
        rules.new_change(NewChange(type=kind), life.subscription.id, day(on), NOW)
        for kind, on in ((ChangeType.RESUME, "05-01"), (ChangeType.PAUSE, "04-01"))
    )
    first = rules.queued(life.chain, life.facts, late, NOW)
    both = rules.queued(first.chain, life.facts, early, NOW)
    assert both.chain.changes == (early, late)
    assert both.changes == (early,)
    assert rules.pending_of(both.chain, ChangeType.RESUME) == late
    assert rules.pending_of(both.chain, ChangeType.CANCEL) is None
    back = rules.unqueued(both.chain, life.facts, early, NOW)
    assert (back.chain.changes, [one.status for one in back.changes]) == ((late,), [ChangeStatus.CANCELLED])


# Cancellations


def cancelled(life: Life, on: str, agreed: date | None) -> Life:
    change = rules.cancellation(life.subscription.id, day(on), RefundBehavior.PRORATED, agreed, NOW)
    life.chain = rules.with_cancellation(life.chain, life.facts, change, TODAY, NOW).chain
    return life


def test_the_day_of_a_cancellation() -> None:
    life = of_price("100", "01-01", ends_on="05-11")

    def on(strategy: CancelStrategy, effective: str | None = None, today: str = "03-16") -> date:
        effective_date = None if effective is None else day(effective)
        command = CancelCommand(strategy=strategy, effective_date=effective_date)
        return rules.cancel_day(life.chain, command, day(today))

    assert (on(IMMEDIATELY), on(AT_END), on(ON_DAY, "05-11")) == (TODAY, day("04-01"), day("05-11"))
    assert on(AT_END, today="05-05") == day("05-11")
    assert on(IMMEDIATELY, today="2025-12-01") == day("01-01")
    with pytest.raises(LedgerBeeError, match="Bad Request"):
        on(ON_DAY, "05-12")
    # What is scheduled does not hold a later day back: the end that was agreed does.
    cancelled(life, "04-11", day("05-11"))
    assert rules.own_end(life.chain) == day("05-11")
    assert on(ON_DAY, "05-01") == day("05-01")
    life.chain = replace(life.chain, subscription=replace(life.subscription, ends_on=None), changes=())
    assert on(AT_END) == day("04-01")
    assert [rules.is_at_once(life.chain, day(one), TODAY) for one in ("03-16", "03-17")] == [True, False]


def test_a_cancellation_is_scheduled_replaced_and_cleared() -> None:
    life = of_price("100", "01-01")
    life.run("03-16")
    cancelled(life, "04-11", None)
    assert (life.subscription.ends_on, life.subscription.is_cancelled) == (day("04-11"), True)
    pause = life.change(ChangeType.PAUSE, "04-01")
    second = rules.cancellation(life.subscription.id, day("03-21"), RefundBehavior.NONE, None, NOW)
    replaced = rules.with_cancellation(life.chain, life.facts, second, TODAY, NOW)
    assert [(one.type, one.status) for one in replaced.changes] == [
        (ChangeType.CANCEL, ChangeStatus.CANCELLED),
        (ChangeType.CANCEL, ChangeStatus.PENDING),
    ]
    assert replaced.chain.changes == (second, pause)
    assert replaced.chain.subscription.ends_on == replaced.chain.subscription.next_run_on == day("03-21")
    cleared = rules.without_cancellation(replaced.chain, life.facts, second, TODAY, NOW)
    assert (cleared.chain.subscription.ends_on, cleared.chain.subscription.is_cancelled) == (None, False)
    assert [version.reason for version in cleared.versions] == ["cancellation_cleared"]
    assert cleared.chain.subscription.next_run_on == day("04-01")
    rules.check_goes_on(cleared.chain.subscription, TODAY)
    with pytest.raises(LedgerBeeError, match="does not allow"):
        rules.check_goes_on(replaced.chain.subscription, day("03-21"))


# As it is shown


def test_a_subscription_as_it_is_on_a_day() -> None:
    seats, other = price("10"), price("20")
    second = plan(other)
    life = subscribed(plan(seats), [seats, other], "01-01", others=[second])
    life.replace_plan(second, "02-01")
    numbers = [rules.version_on(life.chain.versions, day(on)).number for on in ("2025-06-01", "01-31", "02-01")]
    assert numbers == [1, 1, 2]
    shown = rules.read_of(life.chain, {}, day("02-01"), "Hansen")
    assert (shown.version.number, shown.next_billing_date, shown.customer_name) == (2, day("03-01"), "Hansen")
    assert rules.timeline(life.subscription, life.chain.versions) == life.chain.timeline
    renamed = rules.updated(life.chain, life.facts, replace(life.subscription, name="Other"), day("02-10"), NOW)
    (version,) = renamed.versions
    assert (version.name, version.reason, version.effective_on, version.terms) == (
        "Other",
        "updated",
        day("02-10"),
        life.chain.versions[-1].terms,
    )
