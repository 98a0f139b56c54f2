"""What becomes of a message that brings an e-invoice: it is kept, and its status is written, to leave by the worker."""

from dataclasses import asdict, dataclass, replace
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.network.answering import OioublCode, Reply, application_response, message_level_status
from ledgerbee.network.model import ACCESS_POINTS, EInvoiceFormat
from ledgerbee.network.transport.model import digest_of
from ledgerbee.platform.context import Context
from ledgerbee.purchases.incoming_documents import store as documents
from ledgerbee.purchases.incoming_documents.answers import store as answers
from ledgerbee.purchases.incoming_documents.answers.actions import (
    SEND_ANSWER_JOB,
    answered_document,
    participant,
    parties_of,
)
from ledgerbee.purchases.incoming_documents.answers.store import messages
from ledgerbee.purchases.incoming_documents.model import (
    INCOMING_DOCUMENT_NOT_ANSWERABLE,
    Answer,
    AnswerStatus,
    DocumentFormat,
    FullIncomingMessage,
    IncomingDocument,
    Problem,
    ProblemCode,
    ReceivedDocument,
    ReceivedFile,
    SentAnswer,
)
from ledgerbee.purchases.incoming_documents.model.messages import Envelope, IncomingMessage, StatusOmitted
from ledgerbee.purchases.incoming_documents.rules import messages as rules
from ledgerbee.purchases.incoming_documents.wire.messages import render_message
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company


@dataclass(frozen=True, slots=True)
class _Written:
    """A status as it will be sent: what it says, in which format, between which participants and what it is about."""

    id: UUID
    code: str
    note: str | None
    format: DocumentFormat
    sender: str
    receiver: str
    about: str
    content: bytes


async def receive(
    context: Context, envelope: Envelope, document: IncomingDocument, read: ReceivedDocument
) -> FullIncomingMessage:
    """Keep the message that brought a document, new or not, with the status that it gets.

    One that came before is left as it is; its status is sent again, byte for byte and under its id, where that had
    failed. Emits `incoming_message.received` unless nothing changes. The caller holds the company's turn. Raises
    `INCOMING_MESSAGE_DIFFERS`.
    """
    known = await _repeated(context, envelope, document.hash)
    if known is not None:
        return known
    problems = [Problem(ProblemCode(row["code"]), row["message"]) for row in document.details["problems"]]
    verdict = rules.verdict_on(problems)
    message = _message(context, envelope, document.hash, verdict, document.document_format)
    message = replace(message, document_id=document.id)
    if message.omitted is not None:
        return await _keep(context, message, None)
    try:
        written = (
            _technical_reject(context, await companies.get(context), document, read, verdict)
            if document.document_format is DocumentFormat.OIOUBL
            else _level_status(context, envelope, verdict)
        )
    except LedgerBeeError as fault:
        if fault.error_code is not INCOMING_DOCUMENT_NOT_ANSWERABLE:
            raise
        return await _keep(context, replace(message, omitted=StatusOmitted.ADDRESS_UNKNOWN), None)
    return await _keep(context, message, written)


async def refuse(context: Context, envelope: Envelope, file: ReceivedFile, reason: str) -> FullIncomingMessage:
    """Keep a message whose file can't be read, with the status that says so.

    As `receive` where it came before. Emits `incoming_message.received`. Raises `INCOMING_MESSAGE_DIFFERS`.
    """
    await documents.wait_for_turn(context)
    known = await _repeated(context, envelope, file.hash)
    if known is not None:
        return known
    verdict = rules.verdict_on_unreadable(reason)
    message = _message(context, envelope, file.hash, verdict, None)
    return await _keep(context, message, None if message.omitted else _level_status(context, envelope, verdict))


