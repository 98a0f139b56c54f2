"""Changes of subscriptions: plans, products, cadences, directions, pauses, ends (decisions "Proration and edits")."""

from decimal import Decimal

import pytest
from tests.unit.billing.chains import (
    ADVANCE,
    ARREARS,
    AT_ONCE,
    GIVEN_AWAY,
    MONTH,
    NEXT_INVOICE,
    NOW,
    ONE_TIME,
    WEEK,
    YEAR,
    D,
    Life,
    Paid,
    day,
    of_price,
    plan,
    price,
    subscribed,
    usage_price,
)

from ledgerbee.billing.charges.model import ChargeKind
from ledgerbee.billing.plans.model import PlanAlternative, PlanItem, PlanVersion
from ledgerbee.billing.subscriptions.model import ChangeStatus, ChangeType, RefundBehavior
from ledgerbee.billing.subscriptions.rules import advance, chosen_items
from ledgerbee.billing.timelines.model import Item, ProrationBehavior
from ledgerbee.catalog.prices.model import Price
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace

EDIT, CADENCE, DIRECTION = ChangeType.EDIT_PRODUCTS, ChangeType.CHANGE_CADENCE, ChangeType.CHANGE_DIRECTION
PAUSE, RESUME, CANCEL, REPLACE = ChangeType.PAUSE, ChangeType.RESUME, ChangeType.CANCEL, ChangeType.REPLACE_PLAN


def plans_of(
    *amounts: str, interval: object = MONTH, mode: ProrationBehavior = AT_ONCE, **others: object
) -> tuple[Life, list[PlanVersion]]:
    """A subscription from 1 January to the first of some plans of one price each."""
    prices = [price(amount, interval) for amount in amounts]  # type: ignore[arg-type]
    found = [plan(one, interval=interval) for one in prices]  # type: ignore[arg-type]
    start = str(others.pop("start", "01-01"))
    return subscribed(found[0], prices, start, mode, others=found, **others), found  # type: ignore[arg-type]


def totals(life: Life) -> list[tuple[str, str, str]]:
    """Of each bill its date, and what its invoice and its credit notes come to."""
    return [(f"{one.on:%m-%d}", str(one.invoice), str(one.notes)) for one in life.paid]


def nets(life: Life) -> list[list[str]]:
    return [[str(net) for _, _, net in one.lines] for one in life.paid]


def lines_of_invoice(paid: Paid) -> list[str]:
    """The net of each line of a bill's own invoice."""
    return [str(one.on_invoice) for one in paid.shares if one.on_invoice and one.set_off is None]


# Upgrades and downgrades


def test_two_upgrades_in_a_year() -> None:
    """B1: 4,990 -> 9,980 on 24 January -> 14,970 on 29 January."""
    life, (_, second, third) = plans_of("4990", "9980", "14970", interval=YEAR)
    life.replace_plan(second, "01-24")
    life.replace_plan(third, "01-29")
    assert totals(life) == [("01-01", "4990.00", "0"), ("01-24", "4675.56", "0.00"), ("01-29", "4607.21", "0.00")]
    assert life.paid_in_all == D("14272.77")


def test_an_upgrade_two_days_before_the_boundary() -> None:
    """B2: 26 -> 80 a month."""
    life, (_, second) = plans_of("26", "80")
    life.replace_plan(second, "01-30")
    life.run("02-01")
    assert totals(life) == [("01-01", "26.00", "0"), ("01-30", "3.48", "0.00"), ("02-01", "80.00", "0")]


def test_an_edit_is_a_credit_and_a_charge_on_the_next_regular_invoice() -> None:
    life, (_, second) = plans_of("310", "620", mode=NEXT_INVOICE)
    life.replace_plan(second, "01-11")
    assert [str(net) for net in life.waiting] == ["-210.00", "420.00"]
    assert len(life.paid) == 1
    life.run("02-01")
    assert nets(life) == [["310.00"], ["-210.00", "420.00", "620.00"]]
    assert life.waiting == []


def test_a_downgrade_lowers_the_next_regular_invoice_and_the_rest_is_a_credit_note() -> None:
    life, (_, second) = plans_of("3100", "31", mode=NEXT_INVOICE)
    life.replace_plan(second, "01-11")
    life.run("02-01")
    assert totals(life) == [("01-01", "3100.00", "0"), ("02-01", "0.00", "-2048.00")]


def test_a_downgrade_at_once_is_a_credit_note() -> None:
    life, (_, second) = plans_of("310", "31")
    life.replace_plan(second, "01-11")
    assert totals(life)[1:] == [("01-11", "0.00", "-189.00")]
    assert life.paid_in_all == D("121.00")


def test_none_charges_and_credits_nothing_until_the_boundary() -> None:
    life, (_, second, third) = plans_of("310", "620", "31", mode=GIVEN_AWAY)
    life.replace_plan(second, "01-11")
    life.run("02-01")
    life.replace_plan(third, "02-11")
    life.run("03-01")
    assert totals(life) == [("01-01", "310.00", "0"), ("02-01", "620.00", "0"), ("03-01", "31.00", "0")]


def test_a_change_may_have_a_mode_of_its_own() -> None:
    life, (_, second) = plans_of("310", "620", mode=GIVEN_AWAY)
    life.replace_plan(second, "01-11", AT_ONCE)
    assert totals(life)[1:] == [("01-11", "210.00", "0.00")]
    other, (_, second) = plans_of("310", "620", mode=AT_ONCE)
    other.replace_plan(second, "01-11", GIVEN_AWAY)
    assert len(other.paid) == 1


def test_a_change_at_a_boundary_holds_for_that_days_bill() -> None:
    life, (_, second) = plans_of("310", "620")
    life.run("01-31")
    life.change_and_run(REPLACE, "02-01", planId=str(second.plan_id))
    assert totals(life)[1:] == [("02-01", "620.00", "0")]
    assert life.topics == ["started", "transitioned"]


