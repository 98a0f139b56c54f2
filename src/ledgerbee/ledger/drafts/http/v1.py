"""Draft journal entries (v1): the caller sends every line (contract 2.21). They answer until their sunset."""

from typing import Annotated

from fastapi import Query, Response

from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.http.operation import CallerDep, Ctx, Deprecation, operation, resource_router
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
)
from ledgerbee.ledger.entries.actions import warned
from ledgerbee.ledger.entries.query import EntryQuery
from ledgerbee.ledger.entries.wire import (
    CreateJournalEntryBatchV1Request,
    CreateJournalEntryV1Request,
    JournalEntryV1Response,
)

router = resource_router("Draft Journal Entries")

_SENT = "The caller sends every line, the receivable or payable too."


def _until_sunset(successor: str) -> Deprecation:
    return Deprecation(sunset="2026-11-08", successor=f"/api/v2/{successor}")


_BATCHES = _until_sunset("draft-journal-batches")
_DRAFTS = _until_sunset("draft-journal-entries")
_DRAFT = _until_sunset("draft-journal-entries/{draftJournalEntryId}")
_BOOKING = _until_sunset("draft-journal-entries/{draftJournalEntryId}/book")


@router.post(
    "/v1/draft-journal-batches",
    response_model=DraftJournalBatchResponse,
    **operation(
        "Create multiple draft journal entries in batch",
        scope="journal-entries-write",
        status=201,
        description=f"{BATCH} {_SENT} {CHECKED_WHEN}",
        response="Drafts created",
        errors=DRAFTING_ERRORS,
        opens_transaction=False,
        max_body=LARGE_BODY,
        deprecation=_BATCHES,
    ),
)
async def create_draft_journal_batch(caller: CallerDep, body: CreateJournalEntryBatchV1Request) -> Response:
    return await create_batch(caller, body)


@router.get(
    "/v1/draft-journal-entries",
    response_model=ListDraftJournalEntriesResponse,
    **operation("List draft journal entries", scope="journal-entries-read", description=LISTED, deprecation=_DRAFTS),
)
async def list_draft_journal_entries(
    context: Ctx, caller: CallerDep, query: Annotated[EntryQuery, Query()]
) -> Response:
    return await page_of(context, caller, query)


@router.post(
    "/v1/draft-journal-entries",
    response_model=DraftJournalEntryResponse,
    **operation(
        "Create a draft journal entry",
        scope="journal-entries-write",
        status=201,
        description=f"Keeps an entry that is to be posted later. {_SENT} {CHECKED_WHEN}",
        response="Draft created",
        errors=DRAFTING_ERRORS,
        opens_transaction=False,
        max_body=LARGE_BODY,
        deprecation=_DRAFTS,
    ),
)
async def create_draft_journal_entry(caller: CallerDep, body: CreateJournalEntryV1Request) -> Response:
    return await create(caller, body)


@router.get(
    "/v1/draft-journal-entries/{draftJournalEntryId}",
    response_model=DraftJournalEntryResponse,
    **operation(
        "Get a single draft journal entry",
        scope="journal-entries-read",
        description=FOUND,
        errors=[DRAFT_JOURNAL_ENTRY_NOT_FOUND],
        deprecation=_DRAFT,
    ),
)
async def get_draft_journal_entry(context: Ctx, caller: CallerDep, draft_journal_entry_id: DraftPath) -> Response:
    return await draft_answer(context, caller, draft_journal_entry_id)


@router.delete(
    "/v1/draft-journal-entries/{draftJournalEntryId}",
    **operation(
        "Delete a draft journal entry",
        scope="journal-entries-write",
        status=204,
        description="Deletes a draft that isn't booked.",
        response="Draft deleted",
        errors=CHANGING_ERRORS,
        deprecation=_DRAFT,
    ),
)
async def delete_draft_journal_entry(context: Ctx, draft_journal_entry_id: DraftPath) -> None:
    await actions.delete(context, draft_journal_entry_id)


@router.post(
    "/v1/draft-journal-entries/{draftJournalEntryId}/book",
    response_model=JournalEntryV1Response,
    **operation(
        "Book a draft journal entry",
        scope="journal-entries-write",
        description=BOOKED,
        response="Journal entry posted",
        errors=BOOKING_ERRORS,
        deprecation=_BOOKING,
    ),
)
async def book_draft_journal_entry(context: Ctx, draft_journal_entry_id: DraftPath) -> Response:
    (posted,) = await warned(context, [await actions.book(context, draft_journal_entry_id)])
    return Response(posted.json, media_type="application/json")
