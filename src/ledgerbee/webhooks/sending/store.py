"""Statements of the worker over a company's endpoints and deliveries.

Each transaction holds the endpoints' rows, and so does the API where it touches their deliveries.

What one of them looks at must not grow with what is kept or what waits, whatever the planner expects. So rows are
looked for one by one, each by the index: a subquery that has OFFSET or LIMIT is not joined to all rows of a company.
Those to be updated are looked for likewise, and named by their ctid: it stays, as the endpoint's row is held.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from ledgerbee.core.ids import new_id
from ledgerbee.platform import rows
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.webhooks.deliveries.model import Attempt, DeliveryStatus, WebhookDeliveryId
from ledgerbee.webhooks.deliveries.store import free_next
from ledgerbee.webhooks.endpoints.model import StoredStatus, WebhookEndpoint, WebhookEndpointId
from ledgerbee.webhooks.sending.model import DueDelivery
from ledgerbee.webhooks.signing import SignatureType
from ledgerbee.webhooks.topics import PING

#: Bytes of an event's JSON, as it is stored, up to which it is read with its delivery.
MAX_INLINE: Final = 8192

#: What the worker records can be sent again: nobody waits for it to reach the disk.
_LOCK: Final = f"""
SELECT {rows.columns(WebhookEndpoint, "w")}, coalesce(c.last_position, 0) AS last_position,
       (SELECT o.is_sandbox FROM companies o WHERE o.company_id = $1) AS is_sandbox,
       set_config('synchronous_commit', 'off', true)
FROM webhook_endpoints w LEFT JOIN event_counters c ON c.company_id = w.company_id
WHERE w.company_id = $1 AND w.status <> 'deleted' ORDER BY w.id FOR NO KEY UPDATE OF w
"""
#: Whose endpoint was disabled meanwhile is skipped, unless it was delivered all the same. One that failed waits for an
#: earlier one of its object, where that was asked for again meanwhile.
_RECORD: Final = """
UPDATE webhook_deliveries d SET attempts = d.attempts || r.attempt::jsonb,
    status = CASE WHEN d.status = 'pending' OR r.status = 'delivered' THEN r.status ELSE d.status END,
    next_attempt_at = CASE WHEN d.status = 'pending' AND earlier.id IS NULL THEN r.next_attempt_at END,
    finished_at = CASE WHEN d.status <> 'pending' THEN d.finished_at WHEN r.status <> 'pending' THEN $6 END
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::text[]) r (id, status, next_attempt_at, attempt)
CROSS JOIN LATERAL (
    SELECT p.ctid, p.endpoint_id, p.object_id, p.position FROM webhook_deliveries p
    WHERE p.company_id = $1 AND p.id = r.id OFFSET 0
) found
LEFT JOIN LATERAL (
    SELECT p.id FROM webhook_deliveries p
    WHERE p.company_id = $1 AND p.endpoint_id = found.endpoint_id AND p.object_id = found.object_id
      AND p.status = 'pending' AND p.position < found.position LIMIT 1
) earlier ON true
WHERE d.company_id = $1 AND d.ctid = found.ctid
"""
#: `position > 0`, whatever the parameter: the index has only these.
_EVENTS: Final = f"""
SELECT id, type, object_id, position FROM events
WHERE company_id = $1 AND position > 0 AND position > $2 AND position <= $3 AND (type = ANY ($4) OR type = '{PING}')
ORDER BY position
"""
#: Of the pending deliveries of an object to an endpoint the first is due, the others wait for it.
_INSERT: Final = """
INSERT INTO webhook_deliveries (company_id, id, endpoint_id, event_id, event_type, object_id, position, status,
                                next_attempt_at, created_at, finished_at)
SELECT $1, n.id, n.endpoint_id, n.event_id, n.event_type, n.object_id, n.position, n.status,
       CASE WHEN n.status = 'pending' AND n.is_first AND earlier.id IS NULL THEN $10::timestamptz END,
       $10, CASE WHEN n.status <> 'pending' THEN $10 END
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::bigint[], $8::text[], $9::boolean[])
    n (id, endpoint_id, event_id, event_type, object_id, position, status, is_first)
