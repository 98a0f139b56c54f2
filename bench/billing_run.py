"""A billing run of one company: subscriptions with a flat and a metered line each, all due on the same day.

Each becomes an invoice that is numbered, posted, kept as a snapshot and handed over, with its events; fsync and
synchronous_commit are on. Limits: 2,000 a second, and at 100,000 at most 1.2 times what one costs at 1,000. Beside it
stands what SQL alone takes to write the same rows, copied from those that the run made.
"""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from bench.support import Books, books, connect, post, scratch_database, server, tenant_of, verdict
from bench.written_rows import next_transaction, write_again
from sqlalchemy.engine import make_url

from ledgerbee.app.main import create_app
from ledgerbee.app.process import freeze_gc
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.app.worker import POOL_SIZE
from ledgerbee.billing.runs import actions, store
from ledgerbee.billing.runs.model import BillingRun, BillingRunTrigger
from ledgerbee.billing.runs.process import process
from ledgerbee.core.dates import first_of_month, system_clock
from ledgerbee.core.paging import PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database

T = TypeVar("T")

FEW = 1_000
MANY = int(os.environ.get("SUBSCRIPTIONS", "100000"))
LIMIT = 2_000
GROWTH = 1.2
_FIRST = PageRequest(1, 25, None, "id", True)

THIS_MONTH = first_of_month(system_clock().date())
LAST_MONTH = first_of_month(THIS_MONTH - timedelta(days=1))

_CUSTOMERS = """
INSERT INTO customers (company_id, id, number, customer_type, name, vat_zone, customer_group_id, country_code, currency,
    address, postal_code, city, created_at, updated_at)
SELECT $1, gen_random_uuid(), n, 'company', 'Customer ' || n, 'domestic', g.id, 'DK', 'DKK', 'Gade ' || n, '8000',
       'Aarhus C', now(), now()
FROM (SELECT id FROM customer_groups WHERE company_id = $1 ORDER BY number LIMIT 1) g
CROSS JOIN generate_series($2::int, $3::int) n
"""
_SUBSCRIPTIONS = """
INSERT INTO subscriptions (company_id, id, customer_id, currency, starts_on, proration_behavior, version, name, plan_id,
    is_paused, is_cancelled, automatic_billing, billed_until, emitted_until, next_run_on, created_at, updated_at)
SELECT $1, gen_random_uuid(), c.id, 'DKK', $2, 'none', 1, 'Basis', $4, false, false, false, $3, $3, $3, now(), now()
FROM customers c WHERE c.company_id = $1
  AND NOT EXISTS (SELECT FROM subscriptions s WHERE s.company_id = $1 AND s.customer_id = c.id)
"""
_VERSIONS = """
INSERT INTO subscription_versions (company_id, id, subscription_id, number, reason, effective_on, is_cancelled, name,
    automatic_billing, plan_id, plan_version, billing_direction, billing_interval, billing_interval_count, anchor,
    anchor_day, proration, is_paused, price_ids, quantities, created_at)
SELECT $1, gen_random_uuid(), s.id, 1, 'assigned', s.starts_on, false, s.name, false, s.plan_id, 1, 'advance', 'month',
       1, s.starts_on, 1, 'none', false, ARRAY[$2::uuid, $3::uuid], ARRAY[3, 1], now()
FROM subscriptions s WHERE s.company_id = $1 AND NOT EXISTS (
    SELECT FROM subscription_versions v WHERE v.company_id = $1 AND v.subscription_id = s.id)
"""
_SCHEDULES = """
INSERT INTO billing_schedules (company_id, subscription_id, price_id, billing_period_type, billed_until,
    next_billing_date, carried)
SELECT $1, s.id, p.id, p.type, CASE p.type WHEN 'USAGE' THEN s.starts_on ELSE s.billed_until END, s.billed_until, 0
FROM subscriptions s CROSS JOIN (VALUES ($2::uuid, 'RECURRING'), ($3::uuid, 'USAGE')) p (id, type)
WHERE s.company_id = $1
ON CONFLICT DO NOTHING
"""
_SPANS = """
INSERT INTO metered_spans (company_id, subscription_id, price_id, meter_id, customer_id, starts_on, chain_starts_on,
    billed_until)
SELECT $1, s.id, $2, $3, s.customer_id, s.starts_on, s.starts_on, s.starts_on
FROM subscriptions s WHERE s.company_id = $1
ON CONFLICT DO NOTHING
"""
_USAGE = """
INSERT INTO usage_days (company_id, subscription_id, meter_id, customer_id, day, events, too_late, withdrawn, sum)
SELECT $1, s.id, $2, s.customer_id, $3::date + d, 10, 0, 0, 25
FROM subscriptions s CROSS JOIN generate_series(0, 19, 5) d
WHERE s.company_id = $1 ON CONFLICT DO NOTHING
"""
_METER = """
INSERT INTO meters (company_id, id, name, status, aggregation, created_at)
VALUES ($1, gen_random_uuid(), 'Calls', 'ACTIVE', 'SUM', now()) RETURNING id
"""


