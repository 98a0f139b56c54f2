"""Small rules of what is read: running balances, ages of what is open, and how searches are read and ordered."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.app.mcp.searching.model import Found, Hit, Match
from ledgerbee.app.mcp.searching.rules import in_order, term_of
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.reports.ledgers.rules import running
from ledgerbee.sales.open_invoices.model import AgeBand
from ledgerbee.sales.open_invoices.rules import band_of, days_overdue

amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=2)


@given(amounts, st.lists(amounts))
def test_a_balance_runs_from_what_was_before_to_the_sum_of_all(before: Decimal, lines: list[Decimal]) -> None:
    found = running(before, lines)
    assert len(found) == len(lines)
    assert [*found, before][len(lines) - 1 if lines else 0] == sum(lines, before)
    assert all(after - line == earlier for earlier, line, after in zip([before, *found], lines, found, strict=False))


@pytest.mark.parametrize(
    ("late", "days", "band"),
    [
        (-5, 0, AgeBand.NOT_DUE),
        (0, 0, AgeBand.NOT_DUE),
        (1, 1, AgeBand.DAYS_1_TO_30),
        (30, 30, AgeBand.DAYS_1_TO_30),
        (31, 31, AgeBand.DAYS_31_TO_60),
        (60, 60, AgeBand.DAYS_31_TO_60),
        (61, 61, AgeBand.DAYS_61_TO_90),
        (90, 90, AgeBand.DAYS_61_TO_90),
        (91, 91, AgeBand.DAYS_91_AND_MORE),
        (900, 900, AgeBand.DAYS_91_AND_MORE),
    ],
)
def test_what_is_late_by_some_days_is_of_one_age(late: int, days: int, band: AgeBand) -> None:
    due = date(2026, 3, 16)
    assert days_overdue(due, due + timedelta(days=late)) == days
    assert band_of(days) is band


def test_a_term_is_a_text_and_perhaps_a_number_or_an_id() -> None:
    assert term_of(" Havblik ").text == "Havblik"
    assert (term_of("1042").number, term_of("1042").id) == (1042, None)
    assert term_of("99999999999").number is None
    assert term_of("4294967296").number is None
    assert term_of("١٢").number is None  # digits of another script
    id_ = new_id()
    assert term_of(str(id_)).id == id_


@given(st.lists(st.tuples(st.sampled_from(Match), st.sampled_from(Found))))
def test_better_hits_come_first_and_equal_ones_stay_as_they_were(found: list[tuple[Match, Found]]) -> None:
    hits = [
        Hit(
            type=kind, match=match, id=new_id(), number=None, name=str(place), status=None, date=None, amount=None,
            currency=None, customer_id=None, price_id=None,
        )
        for place, (match, kind) in enumerate(found)
    ]  # fmt: skip
    ordered = in_order(hits)
    places = [(list(Match).index(one.match), list(Found).index(one.type), int(one.name or 0)) for one in ordered]
    assert places == sorted(places)
    assert {one.id for one in ordered} == {one.id for one in hits}
