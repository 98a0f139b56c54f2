"""Rows of deliveries: the log of an endpoint, and what is sent again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.ids import new_id
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page
from ledgerbee.webhooks.deliveries.model import (
    MAX_REPLAYED,
    REPLAYED_BACK,
    WEBHOOK_DELIVERY_NOT_FOUND,
    Attempt,
    DeliveryFilter,
    DeliveryStatus,
    EventToSend,
    WebhookDelivery,
    WebhookDeliveryId,
)
from ledgerbee.webhooks.endpoints.model import WebhookEndpoint, WebhookEndpointId
from ledgerbee.webhooks.topics import PING, TOPICS

#: Events that are made deliveries of by one statement.
_STRIDE: Final = 5_000
#: The type that is not in the index of types: most events are of it.
_COMMON: Final = "journal_entry.posted"

_SELECT: Final = f"SELECT {rows.columns(WebhookDelivery, 'w')}"
_LIST: Final = f"{_SELECT} FROM page p JOIN webhook_deliveries w USING (company_id, id)"
_GET: Final = f"{_SELECT} FROM webhook_deliveries w WHERE w.company_id = $1 AND w.endpoint_id = $2 AND w.id = $3"
_WAITING: Final = (
    f"{_SELECT} FROM webhook_deliveries w"
    " WHERE w.company_id = $1 AND w.endpoint_id = $2 AND w.event_id = $3 AND w.status = 'pending'"
)
#: Ids are made in the order of time.
_SORT_COLUMNS: Final = {"createdAt": "t.id"}

#: Objects of which a delivery is due. By themselves: estimated as one row, they would be looked for once an event.
#: A later delivery that waits for another attempt lets earlier ones of its object go first. One under way has a moment
#: that has come; it gives way when it is recorded.
_GIVE_WAY: Final = """
UPDATE webhook_deliveries SET next_attempt_at = NULL
WHERE company_id = $1 AND ctid = ANY (ARRAY(
    SELECT later.ctid FROM unnest($3::uuid[], $4::bigint[]) n (object_id, position)
    CROSS JOIN LATERAL (
        SELECT p.ctid, p.position FROM webhook_deliveries p
        WHERE p.company_id = $1 AND p.endpoint_id = $2 AND p.object_id = n.object_id AND p.next_attempt_at > $5 LIMIT 1
    ) later
    WHERE later.position > n.position))
"""
#: The first of the pending deliveries of an object, where none is under way or waits for its next attempt.
_FREE_NEXT: Final = """
UPDATE webhook_deliveries SET next_attempt_at = $4
WHERE company_id = $1 AND ctid = ANY (ARRAY(
    SELECT n.ctid FROM unnest($2::uuid[], $3::uuid[]) e (endpoint_id, object_id)
    CROSS JOIN LATERAL (
        SELECT p.ctid FROM webhook_deliveries p
        WHERE p.company_id = $1 AND p.endpoint_id = e.endpoint_id AND p.object_id = e.object_id AND p.status = 'pending'
        ORDER BY p.position, p.id LIMIT 1
    ) n
    LEFT JOIN LATERAL (
        SELECT o.id FROM webhook_deliveries o
        WHERE o.company_id = $1 AND o.endpoint_id = e.endpoint_id AND o.object_id = e.object_id
          AND o.next_attempt_at IS NOT NULL LIMIT 1
    ) under_way ON true
    WHERE under_way.id IS NULL))
"""
_QUEUE: Final = """
INSERT INTO webhook_deliveries (company_id, id, endpoint_id, event_id, event_type, object_id, position, status,
                                created_at)
SELECT $1, e.id, $2, e.event_id, e.event_type, e.object_id, e.position, 'pending', $3
FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::bigint[])
    AS e (id, event_id, event_type, object_id, position)