def test_a_change_on_a_boundary_after_the_bill_settles_the_whole_period() -> None:
    life, (_, second) = plans_of("310", "620")
    life.run("02-01")
    life.replace_plan(second, "02-01")
    assert nets(life)[1:] == [["310.00"], ["-310.00", "620.00"]]


def test_from_free_to_paid_and_back_on_one_day() -> None:
    """B16: a segment of no days makes no line."""
    life, (free, paid) = plans_of("0", "310", mode=NEXT_INVOICE)
    life.replace_plan(paid, "01-11")
    life.replace_plan(free, "01-11")
    life.run("03-01")
    assert life.paid == []
    assert life.waiting == []
    assert [one.terms.plan_id for one in life.chain.timeline] == [free.plan_id]


def test_what_is_reversed_for_the_same_days_makes_no_line() -> None:
    life, (first, second) = plans_of("310", "620", mode=NEXT_INVOICE)
    life.run("01-01")
    life.replace_plan(second, "01-11")
    life.replace_plan(first, "01-11")
    life.now(PAUSE, "01-11")
    life.now(RESUME, "01-11")
    life.now(PAUSE, "01-22")
    life.now(RESUME, "01-22")
    life.run("02-01")
    assert totals(life)[1:] == [("02-01", "310.00", "0")]
    assert lines_of_invoice(life.paid[1]) == ["310.00"]
    (january,) = {one.invoice_line_id for one in life.chain.charges if one.invoice_id and one.period.start.month == 1}
    assert january is not None
    # What was given back for no day can still be given back.
    life.replace_plan(second, "02-15")
    life.replace_plan(first, "02-15")
    life.cancel("02-15", "prorated")
    assert life.paid_in_all == D("310.00") + D("155.00")


def test_what_stays_paused_of_what_was_resumed_is_credited() -> None:
    """Resumed on the day of the pause, and paused again ten days later: ten of the days left are taken back."""
    life, _ = plans_of("310", "620", mode=NEXT_INVOICE)
    life.run("01-01")
    life.now(PAUSE, "01-11")
    life.now(RESUME, "01-11")
    life.now(PAUSE, "01-22")
    life.now(RESUME, "02-01")
    life.run("02-01")
    assert lines_of_invoice(life.paid[1]) == ["-100.00", "310.00"]


@pytest.mark.parametrize("mode", ProrationBehavior)
def test_two_changes_on_a_day_end_in_one_state(mode: ProrationBehavior) -> None:
    life, (_, second, third) = plans_of("310", "620", "93", mode=mode)
    life.replace_plan(second, "01-11")
    life.replace_plan(third, "01-11")
    life.run("02-01")
    assert (
        life.paid_in_all
        == {
            GIVEN_AWAY: D("403.00"),
            NEXT_INVOICE: D("256.00"),
            AT_ONCE: D("256.00"),
        }[mode]
    )
    if mode is NEXT_INVOICE:
        assert nets(life)[1] == ["-210.00", "63.00", "93.00"]


def test_up_down_and_up_again() -> None:
    life, (first, second) = plans_of("310", "620", mode=NEXT_INVOICE)
    for on, to in (("01-06", second), ("01-11", first), ("01-16", second)):
        life.replace_plan(to, on)
    life.run("02-01")
    # 5 days of 10, 5 of 20, 5 of 10 and 16 of 20; then February.
    assert life.paid_in_all == D("50") + D("100") + D("50") + D("320") + D("620")


def test_quantities_are_edited_by_name() -> None:
    seats, extra = price("31"), price("62")
    items = (PlanItem(seats.id, D(2)), PlanItem(extra.id, optional=True))
    life = subscribed(plan(*items), [seats, extra], "01-01", AT_ONCE)
    life.edit(seats, 5, "01-11")
    life.edit(extra, "0.5", "01-21")
    life.edit(seats, 0, "01-31")
    life.run("02-01")
    assert nets(life) == [["62.00"], ["-42.00", "105.00"], ["11.00"], ["-5.00"], ["31.00"]]


def test_an_edit_of_what_the_plan_does_not_have_fails() -> None:
    life, (_, second) = plans_of("310", "620")
    life.run("01-01")
    change = life.change(EDIT, "01-11", products=[{"priceId": str(second.items[0].price_id), "quantity": 2}])
    after = life.run("01-11")
    assert [(one.id, one.status, one.failure) for one in after.changes] == [
        (change.id, ChangeStatus.FAILED, "SUBSCRIPTION_PRICE_NOT_IN_PLAN")
    ]
    assert [told.details.get("errorType") for told in after.events] == ["change_failed"]
    assert (after.bills, after.versions, life.chain.changes) == ((), (), ())


def test_usage_prices_have_no_quantity() -> None:
    calls, seats = usage_price(), price("31")
    life = subscribed(plan(PlanItem(seats.id), PlanItem(calls.id, optional=True)), [calls, seats], "01-01")
    life.edit(calls, 5, "01-01")
    life.edit(calls, 0, "01-02")
    assert [version.terms.items for version in life.chain.versions[1:]] == [
        (Item(seats.id, D(1)), Item(calls.id, D(1))),
        (Item(seats.id, D(1)),),
    ]


def test_a_plan_of_another_currency_fails() -> None:
    small = price("100")
    first, euros = plan(small), plan(small, currency="EUR")
    life = subscribed(first, [small], "01-01", others=[euros])
    life.run("01-01")
    life.change(REPLACE, "01-11", planId=str(euros.plan_id))
    assert [one.failure for one in life.run("01-11").changes] == ["SUBSCRIPTION_CURRENCY_MISMATCH"]


def test_a_discount_of_the_day_of_billing_holds_until_it_is_billed_again() -> None:
    life, (_, second) = plans_of("310", "620")
    life.run("01-01")
    life.facts = replace(life.facts, discount_percent=D(50))
    life.replace_plan(second, "01-11")
    assert nets(life) == [["310.00"], ["-210.00", "210.00"]]


