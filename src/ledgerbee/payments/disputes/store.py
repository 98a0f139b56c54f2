"""Rows of disputes."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.payments.charges.model import ChargeId
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
#: Nobody takes movements of the provider until the transaction ends.
_HOLD: Final = "SELECT FROM payment_providers WHERE company_id = $1 AND name = $2 FOR NO KEY UPDATE"
#: What payouts had of a dispute ($4): what names it or, before it was told ($4 NULL), only its charge.
_MOVED: Final = """
SELECT DISTINCT ON (o.type) o.id FROM payout_movements o
WHERE o.company_id = $1 AND o.charge_id = $2 AND o.type IN ('dispute', 'dispute_reversed') AND CASE
    WHEN $4::uuid IS NOT NULL THEN o.dispute_id = $4
    ELSE o.dispute_id IS NULL AND (o.charge_object_id IS NULL OR o.object_id = $3) END
ORDER BY o.type, o.object_id IS DISTINCT FROM $3, o.moved_at, o.id
"""
_PAID_FEE: Final = """
SELECT coalesce(sum(o.fee + o.cleared_amount + o.unidentified_amount - o.amount), 0) FROM payout_movements o
WHERE o.company_id = $1 AND o.id = ANY($2) AND o.currency = $3 AND o.type = 'dispute'
"""
_CLAIM: Final = """
UPDATE payout_movements SET dispute_id = $2, updated_at = $4
WHERE company_id = $1 AND id = ANY($3) AND dispute_id IS NULL
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


async def hold_provider(context: Context, provider: ProviderName) -> None:
    """Keep everybody else from taking movements of a provider until the transaction ends."""
    await context.connection.execute(_HOLD, context.company_id, provider)


async def find_moved(context: Context, charge_id: ChargeId, provider_id: str, dispute: Dispute | None) -> list[UUID]:
    """The movements that payouts had of a dispute, also those that came before the provider told of it."""
    known = None if dispute is None else dispute.id
    found = await context.connection.fetch(_MOVED, context.company_id, charge_id, provider_id, known)
    return [row["id"] for row in found]


async def get_paid_fee(context: Context, movement_ids: Sequence[UUID], currency: str) -> Decimal:
    """What payouts have booked as a fee of a dispute with these movements."""
    found: Decimal = await context.connection.fetchval(_PAID_FEE, context.company_id, movement_ids, currency)
    return found


async def claim_moved(context: Context, dispute_id: DisputeId, movement_ids: Sequence[UUID]) -> None:
    """Write of which dispute movements are that came before it."""
    await context.connection.execute(_CLAIM, context.company_id, dispute_id, movement_ids, context.now)


async def insert(context: Context, dispute: Dispute) -> None:
    await context.connection.execute(_INSERT, context.company_id, *rows.values(dispute))


async def update(context: Context, dispute: Dispute) -> None:
    await context.connection.execute(_UPDATE, context.company_id, *rows.values(dispute))


def _dispute(row: Any) -> Dispute:
    return Dispute(**{**row, "status": DisputeStatus(row["status"]), "provider": ProviderName(row["provider"])})
