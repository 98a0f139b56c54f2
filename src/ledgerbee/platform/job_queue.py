"""The queue of background jobs, as the library that runs it (pgqueuer) sees it.

Imported where jobs are written or run, never on the way in: the library takes a tenth of a second to load.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

import asyncpg
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job, TracebackRecord
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import JOB_STATUS, Channel
from pgqueuer.ports.driver import Driver

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.connection import CONNECTION_LOST

T = TypeVar("T")

#: Said in full: what is left out the library takes from environment variables with names as common as CHANNEL.
SETTINGS: Final = DBSettings(
    prefix="",
    db_schema=None,
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)

#: What a lost database looks like from here.
_LOST: Final = (*CONNECTION_LOST, OSError, TimeoutError, asyncpg.InterfaceError)
_PAUSE_S: Final = 1.0


@dataclass
class JobQueries(Queries):
    """pgqueuer's statements; a job is put back even if the database has to be waited for, whatever its fault says.

    The library holds a job for good when putting it back fails, as a restart of the database would make it. What has
    ended it writes together with what else has: one text that the database doesn't take would keep all of it back.
    """

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """Put a failed job back for a later try."""
        record = _storable(traceback_record)
        await retry_while_unavailable(lambda: super(JobQueries, self).retry_job(job, delay, record))

    async def log_jobs(self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]) -> None:
        """Log jobs that have ended, and take them off the queue."""
        await super().log_jobs([(job, status, _storable(record)) for job, status, record in job_status])


def _storable(record: TracebackRecord | None) -> TracebackRecord | None:
    """The record of a fault without what jsonb has no room for: NUL, and surrogates without their other half."""

    def without(value: object) -> object:
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode().replace("\0", "?")
        return {key: without(one) for key, one in value.items()} if isinstance(value, dict) else value

    return (
        None if record is None else record.model_copy(update={key: without(one) for key, one in dict(record).items()})
    )


def queries(driver: Driver) -> JobQueries:
    """The library's statements over `driver`."""
    return JobQueries(
        driver,
        qbe=QueryBuilderEnvironment(SETTINGS),
        qbq=QueryQueueBuilder(SETTINGS),
        qbs=QuerySchedulerBuilder(SETTINGS),
    )


async def retry_while_unavailable(work: Callable[[], Awaitable[T]]) -> T:
    """Do something with the database, again and again while it can't be reached."""
    while True:
        try:
            return await work()
        except _LOST:
            await asyncio.sleep(_PAUSE_S)
        except LedgerBeeError as fault:
            if not fault.is_passing:
                raise
            await asyncio.sleep(_PAUSE_S)
