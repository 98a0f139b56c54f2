"""Making a credit note, and giving one up that was not sent. Neither touches the books."""

from ledgerbee.core.fields import replace
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way
from ledgerbee.sales.credit_notes import rules, store
from ledgerbee.sales.credit_notes.actions.load import check_given_back, load_creditable
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.credit_notes.model import (
    CreditNote,
    CreditNoteFields,
    CreditNoteId,
    FullCreditNote,
    InvoiceCreditFields,
)
from ledgerbee.sales.documents import actions as documents_actions
from ledgerbee.sales.documents import addressing
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.invoices.kind import INVOICES


async def create(context: Context, given: CreditNoteFields) -> FullCreditNote:
    """Make a credit note of no invoice, priced and taxed as an invoice of today. Emits `credit_note.created`.

    Raises what drafting any document raises (`documents.draw_up`), `CREDIT_NOTE_AMOUNT_POSITIVE`.
    """
    drawn = await documents_actions.draw_up(context, CREDIT_NOTES, given)
    return await _insert(context, rules.with_lines(drawn.document, rules.negated(drawn.lines)))


async def create_on_invoice(context: Context, given: InvoiceCreditFields) -> FullCreditNote:
    """Make a credit note on an invoice: all of it is the invoice's. Emits `credit_note.created`.

    The invoice's row is locked, and what the note takes is reserved from now on: of two that race for the same rest one
    is refused, and takes no number. Refused in this order: `INVOICE_NOT_FOUND`; what `rules.check_is_of` refuses;
    `CONTACT_NOT_FOUND`, `DOCUMENT_TEMPLATE_NOT_FOUND`, `SALES_DOCUMENT_TEMPLATE_MISMATCH`;
    `CREDIT_NOTE_INVOICE_TOO_OLD`; what `rules.allocate` refuses; `INVOICE_INVALID_STATE` where it would give back the
    deduction of a prepayment invoice that is written off.
    """
    invoice_id = await store.find_invoice(context, given.invoice_number)
    invoice = await documents.get_for_update(context, INVOICES, invoice_id)
    rules.check_is_of(given, invoice, context.today)
    note = rules.of_invoice(given, invoice, context.now)
    sources = await documents.get_sources(context, CREDIT_NOTES, note)
    addressing.check_own_references(note, sources, CREDIT_NOTES.template_type)
    creditable = await load_creditable(context, invoice)
    await give_way()
    lines = rules.allocate(creditable, given.lines)
    await give_way()
    await check_given_back(context, creditable, lines)
    return await _insert(context, rules.with_lines(note, lines))


async def cancel(context: Context, note_id: CreditNoteId) -> FullCreditNote:
    """Give up a note that was not sent. Emits `credit_note.cancelled`.

    Raises `CREDIT_NOTE_NOT_FOUND`, `CREDIT_NOTE_INVALID_STATE`.
    """
    before = await documents.get_for_update(context, CREDIT_NOTES, note_id)
    lines = await documents.lines_of(context, CREDIT_NOTES, note_id)
    cancelled = rules.cancel(before, context.now)
    await documents.update(context, CREDIT_NOTES, cancelled)
    full, form = FullDocument(cancelled, lines), CREDIT_NOTES.event_form
    context.emit("credit_note.cancelled", note_id, await form(full), before=await form(FullDocument(before, lines)))
    return full


async def _insert(context: Context, full: FullCreditNote) -> FullCreditNote:
    """Give a note its number, when nothing of it can be refused any more."""
    [(sequence, number)] = await documents.take_numbers(context, CREDIT_NOTES.series, 1)
    note: CreditNote = replace(full.document, number=number, number_sequence=sequence)
    numbered = FullDocument(note, full.lines)
    await documents.insert(context, CREDIT_NOTES, numbered)
    context.emit("credit_note.created", note.id, await CREDIT_NOTES.event_form(numbered))
    return numbered
