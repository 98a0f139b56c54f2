"""The worker: runs jobs after the commits that asked for them.

A failing job is tried again with growing pauses; when its attempts are used up it is held, visible and
counted, never dropped. A worker that dies leaves its jobs to the next: their heartbeat stops.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.executors import DatabaseRetryEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.models import Context as JobContext
from pgqueuer.models import Job, Schedule
from prometheus_client import Counter

from ledgerbee.app.jobs import JOBS, TIMETABLE
from ledgerbee.core.dates import Clock
from ledgerbee.platform.db import Database
from ledgerbee.platform.jobs import Handler, JobRun
from ledgerbee.platform.mail import Mailer

#: Eight tries over about a day: 15 s, 1 min, 4 min, 16 min, 1 h, 4 h, 16 h.
MAX_ATTEMPTS: Final = 8
FIRST_PAUSE: Final = timedelta(seconds=15)
LONGEST_PAUSE: Final = timedelta(hours=16)
#: A worker silent for this long is taken for dead and its jobs are run by another.
HEARTBEAT_TIMEOUT: Final = timedelta(seconds=30)

RUNS: Final = Counter("ledgerbee_job_runs_total", "Job runs by outcome", ["job", "outcome"])

log = structlog.get_logger("ledgerbee.worker")


class Worker:
    """Runs the application's jobs until it is stopped."""

    def __init__(self, database: Database, mailer: Mailer, clock: Clock, jobs: Mapping[str, Handler] = JOBS) -> None:
        self.database = database
        self.mailer = mailer
        self.clock = clock
        self.queue = PgQueuer(AsyncpgPoolDriver(database.pool))
        for name, handler in jobs.items():
            self._add_job(name, handler)
        for name, (crontab, statement) in TIMETABLE.items():
            self._add_schedule(name, crontab, statement)

    async def run(self) -> None:
        """Work until `stop` is called; the jobs in hand are finished first."""
        await self.queue.run(dequeue_timeout=timedelta(seconds=5), batch_size=10, heartbeat_timeout=HEARTBEAT_TIMEOUT)

    def stop(self) -> None:
        """Take no new job."""
        self.queue.shutdown.set()

    def _add_job(self, name: str, handler: Handler) -> None:
        async def run(job: Job) -> None:
            payload = json.loads(job.payload or b"{}")
            attempt = job.attempts + 1
            job_run = JobRun(
                database=self.database,
                mailer=self.mailer,
                clock=self.clock,
                company_id=UUID(payload["companyId"]),
                request_id=payload["requestId"],
                payload=payload,
                attempt=attempt,
                max_attempts=MAX_ATTEMPTS,
            )
            facts = {"job": name, "job_id": int(job.id), "request_id": job_run.request_id, "attempt": attempt}
            try:
                await handler(job_run)
            except Exception as fault:
                RUNS.labels(name, "failed").inc()
                log.warning("job.failed", **facts, error=f"{type(fault).__name__}: {fault}")
                raise
            RUNS.labels(name, "done").inc()
            log.info("job.done", **facts)

        self.queue.entrypoint(name, on_failure="hold", executor_factory=_retrying)(run)

    def _add_schedule(self, name: str, crontab: str, statement: str) -> None:
        async def run(_: Schedule) -> None:
            async with self.database.connection() as connection:
                await connection.execute(statement, self.clock())

        self.queue.schedule(name, crontab)(run)


class _Retrying(DatabaseRetryEntrypointExecutor):
    async def execute(self, job: Job, context: JobContext) -> None:
        try:
            await super().execute(job, context)
        except asyncio.CancelledError:
            # The worker is stopping: the job is put back at once instead of waiting for its heartbeat.
            raise RetryRequested(delay=timedelta(0), reason="worker stopped") from None


def _retrying(parameters: EntrypointExecutorParameters) -> DatabaseRetryEntrypointExecutor:
    return _Retrying(
        parameters=parameters,
        max_attempts=MAX_ATTEMPTS - 1,
        initial_delay=FIRST_PAUSE,
        max_delay=LONGEST_PAUSE,
        backoff_multiplier=4.0,
    )
