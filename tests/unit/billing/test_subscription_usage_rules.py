"""What usage costs: after its period, by the tiers of the whole period, and what late events make of it (decisions
"Usage").
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.billing.chains import (
    ARREARS,
    AT_ONCE,
    GIVEN_AWAY,
    NEXT_INVOICE,
    WEEK,
    D,
    Life,
    day,
    plan,
    price,
    subscribed,
    usage_price,
)

from ledgerbee.billing.charges.model import Charge, ChargeKind
from ledgerbee.billing.subscriptions.model import ChangeType
from ledgerbee.billing.subscriptions.rules import count_due_periods
from ledgerbee.billing.timelines.model import BillingDirection, ProrationBehavior
from ledgerbee.catalog.prices.model import Price, Tier
from ledgerbee.catalog.prices.rules import amount_for
from ledgerbee.core.fields import replace
from ledgerbee.core.money import ZERO, round_money, total

#: Ten for 5.00 each, the others for 2.00 each; 1.00 once there is any.
TIERS = (Tier(D(10), D(5), D(1)), Tier(None, D(2), ZERO))


def metered(
    mode: ProrationBehavior = NEXT_INVOICE, tiers: Sequence[Tier] = (), start: str = "01-01", **others: object
) -> tuple[Life, Price]:
    """A subscription to one usage price, for 1.00 or by tiers."""
    calls = usage_price("1", tiers=tiers)
    return subscribed(plan(calls), [calls], start, mode, **others), calls  # type: ignore[arg-type]


def totals(life: Life) -> list[tuple[str, str, str]]:
    return [(f"{one.on:%m-%d}", str(one.invoice), str(one.notes)) for one in life.paid]


def usage_of(life: Life) -> list[tuple[str, str, str, int]]:
    """Start of the period, quantity, net and events of each charge of usage."""
    return [
        (f"{one.period.start:%m-%d}", f"{one.quantity:f}", str(one.net), one.events)
        for one in life.chain.charges
        if one.kind in {ChargeKind.USAGE, ChargeKind.USAGE_DIFFERENCE}
    ]


@pytest.mark.parametrize("direction", BillingDirection)
def test_usage_is_billed_after_its_period(direction: BillingDirection) -> None:
    life, calls = metered(direction=direction)
    for on, value in (("01-01", "2.5"), ("01-31", "3"), ("02-01", "100")):
        life.meter.report(calls, on, value)
    life.run("01-31")
    assert life.paid == []
    life.run("02-01")
    assert totals(life) == [("02-01", "5.50", "0")]
    assert usage_of(life) == [("01-01", "5.5", "5.50", 2)]


def test_no_usage_costs_nothing_not_even_a_flat_amount() -> None:
    life, _ = metered(tiers=TIERS)
    life.run("03-01")
    assert life.paid == []
    assert usage_of(life) == [("01-01", "0", "0.00", 0), ("02-01", "0", "0.00", 0)]
    assert life.subscription.next_run_on == day("04-01")


def test_usage_in_a_trial_is_not_billed() -> None:
    """B3: 100 units on day 3 of a trial of 14 days, 50 on day 20."""
    life, calls = metered(trial_until="01-15")
    life.meter.report(calls, "01-03", "100")
    life.meter.report(calls, "01-20", "50")
    life.run("02-01")
    assert totals(life) == [("02-01", "50.00", "0")]


def test_usage_before_and_after_an_upgrade_that_bills_at_once() -> None:
    """B4: 40 units before the 15th, 60 after; the same meter, another price."""
    old, new, small, large = usage_price("1"), usage_price("0.5"), price("31"), price("62")
    first, second = plan(small, old), plan(large, new)
    life = subscribed(first, [old, new, small, large], "01-01", AT_ONCE, others=[second])
    for metered_by in (old, new):
        life.meter.report(metered_by, "01-14", "40")
        life.meter.report(metered_by, "01-15", "60")
    life.replace_plan(second, "01-15")
    life.run("02-01")
    assert totals(life) == [("01-01", "31.00", "0"), ("01-15", "17.00", "0.00"), ("02-01", "132.00", "0")]
    assert usage_of(life) == [("01-01", "40", "40.00", 1), ("01-01", "60", "30.00", 1)]
    life.run("03-01")
    assert [one[0] for one in usage_of(life)] == ["01-01", "01-01", "02-01"]


def test_usage_in_a_pause_is_not_billed() -> None:
    life, calls = metered()
    for on in ("01-05", "01-12", "01-25"):
        life.meter.report(calls, on, "1")
    life.now(ChangeType.PAUSE, "01-11")
    life.now(ChangeType.RESUME, "01-21")
    life.run("02-01")
    assert usage_of(life) == [("01-01", "2", "2.00", 2)]


def test_usage_below_zero_is_taken_off_the_next_period() -> None:
    """B13: -3 in the first period, +4 in the second."""
    life, calls = metered()
    life.meter.report(calls, "01-05", "-3")
    life.meter.report(calls, "02-05", "4")
    life.run("02-01")
    assert life.chain.schedules[calls.id].carried == D(-3)
    life.run("03-01")
    assert usage_of(life) == [("01-01", "0", "0.00", 1), ("02-01", "1", "1.00", 1)]
    assert life.chain.schedules[calls.id].carried == ZERO


def test_what_is_below_zero_is_carried_until_it_is_used_up() -> None:
    life, calls = metered()
    for on, value in (("01-05", "-10"), ("02-05", "4"), ("03-05", "-1"), ("05-05", "9")):
        life.meter.report(calls, on, value)
    life.run("06-01")
    assert [one[1] for one in usage_of(life)] == ["0", "0", "0", "0", "2"]


def test_tiers_run_over_each_period() -> None:
    life, calls = metered(tiers=TIERS)
    for on, value in (("01-05", "8"), ("01-25", "4"), ("02-05", "12")):
        life.meter.report(calls, on, value)
    life.run("03-01")
    assert [one[2] for one in usage_of(life)] == ["55.00", "55.00"]


def test_tiers_go_on_where_a_price_comes_back_and_begin_anew_with_another() -> None:
    old, new, small = usage_price(tiers=TIERS), usage_price(tiers=TIERS), price("31")
    first, second = plan(small, old), plan(small, new)
    life = subscribed(first, [old, new, small], "01-01", GIVEN_AWAY, others=[first, second])
    life.replace_plan(second, "01-11")
    life.replace_plan(first, "01-21")
    for metered_by in (old, new):
        for on in ("01-05", "01-15", "01-25"):
            life.meter.report(metered_by, on, "8")
    life.run("02-01")
    # The old one counts 8 and 8 (10 at 5.00, 6 at 2.00), the new one 8.
    assert usage_of(life) == [("01-01", "16", "63.00", 2), ("01-01", "8", "41.00", 1)]


def test_usage_has_a_cadence_of_its_own_from_the_same_anchor() -> None:
    calls, seats = usage_price("1", WEEK), price("31")
    life = subscribed(plan(seats, calls), [seats, calls], "01-01", ends_on="01-18")
    for on in ("01-07", "01-08", "01-17", "01-18"):
        life.meter.report(calls, on, "1")
    life.run("01-31")
    assert totals(life) == [
        ("01-01", "17.00", "0"),
        ("01-08", "1.00", "0"),
        ("01-15", "1.00", "0"),
        ("01-18", "1.00", "0"),
    ]


def test_a_restart_bills_usage_until_its_day() -> None:
    life, calls = metered()
    for on in ("01-05", "01-10", "01-11", "02-10"):
        life.meter.report(calls, on, "1")
    same = life.facts.newest[life.subscription.plan_id]
    life.replace_plan(same, "01-11", restarts=True)
    life.run("02-11")
    assert totals(life) == [("01-11", "2.00", "0"), ("02-11", "2.00", "0")]


def test_the_whole_invoice_waits_for_late_usage() -> None:
    calls, seats = usage_price("1"), price("31")
    life = subscribed(plan(seats, calls), [seats, calls], "01-01", grace_days=3)
    life.meter.report(calls, "01-05", "1")
    life.run("02-03")
    assert len(life.paid) == 1
    assert {one.next_billing_date for one in life.chain.schedules.values()} == {day("02-04")}
    assert count_due_periods(life.chain, life.facts, day("02-03"), 9) == 0
    life.meter.report(calls, "01-31", "1")
    life.run("02-04")
    assert totals(life)[1:] == [("02-01", "33.00", "0")]


def test_discounts_are_off_usage_too() -> None:
    life, calls = metered(tiers=TIERS, discount="10")
    life.meter.report(calls, "01-05", "12")
    life.run("02-01")
    assert totals(life) == [("02-01", "49.50", "0")]


# Late events


def test_late_usage_is_a_difference_by_the_tiers_of_its_period() -> None:
    life, calls = metered(tiers=TIERS)
    life.meter.report(calls, "01-05", "8")
    life.run("02-01")
    life.meter.report(calls, "01-06", "4")
    life.late()
    assert usage_of(life) == [("01-01", "8", "41.00", 1), ("01-01", "4", "14.00", 1)]
    assert [str(net) for net in life.waiting] == ["14.00"]
    life.meter.report(calls, "02-05", "1")
    life.run("03-01")
    assert totals(life)[1:] == [("03-01", "20.00", "0")]


def test_late_usage_up_and_down_and_again() -> None:
    life, calls = metered()
    life.meter.report(calls, "01-05", "10")
    life.run("02-01")
    for value in ("5", "-8", "3", "-4"):
        life.meter.report(calls, "01-06", value)
        life.late()
    assert [one[1:3] for one in usage_of(life)] == [
        ("10", "10.00"),
        ("5", "5.00"),
        ("-8", "-5.00"),
        ("0", "-3.00"),
        ("3", "3.00"),
        ("-4", "-3.00"),
        ("0", "-1.00"),
    ]
    assert sum(one[3] for one in usage_of(life)) == 5
    life.run("03-01")
    assert life.paid_in_all == D(6)
    assert totals(life)[1:] == [("03-01", "0.00", "-4.00")]


def test_what_late_usage_lowers_is_a_note_at_once_where_the_subscription_says_so() -> None:
    life, calls = metered(AT_ONCE)
    life.meter.report(calls, "01-05", "10")
    life.run("02-01")
    life.meter.report(calls, "01-06", "2")
    life.late()
    life.meter.report(calls, "01-07", "-5")
    life.late()
    # Two of the five wait with the difference that they take back; three were invoiced.
    assert [str(net) for net in life.waiting] == ["2.00", "-2.00"]
    assert totals(life)[1:] == [("02-01", "0", "-3.00")]
    assert life.paid[-1].is_refund
    life.run("03-01")
    assert len(life.paid) == 2


def test_late_usage_lowers_no_more_than_what_is_left() -> None:
    life, calls = metered(AT_ONCE)
    life.meter.report(calls, "01-05", "10")
    life.run("02-01")
    life.credit_by_hand(life.chain.charges[0], "8.00")
    life.meter.report(calls, "01-06", "-5")
    life.late()
    assert totals(life)[1:] == [("02-01", "0", "-2.00")]
    life.meter.report(calls, "01-06", "-5")
    life.late()
    assert usage_of(life)[1:] == [("01-01", "-5", "-2.00", 1), ("01-01", "-5", "0", 1)]
    assert life.waiting == []


def test_late_usage_that_changes_nothing_to_pay_is_counted_once() -> None:
    life, calls = metered(tiers=(Tier(D(100), ZERO, D(7)), Tier(None, D(1), ZERO)))
    life.meter.report(calls, "01-05", "8")
    life.run("02-01")
    life.meter.report(calls, "01-06", "4")
    life.late()
    life.late()
    assert usage_of(life) == [("01-01", "8", "7.00", 1), ("01-01", "4", "0.00", 1)]
    assert life.waiting == []


def test_late_usage_below_zero_is_taken_off_the_next_period() -> None:
    life, calls = metered()
    life.meter.report(calls, "01-05", "2")
    life.run("02-01")
    life.meter.report(calls, "01-06", "-5")
    life.late()
    assert life.chain.schedules[calls.id].carried == D(-3)
    life.meter.report(calls, "02-05", "4")
    life.run("03-01")
    assert [one[1] for one in usage_of(life)] == ["2", "-2", "1"]
    assert life.paid_in_all == D(1)


@pytest.mark.parametrize(
    ("tiers", "late", "billed", "carried"),
    [
        ((), "2500", "500.00", "0"),
        ((), "2000", "0", "0"),
        ((), "1500", "0", "-500"),
        ((Tier(D(100), D(1), ZERO), Tier(None, D("0.10"), ZERO)), "2500", "140.00", "0"),
    ],
)
def test_late_usage_above_what_was_below_zero_takes_that_off_first(
    tiers: tuple[Tier, ...], late: str, billed: str, carried: str
) -> None:
    """1,000 and -3,000 leave 2,000 to take off: what comes late for that period isn't charged in full before."""
    life, calls = metered(tiers=tiers)
    for value in ("1000", "-3000"):
        life.meter.report(calls, "01-05", value)
    life.run("02-01")
    life.meter.report(calls, "01-06", late)
    life.late()
    life.run("03-01")
    assert life.paid_in_all == D(billed)
    assert life.chain.schedules[calls.id].carried == D(carried)
    # With nothing more to count there is nothing more to take off or to charge.
    life.late()
    life.run("04-01")
    assert life.paid_in_all == D(billed)
    assert life.chain.schedules[calls.id].carried == D(carried)


