"""Sending answers, and statuses of messages: claim, hand over outside any transaction, record.

An answer's XML is kept before it leaves, under the id of its message. Whatever happens in between, the same bytes go
out under the same id, by which the other side knows them.
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
from ledgerbee.network.model import EInvoiceFormat, MessageType
from ledgerbee.network.transport.model import (
    FORESEEN,
    PASSING,
    Message,
    Nowhere,
    Transport,
    TransportRefusedError,
    hand_over,
)
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun
from ledgerbee.purchases.incoming_documents import store as documents
from ledgerbee.purchases.incoming_documents.answers import store
from ledgerbee.purchases.incoming_documents.answers.actions import SEND_ANSWER_JOB
from ledgerbee.purchases.incoming_documents.answers.store import messages
from ledgerbee.purchases.incoming_documents.model import (
    INCOMING_ANSWER_UNDERWAY,
    Answer,
    AnswerAttempt,
    AnswerStatus,
    AttemptOutcome,
    DocumentFormat,
    IncomingDocumentId,
)
from ledgerbee.purchases.incoming_documents.rules.answering import can_be_sent, is_its_turn, was_interrupted
from ledgerbee.purchases.incoming_documents.wire import render
from ledgerbee.purchases.incoming_documents.wire.messages import render_message

_BROKEN_OFF: Final = "Broken off before its outcome was recorded: it may have arrived, and goes out under the same id"
_MESSAGE_TYPES: Final = {
    DocumentFormat.PEPPOL: MessageType.INVOICE_RESPONSE,
    DocumentFormat.OIOUBL: MessageType.APPLICATION_RESPONSE,
}

TRIES: Final = Counter(
    "ledgerbee_incoming_answer_tries_total",
    "Tries to send an answer or a status of a message by outcome: sent, failed, refused",
    ["outcome"],
)
for _outcome in ("sent", "failed", "refused"):  # there from the start: a rate sees the first one
    TRIES.labels(_outcome)


@dataclass(frozen=True, slots=True)
class _End:
    """How a try ended, and what becomes of the answer."""

    outcome: AttemptOutcome
    message: str
    status: AnswerStatus
    provider_id: str | None = None


_INTERRUPTED: Final = _End(AttemptOutcome.FAILED, _BROKEN_OFF, AnswerStatus.PENDING)


async def send_answer(transport: Transport, run: JobRun) -> None:
    """Send an answer over the network, a sandbox's nowhere. Payload: `answerId`.

    One that was sent, given up or is under way elsewhere is left alone, and so is one whose turn hasn't come: the end
    of the one before it asks for it. A refusal for good and the last try mark it
    `failed`. Emits `incoming_document.answer_sent` or `incoming_document.answer_failed` where it ends, of the status
    of a message `incoming_message.status_sent` or `incoming_message.status_failed`.

    Raises what made a try fail, so that the worker tries again later: `TransportFailedError`,
    `TransportNotConfiguredError`, `INCOMING_ANSWER_UNDERWAY`, `DATABASE_UNAVAILABLE`.
    """
    answer_id = UUID(run.payload["answerId"])
    claimed = await run.write(lambda context: _claim(context, answer_id, has_worker_died=run.has_worker_died))
    if claimed is None:
        return
    answer, is_sandbox = claimed
    try:
        receipt = await hand_over(Nowhere() if is_sandbox else transport, _message(answer))
    except asyncio.CancelledError:  # the worker stops: the next one need not wait for this one's claim to lapse
        TRIES.labels("failed").inc()
        await run.write(lambda context: _record(context, answer, _INTERRUPTED))
        raise
    except Exception as fault:
        is_refused = isinstance(fault, TransportRefusedError)
        TRIES.labels("refused" if is_refused else "failed").inc()
        is_over = is_refused or run.attempt >= run.max_attempts
        status = AnswerStatus.FAILED if is_over else AnswerStatus.PENDING
        end = _End(AttemptOutcome.FAILED, run.words_of(fault, FORESEEN), status)
        await run.write(lambda context: _record(context, answer, end))
        if is_refused:
            return
        raise
    TRIES.labels("sent").inc()
    done = _End(AttemptOutcome.SENT, receipt.message, AnswerStatus.SENT, receipt.provider_id)
    await run.write(lambda context: _record(context, answer, done))


async def give_up(run: JobRun, reason: str) -> None:
    """End an answer as `failed`, with the reason. One that has ended stays as it is."""
    answer_id = UUID(run.payload["answerId"])
    why = run.given_up(reason)

    async def work(context: Context) -> None:
        answer = await store.find(context, answer_id)
        end = _End(AttemptOutcome.FAILED, why, AnswerStatus.FAILED)
        await _record(context, answer, end, is_try=False)

    await run.write(work)


async def _claim(context: Context, answer_id: UUID, *, has_worker_died: bool) -> tuple[Answer, bool] | None:
    """The answer, for this worker alone, and whether it is a sandbox's; None where there is nothing to do.

    Raises `INCOMING_ANSWER_UNDERWAY`.
    """
    answer = await store.get_for_update(context, answer_id)
    if not can_be_sent(answer.status) or not is_its_turn(await store.before(context, answer)):
        return None
    if was_interrupted(answer, context.now, has_worker_died=has_worker_died):
        attempt = AnswerAttempt(new_id(), answer_id, answer.updated_at, AttemptOutcome.FAILED, _BROKEN_OFF)
        await store.insert_attempt(context, attempt)
    await store.set_status(context, answer_id, AnswerStatus.SENDING, context.now)
    return answer, context.is_sandbox


def _message_type(answer: Answer) -> MessageType:
    is_status = answer.message_id is not None and answer.format is DocumentFormat.PEPPOL
    return MessageType.MESSAGE_LEVEL_STATUS if is_status else _MESSAGE_TYPES[answer.format]


def _message(answer: Answer) -> Message:
    return Message(
        id=answer.id,
        document_type=_message_type(answer),
        number=answer.document_number,
        form=EInvoiceFormat(answer.format.value),
        sender=answer.sender,
        receiver=answer.receiver,
        sender_country=answer.sender_country,
        content=answer.content,
    )


async def _record(context: Context, claimed: Answer, end: _End, *, is_try: bool = True) -> None:
    """Write how a try ended. Where the answer has ended meanwhile, its state stays."""
    if claimed.message_id is None:  # the document first, as whoever answers it does
        await documents.get_for_update(context, _document_of(claimed))
    answer = await store.get_for_update(context, claimed.id)
    message, provider_id = readable_reply(end.message), readable_id(end.provider_id)
    attempt = AnswerAttempt(new_id(), answer.id, context.now, end.outcome, message, provider_id)
    is_open = can_be_sent(answer.status)
    was = await _form(context, answer) if is_open else {}
    if is_try or is_open:
        await store.insert_attempt(context, attempt)
    if not is_open:
        return
    await store.set_status(context, answer.id, end.status, context.now)
    if end.status is AnswerStatus.PENDING:
        return
    following = await store.next_pending(context, answer)
    if following is not None:
        context.enqueue(SEND_ANSWER_JOB, answerId=str(following))
    is_sent, form = end.status is AnswerStatus.SENT, await _form(context, answer)
    if answer.message_id is not None and is_sent:
        context.emit("incoming_message.status_sent", answer.message_id, form, before=was)
    elif answer.message_id is not None:
        context.emit("incoming_message.status_failed", answer.message_id, form, before=was)
    elif is_sent:
        context.emit("incoming_document.answer_sent", _document_of(answer), form, before=was)
    else:
        context.emit("incoming_document.answer_failed", _document_of(answer), form, before=was)


async def _form(context: Context, answer: Answer) -> dict[str, Any]:
    """What events tell of: the message whose status it is, else the document that is answered."""
    if answer.message_id is not None:
        message = await store.with_status(context, await messages.get(context, answer.message_id))
        return render_message(message).as_event()
    (full,) = await store.with_answers(context, [await documents.get(context, _document_of(answer))])
    return render(full).as_event()


def _document_of(answer: Answer) -> IncomingDocumentId:
    assert answer.document_id is not None, "an answer is one to a document"
    return IncomingDocumentId(answer.document_id)


def _is_foreseen(fault: Exception) -> bool:
    """The other side is away or says later, none is set, another worker is at it, or the database is away."""
    if isinstance(fault, LedgerBeeError):
        return fault.status == 503 or fault.error_code is INCOMING_ANSWER_UNDERWAY
    return isinstance(fault, PASSING)


def answers_of(transport: Transport) -> JobKind:
    """The job that sends answers, as often as an e-invoice is tried."""
    return JobKind(
        run=partial(send_answer, transport),
        give_up=give_up,
        is_foreseen=_is_foreseen,
        max_attempts=8,
        max_unforeseen=4,
        first_pause=timedelta(seconds=15),
        longest_pause=timedelta(hours=16),
    )
