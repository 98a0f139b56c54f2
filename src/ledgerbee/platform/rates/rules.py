"""Pure rules of exchange rates."""

from decimal import Decimal
from typing import Final

from ledgerbee.core.money import EXACT, multiply, round_to
from ledgerbee.platform.rates.model import Conversion

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


def convert(amount: Decimal, conversion: Conversion) -> Decimal:
    """`amount` of the source currency in the target currency, through the base: divided exactly, for one rounding."""
    return EXACT.divide(multiply(amount, conversion.source), conversion.target)
