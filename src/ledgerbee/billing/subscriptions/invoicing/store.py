"""What invoicing asks of invoices."""

from collections.abc import Collection
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.platform.context import Context


class InvoiceRef(NamedTuple):
    """An invoice, its number and whom it is for."""

    id: UUID
    number: str
    customer_id: UUID


_REFS: Final = "SELECT id, number, customer_id FROM invoices WHERE company_id = $1 AND id = ANY($2)"
_LAST_PAID: Final = """
SELECT i.id, i.number, i.customer_id FROM invoices i
WHERE i.company_id = $1 AND i.status = 'paid' AND i.amount > 0 AND EXISTS (
    SELECT FROM subscription_charges c
    WHERE c.company_id = $1 AND c.subscription_id = $2 AND c.invoice_id = i.id)
ORDER BY i.number_sequence DESC LIMIT 1
"""
_LINES_OF: Final = """
SELECT c.invoice_line_id FROM subscription_charges c
WHERE c.company_id = $1 AND c.subscription_id = $2 AND c.invoice_id = $3
"""
_IS_SHARED: Final = """
SELECT EXISTS (SELECT FROM subscription_charges c
    WHERE c.company_id = $1 AND c.invoice_id = $2 AND c.subscription_id <> $3)
"""


async def refs(context: Context, invoice_ids: Collection[UUID]) -> dict[UUID, InvoiceRef]:
    """Sent invoices by id."""
    found = await context.connection.fetch(_REFS, context.company_id, list(invoice_ids))
    return {row["id"]: InvoiceRef(*row) for row in found}


async def find_last_paid(context: Context, subscription_id: UUID) -> InvoiceRef | None:
    """The newest invoice of status `paid` above 0.00 that a subscription is on."""
    row = await context.connection.fetchrow(_LAST_PAID, context.company_id, subscription_id)
    return None if row is None else InvoiceRef(*row)


async def lines_of(context: Context, subscription_id: UUID, invoice_id: UUID) -> list[UUID] | None:
    """The invoice's lines that are of the subscription; None where all are."""
    if not await context.connection.fetchval(_IS_SHARED, context.company_id, invoice_id, subscription_id):
        return None
    found = await context.connection.fetch(_LINES_OF, context.company_id, subscription_id, invoice_id)
    return [row["invoice_line_id"] for row in found]
