"""Answers to e-invoices on the wire."""

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

from pydantic import Field

from ledgerbee.http.wire import IdText, Moment, ResponseModel
from ledgerbee.sales.delivery.wire import DeliveryStatusResponse
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.einvoices.answers.model import Answer, AnswerKind, Received, Verdict
from ledgerbee.sales.einvoices.answers.rules import verdict


class EInvoiceAnswerResponse(ResponseModel):
    """An answer to an e-invoice."""

    id: IdText = Field(description="The unique identifier of the answer")
    kind: AnswerKind = Field(
        description="`application_response` (OIOUBL) and `invoice_response` (Peppol) come from the receiver, "
        "`message_level_status` and `message_level_response` (Peppol) from the network on the way to it"
    )
    code: str = Field(description="As it was answered", examples=["BusinessAccept"])
    verdict: Verdict = Field(description="What the code comes to; `underway` is neither yes nor no")
    text: str | None = Field(description="The reasons that were given", examples=["Unknown order number"])
    issue_date: date = Field(description="The day that the answer says of itself")
    received_at: Moment = Field(description="When it came in")


class ReceivedEInvoiceAnswerResponse(EInvoiceAnswerResponse):
    """An answer that was received, and what it is to."""

    document_type: DocumentKind = Field(description="What kind of document it is to")
    document_id: IdText = Field(description="The document that it is to")
    number: str = Field(description="The document's number", examples=["1042"])


class SentDeliveryStatusResponse(DeliveryStatusResponse):
    """Where the delivery of a document stands, and what was answered to it."""

    answers: list[EInvoiceAnswerResponse] = Field(
        default=[], description="Answers to the e-invoice, oldest first; left out where there are none (extension)"
    )


class WithAnswer(ResponseModel):
    """What a read of a single document has beside the document."""

    e_invoice_answer: EInvoiceAnswerResponse | None = Field(
        None, description="The newest answer to its e-invoice; left out where there is none (extension)"
    )


A = TypeVar("A", bound=WithAnswer)


def with_answer(model: type[A], shown: ResponseModel, answer: Answer | None) -> A:
    """A document as `model` shows it, with the newest answer to it."""
    fields = {name: getattr(shown, name) for name in type(shown).model_fields}
    return model(**fields, **({"e_invoice_answer": render_answer(answer)} if answer else {}))


def render_answer(answer: Answer) -> EInvoiceAnswerResponse:
    """The wire form of an answer."""
    return EInvoiceAnswerResponse(**_fields(answer))


def render_received(received: Received) -> ReceivedEInvoiceAnswerResponse:
    """The wire form of an answer with what it is to."""
    answered = received.answered
    return ReceivedEInvoiceAnswerResponse(
        **_fields(received.answer),
        document_type=answered.document_type,
        document_id=answered.document_id,
        number=answered.number,
    )


def event_form(received: Received) -> dict[str, Any]:
    """The wire form as JSON values, for an event."""
    return render_received(received).as_event()


def render_delivery(status: DeliveryStatusResponse, answers: Sequence[Answer]) -> SentDeliveryStatusResponse:
    """Where the newest delivery of a document stands, with the attempts of all and the answers."""
    fields: dict[str, Any] = {name: getattr(status, name) for name in type(status).model_fields}
    if answers:
        fields["answers"] = [render_answer(answer) for answer in answers]
    return SentDeliveryStatusResponse(**fields)


def _fields(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.id,
        "kind": answer.kind,
        "code": answer.code,
        "verdict": verdict(answer.code),
        "text": answer.text,
        "issue_date": answer.issue_date,
        "received_at": answer.received_at,
    }