def test_chosen_items_are_those_that_are_not_optional_and_those_that_are_named() -> None:
    seats, extra, other = price("1"), price("2"), price("3")
    items = (PlanItem(seats.id, D(2)), PlanItem(extra.id, D(3), optional=True))
    assert chosen_items(items, []) == (Item(seats.id, D(2)),)
    named = [{"priceId": str(extra.id)}, {"priceId": str(seats.id), "quantity": "0.5"}]
    assert chosen_items(items, named) == (Item(seats.id, D("0.5")), Item(extra.id, D(1)))
    assert chosen_items(items, [{"priceId": str(seats.id), "quantity": 0}]) == ()
    with pytest.raises(LedgerBeeError, match="does not have"):
        chosen_items(items, [{"priceId": str(other.id)}])


def test_a_recurring_price_that_comes_first_by_a_change_begins_as_the_change_says() -> None:
    calls, seats = usage_price(), price("310")
    items = (PlanItem(calls.id), PlanItem(seats.id, optional=True))
    for own, mode, expected in (
        (GIVEN_AWAY, AT_ONCE, [("01-11", "210.00", "0"), ("02-01", "310.00", "0")]),
        (AT_ONCE, GIVEN_AWAY, [("02-01", "310.00", "0")]),
        (AT_ONCE, NEXT_INVOICE, [("02-01", "520.00", "0")]),
        (NEXT_INVOICE, None, [("02-01", "520.00", "0")]),
    ):
        life = subscribed(plan(*items), [calls, seats], "01-01", own)
        life.edit(seats, 1, "01-11", mode)
        life.run("02-01")
        assert totals(life) == expected


def test_a_change_before_the_start_charges_nothing_and_holds_from_the_start() -> None:
    for mode in ProrationBehavior:
        life, (_, second) = plans_of("310", "620", mode=mode, start="02-01")
        life.run("01-10")
        life.replace_plan(second, "01-11")
        assert (life.paid, life.waiting) == ([], [])
        life.run("02-01")
        assert totals(life) == [("02-01", "620.00", "0")]
        assert [one.start for one in life.chain.timeline] == [day("02-01")]


def test_another_cadence_before_the_start_keeps_the_anchor() -> None:
    monthly, yearly = price("100"), price("1000", YEAR)
    first, second = plan(monthly), plan(yearly, interval=YEAR)
    life = subscribed(first, [monthly, yearly], "02-01", others=[second])
    life.replace_plan(second, "01-11")
    life.run("02-01")
    assert [(one.on, one.invoice) for one in life.paid] == [(day("02-01"), D("1000.00"))]
    assert life.subscription.next_run_on == day("2027-02-01")


def test_what_waits_goes_with_the_usage_where_nothing_recurs_any_more() -> None:
    seats, calls = price("310"), usage_price("2")
    first, second = plan(seats), plan(calls)
    life = subscribed(first, [seats, calls], "01-01", NEXT_INVOICE, others=[second])
    life.meter.report(calls, "01-20", "150")
    life.replace_plan(second, "01-11")
    life.run("02-01")
    assert nets(life) == [["310.00"], ["-210.00", "300.00"]]


# Cadences


def cadences(mode: ProrationBehavior, start: str, anchor: str | None = None) -> tuple[Life, Price]:
    """100 a month, 1,000 a year instead, of one product; and a fee that neither has by itself."""
    monthly = price("100")
    yearly = price("1000", YEAR, product=monthly.product_id)
    quarterly = price("280", MONTH, 3, product=monthly.product_id)
    extra, yearly_extra = price("7"), price("70", YEAR)
    offered = plan(
        PlanItem(monthly.id, D(2)),
        PlanItem(extra.id, optional=True),
        alternatives=[
            PlanAlternative(YEAR, 1, (PlanItem(yearly.id), PlanItem(yearly_extra.id, optional=True))),
            PlanAlternative(MONTH, 3, (PlanItem(quarterly.id),)),
        ],
    )
    prices = [monthly, yearly, quarterly, extra, yearly_extra]
    overrides = [{"priceId": str(monthly.id), "quantity": 1}]
    return subscribed(offered, prices, start, mode, anchor=anchor, overrides=overrides), yearly


def test_monthly_to_yearly_at_the_next_boundary() -> None:
    """B15: 100 a month anchored on the 31st, changed on 10 March: 31 March, 1,000, next 31 March."""
    life, yearly = cadences(AT_ONCE, "01-31")
    life.run("03-10")
    life.change(CADENCE, "03-31", interval="year", intervalCount=1)
    life.run("2027-03-30")
    assert totals(life) == [
        ("01-31", "100.00", "0"),
        ("02-28", "100.00", "0"),
        ("03-31", "1000.00", "0"),
    ]
    assert life.subscription.next_run_on == day("2027-03-31")
    assert life.chain.versions[-1].terms.items == (Item(yearly.id, D(1)),)


def test_a_quarter_from_the_end_of_february_ends_on_31_may() -> None:
    life, _ = cadences(AT_ONCE, "01-31")
    life.change(CADENCE, "02-28", interval="month", intervalCount=3)
    life.run("08-31")
    assert [on for on, _, _ in totals(life)] == ["01-31", "02-28", "05-31", "08-31"]


@pytest.mark.parametrize("mode", [NEXT_INVOICE, AT_ONCE])
def test_a_cadence_at_once_credits_the_rest_and_makes_its_day_the_anchor(mode: ProrationBehavior) -> None:
    life, _ = cadences(mode, "01-01")
    life.now(CADENCE, "01-11", interval="year", intervalCount=1)
    assert nets(life) == [["100.00"], ["-67.74", "1000.00"]]
    assert life.subscription.next_run_on == day("2027-01-11")
    life.run("2027-01-11")
    assert totals(life)[2:] == [("01-11", "1000.00", "0")]


