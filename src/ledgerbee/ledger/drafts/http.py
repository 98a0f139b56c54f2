"""Draft journal entries over HTTP, by both versions of the API (contract 2.21, 2.27, 2.28).

v1 has no line that the system adds, and no PATCH; it answers until its sunset.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Final

from fastapi import Path, Query, Response

from ledgerbee.core.errors import property_path
from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.http.caller import Caller
from ledgerbee.http.operation import CallerDep, Ctx, Deprecation, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.drafts import actions, store
from ledgerbee.ledger.drafts.model import (
    DRAFT_JOURNAL_ENTRY_INVALID_STATE,
    DRAFT_JOURNAL_ENTRY_NOT_FOUND,
    DraftId,
)
from ledgerbee.ledger.drafts.wire import (
    DraftJournalBatchResponse,
    DraftJournalEntryResponse,
    ListDraftJournalEntriesResponse,
    UpdateDraftJournalEntryRequest,
    changes_of,
    json_of,
)
from ledgerbee.ledger.entries.actions import warned
from ledgerbee.ledger.entries.http import responses
from ledgerbee.ledger.entries.http.create import ENTERING_ERRORS, creating, entered
from ledgerbee.ledger.entries.model import (
    FISCAL_YEAR_MISSING,
    JOURNAL_ENTRY_AMOUNT_INVALID,
    JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED,
    JOURNAL_ENTRY_UNBALANCED,
    PERIOD_LOCKED,
)
from ledgerbee.ledger.entries.query import EntryQuery
from ledgerbee.ledger.entries.wire import (
    AnyEntryBody,
    BatchBody,
    CreateJournalEntryBatchV1Request,
    CreateJournalEntryV1Request,
    EntryBody,
    JournalEntryV1Response,
)
from ledgerbee.ledger.uploads.actions import decoded, staged
from ledgerbee.ledger.uploads.model import INVALID_ATTACHMENT_TYPE
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Draft Journal Entries")
router_v2 = resource_router("Draft Journal Entries (v2)")

DraftPath = Annotated[IdOf[DraftId], Path(alias="draftJournalEntryId", description="Draft journal entry ID")]
DraftQuery = Annotated[EntryQuery, Query()]

#: What is looked at when a draft is booked, and no earlier.
_BOOKING_ONLY: Final = frozenset(
    {
        JOURNAL_ENTRY_UNBALANCED,
        JOURNAL_ENTRY_AMOUNT_INVALID,
        EXCHANGE_RATE_MISSING,
        FISCAL_YEAR_MISSING,
        PERIOD_LOCKED,
    }
)
_DRAFTING_ERRORS: Final = tuple(error for error in ENTERING_ERRORS if error not in _BOOKING_ONLY)
_DRAFTING_ERRORS_V2: Final = (JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED, *_DRAFTING_ERRORS)
_CHANGING_ERRORS: Final = (DRAFT_JOURNAL_ENTRY_NOT_FOUND, DRAFT_JOURNAL_ENTRY_INVALID_STATE)
_BOOKING_ERRORS: Final = (
    *(error for error in ENTERING_ERRORS if error is not INVALID_ATTACHMENT_TYPE),
    *_CHANGING_ERRORS,
)

_SENT: Final = "The caller sends every line, the receivable or payable too."
_ADDED: Final = (
    "For CUSTOMER_INVOICE, CUSTOMER_PAYMENT, SUPPLIER_INVOICE and SUPPLIER_PAYMENT the lines are the counter-side "
    "only: the receivable or payable is added at once, as for an entry that is posted."
)
_CHECKED_WHEN: Final = (
    "All is checked as for an entry that is posted, but for its balance, its period and the rate of its day: those are "
    "for when it is booked."
)
_LISTED: Final = (
    "A page of the drafts that aren't booked, with their lines, newest date first. Days and amounts are inclusive; "
    "amounts compare with the signed original amount."
)
_FOUND: Final = "One draft with its lines. A booked one stays readable, with the entry that it became."
_BOOKED: Final = (
    "Posts the entry that the draft describes, and answers with it. Drafts are booked once; one that can't be posted "
    "stays as it is. Without exchangeRate, the rate is that of the draft's date."
)
_BATCH: Final = "1 to 100 drafts, made together or not at all; an error names its entry, as in `entries.3.lines.0`."


def _until_sunset(successor: str) -> Deprecation:
    return Deprecation(sunset="2026-11-08", successor=f"/api/v2/{successor}")


_OLD_DRAFTS: Final = _until_sunset("draft-journal-entries")
_OLD_DRAFT: Final = _until_sunset("draft-journal-entries/{draftJournalEntryId}")


@router.post(
    "/v1/draft-journal-batches",
    response_model=DraftJournalBatchResponse,
    **creating(
        "Create multiple draft journal entries in batch",
        description=f"{_BATCH} {_SENT} {_CHECKED_WHEN}",
        response="Drafts created",
        errors=_DRAFTING_ERRORS,
        deprecation=_until_sunset("draft-journal-batches"),
    ),
)
async def create_draft_journal_batch(caller: CallerDep, body: CreateJournalEntryBatchV1Request) -> Response:
    return await _create_batch(caller, body.entries)


@router_v2.post(
    "/v2/draft-journal-batches",
    response_model=DraftJournalBatchResponse,
    **creating(
        "Create draft journal entries in batch (v2)",
        description=f"{_BATCH} {_ADDED} {_CHECKED_WHEN}",
        response="Drafts created",
        errors=_DRAFTING_ERRORS_V2,
    ),
)
async def create_draft_journal_batch_v2(caller: CallerDep, body: BatchBody) -> Response:
    return await _create_batch(caller, body.entries)


@router.get(
    "/v1/draft-journal-entries",
    response_model=ListDraftJournalEntriesResponse,
    **operation(
        "List draft journal entries", scope="journal-entries-read", description=_LISTED, deprecation=_OLD_DRAFTS
    ),
)
@router_v2.get(
    "/v2/draft-journal-entries",
    response_model=ListDraftJournalEntriesResponse,
    name="list_draft_journal_entries_v2",
    **operation("List draft journal entries (v2)", scope="journal-entries-read", description=_LISTED),
)
async def list_draft_journal_entries(context: Ctx, caller: CallerDep, query: DraftQuery) -> Response:
    found = await store.list_page(context, query.wanted(), page=query.page, limit=query.limit)
    return await responses.page(caller, query, found, store.get_portions, json_of, may_lack=True)


@router.post(
    "/v1/draft-journal-entries",
    response_model=DraftJournalEntryResponse,
    **creating(
        "Create a draft journal entry",
        description=f"Keeps an entry that is to be posted later. {_SENT} {_CHECKED_WHEN}",
        response="Draft created",
        errors=_DRAFTING_ERRORS,
        deprecation=_OLD_DRAFTS,
    ),
)
async def create_draft_journal_entry(caller: CallerDep, body: CreateJournalEntryV1Request) -> Response:
    return await _create(caller, [body], [""], _created)


@router_v2.post(
    "/v2/draft-journal-entries",
    response_model=DraftJournalEntryResponse,
    **creating(
        "Create a draft journal entry (v2)",
        description=f"Keeps an entry that is to be posted later. {_ADDED} {_CHECKED_WHEN}",
        response="Draft created",
        errors=_DRAFTING_ERRORS_V2,
    ),
)
async def create_draft_journal_entry_v2(caller: CallerDep, body: EntryBody) -> Response:
    return await _create(caller, [body], [""], _created)


@router.get(
    "/v1/draft-journal-entries/{draftJournalEntryId}",
    response_model=DraftJournalEntryResponse,
    **operation(
        "Get a single draft journal entry",
        scope="journal-entries-read",
        description=_FOUND,
        errors=[DRAFT_JOURNAL_ENTRY_NOT_FOUND],
        deprecation=_OLD_DRAFT,
    ),
)
@router_v2.get(
    "/v2/draft-journal-entries/{draftJournalEntryId}",
    response_model=DraftJournalEntryResponse,
    name="get_draft_journal_entry_v2",
    **operation(
        "Get a single draft journal entry (v2)",
        scope="journal-entries-read",
        description=_FOUND,
        errors=[DRAFT_JOURNAL_ENTRY_NOT_FOUND],
    ),
)
async def get_draft_journal_entry(context: Ctx, caller: CallerDep, draft_journal_entry_id: DraftPath) -> Response:
    found = await store.find(context, draft_journal_entry_id)
    return await responses.one(caller, found, store.get_portions, json_of)


@router.delete(
    "/v1/draft-journal-entries/{draftJournalEntryId}",
    **operation(
        "Delete a draft journal entry",
        scope="journal-entries-write",
        status=204,
        description="Deletes a draft that isn't booked.",
        response="Draft deleted",
        errors=_CHANGING_ERRORS,
        deprecation=_OLD_DRAFT,
    ),
)
@router_v2.delete(
    "/v2/draft-journal-entries/{draftJournalEntryId}",
    name="delete_draft_journal_entry_v2",
    **operation(
        "Delete a draft journal entry (v2)",
        scope="journal-entries-write",
        status=204,
        description="Deletes a draft that isn't booked.",
        response="Draft deleted",
        errors=_CHANGING_ERRORS,
    ),
)
async def delete_draft_journal_entry(context: Ctx, draft_journal_entry_id: DraftPath) -> None:
    await actions.delete(context, draft_journal_entry_id)


@router_v2.patch(
    "/v2/draft-journal-entries/{draftJournalEntryId}",
    response_model=DraftJournalEntryResponse,
    **operation(
        "Update a draft journal entry (v2)",
        scope="journal-entries-write",
        description="Changes the fields that are sent, of a draft that isn't booked; lists are replaced as a whole. "
        "A receivable or payable that the system had added follows from amount, type and party; with new lines it is "
        f"added anew. {_CHECKED_WHEN}",
        errors=(*_DRAFTING_ERRORS_V2, *_CHANGING_ERRORS),
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
    "/v1/draft-journal-entries/{draftJournalEntryId}/book",
    response_model=JournalEntryV1Response,
    **operation(
        "Book a draft journal entry",
        scope="journal-entries-write",
        description=_BOOKED,
        response="Journal entry posted",
        errors=_BOOKING_ERRORS,
        deprecation=_until_sunset("draft-journal-entries/{draftJournalEntryId}/book"),
    ),
)
@router_v2.post(
    "/v2/draft-journal-entries/{draftJournalEntryId}/book",
    response_model=JournalEntryV1Response,
    name="book_draft_journal_entry_v2",
    **operation(
        "Book a draft journal entry (v2)",
        scope="journal-entries-write",
        description=f"{_BOOKED} A draft made by v1 has the lines that its caller sent: `warnings` then tells of its "
        "receivable or payable what booking it by v1 would.",
        response="Journal entry posted",
        errors=_BOOKING_ERRORS,
    ),
)
async def book_draft_journal_entry(context: Ctx, draft_journal_entry_id: DraftPath) -> Response:
    (posted,) = await warned(context, [await actions.book(context, draft_journal_entry_id)])
    return Response(posted.json, media_type="application/json")


async def _create_batch(caller: Caller, bodies: Sequence[AnyEntryBody]) -> Response:
    paths = [f"entries.{index}" for index in range(len(bodies))]
    return await _create(caller, bodies, paths, partial(responses.created_batch, b"drafts"))


async def _create(
    caller: Caller,
    bodies: Sequence[AnyEntryBody],
    paths: Sequence[str],
    answer: Callable[[Sequence[bytes]], Response],
) -> Response:
    files = await decoded([body.attachments for body in bodies], [property_path(path, "attachments") for path in paths])
    async with staged(caller, files) as attached:
        entries = await entered(bodies, attached)

        async def work(context: Context) -> Response:
            return answer(await actions.create(context, entries, paths))

        return await caller.command(work)


def _created(drafts: Sequence[bytes]) -> Response:
    (draft,) = drafts
    return Response(draft, 201, media_type="application/json")
