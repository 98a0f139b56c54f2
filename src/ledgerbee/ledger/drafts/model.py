"""Draft journal entries: entered, checked, and not yet in the books (contract 2.21, 2.27)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.ledger.entries.model import AccountName, EntryInput

DraftId = NewType("DraftId", UUID)


class DraftStatus(StrEnum):
    """Whether a draft has become an entry."""

    DRAFT = "draft"
    BOOKED = "booked"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry as it was entered, with all its lines: a receivable or payable that was left to the system is there.

    `content` names its currency, owes no control line, and may be unbalanced; what is attached is in it only
    when it is written. `line_ids` are in the order of its lines,
    `accounts` has every account they stand on. `journal_entry_id` is the entry that a booked draft became; what
    was attached to the draft is attached to that.
    """

    id: DraftId
    content: EntryInput
    line_ids: tuple[UUID, ...]
    accounts: Mapping[UUID, AccountName]
    created_at: datetime
    updated_at: datetime
    status: DraftStatus = DraftStatus.DRAFT
    journal_entry_id: UUID | None = None
    attachment_count: int = 0

    @property
    def currency(self) -> str:
        assert self.content.currency is not None, "filled in when it was drafted"
        return self.content.currency


DRAFT_JOURNAL_ENTRY_NOT_FOUND = ErrorCode(
    "DRAFT_JOURNAL_ENTRY_NOT_FOUND", 404, "No such draft journal entry in the company"
)
DRAFT_JOURNAL_ENTRY_INVALID_STATE = ErrorCode(
    "DRAFT_JOURNAL_ENTRY_INVALID_STATE", 409, "The draft is booked: it is a journal entry now, and changes no more"
)
