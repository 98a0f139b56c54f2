"""Sending invoices: the number, the journal entry and the hand-over, all in one transaction (see `sales.sending`)."""

from collections.abc import Mapping
from typing import Any

from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.documents.rules import check_date, tax
from ledgerbee.sales.invoices import rules
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import (
    INVOICE_DELIVERY_NOT_CONFIGURED,
    FullInvoice,
    Invoice,
    InvoiceId,
    InvoiceStatus,
    Sent,
)
from ledgerbee.sales.sending import actions as sending
from ledgerbee.sales.sending.model import SendOptions


async def send(
    context: Context, invoice_id: InvoiceId, options: SendOptions, tried: Mapping[str, Any] | None = None
) -> Sent:
    """Book a draft, give it its number and hand it over. Emits `invoice.sent`; mail waits for the worker.

    An invoice of 0.00 is paid with it: emits `invoice.paid` too. Prices stand as drafted; accounts are decided by the
    customer's zone as it is now, VAT by the codes of the draft at the rates of the tax point. An invoice whose delivery
    failed for good can be sent again: it is handed over as it was booked, and `invoice.sent_again` is emitted.
    `tried` is the document that was tried before, see `printing.with_trial`; raises `UntriedDocumentError`.

    Refused in this order, and then nothing was written: `INVOICE_NOT_FOUND`; `INVOICE_INVALID_STATE` (also for the
    second of two racing sends); `INVOICE_DELIVERY_NOT_CONFIGURED`; a validation error of the date;
    `SALES_DOCUMENT_VAT_CODE_UNUSABLE`, `SALES_DOCUMENT_AMOUNT_TOO_LARGE`; what `rules.book` refuses; what
    `sending.write` may be refused by, which uses up no number.
    """
    invoice = await documents.get_for_update(context, INVOICES, invoice_id)
    is_booked = invoice.status is not InvoiceStatus.DRAFT
    if is_booked:
        await sending.require_failed_delivery(context, INVOICES, invoice)
    if options.delivery_type is DeliveryType.SPROOM:
        raise INVOICE_DELIVERY_NOT_CONFIGURED.error(deliveryType=options.delivery_type.value)
    if is_booked:
        return await _send_again(context, invoice, options)
    check_date(invoice.issue_date, context.today)
    lines = await documents.lines_of(context, INVOICES, invoice_id)
    return await _send_draft(context, FullDocument(invoice, lines), options, tried)


async def _send_draft(
    context: Context, drafted: FullInvoice, options: SendOptions, tried: Mapping[str, Any] | None
) -> Sent:
    draft = drafted.document
    found = await sending.load(context, INVOICES, drafted)
    company, customer = found.sources.company, found.sources.facts.customer

    computed = tax(drafted.lines, found.sales, customer.vat_zone, draft.tax_point, draft.currency)
    await give_way()
    booking = rules.book(draft, found, computed, options, context.now)
    await give_way()

    full = await sending.write(context, INVOICES, drafted, booking, company, options, tried)
    form = await INVOICES.event_form(full)
    context.emit("invoice.sent", draft.id, form, before=await INVOICES.event_form(drafted))
    if full.document.status is InvoiceStatus.PAID:
        context.emit("invoice.paid", draft.id, form)
    return Sent(full, rules.warnings(full.document, computed, booking.addressee, company))


async def _send_again(context: Context, invoice: Invoice, options: SendOptions) -> Sent:
    before, after = await sending.send_again(context, INVOICES, invoice, options)
    was = await INVOICES.event_form(before)
    context.emit("invoice.sent_again", invoice.id, await INVOICES.event_form(after), before=was)
    return Sent(after)
