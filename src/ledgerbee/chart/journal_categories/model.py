"""Journal categories: which kinds of entry may be posted where (contract 2.7)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

JournalCategoryId = NewType("JournalCategoryId", UUID)


class JournalType(StrEnum):
    """The kinds of entry that a category can allow."""

    JOURNAL_ENTRY = "JOURNAL_ENTRY"
    SUPPLIER_INVOICE = "SUPPLIER_INVOICE"
    SUPPLIER_PAYMENT = "SUPPLIER_PAYMENT"
    CUSTOMER_INVOICE = "CUSTOMER_INVOICE"
    CUSTOMER_PAYMENT = "CUSTOMER_PAYMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCategoryFields:
    """What a company says of a category. `allowed_journal_types` are the `JournalType`s that may be posted in it."""

    name: str
    is_default: bool
    allowed_journal_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCategory(JournalCategoryFields):
    """A category as it is kept."""

    id: JournalCategoryId
    created_at: datetime


JOURNAL_CATEGORY_NOT_FOUND = ErrorCode("JOURNAL_CATEGORY_NOT_FOUND", 400, "No such journal category in the company")
JOURNAL_CATEGORY_NAME_ALREADY_EXISTS = ErrorCode(
    "JOURNAL_CATEGORY_NAME_ALREADY_EXISTS", 409, "Another journal category of the company has this name"
)
