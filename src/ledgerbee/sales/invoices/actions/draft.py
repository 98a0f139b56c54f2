"""Drafting invoices: as documents of any kind (`documents.actions`), with the events of invoices."""

from typing import Final

from ledgerbee.core.changes import Changes
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import actions as documents
from ledgerbee.sales.documents import store
from ledgerbee.sales.documents.model import FullDocument, Origin
from ledgerbee.sales.invoices import rules
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import INVOICE_IN_USE, FullInvoice, InvoiceFields, InvoiceId
from ledgerbee.sales.invoices.prepayments import actions as prepayments
from ledgerbee.sales.invoices.prepayments import store as prepayment_store

#: What names an invoice that was made of it, by the constraint that says so.
_IN_USE: Final = {
    "quotes_converted_to_invoice": INVOICE_IN_USE.used(["quotes"]),
    "order_confirmations_converted_to_invoice": INVOICE_IN_USE.used(["orderConfirmations"]),
}


async def create(context: Context, given: InvoiceFields, origin: Origin | None = None) -> FullInvoice:
    """Draft an invoice; `origin` is what it is made of, if it is. Emits `invoice.created`.

    Raises validation errors, `CUSTOMER_NOT_FOUND`, `CONTACT_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`,
    `DOCUMENT_TEMPLATE_NOT_FOUND`, `SALES_DOCUMENT_TEMPLATE_MISMATCH`, `SALES_DOCUMENT_CUSTOMER_INACTIVE`,
    `SALES_DOCUMENT_DEPARTMENT_INACTIVE` and what `documents.price_lines` raises.
    """
    full = await documents.create(context, INVOICES, given, origin)
    if given.prepayment_invoice_ids:
        await prepayment_store.link(context, full.document.id, given.prepayment_invoice_ids)
    context.emit("invoice.created", full.document.id, await INVOICES.event_form(full))
    return full


async def update(context: Context, invoice_id: InvoiceId, changes: Changes[InvoiceFields]) -> FullInvoice:
    """Change a draft (see `documents.update`). Emits `invoice.updated` if anything became different.

    Raises what `create` raises, `INVOICE_NOT_FOUND`, `INVOICE_INVALID_STATE`.
    """
    full, forms = await documents.update(context, INVOICES, invoice_id, changes)
    if forms is not None:
        await prepayment_store.link(context, invoice_id, prepayments.deducted_by(full.lines))
        context.emit("invoice.updated", invoice_id, forms.after, before=forms.before)
    return full


async def delete(context: Context, invoice_id: InvoiceId) -> None:
    """Delete a draft. Emits `invoice.deleted`.

    Raises `INVOICE_NOT_FOUND`, `INVOICE_INVALID_STATE`, `INVOICE_IN_USE`.
    """
    await prepayment_store.link(context, invoice_id, ())
    with rows.refusing(_IN_USE):
        was = await documents.delete(context, INVOICES, invoice_id)
    context.emit("invoice.deleted", invoice_id, was, before=was)


async def cancel(context: Context, invoice_id: InvoiceId) -> FullInvoice:
    """Give up a draft: it stays readable, and is never sent. Emits `invoice.cancelled`.

    What it was made of stays converted to it. Raises `INVOICE_NOT_FOUND`, `INVOICE_INVALID_STATE` (also for the second
    of two that race).
    """
    before = await store.get_for_update(context, INVOICES, invoice_id)
    lines = await store.lines_of(context, INVOICES, invoice_id)
    cancelled = rules.cancel(before, context.now)
    await store.update(context, INVOICES, cancelled)
    await prepayment_store.link(context, invoice_id, ())
    full, form = FullDocument(cancelled, lines), INVOICES.event_form
    context.emit("invoice.cancelled", invoice_id, await form(full), before=await form(FullDocument(before, lines)))
    return full
