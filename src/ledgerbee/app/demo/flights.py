"""The flights of an airline's month, as they were published; and what they come to, by plain sums.

Nothing of what meters or bills is used here: the sums are whole numbers, made straight from the file.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ledgerbee.app.demo.published import text_of_example

FILE: Final = "flights-of-a-month.csv"
#: Who flew them, by the data set's list of airlines.
CARRIER: Final = "American Airlines Inc."
#: Where they took off: their days and times are those of this zone.
TIME_ZONE: Final = "America/New_York"
#: What the data set has where a flight did not arrive.
_NOT_FLOWN: Final = "NA"

#: The month that is billed, and the day after it, of which the file has flights too.
FIRST_DAY: Final = date(2013, 1, 1)
NEXT_MONTH: Final = date(2013, 2, 1)

#: For the month; and for each minute in the air: up to so many, in hundredths of a cent.
FEE_CENTS: Final = 1_250_00
TIERS: Final = ((100_000, 420), (300_000, 275), (None, 155))


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight that arrived. `key` is its identity, `departs_at` when it was to take off, `minutes` are in the air."""

    key: str
    departs_at: datetime
    minutes: int

    @property
    def day(self) -> date:
        """Its day where it took off."""
        return self.departs_at.date()


@dataclass(frozen=True, slots=True)
class Expected:
    """What the month comes to. `metered_cents` are for the minutes alone, VAT excluded."""

    flights: int
    minutes: int
    metered_cents: int

    @property
    def net_cents(self) -> int:
        """With the fee of the month."""
        return self.metered_cents + FEE_CENTS


def flights() -> list[Flight]:
    """The flights that arrived, of the file that ships with the package or lies in its checkout."""
    return list(_flown(csv.DictReader(text_of_example(FILE).splitlines())))


def expected(flown: Iterable[Flight]) -> Expected:
    """What the month's flights come to: each tier has its own minutes, and only their sum is rounded, half up."""
    month = [flight.minutes for flight in flown if FIRST_DAY <= flight.day < NEXT_MONTH]
    left, below, hundredths = sum(month), 0, 0
    for up_to, rate in TIERS:
        taken = left if up_to is None else min(left, up_to - below)
        hundredths += taken * rate
        left -= taken
        below = up_to or below
    return Expected(len(month), sum(month), (hundredths + 50) // 100)


def in_units(small: int, places: int) -> str:
    """Cents, or hundredths of them, as dollars."""
    whole, rest = divmod(small, 10**places)
    return f"{whole}.{rest:0{places}}"


def _flown(rows: Iterable[dict[str, Any]]) -> Iterator[Flight]:
    zone = ZoneInfo(TIME_ZONE)
    for row in rows:
        if row["air_time"] == _NOT_FLOWN:
            continue
        hour, minute = divmod(int(row["sched_dep_time"]), 100)
        departs_at = datetime.fromisoformat(row["day"]).replace(hour=hour, minute=minute, tzinfo=zone)
        yield Flight(f"AA-{row['flight']}-{row['origin']}-{row['day']}", departs_at, int(row["air_time"]))
