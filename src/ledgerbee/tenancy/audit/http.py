"""Routes of the audit trail (ours)."""

from typing import Annotated

from fastapi import Path, Query, Response

from ledgerbee.http.event_pieces import EventForm, Member, events_answer
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf, pages
from ledgerbee.platform.event_json import Texts
from ledgerbee.tenancy.audit import store
from ledgerbee.tenancy.audit.model import AUDIT_EVENT_NOT_FOUND, AuditEvent, AuditEventId
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
    return events_answer(caller, [_form(event) for event in found.rows], AUDIT_EVENT_NOT_FOUND, b'{"data":[', end)


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
    event = await store.get(context, audit_event_id)
    return events_answer(caller, [_form(event)], AUDIT_EVENT_NOT_FOUND)


def _form(event: AuditEvent) -> EventForm:
    head = AuditEventResponse.model_validate(event).model_dump_json(exclude={"before", "data"})[:-1].encode()
    members = (Member(b'%b,"before":' % head, "before"), Member(b',"data":', "data"))
    texts: Texts | None = None if event.data is None else {"data": event.data, "before": event.before}
    return EventForm(event.id, event.size, members, texts)
