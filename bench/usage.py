"""Usage over HTTP: events a second through either door, and what a customer's month takes at ten million events.

Everything is on: credentials, tenancy, keys that are kept for ever, attribution, sums by day, fsync. The API runs as
`serve` runs it, in two processes; what the load generator takes of the machine itself is printed too.
"""

import asyncio
import json
import statistics
import time
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from uuid import UUID

import asyncpg
import uvloop
from bench.support import Books, books, connect, get, post, server, tenant_of, verdict

from ledgerbee.app.main import create_app
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.billing.usage.actions import quantities
from ledgerbee.billing.usage.model import AskedQuantity
from ledgerbee.core.dates import first_of_month, system_clock
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database

CUSTOMERS = 1_000
BATCH = 1_000
SECONDS = 8
ROUNDS = 3
EVENTS = 10_000_000
#: Customers and their subscriptions, each since the beginning of last year.
_FILL = (
    """
    INSERT INTO customers (company_id, id, number, customer_type, name, vat_zone, customer_group_id, country_code,
                           currency, created_at, updated_at)
    SELECT $1, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'B' || n, 'company', 'Kunde ' || n,
        'domestic', (SELECT id FROM customer_groups WHERE company_id = $1 LIMIT 1), 'DK', 'DKK', now(), now()
    FROM generate_series(1, $2::int) n
    """,
    """
    INSERT INTO products (company_id, id, number, name, product_group_id, created_at, updated_at)
    SELECT $1, $2, 'USE', 'API', id, now(), now() FROM product_groups WHERE company_id = $1 LIMIT 1
    """,
    "INSERT INTO meters (company_id, id, name, created_at) VALUES ($1, $2, 'Calls', now())",
    """
    INSERT INTO prices (company_id, id, product_id, billing_period_type, pricing_model, currency, unit_amount,
                        billing_interval, billing_interval_count, meter_id, is_default, created_at, updated_at)
    VALUES ($1, $2, $2, 'USAGE', 'FLAT_RATE', 'DKK', 1, 'month', 1, $2, true, now(), now())
    """,
    """
    INSERT INTO metered_spans (company_id, subscription_id, price_id, meter_id, customer_id, starts_on, chain_starts_on,
                               billed_until)
    SELECT $1, id, $2, $2, id, '2025-01-01', '2025-01-01', '2025-01-01'
    FROM customers WHERE company_id = $1 AND number LIKE 'B%'
    """,
)
_METER = "00000000-0000-7000-9000-000000000001"
#: A million events at a time, spread over customers and the last 90 days.
_EVENTS = """
INSERT INTO usage_events (company_id, id, key, body_hash, meter_id, customer_id, subscription_id, day, occurred_at,
                          value, received_on, received_at, state)
SELECT $1, ('00000000-0000-7000-a000-' || lpad(to_hex(n), 12, '0'))::uuid, 'bench-' || n, '\\x00', $2, c.id, c.id,
       current_date - n % 90, now() - make_interval(days => n % 90), n % 7, current_date, now(), 'accepted'
FROM generate_series($3::int, $4::int) n
CROSS JOIN LATERAL (SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n / 90 % $5::int + 1), 12, '0'))::uuid AS id) c
"""
_DAYS = """
INSERT INTO usage_days (company_id, subscription_id, meter_id, customer_id, day, events, too_late, withdrawn, sum, max,
                        last_value, last_at, last_id)
SELECT company_id, subscription_id, meter_id, customer_id, day, count(*), 0, 0, sum(value), max(value), max(value),
       max(occurred_at), max(id::text)::uuid
FROM usage_events WHERE company_id = $1 GROUP BY 1, 2, 3, 4, 5
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Case:
    """How events come in: events a request, clients, events a second to reach."""

    name: str
    batch: int
    clients: int
    limit: float


CASES = (
    Case("batches of 1,000", BATCH, 4, 20_000),
    Case("singles, 64 clients, one company", 1, 64, 3_000),
)


def customer(number: int) -> str:
    """The id of a customer, from 0."""
    return f"00000000-0000-7000-8000-{number % CUSTOMERS + 1:012x}"


async def _as_owner(found: Books) -> "asyncpg.Connection[asyncpg.Record]":
    connection = await asyncpg.connect(found.url)
    await connection.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    return connection


async def prepare(found: Books) -> None:
    """A meter and a thousand customers, each with a subscription."""
    connection = await _as_owner(found)
    for statement in _FILL:
        await connection.execute(statement, found.company_id, CUSTOMERS if "::int" in statement else _METER)
    await connection.execute("ANALYZE")
    await connection.close()


async def fill(found: Books) -> None:
    """Ten million events, and their sums."""
    connection = await _as_owner(found)
    await connection.execute("SET synchronous_commit = off")
    stride = 1_000_000
    for first in range(1, EVENTS, stride):
        await connection.execute(_EVENTS, found.company_id, _METER, first, first + stride - 1, CUSTOMERS, timeout=600)
    await connection.execute(_DAYS, found.company_id, timeout=600)
    await connection.execute("VACUUM ANALYZE", timeout=600)
    await connection.close()


async def report(port: int, key: str, case: Case, seconds: float) -> tuple[float, float]:
    """Events a second that come in, and the CPU seconds that asking took per second."""
    placeholder = "key-to-be-replaced-"
    serial = count(time.time_ns())
    taken = 0
    ends = time.perf_counter() + seconds

    async def client(number: int) -> None:
        nonlocal taken
        reports = [
            {
                "meterId": _METER,
                "customerId": customer(number * 137 + n * 7),
                "value": 1.5,
                "metadata": {"region": "eu"},
            }
            for n in range(case.batch)
        ]
        if case.batch == 1:
            whole = post("/api/v1/meters/report", key, json.dumps(reports[0]).encode(), idempotency_key=placeholder)
        else:
            events = [{"idempotencyKey": f"{placeholder}{n:04}", **one} for n, one in enumerate(reports)]
            whole = post("/api/v1/meters/report-batch", key, json.dumps({"events": events}).encode())
        async with connect(port) as connection:
            while time.perf_counter() < ends:
                status, body = await connection.send(
                    whole.replace(placeholder.encode(), b"%019d" % (next(serial) % 10**19))
                )
                assert status == 202, body
                taken += case.batch

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client(n) for n in range(case.clients)))
    elapsed = time.perf_counter() - started
    return taken / elapsed, (time.process_time() - cpu) / elapsed


def show(port: int, key: str, case: Case) -> None:
    """Print a case's figures."""
    found = [uvloop.run(report(port, key, case, seconds)) for seconds in (2, *[SECONDS] * ROUNDS)][1:]
    rate, asking = statistics.median(one for one, _ in found), statistics.median(one for _, one in found)
    print(
        f"{case.name:34} {rate:8,.0f} events/s ({verdict(rate, case.limit, at_least=True)})"
        f"  load generator {asking:.2f} cores",
        flush=True,
    )