LEFT JOIN LATERAL (
    SELECT p.id FROM webhook_deliveries p
    WHERE p.company_id = $1 AND p.endpoint_id = n.endpoint_id AND p.object_id = n.object_id AND p.status = 'pending'
    ORDER BY p.position LIMIT 1
) earlier ON true
ON CONFLICT (company_id, endpoint_id, event_id) WHERE status = 'pending' DO NOTHING
"""
_DUE: Final = f"""
SELECT d.id, d.endpoint_id, d.event_id, d.event_type, d.object_id, jsonb_array_length(d.attempts) AS attempts,
       e.sequence, e.occurred_at, CASE WHEN pg_column_size(e.data) <= {MAX_INLINE} THEN e.data::text END AS data
FROM unnest($2::uuid[], $3::int[]) r (endpoint_id, room)
CROSS JOIN LATERAL (
    SELECT p.* FROM webhook_deliveries p
    WHERE p.company_id = $1 AND p.endpoint_id = r.endpoint_id AND p.next_attempt_at <= $4 AND p.id <> ALL ($5)
    ORDER BY p.next_attempt_at, p.position LIMIT r.room
) d
LEFT JOIN LATERAL (
    SELECT v.sequence, v.occurred_at, v.data FROM events v WHERE v.company_id = $1 AND v.id = d.event_id OFFSET 0
) e ON true
"""
_UPDATE: Final = """
WITH updated AS (
    UPDATE webhook_endpoints w SET told_up_to = r.told_up_to, status = r.status, status_reason = r.status_reason,
        status_changed_at = r.status_changed_at, failing_since = r.failing_since, last_failure = r.last_failure,
        last_success_at = r.last_success_at,
        next_attempt_at = (
            SELECT d.next_attempt_at FROM webhook_deliveries d
            WHERE d.company_id = $1 AND d.endpoint_id = w.id AND d.next_attempt_at IS NOT NULL
            ORDER BY d.next_attempt_at LIMIT 1)
    FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[],
                $9::timestamptz[])
        r (id, told_up_to, status, status_reason, status_changed_at, failing_since, last_failure, last_success_at)
    WHERE w.company_id = $1 AND w.id = r.id
    RETURNING w.next_attempt_at
), next AS (SELECT min(next_attempt_at) AS at FROM updated)
SELECT next.at, set_webhooks_due($1, next.at) FROM next
"""
_LATER: Final = """
SELECT min(d.next_attempt_at) FROM unnest($2::uuid[]) e (id)
CROSS JOIN LATERAL (
    SELECT p.next_attempt_at FROM webhook_deliveries p
    WHERE p.company_id = $1 AND p.endpoint_id = e.id AND p.next_attempt_at > $3 ORDER BY p.next_attempt_at LIMIT 1
) d
"""
_DISABLED: Final = f"""
SELECT {rows.columns(WebhookEndpoint)} FROM webhook_endpoints
WHERE company_id = $1 AND id = $2 AND status = 'disabled_by_system'
"""
_CLAIM: Final = "SELECT company_id FROM claim_webhooks($1, $2, $3, $4) c (company_id)"
_TEXT: Final = "SELECT data::text FROM events WHERE company_id = $1 AND id = $2"


class NewEvent(NamedTuple):
    """An event that deliveries are to be made of."""

    id: UUID
    type: str
    object_id: UUID
    position: int


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to be made of an event. `is_first`: of those that are made now, it is the first of its object."""

    endpoint_id: WebhookEndpointId
    event_id: UUID
    event_type: str
    object_id: UUID
    position: int
    status: DeliveryStatus
    is_first: bool


async def claim(
    connection: Connection, moment: datetime, company_id: UUID | None, *, held: Sequence[UUID], is_complete: bool
) -> list[UUID]:
    """Companies whose webhooks this session sends from now on: one, or those with something to send at the moment.

    But for those that are `held` already, and those of other sessions. With `is_complete` events that nobody was woken
    for count too. Each is held until `release`, or the end of the session.
    """
    found = await connection.fetch(_CLAIM, moment, company_id, list(held), is_complete)
    return [row["company_id"] for row in found]


async def release(connection: Connection, company_id: UUID) -> None:
    """Let other sessions send a company's webhooks."""
    await connection.execute("SELECT release_webhooks($1)", company_id)


async def release_all(connection: Connection) -> None:
    """The same for all companies that this session holds."""
    await connection.execute("SELECT pg_advisory_unlock_all()")


class Listeners(NamedTuple):
    """The endpoints of a company, the position of its last event, and whether it is a sandbox."""

    endpoints: list[WebhookEndpoint]
    last_position: int
    is_sandbox: bool


