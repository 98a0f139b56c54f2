"""A credit note to print: the snapshot of a booked one, one that isn't sent as it would be booked today."""

from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way
from ledgerbee.sales.credit_notes import rules
from ledgerbee.sales.credit_notes.actions.load import get_invoice, load_sources
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.credit_notes.model import CreditNoteId
from ledgerbee.sales.documents import snapshot
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.actions import PrintedDocument
from ledgerbee.tenancy.company import store as companies


async def print_note(context: Context, note_id: CreditNoteId) -> PrintedDocument:
    """A credit note to print. Raises `CREDIT_NOTE_NOT_FOUND`."""
    full = await documents.get_full(context, CREDIT_NOTES, note_id)
    note, logo = full.document, await companies.logo(context)
    if note.status in rules.BOOKED:
        content = await documents.get_snapshot(context, CREDIT_NOTES, note_id)
        return PrintedDocument(snapshot.current(content, rules.terms(note)), is_draft=False, logo=logo)
    found = await load_sources(context, full, await get_invoice(context, full, for_update=False))
    await give_way()
    drawn = rules.draw_up(full, found)
    await give_way()
    content = snapshot.compose(
        CREDIT_NOTES.kind, note, rules.terms(note), drawn.template, found.sources.company, drawn.addressee,
        drawn.computed, drawn.in_base,
    )  # fmt: skip
    return PrintedDocument(snapshot.with_buyer(content, rules.buyer_of(found)), is_draft=True, logo=logo)
