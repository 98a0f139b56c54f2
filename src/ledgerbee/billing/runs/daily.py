"""The billing run of each day, among a company's daily tasks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from ledgerbee.billing.runs import actions, store
from ledgerbee.billing.runs.model import BillingRun, BillingRunTrigger
from ledgerbee.billing.runs.process import process
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _DaySession:
    """Transactions of a company on one of its days."""

    day: CompanyDay

    @property
    def company_id(self) -> UUID:
        return self.day.tenant.company_id

    async def read(self, work: Callable[[Context], Awaitable[T]]) -> T:
        return await self.day.read(work)

    async def write(self, work: Callable[[Context], Awaitable[T]]) -> T:
        return await self.day.write(work)


async def is_due(context: Context, day: date) -> bool:
    """Whether there is anything to bill, change or tell on a day."""
    return await store.is_any_due(context, day)


async def run_day(day: CompanyDay) -> None:
    """Bill what is due on a day, here and now. A run of it that was interrupted is resumed, and so are older ones."""
    session = _DaySession(day)

    async def begin(context: Context) -> list[BillingRun]:
        runs = await store.unfinished(context, BillingRunTrigger.DAILY, day.day)
        if (not runs or runs[-1].as_of < day.day) and await store.is_any_due(context, day.day):
            daily = await actions.start(context, as_of=day.day, trigger=BillingRunTrigger.DAILY, enqueues=False)
            runs.append(daily)
        return runs

    for run in await session.write(begin):
        await process(session, run)
