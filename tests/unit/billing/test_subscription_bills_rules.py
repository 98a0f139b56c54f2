"""What subscriptions are billed, from the day they start to the day they end (decisions "Periods", "Billing")."""

from datetime import timedelta

import pytest
from tests.unit.billing.chains import (
    ARREARS,
    AT_ONCE,
    DAY,
    GIVEN_AWAY,
    NEXT_INVOICE,
    ONE_TIME,
    WEEK,
    YEAR,
    D,
    Life,
    day,
    of_price,
    plan,
    price,
    subscribed,
    usage_price,
)

from ledgerbee.billing.charges.model import ChargeKind
from ledgerbee.billing.plans.model import PlanItem
from ledgerbee.billing.subscriptions.model import ChangeType, SubscriptionStatus
from ledgerbee.billing.subscriptions.rules import count_due_periods, next_group, status_on
from ledgerbee.billing.timelines.model import ProrationBehavior
from ledgerbee.core.fields import replace
from ledgerbee.core.money import ZERO


def bills(life: Life) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """The billing date of each bill, with the days and the net of its lines."""
    return [(f"{one.on:%m-%d}", [(start, end, str(net)) for start, end, net in one.lines]) for one in life.paid]


# The first period (contract 3.1: 200.00 a month from 11 July, anchor the 1st)


STUB = ("07-11", "08-01", "135.48")
AUGUST = ("08-01", "09-01", "200.00")


@pytest.mark.parametrize(
    ("mode", "in_july", "in_august"),
    [
        (GIVEN_AWAY, [], [("08-01", [AUGUST])]),
        (NEXT_INVOICE, [], [("08-01", [STUB, AUGUST])]),
        (AT_ONCE, [("07-11", [STUB])], [("07-11", [STUB]), ("08-01", [AUGUST])]),
    ],
)
def test_a_stub_at_the_start(mode: ProrationBehavior, in_july: list[object], in_august: list[object]) -> None:
    life = of_price("200", "07-11", mode, anchor="07-01")
    life.run("07-11")
    life.run("07-31")
    assert bills(life) == in_july
    life.run("08-01")
    assert bills(life) == in_august
    assert life.waiting == []


@pytest.mark.parametrize("mode", ProrationBehavior)
def test_arrears_always_prorate_a_stub(mode: ProrationBehavior) -> None:
    life = of_price("200", "07-11", mode, anchor="07-01", direction=ARREARS)
    life.run("07-31")
    assert bills(life) == []
    life.run("09-01")
    assert bills(life) == [("08-01", [STUB]), ("09-01", [AUGUST])]


@pytest.mark.parametrize("mode", ProrationBehavior)
def test_without_an_anchor_the_first_period_is_whole(mode: ProrationBehavior) -> None:
    life = of_price("200", "07-11", mode)
    life.run("07-11")
    assert bills(life) == [("07-11", [("07-11", "08-11", "200.00")])]
    assert life.subscription.next_run_on == day("08-11")


@pytest.mark.parametrize("anchor", ["2021-07-01", "2030-03-01", "2026-08-01"])
def test_an_anchor_far_away_has_the_same_stub(anchor: str) -> None:
    life = of_price("200", "07-11", AT_ONCE, anchor=anchor)
    life.run("07-11")
    assert bills(life) == [("07-11", [STUB])]


def test_an_anchor_on_the_31st_does_not_drift() -> None:
    life = of_price("100", "01-31")
    life.run("06-30")
    assert [on for on, _ in bills(life)] == ["01-31", "02-28", "03-31", "04-30", "05-31", "06-30"]
    assert life.paid_in_all == D("600.00")


# Trials


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (GIVEN_AWAY, [("08-01", [AUGUST])]),
        (NEXT_INVOICE, [("08-01", [("07-15", "08-01", "109.68"), AUGUST])]),
        (AT_ONCE, [("07-15", [("07-15", "08-01", "109.68")]), ("08-01", [AUGUST])]),
    ],
)
def test_a_stub_after_a_trial_follows_the_mode(mode: ProrationBehavior, expected: list[object]) -> None:
    life = of_price("200", "07-01", mode, trial_until="07-15")
    life.run("07-14")
    assert life.topics == ["started"]
    life.run("08-01")
    assert bills(life) == expected
    assert life.topics == ["started", "trial_ended"]


