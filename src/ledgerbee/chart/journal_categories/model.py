"""Journal categories: which kinds of entry may be posted where (contract 2.7)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class JournalCategory:
    """One category. `allowed_journal_types` are entry types (JOURNAL_ENTRY, CUSTOMER_INVOICE, ...)."""

    id: UUID
    name: str
    is_default: bool
    allowed_journal_types: tuple[str, ...]
    created_at: datetime


JOURNAL_CATEGORY_NOT_FOUND = ErrorCode("JOURNAL_CATEGORY_NOT_FOUND", 400, "No such journal category in the company")
JOURNAL_CATEGORY_NAME_ALREADY_EXISTS = ErrorCode(
    "JOURNAL_CATEGORY_NAME_ALREADY_EXISTS", 409, "Another journal category of the company has this name"
)
