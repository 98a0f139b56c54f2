"""Financial years as their documents describe them: which days have one, and how more are opened."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.sim.entering import INVALID, RefusedError

Year = tuple[str, str]


@dataclass
class Years:
    """A company's years, their first and last days, by start: right after each other."""

    known: list[Year]

    @property
    def first_day(self) -> str:
        return self.known[0][0]

    @property
    def last_day(self) -> str:
        return self.known[-1][1]

    def of(self, day: str) -> Year | None:
        """The year that holds a day."""
        return next((year for year in self.known if year[0] <= day <= year[1]), None)

    def for_posting(self, day: str, today: date) -> Year | None:
        """The year that an entry of the day is posted in: the one after the newest is opened for it."""
        start = after(self.last_day)
        following = start, before(months_later(start, 12))
        opens = following[0] <= day <= following[1] <= ten_years_on(today)
        return self.of(day) or (following if opens else None)

    def start_around(self, day: str) -> str:
        """The first day of the year that holds a day; else in steps of twelve months from those that are."""
        if (year := self.of(day)) is not None:
            return year[0]
        start = after(self.last_day) if day > self.last_day else self.first_day
        while start > day:
            start = months_later(start, -12)
        while months_later(start, 12) <= day:
            start = months_later(start, 12)
        return start

    def asked_for(self, body: dict[str, Any], today: date) -> Year:
        """The year that a request opens. Raises `RefusedError`."""
        start: str | None = body.get("startDate")
        end: str = body.get("endDate", "")
        if start is None:
            is_next = not end or end > self.last_day
            start = after(self.last_day) if is_next else months_later(f"{end[:8]}01", -11)
        end = end or before(months_later(start, 12))
        if start[8:] != "01" or start < "1900-01-01":
            raise RefusedError(400, INVALID, "startDate")
        if after(end)[8:] != "01" or not start < end < months_later(start, 18) or end > ten_years_on(today):
            raise RefusedError(400, INVALID, "endDate")
        if start <= self.last_day and end >= self.first_day:
            raise RefusedError(409, "FISCAL_YEAR_OVERLAPS")
        if after(end) != self.first_day and start != after(self.last_day):
            raise RefusedError(409, "FISCAL_YEAR_NOT_ADJACENT")
        return start, end

    def add(self, year: Year) -> None:
        """The year is there from now on."""
        self.known = sorted({*self.known, year})


def after(day: str) -> str:
    """The next day."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def before(day: str) -> str:
    """The day before."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def months_later(start: str, count: int) -> str:
    """The first of a month, so many months after another one."""
    year, month = divmod(int(start[:4]) * 12 + int(start[5:7]) - 1 + count, 12)
    return f"{year:04}-{month + 1:02}-{start[8:]}"


def ten_years_on(today: date) -> str:
    """The last day on which a year may end."""
    return date(today.year + 10, today.month, min(today.day, 28)).isoformat()
