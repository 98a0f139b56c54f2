"""Numbers as people and programs write them: `1.250,00`, `1,250.00`, `1 250,00`, `12,50-`, `(12,50)`. Pure.

A text can be a number in two ways: `12.500` is 12500 where the comma is the decimal mark, and 12.5 where the point is.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

#: Thousands marks beside the point and the comma: a space (plain, no-break, thin, narrow no-break) and apostrophes.
_SPACES: Final = " '\u00a0\u2009\u2019\u202f"
_MINUS: Final = "-\u2212"


class Readings(NamedTuple):
    """A number in JSON's form as it reads where the decimal mark is a comma, and where it is a point.

    None where it is no number so. Equal where its decimal mark makes no difference.
    """

    comma: str | None
    point: str | None

    @property
    def is_ambiguous(self) -> bool:
        """Whether it is a number either way, and not the same one: three digits stand behind its one mark."""
        return self.comma is not None and self.point is not None and self.comma != self.point

    def with_mark(self, decimal_mark: str) -> str | None:
        """The number where `decimal_mark` is the decimal mark, None if it is none there."""
        return self.comma if decimal_mark == "," else self.point


def _number(decimal_mark: str, thousands_mark: str) -> re.Pattern[str]:
    """Digits, in groups of three or not at all, and decimals; one kind of mark between the groups."""
    groups = rf"[1-9][0-9]{{0,2}}(?P<mark>[{thousands_mark}{_SPACES}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*"
    mark = re.escape(decimal_mark)
    return re.compile(rf"(?P<whole>{groups}|[0-9]+|(?={mark}))(?:{mark}(?P<decimals>[0-9]+))?")


_COMMA: Final = _number(",", ".")
_POINT: Final = _number(".", ",")
_NOT_DIGITS: Final = re.compile(r"[^0-9]")


@lru_cache(maxsize=4096)  # the same few amounts stand on both sides of entries
def read_number(text: str) -> Readings:
    """How a text reads as a number: a minus may stand before or behind it, or parentheses around it."""
    is_negative, digits = _without_sign(text)
    sign = "-" if is_negative else ""
    if digits.isdecimal() and digits.isascii():
        return Readings(sign + digits, sign + digits)
    return Readings(_in_json(_COMMA, sign, digits), _in_json(_POINT, sign, digits))


def _in_json(pattern: re.Pattern[str], sign: str, text: str) -> str | None:
    found = pattern.fullmatch(text)
    if found is None:
        return None
    whole = _NOT_DIGITS.sub("", found["whole"]) or "0"
    return f"{sign}{whole}.{found['decimals']}" if found["decimals"] else sign + whole


def _without_sign(text: str) -> tuple[bool, str]:
    if text[:1] == "(" and text[-1:] == ")":
        return True, text[1:-1].strip()
    if text[:1] and text[0] in _MINUS:
        return True, text[1:].lstrip()
    if text[-1:] and text[-1] in _MINUS:
        return True, text[:-1].rstrip()
    return False, text[1:].lstrip() if text[:1] == "+" else text
