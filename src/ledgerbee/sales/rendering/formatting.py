"""Numbers and dates as Danish and English readers expect them. Pure string work on exact decimals.

Written here because a locale library costs about as much per document as setting its page does.
"""

from datetime import date
from decimal import Decimal
from typing import Final

from ledgerbee.core.money import UNIT_PRICE_PLACES, minor_units, round_to
from ledgerbee.sales.rendering.model import Language

NBSP: Final = "\u00a0"
MINUS: Final = "−"

_MONTHS: Final[dict[Language, tuple[str, ...]]] = {
    "da": (
        "januar", "februar", "marts", "april", "maj", "juni",
        "juli", "august", "september", "oktober", "november", "december",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip
_SHORT_MONTHS: Final[dict[Language, tuple[str, ...]]] = {
    "da": ("jan.", "feb.", "mar.", "apr.", "maj", "jun.", "jul.", "aug.", "sep.", "okt.", "nov.", "dec."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_DANISH_MARKS: Final = str.maketrans(",.", ".,")


def format_month(day: date, language: Language) -> str:
    """The month of a day: marts 2026, March 2026."""
    return f"{_MONTHS[language][day.month - 1]} {day.year}"


def format_number(value: Decimal, language: Language, least_places: int = 0, most_places: int = 6) -> str:
    """`value` with grouped thousands: 1.234,50 in Danish, 1,234.50 in English.

    Shows the decimals it has, at least `least_places` and at most `most_places` (rounded half away from zero).
    """
    if not value.is_finite():
        raise ValueError(f"{value} can't be printed as a number")
    whole, _, decimals = f"{abs(round_to(value, most_places)):,f}".partition(".")
    decimals = decimals.rstrip("0").ljust(least_places, "0")
    text = f"{whole}.{decimals}" if decimals else whole
    negative = value < 0 and any(digit in "123456789" for digit in text)
    text = text.translate(_DANISH_MARKS) if language == "da" else text
    return f"{MINUS}{text}" if negative else text


def format_money(amount: Decimal, currency: str, language: Language) -> str:
    """`amount` at the minor units of `currency`, without the currency's code (1.234,50; JPY 1.235)."""
    places = minor_units(currency)
    return format_number(amount, language, places, places)


def format_unit_price(price: Decimal, currency: str, language: Language) -> str:
    """`price` at the minor units of `currency`, or finer where the price is (0,0125)."""
    return format_number(price, language, minor_units(currency), UNIT_PRICE_PLACES)


def format_percent(percent: Decimal, language: Language) -> str:
    """25 % in Danish, 25% in English."""
    return format_number(percent, language) + (f"{NBSP}%" if language == "da" else "%")


def format_date(day: date, language: Language) -> str:
    """22. november 2026 in Danish, 22 November 2026 in English."""
    dot = "." if language == "da" else ""
    return f"{day.day}{dot}{NBSP}{_MONTHS[language][day.month - 1]}{NBSP}{day.year}"


def format_short_date(day: date, language: Language) -> str:
    """1. mar. 2026 in Danish, 1 Mar 2026 in English."""
    dot = "." if language == "da" else ""
    return f"{day.day}{dot}{NBSP}{_SHORT_MONTHS[language][day.month - 1]}{NBSP}{day.year}"


def format_iban(iban: str) -> str:
    """An IBAN in groups of four, as ISO 13616 has it printed: DK50 0040 0440 1162 43."""
    compact = "".join(iban.split())
    return " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))
