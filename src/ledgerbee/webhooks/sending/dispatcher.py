"""Sends the events of all companies to their endpoints, for as long as the worker runs.

It is woken by commits (NOTIFY), and looks by itself for what falls due and for what nobody was woken for. A company is
one worker's at a time: what holds it is a lock of the dispatcher's connection, free again when the worker dies. While a
delivery is under way no transaction is open; its result is recorded together with others that came meanwhile. Killed in
between, the next worker sends it again, under the same id.

An endpoint that is not proven (new, failing or slow) has few places of its own and waits among its like; and no company
has all places, of either sort.
"""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter as MetricCounter
from prometheus_client import Histogram

from ledgerbee.core.dates import Clock
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import parse_id
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.db import Database, Tenant
from ledgerbee.platform.job_queue import retry_while_unavailable
from ledgerbee.platform.jobs import SYSTEM
from ledgerbee.platform.outbox import EVENTS_CHANNEL
from ledgerbee.platform.secrets import SecretBox
from ledgerbee.webhooks.deliveries.model import Attempt, WebhookDeliveryId
from ledgerbee.webhooks.endpoints.model import WebhookEndpoint, WebhookEndpointId
from ledgerbee.webhooks.events.body import body_of
from ledgerbee.webhooks.sending import store
from ledgerbee.webhooks.sending.actions import advance
from ledgerbee.webhooks.sending.model import DueDelivery, Result, Work
from ledgerbee.webhooks.sending.sender import Exchange, Sender
from ledgerbee.webhooks.signing import signed_headers

#: Deliveries under way to one endpoint that is proven: whose last delivery went well, and quickly. And to any other.
PLACES: Final = 32
FEW_PLACES: Final = 4
#: Deliveries under way to endpoints that are proven, in all and of one company: what begins to stall at once holds its
#: places for as long as an attempt may take, and others have to find one meanwhile.
LANE: Final = 448
LANE_OF_COMPANY: Final = 96
#: The same for all other endpoints.
SLOW_LANE: Final = 320
SLOW_LANE_OF_COMPANY: Final = 40
#: Seconds above which an exchange is slow.
SLOW_S: Final = 2.0
#: Long events that are in memory at a time, of both sorts of endpoints each: in all, and of one company.
LONG_EVENTS: Final = 8
LONG_EVENTS_OF_COMPANY: Final = 2
#: How often the database is asked for what falls due, and for events that nobody was woken for.
POLL: Final = timedelta(seconds=5)
COMPLETE_POLL: Final = timedelta(seconds=60)
#: After a fault, before a company is looked at again.
_PAUSE_S: Final = 1.0

ATTEMPTS: Final = MetricCounter(
    "ledgerbee_webhook_attempts_total", "Attempts to deliver events, by outcome: delivered, failed", ["outcome"]
)
DURATION: Final = Histogram("ledgerbee_webhook_attempt_seconds", "How long an attempt to deliver an event takes")
for _outcome in ("delivered", "failed"):
    ATTEMPTS.labels(_outcome)

log = structlog.get_logger("ledgerbee.webhooks")


