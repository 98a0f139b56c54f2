"""Delivering a booked document as mail: claim, act outside any transaction, record the outcome.

The job may run twice: when the worker dies between the mail and its record, the next run sends the same mail under the
same `Message-ID`, and the log of attempts shows both. Nothing else happens twice.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun
from ledgerbee.platform.mail import MailFailedError, MailNotConfiguredError, MailRefusedError
from ledgerbee.sales.delivery import actions
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.actions import Kinds
from ledgerbee.sales.delivery.mail import Envelope, compose, message_id
from ledgerbee.sales.delivery.model import (
    DELIVERY_UNDERWAY,
    Attempt,
    ClaimedDelivery,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    Outcome,
)
from ledgerbee.sales.documents.model import DOCUMENT_PRINTING_FAILED, MailText
from ledgerbee.sales.documents.printing import print_pdf
from ledgerbee.tenancy.company import store as companies

CHANNEL: Final = "email"
#: Seconds that one try may take in all: shorter than a claim lasts by more than a document takes to be printed, so that
#: nobody takes over what is under way.
SEND_TIMEOUT_S: Final = 120
#: Seconds between the tries to record what came of a delivery, where no connection to the database is to be had. With
#: `SEND_TIMEOUT_S` and the tries themselves they are shorter than a claim lasts.
_PAUSES_S: Final = (2, 5)
#: Characters kept of what a mail server said.
_MAX_REPLY: Final = 1_000


DELIVERIES_ENDED: Final = Counter(
    "ledgerbee_deliveries_total", "Deliveries of documents that ended: delivered, failed", ["outcome"]
)
for _outcome in ("delivered", "failed"):  # there from the start: a rate sees the first one
    DELIVERIES_ENDED.labels(_outcome)

log = structlog.get_logger("ledgerbee.delivery")


@dataclass(frozen=True, slots=True)
class _Claim:
    """A claimed delivery, and what of the company's present settings goes with it."""

    claimed: ClaimedDelivery
    texts: Mapping[str, MailText]
    reply_to: str | None
    logo: bytes | None


async def deliver_document(kinds: Kinds, run: JobRun) -> None:
    """Send a booked document to its recipient as mail with the PDF. Payload: `deliveryId` (see `DELIVER_JOB`).

    A delivery that was made, given up or is under way elsewhere is left alone. A refusal for good and the last try
    mark it `failed`, which is told in the log and counted.

    Raises what made a try fail, so that the worker tries again later: `MailFailedError`,
    `MailNotConfiguredError`, `DELIVERY_UNDERWAY`, `DATABASE_UNAVAILABLE`.
    """
    delivery_id = DeliveryId(UUID(run.payload["deliveryId"]))
    provider_id = message_id(delivery_id, run.mailer.sender)
    claim = await run.write(lambda context: _claim(context, kinds, delivery_id, provider_id))
    if claim is None:
        return
    try:
        reply = await _send(run, claim)
    except Exception as fault:
        is_final = isinstance(fault, MailRefusedError)
        await _record(
            run, kinds, delivery_id, Outcome.FAILED, str(fault) or type(fault).__name__, provider_id,
            is_last=is_final or run.attempt >= run.max_attempts,
        )  # fmt: skip
        if is_final:
            return
        raise
    await _record(run, kinds, delivery_id, Outcome.DELIVERED, reply, provider_id)


async def _claim(context: Context, kinds: Kinds, delivery_id: DeliveryId, provider_id: str) -> _Claim | None:
    claimed = await actions.claim_delivery(context, kinds, delivery_id)
    if claimed is None:
        return None
    if claimed.interrupted_at is not None:
        attempt = Attempt(
            id=new_id(),
            at=claimed.interrupted_at,
            channel=CHANNEL,
            recipient=claimed.delivery.recipient or "",
            outcome=Outcome.FAILED,
            message="Broken off before its outcome was recorded: the mail may have gone out and is sent again",
            provider_id=provider_id,
        )
        await deliveries.insert_attempt(context, delivery_id, attempt)
    company = await companies.get(context)
    texts = kinds[claimed.delivery.document_type].mail
    return _Claim(claimed, texts, company.email, await companies.logo(context) if company.has_logo else None)


