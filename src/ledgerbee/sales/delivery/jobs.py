"""Delivering a booked document as mail: claim, act outside any transaction, record the outcome.

Each recipient has a mail of its own, which is kept before it is sent, and its outcome is recorded before the next one
is tried. The job may run twice: when the worker dies between a mail and its record, the next run sends that mail again,
byte for byte, and the log of attempts shows both. Nothing else happens twice.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.texts import readable_reply
from ledgerbee.ledger.uploads.actions import stored
from ledgerbee.platform.blobs.store import ATTACHMENT_STORE_UNAVAILABLE
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun
from ledgerbee.platform.mail import (
    MailFailedError,
    MailNotConfiguredError,
    MailRefusedError,
    MailUnconfirmedError,
    message_id,
    wire_address,
    written,
)
from ledgerbee.sales.delivery import actions, recording
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.actions import Kinds
from ledgerbee.sales.delivery.mail import Envelope, compose
from ledgerbee.sales.delivery.model import (
    DELIVERY_UNDERWAY,
    PRINT_JOB,
    Attempt,
    ClaimedDelivery,
    Delivery,
    DeliveryId,
    Outcome,
    Recipient,
    RecipientId,
    SentMessage,
)
from ledgerbee.sales.documents.child_details import count_children
from ledgerbee.sales.documents.kept_pdfs import details_of_sent, pdf_of_sent
from ledgerbee.sales.documents.model import DOCUMENT_PRINTING_FAILED, MailText
from ledgerbee.sales.documents.printing import Attach
from ledgerbee.tenancy.company import store as companies

CHANNEL: Final = "email"
#: Children whose details go along with a mail, and bytes of them, of which it makes a third more.
MOST_CHILDREN: Final = 400
MOST_DETAILS: Final = 10_000_000
#: Seconds that printing and one mail, or one mail more, may take in all: shorter than a claim lasts, which each record
#: renews, by more than a document takes to be printed, so that nobody takes over what is under way.
SEND_TIMEOUT_S: Final = 360
#: What sending a mail raises, in words for the company.
_FORESEEN: Final = (MailFailedError, MailNotConfiguredError, MailRefusedError)

MAILS_BOUNCED: Final = Counter("ledgerbee_mails_bounced_total", "Mails that were accepted and came back later")

log = structlog.get_logger("ledgerbee.delivery")


@dataclass(frozen=True, slots=True)
class _Claim:
    """A claimed delivery, what its kind of document adds, what of the company's present settings goes with it, and the
    mails that were kept before."""

    claimed: ClaimedDelivery
    texts: Mapping[str, MailText]
    attach: Attach | None
    reply_to: str | None
    logo: bytes | None
    kept: Mapping[RecipientId, SentMessage]
    #: The address of the document's page, where it has one.
    page: str | None
    is_test: bool


@dataclass(frozen=True, slots=True)
class _Mails:
    """The mails of a delivery by their recipients, and why somebody has none."""

    contents: dict[RecipientId, bytes] = field(default_factory=dict)
    faults: dict[RecipientId, Exception] = field(default_factory=dict)


async def deliver_document(kinds: Kinds, run: JobRun) -> None:
    """Send a booked document to its recipients as mail with the PDF. Payload: `deliveryId` (see `DELIVER_JOB`).

    A delivery that was made, given up or is under way elsewhere is left alone, and so is who has got it. A refusal for
    good and the last try end a recipient as `failed`; when all have ended and one failed, that is told in the log and
    counted.

    Raises what made a try fail, the first of several, so that the worker tries again later: `MailFailedError`,
    `MailNotConfiguredError`, `DELIVERY_UNDERWAY`, `DATABASE_UNAVAILABLE`.
    """
    delivery_id = DeliveryId(UUID(run.payload["deliveryId"]))
    claim = await run.write(lambda context: _claim(context, kinds, delivery_id, run.mailer.sender))
    if claim is None:
        return
    deadline = _deadline()
    mails = await _prepare(run, claim, deadline)
    passing: Exception | None = None
    recipients = claim.claimed.recipients
    for recipient, following in zip(recipients, (*recipients[1:], None), strict=True):
        fault, reply = None, ""
        try:
            reply = await _send(run, mails, recipient, deadline)
        except Exception as failure:  # noqa: BLE001  recorded, and raised below
            fault = failure
        is_final = isinstance(fault, MailRefusedError)
        attempt = _Attempt(
            recipient,
            Outcome.FAILED if fault else Outcome.DELIVERED,
            run.words_of(fault, _FORESEEN) if fault else reply,
            is_last=is_final or run.attempt >= run.max_attempts,
        )
        await _record(run, kinds, delivery_id, attempt, following)
        passing = passing or (None if is_final else fault)
        deadline = _deadline()
    if passing is not None:
        raise passing


def _deadline() -> float:
    return asyncio.get_running_loop().time() + SEND_TIMEOUT_S


async def _claim(context: Context, kinds: Kinds, delivery_id: DeliveryId, sender: str) -> _Claim | None:
    claimed = await actions.claim_delivery(context, kinds, delivery_id)
    if claimed is None:
        return None
    if claimed.interrupted_at is not None:
        tried = claimed.recipients[0]
        attempt = Attempt(
            id=new_id(),
            at=claimed.interrupted_at,
            channel=CHANNEL,
            recipient=tried.address,
            outcome=Outcome.FAILED,
            message="Broken off before its outcome was recorded: the mail may have gone out and is sent again",
            provider_id=message_id(tried.id, sender),
        )
        await deliveries.insert_attempt(context, delivery_id, attempt)
    company = await companies.get(context)
    kind = kinds[claimed.delivery.document_type]
    return _Claim(
        claimed,
        kind.mail,
        kind.attach,
        company.email,
        await companies.logo(context) if company.has_logo else None,
        await deliveries.messages_of(context, claimed.recipients),
        await kind.page(context, claimed.delivery.document_id) if kind.page else None,
        company.is_sandbox,
    )


async def _prepare(run: JobRun, claim: _Claim, deadline: float) -> _Mails:
    """The mails of those who are still to get theirs: as they were kept, or made now, and then kept."""
    mails = _Mails()
    recipients = claim.claimed.recipients
    try:
        async with asyncio.timeout_at(deadline):
            for mail_id, message in claim.kept.items():
                mails.contents[mail_id] = await _kept(run, message)
            missing = [one for one in recipients if one.id not in claim.kept]
            if missing:
                await _make(run, claim, missing, mails)
    except Exception as failure:  # noqa: BLE001  recorded for each recipient, and raised then
        fault = failure
        if isinstance(failure, TimeoutError):
            fault = MailFailedError(f"Printing the document took more than {SEND_TIMEOUT_S} seconds")
        mails.contents.clear()
        mails.faults.update({one.id: fault for one in recipients if one.id not in mails.faults})
    return mails


async def _make(run: JobRun, claim: _Claim, recipients: list[Recipient], mails: _Mails) -> None:
    """Print the document as it was booked, once, write each one's mail with it, and keep them."""
    document = claim.claimed.snapshot
    pdf = await pdf_of_sent(run.blobs, run.company_id, document, logo=claim.logo, attach=claim.attach)
    details = await _details(run, claim)
    made: dict[RecipientId, bytes] = {}
    for one in recipients:
        envelope = Envelope(
            mail_id=one.id,
            sender=run.mailer.sender,
            recipient=one.address,
            reply_to=claim.reply_to or document["seller"]["email"],
            page=claim.page,
            is_test=claim.is_test,
        )
        try:
            made[one.id] = written(compose(claim.texts, document, envelope, pdf, run.clock(), details))
        except MailRefusedError as fault:
            mails.faults[one.id] = fault
    await _keep(run, made)
    mails.contents.update(made)