class Dispatcher:
    """Sends deliveries until it is stopped."""

    def __init__(
        self, database: Database, sender: Sender, clock: Clock, secrets: SecretBox, poll: timedelta = POLL
    ) -> None:
        self.database = database
        self.sender = sender
        self.clock = clock
        self.secrets = secrets
        self.is_stopping = False
        self.lanes = {True: asyncio.Semaphore(LANE), False: asyncio.Semaphore(SLOW_LANE)}
        self.long_events = {True: asyncio.Semaphore(LONG_EVENTS), False: asyncio.Semaphore(LONG_EVENTS)}
        self._poll = poll
        self._companies: dict[UUID, _Company] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard: set[UUID] = set()
        self._wake = asyncio.Event()
        self._next_due: datetime | None = None
        self._is_lost = False
        #: One statement at a time on the connection that holds the companies.
        self._asking = asyncio.Lock()

    async def run(self) -> None:
        """Work until `stop` is called, then finish what is under way.

        Raises `ConnectionError` when the database is lost.
        """
        async with self.database.connection(object()) as connection:
            await connection.add_listener(EVENTS_CHANNEL, self._hear)
            connection.add_termination_listener(self._lose)
            try:
                await self._work(connection)
                await self._finish(connection)
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)  # they ask on the same connection
                if not connection.is_closed():
                    await store.release_all(connection)
                    connection.remove_termination_listener(self._lose)
                    await connection.remove_listener(EVENTS_CHANNEL, self._hear)

    def stop(self) -> None:
        """Begin no delivery any more."""
        self.is_stopping = True
        self._wake.set()
        for company in self._companies.values():
            company.wake()

    def _hear(self, _connection: object, _pid: int, _channel: str, company: object) -> None:
        self._heard.add(parse_id(str(company)))
        self._wake.set()

    def _lose(self, _connection: object) -> None:
        self._is_lost = True
        self._wake.set()

    async def _work(self, connection: Connection) -> None:
        polled_at = completed_at = float("-inf")
        while not self.is_stopping:
            if self._is_lost:
                raise ConnectionError("the database ended the dispatcher's connection")
            self._wake.clear()
            heard, self._heard = self._heard, set()
            for company_id in heard:
                if (known := self._companies.get(company_id)) is not None:
                    known.wake()
                else:
                    await self._claim(connection, company_id)
            now = time.monotonic()
            if now - polled_at >= self._poll.total_seconds() or self._is_due():
                is_complete = now - completed_at >= COMPLETE_POLL.total_seconds()
                polled_at, completed_at = now, now if is_complete else completed_at
                self._next_due = None
                await self._claim(connection, None, is_complete=is_complete)
            await self._sleep(polled_at + self._poll.total_seconds() - time.monotonic())

    def _is_due(self) -> bool:
        return self._next_due is not None and self._next_due <= self.clock()

    async def _sleep(self, seconds: float) -> None:
        if self._next_due is not None:
            seconds = min(seconds, (self._next_due - self.clock()).total_seconds())
        await _wait_for(self._wake, max(seconds, 0))

    async def _claim(self, connection: Connection, company_id: UUID | None, *, is_complete: bool = False) -> None:
        async with self._asking:
            found = await store.claim(
                connection, self.clock(), company_id, held=list(self._companies), is_complete=is_complete
            )
        for found_id in found:
            company = _Company(self, found_id)
            self._companies[company.id] = company
            task = asyncio.create_task(self._run(connection, company))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, connection: Connection, company: "_Company") -> None:
        try:
            next_at = await company.run()
            if next_at is not None and (self._next_due is None or next_at < self._next_due):
                self._next_due = next_at
                self._wake.set()
        except Exception as fault:
            log.exception("webhooks.interrupted", company_id=str(company.id), error=f"{type(fault).__name__}: {fault}")
            await asyncio.sleep(_PAUSE_S)
        finally:
            # Before the lock is given back: who hears of the company from here on claims it anew, in this session too.
            self._companies.pop(company.id, None)
        if not self._is_lost:
            async with self._asking:
                await store.release(connection, company.id)

    async def _finish(self, connection: Connection) -> None:
        while self._tasks and not connection.is_closed():
            await asyncio.wait(self._tasks)