async def _send(run: JobRun, claim: _Claim) -> str:
    """Render and mail the document as it was booked; the mail server's answer."""
    document, delivery = claim.claimed.snapshot, claim.claimed.delivery
    envelope = Envelope(
        delivery_id=delivery.id,
        sender=run.mailer.sender,
        recipient=delivery.recipient or "",
        reply_to=claim.reply_to or document["seller"]["email"],
    )
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            pdf = await print_pdf(run.company_id, document, is_draft=False, logo=claim.logo)
            return await run.mailer.send(compose(claim.texts, document, envelope, pdf, run.clock()))
    except TimeoutError:
        raise MailFailedError(f"Printing the document and mailing it took more than {SEND_TIMEOUT_S} seconds") from None


async def _record(
    run: JobRun,
    kinds: Kinds,
    delivery_id: DeliveryId,
    outcome: Outcome,
    message: str,
    provider_id: str,
    *,
    is_last: bool = False,
) -> None:
    async def work(context: Context) -> Delivery:
        return await actions.record_delivery_attempt(
            context,
            kinds,
            delivery_id,
            channel=CHANNEL,
            outcome=outcome,
            message=_readable(message),
            provider_id=provider_id,
            is_last=is_last,
        )

    # The mail may have left: without its outcome it would be sent again. Who has no connection just now gets one soon.
    for pause in (*_PAUSES_S, None):
        try:
            _log_end(run, await run.write(work))
        except LedgerBeeError as fault:
            if pause is None or not fault.is_passing:
                raise
            await asyncio.sleep(pause)
        else:
            return


async def give_up_delivery(kinds: Kinds, run: JobRun, reason: str) -> None:
    """End a delivery as `failed`, with the reason. One that has ended stays as it is."""
    delivery_id = DeliveryId(UUID(run.payload["deliveryId"]))
    why = f"{reason[:1].upper()}{reason[1:]}. The log of the program has the error under request {run.request_id}."
    ended = await run.write(lambda context: actions.give_up_delivery(context, kinds, delivery_id, CHANNEL, why))
    if ended is not None:
        _log_end(run, ended)


def _log_end(run: JobRun, delivery: Delivery) -> None:
    """Count a delivery that has ended, and log one that failed: without its address, without a server's words."""
    if delivery.status in {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}:
        DELIVERIES_ENDED.labels(delivery.status.value).inc()
    if delivery.status is DeliveryStatus.FAILED:
        log.warning(
            "delivery.failed",
            request_id=run.request_id,
            company_id=str(run.company_id),
            delivery_id=str(delivery.id),
            **{f"{delivery.document_type}_id": str(delivery.document_id)},
        )


def _is_foreseen(fault: Exception) -> bool:
    """The mail server is away or says later, none is set, another worker is at it, or the database is away."""
    if isinstance(fault, LedgerBeeError):  # printing that failed would hardly go better in a day
        is_away = fault.status == 503 and fault.error_code is not DOCUMENT_PRINTING_FAILED
        return is_away or fault.error_code is DELIVERY_UNDERWAY
    return isinstance(fault, MailFailedError | MailNotConfiguredError)


def deliveries_of(kinds: Kinds) -> JobKind:
    """The job that delivers documents of these kinds.

    Eight tries over about a day (15 s, 1 min, 4 min, 16 min, 1 h, 4 h, 16 h) where the other side may come back; what
    is unforeseen ends it within some six minutes.
    """
    return JobKind(
        run=partial(deliver_document, kinds),
        give_up=partial(give_up_delivery, kinds),
        is_foreseen=_is_foreseen,
        max_attempts=8,
        max_unforeseen=4,
        first_pause=timedelta(seconds=15),
        longest_pause=timedelta(hours=16),
    )


def _readable(reply: str) -> str:
    """What a mail server said, as text that can be stored: servers answer in any encoding."""
    text = reply.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(text.replace("\0", " ").split())[:_MAX_REPLY]
