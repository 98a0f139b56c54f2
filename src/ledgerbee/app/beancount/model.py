"""Beancount books as its tools print them: booked, with every amount filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

#: The kinds of account, in the order of the numbers that theirs get.
KINDS: Final[Sequence[str]] = ("Assets", "Liabilities", "Equity", "Income", "Expenses")


class BooksRefusedError(Exception):
    """Books that are not imported, and why; nothing was made."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A line of a transaction: `number` units of `currency`, which balance as `weight` of `weight_currency`.

    `lot` has units and cost of what is held at cost, None for the rest. `rate` is what the books' own prices say of
    one unit of `weight_currency` in the company's currency on the day.
    """

    account: str
    number: Decimal
    currency: str
    weight: Decimal
    weight_currency: str
    lot: str | None = None
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A booked transaction. `place` is its file and line; links stand among `tags`, with `^` before the name."""

    place: str
    date: date
    description: str
    tags: Sequence[str]
    postings: Sequence[Posting]


@dataclass(frozen=True, slots=True)
class Books:
    """Whole books. `names` gives what they call each of `KINDS`, `content_hash` is that of their bookings."""

    transactions: Sequence[Transaction]
    names: Mapping[str, str]
    operating_currencies: Sequence[str]
    content_hash: bytes
