"""Handing documents over: note a delivery, claim it, record how an attempt ended, give it up.

Mail is the worker's, after the commit: it acts outside any transaction, between claiming and recording.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import rules, store
from ledgerbee.sales.delivery.model import (
    BOUNCE_JOB,
    DELIVERY_NOT_FOUND,
    JOB_OF,
    PRINT_JOB,
    Attempt,
    ClaimedDelivery,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    DeliveryType,
    HandOver,
    Outcome,
    Recipient,
    RecipientId,
    RecipientStatus,
    SentMessage,
)
from ledgerbee.sales.delivery.reports import FAILED, DeliveryReport
from ledgerbee.sales.delivery.wire import DeliveryStatusResponse, RecordBounceResponse, render_report, render_status
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.documents.model import Document, DocumentKind, FullDocument
from ledgerbee.sales.documents.snapshot import current

#: The kinds of document that are delivered.
Kinds = Mapping[DocumentKind, AnyKind]


async def hand_over(
    contexts: Sequence[Context], kind: AnyKind, handed: Sequence[HandOver], *, is_first: bool = False
) -> list[Delivery]:
    """Note the deliveries of booked documents, each in the context of its command; what leaves is the worker's, and so
    is the PDF of what is handed over by hand.

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
            recipient_given=one.is_given,
        )
        for one in handed
    ]
    await store.insert_many(context, deliveries, is_first=is_first)
    recipients = [one for delivery in deliveries for one in _recipients(delivery)]
    if recipients:
        await store.insert_recipients(context, recipients)
    for own, delivery in zip(contexts, deliveries, strict=True):
        job = JOB_OF.get(delivery.delivery_type)
        if job is not None:
            own.enqueue(job, kind=kind.kind.value, documentId=str(delivery.document_id), deliveryId=str(delivery.id))
    by_hand = [
        (own, str(delivery.document_id))
        for own, delivery in zip(contexts, deliveries, strict=True)
        if delivery.delivery_type is DeliveryType.MANUAL
    ]
    for _, of_command in groupby(by_hand, lambda pair: id(pair[0])):
        owners, ids = zip(*of_command, strict=True)
        owners[0].enqueue(PRINT_JOB, kind=kind.kind.value, documentIds=ids)
    return deliveries


def _recipients(delivery: Delivery) -> list[Recipient]:
    """The recipients of a new delivery. The first has the delivery's id: a mail to one address is named by it."""
    if delivery.recipient is None:
        return []
    is_mail = delivery.delivery_type is DeliveryType.EMAIL
    addresses = rules.addresses_in(delivery.recipient) if is_mail else (delivery.recipient,)
    return [
        Recipient(
            id=RecipientId(delivery.id if position == 1 else new_id()),
            delivery_id=delivery.id,
            position=position,
            address=address,
            status=RecipientStatus.PENDING,
            reason=None,
            updated_at=delivery.created_at,
        )
        for position, address in enumerate(addresses, 1)
    ]


async def claim_delivery(
    context: Context, kinds: Kinds, delivery_id: DeliveryId, *, has_worker_died: bool = False
) -> ClaimedDelivery | None:
    """Take a delivery on: it and its document are on their way from now on. None when there is nothing left to do.

    Only who doesn't have it yet is tried. A delivery whose worker died is claimed again once its claim has run out, or
    at once where `has_worker_died` says so; the message to the recipient who was being tried may go out twice: use the
    recipient's id as the message's. Say so of messages that the other side knows by their id: a worker that is taken
    for dead may still be at it. Raises
    `DELIVERY_NOT_FOUND`, `DELIVERY_UNDERWAY`.
    """
    kind, document, delivery = await _get_for_update(context, kinds, delivery_id)
    if not rules.can_be_claimed(delivery.status):
        return None
    was_interrupted = rules.was_interrupted(delivery, context.now, has_worker_died=has_worker_died)
    interrupted_at = delivery.updated_at if was_interrupted else None
    first, *others = rules.open_recipients(await store.recipients_of(context, delivery.id))
    if first.status is not RecipientStatus.SENDING:  # the worker died between two recipients: nothing was under way
        interrupted_at = None
    first = rules.begun(first, context.now)
    await store.update_recipient(context, first)
    await store.set_status(context, delivery.id, DeliveryStatus.SENDING)
    claimed = replace(document, status=kind.when_claimed.get(document.status, document.status), updated_at=context.now)
    await documents.update(context, kind, claimed)
    content = current(await documents.get_snapshot(context, kind, document.id), kind.terms(document))
    taken = replace(delivery, status=DeliveryStatus.SENDING, updated_at=context.now)
    return ClaimedDelivery(taken, claimed, content, (first, *others), interrupted_at)


