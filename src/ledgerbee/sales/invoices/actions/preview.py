"""An invoice as a document: the snapshot of a booked one, a draft as it would be booked today."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledgerbee.parties.contacts.model import Contact
from ledgerbee.parties.customers import store as customers
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.parties.departments.model import Department
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way
from ledgerbee.sales.documents import actions as documents
from ledgerbee.sales.documents.model import Computed, DocumentKind
from ledgerbee.sales.documents.rules import buyer_language, due_on
from ledgerbee.sales.documents.snapshot import Addressee, Heading, compose
from ledgerbee.sales.invoices import rules, store
from ledgerbee.sales.invoices.model import Invoice, InvoiceStatus
from ledgerbee.sales.templates.model import DocumentTemplate, TemplateType
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company
from ledgerbee.tenancy.rates import store as rates


@dataclass(frozen=True, slots=True)
class Document:
    """What is printed: the snapshot, whether it is a draft, and the company's present logo."""

    snapshot: dict[str, Any]
    is_draft: bool
    logo: bytes | None


async def document(context: Context, invoice_id: UUID) -> Document:
    """An invoice to print. Raises `INVOICE_NOT_FOUND`, and for a draft what `documents.tax_drafted_lines` raises."""
    invoice = await store.get(context, invoice_id)
    logo = await companies.logo(context)
    if invoice.status is not InvoiceStatus.DRAFT:
        return Document(await store.snapshot(context, invoice_id), is_draft=False, logo=logo)
    company = await companies.get(context)
    facts = await customers.billing_facts(context, invoice.customer_id)
    lines = await store.lines_of(context, invoice_id)
    computed = await documents.tax_drafted_lines(
        context, lines, facts, currency=invoice.currency, tax_point=invoice.tax_point
    )
    await give_way()
    content = await _preview(context, invoice, company, facts, computed)
    return Document(content, is_draft=True, logo=logo)


async def addressees(context: Context, invoice: Invoice) -> tuple[Department | None, Contact | None]:
    """The department and the contact that an invoice names."""
    department = contact = None
    if invoice.customer_department_id is not None:
        department = await customers.department(context, invoice.customer_id, invoice.customer_department_id)
    if invoice.customer_contact_id is not None:
        contact = await customers.contact(context, invoice.customer_id, invoice.customer_contact_id)
    return department, contact


def language_of(template: DocumentTemplate | None, facts: BillingFacts) -> str:
    """The template's language, else the buyer's."""
    if template is not None:
        return template.language
    return buyer_language(facts.customer.language, facts.customer.country_code)


def heading(invoice: Invoice, language: str, number: str | None, exchange_rate: Decimal | None) -> Heading:
    """What the invoice says beside its lines. Terms are only told where they lead to the due date."""
    follows_terms = invoice.due_date == due_on(invoice.issue_date, invoice.payment_terms_days)
    return Heading(
        kind=DocumentKind.INVOICE,
        language=language,
        issue_date=invoice.issue_date,
        currency=invoice.currency,
        number=number,
        due_date=invoice.due_date,
        delivery_date=invoice.delivery_date,
        payment_terms_days=invoice.payment_terms_days if follows_terms else None,
        reference=invoice.reference,
        our_reference=invoice.our_reference,
        description=invoice.description,
        notes=invoice.notes,
        exchange_rate=exchange_rate,
    )


async def _preview(
    context: Context, draft: Invoice, company: Company, facts: BillingFacts, computed: Computed
) -> dict[str, Any]:
    template = await documents.choose_template(context, TemplateType.INVOICE, facts, draft.document_template_id)
    department, contact = await addressees(context, draft)
    rate = await rates.find(context, draft.currency, draft.issue_date)
    in_base = None
    if rate is not None and draft.currency != company.base_currency:
        entry = rules.journal_entry(
            draft,
            computed,
            entry_id=draft.id,
            number="",
            text="",
            receivable_account_id=facts.group.account_id,
            exchange_rate=rate.value,
            base_currency=company.base_currency,
        )
        in_base = rules.vat_in_base(entry)
    await give_way()
    return compose(
        company,
        Addressee(facts.customer, department, contact, ean_of(facts, department, None)),
        heading(draft, language_of(template, facts), None, rate.value if rate else None),
        computed,
        in_base,
    )


def ean_of(facts: BillingFacts, department: Department | None, override: str | None) -> str | None:
    """The EAN an invoice goes to: the override, else the department's, else the customer's."""
    return override or (department.ean_number if department else None) or facts.customer.ean_number
