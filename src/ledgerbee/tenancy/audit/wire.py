"""Audit events on the wire (ours)."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, WithJsonSchema

from ledgerbee.core.fields import fields_of
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.fields import RequestMoment
from ledgerbee.http.list_query import Limit, ListQuery, PageNumber, SortOrder
from ledgerbee.http.wire import EXAMPLE_MOMENT, Id, IdText, Moment, PageResponse, ResponseModel, WholeNumber
from ledgerbee.tenancy.audit.model import AuditFilter

_Word = Annotated[str, StringConstraints(max_length=200)] | None
_QueryId = Annotated[Id | None, WithJsonSchema({"type": "string", "format": "uuid"})]
_QueryMoment = Annotated[
    RequestMoment | None, WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE_MOMENT]})
]


def _word_schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "maxLength": 200, "examples": [example]})


class AuditEventResponse(ResponseModel):
    """One change: of what, by whom, when and from where, with the object before and after."""

    id: IdText
    type: str = Field(description="What happened: see the list of events", examples=["customer.updated"])
    object_id: IdText = Field(description="The object that it happened to")
    sequence: WholeNumber = Field(description="Counts the events of the object, from 1", examples=[2])
    actor: str = Field(
        description="Who did it: `user` (a member), `api_key`, `oauth_client`, `quote_link` (a buyer), "
        "`provider_callback` (a payment provider), `operator` or `system`, and an id",
        examples=["api_key:018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60"],
    )
    credential_kind: str | None = Field(
        description="What the request showed: `api_key`, `oauth_token`, `user_session` (a member), `user_token` (an "
        "application of a member), `authorization_code` or `refresh_token` (one that was let in, or asked for its next "
        "token), `quote_link` or `provider_callback`; null: no request asked for it",
        examples=["api_key"],
    )
    credential_id: IdText | None = Field(
        description="The API key, the membership, the connection, the link of a quote, or the OAuth client that "
        "the token was given to"
    )
    address: str | None = Field(description="Where the request came from", examples=["203.0.113.7"])
    request_id: str = Field(description="`X-Request-Id` of the answer", examples=["018f4e6a7b1c7d2e9f3a1b2c3d4e5f60"])
    occurred_at: Moment = Field(description="When it happened: the moment of the request")
    before: Any = Field(
        description="The object as the API showed it before; null for a new one. Secrets are never in it",
        examples=[{"id": "018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60", "city": "Ribe"}],
    )
    data: Any = Field(
        description="The object as the API showed it afterwards, a deleted one as it was",
        examples=[{"id": "018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60", "city": "Aarhus"}],
    )


class ListAuditEventsResponse(PageResponse[AuditEventResponse]):
    """A page of audit events."""


class AuditEventSortBy(StrEnum):
    """Field to sort by."""

    OCCURRED_AT = "occurredAt"


class AuditEventQuery(BaseModel):
    """The query parameters of the list, which has no search."""

    model_config = ListQuery.model_config

    page: PageNumber = 1
    limit: Limit = 25
    type: Annotated[_Word, _word_schema("customer.updated")] = Field(None, description="Only events of this type")
    object_id: _QueryId = Field(None, description="Only events of this object")
    actor: Annotated[_Word, _word_schema("operator:cli")] = Field(
        None, description="Only what this actor did: kind and id"
    )
    credential_id: _QueryId = Field(
        None, description="Only what this API key, OAuth client, membership, connection or link did"
    )
    since: _QueryMoment = Field(None, alias="from", description="First moment, inclusive")
    until: _QueryMoment = Field(None, alias="to", description="Last moment, inclusive")
    request_id: Annotated[_Word, _word_schema("018f4e6a7b1c7d2e9f3a1b2c3d4e5f60")] = Field(
        None, description="Only what this request did: the `X-Request-Id` of its answer"
    )
    sort_by: AuditEventSortBy = Field(AuditEventSortBy.OCCURRED_AT, description="Field to sort by")
    sort_order: SortOrder = Field(SortOrder.DESC, description="Sort direction")

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit, None, str(self.sort_by), self.sort_order is SortOrder.DESC)

    @property
    def wanted(self) -> AuditFilter:
        """What the list is narrowed to."""
        return AuditFilter(**fields_of(self, AuditFilter))