def test_a_trial_of_a_whole_period_is_followed_by_a_whole_one() -> None:
    life = of_price("200", "07-01", GIVEN_AWAY, trial_until="08-01")
    life.run("08-01")
    assert bills(life) == [("08-01", [AUGUST])]


def test_an_end_in_the_trial_bills_nothing() -> None:
    life = of_price("200", "07-01", trial_until="07-15", ends_on="07-10")
    life.run("12-01")
    assert bills(life) == []
    assert life.topics == ["started", "churned"]
    assert life.subscription.next_run_on is None


# Ends


@pytest.mark.parametrize(
    ("mode", "last"),
    [
        (GIVEN_AWAY, []),
        (NEXT_INVOICE, [("08-01", [("08-01", "08-11", "64.52")])]),
        (AT_ONCE, [("08-01", [("08-01", "08-11", "64.52")])]),
    ],
)
def test_an_end_that_is_known_cuts_the_last_period(mode: ProrationBehavior, last: list[object]) -> None:
    life = of_price("200", "07-01", mode, ends_on="08-11")
    life.run("08-10")
    assert bills(life)[1:] == last
    assert life.topics == ["started"]
    life.run("08-11")
    life.run("12-01")
    assert bills(life)[1:] == last
    assert life.topics == ["started", "churned"]


@pytest.mark.parametrize("mode", ProrationBehavior)
def test_in_arrears_the_last_days_are_billed_on_the_day_of_the_end(mode: ProrationBehavior) -> None:
    life = of_price("200", "07-01", mode, ends_on="08-11", direction=ARREARS)
    life.run("08-10")
    life.run("08-11")
    assert bills(life)[1:] == [("08-11", [("08-01", "08-11", "64.52")])]


def test_a_stub_that_is_also_the_end_is_billed_when_the_end_comes() -> None:
    life = of_price("200", "07-11", anchor="07-01", ends_on="07-21")
    life.run("07-20")
    assert bills(life) == []
    assert life.subscription.next_run_on == day("07-21")
    life.run("07-21")
    assert bills(life) == [("07-21", [("07-11", "07-21", "64.52")])]


def test_the_mode_of_a_change_says_nothing_of_the_end() -> None:
    """A resume gives its own days away; the last period is billed as the subscription says."""
    life = of_price("310", "01-01", NEXT_INVOICE, ends_on="03-11")
    life.now(ChangeType.PAUSE, "01-11", GIVEN_AWAY)
    life.now(ChangeType.RESUME, "01-21", GIVEN_AWAY)
    life.run("12-01")
    assert bills(life) == [
        ("01-01", [("01-01", "02-01", "310.00")]),
        ("02-01", [("02-01", "03-01", "310.00")]),
        ("03-01", [("03-01", "03-11", "100.00")]),
    ]


# What comes once


def test_what_comes_once_is_billed_on_the_first_day_whatever_the_stub() -> None:
    set_up, monthly = price("500", kind=ONE_TIME), price("200")
    items = (PlanItem(set_up.id, D(2)), PlanItem(monthly.id))
    life = subscribed(plan(*items), [set_up, monthly], "07-11", NEXT_INVOICE, anchor="07-01", discount="10")
    life.run("07-11")
    assert bills(life) == [("07-11", [("07-11", "07-12", "900.00")])]
    life.run("10-01")
    assert [str(one.invoice) for one in life.paid] == ["900.00", "301.94", "180.00", "180.00"]
    once = [one for one in life.chain.charges if one.kind is ChargeKind.ONE_TIME]
    assert [(one.period.start, one.quantity, one.discount_percent) for one in once] == [(day("07-11"), D(2), D(10))]


def test_a_set_up_fee_is_charged_once_whatever_plans_come_after_it() -> None:
    """B8: the plan is replaced on day 12."""
    set_up, small, large = price("500", kind=ONE_TIME), price("100"), price("200")
    first, second = plan(set_up, small), plan(set_up, large)
    life = subscribed(first, [set_up, small, large], "01-01", others=[second])
    life.replace_plan(second, "01-12")
    life.run("06-01")
    once = [one for one in life.chain.charges if one.kind is ChargeKind.ONE_TIME]
    assert [str(one.net) for one in once] == ["500.00"]


