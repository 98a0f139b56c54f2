"""Settling: a payment moves an invoice on towards `paid`."""

from dataclasses import replace
from decimal import Decimal

from ledgerbee.core.money import EXACT
from ledgerbee.platform.context import Context
from ledgerbee.sales.invoices import rules, store
from ledgerbee.sales.invoices.model import FullInvoice, Invoice, InvoiceStatus
from ledgerbee.sales.invoices.wire import snapshot


async def settle(context: Context, invoice: Invoice, amount: Decimal) -> Invoice:
    """Take a payment of `amount` (the invoice's currency) off what is due; emits `invoice.paid` with the last one.

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
    if settled.status is InvoiceStatus.PAID:
        lines = await store.lines_of(context, invoice.id)
        context.emit("invoice.paid", invoice.id, snapshot(FullInvoice(settled, lines)))
    return settled
