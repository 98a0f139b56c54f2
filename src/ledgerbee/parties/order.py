"""The order of numbers that people give: digits count as numbers, so "K9" comes before "K10"."""

import re
from typing import Final

_DIGITS: Final = re.compile(r"([0-9]+)")


def natural_key(number: str) -> tuple[list[str | int], str]:
    """A sort key: runs of digits by value, the rest by letter without regard to case, then the text itself."""
    parts = _DIGITS.split(number)
    return [int(part) if index % 2 else part.casefold() for index, part in enumerate(parts)], number
