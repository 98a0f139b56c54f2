"""What payments, credit notes and used credit make of an invoice, as `rules.settle`, `rules.reopen`, `rules.credit` or
`rules.apply_credit` decided it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import FullInvoice, Invoice, InvoiceStatus
from ledgerbee.sales.invoices.prepayments import store as prepayment_store


async def record_settled(context: Context, before: FullInvoice, settled: Invoice) -> None:
    """Write an invoice on which more or less is paid than before.

    Emits `invoice.paid` when nothing is due any more, `invoice.partially_paid` when less is, `invoice.reopened` when
    more is.
    """
    await documents.update(context, INVOICES, settled)
    await _tell_settled(context, before, settled)


async def record_settled_together(context: Context, settled: Sequence[tuple[FullInvoice, Invoice]]) -> None:
    """As `record_settled`, of invoices (one at least), each as it was before and as it is, in one statement."""
    await documents.update_many(context, INVOICES, [after for _, after in settled])
    for before, after in settled:
        await _tell_settled(context, before, after)


async def _tell_settled(context: Context, before: FullInvoice, settled: Invoice) -> None:
    form = INVOICES.event_form
    now, was = await form(FullDocument(settled, before.lines)), await form(before)
    if settled.amount_paid < before.document.amount_paid:
        context.emit("invoice.reopened", settled.id, now, before=was)
    elif settled.status is InvoiceStatus.PAID:
        context.emit("invoice.paid", settled.id, now, before=was)
    else:
        context.emit("invoice.partially_paid", settled.id, now, before=was)


async def record_given_back(context: Context, before: FullInvoice, opened: Invoice) -> None:
    """Write an invoice on which less is paid, and nothing more due: its credit went back to the card that paid it.

    Emits `invoice.credit_refunded`.
    """
    await documents.update(context, INVOICES, opened)
    form = INVOICES.event_form
    now, was = await form(FullDocument(opened, before.lines)), await form(before)
    context.emit("invoice.credit_refunded", opened.id, now, before=was)


async def record_credited(context: Context, before: FullInvoice, credited: Invoice, line_ids: Collection[UUID]) -> None:
    """Write an invoice of which more is credited than before; `line_ids` are the lines of it that are credited.

    Emits `invoice.credited`, and `invoice.paid` when that makes it paid: nothing is due any more.
    """
    await documents.update(context, INVOICES, credited)
    if any(line.is_added and line.id in line_ids for line in before.lines):
        # What it deducted is prepaid again: deductions are credited together.
        await prepayment_store.link(context, credited.id, ())
    form = INVOICES.event_form
    now, was = await form(FullDocument(credited, before.lines)), await form(before)
    context.emit("invoice.credited", credited.id, now, before=was)
    if credited.status is InvoiceStatus.PAID and before.document.status is not InvoiceStatus.PAID:
        context.emit("invoice.paid", credited.id, now, before=was)


async def record_credit_applied(
    context: Context, before: FullInvoice, applied: Invoice, use: Mapping[str, Any]
) -> None:
    """Write an invoice on which credit of the customer's was used; `use` is the wire form of that.

    Emits `invoice.credit_applied`, and `invoice.paid` when that makes it paid: nothing is due any more.
    """
    await documents.update(context, INVOICES, applied)
    form = INVOICES.event_form
    now, was = await form(FullDocument(applied, before.lines)), await form(before)
    context.emit("invoice.credit_applied", applied.id, {**now, "creditUse": dict(use)}, before=was)
    if applied.status is InvoiceStatus.PAID:
        context.emit("invoice.paid", applied.id, now, before=was)
