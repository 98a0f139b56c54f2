"""Rows of payments."""

from dataclasses import fields
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.payments.customer_payments.model import PAYMENT_NOT_FOUND, Payment
from ledgerbee.platform.context import Context

_FIELDS: Final = tuple(field.name for field in fields(Payment))
_COLUMNS: Final = ", ".join(_FIELDS)
_PLACES: Final = ", ".join(f"${number}" for number in range(2, len(_FIELDS) + 2))


async def insert(context: Context, payment: Payment) -> None:
    """Add a payment."""
    await context.connection.execute(
        f"INSERT INTO payments (company_id, {_COLUMNS}) VALUES ($1, {_PLACES})",
        context.company_id,
        *(getattr(payment, name) for name in _FIELDS),
    )


async def get(context: Context, payment_id: UUID) -> Payment:
    """One payment. Raises `PAYMENT_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM payments WHERE company_id = $1 AND id = $2", context.company_id, payment_id
    )
    if row is None:
        raise PAYMENT_NOT_FOUND.error()
    return Payment(**row)


async def mark_reversed(context: Context, payment: Payment) -> None:
    """Write when a payment was taken back, and by which entry."""
    await context.connection.execute(
        "UPDATE payments SET reversed_at = $3, reversal_entry_id = $4 WHERE company_id = $1 AND id = $2",
        context.company_id,
        payment.id,
        payment.reversed_at,
        payment.reversal_entry_id,
    )


async def settled_of(context: Context, invoice_id: UUID) -> Decimal:
    """What the payments on an invoice, but for those taken back, took off its receivable in the company's currency."""
    settled: Decimal = await context.connection.fetchval(
        "SELECT coalesce(sum(base_settled), 0) FROM payments"
        " WHERE company_id = $1 AND invoice_id = $2 AND reversed_at IS NULL",
        context.company_id,
        invoice_id,
    )
    return settled


async def list_of(context: Context, invoice_id: UUID) -> list[Payment]:
    """The payments on an invoice, those taken back too, in the order in which they were made."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM payments WHERE company_id = $1 AND invoice_id = $2 ORDER BY paid_on, id",
        context.company_id,
        invoice_id,
    )
    return [Payment(**row) for row in rows]