def test_late_usage_above_what_was_below_zero_and_taken_off_since_is_charged() -> None:
    """The 3 below zero of January were taken off February's 4: of 5 late ones in January 3 are February's again."""
    life, calls = metered()
    life.meter.report(calls, "01-05", "-3")
    life.meter.report(calls, "02-05", "4")
    life.run("03-01")
    life.meter.report(calls, "01-06", "5")
    life.late()
    assert [str(net) for net in life.waiting] == ["2.00", "3.00"]


@pytest.mark.parametrize(
    ("late", "january", "february", "march"),
    [
        ("175", ["0.00", "130.00"], ["0.00", "10.00"], ["20.00", "5.00"]),
        ("10", ["0.00"], ["0.00", "5.00"], ["20.00", "5.00"]),
        ("3", ["0.00"], ["0.00"], ["20.00", "3.00"]),
    ],
)
def test_what_was_taken_off_periods_is_charged_by_their_tiers_where_there_is_nothing_to_take_off(
    late: str, january: list[str], february: list[str], march: list[str]
) -> None:
    """15 below zero of January were taken off 10 and 25 since: the newest has them back first."""
    life, calls = metered(tiers=(Tier(D(100), D(1), ZERO), Tier(None, D("0.5"), ZERO)))
    for on, value in (("01-05", "-15"), ("02-05", "10"), ("03-05", "25")):
        life.meter.report(calls, on, value)
    life.run("04-01")
    life.meter.report(calls, "01-06", late)
    life.late()
    for period, expected in zip(("01-01", "02-01", "03-01"), (january, february, march), strict=True):
        assert [net for start, _, net, _ in usage_of(life) if start == period and D(net)] == [
            net for net in expected if D(net)
        ]
    check_periods(life.chain.charges, life, calls)
    assert life.chain.schedules[calls.id].carried == ZERO
    before = len(life.chain.charges)
    life.late()
    assert len(life.chain.charges) == before