@pytest.mark.parametrize("mode", [NEXT_INVOICE, AT_ONCE])
def test_a_cadence_on_its_boundary_after_the_bill_credits_the_period(mode: ProrationBehavior) -> None:
    life, _ = cadences(mode, "01-31")
    life.run("02-28")
    life.now(CADENCE, "02-28", interval="month", intervalCount=3)
    assert nets(life)[1:] == [["100.00"], ["-100.00", "280.00"]]
    assert life.subscription.next_run_on == day("05-31")


def test_a_shorter_cadence_at_once_leaves_credit_notes() -> None:
    monthly, yearly = price("100"), price("1200", YEAR)
    first, second = plan(yearly, interval=YEAR), plan(monthly)
    life = subscribed(first, [monthly, yearly], "01-01", AT_ONCE, others=[second])
    life.replace_plan(second, "01-11")
    # 355 of 365 days: 1,167.12 come back, of which 100.00 stand on the invoice of the new month.
    assert totals(life)[1:] == [("01-11", "0.00", "-1067.12")]
    life.run("02-11")
    assert totals(life)[2:] == [("02-11", "100.00", "0")]


def test_a_cadence_that_the_plan_does_not_offer_fails() -> None:
    life, _ = cadences(AT_ONCE, "01-01")
    life.run("01-01")
    life.change(CADENCE, "01-11", interval="week", intervalCount=1)
    assert [one.failure for one in life.run("01-11").changes] == ["SUBSCRIPTION_CADENCE_UNAVAILABLE"]


def test_the_same_cadence_fails_unless_the_period_begins_anew() -> None:
    life, _ = cadences(AT_ONCE, "01-01")
    life.run("01-01")
    life.change(CADENCE, "01-11", interval="month", intervalCount=1)
    after = life.run("01-11")
    assert [one.failure for one in after.changes] == ["SUBSCRIPTION_CADENCE_UNCHANGED"]
    assert (after.versions, len(life.paid)) == ((), 1)
    after = life.now(CADENCE, "01-11", interval="month", intervalCount=1, restarts=True)
    assert (len(after.versions), life.topics[-1]) == (1, "transitioned")


def test_a_change_that_leaves_all_as_it_was_is_carried_out_and_not_told() -> None:
    life, (first, _) = plans_of("310", "620", mode=AT_ONCE)
    (held, *_) = (one for one in life.facts.prices.values() if one.id == first.items[0].price_id)
    life.run("01-01")
    for after in (
        life.edit(held, 1, "01-11"),
        life.replace_plan(first, "01-11"),
        life.now(ChangeType.CHANGE_DIRECTION, "01-11", billingDirection="advance"),
    ):
        assert [one.status for one in after.changes] == [ChangeStatus.APPLIED]
        assert (after.versions, after.charges) == ((), ())
    assert life.topics == ["started"]


def test_cadences_keep_what_is_held_of_each_product() -> None:
    life, yearly = cadences(AT_ONCE, "01-01")
    monthly = next(iter(life.facts.prices.values()))
    life.edit(monthly, 7, "01-01")
    life.now(CADENCE, "02-01", interval="year", intervalCount=1)
    assert life.chain.versions[-1].terms.items == (Item(yearly.id, D(7)),)


def test_cadences_keep_how_much_recurs_beside_what_is_metered() -> None:
    """3 a month with usage of the same product are 3 a year; two prices of a product keep their order."""
    monthly = price("310")
    calls = usage_price(product=monthly.product_id)
    seat, yearly, yearly_seat = (
        price(amount, cadence, product=monthly.product_id)
        for amount, cadence in (("20", MONTH), ("3650", YEAR), ("200", YEAR))
    )
    alternative = PlanAlternative(
        YEAR, 1, (PlanItem(yearly.id), PlanItem(yearly_seat.id, optional=True), PlanItem(calls.id, optional=True))
    )
    for items, quantities in (
        ((PlanItem(monthly.id, D(3)), PlanItem(calls.id)), [(yearly, 3), (yearly_seat, 3), (calls, 1)]),
        ((PlanItem(monthly.id, D(3)), PlanItem(seat.id, D(7))), [(yearly, 3), (yearly_seat, 7)]),
        ((PlanItem(calls.id),), [(yearly, 1), (calls, 1)]),
    ):
        offered = plan(*items, alternatives=[alternative])
        life = subscribed(offered, [monthly, calls, seat, yearly, yearly_seat], "01-01", AT_ONCE)
        life.now(CADENCE, "02-01", interval="year", intervalCount=1)
        assert life.chain.versions[-1].terms.items == tuple(Item(one.id, D(count)) for one, count in quantities)


@pytest.mark.parametrize("mode", ProrationBehavior)
def test_restarting_the_period_credits_the_rest_and_charges_a_whole_one(mode: ProrationBehavior) -> None:
    life, (_, second) = plans_of("310", "620", mode=mode)
    life.replace_plan(second, "01-11", restarts=True)
    assert nets(life) == [["310.00"], ["-210.00", "620.00"]]
    assert life.subscription.next_run_on == day("02-11")
    life.run("02-11")
    assert totals(life)[2:] == [("02-11", "620.00", "0")]


def test_a_restart_credits_nothing_where_the_change_says_so() -> None:
    life, (_, second) = plans_of("310", "620", mode=GIVEN_AWAY)
    life.replace_plan(second, "01-11", GIVEN_AWAY, restarts=True)
    assert nets(life) == [["310.00"], ["620.00"]]


def test_a_period_that_was_restarted_without_credit_stays_as_it_was_billed() -> None:
    life, (_, second, third) = plans_of("310", "620", "1240", mode=AT_ONCE)
    life.replace_plan(second, "01-11", GIVEN_AWAY, restarts=True)
    assert nets(life) == [["310.00"], ["620.00"]]
    life.replace_plan(third, "01-21")
    # 21 of the 31 days of 11 January to 11 February; nothing of the January that was given up.
    assert nets(life)[2:] == [["-420.00", "840.00"]]
    life.cancel("02-01", "prorated")
    assert totals(life)[3:] == [("02-01", "0", "-400.00")]


