"""What providers tell by themselves: each event is kept once, and has somebody look at what it is about.

An event is a hint, whatever it says: how a charge or a card stands is asked of the provider (decisions "Payments"). So
events may come late, twice and in any order.
"""

from datetime import datetime
from typing import Final

from ledgerbee.payments.charges import store as charges
from ledgerbee.payments.charges.model import CHARGE_JOB, UNDER_WAY
from ledgerbee.payments.charges.rules import is_asked_elsewhere
from ledgerbee.payments.disputes.model import DISPUTE_JOB
from ledgerbee.payments.payment_methods import store as cards
from ledgerbee.payments.payment_methods.model import CARD_LINK_JOB
from ledgerbee.payments.payouts.model import PAYOUTS_JOB
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings.model import ProviderSettings
from ledgerbee.payments.providers.model import ProviderEvent, Subject
from ledgerbee.payments.refunds import model as refund_model
from ledgerbee.payments.refunds import store as refunds
from ledgerbee.platform.context import Context

_INSERT: Final = """
INSERT INTO provider_events (company_id, provider, event_id, type, provider_object_id, body, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING true
"""


async def take(context: Context, settings: ProviderSettings, event: ProviderEvent, body: bytes) -> bool:
    """Keep an event, and have looked at what it is about; whether it is new."""
    kept = provider_settings.without_secret(context, settings, body)
    if not await _keep(context, settings, event, kept, context.now):
        return False
    if event.subject is Subject.CHARGE:
        charge = await charges.find_by_provider(context, settings.name, event.provider_id, event.reference)
        # Whoever is asking has the answer, or a job that comes again.
        if charge is not None and charge.status in UNDER_WAY and not is_asked_elsewhere(charge, context.now):
            context.enqueue(CHARGE_JOB, chargeId=str(charge.id))
    elif event.subject is Subject.REFUND:
        await _look_at_refund(context, settings, event)
    elif event.subject is Subject.DISPUTE and event.provider_id is not None:
        context.enqueue(DISPUTE_JOB, provider=settings.name.value, disputeId=event.provider_id)
    elif event.subject is Subject.PAYOUT:
        context.enqueue(PAYOUTS_JOB, provider=settings.name.value)
    elif event.subject is Subject.AGREEMENT:
        link = await cards.find_link_by_page(context, settings.name, event.provider_id, event.reference)
        if link is not None and link.is_open:
            context.enqueue(CARD_LINK_JOB, cardLinkId=str(link.id))
    return True


async def _look_at_refund(context: Context, settings: ProviderSettings, event: ProviderEvent) -> None:
    """Have a refund looked at; one that succeeded too, which may fail later."""
    refund = await refunds.find_by_provider(context, settings.name, event.provider_id, event.reference)
    if refund is None:
        return
    if refund.status in refund_model.UNDER_WAY:
        context.enqueue(refund_model.REFUND_JOB, refundId=str(refund.id))
    elif refund.status is refund_model.RefundStatus.SUCCEEDED:
        context.enqueue(refund_model.REFUND_JOB, refundId=str(refund.id), hasSucceeded=True)


async def _keep(
    context: Context, settings: ProviderSettings, event: ProviderEvent, body: bytes, received_at: datetime
) -> bool:
    return bool(
        await context.connection.fetchval(
            _INSERT, context.company_id, settings.name, event.id, event.type, event.provider_id, body, received_at
        )
    )