def test_a_fee_that_a_later_plan_brings_is_charged_with_it() -> None:
    set_up, small = price("500", kind=ONE_TIME), price("100")
    first, second = plan(small), plan(small, set_up)
    life = subscribed(first, [set_up, small], "01-01", GIVEN_AWAY, others=[second])
    life.replace_plan(second, "01-12")
    assert bills(life)[1:] == [("01-12", [("01-12", "01-13", "500.00")])]
    assert life.subscription.next_run_on == day("02-01")


# Amounts


def test_quantities_discounts_and_several_prices() -> None:
    seats, base = price("15"), price("99.90")
    items = (PlanItem(seats.id, D(77)), PlanItem(base.id))
    life = subscribed(plan(*items), [seats, base], "01-01", discount="5")
    life.run("01-01")
    assert [str(net) for _, _, net in life.paid[0].lines] == ["1097.25", "94.91"]


def test_what_costs_nothing_makes_no_bill_and_is_not_looked_at_again() -> None:
    life = of_price("0", "01-01")
    life.run("03-15")
    assert life.paid == []
    assert [(one.period.start, one.net) for one in life.chain.charges] == [
        (day(on), ZERO) for on in ("01-01", "02-01", "03-01")
    ]
    assert life.subscription.billed_until == day("04-01")


@pytest.mark.parametrize(
    ("interval", "count", "dates"),
    [
        (DAY, 10, ["01-01", "01-11", "01-21"]),
        (WEEK, 2, ["01-01", "01-15", "01-29"]),
        (YEAR, 1, ["01-01"]),
    ],
)
def test_every_cadence(interval: object, count: int, dates: list[str]) -> None:
    only = price("100", interval, count)  # type: ignore[arg-type]
    life = subscribed(plan(only, interval=interval, count=count), [only], "01-01")  # type: ignore[arg-type]
    life.run("01-30")
    assert [(f"{one.on:%m-%d}", str(one.invoice)) for one in life.paid] == [(on, "100.00") for on in dates]


# Catching up


def test_a_long_catch_up_goes_in_steps_the_oldest_first() -> None:
    life, at_once = (of_price("100", "2024-01-15") for _ in range(2))
    assert count_due_periods(life.chain, life.facts, day("06-15"), 30) == 30
    assert count_due_periods(life.chain, life.facts, day("06-15"), 31) < 31
    assert count_due_periods(life.chain, life.facts, day("06-15"), 25) == 25
    steps: list[int] = []
    while not steps or life.subscription.next_run_on <= day("06-15"):  # type: ignore[operator]
        before = len(life.paid)
        life.run("06-15", at_most=7)
        steps.append(len(life.paid) - before)
    assert steps == [7, 7, 7, 7, 2]
    assert life.topics == ["started"]
    at_once.run("06-15", at_most=100)
    assert bills(life) == bills(at_once)
    assert [one.on for one in life.paid] == sorted(one.on for one in life.paid)
    assert count_due_periods(life.chain, life.facts, day("06-15"), 100) == 0


def test_due_periods_are_counted_by_billing_date() -> None:
    set_up, monthly, calls = price("500", kind=ONE_TIME), price("100"), usage_price()
    life = subscribed(plan(set_up, monthly, calls), [set_up, monthly, calls], "01-01")
    # 1 January has no usage yet; each later date has a month of both.
    assert count_due_periods(life.chain, life.facts, day("03-15"), 3) == 3
    assert count_due_periods(life.chain, life.facts, day("03-15"), 4) < 4
    fee = subscribed(plan(set_up), [set_up], "01-01")
    assert count_due_periods(fee.chain, fee.facts, day("03-15"), 1) == 0
    assert next_group(fee.chain, fee.facts) is not None


