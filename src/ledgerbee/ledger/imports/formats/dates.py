"""Dates as people and programs write them: `2026-11-05`, `05-11-2026`, `5.11.2026`, `11/05/2026`. Pure."""

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

#: What a date format can be: day, month and year in one of three orders, with a mark between them or none.
DATE_FORMAT: Final = "|".join(
    rf"(?:DD{mark}MM|MM{mark}DD){mark}(?:YY)?YY|(?:YY)?YY{mark}MM{mark}DD" for mark in ("-", r"\.", "/", "")
)
#: Formats by the order of day and month alone, with whatever mark: what a file settles by itself.
DAY_FIRST: Final = "DAY_FIRST"
MONTH_FIRST: Final = "MONTH_FIRST"

_YEAR_FIRST: Final = re.compile(r"([0-9]{4})([-./])([0-9]{1,2})\2([0-9]{1,2})")
_YEAR_LAST: Final = re.compile(r"([0-9]{1,2})([-./])([0-9]{1,2})\2([0-9]{4})")


class DateReadings(NamedTuple):
    """A date in ISO's form as it reads with the day first, and with the month first; None where it is none so.

    A date that begins with its year reads the same both ways.
    """

    day_first: str | None
    month_first: str | None


@lru_cache(maxsize=4096)
def read_date(text: str) -> DateReadings:
    """How a text reads as a date with a year of four digits."""
    if found := _YEAR_FIRST.fullmatch(text):
        day = _iso(found[1], found[3], found[4])
        return DateReadings(day, day)
    if found := _YEAR_LAST.fullmatch(text):
        return DateReadings(_iso(found[4], found[3], found[1]), _iso(found[4], found[1], found[3]))
    return DateReadings(None, None)


@lru_cache(maxsize=4096)
def read_date_as(text: str, date_format: str) -> str | None:
    """A date in ISO's form, None if it isn't written in the format (`DATE_FORMAT`, or one of the two orders).

    A year of two digits is one of this century.
    """
    if date_format == DAY_FIRST:
        return read_date(text).day_first
    if date_format == MONTH_FIRST:
        return read_date(text).month_first
    found = _pattern(date_format).fullmatch(text)
    if found is None:
        return None
    year = found["year"]
    return _iso(year if len(year) == 4 else f"20{year}", found["month"], found["day"])


@lru_cache
def _pattern(date_format: str) -> re.Pattern[str]:
    has_marks = not date_format.isalpha()
    digits = "[0-9]{1,2}" if has_marks else "[0-9]{2}"
    pattern = re.escape(date_format).replace("DD", f"(?P<day>{digits})").replace("MM", f"(?P<month>{digits})")
    if "YYYY" in pattern:
        return re.compile(pattern.replace("YYYY", "(?P<year>[0-9]{4})"))
    return re.compile(pattern.replace("YY", "(?P<year>[0-9]{2})"))


def _iso(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
