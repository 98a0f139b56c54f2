"""What takes an entry back: the same with its sides swapped. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledgerbee.core.errors import invalid
from ledgerbee.ledger.entries.model import (
    JOURNAL_ENTRY_ALREADY_REVERSED,
    JOURNAL_ENTRY_INVALID_STATE,
    EntryToPost,
    JournalEntry,
)
from ledgerbee.ledger.entries.rules.vat import other

_TITLES: Final = {"da": "Tilbageførsel af nr. {}", "en": "Reversal of no. {}"}
_MAX_TEXT: Final = 10_000


def check_reversible(entry: JournalEntry, path: str = "", *, with_document: bool = False) -> None:
    """Refuse the reversal of an entry: one that is a reversal, was reversed, or is a document's.

    A document (an invoice, a payment) and its entry are corrected together, by the document's own operations, which
    reverse it `with_document`. Raises `JOURNAL_ENTRY_INVALID_STATE`, `JOURNAL_ENTRY_ALREADY_REVERSED`.
    """
    details = {"property": path, "journalEntryId": str(entry.id)} if path else {"journalEntryId": str(entry.id)}
    if entry.content.reverses_entry_id is not None:
        raise JOURNAL_ENTRY_INVALID_STATE.in_state(
            "reversal", "A reversal can't be reversed: post the entry anew instead", **details
        )
    if entry.reversed_by_entry_id is not None:
        raise JOURNAL_ENTRY_ALREADY_REVERSED.error(reversedByEntryId=str(entry.reversed_by_entry_id), **details)
    if entry.content.is_of_document and not with_document:
        raise JOURNAL_ENTRY_INVALID_STATE.in_state(
            "document",
            "The entry belongs to a document and is corrected with it",
            sourceType=entry.content.source_type,
            sourceId=str(entry.content.source_id),
            **details,
        )


def check_reversal_day(entries: Sequence[JournalEntry], on: date) -> None:
    """Refuse a day for the reversals of entries that is before the day of one of them. Raises a validation error."""
    newest = max(entry.content.date for entry in entries)
    if on < newest:
        raise invalid(("date", "minDate", f"date must not be before {newest.isoformat()}"))


def reversal(entry: JournalEntry, entry_id: UUID, on: date, description: str | None, language: str) -> EntryToPost:
    """The entry that takes `entry` back on a day: sides swapped, at the same rate to the last unit of base currency.

    Without a `description` it names the number it reverses, in `language` (da, en), and the entry's own text.
    """
    content = entry.content
    if description is None:
        title = _TITLES[language].format(entry.entry_number)
        description = f"{title}: {content.description}"[:_MAX_TEXT] if content.description else title
    if not content.is_of_document:
        content = replace(content, source_type=None, source_id=None)
    return replace(
        content,
        id=entry_id,
        date=on,
        lines=tuple([replace(line, side=other(line.side)) for line in content.lines]),
        original_amount=-content.original_amount,
        description=description,
        external_system_id=None,
        reverses_entry_id=entry.id,
        attachment_hashes=(),
    )
