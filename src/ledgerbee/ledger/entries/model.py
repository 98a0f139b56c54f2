"""Journal entries: what is posted, and what stands afterwards (contract 2.8, decisions "Ledger")."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


class EntryType(StrEnum):
    """What an entry records; journal categories allow or refuse types."""

    JOURNAL_ENTRY = "JOURNAL_ENTRY"
    SUPPLIER_INVOICE = "SUPPLIER_INVOICE"
    SUPPLIER_PAYMENT = "SUPPLIER_PAYMENT"
    CUSTOMER_INVOICE = "CUSTOMER_INVOICE"
    CUSTOMER_PAYMENT = "CUSTOMER_PAYMENT"


class Side(StrEnum):
    """The side of an account."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"


class LineType(StrEnum):
    """Where a line comes from: entered by the caller, or added by the system."""

    ENTERED = "ENTERED"
    VAT = "VAT"
    VAT_CONTRA = "VAT_CONTRA"
    CONTROL = "CONTROL"


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to post. `amount` (entry currency) and `base_amount` (base currency) are >= 0 at minor units.

    Either may be zero: a zero invoice, or an exchange difference that exists in the base currency only.
    """

    account_id: UUID
    side: Side
    amount: Decimal
    base_amount: Decimal
    line_type: LineType = LineType.ENTERED
    vat_code_id: UUID | None = None
    description: str | None = None
    tag_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to post: at least two lines whose debits equal their credits in both currencies.

    `exchange_rate` is base units for one unit of `currency`. `original_amount` is signed (+ invoice or payment,
    - credit note or refund). `source_type` and `source_id` name the document behind it (its voucher).
    """

    id: UUID
    entry_type: EntryType
    date: date
    currency: str
    exchange_rate: Decimal
    lines: tuple[NewLine, ...]
    original_amount: Decimal
    description: str | None = None
    reference: str | None = None
    external_system_id: str | None = None
    customer_id: UUID | None = None
    vendor_id: UUID | None = None
    journal_category_id: UUID | None = None
    tag_ids: tuple[UUID, ...] = ()
    source_type: str | None = None
    source_id: UUID | None = None
    reverses_entry_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry's place in the books: number in its fiscal year, position and hash in the company's chain."""

    id: UUID
    entry_number: int
    chain_position: int
    previous_hash: bytes
    hash: bytes
    posted_at: datetime


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A posted line. `amount` and `base_amount` are >= 0, in the entry's currency and the company's."""

    id: UUID
    account_id: UUID
    account_number: int
    account_name: str
    side: Side
    amount: Decimal
    base_amount: Decimal
    line_type: LineType
    vat_code_id: UUID | None
    description: str | None
    tag_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A posted entry as it is read back. `base_currency` is the company's."""

    id: UUID
    entry_number: int
    entry_type: EntryType
    date: date
    currency: str
    base_currency: str
    exchange_rate: Decimal
    original_amount: Decimal
    description: str | None
    reference: str | None
    external_system_id: str | None
    customer_id: UUID | None
    vendor_id: UUID | None
    journal_category_id: UUID | None
    tag_ids: tuple[UUID, ...]
    lines: tuple[JournalLine, ...]
    reverses_entry_id: UUID | None
    reversed_by_entry_id: UUID | None
    posted_at: datetime
    previous_hash: bytes
    hash: bytes


JOURNAL_ENTRY_NOT_FOUND = ErrorCode("JOURNAL_ENTRY_NOT_FOUND", 404, "No such journal entry in the company")
JOURNAL_ENTRY_UNBALANCED = ErrorCode(
    "JOURNAL_ENTRY_UNBALANCED", 400, "Debits and credits differ; they must be equal, in every currency"
)
JOURNAL_ENTRY_AMOUNT_INVALID = ErrorCode(
    "JOURNAL_ENTRY_AMOUNT_INVALID",
    400,
    "An amount is finer than its currency, or differs from its own base amount in an entry in base currency",
)
JOURNAL_ENTRY_PARTY_REQUIRED = ErrorCode(
    "JOURNAL_ENTRY_PARTY_REQUIRED",
    400,
    "A line on a receivables account needs the entry's customerId, one on a payables account its vendorId",
)
JOURNAL_ENTRY_ALREADY_POSTED = ErrorCode("JOURNAL_ENTRY_ALREADY_POSTED", 409, "An entry with this id is already posted")
JOURNAL_ENTRY_ALREADY_REVERSED = ErrorCode(
    "JOURNAL_ENTRY_ALREADY_REVERSED", 409, "The journal entry has been reversed before"
)
PERIOD_LOCKED = ErrorCode("PERIOD_LOCKED", 409, "The date lies in a locked period")
FISCAL_YEAR_MISSING = ErrorCode("FISCAL_YEAR_MISSING", 400, "The date lies in no fiscal year that can be opened")
EXCHANGE_RATE_MISSING = ErrorCode("EXCHANGE_RATE_MISSING", 400, "There is no exchange rate for this currency and date")
