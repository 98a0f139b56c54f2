"""Rows of disputes."""

from collections.abc import Mapping
from typing import Any, Final

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.payments.disputes.model import DISPUTE_NOT_FOUND, Dispute, DisputeId
from ledgerbee.payments.providers.model import DisputeStatus, ProviderName
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_SELECT: Final = f"SELECT {rows.columns(Dispute)} FROM disputes WHERE company_id = $1"
_GET: Final = f"{_SELECT} AND id = $2"
_BY_PROVIDER: Final = f"{_SELECT} AND provider = $2 AND provider_id = $3 FOR UPDATE"
_OPEN: Final = f"{_SELECT} AND status = 'open' ORDER BY created_at, id"
_LIST: Final = f"SELECT {rows.columns(Dispute, 'd')} FROM page p JOIN disputes d USING (company_id, id)"
_ORDERS: Final[Mapping[str, str]] = {"createdAt": "t.created_at"}
_IS_UNKNOWN: Final = """
SELECT EXISTS (SELECT FROM charges WHERE company_id = $1 AND provider = $2 AND provider_id IS NULL
    AND status IN ('pending', 'unclear', 'requires_action'))
"""
_INSERT: Final = rows.insert("disputes", Dispute)
_UPDATE: Final = rows.update(
    "disputes",
    Dispute,
    fixed=("provider", "provider_id", "charge_id", "invoice_id", "customer_id", "currency", "created_at"),
)


async def get(context: Context, dispute_id: DisputeId) -> Dispute:
    """One dispute. Raises `DISPUTE_NOT_FOUND`."""
    return _dispute(DISPUTE_NOT_FOUND.unless(await context.connection.fetchrow(_GET, context.company_id, dispute_id)))


async def find_for_update(context: Context, provider: ProviderName, provider_id: str) -> Dispute | None:
    """The dispute that a provider knows by an id, locked. Invoice and charge are locked before."""
    row = await context.connection.fetchrow(_BY_PROVIDER, context.company_id, provider, provider_id)
    return None if row is None else _dispute(row)


async def list_page(context: Context, request: PageRequest, status: DisputeStatus | None = None) -> Page[Dispute]:
    """A page of disputes, of one status if that is given."""
    filters = Filter()
    if status is not None:
        filters.add("t.status = {}", status)
    page = await fetch_page(context, table="disputes", select=_LIST, filters=filters, order_by=_ORDERS, request=request)
    return Page([_dispute(row) for row in page.rows], page.total)


async def list_open(context: Context) -> list[Dispute]:
    """Disputes that are open, the oldest first."""
    return [_dispute(row) for row in await context.connection.fetch(_OPEN, context.company_id)]


async def is_any_charge_unknown(context: Context, provider: ProviderName) -> bool:
    """Whether there is a charge under way of which it isn't known by which id the provider has it."""
    return bool(await context.connection.fetchval(_IS_UNKNOWN, context.company_id, provider))


async def insert(context: Context, dispute: Dispute) -> None:
    await context.connection.execute(_INSERT, context.company_id, *rows.values(dispute))


async def update(context: Context, dispute: Dispute) -> None:
    await context.connection.execute(_UPDATE, context.company_id, *rows.values(dispute))


def _dispute(row: Any) -> Dispute:
    return Dispute(**{**row, "status": DisputeStatus(row["status"]), "provider": ProviderName(row["provider"])})
