"""Messages that brought e-invoices on the wire: their envelopes in requests, and their statuses."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from ledgerbee.core.errors import refuse
from ledgerbee.http.wire import IdText, Moment, RequestModel, ResponseModel
from ledgerbee.network.answering import IssueCode
from ledgerbee.network.model import ACCESS_POINTS
from ledgerbee.purchases.incoming_documents.model import AnswerStatus, FullIncomingMessage, SentAnswer
from ledgerbee.purchases.incoming_documents.model.messages import Envelope, MlsType, StatusOmitted
from ledgerbee.purchases.incoming_documents.wire.answers import AnswerAttemptResponse

_DIGITS: Final = 6
_EXAMPLE: Final = "90f14eff-3705-4869-ad3c-caae270a234e"

MessageId = Annotated[str, StringConstraints(strict=True, pattern="^[!-~]{1,200}$"), Field(examples=[_EXAMPLE])]
#: By the common name of its certificate, or the digits of that alone.
AccessPoint = Annotated[
    str,
    StringConstraints(strict=True, pattern=f"^([A-Z]{{3}})?[0-9]{{{_DIGITS}}}$"),
    AfterValidator(lambda name: name[-_DIGITS:]),
    Field(examples=["POP000456"]),
]
#: A provider id of Peppol (SPIS): the digits, and what a provider may add for its own parts.
ProviderId = Annotated[
    str,
    StringConstraints(
        strict=True,
        pattern=f"^({ACCESS_POINTS}:)?[0-9]{{{_DIGITS}}}(-[0-9A-Za-z_]{{3,12}}([.][0-9A-Za-z._~-]{{3,24}})?)?$",
    ),
    AfterValidator(lambda text: text.removeprefix(f"{ACCESS_POINTS}:")),
    Field(examples=["0242:000456-BILLING"]),
]
_MESSAGE_ID: Final = "The message's id, by which its status is known (`InstanceIdentifier` of the envelope)"
_SENDER: Final = "The access point that sent the message: the common name of its certificate, or the six digits of that"
_RECEIVER: Final = "The access point that took the message in, which says the status"
_MLS_TO: Final = "Where the status goes (`MLS_TO` of the envelope). Default: `senderAccessPoint`"
_MLS_TYPE: Final = (
    "`MLS_TYPE` of the envelope. `FAILURE_ONLY`: only what is refused gets a status; Peppol takes an envelope without "
    "one to say so"
)


class EnvelopeRequest(RequestModel):
    """What an access point knows of a message beside the document in it."""

    message_id: MessageId = Field(description=_MESSAGE_ID)
    sender_access_point: AccessPoint | None = Field(None, description=_SENDER)
    receiver_access_point: AccessPoint | None = Field(None, description=_RECEIVER)
    mls_to: ProviderId | None = Field(None, description=_MLS_TO)
    mls_type: MlsType = Field(MlsType.ALWAYS_SEND, description=_MLS_TYPE)

    @property
    def told(self) -> Envelope:
        """The envelope."""
        return Envelope(
            self.message_id, self.sender_access_point, self.receiver_access_point, self.mls_to, self.mls_type
        )


class EnvelopeQuery(BaseModel):
    """The same beside a body that is the file itself."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    message_id: MessageId | None = Field(None, description=f"{_MESSAGE_ID}. For `application/xml`; JSON has `envelope`")
    sender_access_point: AccessPoint | None = Field(None, description=_SENDER)
    receiver_access_point: AccessPoint | None = Field(None, description=_RECEIVER)
    mls_to: ProviderId | None = Field(None, description=_MLS_TO)
    mls_type: MlsType | None = Field(None, description=f"{_MLS_TYPE}. Default: `ALWAYS_SEND`")

    @property
    def told(self) -> Envelope | None:
        """The envelope, None where nothing is said of it. Raises a validation error for one without a message id."""
        if self.message_id is not None:
            return Envelope(
                self.message_id,
                self.sender_access_point,
                self.receiver_access_point,
                self.mls_to,
                self.mls_type or MlsType.ALWAYS_SEND,
            )
        if self.is_told:
            refuse([("messageId", "isNotEmpty", "messageId is required with what else the envelope says")])
        return None

    @property
    def is_told(self) -> bool:
        """Whether anything is said of an envelope."""
        return any(value is not None for value in self.model_dump().values())