def test_a_restart_that_bills_nothing_on_its_day_credits_at_once() -> None:
    life = of_price("310", "01-01", AT_ONCE)
    life.now(DIRECTION, "01-11", billingDirection="arrears", restarts=True)
    assert totals(life)[1:] == [("01-11", "0", "-210.00")]
    life.run("02-11")
    assert totals(life)[2:] == [("02-11", "310.00", "0")]


@pytest.mark.parametrize("mode", ProrationBehavior)
def test_in_arrears_a_restart_bills_the_days_until_it(mode: ProrationBehavior) -> None:
    life, (_, second) = plans_of("310", "620", mode=mode, direction=ARREARS)
    life.replace_plan(second, "01-11", restarts=True)
    assert totals(life) == [("01-11", "100.00", "0")]
    life.run("02-11")
    assert totals(life)[1:] == [("02-11", "620.00", "0")]


# Directions


def test_from_advance_to_arrears_and_back_at_boundaries() -> None:
    life = of_price("310", "01-01")
    life.change(DIRECTION, "02-01", billingDirection="arrears")
    life.change(DIRECTION, "04-01", billingDirection="advance")
    life.run("04-30")
    assert [(on, nets_) for (on, _, _), nets_ in zip(totals(life), nets(life), strict=True)] == [
        ("01-01", ["310.00"]),
        ("03-01", ["310.00"]),
        ("04-01", ["310.00"]),
        ("04-01", ["310.00"]),
    ]
    assert life.topics == ["started", "updated", "updated"]


@pytest.mark.parametrize("mode", ProrationBehavior)
def test_in_arrears_edits_are_billed_at_the_end_whatever_the_mode(mode: ProrationBehavior) -> None:
    life, (_, second) = plans_of("310", "620", mode=mode, direction=ARREARS)
    life.replace_plan(second, "01-11")
    assert life.paid == []
    life.run("02-01")
    assert nets(life) == [["100.00", "420.00"]]


def test_what_was_billed_in_advance_is_settled_in_arrears_too() -> None:
    life, (_, second) = plans_of("310", "620", mode=AT_ONCE)
    life.now(DIRECTION, "01-06", billingDirection="arrears")
    life.replace_plan(second, "01-11")
    assert nets(life) == [["310.00"], ["-210.00", "420.00"]]
    life.run("03-01")
    assert nets(life)[2:] == [["620.00"]]


# Pauses


def test_a_pause_credits_and_a_resume_charges_in_the_same_period() -> None:
    for mode, after_pause, after_resume in (
        (GIVEN_AWAY, [], []),
        (NEXT_INVOICE, [], []),
        (AT_ONCE, [("01-11", "0", "-210.00")], [("01-21", "110.00", "0")]),
    ):
        life = of_price("310", "01-01", mode)
        life.now(PAUSE, "01-11")
        assert life.subscription.is_paused
        assert totals(life)[1:] == after_pause
        life.now(RESUME, "01-21")
        assert totals(life)[1:] == [*after_pause, *after_resume]
        life.run("02-01")
        assert life.paid_in_all == (D("620") if mode is GIVEN_AWAY else D("210") + D("310"))
        assert life.topics == ["started", "paused", "resumed"]


@pytest.mark.parametrize(
    ("mode", "bills"),
    [
        (GIVEN_AWAY, [("01-01", "310.00", "0"), ("04-01", "310.00", "0")]),
        (NEXT_INVOICE, [("01-01", "310.00", "0"), ("04-01", "210.00", "0.00")]),
        (AT_ONCE, [("01-01", "310.00", "0"), ("01-11", "0", "-210.00"), ("03-21", "110.00", "0")]),
    ],
)
def test_a_pause_over_periods(mode: ProrationBehavior, bills: list[tuple[str, str, str]]) -> None:
    life = of_price("310", "01-01", mode)
    life.now(PAUSE, "01-11")
    life.run("03-20")
    life.now(RESUME, "03-21")
    life.run("04-01" if mode is not AT_ONCE else "03-31")
    assert totals(life) == bills


@pytest.mark.parametrize("mode", ProrationBehavior)
def test_a_pause_from_boundary_to_boundary_is_simply_not_billed(mode: ProrationBehavior) -> None:
    life = of_price("310", "01-01", mode)
    life.run("01-31")
    life.change_and_run(PAUSE, "02-01")
    life.run("03-31")
    life.change_and_run(RESUME, "04-01")
    assert totals(life) == [("01-01", "310.00", "0"), ("04-01", "310.00", "0")]


@pytest.mark.parametrize("mode", ProrationBehavior)
def test_in_arrears_a_pause_is_not_billed_whatever_the_mode(mode: ProrationBehavior) -> None:
    life = of_price("310", "01-01", mode, direction=ARREARS)
    life.now(PAUSE, "01-11")
    life.now(RESUME, "02-15")
    life.run("03-01")
    assert [(on, invoice) for on, invoice, _ in totals(life)] == [("02-01", "100.00"), ("03-01", "155.00")]


def test_pausing_twice_and_resuming_what_runs_fail() -> None:
    life = of_price("310", "01-01")
    life.run("01-01")
    life.change(RESUME, "01-05")
    life.change(PAUSE, "01-11")
    life.change(PAUSE, "01-12")
    after = life.run("01-12")
    assert [(one.type, one.failure) for one in after.changes] == [
        (RESUME, "SUBSCRIPTION_INVALID_STATE"),
        (PAUSE, None),
        (PAUSE, "SUBSCRIPTION_INVALID_STATE"),
    ]


