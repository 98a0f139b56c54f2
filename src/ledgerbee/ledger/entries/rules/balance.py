"""What makes an entry one that can be posted, and how its lines are valued in the company's currency. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from msgspec.structs import replace

from ledgerbee.core.errors import LedgerBeeError, invalid, property_path
from ledgerbee.core.money import (
    EXACT,
    MAX_AMOUNT,
    ONE,
    ZERO,
    format_amount,
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
from ledgerbee.ledger.entries.model import DEBIT, JOURNAL_ENTRY_UNBALANCED, EntryToPost, LineToPost

#: Decimals of an exchange rate, as stored.
RATE_PLACES: Final = 12
_MAX_RATE: Final = Decimal(10**12)


class Conversion(NamedTuple):
    """How amounts of an entry become amounts in the company's currency: `rate` base units for one unit."""

    currency: str
    base_currency: str
    rate: Decimal

    @property
    def is_base(self) -> bool:
        """True for an entry in the company's currency: its amounts are base amounts."""
        return self.currency == self.base_currency

    def in_base(self, amount: Decimal) -> Decimal:
        """An amount in the company's currency: the product with the rate, rounded once."""
        if self.currency == self.base_currency:
            return amount
        return round_money(multiply(amount, self.rate), self.base_currency)


def balance_in_base(
    lines: Sequence[LineToPost], ranks: Sequence[int], conversion: Conversion
) -> tuple[LineToPost, ...]:
    """Lines that balance in their currency, balanced in the company's currency too.

    Converted one by one, amounts may be some smallest units apart. The lines of the lowest rank take the difference, a
    unit each, those first whose own rounding went furthest the other way (ties: the earlier line); never below zero.
    Only what they can't take goes to lines of the next rank.
    """
    difference = total([line.base_amount if line.side is DEBIT else -line.base_amount for line in lines])
    if not difference:
        return tuple(lines)
    unit = quantum_of(places_of(conversion.base_currency))
    # What is too much in debit goes off debits or onto credits.
    steps = [-unit if (line.side is DEBIT) == (difference > 0) else unit for line in lines]
    gains = [
        multiply(EXACT.subtract(multiply(line.amount, conversion.rate), line.base_amount), step)
        for line, step in zip(lines, steps, strict=True)
    ]
    amounts = [line.base_amount for line in lines]
    left = int(abs(difference) / unit)
    for rank in sorted(set(ranks)):
        takers = sorted((place for place in range(len(lines)) if ranks[place] == rank), key=lambda place: -gains[place])
        while left and (able := [place for place in takers if amounts[place] + steps[place] >= 0]):
            for place in able[:left]:
                amounts[place] += steps[place]
            left -= min(left, len(able))
    return tuple([replace(line, base_amount=amount) for line, amount in zip(lines, amounts, strict=True)])


def check_base_amounts(lines: Sequence[LineToPost], path: str = "") -> None:
    """Refuse a rate that makes more of an amount than can be kept. Raises a validation error."""
    if max(line.base_amount for line in lines) > MAX_AMOUNT:
        name = property_path(path, "exchangeRate")
        raise invalid((name, "max", f"exchangeRate must not make more than {MAX_AMOUNT} of an amount"))


def check_balanced(lines: Sequence[LineToPost], path: str = "lines", currency: str | None = None) -> None:
    """Refuse lines whose debits and credits differ in either currency. No tolerance.

    Raises `JOURNAL_ENTRY_UNBALANCED` with both sums in `details`, those of `currency` at its minor units.
    """
    debit, credit, has_one_currency = _sums(lines)
    if debit != credit:
        raise _unbalanced("entry", _shown(debit, currency), _shown(credit, currency), path)
    if has_one_currency:  # the same amounts, which balance
        return
    debit = sum([line.base_amount for line in lines if line.side is DEBIT], ZERO)
    credit = sum([line.base_amount for line in lines if line.side is not DEBIT], ZERO)
    if debit != credit:
        raise _unbalanced("base", f"{debit:f}", f"{credit:f}", path)


def check_entry_balanced(lines: Sequence[LineToPost], path: str, currency: str) -> None:
    """Refuse lines whose debits and credits differ in the entry's currency. Raises `JOURNAL_ENTRY_UNBALANCED`."""
    debit, credit, _ = _sums(lines)
    if debit != credit:
        raise _unbalanced("entry", _shown(debit, currency), _shown(credit, currency), path)


def _sums(lines: Sequence[LineToPost]) -> tuple[Decimal, Decimal, bool]:
    """Debits and credits in the entry's currency, and whether its amounts are the base amounts."""
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
    return debit, credit, has_one_currency


def _unbalanced(currency: str, debit: str, credit: str, path: str) -> LedgerBeeError:
    return JOURNAL_ENTRY_UNBALANCED.error(property=path, currency=currency, debit=debit, credit=credit)


def _shown(amount: Decimal, currency: str | None) -> str:
    return format_decimal(amount) if currency is None else format_amount(amount, currency)


def check_entry(entry: EntryToPost, path: str = "") -> None:
    """Refuse what can't be posted whatever the books hold; `path` is the entry's place in the request.

    Raises validation errors (`entries.3.lines.0.amount`) and `JOURNAL_ENTRY_UNBALANCED`.
    """
    check_currency(entry.currency, entry.exchange_rate, path)
    places = places_of(entry.currency)
    check_amount(entry.original_amount, places, property_path(path, "originalAmount"))
    for number, line in enumerate(entry.lines):
        for amount, finest, name in ((line.amount, places, "amount"), (line.base_amount, 4, "amountInBaseCurrency")):
            where = property_path(path, f"lines.{number}.{name}")
            check_amount(amount, finest, where)
            if amount < 0:
                raise invalid((where, "min", "an amount must not be negative: its side says which way it goes"))
    check_lines(entry, path)


def check_lines(entry: EntryToPost, path: str = "") -> None:
    """Refuse fewer than two lines, and lines that don't balance."""
    if len(entry.lines) < 2:
        raise invalid((property_path(path, "lines"), "arrayMinSize", "an entry has at least two lines"))
    check_balanced(entry.lines, property_path(path, "lines"), entry.currency)


def check_currency(currency: str, exchange_rate: Decimal, path: str) -> None:
    """Refuse what amounts can't be kept in, and rates that can't be kept. Raises validation errors."""
    if not (is_currency(currency) or is_commodity(currency)):
        name = property_path(path, "currency")
        raise invalid((name, "isISO4217CurrencyCode", "currency must be a valid ISO 4217 currency code"))
    if exchange_rate == ONE:
        return
    name = property_path(path, "exchangeRate")
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
