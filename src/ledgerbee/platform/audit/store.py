"""Reading the events. They are written by `platform/outbox.py` alone, and never changed."""

from typing import Final
from uuid import UUID

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.audit.model import AUDIT_EVENT_NOT_FOUND, AuditEvent, AuditFilter
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_COLUMNS: Final = (
    "e.id, e.type, e.object_id, e.sequence, e.data, e.before, e.actor, e.credential_kind, e.credential_id, e.address,"
    " e.request_id, e.occurred_at"
)
SORT_COLUMNS: Final = {"occurredAt": "t.occurred_at"}
#: The type that is not in the index of types: most events are of it.
_COMMON: Final = "journal_entry.posted"


async def list_page(context: Context, wanted: AuditFilter, request: PageRequest) -> Page[AuditEvent]:
    """A page of events with what they tell."""
    filters = Filter()
    if wanted.type is not None and wanted.type != _COMMON:
        filters.always.append(f"t.type <> '{_COMMON}'")  # what the index of types is for
    for condition, value in (
        ("t.type = {}", wanted.type),
        ("t.object_id = {}", wanted.object_id),
        ("t.actor = {}", wanted.actor),
        ("t.actor = {}", await _actor_of(context, wanted.credential_id)),
        ("t.occurred_at >= {}", wanted.since),
        ("t.occurred_at <= {}", wanted.until),
        ("t.request_id = {}", wanted.request_id),
    ):
        if value is not None:
            filters.add(condition, value)
    found = await fetch_page(
        context,
        table="events",
        select=f"SELECT {_COLUMNS} FROM page p JOIN events e USING (company_id, id)",
        filters=filters,
        order_by=SORT_COLUMNS,
        request=request,
    )
    return Page([AuditEvent(**row) for row in found.rows], found.total)


async def _actor_of(context: Context, credential_id: UUID | None) -> str | None:
    """What events call a key or client: one actor, in whose order an index is."""
    if credential_id is None:
        return None
    is_client = await context.connection.fetchval(
        "SELECT EXISTS (SELECT FROM oauth_clients WHERE company_id = $1 AND id = $2)", context.company_id, credential_id
    )
    return f"{'oauth_client' if is_client else 'api_key'}:{credential_id}"


async def get(context: Context, event_id: UUID) -> AuditEvent:
    """One event. Raises `AUDIT_EVENT_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM events e WHERE e.company_id = $1 AND e.id = $2", context.company_id, event_id
    )
    if row is None:
        raise AUDIT_EVENT_NOT_FOUND.error()
    return AuditEvent(**row)
