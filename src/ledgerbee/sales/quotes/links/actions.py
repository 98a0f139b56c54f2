"""Links of quotes: made when a quote is sent, told as addresses, revoked."""

from collections.abc import Sequence
from uuid import UUID

from ledgerbee.core.cells import new_secret
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import Grant, secret_hash
from ledgerbee.sales.quotes.links import store
from ledgerbee.sales.quotes.links.model import LINK_PREFIX, QUOTE_LINK, QuoteLink, QuoteLinkId


async def make_link(context: Context, quote_id: UUID) -> None:
    """Give a sent quote, which is locked, its link. One that has a link keeps it."""
    if await store.find(context, quote_id) is not None:
        return
    link = QuoteLink(QuoteLinkId(new_id()), quote_id, new_secret(LINK_PREFIX, context.cell))
    await store.insert(context, link)
    await credentials.add(
        context,
        secret_hash=secret_hash(link.secret),
        kind=QUOTE_LINK,
        subject_id=link.id,
        grant=Grant(scopes=(), ip_allowlist=(), expires_at=None),
    )


async def find_address(context: Context, quote_id: UUID) -> str | None:
    """The address of the page of a quote; None where it has none."""
    return (await addresses_of(context, [quote_id])).get(quote_id)


async def addresses_of(context: Context, quote_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The address of the page of each quote that has one, by quote; none where nobody said how pages are reached."""
    if context.public_url is None:
        return {}
    secrets = await store.secrets_of(context, quote_ids)
    return {quote_id: f"{context.public_url}/quotes/{secret}" for quote_id, secret in secrets.items()}


async def end_link(context: Context, quote_id: UUID) -> QuoteLink | None:
    """Revoke the link of a quote, which is locked, at once and in every process; None where it has none."""
    link = await store.find(context, quote_id)
    if link is not None:
        await credentials.revoke(context, link.id)
        await store.delete(context, link.id)
    return link
