"""What can be done with a quote: as documents of any kind, with the events of quotes."""

from ledgerbee.core.changes import Changes
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import actions as documents
from ledgerbee.sales.documents import store
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.invoices import actions as invoices
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice, InvoiceFields
from ledgerbee.sales.order_confirmations import actions as order_confirmations
from ledgerbee.sales.order_confirmations.kind import ORDER_CONFIRMATIONS
from ledgerbee.sales.order_confirmations.model import OrderConfirmation, OrderConfirmationFields
from ledgerbee.sales.presales import actions as presales
from ledgerbee.sales.presales.model import Converted
from ledgerbee.sales.quotes import rules
from ledgerbee.sales.quotes.kind import QUOTES
from ledgerbee.sales.quotes.links import actions as links
from ledgerbee.sales.quotes.model import QUOTE_INVALID_STATE, Answer, FullQuote, QuoteFields, QuoteId, QuoteStatus
from ledgerbee.sales.sending.model import SendCommand


async def create(context: Context, given: QuoteFields) -> FullQuote:
    """Draft a quote. Emits `quote.created`. Raises what `documents.create` raises."""
    full = await documents.create(context, QUOTES, given)
    context.emit("quote.created", full.document.id, await QUOTES.event_form(full))
    return full


async def update(context: Context, quote_id: QuoteId, changes: Changes[QuoteFields]) -> FullQuote:
    """Change a draft (see `documents.update`), or the last day of an offer that was sent.

    Emits `quote.updated` if anything became different. Raises what `create` raises, `QUOTE_NOT_FOUND`,
    `QUOTE_INVALID_STATE`.
    """
    quote = await store.get_for_update(context, QUOTES, quote_id)
    if quote.status is not QuoteStatus.DRAFT:
        moved = rules.moved(quote, changes, context.now)
        before = FullDocument(quote, await store.lines_of(context, QUOTES, quote_id))
        after = FullDocument(moved, before.lines)
        if moved is not quote:
            await store.update(context, QUOTES, moved)
            now, was = await QUOTES.event_form(after), await QUOTES.event_form(before)
            context.emit("quote.updated", quote_id, now, before=was)
        return after
    full, forms = await documents.update(context, QUOTES, quote_id, changes)
    if forms is not None:
        context.emit("quote.updated", quote_id, forms.after, before=forms.before)
    return full


async def send(context: Context, command: SendCommand) -> FullQuote:
    """Number a draft and hand it over, with a link to its buyer's page (see `presales.send`, also for refusals).

    Emits `quote.sent`, or `quote.sent_again` of one whose delivery had failed.
    """
    before, after = await presales.send(context, QUOTES, command)
    await links.make_link(context, command.document_id)
    was, now = await QUOTES.event_form(before), await QUOTES.event_form(after)
    if before.document.number is None:
        context.emit("quote.sent", command.document_id, now, before=was)
    else:
        context.emit("quote.sent_again", command.document_id, now, before=was)
    return after


async def accept(context: Context, quote_id: QuoteId, answered_by: str | None) -> FullQuote:
    """Record that the buyer accepted. Emits `quote.accepted`. Raises `QUOTE_NOT_FOUND`, `QUOTE_INVALID_STATE`."""
    before, after = await _answer(context, quote_id, Answer(QuoteStatus.ACCEPTED, answered_by))
    was, now = await QUOTES.event_form(before), await QUOTES.event_form(after)
    context.emit("quote.accepted", quote_id, now, before=was)
    return after


async def reject(context: Context, quote_id: QuoteId, answered_by: str | None, comment: str | None = None) -> FullQuote:
    """Record that the buyer declined. Emits `quote.rejected`. Raises `QUOTE_NOT_FOUND`, `QUOTE_INVALID_STATE`."""
    before, after = await _answer(context, quote_id, Answer(QuoteStatus.REJECTED, answered_by, comment))
    was, now = await QUOTES.event_form(before), await QUOTES.event_form(after)
    context.emit("quote.rejected", quote_id, now, before=was)
    return after


async def revoke_link(context: Context, quote_id: QuoteId) -> FullQuote:
    """End the link of the buyer's page, at once. One that has ended is left alone.

    Emits `quote.link_revoked`. Raises `QUOTE_NOT_FOUND`, and `QUOTE_INVALID_STATE` for a draft, which has none yet.
    """
    quote = await store.get_for_update(context, QUOTES, quote_id)
    if quote.status is QuoteStatus.DRAFT:
        raise QUOTE_INVALID_STATE.in_state(quote.status)
    full = FullDocument(quote, await store.lines_of(context, QUOTES, quote_id))
    link = await links.end_link(context, quote_id)
    if link is not None:
        form = await QUOTES.event_form(full)
        was, now = {**form, "acceptanceLinkId": str(link.id)}, {**form, "acceptanceLinkId": None}
        context.emit("quote.link_revoked", quote_id, now, before=was)
    return full


async def convert_to_invoice(
    context: Context, quote_id: QuoteId, changes: Changes[InvoiceFields]
) -> Converted[Invoice]:
    """Make a draft invoice of what was sent or accepted (see `presales.convert`). Emits `quote.converted`.

    Raises `QUOTE_NOT_FOUND`, `SALES_DOCUMENT_CONVERT_REQUIRES_SENT`, `QUOTE_INVALID_STATE` (also for the second of two
    at once), and what drafting an invoice raises.
    """
    source = await presales.get_convertible(context, QUOTES, quote_id, rules.CONVERTIBLE)
    after, converted = await presales.convert(context, QUOTES, source, INVOICES, changes, invoices.create)
    await _emit_converted(context, source, after)
    return converted


async def convert_to_order_confirmation(
    context: Context, quote_id: QuoteId, changes: Changes[OrderConfirmationFields]
) -> Converted[OrderConfirmation]:
    """Make a draft order confirmation of what was sent or accepted; otherwise as `convert_to_invoice`."""
    source = await presales.get_convertible(context, QUOTES, quote_id, rules.CONVERTIBLE)
    after, converted = await presales.convert(
        context, QUOTES, source, ORDER_CONFIRMATIONS, changes, order_confirmations.create
    )
    await _emit_converted(context, source, after)
    return converted


async def _emit_converted(context: Context, before: FullQuote, after: FullQuote) -> None:
    was, now = await QUOTES.event_form(before), await QUOTES.event_form(after)
    context.emit("quote.converted", after.document.id, now, before=was)


async def _answer(context: Context, quote_id: QuoteId, answer: Answer) -> tuple[FullQuote, FullQuote]:
    quote = await store.get_for_update(context, QUOTES, quote_id)
    answered = rules.answered(quote, answer, context.now)
    lines = await store.lines_of(context, QUOTES, quote_id)
    await store.update(context, QUOTES, answered)
    return FullDocument(quote, lines), FullDocument(answered, lines)
