"""Published rates and a company's own: filled once and set by hand, read by whoever books in a foreign currency."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from ledgerbee.core.money import ONE
from ledgerbee.platform.context import Context
from ledgerbee.platform.rates.ecb import RateRow
from ledgerbee.platform.rates.model import COMPANY, ECB, EXCHANGE_RATE_MISSING, SAME_CURRENCY, Rate
from ledgerbee.platform.rates.rules import CARRY_FORWARD_DAYS, PIVOT, cross_rate

if TYPE_CHECKING:
    from asyncpg import Connection, Record
    from asyncpg.pool import PoolConnectionProxy

    AnyConnection = Connection[Record] | PoolConnectionProxy[Record]

_BASE_AND_OWN = """
SELECT c.base_currency, r.rate
FROM companies c LEFT JOIN company_exchange_rates r
    ON r.company_id = c.company_id AND r.currency = $2 AND r.day = $3
WHERE c.company_id = $1
"""

#: Held while seeding, so that two processes starting together don't both write.
_SEED_LOCK: Final = 0x6C62_7261_7465
#: The first day from which the calendar goes back far enough.
_FIRST_DAY: Final = date.min + timedelta(days=CARRY_FORWARD_DAYS)

_PAIR = """
SELECT f.day, f.rate_per_eur AS from_per_eur, t.rate_per_eur AS to_per_eur
FROM exchange_rates f JOIN exchange_rates t ON t.day = f.day AND t.currency = $2
WHERE f.currency = $1 AND f.day BETWEEN $3 AND $4
ORDER BY f.day DESC LIMIT 1
"""
_ONE_LEG = """
SELECT day, rate_per_eur FROM exchange_rates
WHERE currency = $1 AND day BETWEEN $2 AND $3
ORDER BY day DESC LIMIT 1
"""


async def seed(conn: "AnyConnection", rows: Iterable[RateRow]) -> int:
    """Add the rates of every day after the newest one stored; answers how many rows were added.

    `rows` come newest day first.

    Safe to run at every start and from several processes at once: what is there stays as it is.
    """
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock($1)", _SEED_LOCK)
        newest: date | None = await conn.fetchval("SELECT max(day) FROM exchange_rates")
        # Newest first, so the usual start reads one row and stops.
        fresh = list(takewhile(lambda row: newest is None or row[1] > newest, rows))
        if fresh:
            await conn.copy_records_to_table(
                "exchange_rates", records=fresh, columns=["currency", "day", "rate_per_eur"]
            )
            await conn.execute("ANALYZE exchange_rates")
    return len(fresh)


async def rate(conn: "AnyConnection", currency: str, base_currency: str, on: date) -> Rate | None:
    """What one unit of `currency` is worth in `base_currency` on a day, or None when nobody published it.

    Both legs of a cross rate come from the same publication day: the last one on or before `on` that has
    both, at most ten days back. The same currency is 1 on the day itself.
    """
    if currency == base_currency:
        return Rate(ONE, on, SAME_CURRENCY)
    earliest = max(on, _FIRST_DAY) - timedelta(days=CARRY_FORWARD_DAYS)
    if PIVOT in {currency, base_currency}:
        foreign = base_currency if currency == PIVOT else currency
        row = await conn.fetchrow(_ONE_LEG, foreign, earliest, on)
        if row is None:
            return None
        per_eur: Decimal = row["rate_per_eur"]
        value = cross_rate(ONE, per_eur) if currency == PIVOT else cross_rate(per_eur, ONE)
        return Rate(value, row["day"], ECB)
    row = await conn.fetchrow(_PAIR, currency, base_currency, earliest, on)
    if row is None:
        return None
    return Rate(cross_rate(row["from_per_eur"], row["to_per_eur"]), row["day"], ECB)


async def rate_for(context: Context, currency: str, on: date) -> Rate:
    """What one unit of `currency` is worth in the company's base currency on a day.

    The company's own rate for exactly that day goes before the published one, which is carried forward as `rate`
    tells. Raises `EXCHANGE_RATE_MISSING`.
    """
    row = await context.connection.fetchrow(_BASE_AND_OWN, context.company_id, currency, on)
    assert row is not None, "a transaction's company exists"
    base_currency: str = row["base_currency"]
    if currency != base_currency and row["rate"] is not None:
        return Rate(row["rate"], on, COMPANY)
    found = await rate(context.connection, currency, base_currency, on)
    if found is None:
        raise EXCHANGE_RATE_MISSING.error(currency=currency, baseCurrency=base_currency, date=on.isoformat())
    return found


async def save_own(context: Context, currency: str, on: date, value: Decimal) -> None:
    """Set the company's own rate of a currency for a day: base units for one unit of it."""
    await context.connection.execute(
        "INSERT INTO company_exchange_rates (company_id, currency, day, rate, updated_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (company_id, currency, day) DO UPDATE"
        " SET rate = excluded.rate, updated_at = excluded.updated_at",
        context.company_id,
        currency,
        on,
        value,
        context.now,
    )
