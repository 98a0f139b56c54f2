"""A document as it is printed: every figure decided, nothing looked up, nothing computed but the open balance.

Amounts are `Decimal` in major units of `PrintableDocument.currency` unless a field says otherwise; dates are the
company's local days. The legal content follows the Danish VAT order (momsbekendtgørelsen § 58) and the VAT
Directive, article 226; VAT in the national currency follows article 230.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from ledgerbee.core.money import ZERO, minor_units

#: Details of a child are a part of an invoice, and none.
PrintKind = Literal["invoice", "credit_note", "quote", "order_confirmation", "child_details"]
Language = Literal["da", "en"]
LineKind = Literal["product", "text", "separator"]

#: VAT category of EN 16931: standard, zero rated, exempt, reverse charge, intra-EU supply, export, outside scope.
VatCategory = Literal["S", "Z", "E", "AE", "K", "G", "O"]


@dataclass(frozen=True, slots=True)
class Party:
    """Seller or buyer. `country_code` is ISO 3166 alpha-2; `vat_number` carries its country prefix (DK12345674)."""

    name: str
    address: tuple[str, ...] = ()
    postal_code: str | None = None
    city: str | None = None
    country_code: str | None = None
    attention: str | None = None
    vat_number: str | None = None
    registration_number: str | None = None
    ean: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None


@dataclass(frozen=True, slots=True)
class References:
    """Who to ask and what it is about: `purchase_order` is the buyer's order number, `description` a headline."""

    our_reference: str | None = None
    your_reference: str | None = None
    purchase_order: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class PrintLine:
    """One line. Text lines have a description only, separators nothing at all.

    `unit_price` and `total` exclude VAT; `discount_percent` and `vat_rate` are in percent (25 = 25 %). A `vat_rate`
    of None prints no rate, as on supplies under reverse charge. `vat_row` is the index of the line's VAT row.
    """

    kind: LineKind = "product"
    description: str = ""
    quantity: Decimal | None = None
    unit: str | None = None
    unit_price: Decimal | None = None
    discount_percent: Decimal | None = None
    total: Decimal | None = None
    vat_rate: Decimal | None = None
    vat_row: int | None = None


@dataclass(frozen=True, slots=True)
class PrintVatRow:
    """One VAT category and rate: `taxable` is the base, `vat` its amount, `rate` in percent.

    `exemption_text` says why no VAT is charged (exempt, reverse charge, intra-EU supply, export).
    """

    rate: Decimal
    category: VatCategory
    taxable: Decimal
    vat: Decimal
    exemption_text: str | None = None


@dataclass(frozen=True, slots=True)
class VatInBase:
    """VAT of a foreign-currency document in the company's own `currency` (article 230).

    `rate` is the price of one unit of the document's currency in `currency` (1 EUR = 7.4601 DKK).
    """

    currency: str
    amount: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True)
class PaymentDetails:
    """How to pay. `registration_number` and `account_number` are the Danish pair, `payment_id` a FIK line or
    the reference the payer must state, `terms` the agreed terms in words, `text` what the seller adds to them."""

    bank_name: str | None = None
    registration_number: str | None = None
    account_number: str | None = None
    iban: str | None = None
    bic: str | None = None
    payment_id: str | None = None
    terms: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """The same document for machines, as a file inside the PDF: `content` is XML in UTF-8, `description` says what it
    is in words."""

    name: str
    content: bytes
    description: str


@dataclass(frozen=True, slots=True)
class PrintableDocument:
    """Everything one printed document says.

    `due_date` is for invoices, `valid_until` for quotes. `subtotal` excludes VAT, `total` includes it.
    `logo` is the bytes of a PNG or JPEG file. `amount_paid` and `amount_credited` (both positive) print what was paid
    and credited already, and the balance.
    `accent_color` (`#rrggbb`) is the title's, None the layout's own; `intro` stands above the lines, `footer` below the
    seller's details on every page.
    Raises `ValueError` for an unknown currency, a bare number or an issued document without a number.
    """

    kind: PrintKind
    language: Language
    is_draft: bool
    number: str | None
    issue_date: date
    currency: str
    seller: Party
    buyer: Party
    lines: tuple[PrintLine, ...]
    vat_rows: tuple[PrintVatRow, ...]
    subtotal: Decimal
    vat: Decimal
    total: Decimal
    due_date: date | None = None
    delivery_date: date | None = None
    valid_until: date | None = None
    references: References = References()
    vat_in_base: VatInBase | None = None
    payment: PaymentDetails | None = None
    amount_paid: Decimal | None = None
    amount_credited: Decimal | None = None
    credits_invoice_number: str | None = None
    is_prepayment: bool = False
    notes: str | None = None
    legal_texts: tuple[str, ...] = ()
    logo: bytes | None = None
    accent_color: str | None = None
    intro: str | None = None
    footer: str | None = None
    attachment: Attachment | None = None

    def __post_init__(self) -> None:
        minor_units(self.currency)
        if self.vat_in_base is not None:
            minor_units(self.vat_in_base.currency)
        if not self.is_draft and not self.number:
            raise ValueError("only a draft may be printed without a number")

    @property
    def is_settled_in_part(self) -> bool:
        """Whether anything was paid or credited."""
        return self.amount_paid is not None or self.amount_credited is not None

    @property
    def balance(self) -> Decimal:
        """What is still to be paid, in the document's currency; what was paid too much is not owed by the payer."""
        if not self.is_settled_in_part:
            return self.total
        return max(self.total - (self.amount_paid or ZERO) - (self.amount_credited or ZERO), ZERO)
