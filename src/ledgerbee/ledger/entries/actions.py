"""Posting: the one way into the ledger."""

from collections.abc import Sequence

from ledgerbee.core.ids import UUID, new_id
from ledgerbee.ledger.entries import rules, store
from ledgerbee.ledger.entries.model import JournalEntry, JournalLine, NewEntry, Posted
from ledgerbee.ledger.entries.store import Places
from ledgerbee.platform.context import Context


async def post(context: Context, entries: Sequence[NewEntry]) -> list[Posted]:
    """Post entries, all or none, in order; answers with their places in the books, in the same order.

    One round trip. From it to the COMMIT the company's counter row is held, so in a bigger transaction this comes
    last. Tells `journal_entry.posted` of each entry with its wire form.

    Raises, with the entry (and line) in `details.property` as `entries.3.lines.0`: validation errors,
    `JOURNAL_ENTRY_UNBALANCED`, `JOURNAL_ENTRY_AMOUNT_INVALID`, `JOURNAL_ENTRY_PARTY_REQUIRED`, `ACCOUNT_NOT_FOUND`,
    `ACCOUNT_NOT_BOOKABLE`, `VAT_CODE_NOT_FOUND`, `CUSTOMER_NOT_FOUND`, `VENDOR_NOT_FOUND`,
    `JOURNAL_CATEGORY_NOT_FOUND`, `JOURNAL_ENTRY_NOT_FOUND` (the entry to reverse), `FISCAL_YEAR_MISSING`,
    `PERIOD_LOCKED`; and without it `JOURNAL_ENTRY_ALREADY_POSTED` and `JOURNAL_ENTRY_ALREADY_REVERSED`.
    """
    if not entries:
        return []
    for index, entry in enumerate(entries):
        rules.check(entry, index)
    line_ids = [[new_id() for _ in entry.lines] for entry in entries]
    digests = [
        rules.digest(context.company_id, entry, ids, context.now) for entry, ids in zip(entries, line_ids, strict=True)
    ]
    places = await store.post(context, entries, line_ids, digests)
    for index, entry in enumerate(entries):
        posted = _read_back(context, entry, line_ids[index], places, index)
        context.emit("journal_entry.posted", entry.id, rules.wire_form(posted))
    return [
        Posted(
            id=entry.id,
            entry_number=places.numbers[index],
            chain_position=places.first_position + index,
            previous_hash=places.previous_hashes[index],
            hash=places.hashes[index],
            posted_at=context.now,
        )
        for index, entry in enumerate(entries)
    ]


def _read_back(context: Context, entry: NewEntry, line_ids: Sequence[UUID], places: Places, index: int) -> JournalEntry:
    """The entry as a read would find it, from what is known here."""
    return JournalEntry(
        id=entry.id,
        entry_number=places.numbers[index],
        entry_type=entry.entry_type,
        date=entry.date,
        currency=entry.currency,
        base_currency=places.base_currency,
        exchange_rate=entry.exchange_rate,
        original_amount=entry.original_amount,
        description=entry.description,
        reference=entry.reference,
        external_system_id=entry.external_system_id,
        customer_id=entry.customer_id,
        vendor_id=entry.vendor_id,
        journal_category_id=entry.journal_category_id,
        tag_ids=entry.tag_ids,
        lines=tuple(
            JournalLine(
                id=line_id,
                account_id=line.account_id,
                account_number=places.accounts[line.account_id][0],
                account_name=places.accounts[line.account_id][1],
                side=line.side,
                amount=line.amount,
                base_amount=line.base_amount,
                line_type=line.line_type,
                vat_code_id=line.vat_code_id,
                description=line.description,
                tag_ids=line.tag_ids,
            )
            for line_id, line in zip(line_ids, entry.lines, strict=True)
        ),
        reverses_entry_id=entry.reverses_entry_id,
        reversed_by_entry_id=None,
        posted_at=context.now,
        previous_hash=places.previous_hashes[index],
        hash=places.hashes[index],
    )
