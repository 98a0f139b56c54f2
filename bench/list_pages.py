"""Pages of lists of 200,000: products, journal entries and drafts of them; any page against the first.

Limit: the 99th percentile of a page's time within 3 times the first page's median, for each kind of list.
"""

import asyncio
import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from bench.support import FIRST_DAY, Books, Connection, books, connect, fill, get, server, verdict

from ledgerbee.app.main import create_app

ROWS = 200_000
LIMIT = 3.0
#: Any pages of a kind, and for every fifth of them the first page once more.
SAMPLES = 150

_PRODUCTS = """
INSERT INTO products (company_id, id, number, name, description, product_group_id, unit, status, created_at, updated_at)
SELECT $1, gen_random_uuid(), 'P' || lpad(n::text, 7, '0'),
       (ARRAY['Chair', 'Desk', 'Lamp', 'Shelf', 'Table'])[1 + n % 5] || ' ' || md5(n::text),
       repeat('A thing that is sold. ', 10), g.id, 'pcs',
       CASE WHEN n % 10 = 0 THEN 'ARCHIVED' ELSE 'ACTIVE' END,
       timestamptz '2020-01-01' + n * interval '5 minutes', timestamptz '2020-01-01' + n * interval '5 minutes'
FROM (SELECT id FROM product_groups WHERE company_id = $1 LIMIT 1) g CROSS JOIN generate_series(1, 200000) n
"""
#: Half of the entries are of 100 customers, every one has a line on the first account, and the drafts are like them.
_ENTRIES = (
    """
INSERT INTO customers (company_id, id, number, customer_type, name, vat_zone, customer_group_id, country_code, currency,
    created_at, updated_at)
SELECT $1, gen_random_uuid(), n, 'company', 'Customer ' || n, 'domestic', g.id, 'DK', 'DKK', now(), now()
FROM (SELECT id FROM customer_groups WHERE company_id = $1 LIMIT 1) g CROSS JOIN generate_series(1, 100) n
""",
    """
UPDATE journal_entries SET entry_type = CASE chain_position % 2 WHEN 0 THEN 'CUSTOMER_INVOICE' ELSE entry_type END,
    customer_id = CASE chain_position % 2 WHEN 0 THEN c.ids[1 + chain_position / 2 % 100] END,
    external_system_id = 'X-' || chain_position % 1000,
    description = (ARRAY['Chair', 'Desk', 'Lamp', 'Shelf', 'Table'])[1 + chain_position % 5] || ' ' || chain_position
FROM (SELECT array_agg(id) AS ids FROM customers WHERE company_id = $1) c WHERE company_id = $1
""",
    """
UPDATE journal_lines SET account_id = (SELECT id FROM accounts WHERE company_id = $1 AND ledger_type IN
    ('BALANCE_SHEET', 'PROFIT_AND_LOSS') AND control_account_type IS NULL ORDER BY number LIMIT 1)
WHERE company_id = $1 AND line_number = 1
""",
    """
INSERT INTO draft_journal_entries (company_id, id, entry_type, entry_date, currency, original_amount, description,
    reference, external_system_id, customer_id, created_at, updated_at)
SELECT company_id, id, entry_type, entry_date, currency, original_amount, description, reference, external_system_id,
       customer_id, posted_at, posted_at
FROM journal_entries WHERE company_id = $1
""",
    """
INSERT INTO draft_journal_lines (company_id, draft_id, line_number, id, account_id, is_debit, amount, line_type)
SELECT company_id, entry_id, line_number, gen_random_uuid(), account_id, is_debit, abs(amount), line_type
FROM journal_lines WHERE company_id = $1
""",
)
_ACCOUNTS = """
SELECT id::text FROM accounts WHERE company_id = $1 AND ledger_type IN ('BALANCE_SHEET', 'PROFIT_AND_LOSS')
    AND control_account_type IS NULL ORDER BY number
"""


@dataclass(frozen=True)
class Listed:
    """One kind of list: a path with its query, but for the page."""

    name: str
    path: str


