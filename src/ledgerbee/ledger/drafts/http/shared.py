"""What the two versions of draft journal entries share."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

from fastapi import Path, Response

from ledgerbee.core.errors import property_path
from ledgerbee.http.caller import Caller
from ledgerbee.http.json_stream import JsonStream
from ledgerbee.http.wire import IdOf, pages
from ledgerbee.ledger.drafts import actions, store
from ledgerbee.ledger.drafts.model import (
    DRAFT_JOURNAL_ENTRY_INVALID_STATE,
    DRAFT_JOURNAL_ENTRY_NOT_FOUND,
    Draft,
    DraftId,
)
from ledgerbee.ledger.drafts.wire import json_of
from ledgerbee.ledger.entries.http.create import ENTERING_ERRORS, entered
from ledgerbee.ledger.entries.http.pieces import in_portions
from ledgerbee.ledger.entries.model import (
    FISCAL_YEAR_MISSING,
    JOURNAL_ENTRY_AMOUNT_INVALID,
    JOURNAL_ENTRY_UNBALANCED,
    PERIOD_LOCKED,
)
from ledgerbee.ledger.entries.query import EntryQuery
from ledgerbee.ledger.entries.rules import Portion
from ledgerbee.ledger.entries.wire import AnyEntryBody, BatchBody, CreateJournalEntryBatchV1Request
from ledgerbee.ledger.uploads.actions import decoded, staged
from ledgerbee.ledger.uploads.model import INVALID_ATTACHMENT_TYPE
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import in_steps
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

DraftPath = Annotated[IdOf[DraftId], Path(alias="draftJournalEntryId", description="Draft journal entry ID")]

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
DRAFTING_ERRORS: Final = tuple(error for error in ENTERING_ERRORS if error not in _BOOKING_ONLY)
CHANGING_ERRORS: Final = (DRAFT_JOURNAL_ENTRY_NOT_FOUND, DRAFT_JOURNAL_ENTRY_INVALID_STATE)
BOOKING_ERRORS: Final = (
    *(error for error in ENTERING_ERRORS if error is not INVALID_ATTACHMENT_TYPE),
    *CHANGING_ERRORS,
)

CHECKED_WHEN: Final = (
    "All is checked as for an entry that is posted, but for its balance, its period and the rate of its day: those are "
    "for when it is booked."
)
LISTED: Final = (
    "A page of the drafts that aren't booked, with their lines, newest date first. Days and amounts are inclusive; "
    "amounts compare with the signed original amount."
)
FOUND: Final = "One draft with its lines. A booked one stays readable, with the entry that it became."
BOOKED: Final = (
    "Posts the entry that the draft describes, and answers with it. Drafts are booked once; one that can't be posted "
    "stays as it is. Without exchangeRate, the rate is that of the draft's date."
)
BATCH: Final = "1 to 100 drafts, made together or not at all; an error names its entry, as in `entries.3.lines.0`."


async def page_of(context: Context, caller: Caller, query: EntryQuery) -> Response:
    """The page of drafts that is asked for."""
    found = await store.list_page(context, query.wanted(), page=query.page, limit=query.limit)
    numbers = found.total, query.page, query.limit, pages(found.total, query.limit)
    end = b'],"total":%d,"page":%d,"limit":%d,"totalPages":%d}' % numbers
    if found.drafts is None:
        return _in_pieces(caller, found, b'{"data":[', end)
    drafts = b",".join([json_of(draft) async for draft in in_steps(found.drafts, lambda one: len(one.line_ids))])
    return Response(b'{"data":[%b%b' % (drafts, end), media_type="application/json")


async def draft_answer(context: Context, caller: Caller, draft_id: DraftId) -> Response:
    """The draft that is asked for."""
    there = await store.find(context, draft_id)
    if there.drafts is None:
        return _in_pieces(caller, there)
    (draft,) = there.drafts
    return Response(json_of(draft), media_type="application/json")


def _in_pieces(caller: Caller, found: store.Found, start: bytes = b"", end: bytes = b"") -> Response:
    async def read(context: Context, portions: Sequence[Portion]) -> Sequence[Draft | None]:
        return await store.get_portions(context, found, portions)

    # A page leaves out what is no draft any more by the time it is read.
    return JsonStream(in_portions(caller, found.counts, read, json_of, start, end, may_lack=bool(start)))


async def create(caller: Caller, body: AnyEntryBody) -> Response:
    """Make one draft."""
    return await _create(caller, [body], [""], _created)


async def create_batch(caller: Caller, body: BatchBody | CreateJournalEntryBatchV1Request) -> Response:
    """Make drafts together."""
    return await _create(
        caller, body.entries, [f"entries.{index}" for index in range(len(body.entries))], _created_batch
    )


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
    """A new draft as a response."""
    (draft,) = drafts
    return Response(draft, 201, media_type="application/json")


def _created_batch(drafts: Sequence[bytes]) -> Response:
    """Drafts that were made together, as a response."""
    body = b'{"totalCreated":%d,"drafts":[%b]}' % (len(drafts), b",".join(drafts))
    return Response(body, 201, media_type="application/json")
