"""Posting: the one way into the ledger."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.entries.json_text import json_of
from ledgerbee.ledger.entries.model import EntryToPost, JournalEntry, PostedEntry
from ledgerbee.ledger.entries.store.arrays import arguments_of
from ledgerbee.ledger.entries.store.posting import post
from ledgerbee.ledger.periods import actions as periods
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import StepCounter, give_way


class HashedEntry(Struct, frozen=True, gc=False):
    """An entry to post with the ids of its lines and its digest, which holds for the moment it was taken for."""

    entry: EntryToPost
    line_ids: Sequence[UUID]
    digest: bytes


class PostingBatch(Struct, frozen=True, gc=False):
    """Entries that are posted by one call, and the arguments of this call."""

    entries: Sequence[EntryToPost]
    arguments: Sequence[str | None]


async def post_of_document(context: Context, entry: EntryToPost) -> PostedEntry:
    """As `post_of_documents`, of one."""
    return (await post_of_documents([context], [entry]))[0]


async def post_of_documents(contexts: Sequence[Context], entries: Sequence[EntryToPost]) -> list[PostedEntry]:
    """Post the entries of documents (invoices, payments), whose category is their own choice.

    Otherwise as `post_with_events`. A refusal names no `entries.0`: who sends an invoice sent none.
    """
    for entry in entries:
        rules.check_entry(entry, "")
    return await post_with_events(contexts, entries, [""] * len(entries), are_entered=False)


async def post_with_events(
    contexts: Sequence[Context], entries: Sequence[EntryToPost], paths: Sequence[str], *, are_entered: bool = True
) -> list[PostedEntry]:
    """Post entries, all or none, in order; answers with them as they stand in the books, in the same order.

    `rules.entry_to_post` or `rules.check_entry` let them pass. They may be of several commands of one transaction: the
    context of each emits its events. One round trip. From it to the COMMIT the company's counter row is held, so in a
    bigger transaction this comes last. Emits `fiscal_year.opened` of the year that opened for it, and
    `journal_entry.posted` of each entry with its wire form.

    `paths` are their places in their requests; a request has fields and lines of entries that `are_entered`, else one
    `date`. Raises, with the place in `details.property` as `entries.3.lines.0.accountId`: `JOURNAL_ENTRY_UNBALANCED`,
    `JOURNAL_ENTRY_AMOUNT_INVALID`, `JOURNAL_ENTRY_PARTY_REQUIRED`, `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE`,
    `VAT_CODE_NOT_FOUND`, `CUSTOMER_NOT_FOUND`, `VENDOR_NOT_FOUND`, `DIMENSION_VALUE_NOT_FOUND`,
    `JOURNAL_CATEGORY_NOT_FOUND`, `JOURNAL_ENTRY_NOT_FOUND` (the entry to reverse), `FISCAL_YEAR_MISSING`,
    `PERIOD_LOCKED`; and without it `JOURNAL_ENTRY_ALREADY_POSTED` and `JOURNAL_ENTRY_ALREADY_REVERSED`.
    """
    if not entries:
        return []
    context = contexts[0]
    hashed, counter = [], StepCounter()
    for entry in entries:
        hashed.append(hash_entry(context.company_id, context.now, entry))
        if counter.is_due(len(entry.lines)):
            await give_way()
    batch = posting_batch(hashed)
    result = await post(context, batch.entries, batch.arguments, paths, are_entered=are_entered)
    for year in result.opened:
        first = next(index for index, entry in enumerate(entries) if year.span.holds(entry.date))
        periods.emit_opened(contexts[first], year)
    posted = []
    for index, entry in enumerate(entries):
        recorded = JournalEntry(
            content=entry,
            line_ids=hashed[index].line_ids,
            accounts=result.accounts,
            base_currency=result.base_currency,
            entry_number=result.numbers[index],
            chain_position=result.first_position + index,
            previous_hash=result.previous_hashes[index],
            hash=result.hashes[index],
            posted_at=context.now,
            attachment_count=len(entry.attachment_hashes),
            posted_by=str(contexts[index].actor),
        )
        written = json_of(recorded)
        contexts[index].emit("journal_entry.posted", entry.id, written, is_first=True)
        posted.append(PostedEntry(recorded, written))
        if counter.is_due(len(entry.lines)):
            await give_way()
    return posted


def hash_entry(company_id: UUID, moment: datetime, entry: EntryToPost) -> HashedEntry:
    """Give ids to the lines of an entry and take its digest, for posting at the moment.

    `rules.entry_to_post` or `rules.check_entry` let the entry pass.
    """
    line_ids = [new_id() for _ in entry.lines]
    return HashedEntry(entry, line_ids, rules.digest(company_id, entry, line_ids, moment))


def posting_batch(hashed: Sequence[HashedEntry]) -> PostingBatch:
    """The entries as the arguments of one call, in order."""
    entries = [one.entry for one in hashed]
    arguments = arguments_of(entries, [one.line_ids for one in hashed], [one.digest for one in hashed])
    return PostingBatch(entries, arguments)
