"""Sending a booked document as an e-invoice: claim, write its XML once, hand it over outside any transaction, record.

The XML is kept before it leaves, under the id of its message. Whatever happens in between (the worker dies, the receipt
gets lost, the document is sent again after it failed), the same bytes go out under the same id, by which the other side
knows them.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from prometheus_client import Counter

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.texts import readable_id, readable_reply
from ledgerbee.network.model import MessageType
from ledgerbee.network.transport.model import (
    FORESEEN,
    PASSING,
    Message,
    Nowhere,
    Transport,
    TransportRefusedError,
    digest_of,
    hand_over,
)
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun
from ledgerbee.sales.delivery import actions, recording
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.actions import Kinds
from ledgerbee.sales.delivery.model import (
    DELIVERY_UNDERWAY,
    Attempt,
    ClaimedDelivery,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    Outcome,
)
from ledgerbee.sales.einvoices import store, writing
from ledgerbee.sales.einvoices.model import EInvoice

CHANNEL: Final = "e-invoice"

TRIES: Final = Counter(
    "ledgerbee_e_invoice_tries_total", "Tries to send an e-invoice by outcome: delivered, failed, refused", ["outcome"]
)
for _outcome in ("delivered", "failed", "refused"):  # there from the start: a rate sees the first one
    TRIES.labels(_outcome)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A claimed delivery, and the e-invoice of its document if it was written before."""

    claimed: ClaimedDelivery
    written: EInvoice | None
    is_sandbox: bool


async def deliver_e_invoice(kinds: Kinds, transport: Transport, run: JobRun) -> None:
    """Send a booked document over the network, a sandbox's nowhere. Payload: `deliveryId` (`DELIVER_E_INVOICE_JOB`).

    A delivery that was made, given up or is under way elsewhere is left alone. A refusal for good and the last try mark
    it `failed`. Emits `e_invoice.delivered` or `e_invoice.failed` where it ends.

    Raises what made a try fail, so that the worker tries again later: `TransportFailedError`,
    `TransportNotConfiguredError`, `DELIVERY_UNDERWAY`, `DATABASE_UNAVAILABLE`.
    """
    delivery_id = DeliveryId(UUID(run.payload["deliveryId"]))
    claim = await run.write(lambda context: _claim(context, kinds, delivery_id, has_worker_died=run.has_worker_died))
    if claim is None:
        return
    e_invoice = claim.written
    try:
        if e_invoice is None:
            e_invoice = await _write(run, claim.claimed)
        receipt = await hand_over(Nowhere() if claim.is_sandbox else transport, _message(e_invoice))
    except Exception as fault:
        is_final = isinstance(fault, TransportRefusedError)
        TRIES.labels("refused" if is_final else "failed").inc()
        end = _End(Outcome.FAILED, run.words_of(fault, FORESEEN), is_last=is_final or _is_last(run))
        await _record(run, kinds, delivery_id, e_invoice, end)
        if is_final:
            return
        raise
    TRIES.labels("delivered").inc()
    end = _End(Outcome.DELIVERED, receipt.message, receipt.provider_id)
    await _record(run, kinds, delivery_id, e_invoice, end)


def _is_last(run: JobRun) -> bool:
    return run.attempt >= run.max_attempts


async def _claim(context: Context, kinds: Kinds, delivery_id: DeliveryId, *, has_worker_died: bool) -> _Claim | None:
    claimed = await actions.claim_delivery(context, kinds, delivery_id, has_worker_died=has_worker_died)
    if claimed is None:
        return None
    delivery = claimed.delivery
    written = await store.of_document(context, delivery.document_type, delivery.document_id)
    if claimed.interrupted_at is not None:
        attempt = Attempt(
            id=new_id(),
            at=claimed.interrupted_at,
            channel=CHANNEL,
            recipient=delivery.recipient or "",
            outcome=Outcome.FAILED,
            message="Broken off before its outcome was recorded: it may have arrived, and goes out under the same id",
            provider_id=str(written.id) if written else None,
        )
        await deliveries.insert_attempt(context, delivery_id, attempt)
    return _Claim(claimed, written, context.is_sandbox)