def test_a_resume_after_the_end_fails_and_bills_nothing() -> None:
    """B7."""
    life = of_price("310", "01-01", AT_ONCE, ends_on="02-11")
    life.now(PAUSE, "01-11")
    life.run("02-20")
    before = len(life.paid)
    life.change(RESUME, "02-20")
    after = life.run("02-20")
    assert [one.failure for one in after.changes] == ["SUBSCRIPTION_INVALID_STATE"]
    assert (len(life.paid), after.bills) == (before, ())
    given = life.change(RESUME, "02-21")
    with pytest.raises(LedgerBeeError) as refused:
        advance(life.chain, life.facts, day("02-21"), NOW, life.meter.count, given=[given.id])
    assert refused.value.details == {"status": "expired"}


def test_products_may_be_edited_in_a_pause() -> None:
    seats = price("31")
    life = subscribed(plan(PlanItem(seats.id)), [seats], "01-01", AT_ONCE)
    life.now(PAUSE, "01-11")
    life.edit(seats, 10, "01-15")
    assert totals(life)[1:] == [("01-11", "0", "-21.00")]
    life.now(RESUME, "01-22")
    assert totals(life)[2:] == [("01-22", "100.00", "0")]


# Ends


def test_a_cancellation_gives_back_the_days_that_are_not_used() -> None:
    life = of_price("310", "01-01", NEXT_INVOICE)
    after = life.cancel("01-11", "prorated")
    assert after.refund_behavior is RefundBehavior.PRORATED
    assert totals(life) == [("01-01", "310.00", "0"), ("01-11", "0", "-210.00")]
    assert life.paid[-1].is_refund
    assert life.topics == ["started", "churned"]
    assert life.subscription.next_run_on is None


@pytest.mark.parametrize(("on", "note"), [("01-01", "-310.00"), ("01-31", "-10.00")])
def test_a_cancellation_on_the_first_and_on_the_last_day(on: str, note: str) -> None:
    life = of_price("310", "01-01")
    life.cancel(on, "prorated")
    assert totals(life)[1:] == [(on, "0", note)]
    life.run("06-01")
    assert len(life.paid) == 2


def test_a_cancellation_on_a_boundary_before_the_bill_gives_nothing_back() -> None:
    life = of_price("310", "01-01")
    life.run("01-31")
    life.change_and_run(CANCEL, "02-01", refundBehavior="prorated")
    assert totals(life) == [("01-01", "310.00", "0")]


def test_a_cancellation_gives_nothing_back_unless_asked() -> None:
    life = of_price("310", "01-01")
    after = life.cancel("01-11")
    assert after.refund_behavior is RefundBehavior.NONE
    assert life.paid_in_all == D("310.00")


def test_a_cancellation_before_the_first_day_bills_nothing() -> None:
    set_up, monthly = price("500", kind=ONE_TIME), price("310")
    life = subscribed(plan(set_up, monthly), [set_up, monthly], "02-01")
    life.run("01-01")
    life.cancel("01-11")
    assert life.topics == ["churned"]
    life.run("06-01")
    assert (life.paid, life.subscription.ends_on, life.topics) == ([], day("02-01"), ["churned"])


def test_a_cancellation_on_the_first_day_is_told_once() -> None:
    """Whether the run of that day has told the start or not."""
    for runs_before in (True, False):
        life = of_price("310", "02-01")
        if runs_before:
            life.run("02-01")
        life.change(CANCEL, "02-01", refundBehavior="none")
        life.run("02-01")
        life.run("02-02")
        assert life.topics == [*(["started"] if runs_before else []), "churned"]


def test_a_cancellation_of_what_has_ended_fails() -> None:
    life = of_price("310", "01-01", ends_on="02-01")
    life.run("02-01")
    life.change(CANCEL, "02-11", refundBehavior="prorated")
    assert [one.failure for one in life.run("02-11").changes] == ["SUBSCRIPTION_INVALID_STATE"]
    assert life.subscription.ends_on == day("02-01")


def test_what_waits_is_netted_and_what_is_invoiced_is_refunded() -> None:
    life, (_, second) = plans_of("310", "620", mode=NEXT_INVOICE)
    life.replace_plan(second, "01-11")
    life.cancel("01-21", "prorated")
    # Of the first plan 210.00 come back for 11 January on; of the second 10 days at 20.00 stay to be paid.
    assert nets(life)[1:] == [["-210.00", "420.00", "-220.00"]]
    # What stays to be paid is of other days than what comes back: each has its own document.
    assert totals(life)[1:] == [("01-21", "200.00", "-210.00")]
    assert life.paid_in_all == D("100") + D("200")


def test_what_waits_when_a_subscription_ends_is_billed_that_day() -> None:
    life, (_, second) = plans_of("310", "620", mode=NEXT_INVOICE, ends_on="02-01")
    life.replace_plan(second, "01-11")
    assert life.subscription.next_run_on == day("02-01")
    life.run("02-05")
    assert totals(life)[1:] == [("02-01", "210.00", "0.00")]
    down, (_, second) = plans_of("310", "31", mode=NEXT_INVOICE, ends_on="02-01")
    down.replace_plan(second, "01-11")
    down.run("02-05")
    assert totals(down)[1:] == [("02-01", "0.00", "-189.00")]


def test_what_was_credited_by_hand_is_not_refunded_again() -> None:
    """B5: 300.00 credited in full on day 5, cancelled on day 10."""
    for by_hand, refund in (("300.00", []), ("200.00", ["-100.00"]), ("50.00", ["-212.90"])):
        life = of_price("300", "01-01")
        life.run("01-05")
        life.credit_by_hand(life.chain.charges[0], by_hand)
        life.cancel("01-10", "prorated")
        assert [note for _, _, note in totals(life)[1:]] == refund


