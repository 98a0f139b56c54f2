"""Drafting invoices: as documents of any kind (`documents.actions`), with the events of invoices."""

from ledgerbee.core.changes import Changes
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import actions as documents
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import FullInvoice, InvoiceFields, InvoiceId


async def create(context: Context, given: InvoiceFields) -> FullInvoice:
    """Draft an invoice. Emits `invoice.created`.

    Raises validation errors, `CUSTOMER_NOT_FOUND`, `CONTACT_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`,
    `DOCUMENT_TEMPLATE_NOT_FOUND`, `SALES_DOCUMENT_TEMPLATE_MISMATCH`, `SALES_DOCUMENT_CUSTOMER_INACTIVE`,
    `SALES_DOCUMENT_DEPARTMENT_INACTIVE` and what `documents.price_lines` raises.
    """
    full = await documents.create(context, INVOICES, given)
    context.emit("invoice.created", full.document.id, await INVOICES.event_form(full))
    return full


async def update(context: Context, invoice_id: InvoiceId, changes: Changes[InvoiceFields]) -> FullInvoice:
    """Change a draft (see `documents.update`). Emits `invoice.updated` if anything became different.

    Raises what `create` raises, `INVOICE_NOT_FOUND`, `INVOICE_INVALID_STATE`.
    """
    full, forms = await documents.update(context, INVOICES, invoice_id, changes)
    if forms is not None:
        context.emit("invoice.updated", invoice_id, forms.after, before=forms.before)
    return full


async def delete(context: Context, invoice_id: InvoiceId) -> None:
    """Delete a draft. Emits `invoice.deleted`. Raises `INVOICE_NOT_FOUND`, `INVOICE_INVALID_STATE`."""
    was = await documents.delete(context, INVOICES, invoice_id)
    context.emit("invoice.deleted", invoice_id, was, before=was)