async def _write(run: JobRun, claimed: ClaimedDelivery) -> EInvoice:
    """Write the document's XML and keep it. Raises `E_INVOICE_INCOMPLETE`, which sending has ruled out."""
    content, delivery = claimed.snapshot, claimed.delivery
    form, sender, receiver, country = writing.route(content)
    # Thousands of lines take a tenth of a second and more: beside the event loop.
    xml = await asyncio.to_thread(writing.write, content, form)

    async def keep(context: Context) -> EInvoice:
        e_invoice = EInvoice(
            id=new_id(),
            document_type=delivery.document_type,
            document_id=delivery.document_id,
            format=form,
            sender=sender,
            receiver=receiver,
            sender_country=country,
            number=content["number"],
            sha256=digest_of(xml),
            content=xml,
            created_at=context.now,
        )
        return await store.keep(context, e_invoice)

    return await run.write(keep)


def _message(e_invoice: EInvoice) -> Message:
    return Message(
        id=e_invoice.id,
        document_type=MessageType(e_invoice.document_type),
        number=e_invoice.number,
        form=e_invoice.format,
        sender=e_invoice.sender,
        receiver=e_invoice.receiver,
        sender_country=e_invoice.sender_country,
        content=e_invoice.content,
    )


@dataclass(frozen=True, slots=True)
class _End:
    """How a try ended."""

    outcome: Outcome
    message: str
    provider_id: str | None = None
    is_last: bool = False


async def _record(run: JobRun, kinds: Kinds, delivery_id: DeliveryId, e_invoice: EInvoice | None, end: _End) -> None:
    message = readable_reply(end.message)

    async def work(context: Context) -> Delivery:
        ended = await actions.record_delivery_attempt(
            context,
            kinds,
            delivery_id,
            channel=CHANNEL,
            outcome=end.outcome,
            message=message,
            provider_id=readable_id(end.provider_id) or (str(e_invoice.id) if e_invoice else None),
            is_last=end.is_last,
        )
        _emit(context, ended, e_invoice, message)
        return ended

    await recording.record(run, work)


async def give_up(kinds: Kinds, run: JobRun, reason: str) -> None:
    """End a delivery as `failed`, with the reason. One that has ended stays as it is. Emits `e_invoice.failed`."""
    delivery_id = DeliveryId(UUID(run.payload["deliveryId"]))
    why = run.given_up(reason)

    async def work(context: Context) -> Delivery | None:
        ended = await actions.give_up_delivery(context, kinds, delivery_id, CHANNEL, why)
        if ended is not None:
            written = await store.of_document(context, ended.document_type, ended.document_id)
            _emit(context, ended, written, why)
        return ended

    ended = await run.write(work)
    if ended is not None:
        recording.log_end(run, ended)


def _emit(context: Context, ended: Delivery, e_invoice: EInvoice | None, message: str) -> None:
    """Tell that a delivery has ended; of one that is tried again nothing."""
    before = _event_form(ended, e_invoice, DeliveryStatus.SENDING, None)
    form = _event_form(ended, e_invoice, ended.status, message)
    if ended.status is DeliveryStatus.DELIVERED:
        context.emit("e_invoice.delivered", ended.id, form, before=before)
    elif ended.status is DeliveryStatus.FAILED:
        context.emit("e_invoice.failed", ended.id, form, before=before)


def _event_form(
    delivery: Delivery, e_invoice: EInvoice | None, status: DeliveryStatus, message: str | None
) -> dict[str, Any]:
    """A delivery over the network as events have it; without its XML, which the document's e-invoice is."""
    return {
        "id": str(delivery.id),
        "status": status.value,
        "documentType": delivery.document_type.value,
        "documentId": str(delivery.document_id),
        "number": e_invoice.number if e_invoice else None,
        "messageId": str(e_invoice.id) if e_invoice else None,
        "format": e_invoice.format.value if e_invoice else None,
        "sender": e_invoice.sender if e_invoice else None,
        "receiver": delivery.recipient,
        "sha256": e_invoice.sha256.hex() if e_invoice else None,
        "message": message,
    }


def _is_foreseen(fault: Exception) -> bool:
    """The other side is away or says later, none is set, another worker is at it, or the database is away."""
    if isinstance(fault, LedgerBeeError):
        return fault.status == 503 or fault.error_code is DELIVERY_UNDERWAY
    return isinstance(fault, PASSING)


def e_invoices_of(kinds: Kinds, transport: Transport) -> JobKind:
    """The job that sends documents of these kinds over the network, as often as a mail is tried."""
    return JobKind(
        run=partial(deliver_e_invoice, kinds, transport),
        give_up=partial(give_up, kinds),
        is_foreseen=_is_foreseen,
        max_attempts=8,
        max_unforeseen=4,
        first_pause=timedelta(seconds=15),
        longest_pause=timedelta(hours=16),
    )
