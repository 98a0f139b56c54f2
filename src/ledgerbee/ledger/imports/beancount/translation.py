"""From a booked transaction to journal entries, one a currency. Pure.

What a posting stands with in our books is its units, or, of what is held at cost, its cost. A posting at a price stands
in one currency and is balanced in another: it is balanced over the account of conversions in both, for the same value
in base currency, so that this account is worth nothing. What a transaction is off by within its tolerance, once every
amount is rounded to its currency, goes to the account of rounding.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from ledgerbee.core.money import EXACT, ONE, ZERO, format_decimal, is_currency, round_money, round_to
from ledgerbee.ledger.entries.rules import RATE_PLACES
from ledgerbee.ledger.imports.beancount.model import Booked, BookedPosting

_SMALLEST_RATE: Final = Decimal(1).scaleb(-RATE_PLACES)
_LARGEST_RATE: Final = Decimal(10) ** 11

#: The value in base currency of one unit of a currency on a day; None when nobody says.
RateOf = Callable[[str, date], Decimal | None]


class Line(NamedTuple):
    """A line of an entry: signed amounts, debit positive, in the entry's and in base currency."""

    account: str
    amount: Decimal
    base_amount: Decimal
    description: str | None


@dataclass(frozen=True, slots=True)
class Translated:
    """The part of a transaction that is in one currency."""

    currency: str
    rate: Decimal
    lines: Sequence[Line]


class NoRateError(Exception):
    """Nobody says what a currency was worth on the day."""

    def __init__(self, currency: str) -> None:
        super().__init__(currency)
        self.currency = currency


@dataclass(frozen=True, slots=True)
class Accounts:
    """The names of the two accounts that the translation itself books on."""

    conversions: str
    rounding: str


@dataclass(slots=True)
class _Leg:
    """An amount on its way to a line. `value` is its base amount where it is settled."""

    account: str
    amount: Decimal
    value: Decimal | None = None
    description: str | None = None


@dataclass(slots=True)
class _Conversion:
    """A posting at a price: `amount` of one currency for `weight` of another."""

    account: str
    amount: Decimal
    currency: str
    weight: Decimal
    weight_currency: str


@dataclass(slots=True)
class _Work:
    base_currency: str
    day: date
    rate_of: RateOf
    legs: dict[str, list[_Leg]] = field(default_factory=lambda: defaultdict(list))
    rates: dict[str, Decimal] = field(default_factory=dict)


def translate(booked: Booked, base_currency: str, accounts: Accounts, rate_of: RateOf) -> list[Translated]:
    """The entries of a transaction; none if nothing in it has an amount. Raises `NoRateError`."""
    work = _Work(base_currency, booked.source.date, rate_of)
    conversions: list[_Conversion] = []
    off: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for posting in booked.postings:
        weight = round_money(posting.weight, posting.weight_currency)
        off[posting.weight_currency] += weight
        if posting.cost is None and posting.currency != posting.weight_currency:
            amount = round_money(posting.units, posting.currency)
            conversions.append(_Conversion(posting.account, amount, posting.currency, weight, posting.weight_currency))
        else:
            leg = _Leg(posting.account, weight, description=_lot(posting))
            work.legs[posting.weight_currency].append(leg)
    for currency, number in off.items():
        if number:
            work.legs[currency].append(_Leg(accounts.rounding, -number))
    _find_rates(work, conversions)
    for conversion in conversions:
        _convert(work, conversion, accounts.conversions)
    entries = [_entry(work, currency, legs, accounts) for currency, legs in work.legs.items()]
    return [entry for entry in entries if entry is not None]


def needed_rates(booked: Booked, base_currency: str) -> set[tuple[str, date]]:
    """The currencies of a transaction that may need the day's rate."""
    currencies = {posting.weight_currency for posting in booked.postings}
    currencies |= {posting.currency for posting in booked.postings if posting.cost is None}
    return {(currency, booked.source.date) for currency in currencies - {base_currency} if is_currency(currency)}


