"""What one company's load costs another: the p99 of the other's `GET`, quiet and under each kind of load.

The load: imports of long files, changes that wait for a row, slow uploads, bodies made to take long (1.1 million
unknown keys, 14 MB of digits, deep nesting), and all of it at once. On `ledgerbee serve` with two API processes and its
worker. Rounds of quiet and load take turns, for they are measured on the same machine: the median of the rounds' ratios
stays under the limit.
"""

import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import asyncpg
from bench.support import Books, books, companies, connect, get, post, verdict

LIMIT = 5.0
ROUNDS = 3
SECONDS = 5.0
#: Requests of the neighbour a second: it measures answers, not the machine's capacity.
PACE_S = 0.02
READ = "/api/v1/company"
_LISTENS = re.compile(r"http://127\.0\.0\.1:(\d+)")


@contextmanager
def serving(found: Books) -> Iterator[int]:
    """`ledgerbee serve` on the database; its port."""
    with tempfile.TemporaryDirectory(prefix="ledgerbee-bench-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as told:
            program = subprocess.Popen(
                [Path(sys.executable).with_name("ledgerbee"), "serve", "--port", str(PORT)],
                env={
                    **os.environ,
                    "DATABASE_URL": found.url,
                    "LEDGERBEE_ATTACHMENTS_DIR": f"{folder}/attachments",
                    "LEDGERBEE_PROCESSES": "2",
                    "LEDGERBEE_RATES_FETCH": "false",
                    "LEDGERBEE_LOG_LEVEL": "WARNING",
                },
                stdout=told,
                stderr=subprocess.STDOUT,
            )
        try:
            deadline = time.monotonic() + 60
            while not _LISTENS.search(log.read_text()):
                if program.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(log.read_text())
                time.sleep(0.1)
            yield PORT
        finally:
            program.send_signal(signal.SIGTERM)
            program.wait(60)


PORT = int(os.environ.get("LEDGERBEE_BENCH_PORT", "19390"))


async def neighbour(port: int, key: str, seconds: float) -> list[float]:
    """Milliseconds of each answer to the neighbour's reads, over connections to both processes."""
    taken: list[float] = []

    async def reader() -> None:
        async with connect(port) as connection:
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                started = time.perf_counter()
                status, body = await connection.send(get(READ, key))
                taken.append((time.perf_counter() - started) * 1000)
                assert status == 200, body
                await asyncio.sleep(PACE_S)

    await asyncio.gather(*(reader() for _ in range(4)))
    return taken


async def again(once: Callable[[], Awaitable[object]]) -> None:
    """Do it again and again; a connection that the server closes is opened anew."""
    while True:
        with suppress(OSError, EOFError, asyncio.IncompleteReadError, ValueError):
            await once()
        await asyncio.sleep(0.01)


def patch(key: str, number: int) -> bytes:
    """A change of the company's row."""
    return post("/api/v1/company", key, json.dumps({"name": f"Name {number}"}).encode()).replace(b"POST", b"PATCH", 1)


def upload(key: str, accounts: tuple[int, int], rows: int) -> bytes:
    """A file to import."""
    row = {
        "entryType": "JOURNAL_ENTRY",
        "date": time.strftime("%Y-%m-%d"),
        "originalAmount": "1.00",
        "lines": [
            {"accountNumber": number, "side": side, "amount": "1.00"}
            for number, side in zip(accounts, ("DEBIT", "CREDIT"), strict=True)
        ],
    }
    body = (json.dumps(row) + "\n").encode() * rows
    request = post("/api/v2/journal-entries/import", key, body)
    return request.replace(b"application/json", b"application/x-ndjson", 1)


def hostile(key: str) -> list[bytes]:
    """Bodies that are made to take long."""
    path = "/api/v1/customers"
    return [
        post(path, key, b"{" + b",".join(b'"k%d":1' % n for n in range(1_100_000)) + b"}"),
        post(path, key, b'{"metadata":{"n":' + b"9" * 14_000_000 + b"}}"),
        post(path, key, b'{"metadata":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        post(path, key, b'{"metadata":[' + b",".join([b"[]"] * 4_000_000) + b"]}"),
    ]


async def send_slowly(port: int, request: bytes) -> None:
    """A body that trickles in."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for start in range(0, len(request), 1000):
            writer.write(request[start : start + 1000])
            await writer.drain()
            await asyncio.sleep(0.05)
    finally:
        writer.close()


async def once(port: int, request: bytes) -> None:
    """Send it over a connection of its own."""
    async with connect(port) as connection:
        await connection.send(request)


async def hold_row(found: Books) -> None:
    """Hold the company's row, a second at a time, as a long change of it would."""
    owner = await asyncpg.connect(found.url)
    try:
        await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
        while True:
            async with owner.transaction():
                await owner.execute("SELECT FROM companies WHERE company_id = $1 FOR UPDATE", found.company_id)
                await asyncio.sleep(1)
    finally:
        await owner.close()


def loads(port: int, found: Books, accounts: tuple[int, int]) -> dict[str, list[Callable[[], Awaitable[object]]]]:
    """What the other company does, by name: each is done again and again by all of its callers."""
    long_file, file = upload(found.key, accounts, 20_000), upload(found.key, accounts, 200)
    return {
        "imports": [partial(once, port, long_file), *[partial(once, port, file)] * 3],
        "lock waits": [
            partial(hold_row, found),
            *(partial(once, port, patch(found.key, number)) for number in range(40)),
        ],
        "slow uploads": [partial(send_slowly, port, long_file)] * 20,
        "hostile bodies": [partial(once, port, request) for request in hostile(found.key)],
    }


async def round_of(port: int, key: str, load: list[Callable[[], Awaitable[object]]]) -> tuple[float, float]:
    """The neighbour's p99 in milliseconds, quiet and under a load."""
    quiet = await neighbour(port, key, SECONDS)
    tasks = [asyncio.create_task(again(one)) for one in load]
    await asyncio.sleep(1)
    loaded = await neighbour(port, key, SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await calm(port, key, 2 * p99(quiet))
    return p99(quiet), p99(loaded)


async def calm(port: int, key: str, milliseconds: float) -> None:
    """Until what the load has begun is over, and answers come as fast as before it; a minute at most."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends and max(await neighbour(port, key, 1)) > milliseconds:
        pass


def p99(taken: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(taken, n=100)[98]


async def account_numbers(found: Books) -> tuple[int, int]:
    """Two accounts to post on."""
    owner = await asyncpg.connect(found.url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    rows = await owner.fetch(
        "SELECT number FROM accounts WHERE company_id = $1 AND control_account_type IS NULL AND is_active"
        " AND ledger_type = 'BALANCE_SHEET' ORDER BY number LIMIT 2",
        found.company_id,
    )
    await owner.close()
    return rows[0]["number"], rows[1]["number"]


async def measure(port: int, busy: Books, other: Books) -> None:
    """Print each load's figures, and all loads' together."""
    found = loads(port, busy, await account_numbers(busy))
    found["all of it"] = [one for load in found.values() for one in load]
    await neighbour(port, other.key, 2)
    for name, load in found.items():
        rounds = [await round_of(port, other.key, load) for _ in range(ROUNDS)]
        ratio = statistics.median(loaded / quiet for quiet, loaded in rounds)
        quiet, loaded = (statistics.median(figures) for figures in zip(*rounds, strict=True))
        print(
            f"{name:15} neighbour's p99 {loaded:7.1f} ms, quiet {quiet:5.1f} ms   ratio {ratio:6.2f}"
            f" ({verdict(ratio, LIMIT)})",
            flush=True,
        )


def main() -> None:
    """Serve, and measure."""
    with books() as busy:
        (other,) = asyncio.run(companies(busy.url, 1))
        with serving(busy) as port:
            asyncio.run(measure(port, busy, other))


if __name__ == "__main__":
    main()
