"""Webhooks: deliveries a second, how soon one is on its way, and what being told of it costs posting.

The worker is its own process as it runs in production, the database its own, and the receiver one that does next to
nothing: it answers 200 and counts. Deliveries a second are of events that were committed together, from the first that
the receiver gets to when the log has all of them as delivered, each at its first attempt. Limits: 500 a second to one
endpoint, 300 over many endpoints, each at an address of its own, and 150 ms from COMMIT to the receiver when idle.
"""

import asyncio
import json
import multiprocessing
import os
import re
import socket
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import asyncpg
import uvloop
from bench.posting import Case, post_over_http, prepare
from bench.support import Books, books, companies, connect, entry, post, server, tenant_of, verdict
from pydantic import SecretStr

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.app.worker_process import run_worker
from ledgerbee.core.dates import system_clock
from ledgerbee.core.ids import new_id
from ledgerbee.platform import logs
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database
from ledgerbee.platform.secrets import SecretBox, new_key
from ledgerbee.webhooks.signing import SignatureType, new_secret

ROUNDS: Final = 5
DELIVERIES: Final = int(os.environ.get("BENCH_DELIVERIES", "3000"))
ENDPOINTS: Final = 200
#: Endpoints of a company that has many.
MANY: Final = 100
COMMITS: Final = int(os.environ.get("BENCH_COMMITS", "200"))
RATE_LIMIT: Final = 500
SPREAD_LIMIT: Final = 300
COMMIT_LIMIT_MS: Final = 150
POSTING: Final = Case("singles, 16 clients, one company", 1, 16, 1, (16,), 0)
POSTING_S: Final = 3

TOPIC: Final = "journal_entry.posted"
KEY: Final = new_key()
ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)

_ENDPOINT: Final = """
INSERT INTO webhook_endpoints (company_id, id, url, topics, signature_type, secret, status, status_changed_at,
    told_up_to, created_at, updated_at)
SELECT $1, gen_random_uuid(), u.url, $3, 'v1', $4, 'enabled', now(), c.last_position, now(), now()
FROM event_counters c, unnest($2::text[]) u (url) WHERE c.company_id = $1
"""
_LISTEN: Final = """
INSERT INTO event_counters AS c (company_id, last_position, is_listened) VALUES ($1, 0, true)
ON CONFLICT (company_id) DO UPDATE SET is_listened = true
"""
_ACCOUNTS: Final = "SELECT id FROM accounts WHERE company_id = $1 AND role IN ('BANK', 'RETAINED_EARNINGS')"
_DATA: Final = "SELECT data::text FROM events WHERE company_id = $1 AND type = $2 LIMIT 1"
_IS_PENDING: Final = "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE company_id = $1 AND status = 'pending')"
_OTHERS: Final = """
SELECT count(*) FROM webhook_deliveries
WHERE company_id = $1 AND (status <> 'delivered' OR jsonb_array_length(attempts) <> 1)
"""


@dataclass(frozen=True)
class Receiver:
    """A process that gets deliveries, at any of the addresses 127.1.0.1 and on.

    `seen` is shared with it: how many came, when the first and when the last of them did (`time.monotonic`).
    """

    port: int
    seen: Any

    def url(self, place: int = 0) -> str:
        """That of its address number `place`, from 0."""
        return f"http://{_address(place)}:{self.port}/hooks"

    def forget(self) -> None:
        """Begin to count anew."""
        self.seen[:] = (0.0, 0.0, 0.0)

    async def wait_for(self, count: int, seconds: float = 120) -> tuple[float, float]:
        """When the first and the last of `count` deliveries came. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while self.seen[0] < count:  # noqa: ASYNC110 written by another process
                await asyncio.sleep(0.002)
        return self.seen[1], self.seen[2]


class _Exchanges(asyncio.Protocol):
    """One connection of the receiver's: speaks just enough HTTP to measure the sender and not itself."""

    def __init__(self, seen: Any) -> None:
        self.seen = seen
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (head := self.data.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.data, 0, head + 2)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(self.data) < end:
                return
            self.data = self.data[end:]
            now = time.monotonic()
            self.seen[1] = self.seen[1] or now
            self.seen[2] = now
            self.seen[0] += 1
            self.transport.write(ANSWER)


