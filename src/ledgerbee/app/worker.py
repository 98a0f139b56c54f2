"""The worker: runs jobs after the commits that asked for them.

A failing job is tried again with growing pauses; when its attempts are used up it is held, visible and
counted, never dropped. A worker that dies leaves its jobs to the next: their heartbeat stops. A job that takes its
worker down again and again is held too.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from pgqueuer.applications import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.executors import AbstractEntrypointExecutor, DatabaseRetryEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.models import Context as JobContext
from pgqueuer.models import Job, Schedule
from prometheus_client import Counter, Histogram

from ledgerbee.app.jobs import AT_ONCE, JOBS, RENEW_RATES, TIMETABLE
from ledgerbee.app.process import GRACE_S
from ledgerbee.core.dates import Clock
from ledgerbee.platform.attachments.blobs import BlobStore
from ledgerbee.platform.db import Connection, Database
from ledgerbee.platform.job_queue import SETTINGS, patiently, queries
from ledgerbee.platform.job_report import begin_again, came_to_an_end, was_interrupted
from ledgerbee.platform.jobs import Handler, JobRun, Timed
from ledgerbee.platform.mail import Mailer
from ledgerbee.platform.rates.feed import Feed

T = TypeVar("T")

#: Jobs at work at the same time in one worker, and its database connections.
MAX_RUNNING: Final = 20
POOL_SIZE: Final = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a worker waits, and how often it tries."""

    #: Eight tries over about a day: 15 s, 1 min, 4 min, 16 min, 1 h, 4 h, 16 h.
    max_attempts: int = 8
    first_pause: timedelta = timedelta(seconds=15)
    longest_pause: timedelta = timedelta(hours=16)
    #: How often the queue is looked at when nothing is heard of it: retries that fall due, notifications that got lost.
    poll: timedelta = timedelta(seconds=5)
    #: A worker silent for this long is taken for dead and its jobs are run by another.
    heartbeat_timeout: timedelta = timedelta(seconds=30)
    #: How often a job may begin again after its worker died with it before it is held: it may be what kills them.
    max_interruptions: int = 3
    #: How long jobs in hand get to finish when the worker is told to stop.
    grace: timedelta = timedelta(seconds=GRACE_S)


LIMITS: Final = Limits()

RUNS: Final = Counter("ledgerbee_job_runs_total", "Job runs by outcome: done, failed, held", ["job", "outcome"])
DURATION: Final = Histogram(
    "ledgerbee_job_duration_seconds",
    "Time a run of a job took, failed runs included",
    ["job"],
    buckets=(0.05, 0.1, 0.5, 1, 5, 15, 60, 300),
)

log = structlog.get_logger("ledgerbee.worker")


class JobKillsWorkersError(Exception):
    """The workers that had the job in hand died, one after the other."""