async def _details(run: JobRun, claim: _Claim) -> bytes | None:
    """The details of children, where they go along.

    What would make the mail late, or too large for most servers, stays here: it is made by a job of its own.
    """
    document = claim.claimed.snapshot
    if not document.get("childDetails"):
        return None
    if count_children(document) <= MOST_CHILDREN:
        details = await details_of_sent(run.blobs, run.company_id, document, logo=claim.logo)
        if len(details) <= MOST_DETAILS:
            return details
    log.warning("delivery.details_left_out", company_id=str(run.company_id), document_id=document["id"])

    async def have_made(context: Context) -> None:
        context.enqueue(PRINT_JOB, kind=document["kind"], documentIds=[document["id"]])

    await run.write(have_made)
    return None


async def _kept(run: JobRun, message: SentMessage) -> bytes:
    """A mail as it was kept. Raises `ATTACHMENT_STORE_UNAVAILABLE`."""
    content = await run.blobs.get(run.company_id, message.hash)
    if content is None:
        raise ATTACHMENT_STORE_UNAVAILABLE.error("The kept mail is not in the store")
    return content


async def _keep(run: JobRun, made: Mapping[RecipientId, bytes]) -> None:
    """Keep mails as they are handed to the mail server."""
    now = run.clock()
    hashes = {mail_id: hashlib.sha256(content).digest() for mail_id, content in made.items()}
    messages = [SentMessage(mail_id, len(made[mail_id]), digest, now) for mail_id, digest in hashes.items()]

    async def note(context: Context) -> None:
        for message in messages:
            await deliveries.insert_message(context, message)

    by_hash = {hashes[mail_id]: content for mail_id, content in made.items()}
    async with stored(await run.tenant(), now, run.database, run.blobs, by_hash):
        await run.write(note)


