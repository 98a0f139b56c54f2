"""What is deferred and when it is earned: months tile the period and sum up to the whole, whatever is credited."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_invoices_rules import NOW, RECEIVABLE, TAXES, invoice

from ledgerbee.catalog.prices.model import ZoneSale
from ledgerbee.core.dates import add_months, first_of_month
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ZERO, minor_units, round_money, total
from ledgerbee.ledger.entries.model import LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion, check_balanced
from ledgerbee.sales.credit_notes.rules.entry import _off_deferrals
from ledgerbee.sales.deferrals import rules
from ledgerbee.sales.deferrals.model import (
    INVOICE_DEFERRAL_ACCOUNT_MISSING,
    CreditingLine,
    Deferral,
    HeldDeferral,
    Recognition,
    RecognitionBooks,
)
from ledgerbee.sales.documents.model import Computed, DocumentLineType, Line, PeriodLine, ServicePeriod
from ledgerbee.sales.documents.rules import as_input, compute
from ledgerbee.sales.sending.rules import entry_lines

D = Decimal
DEFERRED = new_id()
SALES = {price_id: ZoneSale(tax.account_id, None, defers=True) for price_id, tax in TAXES.items()}
PRICES = list(TAXES)
BOOKS = RecognitionBooks("DKK", "da", None)
MARCH = date(2026, 3, 16)


def sold(net: Decimal, start: date, end: date, price_id: UUID = PRICES[0]) -> PeriodLine:
    return PeriodLine(
        new_id(), DocumentLineType.PRODUCT, price_id=price_id, net=net, service_period_start=start,
        service_period_end=end,
    )  # fmt: skip


def booked(
    computed: Computed, currency: str, rate: Decimal, issued: date
) -> tuple[tuple[Deferral, ...], tuple[LineToPost, ...]]:
    """The deferrals of an invoice, and the lines of its entry."""
    parts = rules.deferred(computed, SALES, issued, currency, DEFERRED)
    conversion = Conversion(currency, "DKK", D(1) if currency == "DKK" else rate)
    lines = entry_lines(computed, conversion, RECEIVABLE, parts)
    of_invoice = replace(invoice(currency), issue_date=issued)
    return rules.deferrals_of(of_invoice, computed, parts, lines, conversion, NOW), lines


def on_account(lines: Sequence[LineToPost]) -> tuple[Decimal, Decimal]:
    """What lines have on the account of deferred revenue, credit positive."""
    own = [(1 if one.side is Side.CREDIT else -1, one) for one in lines if one.account_id == DEFERRED]
    return total([sign * one.amount for sign, one in own]), total([sign * one.base_amount for sign, one in own])


def month_of(held: HeldDeferral, month: date) -> tuple[HeldDeferral, Recognition]:
    found = rules.recognize([held], month, MARCH, BOOKS, new_id(), NOW)
    return replace(held, deferral=found.deferrals[0]), found.recognitions[0]


def credit(
    held: HeldDeferral, net: Decimal, period: ServicePeriod | None, rate: Decimal
) -> tuple[HeldDeferral, Decimal, Decimal]:
    """The deferral after a note with one line, and what that took off it."""
    conversion = Conversion(held.currency, "DKK", D(1) if held.currency == "DKK" else rate)
    line = CreditingLine(new_id(), held.deferral.invoice_line_id, net, period)
    found = rules.credited([line], new_id(), [held], conversion)
    if not found.deferrals:
        return held, ZERO, ZERO
    after = HeldDeferral(found.deferrals[0], held.currency, (*held.credits, *found.credits))
    return after, total([one.amount for one in found.credits]), total([one.base_amount for one in found.credits])


@st.composite
def invoices(draw: st.DrawFn) -> tuple[str, Decimal, Computed]:
    currency = draw(st.sampled_from(["DKK", "EUR", "JPY", "KWD"]))
    nets = st.integers(-(10**7), 10**7).map(lambda n: D(n).scaleb(-minor_units(currency)))
    lines: list[Line] = []
    for _ in range(draw(st.integers(1, 6))):
        start = MARCH + timedelta(days=draw(st.integers(-200, 200)))
        end = start + timedelta(days=draw(st.integers(0, 800)))
        lines.append(sold(draw(nets), start, end, draw(st.sampled_from(PRICES))))
    return currency, draw(st.decimals("0.01", "20", places=6)), compute(lines, TAXES, currency)


@given(invoices())
def test_the_entry_has_what_is_deferred_and_earned_at_once(drawn: tuple[str, Decimal, Computed]) -> None:
    currency, rate, computed = drawn
    deferrals, lines = booked(computed, currency, rate, MARCH)
    check_balanced(lines)
    assert on_account(lines) == (
        total([one.amount for one in deferrals]), total([one.base_amount for one in deferrals]),
    )  # fmt: skip
    nets = {line.id: line.net for line in computed.lines}
    for one in deferrals:
        net = nets[one.invoice_line_id]
        assert net is not None
        assert abs(one.amount) <= abs(net)
        assert one.amount * net > 0
        assert one.base_amount * net >= 0
        assert one.period_end > date(2026, 3, 31)
    revenue = [one for one in lines if one.line_type is LineType.ENTERED]
    signed = total([one.amount if one.side is Side.CREDIT else -one.amount for one in revenue])
    assert signed == computed.totals.subtotal


@given(invoices(), st.data())
def test_months_sum_up_to_the_whole(drawn: tuple[str, Decimal, Computed], data: st.DataObject) -> None:
    """With credits between them too, of days or of amounts: what is left is never of the other sign, and ends at
    nothing."""
    currency, rate, computed = drawn
    for first in booked(computed, currency, rate, MARCH)[0]:
        one, taken, base_taken = HeldDeferral(first, currency), ZERO, ZERO
        months: list[date] = []
        while (month := one.deferral.next_month) is not None:
            if data.draw(st.integers(0, 5)) == 0:
                share = data.draw(st.integers(1, 120))
                net = -EXACT.multiply(first.amount, D(share) / 100).quantize(D(1).scaleb(-minor_units(currency)))
                ends = sorted(data.draw(st.integers(0, (first.period_end - first.period_start).days)) for _ in "ab")
                period = ServicePeriod(*(first.period_start + timedelta(days=place) for place in ends))
                one, amount, base_amount = credit(one, net, data.draw(st.sampled_from([None, period])), rate)
                taken, base_taken = taken + amount, base_taken + base_amount
                if one.deferral.next_month is None:
                    break
            months.append(month)
            one, recognized = month_of(one, month)
            taken, base_taken = taken + recognized.amount, base_taken + recognized.base_amount
            for left, whole, part in (
                (one.deferral.amount_left, first.amount, recognized.amount),
                (one.deferral.base_amount_left, first.base_amount, recognized.base_amount),
            ):
                assert min(whole, ZERO) <= left <= max(whole, ZERO)
                assert part * whole >= 0
        assert (one.deferral.amount_left, one.deferral.base_amount_left) == (ZERO, ZERO)
        assert (taken, base_taken) == (first.amount, first.base_amount)
        assert months == [add_months(months[0], place) for place in range(len(months))]
        assert all(month <= first_of_month(first.period_end) for month in months)


@given(
    st.sampled_from([("DKK", D(1)), ("EUR", D("7.4637")), ("JPY", D("0.0451"))]),
    st.integers(1, 10**7),
    st.integers(-40, 60),
    st.integers(1, 800),
    st.data(),
)
def test_days_that_are_given_back_leave_the_others_as_they_were(
    money: tuple[str, Decimal], units: int, offset: int, length: int, data: st.DataObject
) -> None:
    """A prorated refund from a day on: until then each month ends with the days so far at their daily share, and from
    then on nothing is left. However much the note itself was rounded."""
    currency, rate = money
    net = D(units).scaleb(-minor_units(currency))
    start = MARCH + timedelta(days=offset)
    end = start + timedelta(days=length)
    period = ServicePeriod(start, end)
    deferrals, _ = booked(compute([sold(net, start, end)], TAXES, currency), currency, rate, MARCH)
    for first in deferrals:
        one, earned_so_far = HeldDeferral(first, currency), net - first.amount
        before = data.draw(st.integers(0, 6))
        used = data.draw(st.integers(0, length))
        stop = start + timedelta(days=used)
        refund = round_money(EXACT.divide(EXACT.multiply(net, D(length + 1 - used)), D(length + 1)), currency)
        unit = D(1).scaleb(-minor_units(currency))
        if used:  # from the first day on all of it is given back
            refund = min(max(refund + data.draw(st.sampled_from([-unit, ZERO, unit])), ZERO), net)
        if not refund:
            continue
        is_refunded, off_deferral = False, ZERO
        while (month := one.deferral.next_month) is not None:
            if not is_refunded and (before == 0 or add_months(month, 1) > stop):
                one, off_deferral, _ = credit(one, -refund, ServicePeriod(stop, end), rate)
                is_refunded = True
                continue
            before -= 1
            one, recognized = month_of(one, month)
            earned_so_far += recognized.amount
            last = min(add_months(month, 1) - timedelta(days=1), end)
            if last < stop:
                assert abs(earned_so_far - rules.earned(net, period, last, currency)) <= unit * is_refunded
            else:
                assert (one.deferral.amount_left, one.deferral.base_amount_left) == (ZERO, ZERO)
        assert earned_so_far + off_deferral == net


def test_with_the_last_of_it_goes_what_rounding_left_in_the_companys_currency() -> None:
    """JPY 3 at 0.0451 for 51 days, of which 2 for the last 50 are given back: 1 is left, and 0.04 with it, not 0.03."""
    start, end = MARCH, MARCH + timedelta(days=50)
    ((first,), _) = booked(compute([sold(D(3), start, end)], TAXES, "JPY"), "JPY", D("0.0451"), MARCH)
    one, _, _ = credit(HeldDeferral(first, "JPY"), D(-2), ServicePeriod(start + timedelta(days=1), end), D("0.0451"))
    one, recognized = month_of(one, date(2026, 3, 1))
    assert (recognized.amount, recognized.base_amount) == (D(1), D("0.04"))
    assert (one.deferral.amount_left, one.deferral.base_amount_left) == (ZERO, ZERO)


def test_a_year_that_is_cancelled_in_its_course() -> None:
    """3,650.00 for 365 days from 1 March, given back from 10 May on: what is left is earned at 10.00 a day."""
    start, end = date(2026, 3, 1), date(2027, 2, 28)
    computed = compute([sold(D(3650), start, end)], TAXES, "DKK")
    ((first,), _) = booked(computed, "DKK", D(1), MARCH)
    one, _ = month_of(HeldDeferral(first, "DKK"), start)
    one, taken, _ = credit(one, D(-2950), ServicePeriod(date(2026, 5, 10), end), D(1))
    assert (taken, one.deferral.amount_left) == (D(2950), D(390))
    months = []
    while one.deferral.next_month is not None:
        one, recognized = month_of(one, one.deferral.next_month)
        months.append(recognized.amount)
    assert months == [D(300), D(90)]


def test_days_that_are_recognised_go_off_revenue() -> None:
    """Half of the quantity is given back from 16 March on, told in May: of 46 days that are recognised nothing is left
    to take. The other days keep what they earn, and later notes take what these have left."""
    start, end = date(2026, 3, 1), date(2026, 6, 8)
    ((first,), _) = booked(compute([sold(D(1000), start, end)], TAXES, "DKK"), "DKK", D(1), MARCH)
    one, _ = month_of(HeldDeferral(first, "DKK"), start)
    one, _ = month_of(one, date(2026, 4, 1))
    assert credit(one, D(-100), ServicePeriod(date(2026, 3, 16), date(2026, 4, 30)), D(1))[1] == 0
    one, taken, _ = credit(one, D(-425), ServicePeriod(date(2026, 3, 16), end), D(1))
    assert (taken, one.deferral.amount_left) == (D(195), D(195))
    # By hand, of no days: of all that are left. Then of the last days, which have 4.00 a day.
    one, taken, _ = credit(one, D(-39), None, D(1))
    assert taken == 39
    one, taken, _ = credit(one, D(-32), ServicePeriod(date(2026, 6, 1), end), D(1))
    assert (taken, one.deferral.amount_left) == (D(32), D(124))
    # More than these days have left is taken off the others.
    one, taken, _ = credit(one, D(-24), ServicePeriod(date(2026, 6, 1), end), D(1))
    assert (taken, one.deferral.amount_left) == (D(24), D(100))
    one, recognized = month_of(one, date(2026, 5, 1))
    assert (recognized.amount, one.deferral.next_month) == (D(100), None)
    assert credit(one, D(-1), None, D(1))[1] == 0


def test_a_month_is_the_cumulative_target_less_what_was_earned() -> None:
    """100.00 for 90 days from 1 February: 31.11, then 34.45 (65.56 in all) and 34.44 are left."""
    computed = compute([sold(D(100), date(2026, 2, 1), date(2026, 5, 1))], TAXES, "DKK")
    ((first,), lines) = booked(computed, "DKK", D(1), MARCH)
    assert on_account(lines)[0] == first.amount == D("68.89")
    one = HeldDeferral(first, "DKK")
    earned = []
    while one.deferral.next_month is not None:
        one, recognized = month_of(one, one.deferral.next_month)
        earned.append((recognized.month, recognized.amount))
    assert earned == [
        (date(2026, 3, 1), D("34.45")), (date(2026, 4, 1), D("33.33")), (date(2026, 5, 1), D("1.11")),
    ]  # fmt: skip


def test_what_is_not_deferred() -> None:
    """What ends with the invoice's month, has no days or no amount, is of another group, or stands there by itself."""
    later = date(2026, 4, 1)
    lines: list[Line] = [
        sold(D(10), MARCH, date(2026, 3, 31)),
        Line(new_id(), DocumentLineType.PRODUCT, price_id=PRICES[0], net=D(10)),
        PeriodLine(new_id(), DocumentLineType.PRODUCT, price_id=PRICES[0], net=D(10)),
        sold(ZERO, MARCH, later),
        sold(D("0.01"), date(2025, 1, 1), later),
        sold(D(10), MARCH, later, PRICES[1]),
    ]
    computed = compute(lines, TAXES, "DKK")
    sales = {**SALES, PRICES[1]: replace(SALES[PRICES[1]], defers=False)}
    assert rules.deferred(computed, sales, MARCH, "DKK", None) == {}
    computed = compute([sold(D(10), MARCH, later)], TAXES, "DKK")
    assert rules.deferred(computed, SALES, MARCH, "DKK", TAXES[PRICES[0]].account_id) == {}
    with pytest.raises(LedgerBeeError) as raised:
        rules.deferred(computed, SALES, MARCH, "DKK", None)
    assert raised.value.error_code is INVOICE_DEFERRAL_ACCOUNT_MISSING


