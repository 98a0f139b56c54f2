"""Posted journal entries: the list and the single read (contract 2.8)."""

from typing import Annotated

from fastapi import Path, Query, Response

from ledgerbee.ledger.entries import rules, store
from ledgerbee.ledger.entries.model import JOURNAL_ENTRY_NOT_FOUND
from ledgerbee.ledger.entries.query import EntryQuery
from ledgerbee.ledger.entries.wire import JournalEntryResponse, ListJournalEntriesResponse
from ledgerbee.platform.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.http.wire import Id, pages
from ledgerbee.platform.steps import in_steps

router = resource_router("Journal Entries")

EntryId = Annotated[Id, Path(alias="journalEntryId", description="Journal entry ID")]


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
async def list_journal_entries(context: Ctx, query: Annotated[EntryQuery, Query()]) -> Response:
    """List journal entries."""
    page, limit = query.page, query.limit
    found = await store.list_page(context, query.wanted(), page=page, limit=limit)
    entries = b",".join(
        [rules.json_of(entry) async for entry in in_steps(found.rows, lambda entry: len(entry.content.lines))]
    )
    body = b'{"data":[%b],"total":%d,"page":%d,"limit":%d,"totalPages":%d}'
    return Response(
        body % (entries, found.total, page, limit, pages(found.total, limit)), media_type="application/json"
    )


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
async def get_journal_entry(context: Ctx, journal_entry_id: EntryId) -> Response:
    """Get a single journal entry."""
    return Response(rules.json_of(await store.get(context, journal_entry_id)), media_type="application/json")
