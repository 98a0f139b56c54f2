"""What the benchmarks share: a database and company of their own, a server process, a bare HTTP load."""

import asyncio
import json
import multiprocessing
import os
import re
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from multiprocessing.synchronize import Semaphore
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import uvicorn
from sqlalchemy.engine import make_url
from starlette.types import ASGIApp, Receive, Scope, Send

from ledgerbee.app.onboarding import create_company
from ledgerbee.app.process import freeze_gc
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.app.serve import listen, reuse_port_socket
from ledgerbee.core.dates import system_clock
from ledgerbee.core.ids import new_id
from ledgerbee.embedded import running
from ledgerbee.migrations.migrate import migrate
from ledgerbee.platform import logs
from ledgerbee.platform.context import Actor, Context
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.platform.db import Database, Tenant
from ledgerbee.tenancy.api_keys import actions as api_keys
from ledgerbee.tenancy.company.model import CompanyFields


@dataclass(frozen=True)
class Books:
    """A migrated database with one company and its key."""

    url: str
    company_id: UUID
    key: str


_serial = count()


def verdict(figure: float, limit: float, *, at_least: bool = False) -> str:
    """The limit beside which a figure is printed, and whether it falls short of it: `bench.run_all` looks for that."""
    kept = figure >= limit if at_least else figure <= limit
    return f"{'at least' if at_least else 'limit'} {limit:g}" + ("" if kept else f", {FELL_SHORT}")


#: What stands in a line of a benchmark that is beyond its limit.
FELL_SHORT = "FELL SHORT"