async def _wait_for(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for an event, no longer than so many seconds (None: for as long as it takes)."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class _Company:
    """The deliveries of one company that are under way."""

    def __init__(self, dispatcher: Dispatcher, company_id: UUID) -> None:
        self.id = company_id
        self._tenant = Tenant(company_id, SYSTEM, "webhooks", "UTC")
        self._dispatcher = dispatcher
        self._endpoints: dict[WebhookEndpointId, WebhookEndpoint] = {}
        self._is_sandbox = False
        self._busy: dict[WebhookDeliveryId, asyncio.Task[None]] = {}
        self._places = Counter[WebhookEndpointId]()
        self._slow: set[WebhookEndpointId] = set()
        self._lanes = {True: asyncio.Semaphore(LANE_OF_COMPANY), False: asyncio.Semaphore(SLOW_LANE_OF_COMPANY)}
        self._long_events = {
            True: asyncio.Semaphore(LONG_EVENTS_OF_COMPANY),
            False: asyncio.Semaphore(LONG_EVENTS_OF_COMPANY),
        }
        self._results: list[Result] = []
        self._signal = asyncio.Event()
        self._texts: dict[bytes, str] = {}

    def wake(self) -> None:
        """There may be something new to send."""
        self._signal.set()

    async def run(self) -> datetime | None:
        """Send until nothing is due any more; when the next attempt is (None: none is)."""
        try:
            while True:
                self._signal.clear()
                work = await self._advance()
                for due in work.due:
                    self._start(due)
                if work.has_more and not self._dispatcher.is_stopping:
                    continue
                if not self._busy and not self._signal.is_set() and not self._results:
                    return work.next_at
                await self._wait(work.next_at)
        finally:
            for task in self._busy.values():
                task.cancel()

    async def _advance(self) -> Work:
        # Together: what ends while the transaction runs is not under way any more, and not recorded either.
        dispatcher, results, busy = self._dispatcher, self._results, list(self._busy)
        self._results = []
        now = dispatcher.clock()
        work = await retry_while_unavailable(
            lambda: dispatcher.database.run(
                self._tenant, now, lambda context: advance(context, results, busy, self._room)
            )
        )
        self._endpoints, self._is_sandbox = work.endpoints, work.is_sandbox
        return work

    def _room(self, endpoint: WebhookEndpoint) -> int:
        """How many deliveries more may be under way to an endpoint."""
        if self._dispatcher.is_stopping:
            return 0
        return (PLACES if self._is_proven(endpoint) else FEW_PLACES) - self._places[endpoint.id]

    def _is_proven(self, endpoint: WebhookEndpoint) -> bool:
        has_succeeded = endpoint.last_success_at is not None and endpoint.failing_since is None
        return has_succeeded and endpoint.id not in self._slow

    async def _wait(self, until: datetime | None) -> None:
        seconds = None if until is None else max((until - self._dispatcher.clock()).total_seconds(), 0)
        await _wait_for(self._signal, seconds)

    def _start(self, due: DueDelivery) -> None:
        self._places[due.endpoint_id] += 1
        self._busy[due.id] = asyncio.create_task(self._deliver(due))

    async def _deliver(self, due: DueDelivery) -> None:
        is_proven = self._is_proven(self._endpoints[due.endpoint_id])
        try:
            async with AsyncExitStack() as places:
                for place in self._places_for(due, is_proven=is_proven):
                    await places.enter_async_context(place)
                endpoint = self._endpoints.get(due.endpoint_id)
                if endpoint is None or not endpoint.is_enabled or self._dispatcher.is_stopping:
                    return  # disabled while it waited: it was skipped; or left to the next worker
                result = await self._attempt_or_fault(due, endpoint)
            self._results.append(result)
            seconds = result.attempt.duration_ms / 1000
            (self._slow.add if seconds > SLOW_S else self._slow.discard)(endpoint.id)
            ATTEMPTS.labels("delivered" if result.attempt.is_success else "failed").inc()
            DURATION.observe(seconds)
        finally:
            del self._busy[due.id]
            self._places[due.endpoint_id] -= 1
            self._signal.set()

    def _places_for(self, due: DueDelivery, *, is_proven: bool) -> list[asyncio.Semaphore]:
        """What a delivery waits for: that of its company first, so as to hold none of the others meanwhile."""
        places = [self._lanes[is_proven], self._dispatcher.lanes[is_proven]]
        if due.data is None:
            places[1:1] = [self._long_events[is_proven]]
            places.append(self._dispatcher.long_events[is_proven])
        return places

    async def _attempt_or_fault(self, due: DueDelivery, endpoint: WebhookEndpoint) -> Result:
        at = self._dispatcher.clock()
        try:
            return await self._attempt(due, endpoint)
        except Exception as fault:  # recorded, so that it has an end
            log.exception("webhooks.fault", delivery_id=str(due.id), error=f"{type(fault).__name__}: {fault}")
            error = "An unforeseen error of the sender stopped it."
            return Result(due, Attempt(at=at, status=None, duration_ms=0, answer=None, error=error), None)

    async def _attempt(self, due: DueDelivery, endpoint: WebhookEndpoint) -> Result:
        at = self._dispatcher.clock()
        if due.data is not None:
            return await self._send(due, endpoint, due.data)
        data = await self._text_of(due.event_id) if due.is_kept else None
        if data is not None:
            return await self._send(due, endpoint, data)
        gone = Attempt(at=at, status=None, duration_ms=0, answer=None, error="The event is no longer kept.")
        return Result(due, gone, None)

    async def _text_of(self, event_id: UUID) -> str | None:
        database, now = self._dispatcher.database, self._dispatcher.clock()
        return await database.run(self._tenant, now, lambda context: store.get_text(context, event_id), read_only=True)

    async def _send(self, due: DueDelivery, endpoint: WebhookEndpoint, data: str) -> Result:
        assert due.occurred_at is not None
        assert due.sequence is not None
        body = body_of(due.event_id, due.event_type, due.occurred_at, due.sequence, data, is_test=self._is_sandbox)
        at = self._dispatcher.clock()
        try:
            headers = signed_headers(due.event_id, at, body, self._signing(endpoint, at))
        except LedgerBeeError as fault:
            exchange = Exchange(status=None, duration_ms=0, answer=None, error=str(fault), retry_after=None)
        else:
            exchange = await self._dispatcher.sender.post(endpoint.url, headers, body)
        attempt = Attempt(
            at=at,
            status=exchange.status,
            duration_ms=exchange.duration_ms,
            answer=exchange.answer,
            error=exchange.error,
        )
        return Result(due, attempt, exchange.retry_after)

    def _signing(self, endpoint: WebhookEndpoint, at: datetime) -> list[str]:
        """The secrets that sign at a moment, the newest first; one before it only if it can be read.

        Raises `SECRET_UNREADABLE`.
        """
        signing = [self._text(endpoint.secret)]
        if endpoint.previous_secret and endpoint.previous_expires_at and at < endpoint.previous_expires_at:
            with suppress(LedgerBeeError):  # a roll is how a lost key is got over
                signing.append(self._text(endpoint.previous_secret))
        return signing

    def _text(self, stored: bytes) -> str:
        if stored not in self._texts:
            self._texts[stored] = self._dispatcher.secrets.decrypt(stored).decode()
        return self._texts[stored]