@pytest.mark.parametrize(("on", "value", "billed"), [("02-06", "2", "3"), ("01-06", "5", "6"), ("01-06", "2", "3")])
def test_late_usage_of_periods_that_took_from_each_other(on: str, value: str, billed: str) -> None:
    """B13, and an event more for either period: together they come to what was used."""
    life, calls = metered()
    life.meter.report(calls, "01-05", "-3")
    life.meter.report(calls, "02-05", "4")
    life.run("03-01")
    life.meter.report(calls, on, value)
    life.late()
    life.run("04-01")
    assert total([D(one[1]) for one in usage_of(life)]) == D(billed) == life.paid_in_all


def test_late_usage_of_a_period_that_was_cut_counts_no_days_after_it() -> None:
    life, calls = metered()
    for on in ("01-05", "01-20"):
        life.meter.report(calls, on, "1")
    same = life.facts.newest[life.subscription.plan_id]
    life.replace_plan(same, "01-11", restarts=True)
    life.run("02-11")
    life.meter.report(calls, "01-06", "1")
    life.late()
    assert [one[1] for one in usage_of(life)] == ["1", "1", "1"]
    assert [str(net) for net in life.waiting] == ["1.00"]


def test_late_usage_after_the_end_has_an_invoice_of_its_own() -> None:
    for mode in ProrationBehavior:
        life, calls = metered(mode, ends_on="02-11")
        life.meter.report(calls, "02-10", "4")
        life.run("02-20")
        life.meter.report(calls, "02-05", "3")
        life.late()
        assert totals(life) == [("02-11", "4.00", "0"), ("02-11", "3.00", "0")]
        life.meter.report(calls, "02-05", "-5")
        life.late()
        assert total([D(note) for _, _, note in totals(life)]) == D(-5)
        assert life.waiting == []


