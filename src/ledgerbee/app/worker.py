"""The worker: runs jobs after the commits that asked for them.

A failing job is tried again with growing pauses, as its kind says (`platform.jobs.JobKind`). When its attempts are used
up, what it works on is ended as failed, and the job is held, visible and counted, never dropped. A worker that dies
leaves its jobs to the next: their heartbeat stops. A job that takes its worker down again and again ends likewise.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from pgqueuer.applications import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.executors import AbstractEntrypointExecutor, EntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.models import Context as JobContext
from pgqueuer.models import Job, Schedule
from prometheus_client import Counter, Histogram

from ledgerbee.app.jobs import AT_ONCE, END_GIVEN_UP, HELD_OF_LATE, JOBS, RENEW_RATES, TIMETABLE
from ledgerbee.app.process import GRACE_S
from ledgerbee.core.dates import Clock
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.db import Database
from ledgerbee.platform.job_queue import SETTINGS, queries, retry_while_unavailable
from ledgerbee.platform.job_report import count_interrupted_run, end_interrupted_run, held_jobs, was_interrupted
from ledgerbee.platform.jobs import JobKind, JobRun, Timed
from ledgerbee.platform.mail import Mailer
from ledgerbee.tenancy.rates.feed import Feed

T = TypeVar("T")

#: Jobs at work at the same time in one worker, and its database connections.
MAX_RUNNING: Final = 20
POOL_SIZE: Final = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a worker waits, whatever the job."""

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
for _job in JOBS:  # there from the start: a rate sees the first one
    DURATION.labels(_job)
    for _outcome in ("done", "failed", "held"):
        RUNS.labels(_job, _outcome)

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
        jobs: Mapping[str, JobKind] = JOBS,
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
        self.running: set[asyncio.Task[Any]] = set()
        #: Held by the one job that was interrupted and is run again: its id.
        self.one_at_a_time = asyncio.Lock()
        self.interrupted_job: int | None = None
        self.runs = {name: _Runs(self, name, kind) for name, kind in jobs.items()}
        for runs in self.runs.values():
            self._add_job(runs)
        self._add_schedule(*END_GIVEN_UP, self._end_given_up)
        for name, (crontab, timed) in timetable.items():
            self._add_schedule(name, crontab, timed)
        if feed is not None:
            self._add_schedule(*RENEW_RATES, feed.renew)

    async def run(self) -> None:
        """Work until `stop` is called; jobs in hand are finished or, after the grace, put back.

        Raises what ended it otherwise: the loss of the database, in most cases.
        """
        log.info("worker.started")
        tasks = [asyncio.create_task(self._cancel_running_jobs())]
        if self.feed is not None:  # whoever has just started it wants today's rates, not those of the next hour
            tasks.append(asyncio.create_task(self.feed.renew(self.database, self.blobs, self.clock())))
        try:
            await self.queue.run(
                dequeue_timeout=self.limits.poll,
                batch_size=MAX_RUNNING // 2,
                max_concurrent_tasks=MAX_RUNNING,
                heartbeat_timeout=self.limits.heartbeat_timeout,
                log_aggregation_interval=timedelta(0),
            )
        finally:
            for task in tasks:
                task.cancel()

    def stop(self) -> None:
        """Take no new job, and come to an end."""
        self.queue.shutdown.set()

    async def _cancel_running_jobs(self) -> None:
        await self.queue.shutdown.wait()
        await asyncio.sleep(self.limits.grace.total_seconds())
        ended: set[asyncio.Task[Any]] = set()
        while True:  # until `run` is over: a job may have been about to begin
            for task in self.running - ended:
                task.cancel()
                ended.add(task)
            await asyncio.sleep(0.1)

    async def _end_given_up(self, database: Database, _: BlobStore, now: datetime) -> None:
        """Once more for jobs held of late: whatever kept what they work on from being ended may be over."""
        async with database.connection() as connection:
            held = await held_jobs(connection, since=now - HELD_OF_LATE, names=list(self.runs))
        for job in held:
            runs = self.runs[job.job]
            await runs.give_up(runs.run_of(job.payload, job.attempts), job.id, "it was tried again and again in vain")

    def _add_job(self, runs: "_Runs") -> None:
        def executor(parameters: EntrypointExecutorParameters) -> AbstractEntrypointExecutor:
            return _Executor(parameters=parameters, worker=self, runs=runs)

        self.queue.entrypoint(
            runs.name, on_failure="hold", executor_factory=executor, concurrency_limit=AT_ONCE.get(runs.name, 0)
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
    """The runs of one kind of job: what its handler gets, what is logged of it, and what follows from how it ended."""

    worker: Worker
    name: str
    kind: JobKind

    def __post_init__(self) -> None:
        if not isinstance(self.kind, JobKind):
            raise TypeError(f"the job {self.name} doesn't say how it ends: it has to be a JobKind")

    def run_of(self, payload: Mapping[str, Any], attempt: int, *, has_worker_died: bool = False) -> JobRun:
        """The run number `attempt` of a job; whether it is the one that its worker died with, once more."""
        return JobRun(
            database=self.worker.database,
            mailer=self.worker.mailer,
            blobs=self.worker.blobs,
            clock=self.worker.clock,
            company_id=UUID(payload["companyId"]),
            request_id=payload["requestId"],
            payload=payload,
            attempt=attempt,
            max_attempts=self.kind.max_attempts,
            has_worker_died=has_worker_died,
        )

    async def run(self, job: Job) -> None:
        """Run a job once. Raises `RetryRequested` for another try, and what ended it when it is given up."""
        attempt = job.attempts + 1
        has_worker_died = self.worker.interrupted_job == int(job.id)
        job_run = self.run_of(json.loads(job.payload or b"{}"), attempt, has_worker_died=has_worker_died)
        facts = {"job": self.name, "job_id": int(job.id), "request_id": job_run.request_id, "attempt": attempt}
        started = time.perf_counter()
        try:
            await self.kind.run(job_run)
        except Exception as fault:
            is_over = attempt >= self.kind.attempts_for(fault)
            outcome = "held" if is_over else "failed"
            RUNS.labels(self.name, outcome).inc()
            log.warning(f"job.{outcome}", **facts, error=f"{type(fault).__name__}: {fault}")
            if not is_over:
                raise RetryRequested(delay=self.kind.pause_after(attempt), reason=str(fault)) from fault
            times = f"{attempt} times" if attempt > 1 else "once"
            is_foreseen = self.kind.is_foreseen(fault)
            reason = f"it was tried {times} in vain" if is_foreseen else f"an unforeseen error stopped it {times}"
            await self.give_up(job_run, int(job.id), reason)
            raise
        finally:
            seconds = time.perf_counter() - started
            DURATION.labels(self.name).observe(seconds)
        RUNS.labels(self.name, "done").inc()
        log.info("job.done", **facts, milliseconds=int(seconds * 1000))

    async def give_up(self, job_run: JobRun, job_id: int, reason: str) -> None:
        """End what the job works on. What nobody foresaw here is logged, and tried again at the next look."""
        try:
            await retry_while_unavailable(lambda: self.kind.give_up(job_run, reason))
        except Exception as fault:
            log.exception("job.not_ended", job=self.name, job_id=job_id, error=f"{type(fault).__name__}: {fault}")


@dataclass(kw_only=True)
class _Executor(EntrypointExecutor):
    """The library's executor, with an end for jobs that the worker can't wait for and for those that kill it."""

    worker: Worker
    runs: _Runs

    async def execute(self, job: Job, context: JobContext) -> None:
        """Run the job. Raises what makes the library put it back or hold it."""
        task = asyncio.current_task()
        assert task is not None
        self.worker.running.add(task)
        try:
            if await retry_while_unavailable(lambda: self._query(was_interrupted, job)):
                await self._run_interrupted(job, context)
            else:
                await super().execute(job, context)
        except asyncio.CancelledError:
            # The worker is stopping: the job is put back at once instead of waiting for its heartbeat.
            raise RetryRequested(delay=timedelta(0), reason="worker stopped") from None
        finally:
            self.worker.running.discard(task)

    async def _run_interrupted(self, job: Job, context: JobContext) -> None:
        """Run a job that was in hand when a worker died: those one at a time, so that the guilty one is found."""
        async with self.worker.one_at_a_time:
            begun = await retry_while_unavailable(lambda: self._query(count_interrupted_run, job))
            try:
                if begun > self.worker.limits.max_interruptions:
                    RUNS.labels(job.entrypoint, "held").inc()
                    error = f"{begun} workers died while they ran it"
                    log.error("job.held", job=job.entrypoint, job_id=int(job.id), error=error)
                    job_run = self.runs.run_of(json.loads(job.payload or b"{}"), job.attempts + 1)
                    await self.runs.give_up(job_run, int(job.id), f"{begun} workers of the program died with it")
                    raise JobKillsWorkersError(error)
                self.worker.interrupted_job = int(job.id)
                await super().execute(job, context)
            finally:
                self.worker.interrupted_job = None
                await retry_while_unavailable(lambda: self._query(end_interrupted_run, job))

    async def _query(self, question: Callable[[Connection, int], Awaitable[T]], job: Job) -> T:
        async with self.worker.database.connection() as connection:
            return await question(connection, job.id)
