"""What one company's load costs another: the p99 of the other's `GET`, quiet and under each kind of load.

The load: imports of long files, changes that wait for a row, slow uploads, bodies made to take long (each as much as
its operation takes: unknown keys, digits, escapes, wrong lines, files), and all of it at once. On `ledgerbee serve`
with two API processes and its worker. A process of its own makes the load, so that the neighbour's clock doesn't
measure that; it tells what was answered, and a load that is not answered as it has to be is no measurement: the script
fails. Rounds of quiet and load take turns, for they are measured on the same machine: the median of the rounds' ratios
stays under the limit.
"""

import asyncio
import base64
import json
import multiprocessing
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection as _Pipe
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


@dataclass(frozen=True)
class Load:
    """What is done again and again by each of its callers, and the answers that show that it does what it is to do."""

    callers: Sequence[Callable[[], Awaitable[int]]]
    answers: frozenset[int]


#: What is told of a connection that broke off.
BROKEN = 0


async def again(once: Callable[[], Awaitable[int]], answers: Counter[int]) -> None:
    """Do it again and again, and count the answers; a connection that the server closes is opened anew."""
    while True:
        try:
            answers[await once()] += 1
        except (OSError, EOFError, ValueError):
            answers[BROKEN] += 1
        await asyncio.sleep(0.01)


def make_load(name: str, port: int, found: Books, accounts: tuple[int, int], line: _Pipe) -> None:
    """In a process of its own: a load from the first word on `line` to the next; then the answers that it had."""

    async def run() -> None:
        load = loads(port, found, accounts)[name]
        while True:
            line.send(None)  # ready
            await asyncio.to_thread(line.recv)
            answers: Counter[int] = Counter()
            tasks = [asyncio.create_task(again(one, answers)) for one in load.callers]
            is_over = await asyncio.to_thread(line.recv)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            line.send(answers)
            if is_over:
                return

    asyncio.run(run())


@contextmanager
def loading(name: str, port: int, found: Books, accounts: tuple[int, int]) -> Iterator[_Pipe]:
    """The process of a load, ready to begin."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=make_load, args=(name, port, found, accounts, theirs), daemon=True)
    process.start()
    try:
        ours.recv()
        yield ours
    finally:
        process.terminate()
        process.join()


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


def hostile(key: str, accounts: tuple[int, int]) -> list[bytes]:
    """Bodies that are made to take long: as much as an operation takes, so that their length refuses none."""
    entries, batch, customers = "/api/v2/journal-entries", "/api/v2/journal-entries/batch", "/api/v1/customers"
    entry = {"entryType": "JOURNAL_ENTRY", "date": time.strftime("%Y-%m-%d"), "originalAmount": "1.00"}
    lines = [{"accountId": str(number), "side": "DEBIT", "amount": "1.00"} for number in accounts]
    file = base64.b64encode(b"%PDF-1.7\n" + b"\0" * 10_500_000).decode()
    attached = {"fileName": "a.exe", "contentType": "application/pdf", "content": file}
    return [
        post(path, key, body if isinstance(body, bytes) else json.dumps(body).encode())
        for path, body in (
            (customers, {f"k{number}": 1 for number in range(19_000)}),
            (customers, b'{"name":"' + b"\\u0041" * 170_000 + b'"}'),
            (entries, {f"k{number}": 1 for number in range(99_000)}),
            (entries, b"[" + b"[]," * 4_600_000 + b"[]]"),
            (entries, b'{"originalAmount":' + b"9" * 14_000_000 + b"}"),
            (entries, b'{"description":"' + b"\\u0041" * 490_000 + b'"}'),
            (entries, b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
            (entries, {**entry, "lines": lines * 5_000}),
            (entries, {**entry, "lines": lines, "attachments": [attached]}),
            (batch, {"entries": [{**entry, "lines": [{"x": 1}] * 400}] * 100}),
        )
    ]


async def send_slowly(port: int, request: bytes) -> int:
    """A body that trickles in for three seconds, and breaks off."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for start in range(0, 60_000, 1000):
            writer.write(request[start : start + 1000])
            await writer.drain()
            await asyncio.sleep(0.05)
    finally:
        writer.close()
    return BROKEN


