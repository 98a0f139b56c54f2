"""The audit trail over HTTP (ours)."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import Field, StringConstraints, WithJsonSchema

from ledgerbee.platform.audit import store
from ledgerbee.platform.audit.model import AUDIT_EVENT_NOT_FOUND, AuditEvent, AuditFilter
from ledgerbee.platform.credentials.wire import RequestMoment
from ledgerbee.platform.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.http.query import Limit, PageNumber, SortDirection, SortOrder, page_request
from ledgerbee.platform.http.wire import (
    EXAMPLE_MOMENT,
    Id,
    IdText,
    Moment,
    PageResponse,
    ResponseModel,
    WholeNumber,
    pages,
)

router = resource_router("Audit Events")

EventId = Annotated[Id, Path(alias="auditEventId", description="Audit event ID")]
_Word = Annotated[str, StringConstraints(max_length=200)]
_ID_SCHEMA = WithJsonSchema({"type": "string", "format": "uuid"})
_MOMENT_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE_MOMENT]})


def _word_schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "maxLength": 200, "examples": [example]})


class AuditEventSortBy(StrEnum):
    """Field to sort by."""

    OCCURRED_AT = "occurredAt"


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


def _render(event: AuditEvent) -> AuditEventResponse:
    return AuditEventResponse.model_validate(event)


@router.get(
    "/v1/audit-events",
    **operation(
        "List audit events",
        scope="audit-read",
        extension=True,
        description="Every change of anything in the company, newest first: who made it, with which credential, from "
        "which address, and the object before and after. Events are never changed or removed.",
        response="Paginated list of audit events",
    ),
)
async def list_audit_events(  # noqa: PLR0913, PLR0917  each argument is one parameter of the operation
    context: Ctx,
    page: PageNumber = 1,
    limit: Limit = 25,
    event_type: Annotated[
        _Word | None, Query(alias="type", description="Only events of this type"), _word_schema("customer.updated")
    ] = None,
    object_id: Annotated[
        Id | None, Query(alias="objectId", description="Only events of this object"), _ID_SCHEMA
    ] = None,
    actor: Annotated[
        _Word | None,
        Query(description="Only what this actor did: kind and id"),
        _word_schema("operator:cli"),
    ] = None,
    credential_id: Annotated[
        Id | None, Query(alias="credentialId", description="Only what this API key or OAuth client did"), _ID_SCHEMA
    ] = None,
    since: Annotated[
        RequestMoment | None, Query(alias="from", description="First moment, inclusive"), _MOMENT_SCHEMA
    ] = None,
    until: Annotated[
        RequestMoment | None, Query(alias="to", description="Last moment, inclusive"), _MOMENT_SCHEMA
    ] = None,
    request_id: Annotated[
        _Word | None,
        Query(alias="requestId", description="Only what this request did: the `X-Request-Id` of its answer"),
        _word_schema("018f4e6a7b1c7d2e9f3a1b2c3d4e5f60"),
    ] = None,
    sort_by: Annotated[
        AuditEventSortBy, Query(alias="sortBy", description="Field to sort by")
    ] = AuditEventSortBy.OCCURRED_AT,
    sort_order: SortDirection = SortOrder.DESC,
) -> ListAuditEventsResponse:
    """List audit events."""
    wanted = AuditFilter(event_type, object_id, actor, credential_id, since, until, request_id)
    found = await store.list_page(context, wanted, page_request(page, limit, None, sort_by, sort_order))
    return ListAuditEventsResponse(
        data=[_render(event) for event in found.rows],
        total=found.total,
        page=page,
        limit=limit,
        total_pages=pages(found.total, limit),
    )


@router.get(
    "/v1/audit-events/{auditEventId}",
    **operation(
        "Get an audit event",
        scope="audit-read",
        extension=True,
        description="One change, with the object before and after.",
        errors=[AUDIT_EVENT_NOT_FOUND],
    ),
)
async def get_audit_event(context: Ctx, audit_event_id: EventId) -> AuditEventResponse:
    """Get an audit event."""
    return _render(await store.get(context, audit_event_id))
