"""Deliveries of events on the wire (ours)."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, StringConstraints, WithJsonSchema

from ledgerbee.core.errors import check_unique
from ledgerbee.core.fields import fields_of
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import RequestMoment
from ledgerbee.http.list_query import Limit, ListQuery, PageNumber
from ledgerbee.http.wire import (
    Id,
    IdText,
    Moment,
    PageResponse,
    RequestModel,
    ResponseModel,
    WholeNumber,
    omitted,
)
from ledgerbee.webhooks.deliveries import rules
from ledgerbee.webhooks.deliveries.model import (
    MAX_ANSWER,
    MAX_NAMED,
    REPLAYED_BACK,
    DeliveryFilter,
    DeliveryStatus,
    Replay,
    WebhookDelivery,
)

_QueryId = Annotated[Id | None, WithJsonSchema({"type": "string", "format": "uuid"})]
_QueryTopic = Annotated[
    Annotated[str, StringConstraints(max_length=200)] | None,
    WithJsonSchema({"type": "string", "maxLength": 200, "examples": ["invoice.paid"]}),
]
#: Not the enum itself: in the document its name is that of a sent document's status.
_Status = Literal["pending", "delivered", "failed", "skipped"]


class WebhookAttemptResponse(ResponseModel):
    """One attempt to deliver."""

    at: Moment = Field(description="When it was sent")
    status: WholeNumber | None = Field(description="HTTP status of the answer; null without one", examples=[503])
    duration_ms: WholeNumber = Field(
        description="Milliseconds until the answer, or until it was given up", examples=[84]
    )
    answer: str | None = Field(
        description=f"The start of the answer's body, {MAX_ANSWER} bytes of it at most", examples=["Try later"]
    )
    error: str | None = Field(
        description="What went wrong where there was no answer; null where one began, also if it broke off",
        examples=["Connection refused"],
    )


class WebhookDeliveryResponse(ResponseModel):
    """One event for one endpoint, with its attempts."""

    id: IdText
    event_id: IdText = Field(description="The event: `webhook-id`, and `id` in the body")
    event_type: str = Field(description="The event's topic", examples=["invoice.paid"])
    object_id: IdText = Field(description="The object that the event is about")
    status: _Status = Field(
        description="`pending`: it waits for an attempt; `failed`: given up after the last one; `skipped`: the "
        "endpoint was disabled"
    )
    attempts: list[WebhookAttemptResponse] = Field(description="Eight at most, oldest first")
    next_attempt_at: Moment | None = Field(
        description="When it is tried next; null where it has ended, or waits for an earlier event of its object"
    )
    created_at: Moment
    finished_at: Moment | None = Field(description="When it ended; null while it is pending")


class ListWebhookDeliveriesResponse(PageResponse[WebhookDeliveryResponse]):
    """A page of deliveries."""


class WebhookDeliveryQuery(BaseModel):
    """The query parameters of the log, which has one order."""

    model_config = ListQuery.model_config

    page: PageNumber = 1
    limit: Limit = 25
    status: Annotated[_Status | None, WithJsonSchema({"type": "string", "enum": list(get_args(_Status))})] = Field(
        None, description="Only deliveries that stand so"
    )
    event_type: _QueryTopic = Field(None, description="Only of events of this topic")
    object_id: _QueryId = Field(None, description="Only of events of this object")
    event_id: _QueryId = Field(None, description="Only of this event")

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit)

    @property
    def wanted(self) -> DeliveryFilter:
        """What the list is narrowed to."""
        status = None if self.status is None else DeliveryStatus(self.status)
        return DeliveryFilter(**{**fields_of(self, DeliveryFilter), "status": status})


class ReplayEventsRequest(RequestModel):
    """What is sent again: `eventIds`, or `from` with or without `to`, or `failed`."""

    event_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_NAMED)] = omitted(
        description="These events, whatever the endpoint subscribes to"
    )
    since: RequestMoment = omitted(
        alias="from",
        description="What the endpoint subscribes to and happened from this moment on, at most "
        f"{REPLAYED_BACK.days} days ago",
    )
    until: RequestMoment = omitted(alias="to", description="Last moment, inclusive; left out: now")
    failed: Annotated[bool, Field(strict=True)] = omitted(
        description="What failed or was skipped, and was neither delivered nor queued since", examples=[True]
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """One of the ways to say it, and a time to replay."""
        yield lambda: rules.check_replay(replay_of(self), facts.now)
        yield lambda: check_unique("eventIds", self.event_ids or ())


class ReplayResponse(ResponseModel):
    """What came of a replay."""

    count: WholeNumber = Field(
        description="Deliveries that were made: an event that waits to be sent already gets no other", examples=[3]
    )


def replay_of(body: ReplayEventsRequest) -> Replay:
    """What a body wants to be sent again."""
    return Replay(event_ids=body.event_ids, since=body.since, until=body.until, failed=bool(body.failed))


def render(delivery: WebhookDelivery) -> WebhookDeliveryResponse:
    """A delivery on the wire."""
    attempts = [WebhookAttemptResponse(**fields_of(one)) for one in delivery.attempts]
    shown: dict[str, Any] = {**fields_of(delivery), "attempts": attempts}
    return WebhookDeliveryResponse(**{name: shown[name] for name in WebhookDeliveryResponse.model_fields})
