"""What audit events look like on the wire."""

from typing import Any

from pydantic import Field

from ledgerbee.http.wire import IdText, Moment, PageResponse, ResponseModel, WholeNumber


class AuditEventResponse(ResponseModel):
    """One change: of what, by whom, when and from where, with the object before and after."""

    id: IdText
    type: str = Field(description="What happened: see the list of events", examples=["customer.updated"])
    object_id: IdText = Field(description="The object that it happened to")
    sequence: WholeNumber = Field(description="Counts the events of the object, from 1", examples=[2])
    actor: str = Field(
        description="Who did it: `api_key`, `oauth_client`, `operator` or `system`, and an id",
        examples=["api_key:018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60"],
    )
    credential_kind: str | None = Field(
        description="What the request showed: `api_key` or `oauth_token`; null: no request asked for it",
        examples=["api_key"],
    )
    credential_id: IdText | None = Field(description="The API key, or the OAuth client that the token was given to")
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
