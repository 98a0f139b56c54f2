"""The job that carries imports out."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Self
from uuid import UUID

import msgspec

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.imports import actions, store
from ledgerbee.ledger.imports.model import (
    IMPORT_JOB,
    JOURNAL_IMPORT_BUSY,
    JOURNAL_IMPORT_INVALID_STATE,
    ImportId,
    JournalImport,
    Reached,
    Turn,
    TurnOverError,
)
from ledgerbee.ledger.imports.run import Rows, carry_out, end_unforeseen
from ledgerbee.ledger.imports.source import Parts
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import UNREACHABLE, CompanySession, Database, Tenant
from ledgerbee.platform.job_turns import others_wait
from ledgerbee.platform.jobs import SYSTEM, JobKind, JobRun, company_tenant

#: Seconds after which an import is handed to a job of its own again. An import may take hours; a job that is
#: interrupted too often is held, and a worker that is to stop should not have to wait.
SHIFT_S: Final = 60.0
#: Seconds after which it is, where another company's import waits for a worker that is free.
TURN_S: Final = 3.0
#: How long nothing has come of an upload whose process is taken for dead.
SILENT_FOR: Final = timedelta(hours=1)
#: Seconds between two looks at who waits.
_LOOK_S: Final = 1.0


async def import_entries(run: JobRun) -> None:
    """Carry out an import, or a shift of it.

    Raises `JOURNAL_IMPORT_BUSY`, for the job to be tried again later, while another process is at it; and whatever
    nobody foresaw, for the worker to report it and to try again.
    """
    # Here, for the sake of the start: reading takes the API's models, and with them FastAPI.
    from ledgerbee.ledger.imports.entered import rows_of  # noqa: PLC0415

    import_id = ImportId(UUID(run.payload["importId"]))
    tenant = await company_tenant(run.database, run.company_id, run.request_id, run.clock(), SYSTEM)
    session = CompanySession(run.database, run.clock, tenant)
    shift = Shift(run, IMPORT_JOB)
    if (await session.read(lambda context: store.get(context, import_id))).is_over:
        return

    async def reader(state: JournalImport) -> Rows:
        turn = Turn(shift.is_over, reached_of(run.payload))
        return await rows_of(session, state, Parts(import_id, session.read), turn=turn)

    reached: Reached | None = None
    try:
        async with shift:
            state = await carry_out(session, import_id, reader, is_time_over=shift.is_over)
    except LedgerBeeError as fault:
        if fault.error_code is JOURNAL_IMPORT_INVALID_STATE:  # cancelled
            return
        raise
    except TurnOverError as turn:
        reached = turn.reached
    else:
        if state.is_over:
            return
    await session.write(lambda context: hand_on(context, IMPORT_JOB, import_id, reached))


async def hand_on(context: Context, job: str, import_id: UUID, reached: Reached | None) -> None:
    """Have another such job go on with an import of any kind, from where this one has `reached`."""
    known = {"reached": msgspec.to_builtins(reached)} if reached is not None else {}
    context.enqueue(job, is_continuation=True, importId=str(import_id), **known)


def reached_of(payload: Mapping[str, Any]) -> Reached | None:
    """How far the job before came, if this one can go on there: another version may have written it."""
    try:
        return msgspec.convert(payload.get("reached"), Reached | None)
    except msgspec.ValidationError:
        return None


class Shift:
    """How long an import is worked off before it is the others' turn.

    While it is entered it looks who waits for such a `job`.
    """

    def __init__(self, run: JobRun, job: str) -> None:
        self._run = run
        self._job = job
        self._began = time.monotonic()
        self._others_wait = False
        self._looking: asyncio.Task[None] | None = None

    def is_over(self) -> bool:
        """Whether it is, now that a chunk is done or a piece of the file was looked through."""
        return time.monotonic() - self._began > (TURN_S if self._others_wait else SHIFT_S)

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._looking is not None
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            with suppress(*UNREACHABLE):
                async with self._run.database.connection() as connection:
                    self._others_wait = await others_wait(connection, self._run.company_id, self._job)


async def give_up_import(run: JobRun, reason: str) -> None:
    """End an import as failed, with the reason; what it has posted stays. One that is over stays as it is."""
    tenant = await company_tenant(run.database, run.company_id, run.request_id, run.clock(), SYSTEM)
    await end_unforeseen(
        CompanySession(run.database, run.clock, tenant), ImportId(UUID(run.payload["importId"])), reason
    )


async def end_broken_uploads(database: Database, _: BlobStore, now: datetime) -> None:
    """End the uploads of all companies that broke off where nobody could tidy up. For the timetable."""
    await end_silent(database, now, store.silent_uploads, actions.break_off)


async def end_silent(
    database: Database,
    now: datetime,
    silent_uploads: Callable[[Connection, datetime], Awaitable[list[tuple[UUID, UUID]]]],
    break_off: Callable[..., Awaitable[None]],
) -> None:
    """End the uploads of a kind of import of which nothing has come for `SILENT_FOR`, each in a transaction of its own.

    What can't be ended now is left for the next time.
    """
    since = now - SILENT_FOR
    async with database.connection() as connection:
        found = await silent_uploads(connection, since)
    for company_id, import_id in found:
        tenant = Tenant(company_id, SYSTEM, new_id().hex, "UTC")
        with suppress(*UNREACHABLE):
            await database.run(tenant, now, partial(break_off, import_id=import_id, silent_since=since))


def _is_foreseen(fault: Exception) -> bool:
    """The database is away, or another process is at the import."""
    return isinstance(fault, LedgerBeeError) and (fault.status == 503 or fault.error_code is JOURNAL_IMPORT_BUSY)


#: What is unforeseen ends an import within some six minutes (15 s, 1 min and 4 min between the tries), what is foreseen
#: within a day.
IMPORTS: Final = JobKind(
    run=import_entries,
    give_up=give_up_import,
    is_foreseen=_is_foreseen,
    max_attempts=8,
    max_unforeseen=4,
    first_pause=timedelta(seconds=15),
    longest_pause=timedelta(hours=16),
)
