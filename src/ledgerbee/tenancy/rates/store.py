"""Published rates and a company's own: filled once and set by hand, read by whoever books in a foreign currency."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Final

import asyncpg

from ledgerbee.core.dates import day_in
from ledgerbee.core.money import ONE
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates.ecb import RateRow
from ledgerbee.tenancy.rates.model import COMPANY, ECB, EXCHANGE_RATE_MISSING, SAME_CURRENCY, Rate, RatePair
from ledgerbee.tenancy.rates.rules import CARRY_FORWARD_DAYS, PIVOT, cross_rate

_BASE_AND_OWN = """
SELECT c.base_currency, r.rate
FROM companies c LEFT JOIN company_exchange_rates r
    ON r.company_id = c.company_id AND r.currency = $2 AND r.day = $3
WHERE c.company_id = $1
"""

_UPSERT_OWN = """
INSERT INTO company_exchange_rates (company_id, currency, day, rate, updated_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (company_id, currency, day) DO UPDATE SET rate = excluded.rate, updated_at = excluded.updated_at
"""
_UNLIKE_ITS_EVENT = """
SELECT r.currency, r.day FROM company_exchange_rates r, LATERAL (
    SELECT v.data FROM events v
    WHERE v.company_id = $1 AND v.object_id = $1 AND v.type = 'exchange_rate.set'
      AND v.data ->> 'currency' = r.currency AND v.data ->> 'date' = r.day::text
    ORDER BY v.sequence DESC LIMIT 1
) v
WHERE r.company_id = $1 AND (v.data ->> 'rate')::numeric <> r.rate ORDER BY r.day, r.currency LIMIT 1
"""

#: Seconds between looks at the connection on which rows are sent.
_LOOK_EVERY_S: Final = 0.5
#: Held while published rates are added, so that two processes don't both write.
_ADDING_LOCK: Final = 0x6C62_7261_7465
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


async def seed(owner: Connection, rows: Iterable[RateRow]) -> int:
    """Add the rates of every day after the newest one stored; answers how many rows were added.

    `rows` come newest day first.

    Safe to run at every start and from several processes at once: what is there stays as it is.
    """
    async with adding(owner):
        newest = await newest_day(owner)
        # Newest first, so the usual start reads one row and stops.
        fresh = list(takewhile(lambda row: newest is None or row[1] > newest, rows))
        await insert_published(owner, fresh)
    return len(fresh)


@asynccontextmanager
async def adding(owner: Connection) -> AsyncIterator[None]:
    """A transaction in which nobody else adds published rates."""
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock($1)", _ADDING_LOCK)
        yield


async def stored_days(owner: Connection, first: date, last: date) -> dict[date, list[str]]:
    """The days with published rates, each with its currencies, from what is carried forward to `first` on."""
    rows = await owner.fetch(
        "SELECT day, array_agg(currency) AS currencies FROM exchange_rates WHERE day BETWEEN $1 AND $2 GROUP BY day",
        first - timedelta(days=CARRY_FORWARD_DAYS),
        last,
    )
    return {row["day"]: row["currencies"] for row in rows}


async def insert_published(owner: Connection, rows: Sequence[RateRow]) -> None:
    """Add published rates, of days that have none."""
    if rows:
        await _copy(owner, rows)
        await owner.execute("ANALYZE exchange_rates")


async def _copy(owner: Connection, rows: Sequence[RateRow]) -> None:
    """Send the rows. The driver waits for ever when the server ends in the middle: so the connection is looked at."""
    columns = ["currency", "day", "rate_per_eur"]
    copying = asyncio.ensure_future(owner.copy_records_to_table("exchange_rates", records=rows, columns=columns))
    try:
        while not (await asyncio.wait({copying}, timeout=_LOOK_EVERY_S))[0]:
            if owner.is_closed():
                raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of a copy")
        copying.result()
    finally:
        copying.cancel()


async def newest_day(connection: Connection) -> date | None:
    """The day of the newest published rates that are stored."""
    day: date | None = await connection.fetchval("SELECT max(day) FROM exchange_rates")
    return day


async def find(context: Context, currency: str, on: date, base_currency: str | None = None) -> Rate | None:
    """What one unit of `currency` is worth in the company's base currency on a day, or None when there is no rate.

    The one question for a rate: whatever prices, shows, books or reads in a foreign currency asks it, so that all get
    the same answer. The company's own rate for exactly that day goes before the published one, which is carried forward
    for at most ten days. Both legs of a published cross rate come from the same day: the last one that has both. The
    base currency itself is 1: whoever knows which one that is says so, and nothing is asked for. In a sandbox whose
    clock is ahead, days that are really yet to come have the published rate of today.
    """
    if currency == base_currency:
        return Rate(ONE, on, SAME_CURRENCY)
    row = await context.connection.fetchrow(_BASE_AND_OWN, context.company_id, currency, on)
    assert row is not None, "a transaction's company exists"
    base_currency = row["base_currency"]
    if currency == base_currency:
        return Rate(ONE, on, SAME_CURRENCY)
    if row["rate"] is not None:
        return Rate(row["rate"], on, COMPANY)
    return await _published(context, currency, base_currency, on)


async def rate_for(context: Context, currency: str, on: date) -> Rate:
    """The rate that `find` finds. Raises `EXCHANGE_RATE_MISSING` when there is none."""
    found = await find(context, currency, on)
    if found is None:
        company = await companies.get(context)
        raise EXCHANGE_RATE_MISSING.error(currency=currency, baseCurrency=company.base_currency, date=on.isoformat())
    return found


async def conversions(context: Context, sources: Collection[str], target: str, on: date) -> dict[str, RatePair]:
    """How amounts in each of the `sources` become amounts in `target` on a day; one that lacks a rate is left out.

    Each currency is looked up once.
    """
    into = await find(context, target, on) if sources else None
    if into is None:
        return {}
    rates = {source: await find(context, source, on) for source in sorted(sources)}
    return {source: RatePair(rate.value, into.value) for source, rate in rates.items() if rate is not None}


async def _published(context: Context, currency: str, base_currency: str, on: date) -> Rate | None:
    """The published rate alone, for `find`: nobody else may ask without the company's own."""
    connection = context.connection
    last = min(on, day_in(context.now, context.time_zone)) if context.clock_offset else on
    earliest = max(last, _FIRST_DAY) - timedelta(days=CARRY_FORWARD_DAYS)
    if PIVOT in {currency, base_currency}:
        foreign = base_currency if currency == PIVOT else currency
        row = await connection.fetchrow(_ONE_LEG, foreign, earliest, on)
        if row is None:
            return None
        per_eur: Decimal = row["rate_per_eur"]
        value = cross_rate(ONE, per_eur) if currency == PIVOT else cross_rate(per_eur, ONE)
        return Rate(value, row["day"], ECB)
    row = await connection.fetchrow(_PAIR, currency, base_currency, earliest, on)
    if row is None:
        return None
    return Rate(cross_rate(row["from_per_eur"], row["to_per_eur"]), row["day"], ECB)


async def own_unlike_its_event(context: Context) -> tuple[str, date] | None:
    """Currency and day of the first own rate that is not what its last event (`exchange_rate.set`) says."""
    row = await context.connection.fetchrow(_UNLIKE_ITS_EVENT, context.company_id)
    return (row["currency"], row["day"]) if row else None


async def upsert_own(context: Context, currency: str, on: date, value: Decimal) -> None:
    """Set the company's own rate of a currency for a day: base units for one unit of it."""
    await context.connection.execute(_UPSERT_OWN, context.company_id, currency, on, value, context.now)
