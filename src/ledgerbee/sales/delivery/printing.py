"""The job that sets the PDFs of documents that their sender hands over, so that they are there when they are asked for.

Details of children are made along with them. A mailed one is set by the mail's job. The job may run twice: the second
run finds them kept.
"""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.jobs import JobKind, JobRun
from ledgerbee.sales.delivery.actions import Kinds
from ledgerbee.sales.documents.actions import print_document
from ledgerbee.sales.documents.kept_pdfs import details_of_sent, pdf_of_sent
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.documents.model import DOCUMENT_PRINTING_FAILED, DocumentKind

#: Documents of a job that are in hand at the same time: one is read from the database while others are set.
_AT_ONCE: Final = 8

log = structlog.get_logger("ledgerbee.printing")


async def print_sent(kinds: Kinds, run: JobRun) -> None:
    """Set the PDFs of sent documents and keep them (see `PRINT_JOB`).

    One that can't be set keeps no other from it. Raises what the first of those raised.
    """
    kind = kinds[DocumentKind(run.payload["kind"])]
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(document_id: UUID) -> None:
        async with places:
            await _print(run, kind, document_id)

    ended = await asyncio.gather(*(one(UUID(it)) for it in run.payload["documentIds"]), return_exceptions=True)
    for fault in ended:
        if fault is not None:
            raise fault


async def _print(run: JobRun, kind: AnyKind, document_id: UUID) -> None:
    document = await run.read(lambda context: print_document(context, kind, document_id))
    await pdf_of_sent(run.blobs, run.company_id, document.snapshot, logo=document.logo, attach=kind.attach)
    if document.snapshot.get("childDetails"):
        await details_of_sent(run.blobs, run.company_id, document.snapshot, logo=document.logo)


async def leave_unprinted(run: JobRun, reason: str) -> None:
    """Nothing waits for them: who asks for such a PDF has it set then."""
    log.warning("printing.given_up", request_id=run.request_id, company_id=str(run.company_id), reason=reason)


def _is_foreseen(fault: Exception) -> bool:
    """The database, or a place in the queue of documents, is to be had later."""
    return isinstance(fault, LedgerBeeError) and fault.is_passing and fault.error_code is not DOCUMENT_PRINTING_FAILED


def prints_of(kinds: Kinds) -> JobKind:
    """The job that sets documents of these kinds: five tries over some minutes."""
    return JobKind(
        run=partial(print_sent, kinds),
        give_up=leave_unprinted,
        is_foreseen=_is_foreseen,
        max_attempts=5,
        max_unforeseen=2,
        first_pause=timedelta(seconds=5),
        longest_pause=timedelta(minutes=5),
    )