ON CONFLICT (company_id, endpoint_id, event_id) WHERE status = 'pending' DO NOTHING
"""
#: One that is being sent has a moment that has come.
_HASTEN: Final = """
UPDATE webhook_deliveries SET next_attempt_at = $4
WHERE company_id = $1 AND endpoint_id = $2 AND event_id = $3 AND status = 'pending' AND next_attempt_at > $4
"""
_EVENT: Final = "e.id, e.type, e.object_id, e.position"
_NAMED: Final = f"""
SELECT {_EVENT} FROM events e
WHERE e.company_id = $1 AND e.id = ANY ($2) AND e.position > 0 AND e.occurred_at >= $3 AND e.type = ANY ($4)
  AND (e.type <> '{PING}' OR e.object_id = $5)
ORDER BY e.position
"""
#: Positions count commits, and a request carries the moment at which it came in, an hour before its commit at most: so
#: an event of an hour before the time bounds the positions from below, and one of an hour after it from above.
_OF_TIME: Final = f"""
WITH bounds AS MATERIALIZED (
    SELECT coalesce((
        SELECT e.position FROM events e
        WHERE e.company_id = $1 AND e.occurred_at <= $2::timestamptz - interval '1 hour'
        ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1), 0) AS low,
    coalesce((
        SELECT e.position FROM events e
        WHERE e.company_id = $1 AND e.occurred_at >= $3::timestamptz + interval '1 hour'
        ORDER BY e.occurred_at, e.id LIMIT 1), $5::bigint + 1) AS high
)
SELECT f.* FROM bounds b CROSS JOIN LATERAL (
    SELECT r.* FROM unnest($4::text[]) AS topics (type) CROSS JOIN LATERAL (
        SELECT {_EVENT} FROM events e
        WHERE e.company_id = $1 AND e.type = topics.type AND e.type <> '{_COMMON}' AND e.position > 0
          AND e.position > b.low AND e.position < b.high AND e.position <= $5
          AND e.occurred_at >= $2 AND e.occurred_at <= $3 AND (e.type <> '{PING}' OR e.object_id = $6)) r
    UNION ALL
    SELECT {_EVENT} FROM events e
    WHERE e.company_id = $1 AND '{_COMMON}' = ANY ($4) AND e.type = '{_COMMON}' AND e.position > 0
      AND e.position > b.low AND e.position < b.high AND e.position <= $5
      AND e.occurred_at >= $2 AND e.occurred_at <= $3
) f ORDER BY f.position LIMIT $7
"""
#: The newest delivery of an event says whether it was delivered, or is about to be. Found in one walk over the log: a
#: look-up for each would walk it as often.
_UNDELIVERED: Final = f"""
SELECT n.event_id, n.event_type, n.object_id, n.position FROM (
    SELECT DISTINCT ON (d.event_id) d.event_id, d.event_type, d.object_id, d.position, d.status
    FROM webhook_deliveries d WHERE d.company_id = $1 AND d.endpoint_id = $2
    ORDER BY d.event_id, d.id DESC
) n
WHERE n.status IN ('failed', 'skipped') ORDER BY n.position LIMIT {MAX_REPLAYED}
"""


async def list_page(
    context: Context, endpoint_id: WebhookEndpointId, wanted: DeliveryFilter, request: PageRequest
) -> Page[WebhookDelivery]:
    """A page of an endpoint's deliveries, newest first."""
    filters = Filter()
    filters.add("t.endpoint_id = {}", endpoint_id)
    for condition, value in (
        ("t.status = {}", wanted.status),
        ("t.event_type = {}", wanted.event_type),
        ("t.object_id = {}", wanted.object_id),
        ("t.event_id = {}", wanted.event_id),
    ):
        if value is not None:
            filters.add(condition, value)
    page = await fetch_page(
        context, table="webhook_deliveries", select=_LIST, filters=filters, order_by=_SORT_COLUMNS, request=request
    )
    return Page([_delivery(row) for row in page.rows], page.total)


