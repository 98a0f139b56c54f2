"""The worker is killed between any two steps of sending webhooks, again and again, while events are written.

`make chaos` runs it with 10,000 events of 1,000 objects and 50 deaths: `WEBHOOK_EVENTS`, `WEBHOOK_OBJECTS`,
`WEBHOOK_DEATHS`, `WEBHOOK_SEED`.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from tests.company_copies import SECRET_KEY
from tests.conftest import Api
from tests.receivers import Answer, Received, Receiver, receiving
from tests.runtime.processes import PATIENCE, Program
from tests.webhooks import endpoint_of, subscribe

from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.outbox import flush
from ledgerbee.webhooks.sending.dispatcher import PLACES

EVENTS: Final = int(os.environ.get("WEBHOOK_EVENTS", "300"))
OBJECTS: Final = int(os.environ.get("WEBHOOK_OBJECTS", "30"))
DEATHS: Final = int(os.environ.get("WEBHOOK_DEATHS", "3"))
SEED: Final = int(os.environ.get("WEBHOOK_SEED", "1"))
#: Steps of one life at most. Each delivery takes four or more, and three endpoints or more get each event.
MOST_STEPS: Final = EVENTS * 10 // DEATHS
WRITERS: Final = 8
#: Events that were written and have not arrived anywhere yet: more are written as these do.
AHEAD: Final = 64
#: How often an event is refused by one receiver, at most: fewer than the attempts that it has.
MOST_REFUSALS: Final = 3

#: Deliveries to an endpoint that a death leaves unrecorded, at most: under way, or answered since the last transaction.
MOST_UNRECORDED: Final = 2 * PLACES

TOPICS: Final = ("customer.created", "customer.updated", "product.updated")
#: Nobody is told of it: it takes a position, and no more.
UNTOLD: Final = "api_key.created"
ROLLED_BACK: Final = ErrorCode("ROLLED_BACK", 400, "For the sake of the test")


@dataclass(frozen=True)
class Written:
    """An event that was committed; its number is in its data."""

    id: UUID
    topic: str
    object_id: UUID
    number: int


@dataclass
class Books:
    """What the writers did."""

    random: random.Random
    objects: Sequence[UUID]
    before: list[Written] = field(default_factory=list)
    committed: list[Written] = field(default_factory=list)
    rolled_back: set[int] = field(default_factory=set)
    numbers: int = 0


@dataclass
class Listener:
    """A receiver with an endpoint of its own, and what it answered to each event; None: nothing."""

    topics: Sequence[str]
    random: random.Random
    #: How likely it refuses, and how: with a status, or (None) by dropping the connection.
    refuses: float = 0
    refusals: Sequence[int | None] = ()
    slow_s: float = 0
    receiver: Receiver = field(default_factory=Receiver)
    endpoint_id: str = ""
    answers: dict[str, list[int | None]] = field(default_factory=lambda: defaultdict(list))

    async def answer(self, received: Received) -> Answer | None:
        """Take it, most of the time."""
        given = self.answers[received.id]
        refused = sum(status != 200 for status in given)
        status: int | None = 200
        if refused < MOST_REFUSALS and self.random.random() < self.refuses:
            status = self.random.choice(self.refusals)
        given.append(status)
        if self.slow_s:
            await asyncio.sleep(self.random.uniform(0, self.slow_s))
        return None if status is None else Answer(status)


async def test_each_event_arrives_in_its_order_and_the_log_is_true(api: Api, database_url: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311  what happens when
    books = Books(chance, [new_id() for _ in range(OBJECTS)])
    listeners = [
        Listener(TOPICS, chance),
        Listener(["product.updated", "invoice.sent"], chance),
        Listener(TOPICS, chance, refuses=0.1, refusals=(500, 302)),
        Listener(TOPICS, chance, refuses=0.05, refusals=(None,), slow_s=0.05),
    ]
    begun = time.time()

    def worker(number: int, last_step: int) -> Program:
        folder = tmp_path / str(number)
        folder.mkdir()
        command: list[str | Path] = [sys.executable, "-m", "tests.runtime.webhook_worker", str(last_step), str(begun)]
        return Program.start(
            command,
            folder,
            DATABASE_URL=database_url,
            LEDGERBEE_SECRET_KEYS=SECRET_KEY,
            LEDGERBEE_WEBHOOKS_ALLOW_LOOPBACK="true",
        )

    async with AsyncExitStack() as stack:
        await tell(api, books, books.objects, TOPICS[0])  # before anybody listens
        books.before, books.committed = books.committed, []
        for listener in listeners:
            listener.receiver = await stack.enter_async_context(receiving(listener.answer))
            endpoint = await subscribe(api, listener.receiver.url, *listener.topics)
            listener.endpoint_id = endpoint["id"]
        async with asyncio.TaskGroup() as tasks:
            for _ in range(WRITERS):
                tasks.create_task(write(api, books, listeners[0]))
            for number in range(DEATHS):
                await end_of(worker(number, chance.randint(1, MOST_STEPS)))
            last = worker(DEATHS, 0)
            stack.callback(last.stop)
        async with asyncio.timeout(PATIENCE * 5):
            while not await is_all_told(api):  # noqa: ASYNC110  another process is at it
                await asyncio.sleep(0.1)
        assert last.stop() == 0, last.errors
    assert len(books.committed) >= EVENTS
    assert books.rolled_back
    sequences = await check_events(api, books)
    for listener in listeners:
        check_arrivals(books, listener, sequences)
        await check_log(api, books, listener)
        assert (await endpoint_of(api, listener.endpoint_id))["status"] == "active"


async def end_of(dying: Program) -> None:
    """Wait until a worker has killed itself."""
    try:
        async with asyncio.timeout(PATIENCE * 2):
            while dying.process.poll() is None:  # noqa: ASYNC110  a process
                await asyncio.sleep(0.02)
    finally:
        dying.process.kill()
        dying.end()
    assert dying.process.returncode == -signal.SIGKILL, dying.errors


async def write(api: Api, books: Books, first: Listener) -> None:
    """Transactions until there are enough events, as these arrive: committed ones, and others that are rolled back."""
    while len(books.committed) < EVENTS:
        if len(books.committed) - len(first.answers) > AHEAD:
            await asyncio.sleep(0.01)
            continue
        objects = books.random.choices(books.objects, k=books.random.choice((1, 1, 2, 5)))
        if books.random.random() < 0.2:
            await roll_back(api, books, objects)
        else:
            await tell(api, books, objects, books.random.choice((*TOPICS, *TOPICS, UNTOLD)))


async def tell(api: Api, books: Books, objects: Sequence[UUID], topic: str) -> None:
    """Events of one topic in one transaction."""

    async def work(context: Context) -> list[Written]:
        return await emit(context, books, objects, topic)

    written = await api.run(work)
    books.committed += [one for one in written if one.topic != UNTOLD]


async def roll_back(api: Api, books: Books, objects: Sequence[UUID]) -> None:
    """Events that are written, with positions of their own, and then are not."""

    async def work(context: Context) -> None:
        books.rolled_back |= {one.number for one in await emit(context, books, objects, TOPICS[0])}
        await flush([context], REACTIONS)
        await asyncio.sleep(books.random.uniform(0, 0.02))
        raise ROLLED_BACK.error()

    with pytest.raises(LedgerBeeError, match=ROLLED_BACK.meaning):
        await api.run(work)


async def emit(context: Context, books: Books, objects: Sequence[UUID], topic: str) -> list[Written]:
    """Note an event of each object, with a number that no other has; the objects are held, as commands do."""
    for object_id in sorted(set(objects)):
        await context.connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", str(object_id))
    written = []
    for object_id in objects:
        books.numbers += 1
        context.emit(topic, object_id, {"number": books.numbers, "name": name_of(books.numbers)})
        written.append(Written(context.events[-1].id, topic, object_id, books.numbers))
    return written


def name_of(number: int) -> str:
    return f"Blåbærgrød {number}"


async def is_all_told(api: Api) -> bool:
    """Whether deliveries were made of all events, and none waits."""

    async def work(context: Context) -> bool:
        told: bool = await context.connection.fetchval(
            "SELECT NOT EXISTS (SELECT FROM webhook_deliveries WHERE company_id = $1 AND status = 'pending')"
            " AND (SELECT min(told_up_to) FROM webhook_endpoints WHERE company_id = $1)"
            " = (SELECT last_position FROM event_counters WHERE company_id = $1)",
            context.company_id,
        )
        return told

    found: bool = await api.run(work, read_only=True)
    return found


async def rows(api: Api, query: str, *arguments: Any) -> list[Any]:
    """Rows of the company, which is $1."""

    async def work(context: Context) -> list[Any]:
        return await context.connection.fetch(query, context.company_id, *arguments)

    found: list[Any] = await api.run(work, read_only=True)
    return found


async def check_events(api: Api, books: Books) -> dict[str, int]:
    """What was committed is there, and nothing that was rolled back; the `sequence` of each event.

    Positions are those of a count, without a hole.
    """
    found = await rows(
        api,
        "SELECT id, type, object_id, (data->>'number')::int AS number, sequence FROM events"
        " WHERE company_id = $1 AND type = ANY ($2)",
        list(TOPICS),
    )
    there = {Written(row["id"], row["type"], row["object_id"], row["number"]) for row in found}
    assert there == {*books.before, *books.committed}
    assert not {one.number for one in there} & books.rolled_back
    positions = await rows(api, "SELECT position FROM events WHERE company_id = $1 ORDER BY position")
    assert [row["position"] for row in positions] == list(range(1, len(positions) + 1))
    return {str(row["id"]): row["sequence"] for row in found}


def check_arrivals(books: Books, listener: Listener, sequences: dict[str, int]) -> None:
    """At least once each that was subscribed to, and nothing else; the same each time; in the order of its object."""
    wanted = {str(one.id): one for one in books.committed if one.topic in listener.topics}
    first: dict[str, Received] = {}
    for received in listener.receiver.received:
        assert first.setdefault(received.id, received).body == received.body
    assert first.keys() == wanted.keys()
    last: dict[UUID, int] = defaultdict(int)
    for event_id, received in first.items():
        written, sequence, event = wanted[event_id], sequences[event_id], received.event
        data = {"sequence": sequence, "number": written.number, "name": name_of(written.number)}
        assert (event["id"], event["type"], event["data"]) == (event_id, written.topic, data)
        assert sequence > last[written.object_id]
        last[written.object_id] = sequence


async def check_log(api: Api, books: Books, listener: Listener) -> None:
    """One delivery of each event, delivered; its attempts are what the receiver answered, but for what died unheard."""
    found = await rows(
        api,
        "SELECT event_id::text AS id, status, next_attempt_at, array(SELECT (a->>'status')::int FROM"
        " jsonb_array_elements(attempts) WITH ORDINALITY t (a, n) ORDER BY n) AS statuses"
        " FROM webhook_deliveries WHERE company_id = $1 AND endpoint_id = $2",
        UUID(listener.endpoint_id),
    )
    wanted = sorted(str(one.id) for one in books.committed if one.topic in listener.topics)
    assert sorted(row["id"] for row in found) == wanted
    for row in found:
        assert (row["status"], row["next_attempt_at"]) == ("delivered", None)
        *failures, success = row["statuses"]
        assert success == 200
        assert 200 not in failures
        assert Counter(row["statuses"]) <= Counter(listener.answers[row["id"]])
    # What is dropped where the worker took the connection for an open one is sent again within the attempt.
    assert {status for row in found for status in row["statuses"]} >= {200, *listener.refusals} - {None}
    given = [status for answers in listener.answers.values() for status in answers]
    assert set(given) == {200, *listener.refusals}
    if not listener.refusals:
        assert len(given) - len(wanted) <= DEATHS * MOST_UNRECORDED
