"""Which subscriptions a saved card is about."""

from typing import Final
from uuid import UUID

from ledgerbee.billing.subscriptions.model import SubscriptionStatus
from ledgerbee.billing.subscriptions.store.reads import STATUS
from ledgerbee.platform.context import Context

#: What a card is set on (contract 2.20).
_STATUSES: Final = (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIAL, SubscriptionStatus.SCHEDULED)
_RUNNING: Final = f"""
SELECT t.id FROM subscriptions t
WHERE t.company_id = $1 AND t.customer_id = $2 AND {STATUS.format(day="$3::date")} = ANY ($4) ORDER BY t.id
"""
_NAMING: Final = "SELECT id FROM subscriptions WHERE company_id = $1 AND payment_method_id = $2 ORDER BY id"


async def running(context: Context, customer_id: UUID) -> list[UUID]:
    """The subscriptions of a customer that are active, in their trial or begin later."""
    found = await context.connection.fetch(_RUNNING, context.company_id, customer_id, context.today, list(_STATUSES))
    return [row["id"] for row in found]


async def naming(context: Context, method_id: UUID) -> list[UUID]:
    """The subscriptions that name a card, whosever they are."""
    return [row["id"] for row in await context.connection.fetch(_NAMING, context.company_id, method_id)]
