"""Invoices: drafts, and what they become when they are sent (contract 2.22, decisions "Documents")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import EXACT, ZERO, total
from ledgerbee.sales.delivery.model import Delivery
from ledgerbee.sales.documents.model import (
    BookedDocument,
    DocumentKind,
    DocumentRef,
    DocumentWarning,
    DraftFields,
    FullDocument,
    Line,
    PeriodLine,
)

InvoiceId = NewType("InvoiceId", UUID)


class InvoiceStatus(StrEnum):
    """Where an invoice stands. Everything is booked but `draft` and `cancelled`, a draft that was given up."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    PAID = "paid"
    PARTIALLY_PAID = "partially_paid"
    CANCELLED = "cancelled"
    UNCOLLECTIBLE = "uncollectible"
    CREDITED = "credited"


class InvoiceFields(DraftFields, frozen=True, kw_only=True):
    """What an author says of an invoice.

    `delivery_date` None is the issue date, `due_date` None follows from the terms, `payment_terms_days` None from the
    customer, then the company.
    """

    due_date: date | None = None
    delivery_date: date | None = None
    payment_terms_days: int | None = None
    is_prepayment: bool = False
    prepayment_invoice_ids: tuple[UUID, ...] = ()

    @property
    def tax_point(self) -> date:
        """The day whose VAT rates count: that of delivery, else of issue (momslovens § 23)."""
        return self.delivery_date or self.issue_date


class Invoice(BookedDocument, frozen=True, kw_only=True):
    """One invoice. What was booked is None on a draft.

    `credited_amount` is the sum of its sent credit notes, `applied_credit` what was used on it of the customer's
    credit, `written_off_amount` what was given up of it as uncollectible.
    """

    id: InvoiceId
    status: InvoiceStatus
    due_date: date
    delivery_date: date | None = None
    payment_terms_days: int
    amount_paid: Decimal = ZERO
    credited_amount: Decimal = ZERO
    applied_credit: Decimal = ZERO
    written_off_amount: Decimal = ZERO
    is_prepayment: bool = False
    deducted_by_invoice_id: UUID | None = None
    converted_from_quote_id: UUID | None = None
    converted_from_order_confirmation_id: UUID | None = None

    @property
    def tax_point(self) -> date:
        """The day whose VAT rates count: that of delivery, else of issue (momslovens § 23)."""
        return self.delivery_date or self.issue_date

    @property
    def converted_from(self) -> DocumentRef | None:
        """The quote or order confirmation that it was made of, if it was."""
        if self.converted_from_quote_id is not None:
            return DocumentRef(DocumentKind.QUOTE, self.converted_from_quote_id)
        if self.converted_from_order_confirmation_id is not None:
            return DocumentRef(DocumentKind.ORDER_CONFIRMATION, self.converted_from_order_confirmation_id)
        return None

    @property
    def amount_due(self) -> Decimal:
        """What is still to be paid, in the invoice's currency; never below zero."""
        return max(EXACT.subtract(self.amount, EXACT.add(self.settled_amount, self.written_off_amount)), ZERO)

    @property
    def settled_amount(self) -> Decimal:
        """What payments, credit notes and credit of the customer's settle of it, or were more than it."""
        return total([self.amount_paid, self.credited_amount, self.applied_credit])

    @property
    def excess(self) -> Decimal:
        """What payments, credit notes and used credit are more than the invoice's amount: a credit of the customer's.

        Also what was used of it elsewhere.
        """
        return max(EXACT.subtract(self.settled_amount, self.amount), ZERO)


FullInvoice = FullDocument[Invoice]


