"""An e-invoice, whatever its syntax: what is read from a document's snapshot, every figure decided.

Amounts are `Decimal` in major units of the document's currency and positive for what is sold or credited: a credit note
states what it credits (EN 16931), though the API and the books have it negative.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.parties.endpoints import Identifier
from ledgerbee.sales.documents.model import DocumentKind


@dataclass(frozen=True, slots=True)
class TradeParty:
    """Seller or buyer. `address` is its lines; `vat_number` has a country's prefix; `company` is in the register of
    companies, None where it has no number there."""

    name: str
    address: tuple[str, ...]
    postal_code: str | None
    city: str | None
    country_code: str
    endpoint: Identifier | None
    vat_number: str | None
    company: Identifier | None
    company_number: str | None
    contact: str | None
    phone: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class TradeLine:
    """What is sold on one line.

    `gross` is quantity x price, `net` less the discount, both rounded. `quantity` has the sign of `net` and isn't zero
    unless `net` is; `unit_price` isn't negative and is for `base_quantity` units. `period` are the first and the last
    day that it is for.
    """

    number: int
    name: str
    description: str | None
    note: str | None
    quantity: Decimal
    unit_code: str
    unit_price: Decimal
    base_quantity: Decimal
    discount_percent: Decimal
    gross: Decimal
    net: Decimal
    vat: Decimal
    category: str
    rate: Decimal
    period: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TradeTax:
    """Everything of one VAT category and rate (BG-23)."""

    category: str
    rate: Decimal
    taxable: Decimal
    vat: Decimal
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentAccount:
    """Where to pay, as the seller told it, and what to state."""

    payment_id: str | None
    fik_payment_id: str | None
    fik_creditor_number: str | None
    registration_number: str | None
    account_number: str | None
    iban: str | None
    bic: str | None
    terms: str | None


@dataclass(frozen=True, slots=True)
class TradeDocument:
    """An invoice or a credit note. `vat_in_base` is the VAT in the seller's currency, with that currency, where the
    document is in another one and charges VAT. `uuid` is None on documents that were booked without it."""

    is_credit_note: bool
    is_prepayment: bool
    number: str
    uuid: str | None
    language: str
    issue_date: str
    due_date: str | None
    delivery_date: str | None
    currency: str
    seller: TradeParty
    buyer: TradeParty
    buyer_reference: str
    purchase_order: str | None
    credits_invoice_number: str | None
    note: str | None
    lines: tuple[TradeLine, ...]
    taxes: tuple[TradeTax, ...]
    subtotal: Decimal
    vat: Decimal
    amount: Decimal
    vat_in_base: tuple[str, Decimal] | None
    payment: PaymentAccount


class Route(NamedTuple):
    """In which format a document goes, from whom and to whom: participants of the network, `0184:13585628`."""

    form: EInvoiceFormat
    sender: str
    receiver: str
    sender_country: str


@dataclass(frozen=True, slots=True)
class EInvoice:
    """An e-invoice as it is sent, a row. `id` is that of its message, `content` its bytes, `sha256` their digest."""

    id: UUID
    document_type: DocumentKind
    document_id: UUID
    format: EInvoiceFormat
    sender: str
    receiver: str
    sender_country: str
    number: str
    sha256: bytes
    content: bytes
    created_at: datetime


E_INVOICE_INCOMPLETE = ErrorCode(
    "E_INVOICE_INCOMPLETE",
    409,
    "The document doesn't state what an e-invoice of this format needs; `missing` names it",
)
