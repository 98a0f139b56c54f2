"""What the buyer of a quote can do by its link: see it, answer it once."""

from zoneinfo import ZoneInfo

from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store
from ledgerbee.sales.documents.snapshot import current
from ledgerbee.sales.quotes import actions as quotes
from ledgerbee.sales.quotes.acceptance.model import Decision, Reply, Shown
from ledgerbee.sales.quotes.acceptance.rules import standing_of
from ledgerbee.sales.quotes.kind import QUOTES
from ledgerbee.sales.quotes.links import store as links
from ledgerbee.sales.quotes.links.model import QuoteLinkId
from ledgerbee.sales.quotes.model import QUOTE_NOT_FOUND, QuoteId
from ledgerbee.sales.quotes.rules import require_open


async def show(context: Context, link_id: QuoteLinkId) -> Shown:
    """The quote of a link. Raises `QUOTE_NOT_FOUND`."""
    quote = await store.get(context, QUOTES, await get_quote_id(context, link_id))
    content = await store.get_snapshot(context, QUOTES, quote.id)
    answered_at = quote.answered_at.astimezone(ZoneInfo(context.time_zone)) if quote.answered_at else None
    return Shown(quote, current(content, QUOTES.terms(quote)), standing_of(quote, context.today), answered_at)


async def answer(context: Context, link_id: QuoteLinkId, reply: Reply) -> None:
    """Record the buyer's answer; of two at once the second sees that of the first.

    Nothing else comes of it: no mail, no invoice. Emits `quote.accepted` or `quote.rejected`, by the link. Raises
    `QUOTE_NOT_FOUND`, and `QUOTE_INVALID_STATE` for what is answered, converted or expired.
    """
    quote_id = await get_quote_id(context, link_id)
    require_open(await store.get_for_update(context, QUOTES, quote_id), context.today)
    if reply.decision is Decision.ACCEPT:
        await quotes.accept(context, quote_id, reply.name)
    else:
        await quotes.reject(context, quote_id, reply.name, reply.comment or None)


async def get_quote_id(context: Context, link_id: QuoteLinkId) -> QuoteId:
    """The quote of a link. Raises `QUOTE_NOT_FOUND` for one that was revoked a moment ago."""
    link = QUOTE_NOT_FOUND.unless(await links.find_by_id(context, link_id))
    return QuoteId(link.quote_id)