def _address(place: int) -> str:
    return f"127.1.0.{place + 1}"


def _receive(listeners: Sequence[socket.socket], seen: Any) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        for listener in listeners:
            await loop.create_server(lambda: _Exchanges(seen), sock=listener)
        await asyncio.Event().wait()

    uvloop.run(serve())


@contextmanager
def receiver(addresses: int) -> Iterator[Receiver]:
    """A receiver at so many addresses of this machine, each of which is an origin of its own to the sender."""
    listeners: list[socket.socket] = []
    for place in range(addresses):
        listeners.append(socket.socket())
        listeners[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listeners[-1].bind((_address(place), listeners[0].getsockname()[1] if place else 0))
        listeners[-1].listen(512)
    spawn = multiprocessing.get_context("spawn")
    seen = spawn.RawArray("d", 3)
    process = spawn.Process(target=_receive, args=(listeners, seen))
    process.start()
    try:
        yield Receiver(listeners[0].getsockname()[1], seen)
    finally:
        process.terminate()
        process.join()
        for listener in listeners:
            listener.close()


def _work(url: str, key: str) -> None:
    logs.configure("WARNING")
    run_worker(Settings(database_url=url, secret_keys=SecretStr(key), webhooks_allow_loopback=True, rates_fetch=False))


@contextmanager
def worker(url: str) -> Iterator[None]:
    """The worker's process, which may send to this machine."""
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(url, KEY))
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join(30)
        process.kill()


@dataclass(frozen=True)
class Teller:
    """Tells of events, and looks at what came of them."""

    database: Database
    owner: "asyncpg.Connection[asyncpg.Record]"
    data: bytes

    async def enter(self, found: Books) -> None:
        await self.owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))

    async def subscribe(self, found: Books, urls: Sequence[str]) -> None:
        """Enabled endpoints of the company, as the owner."""
        await self.enter(found)
        secret = SecretBox(lambda: [KEY]).encrypt(new_secret(SignatureType.SYMMETRIC).encode())
        await self.owner.execute(_LISTEN, found.company_id)
        await self.owner.execute(_ENDPOINT, found.company_id, list(urls), [TOPIC], secret)
        await self.owner.execute("SELECT set_webhooks_due($1, NULL)", found.company_id)

    async def tell(self, found: Books, count: int) -> float:
        """Tell of `count` new entries in one transaction; when its command had nothing left to do but to commit."""

        async def work(context: Context) -> float:
            for _ in range(count):
                context.emit(TOPIC, new_id(), self.data, is_first=True)
            return time.monotonic()

        return await self.database.run(tenant_of(found.company_id), system_clock(), work)

    async def settle(self, found: Sequence[Books]) -> float:
        """When nothing was pending any more. Each delivery must have been made at its first attempt."""
        for one in found:
            await self.enter(one)
            while await self.owner.fetchval(_IS_PENDING, one.company_id):  # noqa: ASYNC110 by another process
                await asyncio.sleep(0.01)
        settled = time.monotonic()
        for one in found:
            await self.enter(one)
            others = await self.owner.fetchval(_OTHERS, one.company_id)
            assert not others, f"{others} deliveries came to something else"
        return settled


@asynccontextmanager
async def teller(url: str, data: bytes) -> AsyncIterator[Teller]:
    """A teller of entries whose wire form is `data`."""
    database = await Database.open(url, reactions=REACTIONS, max_size=10)
    owner = await asyncpg.connect(url)
    try:
        yield Teller(database, owner, data)
    finally:
        await owner.close()
        await database.close()


