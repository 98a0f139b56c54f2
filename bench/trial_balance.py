"""The trial balance over 5 million lines and over 50,000: whole months, and spans that cut months through.

Limits: whole months under 10 ms, any days under 60 ms, neither more than 1.5 times what 50,000 lines take. Over HTTP it
is the time until the answer is there; beside it the SQL's own, and the sum of all lines that the totals save.
"""

import asyncio
import random
import statistics
import time
from datetime import date, timedelta

import asyncpg
from bench.support import FIRST_DAY, LAST_DAY, Books, books, connect, fill, get, server, tenant_of, verdict

from ledgerbee.app.main import create_app
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.dates import system_clock
from ledgerbee.ledger.reports.trial_balance import rules, store
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database

FEW, MANY = 50_000, 5_000_000
SAMPLES = 60
ROUNDS = 3
LIMITS_MS = {"whole months": 10, "any days": 60}
GROWTH_LIMIT = 1.5
_RAW = "SELECT account_id, sum(base_amount) AS total FROM journal_lines WHERE company_id = $1 {} GROUP BY account_id"

Span = tuple[date, date]


def spans(kind: str) -> list[Span]:
    """Spans of days, the same for every company."""
    chance = random.Random(5)
    days = (LAST_DAY - FIRST_DAY).days
    found = []
    for _ in range(SAMPLES):
        first, last = sorted(FIRST_DAY + timedelta(days=chance.randint(0, days)) for _ in range(2))
        if kind == "whole months":
            first, last = first.replace(day=1), last.replace(day=1) + timedelta(days=31)
            last = last.replace(day=1) - timedelta(days=1)
        found.append((first, last))
    return found


async def over_http(port: int, key: str, asked: list[Span]) -> float:
    """Median milliseconds until the answer is there."""
    taken = []
    async with connect(port) as connection:
        for first, last in asked[:5] + asked:
            started = time.perf_counter()
            status, body = await connection.send(
                get(f"/api/v1/reports/trial-balance?fromDate={first}&toDate={last}", key)
            )
            taken.append((time.perf_counter() - started) * 1000)
            assert status == 200, body
    return statistics.median(taken[5:])


async def in_sql(database: Database, found: Books, asked: list[Span]) -> float:
    """Median milliseconds of the report's statement."""

    async def work(context: Context) -> list[float]:
        taken = []
        for first, last in asked[:5] + asked:
            cuts = rules.cut_before(first), rules.cut_before(last + timedelta(days=1))
            started = time.perf_counter()
            await store.list_turnovers(context, first.replace(month=1, day=1), *cuts)
            taken.append((time.perf_counter() - started) * 1000)
        return taken[5:]

    return statistics.median(await database.run(tenant_of(found.company_id), system_clock(), work, read_only=True))


async def raw_sum(found: Books) -> float:
    """Milliseconds of the sum of all lines by account."""
    connection = await asyncpg.connect(found.url)
    await connection.execute("SET jit = off")
    taken = []
    for _ in range(2):
        started = time.perf_counter()
        await connection.fetch(_RAW.format(""), found.company_id)
        taken.append((time.perf_counter() - started) * 1000)
    await connection.close()
    return min(taken)


async def check(database: Database, found: Books, asked: list[Span]) -> None:
    """The report's closing figures of some spans are the raw sums of the lines."""

    async def work(context: Context) -> None:
        for first, last in asked[:3]:
            cuts = rules.cut_before(first), rules.cut_before(last + timedelta(days=1))
            figures = await store.list_turnovers(context, first.replace(month=1, day=1), *cuts)
            rows = await context.connection.fetch(_RAW.format("AND entry_date <= $2"), found.company_id, last)
            for row in rows:
                figure = figures[row["account_id"]]
                assert figure.before + figure.debit - figure.credit == row["total"]

    await database.run(tenant_of(found.company_id), system_clock(), work, read_only=True)


async def prepare(found: Books, lines: int) -> Database:
    """Fill a company, and see that its reports are right."""
    started = time.perf_counter()
    await fill(found, lines)
    print(f"{lines:,} lines filled in {time.perf_counter() - started:.0f} s", flush=True)
    database = await Database.open(found.url, reactions=REACTIONS, max_size=1)
    await check(database, found, spans("any days"))
    return database


async def compare(ports: tuple[int, int], small: Books, big: Books) -> None:
    """Print the figures of both, taken in turn, beside their limits."""
    databases = await prepare(small, FEW), await prepare(big, MANY)
    for kind, limit in LIMITS_MS.items():
        asked = spans(kind)
        http: tuple[list[float], list[float]] = ([], [])
        sql: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for which, found in enumerate((small, big)):
                http[which].append(await over_http(ports[which], found.key, asked))
                sql[which].append(await in_sql(databases[which], found, asked))
        few, many = (statistics.median(figures) for figures in http)
        few_sql, many_sql = (statistics.median(figures) for figures in sql)
        print(
            f"{kind:13} {MANY:,} lines  HTTP {many:5.1f} ms ({verdict(many, limit)})  SQL {many_sql:5.1f} ms"
            f"   {FEW:,} lines  HTTP {few:5.1f} ms  SQL {few_sql:5.1f} ms   ratio {many / few:.2f}"
            f" ({verdict(many / few, GROWTH_LIMIT)})",
            flush=True,
        )
    print(f"raw sum over {MANY:,} lines  {await raw_sum(big):,.0f} ms")
    for database in databases:
        await database.close()


def main() -> None:
    """Two databases, one with few lines and one with many."""
    with books() as small, books() as big, server(create_app, small.url) as few, server(create_app, big.url) as many:
        asyncio.run(compare((few, many), small, big))


if __name__ == "__main__":
    main()