def test_crediting_an_invoice_stops_nothing_and_its_period_is_not_billed_again() -> None:
    """B11."""
    life, (_, second) = plans_of("310", "620")
    life.run("01-05")
    life.credit_by_hand(life.chain.charges[0], "310.00")
    life.replace_plan(second, "01-11")
    assert nets(life)[1:] == [["420.00"]]
    life.run("02-01")
    assert totals(life)[2:] == [("02-01", "620.00", "0")]
    other = of_price("310", "01-01", AT_ONCE)
    other.run("01-05")
    other.credit_by_hand(other.chain.charges[0], "310.00")
    other.now(PAUSE, "01-11")
    other.run("02-28")
    assert len(other.paid) == 1


def in_two(mode: ProrationBehavior = NEXT_INVOICE) -> tuple[Life, Price]:
    """Two of a price of 310 a month from 1 January."""
    seats = price("310")
    life = subscribed(plan(PlanItem(seats.id, D(2))), [seats], "01-01", mode)
    life.run("01-01")
    return life, seats


def test_a_credit_that_waits_takes_back_no_more_than_what_others_left() -> None:
    for by_hand, billed in (("620", ["210.00", "310.00"]), ("320", ["-300.00", "210.00", "310.00"])):
        life, seats = in_two()
        life.edit(seats, 1, "01-11")
        life.credit_by_hand(life.chain.charges[0], by_hand)
        life.run("02-01")
        assert lines_of_invoice(life.paid[1]) == billed
    paused, _ = in_two()
    paused.now(PAUSE, "01-11")
    paused.credit_by_hand(paused.chain.charges[0], "620")
    paused.now(RESUME, "01-21")
    paused.run("02-01")
    assert lines_of_invoice(paused.paid[1]) == ["220.00", "620.00"]
    ended, _ = in_two()
    ended.now(PAUSE, "01-11")
    ended.credit_by_hand(ended.chain.charges[0], "500")
    ended.cancel("01-21")
    assert totals(ended)[1:] == [("01-21", "0", "-120.00")]


def test_a_credit_that_waits_takes_back_no_more_than_what_is_left_of_a_line_that_others_share() -> None:
    """930 less 210 at once; of the 720 600 by hand: 120 are left for the 220 of the last eleven days."""
    seats = price("310")
    life = subscribed(plan(PlanItem(seats.id, D(3))), [seats], "01-01", NEXT_INVOICE)
    life.run("01-01")
    life.edit(seats, 2, "01-11", AT_ONCE)
    assert totals(life)[1:] == [("01-11", "0.00", "-210.00")]
    life.now(PAUSE, "01-21")
    life.credit_by_hand(life.chain.charges[0], "600")
    life.now(RESUME, "01-27")
    life.run("02-01")
    assert lines_of_invoice(life.paid[2]) == ["-120.00", "100.00", "620.00"]


def test_what_was_reversed_stays_so_when_others_credited_its_days() -> None:
    life, _ = in_two()
    life.now(PAUSE, "01-11")
    life.now(RESUME, "01-11")
    life.credit_by_hand(life.chain.charges[0], "620")
    life.run("02-01")
    assert lines_of_invoice(life.paid[1]) == ["620.00"]


@pytest.mark.parametrize("mode", [AT_ONCE, NEXT_INVOICE])
def test_of_an_invoice_that_was_given_up_nothing_is_left_to_take_back(mode: ProrationBehavior) -> None:
    """3 of 310, given up, 1 from the 10th on: the next month costs 310 whatever the mode."""
    seats = price("310")
    life = subscribed(plan(PlanItem(seats.id, D(3))), [seats], "01-01", mode)
    life.run("01-01")
    line = life.chain.charges[0].invoice_line_id
    assert line is not None
    life.chain = replace(life.chain, given_up=frozenset({line}))
    life.edit(seats, 1, "01-10")
    life.run("02-01")
    assert life.paid[-1].invoice == D("310.00")
    paused = subscribed(plan(seats), [seats], "01-01", NEXT_INVOICE)
    paused.run("01-01")
    given_up = frozenset(one.invoice_line_id for one in paused.chain.charges if one.invoice_line_id)
    paused.chain = replace(paused.chain, given_up=given_up)
    paused.now(PAUSE, "01-11")
    paused.now(RESUME, "02-01")
    paused.run("02-01")
    assert lines_of_invoice(paused.paid[1]) == ["310.00"]


@pytest.mark.parametrize("refund", ["none", "prorated"])
def test_arrears_and_usage_are_billed_on_the_day_of_the_end(refund: str) -> None:
    seats, calls = price("310"), usage_price("2")
    life = subscribed(plan(seats, calls), [seats, calls], "01-01", direction=ARREARS)
    life.meter.report(calls, "01-05", "3")
    life.meter.report(calls, "01-11", "100")
    life.cancel("01-11", refund)
    assert totals(life) == [("01-11", "106.00", "0")]


def test_changes_after_the_end_fail() -> None:
    life, (_, second) = plans_of("310", "620")
    life.change(CANCEL, "01-11")
    life.change(REPLACE, "01-20", planId=str(second.plan_id))
    after = life.run("02-01")
    assert [(one.type, one.failure) for one in after.changes] == [
        (CANCEL, None),
        (REPLACE, "SUBSCRIPTION_INVALID_STATE"),
    ]
    assert life.topics == ["started", "churned", "error"]


def test_an_end_is_told_once_whenever_it_is_asked_for() -> None:
    life = of_price("310", "01-01")
    life.run("01-11")
    life.cancel("01-11")
    life.run("01-11")
    life.run("01-12")
    assert life.topics == ["started", "churned"]


def test_what_happens_is_told_in_order() -> None:
    life, (_, second) = plans_of("310", "620", trial_until="01-15", ends_on="03-01")
    life.change(REPLACE, "02-11", planId=str(second.plan_id))
    life.run("04-01")
    assert life.topics == ["started", "trial_ended", "transitioned", "churned"]