async def _repeated(context: Context, envelope: Envelope, content_hash: bytes) -> FullIncomingMessage | None:
    """The message that came under this id before, its status on its way again where that had failed; None for a new
    one. Raises `INCOMING_MESSAGE_DIFFERS`."""
    found = await messages.find(context, envelope.message_id)
    if found is None:
        return None
    rules.check_same(found, content_hash)
    before = await answers.with_status(context, found)
    if before.status is None or not rules.is_to_be_sent_again(before):
        return before
    answer = replace(before.status.answer, status=AnswerStatus.PENDING, updated_at=context.now)
    after = replace(before, status=replace(before.status, answer=answer))
    await answers.set_status(context, answer.id, AnswerStatus.PENDING, context.now)
    context.enqueue(SEND_ANSWER_JOB, answerId=str(answer.id))
    form, was = render_message(after).as_event(), render_message(before).as_event()
    context.emit("incoming_message.received", found.id, form, before=was)
    return after


async def _keep(context: Context, message: IncomingMessage, written: _Written | None) -> FullIncomingMessage:
    await messages.insert(context, message)
    full = FullIncomingMessage(message)
    if written is not None:
        status = _row(context, await companies.get(context), message, written)
        await answers.insert(context, status)
        context.enqueue(SEND_ANSWER_JOB, answerId=str(status.id))
        full = FullIncomingMessage(message, SentAnswer(status))
    context.emit("incoming_message.received", message.id, render_message(full).as_event())
    return full


def _message(
    context: Context, envelope: Envelope, content_hash: bytes, verdict: rules.Verdict, form: DocumentFormat | None
) -> IncomingMessage:
    return IncomingMessage(
        id=new_id(),
        message_id=envelope.message_id,
        hash=content_hash,
        document_id=None,
        sender_access_point=envelope.sender_access_point,
        receiver_access_point=envelope.receiver_access_point,
        mls_to=envelope.mls_to,
        mls_type=envelope.mls_type,
        issues=[asdict(issue) for issue in verdict.issues],
        omitted=rules.omitted(form, envelope, verdict),
        created_at=context.now,
    )


def _level_status(context: Context, envelope: Envelope, verdict: rules.Verdict) -> _Written:
    """A Message Level Status, of a message that gets one."""
    between = rules.between(envelope)
    assert between is not None, "a status that goes nowhere is omitted"
    status_id, message_id = new_id(), envelope.message_id
    content = message_level_status(
        str(status_id), context.now, between, message_id, verdict.code, verdict.text, verdict.issues
    )
    sender, receiver = (f"{ACCESS_POINTS}:{one}" for one in between)
    return _Written(status_id, verdict.code, verdict.text, DocumentFormat.PEPPOL, sender, receiver, message_id, content)


def _technical_reject(
    context: Context, company: Company, document: IncomingDocument, read: ReceivedDocument, verdict: rules.Verdict
) -> _Written:
    """OIOUBL's ApplicationResponse to a document that is refused. Raises `INCOMING_DOCUMENT_NOT_ANSWERABLE`."""
    sender, receiver = parties_of(company, read, EInvoiceFormat.OIOUBL)
    status_id, code, number = new_id(), OioublCode.TECHNICAL_REJECT, document.document_number
    note = f"{verdict.text}. {'; '.join(issue.text for issue in verdict.issues)}"
    reply = Reply(str(status_id), context.now, sender, receiver)
    content = application_response(reply, answered_document(read), code, note)
    ends = participant(sender.endpoint), participant(receiver.endpoint)
    return _Written(status_id, code, note, DocumentFormat.OIOUBL, *ends, number, content)


def _row(context: Context, company: Company, message: IncomingMessage, written: _Written) -> Answer:
    return Answer(
        id=written.id,
        document_id=message.document_id,
        message_id=message.id,
        code=written.code,
        note=written.note,
        format=written.format,
        sender=written.sender,
        receiver=written.receiver,
        sender_country=company.country_code,
        document_number=written.about,
        sha256=digest_of(written.content),
        content=written.content,
        status=AnswerStatus.PENDING,
        created_at=context.now,
        updated_at=context.now,
    )
