"""What can still be done with posted entries: correcting two fields, and reversal (contract 2.8)."""

from fastapi import Response

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE
from ledgerbee.chart.dimensions.rules import check_unique
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.ledger.entries import actions
from ledgerbee.ledger.entries.http.reads import EntryPath
from ledgerbee.ledger.entries.http.responses import created, created_batch
from ledgerbee.ledger.entries.model import (
    FISCAL_YEAR_MISSING,
    JOURNAL_ENTRY_ALREADY_REVERSED,
    JOURNAL_ENTRY_INVALID_STATE,
    JOURNAL_ENTRY_NOT_FOUND,
    PERIOD_LOCKED,
)
from ledgerbee.ledger.entries.wire import (
    JournalEntryBatchResponse,
    JournalEntryResponse,
    ReverseJournalEntriesRequest,
    ReverseJournalEntryRequest,
    UpdateJournalEntryRequest,
    changes_of,
)

router = resource_router("Journal Entries")

_REVERSING_ERRORS = (
    FISCAL_YEAR_MISSING,
    ACCOUNT_NOT_BOOKABLE,
    JOURNAL_ENTRY_NOT_FOUND,
    JOURNAL_ENTRY_INVALID_STATE,
    JOURNAL_ENTRY_ALREADY_REVERSED,
    PERIOD_LOCKED,
)


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
    return created_batch(await actions.reverse_batch(context, body.journal_entry_ids, body.date))


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
    return created(await actions.reverse(context, journal_entry_id, body.date, body.description))
