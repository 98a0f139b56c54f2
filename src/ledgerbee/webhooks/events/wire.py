"""The feed of events on the wire (ours)."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.core.errors import shortened
from ledgerbee.http.fields import RequestMoment
from ledgerbee.http.list_query import Limit, ListQuery
from ledgerbee.http.wire import EXAMPLE_ID, EXAMPLE_MOMENT, Id, IdText, Moment, ResponseModel, WholeNumber
from ledgerbee.webhooks.events.model import FeedFilter
from ledgerbee.webhooks.topics import TOPICS

#: What `nextCursor` is: a position. Callers pass on what they got.
_CURSOR: Final = re.compile(r"[0-9]{1,18}")


def _to_position(value: Any) -> int:
    if isinstance(value, str) and _CURSOR.fullmatch(value):
        return int(value)
    raise PydanticCustomError("matches", "must be the `nextCursor` of an answer")


def _check_topics(value: str | None) -> str | None:
    for one in () if value is None else value.split(","):
        if one not in TOPICS:
            raise PydanticCustomError(
                "isEnum", "must be topics of events, separated by commas: {one} is none", {"one": shortened(one)}
            )
    return value


_Cursor = Annotated[
    int | None,
    BeforeValidator(_to_position),
    WithJsonSchema({"type": "string", "pattern": f"^{_CURSOR.pattern}$", "examples": ["0"]}),
]
_Topics = Annotated[
    str | None,
    AfterValidator(_check_topics),
    WithJsonSchema({"type": "string", "pattern": r"^[a-z_.]+(,[a-z_.]+)*$", "examples": ["invoice.sent,invoice.paid"]}),
]
_QueryId = Annotated[Id | None, WithJsonSchema({"type": "string", "format": "uuid"})]
_QueryMoment = Annotated[
    RequestMoment | None, WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE_MOMENT]})
]


class EventResponse(ResponseModel):
    """What happened to an object, and the object as it was then: `data` is what a webhook is sent."""

    id: IdText = Field(description="The event's id: the `webhook-id` of its deliveries")
    type: str = Field(description="The topic: see the list of events", examples=["customer.updated"])
    timestamp: Moment = Field(description="When it happened: the moment of the request")
    object_id: IdText = Field(description="The object that it happened to")
    sequence: WholeNumber = Field(description="Counts the events of the object, from 1", examples=[2])
    position: WholeNumber = Field(
        description="Counts the events of the company, in the order in which they were committed. Topics that are "
        "in the audit trail alone count too",
        examples=[41],
    )
    is_test: bool = Field(
        default=False, description="Whether it is a sandbox's: there only, and in its webhooks too", examples=[True]
    )
    data: Any = Field(
        description="The object as the API showed it, behind the event's `sequence`: by its topic as `webhooks` of "
        "this document says",
        examples=[{"sequence": 2, "id": EXAMPLE_ID, "city": "Aarhus"}],
    )


class ListEventsResponse(ResponseModel):
    """A page of the feed."""

    data: list[EventResponse] = Field(description="The events, oldest first")
    next_cursor: str = Field(
        description="`after` of the next request, on an empty page too: everything before it was looked at",
        examples=["41"],
    )


class EventQuery(BaseModel):
    """The query parameters of the feed, which has no pages with numbers."""

    model_config = ListQuery.model_config

    after: _Cursor = Field(
        None,
        description="The `nextCursor` of an answer, or the `position` of an event: only events behind it. Left out, "
        "the feed begins with the oldest event that it shows",
    )
    limit: Limit = 25
    types: _Topics = Field(None, description="Only events of these topics, separated by commas")
    object_id: _QueryId = Field(None, description="Only events of this object")
    since: _QueryMoment = Field(None, alias="from", description="First moment, inclusive")
    until: _QueryMoment = Field(None, alias="to", description="Last moment, inclusive")

    @property
    def wanted(self) -> FeedFilter:
        """What the feed is narrowed to."""
        types = None if self.types is None else frozenset(self.types.split(","))
        return FeedFilter(types=types, object_id=self.object_id, since=self.since, until=self.until)