def test_the_entry_of_a_month() -> None:
    """A line for each account and side; deferrals below zero stand on the other one; none where nothing is earned."""
    period = (date(2026, 3, 1), date(2026, 4, 30))
    computed = compute([sold(D(61), *period), sold(D(122), *period, PRICES[1]), sold(D(-61), *period)], TAXES, "DKK")
    deferrals, _ = booked(computed, "DKK", D(1), MARCH)
    month = date(2026, 3, 1)
    due = [HeldDeferral(one, "DKK") for one in deferrals]
    found = rules.recognize(due, month, date(2026, 3, 31), BOOKS, new_id(), NOW)
    assert found.entry is not None
    check_balanced(found.entry.lines)
    assert sorted((one.side, one.amount) for one in found.entry.lines) == [
        ("CREDIT", D(31)), ("CREDIT", D(31)), ("CREDIT", D(62)), ("DEBIT", D(31)), ("DEBIT", D(93)),
    ]  # fmt: skip
    assert found.entry.original_amount == D(62)
    assert found.entry.description == "Indtægtsførsel af periodiseret omsætning, marts 2026"
    assert {one.journal_entry_id for one in found.recognitions} == {found.entry.id}
    tiny = [HeldDeferral(replace(deferrals[0], amount=D("0.01"), amount_left=D("0.01"), base_amount_left=ZERO,
                                scheduled_amount=D("0.01"), scheduled_base_amount=ZERO), "DKK")]  # fmt: skip
    nothing = rules.recognize(tiny, month, MARCH, BOOKS._replace(language="en"), new_id(), NOW)
    assert (nothing.entry, nothing.recognitions[0].journal_entry_id) == (None, None)
    english = rules.recognize(due, month, MARCH, BOOKS._replace(language="en"), new_id(), NOW)
    assert english.entry is not None
    assert english.entry.description == "Deferred revenue earned, March 2026"