class Worker:
    """Runs the application's jobs until it is stopped."""

    def __init__(
        self,
        database: Database,
        mailer: Mailer,
        blobs: BlobStore,
        clock: Clock,
        jobs: Mapping[str, Handler] = JOBS,
        timetable: Mapping[str, tuple[str, Timed]] = TIMETABLE,
        limits: Limits = LIMITS,
        feed: Feed | None = None,
    ) -> None:
        self.database = database
        self.mailer = mailer
        self.blobs = blobs
        self.clock = clock
        self.limits = limits
        self.feed = feed
        driver = AsyncpgPoolDriver(database.pool)
        self.queue = PgQueuer(driver, channel=SETTINGS.channel, queries=queries(driver))
        #: Jobs under way, for `run` to end.
        self.in_hand: set[asyncio.Task[Any]] = set()
        #: Held by the one job that was interrupted and is run again.
        self.one_at_a_time = asyncio.Lock()
        for name, handler in jobs.items():
            self._add_job(name, handler)
        for name, (crontab, timed) in timetable.items():
            self._add_schedule(name, crontab, timed)
        if feed is not None:
            self._add_schedule(*RENEW_RATES, feed.renew)

    async def run(self) -> None:
        """Work until `stop` is called; jobs in hand are finished or, after the grace, put back.

        Raises what ended it otherwise: the loss of the database, in most cases.
        """
        log.info("worker.started")
        beside = [asyncio.create_task(self._end_jobs_in_hand())]
        if self.feed is not None:  # whoever has just started it wants today's rates, not those of the next hour
            beside.append(asyncio.create_task(self.feed.renew(self.database, self.blobs, self.clock())))
        try:
            await self.queue.run(
                dequeue_timeout=self.limits.poll,
                batch_size=MAX_RUNNING // 2,
                max_concurrent_tasks=MAX_RUNNING,
                heartbeat_timeout=self.limits.heartbeat_timeout,
                log_aggregation_interval=timedelta(0),
            )
        finally:
            for task in beside:
                task.cancel()

    def stop(self) -> None:
        """Take no new job, and come to an end."""
        self.queue.shutdown.set()

    async def _end_jobs_in_hand(self) -> None:
        await self.queue.shutdown.wait()
        await asyncio.sleep(self.limits.grace.total_seconds())
        ended: set[asyncio.Task[Any]] = set()
        while True:  # until `run` is over: a job may have been about to begin
            for task in self.in_hand - ended:
                task.cancel()
                ended.add(task)
            await asyncio.sleep(0.1)

    def _add_job(self, name: str, handler: Handler) -> None:
        runs = _Runs(self, name, handler)

        def executor(parameters: EntrypointExecutorParameters) -> AbstractEntrypointExecutor:
            return _Executor(
                parameters=parameters,
                max_attempts=self.limits.max_attempts - 1,
                initial_delay=self.limits.first_pause,
                max_delay=self.limits.longest_pause,
                backoff_multiplier=4.0,
                worker=self,
            )

        self.queue.entrypoint(
            name, on_failure="hold", executor_factory=executor, concurrency_limit=AT_ONCE.get(name, 0)
        )(runs.run)

    def _add_schedule(self, name: str, crontab: str, timed: Timed) -> None:
        async def run(_: Schedule) -> None:
            if not isinstance(timed, str):
                await timed(self.database, self.blobs, self.clock())
                return
            async with self.database.connection() as connection:
                await connection.execute(timed, self.clock())

        self.queue.schedule(name, crontab)(run)


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of one kind of job: what its handler gets, and what is told of it."""

    worker: Worker
    name: str
    handler: Handler

    async def run(self, job: Job) -> None:
        payload = json.loads(job.payload or b"{}")
        attempt = job.attempts + 1
        job_run = JobRun(
            database=self.worker.database,
            mailer=self.worker.mailer,
            blobs=self.worker.blobs,
            clock=self.worker.clock,
            company_id=UUID(payload["companyId"]),
            request_id=payload["requestId"],
            payload=payload,
            attempt=attempt,
            max_attempts=self.worker.limits.max_attempts,
        )
        facts = {"job": self.name, "job_id": int(job.id), "request_id": job_run.request_id, "attempt": attempt}
        started = time.perf_counter()
        try:
            await self.handler(job_run)
        except Exception as fault:
            outcome = "failed" if attempt < job_run.max_attempts else "held"
            RUNS.labels(self.name, outcome).inc()
            log.warning(f"job.{outcome}", **facts, error=f"{type(fault).__name__}: {fault}")
            raise
        finally:
            seconds = time.perf_counter() - started
            DURATION.labels(self.name).observe(seconds)
        RUNS.labels(self.name, "done").inc()
        log.info("job.done", **facts, milliseconds=int(seconds * 1000))


@dataclass(kw_only=True)
class _Executor(DatabaseRetryEntrypointExecutor):
    """The library's executor, with an end for jobs that the worker can't wait for and for those that kill it."""

    worker: Worker

    async def execute(self, job: Job, context: JobContext) -> None:
        """Run the job. Raises what makes the library put it back or hold it."""
        task = asyncio.current_task()
        assert task is not None
        self.worker.in_hand.add(task)
        try:
            if await patiently(lambda: self._ask(was_interrupted, job)):
                await self._begin_again(job, context)
            else:
                await super().execute(job, context)
        except asyncio.CancelledError:
            # The worker is stopping: the job is put back at once instead of waiting for its heartbeat.
            raise RetryRequested(delay=timedelta(0), reason="worker stopped") from None
        finally:
            self.worker.in_hand.discard(task)

    async def _begin_again(self, job: Job, context: JobContext) -> None:
        """Run a job that was in hand when a worker died: those one at a time, so that the guilty one is found."""
        async with self.worker.one_at_a_time:
            begun = await patiently(lambda: self._ask(begin_again, job))
            try:
                if begun > self.worker.limits.max_interruptions:
                    RUNS.labels(job.entrypoint, "held").inc()
                    error = f"{begun} workers died while they ran it"
                    log.error("job.held", job=job.entrypoint, job_id=int(job.id), error=error)
                    raise JobKillsWorkersError(error)
                await super().execute(job, context)
            finally:
                await patiently(lambda: self._ask(came_to_an_end, job))

    async def _ask(self, question: Callable[[Connection, int], Awaitable[T]], job: Job) -> T:
        async with self.worker.database.connection() as connection:
            return await question(connection, job.id)