async def once(port: int, request: bytes) -> int:
    """Send it over a connection of its own; the answer's status."""
    async with connect(port) as connection:
        return (await connection.send(request))[0]


async def hold_row(found: Books) -> int:
    """Hold the company's row for a second, as a long change of it would."""
    owner = await asyncpg.connect(found.url)
    try:
        await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
        async with owner.transaction():
            await owner.execute("SELECT FROM companies WHERE company_id = $1 FOR UPDATE", found.company_id)
            await asyncio.sleep(1)
    finally:
        await owner.close()
    return 200


def loads(port: int, found: Books, accounts: tuple[int, int]) -> dict[str, Load]:
    """What the other company does, by name."""
    long_file, file = upload(found.key, accounts, 20_000), upload(found.key, accounts, 200)
    changes = [partial(once, port, patch(found.key, number)) for number in range(40)]
    bodies = [partial(once, port, request) for request in hostile(found.key, accounts)]
    made = {
        # Too many that wait are refused.
        "imports": Load([partial(once, port, long_file), *[partial(once, port, file)] * 3], frozenset({202, 429})),
        # A change that waits for too long is refused.
        "lock waits": Load([partial(hold_row, found), *changes], frozenset({200, 503})),
        "slow uploads": Load([partial(send_slowly, port, long_file)] * 20, frozenset({BROKEN})),
        # Read to their end and refused for what is in them, or sent away while others of the company are.
        "hostile bodies": Load(bodies, frozenset({400, 503})),
    }
    callers = [one for load in made.values() for one in load.callers]
    return {**made, ALL: Load(callers, frozenset().union(*(load.answers for load in made.values())))}


ALL = "all of it"


async def round_of(
    port: int, busy: Books, key: str, load: _Pipe, *, is_last: bool
) -> tuple[float, float, Counter[int]]:
    """The neighbour's p99 in milliseconds, quiet and under a load; what was answered to the load."""
    quiet = await neighbour(port, key, SECONDS)
    load.send(False)
    await asyncio.sleep(1)
    loaded = await neighbour(port, key, SECONDS)
    load.send(is_last)
    answers = await asyncio.to_thread(load.recv)
    if not is_last:
        await asyncio.to_thread(load.recv)  # ready again
    await cancel_imports(busy)
    await calm(port, key, 2 * p99(quiet))
    return p99(quiet), p99(loaded), answers


async def cancel_imports(found: Books) -> None:
    """What waits to be imported is load no more."""
    owner = await asyncpg.connect(found.url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    await owner.execute(
        "UPDATE journal_imports SET status = 'cancelled', completed_at = now(), bytes_kept = 0"
        " WHERE company_id = $1 AND status IN ('receiving', 'queued', 'running')",
        found.company_id,
    )
    await owner.execute("DELETE FROM import_parts WHERE company_id = $1", found.company_id)
    await owner.close()


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
    """Print each load's figures, and all loads' together. Raises `RuntimeError` for a load that was none."""
    accounts = await account_numbers(busy)
    wanted = {name: load.answers for name, load in loads(port, busy, accounts).items()}
    await neighbour(port, other.key, 2)
    for name, expected in wanted.items():
        with loading(name, port, busy, accounts) as load:
            rounds = [
                await round_of(port, busy, other.key, load, is_last=number == ROUNDS) for number in range(1, ROUNDS + 1)
            ]
        answers = sum((found for _, _, found in rounds), Counter[int]())
        if not answers.keys() & expected or answers.keys() - expected - {BROKEN}:
            raise RuntimeError(f"{name}: answered {dict(answers)}, which is not what it is to cause")
        ratio = statistics.median(loaded / quiet for quiet, loaded, _ in rounds)
        quiet = statistics.median(one for one, _, _ in rounds)
        loaded = statistics.median(one for _, one, _ in rounds)
        print(
            f"{name:15} neighbour's p99 {loaded:7.1f} ms, quiet {quiet:5.1f} ms   ratio {ratio:6.2f}"
            f" ({verdict(ratio, LIMIT)})   answers {dict(sorted(answers.items()))}",
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
