"""What a background job gets to work with.

Jobs are rows of the transaction that asked for them (`Context.enqueue`) and run after it committed, at least
once. A job acts outside (mail, card, webhook) between two transactions of its own: one that claims, one that
records the outcome.

Every job comes to an end: its kind says how often it is tried, and what becomes of what it works on when it is given
up.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from ledgerbee.core.dates import Clock
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform import company_store
from ledgerbee.platform.blobs.store import BlobStore
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
    #: Whether the worker that had this run in hand before died with it: what it was at was broken off.
    has_worker_died: bool = False

    async def write(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a transaction of the job's company, committed on return."""
        return await self.database.run(await self.tenant(), self.clock(), work)

    async def read(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a read-only transaction of the job's company."""
        return await self.database.run(await self.tenant(), self.clock(), work, read_only=True)

    async def tenant(self) -> Tenant:
        """The job's company, for work in transactions of its own."""
        return await company_tenant(self.database, self.company_id, self.request_id, self.clock(), SYSTEM)

    def words_of(self, fault: Exception, foreseen: tuple[type[Exception], ...]) -> str:
        """Why a try failed, for the company to read: our own words and those of the other side.

        What is unforeseen may name folders and addresses of the server: no company is told more than its class.
        """
        if isinstance(fault, (LedgerBeeError, *foreseen)):
            return str(fault) or type(fault).__name__
        return f"{type(fault).__name__}. {self._where}"

    def given_up(self, reason: str) -> str:
        """Why what the job works on was given up, for the company to read."""
        return f"{reason[:1].upper()}{reason[1:]}. {self._where}"

    @property
    def _where(self) -> str:
        return f"The log of the program has the error under request {self.request_id}."


Handler = Callable[[JobRun], Awaitable[None]]
#: Ends what a job works on, with the reason for whoever it belongs to. What has ended already it leaves alone: it may
#: be asked more than once.
GiveUp = Callable[[JobRun, str], Awaitable[None]]

#: How much longer each pause is than the one before.
_BACKOFF: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """What is done for the jobs of one name, how often it is tried, and how it ends. There are no defaults.

    `max_attempts` are the tries that what is foreseen may end (`is_foreseen`: the other side is away, somebody else is
    at it), `max_unforeseen` those of anything else; pauses grow from `first_pause` to `longest_pause`. `give_up` is
    called after the last one, and for a job that its workers died with; then the job is held for the operator to see.
    """

    run: Handler
    give_up: GiveUp
    is_foreseen: Callable[[Exception], bool]
    max_attempts: int
    max_unforeseen: int
    first_pause: timedelta
    longest_pause: timedelta

    def __post_init__(self) -> None:
        if not 1 <= self.max_unforeseen <= self.max_attempts:
            raise ValueError("a job is tried once at least, and for what is unforeseen no more often than at most")
        if not timedelta(0) < self.first_pause <= self.longest_pause:
            raise ValueError("there is a pause between two tries")

    def attempts_for(self, fault: Exception) -> int:
        """How many tries there are in all when one ends like this."""
        return self.max_attempts if self.is_foreseen(fault) else self.max_unforeseen

    def pause_after(self, attempt: int) -> timedelta:
        """How long to wait after try number `attempt`, from 1."""
        growth: int = _BACKOFF ** min(attempt - 1, 16)
        return min(self.longest_pause, self.first_pause * growth)


#: What runs on a timetable: SQL with the moment as its one argument, or a coroutine.
Timed = str | Callable[[Database, BlobStore, datetime], Awaitable[None]]


async def company_tenant(database: Database, company_id: UUID, request_id: str, now: datetime, actor: Actor) -> Tenant:
    """A company's tenant for work that no credential asked for (jobs, the command line), by its time zone and clock.

    One that isn't there yet is in UTC.
    """
    anywhere = Tenant(company_id, actor, request_id, "UTC")
    calendar = await database.run(anywhere, now, company_store.find_calendar, read_only=True)
    return anywhere if calendar is None else replace(anywhere, **calendar._asdict())