@dataclass(frozen=True)
class Session:
    """Transactions of the company."""

    database: Database
    company_id: UUID

    async def read(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a read-only transaction."""
        return await self.database.run(tenant_of(self.company_id), system_clock(), work, read_only=True)

    async def write(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a transaction, committed on return."""
        return await self.database.run(tenant_of(self.company_id), system_clock(), work)


@dataclass(frozen=True)
class Sold:
    """What every subscription is of."""

    plan_id: UUID
    flat_id: UUID
    metered_id: UUID
    meter_id: UUID


async def _made(port: int, key: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with connect(port) as connection:
        status, answer = await connection.send(post(f"/api{path}", key, json.dumps(body).encode()))
    assert status in {200, 201}, answer
    made: dict[str, Any] = json.loads(answer)
    return made


async def sell(port: int, found: Books) -> Sold:
    """A plan of a flat price and a metered one in tiers."""
    owner = await asyncpg.connect(found.url)
    group_id = await owner.fetchval(
        "SELECT id FROM product_groups WHERE company_id = $1 ORDER BY number LIMIT 1", found.company_id
    )
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    meter_id = await owner.fetchval(_METER, found.company_id)
    await owner.close()
    products = [
        (await _made(port, found.key, "/v1/products", {"number": n, "name": name, "productGroupId": str(group_id)}))[
            "id"
        ]
        for n, name in (("P1", "Basis"), ("P2", "Calls"))
    ]
    every_month = {"billingInterval": "month"}
    flat = {
        "productId": products[0],
        "billingPeriodType": "RECURRING",
        "pricingModel": "FLAT_RATE",
        "unitAmount": "99.50",
        **every_month,
    }
    metered = {
        "productId": products[1],
        "billingPeriodType": "USAGE",
        "pricingModel": "GRADUATED",
        "meterId": str(meter_id),
        "tiers": [{"upTo": 50, "unitAmount": "0"}, {"upTo": None, "unitAmount": "0.42"}],
        **every_month,
    }
    flat_id, metered_id = [
        (await _made(port, found.key, "/v1/product-prices", price))["id"] for price in (flat, metered)
    ]
    plan = {"name": "Basis", "items": [{"priceId": flat_id, "quantity": 3}, {"priceId": metered_id}]}
    plan_id = (await _made(port, found.key, "/v1/subscription-plans", plan))["id"]
    return Sold(UUID(plan_id), UUID(flat_id), UUID(metered_id), meter_id)


async def fill(found: Books, sold: Sold, first: int, last: int) -> None:
    """Subscriptions of new customers that are due today."""
    owner = await asyncpg.connect(found.url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    company = found.company_id
    await owner.execute(_CUSTOMERS, company, first, last)
    await owner.execute(_SUBSCRIPTIONS, company, LAST_MONTH, THIS_MONTH, sold.plan_id)
    await owner.execute(_VERSIONS, company, sold.flat_id, sold.metered_id)
    await owner.execute(_SCHEDULES, company, sold.flat_id, sold.metered_id)
    await owner.execute(_SPANS, company, sold.metered_id, sold.meter_id)
    await owner.execute(_USAGE, company, sold.meter_id, LAST_MONTH)
    await owner.execute("VACUUM ANALYZE")
    await owner.close()


async def run_billing(found: Books) -> tuple[BillingRun, float]:
    """A run over all that is due, and the seconds that it took."""
    database = await Database.open(found.url, reactions=REACTIONS, max_size=POOL_SIZE)
    session = Session(database, found.company_id)

    async def start(context: Context) -> BillingRun:
        return await actions.start(context, as_of=THIS_MONTH, trigger=BillingRunTrigger.REQUESTED, enqueues=False)

    freeze_gc()
    started, cpu = time.perf_counter(), time.process_time()
    run = await process(session, await session.write(start))
    elapsed = time.perf_counter() - started
    print(f"cpu of the worker a subscription: {(time.process_time() - cpu) / max(run.processed, 1) * 1e6:,.0f} us")
    if run.refused or run.code:
        results = await session.read(lambda context: store.list_results(context, run.id, _FIRST))
        print(run, results.rows[:2])
    await database.close()
    return run, elapsed


def main() -> None:
    """Print the figures."""
    with books() as found:
        with server(create_app, found.url) as port:
            sold = asyncio.run(sell(port, found))
        asyncio.run(fill(found, sold, 1, 200))
        asyncio.run(run_billing(found))
        asyncio.run(fill(found, sold, 201, 200 + FEW))
        few, seconds_few = asyncio.run(run_billing(found))
        print(f"{few.invoices:,} subscriptions   {few.invoices / seconds_few:,.0f} a second", flush=True)
        asyncio.run(fill(found, sold, 201 + FEW, 200 + FEW + MANY))
        with scratch_database(found.url, make_url(found.url).database or "") as before:
            first = asyncio.run(next_transaction(found.url))
            many, seconds_many = asyncio.run(run_billing(found))
            seconds_sql = asyncio.run(write_again(found.url, before, found.company_id, first))
        rate = many.invoices / seconds_many
        print(f"{many.invoices:,} subscriptions   {rate:,.0f} a second ({verdict(rate, LIMIT, at_least=True)})")
        growth = (seconds_many / many.invoices) / (seconds_few / few.invoices)
        print(f"cost of one, against that of {FEW:,}   {growth:.2f} ({verdict(growth, GROWTH)})")
        by_sql = many.invoices / seconds_sql
        print(f"the same rows by SQL alone   {by_sql:,.0f} a second, ratio {seconds_many / seconds_sql:.1f}")


if __name__ == "__main__":
    main()
