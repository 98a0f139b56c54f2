"""Rows of deferred revenue."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from ledgerbee.platform import rows
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.sales.deferrals.model import Deferral, DeferralCredit, DueDeferral, Recognition

_INSERT: Final = rows.insert_many("revenue_deferrals", Deferral)
_INSERT_RECOGNITIONS: Final = rows.insert_many("revenue_recognitions", Recognition)
_INSERT_CREDITS: Final = rows.insert_many("revenue_deferral_credits", DeferralCredit)
#: What moves of a deferral, by its line.
_MOVE: Final = """
UPDATE revenue_deferrals d
SET amount_left = r.amount_left, base_amount_left = r.base_amount_left, scheduled_from = r.scheduled_from,
    scheduled_amount = r.scheduled_amount, scheduled_base_amount = r.scheduled_base_amount, next_month = r.next_month
FROM unnest($2::uuid[], $3::numeric[], $4::numeric[], $5::date[], $6::numeric[], $7::numeric[], $8::date[])
    r (id, amount_left, base_amount_left, scheduled_from, scheduled_amount, scheduled_base_amount, next_month)
WHERE d.company_id = $1 AND d.invoice_line_id = r.id
"""
_MOVED: Final = (
    "invoice_line_id", "amount_left", "base_amount_left", "scheduled_from", "scheduled_amount",
    "scheduled_base_amount", "next_month",
)  # fmt: skip
_OF_INVOICE: Final = f"""
SELECT {rows.columns(Deferral)} FROM revenue_deferrals WHERE company_id = $1 AND invoice_id = $2
ORDER BY invoice_line_id FOR UPDATE
"""
#: Deferrals of which a month is due, the first so many by their line.
_DUE: Final = f"""
SELECT {rows.columns(Deferral, "d")}, i.currency
FROM revenue_deferrals d JOIN invoices i ON i.company_id = $1 AND i.id = d.invoice_id
WHERE d.company_id = $1 AND d.next_month = $2 AND d.invoice_line_id > $3
ORDER BY d.invoice_line_id LIMIT $4 FOR UPDATE OF d
"""
_FIRST_DUE: Final = """
SELECT min(next_month) FROM revenue_deferrals WHERE company_id = $1 AND next_month > $2 AND next_month <= $3
"""


async def insert(context: Context, deferrals: Sequence[Deferral]) -> None:
    """Add what invoices defer, at least one: one statement."""
    await context.connection.execute(_INSERT, context.company_id, *rows.column_values(deferrals))


async def list_of_invoice_for_update(context: Context, invoice_id: UUID) -> list[Deferral]:
    """What an invoice defers, locked until the transaction ends."""
    found = await context.connection.fetch(_OF_INVOICE, context.company_id, invoice_id)
    return [Deferral(**row) for row in found]


async def list_due_for_update(context: Context, month: date, after: UUID, limit: int) -> list[DueDeferral]:
    """The first deferrals after the line `after`, by their line, of which that month is recognised next, locked."""
    found = await context.connection.fetch(_DUE, context.company_id, month, after, limit)
    due = []
    for row in found:
        values = dict(row)
        currency: str = values.pop("currency")
        due.append(DueDeferral(Deferral(**values), currency))
    return due


async def first_due(context: Context, after: date, through: date) -> date | None:
    """The first month after one, and up to another, that is recognised next of any deferral."""
    found: date | None = await context.connection.fetchval(_FIRST_DUE, context.company_id, after, through)
    return found


async def write_recognized(
    context: Context, deferrals: Sequence[Deferral], recognitions: Sequence[Recognition]
) -> None:
    """Write what was recognised of deferrals, and what is left of them."""
    await context.connection.execute(_INSERT_RECOGNITIONS, context.company_id, *rows.column_values(recognitions))
    await _move(context, deferrals)


async def write_credited(context: Context, deferrals: Sequence[Deferral], credits: Sequence[DeferralCredit]) -> None:
    """Write what a credit note takes off deferrals, and what is left of them."""
    await context.connection.execute(_INSERT_CREDITS, context.company_id, *rows.column_values(credits))
    await _move(context, deferrals)


async def _move(context: Context, deferrals: Sequence[Deferral]) -> None:
    columns: list[list[Any]] = [[getattr(one, name) for one in deferrals] for name in _MOVED]
    await context.connection.execute(_MOVE, context.company_id, *columns)


async def companies_due(connection: Connection, moment: Any) -> list[UUID]:
    """The companies that have revenue of months that ended before the moment to recognise; for the worker."""
    found = await connection.fetch("SELECT company_id FROM companies_to_recognize($1)", moment)
    return [row["company_id"] for row in found]