async def record_delivery_attempt(  # noqa: PLR0913  each is one independent fact of the attempt
    context: Context,
    kinds: Kinds,
    delivery_id: DeliveryId,
    *,
    channel: str,
    outcome: Outcome,
    message: str | None = None,
    provider_id: str | None = None,
    is_last: bool = False,
    recipient_id: RecipientId | None = None,
    next_id: RecipientId | None = None,
) -> Delivery:
    """Record how one try ended; `is_last` gives up on failure. The books stand, however often it fails.

    `recipient_id` is who was tried: the one of a delivery with one. `next_id` is who is tried next, in the same run.
    Without, the run is over: the delivery waits for another one, or has ended.

    Emits `<kind>.delivery_failed` when it is given up.
    Raises `DELIVERY_NOT_FOUND`, `DELIVERY_INVALID_STATE` for a delivery that nobody claimed.
    """
    kind, document, delivery = await _get_for_update(context, kinds, delivery_id)
    recipients = await store.recipients_of(context, delivery.id)
    tried = rules.require_recipient(delivery, recipients, recipient_id)
    attempt = Attempt(new_id(), context.now, channel, tried.address, outcome, message, provider_id)
    await store.insert_attempt(context, delivery.id, attempt)
    ended = rules.after_attempt(tried, outcome, message, context.now, is_last=is_last)
    changed = [
        ended,
        *(rules.begun(one, context.now) for one in rules.open_recipients(recipients) if one.id == next_id),
    ]
    return await _settle(context, kind, document, delivery, recipients, changed)


async def record_bounce(
    context: Context, kinds: Kinds, delivery_id: DeliveryId, recipient_id: RecipientId, channel: str, reason: str
) -> Delivery | None:
    """Record that a mail came back: its recipient doesn't have it, whatever the mail server had said.

    None for a mail that is known to have come back. The document stays as it is, and can be sent again. Emits
    `<kind>.delivery_failed` when the delivery has failed with it. Raises `DELIVERY_NOT_FOUND`.
    """
    kind, document, delivery = await _get_for_update(context, kinds, delivery_id)
    recipients = await store.recipients_of(context, delivery.id)
    own = next((one for one in recipients if one.id == recipient_id), None)
    if own is None or own.status is RecipientStatus.BOUNCED:
        return None
    attempt = Attempt(new_id(), context.now, channel, own.address, Outcome.BOUNCED, reason)
    await store.insert_attempt(context, delivery.id, attempt)
    bounced = rules.after_attempt(own, Outcome.BOUNCED, reason, context.now, is_last=True)
    return await _settle(context, kind, document, delivery, recipients, [bounced])


async def give_up_delivery(
    context: Context, kinds: Kinds, delivery_id: DeliveryId, channel: str, reason: str
) -> Delivery | None:
    """End a delivery that nobody makes any more: who doesn't have it by now doesn't get it, with the reason as the last
    attempt.

    None for one that has ended already. Emits `<kind>.delivery_failed`. Raises `DELIVERY_NOT_FOUND`.
    """
    kind, document, delivery = await _get_for_update(context, kinds, delivery_id)
    if not rules.can_be_claimed(delivery.status):
        return None
    recipients = await store.recipients_of(context, delivery.id)
    ended: list[Recipient] = []
    for one in rules.open_recipients(recipients):
        attempt = Attempt(new_id(), context.now, channel, one.address, Outcome.FAILED, reason)
        await store.insert_attempt(context, delivery.id, attempt)
        ended.append(rules.after_attempt(one, Outcome.FAILED, reason, context.now, is_last=True))
    return await _settle(context, kind, document, delivery, recipients, ended)


async def delivery_status(context: Context, kind: DocumentKind, document_id: UUID) -> DeliveryStatusResponse:
    """Where the newest delivery of a document stands, with its recipients, and the attempts of all."""
    latest = await store.latest_of(context, kind, document_id)
    recipients = await store.recipients_of(context, latest.id) if latest else ()
    messages = await store.messages_of(context, recipients) if recipients else {}
    return render_status(latest, await store.attempts_of(context, kind, document_id), recipients, messages)


