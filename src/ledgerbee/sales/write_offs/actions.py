"""Giving up an invoice as uncollectible, and taking that back: entry, write-off and invoice in one transaction."""

from datetime import date
from typing import Any

from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices import rules as invoice_rules
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import FullInvoice, Invoice, InvoiceId
from ledgerbee.sales.write_offs import rules, store
from ledgerbee.sales.write_offs.model import WriteOff, WriteOffFields
from ledgerbee.sales.write_offs.wire import render


async def write_off(context: Context, invoice_id: InvoiceId, given: WriteOffFields) -> tuple[WriteOff, Invoice]:
    """Book what is due on an invoice as a loss and regulate its VAT. Emits `invoice.written_off`.

    The invoice's row is locked: of two at once, or of this and a payment, the second sees what the first did. Refused
    in this order, and then nothing was written: `INVOICE_NOT_FOUND`; what `rules.book` refuses; what posting refuses
    (`PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`, `ACCOUNT_NOT_BOOKABLE`).
    """
    before = await documents.get_for_update(context, INVOICES, invoice_id)
    lines = await documents.lines_of(context, INVOICES, invoice_id)
    invoice_rules.require_status(before, invoice_rules.PAYABLE)
    found = await store.get_sources(context, before)

    booking = rules.book(given, before, found, context.today, context.now)

    await ledger.post_of_document(context, booking.entry)
    await store.insert(context, booking.write_off)
    await documents.update(context, INVOICES, booking.invoice)
    now, was = await _forms(booking.write_off, FullDocument(booking.invoice, lines), FullDocument(before, lines))
    context.emit("invoice.written_off", invoice_id, now, before=was)
    return booking.write_off, booking.invoice


async def reverse(
    context: Context, invoice_id: InvoiceId, on: date | None, description: str | None
) -> tuple[WriteOff, Invoice]:
    """Take a write-off back: its entry is reversed, and what was due is due again. Emits `invoice.write_off_reversed`.

    On the day `on` (None: today, or the write-off's if later), on which its VAT is owed again. Refused in this order,
    and then nothing was written: a validation error for a day more than a year ahead; `INVOICE_NOT_FOUND`;
    `INVOICE_NOT_WRITTEN_OFF` (also for the second of two at once); a validation error for a day before the
    write-off's; what posting refuses (`PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`).
    """
    if on is not None:
        check_date(on, context.today)
    before = await documents.get_for_update(context, INVOICES, invoice_id)
    standing = rules.require_written_off(await store.get_standing(context, invoice_id), before.status)
    return await _take_back(context, before, standing, on, description)


async def take_up_again(context: Context, invoice: Invoice, paid_on: date) -> tuple[WriteOff, Invoice]:
    """Take the write-off of an invoice, which is locked, back for a payment that comes in after all; otherwise as
    `reverse`. On the day of the payment, or of the write-off if that is later."""
    standing = rules.require_written_off(await store.get_standing(context, invoice.id), invoice.status)
    return await _take_back(context, invoice, standing, max(paid_on, standing.written_off_on), None)


async def _take_back(
    context: Context, before: Invoice, standing: WriteOff, on: date | None, description: str | None
) -> tuple[WriteOff, Invoice]:
    lines = await documents.lines_of(context, INVOICES, before.id)
    delivery = await deliveries.latest_of(context, INVOICES.kind, before.id)

    opened = invoice_rules.take_up_again(before, delivery.status if delivery else None, context.now)
    reversal_id = new_id()
    taken_back = replace(standing, reversed_at=context.now, reversal_entry_id=reversal_id)

    await ledger.reverse_of_document(context, standing.journal_entry_id, reversal_id, on, description)
    await store.set_reversed(context, taken_back)
    await documents.update(context, INVOICES, opened)
    now, was = await _forms(taken_back, FullDocument(opened, lines), FullDocument(before, lines))
    context.emit("invoice.write_off_reversed", before.id, now, before=was)
    return taken_back, opened


async def _forms(write_off: WriteOff, after: FullInvoice, before: FullInvoice) -> tuple[dict[str, Any], dict[str, Any]]:
    """The invoice's wire form after, with the write-off that is told, and before."""
    told = render(write_off, after.document).as_event()
    return {**await INVOICES.event_form(after), "writeOff": told}, await INVOICES.event_form(before)
