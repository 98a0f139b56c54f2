"""Which subscriptions an invoice bills, and how its charges stand."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from ledgerbee.billing.card_payments.model import EndedCharge, UnpaidInvoice
from ledgerbee.payments.charges.model import CANCELLED
from ledgerbee.platform.context import Context
from ledgerbee.sales.invoices.rules import PAYABLE
from ledgerbee.tenancy.company.model import AfterLastDecline

#: Whether another charge of the invoice `i` is under way, or comes by itself.
_IS_CHARGED: Final = """EXISTS (
    SELECT FROM charges o WHERE o.company_id = $1 AND o.invoice_id = i.id
        AND (o.status IN ('pending', 'unclear', 'requires_action') OR o.retry_on IS NOT NULL))"""
_CHARGES: Final = f"""
SELECT c.id, c.invoice_id, c.decline_code, c.payment_id IS NOT NULL AS pays, NOT {_IS_CHARGED} AS is_last,
    i.status = ANY($3) AS is_due, c.decline_code IS NOT DISTINCT FROM '{CANCELLED}' AS is_cancelled
FROM charges c JOIN invoices i ON i.company_id = $1 AND i.id = c.invoice_id
WHERE c.company_id = $1 AND c.id = ANY($2) ORDER BY c.created_at, c.id
"""
_BILLED: Final = """
SELECT DISTINCT k.invoice_id, k.subscription_id FROM subscription_charges k
WHERE k.company_id = $1 AND k.invoice_id = ANY($2) ORDER BY k.invoice_id, k.subscription_id
"""
_AWAITING: Final = """
SELECT s.id FROM subscriptions s WHERE s.company_id = $1 AND s.awaits_payment AND s.first_invoice_id = ANY($2)
ORDER BY s.id
"""
_UNPAID: Final = f"""
SELECT co.after_last_decline, array(
    SELECT s.id FROM subscriptions s
    WHERE s.company_id = $1 AND s.automatic_billing AND NOT s.awaits_payment AND EXISTS (
        SELECT FROM subscription_charges k
        WHERE k.company_id = $1 AND k.invoice_id = i.id AND k.subscription_id = s.id)
    ORDER BY s.id) AS subscription_ids
FROM invoices i JOIN companies co ON co.company_id = $1
WHERE i.company_id = $1 AND i.id = $2 AND i.status = ANY($3) AND NOT {_IS_CHARGED}
"""


async def ended_charges(context: Context, charge_ids: Sequence[UUID]) -> list[EndedCharge]:
    """Charges that have ended, as this transaction leaves them."""
    found = await context.connection.fetch(_CHARGES, context.company_id, charge_ids, list(PAYABLE))
    return [EndedCharge(**row) for row in found]


async def billed(context: Context, invoice_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The subscriptions that invoices bill, by the invoice; one that bills none is left out."""
    billed: dict[UUID, list[UUID]] = {}
    for row in await context.connection.fetch(_BILLED, context.company_id, list(invoice_ids)):
        billed.setdefault(row["invoice_id"], []).append(row["subscription_id"])
    return billed


async def awaiting(context: Context, invoice_ids: Sequence[UUID]) -> list[UUID]:
    """The subscriptions that begin when one of these invoices is paid."""
    return [row["id"] for row in await context.connection.fetch(_AWAITING, context.company_id, invoice_ids)]


async def find_unpaid(context: Context, invoice_id: UUID) -> UnpaidInvoice | None:
    """What is to be done about an invoice that no charge pays; None: something is under way, or nothing is due."""
    row = await context.connection.fetchrow(_UNPAID, context.company_id, invoice_id, list(PAYABLE))
    return None if row is None else UnpaidInvoice(AfterLastDecline(row[0]), list(row[1]))
