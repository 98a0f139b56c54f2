"""The job that carries imports out."""

import time
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.imports import store
from ledgerbee.ledger.imports.model import IMPORT_JOB, JOURNAL_IMPORT_INVALID_STATE, JournalImport
from ledgerbee.ledger.imports.run import Means, Rows, carry_out, end_unforeseen
from ledgerbee.ledger.imports.source import Parts
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import SYSTEM, JobRun, company_tenant

#: Seconds after which an import is handed to a job of its own again. An import may take hours; a job that is
#: interrupted too often is held, and a worker that is to stop should not have to wait.
SHIFT_S: Final = 60.0

#: How often an import may be stopped by something unforeseen before it fails: with the pauses of the worker some five
#: minutes. What is foreseen (the database is away, another process is at it) has all the tries that a job has.
MAX_TRIES: Final = 4


async def import_entries(run: JobRun) -> None:
    """Carry out an import, or a shift of it.

    Raises `JOURNAL_IMPORT_BUSY`, for the job to be tried again later, while another process is at it; and whatever
    nobody foresaw, for the worker to tell of it and to try again. The last of `MAX_TRIES` ends the import as failed.
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
    except Exception:
        if run.attempt >= MAX_TRIES:
            await end_unforeseen(means, import_id, run.attempt)
        raise
    if not state.is_over:
        await means.write(lambda context: _hand_on(context, import_id))


async def _hand_on(context: Context, import_id: UUID) -> None:
    context.enqueue(IMPORT_JOB, importId=str(import_id))