async def lock_endpoints(context: Context) -> Listeners:
    """The company's endpoints, held until the end of the transaction, and what is known with them."""
    found = await context.connection.fetch(_LOCK, context.company_id)
    if not found:
        return Listeners([], 0, is_sandbox=False)
    return Listeners([_endpoint(row) for row in found], found[0]["last_position"], found[0]["is_sandbox"])


async def record(
    context: Context,
    recorded: Sequence[tuple[DueDelivery, Attempt, DeliveryStatus, datetime | None]],
    texts: Sequence[str],
) -> None:
    """Add an attempt to each of these deliveries (its JSON in `texts`); its status and next attempt are those given.

    Where none of its object is under way any more, the first that waits is due.
    """
    await context.connection.execute(
        _RECORD,
        context.company_id,
        [due.id for due, _, _, _ in recorded],
        [str(status) for _, _, status, _ in recorded],
        [next_at for _, _, _, next_at in recorded],
        list(texts),
        context.now,
    )
    await free_next(
        context, [due.endpoint_id for due, _, _, _ in recorded], [due.object_id for due, _, _, _ in recorded]
    )


async def list_events(context: Context, after: int, up_to: int, topics: Collection[str]) -> list[NewEvent]:
    """Events of these topics, and tests, at positions above `after` up to `up_to`, in their order."""
    found = await context.connection.fetch(_EVENTS, context.company_id, after, up_to, list(topics))
    return [NewEvent(*row) for row in found]


async def insert(context: Context, deliveries: Sequence[NewDelivery]) -> None:
    """Add deliveries; one that is pending already is not made twice."""
    await context.connection.execute(
        _INSERT,
        context.company_id,
        [new_id() for _ in deliveries],
        [one.endpoint_id for one in deliveries],
        [one.event_id for one in deliveries],
        [one.event_type for one in deliveries],
        [one.object_id for one in deliveries],
        [one.position for one in deliveries],
        [str(one.status) for one in deliveries],
        [one.is_first for one in deliveries],
        context.now,
    )


async def list_due(
    context: Context, room: Mapping[WebhookEndpointId, int], busy: Collection[WebhookDeliveryId]
) -> list[DueDelivery]:
    """Deliveries whose next attempt is due, but for the `busy` ones: of each endpoint as many as it has `room` for."""
    found = await context.connection.fetch(
        _DUE, context.company_id, list(room), list(room.values()), context.now, list(busy)
    )
    return [DueDelivery(**row) for row in found]


async def update_endpoints(context: Context, endpoints: Sequence[WebhookEndpoint]) -> None:
    """Write how endpoints fare and up to where they were told, and let the worker know when the next attempt is due."""
    await context.connection.execute(
        _UPDATE,
        context.company_id,
        [one.id for one in endpoints],
        [one.told_up_to for one in endpoints],
        [str(one.status) for one in endpoints],
        [one.status_reason for one in endpoints],
        [one.status_changed_at for one in endpoints],
        [one.failing_since for one in endpoints],
        [one.last_failure for one in endpoints],
        [one.last_success_at for one in endpoints],
    )


async def next_attempt_after(context: Context, endpoint_ids: Sequence[WebhookEndpointId]) -> datetime | None:
    """When the first of the attempts is due that aren't yet; None: there are none."""
    found: datetime | None = await context.connection.fetchval(
        _LATER, context.company_id, list(endpoint_ids), context.now
    )
    return found


async def find_disabled(context: Context, endpoint_id: WebhookEndpointId) -> WebhookEndpoint | None:
    """An endpoint, if it is disabled by the system."""
    row = await context.connection.fetchrow(_DISABLED, context.company_id, endpoint_id)
    return None if row is None else _endpoint(row)


async def get_text(context: Context, event_id: UUID) -> str | None:
    """The JSON of an event, however long; None when the event is not kept any more."""
    text: str | None = await context.connection.fetchval(_TEXT, context.company_id, event_id)
    return text


def _endpoint(row: asyncpg.Record) -> WebhookEndpoint:
    values = {name: value for name, value in row.items() if name not in {"last_position", "is_sandbox", "set_config"}}
    return WebhookEndpoint(
        **{
            **values,
            "topics": tuple(row["topics"]),
            "signature_type": SignatureType(row["signature_type"]),
            "status": StoredStatus(row["status"]),
        }
    )
