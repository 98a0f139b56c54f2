"""Handing documents over: note a delivery, claim it, record how an attempt ended, give it up.

Mail is the worker's, after the commit: it acts outside any transaction, between claiming and recording.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import rules, store
from ledgerbee.sales.delivery.model import (
    DELIVER_JOB,
    Attempt,
    ClaimedDelivery,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    DeliveryType,
    HandOver,
    Outcome,
)
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.documents.model import Document, DocumentKind, FullDocument
from ledgerbee.sales.documents.snapshot import current

#: The kinds of document that are delivered.
Kinds = Mapping[DocumentKind, AnyKind]


async def hand_over(
    contexts: Sequence[Context], kind: AnyKind, handed: Sequence[HandOver], *, is_first: bool = False
) -> None:
    """Note the deliveries of booked documents, each in the context of its command; a mail is the worker's.

    With `is_first` none of the documents was ever handed over before.
    """
    context = contexts[0]
    deliveries = [
        Delivery(
            id=DeliveryId(new_id()),
            document_type=kind.kind,
            document_id=one.document_id,
            delivery_type=one.delivery_type,
            recipient=one.recipient,
            status=rules.first_status(one.delivery_type),
            created_at=context.now,
            updated_at=context.now,
        )
        for one in handed
    ]
    await store.insert_many(context, deliveries, is_first=is_first)
    for own, delivery in zip(contexts, deliveries, strict=True):
        if delivery.delivery_type is DeliveryType.EMAIL:
            own.enqueue(
                DELIVER_JOB, kind=kind.kind.value, documentId=str(delivery.document_id), deliveryId=str(delivery.id)
            )


async def claim_delivery(context: Context, kinds: Kinds, delivery_id: DeliveryId) -> ClaimedDelivery | None:
    """Take a delivery on: it and its document are on their way from now on. None when there is nothing left to do.

    A delivery whose worker died is claimed again once its claim has run out, so a message may go out twice: use the
    delivery's id as the message's. Raises `DELIVERY_NOT_FOUND`, `DELIVERY_UNDERWAY`.
    """
    kind, document, delivery = await _get_for_update(context, kinds, delivery_id)
    if not rules.can_be_claimed(delivery.status):
        return None
    interrupted_at = delivery.updated_at if rules.was_interrupted(delivery, context.now) else None
    await store.set_status(context, delivery.id, DeliveryStatus.SENDING)
    claimed = replace(document, status=kind.when_claimed.get(document.status, document.status), updated_at=context.now)
    await documents.update(context, kind, claimed)
    content = current(await documents.get_snapshot(context, kind, document.id), kind.terms(document))
    taken = replace(delivery, status=DeliveryStatus.SENDING, updated_at=context.now)
    return ClaimedDelivery(taken, claimed, content, interrupted_at)


async def record_delivery_attempt(
    context: Context,
    kinds: Kinds,
    delivery_id: DeliveryId,
    *,
    channel: str,
    outcome: Outcome,
    message: str | None = None,
    provider_id: str | None = None,
    is_last: bool = False,
) -> Delivery:
    """Record how one try ended; `is_last` gives up on failure. The books stand, however often it fails.

    Emits `<kind>.delivery_failed` when it is given up.
    Raises `DELIVERY_NOT_FOUND`, `DELIVERY_INVALID_STATE` for a delivery that nobody claimed.
    """
    kind, document, delivery = await _get_for_update(context, kinds, delivery_id)
    status = rules.after_attempt(delivery.status, outcome, is_last=is_last)
    attempt = Attempt(new_id(), context.now, channel, delivery.recipient or "", outcome, message, provider_id)
    await store.insert_attempt(context, delivery.id, attempt)
    await store.set_status(context, delivery.id, status)
    is_delivered = outcome is Outcome.DELIVERED
    moves = kind.when_delivered if is_delivered else kind.when_failed
    document = replace(
        document,
        status=moves.get(document.status, document.status),
        sent_at=document.sent_at or (context.now if is_delivered else None),
        updated_at=context.now,
    )
    await documents.update(context, kind, document)
    if status is DeliveryStatus.FAILED:
        await _emit_failed(context, kind, document, delivery, message)
    return replace(delivery, status=status, updated_at=context.now)


async def give_up_delivery(
    context: Context, kinds: Kinds, delivery_id: DeliveryId, channel: str, reason: str
) -> Delivery | None:
    """End a delivery that nobody makes any more: it is `failed`, with the reason as its last attempt.

    None for one that has ended already. Emits `<kind>.delivery_failed`. Raises `DELIVERY_NOT_FOUND`.
    """
    _, _, delivery = await _get_for_update(context, kinds, delivery_id)
    if not rules.can_be_claimed(delivery.status):
        return None
    if delivery.status is DeliveryStatus.PENDING:  # as if it had been begun: only then an attempt can end
        await store.set_status(context, delivery.id, DeliveryStatus.SENDING)
    return await record_delivery_attempt(
        context, kinds, delivery_id, channel=channel, outcome=Outcome.FAILED, message=reason, is_last=True
    )


async def _emit_failed(
    context: Context, kind: AnyKind, document: Document, delivery: Delivery, reason: str | None
) -> None:
    full = FullDocument(document, await documents.lines_of(context, kind, document.id))
    failed: dict[str, Any] = {
        "id": str(delivery.id), "deliveryType": delivery.delivery_type.value, "message": reason,
    }  # fmt: skip
    kind.emit_delivery_failed(context, document, {**await kind.event_form(full), "delivery": failed})


async def _get_for_update(
    context: Context, kinds: Kinds, delivery_id: DeliveryId
) -> tuple[AnyKind, Document, Delivery]:
    """The document of a delivery and then the delivery, in the order in which sending takes them."""
    found = await store.get(context, delivery_id)
    kind = kinds[found.document_type]
    document: Document = await documents.get_for_update(context, kind, found.document_id)
    return kind, document, await store.get_for_update(context, delivery_id)
