"""Where a credit note stands, and what moves it on. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from ledgerbee.core.fields import replace
from ledgerbee.sales.credit_notes.model import CREDIT_NOTE_INVALID_STATE, CreditNote, CreditNoteStatus

#: In the books.
BOOKED: Final = frozenset({CreditNoteStatus.SCHEDULED, CreditNoteStatus.SENDING, CreditNoteStatus.SENT})
_UNDERWAY: Final = frozenset({CreditNoteStatus.SCHEDULED, CreditNoteStatus.SENDING})
#: Where a delivery moves a note.
WHEN_CLAIMED: Final[Mapping[StrEnum, StrEnum]] = dict.fromkeys(_UNDERWAY, CreditNoteStatus.SENDING)
WHEN_DELIVERED: Final[Mapping[StrEnum, StrEnum]] = dict.fromkeys(_UNDERWAY, CreditNoteStatus.SENT)
WHEN_FAILED: Final[Mapping[StrEnum, StrEnum]] = dict.fromkeys(_UNDERWAY, CreditNoteStatus.SCHEDULED)


def require_draft(note: CreditNote) -> None:
    """Raises `CREDIT_NOTE_INVALID_STATE` with the present status."""
    if note.status is not CreditNoteStatus.DRAFT:
        raise CREDIT_NOTE_INVALID_STATE.in_state(note.status.value)


def cancel(note: CreditNote, now: datetime) -> CreditNote:
    """A note that is given up before it is sent: its number stays, what it took of its invoice is free again.

    Raises `CREDIT_NOTE_INVALID_STATE`.
    """
    require_draft(note)
    return replace(note, status=CreditNoteStatus.CANCELLED, updated_at=now)
