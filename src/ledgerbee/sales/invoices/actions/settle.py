"""Settling: a payment moves an invoice on towards `paid`, one that is taken back opens it again."""

from dataclasses import replace
from decimal import Decimal

from ledgerbee.core.money import EXACT
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.invoices import rules, store
from ledgerbee.sales.invoices.model import FullInvoice, Invoice, InvoiceStatus
from ledgerbee.sales.invoices.wire import snapshot


async def settle(context: Context, invoice: Invoice, amount: Decimal) -> Invoice:
    """Take a payment of `amount` (the invoice's currency) off what is due.

    Emits `invoice.paid` with the last one, `invoice.partially_paid` with those before it.

    The caller holds the invoice's row and has checked the amount. Raises `INVOICE_INVALID_STATE` for a draft or an
    invoice that has nothing open.
    """
    rules.require_status(invoice, rules.PAYABLE)
    paid = EXACT.add(invoice.amount_paid, amount)
    settled = replace(
        invoice,
        amount_paid=paid,
        status=rules.status_when_settled(EXACT.subtract(invoice.amount, paid)),
        updated_at=context.now,
    )
    await store.save(context, settled)
    lines = await store.lines_of(context, invoice.id)
    now, was = await snapshot(FullInvoice(settled, lines)), await snapshot(FullInvoice(invoice, lines))
    if settled.status is InvoiceStatus.PAID:
        context.emit("invoice.paid", invoice.id, now, before=was)
    else:
        context.emit("invoice.partially_paid", invoice.id, now, before=was)
    return settled


async def reopen(context: Context, invoice: Invoice, amount: Decimal) -> Invoice:
    """Put a payment of `amount` (the invoice's currency) back on what is due. Emits `invoice.reopened`.

    The caller holds the invoice's row, and the payment is one of those that `amount_paid` sums up. Raises
    `INVOICE_INVALID_STATE` for an invoice on which nothing is paid.
    """
    rules.require_status(invoice, rules.PAID_ON)
    paid = EXACT.subtract(invoice.amount_paid, amount)
    delivery = await deliveries.latest_of(context, DocumentKind.INVOICE, invoice.id)
    reopened = replace(
        invoice,
        amount_paid=paid,
        status=rules.status_when_reopened(invoice, paid, delivery.status if delivery else None),
        updated_at=context.now,
    )
    await store.save(context, reopened)
    lines = await store.lines_of(context, invoice.id)
    was = await snapshot(FullInvoice(invoice, lines))
    context.emit("invoice.reopened", invoice.id, await snapshot(FullInvoice(reopened, lines)), before=was)
    return reopened
