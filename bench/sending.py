"""Sending invoices of one company over HTTP, invoices a second: one by one by several clients, and in batches.

Each is booked whole: number, journal entry, snapshot, delivery, events; fsync and synchronous_commit are on. The API
runs as `serve` runs it, in two processes. Limits: 250 a second one by one, 1,000 in batches of 1,000.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

import asyncpg
from bench.support import Books, books, connect, post, server, verdict

from ledgerbee.app.main import create_app
from ledgerbee.core.dates import system_clock

CLIENTS = 8
SINGLES = 2_000
BATCH = 1_000
ROUNDS = 3
SINGLES_LIMIT = 250
BATCH_LIMIT = 1_000

#: Copies of a draft with its lines, all columns but the ids: drafting is not what is measured.
_COLUMNS = (
    "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0"
    " AND NOT attisdropped AND attgenerated = '' AND attname <> ALL ($2)"
)


async def _made(port: int, key: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with connect(port) as connection:
        status, answer = await connection.send(post(f"/api{path}", key, json.dumps(body).encode()))
    assert status in {200, 201}, answer
    made: dict[str, Any] = json.loads(answer)
    return made


async def _draft(port: int, found: Books) -> str:
    """A draft of two lines to a new customer."""
    owner = await asyncpg.connect(found.url)
    first = "SELECT id FROM {} WHERE company_id = $1 ORDER BY number LIMIT 1"
    group_id = await owner.fetchval(first.format("product_groups"), found.company_id)
    customer_group_id = await owner.fetchval(first.format("customer_groups"), found.company_id)
    await owner.close()
    product = {"number": "P1", "name": "Coffee", "productGroupId": str(group_id)}
    product_id = (await _made(port, found.key, "/v1/products", product))["id"]
    price = {"productId": product_id, "billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE", "unitAmount": "80"}
    price_id = (await _made(port, found.key, "/v1/product-prices", price))["id"]
    customer = {
        "customerNumber": "1",
        "customerType": "company",
        "name": "Havblik A/S",
        "vatZone": "domestic",
        "customerGroupId": str(customer_group_id),
        "countryCode": "DK",
        "address": "Havnegade 1",
        "postalCode": "1058",
        "city": "København K",
    }
    draft = {
        "customerId": (await _made(port, found.key, "/v1/customers", customer))["id"],
        "date": system_clock().date().isoformat(),
        "lines": [{"priceId": price_id, "quantity": 3}, {"priceId": price_id, "quantity": 1, "unitPrice": "12.50"}],
    }
    return str((await _made(port, found.key, "/v1/invoices", draft))["id"])


async def _copies(found: Books, draft_id: str, count: int) -> list[str]:
    owner = await asyncpg.connect(found.url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    columns = await owner.fetchval(_COLUMNS, "invoices", ["id"])
    line_columns = await owner.fetchval(_COLUMNS, "invoice_lines", ["id", "invoice_id"])
    rows = await owner.fetch(
        f"INSERT INTO invoices (id, {columns}) SELECT gen_random_uuid(), {columns} FROM invoices,"
        " generate_series(1, $3::int) WHERE company_id = $1 AND id = $2 RETURNING id",
        found.company_id,
        draft_id,
        count,
    )
    ids = [row["id"] for row in rows]
    await owner.execute(
        f"INSERT INTO invoice_lines (id, invoice_id, {line_columns}) SELECT gen_random_uuid(), i.id, {line_columns}"
        " FROM invoice_lines l, unnest($3::uuid[]) i (id) WHERE l.company_id = $1 AND l.invoice_id = $2",
        found.company_id,
        draft_id,
        ids,
    )
    await owner.execute("ANALYZE invoices, invoice_lines")
    await owner.close()
    return [str(one) for one in ids]


async def _one_by_one(port: int, key: str, ids: Sequence[str]) -> float:
    """Invoices a second, sent by several clients."""

    async def client(own: Sequence[str]) -> None:
        async with connect(port) as connection:
            for invoice_id in own:
                status, body = await connection.send(post(f"/api/v1/invoices/{invoice_id}/send", key, b"{}"))
                assert status == 200, body

    started = time.perf_counter()
    await asyncio.gather(*(client(ids[place::CLIENTS]) for place in range(CLIENTS)))
    return len(ids) / (time.perf_counter() - started)


async def _in_a_batch(port: int, key: str, ids: Sequence[str]) -> float:
    """Invoices a second, sent by one request."""
    started = time.perf_counter()
    answer = await _made(port, key, "/v1/invoices/send-batch", {"invoiceIds": list(ids)})
    elapsed = time.perf_counter() - started
    assert {one["outcome"] for one in answer["results"]} == {"sent"}, answer
    return len(ids) / elapsed


async def _measure(port: int, found: Books) -> tuple[list[float], list[float]]:
    draft_id = await _draft(port, found)
    await _in_a_batch(port, found.key, await _copies(found, draft_id, 200))
    await _one_by_one(port, found.key, await _copies(found, draft_id, 200))
    singles, batches = [], []
    for _ in range(ROUNDS):
        singles.append(await _one_by_one(port, found.key, await _copies(found, draft_id, SINGLES)))
        batches.append(await _in_a_batch(port, found.key, await _copies(found, draft_id, BATCH)))
    return singles, batches


def main() -> None:
    """Print both figures: medians of rounds taken in turn."""
    with books() as found, server(create_app, found.url, processes=2) as port:
        singles, batches = (statistics.median(rates) for rates in asyncio.run(_measure(port, found)))
    one_by_one = f"{singles:,.0f} invoices/s ({verdict(singles, SINGLES_LIMIT, at_least=True)})"
    print(f"sent one by one, {CLIENTS} clients, one company   {one_by_one}")
    in_batches = f"{batches:,.0f} invoices/s ({verdict(batches, BATCH_LIMIT, at_least=True)})"
    print(f"sent in batches of {BATCH:,}, one company      {in_batches}")


if __name__ == "__main__":
    main()
