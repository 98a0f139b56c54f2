"""Posted journal entries: the list and the single read (contract 2.8)."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Query, Response

from ledgerbee.http.caller import Caller
from ledgerbee.http.json_stream import JsonStream
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf, pages
from ledgerbee.ledger.entries import rules, store
from ledgerbee.ledger.entries.http.pieces import in_portions
from ledgerbee.ledger.entries.json_text import json_of
from ledgerbee.ledger.entries.model import JOURNAL_ENTRY_NOT_FOUND, EntryId, JournalEntry
from ledgerbee.ledger.entries.query import EntryQuery
from ledgerbee.ledger.entries.wire import JournalEntryResponse, ListJournalEntriesResponse
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import in_steps

router = resource_router("Journal Entries")

EntryPath = Annotated[IdOf[EntryId], Path(alias="journalEntryId", description="Journal entry ID")]


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
    page, limit = query.page, query.limit
    found = await store.list_page(context, query.wanted(), page=page, limit=limit)
    numbers = found.total, page, limit, pages(found.total, limit)
    end = b'],"total":%d,"page":%d,"limit":%d,"totalPages":%d}' % numbers
    if found.entries is None:
        return _in_pieces(caller, found, b'{"data":[', end)
    entries = b",".join(
        [json_of(entry) async for entry in in_steps(found.entries, lambda entry: len(entry.content.lines))]
    )
    return Response(b'{"data":[%b%b' % (entries, end), media_type="application/json")


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
    found = await store.find(context, journal_entry_id)
    if found.entries is None:
        return _in_pieces(caller, found)
    (entry,) = found.entries
    return Response(json_of(entry), media_type="application/json")


def _in_pieces(caller: Caller, found: store.Found, start: bytes = b"", end: bytes = b"") -> Response:
    async def read(context: Context, portions: Sequence[rules.Portion]) -> Sequence[JournalEntry]:
        return await store.get_portions(context, found, portions)

    return JsonStream(in_portions(caller, found.counts, read, json_of, start, end))