async def month_of_a_customer(port: int, key: str) -> float:
    """Milliseconds that a customer's month takes, the median of customers."""
    month = first_of_month(system_clock().date())
    took = []
    async with connect(port) as connection:
        for number in range(60):
            path = f"/api/v1/meters/{_METER}/usage?customerId={customer(number * 31)}&from={month}"
            started = time.perf_counter()
            status, body = await connection.send(get(path, key))
            took.append(time.perf_counter() - started)
            assert status == 200, body
            assert json.loads(body)["accepted"] >= 0
    return statistics.median(took) * 1000


async def first_page(port: int, key: str, query: str) -> float:
    """Milliseconds that a page of events takes."""
    took = []
    async with connect(port) as connection:
        for _ in range(5):
            started = time.perf_counter()
            status, body = await connection.send(get(f"/api/v1/usage/events?{query}", key))
            took.append(time.perf_counter() - started)
            assert status == 200, body
    return statistics.median(took) * 1000


async def many_quantities(found: Books) -> float:
    """Milliseconds that the quantities of 500 subscriptions' months take."""
    today = system_clock().date()
    month = first_of_month(today)
    asked = [AskedQuantity(UUID(customer(n)), UUID(_METER), month - timedelta(days=31), month) for n in range(500)]

    async def work(context: Context) -> float:
        started = time.perf_counter()
        used = await quantities(context, asked)
        assert sum(one.events for one in used) > 0
        return time.perf_counter() - started

    database = await Database.open(found.url, reactions=REACTIONS, max_size=1)
    took = [await database.run(tenant_of(found.company_id), system_clock(), work) for _ in range(5)]
    await database.close()
    return statistics.median(took) * 1000


def main() -> None:
    """Both doors on a new company, then what is read of ten million events."""
    with books() as found:
        asyncio.run(prepare(found))
        with server(create_app, found.url, processes=2) as port:
            for case in CASES:
                show(port, found.key, case)
        asyncio.run(fill(found))
        with server(create_app, found.url, processes=2) as port:
            took = asyncio.run(month_of_a_customer(port, found.key))
            print(f"a customer's month at {EVENTS:,} events   {took:6.1f} ms ({verdict(took, 20)})", flush=True)
            for query in ("page=1", "page=20000", f"meterId={_METER}", f"customerId={customer(5)}&page=3"):
                print(f"events, {query:58.58} {asyncio.run(first_page(port, found.key, query)):6.1f} ms", flush=True)
            print(
                f"quantities of 500 subscriptions' months   {asyncio.run(many_quantities(found)):6.1f} ms", flush=True
            )
            for case in CASES:
                show(port, found.key, case)


if __name__ == "__main__":
    main()
