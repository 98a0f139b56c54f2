"""Answers to incoming documents on the wire."""

from pydantic import Field

from ledgerbee.http.wire import IdText, Moment, ResponseModel
from ledgerbee.purchases.incoming_documents.model import (
    AnswerCode,
    AnswerReason,
    AnswerStatus,
    AttemptOutcome,
    SentAnswer,
)


class AnswerAttemptResponse(ResponseModel):
    """A try to send an answer."""

    at: Moment
    outcome: AttemptOutcome = Field(description="How it ended")
    message: str = Field(description="What the other side said, or what went wrong")
    provider_id: str | None = Field(description="The other side's own id for the answer; null: it told none")


class IncomingAnswerResponse(ResponseModel):
    """An answer to an incoming document."""

    id: IdText = Field(description="The unique identifier of the answer, by which the other side knows it")
    answer: AnswerCode = Field(description="What was answered")
    code: str = Field(description="The format's own code for it", examples=["AP"])
    reason: AnswerReason | None = Field(description="Why, by Peppol's list OPStatusReason; null where none was given")
    note: str | None = Field(description="Why, in words")
    status: AnswerStatus = Field(
        description="`pending`: it waits for the worker. `sending`: it is under way. `sent`: the folder or the access "
        "point has it. `failed`: it was refused or given up; the same request sends it again"
    )
    receiver: str = Field(description="Whom it goes to, an address in the network", examples=["0184:25313763"])
    sha256: str = Field(description="SHA-256 of the answer's XML, as hexadecimal digits")
    attempts: list[AnswerAttemptResponse] = Field(description="Every try to send it, oldest first")
    created_at: Moment
    updated_at: Moment


def render_answer(sent: SentAnswer) -> IncomingAnswerResponse:
    """The wire form of an answer."""
    answer = sent.answer
    return IncomingAnswerResponse(
        id=answer.id,
        answer=answer.given.answer,
        code=answer.code,
        reason=answer.reason,
        note=answer.note,
        status=answer.status,
        receiver=answer.receiver,
        sha256=answer.sha256.hex(),
        attempts=[AnswerAttemptResponse.of_row(one) for one in sent.attempts],
        created_at=answer.created_at,
        updated_at=answer.updated_at,
    )
