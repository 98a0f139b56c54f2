"""Which invoices bills become, and what their lines say."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.billing.chains import (
    AT_ONCE,
    BOOKED,
    DAY,
    GIVEN_AWAY,
    MONTH,
    NOW,
    ONE_TIME,
    D,
    Life,
    day,
    days,
    of_price,
    plan,
    price,
    subscribed,
    usage_price,
)
from tests.unit.test_invoices_rules import invoice

from ledgerbee.billing.charges.model import BillShare, BookedAs, ChargeKind
from ledgerbee.billing.subscriptions import rules as subscriptions
from ledgerbee.billing.subscriptions.invoicing import rules
from ledgerbee.billing.subscriptions.invoicing.model import (
    CreditSource,
    InvoiceLeft,
    InvoiceShare,
    LineBooking,
    PlannedInvoice,
)
from ledgerbee.billing.subscriptions.model import ChangeType, RefundBehavior
from ledgerbee.billing.subscriptions.rules import advance, is_behind
from ledgerbee.billing.subscriptions.rules.chain import Advanced
from ledgerbee.billing.subscriptions.store.chains import LoadedChain
from ledgerbee.billing.timelines.model import Span
from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.catalog.prices.model import Price, SellablePrice, SoldProduct, Tier
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import multiply, round_money
from ledgerbee.sales.invoices.model import InvoiceId


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


def loaded(
    life: Life, payer_id: UUID | None = None, description: str | None = None, number: str = "1", *, alone: bool = False
) -> LoadedChain:
    prices: dict[UUID, SellablePrice] = {one.id: sellable(one, description) for one in life.facts.prices.values()}
    return LoadedChain(
        chain=life.chain,
        facts=life.facts,
        sellable=prices,
        customer_number=number,
        customer_name="Havblik A/S",
        payer_id=payer_id or life.subscription.customer_id,
        is_alone=alone,
    )


def carried(life: Life, on: str) -> Advanced:
    return advance(life.chain, life.facts, day(on), NOW, life.meter.count)


def test_each_subscription_has_its_own_invoice_for_each_date_the_oldest_first() -> None:
    one, other = of_price("200", "02-01"), of_price("300", "01-15")
    invoices, notes, _ = rules.plan_invoices(
        [(loaded(one), carried(one, "03-01")), (loaded(other), carried(other, "03-01"))]
    )
    assert notes == ()
    assert [(f"{it.on:%m-%d}", it.payer_id, len(it.shares)) for it in invoices] == [
        ("01-15", other.subscription.customer_id, 1),
        ("02-01", one.subscription.customer_id, 1),
        ("02-15", other.subscription.customer_id, 1),
        ("03-01", one.subscription.customer_id, 1),
    ]


def test_a_parent_has_one_invoice_for_its_children_of_a_date() -> None:
    parent = new_id()
    children = [of_price("200", "02-01") for _ in range(3)]
    invoices, _, _ = rules.plan_invoices([(loaded(one, parent), carried(one, "02-01")) for one in children])
    assert [(it.payer_id, len(it.shares)) for it in invoices] == [(parent, 3)]


def test_a_parent_may_have_an_invoice_for_each_subscription_of_a_child() -> None:
    parent = new_id()
    children = [of_price("200", "02-01") for _ in range(3)]
    invoices, _, _ = rules.plan_invoices([(loaded(one, parent, alone=True), carried(one, "02-01")) for one in children])
    assert [(it.payer_id, len(it.shares)) for it in invoices] == [(parent, 1)] * 3
    heading, line = rules.lines_of(invoices[0])
    customer_id = children[0].subscription.customer_id
    assert (heading.description, heading.child_id, heading.subscription_id) == ("1 Havblik A/S", customer_id, None)
    assert (line.child_id, line.subscription_id) == (customer_id, children[0].subscription.id)


def test_what_is_to_be_paid_for_first_is_invoiced_by_itself_whoever_pays() -> None:
    parent = new_id()
    children = [of_price("200", "02-01") for _ in range(3)]
    first = children[0]
    first.chain = replace(first.chain, subscription=replace(first.subscription, awaits_payment=True))
    invoices, _, _ = rules.plan_invoices([(loaded(one, parent), carried(one, "02-01")) for one in children])
    assert sorted((it.payer_id, len(it.shares)) for it in invoices) == [(parent, 1), (parent, 2)]


def test_children_are_in_the_order_of_their_numbers_each_below_its_name() -> None:
    parent, lives = new_id(), {number: of_price("200", "02-01") for number in ("K10", "K9", "3")}
    chains = [(loaded(life, parent, number=number), carried(life, "02-01")) for number, life in lives.items()]
    (invoice,), _, _ = rules.plan_invoices(chains)
    lines = rules.lines_of(invoice)
    assert [line.description for line in lines if line.net is None] == [
        f"{it} Havblik A/S" for it in ("3", "K9", "K10")
    ]
    assert [line.subscription_id for line in lines[1::2]] == [lives[it].subscription.id for it in ("3", "K9", "K10")]
    assert [one.loaded.customer_number for one in invoice.shares] == ["3", "K9", "K10"]


def test_what_another_one_was_billed_goes_back_to_it_by_notes() -> None:
    small, large = price("310"), price("620")
    plans = [plan(small), plan(large)]
    life = subscribed(plans[0], [small, large], "01-01", AT_ONCE, others=[plans[1]])
    life.run("01-01")
    life.change(ChangeType.REPLACE_PLAN, "01-11", planId=str(plans[1].plan_id))
    advanced = carried(life, "01-11")
    (credit,) = (one for bill in advanced.bills for one in bill.charges if one.is_credit)
    assert credit.credits_charge_id is not None
    parent = new_id()
    (invoice,), notes, _ = rules.plan_invoices(
        [(loaded(life, parent), advanced)],
        {life.subscription.id: dict.fromkeys((small.id, large.id), BOOKED._replace(customer_id=parent))},
        {credit.credits_charge_id: BOOKED},
    )
    assert [one.share.on_invoice for one in invoice.shares] == [Decimal("420.00")]
    assert [(one.share.charge.id, one.share.on_invoice, one.share.on_note) for one in notes] == [
        (credit.id, Decimal(0), Decimal("-210.00"))
    ]


@pytest.fixture
def four_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_LINES", 4)


@pytest.mark.usefixtures("four_lines")
def test_what_has_more_lines_than_an_invoice_is_several_and_a_child_stays_together() -> None:
    parent = new_id()
    lives = [subscribed(plan(*own), own, "02-01") for own in ([price("10") for _ in range(n)] for n in (2, 2, 1, 5))]
    invoices, notes, _ = rules.plan_invoices(
        [(loaded(one, parent, number=str(number)), carried(one, "02-01")) for number, one in enumerate(lives)]
    )
    shown = [[str(line.description)[0] if line.net is None else "-" for line in rules.lines_of(it)] for it in invoices]
    assert shown == [["0", "-", "-"], ["1", "-", "-"], ["2", "-"], ["3", "-", "-", "-"], ["3", "-", "-"]]
    assert notes == ()
    alone, _, _ = rules.plan_invoices([(loaded(lives[3]), carried(lives[3], "02-01"))])
    assert [len(rules.lines_of(it)) for it in alone] == [4, 1]


@given(nets=st.lists(st.integers(-50, 100).filter(bool), min_size=1, max_size=14))
def test_no_part_of_what_is_too_long_is_below_zero_and_nothing_is_lost(nets: list[int]) -> None:
    life = of_price("310", "02-01")
    (bill,) = carried(life, "02-01").bills
    (charge,) = bill.charges
    shares = [
        InvoiceShare(loaded(life), BillShare(replace(charge, id=new_id(), net=D(net)), D(net), D(0))) for net in nets
    ]
    pieces, rest = rules._cut(shares, 3, {})
    assert all(0 < len(piece) <= 3 for piece in pieces)
    assert all(sum(one.share.on_invoice for one in piece) >= 0 for piece in pieces)
    placed = [one.share.on_invoice for piece in pieces for one in piece] + [one.share.on_note for one in rest]
    assert sorted(placed) == sorted(nets)
    assert all(one.share.on_note < 0 for one in rest)


def test_what_costs_nothing_makes_no_invoice() -> None:
    life = of_price("0", "02-01")
    assert rules.plan_invoices([(loaded(life), carried(life, "02-01"))]) == ((), (), ())


def test_a_refund_is_for_notes_alone() -> None:
    life = of_price("310", "01-01", AT_ONCE)
    life.run("01-01")
    life.change(ChangeType.CANCEL, "01-11", refundBehavior="prorated")
    invoices, notes, _ = rules.plan_invoices([(loaded(life), carried(life, "01-11"))])
    assert invoices == ()
    assert [one.share.on_note for one in notes] == [Decimal("-210.00")]


def test_a_line_says_the_price_of_a_whole_period_and_the_days() -> None:
    life = of_price("99.50", "02-01", discount="10")
    (invoice,), _, _ = rules.plan_invoices([(loaded(life, description="Per seat"), carried(life, "02-01"))])
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
    invoices, _, _ = rules.plan_invoices([(loaded(life), advanced)])
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
    (invoice,), _, _ = rules.plan_invoices([(loaded(life), carried(life, "01-11"))])
    lines = rules.lines_of(invoice)
    assert [(line.quantity, line.unit_price, line.net) for line in lines] == [
        (D(-1), D(210), D("-210.00")),
        (D(1), D(420), D("420.00")),
    ]


def test_how_it_is_booked_today_decides_where_a_credit_stands() -> None:
    """An upgrade takes back what was billed with the same VAT; with another one that becomes a note."""
    small, large = price("310"), price("620")
    plans = [plan(small), plan(large)]
    life = subscribed(plans[0], [small, large], "01-01", AT_ONCE, others=[plans[1]])
    chains = [(loaded(life), carried(life, "01-01"))]
    assert (rules.credited_charges(chains), rules.prices_of_bills(chains)) == ([], [])
    life.run("01-01")
    billed = life.chain.charges[0]
    life.change(ChangeType.REPLACE_PLAN, "01-11", planId=str(plans[1].plan_id))
    chains = [(loaded(life), carried(life, "01-11"))]
    assert rules.credited_charges(chains) == [billed.id]
    asked = rules.prices_of_bills(chains)
    account_id, buyer = new_id(), invoice("DKK")
    lines = [replace(line, account_id=account_id) for line in rules.lines_of(asked[0])]
    today = rules.booked_today(asked, [(buyer, lines)])
    here = BookedAs(buyer.customer_id, buyer.customer_department_id, account_id, None, None)
    assert today == {life.subscription.id: {small.id: here, large.id: here}}
    (made,), notes, _ = rules.plan_invoices(chains, today, {billed.id: here})
    assert [one.share.on_invoice for one in made.shares] == [D("-210.00"), D("420.00")]
    assert notes == ()
    moved = here._replace(vat_rate=D(25))
    # It was booked otherwise; and it is as it was, but what is charged instead isn't.
    other: dict[UUID, dict[UUID, BookedAs]] = {life.subscription.id: {small.id: moved, large.id: here}}
    for booked, earlier in ((today, moved), (other, moved)):
        (made,), notes, _ = rules.plan_invoices(chains, booked, {billed.id: earlier})
        assert [one.share.on_invoice for one in made.shares] == [D("420.00")]
        assert [one.share.on_note for one in notes] == [D("-210.00")]


def test_what_came_late_is_one_line_of_the_difference() -> None:
    seats, calls = price("10"), usage_price("2")
    life = subscribed(plan(seats, calls), [seats, calls], "01-01")
    life.meter.report(calls, "01-12", "3")
    life.run("02-01")
    life.meter.report(calls, "01-20", "4")
    life.late()
    (invoice,), _, _ = rules.plan_invoices([(loaded(life), carried(life, "03-01"))])
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


FIRST, SECOND, LINE, UPGRADED, BACK, SHARED, CHAIN, OTHER = (new_id() for _ in range(8))
HERE = LineBooking(CHAIN, new_id(), new_id(), D(25))
JANUARY, REST = days("01-01", "02-01"), days("01-11", "02-01")


def lefts(
    first: str = "100.00", second: str = "203.23", back: str = "-67.74", rate: str = "1"
) -> dict[UUID, InvoiceLeft]:
    """An invoice, and that of an upgrade, which takes the rest of the first back and charges more, beside another one's
    20.00."""
    shared = D("20.00")
    return {
        FIRST: InvoiceLeft("1", new_id(), D(1), D(first), {LINE: D(first)}, {LINE: HERE}, (), {}),
        SECOND: InvoiceLeft(
            "2",
            new_id(),
            D(rate),
            D(second) + D(back) + shared,
            {UPGRADED: D(second), BACK: D(back), SHARED: shared},
            {UPGRADED: HERE, BACK: HERE, SHARED: HERE._replace(subscription_id=OTHER)},
            (CreditSource(BACK, REST, FIRST, LINE),),
            {UPGRADED: [(REST, D(second))], BACK: [(REST, D(back))]},
        ),
    }


def taken(left: dict[UUID, InvoiceLeft], amount: str, service: Span = REST) -> list[tuple[UUID, str, str]]:
    """The lines that a credit of what the upgrade charged takes from, how much, and from which day on."""
    before = {line_id: amount for one in left.values() for line_id, amount in one.lines.items()}
    parts = list(rules.spread(D(amount), service, SECOND, UPGRADED, left, "DKK"))
    after = {line_id: amount for one in left.values() for line_id, amount in one.lines.items()}
    for line_id, amount_before in before.items():
        of_line = sum(it.amount for it in parts if it.invoice_line_id == line_id)
        assert amount_before - after[line_id] == of_line
    assert all(one.left >= 0 for one in left.values())
    return [(part.invoice_line_id, f"{part.amount:f}", f"{part.service.start:%m-%d}") for part in parts]


@pytest.mark.parametrize(
    ("amount", "first", "second", "back", "parts"),
    [
        ("120.00", "100.00", "203.23", "-67.74", [(UPGRADED, "120.00")]),
        ("193.55", "100.00", "203.23", "-67.74", [(UPGRADED, "135.49"), (LINE, "58.06")]),
        ("193.55", "20.00", "203.23", "-67.74", [(UPGRADED, "135.49"), (LINE, "20.00")]),
        ("193.55", "100.00", "67.74", "-67.74", [(LINE, "67.74")]),
        ("193.55", "0.00", "67.74", "-67.74", []),
        ("0.00", "100.00", "203.23", "-67.74", []),
        # Its negative line was given back already.
        ("193.55", "100.00", "100.00", "0.00", [(UPGRADED, "100.00")]),
    ],
)
def test_a_credit_is_spread_over_the_invoices_that_billed_it(
    amount: str, first: str, second: str, back: str, parts: list[tuple[UUID, str]]
) -> None:
    found = taken(lefts(first, second, back), amount)
    assert found == [(line_id, part, "01-11") for line_id, part in parts]


def test_what_is_given_back_of_other_days_is_not_taken_back_any_more() -> None:
    """A month of 100.00, from its 11th on a year of 1,000.00, cancelled on the 21st: more than the difference."""
    left = lefts(second="1000.00")
    assert taken(left, "972.60", days("01-21", "2027-01-11")) == [
        (UPGRADED, "972.60", "01-21"),
        (BACK, "-35.48", "01-21"),
        (BACK, "-4.86", "01-11"),
        (LINE, "35.48", "01-21"),
        (LINE, "4.86", "01-11"),
    ]
    # What is left of both is what the ten days of the year cost, less what they were taken back.
    assert (left[SECOND].lines[UPGRADED], left[SECOND].lines[BACK], left[FIRST].left) == (
        D("27.40"), D("-27.40"), D("59.66"),
    )  # fmt: skip
    whole = lefts(second="1000.00")
    assert taken(whole, "950.00", days("02-01", "03-01")) == [
        (UPGRADED, "950.00", "02-01"), (BACK, "-17.74", "01-11"), (LINE, "17.74", "01-11"),
    ]  # fmt: skip
    start = lefts(second="203.23")
    assert taken(start, "190.00", days("01-11", "01-21")) == [
        (UPGRADED, "135.49", "01-11"), (LINE, "32.26", "01-11"), (LINE, "22.25", "01-11"),
    ]  # fmt: skip


def test_an_earlier_invoice_of_another_exchange_rate_gives_back_its_own_days() -> None:
    """Three seats of 67.74 for one: two are given back on their invoice, the last one where it was billed."""
    left = lefts(rate="0.95", second="203.22")
    assert taken(left, "135.48") == [(UPGRADED, "135.48", "01-11")]
    left[SECOND].days[UPGRADED].append((REST, D("-135.48")))
    left[SECOND].left += 50
    left[SECOND].lines[UPGRADED] += 50  # what was used of the other days
    assert taken(left, "32.26", days("01-21", "02-01")) == [(LINE, "32.26", "01-21")]
    # What is no more than rounded is no second note.
    assert taken(lefts(rate="0.95"), "135.50") == [(UPGRADED, "135.49", "01-11"), (LINE, "0.01", "01-11")]
    assert taken(lefts(rate="0.95", second="203.24"), "135.50") == [(UPGRADED, "135.50", "01-11")]


def test_what_is_not_known_takes_nothing() -> None:
    assert list(rules.spread(D(1), REST, new_id(), LINE, lefts(), "DKK")) == []
    assert list(rules.spread(D(1), REST, FIRST, BACK, lefts(), "DKK")) == []


def test_a_credit_takes_no_more_than_its_own_lines_of_its_rate() -> None:
    """What others of the same invoice were billed is theirs; and what is booked otherwise makes no room."""
    left = lefts()
    found = list(rules.spread(D("50.00"), JANUARY, SECOND, SHARED, left, "DKK"))
    assert [(part.invoice_line_id, f"{part.amount:f}") for part in found] == [(SHARED, "20.00")]
    assert (left[SECOND].left, left[SECOND].lines[UPGRADED]) == (D("135.49"), D("203.23"))
    left[SECOND].bookings[BACK] = HERE._replace(vat_rate=D(0))
    assert taken(left, "203.23") == [(UPGRADED, "135.49", "01-11")]


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


def test_usage_that_a_credit_takes_back_is_counted_on_its_first_row() -> None:
    life = of_price("310", "01-01", AT_ONCE)
    life.run("01-01")
    life.change(ChangeType.CANCEL, "01-11", refundBehavior="prorated")
    (bill,) = carried(life, "01-11").bills
    credit = replace(bill.charges[0], kind=ChargeKind.USAGE_DIFFERENCE, net=D("-3.64"))
    charge = replace(credit, quantity=D("-15.5"), events=-1, carried=D("0.5"))
    noted = [(FIRST, D("1.42")), (SECOND, D("2.22"))]
    rows = rules.credited_as(charge, BillShare(charge, D(0), D("-3.64")), noted)
    assert [row.net for row in rows] == [D("-1.42"), D("-2.22")]
    counted = [(row.quantity, row.events, row.carried) for row in rows]
    assert counted == [(D("-15.5"), -1, D("0.5")), (0, 0, 0)]


def _tiers() -> list[Tier]:
    return [Tier(Decimal(10), Decimal("0.3333"), Decimal(0)), Tier(None, Decimal("0.25"), Decimal(1))]


def test_an_invoice_is_charged_to_the_card_that_all_its_subscriptions_are_billed_to() -> None:
    seats, first, second = price("10"), new_id(), new_id()
    life = subscribed(plan(seats), [seats], "01-01")
    life.run("01-01")
    share = BillShare(life.chain.charges[0], D(10), D(0))

    def charged(*given: tuple[UUID | None, bool]) -> tuple[UUID | None, bool, bool]:
        """The card, whether it is to be charged, and whether all on it are paid alike."""
        shares = []
        for method_id, is_automatic in given:
            terms = replace(life.chain.subscription, payment_method_id=method_id, automatic_billing=is_automatic)
            one = loaded(life)
            shares.append(InvoiceShare(replace(one, chain=replace(one.chain, subscription=terms)), share))
        planned = PlannedInvoice(InvoiceId(new_id()), new_id(), day("01-01"), "DKK", tuple(shares))
        return rules.card_of(planned), rules.is_automatic(planned), rules.are_paid_alike(planned)

    assert charged((None, False), (first, False)) == (None, False, True)
    assert charged((None, True), (first, False)) == (None, True, True)
    assert charged((first, True), (first, True)) == (first, True, True)
    assert charged((first, True), (first, False)) == (None, True, False)
    assert charged((first, True), (second, True)) == (None, True, False)
    assert charged((None, True), (first, True)) == (None, True, False)