async def get(context: Context, endpoint_id: WebhookEndpointId, delivery_id: WebhookDeliveryId) -> WebhookDelivery:
    """One delivery of an endpoint. Raises `WEBHOOK_DELIVERY_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, endpoint_id, delivery_id)
    return _delivery(WEBHOOK_DELIVERY_NOT_FOUND.unless(row))


async def get_waiting(context: Context, endpoint_id: WebhookEndpointId, event_id: UUID) -> WebhookDelivery:
    """The delivery of an event that waits to be sent. Raises `WEBHOOK_DELIVERY_NOT_FOUND`."""
    row = await context.connection.fetchrow(_WAITING, context.company_id, endpoint_id, event_id)
    return _delivery(WEBHOOK_DELIVERY_NOT_FOUND.unless(row))


async def queue(context: Context, endpoint_id: WebhookEndpointId, events: Sequence[EventToSend]) -> int:
    """Make deliveries of events (in the order of their positions) to an endpoint that is locked; how many were made.

    None is made of an event that waits to be sent to it already. Of an object's deliveries the earliest goes first,
    also before later ones that wait for another attempt.
    """
    first: dict[UUID, int] = {}
    for event in events:
        first.setdefault(event.object_id, event.position)
    objects = list(first)
    await context.connection.execute(
        _GIVE_WAY, context.company_id, endpoint_id, objects, list(first.values()), context.now
    )
    made = 0
    for start in range(0, len(events), _STRIDE):
        some = events[start : start + _STRIDE]
        done: str = await context.connection.execute(
            _QUEUE,
            context.company_id,
            endpoint_id,
            context.now,
            [new_id() for _ in some],
            [event.id for event in some],
            [event.type for event in some],
            [event.object_id for event in some],
            [event.position for event in some],
        )
        made += int(done.rpartition(" ")[2])
    for start in range(0, len(objects), _STRIDE):
        some_objects = objects[start : start + _STRIDE]
        await free_next(context, [endpoint_id] * len(some_objects), some_objects)
    return made


async def free_next(context: Context, endpoint_ids: Sequence[WebhookEndpointId], object_ids: Sequence[UUID]) -> None:
    """Of what waits for each endpoint, which are locked, let the first of the object at its place be due."""
    await context.connection.execute(_FREE_NEXT, context.company_id, list(endpoint_ids), list(object_ids), context.now)


async def hasten(context: Context, endpoint_id: WebhookEndpointId, event_id: UUID) -> None:
    """Try the delivery of an event that waits for another attempt now."""
    await context.connection.execute(_HASTEN, context.company_id, endpoint_id, event_id, context.now)


async def find_named(context: Context, endpoint_id: WebhookEndpointId, event_ids: Sequence[UUID]) -> list[EventToSend]:
    """The events of these ids that can be sent to an endpoint, in the order of their positions.

    Not among them are those of the audit trail alone, tests of other endpoints, and what is too old.
    """
    oldest = context.now - REPLAYED_BACK
    found = await context.connection.fetch(_NAMED, context.company_id, event_ids, oldest, sorted(TOPICS), endpoint_id)
    return [_event(row) for row in found]


async def find_of_time(
    context: Context, endpoint: WebhookEndpoint, topics: Sequence[str], since: datetime, until: datetime
) -> list[EventToSend]:
    """The events of `topics` from `since` to `until`, aware UTC and inclusive, in the order of their positions.

    Of more than `MAX_REPLAYED` one more is found. Those that no deliveries were made of yet are not among them.
    """
    found = await context.connection.fetch(
        _OF_TIME, context.company_id, since, until, list(topics), endpoint.told_up_to, endpoint.id, MAX_REPLAYED + 1
    )
    return [_event(row) for row in found]


async def find_undelivered(context: Context, endpoint_id: WebhookEndpointId) -> list[EventToSend]:
    """Events whose newest delivery to an endpoint failed or was skipped, by position; the first `MAX_REPLAYED`."""
    found = await context.connection.fetch(_UNDELIVERED, context.company_id, endpoint_id)
    return [_event(row) for row in found]


def _event(row: asyncpg.Record) -> EventToSend:
    return EventToSend(*row)


def _delivery(row: asyncpg.Record) -> WebhookDelivery:
    found = dict(row)
    attempts = tuple(_attempt(one) for one in found.pop("attempts"))
    return WebhookDelivery(**{**found, "status": DeliveryStatus(found["status"])}, attempts=attempts)


def _attempt(stored: dict[str, Any]) -> Attempt:
    return Attempt(
        at=datetime.fromisoformat(stored["at"]),
        status=stored["status"],
        duration_ms=stored["durationMs"],
        answer=stored["answer"],
        error=stored["error"],
    )
