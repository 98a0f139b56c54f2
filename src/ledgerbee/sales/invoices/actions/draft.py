"""Drafting: create, change, delete. Nothing of it touches the books."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from ledgerbee.core.errors import check_all
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.rules import check_delivery_date
from ledgerbee.parties.customers import store as customers
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import actions as documents
from ledgerbee.sales.documents.model import Computed
from ledgerbee.sales.documents.rules import as_input, check_date, check_due_date, due_on
from ledgerbee.sales.invoices import rules, store
from ledgerbee.sales.invoices.model import FullInvoice, Invoice, InvoiceFields, InvoiceStatus
from ledgerbee.sales.invoices.wire import snapshot
from ledgerbee.sales.templates.model import TemplateType
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company

_DRAFT = (InvoiceStatus.DRAFT,)
#: Changes that make looked-up prices and discounts stale.
_REPRICING = frozenset({"customer_id", "currency"})


async def create(context: Context, given: InvoiceFields) -> FullInvoice:
    """Draft an invoice. Emits `invoice.created`.

    Raises validation errors, `CUSTOMER_NOT_FOUND`, `CONTACT_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`,
    `DOCUMENT_TEMPLATE_NOT_FOUND`, `SALES_DOCUMENT_TEMPLATE_MISMATCH`, `SALES_DOCUMENT_CUSTOMER_INACTIVE`,
    `SALES_DOCUMENT_DEPARTMENT_INACTIVE` and what `documents.price_lines` raises.
    """
    _check_days(given, context.today)
    company = await companies.get(context)
    facts = await customers.billing_facts(context, given.customer_id)
    await _check_references(context, given, facts)
    currency = given.currency or company.base_currency
    computed = await documents.price_lines(
        context, given.lines, facts, currency=currency, on=given.issue_date, tax_point=given.tax_point
    )
    invoice = Invoice(
        id=new_id(),
        status=InvoiceStatus.DRAFT,
        created_at=context.now,
        updated_at=context.now,
        **_decided(given, company, facts, computed),
    )
    await store.insert(context, invoice, computed.lines)
    full = FullInvoice(invoice, computed.lines)
    context.emit("invoice.created", invoice.id, await snapshot(full))
    return full


def _check_days(given: InvoiceFields, today: date) -> None:
    check_all(
        lambda: check_date(given.issue_date, today),
        lambda: check_delivery_date(given.delivery_date, given.issue_date),
        lambda: None if given.due_date is None else check_due_date(given.issue_date, given.due_date),
    )


async def update(context: Context, invoice_id: UUID, changes: Mapping[str, Any]) -> FullInvoice:
    """Change a draft: the named fields of `InvoiceFields`; `lines` replaces all of them.

    A new customer or currency prices the lines that stay anew, and so does a new date where prices are converted at the
    rate of the day; what their author gave is kept. The due date
    follows date and terms unless one was given. Emits `invoice.updated` if anything became different.
    Raises what `create` raises, `INVOICE_NOT_FOUND`,
    `INVOICE_INVALID_STATE`.
    """
    before = await store.get(context, invoice_id, for_update=True)
    rules.require_status(before, _DRAFT)
    lines = await store.lines_of(context, invoice_id)
    given = replace(_fields_of(before, changes), lines=tuple(as_input(line) for line in lines))
    given = replace(given, **changes)
    _check_days(given, context.today)
    company = await companies.get(context)
    facts = await customers.billing_facts(context, given.customer_id)
    await _check_references(context, given, facts)
    currency = given.currency or company.base_currency
    is_stale = "lines" in changes or bool(_REPRICING & changes.keys())
    if not is_stale and given.issue_date != before.issue_date:
        is_stale = await documents.has_converted_prices(context, lines, currency)
    if is_stale:
        computed = await documents.price_lines(
            context, given.lines, facts, currency=currency, on=given.issue_date, tax_point=given.tax_point
        )
    else:
        computed = await documents.tax_lines(context, lines, facts, currency=currency, tax_point=given.tax_point)
    invoice = replace(before, updated_at=context.now, **_decided(given, company, facts, computed))
    full, earlier = FullInvoice(invoice, computed.lines), FullInvoice(before, lines)
    was = await snapshot(earlier)
    if await snapshot(FullInvoice(replace(invoice, updated_at=before.updated_at), computed.lines)) == was:
        return earlier
    if computed.lines != lines:
        await store.replace_lines(context, invoice_id, computed.lines)
    await store.save(context, invoice)
    context.emit("invoice.updated", invoice_id, await snapshot(full), before=was)
    return full


async def delete(context: Context, invoice_id: UUID) -> None:
    """Delete a draft. Emits `invoice.deleted`. Raises `INVOICE_NOT_FOUND`, `INVOICE_INVALID_STATE`."""
    invoice = await store.get(context, invoice_id, for_update=True)
    rules.require_status(invoice, _DRAFT)
    was = await snapshot(FullInvoice(invoice, await store.lines_of(context, invoice_id)))
    await store.delete(context, invoice_id)
    context.emit("invoice.deleted", invoice_id, was, before=was)


async def _check_references(context: Context, given: InvoiceFields, facts: BillingFacts) -> None:
    documents.check_customer(facts)
    await documents.check_people(context, given.customer_id, given.customer_contact_id, given.customer_department_id)
    if given.document_template_id is not None:
        await documents.choose_template(context, TemplateType.INVOICE, facts, given.document_template_id)


def _fields_of(before: Invoice, changes: Mapping[str, Any]) -> InvoiceFields:
    """What the draft's author gave, as far as it survives the changes: a new customer has its own people and terms."""
    same_customer = changes.get("customer_id", before.customer_id) == before.customer_id
    was_derived = before.due_date == due_on(before.issue_date, before.payment_terms_days)
    new_terms = "payment_terms_days" in changes
    return InvoiceFields(
        customer_id=before.customer_id,
        issue_date=before.issue_date,
        lines=(),
        customer_department_id=before.customer_department_id if same_customer else None,
        customer_contact_id=before.customer_contact_id if same_customer else None,
        delivery_date=before.delivery_date,
        due_date=None if was_derived or new_terms else before.due_date,
        currency=before.currency,
        payment_terms_days=before.payment_terms_days if same_customer else None,
        reference=before.reference,
        our_reference=before.our_reference,
        description=before.description,
        notes=before.notes,
        document_template_id=before.document_template_id,
    )


def _decided(given: InvoiceFields, company: Company, facts: BillingFacts, computed: Computed) -> dict[str, Any]:
    """The invoice's own fields: what was given, and the customer's or company's word where nothing was."""
    terms = given.payment_terms_days
    if terms is None:
        terms = facts.customer.payment_terms_days
    if terms is None:
        terms = company.payment_terms_days
    due_date = given.due_date or due_on(given.issue_date, terms)
    check_due_date(given.issue_date, due_date)
    return {
        "customer_id": given.customer_id,
        "customer_department_id": given.customer_department_id,
        "customer_contact_id": given.customer_contact_id,
        "issue_date": given.issue_date,
        "due_date": due_date,
        "delivery_date": given.delivery_date,
        "payment_terms_days": terms,
        "currency": given.currency or company.base_currency,
        "reference": given.reference,
        "our_reference": given.our_reference,
        "description": given.description,
        "notes": given.notes,
        "document_template_id": given.document_template_id,
        "subtotal": computed.totals.subtotal,
        "vat": computed.totals.vat,
        "amount": computed.totals.amount,
    }
