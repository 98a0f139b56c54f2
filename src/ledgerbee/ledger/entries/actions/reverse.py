"""Reversing posted entries: the only correction there is of what was posted."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Final

from msgspec.structs import replace

from ledgerbee.core.errors import check_all, invalid, refuse_first
from ledgerbee.core.ids import UUID, new_id
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.entries.actions.post import post_with_events
from ledgerbee.ledger.entries.json_text import json_of
from ledgerbee.ledger.entries.model import (
    JOURNAL_ENTRY_NOT_FOUND,
    MAX_LINES_TOGETHER,
    EntryId,
    EntryToPost,
    JournalEntry,
    LineToPost,
    PostedEntry,
)
from ledgerbee.ledger.entries.store import reads
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way, in_steps
from ledgerbee.tenancy.company import store as companies

_TOO_MANY_LINES: Final = f"journalEntryIds must not name entries of more than {MAX_LINES_TOGETHER} lines together"


async def reverse(context: Context, entry_id: EntryId, on: date | None, description: str | None) -> PostedEntry:
    """Post the reversal of an entry, dated `on` (None: today, or the entry's own day if that is later).

    Emits `journal_entry.posted` of the reversal and `journal_entry.reversed` of the entry. Of two at once, one wins.
    Raises `JOURNAL_ENTRY_NOT_FOUND`, `JOURNAL_ENTRY_INVALID_STATE`, `JOURNAL_ENTRY_ALREADY_REVERSED`, `PERIOD_LOCKED`,
    `FISCAL_YEAR_MISSING` and validation errors.
    """
    entry = await reads.get_for_update(context, entry_id)
    return (await _reverse(context, [entry], [""], on, description))[0]


async def reverse_of_document(
    context: Context,
    entry_id: UUID,
    reversal_id: UUID,
    on: date | None,
    description: str | None,
    added: Sequence[LineToPost] = (),
) -> PostedEntry:
    """Post the reversal of a document's entry, under an id that the document names; otherwise as `reverse`.

    For the operation that takes the document back in the same transaction. `added` are lines, balanced by themselves,
    of what else that settles.
    """
    entry = await reads.get(context, EntryId(entry_id))
    return (await _reverse(context, [entry], [""], on, description, reversal_id, added))[0]


async def reverse_batch(context: Context, entry_ids: Sequence[EntryId], on: date | None) -> list[PostedEntry]:
    """Post the reversals of entries, all or none, in the order of the ids, which are distinct.

    As `reverse`, with the entry's place as `journalEntryIds.3` in `details.property`; where several have the same
    fault, all their places in `details.properties`. What is wrong with the day names `date`. Entries of too many
    lines together (`MAX_LINES_TOGETHER`) are refused.
    """
    if await reads.count_lines(context, entry_ids) > MAX_LINES_TOGETHER:
        raise invalid(("journalEntryIds", "maxLines", _TOO_MANY_LINES))
    found = await reads.get_many_for_update(context, entry_ids)
    paths = [f"journalEntryIds.{index}" for index in range(len(entry_ids))]
    refuse_first(
        JOURNAL_ENTRY_NOT_FOUND.missing(path, "journalEntryId", entry_id)
        for path, entry_id in zip(paths, entry_ids, strict=True)
        if entry_id not in found
    )
    return await _reverse(context, [found[entry_id] for entry_id in entry_ids], paths, on, None)


async def _reverse(
    context: Context,
    entries: Sequence[JournalEntry],
    paths: Sequence[str],
    on: date | None,
    description: str | None,
    document_reversal_id: UUID | None = None,
    added: Sequence[LineToPost] = (),
) -> list[PostedEntry]:
    language = (await companies.get(context)).preferred_language
    reversals: list[EntryToPost] = []
    with_document = document_reversal_id is not None
    check_all(
        *(
            partial(rules.check_reversible, *one, with_document=with_document)
            for one in zip(entries, paths, strict=True)
        )
    )
    async for entry in in_steps(entries, _lines_of):
        day = on or max(context.today, entry.content.date)
        taking_back = rules.reversal(entry, document_reversal_id or new_id(), day, description, language)
        reversals.append(replace(taking_back, lines=(*taking_back.lines, *added)))
    if on is not None:
        rules.check_reversal_day(entries, on)
    posted = await post_with_events([context] * len(entries), reversals, paths, are_entered=False)
    async for entry, taken_back in in_steps(zip(entries, posted, strict=True), lambda pair: _lines_of(pair[0])):
        reversed_entry = replace(entry, reversed_by_entry_id=taken_back.entry.id)
        was = json_of(entry)
        await give_way()
        context.emit("journal_entry.reversed", entry.id, json_of(reversed_entry), before=was)
    return posted


def _lines_of(entry: JournalEntry) -> int:
    return len(entry.content.lines)
