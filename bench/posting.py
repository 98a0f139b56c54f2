"""Posting over HTTP beside pgbench with the best SQL for the same rows (pgbench_post.sql), in turn, entries a second.

Both write journal entries of two lines with everything on: credential, tenancy, idempotency key, event, guards, chain,
fsync and synchronous_commit. The API runs as `serve` runs it, in two processes; what the load generator takes of the
machine itself is printed too. The best of several numbers of clients counts for pgbench.
"""

import asyncio
import json
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import asyncpg
import uvloop
from bench.support import Books, books, companies, connect, entry, post, server, verdict

from ledgerbee.app.cli.importing import begin_file, carry_out
from ledgerbee.app.database_access import Access
from ledgerbee.app.main import create_app
from ledgerbee.embedded.accounts import server_account
from ledgerbee.embedded.binaries import find_binaries
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.platform.db import APPLICATION_ROLE

COMPANIES = 16
ROUNDS = 3
SECONDS = 5
#: Session settings of pgbench: the application's, and no planning anew for each transaction.
OPTIONS = f"-c role={APPLICATION_ROLE} -c jit=off -c enable_seqscan=off -c plan_cache_mode=force_generic_plan"


@dataclass(frozen=True)
class Case:
    """Entries a request, clients of ours over how many companies, what pgbench is tried with, the share to reach."""

    name: str
    batch: int
    clients: int
    companies: int
    pgbench_clients: tuple[int, ...]
    limit: float
    script: str = "pgbench_post.sql"


CASES = (
    Case("singles, 16 clients, 16 companies", 1, 16, 16, (16,), 0.4),
    Case("batches of 100", 100, 8, 8, (1, 2, 4), 0.8),
    Case("singles, 64 clients, one company", 1, 64, 1, (1, 8, 64), 2.0),
)
#: One file into one company, as an import is; pgbench into one company too.
IMPORT = Case("import, chunks of 500, one company", 500, 1, 1, (1, 2), 0.9, "pgbench_import.sql")
IMPORT_ENTRIES = 100_000


@dataclass(frozen=True)
class Target:
    """A company and two of its accounts, ready to be posted to."""

    key: str
    debit: str
    credit: str


async def prepare(found: Sequence[Books]) -> list[Target]:
    """The companies' accounts, and the table from which a client of pgbench learns its company."""
    connection = await asyncpg.connect(found[0].url)
    await connection.execute(
        "CREATE TABLE bench_companies (n int PRIMARY KEY, company_id uuid, secret_hash bytea, version int, debit uuid,"
        " debit_number int, debit_name text, credit uuid, credit_number int, credit_name text);"
        f" GRANT SELECT ON bench_companies TO {APPLICATION_ROLE}"
    )
    targets = []
    for number, one in enumerate(found):
        await connection.execute("SELECT set_config('app.company_id', $1, false)", str(one.company_id))
        debit, credit = await connection.fetch(
            "SELECT id, number, name FROM accounts WHERE company_id = $1 AND role IN ('BANK', 'RETAINED_EARNINGS')",
            one.company_id,
        )
        digest = secret_hash(one.key)
        version = await connection.fetchval("SELECT version FROM credentials WHERE secret_hash = $1", digest)
        await connection.execute(
            "INSERT INTO bench_companies VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            number,
            one.company_id,
            digest,
            version,
            *debit,
            *credit,
        )
        targets.append(Target(one.key, str(debit["id"]), str(credit["id"])))
    await connection.execute("ANALYZE")
    await connection.close()
    return targets


def pgbench(url: str, case: Case, clients: int, seconds: int) -> float:
    """Entries a second that pgbench posts."""
    program = find_binaries(server_account(Path(gettempdir()) / "none")).bin_dir / "pgbench"
    variables = {"known": 0, "companies": case.companies, "batch": case.batch}
    result = subprocess.run(
        [
            str(program),
            *("--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--jobs={min(clients, 2)}"),
            *(f"--define={name}={value}" for name, value in variables.items()),
            *(f"--time={seconds}", f"--file={Path(__file__).with_name(case.script)}", url),
        ],
        env={**os.environ, "PGOPTIONS": OPTIONS},
        capture_output=True,
        text=True,
        check=False,
    )
    rate = re.search(r"^tps = ([\d.]+)", result.stdout, re.MULTILINE)
    assert result.returncode == 0, result.stderr[:2000]
    assert rate is not None, result.stdout
    return float(rate[1]) * case.batch


