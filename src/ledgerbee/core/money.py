"""Exact money: decimals, one rounding, one allocator.

Amounts are `Decimal` in major units (1.25 = one krone and 25 øre) and always travel with an ISO 4217
currency code. Every product of money, quantity and rate is computed under `EXACT`, which is wide enough
that nothing is lost before the one rounding (half away from zero).
"""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache, reduce
from typing import Final

import iso4217

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
HUNDRED: Final = Decimal(100)

#: Wide enough for amount x quantity x rate (13+12, 13+6 and 9+12 digits) without losing one.
EXACT: Final = Context(prec=80, rounding=ROUND_HALF_UP)

#: Largest absolute amount accepted anywhere, in major units. Stored as numeric(19, 4).
MAX_AMOUNT: Final = Decimal("9999999999999.9999")
#: Decimals of a unit price on the wire and in the database (EN 16931 sets no limit; 12 suffice).
UNIT_PRICE_PLACES: Final = 12
#: Decimals of a quantity.
QUANTITY_PLACES: Final = 6


@lru_cache(maxsize=256)
def minor_units(currency: str) -> int:
    """Decimals of an ISO 4217 currency: DKK 2, JPY 0, KWD 3. Raises `ValueError` for an unknown code."""
    try:
        exponent = iso4217.Currency(currency).exponent
    except ValueError:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code") from None
    if exponent is None:  # gold, special drawing rights: no money anyone invoices in
        raise ValueError(f"{currency!r} has no minor unit")
    return exponent


#: Codes of what is counted but is no money: shares, points, hours.
_COMMODITY: Final = re.compile(r"(?:[A-Z]|/[A-Z0-9])(?:[A-Z0-9'._-]{0,22}[A-Z0-9])?")
#: Decimals that a commodity is counted in, as amounts are stored.
COMMODITY_PLACES: Final = 4


@lru_cache(maxsize=1024)
def places_of(code: str) -> int:
    """Decimals of amounts in `code`: the currency's minor units, or a commodity's four."""
    return minor_units(code) if is_currency(code) else COMMODITY_PLACES


def is_commodity(code: str) -> bool:
    """True for a code that amounts can be kept in though it is no currency: up to 24 capitals, digits, `'._-`.

    Options on futures may have a slash before it (`/NQH21_QNEG21C13100`).
    """
    return _COMMODITY.fullmatch(code) is not None and not is_currency(code)


def is_currency(code: str) -> bool:
    """True for an active ISO 4217 code that money can be counted in."""
    try:
        minor_units(code)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=32)
def quantum_of(places: int) -> Decimal:
    """The smallest amount with so many decimals: 0.01 for 2."""
    return Decimal(1).scaleb(-places)


def round_to(value: Decimal, places: int) -> Decimal:
    """`value` at `places` decimals, halves away from zero (2.345 -> 2.35, -2.345 -> -2.35)."""
    return value.quantize(quantum_of(places), rounding=ROUND_HALF_UP, context=EXACT)


def round_money(value: Decimal, currency: str) -> Decimal:
    """`value` at the minor units of its currency (or commodity), halves away from zero."""
    return round_to(value, places_of(currency))


def multiply(*factors: Decimal) -> Decimal:
    """The exact product: no rounding before the one that the caller asks for."""
    product = ONE
    for factor in factors:
        product = EXACT.multiply(product, factor)
    return product


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """`percent` hundredths of `amount`, unrounded."""
    return EXACT.divide(EXACT.multiply(amount, percent), HUNDRED)


def total(amounts: Sequence[Decimal]) -> Decimal:
    """The exact sum, also of values that the default context would round."""
    return reduce(EXACT.add, amounts, ZERO)


def allocate(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split `amount` in proportion to `weights` so that the parts sum to it exactly.

    Largest remainder: each part is rounded towards zero at the currency's minor units and the units left
    over go, one each, to the largest remainders (ties: the earlier part). Weights are >= 0; when all are
    zero every part is zero but the first, which takes everything. `amount` must already be at minor units.
    """
    if not weights:
        raise ValueError("allocate needs at least one weight")
    if any(weight < 0 for weight in weights):
        raise ValueError("allocate takes no negative weight")
    unit = quantum_of(minor_units(currency))
    with localcontext(EXACT):
        units = abs(amount) / unit
        if units != units.to_integral_value():
            raise ValueError(f"{amount} {currency} is finer than the currency's minor unit")
        weight_sum = sum(weights, ZERO)
        if weight_sum == 0:
            return [amount, *[ZERO] * (len(weights) - 1)]
        # Divided with a remainder, never as a fraction: thirds that are rounded would decide between equal remainders.
        parts, remainders = map(list, zip(*[divmod(units * weight, weight_sum) for weight in weights], strict=True))
        left = int(units - sum(parts, ZERO))
        by_remainder = sorted(range(len(parts)), key=lambda i: (-remainders[i], i))
        for index in by_remainder[:left]:
            parts[index] += 1
        sign = -ONE if amount < 0 else ONE
        return [round_money(sign * part * unit, currency) for part in parts]


def round_fraction(value: Fraction, places: int) -> Decimal:
    """An exact fraction at `places` decimals, halves away from zero: no division is rounded before."""
    units, rest = divmod(abs(value.numerator) * 10**places, value.denominator)
    units += 2 * rest >= value.denominator
    return EXACT.scaleb(Decimal(-units if value < 0 else units), -places)


def round_parts(parts: Sequence[Fraction], whole: Decimal, currency: str) -> list[Decimal]:
    """Exact parts, of either sign, at the minor units of a currency so that they sum up to `whole`, their rounded sum.

    Largest remainder: each is rounded down, and the units left over go, one each, to the largest remainders (ties: the
    earlier part). What has no remainder stays as it is.
    """
    places = minor_units(currency)
    floors = [part.numerator * 10**places // part.denominator for part in parts]
    order = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i] * 10**places, i))
    left = int(EXACT.scaleb(whole, places)) - sum(floors)
    # A sum that is rounded on the other side of zero may be a unit off.
    for index in order[:left] if left >= 0 else order[left:]:
        floors[index] += 1 if left >= 0 else -1
    return [EXACT.scaleb(Decimal(floor), -places) for floor in floors]


def format_amount(amount: Decimal, currency: str) -> str:
    """The wire form: a plain decimal string at the currency's minor units ("1250.00", JPY "1250"). Zero has no sign."""
    return f"{round_money(amount, currency):zf}"


def format_decimal(value: Decimal) -> str:
    """A plain decimal string without exponent or trailing zeros ("12.5", "0", "1250")."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def plain_number(value: Decimal) -> int | float:
    """A decimal as the JSON number that prints the same: exact to 15 significant digits."""
    return int(value) if value == value.to_integral_value() else float(value)
