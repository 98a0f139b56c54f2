"""Journal entries: what is entered, what is posted, and what stands afterwards (contract 2.8, decisions "Ledger").

What posting makes by the thousand are msgspec structs: as frozen as dataclasses, made in a tenth of the time, and not
looked at by the garbage collector (`gc=False`: nothing in them can refer back to them).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final, NamedTuple, NewType, TypeAlias
from uuid import UUID

from msgspec import Struct
from msgspec.structs import astuple

from ledgerbee.core.errors import ErrorCode
from ledgerbee.ledger.uploads.model import NewAttachment

#: `date` is also the name of a field of entries.
Day: TypeAlias = date


EntryId = NewType("EntryId", UUID)


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


#: Members under names of their own, for what asks for them line by line: Python 3.11 takes four times as long to look
#: one up in its enumeration.
DEBIT: Final = Side.DEBIT
ENTERED: Final = LineType.ENTERED

#: The locked types record what a customer or vendor owes or pays: their entry names the party, and the receivable or
#: payable can be left to the system (contract 2.28). On this side it stands for a positive original amount.
CONTROL_SIDES: Final = {
    EntryType.CUSTOMER_INVOICE: Side.DEBIT,
    EntryType.CUSTOMER_PAYMENT: Side.CREDIT,
    EntryType.SUPPLIER_INVOICE: Side.CREDIT,
    EntryType.SUPPLIER_PAYMENT: Side.DEBIT,
}
#: Those of them whose party is a customer; that of the others is a vendor.
CUSTOMER_TYPES: Final = frozenset({EntryType.CUSTOMER_INVOICE, EntryType.CUSTOMER_PAYMENT})

#: Lines that the system adds right after the one whose VAT they are.
VAT_TYPES: Final = frozenset({LineType.VAT, LineType.VAT_CONTRA})

#: Lines of one entry at most, as entered.
MAX_LINES: Final = 10_000
#: Tags of an entry or line at most.
MAX_TAGS: Final = 100
#: Entries of one batch at most.
MAX_BATCH: Final = 100
#: Lines of posted entries that are reversed together: more than a batch can post, with the lines of its VAT.
MAX_LINES_TOGETHER: Final = 60_000


class LineFields(Struct, frozen=True, gc=False):
    """The fields that a line has from the request to the books. `amount` is in the entry's currency."""

    account_id: UUID
    side: Side
    amount: Decimal
    vat_code_id: UUID | None = None
    description: str | None = None
    tag_ids: tuple[UUID, ...] = ()
    line_type: LineType = LineType.ENTERED


class EntryFields(Struct, frozen=True, gc=False):
    """The fields that an entry has from the request to the books: the one list of them.

    What is entered, posted, drafted and imported has all of them, under the same names. The columns of the tables
    (`store/columns.py`) and the JSON (`json_text.py`) follow this list; requests and responses (`wire.py`) and the fast
    decoder (`fast_wire.py`) are checked against it when the process starts. `tag_ids` stays the last: what writes
    a list of values takes it apart from the others.

    `original_amount` is signed (+ invoice or payment, - credit note or refund). `delivery_date` None is the date.
    """

    entry_type: EntryType
    date: date
    original_amount: Decimal
    delivery_date: Day | None = None
    description: str | None = None
    reference: str | None = None
    external_system_id: str | None = None
    customer_id: UUID | None = None
    vendor_id: UUID | None = None
    journal_category_id: UUID | None = None
    tag_ids: tuple[UUID, ...] = ()


LINE_FIELDS: Final = LineFields.__struct_fields__
ENTRY_FIELDS: Final = EntryFields.__struct_fields__
#: The values of these fields, of whatever has them, in order: the first arguments of what is made of it.
entry_values: Final = attrgetter(*ENTRY_FIELDS)


def line_values(line: LineFields) -> tuple[Any, ...]:
    """The values of these fields, in order: the first arguments of what is made of the line."""
    return astuple(line)[: len(LINE_FIELDS)]


class LineInput(LineFields, frozen=True, gc=False, kw_only=True):
    """A line as a caller enters it. `amount` is > 0; a VAT code splits it or adds to it.

    `vat_included` says whether the amount contains its VAT (None: as the code's principle has it), `vat_amount` what
    VAT the voucher states (None: what the rate makes), in the entry's currency.
    """

    vat_included: bool | None = None
    vat_amount: Decimal | None = None


class EntryInput(EntryFields, frozen=True, gc=False, kw_only=True):
    """An entry as a caller enters it. With what the books say it becomes an `EntryToPost`.

    `currency` None is the company's, `exchange_rate` None the day's, `journal_category_id` None the default. With
    `owes_control_line` the receivable or payable is not among the lines and is added (contract 2.28). `attachments` are
    in the blob store already.
    """

    lines: tuple[LineInput, ...]
    owes_control_line: bool = False
    currency: str | None = None
    exchange_rate: Decimal | None = None
    attachments: tuple[NewAttachment, ...] = ()

    @property
    def tax_point(self) -> Day:
        """The day whose VAT rates count: that of delivery, else the entry's (momslovens § 23)."""
        return self.delivery_date or self.date


class SourceType(StrEnum):
    """What an entry was posted by."""

    API = "API"
    CHARGE = "CHARGE"
    CREDIT_NOTE = "CREDIT_NOTE"
    CREDIT_USE = "CREDIT_USE"
    DISPUTE = "DISPUTE"
    DRAFT = "DRAFT"
    IMPORT = "IMPORT"
    INVOICE = "INVOICE"
    PAYMENT = "PAYMENT"
    PAYOUT = "PAYOUT"
    REFUND = "REFUND"
    REVENUE_RECOGNITION = "REVENUE_RECOGNITION"
    REVERSAL = "REVERSAL"
    WRITE_OFF = "WRITE_OFF"


