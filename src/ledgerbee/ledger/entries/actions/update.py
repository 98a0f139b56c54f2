"""Changing the two fields of a posted entry that are no part of its content."""

from ledgerbee.core.changes import Changes
from ledgerbee.ledger.entries.json_text import json_of
from ledgerbee.ledger.entries.model import EntryFields, EntryId
from ledgerbee.ledger.entries.store import reads
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way


async def update(context: Context, entry_id: EntryId, changes: Changes[EntryFields]) -> bytes:
    """Change `reference` and `external_system_id` of an entry, those that are named, and answer with its JSON.

    Emits `journal_entry.updated` if anything became different. Raises `JOURNAL_ENTRY_NOT_FOUND`.
    """
    before = json_of(await reads.get(context, entry_id))
    await give_way()
    await reads.update(context, entry_id, changes)
    written = json_of(await reads.get(context, entry_id))
    if written != before:
        context.emit("journal_entry.updated", entry_id, written, before=before)
    return written
