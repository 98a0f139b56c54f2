"""Boundaries of periods, each computed from the anchor and never from the one before it. Pure."""

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

from ledgerbee.billing.timelines.model import Cadence, Grid, Span
from ledgerbee.catalog.prices.model import DAYS_OF_INTERVAL, MONTHS_OF_INTERVAL


def boundary(grid: Grid, index: int) -> date:
    """The first day of period number `index`; number 0 starts on the anchor, earlier ones are negative.

    A month that is too short for the anchor's day starts its period on its last day: 31 January, 28 February, 31 March.
    """
    interval, count = grid.cadence.interval, grid.cadence.count
    if interval in DAYS_OF_INTERVAL:
        return grid.anchor + timedelta(days=index * count * DAYS_OF_INTERVAL[interval])
    months = grid.anchor.year * 12 + grid.anchor.month - 1 + index * count * MONTHS_OF_INTERVAL[interval]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(grid.anchor_day, monthrange(year, month + 1)[1]))


def index_at(grid: Grid, day: date) -> int:
    """The number of the period that holds `day`."""
    interval, count = grid.cadence.interval, grid.cadence.count
    if interval in DAYS_OF_INTERVAL:
        return (day - grid.anchor).days // (count * DAYS_OF_INTERVAL[interval])
    months = (day.year - grid.anchor.year) * 12 + day.month - grid.anchor.month
    index = months // (count * MONTHS_OF_INTERVAL[interval])
    return index if boundary(grid, index) <= day else index - 1


@lru_cache(maxsize=4096)
def period_at(grid: Grid, day: date) -> Span:
    """The whole period that holds `day`. A run asks for the same few over and over."""
    index = index_at(grid, day)
    return Span(boundary(grid, index), boundary(grid, index + 1))


def next_boundary(grid: Grid, day: date) -> date:
    """The first boundary after `day`."""
    return period_at(grid, day).end


def moved_to(grid: Grid, cadence: Cadence, start: date) -> Grid:
    """Another cadence that counts its periods from `start`, a boundary of `grid`, on the anchor's day of the month.

    The boundary on 28 February of an anchor on the 31st ends a quarter later on 31 May. Days and weeks have no day of
    the month: what follows them in months takes that of `start`.
    """
    keeps_day = grid.cadence.interval in MONTHS_OF_INTERVAL and cadence.interval in MONTHS_OF_INTERVAL
    return Grid(cadence, start, grid.anchor_day if keeps_day else start.day)
