"""Financial years: how long one may be, which days lack one, and what is opened for them. Pure."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.dates import add_months
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.periods import rules
from ledgerbee.ledger.periods.model import Span

TODAY = date(2026, 3, 16)
DAY = timedelta(days=1)
days = st.dates(date(1900, 1, 1), date(2040, 12, 31))
months = st.integers(min_value=1, max_value=18)


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@st.composite
def known_years(draw: st.DrawFn) -> list[Span]:
    """Years of any lengths, most of them right after each other."""
    start = add_months(date(1990, 1, 1), draw(st.integers(min_value=0, max_value=480)))
    years = []
    for _ in range(draw(st.integers(min_value=1, max_value=6))):
        after = add_months(start, draw(months))
        years.append(Span(start, after - DAY))
        start = add_months(after, draw(st.sampled_from([0, 0, 0, 1, 12, 40])))
    return years


@given(days, st.integers(min_value=-300, max_value=300))
def test_months_are_added_within_the_month(start: date, count: int) -> None:
    found = add_months(start, count)
    assert (found.year - start.year) * 12 + found.month - start.month == count
    assert found.day == start.day or (found.day < start.day and (found + DAY).day == 1)


@pytest.mark.parametrize(
    ("start", "end", "year"),
    [
        (None, None, ("2026-01-01", "2026-12-31")),
        ("2026-07-01", None, ("2026-07-01", "2027-06-30")),
        ("2024-02-01", None, ("2024-02-01", "2025-01-31")),
        ("2025-07-01", "2026-12-31", ("2025-07-01", "2026-12-31")),  # 18 months
        ("2025-07-01", "2025-12-31", ("2025-07-01", "2025-12-31")),  # 6 months
        (None, "2026-06-30", ("2026-01-01", "2026-06-30")),
        ("2027-03-01", None, ("2027-03-01", "2028-02-29")),
        ("1900-01-01", None, ("1900-01-01", "1900-12-31")),
    ],
)
def test_a_first_year_is_six_to_eighteen_whole_months(start: str, end: str, year: tuple[str, str]) -> None:
    assert rules.first_year(day(start), day(end), TODAY) == Span(*map(date.fromisoformat, year))


@pytest.mark.parametrize(
    ("start", "end", "name", "rule"),
    [
        ("2026-07-02", None, "fiscalYearStart", "isStartOfMonth"),
        ("2026-07-02", "2027-06-30", "fiscalYearStart", "isStartOfMonth"),
        ("2026-07-01", "2027-06-29", "fiscalYearEnd", "isEndOfMonth"),
        ("2026-07-01", "2026-11-30", "fiscalYearEnd", "isFiscalYear"),  # 5 months
        ("2026-07-01", "2028-01-31", "fiscalYearEnd", "isFiscalYear"),  # 19 months
        ("2026-07-01", "2026-06-30", "fiscalYearEnd", "isFiscalYear"),
        ("2026-07-01", "2025-12-31", "fiscalYearEnd", "isFiscalYear"),
        ("2027-04-01", None, "fiscalYearStart", "maxDate"),
    ],
)
def test_what_is_no_first_year(start: str, end: str, name: str, rule: str) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        rules.first_year(day(start), day(end), TODAY)
    (problem,) = refused.value.details["validationErrors"]
    assert (problem["property"], list(problem["constraints"])) == (name, [rule])


@pytest.mark.parametrize(
    ("start", "end", "year"),
    [
        (None, None, ("2027-01-01", "2027-12-31")),
        (None, "2027-03-31", ("2027-01-01", "2027-03-31")),  # the year is changed to April: three months
        (None, "2028-06-30", ("2027-01-01", "2028-06-30")),
        ("2027-01-01", None, ("2027-01-01", "2027-12-31")),
        (None, "2024-12-31", ("2024-01-01", "2024-12-31")),
        ("2023-07-01", "2024-12-31", ("2023-07-01", "2024-12-31")),
        ("2030-01-01", None, ("2030-01-01", "2030-12-31")),  # a gap is the database's to refuse
        ("2026-01-01", "2026-01-31", ("2026-01-01", "2026-01-31")),  # so is this
        ("2035-01-01", "2036-03-31", None),
        ("1899-12-01", "1900-12-31", None),
        ("2027-01-01", "2028-07-31", None),  # 19 months
        ("2027-01-01", "2027-01-30", None),
        ("2027-01-15", "2027-12-31", None),
        ("2027-01-01", "2026-12-31", None),
    ],
)
def test_another_year_is_whole_months_within_reason(start: str, end: str, year: tuple[str, str] | None) -> None:
    years = [Span(date(2025, 1, 1), date(2025, 12, 31)), Span(date(2026, 1, 1), date(2026, 12, 31))]
    if year is not None:
        assert rules.another_year(years, day(start), day(end), TODAY) == Span(*map(date.fromisoformat, year))
        return
    with pytest.raises(LedgerBeeError) as refused:
        rules.another_year(years, day(start), day(end), TODAY)
    (problem,) = refused.value.details["validationErrors"]
    assert problem["property"] in {"startDate", "endDate"}


@given(known_years(), st.lists(days, max_size=5))
def test_days_get_their_years_and_nothing_else(years: list[Span], wanted: list[date]) -> None:
    opened = rules.missing_years(years, wanted)
    now = sorted([*years, *opened])
    assert all(any(year.holds(one) for year in now) for one in wanted)
    assert all(earlier.end_date < later.start_date for earlier, later in pairwise(now)), "none overlaps"
    there = list(years)
    for year in opened:
        assert (year.start_date.day, (year.end_date + DAY).day) == (1, 1)
        assert year.end_date < add_months(year.start_date, 12)
        assert any(one.end_date + DAY == year.start_date or year.end_date + DAY == one.start_date for one in there), (
            "each in its turn touches one that is there"
        )
        there.append(year)
    assert _gaps(now) <= _gaps(years), "no new gap"
    short = [year for year in opened if year.end_date < add_months(year.start_date, 12) - DAY]
    assert len(short) <= _gaps(years), "twelve months, but where two lay apart by something else"
    if not opened:
        assert all(any(year.holds(one) for year in years) for one in wanted)
    else:
        assert any(opened[-1].holds(one) for one in wanted), "the last one was needed"


def _gaps(years: list[Span]) -> int:
    return sum(earlier.end_date + DAY < later.start_date for earlier, later in pairwise(years))


def test_another_year_is_within_the_days_of_books() -> None:
    rules.check_another(Span(date(2020, 1, 1), date(2020, 12, 31)), TODAY)
    with pytest.raises(LedgerBeeError) as refused:
        rules.check_another(Span(date(2020, 1, 2), date(2020, 12, 31)), TODAY)
    assert refused.value.details["validationErrors"][0]["property"] == "startDate"


def test_posting_opens_the_twelve_months_after_the_newest_year() -> None:
    short = Span(date(2025, 7, 1), date(2026, 2, 28))
    assert rules.year_after([short]) == Span(date(2026, 3, 1), date(2027, 2, 28))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("2025-06-30", False),
        ("2025-07-01", True),
        ("2026-02-28", True),
        ("2026-03-01", True),  # the year that posting opens
        ("2027-02-28", True),
        ("2027-03-01", False),
    ],
)
def test_the_days_that_posting_takes(asked: str, expected: bool) -> None:
    years = [Span(date(2025, 7, 1), date(2026, 2, 28))]
    assert rules.takes_entries(years, date.fromisoformat(asked), TODAY) is expected


def test_no_year_opens_by_itself_that_ends_more_than_ten_years_ahead() -> None:
    years = [Span(date(2025, 1, 1), date(2025, 12, 31))]
    assert rules.takes_entries(years, date(2026, 1, 1), date(2016, 12, 31))
    assert not rules.takes_entries(years, date(2026, 1, 1), date(2016, 12, 30))
