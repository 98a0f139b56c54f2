"""The audit trail over HTTP (ours)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import StringConstraints, WithJsonSchema

from ledgerbee.http.caller import Caller
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.pieces import InPieces
from ledgerbee.http.query import Limit, PageNumber, SortDirection, SortOrder, page_request
from ledgerbee.http.wire import EXAMPLE_MOMENT, Id, pages
from ledgerbee.tenancy.audit import store
from ledgerbee.tenancy.audit.model import AUDIT_EVENT_NOT_FOUND, AuditEvent, AuditFilter
from ledgerbee.tenancy.audit.pieces import in_pieces, json_of
from ledgerbee.tenancy.audit.wire import AuditEventResponse, ListAuditEventsResponse
from ledgerbee.tenancy.grant_wire import RequestMoment

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


@router.get(
    "/v1/audit-events",
    response_model=ListAuditEventsResponse,
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
    caller: CallerDep,
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
) -> Response:
    """List audit events."""
    wanted = AuditFilter(event_type, object_id, actor, credential_id, since, until, request_id)
    found = await store.list_page(context, wanted, page_request(page, limit, None, sort_by, sort_order))
    end = b'],"total":%d,"page":%d,"limit":%d,"totalPages":%d}' % (found.total, page, limit, pages(found.total, limit))
    return _answer(caller, found.rows, b'{"data":[', end)


@router.get(
    "/v1/audit-events/{auditEventId}",
    response_model=AuditEventResponse,
    **operation(
        "Get an audit event",
        scope="audit-read",
        extension=True,
        description="One change, with the object before and after.",
        errors=[AUDIT_EVENT_NOT_FOUND],
    ),
)
async def get_audit_event(context: Ctx, caller: CallerDep, audit_event_id: EventId) -> Response:
    """Get an audit event."""
    return _answer(caller, [await store.get(context, audit_event_id)])


def _answer(caller: Caller, events: Sequence[AuditEvent], start: bytes = b"", end: bytes = b"") -> Response:
    texts = [text for event in events if (text := json_of(event)) is not None]
    if len(texts) < len(events):
        return InPieces(in_pieces(caller, events, start, end))
    return Response(b"%b%b%b" % (start, b",".join(texts), end), media_type="application/json")