def test_late_usage_in_a_trial_or_a_pause_is_not_billed() -> None:
    life, calls = metered(trial_until="01-06")
    life.now(ChangeType.PAUSE, "01-21")
    life.run("02-01")
    for on in ("01-03", "01-05", "01-21", "01-30"):
        life.meter.report(calls, on, "1")
    life.late()
    assert usage_of(life) == [("01-01", "0", "0.00", 0)]
    life.meter.report(calls, "01-06", "1")
    life.meter.report(calls, "01-20", "1")
    life.late()
    assert usage_of(life)[1:] == [("01-01", "2", "2.00", 2)]


EVENTS = st.lists(
    st.tuples(st.integers(0, 119), st.integers(0, 140), st.integers(-6, 9).map(Decimal)), min_size=1, max_size=12
)


@given(EVENTS, st.sampled_from([NEXT_INVOICE, AT_ONCE]), st.booleans(), st.sampled_from(BillingDirection))
def test_whatever_comes_whenever_all_usage_is_billed_once(
    events: list[tuple[int, int, Decimal]], mode: ProrationBehavior, is_tiered: bool, direction: BillingDirection
) -> None:
    """Events of the first 120 days that arrive on some day: what is billed in the end is what was used."""
    life, calls = metered(mode, TIERS if is_tiered else (), direction=direction)
    first = day("01-01")
    for number in range(151):
        today = first + timedelta(days=number)
        arrived = [one for one in events if max(one[0], one[1]) == number]
        life.run(today)
        for occurred, _, value in arrived:
            life.meter.report(calls, first + timedelta(days=occurred), value)
        days_of = {first + timedelta(days=one[0]) for one in arrived}
        hit = tuple(
            charge.id
            for charge in life.chain.charges
            if charge.kind is ChargeKind.USAGE
            and any(charge.service.start <= on < charge.service.end for on in days_of)
        )
        if hit:
            life.chain = replace(life.chain, late=hit)
            life.run(today)
    charges = [one for one in life.chain.charges if one.kind is not ChargeKind.ONE_TIME]
    assert sum(one.events for one in charges) == len(events)
    carried = life.chain.schedules[calls.id].carried
    assert total([one.quantity for one in charges]) + carried == total([one[2] for one in events])
    check_periods(charges, life, calls)
    assert carried <= 0
    assert life.paid_in_all + total(life.waiting) == total([one.net for one in charges])


def check_periods(charges: Sequence[Charge], life: Life, calls: Price) -> None:
    """Each period's lines come to what its quantity costs, never less than nothing."""
    for start in {one.period.start for one in charges}:
        own = [one for one in charges if one.period.start == start]
        quantity = total([one.quantity for one in own])
        assert quantity >= 0
        assert total([one.net for one in own]) == round_money(amount_for(calls, quantity), "DKK")
        counted = life.meter.count(calls.id, [own[0].period])
        assert quantity == counted.quantity + total([one.carried for one in own])


def test_arrears_have_usage_and_days_on_one_bill() -> None:
    calls, seats = usage_price("1"), price("31")
    life = subscribed(plan(seats, calls), [seats, calls], "01-01", direction=ARREARS)
    life.meter.report(calls, "01-05", "4")
    life.run("02-01")
    assert [[str(net) for _, _, net in one.lines] for one in life.paid] == [["31.00", "4.00"]]
