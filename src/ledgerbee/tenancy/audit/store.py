"""Reading the events. They are written by `platform/outbox.py` alone, and never changed."""

from collections.abc import Sequence
from typing import Any, Final, Literal
from uuid import UUID

from ledgerbee.core.fields import names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page
from ledgerbee.tenancy.audit.model import AUDIT_EVENT_NOT_FOUND, AuditEvent, AuditEventId, AuditFilter

#: Bytes of an event's JSON up to which it is read with the event: a page has at most 100 of them.
MAX_INLINE: Final = 10_000
#: Bytes of JSON that are read by one statement otherwise, and characters of one that is read in parts.
MAX_AT_ONCE: Final = 1_000_000
MAX_PART: Final = 2_000_000

_COLUMNS: Final = ", ".join(f"e.{name}" for name in names_of(AuditEvent) if name not in {"data", "before", "size"})


def _size(column: str) -> str:
    """How long the JSON is, without reading one that is long: compressed it may be a hundred times as long."""
    return (
        f"CASE WHEN {column} IS NULL THEN 0"
        f" WHEN pg_column_compression({column}) IS NULL THEN pg_column_size({column})"
        f" WHEN pg_column_size({column}) <= 32768 THEN octet_length({column}::text)"
        f" ELSE pg_column_size({column})::bigint * 100 END"
    )


#: OFFSET 0: it is found once, for both texts.
_SELECT: Final = f"""
SELECT {_COLUMNS}, s.size,
       CASE WHEN s.size <= {MAX_INLINE} THEN e.data::text END AS data,
       CASE WHEN s.size <= {MAX_INLINE} THEN e.before::text END AS before
FROM {{events}} CROSS JOIN LATERAL (SELECT {_size("e.data")} + {_size("e.before")} AS size OFFSET 0) s
"""
SORT_COLUMNS: Final = {"occurredAt": "t.occurred_at"}
#: The type that is not in the index of types: most events are of it.
_COMMON: Final = "journal_entry.posted"


_ACTED: Final = "SELECT actor FROM events WHERE company_id = $1 AND actor = ANY($2::text[]) LIMIT 1"
#: The kinds of credential as events name those who act by them.
_ACTORS: Final = ("api_key", "oauth_client", "quote_link")
_TEXTS: Final = "SELECT id, data::text, before::text FROM events WHERE company_id = $1 AND id = ANY ($2)"
#: Requests carry the moment at which they came in, and none takes longer than an hour.
_OUT_OF_ORDER: Final = """
SELECT e.type, e.object_id FROM (
    SELECT v.type, v.object_id, v.sequence, v.occurred_at, row_number() OVER same AS place,
           lag(v.occurred_at) OVER same AS earlier
    FROM events v WHERE v.company_id = $1 WINDOW same AS (PARTITION BY v.object_id ORDER BY v.sequence)
) e
WHERE e.sequence <> e.place OR e.occurred_at < e.earlier - interval '1 hour'
   OR e.occurred_at > $2::timestamptz + interval '1 hour'
ORDER BY e.occurred_at LIMIT 1
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
        select=_SELECT.format(events="page p JOIN events e USING (company_id, id)"),
        filters=filters,
        order_by=SORT_COLUMNS,
        request=request,
    )
    return Page([AuditEvent(**row) for row in found.rows], found.total)


async def _actor_of(context: Context, credential_id: UUID | None) -> str | None:
    """What events call a key, a client or a link: one actor, in whose order an index is. It may be there no more."""
    if credential_id is None:
        return None
    actors = [f"{kind}:{credential_id}" for kind in _ACTORS]
    found: str | None = await context.connection.fetchval(_ACTED, context.company_id, actors)
    return found or actors[0]


async def get(context: Context, event_id: AuditEventId) -> AuditEvent:
    """One event. Raises `AUDIT_EVENT_NOT_FOUND`."""
    statement = f"{_SELECT.format(events='events e')} WHERE e.company_id = $1 AND e.id = $2"
    row = await context.connection.fetchrow(statement, context.company_id, event_id)
    return AuditEvent(**AUDIT_EVENT_NOT_FOUND.unless(row))


async def get_texts(context: Context, event_ids: Sequence[UUID]) -> dict[UUID, tuple[str, str | None]]:
    """The JSON of some events, after and before; together no longer than `MAX_AT_ONCE`."""
    found = await context.connection.fetch(_TEXTS, context.company_id, event_ids)
    return {row["id"]: (row["data"], row["before"]) for row in found}


async def get_part(context: Context, event_id: UUID, column: Literal["data", "before"], start: int) -> str | None:
    """`MAX_PART` characters of an event's JSON from `start` on, which counts from 0; None where there is no JSON.

    Raises `AUDIT_EVENT_NOT_FOUND`.
    """
    statement = f"SELECT substr({column}::text, $3, {MAX_PART}) AS part FROM events WHERE company_id = $1 AND id = $2"
    row = AUDIT_EVENT_NOT_FOUND.unless(
        await context.connection.fetchrow(statement, context.company_id, event_id, start + 1)
    )
    part: str | None = row["part"]
    return part


async def first_out_of_order(context: Context) -> tuple[UUID, str] | None:
    """Object and type of the first event that has a wrong number or moment among those of its object; None: none.

    Events of one object are numbered from 1 without a hole, each at the moment of the one before it or later.
    """
    row = await context.connection.fetchrow(_OUT_OF_ORDER, context.company_id, context.now)
    return (row["object_id"], row["type"]) if row else None


async def latest_data(context: Context, object_ids: Sequence[UUID], topic: str) -> dict[UUID, dict[str, Any]]:
    """What the last event of a topic (`company` of `company.updated`) says of each of the objects that have any."""
    found = await context.connection.fetch(_LATEST, context.company_id, object_ids, topic)
    return {row["object_id"]: row["data"] for row in found}
