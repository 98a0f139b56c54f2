"""Sending a credit note: entry, its invoice's state and hand-over in one transaction."""

from ledgerbee.core.fields import replace
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way
from ledgerbee.sales.credit_notes import rules
from ledgerbee.sales.credit_notes.actions.load import check_given_back, get_invoice, load_sent, load_sources
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.credit_notes.model import CreditNote, CreditNoteId, NoteSources
from ledgerbee.sales.deferrals import store as deferrals
from ledgerbee.sales.delivery.model import Delivery
from ledgerbee.sales.documents import snapshot
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.documents.printing import UntriedDocumentsError, find_untried
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices import actions as invoices
from ledgerbee.sales.invoices import rules as invoice_rules
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.sending import actions as sending
from ledgerbee.sales.sending.model import Decided, Draft, SendCommand, SendOptions


async def send(context: Context, command: SendCommand) -> Delivery:
    """Book a credit note and hand it over, which is answered; its invoice is due by so much less.

    Emits `credit_note.sent`, and of the invoice `invoice.credited`, with the last of it `invoice.paid` too; what leaves
    the house waits for the worker.

    The note's amounts stand since it was made. One whose delivery failed for good can be sent again: it goes out as it
    was booked, and `credit_note.sent_again` is emitted. Raises `UntriedDocumentsError` (see `printing.with_trials`).

    Refused in this order, and then nothing was written: `CREDIT_NOTE_NOT_FOUND`; `CREDIT_NOTE_INVALID_STATE` (also for
    the second of two racing sends); a validation error of the date; `INVOICE_INVALID_STATE`; what `rules.book` refuses;
    `E_INVOICE_INCOMPLETE`; what `sending.write` may be refused by.
    """
    note = await documents.get_for_update(context, CREDIT_NOTES, CreditNoteId(command.document_id))
    if note.status in rules.BOOKED:
        await sending.require_failed_delivery(context, CREDIT_NOTES, note)
        return await _send_again(context, note, command.options)
    rules.require_draft(note)
    check_date(note.issue_date, context.today)
    lines = await documents.lines_of(context, CREDIT_NOTES, note.id)
    return await _send_draft(Draft(context, command, FullDocument(note, lines)))


async def _send_draft(draft: Draft[CreditNote]) -> Delivery:
    context, command, drafted = draft
    note = drafted.document
    # The note's row, then its invoice's: whoever holds the invoice's never waits for a note's.
    invoice = await get_invoice(context, drafted, for_update=True)
    found = await load_sources(context, drafted, invoice)
    if invoice is not None:
        found = replace(found, deferrals=await deferrals.list_of_invoice_for_update(context, invoice.id))
    await give_way()
    credited = None
    if invoice is not None:
        creditable = await load_sent(context, invoice)
        await check_given_back(context, creditable, drafted.lines)
        is_last = rules.is_credited(creditable, drafted.lines)
        credited = invoice_rules.credit(invoice, -note.amount, context.now, is_last=is_last)
    decided = await _decide(draft, found)
    untried = find_untried(decided.content, command.trials)
    if untried is not None:
        raise UntriedDocumentsError([untried])

    [sent] = await sending.write(CREDIT_NOTES, [decided])
    form = CREDIT_NOTES.event_form
    context.emit("credit_note.sent", note.id, await form(sent.full), before=await form(drafted))
    if invoice is not None and credited is not None:
        invoice_lines = await documents.lines_of(context, INVOICES, invoice.id)
        of_note = {taken.invoice_line_id for taken in rules.taken_by(drafted.lines)}
        await invoices.record_credited(context, FullDocument(invoice, invoice_lines), credited, of_note)
    return sent.delivery


async def _decide(draft: Draft[CreditNote], found: NoteSources) -> Decided[CreditNote]:
    """What is to be written of a note. Raises the first refusal."""
    note, options = draft.full.document, draft.command.options
    booking = rules.book(draft.full, found, options, draft.context.now)
    await give_way()
    content = snapshot.compose(
        CREDIT_NOTES.kind, booking.document, rules.terms(note), booking.template, found.sources.company,
        booking.addressee, booking.computed, booking.in_base,
    )  # fmt: skip
    await give_way()
    content = snapshot.with_buyer(content, rules.buyer_of(found, options.override_ean_number))
    return Decided(draft, found.sources, sending.addressed(booking, content, options), content)


async def _send_again(context: Context, note: CreditNote, options: SendOptions) -> Delivery:
    before, after, handover = await sending.send_again(context, CREDIT_NOTES, note, options)
    was = await CREDIT_NOTES.event_form(before)
    context.emit("credit_note.sent_again", note.id, await CREDIT_NOTES.event_form(after), before=was)
    return handover
