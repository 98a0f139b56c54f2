"""Rows of payments."""

from dataclasses import fields
from typing import Final
from uuid import UUID

from ledgerbee.payments.customer_payments.model import Payment
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


async def list_of(context: Context, invoice_id: UUID) -> list[Payment]:
    """The payments on an invoice, in the order in which they were made."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM payments WHERE company_id = $1 AND invoice_id = $2 ORDER BY paid_on, id",
        context.company_id,
        invoice_id,
    )
    return [Payment(**row) for row in rows]
