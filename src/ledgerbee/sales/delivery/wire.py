"""The delivery of a document on the wire."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field, WithJsonSchema

from ledgerbee.core.paging import PageRequest
from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.http.list_query import Limit, ListQuery, PageNumber, SortOrder
from ledgerbee.http.wire import IdText, Moment, PageResponse, RequestModel, ResponseModel
from ledgerbee.sales.delivery.model import (
    Attempt,
    Delivery,
    DeliveryInList,
    DeliveryStatus,
    DeliveryType,
    Outcome,
    Recipient,
    RecipientId,
    RecipientStatus,
    SentMessage,
)
from ledgerbee.sales.delivery.reports import DeliveryReport
from ledgerbee.sales.documents.model import DocumentKind


class DeliveryAttemptResponse(ResponseModel):
    """One try to deliver."""

    at: Moment
    channel: str = Field(examples=["smtp"])
    recipient: str = Field(examples=["faktura@example.com"])
    outcome: Outcome = Field(description="`bounced`: it was accepted, and came back later")
    message: str | None = Field(examples=["250 2.0.0 Ok: queued as 4F1A2"])
    provider_id: str | None


class DeliveryRecipientResponse(ResponseModel):
    """One recipient of a delivery."""

    id: IdText = Field(description="It names the mail: `Message-ID`")
    address: str = Field(description="Where it goes", examples=["faktura@example.com"])
    status: RecipientStatus = Field(
        description="`pending`: it waits for a try, the first or another; `failed`: refused for good, or tried in "
        "vain; `bounced`: it was accepted, and came back later"
    )
    reason: str | None = Field(
        description="Why it gets nothing any more, mostly in the mail server's words; null otherwise",
        examples=["550 5.1.1 No such user"],
    )
    message_size: int | None = Field(
        description="Bytes of the mail as it was handed to the mail server, which is kept; null before the first try",
        examples=[48213],
    )


class DeliveryStatusResponse(ResponseModel):
    """Where the delivery of a document stands."""

    status: DeliveryStatus = Field(description="`pending` also before it is sent")
    delivery_type: DeliveryType | None = Field(description="Null before it is sent")
    recipients: list[DeliveryRecipientResponse] = Field(
        description="Whom the newest delivery goes to, each with a mail of its own; none for `Manual` (extension)"
    )
    attempts: list[DeliveryAttemptResponse] = Field(description="Of all its deliveries, oldest first")


def render_recipients(
    recipients: Sequence[Recipient], messages: Mapping[RecipientId, SentMessage]
) -> list[DeliveryRecipientResponse]:
    """The recipients of a delivery, in their order."""
    return [
        DeliveryRecipientResponse(
            id=one.id,
            address=one.address,
            status=one.status,
            reason=one.reason,
            message_size=messages[one.id].size if one.id in messages else None,
        )
        for one in recipients
    ]


def render_status(
    latest: Delivery | None,
    attempts: Sequence[Attempt],
    recipients: Sequence[Recipient],
    messages: Mapping[RecipientId, SentMessage],
) -> DeliveryStatusResponse:
    """Where the newest delivery of a document stands, with its recipients, and the attempts of all."""
    return DeliveryStatusResponse(
        status=latest.status if latest else DeliveryStatus.PENDING,
        delivery_type=latest.delivery_type if latest else None,
        recipients=render_recipients(recipients, messages),
        attempts=[DeliveryAttemptResponse.model_validate(attempt) for attempt in attempts],
    )


class ListedRecipientResponse(ResponseModel):
    """One recipient of a delivery in the list."""

    id: IdText = Field(description="It names the mail: `Message-ID`")
    address: str = Field(description="Where it goes", examples=["faktura@example.com"])
    status: RecipientStatus = Field(description="Where it stands")
    reason: str | None = Field(
        description="Why it gets nothing any more; null otherwise", examples=["550 5.1.1 No such user"]
    )


class DeliveryResponse(ResponseModel):
    """The newest delivery of a document."""

    id: IdText
    document_type: DocumentKind = Field(description="The kind of document")
    document_id: IdText = Field(description="The document")
    document_number: str = Field(description="Its number", examples=["1042"])
    delivery_type: DeliveryType = Field(description="How it is delivered")
    status: DeliveryStatus = Field(description="Where it stands")
    recipients: list[ListedRecipientResponse] = Field(description="Whom it goes to; none for `Manual`")
    created_at: Moment
    updated_at: Moment


class ListDeliveriesResponse(PageResponse[DeliveryResponse]):
    """A page of deliveries."""


class DeliverySortBy(StrEnum):
    """Field to sort by."""

    CREATED_AT = "createdAt"


class DeliveryQuery(BaseModel):
    """The query parameters of the list, which has no search."""

    model_config = ListQuery.model_config

    page: PageNumber = 1
    limit: Limit = 25
    status: Annotated[
        DeliveryStatus | None, WithJsonSchema({"type": "string", "enum": [status.value for status in DeliveryStatus]})
    ] = Field(None, description="Only deliveries that stand there; `failed`: nobody tries again")
    document_type: Annotated[
        DocumentKind | None, WithJsonSchema({"type": "string", "enum": [kind.value for kind in DocumentKind]})
    ] = Field(None, description="Only deliveries of this kind of document")
    sort_by: DeliverySortBy = Field(DeliverySortBy.CREATED_AT, description="Field to sort by")
    sort_order: SortOrder = Field(SortOrder.DESC, description="Sort direction")

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit, None, str(self.sort_by), self.sort_order is SortOrder.DESC)


class DeliveryMessageResponse(ResponseModel):
    """A mail as it was handed to the mail server."""

    recipient_id: IdText = Field(description="Whose it is")
    address: str = Field(description="Where it goes", examples=["faktura@example.com"])
    created_at: Moment
    content: str = Field(description="The mail (RFC 5322), as base64", examples=["TWVzc2FnZS1JRDogPDE+DQo="])


class DeliveryMessagesResponse(ResponseModel):
    """The mails of a delivery."""

    messages: list[DeliveryMessageResponse] = Field(description="In the order of the recipients")


class CreateBounceRequest(RequestModel):
    """A mail that came back."""

    message: Annotated[str, Field(strict=True, min_length=1)] = Field(
        description="The report as it came in (RFC 3464), headers and all, as text. Its first 256 KiB are read",
        examples=["Content-Type: multipart/report; report-type=delivery-status\n"],
        json_schema_extra={"maxLength": LARGE_BODY},
    )


class RecordBounceResponse(ResponseModel):
    """What was read in the report."""

    delivery_id: IdText = Field(description="The delivery whose mail it is about")
    recipient_id: IdText = Field(description="The recipient of that mail")
    action: str = Field(
        description="What the mail server says became of it; only `failed` is recorded", examples=["failed"]
    )
    reason: str = Field(description="Why, in the mail server's words", examples=["550 5.1.1 No such user"])


def render(listed: DeliveryInList) -> DeliveryResponse:
    """A delivery in the list."""
    delivery = listed.delivery
    return DeliveryResponse(
        id=delivery.id,
        document_type=delivery.document_type,
        document_id=delivery.document_id,
        document_number=listed.document_number,
        delivery_type=delivery.delivery_type,
        status=delivery.status,
        recipients=[ListedRecipientResponse.model_validate(one) for one in listed.recipients],
        created_at=delivery.created_at,
        updated_at=delivery.updated_at,
    )


def render_message(recipient: Recipient, message: SentMessage, content: bytes) -> DeliveryMessageResponse:
    """A kept mail."""
    return DeliveryMessageResponse(
        recipient_id=recipient.id,
        address=recipient.address,
        created_at=message.created_at,
        content=b64encode(content).decode(),
    )


def render_report(recipient: Recipient, report: DeliveryReport) -> RecordBounceResponse:
    """What was read in a report."""
    return RecordBounceResponse(
        delivery_id=recipient.delivery_id, recipient_id=recipient.id, action=report.action, reason=report.reason
    )
