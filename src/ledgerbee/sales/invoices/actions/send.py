"""Sending: the number, the journal entry and the hand-over, all in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledgerbee.core.changes import Changes
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.ledger.entries.model import EntryToPost, LineType
from ledgerbee.parties.customers import actions as customer_actions
from ledgerbee.parties.customers import store as customers
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.model import Delivery, DeliveryStatus, DeliveryType, Outcome
from ledgerbee.sales.delivery.rules import first_status
from ledgerbee.sales.documents import actions as documents
from ledgerbee.sales.documents import store as document_store
from ledgerbee.sales.documents.model import Computed, DocumentKind
from ledgerbee.sales.documents.printing import require_tried
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.documents.snapshot import Addressee, compose
from ledgerbee.sales.invoices import rules, store
from ledgerbee.sales.invoices.actions.preview import addressees, ean_of, heading, language_of
from ledgerbee.sales.invoices.model import (
    DELIVER_JOB,
    INVOICE_DELIVERY_NOT_CONFIGURED,
    INVOICE_INVALID_STATE,
    SERIES,
    FullInvoice,
    Invoice,
    InvoiceStatus,
    Sent,
)
from ledgerbee.sales.invoices.wire import snapshot
from ledgerbee.sales.templates.model import TemplateType
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company
from ledgerbee.tenancy.rates import store as rates


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How to send. The overrides are for this send only, unless `update_customer_record` keeps them."""

    delivery_type: DeliveryType
    override_email: str | None = None
    override_ean_number: str | None = None
    update_customer_record: bool = False
    document_template_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Everything that could be refused has been asked for; what is left is to write."""

    invoice: Invoice
    company: Company
    facts: BillingFacts
    addressee: Addressee
    computed: Computed
    language: str
    recipient: str | None


async def send(
    context: Context, invoice_id: UUID, options: SendOptions, tried: Mapping[str, Any] | None = None
) -> Sent:
    """Book a draft, give it its number and hand it over. Emits `invoice.sent`; mail waits for the worker.

    An invoice of 0.00 is paid with it: emits `invoice.paid` too. Prices stand as drafted; accounts are decided by the
    customer's zone as it is now, VAT by the codes of the draft at the rates of the tax point. An invoice whose delivery
    failed for good can be sent again: it is handed over as it was booked, and `invoice.sent_again` is emitted.
    `tried` is the document that was tried before, see `printing.with_trial`; raises `UntriedDocumentError`.
    Raises validation errors, `INVOICE_NOT_FOUND`, `INVOICE_INVALID_STATE` (also for the second of two racing sends),
    `INVOICE_DELIVERY_NOT_CONFIGURED`, `SALES_DOCUMENT_CUSTOMER_INACTIVE`, `INVOICE_AMOUNT_NEGATIVE`,
    `INVOICE_BUYER_VAT_NUMBER_MISSING`, `INVOICE_BUYER_VAT_NUMBER_INVALID`, `INVOICE_SELLER_INCOMPLETE`,
    `INVOICE_RECIPIENT_MISSING`,
    `DOCUMENT_TEMPLATE_NOT_FOUND`, `SALES_DOCUMENT_TEMPLATE_MISMATCH`, `SALES_DOCUMENT_VAT_CODE_UNUSABLE`,
    `EXCHANGE_RATE_MISSING` and what posting raises (`PERIOD_LOCKED`,
    `FISCAL_YEAR_MISSING`, `ACCOUNT_NOT_BOOKABLE`). Then nothing is changed, and no number is used up.
    """
    draft = await store.get(context, invoice_id, for_update=True)
    is_booked = draft.status is not InvoiceStatus.DRAFT
    if is_booked:
        await _require_failed_delivery(context, draft)
    if options.delivery_type is DeliveryType.SPROOM:
        raise INVOICE_DELIVERY_NOT_CONFIGURED.error(deliveryType=options.delivery_type.value)
    if is_booked:
        return await _send_again(context, draft, options)
    drafted_lines = await store.lines_of(context, invoice_id)
    prepared = await _prepare(context, FullInvoice(draft, drafted_lines), options, tried)
    lines = prepared.computed.lines
    if lines != drafted_lines:
        await store.replace_lines(context, invoice_id, lines)
    await _keep_overrides(context, draft.customer_id, options)
    booked = await _book(context, prepared, options)
    await _hand_over(context, booked, options, prepared.recipient)
    full = FullInvoice(booked, lines)
    was = await snapshot(FullInvoice(draft, drafted_lines))
    context.emit("invoice.sent", booked.id, await snapshot(full), before=was)
    if booked.status is InvoiceStatus.PAID:
        context.emit("invoice.paid", booked.id, await snapshot(full))
    return Sent(full, rules.warnings(booked, prepared.computed, prepared.addressee, prepared.company))


async def _prepare(
    context: Context, full: FullInvoice, options: SendOptions, tried: Mapping[str, Any] | None
) -> _Prepared:
    invoice = full.invoice
    check_date(invoice.issue_date, context.today)
    company = await companies.get(context)
    facts = await customers.billing_facts(context, invoice.customer_id)
    documents.check_customer(facts)
    computed = await documents.tax_drafted_lines(
        context, full.lines, facts, currency=invoice.currency, tax_point=invoice.tax_point
    )
    rules.check_sendable(computed, facts.customer, invoice.currency, company.country_code)
    rules.check_seller(company, computed.taxes.values())
    chosen = options.document_template_id or invoice.document_template_id
    template = await documents.choose_template(context, TemplateType.INVOICE, facts, chosen)
    department, contact = await addressees(context, invoice)
    recipient = None
    if options.delivery_type is DeliveryType.EMAIL:
        recipient = rules.recipient(options.override_email, (contact, facts.default_contact), facts.customer)
    ean_number = ean_of(facts, department, options.override_ean_number)
    addressee = Addressee(facts.customer, department, contact, ean_number)
    language = language_of(template, facts)
    await give_way()
    trial = compose(company, addressee, heading(invoice, language, None, None), computed, None)
    await give_way()
    require_tried(trial, tried)
    await give_way()
    return _Prepared(
        invoice=replace(invoice, document_template_id=template.id if template else None),
        company=company,
        facts=facts,
        addressee=addressee,
        computed=computed,
        language=language,
        recipient=recipient,
    )


async def _keep_overrides(context: Context, customer_id: UUID, options: SendOptions) -> None:
    """Write the overrides to the customer where that was asked for."""
    if not options.update_customer_record:
        return
    given = {"email": options.override_email, "ean_number": options.override_ean_number}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if changes:
        await customer_actions.update(context, customer_id, Changes(changes))


async def _book(context: Context, prepared: _Prepared, options: SendOptions) -> Invoice:
    """Take the number, keep the document as it is, and post: the two locked rows come last."""
    draft, company, computed = prepared.invoice, prepared.company, prepared.computed
    rate = await rates.rate_for(context, draft.currency, draft.issue_date)
    sequence, number = await document_store.take_number(context, SERIES)
    entry = rules.journal_entry(
        draft,
        computed,
        entry_id=new_id(),
        number=number,
        text=rules.entry_text(draft, number, prepared.facts.customer.name, company.preferred_language),
        receivable_account_id=prepared.facts.group.account_id,
        exchange_rate=rate.value,
        base_currency=company.base_currency,
    )
    booked = replace(
        draft,
        status=rules.status_when_sent(options.delivery_type, computed.totals.amount),
        number=number,
        number_sequence=sequence,
        subtotal=computed.totals.subtotal,
        vat=computed.totals.vat,
        amount=computed.totals.amount,
        receivable_account_id=prepared.facts.group.account_id,
        exchange_rate=rate.value,
        base_amount=_receivable(entry),
        journal_entry_id=entry.id,
        sent_at=context.now if options.delivery_type is DeliveryType.MANUAL else None,
        updated_at=context.now,
    )
    is_foreign = draft.currency != company.base_currency
    await give_way()
    content = compose(
        company,
        prepared.addressee,
        heading(booked, prepared.language, number, rate.value),
        computed,
        rules.vat_in_base(entry) if is_foreign else None,
    )
    await store.save(context, booked)
    await store.insert_snapshot(context, booked.id, content)
    await ledger.post_of_document(context, entry)
    return booked


def _receivable(entry: EntryToPost) -> Decimal:
    """What the entry puts on the receivable account, in the base currency."""
    return next(line.base_amount for line in entry.lines if line.line_type is LineType.CONTROL)


async def _require_failed_delivery(context: Context, invoice: Invoice) -> None:
    """What is booked is only sent again when its delivery was given up. Raises `INVOICE_INVALID_STATE`."""
    latest = await deliveries.latest_of(context, DocumentKind.INVOICE, invoice.id)
    if latest is None or latest.status is not DeliveryStatus.FAILED:
        rules.require_status(invoice, (InvoiceStatus.DRAFT,))


async def _send_again(context: Context, invoice: Invoice, options: SendOptions) -> Sent:
    """Hand a booked invoice over once more; number, entry and document stay what they are."""
    before = invoice
    if options.document_template_id is not None or options.override_ean_number is not None:
        raise INVOICE_INVALID_STATE.in_state(
            invoice.status, "The document is booked: it can only go to another address"
        )
    facts = await customers.billing_facts(context, invoice.customer_id)
    recipient = None
    if options.delivery_type is DeliveryType.EMAIL:
        _, contact = await addressees(context, invoice)
        recipient = rules.recipient(options.override_email, (contact, facts.default_contact), facts.customer)
    await _keep_overrides(context, invoice.customer_id, options)
    if options.delivery_type is DeliveryType.MANUAL:
        status = rules.status_after_attempt(invoice.status, Outcome.DELIVERED)
        invoice = replace(invoice, status=status, sent_at=invoice.sent_at or context.now, updated_at=context.now)
        await store.save(context, invoice)
    await _hand_over(context, invoice, options, recipient)
    full = FullInvoice(invoice, await store.lines_of(context, invoice.id))
    was = await snapshot(FullInvoice(before, full.lines))
    context.emit("invoice.sent_again", invoice.id, await snapshot(full), before=was)
    return Sent(full)


async def _hand_over(context: Context, invoice: Invoice, options: SendOptions, recipient: str | None) -> None:
    """Note the delivery; mail is the worker's, after the commit."""
    delivery = Delivery(
        id=new_id(),
        document_type=DocumentKind.INVOICE,
        document_id=invoice.id,
        delivery_type=options.delivery_type,
        recipient=recipient,
        status=first_status(options.delivery_type),
        created_at=context.now,
        updated_at=context.now,
    )
    await deliveries.insert(context, delivery)
    if delivery.delivery_type is DeliveryType.EMAIL:
        context.enqueue(DELIVER_JOB, invoiceId=str(invoice.id), deliveryId=str(delivery.id))
