"""What the four kinds of billing document share: fields, lines, totals, VAT (contract 3.3, decisions "Documents").

Amounts are `Decimal` in major units of the document's currency, percentages are percent (25 = 25 %), days are
the company's local days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from msgspec import Struct

from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ONE, ZERO
from ledgerbee.parties.contacts.model import Contact
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.parties.departments.model import Department
from ledgerbee.sales.templates.model import DocumentTemplate
from ledgerbee.tenancy.company.model import Company

#: Lines of one document. A thousand is ordinary for a consolidated invoice; five times that is a mistake.
MAX_LINES: Final = 5_000
#: Days that a line of a document is for at most; more is a mistyped year.
MAX_SERVICE_DAYS: Final = 3_660
#: Days from the date of a document to its due date at most: the longest payment terms.
MAX_DUE_DAYS: Final = 3_650


class DocumentKind(StrEnum):
    """The kinds of billing document."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    QUOTE = "quote"
    ORDER_CONFIRMATION = "order_confirmation"


class DocumentLineType(StrEnum):
    """What a line is: only product lines have a price, a quantity and amounts."""

    PRODUCT = "product"
    TEXT = "text"
    SEPARATOR = "separator"


class ServicePeriod(NamedTuple):
    """The days that a line is for: the first and the last."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class LineInput:
    """A line as its author gives it. None stands for "not given": the price, product or customer group decides."""

    line_type: DocumentLineType
    price_id: UUID | None = None
    quantity: Decimal = ONE
    unit_price: Decimal | None = None
    description: str | None = None
    discount_percent: Decimal | None = None
    service_period: ServicePeriod | None = None


class DocumentFields(Struct, frozen=True, kw_only=True):
    """What an author says of a document of any kind, and what is kept as it was said."""

    customer_id: UUID
    customer_department_id: UUID | None = None
    customer_contact_id: UUID | None = None
    issue_date: date
    reference: str | None = None
    our_reference: str | None = None
    description: str | None = None
    notes: str | None = None
    document_template_id: UUID | None = None

    @property
    def tax_point(self) -> date:
        """The day whose VAT rates count."""
        return self.issue_date


class DraftFields(DocumentFields, frozen=True, kw_only=True):
    """What an author says of a draft; `currency` None is the company's."""

    lines: tuple[LineInput, ...]
    currency: str | None = None


class Document(DocumentFields, frozen=True, kw_only=True):
    """A document as it is kept, whatever its kind. Amounts are in `currency`; a draft has no number."""

    id: UUID
    status: StrEnum
    currency: str
    subtotal: Decimal
    vat: Decimal
    amount: Decimal
    number: str | None = None
    number_sequence: int | None = None
    sent_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class BookedDocument(Document, frozen=True, kw_only=True):
    """A document of a kind that is booked. `base_amount` is `amount` as booked, in the company's currency.

    `exchange_rate` is base units for one unit of `currency`. What was booked is None before.
    """

    receivable_account_id: UUID | None = None
    exchange_rate: Decimal | None = None
    base_amount: Decimal | None = None
    journal_entry_id: UUID | None = None


class Carried(Struct, frozen=True):
    """What a sale is booked at in the company's currency where it was booked before: not its net x the rate of the day.

    `base_net` is positive, the sign is the net's. What it differs by from that is an exchange difference.
    """

    base_net: Decimal
    gain_account_id: UUID
    loss_account_id: UUID


class Tax(Struct, frozen=True):
    """How one sale is taxed and where it is booked: the revenue account with its VAT code, seen from a VAT zone.

    `category` is the VAT category of EN 16931; `vat_account_id` takes the VAT and is there whenever `rate` isn't
    zero. No VAT code (only possible in the zone `domestic_without_vat`) is the rate zero.
    """

    account_id: UUID
    vat_code_id: UUID | None
    rate: Decimal
    category: str
    vat_account_id: UUID | None = None
    exemption_reason: str | None = None
    exemption_reason_da: str | None = None
    carried: Carried | None = None


class Line(Struct, frozen=True):
    """A line with its price decided. `net` is rounded to the currency, `vat` its share of its rate's VAT.

    `unit_price` is before discount and excludes VAT; of a tiered price it is what one unit costs on average.
    `unit_price_given` and `discount_given` tell what the author chose from what was looked up. `account_id` and
    `vat_code_id` are where it is booked and how it is taxed.
    """

    id: UUID
    line_type: DocumentLineType
    description: str | None = None
    price_id: UUID | None = None
    product_id: UUID | None = None
    unit: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    unit_price_given: bool = False
    discount_percent: Decimal | None = None
    discount_given: bool = False
    net: Decimal | None = None
    vat: Decimal | None = None
    vat_rate: Decimal | None = None
    account_id: UUID | None = None
    vat_code_id: UUID | None = None

    @property
    def tax_key(self) -> UUID | None:
        """By what the tax of the line is known: its price, all of whose sales are taxed alike."""
        return self.price_id

    @property
    def is_added(self) -> bool:
        """Whether it follows from another document, and nobody wrote it."""
        return False

    @property
    def child_id(self) -> UUID | None:
        """The customer whom it is for where another one pays, if it says so."""
        return None


class PeriodLine(Line, frozen=True):
    """A line of a document whose lines say which days they are for, both or neither: the last day is part of it."""

    service_period_start: date | None = None
    service_period_end: date | None = None


