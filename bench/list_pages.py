"""Pages of a list of 200,000 products: any page against the first, sorted and filtered every way there is.

Limit: the 99th percentile of a page's time within 3 times the first page's median, for each kind of list.
"""

import asyncio
import random
import statistics
import time
from uuid import UUID

import asyncpg
from bench.support import Books, Connection, books, connect, get, server

from ledgerbee.app.main import create_app

ROWS = 200_000
LIMIT = 3.0
SAMPLES = 150

_FILL = """
INSERT INTO products (company_id, id, number, name, description, product_group_id, unit, status, created_at, updated_at)
SELECT $1, gen_random_uuid(), 'P' || lpad(n::text, 7, '0'),
       (ARRAY['Chair', 'Desk', 'Lamp', 'Shelf', 'Table'])[1 + n % 5] || ' ' || md5(n::text),
       repeat('A thing that is sold. ', 10), $2, 'pcs',
       CASE WHEN n % 10 = 0 THEN 'ARCHIVED' ELSE 'ACTIVE' END,
       timestamptz '2020-01-01' + n * interval '5 minutes', timestamptz '2020-01-01' + n * interval '5 minutes'
FROM generate_series(1, $3) n
"""
#: Kind of list -> query parameters and how many rows match.
LISTS = {
    "newest first": ("", ROWS),
    "by name": ("sortBy=name&sortOrder=ASC", ROWS),
    "by number, descending": ("sortBy=number", ROWS),
    "searched, by name": ("search=chair&sortBy=name&sortOrder=ASC", ROWS // 5),
    "active only, newest first": ("status=ACTIVE", ROWS * 9 // 10),
}


async def fill(found: Books) -> None:
    """Give the company its products, as the owner."""
    connection = await asyncpg.connect(found.url)
    await connection.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    group: UUID = await connection.fetchval("SELECT id FROM product_groups WHERE company_id = $1", found.company_id)
    await connection.execute(_FILL, found.company_id, group, ROWS)
    await connection.execute("VACUUM ANALYZE products")
    await connection.close()


async def timed(connection: Connection, query: str, page: int, key: str) -> float:
    """Milliseconds of one page over HTTP."""
    started = time.perf_counter()
    status, body = await connection.send(get(f"/api/v1/products?limit=25&page={page}&{query}", key))
    assert status == 200, body
    return (time.perf_counter() - started) * 1000


async def measure(port: int, found: Books) -> None:
    """Print each kind of list with its figures."""
    chance = random.Random(7)
    async with connect(port) as connection:
        for name, (query, rows) in LISTS.items():
            last = rows // 25
            for page in (1, last // 2, last):
                await timed(connection, query, page, found.key)
            first, any_page = [], []
            for _ in range(SAMPLES):
                first.append(await timed(connection, query, 1, found.key))
                any_page.append(await timed(connection, query, chance.randint(1, last), found.key))
            floor = statistics.median(first)
            p99 = statistics.quantiles(any_page, n=100)[98]
            print(
                f"{name:28} first page {floor:5.1f} ms   any page median {statistics.median(any_page):5.1f} ms"
                f"   p99 {p99:5.1f} ms   ratio {p99 / floor:.2f} (limit {LIMIT})"
            )


def main() -> None:
    """Fill, serve, measure."""
    with books() as found:
        asyncio.run(fill(found))
        with server(create_app, found.url) as port:
            asyncio.run(measure(port, found))


if __name__ == "__main__":
    main()
