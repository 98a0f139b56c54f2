"""Rows of refunds."""

from datetime import datetime
from typing import Final

import asyncpg

from ledgerbee.payments.charges.model import ChargeId
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.payments.refunds.model import REFUND_NOT_FOUND, Refund, RefundId, RefundStatus
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_SELECT: Final = f"SELECT {rows.columns(Refund)} FROM refunds WHERE company_id = $1"
_GET: Final = f"{_SELECT} AND id = $2"
_OF_CHARGE: Final = f"{_SELECT} AND charge_id = $2 ORDER BY created_at, id"
_BY_PROVIDER: Final = (
    f"{_SELECT} AND provider = $2 AND (provider_id = $3 OR reference = $4) ORDER BY created_at LIMIT 1"
)
_UNANSWERED: Final = """
SELECT id FROM refunds WHERE company_id = $1 AND status IN ('pending', 'unclear') AND asked_at < $2 ORDER BY asked_at
"""
_INSERT: Final = rows.insert("refunds", Refund)
_UPDATE: Final = rows.update(
    "refunds",
    Refund,
    fixed=(
        "reference", "charge_id", "invoice_id", "customer_id", "provider", "amount", "currency", "created_at",
    ),
)  # fmt: skip


async def get(context: Context, refund_id: RefundId) -> Refund:
    """One refund. Raises `REFUND_NOT_FOUND`."""
    return _refund(REFUND_NOT_FOUND.unless(await context.connection.fetchrow(_GET, context.company_id, refund_id)))


async def get_for_update(context: Context, refund_id: RefundId) -> Refund:
    """One refund, locked until the transaction ends. Its invoice and charge are locked before.

    Raises `REFUND_NOT_FOUND`.
    """
    row = await context.connection.fetchrow(f"{_GET} FOR UPDATE", context.company_id, refund_id)
    return _refund(REFUND_NOT_FOUND.unless(row))


async def list_of_charge(context: Context, charge_id: ChargeId) -> list[Refund]:
    """The refunds of a charge, in the order in which they were asked for."""
    return [_refund(row) for row in await context.connection.fetch(_OF_CHARGE, context.company_id, charge_id)]


async def find_by_provider(
    context: Context, provider: ProviderName, provider_id: str | None, reference: str | None
) -> Refund | None:
    """The refund that a provider means, by its id of it or by our reference."""
    row = await context.connection.fetchrow(_BY_PROVIDER, context.company_id, provider, provider_id, reference)
    return None if row is None else _refund(row)


async def list_unanswered(context: Context, asked_before: datetime) -> list[RefundId]:
    """Refunds that were last asked for before a moment and haven't ended."""
    found = await context.connection.fetch(_UNANSWERED, context.company_id, asked_before)
    return [RefundId(row["id"]) for row in found]


async def insert(context: Context, refund: Refund) -> None:
    await context.connection.execute(_INSERT, context.company_id, *rows.values(refund))


async def update(context: Context, refund: Refund) -> None:
    await context.connection.execute(_UPDATE, context.company_id, *rows.values(refund))


def _refund(row: asyncpg.Record) -> Refund:
    return Refund(**{**row, "status": RefundStatus(row["status"]), "provider": ProviderName(row["provider"])})
