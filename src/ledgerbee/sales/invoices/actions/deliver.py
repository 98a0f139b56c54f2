"""What the worker does with a sent invoice: claim it, deliver it outside any transaction, record the outcome."""

from dataclasses import replace
from uuid import UUID

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import rules as delivery_rules
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.model import Attempt, Delivery, DeliveryStatus, Outcome
from ledgerbee.sales.invoices import rules, store
from ledgerbee.sales.invoices.model import ClaimedDelivery, Invoice
from ledgerbee.sales.invoices.wire import snapshot


async def claim_delivery(context: Context, delivery_id: UUID) -> ClaimedDelivery | None:
    """Take a delivery on: it and its invoice are `sending` from now on. None when there is nothing left to do.

    A delivery whose worker died is claimed again once its claim has run out, so a message may go out twice: use the
    delivery's id as the message's. Raises `DELIVERY_NOT_FOUND`, `DELIVERY_UNDERWAY`.
    """
    invoice, delivery = await _lock(context, delivery_id)
    if not delivery_rules.can_be_claimed(delivery.status):
        return None
    interrupted_at = delivery.updated_at if delivery_rules.was_interrupted(delivery, context.now) else None
    await deliveries.set_status(context, delivery.id, DeliveryStatus.SENDING)
    claimed = replace(invoice, status=rules.status_when_claimed(invoice.status), updated_at=context.now)
    await store.save(context, claimed)
    content = await store.snapshot(context, invoice.id)
    taken = replace(delivery, status=DeliveryStatus.SENDING, updated_at=context.now)
    return ClaimedDelivery(taken, claimed, content, interrupted_at)


async def record_delivery_attempt(
    context: Context,
    delivery_id: UUID,
    *,
    channel: str,
    outcome: Outcome,
    message: str | None = None,
    provider_id: str | None = None,
    is_last: bool = False,
) -> Delivery:
    """Record how one try ended; `is_last` gives up on failure. The books stand, however often it fails.

    Delivered, the invoice is `sent`; failed, it is `scheduled` again, for the next try or a person to look at. Emits
    `invoice.delivery_failed` when it is given up.
    Raises `DELIVERY_NOT_FOUND`, `DELIVERY_INVALID_STATE` for a delivery that nobody claimed.
    """
    invoice, delivery = await _lock(context, delivery_id)
    status = delivery_rules.after_attempt(delivery.status, outcome, is_last=is_last)
    await deliveries.insert_attempt(
        context,
        delivery.id,
        Attempt(new_id(), context.now, channel, delivery.recipient or "", outcome, message, provider_id),
    )
    await deliveries.set_status(context, delivery.id, status)
    first_delivery = outcome is Outcome.DELIVERED and invoice.sent_at is None
    await store.save(
        context,
        replace(
            invoice,
            status=rules.status_after_attempt(invoice.status, outcome),
            sent_at=context.now if first_delivery else invoice.sent_at,
            updated_at=context.now,
        ),
    )
    if status is DeliveryStatus.FAILED:
        await _tell_failed(context, delivery, message)
    return replace(delivery, status=status, updated_at=context.now)


async def give_up_delivery(context: Context, delivery_id: UUID, channel: str, reason: str) -> Delivery | None:
    """End a delivery that nobody makes any more: it is `failed`, with the reason as its last attempt.

    None for one that has ended already. Emits `invoice.delivery_failed`. Raises `DELIVERY_NOT_FOUND`.
    """
    _, delivery = await _lock(context, delivery_id)
    if not delivery_rules.can_be_claimed(delivery.status):
        return None
    if delivery.status is DeliveryStatus.PENDING:  # as if it had been begun: only then an attempt can end
        await deliveries.set_status(context, delivery.id, DeliveryStatus.SENDING)
    return await record_delivery_attempt(
        context, delivery_id, channel=channel, outcome=Outcome.FAILED, message=reason, is_last=True
    )


async def _tell_failed(context: Context, delivery: Delivery, reason: str | None) -> None:
    """The delivery of an invoice failed for good: nobody tries again until it is sent again."""
    full = await store.get_full(context, delivery.document_id)
    told = {"id": str(delivery.id), "deliveryType": delivery.delivery_type.value, "message": reason}
    context.emit("invoice.delivery_failed", delivery.document_id, {**await snapshot(full), "delivery": told})


async def _lock(context: Context, delivery_id: UUID) -> tuple[Invoice, Delivery]:
    """The invoice and then its delivery, in the order in which sending takes them."""
    found = await deliveries.get(context, delivery_id)
    invoice = await store.get(context, found.document_id, for_update=True)
    return invoice, await deliveries.get(context, delivery_id, for_update=True)
