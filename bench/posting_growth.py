"""What an entry costs to post in books of 5 million lines beside books of 5,000, in batches and alone, over HTTP.

Limit: 1.3 times. Both are posted to in turn, each on a server of its own. Sessions that began on empty tables are
measured too, before anybody gathers statistics: a plan kept from then, such as one by the wrong index, is what makes
posting slower as books grow.
"""

import asyncio
import json
import random
import statistics
import time

import asyncpg
from bench.support import Books, books, connect, entry, fill, post, server, verdict

from ledgerbee.app.main import create_app

FEW, MANY = 5_000, 5_000_000
LIMIT = 1.3
#: Entries a request -> requests in a round.
SAMPLES = {100: 6, 1: 60}
ROUNDS = 6

_ACCOUNTS = """
SELECT id FROM accounts WHERE company_id = $1 AND ledger_type IN ('BALANCE_SHEET', 'PROFIT_AND_LOSS')
    AND control_account_type IS NULL AND vat_code_id IS NULL
"""


async def accounts_of(found: Books) -> list[str]:
    """Accounts of the company that can be posted on."""
    connection = await asyncpg.connect(found.url)
    rows = await connection.fetch(_ACCOUNTS, found.company_id)
    await connection.close()
    return [str(row["id"]) for row in rows]


async def costs(port: int, found: Books, batch: int) -> list[float]:
    """Microseconds an entry, request by request, in one round of batches of `batch` on any accounts."""
    accounts = await accounts_of(found)
    chance = random.Random(11)
    path = "/api/v2/journal-entries" + ("/batch" if batch > 1 else "")
    taken = []
    async with connect(port) as client:
        for _ in range(SAMPLES[batch]):
            entries = [entry(chance.choice(accounts), chance.choice(accounts), number) for number in range(batch)]
            body = json.dumps({"entries": entries} if batch > 1 else entries[0]).encode()
            started = time.perf_counter()
            status, answer = await client.send(post(path, found.key, body))
            taken.append((time.perf_counter() - started) / batch * 1e6)
            assert status == 201, answer
    return taken


def compare(name: str, small: tuple[int, Books], big: tuple[int, Books]) -> None:
    """Print medians of rounds taken in turn; the first round only brings the pages in."""
    print(name)
    for batch in SAMPLES:
        few: list[float] = []
        many: list[float] = []
        for round_number in range(ROUNDS + 1):
            for figures, books_of in ((few, small), (many, big)):
                taken = asyncio.run(costs(*books_of, batch))
                figures.extend(taken if round_number else ())
        ratio = statistics.median(many) / statistics.median(few)
        what = "alone" if batch == 1 else f"batches of {batch}"
        print(
            f"  {what:14}  {FEW:,} lines {statistics.median(few):5,.0f} us"
            f"  {MANY:,} lines {statistics.median(many):5,.0f} us  ratio {ratio:.2f} ({verdict(ratio, LIMIT)})",
            flush=True,
        )


async def without_autovacuum(found: Books) -> None:
    """Leave it to this script when statistics are gathered."""
    connection = await asyncpg.connect(found.url)
    for table in ("journal_entries", "journal_lines", "account_months"):
        await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    await connection.close()


def main() -> None:
    """Servers that begin on empty books and stay, and one that comes when the books are full."""
    with books() as small, books() as big, server(create_app, small.url) as few, server(create_app, big.url) as many:
        for port, found in ((few, small), (many, big)):
            asyncio.run(without_autovacuum(found))
            asyncio.run(costs(port, found, 1))
            asyncio.run(fill(found, FEW if found is small else MANY, settle=False))
        compare("sessions kept, no statistics", (few, small), (many, big))
        for found, lines in ((small, FEW), (big, MANY)):
            asyncio.run(fill(found, lines))
        compare("sessions kept", (few, small), (many, big))
        with server(create_app, big.url) as fresh:
            compare("new sessions", (few, small), (fresh, big))


if __name__ == "__main__":
    main()