def request_body(target: Target, batch: int) -> bytes:
    """`batch` entries of two lines."""
    entries = [entry(target.debit, target.credit, number) for number in range(batch)]
    return json.dumps(entries[0] if batch == 1 else {"entries": entries}).encode()


async def over_http(port: int, targets: list[Target], case: Case, seconds: float) -> tuple[float, float]:
    """Entries a second that our API posts, and the CPU seconds that asking took per second."""
    path = "/api/v2/journal-entries" + ("/batch" if case.batch > 1 else "")
    serial = count(time.time_ns())
    posted = 0
    ends = time.perf_counter() + seconds

    async def client(target: Target) -> None:
        nonlocal posted
        placeholder = "idempotency-key-to-be-replaced"
        before, _, after = post(
            path, target.key, request_body(target, case.batch), idempotency_key=placeholder
        ).partition(placeholder.encode())
        async with connect(port) as connection:
            while time.perf_counter() < ends:
                status, body = await connection.send(b"%b%d%b" % (before, next(serial), after))
                assert status == 201, body
                posted += case.batch

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client(targets[n % case.companies]) for n in range(case.clients)))
    elapsed = time.perf_counter() - started
    return posted / elapsed, (time.process_time() - cpu) / elapsed


def post_over_http(port: int, targets: list[Target], case: Case, seconds: float) -> tuple[float, float]:
    """`over_http`, waited for."""
    return uvloop.run(over_http(port, targets, case, seconds))


def import_rate(found: Books, target: Target, file: Path) -> float:
    """Entries a second of an import, from its first chunk to its end, by the code that the worker runs."""
    with file.open("w") as written:
        for number in range(IMPORT_ENTRIES):
            written.write(json.dumps(entry(target.debit, target.credit, number)) + "\n")
    started = time.perf_counter()
    access = Access(found.url, None, None)
    done, *_ = uvloop.run(carry_out(access, found.company_id, begin_file(file, "jsonl", again=True)))
    assert done.entries_posted == IMPORT_ENTRIES, done
    return IMPORT_ENTRIES / (time.perf_counter() - started)


def compare(case: Case, url: str, ours: Callable[[float], tuple[float, float]]) -> None:
    """Print a case's figures: rounds taken in turn, their medians, and our share of pgbench's.

    `ours` posts for some seconds and gives entries a second, and the CPU seconds that asking took per second.
    """
    ours(1)
    tried = {clients: pgbench(url, case, clients, 2) for clients in case.pgbench_clients}
    best = max(tried, key=lambda clients: tried[clients])
    theirs, rates, asking = [], [], []
    for _ in range(ROUNDS):
        theirs.append(pgbench(url, case, best, SECONDS))
        rate, cpu = ours(SECONDS)
        rates.append(rate)
        asking.append(cpu)
    ratio = statistics.median(rates) / statistics.median(theirs)
    print(
        f"{case.name:34} pgbench {statistics.median(theirs):6,.0f}/s ({best} clients)  ours"
        f" {statistics.median(rates):6,.0f}/s  ratio {ratio:.2f} ({verdict(ratio, case.limit, at_least=True)})"
        f"  load generator {statistics.median(asking):.2f} cores",
        flush=True,
    )


def main() -> None:
    """Each case on the same database, which grows under both."""
    with books() as found, TemporaryDirectory() as folder:
        everyone = [found, *asyncio.run(companies(found.url, COMPANIES - 1))]
        targets = asyncio.run(prepare(everyone))
        with server(create_app, found.url, processes=2) as port:
            for case in CASES:
                compare(case, found.url, partial(post_over_http, port, targets, case))
        file = Path(folder) / "entries.jsonl"
        compare(IMPORT, found.url, lambda _: (import_rate(found, targets[0], file), 0.0))


if __name__ == "__main__":
    main()
