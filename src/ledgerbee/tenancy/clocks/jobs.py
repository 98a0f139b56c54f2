"""The daily tasks of companies, at their hour and on the days that a sandbox's clock comes to."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

import structlog

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay, DailyTask
from ledgerbee.platform.db import UNREACHABLE, Database, NameTakenError
from ledgerbee.platform.jobs import SYSTEM, JobKind, JobRun, company_tenant
from ledgerbee.tenancy.clocks import actions, store

#: Companies that one look at what is due begins the day of, at most.
_MOST: Final = 5_000

log = structlog.get_logger("ledgerbee.daily")


#: Waits for jobs that the next day has to find done; whether they are.
Settle = Callable[[JobRun], Awaitable[bool]]


async def _at_once(_: JobRun) -> bool:
    """Wait for nothing."""
    return True


async def advance_clock(tasks: Sequence[DailyTask], run: JobRun, settle: Settle = _at_once) -> None:
    """Move a sandbox's day to where it was asked to be, and do on each day what is due on it. No payload.

    Each day is begun in a transaction of its own, which says what was reached: a step that is broken off goes on there,
    with the tasks of that day once more. Nobody else works on the days of the company meanwhile. `settle` waits, before
    the first day and after each that had tasks; where that takes too long, the step goes on without.

    Raises `NameTakenError` where somebody does, and what a task failed with.
    """
    async with run.database.exclusive(_name(run)):
        tenant = await run.tenant()
        is_settled = await settle(run)
        step = await run.database.run(tenant, run.clock(), partial(actions.take_up, tasks=tasks))
        while step is not None:
            day, has_tasks = step
            if has_tasks:
                await _do(tasks, CompanyDay(run, tenant, day))
                is_settled = is_settled and await settle(run)
            step = await run.database.run(tenant, run.clock(), partial(actions.next_day, tasks=tasks, reached=day))


async def give_up_advance(run: JobRun, reason: str) -> None:
    """End the step as failed, with the reason. The day that it came to stays."""
    why = run.given_up(reason)
    await run.write(lambda context: actions.fail(context, why))


async def start_days(database: Database, _: BlobStore, now: datetime) -> None:
    """Begin the day of every company whose hour has come. For the timetable.

    What can't be begun now is left for the next look.
    """
    async with database.connection() as connection:
        due = await store.due_companies(connection, now, _MOST)
    for company_id in due:
        try:
            tenant = await company_tenant(database, company_id, new_id().hex, now, SYSTEM)
            await database.run(tenant, now, actions.start_day)
        except UNREACHABLE:
            continue
        except Exception as fault:  # one company's fault keeps no other waiting
            log.exception("daily.not_begun", company_id=str(company_id), error=f"{type(fault).__name__}: {fault}")


async def run_day(tasks: Sequence[DailyTask], run: JobRun) -> None:
    """Do the daily tasks of a company. Payload: `day`, which is left alone when it is over: the next one does more.

    Raises `NameTakenError` where somebody works on the company's days, and what a task failed with.
    """
    day = date.fromisoformat(run.payload["day"])
    async with run.database.exclusive(_name(run)):
        tenant = await run.tenant()

        async def is_left(context: Context) -> bool:
            known = await store.find_day(context, day)
            return context.today == day and known is not None and not known.is_finished

        if await run.read(is_left):
            await _do(tasks, CompanyDay(run, tenant, day))
            await run.write(lambda context: store.finish_day(context, day))


async def _give_up_day(run: JobRun, reason: str) -> None:
    """The day stays as not done, with the fault that a task ended in; the next day does what is left."""
    day, why = date.fromisoformat(run.payload["day"]), run.given_up(reason)

    async def work(context: Context) -> None:
        known = await store.find_day(context, day)
        if known is not None and known.failure is None:
            await store.fail_day(context, day, why)

    await run.write(work)


async def _do(tasks: Sequence[DailyTask], day: CompanyDay) -> None:
    """Do all tasks, in their order; one that fails keeps none of the others from being done.

    Raises what the first failed with.
    """
    first: Exception | None = None
    for task in tasks:
        try:
            await task.run(day)
        except Exception as fault:
            facts = {"company_id": str(day.run.company_id), "request_id": day.run.request_id, "day": str(day.day)}
            log.exception("daily.failed", task=task.name, error=f"{type(fault).__name__}: {fault}", **facts)
            if first is None:
                first = fault
                words = f"{task.name}: {day.run.words_of(fault, ())}"
    if first is not None:
        with suppress(*UNREACHABLE):
            await day.write(lambda context: store.fail_day(context, day.day, words))
        raise first


def _name(run: JobRun) -> str:
    return f"days of {run.company_id}"


def _is_foreseen(fault: Exception) -> bool:
    """Somebody else works on the company's days, or the database is away."""
    if isinstance(fault, LedgerBeeError):
        return fault.is_passing
    return isinstance(fault, NameTakenError)


def advances_of(tasks: Sequence[DailyTask], settle: Settle = _at_once) -> JobKind:
    """The job that moves sandboxes ahead: somebody waits for it, so a step that fails ends within some seconds."""
    return JobKind(
        run=partial(advance_clock, tasks, settle=settle),
        give_up=give_up_advance,
        is_foreseen=_is_foreseen,
        max_attempts=8,
        max_unforeseen=2,
        first_pause=timedelta(seconds=1),
        longest_pause=timedelta(minutes=5),
    )


def days_of(tasks: Sequence[DailyTask]) -> JobKind:
    """The job that does the daily tasks.

    Eight tries over some nine hours (15 s, 1 min, 4 min, 16 min, 1 h, 4 h, 4 h) where what stops them may be over then,
    four within minutes else. The next day does what is left.
    """
    return JobKind(
        run=partial(run_day, tasks),
        give_up=_give_up_day,
        is_foreseen=_is_foreseen,
        max_attempts=8,
        max_unforeseen=4,
        first_pause=timedelta(seconds=15),
        longest_pause=timedelta(hours=4),
    )
