"""Pure rules of financial years: how long one is, and which of them days need."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from ledgerbee.core.dates import add_months, first_of_month
from ledgerbee.core.errors import check_all, invalid
from ledgerbee.ledger.periods.model import Span

#: A financial year has twelve months (årsregnskabsloven § 15, stk. 1).
USUAL_MONTHS: Final = 12
#: The shortest first year. The law has no least length.
LEAST_FIRST_MONTHS: Final = 6
#: The longest first year (§ 15, stk. 2), and the longest in which the financial year is changed (stk. 3, for a few
#: reasons; else twelve months, and as short as it takes).
MOST_MONTHS: Final = 18
#: No year is opened that begins before this day, or that ends more than so many months ahead: mistyped, most likely.
FIRST_DAY: Final = date(1900, 1, 1)
MOST_MONTHS_AHEAD: Final = 120

_DAY: Final = timedelta(days=1)


def first_year(start: date | None, end: date | None, today: date) -> Span:
    """A company's first financial year: 6 to 18 whole months, the calendar year of today unless days are given.

    `start` is no more than a year ahead. Raises validation errors on `fiscalYearStart` and `fiscalYearEnd`.
    """
    start = start or today.replace(month=1, day=1)
    year = Span(start, end or _months_from(start))
    check_all(
        lambda: _check(year, LEAST_FIRST_MONTHS, ("fiscalYearStart", "fiscalYearEnd"), ends=end is not None),
        lambda: _check_first_start(year.start_date, today),
    )
    return year


def _check_first_start(start: date, today: date) -> None:
    if start > add_months(today, 12):
        raise invalid(("fiscalYearStart", "maxDate", "fiscalYearStart must not be more than a year ahead"))


def year_after(years: Sequence[Span]) -> Span:
    """The twelve months after the newest of the years: the one year that posting opens by itself."""
    start = years[-1].end_date + _DAY
    return Span(start, _months_from(start))


def takes_entries(years: Sequence[Span], day: date, today: date) -> bool:
    """Whether posting takes an entry of a day: a year holds it, or the one does that posting opens by itself."""
    opened = year_after(years)
    opens = opened.holds(day) and opened.end_date <= add_months(today, MOST_MONTHS_AHEAD)
    return opens or any(year.holds(day) for year in years)


def another_year(years: Sequence[Span], start: date | None, end: date | None, today: date) -> Span:
    """The financial year to open beside those that there are: twelve months after the newest unless days are given.

    Without `start`, a year that ends before the newest does has twelve months too. Whether it overlaps others or leaves
    a gap is the database's to say. Raises validation errors on `startDate` and `endDate`.
    """
    newest_end = years[-1].end_date
    if start is None and end is not None and end <= newest_end:
        start = add_months(first_of_month(end), 1 - USUAL_MONTHS)
    start = start or newest_end + _DAY
    year = Span(start, end or _months_from(start))
    check_another(year, today, ends=end is not None)
    return year


def check_another(year: Span, today: date, *, ends: bool = True) -> None:
    """Refuse days that no financial year beside others has; `ends` says that its end was asked for.

    Raises validation errors on `startDate` and `endDate`.
    """
    check_all(lambda: _check(year, 1, ("startDate", "endDate"), ends=ends), lambda: _check_not_far(year, today))


def _check_not_far(year: Span, today: date) -> None:
    problems = []
    if year.start_date < FIRST_DAY:
        problems.append(("startDate", "minDate", f"startDate must not be before {FIRST_DAY}"))
    if year.end_date > add_months(today, MOST_MONTHS_AHEAD):
        problems.append(("endDate", "maxDate", "endDate must not be more than ten years ahead"))
    if problems:
        raise invalid(*problems)


def missing_years(years: Sequence[Span], days: Iterable[date]) -> list[Span]:
    """The years of twelve months to open, one after the other, for all days to have one, without new gaps.

    Forwards from the newest of `years`, else backwards from the next one; between two that lie apart the last may be
    shorter.
    """
    known = list(years)
    opened: list[Span] = []
    for day in sorted(set(days)):
        while not any(year.holds(day) for year in known):
            earlier = max((year.end_date for year in known if year.end_date < day), default=date.min)
            later = min((year.start_date for year in known if year.start_date > day), default=None)
            if later is None:
                year = Span(earlier + _DAY, _months_from(earlier + _DAY))
            else:
                year = Span(max(earlier + _DAY, add_months(later, -USUAL_MONTHS)), later - _DAY)
            known.append(year)
            opened.append(year)
    return opened


def _months_from(start: date) -> date:
    """The last day of the twelve months from `start` on."""
    return add_months(start, USUAL_MONTHS) - _DAY


def _check(year: Span, least_months: int, names: tuple[str, str], *, ends: bool) -> None:
    """Raises validation errors unless the year is whole months, so many of them.

    `ends` says that its end was asked for: else it follows from the start, and so does what is wrong with it.
    """
    start, after = year.start_date, year.end_date + _DAY
    problems = []
    if start.day != 1:
        problems.append((names[0], "isStartOfMonth", f"{names[0]} must be the first day of a month"))
    if after.day != 1 and (ends or not problems):
        problems.append((names[1], "isEndOfMonth", f"{names[1]} must be the last day of a month"))
    if problems:
        raise invalid(*problems)
    months = (after.year - start.year) * 12 + after.month - start.month
    if not least_months <= months <= MOST_MONTHS:
        text = f"{names[1]} must be {least_months} to {MOST_MONTHS} months after {names[0]}, it is {months}"
        raise invalid((names[1], "isFiscalYear", text))
