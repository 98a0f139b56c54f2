"""What is written of an invoice that is sent, and in which order it is refused."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import pytest
from tests.unit.test_invoices_rules import NOW, RECEIVABLE, TAXES, customer, entry_of, invoice, product

from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.rules import check_balanced
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND, BillingFacts, Customer
from ledgerbee.parties.groups.model import CustomerGroup, CustomerGroupId
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents.model import (
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    Computed,
    Sources,
)
from ledgerbee.sales.documents.rules import compute
from ledgerbee.sales.invoices import rules
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import (
    INVOICE_AMOUNT_NEGATIVE,
    INVOICE_BUYER_VAT_NUMBER_INVALID,
    INVOICE_BUYER_VAT_NUMBER_MISSING,
    INVOICE_RECIPIENT_MISSING,
    INVOICE_SELLER_INCOMPLETE,
    Invoice,
    InvoiceStatus,
)
from ledgerbee.sales.sending.model import Booking, SendOptions, SendSources
from ledgerbee.sales.sending.rules import numbered
from ledgerbee.sales.templates.model import (
    DocumentTemplate,
    DocumentTemplateId,
    TemplateType,
)
from ledgerbee.tenancy.company.model import Company
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING, Rate

EXPORT = next(price for price, tax in TAXES.items() if tax.category == "K")
GROUP = CustomerGroup(id=CustomerGroupId(new_id()), number="1", name="Kunder", account_id=RECEIVABLE, created_at=NOW)
COMPANY = Company(
    company_id=new_id(),
    name="Nordlys ApS",
    country_code="DK",
    preferred_language="da",
    base_currency="DKK",
    time_zone="Europe/Copenhagen",
    created_at=NOW,
    updated_at=NOW,
)


def template(template_type: TemplateType) -> DocumentTemplate:
    return DocumentTemplate(
        id=DocumentTemplateId(new_id()),
        name="Invoice",
        document_type=template_type,
        language="en",
        is_default=True,
        created_at=NOW,
    )


@dataclass
class Sale:
    """A draft that is sent in euros, and all that it is booked by."""

    net: Decimal
    company: Company
    buyer: Customer
    templates: tuple[DocumentTemplate, ...]
    options: SendOptions
    rate: Rate | None

    @property
    def computed(self) -> Computed:
        return compute([product(EXPORT, self.net)], TAXES, "EUR")

    @property
    def found(self) -> SendSources:
        facts = BillingFacts(self.buyer, GROUP, None)
        return SendSources(Sources(self.company, facts, None, None, self.templates, None), {}, self.rate)

    def book(self, draft: Invoice | None = None) -> Booking[Invoice]:
        return rules.book(draft or invoice("EUR"), self.found, self.computed, self.options, NOW)


def all_wrong(template_id: UUID) -> Sale:
    return Sale(
        net=Decimal(-100),
        company=COMPANY,
        buyer=replace(customer(), is_active=False),
        templates=(),
        options=SendOptions(DeliveryType.EMAIL, document_template_id=template_id),
        rate=None,
    )


def test_the_first_refusal_is_raised_in_the_order_of_the_table() -> None:
    chosen, other = template(TemplateType.INVOICE), template(TemplateType.QUOTE)
    sale = all_wrong(chosen.id)

    def refused(code: ErrorCode) -> None:
        with pytest.raises(LedgerBeeError) as refusal:
            sale.book()
        assert refusal.value.error_code is code

    refused(SALES_DOCUMENT_CUSTOMER_INACTIVE)
    sale.buyer = replace(sale.buyer, is_active=True)
    refused(INVOICE_AMOUNT_NEGATIVE)
    sale.net = Decimal(100)
    refused(INVOICE_BUYER_VAT_NUMBER_MISSING)
    sale.buyer = replace(sale.buyer, vat_number="DK13585628")
    refused(INVOICE_BUYER_VAT_NUMBER_INVALID)
    sale.buyer = replace(sale.buyer, vat_number="SE556677889901")
    refused(INVOICE_SELLER_INCOMPLETE)
    sale.company = replace(COMPANY, address="Gade 1", postal_code="2100", city="København", vat_number="13585628")
    refused(DOCUMENT_TEMPLATE_NOT_FOUND)
    sale.options = replace(sale.options, document_template_id=other.id)
    sale.templates = (chosen, other)
    refused(SALES_DOCUMENT_TEMPLATE_MISMATCH)
    sale.options = replace(sale.options, document_template_id=chosen.id)
    refused(INVOICE_RECIPIENT_MISSING)
    sale.options = replace(sale.options, override_email="here@example.com")
    refused(EXCHANGE_RATE_MISSING)
    sale.rate = Rate(Decimal("7.46"), NOW.date(), "ECB")
    assert sale.book().recipient == "here@example.com"


def right(ean_number: str | None = None) -> Sale:
    sale = all_wrong(new_id())
    sale.net = Decimal(100)
    sale.company = replace(COMPANY, address="Gade 1", postal_code="2100", city="København", vat_number="13585628")
    sale.buyer = customer("SE556677889901")
    sale.templates = (template(TemplateType.INVOICE),)
    sale.options = SendOptions(DeliveryType.MANUAL, override_ean_number=ean_number)
    sale.rate = Rate(Decimal("7.46"), NOW.date(), "ECB")
    return sale


def test_a_booking_says_all_that_is_written() -> None:
    sale, draft = right("5790000000001"), invoice("EUR")
    booking = sale.book(draft)
    booked = booking.document
    assert (booked.id, booked.status, booked.sent_at, booked.number) == (draft.id, InvoiceStatus.SENT, NOW, None)
    assert (booked.amount, booked.base_amount, booked.exchange_rate) == (Decimal(100), Decimal(746), Decimal("7.46"))
    assert (booked.receivable_account_id, booked.document_template_id) == (RECEIVABLE, sale.templates[0].id)
    assert (booking.template, booking.recipient, booking.in_base) == (sale.templates[0], None, None)
    assert booking.addressee.ean_number == "5790000000001"
    assert booking.entry is not None
    assert booking.entry.lines == entry_of(sale.computed, "EUR", Decimal("7.46")).lines
    check_balanced(booking.entry.lines)
    assert (booking.entry.id, booking.entry.source_id) == (booked.journal_entry_id, draft.id)


def test_the_number_is_in_the_document_and_its_entry() -> None:
    booking = numbered(INVOICES, right().book(), 7, "F7", "da")
    assert (booking.document.number, booking.document.number_sequence) == ("F7", 7)
    assert booking.entry is not None
    assert (booking.entry.reference, booking.entry.description) == ("F7", "Faktura F7, Havblik A/S")


def test_what_has_no_entry_has_a_number_only() -> None:
    unbooked = replace(right().book(), entry=None)
    booking = numbered(INVOICES, unbooked, 7, "T7", "da")
    assert (booking.document.number, booking.entry) == ("T7", None)
