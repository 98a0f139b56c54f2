"""Pure rules of exchange rates."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from ledgerbee.core.dates import day_in
from ledgerbee.core.errors import invalid
from ledgerbee.core.money import EXACT, multiply, round_to
from ledgerbee.tenancy.rates.model import Added, RatePair

#: The currency every published rate is quoted against.
PIVOT: Final = "EUR"
#: Decimals of a rate between two currencies: enough for the smallest (1 IDR = 0.000049... EUR) to keep eight
#: significant digits, and what the postings store.
RATE_PLACES: Final = 12
#: Days a published rate stays good. The longest gap in the reference rates (Easter, Christmas) is five days.
CARRY_FORWARD_DAYS: Final = 10


def cross_rate(from_per_eur: Decimal, to_per_eur: Decimal) -> Decimal:
    """Units of the second currency that one unit of the first buys, at 12 decimals.

    Both arguments are units of the currency per one euro (DKK 7.47), as the European Central Bank quotes
    them; the euro itself is 1. Raises `ValueError` for a rate that is not positive.
    """
    if from_per_eur <= 0 or to_per_eur <= 0:
        raise ValueError("a rate per euro is positive")
    return round_to(EXACT.divide(to_per_eur, from_per_eur), RATE_PLACES)


def convert(amount: Decimal, conversion: RatePair) -> Decimal:
    """`amount` of the source currency in the target currency, through the base: divided exactly, for one rounding."""
    return EXACT.divide(multiply(amount, conversion.source), conversion.target)


def check_foreign(currency: str, base_currency: str) -> None:
    """Raises a validation error for the base currency."""
    if currency == base_currency:
        raise invalid(("currency", "isForeign", "currency must be another one than the company's base currency"))


#: Where the bank's days begin and end.
_FRANKFURT: Final = "Europe/Berlin"
#: Rates of a working day are out around 16:00.
_OUT_AFTER: Final = timedelta(hours=16, minutes=5)
#: Currencies that may be missing on a day after another: the euro replaced two at once, never more.
_MOST_MISSING: Final = 3
#: Days by which the newest rate may lag behind. The bank's own longest pause (Easter, Christmas) is five.
MOST_AGE_DAYS: Final = 5


def published_by(now: datetime) -> date:
    """The newest day whose rates should be out: a weekday, as the bank's six holidays a year are not known here."""
    day = day_in(now - _OUT_AFTER, _FRANKFURT)
    return day - timedelta(days=max(0, day.weekday() - 4))


def age(newest: date, now: datetime) -> int:
    """The days since the newest published rate."""
    return (day_in(now, _FRANKFURT) - newest).days


def new_days(published: Mapping[date, Collection[str]], stored: Mapping[date, Collection[str]]) -> Added:
    """Which of the published days, each with its currencies, are to be added to those that are stored.

    A day that is stored stays as it is, whatever is published later. A day that lacks more than three currencies of the
    one before it is not whole: it is left for another time, or it would stay without them.
    """
    added: list[date] = []
    partial: list[date] = []
    before: tuple[date, set[str]] | None = None
    for day in sorted(published.keys() | stored.keys()):
        currencies = set(stored.get(day) or published[day])
        if day not in stored:
            recent = before is not None and (day - before[0]).days <= CARRY_FORWARD_DAYS
            if not currencies or (before and recent and len(before[1] - currencies) > _MOST_MISSING):
                partial.append(day)
                continue
            added.append(day)
        before = (day, currencies)
    return Added(tuple(added), tuple(partial))
