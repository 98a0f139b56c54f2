"""Charging what a billing run makes: subscriptions that are billed automatically, each to a saved card.

First at the provider that is built in, from the first question to the last booking: at least 500 charges a second. Then
at one that takes two seconds for each answer: what others ask the API meanwhile, and how many of the worker's database
connections are at work or held by a transaction while it waits.
"""

import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import uvloop
from bench.billing_run import fill, run_billing, sell
from bench.support import Books, books, connect, get, post, server, verdict

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.worker_process import run_worker
from ledgerbee.platform import logs

CHARGES: Final = int(os.environ.get("CHARGES", "2000"))
SLOW_CHARGES: Final = int(os.environ.get("SLOW_CHARGES", "400"))
LIMIT: Final = 500
#: Seconds that the slow provider takes.
SLOW_S: Final = 2.0
#: Of the API's answers while it is asked, and while nothing goes on.
P99_GROWTH: Final = 2.0

_CARDS: Final = """
WITH made AS (
    INSERT INTO sandbox_cards (company_id, id, reference, status, language, customer_name, return_url, cancel_url,
        behavior, mask, type, page_secret, expires_at, created_at, updated_at)
    SELECT c.company_id, gen_random_uuid(), 'C' || upper(left(replace(c.id::text, '-', ''), 18)), 'active', 'da',
        c.name, '', '', 'succeeds', 'XXXX', 'visa', replace(c.id::text, '-', ''), now(), now(), now()
    FROM customers c WHERE c.company_id = $1 AND NOT EXISTS (
        SELECT FROM payment_methods m WHERE m.company_id = $1 AND m.customer_id = c.id)
    RETURNING id, page_secret)
INSERT INTO payment_methods (company_id, id, customer_id, provider, agreement_id, is_default, status, created_at,
    updated_at)
SELECT $1, m.id, m.page_secret::uuid, $2, CASE $2 WHEN 'sandbox' THEN m.id::text ELSE $3 || row_number() OVER () END,
    true, 'ACTIVE', now(), now()
FROM made m
"""
_PAID_BY_CARD: Final = """
UPDATE subscriptions s SET automatic_billing = true, payment_method_id = m.id
FROM payment_methods m WHERE s.company_id = $1 AND m.company_id = $1 AND m.customer_id = s.customer_id
"""
_LEFT: Final = "SELECT count(*) FROM charges WHERE company_id = $1 AND finished_at IS NULL"
_TOOK: Final = """
SELECT extract(epoch FROM max(finished_at) - min(asked_at)) FROM charges WHERE company_id = $1 AND status = 'succeeded'
    AND provider = $2
"""
_BUSY: Final = """
SELECT count(*) FILTER (WHERE state <> 'idle') AS busy,
    count(*) FILTER (WHERE xact_start < now() - interval '1 second') AS held
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def _work(url: str, quickpay_url: str) -> None:
    logs.configure("ERROR")
    run_worker(Settings(database_url=url, quickpay_url=quickpay_url, rates_fetch=False))


@contextmanager
def worker(url: str, quickpay_url: str) -> Iterator[int]:
    """The worker's process; its id."""
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(url, quickpay_url))
    process.start()
    assert process.pid is not None
    try:
        yield process.pid
    finally:
        process.terminate()
        process.join(30)
        process.kill()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The head of the next request; empty when there is none."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _serve_slowly(listener: socket.socket) -> None:
    """QuickPay as far as charges go, two seconds late."""
    made = iter(range(1, 10**9))

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n"))}
            body = json.loads(await reader.readexactly(int(fields.get(b"content-length", b"0"))) or b"{}")
            await asyncio.sleep(SLOW_S)
            done = {"qp_status_code": "20000", "amount": body.get("amount"), "pending": False}
            operations = [{"id": 1, "type": "recurring", **done}, {"id": 2, "type": "capture", **done}]
            told = {"id": next(made), "order_id": body.get("order_id"), "currency": "DKK", "operations": operations}
            answer = json.dumps(told).encode()
            length = f"content-length: {len(answer)}\r\n\r\n".encode()
            writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\n" + length + answer)

    async def serve() -> None:
        started = await asyncio.start_server(exchange, sock=listener)
        await started.serve_forever()

    uvloop.run(serve())


@contextmanager
def slow_provider() -> Iterator[str]:
    """A server that is late; its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        process = multiprocessing.get_context("spawn").Process(target=_serve_slowly, args=(listener,))
        process.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.terminate()
            process.join()


@dataclass(frozen=True)
class Seen:
    """What was seen while charges were carried out: seconds of the API's answers, and connections of the database."""

    answers: list[float]
    busy: list[int]
    held: list[int]

    @property
    def p99_ms(self) -> float:
        return statistics.quantiles(self.answers, n=100)[98] * 1000


