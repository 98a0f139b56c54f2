"""What an entry costs to post in books of 5,000 lines and of 5 million, in batches and alone, over HTTP.

Limit: 1.3 times. Sessions that began on empty tables are measured too, before anybody gathers statistics: a plan kept
from then, such as one without an index, is what makes posting slower as books grow.
"""

import asyncio
import json
import random
import statistics
import time

import asyncpg
from bench.support import Books, books, connect, entry, fill, post, server

from ledgerbee.app.main import create_app

FEW, MANY = 5_000, 5_000_000
LIMIT = 1.3
#: Entries a request -> requests.
SAMPLES = {100: 15, 1: 150}


async def costs(port: int, found: Books) -> dict[int, float]:
    """Microseconds an entry, by entries a request: the median of requests that post on any accounts."""
    connection = await asyncpg.connect(found.url)
    accounts = [
        str(row["id"])
        for row in await connection.fetch(
            "SELECT id FROM accounts WHERE company_id = $1 AND ledger_type IN ('BALANCE_SHEET', 'PROFIT_AND_LOSS')"
            " AND control_account_type IS NULL AND vat_code_id IS NULL",
            found.company_id,
        )
    ]
    await connection.close()
    chance = random.Random(11)
    found_costs = {}
    async with connect(port) as client:
        for batch, samples in SAMPLES.items():
            taken = []
            for _ in range(samples):
                entries = [entry(chance.choice(accounts), accounts[number % 7], number) for number in range(batch)]
                path = "/api/v2/journal-entries" + ("/batch" if batch > 1 else "")
                body = json.dumps({"entries": entries} if batch > 1 else entries[0]).encode()
                started = time.perf_counter()
                status, answer = await client.send(post(path, found.key, body))
                taken.append((time.perf_counter() - started) / batch * 1e6)
                assert status == 201, answer
            found_costs[batch] = statistics.median(taken)
    return found_costs


def report(name: str, figures: dict[int, float], floor: dict[int, float]) -> None:
    """Print a measurement beside the small books' figures."""
    print(
        f"{name:52}"
        + "   ".join(
            f"{'alone' if batch == 1 else f'batches of {batch}'} {figure:5,.0f} us"
            + (f" ({figure / floor[batch]:.2f} times, limit {LIMIT})" if figures is not floor else "")
            for batch, figure in figures.items()
        ),
        flush=True,
    )


async def without_autovacuum(found: Books) -> None:
    """Leave it to this script when statistics are gathered."""
    connection = await asyncpg.connect(found.url)
    for table in ("journal_entries", "journal_lines", "account_months"):
        await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    await connection.close()


def main() -> None:
    """One company, one server process that stays, and one that comes when the books are full."""
    with books() as found, server(create_app, found.url) as port:
        asyncio.run(without_autovacuum(found))
        asyncio.run(costs(port, found))  # the sessions begin on empty tables
        asyncio.run(fill(found, FEW, settle=False))
        floor = asyncio.run(costs(port, found))
        report(f"{FEW:,} lines", floor, floor)
        asyncio.run(fill(found, MANY, settle=False))
        report(f"{MANY:,} lines, sessions kept, no statistics", asyncio.run(costs(port, found)), floor)
        asyncio.run(fill(found, MANY))
        report(f"{MANY:,} lines, sessions kept", asyncio.run(costs(port, found)), floor)
        with server(create_app, found.url) as fresh:
            asyncio.run(costs(fresh, found))
            report(f"{MANY:,} lines, new sessions", asyncio.run(costs(fresh, found)), floor)


if __name__ == "__main__":
    main()
