"""Draft journal entries (v2): the receivable or payable is added by the system (contract 2.27, 2.28)."""

from typing import Annotated

from fastapi import Query, Response

from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.ledger.drafts import actions
from ledgerbee.ledger.drafts.http.shared import (
    BATCH,
    BOOKED,
    BOOKING_ERRORS,
    CHANGING_ERRORS,
    CHECKED_WHEN,
    DRAFTING_ERRORS,
    FOUND,
    LISTED,
    DraftPath,
    create,
    create_batch,
    draft_answer,
    page_of,
)
from ledgerbee.ledger.drafts.model import DRAFT_JOURNAL_ENTRY_NOT_FOUND
from ledgerbee.ledger.drafts.wire import (
    DraftJournalBatchResponse,
    DraftJournalEntryResponse,
    ListDraftJournalEntriesResponse,
    UpdateDraftJournalEntryRequest,
    changes_of,
)
from ledgerbee.ledger.entries.actions import warned
from ledgerbee.ledger.entries.model import JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED
from ledgerbee.ledger.entries.query import EntryQuery
from ledgerbee.ledger.entries.wire import (
    BatchBody,
    EntryBody,
    JournalEntryV1Response,
)
from ledgerbee.ledger.uploads.actions import decoded, staged
from ledgerbee.platform.context import Context

router = resource_router("Draft Journal Entries (v2)")

_ERRORS = (JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED, *DRAFTING_ERRORS)

_ADDED = (
    "For CUSTOMER_INVOICE, CUSTOMER_PAYMENT, SUPPLIER_INVOICE and SUPPLIER_PAYMENT the lines are the counter-side "
    "only: the receivable or payable is added at once, as for an entry that is posted."
)


@router.post(
    "/v2/draft-journal-batches",
    response_model=DraftJournalBatchResponse,
    **operation(
        "Create draft journal entries in batch (v2)",
        scope="journal-entries-write",
        status=201,
        description=f"{BATCH} {_ADDED} {CHECKED_WHEN}",
        response="Drafts created",
        errors=_ERRORS,
        opens_transaction=False,
        max_body=LARGE_BODY,
    ),
)
async def create_draft_journal_batch_v2(caller: CallerDep, body: BatchBody) -> Response:
    return await create_batch(caller, body)


@router.get(
    "/v2/draft-journal-entries",
    response_model=ListDraftJournalEntriesResponse,
    **operation("List draft journal entries (v2)", scope="journal-entries-read", description=LISTED),
)
async def list_draft_journal_entries_v2(
    context: Ctx, caller: CallerDep, query: Annotated[EntryQuery, Query()]
) -> Response:
    return await page_of(context, caller, query)


@router.post(
    "/v2/draft-journal-entries",
    response_model=DraftJournalEntryResponse,
    **operation(
        "Create a draft journal entry (v2)",
        scope="journal-entries-write",
        status=201,
        description=f"Keeps an entry that is to be posted later. {_ADDED} {CHECKED_WHEN}",
        response="Draft created",
        errors=_ERRORS,
        opens_transaction=False,
        max_body=LARGE_BODY,
    ),
)
async def create_draft_journal_entry_v2(caller: CallerDep, body: EntryBody) -> Response:
    return await create(caller, body)


@router.get(
    "/v2/draft-journal-entries/{draftJournalEntryId}",
    response_model=DraftJournalEntryResponse,
    **operation(
        "Get a single draft journal entry (v2)",
        scope="journal-entries-read",
        description=FOUND,
        errors=[DRAFT_JOURNAL_ENTRY_NOT_FOUND],
    ),
)
async def get_draft_journal_entry_v2(context: Ctx, caller: CallerDep, draft_journal_entry_id: DraftPath) -> Response:
    return await draft_answer(context, caller, draft_journal_entry_id)


@router.delete(
    "/v2/draft-journal-entries/{draftJournalEntryId}",
    **operation(
        "Delete a draft journal entry (v2)",
        scope="journal-entries-write",
        status=204,
        description="Deletes a draft that isn't booked.",
        response="Draft deleted",
        errors=CHANGING_ERRORS,
    ),
)
async def delete_draft_journal_entry_v2(context: Ctx, draft_journal_entry_id: DraftPath) -> None:
    await actions.delete(context, draft_journal_entry_id)


@router.patch(
    "/v2/draft-journal-entries/{draftJournalEntryId}",
    response_model=DraftJournalEntryResponse,
    **operation(
        "Update a draft journal entry (v2)",
        scope="journal-entries-write",
        description="Changes the fields that are sent, of a draft that isn't booked; lists are replaced as a whole. "
        "A receivable or payable that the system had added follows from amount, type and party; with new lines it is "
        f"added anew. {CHECKED_WHEN}",
        errors=(*_ERRORS, *CHANGING_ERRORS),
        opens_transaction=False,
        max_body=LARGE_BODY,
    ),
)
async def update_draft_journal_entry_v2(
    caller: CallerDep, draft_journal_entry_id: DraftPath, body: UpdateDraftJournalEntryRequest
) -> Response:
    async with staged(caller, await decoded([body.attachments or ()], ["attachments"])) as (files,):
        changes = changes_of(body, files)

        async def work(context: Context) -> Response:
            changed = await actions.update(context, draft_journal_entry_id, changes)
            return Response(changed, media_type="application/json")

        return await caller.command(work)


@router.post(
    "/v2/draft-journal-entries/{draftJournalEntryId}/book",
    response_model=JournalEntryV1Response,
    **operation(
        "Book a draft journal entry (v2)",
        scope="journal-entries-write",
        description=f"{BOOKED} A draft made by v1 has the lines that its caller sent: `warnings` then tells of its "
        "receivable or payable what booking it by v1 would.",
        response="Journal entry posted",
        errors=BOOKING_ERRORS,
    ),
)
async def book_draft_journal_entry_v2(context: Ctx, draft_journal_entry_id: DraftPath) -> Response:
    (posted,) = await warned(context, [await actions.book(context, draft_journal_entry_id)])
    return Response(posted.json, media_type="application/json")