class MessageIssueResponse(ResponseModel):
    """Something that is wrong with a message."""

    code: IssueCode = Field(
        description="`SV`: it can't be read. `BV`: it breaks a rule. `BW`: a warning. `FD`: it can't be delivered"
    )
    location: str = Field(description="Where, as an XPath; `NA`: not known", examples=["NA"])
    text: str = Field(description="What it is")


class MessageStatusResponse(ResponseModel):
    """What is said of a message: a Message Level Status, or OIOUBL's ApplicationResponse."""

    id: IdText = Field(description="The unique identifier of the status, by which the other side knows it")
    code: str = Field(
        description="`AP`: the document is here. `AB`: it is here, but may be for somebody else. `RE`: it is refused. "
        "In OIOUBL `TechnicalReject`",
        examples=["AP"],
    )
    note: str | None = Field(description="Why it is refused; null: it isn't")
    status: AnswerStatus = Field(
        description="`pending`: it waits for the worker. `sending`: it is under way. `sent`: the folder or the access "
        "point has it. `failed`: it was refused or given up; the same message once more sends it again"
    )
    receiver: str = Field(description="Whom it goes to, an address in the network", examples=["0242:000456"])
    sha256: str = Field(description="SHA-256 of the status's XML, as hexadecimal digits")
    attempts: list[AnswerAttemptResponse] = Field(description="Every try to send it, oldest first")
    created_at: Moment
    updated_at: Moment


class IncomingMessageResponse(ResponseModel):
    """A message of the network that brought an e-invoice."""

    id: IdText
    message_id: str = Field(description=_MESSAGE_ID, examples=[_EXAMPLE])
    incoming_document_id: IdText | None = Field(description="The document that it brought; null: it can't be read")
    sender_access_point: str | None = Field(
        description="The access point that sent it; null: not told", examples=["000456"]
    )
    receiver_access_point: str | None = Field(
        description="The access point that took it in; null: not told", examples=["000123"]
    )
    mls_to: str | None = Field(description="Where the sender wants the status; null: at its access point")
    mls_type: MlsType = Field(description="Which statuses the sender wants")
    issues: list[MessageIssueResponse] = Field(description="What is wrong with it")
    status: MessageStatusResponse | None = Field(description="What is said of it; null: nothing, see `statusOmitted`")
    status_omitted: StatusOmitted | None = Field(
        description="Why it gets no status. `NOT_ASKED_FOR`: it isn't refused, and the sender wants no other. "
        "`NONE_IN_FORMAT`: OIOUBL has none for what isn't refused. `ACCESS_POINT_UNKNOWN`: the envelope doesn't tell "
        "between which access points. `ADDRESS_UNKNOWN`: the document doesn't tell between whom"
    )
    created_at: Moment


def render_message(full: FullIncomingMessage) -> IncomingMessageResponse:
    """The wire form of a message."""
    message = full.message
    return IncomingMessageResponse(
        id=message.id,
        message_id=message.message_id,
        incoming_document_id=message.document_id,
        sender_access_point=message.sender_access_point,
        receiver_access_point=message.receiver_access_point,
        mls_to=message.mls_to,
        mls_type=message.mls_type,
        issues=[MessageIssueResponse(**issue) for issue in message.issues],
        status=None if full.status is None else _status(full.status),
        status_omitted=message.omitted,
        created_at=message.created_at,
    )


def _status(sent: SentAnswer) -> MessageStatusResponse:
    status = sent.answer
    return MessageStatusResponse(
        id=status.id,
        code=status.code,
        note=status.note,
        status=status.status,
        receiver=status.receiver,
        sha256=status.sha256.hex(),
        attempts=[AnswerAttemptResponse.of_row(one) for one in sent.attempts],
        created_at=status.created_at,
        updated_at=status.updated_at,
    )
