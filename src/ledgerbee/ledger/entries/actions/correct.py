"""Correcting the two fields of a posted entry that are no part of its content."""

from collections.abc import Mapping

from ledgerbee.core.ids import UUID
from ledgerbee.ledger.entries import store
from ledgerbee.ledger.entries.json_text import json_of
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way


async def correct(context: Context, entry_id: UUID, changes: Mapping[str, str | None]) -> bytes:
    """Set `reference` and `external_system_id` of an entry, those that `changes` has, and answer with its wire form.

    Tells `journal_entry.updated` if anything became different. Raises `JOURNAL_ENTRY_NOT_FOUND`.
    """
    before = json_of(await store.get(context, entry_id))
    await give_way()
    await store.correct(context, entry_id, changes)
    written = json_of(await store.get(context, entry_id))
    if written != before:
        context.emit("journal_entry.updated", entry_id, written, before=before)
    return written