def period_of(line: Line) -> ServicePeriod | None:
    """The days that a line is for, if it says so."""
    if not isinstance(line, PeriodLine) or line.service_period_start is None or line.service_period_end is None:
        return None
    return ServicePeriod(line.service_period_start, line.service_period_end)


class DocumentRef(Struct, frozen=True):
    """Which document, of which kind."""

    kind: DocumentKind
    id: UUID


@dataclass(frozen=True, slots=True)
class Origin:
    """What a draft is made of: a document, and its `lines`, whose prices stand; None where they are priced anew."""

    document: DocumentRef
    lines: tuple[Line, ...] | None


D = TypeVar("D", bound=Document)


class FullDocument(Struct, Generic[D], frozen=True):
    """A document with its lines."""

    document: D
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """What a document is drawn up from, beside its lines: both parties, the templates, and where its entry goes.

    `contact` and `department` are those that the document names, as far as the customer has them. The last is the
    account with the role DEFERRED_REVENUE, None where the chart has none.
    """

    company: Company
    facts: BillingFacts
    contact: Contact | None
    department: Department | None
    templates: tuple[DocumentTemplate, ...]
    journal_category_id: UUID | None
    deferred_revenue_account_id: UUID | None = None


class Terms(Struct, frozen=True):
    """What documents of some kinds say beside what all say: `valid_until` is for quotes, terms and due date for
    invoices, and what was paid on them and credited since they were booked."""

    due_date: date | None = None
    valid_until: date | None = None
    delivery_date: date | None = None
    payment_terms_days: int | None = None
    credits_invoice_number: str | None = None
    amount_paid: Decimal = ZERO
    amount_credited: Decimal = ZERO
    is_prepayment: bool = False


class DocumentWarning(NamedTuple):
    """Something about a document that a person should look at; nothing was refused for it."""

    code: str
    message: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MailText:
    """The words of a mail that carries a document. `{}` stands for what is filled in; `link` leads to its page."""

    subject: str
    greeting: str
    opening: str
    closing: str
    link: str = ""


class TaxedAmount(Struct, frozen=True):
    """A rounded net and how it is taxed: all that totals are made of."""

    net: Decimal
    tax: Tax


class VatRow(Struct, frozen=True):
    """One row of the VAT table: everything of one category, rate and reason.

    EN 16931 has one row per category and rate (BG-23): an e-invoice adds up the rows that differ in their reason only.
    """

    category: str
    rate: Decimal
    taxable: Decimal
    vat: Decimal
    exemption_reason: str | None = None
    exemption_reason_da: str | None = None


class Totals(Struct, frozen=True):
    """`amount` = `subtotal` (net) + `vat`; `line_vat` is each amount's share of the VAT and sums to it."""

    subtotal: Decimal = ZERO
    vat: Decimal = ZERO
    amount: Decimal = ZERO
    rows: tuple[VatRow, ...] = ()
    line_vat: tuple[Decimal, ...] = ()


class Computed(Struct, frozen=True):
    """Lines with their VAT, the document's totals, and how lines are taxed, by `tax_key`."""

    lines: tuple[Line, ...]
    totals: Totals
    taxes: Mapping[UUID, Tax]


DOCUMENT_CHARACTERS_UNPRINTABLE = ErrorCode(
    "DOCUMENT_CHARACTERS_UNPRINTABLE",
    400,
    "The document has characters that no available font shows; details.characters names them and where they stand. "
    "LEDGERBEE_FONTS_DIR adds fonts",
)
DOCUMENT_PRINTING_FAILED = ErrorCode(
    "DOCUMENT_PRINTING_FAILED",
    503,
    "The document took too much time or memory to be printed. Nothing was changed; try again, or make it smaller",
)
SALES_DOCUMENT_CUSTOMER_INACTIVE = ErrorCode(
    "SALES_DOCUMENT_CUSTOMER_INACTIVE", 400, "The customer is not active: nothing new can be sold to it"
)
SALES_DOCUMENT_DEPARTMENT_INACTIVE = ErrorCode(
    "SALES_DOCUMENT_DEPARTMENT_INACTIVE", 400, "The customer's department is not active"
)
SALES_DOCUMENT_PRICE_NOT_USABLE = ErrorCode(
    "SALES_DOCUMENT_PRICE_NOT_USABLE", 400, "A line needs a price that is ACTIVE, of a product that is ACTIVE"
)
SALES_DOCUMENT_VAT_CODE_UNUSABLE = ErrorCode(
    "SALES_DOCUMENT_VAT_CODE_UNUSABLE",
    400,
    "The revenue account's VAT code can't be charged on a billing document: it must be an active code for sales of "
    "principle Net, with an account to book on when its rate isn't zero",
)
SALES_DOCUMENT_AMOUNT_TOO_LARGE = ErrorCode(
    "SALES_DOCUMENT_AMOUNT_TOO_LARGE", 400, "An amount has more digits than the books can hold"
)
SALES_DOCUMENT_TEMPLATE_MISMATCH = ErrorCode(
    "SALES_DOCUMENT_TEMPLATE_MISMATCH", 400, "The document template is for another kind of document"
)
SALES_DOCUMENT_PRICE_CURRENCY_MISSING = ErrorCode(
    "SALES_DOCUMENT_PRICE_CURRENCY_MISSING",
    400,
    "The price has no amount in the document's currency and no exchange rate of that day leads to one; give unitPrice",
)
