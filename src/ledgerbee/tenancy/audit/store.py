"""Reading the events. They are written by `platform/outbox.py` alone, and never changed."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.fields import names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.event_json import MAX_INLINE, size_of
from ledgerbee.platform.listing import Filter, fetch_page
from ledgerbee.tenancy.audit.model import AUDIT_EVENT_NOT_FOUND, AuditEvent, AuditEventId, AuditFilter

_COLUMNS: Final = ", ".join(f"e.{name}" for name in names_of(AuditEvent) if name not in {"data", "before", "size"})
#: OFFSET 0: it is found once, for both texts.
_SELECT: Final = f"""
SELECT {_COLUMNS}, s.size,
       CASE WHEN s.size <= {MAX_INLINE} THEN e.data::text END AS data,
       CASE WHEN s.size <= {MAX_INLINE} THEN e.before::text END AS before
FROM {{events}} CROSS JOIN LATERAL (SELECT {size_of("e.data")} + {size_of("e.before")} AS size OFFSET 0) s
"""
SORT_COLUMNS: Final = {"occurredAt": "t.occurred_at"}
#: The type that is not in the index of types: most events are of it.
_COMMON: Final = "journal_entry.posted"


_ACTED: Final = "SELECT actor FROM events WHERE company_id = $1 AND actor = ANY($2::text[]) LIMIT 1"
#: The kinds of credential as events name those who act by them.
_ACTORS: Final = ("api_key", "oauth_client", "quote_link", "provider_callback")
#: Requests carry the moment at which they came in, and none takes longer than an hour.
_OUT_OF_ORDER: Final = """
SELECT e.type, e.object_id FROM (
    SELECT v.type, v.object_id, v.sequence, v.occurred_at, row_number() OVER same AS place,
           lag(v.occurred_at) OVER same AS earlier, v.position, lag(v.position) OVER same AS position_before
    FROM events v WHERE v.company_id = $1 WINDOW same AS (PARTITION BY v.object_id ORDER BY v.sequence)
) e
WHERE e.sequence <> e.place OR e.occurred_at < e.earlier - interval '1 hour'
   OR e.occurred_at > $2::timestamptz + interval '1 hour'
   OR e.position <= e.position_before AND e.position_before > 0
ORDER BY e.occurred_at LIMIT 1
"""
#: Positions are unique from 1 on, so that their number tells whether one is missing.
_POSITIONS: Final = """
SELECT coalesce((SELECT c.last_position FROM event_counters c WHERE c.company_id = $1), 0) AS counted,
       count(*) AS number, coalesce(max(e.position), 0) AS last
FROM events e WHERE e.company_id = $1 AND e.position > 0
"""
_LATEST: Final = """
SELECT DISTINCT ON (object_id) object_id, data FROM events
WHERE company_id = $1 AND object_id = ANY ($2) AND split_part(type, '.', 1) = $3 ORDER BY object_id, sequence DESC
"""


async def list_page(context: Context, wanted: AuditFilter, request: PageRequest) -> Page[AuditEvent]:
    """A page of events with their JSON, where it isn't long."""
    filters = Filter()
    if wanted.type is not None and wanted.type != _COMMON:
        filters.always.append(f"t.type <> '{_COMMON}'")  # what the index of types is for
    for condition, value in (
        ("t.type = {}", wanted.type),
        ("t.object_id = {}", wanted.object_id),
        ("t.actor = {}", wanted.actor),
        ("t.occurred_at >= {}", wanted.since),
        ("t.occurred_at <= {}", wanted.until),
        ("t.request_id = {}", wanted.request_id),
    ):
        if value is not None:
            filters.add(condition, value)
    if wanted.credential_id is not None:
        await _narrow_to_credential(context, filters, wanted.credential_id)
    found = await fetch_page(
        context,
        table="events",
        select=_SELECT.format(events="page p JOIN events e USING (company_id, id)"),
        filters=filters,
        order_by=SORT_COLUMNS,
        request=request,
    )
    return Page([AuditEvent(**row) for row in found.rows], found.total)


async def _narrow_to_credential(context: Context, filters: Filter, credential_id: UUID) -> None:
    """What a key, a client or a link did: one actor, in whose order an index is. It may be there no more.

    What a member's session or application did is the member's: of those the index has the credential itself.
    """
    actors = [f"{kind}:{credential_id}" for kind in _ACTORS]
    found: str | None = await context.connection.fetchval(_ACTED, context.company_id, actors)
    if found is not None:
        filters.add("t.actor = {}", found)
    else:
        filters.always.append("t.actor LIKE 'user:%'")
        filters.add("t.credential_id = {}", credential_id)


async def get(context: Context, event_id: AuditEventId) -> AuditEvent:
    """One event. Raises `AUDIT_EVENT_NOT_FOUND`."""
    statement = f"{_SELECT.format(events='events e')} WHERE e.company_id = $1 AND e.id = $2"
    row = await context.connection.fetchrow(statement, context.company_id, event_id)
    return AuditEvent(**AUDIT_EVENT_NOT_FOUND.unless(row))


async def first_out_of_order(context: Context) -> tuple[UUID, str] | None:
    """Object and type of the first event that has a wrong place among those of its object; None: none.

    Events of one object are numbered from 1 without a hole, each at the moment of the one before it or later, and at a
    higher position, where that one has any.
    """
    row = await context.connection.fetchrow(_OUT_OF_ORDER, context.company_id, context.now)
    return (row["object_id"], row["type"]) if row else None


async def positions_are_whole(context: Context) -> bool:
    """Whether the company's events have all positions from 1 to the last one that was counted, and no other."""
    row = await context.connection.fetchrow(_POSITIONS, context.company_id)
    return row is not None and row["counted"] == row["number"] == row["last"]


async def latest_data(context: Context, object_ids: Sequence[UUID], topic: str) -> dict[UUID, dict[str, Any]]:
    """What the last event of a topic (`company` of `company.updated`) says of each of the objects that have any."""
    found = await context.connection.fetch(_LATEST, context.company_id, object_ids, topic)
    return {row["object_id"]: row["data"] for row in found}
