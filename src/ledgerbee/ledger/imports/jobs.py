"""The job that carries imports out."""

import time
from datetime import timedelta
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.imports import store
from ledgerbee.ledger.imports.model import (
    IMPORT_JOB,
    JOURNAL_IMPORT_BUSY,
    JOURNAL_IMPORT_INVALID_STATE,
    JournalImport,
)
from ledgerbee.ledger.imports.run import Means, Rows, carry_out, end_unforeseen
from ledgerbee.ledger.imports.source import Parts
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import SYSTEM, JobKind, JobRun, company_tenant

#: Seconds after which an import is handed to a job of its own again. An import may take hours; a job that is
#: interrupted too often is held, and a worker that is to stop should not have to wait.
SHIFT_S: Final = 60.0


async def import_entries(run: JobRun) -> None:
    """Carry out an import, or a shift of it.

    Raises `JOURNAL_IMPORT_BUSY`, for the job to be tried again later, while another process is at it; and whatever
    nobody foresaw, for the worker to tell of it and to try again.
    """
    # Here, for the sake of the start: reading takes the API's models, and with them FastAPI.
    from ledgerbee.ledger.imports.reading import rows_of  # noqa: PLC0415

    import_id = UUID(run.payload["importId"])
    tenant = await company_tenant(run.database, run.company_id, run.request_id, run.clock(), SYSTEM)
    means = Means(run.database, run.clock, tenant)
    ends = time.monotonic() + SHIFT_S
    if (await means.read(lambda context: store.get(context, import_id))).is_over:
        return

    async def reader(state: JournalImport) -> Rows:
        return await rows_of(means, state, Parts(import_id, means.read))

    try:
        state = await carry_out(means, import_id, reader, is_time_over=lambda: time.monotonic() > ends)
    except LedgerBeeError as fault:
        if fault.error_code is JOURNAL_IMPORT_INVALID_STATE:  # cancelled
            return
        raise
    if not state.is_over:
        await means.write(lambda context: _hand_on(context, import_id))


async def _hand_on(context: Context, import_id: UUID) -> None:
    context.enqueue(IMPORT_JOB, importId=str(import_id))


async def give_up_import(run: JobRun, reason: str) -> None:
    """End an import as failed, with the reason; what it has posted stays. One that is over stays as it is."""
    tenant = await company_tenant(run.database, run.company_id, run.request_id, run.clock(), SYSTEM)
    await end_unforeseen(Means(run.database, run.clock, tenant), UUID(run.payload["importId"]), reason)


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
