"""Whole minor units and exact fractions: what the model reckons with, shared with nothing that it checks."""

from decimal import Decimal
from fractions import Fraction

#: Decimals of the currencies that the simulation books in.
PLACES = {"DKK": 2, "EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}


def half_up(value: Fraction) -> int:
    """The nearest whole number, halves away from zero."""
    nearest = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return nearest if value >= 0 else -nearest


def units_of(amount: Decimal, currency: str) -> int | None:
    """An amount in minor units; None where it is finer than its currency."""
    scaled = Fraction(amount) * 10 ** PLACES[currency]
    return scaled.numerator if scaled.denominator == 1 else None


def text_of(units: int, currency: str) -> str:
    """Minor units as the wire writes them."""
    places = PLACES[currency]
    if not places:
        return str(units)
    digits = f"{abs(units):0{places + 1}d}"
    return f"{'-' if units < 0 else ''}{digits[:-places]}.{digits[-places:]}"