def test_a_credit_takes_what_is_left_and_no_more() -> None:
    """The last of it takes all that is left in the company's currency; other lines are not deferred."""
    computed = compute([sold(D("33.33"), MARCH, date(2026, 12, 31))], TAXES, "EUR")
    ((first,), _) = booked(computed, "EUR", D("7.4637"), MARCH)
    held, _ = month_of(HeldDeferral(first, "EUR"), date(2026, 3, 1))
    one = held.deferral
    conversion = Conversion("EUR", "DKK", D("7.4637"))
    lines = [
        CreditingLine(new_id(), new_id(), D(-5), None),
        CreditingLine(new_id(), one.invoice_line_id, D(-3), None),
        CreditingLine(new_id(), one.invoice_line_id, D("-30.33"), None),
        CreditingLine(new_id(), one.invoice_line_id, D(-1), None),
    ]
    found = rules.credited(lines, new_id(), [held], conversion)
    (credit,) = found.credits
    assert (credit.amount, credit.base_amount) == (one.amount_left, one.base_amount_left)
    assert [part.amount for part in found.deferred.values()] == [D(-3), -(one.amount_left - 3)]
    assert found.deferrals[0].next_month is None
    # In the entry of the note it is taken off at these amounts.
    note = compute(
        [replace(sold(net, MARCH, MARCH), id=line_id, net=net) for line_id, _, net, _ in lines[1:3]], TAXES, "EUR"
    )
    written = _off_deferrals(entry_lines(note, conversion, RECEIVABLE, found.deferred), note, found)
    assert on_account(written) == (-credit.amount, -credit.base_amount)


def test_which_months_are_recognised_when() -> None:
    today = date(2026, 4, 10)
    rules.check_month(date(2026, 3, 1), None, today)
    rules.check_month(date(2026, 3, 1), date(2026, 3, 31), today)
    rules.check_month(date(2026, 3, 1), today, today)
    for month, on in (
        (date(2026, 4, 1), None),
        (date(2026, 3, 1), date(2026, 3, 30)),
        (date(2026, 3, 1), date(2026, 4, 11)),
    ):
        with pytest.raises(LedgerBeeError):
            rules.check_month(month, on, today)


def test_a_line_says_again_what_its_author_gave() -> None:
    line = sold(D(10), MARCH, date(2026, 4, 1))
    assert as_input(line).service_period == ServicePeriod(MARCH, date(2026, 4, 1))
