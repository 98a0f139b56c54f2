"""Events of the sandbox provider on the wire."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, Field

from ledgerbee.core.fields import fields_of
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.list_query import Limit, ListQuery, PageNumber
from ledgerbee.http.wire import Id, IdText, Moment, PageResponse, RequestModel, ResponseModel, omitted
from ledgerbee.payments.providers.sandbox.model import EventType
from ledgerbee.payments.sandbox_events import rules
from ledgerbee.payments.sandbox_events.model import SentEvent, WantedEvent

#: Not the enum itself: the list has types that nobody can ask for.
_Type = Literal[
    "agreement.active",
    "agreement.cancelled",
    "charge.requires_action",
    "charge.succeeded",
    "charge.failed",
    "refund.succeeded",
    "refund.failed",
    "dispute.opened",
    "dispute.won",
    "dispute.lost",
]


class SandboxEventResponse(ResponseModel):
    """An event of the sandbox provider."""

    id: IdText
    type: str = Field(description="What it says has happened", examples=["charge.succeeded"])
    subject: Literal["agreement", "charge", "refund", "dispute"] = Field(
        description="What it is about; `agreement` is a saved card"
    )
    object_id: str = Field(
        description="The provider's id of that (a charge's `providerId`); a dispute has the id of its charge",
        examples=["0198f0a4-3d1c-7c5e-8a54-6d0f1f2b7c01"],
    )
    reference: str | None = Field(
        description="What we call that, where the provider knows it", examples=["7K2M9QX4ZD1P5RTA"]
    )
    received_at: Moment | None = Field(
        description="When it came in first; null until it has. Once more, it changes nothing"
    )
    created_at: Moment


class ListSandboxEventsResponse(PageResponse[SandboxEventResponse]):
    """A page of events."""


class SandboxEventQuery(BaseModel):
    """The query parameters of the list, which has one order."""

    model_config = ListQuery.model_config

    page: PageNumber = 1
    limit: Limit = 25

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit)


class SendSandboxEventRequest(RequestModel):
    """What is sent: `eventId`, or `type` with what it is about."""

    event_id: Id = omitted(description="An event that is sent once more, as it is")
    type: _Type = omitted(description="What a new event says has happened", examples=["charge.failed"])
    charge_id: Id = omitted(description="The charge that `charge.…` or `dispute.…` is about")
    refund_id: Id = omitted(description="The refund that `refund.…` is about")
    payment_method_id: Id = omitted(description="The saved card that `agreement.…` is about")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """One event, and all that it needs."""
        yield lambda: rules.check_wanted(wanted_of(self))


def wanted_of(body: SendSandboxEventRequest) -> WantedEvent:
    """What a body wants to be sent."""
    type_ = None if body.type is None else EventType(body.type)
    return WantedEvent(**{**fields_of(body, WantedEvent), "type": type_})


def render(sent: SentEvent) -> SandboxEventResponse:
    """An event on the wire."""
    known: dict[str, Any] = fields_of(sent.event)
    return SandboxEventResponse(**known, received_at=sent.received_at)
