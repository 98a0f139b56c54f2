"""Credit notes: what is taken back of an invoice, or given without one (contract 2.19, decisions "Documents").

Amounts are negative, also in the database and in snapshots; quantities and unit prices are those of an invoice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.errors import ErrorCode
from ledgerbee.sales.deferrals.model import HeldDeferral
from ledgerbee.sales.documents.model import (
    BookedDocument,
    DocumentLineType,
    DraftFields,
    FullDocument,
    Line,
    PeriodLine,
    ServicePeriod,
    Sources,
    Tax,
)
from ledgerbee.sales.invoices.model import Invoice
from ledgerbee.sales.sending.model import BookedLeft, BookedOn

CreditNoteId = NewType("CreditNoteId", UUID)


class CreditNoteStatus(StrEnum):
    """Where a credit note stands. It has its number from the start; it is booked when it is sent."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    CANCELLED = "cancelled"


class CreditNoteFields(DraftFields, frozen=True, kw_only=True):
    """What an author says of a credit note that is of no invoice."""


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """A line as its author gives it. None stands for "not given": the invoice's line decides.

    A product line names the invoice's line, or a price of it; without a quantity it takes all that is left.
    `service_period` are the days that it gives back, of those that the invoice's line is for.
    """

    line_type: DocumentLineType
    invoice_line_id: UUID | None = None
    price_id: UUID | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    description: str | None = None
    discount_percent: Decimal | None = None
    service_period: ServicePeriod | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceCreditFields:
    """What an author says of a credit note on an invoice; `lines` None credits all that is left of it."""

    customer_id: UUID
    invoice_number: str
    issue_date: date
    lines: tuple[CreditedLine, ...] | None = None
    customer_department_id: UUID | None = None
    customer_contact_id: UUID | None = None
    currency: str | None = None
    reference: str | None = None
    our_reference: str | None = None
    description: str | None = None
    notes: str | None = None
    document_template_id: UUID | None = None


class CreditNote(BookedDocument, frozen=True, kw_only=True):
    """One credit note; without `invoice_id` it is of no invoice."""

    id: CreditNoteId
    status: CreditNoteStatus
    invoice_id: UUID | None = None
    invoice_number: str | None = None


class CreditNoteLine(PeriodLine, frozen=True):
    """A line of a credit note: `net` and `vat` are negative; `invoice_line_id` says what it credits.

    Its service period are the days that it gives back: those of the invoice's line, or some of them.
    """

    invoice_line_id: UUID | None = None

    @property
    def tax_key(self) -> UUID | None:
        """It is taxed as the invoice's line was; of no invoice, as the sales of its price."""
        return self.price_id if self.invoice_line_id is None else self.invoice_line_id


FullCreditNote = FullDocument[CreditNote]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A product line of an invoice as it was booked, and how it was taxed."""

    line: Line
    tax: Tax


@dataclass(frozen=True, slots=True)
class TakenLine:
    """What an earlier note takes of an invoice's line: its amounts are the note's, negative."""

    invoice_line_id: UUID
    quantity: Decimal
    net: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class Creditable:
    """A booked invoice as credit notes see it.

    `lines` are its product lines, `taken` what notes that weren't cancelled take of them.
    """

    currency: str
    amount: Decimal
    lines: Sequence[InvoiceLine]
    taken: Sequence[TakenLine]

    @property
    def taxes(self) -> Mapping[UUID, Tax]:
        """How each line was taxed, by its id."""
        return {found.line.id: found.tax for found in self.lines}


@dataclass(frozen=True, slots=True)
class CreditedInvoice:
    """The invoice of a note that is sent: as it stands, and as its own document names its buyer and language.

    `settled` is what payments, earlier notes and used credit took off its receivable, in the company's currency;
    `left` what is left of its revenue and VAT. Empty in the company's own currency, where each amount is what it is.
    """

    invoice: Invoice
    buyer: Mapping[str, Any]
    language: str
    settled: Decimal
    left: Mapping[BookedOn, BookedLeft] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoteSources:
    """All that a note is drawn up from, beside its lines: `taxes` by `tax_key`; `rate` to the company's currency, None
    where there is none for the day. `accounts_by_role` are those of exchange differences, `deferrals` what the invoice
    deferred."""

    sources: Sources
    taxes: Mapping[UUID, Tax]
    rate: Decimal | None
    credited: CreditedInvoice | None
    accounts_by_role: Mapping[str, Account]
    deferrals: Sequence[HeldDeferral] = ()


CREDIT_NOTE_NOT_FOUND = ErrorCode("CREDIT_NOTE_NOT_FOUND", 404, "No such credit note in the company")
CREDIT_NOTE_INVALID_STATE = ErrorCode("CREDIT_NOTE_INVALID_STATE", 409, "The credit note's status does not allow this")
CREDIT_NOTE_RECIPIENT_MISSING = ErrorCode(
    "CREDIT_NOTE_RECIPIENT_MISSING",
    400,
    "There is no address to send to: neither overrideEmail nor the contact's or customer's",
)
CREDIT_NOTE_LINE_NOT_ON_INVOICE = ErrorCode(
    "CREDIT_NOTE_LINE_NOT_ON_INVOICE", 400, "The invoice has no product line with this id, or of this price"
)
CREDIT_NOTE_EXCEEDS_INVOICE = ErrorCode(
    "CREDIT_NOTE_EXCEEDS_INVOICE",
    409,
    "More would be credited than is left of the invoice: of a line, at a rate of VAT, or in all. What other credit "
    "notes take counts, also of those that are not sent yet",
)
CREDIT_NOTE_AMOUNT_POSITIVE = ErrorCode(
    "CREDIT_NOTE_AMOUNT_POSITIVE",
    400,
    "A credit note can't be positive in total; what is owed by the customer is an invoice",
)
CREDIT_NOTE_INVOICE_TOO_OLD = ErrorCode(
    "CREDIT_NOTE_INVOICE_TOO_OLD",
    409,
    "The invoice was booked by a release that did not keep how its lines were taxed; credit it without invoiceNumber",
)
CREDIT_NOTE_ACCOUNT_MISSING = ErrorCode(
    "CREDIT_NOTE_ACCOUNT_MISSING", 400, "The chart has no account for exchange differences; assign the role"
)
