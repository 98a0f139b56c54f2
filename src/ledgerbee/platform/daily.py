"""What is done for each company once a day, and what it gets to work with.

The tasks are composed in `app.daily`, in their order. The worker runs them at the company's hour of each day, and a
sandbox's test clock on each day that it comes to. A task works off what is due on or before the day: days are missed
where the program stood still, and a task that failed is run again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar
from uuid import UUID

from ledgerbee.core.dates import day_in
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Tenant
from ledgerbee.platform.jobs import JobRun

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CompanyDay:
    """One company's day, and the means to do what is due on it. `run` has the rest: store of files, request id."""

    run: JobRun
    tenant: Tenant
    day: date

    @property
    def company_id(self) -> UUID:
        """Whose day it is."""
        return self.tenant.company_id

    async def write(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a transaction of the company, committed on return; its `today` is the day."""
        return await self._in_transaction(work, read_only=False)

    async def read(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a read-only transaction of the company; its `today` is the day."""
        return await self._in_transaction(work, read_only=True)

    async def _in_transaction(self, work: Callable[[Context], Awaitable[T]], *, read_only: bool) -> T:
        now = self.run.clock()
        # Midnight may pass meanwhile; a sandbox's day is the day all the same.
        ahead = (self.day - day_in(now, self.tenant.time_zone)).days if self.tenant.is_sandbox else 0
        tenant = replace(self.tenant, clock_offset=ahead)
        return await self.run.database.run(tenant, now, work, read_only=read_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyTask:
    """Something that is done for each company once a day.

    `run` may be called again for the same day, and does nothing twice. `is_due` is one cheap question, asked in the
    transaction that begins the day of a sandbox: where it is no for every task, the day is passed over. Without it the
    task is run each day.
    """

    name: str
    run: Callable[[CompanyDay], Awaitable[None]]
    is_due: Callable[[Context, date], Awaitable[bool]] | None = None
