"""What a background job gets to work with.

Jobs are rows of the transaction that asked for them (`Context.enqueue`) and run after it committed, at least
once. A job acts outside (mail, card, webhook) between two transactions of its own: one that claims, one that
records the outcome.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from ledgerbee.core.dates import Clock
from ledgerbee.platform.attachments.blobs import BlobStore
from ledgerbee.platform.context import Actor, Context
from ledgerbee.platform.db import Database, Tenant
from ledgerbee.platform.mail import Mailer

T = TypeVar("T")

SYSTEM: Final = Actor("system", "worker")


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job: its payload, the company it is for, and the means to act."""

    database: Database
    mailer: Mailer
    blobs: BlobStore
    clock: Clock
    company_id: UUID
    request_id: str
    payload: Mapping[str, Any]
    #: Runs so far, this one included; the last one is `max_attempts`.
    attempt: int
    max_attempts: int

    async def write(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a transaction of the job's company, committed on return."""
        tenant = await self._tenant()
        return await self.database.run(tenant, self.clock(), work)

    async def read(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a read-only transaction of the job's company."""
        tenant = await self._tenant()
        return await self.database.run(tenant, self.clock(), work, read_only=True)

    async def _tenant(self) -> Tenant:
        return await company_tenant(self.database, self.company_id, self.request_id, self.clock(), SYSTEM)


Handler = Callable[[JobRun], Awaitable[None]]
#: What runs on a timetable: SQL with the moment as its one argument, or a coroutine.
Timed = str | Callable[[Database, BlobStore, datetime], Awaitable[None]]


async def company_tenant(database: Database, company_id: UUID, request_id: str, now: datetime, actor: Actor) -> Tenant:
    """A company's tenant for work that no credential asked for (jobs, the command line), in its time zone."""
    anywhere = Tenant(company_id, actor, request_id, "UTC")

    async def time_zone(context: Context) -> str:
        zone = await context.connection.fetchval(
            "SELECT time_zone FROM companies WHERE company_id = $1", context.company_id
        )
        return zone or "UTC"

    return Tenant(company_id, actor, request_id, await database.run(anywhere, now, time_zone, read_only=True))
