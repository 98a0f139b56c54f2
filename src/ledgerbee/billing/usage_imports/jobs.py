"""The job that carries imports of usage out."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from ledgerbee.billing.usage_imports import actions, store
from ledgerbee.billing.usage_imports.model import (
    IMPORT_USAGE_JOB,
    USAGE_IMPORT_BUSY,
    USAGE_IMPORT_INVALID_STATE,
    UsageImportId,
)
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.imports.jobs import IMPORTS, Shift, end_silent, hand_on, reached_of
from ledgerbee.ledger.imports.model import Reached, Turn, TurnOverError
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.db import CompanySession, Database
from ledgerbee.platform.jobs import JobRun


async def import_usage(run: JobRun) -> None:
    """Carry out an import, or a shift of it.

    Raises `USAGE_IMPORT_BUSY`, for the job to be tried again later, while another process is at it; and whatever nobody
    foresaw, for the worker to report it and to try again.
    """
    # Here, for the sake of the start: reading takes the API's models, and with them FastAPI.
    from ledgerbee.billing.usage_imports.run import carry_out  # noqa: PLC0415

    import_id = _import_id(run)
    session = CompanySession(run.database, run.clock, await run.tenant())
    if (await session.read(lambda context: store.get(context, import_id))).is_over:
        return
    reached: Reached | None = None
    try:
        async with Shift(run, IMPORT_USAGE_JOB) as shift:
            state = await carry_out(session, import_id, Turn(shift.is_over, reached_of(run.payload)))
    except LedgerBeeError as fault:
        if fault.error_code is USAGE_IMPORT_INVALID_STATE:  # cancelled
            return
        raise
    except TurnOverError as turn:
        reached = turn.reached
    else:
        if state.is_over:
            return
    await session.write(lambda context: hand_on(context, IMPORT_USAGE_JOB, import_id, reached))


async def give_up_import(run: JobRun, reason: str) -> None:
    """End an import as failed, with the reason; what was taken in stays. One that is over stays as it is."""
    from ledgerbee.billing.usage_imports.run import end_unforeseen  # noqa: PLC0415  as above

    session = CompanySession(run.database, run.clock, await run.tenant())
    await end_unforeseen(session, _import_id(run), run.given_up(reason))


async def end_broken_uploads(database: Database, _: BlobStore, now: datetime) -> None:
    """End the uploads of all companies that broke off where nobody could tidy up. For the timetable."""
    await end_silent(database, now, store.silent_uploads, actions.break_off)


def _import_id(run: JobRun) -> UsageImportId:
    return UsageImportId(UUID(run.payload["importId"]))


def _is_foreseen(fault: Exception) -> bool:
    """The database is away, or another process is at the import."""
    return isinstance(fault, LedgerBeeError) and (fault.is_passing or fault.error_code is USAGE_IMPORT_BUSY)


#: As for imports of entries.
USAGE_IMPORTS: Final = replace(IMPORTS, run=import_usage, give_up=give_up_import, is_foreseen=_is_foreseen)
