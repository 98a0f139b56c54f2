"""Rows of the links of quotes."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.quotes.links.model import QuoteLink, QuoteLinkId

_COLUMNS: Final = rows.columns(QuoteLink)
_SELECT: Final = f"SELECT {_COLUMNS} FROM quote_links WHERE company_id = $1"
_INSERT: Final = rows.insert("quote_links", QuoteLink)


async def insert(context: Context, link: QuoteLink) -> None:
    """Add the link of a quote that has none."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(link))


async def find(context: Context, quote_id: UUID) -> QuoteLink | None:
    """The link of a quote; None where it has none."""
    row = await context.connection.fetchrow(f"{_SELECT} AND quote_id = $2", context.company_id, quote_id)
    return QuoteLink(**row) if row else None


async def find_by_id(context: Context, link_id: QuoteLinkId) -> QuoteLink | None:
    """A link; None where it is revoked, or another company's."""
    row = await context.connection.fetchrow(f"{_SELECT} AND id = $2", context.company_id, link_id)
    return QuoteLink(**row) if row else None


async def secrets_of(context: Context, quote_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The secret of each quote's link, by quote; those without a link are left out."""
    found = await context.connection.fetch(f"{_SELECT} AND quote_id = ANY($2)", context.company_id, quote_ids)
    return {row["quote_id"]: row["secret"] for row in found}


async def delete(context: Context, link_id: QuoteLinkId) -> None:
    """Remove a link."""
    await context.connection.execute(
        "DELETE FROM quote_links WHERE company_id = $1 AND id = $2", context.company_id, link_id
    )