async def _posted(port: int, found: Books) -> bytes:
    """The wire form of an entry of two lines, as its event has it."""
    owner = await asyncpg.connect(found.url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    debit, credit = await owner.fetch(_ACCOUNTS, found.company_id)
    async with connect(port) as connection:
        body = json.dumps(entry(str(debit["id"]), str(credit["id"]), 1)).encode()
        status, answer = await connection.send(post("/api/v2/journal-entries", found.key, body))
    assert status == 201, answer
    data: str = await owner.fetchval(_DATA, found.company_id, TOPIC)
    await owner.close()
    return data.encode()


async def _rate(told: Teller, found: Sequence[Books], endpoints: int, goal: Receiver) -> float:
    """Deliveries a second of as many events of all these companies, which have so many endpoints each."""
    goal.forget()
    each = DELIVERIES // endpoints // len(found)
    await asyncio.gather(*(told.tell(one, each) for one in found))
    first, _ = await goal.wait_for(each * endpoints * len(found))
    return each * endpoints * len(found) / (await told.settle(found) - first)


async def _median_rate(told: Teller, found: Sequence[Books], endpoints: int, goal: Receiver) -> float:
    """That of some rounds, behind one that doesn't count."""
    rates = [await _rate(told, found, endpoints, goal) for _ in range(ROUNDS + 1)]
    return statistics.median(rates[1:])


async def _delays(told: Teller, found: Books, goal: Receiver) -> list[float]:
    """Milliseconds from the COMMIT of single events to the receiver, one after the other, nothing else going on."""
    delays = []
    for _ in range(COMMITS):
        goal.forget()
        committed = await told.tell(found, 1)
        _, came = await goal.wait_for(1)
        delays.append((came - committed) * 1000)
        await asyncio.sleep(0.1)
    return delays


async def measure_sending(url: str, data: bytes, everyone: Sequence[Books], goal: Receiver) -> None:
    """Print how many deliveries a second there are, and how soon. `everyone`: as many companies as the figures need."""
    one, many, *others = everyone
    async with teller(url, data) as told:
        await told.subscribe(one, [goal.url()])
        await told.subscribe(many, [goal.url(place) for place in range(MANY)])
        for place, other in enumerate(others):
            await told.subscribe(other, [goal.url(place)])
        await told.owner.execute("VACUUM ANALYZE")
        cases = (
            ("one endpoint", [one], 1, RATE_LIMIT),
            (f"{len(others)} endpoints of {len(others)} companies", others, 1, SPREAD_LIMIT),
            (f"{MANY} endpoints of one company", [many], MANY, SPREAD_LIMIT),
        )
        for name, found, endpoints, limit in cases:
            rate = await _median_rate(told, found, endpoints, goal)
            print(f"{name:34} {rate:6,.0f} deliveries/s ({verdict(rate, limit, at_least=True)})", flush=True)
        await asyncio.sleep(1)
        delays = await _delays(told, one, goal)
    median, p95 = statistics.median(delays), statistics.quantiles(delays, n=20)[18]
    print(
        f"{'from COMMIT to the receiver, idle':34} median {median:5.1f} ms ({verdict(median, COMMIT_LIMIT_MS)})"
        f"  p95 {p95:5.1f} ms",
        flush=True,
    )


def measure_posting(port: int, pair: Sequence[Books], settle: Callable[[], Any]) -> None:
    """Print the rate of posting to a company without endpoints, and to one that has one; in turn."""
    targets = asyncio.run(prepare(pair))
    rates: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for target, own in zip(targets, rates, strict=True):
            own.append(post_over_http(port, [target], POSTING, POSTING_S)[0])
            settle()
    without, told = (statistics.median(own) for own in rates)
    print(
        f"{'posting by 16 clients':34} {without:6,.0f} entries/s  {told:6,.0f} with an endpoint that is told"
        f"  ratio {without / told:.2f}",
        flush=True,
    )


async def _settle(url: str, found: Books) -> None:
    async with teller(url, b"") as told:
        await told.settle([found])


def main() -> None:
    """Make the companies, send, post."""
    with books() as found, receiver(ENDPOINTS) as goal:
        everyone = [found, *asyncio.run(companies(found.url, ENDPOINTS + 2))]
        silent = everyone.pop()
        with server(create_app, found.url, processes=2) as port, worker(found.url):
            data = asyncio.run(_posted(port, silent))
            uvloop.run(measure_sending(found.url, data, everyone, goal))
            measure_posting(port, [silent, found], lambda: asyncio.run(_settle(found.url, found)))


if __name__ == "__main__":
    main()
