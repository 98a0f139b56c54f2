"""Rows of what went back of charges."""

from collections.abc import Collection
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.payments.charge_returns.model import ChargeReturn, ChargeSources
from ledgerbee.payments.charges.model import Charge, ChargeId
from ledgerbee.payments.customer_payments.model import UsedExcess
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_INSERT: Final = rows.insert("charge_returns", ChargeReturn)
_OF: Final = f"""
SELECT {rows.columns(ChargeReturn)} FROM charge_returns
WHERE company_id = $1 AND (refund_id = ANY($2) OR dispute_id = ANY($2))
"""
#: What refunds that are under way or succeeded, and lost disputes, take of a charge ($2): in all, and the refunds that
#: are under way. The refund $3 is left out.
_TAKEN: Final = """
SELECT (SELECT coalesce(sum(d.amount), 0) FROM disputes d
        WHERE d.company_id = $1 AND d.charge_id = $2 AND d.status = 'lost')
       + coalesce(sum(r.amount), 0) AS taken,
       coalesce(sum(r.amount) FILTER (WHERE r.status <> 'succeeded'), 0) AS under_way
FROM refunds r WHERE r.company_id = $1 AND r.charge_id = $2 AND r.status <> 'failed' AND r.id IS DISTINCT FROM $3
"""
_SOURCES: Final = """
SELECT coalesce((SELECT p.amount FROM payments p WHERE p.company_id = $1 AND p.id = $4), 0) AS paid,
       coalesce(sum(r.settled_amount), 0) AS settled,
       coalesce((SELECT l.base_amount FROM journal_lines l
                 WHERE l.company_id = $1 AND l.entry_id = $5 AND l.is_debit), 0) AS base_unapplied,
       (SELECT l.account_id FROM journal_lines l
        WHERE l.company_id = $1 AND l.entry_id = $5 AND NOT l.is_debit) AS unapplied_account_id,
       coalesce(sum(r.unapplied_amount), 0) AS unapplied_gone,
       coalesce(sum(r.base_unapplied), 0) AS base_unapplied_gone,
       (SELECT coalesce(sum(u.amount), 0) FROM credit_use_parts u
        WHERE u.company_id = $1 AND u.source_invoice_id = $3) AS used,
       (SELECT coalesce(sum(u.base_amount), 0) FROM credit_use_parts u
        WHERE u.company_id = $1 AND u.source_invoice_id = $3) AS base_used
FROM charge_returns r WHERE r.company_id = $1 AND r.charge_id = $2
"""


async def insert(context: Context, gone: ChargeReturn) -> None:
    await context.connection.execute(_INSERT, context.company_id, *rows.values(gone))


async def find_of(context: Context, ids: Collection[UUID]) -> dict[UUID, ChargeReturn]:
    """What went back, by the refund or the dispute that it is of."""
    found = [ChargeReturn(**row) for row in await context.connection.fetch(_OF, context.company_id, list(ids))]
    return {gone.refund_id or gone.dispute_id: gone for gone in found}  # type: ignore[misc]  # it is of one


async def get_taken(context: Context, charge_id: ChargeId, *, beside: UUID | None = None) -> tuple[Decimal, Decimal]:
    """What is taken of a charge, which is locked, beside the refund `beside`: in all, and by refunds under way."""
    row = await context.connection.fetchrow(_TAKEN, context.company_id, charge_id, beside)
    assert row is not None, "a sum has a row"
    return row["taken"], row["under_way"]


async def get_sources(context: Context, charge: Charge) -> ChargeSources:
    """What a charge is made of, and what went back of it. Its invoice is locked."""
    row = await context.connection.fetchrow(
        _SOURCES, context.company_id, charge.id, charge.invoice_id, charge.payment_id, charge.unapplied_entry_id
    )
    assert row is not None, "a sum has a row"
    found = dict(row)
    used = UsedExcess(found.pop("used"), found.pop("base_used"))
    return ChargeSources(**found, unapplied=charge.unapplied_amount, used=used)