class DeductionLine(PeriodLine, frozen=True):
    """A line of an invoice. One with `prepayment_invoice_id` takes off what that prepayment invoice charged.

    What billing draws up says which subscription a line is of, and whose that is where another customer pays
    (`child_customer_id`), as does the text above a child's lines.
    """

    prepayment_invoice_id: UUID | None = None
    subscription_id: UUID | None = None
    child_customer_id: UUID | None = None

    @property
    def tax_key(self) -> UUID | None:
        """A deduction is taxed as the prepayment was, whatever else of the same price is sold."""
        return self.price_id if self.prepayment_invoice_id is None else self.id

    @property
    def is_added(self) -> bool:
        """Deductions follow from the prepayment invoices that the author named."""
        return self.prepayment_invoice_id is not None

    @property
    def child_id(self) -> UUID | None:
        """The customer whose subscription it bills."""
        return self.child_customer_id


@dataclass(frozen=True, slots=True)
class Prepayment:
    """A prepayment invoice, which is locked, its lines, and what credit notes take of each (negative nets).

    `has_pending_note`: one of them isn't sent yet, and may be given up.
    """

    invoice: Invoice
    lines: Sequence[Line]
    credited: Mapping[UUID, Decimal]
    has_pending_note: bool = False


class Booked(NamedTuple):
    """What of a prepayment invoice is booked together: on an account, with a VAT code and a rate (None without)."""

    invoice_id: UUID
    account_id: UUID | None
    vat_code_id: UUID | None
    vat_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A sent invoice with its hand-over, and what its sender should look at."""

    invoice: Invoice
    delivery: Delivery
    warnings: tuple[DocumentWarning, ...] = ()


INVOICE_NOT_FOUND = ErrorCode("INVOICE_NOT_FOUND", 404, "No such invoice in the company")
INVOICE_INVALID_STATE = ErrorCode("INVOICE_INVALID_STATE", 409, "The invoice's status does not allow this")
INVOICE_IN_USE = ErrorCode(
    "INVOICE_IN_USE", 409, "A quote or an order confirmation was converted to the invoice: it can't be deleted"
)
INVOICE_RECIPIENT_MISSING = ErrorCode(
    "INVOICE_RECIPIENT_MISSING",
    400,
    "There is no address to send to: neither overrideEmail nor the contact's or customer's",
)
INVOICE_BUYER_VAT_NUMBER_MISSING = ErrorCode(
    "INVOICE_BUYER_VAT_NUMBER_MISSING",
    400,
    "The buyer accounts for the VAT (reverse charge or intra-Community supply): the customer needs a VAT number",
)
INVOICE_BUYER_VAT_NUMBER_INVALID = ErrorCode(
    "INVOICE_BUYER_VAT_NUMBER_INVALID",
    400,
    "Without VAT to a business in another EU country (vatZone eu), the buyer's VAT number must be of such a country",
)
INVOICE_SELLER_INCOMPLETE = ErrorCode(
    "INVOICE_SELLER_INCOMPLETE",
    400,
    "An invoice states its seller's address and VAT number: tell the company what `missing` names (PATCH /v1/company)",
)
INVOICE_AMOUNT_NEGATIVE = ErrorCode(
    "INVOICE_AMOUNT_NEGATIVE",
    400,
    "An invoice can't be negative in total; what is owed to the customer is a credit note",
)
INVOICE_PREPAYMENT_UNUSABLE = ErrorCode(
    "INVOICE_PREPAYMENT_UNUSABLE",
    400,
    "What is deducted is a prepayment invoice of the same customer and currency, of the same day or before, that is "
    "sent, and neither credited in full nor written off. `reason` says what keeps this one from it: `isPrepayment`, "
    "`status`, `customerId`, `currency`, `date`, `creditNotes` (one on it is not sent yet: send it or cancel it) or "
    "`amount` (nothing is left of it)",
)
INVOICE_PREPAYMENT_DEDUCTED = ErrorCode(
    "INVOICE_PREPAYMENT_DEDUCTED",
    409,
    "The prepayment invoice is deducted by `deductedByInvoiceId`: once, and it isn't credited meanwhile",
)
INVOICE_PREPAYMENT_ACCOUNT_MISSING = ErrorCode(
    "INVOICE_PREPAYMENT_ACCOUNT_MISSING",
    400,
    "The chart has no account for prepayments of customers, or for exchange differences of them; assign the role",
)
