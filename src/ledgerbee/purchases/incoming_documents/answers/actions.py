"""Answering documents that came in: the answer is written and kept, and leaves by the worker."""

from dataclasses import replace
from typing import Final

from ledgerbee.core.ids import new_id
from ledgerbee.network.answering import (
    AnsweredDocument,
    AnsweringParty,
    Reply,
    application_response,
    invoice_response,
)
from ledgerbee.network.model import EInvoiceFormat, MessageType
from ledgerbee.network.transport.model import digest_of
from ledgerbee.parties.endpoints import Identifier, in_network
from ledgerbee.platform.context import Context
from ledgerbee.purchases.incoming_documents import store
from ledgerbee.purchases.incoming_documents.answers import store as answers
from ledgerbee.purchases.incoming_documents.model import (
    Answer,
    AnswerGiven,
    AnswerReason,
    AnswerStatus,
    FullIncomingDocument,
    IncomingDocumentId,
    ProblemCode,
    ReceivedDocument,
    SentAnswer,
)
from ledgerbee.purchases.incoming_documents.rules import answering as rules
from ledgerbee.purchases.incoming_documents.rules.parties import Known, check_parties
from ledgerbee.purchases.incoming_documents.rules.types import code_of
from ledgerbee.purchases.incoming_documents.wire import render
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company

SEND_ANSWER_JOB: Final = "send_incoming_answer"


async def answer(
    context: Context, document_id: IncomingDocumentId, document: ReceivedDocument, given: AnswerGiven
) -> tuple[SentAnswer, bool]:
    """Answer a document; with False the answer that had failed and is sent again, byte for byte and under its id.

    Emits `incoming_document.answered`. Raises `INCOMING_DOCUMENT_NOT_FOUND`, `INCOMING_DOCUMENT_NOT_ANSWERABLE`,
    `INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED` and a validation error.
    """
    rules.check_given(given)
    before = await get_for_update(context, document_id)
    form = rules.format_of(before.document.document_format)
    rules.check_reason(given, before.document.document_format)
    again = rules.to_send_again(given, before.answers)
    earlier = before.answers if again is None else before.answers[:-1]
    if again is None:
        rules.check_next(given, before.document.document_format, before.answers)
        written = _written(context, before, document, given, form, await companies.get(context))
        await answers.insert(context, written)
        sent = SentAnswer(written)
        given_now = (*earlier, sent)
    else:
        await answers.set_status(context, again.answer.id, AnswerStatus.PENDING, context.now)
        sent = replace(again, answer=replace(again.answer, status=AnswerStatus.PENDING, updated_at=context.now))
        given_now = (*earlier, sent)
    after = replace(before, answers=given_now)
    if rules.is_its_turn(earlier):  # else it is sent when the one before it has ended
        context.enqueue(SEND_ANSWER_JOB, answerId=str(sent.answer.id))
    context.emit("incoming_document.answered", document_id, render(after).as_event(), before=render(before).as_event())
    return sent, again is None


async def get_for_update(context: Context, document_id: IncomingDocumentId) -> FullIncomingDocument:
    """A document with its answers, locked until the transaction ends. Raises `INCOMING_DOCUMENT_NOT_FOUND`."""
    (full,) = await answers.with_answers(context, [await store.get_for_update(context, document_id)])
    return full


def _written(
    context: Context,
    full: FullIncomingDocument,
    document: ReceivedDocument,
    given: AnswerGiven,
    form: EInvoiceFormat,
    company: Company,
) -> Answer:
    """The answer as it will be sent. Raises `INCOMING_DOCUMENT_NOT_ANSWERABLE`."""
    sender, receiver = parties_of(company, document, form)
    answer_id, at = new_id(), rules.moment_of(context.now, full.answers)
    reply = Reply(str(answer_id), at, sender, receiver)
    code, content = _content(reply, document, given, form)
    return Answer(
        id=answer_id,
        document_id=full.document.id,
        position=len(full.answers) + 1,
        answer=given.answer,
        code=code,
        reason=given.reason,
        note=given.note,
        format=full.document.document_format,
        sender=participant(sender.endpoint),
        receiver=participant(receiver.endpoint),
        sender_country=company.country_code,
        document_number=full.document.document_number,
        sha256=digest_of(content),
        content=content,
        status=AnswerStatus.PENDING,
        created_at=at,
        updated_at=at,
    )


def _content(reply: Reply, document: ReceivedDocument, given: AnswerGiven, form: EInvoiceFormat) -> tuple[str, bytes]:
    """The format's own code for the answer, and its XML."""
    answered = answered_document(document)
    if form is EInvoiceFormat.OIOUBL:
        oioubl = rules.OIOUBL_CODES[given.answer]
        return oioubl, application_response(reply, answered, oioubl, given.note)
    peppol = rules.PEPPOL_CODES[given.answer]
    reason = given.reason or AnswerReason.OTHER
    return peppol, invoice_response(reply, answered, peppol, given.note, reason)


def answered_document(document: ReceivedDocument) -> AnsweredDocument:
    """The document as an answer refers to it: as it names itself."""
    return AnsweredDocument(
        MessageType(document.type), document.true_number, document.issue_date, type_code=code_of(document)
    )


def parties_of(
    company: Company, document: ReceivedDocument, form: EInvoiceFormat
) -> tuple[AnsweringParty, AnsweringParty]:
    """Who answers a document, and who is answered. Raises `INCOMING_DOCUMENT_NOT_ANSWERABLE`."""
    known = Known(company.company_id, company.vat_number, company.country_code)
    found = check_parties(document.sender, document.receiver, known, company.name)
    is_ours = all(problem.code is not ProblemCode.RECEIVER_DIFFERS for problem in found)
    sender, receiver = rules.parties(document.sender, document.receiver, known, form, is_ours=is_ours)
    return AnsweringParty(company.name, sender), AnsweringParty(document.sender.name, receiver)


def participant(identifier: Identifier) -> str:
    """An address as a participant of the network: `0184:13585628`."""
    return f"{identifier.scheme}:{in_network(identifier)}"