async def _send(run: JobRun, mails: _Mails, recipient: Recipient, deadline: float) -> str:
    """Mail it to a recipient; the mail server's answer."""
    if recipient.id in mails.faults:
        raise mails.faults[recipient.id]
    return_path = run.mailer.return_path(recipient.id)
    try:
        async with asyncio.timeout_at(deadline):
            return await run.mailer.transmit(mails.contents[recipient.id], wire_address(recipient.address), return_path)
    except TimeoutError:
        raise MailUnconfirmedError(
            f"Mailing it took more than {SEND_TIMEOUT_S} seconds: the mail may have been taken without a word"
        ) from None


@dataclass(frozen=True, slots=True)
class _Attempt:
    """How the try of a recipient ended; `is_last` gives up on failure."""

    recipient: Recipient
    outcome: Outcome
    message: str
    is_last: bool


async def _record(
    run: JobRun, kinds: Kinds, delivery_id: DeliveryId, attempt: _Attempt, following: Recipient | None
) -> None:
    async def work(context: Context) -> Delivery:
        return await actions.record_delivery_attempt(
            context,
            kinds,
            delivery_id,
            channel=CHANNEL,
            outcome=attempt.outcome,
            message=readable_reply(attempt.message),
            provider_id=message_id(attempt.recipient.id, run.mailer.sender),
            is_last=attempt.is_last,
            recipient_id=attempt.recipient.id,
            next_id=following.id if following else None,
        )

    await recording.record(run, work)


async def give_up_delivery(kinds: Kinds, run: JobRun, reason: str) -> None:
    """End a delivery as `failed`, with the reason. One that has ended stays as it is."""
    delivery_id = DeliveryId(UUID(run.payload["deliveryId"]))
    why = run.given_up(reason)
    ended = await run.write(lambda context: actions.give_up_delivery(context, kinds, delivery_id, CHANNEL, why))
    if ended is not None:
        recording.log_end(run, ended)


async def record_bounce(kinds: Kinds, run: JobRun) -> None:
    """Record that a mail came back. Payload: `deliveryId`, `recipientId`, `reason` (see `BOUNCE_JOB`)."""
    delivery_id, recipient_id = (UUID(run.payload[name]) for name in ("deliveryId", "recipientId"))

    async def work(context: Context) -> Delivery | None:
        return await actions.record_bounce(
            context,
            kinds,
            DeliveryId(delivery_id),
            RecipientId(recipient_id),
            CHANNEL,
            readable_reply(run.payload["reason"]) or "It came back without a reason",
        )

    if await run.write(work) is not None:
        MAILS_BOUNCED.inc()
        log.warning(
            "delivery.bounced",
            request_id=run.request_id,
            company_id=str(run.company_id),
            delivery_id=str(delivery_id),
            recipient_id=str(recipient_id),
        )


async def _leave(_: JobRun, __: str) -> None:
    """What a bounce is about has ended already: the report can be sent in again."""


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


def bounces_of(kinds: Kinds) -> JobKind:
    """The job that records that a mail of documents of these kinds came back: some six minutes, an hour at most."""
    return JobKind(
        run=partial(record_bounce, kinds),
        give_up=_leave,
        is_foreseen=_is_foreseen,
        max_attempts=6,
        max_unforeseen=4,
        first_pause=timedelta(seconds=15),
        longest_pause=timedelta(hours=1),
    )