async def fill_all(found: Books) -> list[Listed]:
    """Give the company its products, entries and drafts, as the owner; what is to be listed of them."""
    await fill(found, 2 * ROWS, settle=False)
    connection = await asyncpg.connect(found.url)
    await connection.execute("SET synchronous_commit = off; SET jit = off")
    await connection.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    await connection.execute(_PRODUCTS, found.company_id)
    async with connection.transaction():
        for table in ("journal_entries", "journal_lines"):
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in _ENTRIES:
            await connection.execute(statement, found.company_id)
        for table in ("journal_entries", "journal_lines"):
            await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    # Posted entries are never changed by the hundred thousand: tables and indexes are made as if these had not been.
    for table in ("journal_entries", "journal_lines"):
        await connection.execute(f"VACUUM FULL {table}")
    await connection.execute("VACUUM ANALYZE")
    accounts = [row[0] for row in await connection.fetch(_ACCOUNTS, found.company_id)]
    customer = await connection.fetchval("SELECT id FROM customers WHERE company_id = $1 LIMIT 1", found.company_id)
    await connection.close()
    return [*_products(), *_entries(accounts, customer)]


def _products() -> list[Listed]:
    queries = {
        "newest first": "",
        "by name": "&sortBy=name&sortOrder=ASC",
        "by number, descending": "&sortBy=number",
        "searched, by name": "&search=chair&sortBy=name&sortOrder=ASC",
        "active only, newest first": "&status=ACTIVE",
    }
    return [Listed(f"products {name}", f"/api/v1/products?limit=25{query}") for name, query in queries.items()]


def _entries(accounts: Sequence[str], customer: UUID) -> list[Listed]:
    year = FIRST_DAY.year + 2
    queries = {
        "newest first": "",
        "of a year": f"&fromDate={year}-01-01&toDate={year}-12-31",
        "on the busiest account": f"&accountId={accounts[0]}",
        "on another account": f"&accountId={accounts[7]}",
        "on the busiest, of a year": f"&accountId={accounts[0]}&fromDate={year}-01-01&toDate={year}-12-31",
        "of a customer": f"&customerId={customer}",
        "of a type": "&journalType=CUSTOMER_INVOICE",
        "by amount": "&minAmount=200&maxAmount=400",
        "by amount, few": "&minAmount=998.25",
        "by description": "&search=chair",
        "by reference": "&search=r-1",
        "by external id": "&externalSystemId=X-7",
    }
    paths = {"entries": "/api/v1/journal-entries", "drafts": "/api/v1/draft-journal-entries"}
    return [
        Listed(f"{kind} {name}", f"{path}?limit=25{query}")
        for kind, path in paths.items()
        for name, query in queries.items()
    ]


async def timed(connection: Connection, path: str, page: int, key: str) -> tuple[float, bytes]:
    """Milliseconds of one page over HTTP, and the answer."""
    started = time.perf_counter()
    status, body = await connection.send(get(f"{path}&page={page}", key))
    assert status == 200, body
    return (time.perf_counter() - started) * 1000, body


async def measure(port: int, found: Books, lists: Sequence[Listed]) -> None:
    """Print each kind of list with its figures."""
    chance = random.Random(7)
    async with connect(port) as connection:
        for listed in lists:
            _, body = await timed(connection, listed.path, 1, found.key)
            answer = json.loads(body)
            for page in (1, answer["totalPages"] // 2, answer["totalPages"]):
                await timed(connection, listed.path, page, found.key)
            first, any_page = [], []
            for sample in range(SAMPLES):
                if sample % 5 == 0:
                    first.append((await timed(connection, listed.path, 1, found.key))[0])
                page = chance.randint(1, answer["totalPages"])
                any_page.append((await timed(connection, listed.path, page, found.key))[0])
            floor = statistics.median(first)
            p99 = statistics.quantiles(any_page, n=100)[98]
            print(
                f"{listed.name:34} {answer['total']:7,} rows   first page {floor:5.1f} ms   any page median"
                f" {statistics.median(any_page):5.1f} ms   p99 {p99:5.1f} ms   ratio {p99 / floor:.2f}"
                f" ({verdict(p99 / floor, LIMIT)})",
                flush=True,
            )


def main() -> None:
    """Fill, serve, measure."""
    with books() as found:
        lists = asyncio.run(fill_all(found))
        with server(create_app, found.url) as port:
            asyncio.run(measure(port, found, lists))


if __name__ == "__main__":
    main()
