"""Posted journal entries: reading them and their files, and what can still be done with them (contract 2.8)."""

from typing import Annotated

import structlog
from fastapi import Path, Query, Response

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE
from ledgerbee.core.errors import check_unique
from ledgerbee.http.headers import content_disposition
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.attachments import store as attachments
from ledgerbee.ledger.attachments.model import ATTACHMENT_NOT_FOUND
from ledgerbee.ledger.attachments.wire import AttachmentResponse, render
from ledgerbee.ledger.entries import actions
from ledgerbee.ledger.entries.http import responses
from ledgerbee.ledger.entries.json_text import json_of
from ledgerbee.ledger.entries.model import (
    FISCAL_YEAR_MISSING,
    JOURNAL_ENTRY_ALREADY_REVERSED,
    JOURNAL_ENTRY_INVALID_STATE,
    JOURNAL_ENTRY_NOT_FOUND,
    PERIOD_LOCKED,
    EntryId,
)
from ledgerbee.ledger.entries.query import EntryQuery
from ledgerbee.ledger.entries.store import reads
from ledgerbee.ledger.entries.wire import (
    JournalEntryBatchResponse,
    JournalEntryResponse,
    ListJournalEntriesResponse,
    ReverseJournalEntriesRequest,
    ReverseJournalEntryRequest,
    UpdateJournalEntryRequest,
    changes_of,
)
from ledgerbee.ledger.uploads.model import AttachmentId
from ledgerbee.ledger.uploads.rules import CONTENT_TYPES
from ledgerbee.platform.blobs.store import ATTACHMENT_STORE_UNAVAILABLE

router = resource_router("Journal Entries")

EntryPath = Annotated[IdOf[EntryId], Path(alias="journalEntryId", description="Journal entry ID")]
AttachmentPath = Annotated[IdOf[AttachmentId], Path(alias="attachmentId", description="Attachment ID")]

log = structlog.get_logger("ledgerbee.attachments")

_REVERSING_ERRORS = (
    FISCAL_YEAR_MISSING,
    ACCOUNT_NOT_BOOKABLE,
    JOURNAL_ENTRY_NOT_FOUND,
    JOURNAL_ENTRY_INVALID_STATE,
    JOURNAL_ENTRY_ALREADY_REVERSED,
    PERIOD_LOCKED,
)


@router.get(
    "/v1/journal-entries",
    response_model=ListJournalEntriesResponse,
    **operation(
        "List journal entries",
        scope="journal-entries-read",
        description="A page of posted entries with their lines, newest date first. Days and amounts are inclusive; "
        "amounts compare with the signed original amount.",
    ),
)
async def list_journal_entries(context: Ctx, caller: CallerDep, query: Annotated[EntryQuery, Query()]) -> Response:
    found = await reads.list_page(context, query.wanted(), page=query.page, limit=query.limit)
    return await responses.page(caller, query, found, reads.get_portions, json_of)


@router.get(
    "/v1/journal-entries/{journalEntryId}",
    response_model=JournalEntryResponse,
    **operation(
        "Get a single journal entry",
        scope="journal-entries-read",
        description="One posted entry with its lines and its place in the company's audit chain.",
        errors=[JOURNAL_ENTRY_NOT_FOUND],
    ),
)
async def get_journal_entry(context: Ctx, caller: CallerDep, journal_entry_id: EntryPath) -> Response:
    found = await reads.find(context, journal_entry_id)
    return await responses.one(caller, found, reads.get_portions, json_of)


@router.patch(
    "/v1/journal-entries/{journalEntryId}",
    response_model=JournalEntryResponse,
    **operation(
        "Update a journal entry: correct the reference and/or set your external system id",
        scope="journal-entries-write",
        description="Posted entries don't change but for these two fields, which are no part of the audit chain.",
        errors=[JOURNAL_ENTRY_NOT_FOUND],
    ),
)
async def update_journal_entry(context: Ctx, journal_entry_id: EntryPath, body: UpdateJournalEntryRequest) -> Response:
    corrected = await actions.update(context, journal_entry_id, changes_of(body))
    return Response(corrected, media_type="application/json")


@router.post(
    "/v1/journal-entries/reverse-batch",
    response_model=JournalEntryBatchResponse,
    **operation(
        "Reverse posted journal entries in batch",
        scope="journal-entries-write",
        status=201,
        description="1 to 100 entries, reversed together or not at all. Answers with the reversals in the order of the "
        "ids; an error names its entry, as in `journalEntryIds.3`. Entries of more than 60,000 lines together are "
        "refused: reverse them in several batches.",
        response="Reversals posted",
        errors=_REVERSING_ERRORS,
    ),
)
async def reverse_journal_entries(context: Ctx, body: ReverseJournalEntriesRequest) -> Response:
    check_unique("journalEntryIds", body.journal_entry_ids)
    reversals = await actions.reverse_batch(context, body.journal_entry_ids, body.date)
    return responses.created_batch(b"entries", [reversal.json for reversal in reversals])


@router.post(
    "/v1/journal-entries/{journalEntryId}/reverse",
    response_model=JournalEntryResponse,
    **operation(
        "Reverse a posted journal entry",
        scope="journal-entries-write",
        status=201,
        description="Posts the entry once more with its sides swapped, links the two, and answers with the reversal. "
        "An entry is reversed once; a reversal and the entry of a document can't be reversed.",
        response="Reversal posted",
        errors=_REVERSING_ERRORS,
    ),
)
async def reverse_journal_entry(
    context: Ctx, journal_entry_id: EntryPath, body: ReverseJournalEntryRequest
) -> Response:
    return responses.created(await actions.reverse(context, journal_entry_id, body.date, body.description))


@router.get(
    "/v1/journal-entries/{journalEntryId}/attachments",
    **operation(
        "Get attachments for a journal entry",
        scope="journal-entries-read",
        description="The files attached to a posted entry, in the order in which they were sent. They stay as long as "
        "the entry does.",
        errors=[JOURNAL_ENTRY_NOT_FOUND],
    ),
)
async def list_journal_entry_attachments(context: Ctx, journal_entry_id: EntryPath) -> list[AttachmentResponse]:
    await reads.check_exists(context, journal_entry_id)
    return [render(journal_entry_id, found) for found in await attachments.list_for_entry(context, journal_entry_id)]


_FILE = operation(
    "Download an attachment of a journal entry",
    scope="journal-entries-read",
    description="The file as it was sent, with the type it was sent as.",
    response="The file",
    errors=[ATTACHMENT_NOT_FOUND, ATTACHMENT_STORE_UNAVAILABLE],
    opens_transaction=False,
    extension=True,
)
_FILE["responses"][200]["content"] = {
    content_type: {"schema": {"type": "string", "format": "binary"}} for content_type in sorted(CONTENT_TYPES)
}


@router.get("/v1/journal-entries/{journalEntryId}/attachments/{attachmentId}", response_class=Response, **_FILE)
async def get_journal_entry_attachment(
    caller: CallerDep, journal_entry_id: EntryPath, attachment_id: AttachmentPath
) -> Response:
    found = await caller.read(lambda context: attachments.get_of_entry(context, journal_entry_id, attachment_id))
    content = await caller.blobs.get(caller.principal.company_id, found.hash)
    if content is None:
        log.error("attachments.missing", attachment=str(found.id), sha256=found.hash.hex())
        raise ATTACHMENT_STORE_UNAVAILABLE.error()
    headers = {
        "Content-Type": found.content_type,  # as it is: Starlette would add a charset, and nobody knows which
        "Content-Disposition": content_disposition(found.file_name),
    }
    return Response(content, headers=headers)
