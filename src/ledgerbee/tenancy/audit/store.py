"""Reading the events. They are written by `platform/outbox.py` alone, and never changed."""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page
from ledgerbee.tenancy.audit.model import AUDIT_EVENT_NOT_FOUND, AuditEvent, AuditFilter

#: Bytes of an event's JSON up to which it is read with the event: a page has at most 100 of them.
MAX_INLINE: Final = 10_000
#: Bytes of JSON that are read by one statement otherwise, and characters of one that is read in parts.
MAX_AT_ONCE: Final = 1_000_000
MAX_PART: Final = 2_000_000

_COLUMNS: Final = (
    "e.id, e.type, e.object_id, e.sequence, e.actor, e.credential_kind, e.credential_id, e.address, e.request_id,"
    " e.occurred_at"
)


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
        select=_SELECT.format(events="page p JOIN events e USING (company_id, id)"),
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
        f"{_SELECT.format(events='events e')} WHERE e.company_id = $1 AND e.id = $2", context.company_id, event_id
    )
    if row is None:
        raise AUDIT_EVENT_NOT_FOUND.error()
    return AuditEvent(**row)


async def read_texts(context: Context, event_ids: Sequence[UUID]) -> dict[UUID, tuple[str, str | None]]:
    """The JSON of some events, after and before; together no longer than `MAX_AT_ONCE`."""
    rows = await context.connection.fetch(
        "SELECT id, data::text, before::text FROM events WHERE company_id = $1 AND id = ANY ($2)",
        context.company_id,
        event_ids,
    )
    return {row["id"]: (row["data"], row["before"]) for row in rows}


async def read_part(context: Context, event_id: UUID, column: Literal["data", "before"], start: int) -> str | None:
    """`MAX_PART` characters of an event's JSON from `start` on, which counts from 0; None where there is no JSON.

    Raises `AUDIT_EVENT_NOT_FOUND`.
    """
    row = await context.connection.fetchrow(
        f"SELECT substr({column}::text, $3, {MAX_PART}) AS part FROM events WHERE company_id = $1 AND id = $2",
        context.company_id,
        event_id,
        start + 1,
    )
    if row is None:
        raise AUDIT_EVENT_NOT_FOUND.error()
    part: str | None = row["part"]
    return part
