"""Recognising deferred revenue month by month: what is left of each deferral and the entry in one transaction."""

from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.core.dates import last_of_month
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import total
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way
from ledgerbee.sales.deferrals import rules, store
from ledgerbee.sales.deferrals.model import RecognizedChunk, RecognizedMonth

#: Deferrals that one entry recognises.
CHUNK: Final = 2_000


async def recognize(context: Context, month: date, on: date | None) -> list[RecognizedMonth]:
    """Recognise all that is due of a month that has ended, by its first day, and of those before it, oldest first.

    Each month has entries of its own, on its last day, or on the day `on` where the operator says so. What is
    recognised already stays: a second call finds nothing. Raises validation errors, and what posting refuses
    (`PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`, `ACCOUNT_NOT_BOOKABLE`); then nothing was recognised.
    """
    rules.check_month(month, on, context.today)
    done = []
    due = await store.first_due(context, None, month)
    while due is not None:
        chunks = []
        while (chunk := await recognize_chunk(context, due, on)).deferrals:
            chunks.append(chunk)
        if chunks:  # unless somebody else was at it
            done.append(_month_of(due, chunks))
        due = await store.first_due(context, due, month)
    return done


async def recognize_chunk(context: Context, month: date, on: date | None = None) -> RecognizedChunk:
    """Recognise a month of the first `CHUNK` deferrals of which it is due; of none where nothing is.

    Raises what posting refuses.
    """
    due = await store.list_due_for_update(context, month, CHUNK)
    if not due:
        return RecognizedChunk(0, Decimal(0), None)
    books = await store.get_books(context)
    await give_way()
    recognized = rules.recognize(due, month, on or last_of_month(month), books, new_id(), context.now)
    await give_way()
    if recognized.entry is not None:
        await ledger.post_of_document(context, recognized.entry)
    await store.write_recognized(context, recognized.deferrals, recognized.recognitions)
    amount = total([one.base_amount for one in recognized.recognitions])
    return RecognizedChunk(len(due), amount, recognized.entry.id if recognized.entry else None)


def _month_of(month: date, chunks: list[RecognizedChunk]) -> RecognizedMonth:
    entry_ids: list[UUID] = [chunk.journal_entry_id for chunk in chunks if chunk.journal_entry_id is not None]
    return RecognizedMonth(
        month,
        sum(chunk.deferrals for chunk in chunks),
        total([chunk.amount for chunk in chunks]),
        tuple(entry_ids),
    )
