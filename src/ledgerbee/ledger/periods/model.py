"""Financial years and the lock date: when may be posted (decisions "Ledger")."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class FiscalYear:
    """A financial year of whole months; both days are inclusive. Numbers of entries start from 1 in each."""

    id: UUID
    start_date: date
    end_date: date
    last_entry_number: int
    is_locked: bool


LOCK_DATE_MOVES_BACK = ErrorCode(
    "LOCK_DATE_MOVES_BACK", 409, "This would reopen a locked period; say so with `reopen: true` if it is meant"
)
