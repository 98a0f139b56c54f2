"""Days and moments. Days are `date`, moments are aware UTC `datetime`, periods are half-open.

The clock is read once per command, at the edge; everything below takes time as an argument.
"""

from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


def day_in(moment: datetime, time_zone: str) -> date:
    """The calendar day of `moment` in an IANA time zone (a company's "today")."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def moved(moment: datetime, days: int, time_zone: str) -> datetime:
    """`moment` so many calendar days later in an IANA time zone, at the same time of the day; aware UTC."""
    if not days:
        return moment
    return (moment.astimezone(ZoneInfo(time_zone)) + timedelta(days=days)).astimezone(UTC)


@lru_cache(maxsize=1024)
def format_moment(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`, the form of every timestamp on the wire."""
    # What is written together is of the same moment. isoformat takes a tenth of strftime's time; the offset of UTC is
    # always its last six characters.
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


@lru_cache(maxsize=1024)
def iso_day(day: date) -> str:
    """`day` as 2026-03-16. Books write the same few days over and over."""
    return day.isoformat()


def first_of_month(day: date) -> date:
    """The first day of the month that holds `day`."""
    return day.replace(day=1)


def last_of_month(day: date) -> date:
    """The last day of the month that holds `day`."""
    return add_months(first_of_month(day), 1) - timedelta(days=1)


def add_months(day: date, months: int) -> date:
    """The same day that many months later (or earlier), or the last day of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