def _lot(posting: BookedPosting) -> str | None:
    if posting.cost is None:
        return None
    cost = posting.cost
    label = f', "{cost.label}"' if cost.label else ""
    price = format_decimal(round_to(cost.number, RATE_PLACES))
    return f"{format_decimal(posting.units)} {posting.currency} {{{price} {cost.currency}, {cost.day}{label}}}"[:1000]


def _find_rates(work: _Work, conversions: Sequence[_Conversion]) -> None:
    """What one unit of each currency is worth: as the transaction's own prices say, else as the day's rate does."""
    rates = work.rates
    rates[work.base_currency] = ONE
    currencies = set(work.legs)
    for conversion in conversions:
        currencies |= {conversion.currency, conversion.weight_currency}
    # What only a commodity's price says of a currency goes after the day's rate: of a commodity nobody publishes one.
    while missing := sorted(currencies - rates.keys(), key=lambda code: (not is_currency(code), code)):
        for one in conversions:
            if not one.amount or not one.weight:
                continue
            price = abs(EXACT.divide(one.weight, one.amount))
            if one.weight_currency in rates and one.currency not in rates:
                rates[one.currency] = EXACT.multiply(price, rates[one.weight_currency])
            elif one.currency in rates and one.weight_currency not in rates:
                rates[one.weight_currency] = EXACT.divide(rates[one.currency], price)
        if rates.keys().isdisjoint(missing):
            rates[missing[0]] = _days_rate(work, missing[0])


def _days_rate(work: _Work, currency: str) -> Decimal:
    if not is_currency(currency):
        return ZERO  # a share, an hour: worth what a cost or price in base currency says, else nothing
    rate = work.rate_of(currency, work.day)
    if rate is None:
        raise NoRateError(currency)
    return rate


def _convert(work: _Work, one: _Conversion, conversions: str) -> None:
    """The posting with its counterpart in its own currency, and the counterpart of its weight in the other."""
    if one.weight_currency == work.base_currency:
        value = one.weight
    elif one.currency == work.base_currency:
        value = one.amount
    else:
        value = round_money(EXACT.multiply(one.weight, work.rates[one.weight_currency]), work.base_currency)
    if one.amount * value < 0 or one.weight * value < 0:
        value = ZERO  # a negative price
    own, other = work.legs[one.currency], work.legs[one.weight_currency]
    own += (_Leg(one.account, one.amount, value), _Leg(conversions, -one.amount, -value))
    other.append(_Leg(conversions, one.weight, value))


def _entry(work: _Work, currency: str, legs: Sequence[_Leg], accounts: Accounts) -> Translated | None:
    legs = [leg for leg in legs if leg.amount or leg.value]
    if not legs:
        return None
    if currency == work.base_currency:
        lines = [Line(leg.account, leg.amount, leg.amount, leg.description) for leg in legs]
        return Translated(currency, ONE, lines)
    free = [leg for leg in legs if leg.value is None]
    settled = sum((leg.value for leg in legs if leg.value is not None), ZERO)
    amount = sum((leg.amount for leg in free), ZERO)
    rate = work.rates[currency]
    if amount and amount * settled < 0:  # the prices that the rest of the entry goes by
        rate = EXACT.divide(-settled, amount)
    for leg in free:
        leg.value = round_money(EXACT.multiply(leg.amount, rate), work.base_currency)
        settled += leg.value
    if settled:
        legs = [*legs, *_settle(free, settled, accounts.rounding)]
    lines = [Line(leg.account, leg.amount, leg.value or ZERO, leg.description) for leg in legs]
    shown = min(max(round_to(rate, RATE_PLACES), _SMALLEST_RATE), _LARGEST_RATE) if rate else ONE
    return Translated(currency, shown, lines)


def _settle(free: Sequence[_Leg], off: Decimal, rounding: str) -> list[_Leg]:
    """Take what the base amounts are off by from the largest line, or where its side would change, from rounding."""
    largest = max(free, key=lambda leg: abs(leg.amount), default=None)
    if largest is not None and largest.value is not None and (largest.value - off) * largest.amount >= 0:
        largest.value -= off
        return []
    return [_Leg(rounding, ZERO, -off)]