async def messages(
    context: Context, delivery_id: DeliveryId
) -> tuple[tuple[Recipient, ...], Mapping[RecipientId, SentMessage]]:
    """The recipients of a delivery, and the mails that are kept of them. Raises `DELIVERY_NOT_FOUND`."""
    await store.get(context, delivery_id)
    recipients = await store.recipients_of(context, delivery_id)
    return recipients, await store.messages_of(context, recipients)


async def take_report(context: Context, report: DeliveryReport) -> RecordBounceResponse:
    """Take what a mail server reports of a mail: what was read in it. That it came back is recorded by the worker.

    Emits `delivery.bounce_reported` where it came back and that isn't recorded yet. Raises `DELIVERY_NOT_FOUND` for a
    mail that isn't the company's.
    """
    recipient = await store.first_recipient(context, report.mail_ids)
    unknown = DELIVERY_NOT_FOUND.missing("message", "deliveryId", report.mail_ids[0])
    if recipient is None:
        raise unknown
    # Locked: its events are counted, one report after the other.
    delivery = await store.get_for_update(context, recipient.delivery_id)
    if delivery.delivery_type is not DeliveryType.EMAIL:
        raise unknown
    told = render_report(recipient, report)
    if report.action == FAILED and recipient.status is not RecipientStatus.BOUNCED:
        context.emit("delivery.bounce_reported", recipient.delivery_id, told.model_dump(mode="json", by_alias=True))
        context.enqueue(
            BOUNCE_JOB, deliveryId=str(recipient.delivery_id), recipientId=str(recipient.id), reason=report.reason
        )
    return told


async def recipients_left(context: Context, kind: DocumentKind, document_id: UUID) -> str | None:
    """Whom the sender named for a document's newest delivery and who didn't get it, separated by commas, or None."""
    latest = await store.latest_of(context, kind, document_id)
    return rules.not_reached(latest, await store.recipients_of(context, latest.id)) if latest else None


async def _settle(
    context: Context,
    kind: AnyKind,
    document: Document,
    delivery: Delivery,
    before: Sequence[Recipient],
    changed: Sequence[Recipient],
) -> Delivery:
    """Write where recipients stand now, and where that leaves the delivery and its document.

    A delivery that had ended moves its document no more.
    """
    recipients = before
    for one in changed:
        await store.update_recipient(context, one)
        recipients = rules.replaced(recipients, one)
    status = rules.status_of(recipients)
    settled = replace(delivery, status=status, updated_at=context.now)
    await store.set_status(context, delivery.id, status)
    if status is DeliveryStatus.SENDING:
        return settled
    if rules.can_be_claimed(delivery.status):
        is_delivered = status is DeliveryStatus.DELIVERED
        moves = kind.when_delivered if is_delivered else kind.when_failed
        document = replace(
            document,
            status=moves.get(document.status, document.status),
            sent_at=document.sent_at or (context.now if is_delivered else None),
            updated_at=context.now,
        )
        await documents.update(context, kind, document)
    if status is DeliveryStatus.FAILED and delivery.status is not status:
        await _emit_failed(context, kind, document, settled, recipients)
    return settled


async def _emit_failed(
    context: Context, kind: AnyKind, document: Document, delivery: Delivery, recipients: Sequence[Recipient]
) -> None:
    full = FullDocument(document, await documents.lines_of(context, kind, document.id))
    lost = [one for one in recipients if one.status in rules.LOST]
    failed: dict[str, Any] = {
        "id": str(delivery.id),
        "deliveryType": delivery.delivery_type.value,
        "message": lost[0].reason,
        "recipients": [{"address": one.address, "reason": one.reason} for one in lost],
    }
    kind.emit_delivery_failed(context, document, {**await kind.event_form(full), "delivery": failed})


async def _get_for_update(
    context: Context, kinds: Kinds, delivery_id: DeliveryId
) -> tuple[AnyKind, Document, Delivery]:
    """The document of a delivery and then the delivery, in the order in which sending takes them."""
    found = await store.get(context, delivery_id)
    kind = kinds[found.document_type]
    document: Document = await documents.get_for_update(context, kind, found.document_id)
    return kind, document, await store.get_for_update(context, delivery_id)
