"""Posting: the one way into the ledger."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries import rules, store
from ledgerbee.ledger.entries.model import JournalEntry, NewEntry, Posted
from ledgerbee.ledger.periods import actions as periods
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import StepCounter, give_way


class Prepared(Struct, frozen=True, gc=False):
    """An entry with all that posting takes. The digest holds for the moment that it was prepared for."""

    entry: NewEntry
    line_ids: Sequence[UUID]
    digest: bytes


class Batch(Struct, frozen=True, gc=False):
    """Prepared entries, and what the database takes of them."""

    entries: Sequence[NewEntry]
    columns: Sequence[str | None]


async def post(context: Context, entries: Sequence[NewEntry]) -> list[Posted]:
    """Post entries, all or none, in order; answers with them as they stand in the books, in the same order.

    One round trip. From it to the COMMIT the company's counter row is held, so in a bigger transaction this comes
    last. Tells `fiscal_year.opened` of the year that opened for it, and `journal_entry.posted` of each entry with its
    wire form.

    Raises, with the place in `details.property` as `entries.3.lines.0.accountId`: validation errors,
    `JOURNAL_ENTRY_UNBALANCED`, `JOURNAL_ENTRY_AMOUNT_INVALID`, `JOURNAL_ENTRY_PARTY_REQUIRED`, `ACCOUNT_NOT_FOUND`,
    `ACCOUNT_NOT_BOOKABLE`, `VAT_CODE_NOT_FOUND`, `CUSTOMER_NOT_FOUND`, `VENDOR_NOT_FOUND`,
    `DIMENSION_VALUE_NOT_FOUND`, `JOURNAL_CATEGORY_NOT_FOUND`, `JOURNAL_ENTRY_NOT_FOUND` (the entry to reverse),
    `FISCAL_YEAR_MISSING`, `PERIOD_LOCKED`; and without it `JOURNAL_ENTRY_ALREADY_POSTED` and
    `JOURNAL_ENTRY_ALREADY_REVERSED`.
    """
    paths = [f"entries.{index}" for index in range(len(entries))]
    for entry, path in zip(entries, paths, strict=True):
        rules.check(entry, path)
    return await post_for([context] * len(entries), entries, paths)


async def post_of_document(context: Context, entry: NewEntry) -> Posted:
    """Post the entry of a document (an invoice, a payment), whose category is its own choice; otherwise as `post`.

    A refusal names no `entries.0`: who sends an invoice sent none.
    """
    rules.check(entry, "")
    return (await post_for([context], [entry], [""], are_entered=False))[0]


async def post_for(
    contexts: Sequence[Context], entries: Sequence[NewEntry], paths: Sequence[str], *, are_entered: bool = True
) -> list[Posted]:
    """Post entries of several commands of one transaction: each is told by its own context.

    As `post`, of entries that `rules.complete` or `rules.check` let pass; `paths` name their places in their requests,
    for `details.property`, which have their fields and lines if they `are_entered`, else one `date` for all.
    """
    if not entries:
        return []
    context = contexts[0]
    prepared, counter = [], StepCounter()
    for entry in entries:
        prepared.append(prepare(context.company_id, context.now, entry))
        if counter.is_due(len(entry.lines)):
            await give_way()
    places = await record(context, batch_of(prepared), paths, are_entered=are_entered)
    for year in places.opened:
        first = next(index for index, entry in enumerate(entries) if year.span.holds(entry.date))
        periods.emit_opened(contexts[first], year)
    posted = []
    for index, entry in enumerate(entries):
        recorded = JournalEntry(
            content=entry,
            line_ids=prepared[index].line_ids,
            accounts=places.accounts,
            base_currency=places.base_currency,
            entry_number=places.numbers[index],
            chain_position=places.first_position + index,
            previous_hash=places.previous_hashes[index],
            hash=places.hashes[index],
            posted_at=context.now,
            attachment_count=len(entry.attachment_hashes),
            posted_by=str(contexts[index].actor),
        )
        written = rules.json_of(recorded)
        contexts[index].emit("journal_entry.posted", entry.id, written, is_first=True)
        posted.append(Posted(recorded, written))
        if counter.is_due(len(entry.lines)):
            await give_way()
    return posted


def prepare(company_id: UUID, moment: datetime, entry: NewEntry) -> Prepared:
    """Take the digest of an entry that `rules.complete` or `rules.check` let pass, for posting at that moment."""
    line_ids = [new_id() for _ in entry.lines]
    return Prepared(entry, line_ids, rules.digest(company_id, entry, line_ids, moment))


def batch_of(prepared: Sequence[Prepared]) -> Batch:
    """Entries that are posted in one go, in order, written out for it."""
    entries = [one.entry for one in prepared]
    return Batch(
        entries, store.columns_of(entries, [one.line_ids for one in prepared], [one.digest for one in prepared])
    )


async def record(context: Context, batch: Batch, paths: Sequence[str], *, are_entered: bool = True) -> store.Places:
    """Post entries that were prepared for this moment, and tell nothing: for whoever tells of many at once.

    Raises as `post` does.
    """
    return await store.post(context, batch.entries, batch.columns, paths, are_entered=are_entered)
