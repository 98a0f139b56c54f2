"""From a booked transaction to journal entries, each in one currency at one rate. Pure.

What a posting stands with in our books is its units, or, of what is held at cost, its cost. A posting at a price stands
in one currency and is balanced in another: its units are balanced over the account of conversions in an entry of their
own, at the rate that makes them worth its weight, and its weight over the same account in the other currency, so that
this account is worth nothing in the company's. What a transaction is off by within its tolerance, once every amount is
rounded to its currency, goes to the account of rounding.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from ledgerbee.app.beancount.model import BooksRefusedError, Posting, Transaction
from ledgerbee.core.money import (
    EXACT,
    MAX_AMOUNT,
    ONE,
    ZERO,
    is_commodity,
    is_currency,
    multiply,
    round_money,
    round_to,
    total,
)
from ledgerbee.ledger.entries.model import MAX_LINES
from ledgerbee.ledger.entries.rules import RATE_PLACES

#: The rate of what is worth nothing: an hour, a share at no price. A rate is never zero.
_SMALLEST_RATE: Final = ONE.scaleb(-RATE_PLACES)
_LARGEST_RATE: Final = Decimal(10**9) - _SMALLEST_RATE

#: What one unit of a currency was worth in the company's on a day, as far as anybody says.
Rates = Mapping[tuple[str, date], Decimal]


class Line(NamedTuple):
    """A line of an entry: debit positive, never zero."""

    account: str
    amount: Decimal
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """An entry of a transaction. `rate` is 1 in the company's currency."""

    currency: str
    rate: Decimal
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Accounts:
    """The names of the two accounts that the translation itself books on."""

    conversions: str
    rounding: str


@dataclass(slots=True)
class _Work:
    transaction: Transaction
    base_currency: str
    days_rates: Rates
    #: By currency: those that share its rate.
    lines: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    #: The units at a price, with what is rounded of them.
    conversions: list[tuple[Posting, Decimal, Decimal]] = field(default_factory=list)


def translate(transaction: Transaction, base_currency: str, accounts: Accounts, days_rates: Rates) -> list[Part]:
    """The entries of a transaction; none if nothing in it has an amount.

    Raises `BooksRefusedError` for a currency that nobody says the value of, and for what no entry can hold.
    """
    work = _Work(transaction, base_currency, days_rates)
    off: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for posting in transaction.postings:
        amount = _rounded(work, posting.number, posting.currency)
        weight = _rounded(work, posting.weight, posting.weight_currency)
        off[posting.weight_currency] += weight
        if is_conversion(posting):
            work.conversions.append((posting, amount, weight))
            # Units too few to be kept have no entry, so nothing would be left of them on the account of conversions.
            counter = accounts.conversions if amount else accounts.rounding
            work.lines[posting.weight_currency].append(Line(counter, weight))
        else:
            work.lines[posting.weight_currency].append(Line(posting.account, weight, posting.lot))
    for currency, number in off.items():
        work.lines[currency].append(Line(accounts.rounding, -number))
    rates = {currency: _rate(work, currency) for currency in work.lines}
    parts = [Part(currency, rates[currency], lines) for currency, lines in work.lines.items()]
    for posting, amount, weight in work.conversions:
        rate = _rate_of_conversion(work, posting, amount, multiply(weight, rates[posting.weight_currency]))
        lines = [Line(posting.account, amount), Line(accounts.conversions, -amount)]
        parts.append(Part(posting.currency, rate, lines))
    return [part for part in (_checked(work, part) for part in parts) if part.lines]


def is_conversion(posting: Posting) -> bool:
    """Whether a posting is balanced in something else than it stands in: it has a price and no cost."""
    same = (posting.number, posting.currency) == (posting.weight, posting.weight_currency)
    return posting.lot is None and not same


def needed_rates(transaction: Transaction, base_currency: str) -> set[tuple[str, date]]:
    """The currencies of a transaction whose rate of the day it may need."""
    currencies = {posting.weight_currency for posting in transaction.postings if posting.rate is None}
    return {(currency, transaction.date) for currency in currencies - {base_currency} if is_currency(currency)}


def _rounded(work: _Work, number: Decimal, currency: str) -> Decimal:
    if not (is_currency(currency) or is_commodity(currency)):
        raise BooksRefusedError(f"{work.transaction.place}: no amount can be kept in {currency}.")
    return round_money(number, currency)


def _rate(work: _Work, currency: str) -> Decimal:
    """What a unit is worth: as the transaction's prices in base currency say, else the books', else the day's rate."""
    if currency == work.base_currency:
        return ONE
    units = value = ZERO
    for posting, amount, weight in work.conversions:
        if (posting.currency, posting.weight_currency) == (work.base_currency, currency):
            units, value = units + abs(weight), value + abs(amount)
        elif (posting.currency, posting.weight_currency) == (currency, work.base_currency):
            units, value = units + abs(amount), value + abs(weight)
    if units and value:
        return _kept(EXACT.divide(value, units))
    if not is_currency(currency):
        return _SMALLEST_RATE
    rate = next((posting.rate for posting in work.transaction.postings if posting.weight_currency == currency), None)
    rate = rate or work.days_rates.get((currency, work.transaction.date))
    if rate is None:
        day = work.transaction.date
        raise BooksRefusedError(
            f"{work.transaction.place}: nobody says what {currency} was worth in {work.base_currency} on {day}; "
            f"the books can, with a price directive."
        )
    return _kept(rate)


def _rate_of_conversion(work: _Work, posting: Posting, amount: Decimal, value: Decimal) -> Decimal:
    """The rate at which `amount` is worth `value`: the price itself where it does, else what the rounding asks for."""
    if posting.currency == work.base_currency or not amount:
        return ONE
    value = abs(round_money(value, work.base_currency))
    price = EXACT.divide(posting.weight, posting.number)
    if posting.weight_currency == work.base_currency and price > 0:
        rate = _kept(price)
        if round_money(multiply(abs(amount), rate), work.base_currency) == value:
            return rate
    return _kept(EXACT.divide(value, abs(amount)))


def _kept(rate: Decimal) -> Decimal:
    return min(max(round_to(rate, RATE_PLACES), _SMALLEST_RATE), _LARGEST_RATE)


def _checked(work: _Work, part: Part) -> Part:
    """The part without lines of nothing. Raises `BooksRefusedError` where one would be refused without the others."""
    lines = [line for line in part.lines if line.amount]
    debit = total([line.amount for line in lines if line.amount > 0])
    if max(debit, multiply(debit, part.rate)) > MAX_AMOUNT or len(lines) > MAX_LINES:
        raise BooksRefusedError(f"{work.transaction.place}: the transaction is larger than an entry can be.")
    return Part(part.currency, part.rate, lines)