#: Sources that are no documents: an entry of theirs is reversed by itself.
DRAFT_SOURCE: Final = "draft"
IMPORT_SOURCE: Final = "import"
_NO_DOCUMENTS: Final = frozenset({None, DRAFT_SOURCE, IMPORT_SOURCE})


class LineToPost(LineFields, frozen=True, gc=False, kw_only=True):
    """A line to post. `amount` (entry currency) and `base_amount` (base currency) are >= 0 at minor units.

    Either may be zero: a zero invoice, or an exchange difference that exists in the base currency only. `vat_rate` is
    what a line with a VAT code was taxed by, in percent. `vat_difference` stands on an entered line whose voucher
    states its VAT: that VAT less the computed one, in the entry's currency.
    """

    base_amount: Decimal
    vat_rate: Decimal | None = None
    vat_difference: Decimal | None = None


class EntryToPost(EntryFields, frozen=True, gc=False, kw_only=True):
    """An entry to post: at least two lines whose debits equal their credits in both currencies.

    `exchange_rate` is base units for one unit of `currency`. `source_type` and `source_id` name the document behind it
    (its voucher), or the draft or the import that it was posted from; `attachment_hashes` the SHA-256 of what is
    attached to it.
    """

    id: UUID
    currency: str
    exchange_rate: Decimal
    lines: tuple[LineToPost, ...]
    source_type: str | None = None
    source_id: UUID | None = None
    reverses_entry_id: UUID | None = None
    attachment_hashes: tuple[bytes, ...] = ()

    @property
    def is_of_document(self) -> bool:
        """Whether it is corrected with a document, an invoice or a payment."""
        return self.source_type not in _NO_DOCUMENTS

    @property
    def source(self) -> tuple[SourceType, UUID | None]:
        """What it was posted by, and its id: of a reversal the reversed entry, of what was entered as it is none."""
        return source_of(self.source_type, self.source_id, self.reverses_entry_id)


def source_of(
    source_type: str | None, source_id: UUID | None, reverses_entry_id: UUID | None
) -> tuple[SourceType, UUID | None]:
    """What an entry was posted by, and its id, from what its row says of it."""
    if reverses_entry_id is not None:
        return SourceType.REVERSAL, reverses_entry_id
    if source_type is None:
        return SourceType.API, None
    return SourceType(source_type.upper()), source_id


class AccountName(Struct, frozen=True, gc=False):
    """What an entry shows of an account."""

    number: int
    name: str


class JournalEntry(Struct, frozen=True, gc=False):
    """A posted entry: its content, and its place in the books.

    `line_ids` are in the order of the lines, `accounts` has every account they stand on,
    `base_currency` is the company's, `posted_by` the actor that events name (None: no event names one). `entry_number`
    counts in the financial year, `chain_position` in the company.
    """

    content: EntryToPost
    line_ids: Sequence[UUID]
    accounts: Mapping[UUID, AccountName]
    base_currency: str
    entry_number: int
    chain_position: int
    previous_hash: bytes
    hash: bytes
    posted_at: datetime
    attachment_count: int = 0
    reversed_by_entry_id: UUID | None = None
    posted_by: str | None = None

    @property
    def id(self) -> EntryId:
        return EntryId(self.content.id)


class PostedEntry(NamedTuple):
    """A posted entry with its wire form as JSON, which was written for its event and serves its answer."""

    entry: JournalEntry
    json: bytes


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
JOURNAL_ENTRY_PARTY_MISMATCH = ErrorCode(
    "JOURNAL_ENTRY_PARTY_MISMATCH",
    400,
    "Entries of a CUSTOMER type have a customer and no vendor, SUPPLIER ones a vendor",
)
JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED = ErrorCode(
    "JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED",
    400,
    "The receivable or payable of this type of entry is added by the system: leave out the line on its account",
)
JOURNAL_ENTRY_VAT_NOT_ALLOWED = ErrorCode(
    "JOURNAL_ENTRY_VAT_NOT_ALLOWED",
    400,
    "A VAT code must be active, and can't stand on a line of a receivables or payables account",
)
JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH = ErrorCode(
    "JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH",
    400,
    "The stated VAT is off by more than 1 % and more than 1.00 from what the code's rate makes of the amount",
)
JOURNAL_CATEGORY_TYPE_NOT_ALLOWED = ErrorCode(
    "JOURNAL_CATEGORY_TYPE_NOT_ALLOWED", 400, "The journal category doesn't allow entries of this type"
)
JOURNAL_ENTRY_INVALID_STATE = ErrorCode(
    "JOURNAL_ENTRY_INVALID_STATE", 409, "A reversal, or the entry of a document, can't be reversed"
)
JOURNAL_ENTRY_ALREADY_POSTED = ErrorCode("JOURNAL_ENTRY_ALREADY_POSTED", 409, "An entry with this id is already posted")
JOURNAL_ENTRY_ALREADY_REVERSED = ErrorCode(
    "JOURNAL_ENTRY_ALREADY_REVERSED", 409, "The journal entry has been reversed before"
)
PERIOD_LOCKED = ErrorCode("PERIOD_LOCKED", 409, "The date lies in a locked period")
#: What the details of `FISCAL_YEAR_MISSING` say can be done.
HOW_TO_OPEN: Final = "`POST /v1/fiscal-years` opens the year after the newest, or one before the first"
FISCAL_YEAR_MISSING = ErrorCode(
    "FISCAL_YEAR_MISSING",
    400,
    "The date lies in none of the company's fiscal years, nor in the one after the newest: open its year first",
)