def test_an_end_that_is_taken_back_bills_the_rest_of_its_period() -> None:
    """The last period was cut by an end, which is cleared on the 6th: its days are billed, and none twice."""
    life = of_price("280", "01-01", AT_ONCE, ends_on="02-11")
    life.run("02-06")
    assert nets(life)[1:] == [["100.00"]]
    life.chain = replace(life.chain, subscription=replace(life.subscription, ends_on=None))
    life.run("03-01")
    assert totals(life)[2:] == [("02-11", "180.00", "0"), ("03-01", "280.00", "0")]


@pytest.mark.parametrize(("refund", "given_back"), [("none", []), ("prorated", ["-110.00"])])
def test_a_change_before_an_end_that_is_scheduled_settles_the_days_until_it(refund: str, given_back: list[str]) -> None:
    """310 a month is billed until 1 February, and cancelled for 21 January: an upgrade on the 11th is for ten days."""
    life, (_, second) = plans_of("310", "620")
    life.schedule_end("01-05", "01-21", refund)
    life.replace_plan(second, "01-11")
    assert nets(life)[1:] == [["-100.00", "200.00"]]
    life.run("01-21")
    assert [note for _, _, note in totals(life)[2:]] == given_back
    assert life.topics == ["started", "transitioned", "churned"]
    paused = of_price("310", "01-01", AT_ONCE)
    paused.schedule_end("01-05", "01-21", refund)
    paused.now(PAUSE, "01-11")
    paused.run("02-21")
    assert [note for _, _, note in totals(paused)[1:]] == ["-100.00", *given_back]


# In a trial


@pytest.mark.parametrize("mode", ProrationBehavior)
def test_changes_in_a_trial_charge_nothing(mode: ProrationBehavior) -> None:
    life, (_, second) = plans_of("310", "620", mode=mode, trial_until="01-16")
    life.replace_plan(second, "01-05")
    assert (life.paid, life.waiting) == ([], [])
    life.run("02-01")
    stub = {GIVEN_AWAY: D(0), NEXT_INVOICE: D("320"), AT_ONCE: D("320")}[mode]
    assert life.paid_in_all == stub + D("620")


def test_the_mode_of_a_resume_in_a_trial_says_nothing_of_the_stub_after_it() -> None:
    life = of_price("310", "01-01", AT_ONCE, trial_until="01-16")
    life.now(PAUSE, "01-05")
    life.now(RESUME, "01-08", GIVEN_AWAY)
    life.run("01-16")
    assert totals(life) == [("01-16", "160.00", "0")]


# Ways to the same


def test_changes_come_before_the_bill_of_their_day_whatever_waits_for_late_usage() -> None:
    seats, calls = price("310"), usage_price("2")
    life = subscribed(plan(seats, calls), [seats, calls], "01-01", AT_ONCE, grace_days=5)
    life.run("02-03")
    assert len(life.paid) == 1
    assert life.subscription.next_run_on == day("02-06")
    life.meter.report(calls, "01-20", "4")
    life.now(PAUSE, "02-03")
    assert life.subscription.is_paused
    assert totals(life)[1:] == [("02-01", "318.00", "0"), ("02-03", "0", "-287.86")]


@pytest.mark.parametrize("at_most", [1, 24])
def test_from_arrears_to_advance_both_periods_of_the_day_are_billed(at_most: int) -> None:
    """However few billing dates are asked for: they are on one invoice."""
    life = of_price("200", "11-30", NEXT_INVOICE, direction=ARREARS)
    life.change(DIRECTION, "12-30", billingDirection="advance")
    life.run("12-30", at_most=at_most)
    assert totals(life) == [("12-30", "200.00", "0"), ("12-30", "200.00", "0")]
    late = of_price("200", "01-01", NEXT_INVOICE)
    late.run("06-15", at_most=1)
    assert totals(late) == [("01-01", "200.00", "0")]


def test_before_all_bills_where_nothing_may_be_billed() -> None:
    life = of_price("310", "01-01", NEXT_INVOICE)
    change = life.change(CANCEL, "03-11", refundBehavior="prorated")
    after = life.run("03-11", at_most=0)
    assert [(one.id, one.status) for one in after.changes] == [(change.id, ChangeStatus.APPLIED)]
    assert (after.bills, life.topics) == ((), ["started", "churned"])
    life.run("03-11")
    assert [(on, invoice) for on, invoice, _ in totals(life)] == [
        ("01-01", "310.00"),
        ("02-01", "310.00"),
        ("03-01", "100.00"),
    ]


def test_versions_say_what_made_them() -> None:
    life, (_, second) = plans_of("310", "620")
    life.run("01-01")
    change = life.change(REPLACE, "01-11", planId=str(second.plan_id))
    (version,) = life.run("01-11").versions
    assert (version.number, version.reason, version.effective_on, version.change_id) == (
        2,
        "replace_plan",
        day("01-11"),
        change.id,
    )
    assert (version.plan_id, life.subscription.plan_id, life.subscription.version) == (
        second.plan_id,
        second.plan_id,
        2,
    )


def test_charges_say_what_they_are_of() -> None:
    life, (first, second) = plans_of("310", "620")
    life.replace_plan(second, "01-11")
    whole, back, new = life.chain.charges
    assert (whole.kind, back.kind, new.kind) == (ChargeKind.RECURRING, ChargeKind.PRORATION, ChargeKind.PRORATION)
    assert back.credits_charge_id == whole.id
    assert back.change_id == new.change_id
    assert back.period_amount == Decimal(310)
    assert (back.price_id, new.price_id) == (first.items[0].price_id, second.items[0].price_id)
    assert life.chain.versions[0].terms.direction is ADVANCE


def test_weekly_plans_prorate_by_their_weeks() -> None:
    life, (_, second) = plans_of("70", "140", interval=WEEK)
    life.replace_plan(second, "01-03")
    assert nets(life) == [["70.00"], ["-50.00", "100.00"]]