def test_what_is_billed_ahead_hides_nothing_that_is_behind() -> None:
    """Months, and then a year that is paid: of daily usage 25 days are behind."""
    monthly, yearly, calls = price("100"), price("1000", YEAR), usage_price("1", DAY)
    first, second = plan(monthly, calls), plan(yearly, calls, interval=YEAR)
    life = subscribed(first, [monthly, yearly, calls], "01-01", others=[second])
    for month in range(1, 5):
        life.now(ChangeType.PAUSE, f"{month:02}-10")
        life.now(ChangeType.RESUME, f"{month:02}-12")
    life.replace_plan(second, "05-01")
    life.run("05-10", at_most=100)
    assert count_due_periods(life.chain, life.facts, day("06-04"), 25) == 25
    assert count_due_periods(life.chain, life.facts, day("06-04"), 26) < 26


def test_a_run_does_nothing_twice() -> None:
    life = of_price("100", "01-15", anchor="01-01")
    life.run("04-10")
    again = life.run("04-10")
    assert (again.bills, again.versions, again.charges, again.events, again.changes) == ((), (), (), (), ())
    assert replace(again.chain) == life.chain


def test_before_the_start_nothing_happens() -> None:
    life = of_price("100", "03-01")
    life.run("01-10")
    assert (life.paid, life.topics, life.subscription.next_run_on) == ([], [], day("03-01"))


def test_schedules_say_when_each_price_is_billed_next() -> None:
    set_up, monthly, calls = price("500", kind=ONE_TIME), price("100"), usage_price("1", WEEK)
    life = subscribed(plan(set_up, monthly, calls), [set_up, monthly, calls], "01-01")
    life.run("2025-12-20")
    assert [(one.next_billing_date, one.billed_until) for one in life.chain.schedules.values()] == [
        (day("01-01"), day("01-01")),
        (day("01-01"), day("01-01")),
        (day("01-08"), day("01-01")),
    ]
    life.run("01-09")
    assert [one.next_billing_date for one in life.chain.schedules.values()] == [None, day("02-01"), day("01-15")]
    assert life.chain.schedules[calls.id].billed_until == day("01-08")
    life.cancel("01-10")
    assert [one.next_billing_date for one in life.chain.schedules.values()] == [None, None, None]


# Statuses


def statuses(life: Life, *on: str) -> list[SubscriptionStatus]:
    return [status_on(life.subscription, day(one)) for one in on]


def test_where_a_subscription_stands() -> None:
    life = of_price("100", "02-01", trial_until="02-15", ends_on="06-01")
    assert statuses(life, "01-31", "02-01", "02-14", "02-15", "05-31", "06-01") == [
        SubscriptionStatus.SCHEDULED,
        SubscriptionStatus.TRIAL,
        SubscriptionStatus.TRIAL,
        SubscriptionStatus.ACTIVE,
        SubscriptionStatus.ACTIVE,
        SubscriptionStatus.EXPIRED,
    ]
    life.chain = replace(life.chain, subscription=replace(life.subscription, is_cancelled=True))
    assert statuses(life, "01-31", "02-14", "05-31", "06-01") == [
        SubscriptionStatus.SCHEDULED,
        SubscriptionStatus.PENDING_CANCELLATION,
        SubscriptionStatus.PENDING_CANCELLATION,
        SubscriptionStatus.CANCELLED,
    ]
    life.chain = replace(life.chain, subscription=replace(life.subscription, is_paused=True))
    assert statuses(life, "03-01") == [SubscriptionStatus.PAUSED]
    life.chain = replace(life.chain, subscription=replace(life.subscription, awaits_payment=True))
    assert statuses(life, "03-01") == [SubscriptionStatus.AWAITING_PAYMENT]
    life.chain = replace(life.chain, subscription=replace(life.subscription, ends_on=day("02-01")))
    assert statuses(life, "01-31", "02-01") == [SubscriptionStatus.CANCELLED] * 2


def test_a_run_is_never_later_than_what_happens_next() -> None:
    life = of_price("100", "02-01", trial_until="02-15", ends_on="03-20", anchor="02-01")
    seen = []
    on = life.subscription.next_run_on
    while on is not None:
        seen.append(f"{on:%m-%d}")
        idle = life.run(on - timedelta(days=1))
        assert (idle.bills, idle.events, idle.changes) == ((), (), ())
        life.run(on)
        on = life.subscription.next_run_on
    assert seen == ["02-01", "02-15", "03-01", "03-20"]
