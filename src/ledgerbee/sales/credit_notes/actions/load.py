"""What credit notes are decided by."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.platform.context import Context
from ledgerbee.sales.credit_notes import rules, store
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.credit_notes.model import Creditable, CreditedInvoice, FullCreditNote, InvoiceLine, NoteSources
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import Line, Tax
from ledgerbee.sales.documents.rules import tax_of_code
from ledgerbee.sales.invoices import store as invoices
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice, InvoiceId
from ledgerbee.sales.invoices.prepayments import actions as prepayments
from ledgerbee.tenancy.rates import store as rates


async def load_creditable(context: Context, invoice: Invoice) -> Creditable:
    """What an invoice, which is locked, has left. Raises `CREDIT_NOTE_INVOICE_TOO_OLD`."""
    lines = await _lines_of(context, invoice)
    return Creditable(invoice.currency, invoice.amount, lines, await store.taken_of(context, invoice.id))


async def load_sent(context: Context, invoice: Invoice) -> Creditable:
    """An invoice, which is locked, with what notes that were sent take of it. Raises as `load_creditable`."""
    lines = await _lines_of(context, invoice)
    return Creditable(invoice.currency, invoice.amount, lines, await store.taken_by_sent(context, invoice.id))


async def check_given_back(context: Context, creditable: Creditable, lines: Sequence[Line]) -> None:
    """Refuse a note whose `lines` give back the deduction of what was written off. Raises `INVOICE_INVALID_STATE`."""
    credited = {taken.invoice_line_id for taken in rules.taken_by(lines)}
    await prepayments.check_given_back(context, [found.line for found in creditable.lines], credited)


async def load_sources(context: Context, full: FullCreditNote, invoice: Invoice | None) -> NoteSources:
    """All that a note is drawn up from: of its invoice, if it is of one, else of the chart and the rates of its day."""
    note = full.document
    sources = await documents.get_sources(context, CREDIT_NOTES, note)
    base_currency = sources.company.base_currency
    if invoice is None:
        rate = await rates.find(context, note.currency, note.issue_date, base_currency)
        return NoteSources(sources, await _taxes_of_codes(context, full), rate.value if rate else None, None, {})
    snapshot = await documents.get_snapshot(context, INVOICES, invoice.id)
    booked = await _lines_of(context, invoice, snapshot)
    taxes = Creditable(invoice.currency, invoice.amount, booked, ()).taxes
    taxes = await prepayments.with_carried(context, [found.line for found in booked], taxes)
    is_foreign = note.currency != base_currency
    credited = CreditedInvoice(
        invoice,
        snapshot["buyer"],
        snapshot["language"],
        await invoices.get_settled(context, invoice.id),
        await invoices.get_left(context, invoice.id) if is_foreign else {},
    )
    return NoteSources(
        sources, taxes, invoice.exchange_rate, credited, await accounts.get_by_role(context) if is_foreign else {}
    )


async def get_invoice(context: Context, full: FullCreditNote, *, for_update: bool) -> Invoice | None:
    """The invoice of a note, if it is of one; locked where it is to change."""
    invoice_id = full.document.invoice_id
    if invoice_id is None:
        return None
    get = documents.get_for_update if for_update else documents.get
    return await get(context, INVOICES, InvoiceId(invoice_id))


async def _lines_of(
    context: Context, invoice: Invoice, snapshot: dict[str, Any] | None = None
) -> tuple[InvoiceLine, ...]:
    assert invoice.journal_entry_id is not None
    lines = await documents.lines_of(context, INVOICES, invoice.id)
    content = snapshot or await documents.get_snapshot(context, INVOICES, invoice.id)
    return rules.taxes_of(lines, content, await store.vat_accounts_of(context, invoice.journal_entry_id))


async def _taxes_of_codes(context: Context, full: FullCreditNote) -> dict[UUID, Tax]:
    """The taxes of a note of no invoice, by its lines' prices: as they were decided when it was made."""
    codes = await vat_codes.get_many(context, [line.vat_code_id for line in full.lines if line.vat_code_id is not None])
    return {
        line.price_id: tax_of_code(line, codes.get(line.vat_code_id) if line.vat_code_id else None)
        for line in full.lines
        if line.price_id is not None
    }
