"""Which subscriptions an invoice bills, and how its charges stand."""

from typing import Final
from uuid import UUID

from ledgerbee.billing.card_payments.model import EndedCharge, UnpaidInvoice
from ledgerbee.payments.charges.model import CHARGE_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.sales.invoices.rules import PAYABLE
from ledgerbee.tenancy.company.model import AfterLastDecline

#: Whether another charge of the invoice `i` is under way, or comes by itself.
_IS_CHARGED: Final = """EXISTS (
    SELECT FROM charges o WHERE o.company_id = $1 AND o.invoice_id = i.id
        AND (o.status IN ('pending', 'unclear', 'requires_action') OR o.retry_on IS NOT NULL))"""
_CHARGE: Final = f"""
SELECT c.invoice_id, c.decline_code, c.payment_id IS NOT NULL AS pays, NOT {_IS_CHARGED} AS is_last,
    i.status = ANY($3) AS is_due
FROM charges c JOIN invoices i ON i.company_id = $1 AND i.id = c.invoice_id
WHERE c.company_id = $1 AND c.id = $2
"""
_BILLED: Final = """
SELECT DISTINCT k.subscription_id FROM subscription_charges k
WHERE k.company_id = $1 AND k.invoice_id = $2 ORDER BY k.subscription_id
"""
_AWAITING: Final = """
SELECT s.id FROM subscriptions s WHERE s.company_id = $1 AND s.awaits_payment AND s.first_invoice_id = $2
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


async def get_charge(context: Context, charge_id: UUID) -> EndedCharge:
    """A charge that has ended, as this transaction leaves it. Raises `CHARGE_NOT_FOUND`."""
    row = await context.connection.fetchrow(_CHARGE, context.company_id, charge_id, list(PAYABLE))
    return EndedCharge(**CHARGE_NOT_FOUND.unless(row))


async def billed(context: Context, invoice_id: UUID) -> list[UUID]:
    """The subscriptions that an invoice bills."""
    found = await context.connection.fetch(_BILLED, context.company_id, invoice_id)
    return [row["subscription_id"] for row in found]


async def awaiting(context: Context, invoice_id: UUID) -> list[UUID]:
    """The subscription that begins when an invoice is paid, if there is one."""
    return [row["id"] for row in await context.connection.fetch(_AWAITING, context.company_id, invoice_id)]


async def find_unpaid(context: Context, invoice_id: UUID) -> UnpaidInvoice | None:
    """What is to be done about an invoice that no charge pays; None: something is under way, or nothing is due."""
    row = await context.connection.fetchrow(_UNPAID, context.company_id, invoice_id, list(PAYABLE))
    return None if row is None else UnpaidInvoice(AfterLastDecline(row[0]), list(row[1]))
