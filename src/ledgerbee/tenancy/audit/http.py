"""Routes of the audit trail (ours)."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Query, Response

from ledgerbee.http.caller import Caller
from ledgerbee.http.json_stream import JsonStream
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf, pages
from ledgerbee.tenancy.audit import store
from ledgerbee.tenancy.audit.model import AUDIT_EVENT_NOT_FOUND, AuditEvent, AuditEventId
from ledgerbee.tenancy.audit.pieces import in_pieces, json_of
from ledgerbee.tenancy.audit.wire import AuditEventQuery, AuditEventResponse, ListAuditEventsResponse

router = resource_router("Audit Events")

EventPath = Annotated[IdOf[AuditEventId], Path(alias="auditEventId", description="Audit event ID")]


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
async def list_audit_events(context: Ctx, caller: CallerDep, query: Annotated[AuditEventQuery, Query()]) -> Response:
    found, asked = await store.list_page(context, query.wanted, query.asked), query.asked
    end = b'],"total":%d,"page":%d,"limit":%d,"totalPages":%d}' % (
        found.total,
        asked.page,
        asked.limit,
        pages(found.total, asked.limit),
    )
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
async def get_audit_event(context: Ctx, caller: CallerDep, audit_event_id: EventPath) -> Response:
    return _answer(caller, [await store.get(context, audit_event_id)])


def _answer(caller: Caller, events: Sequence[AuditEvent], start: bytes = b"", end: bytes = b"") -> Response:
    texts = [text for event in events if (text := json_of(event)) is not None]
    if len(texts) < len(events):
        return JsonStream(in_pieces(caller, events, start, end))
    return Response(b"%b%b%b" % (start, b",".join(texts), end), media_type="application/json")
