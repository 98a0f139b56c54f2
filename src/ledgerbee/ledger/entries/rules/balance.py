"""What makes an entry one that can be posted, and how its lines are valued in the company's currency. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import compress
from typing import Final

from msgspec.structs import replace

from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.money import (
    MAX_AMOUNT,
    ONE,
    ZERO,
    allocate,
    format_decimal,
    is_commodity,
    is_currency,
    multiply,
    places_of,
    quantum_of,
    round_money,
    round_to,
    total,
)
from ledgerbee.ledger.entries.model import DEBIT, JOURNAL_ENTRY_UNBALANCED, NewEntry, NewLine, Side

#: Decimals of an exchange rate, as stored.
RATE_PLACES: Final = 12
_MAX_RATE: Final = Decimal(10**12)


def to_base(sides: Sequence[Side], amounts: Sequence[Decimal], rate: Decimal, base_currency: str) -> list[Decimal]:
    """The base amounts of an entry's lines, in their order, balanced to the last unit.

    `amounts` are >= 0 in the entry's currency and balance; `rate` is base units for one unit of it. The total of
    each side is converted and rounded once and then allocated to the side's lines in proportion, so that the two
    sides stay equal. Raises `ValueError` for amounts that are negative or don't balance, or a rate <= 0.
    """
    if len(sides) != len(amounts):
        raise ValueError("every amount has a side")
    if rate <= 0:
        raise ValueError("a rate is positive")
    on_debit = [side is DEBIT for side in sides]
    on_credit = [not debit for debit in on_debit]
    debits, credits_ = list(compress(amounts, on_debit)), list(compress(amounts, on_credit))
    if total(debits) != total(credits_):
        raise ValueError("debits and credits differ")
    base_total = round_money(multiply(total(debits), rate), base_currency)
    debit_parts = iter(allocate(base_total, debits, base_currency) if debits else ())
    credit_parts = iter(allocate(base_total, credits_, base_currency) if credits_ else ())
    return [next(debit_parts) if debit else next(credit_parts) for debit in on_debit]


def value_in_base(entry: NewEntry, base_currency: str, path: str = "") -> NewEntry:
    """The entry with base amounts on its lines, as `to_base` tells; in base currency they are the amounts already.

    Raises `JOURNAL_ENTRY_UNBALANCED` where the amounts themselves differ, and a validation error where the rate makes
    more of one than can be kept.
    """
    if entry.currency == base_currency:
        return entry
    check_balanced(entry.lines, below(path, "lines"))
    sides, amounts = [line.side for line in entry.lines], [line.amount for line in entry.lines]
    base_amounts = to_base(sides, amounts, entry.exchange_rate, base_currency)
    if max(base_amounts) > MAX_AMOUNT:
        name = below(path, "exchangeRate")
        raise invalid((name, "max", f"exchangeRate must not make more than {MAX_AMOUNT} of an amount"))
    valued = [replace(line, base_amount=amount) for line, amount in zip(entry.lines, base_amounts, strict=True)]
    return replace(entry, lines=tuple(valued))


def check_balanced(lines: Sequence[NewLine], path: str = "lines") -> None:
    """Refuse lines whose debits and credits differ in either currency. No tolerance.

    Raises `JOURNAL_ENTRY_UNBALANCED` with both sums in `details`.
    """
    # Amounts have 17 digits, an entry at most 10,000 lines (each may become four): the default 28 digits hold any sum.
    debit = credit = ZERO
    has_one_currency = True
    for line in lines:
        amount = line.amount
        if line.side is DEBIT:
            debit += amount
        else:
            credit += amount
        if line.base_amount is not amount:
            has_one_currency = False
    if debit != credit:
        raise _unbalanced("entry", debit, credit, path)
    if has_one_currency:  # the same amounts, which balance
        return
    debit = sum([line.base_amount for line in lines if line.side is DEBIT], ZERO)
    credit = sum([line.base_amount for line in lines if line.side is not DEBIT], ZERO)
    if debit != credit:
        raise _unbalanced("base", debit, credit, path)


def _unbalanced(currency: str, debit: Decimal, credit: Decimal, path: str) -> LedgerBeeError:
    return JOURNAL_ENTRY_UNBALANCED.error(
        property=path, currency=currency, debit=format_decimal(debit), credit=format_decimal(credit)
    )


def below(path: str, name: str) -> str:
    """The property `name` of the entry at `path` in a request; the request itself is the entry where it is empty."""
    return f"{path}.{name}" if path else name


def check(entry: NewEntry, path: str = "") -> None:
    """Refuse what can't be posted whatever the books hold; `path` is the entry's place in the request.

    Raises validation errors (`entries.3.lines.0.amount`) and `JOURNAL_ENTRY_UNBALANCED`.
    """
    check_currency(entry.currency, entry.exchange_rate, path)
    places = places_of(entry.currency)
    check_amount(entry.original_amount, places, below(path, "originalAmount"))
    for number, line in enumerate(entry.lines):
        for amount, finest, name in ((line.amount, places, "amount"), (line.base_amount, 4, "amountInBaseCurrency")):
            where = below(path, f"lines.{number}.{name}")
            check_amount(amount, finest, where)
            if amount < 0:
                raise invalid((where, "min", "an amount must not be negative: its side says which way it goes"))
    check_whole(entry, path)


def check_whole(entry: NewEntry, path: str = "") -> None:
    """Refuse fewer than two lines, and lines that don't balance."""
    if len(entry.lines) < 2:
        raise invalid((below(path, "lines"), "arrayMinSize", "an entry has at least two lines"))
    check_balanced(entry.lines, below(path, "lines"))


def check_currency(currency: str, exchange_rate: Decimal, path: str) -> None:
    """Refuse what amounts can't be kept in, and rates that can't be kept. Raises validation errors."""
    if not (is_currency(currency) or is_commodity(currency)):
        name = below(path, "currency")
        raise invalid((name, "isISO4217CurrencyCode", "currency must be a valid ISO 4217 currency code"))
    if exchange_rate == ONE:
        return
    name = below(path, "exchangeRate")
    if not exchange_rate.is_finite() or not 0 < exchange_rate < _MAX_RATE:
        raise invalid((name, "isPositive", "exchangeRate must be positive and below 10^12"))
    if round_to(exchange_rate, RATE_PLACES) != exchange_rate:
        raise invalid((name, "maxDecimalPlaces", f"exchangeRate has at most {RATE_PLACES} decimals"))


def fits(amount: Decimal, quantum: Decimal) -> bool:
    """True if an amount can be kept at the decimals of `quantum` (0.01, 0.0001, ...)."""
    if amount.same_quantum(quantum):
        return abs(amount) <= MAX_AMOUNT
    return amount.is_finite() and abs(amount) <= MAX_AMOUNT and amount == amount.quantize(quantum)


def check_amount(amount: Decimal, places: int, path: str) -> None:
    """Refuse an amount that can't be kept: not finite, too large, or finer than `places` decimals."""
    if fits(amount, quantum_of(places)):
        return
    name = path.rpartition(".")[2]
    if not amount.is_finite():
        raise invalid((path, "isNumber", f"{name} must be a finite number"))
    if abs(amount) > MAX_AMOUNT:
        raise invalid((path, "max", f"{name} must not be greater than {MAX_AMOUNT}"))
    raise invalid((path, "maxDecimalPlaces", f"{name} must have at most {places} decimals"))
