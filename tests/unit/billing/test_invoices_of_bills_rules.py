"""Which invoices bills become, and what their lines say."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from tests.unit.billing.chains import (
    AT_ONCE,
    DAY,
    GIVEN_AWAY,
    MONTH,
    NOW,
    ONE_TIME,
    D,
    Life,
    day,
    of_price,
    plan,
    price,
    subscribed,
    usage_price,
)

from ledgerbee.billing.charges.model import BillShare
from ledgerbee.billing.subscriptions import rules as subscriptions
from ledgerbee.billing.subscriptions.invoicing import rules
from ledgerbee.billing.subscriptions.invoicing.model import CreditSource, InvoiceLeft
from ledgerbee.billing.subscriptions.model import ChangeType, RefundBehavior
from ledgerbee.billing.subscriptions.rules import advance, is_behind
from ledgerbee.billing.subscriptions.rules.chain import Advanced
from ledgerbee.billing.subscriptions.store.chains import LoadedChain
from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.catalog.prices.model import Price, SellablePrice, SoldProduct, Tier
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import multiply, round_money


def sellable(of: Price, description: str | None = None) -> SellablePrice:
    product = SoldProduct(
        id=ProductId(of.product_id),
        number="P1",
        name="Seats",
        description=description,
        product_group_id=new_id(),
        unit="seat",
        status=CatalogStatus.ACTIVE,
        zones={},
    )
    return SellablePrice(of, product)


def loaded(life: Life, payer_id: UUID | None = None, description: str | None = None) -> LoadedChain:
    prices: dict[UUID, SellablePrice] = {one.id: sellable(one, description) for one in life.facts.prices.values()}
    return LoadedChain(
        chain=life.chain, facts=life.facts, sellable=prices, payer_id=payer_id or life.subscription.customer_id
    )


def carried(life: Life, on: str) -> Advanced:
    return advance(life.chain, life.facts, day(on), NOW, life.meter.count)


def test_each_subscription_has_its_own_invoice_for_each_date_the_oldest_first() -> None:
    one, other = of_price("200", "02-01"), of_price("300", "01-15")
    invoices, notes = rules.plan_invoices(
        [(loaded(one), carried(one, "03-01")), (loaded(other), carried(other, "03-01"))]
    )
    assert notes == []
    assert [(f"{it.on:%m-%d}", it.payer_id, len(it.shares)) for it in invoices] == [
        ("01-15", other.subscription.customer_id, 1),
        ("02-01", one.subscription.customer_id, 1),
        ("02-15", other.subscription.customer_id, 1),
        ("03-01", one.subscription.customer_id, 1),
    ]


def test_a_parent_has_one_invoice_for_its_children_of_a_date() -> None:
    parent = new_id()
    children = [of_price("200", "02-01") for _ in range(3)]
    invoices, _ = rules.plan_invoices([(loaded(one, parent), carried(one, "02-01")) for one in children])
    assert [(it.payer_id, len(it.shares)) for it in invoices] == [(parent, 3)]


def test_what_costs_nothing_makes_no_invoice() -> None:
    life = of_price("0", "02-01")
    assert rules.plan_invoices([(loaded(life), carried(life, "02-01"))]) == ([], [])


def test_a_refund_is_for_notes_alone() -> None:
    life = of_price("310", "01-01", AT_ONCE)
    life.run("01-01")
    life.change(ChangeType.CANCEL, "01-11", refundBehavior="prorated")
    invoices, notes = rules.plan_invoices([(loaded(life), carried(life, "01-11"))])
    assert invoices == []
    assert [one.share.on_note for one in notes] == [Decimal("-210.00")]


def test_a_line_says_the_price_of_a_whole_period_and_the_days() -> None:
    life = of_price("99.50", "02-01", discount="10")
    (invoice,), _ = rules.plan_invoices([(loaded(life, description="Per seat"), carried(life, "02-01"))])
    (line,) = rules.lines_of(invoice)
    figures = (line.quantity, line.unit_price, line.discount_percent, line.net)
    assert figures == (D(1), D("99.50"), D(10), D("89.55"))
    assert (line.description, line.unit) == ("Per seat", "seat")
    assert (line.service_period_start, line.service_period_end) == (day("02-01"), day("02-28"))


def test_quantity_times_unit_price_is_the_net_of_every_line() -> None:
    seats, calls, set_up = price("33.33"), usage_price(tiers=_tiers()), price("500", kind=ONE_TIME)
    to = plan(seats, calls, set_up)
    life = subscribed(to, [seats, calls, set_up], "01-11", AT_ONCE, anchor="01-01")
    life.meter.report(calls, "01-12", "17.5")
    advanced = carried(life, "02-01")
    invoices, _ = rules.plan_invoices([(loaded(life), advanced)])
    lines = [line for invoice in invoices for line in rules.lines_of(invoice)]
    assert {line.description for line in lines} == {"Seats"}
    for line in lines:
        assert line.quantity is not None
        assert line.unit_price is not None
        assert round_money(multiply(line.quantity, line.unit_price), "DKK") == line.net
    assert [line.service_period_start for line in lines].count(None) == 1


def test_what_is_taken_back_has_a_negative_quantity() -> None:
    small, large = price("310"), price("620")
    plans = [plan(small), plan(large)]
    life = subscribed(plans[0], [small, large], "01-01", AT_ONCE, others=[plans[1]])
    life.run("01-01")
    life.change(ChangeType.REPLACE_PLAN, "01-11", planId=str(plans[1].plan_id))
    (invoice,), _ = rules.plan_invoices([(loaded(life), carried(life, "01-11"))])
    lines = rules.lines_of(invoice)
    assert [(line.quantity, line.unit_price, line.net) for line in lines] == [
        (D(-1), D(210), D("-210.00")),
        (D(1), D(420), D("420.00")),
    ]


def test_what_came_late_is_one_line_of_the_difference() -> None:
    seats, calls = price("10"), usage_price("2")
    life = subscribed(plan(seats, calls), [seats, calls], "01-01")
    life.meter.report(calls, "01-12", "3")
    life.run("02-01")
    life.meter.report(calls, "01-20", "4")
    life.late()
    (invoice,), _ = rules.plan_invoices([(loaded(life), carried(life, "03-01"))])
    lines = [line for line in rules.lines_of(invoice) if line.price_id == calls.id]
    assert [(line.quantity, line.unit_price, line.net) for line in lines] == [(D(1), D(8), D("8.00"))]


@pytest.mark.parametrize(("interval", "is_far"), [(DAY, True), (MONTH, False)])
def test_many_due_periods_are_behind(interval: object, *, is_far: bool) -> None:
    only = price("10", interval)  # type: ignore[arg-type]
    life = subscribed(plan(only, interval=only.billing_interval or MONTH), [only], "01-01")
    assert is_behind(life.chain, life.facts, day("02-15"), 24) is is_far


def test_usage_alone_may_be_behind() -> None:
    seats, calls = price("10"), usage_price("1", DAY)
    life = subscribed(plan(seats, calls), [seats, calls], "01-01")
    life.run("01-01")
    assert is_behind(life.chain, life.facts, day("02-15"), 24)
    assert not is_behind(life.chain, life.facts, day("01-10"), 24)


def test_a_period_that_was_given_away_for_an_end_is_charged_when_that_is_cleared() -> None:
    life = of_price("200", "02-01", GIVEN_AWAY)
    life.run("02-01")
    end = subscriptions.cancellation(life.subscription.id, day("03-15"), RefundBehavior.NONE, None, NOW)
    life.chain = subscriptions.with_cancellation(life.chain, life.facts, end, day("02-20"), NOW).chain
    life.run("03-01")
    assert life.paid_in_all == 200
    after = subscriptions.without_cancellation(life.chain, life.facts, end, day("03-05"), NOW)
    assert [one.net for one in after.charges] == [Decimal("200.00")]
    life.chain = after.chain
    life.run("04-01")
    assert life.paid_in_all == 600
    assert life.waiting == []


def test_a_period_that_ends_all_the_same_stays_given_away() -> None:
    life = of_price("200", "02-01", GIVEN_AWAY, ends_on="03-20")
    life.run("02-01")
    end = subscriptions.cancellation(life.subscription.id, day("03-15"), RefundBehavior.NONE, day("03-20"), NOW)
    life.chain = subscriptions.with_cancellation(life.chain, life.facts, end, day("02-20"), NOW).chain
    life.run("03-01")
    after = subscriptions.without_cancellation(life.chain, life.facts, end, day("03-05"), NOW)
    assert after.charges == ()
    life.chain = replace(after.chain)
    life.run("04-01")
    assert life.paid_in_all == 200


FIRST, SECOND, LINE, UPGRADED = (new_id() for _ in range(4))


def lefts(first: str, second: str) -> dict[UUID, InvoiceLeft]:
    """An invoice, and that of an upgrade, which takes the rest of the first back and charges more."""
    return {
        FIRST: InvoiceLeft("1", new_id(), D(first), {LINE: D("100.00")}),
        SECOND: InvoiceLeft(
            "2", new_id(), D(second), {UPGRADED: D("203.23")}, (CreditSource(FIRST, LINE, D("67.74")),)
        ),
    }


@pytest.mark.parametrize(
    ("amount", "first", "second", "parts"),
    [
        ("120.00", "100.00", "135.49", [(SECOND, "120.00")]),
        ("193.55", "100.00", "135.49", [(SECOND, "135.49"), (FIRST, "58.06")]),
        ("193.55", "20.00", "135.49", [(SECOND, "135.49"), (FIRST, "20.00")]),
        ("193.55", "100.00", "0.00", [(FIRST, "67.74")]),
        ("193.55", "0.00", "0.00", []),
        ("0.00", "100.00", "135.49", []),
    ],
)
def test_a_credit_is_spread_over_the_invoices_that_billed_it(
    amount: str, first: str, second: str, parts: list[tuple[UUID, str]]
) -> None:
    found = list(rules.spread(D(amount), SECOND, UPGRADED, lefts(first, second)))
    assert [(part.invoice_id, f"{part.amount:f}") for part in found] == parts


def test_what_is_not_known_takes_nothing() -> None:
    assert list(rules.spread(D(1), new_id(), LINE, lefts("1", "1"))) == []


@pytest.mark.parametrize(
    ("noted", "nets"),
    [
        ([], ["-20.00"]),
        ([(FIRST, "80.00")], ["-100.00"]),
        ([(FIRST, "50.00"), (SECOND, "30.00")], ["-70.00", "-30.00"]),
        ([(FIRST, "50.00")], ["-70.00"]),
    ],
)
def test_a_credit_is_a_row_for_each_note_of_what_it_takes(noted: list[tuple[UUID, str]], nets: list[str]) -> None:
    life = of_price("310", "01-01", AT_ONCE)
    life.run("01-01")
    life.change(ChangeType.CANCEL, "01-11", refundBehavior="prorated")
    (bill,) = carried(life, "01-11").bills
    share = BillShare(bill.charges[0], D("-20.00"), D("-80.00"))
    rows = rules.credited_as(bill.charges[0], share, [(note, D(amount)) for note, amount in noted])
    assert [f"{row.net:f}" for row in rows] == nets
    assert [row.credit_note_id for row in rows if row.credit_note_id is not None] == [note for note, _ in noted]
    assert len({(row.id, row.part) for row in rows}) == len(rows)


def _tiers() -> list[Tier]:
    return [Tier(Decimal(10), Decimal("0.3333"), Decimal(0)), Tier(None, Decimal("0.25"), Decimal(1))]