async def _enable(port: int, found: Books, name: str, keys: dict[str, str]) -> None:
    async with connect(port) as connection:
        body = json.dumps({"isEnabled": True, "keys": keys}).encode()
        request = post(f"/api/v1/payment-providers/{name}", found.key, body).replace(b"POST", b"PUT", 1)
        status, answer = await connection.send(request)
    assert status == 200, answer


async def _give_cards(found: Books, provider: str, serial: int) -> None:
    """Each customer without a card gets one, which pays the subscription."""
    owner = await asyncpg.connect(found.url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    await owner.execute(_CARDS, found.company_id, provider, str(serial))
    await owner.execute(_PAID_BY_CARD, found.company_id)
    await owner.execute("VACUUM ANALYZE")
    await owner.close()


async def _look(port: int, found: Books, seconds: float | None) -> Seen:
    """Ask the API for a page again and again and look at the database, for some seconds or until all has ended."""
    owner = await asyncpg.connect(found.url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    seen, until = Seen([], [], []), time.monotonic() + (seconds or 600)
    request = get("/api/v1/invoices?limit=5", found.key)
    async with connect(port) as connection:
        while time.monotonic() < until:
            started = time.perf_counter()
            status, answer = await connection.send(request)
            assert status == 200, answer
            seen.answers.append(time.perf_counter() - started)
            (row,) = await owner.fetch(_BUSY)
            seen.busy.append(row["busy"])
            seen.held.append(row["held"])
            if seconds is None and not await owner.fetchval(_LEFT, found.company_id):
                break
            await asyncio.sleep(0.02)
    await owner.close()
    return seen


def _cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def _took(found: Books, provider: str) -> float:
    owner = await asyncpg.connect(found.url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    seconds = await owner.fetchval(_TOOK, found.company_id, provider)
    assert await owner.fetchval(_LEFT, found.company_id) == 0
    await owner.close()
    return float(seconds)


def main() -> None:
    """Print the figures."""
    with books() as found, slow_provider() as slow, server(create_app, found.url) as port:
        sold = asyncio.run(sell(port, found))
        asyncio.run(_enable(port, found, "sandbox", {}))
        asyncio.run(fill(found, sold, 1, CHARGES))
        plain, seconds = asyncio.run(run_billing(found))
        print(f"{plain.invoices:,} invoices billed   {plain.invoices / seconds:,.0f} a second", flush=True)
        asyncio.run(fill(found, sold, CHARGES + 1, 2 * CHARGES))
        asyncio.run(_give_cards(found, "sandbox", 0))
        run, seconds = asyncio.run(run_billing(found))
        rate = run.invoices / seconds
        print(f"{run.invoices:,} invoices billed, charges begun   {rate:,.0f} a second", flush=True)
        with worker(found.url, slow) as pid:
            asyncio.run(_look(port, found, None))
            cpu_us = _cpu_s(pid) / CHARGES * 1e6
        print(f"cpu of the worker a charge, its start included: {cpu_us:,.0f} us")
        rate = CHARGES / asyncio.run(_took(found, "sandbox"))
        print(f"{CHARGES:,} charges   {rate:,.0f} a second ({verdict(rate, LIMIT, at_least=True)})", flush=True)

        asyncio.run(_enable(port, found, "quickpay", {"apiKey": "k", "privateKey": "k"}))
        asyncio.run(fill(found, sold, 2 * CHARGES + 1, 2 * CHARGES + SLOW_CHARGES))
        asyncio.run(_give_cards(found, "quickpay", 7))
        asyncio.run(run_billing(found))
        quiet = asyncio.run(_look(port, found, 5))
        with worker(found.url, slow):
            seen = asyncio.run(_look(port, found, None))
        seconds = asyncio.run(_took(found, "quickpay"))
        print(f"{SLOW_CHARGES:,} charges at {SLOW_S:g} s each   {SLOW_CHARGES / seconds:,.0f} a second", flush=True)
        growth = seen.p99_ms / quiet.p99_ms
        print(
            f"p99 of a list   {quiet.p99_ms:.1f} ms without, {seen.p99_ms:.1f} ms with"
            f"   ratio {growth:.1f} ({verdict(growth, P99_GROWTH)})"
        )
        held = max(seen.held)
        print(f"connections at work   median {statistics.median(seen.busy):g}, most {max(seen.busy)}")
        print(f"connections in a transaction of a second or more   {held} ({verdict(held, 0)})")


if __name__ == "__main__":
    main()
