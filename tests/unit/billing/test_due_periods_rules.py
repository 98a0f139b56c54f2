"""Which period is billed next, what it costs, what a change takes back of it, and how a bill becomes documents."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.billing.chains import (
    ADVANCE,
    ARREARS,
    AT_ONCE,
    GIVEN_AWAY,
    MONTH,
    WEEK,
    D,
    day,
    days,
    price,
)

from ledgerbee.billing.charges.model import Bill, BilledCharge, BookedAs, Charge, ChargeKind, DuePeriod, Part
from ledgerbee.billing.charges.rules import (
    Credit,
    Settlement,
    billed_charges,
    left_of,
    next_recurring,
    next_usage,
    price_for_period,
    settle,
    share_bill,
    share_of,
    without_void,
)
from ledgerbee.billing.timelines.model import Cadence, Grid, Item, Span, Terms, TermsFrom, Timeline
from ledgerbee.billing.timelines.rules import moved_to, timeline_of
from ledgerbee.catalog.prices.model import PricingModel, Tier
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO

PLAN, A, B, METERED, CHANGE = (new_id() for _ in range(5))
MONTHLY = Grid.from_anchor(Cadence(MONTH, 1), day("01-01"))


def terms(a: int = 1, b: int = 0, **others: object) -> Terms:
    items = tuple(Item(price_id, D(quantity)) for price_id, quantity in ((A, a), (B, b)) if quantity)
    base = Terms(plan_id=PLAN, plan_version=1, grid=MONTHLY, direction=ADVANCE, items=(*items, Item(METERED, D(1))))
    return replace(base, **others)


def line(*versions: tuple[str, Terms], trial_until: str | None = None, ends_on: str | None = None) -> Timeline:
    return timeline_of(
        [TermsFrom(day(on), held) for on, held in versions],
        trial_until=None if trial_until is None else day(trial_until),
        ends_on=None if ends_on is None else day(ends_on),
    )


def due_on(timeline: Timeline, billed_until: str) -> DuePeriod | None:
    return next_recurring(timeline, day(billed_until), {A, B})


def parts_of(due: DuePeriod | None) -> list[tuple[str, int, str, str]]:
    assert due is not None
    return [
        ("A" if one.price_id == A else "B", int(one.quantity), f"{one.span.start:%m-%d}", f"{one.span.end:%m-%d}")
        for one in due.parts
    ]


# What is due


@pytest.mark.parametrize(("direction", "on"), [(ADVANCE, "02-01"), (ARREARS, "03-01")])
def test_a_period_is_due_at_its_start_or_at_its_end(direction: object, on: str) -> None:
    due = due_on(line(("01-01", terms(direction=direction))), "02-01")
    assert due is not None
    assert (due.period, due.until, due.due_on) == (days("02-01", "03-01"), day("03-01"), day(on))
    assert parts_of(due) == [("A", 1, "02-01", "03-01")]
    assert due.is_arrears == (direction is ARREARS)
    assert not due.is_partial
    assert not due.starts_late


def test_a_first_period_that_starts_late_is_a_part_of_a_whole_one() -> None:
    due = due_on(line(("01-11", terms(proration=AT_ONCE))), "01-11")
    assert due is not None
    assert (due.period, due.due_on, due.proration) == (days("01-01", "02-01"), day("01-11"), AT_ONCE)
    assert parts_of(due) == [("A", 1, "01-11", "02-01")]
    assert due.starts_late
    assert due.is_partial


@pytest.mark.parametrize(("direction", "on"), [(ADVANCE, "02-01"), (ARREARS, "02-11")])
def test_an_end_cuts_the_last_period(direction: object, on: str) -> None:
    timeline = line(("01-01", terms(direction=direction)), ends_on="02-11")
    due = due_on(timeline, "02-01")
    assert due is not None
    assert (due.period, due.until, due.due_on) == (days("02-01", "03-01"), day("02-11"), day(on))
    assert due.is_partial
    assert not due.starts_late
    assert due_on(timeline, "02-11") is None


def test_a_trial_is_passed_over_and_what_follows_it_is_a_part() -> None:
    timeline = line(("01-01", terms()), trial_until="02-15")
    due = due_on(timeline, "01-01")
    assert due is not None
    assert (due.period, due.due_on) == (days("02-01", "03-01"), day("02-15"))
    assert parts_of(due) == [("A", 1, "02-15", "03-01")]
    assert due_on(line(("01-01", terms()), trial_until="02-15", ends_on="02-10"), "01-01") is None
    ends_with_a_period = due_on(line(("01-01", terms()), trial_until="02-01"), "01-01")
    assert ends_with_a_period is not None
    assert not ends_with_a_period.is_partial


def test_in_arrears_each_version_of_a_period_is_a_part() -> None:
    held = [terms(1, direction=ARREARS), terms(2, 1, direction=ARREARS), terms(2, 3, direction=ARREARS)]
    due = due_on(line(("01-01", held[0]), ("01-10", held[1]), ("01-20", held[2])), "01-01")
    assert parts_of(due) == [
        ("A", 1, "01-01", "01-10"),
        ("A", 2, "01-10", "02-01"),
        ("B", 1, "01-10", "01-20"),
        ("B", 3, "01-20", "02-01"),
    ]


def test_a_pause_in_arrears_is_left_out_and_the_period_goes_on() -> None:
    held, paused = terms(direction=ARREARS), terms(direction=ARREARS, is_paused=True)
    timeline = line(("01-01", held), ("01-10", paused), ("01-20", held))
    due = due_on(timeline, "01-01")
    assert parts_of(due) == [("A", 1, "01-01", "01-10"), ("A", 1, "01-20", "02-01")]
    assert due is not None
    assert not due.is_partial
    forever = due_on(line(("01-01", held), ("01-10", paused)), "01-01")
    assert parts_of(forever) == [("A", 1, "01-01", "01-10")]
    assert forever is not None
    assert (forever.until, forever.due_on, forever.is_partial) == (day("02-01"), day("02-01"), True)
    assert due_on(line(("01-01", held), ("01-10", paused)), "02-01") is None


def test_a_pause_over_boundaries_is_passed_over() -> None:
    timeline = line(("01-01", terms()), ("01-10", terms(is_paused=True)), ("03-20", terms()))
    due = due_on(timeline, "02-01")
    assert due is not None
    assert (due.period, due.until, due.due_on) == (days("03-01", "04-01"), day("04-01"), day("03-20"))


def test_days_without_a_recurring_price_are_passed_over() -> None:
    due = due_on(line(("01-01", terms(0)), ("02-10", terms(1))), "01-01")
    assert due is not None
    assert (due.period, due.due_on, due.starts_late) == (days("02-01", "03-01"), day("02-10"), True)
    assert due_on(line(("01-01", terms(0))), "01-01") is None


@pytest.mark.parametrize("direction", [ADVANCE, ARREARS])
def test_another_grid_cuts_the_period(direction: object) -> None:
    weekly = Grid.from_anchor(Cadence(WEEK, 1), day("01-10"))
    timeline = line(
        ("01-01", terms(direction=direction)), ("01-10", terms(direction=direction, grid=weekly, restarted_by=CHANGE))
    )
    first = due_on(timeline, "01-01")
    assert first is not None
    assert (first.period, first.until, first.restarted_by) == (days("01-01", "02-01"), day("01-10"), None)
    second = due_on(timeline, "01-10")
    assert second is not None
    assert (second.period, second.restarted_by) == (days("01-10", "01-17"), CHANGE)


def test_a_direction_holds_from_the_next_period_on() -> None:
    to_arrears = line(("01-01", terms()), ("02-01", terms(direction=ARREARS)))
    found = due_on(to_arrears, "02-01")
    assert found is not None
    assert found.due_on == day("03-01")
    to_advance = line(("01-01", terms(direction=ARREARS)), ("02-01", terms()))
    finished, coming = due_on(to_advance, "01-01"), due_on(to_advance, "02-01")
    assert finished is not None
    assert coming is not None
    assert (finished.until, finished.due_on) == (day("02-01"), day("02-01"))
    assert (coming.due_on, coming.is_arrears) == (day("02-01"), False)


def test_usage_is_due_after_its_own_period_whatever_the_direction() -> None:
    timeline = line(("01-01", terms()), ends_on="01-17")
    due = next_usage(timeline, day("01-01"), METERED, Cadence(WEEK, 1))
    assert due is not None
    assert (due.period, due.due_on, due.is_arrears) == (days("01-01", "01-08"), day("01-08"), True)
    cut = next_usage(timeline, day("01-15"), METERED, Cadence(WEEK, 1))
    assert cut is not None
    assert (cut.period, cut.due_on) == (days("01-15", "01-22"), day("01-17"))
    assert next_usage(timeline, day("01-17"), METERED, Cadence(WEEK, 1)) is None


def test_usage_of_a_price_that_left_is_due_at_the_end_of_its_period() -> None:
    without = replace(terms(), items=(Item(A, D(1)),))
    due = next_usage(line(("01-01", terms()), ("01-10", without)), day("01-01"), METERED, Cadence(MONTH, 1))
    assert due is not None
    assert ([one.span for one in due.parts], due.due_on) == ([days("01-01", "01-10")], day("02-01"))
    timeline = line(("01-01", terms()), ("01-10", without), ("01-20", terms()))
    back = next_usage(timeline, day("01-01"), METERED, Cadence(MONTH, 1))
    assert back is not None
    assert [one.span for one in back.parts] == [days("01-01", "01-10"), days("01-20", "02-01")]


STATES = st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 3))


@given(
    st.lists(st.tuples(st.integers(0, 100), STATES), max_size=8),
    st.integers(1, 28),
    st.none() | st.integers(1, 120),
    st.none() | st.integers(1, 60),
    st.sampled_from([ADVANCE, ARREARS]),
)
def test_every_day_that_costs_something_is_billed_once(
    versions: list[tuple[int, tuple[int, bool, int]]],
    anchor: int,
    end: int | None,
    trial: int | None,
    direction: object,
) -> None:
    """Whatever the versions are: a day is in as many parts as it has prices."""
    first = day("01-05")
    held = Grid.from_anchor(Cadence(MONTH, 1), date(2026, 1, anchor))
    found = [TermsFrom(first, terms(1, 1, grid=held, direction=direction))]
    for number, (quantity, is_paused, restart) in sorted(versions, key=lambda one: one[0]):
        on = first + timedelta(days=number)
        before = found[-1].terms
        after = replace(terms(quantity, 1, direction=direction), is_paused=is_paused, grid=before.grid)
        after = replace(after, restarted_by=before.restarted_by)
        if restart == 1:
            after = replace(after, grid=Grid.from_anchor(Cadence(WEEK, 2), on), restarted_by=new_id())
        elif restart == 2:
            after = replace(after, grid=moved_to(before.grid, Cadence(MONTH, 1), on), restarted_by=new_id())
        found.append(TermsFrom(on, after))
    last = first + timedelta(days=130 if end is None else end)
    timeline = timeline_of(found, ends_on=last, trial_until=None if trial is None else first + timedelta(days=trial))
    billed: list[tuple[object, date]] = []
    until = first
    while (due := next_recurring(timeline, until, {A, B})) is not None:
        assert due.until > until
        assert due.parts
        assert due.due_on == (due.until if direction is ARREARS else due.parts[0].span.start)
        for part in due.parts:
            assert part.span.days > 0
            assert due.period.start <= part.span.start < part.span.end <= min(due.until, due.period.end)
            assert part.span.start >= until
            billed += [(part.price_id, part.span.start + timedelta(days=n)) for n in range(part.span.days)]
        until = due.until
    expected = [
        (item.price_id, segment.start + timedelta(days=n))
        for segment in timeline
        if segment.is_billed and segment.end is not None
        for item in segment.terms.items
        if item.price_id in {A, B}
        for n in range((segment.end - segment.start).days)
    ]
    assert sorted(billed, key=str) == sorted(expected, key=str)


# What it costs


@pytest.mark.parametrize(
    ("amount", "service", "period", "share"),
    [
        pytest.param("200", days("07-11", "08-01"), days("07-01", "08-01"), "135.48", id="contract 3.1"),
        pytest.param("200", days("07-01", "08-01"), days("07-01", "08-01"), "200.00", id="a whole period is 1"),
        pytest.param("99.99", days("02-01", "03-01"), days("02-01", "03-01"), "99.99", id="a whole short month"),
        pytest.param("80", days("03-30", "04-01"), days("03-01", "04-01"), "5.16", id="B2"),
        pytest.param("0.01", days("01-01", "01-02"), days("01-01", "01-03"), "0.01", id="half away from zero"),
        pytest.param("-0.01", days("01-01", "01-02"), days("01-01", "01-03"), "-0.01", id="half away from zero, below"),
        pytest.param("200", days("07-01", "07-01"), days("07-01", "08-01"), "0.00", id="no day"),
    ],
)
def test_a_share_is_by_calendar_days_and_rounded_once(amount: str, service: Span, period: Span, share: str) -> None:
    assert str(share_of(D(amount), service, period, "DKK")) == share


@given(st.decimals("0", "100000", places=4), st.integers(1, 366), st.data())
def test_a_share_is_the_exact_fraction_rounded(amount: Decimal, length: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, length - 1))
    end = data.draw(st.integers(start, length))
    first = day("01-01")
    service = Span(first + timedelta(days=start), first + timedelta(days=end))
    share = share_of(amount, service, Span(first, first + timedelta(days=length)), "DKK")
    exact = Fraction(amount) * (end - start) / length
    assert abs(Fraction(share) - exact) <= Fraction(1, 200)
    assert Fraction(share) >= exact or abs(Fraction(share) - exact) < Fraction(1, 200)
    assert share.as_tuple().exponent == -2


def test_a_period_costs_its_price_less_discount_unrounded() -> None:
    assert price_for_period(price("99.99"), D("3"), D("12.5")) == D("262.473750")
    tiered = price(tiers=(Tier(D(10), D(5), D(1)), Tier(None, D(2), D(0))), model=PricingModel.GRADUATED)
    assert price_for_period(tiered, D(12), ZERO) == D(55)
    assert price_for_period(tiered, ZERO, ZERO) == ZERO


# What a change takes back


def charge(amount: str, service: Span, *, period: Span | None = None, price_id: object = A, **others: object) -> Charge:
    whole = period or days("01-01", "02-01")
    base = Charge(
        id=new_id(),
        subscription_id=PLAN,
        price_id=A,
        kind=ChargeKind.RECURRING,
        period=whole,
        service=service,
        quantity=D(1),
        period_amount=D(amount),
        net=share_of(D(amount), service, whole, "DKK"),
    )
    return replace(base, price_id=price_id, **others)


def credit(of: Charge, service: Span, net: str) -> Charge:
    return replace(of, id=new_id(), kind=ChargeKind.PRORATION, service=service, net=D(net), credits_charge_id=of.id)


JANUARY = days("01-01", "02-01")
REST = days("01-11", "02-01")


def test_a_price_that_stays_keeps_its_charge() -> None:
    billed = billed_charges([charge("310", JANUARY)], {})
    assert settle(billed, [Item(A, D(1))], REST, "DKK") == Settlement((), ())


def test_another_price_or_quantity_credits_the_days_left_and_charges_them() -> None:
    first = charge("310", JANUARY)
    billed = billed_charges([first], {})
    assert settle(billed, [Item(B, D(1))], REST, "DKK") == Settlement(
        (Credit(first, REST, D("210.00")),), (Part(B, D(1), REST),)
    )
    assert settle(billed, [Item(A, D(2))], REST, "DKK") == Settlement(
        (Credit(first, REST, D("210.00")),), (Part(A, D(2), REST),)
    )
    assert settle(billed, [], REST, "DKK") == Settlement((Credit(first, REST, D("210.00")),), ())
    assert settle([], [Item(B, D(3))], REST, "DKK") == Settlement((), (Part(B, D(3), REST),))


def test_what_begins_later_is_credited_whole_and_what_is_over_not_at_all() -> None:
    early, late = charge("310", days("01-01", "01-11")), charge("310", days("01-15", "02-01"))
    billed = billed_charges([early, late], {})
    assert settle(billed, [], REST, "DKK").credits == (Credit(late, late.service, late.net),)


def test_days_that_nothing_covers_are_charged() -> None:
    parts = [charge("310", days("01-01", "01-14")), charge("310", days("01-16", "01-20"))]
    assert settle(billed_charges(parts, {}), [Item(A, D(1))], REST, "DKK").parts == (
        Part(A, D(1), days("01-14", "01-16")),
        Part(A, D(1), days("01-20", "02-01")),
    )


def test_a_charge_stands_as_its_credits_left_it() -> None:
    first = replace(charge("310", JANUARY), invoice_line_id=new_id())
    assert first.invoice_line_id is not None
    usage = replace(charge("10", JANUARY), kind=ChargeKind.USAGE)
    back = credit(first, days("01-20", "02-01"), "-120.00")
    assert billed_charges([first, usage, back], {}) == [BilledCharge(first, (days("01-01", "01-20"),), D("190.00"))]
    by_hand = {first.invoice_line_id: D("100.00")}
    assert billed_charges([first, back], by_hand) == [BilledCharge(first, (days("01-01", "01-20"),), D("90.00"))]
    assert billed_charges([first, back], {first.invoice_line_id: D("310.00")})[0].left == ZERO
    assert billed_charges([first, credit(first, JANUARY, "-310.00")], {}) == []
    assert left_of(first, [first, back], by_hand) == D("90.00")


def test_no_more_is_credited_than_what_is_left() -> None:
    first = replace(charge("310", JANUARY), invoice_line_id=new_id())
    assert first.invoice_line_id is not None
    for by_hand, amount in (("310.00", "0"), ("200.00", "110.00"), ("50.00", "210.00")):
        billed = billed_charges([first], {first.invoice_line_id: D(by_hand)})
        assert settle(billed, [], REST, "DKK").credits == (Credit(first, REST, D(amount)),)
    whole = billed_charges([first], {first.invoice_line_id: D("50.00")})
    assert settle(whole, [], JANUARY, "DKK").credits == (Credit(first, JANUARY, D("260.00")),)


def test_days_in_the_midst_of_a_charge_may_be_taken_back() -> None:
    first = charge("310", JANUARY)
    midst = days("01-11", "01-21")
    assert settle(billed_charges([first], {}), [], midst, "DKK").credits == (Credit(first, midst, D("100.00")),)
    back = credit(first, midst, "-100.00")
    assert billed_charges([first, back], {}) == [
        BilledCharge(first, (days("01-01", "01-11"), days("01-21", "02-01")), D("210.00"))
    ]
    rest = settle(billed_charges([first, back], {}), [], days("01-06", "02-01"), "DKK")
    assert rest.credits == (
        Credit(first, days("01-06", "01-11"), D("50.00")),
        Credit(first, days("01-21", "02-01"), D("110.00")),
    )
    odd = charge("0.10", JANUARY)
    halves = settle(billed_charges([odd, credit(odd, midst, "-0.03")], {}), [], JANUARY, "DKK")
    assert [one.amount for one in halves.credits] == [D("0.03"), D("0.04")]


# How a bill becomes documents


def shares_of(bill: Bill) -> list[tuple[str, str]]:
    return [(str(share.on_invoice), str(share.on_note)) for share in share_bill(bill)]


def test_an_invoice_never_falls_below_zero() -> None:
    earlier, new = charge("310", JANUARY), charge("100", JANUARY)
    back = credit(earlier, JANUARY, "-310.00")
    assert shares_of(Bill(day("01-01"), (new, back))) == [("100.00", "0"), ("-100.00", "-210.00")]
    assert shares_of(Bill(day("01-01"), (back, new))) == [("-100.00", "-210.00"), ("100.00", "0")]
    assert shares_of(Bill(day("01-01"), (back,))) == [("0", "-310.00")]


def test_credits_of_the_same_invoice_come_first() -> None:
    earlier, new = charge("310", JANUARY), charge("100", JANUARY)
    back, of_new = credit(earlier, JANUARY, "-310.00"), credit(new, REST, "-67.74")
    assert shares_of(Bill(day("01-01"), (back, new, of_new))) == [
        ("-32.26", "-277.74"),
        ("100.00", "0"),
        ("-67.74", "0.00"),
    ]


def test_a_refund_is_all_notes() -> None:
    earlier = charge("310", JANUARY)
    refund = Bill(day("01-11"), (credit(earlier, REST, "-210.00"),), is_refund=True)
    assert shares_of(refund) == [("0", "-210.00")]


HERE, ELSEWHERE = (BookedAs(new_id(), None, new_id(), new_id(), D(rate)) for rate in (25, 0))


def told(bill: Bill, today: dict[UUID, BookedAs], earlier: dict[UUID, BookedAs]) -> list[tuple[str, str, UUID | None]]:
    """What of each charge is on an invoice and on notes, and on the line of which charge it stands."""
    shares = share_bill(bill, today, earlier)
    assert [share.charge for share in shares] == list(bill.charges)
    assert all(share.on_invoice + share.on_note == share.charge.net for share in shares)
    return [(f"{share.on_invoice:.2f}", f"{share.on_note:.2f}", share.set_off) for share in shares]


def test_a_credit_of_what_was_booked_otherwise_becomes_a_note() -> None:
    """The other one has the room that it leaves."""
    first, second, new = (charge(amount, JANUARY, price_id=new_id()) for amount in ("310", "62", "100"))
    bill = Bill(day("01-01"), (credit(first, REST, "-210.00"), new, credit(second, REST, "-42.00")))
    booked = {one.price_id: HERE for one in bill.charges}
    assert told(bill, booked, {first.id: ELSEWHERE, second.id: HERE}) == [
        ("0.00", "-210.00", None), ("100.00", "0.00", None), ("-42.00", "0.00", None),
    ]  # fmt: skip
    # Of a price that stands on no line today nobody knows how it would be booked.
    assert told(bill, {new.price_id: HERE}, {second.id: HERE})[2] == ("0.00", "-42.00", None)


def test_a_change_that_lowers_makes_a_note_of_the_difference() -> None:
    """What is charged stands on the line that was billed, which stays so by as much: of the same price and days first.
    What is booked otherwise, or for other days, is charged on an invoice."""
    second, first = charge("400", JANUARY, price_id=new_id()), charge("310", JANUARY, price_id=new_id())
    back, other = credit(first, REST, "-210.00"), credit(second, REST, "-270.97")
    fewer = replace(charge("155", REST), price_id=first.price_id)
    bill = Bill(day("01-11"), (back, other, fewer), nets=True)
    booked, earlier = {one.price_id: HERE for one in bill.charges}, {first.id: HERE, second.id: HERE}
    kept = f"{fewer.net:.2f}"
    assert told(bill, booked, earlier) == [
        (f"-{kept}", f"{back.net + fewer.net:.2f}", first.id), ("0.00", "-270.97", None), (kept, "0.00", first.id),
    ]  # fmt: skip
    assert told(bill, booked, {first.id: ELSEWHERE, second.id: HERE})[2] == (kept, "0.00", second.id)
    apart = [("0.00", "-210.00", None), ("0.00", "-270.97", None), (kept, "0.00", None)]
    assert told(bill, booked, {first.id: ELSEWHERE, second.id: ELSEWHERE}) == apart
    later = replace(bill, charges=(back, other, replace(fewer, service=days("01-12", "02-01"))))
    assert told(later, booked, earlier) == apart
    # What is charged and taken back by one bill stands on its invoice; an upgrade is one invoice.
    of_fewer = credit(fewer, days("01-21", "02-01"), "-10.00")
    assert told(replace(bill, charges=(*bill.charges, of_fewer)), booked, earlier)[2:] == [
        (kept, "0.00", None), ("-10.00", "0.00", None),
    ]  # fmt: skip
    more = replace(fewer, net=D("500.00"))
    assert told(replace(bill, charges=(back, other, more)), booked, earlier) == [
        ("-210.00", "0.00", None), ("-270.97", "0.00", None), ("500.00", "0.00", None),
    ]  # fmt: skip


def test_a_credit_has_room_among_what_is_booked_as_it_is() -> None:
    """1,600.00 with 25 % VAT and, from the second day on, 1,700.00 without: the invoice would be -290.33 with VAT."""
    seats, licence = (charge(amount, JANUARY, price_id=new_id()) for amount in ("1600", "1700"))
    back = credit(seats, days("01-02", "02-01"), "-1548.39")
    new = replace(licence, net=D("1645.16"), service=back.service)
    booked = {seats.price_id: HERE, licence.price_id: ELSEWHERE}
    apart = [("0.00", "-1548.39", None), ("1645.16", "0.00", None)]
    for nets in (True, False):
        bill = Bill(day("01-02"), (back, new), nets=nets)
        assert told(bill, booked, {seats.id: HERE}) == apart
        # What is charged of it at its own rate makes room for as much.
        fewer = replace(seats, id=new_id(), net=D("800.00"), service=back.service)
        both = told(replace(bill, charges=(back, new, fewer)), booked, {seats.id: HERE})
        kept = seats.id if nets else None
        assert both == [("-800.00", "-748.39", kept), ("1645.16", "0.00", None), ("800.00", "0.00", kept)]
    # Where something costs less than nothing, there is room for no credit, but for those of the same invoice.
    less = replace(licence, price_id=new_id(), net=D("-10.00"))
    of_new = credit(new, JANUARY, "-20.00")
    bill = Bill(day("01-02"), (back, new, less, of_new, replace(seats, id=new_id())))
    booked |= {less.price_id: HERE._replace(vat_rate=D(12))}
    assert [one[:2] for one in told(bill, booked, {seats.id: HERE})] == [
        ("0.00", "-1548.39"), ("1645.16", "0.00"), ("-10.00", "0.00"), ("-20.00", "0.00"), ("1600.00", "0.00"),
    ]  # fmt: skip


def test_what_others_took_off_a_line_is_taken_off_all_that_share_it() -> None:
    """300.00 of a line, of which 200.00 were taken back and 100.00 charged again for these days; then 60.00 by hand."""
    line = new_id()
    first = replace(charge("300", JANUARY), invoice_line_id=line)
    back = credit(first, REST, "-200.00")
    fewer = replace(charge("100", JANUARY), service=REST, net=D("100.00"), invoice_line_id=line)
    every = [first, replace(back, invoice_line_id=line), fewer]
    assert [left_of(one, every, {}) for one in (first, fewer)] == [D("100.00"), D("100.00")]
    assert [left_of(one, every, {line: D("60.00")}) for one in (first, fewer)] == [D("100.00"), D("100.00")]
    assert [left_of(one, every, {line: D("160.00")}) for one in (first, fewer)] == [D("40.00"), D("40.00")]
    assert left_of(fewer, every, {line: D("260.00")}) == 0


def test_what_is_taken_back_whole_makes_no_line() -> None:
    kept, void, partly = charge("310", JANUARY), charge("100", REST), charge("50", REST)
    back, of_kept, of_partly = (
        credit(void, REST, f"-{void.net}"),
        credit(charge("7", JANUARY), REST, "-2.00"),
        credit(partly, days("01-20", "02-01"), "-3.00"),
    )
    assert without_void([void, kept, back, of_kept, partly, of_partly]) == [kept, of_kept, partly, of_partly]


@given(st.lists(st.tuples(st.integers(-500, 500), st.booleans()), max_size=8), st.booleans())
def test_shares_of_a_bill_are_its_charges(amounts: list[tuple[int, bool]], is_refund: bool) -> None:
    charges: list[Charge] = []
    left: dict[object, int] = {}
    for amount, is_own in amounts:
        own = next((one for one in charges if is_own and left.get(one.id, 0) >= -amount), None)
        if amount >= 0:
            charges.append(replace(charge("1", JANUARY), net=D(amount)))
            left[charges[-1].id] = amount
        elif own is not None and not is_refund:
            left[own.id] += amount
            charges.append(credit(own, JANUARY, str(amount)))
        else:
            charges.append(credit(charge("500", JANUARY), JANUARY, str(amount)))
    shares = share_bill(Bill(day("01-01"), tuple(charges), is_refund))
    assert [share.charge for share in shares] == charges
    own_ids = {one.id for one in charges}
    for share in shares:
        assert share.on_invoice + share.on_note == share.charge.net
        assert share.on_note <= 0
        assert not (share.on_note and not share.charge.is_credit)
        if share.charge.credits_charge_id in own_ids:
            assert not share.on_note
        if is_refund and share.charge.is_credit:
            assert not share.on_invoice
    on_invoice = sum(share.on_invoice for share in shares)
    assert on_invoice >= 0
    if not is_refund and any(share.on_note for share in shares):
        assert on_invoice == 0


@given(
    amounts=st.lists(st.tuples(st.integers(-500, 500).filter(bool), st.booleans(), st.booleans()), max_size=8),
    nets=st.booleans(),
)
def test_at_no_rate_is_an_invoice_below_zero(amounts: list[tuple[int, bool, bool]], *, nets: bool) -> None:
    """Charges, and credits of earlier ones, at two rates each: as it was billed, and as it would be today."""
    charges, today, earlier = [], {}, {}
    for amount, is_here, was_here in amounts:
        one = charge("500", JANUARY, price_id=new_id())
        today[one.price_id] = HERE if is_here else ELSEWHERE
        if amount < 0:
            earlier[one.id] = HERE if was_here else ELSEWHERE
        charges.append(replace(one, net=D(amount)) if amount > 0 else credit(one, JANUARY, str(amount)))
    shares = share_bill(Bill(day("01-01"), tuple(charges), nets=nets), today, earlier)
    for booked in (HERE, ELSEWHERE):
        new = [it for it in shares if it.set_off is None and today[it.charge.price_id] == booked]
        assert sum(it.on_invoice for it in new) >= 0
    by_line: dict[object, Decimal] = {}
    for share in shares:
        assert share.on_invoice + share.on_note == share.charge.net
        credited = share.charge.credits_charge_id
        if credited is not None and share.on_invoice:
            assert earlier[credited] == today[share.charge.price_id] or share.set_off == credited
        if share.set_off is not None:
            by_line[share.set_off] = by_line.get(share.set_off, D(0)) + share.on_invoice
            if credited is None:
                assert earlier[share.set_off] == today[share.charge.price_id]
    # What is set off leaves the line that was billed as it is.
    assert not any(by_line.values())


def test_what_is_given_away_is_part_of_a_period() -> None:
    due = due_on(line(("01-11", terms(proration=GIVEN_AWAY))), "01-11")
    assert due is not None
    assert (due.proration, due.is_partial) == (GIVEN_AWAY, True)
