"""What Beancount books say, as far as it is about entries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Where(NamedTuple):
    """A place in the source: the file (empty: the one that was handed in) and the line."""

    file: str
    line: int


class Amount(NamedTuple):
    """A number of a currency; either may be left for the transaction to say."""

    number: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class CostSpec:
    """What stands in braces: the cost of one unit, of all, or both; currency, date and label of the lot."""

    per_unit: Decimal | None = None
    total: Decimal | None = None
    currency: str | None = None
    day: date | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """A line of a transaction. `units` None: what the other lines leave."""

    line: int
    account: str
    units: Amount | None
    cost: CostSpec | None = None
    price: Amount | None = None
    price_is_total: bool = False


@dataclass(slots=True)
class Transaction:
    """A transaction, as far as its lines have come."""

    where: Where
    date: date
    payee: str | None
    narration: str | None
    tags: tuple[str, ...]
    postings: list[Posting] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Open:
    """An account is opened; `booking` says how lots are chosen when it is reduced."""

    where: Where
    date: date
    account: str
    booking: str | None


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account with those below it must hold at the start of a day."""

    where: Where
    date: date
    account: str
    number: Decimal
    currency: str
    tolerance: Decimal | None


@dataclass(frozen=True, slots=True)
class Pad:
    """Whatever the account's next balances lack is taken from another account on this day."""

    where: Where
    date: date
    account: str
    source: str


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of a currency was worth on a day."""

    where: Where
    date: date
    currency: str
    amount: Decimal
    in_currency: str


Directive = Transaction | Open | Balance | Pad | Price


@dataclass(frozen=True, slots=True)
class Problem:
    """What can't be read, and where."""

    where: Where
    message: str


@dataclass(slots=True)
class Source:
    """Books as read. `skipped` counts what says nothing about entries, by kind."""

    directives: list[Directive] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def roots(self) -> Mapping[str, str]:
        """The five roots of account names by what the books call them."""
        return {self.options.get(f"name_{root.lower()}", [root])[-1]: root for root in ROOTS}


#: The kinds of account, in the order of the numbers that theirs get.
ROOTS: Sequence[str] = ("Assets", "Liabilities", "Equity", "Income", "Expenses")


class Cost(NamedTuple):
    """What one unit of a lot cost, and what else tells lots apart."""

    number: Decimal
    currency: str
    day: date
    label: str | None


@dataclass(frozen=True, slots=True)
class BookedPosting:
    """A line with everything said. `weight` is what it balances with, in `weight_currency`."""

    account: str
    units: Decimal
    currency: str
    cost: Cost | None
    weight: Decimal
    weight_currency: str


@dataclass(frozen=True, slots=True)
class Booked:
    """A transaction with everything said."""

    source: Transaction
    postings: Sequence[BookedPosting]
