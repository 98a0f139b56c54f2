"""The rate of a currency on a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias

from ledgerbee.core.errors import ErrorCode

ECB: Final = "ECB"
#: The company's own rate for exactly that day.
COMPANY: Final = "COMPANY"
#: The source of a rate nobody has to publish: a currency in itself.
SAME_CURRENCY: Final = "SAME_CURRENCY"


#: Published rates: by day, and by currency its units for one euro.
Published: TypeAlias = Mapping[date, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Rate:
    """Base units per one unit of the foreign currency, the day it was published, and by whom."""

    value: Decimal
    day: date
    source: str


@dataclass(frozen=True, slots=True)
class RatePair:
    """The two rates of a day that lead from one currency to another: base units for one unit of each.

    Both rates, not their quotient: what is converted with them is booked back at `target` without a loss between.
    """

    source: Decimal
    target: Decimal


@dataclass(frozen=True, slots=True)
class Added:
    """What came of a document of published rates: the days that were added, and those that are not whole (yet)."""

    days: tuple[date, ...]
    partial: tuple[date, ...]


EXCHANGE_RATE_MISSING = ErrorCode("EXCHANGE_RATE_MISSING", 400, "There is no exchange rate for this currency and date")
