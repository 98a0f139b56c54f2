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
from pgqueuer.domain.types import Channel
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
    """pgqueuer's statements; a job is put back even if the database has to be waited for.

    The library holds a job for good when putting it back fails, as a restart of the database would make it.
    """

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """Put a failed job back for a later try."""
        await retry_while_unavailable(lambda: super(JobQueries, self).retry_job(job, delay, traceback_record))


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