@contextmanager
def books() -> Iterator[Books]:
    """A fresh database on `DATABASE_URL`'s server or an embedded one of its own, dropped afterwards."""
    with tempfile.TemporaryDirectory(prefix="ledgerbee-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with (
            _environment(
                LEDGERBEE_ATTACHMENTS_DIR=f"{folder}/attachments",
                LEDGERBEE_SECRET_KEY_FILE=f"{folder}/secret.key",
                LEDGERBEE_WEBHOOKS_ALLOW_LOOPBACK="true",
            ),
            _server(Path(folder)) as server,
            scratch_database(server) as url,
        ):
            asyncio.run(migrate(url))
            yield asyncio.run(companies(url, 1))[0]


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Environment variables for the processes that are started meanwhile: theirs is not the user's own folder."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def scratch_database(server: str, template: str = "template1") -> Iterator[str]:
    """A database beside the one that `server` names, dropped afterwards: empty, or as the database `template` is.

    Nobody may be connected to that.
    """
    name = f"ledgerbee_bench_{os.getpid()}_{next(_serial)}"
    asyncio.run(_on(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(_on(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with running(folder / "data") as server:
        yield server.dsn(database="postgres")


async def _on(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def companies(url: str, count: int) -> list[Books]:
    """New companies in the database, each with its key."""

    async def work(context: Context) -> Books:
        fields = CompanyFields(
            name="Bench ApS",
            preferred_language="da",
            time_zone="Europe/Copenhagen",
            vat_number="13585628",
            address="Havnegade 1",
            postal_code="1058",
            city="København K",
        )
        await create_company(context, fields, country_code="DK")
        return Books(url, context.company_id, (await api_keys.create(context, name="bench", scopes=SCOPES))[1])

    database = await Database.open(url, reactions=REACTIONS, max_size=2)
    made = [await database.run(tenant_of(new_id()), system_clock(), work) for _ in range(count)]
    await database.close()
    return made


#: Old books: entries of two lines by day over the five years before this one, spread over 90 accounts.
FIRST_DAY = date(system_clock().year - 5, 1, 1)
LAST_DAY = date(system_clock().year - 1, 12, 31)
_FILL = (
    """
INSERT INTO accounts (company_id, id, number, name, standard_number, ledger_type, classification, created_at)
SELECT $1, gen_random_uuid(), 90000 + n, 'Account ' || n, 90000 + n, 'BALANCE_SHEET', 'ASSET', now()
FROM generate_series(1, 90 - (SELECT count(*) FROM accounts WHERE company_id = $1
    AND ledger_type IN ('BALANCE_SHEET', 'PROFIT_AND_LOSS') AND control_account_type IS NULL)) n
""",
    """
INSERT INTO fiscal_years (company_id, id, start_date, end_date)
SELECT $1, gen_random_uuid(), make_date(y, 1, 1), make_date(y, 12, 31)
FROM generate_series(extract(year FROM $2::date)::int, extract(year FROM $3::date)::int) y
ON CONFLICT (company_id, start_date) DO NOTHING
""",
    """
INSERT INTO journal_entries (company_id, id, entry_type, entry_date, fiscal_year_id, entry_number, chain_position,
    line_count, currency, exchange_rate, original_amount, description, reference, posted_at, previous_hash, hash)
SELECT $1, (lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, 'JOURNAL_ENTRY', d.day, f.id,
       f.last_entry_number + row_number() OVER (PARTITION BY f.id ORDER BY n), n, 2, 'DKK', 1, n % 1000 + 0.25,
       'Sale ' || n, 'R-' || n, now(), sha256(int8send(n)), sha256(int8send(n + 1))
FROM ledgers g
CROSS JOIN generate_series(g.chain_position + 1, $4::bigint) n
CROSS JOIN LATERAL (SELECT $2::date + (n * ($3::date - $2::date + 1) / ($4 + 1))::int AS day) d
JOIN fiscal_years f ON f.company_id = $1 AND d.day BETWEEN f.start_date AND f.end_date
WHERE g.company_id = $1
""",
    """
INSERT INTO journal_lines (company_id, entry_id, line_number, id, account_id, entry_date, is_debit, currency, amount,
    base_amount, line_type)
SELECT $1, e.id, l, e.id, a.ids[1 + (e.chain_position * 37 + (l - 1) * (1 + e.chain_position / 90 % 89)) % 90],
       e.entry_date, l = 1, e.currency, e.original_amount * (3 - 2 * l), e.original_amount * (3 - 2 * l), 'ENTERED'
FROM journal_entries e
JOIN ledgers g ON g.company_id = e.company_id AND e.chain_position > g.chain_position
CROSS JOIN (SELECT array_agg(id ORDER BY number) AS ids FROM accounts WHERE company_id = $1
    AND ledger_type IN ('BALANCE_SHEET', 'PROFIT_AND_LOSS') AND control_account_type IS NULL) a
CROSS JOIN generate_series(1, 2) l
WHERE e.company_id = $1
""",
    """
INSERT INTO account_months (company_id, account_id, currency, month, debit, credit, base_debit, base_credit)
SELECT company_id, account_id, currency, date_trunc('month', entry_date)::date,
       coalesce(sum(amount) FILTER (WHERE is_debit), 0), coalesce(-sum(amount) FILTER (WHERE NOT is_debit), 0),
       coalesce(sum(base_amount) FILTER (WHERE is_debit), 0), coalesce(-sum(base_amount) FILTER (WHERE NOT is_debit), 0)
FROM journal_lines WHERE company_id = $1 GROUP BY 1, 2, 3, 4
ON CONFLICT (company_id, account_id, currency, month) DO UPDATE SET debit = excluded.debit, credit = excluded.credit,
    base_debit = excluded.base_debit, base_credit = excluded.base_credit
""",
    """
SELECT roll_up_days($1, rolled_up_through(g.chain_position) + 1, rolled_up_through(
    (SELECT max(e.chain_position) FROM journal_entries e WHERE e.company_id = $1)))
FROM ledgers g WHERE g.company_id = $1
""",
    """
UPDATE fiscal_years f SET last_entry_number = (SELECT count(*) FROM journal_entries e
    WHERE e.company_id = $1 AND e.fiscal_year_id = f.id) WHERE f.company_id = $1
""",
    """
UPDATE ledgers SET chain_position = (SELECT coalesce(max(chain_position), 0) FROM journal_entries WHERE company_id = $1)
WHERE company_id = $1
""",
)


async def fill(found: Books, lines: int, *, settle: bool = True) -> None:
    """Bring a company's books to `lines` lines, as the owner: the guards' work is done for them.

    Ids ascend, as UUIDv7 do. `settle` leaves the tables as autovacuum does some time later; without it, statistics and
    the plans of running sessions stay as they were.
    """
    connection = await asyncpg.connect(found.url)
    await connection.execute("SET synchronous_commit = off; SET jit = off; SET work_mem = '64MB'")
    await connection.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    values = (found.company_id, FIRST_DAY, LAST_DAY, lines // 2)
    async with connection.transaction():
        for verb in ("DISABLE", "ENABLE"):
            for table in ("journal_entries", "journal_lines"):
                await connection.execute(f"ALTER TABLE {table} {verb} TRIGGER USER")
            for statement in _FILL if verb == "DISABLE" else ():
                await connection.execute(statement, *values[: max(int(n) for n in re.findall(r"\$(\d)", statement))])
    if settle:
        await connection.execute("VACUUM ANALYZE")
    await connection.close()


def tenant_of(company_id: UUID) -> Tenant:
    """The company, worked on by the operator."""
    return Tenant(company_id, Actor("operator", "bench"), "bench", "UTC")


class _Metered:
    """Answers `/__cpu` with the process's CPU seconds and resident bytes, hands on everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/__cpu":
            await self.app(scope, receive, send)
            return
        body = json.dumps({"cpu": time.process_time(), "rss": _resident_bytes()}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class _Server(uvicorn.Server):
    """uvicorn that tells when it listens."""

    def __init__(self, config: uvicorn.Config, listens: Semaphore) -> None:
        super().__init__(config)
        self._listens = listens

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        freeze_gc()
        self._listens.release()


def _serve(
    make_app: Callable[..., ASGIApp], arguments: tuple[Any, ...], listener: socket.socket, log: str, listens: Semaphore
) -> None:
    logs.configure("INFO")
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)  # written, as in production
    config = uvicorn.Config(
        _Metered(make_app(*arguments)), loop="uvloop", http="httptools", log_config=None, access_log=False
    )
    _Server(config, listens).run(sockets=[listener])


@contextmanager
def server(
    make_app: Callable[..., ASGIApp], *arguments: Any, log: str = os.devnull, processes: int = 1
) -> Iterator[int]:
    """Processes running `make_app(*arguments)` side by side, their log in the file `log`; the port of all."""
    listener = listen("127.0.0.1", 0, shared=processes > 1)
    spawn = multiprocessing.get_context("spawn")
    listens = spawn.Semaphore(0)
    started = []
    for _ in range(processes):
        with listener.dup() if processes == 1 else reuse_port_socket(listener) as own:
            started.append(spawn.Process(target=_serve, args=(make_app, arguments, own, log, listens)))
            started[-1].start()
    try:
        for _ in started:  # whoever connects before all of them listen stays with those who do
            assert listens.acquire(timeout=60), "the servers don't start"
        yield listener.getsockname()[1]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join(20)
        listener.close()


class Connection:
    """One keep-alive connection that speaks just enough HTTP to measure a server and not itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to a request with a Content-Length."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        return int(head[9:12]), await self.reader.readexactly(length)


@asynccontextmanager
async def connect(port: int) -> AsyncIterator[Connection]:
    """A connection to a server on loopback, tried until it answers."""
    for _ in range(200):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except OSError:
            await asyncio.sleep(0.1)
    else:
        raise RuntimeError("the server did not start")
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


def entry(debit: str, credit: str, number: int) -> dict[str, object]:
    """The wire form of a journal entry of two lines, dated today."""
    return {
        "entryType": "JOURNAL_ENTRY",
        "date": system_clock().date().isoformat(),
        "originalAmount": "100.00",
        "lines": [
            {"accountId": debit, "side": "DEBIT", "amount": "100.00"},
            {"accountId": credit, "side": "CREDIT", "amount": "100.00"},
        ],
        "description": f"Sale {number}",
        "reference": f"R-{number}",
    }


def get(path: str, key: str) -> bytes:
    """The bytes of an authenticated GET."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nx-api-key: {key}\r\n\r\n".encode()


def post(path: str, key: str, body: bytes, *, idempotency_key: str | None = None) -> bytes:
    """The bytes of an authenticated POST of JSON."""
    keyed = f"x-api-idempotency-key: {idempotency_key}\r\n" if idempotency_key else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nx-api-key: {key}\r\nContent-Type: application/json\r\n{keyed}"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def meter(port: int) -> dict[str, float]:
    """The server's CPU seconds and resident bytes so far."""
    async with connect(port) as connection:
        figures: dict[str, float] = json.loads(
            (await connection.send(b"GET /__cpu HTTP/1.1\r\nHost: bench\r\n\r\n"))[1]
        )
        return figures


async def load(port: int, request: bytes, count: int, clients: int = 8) -> float:
    """Send `count` equal requests over `clients` connections; seconds it took. Every answer must be a 200."""

    async def client(share: int) -> None:
        async with connect(port) as connection:
            for _ in range(share):
                status, body = await connection.send(request)
                assert status == 200, body

    started = time.perf_counter()
    await asyncio.gather(*(client(count // clients) for _ in range(clients)))
    return time.perf_counter() - started
