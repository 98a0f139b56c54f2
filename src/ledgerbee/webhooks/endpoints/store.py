"""Rows of webhook endpoints, and of what waits for them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import asyncpg

from ledgerbee.core.fields import names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page
from ledgerbee.webhooks.endpoints.model import (
    MAX_COUNTED,
    WEBHOOK_ENDPOINT_NOT_FOUND,
    CountedEndpoint,
    Counts,
    StoredStatus,
    WebhookEndpoint,
    WebhookEndpointId,
)
from ledgerbee.webhooks.signing import SignatureType

#: Deleted ones are kept for their log alone.
_THERE: Final = "status <> 'deleted'"


def _count(status: str) -> str:
    return (
        "(SELECT count(*) FROM (SELECT FROM webhook_deliveries d"
        f" WHERE d.company_id = w.company_id AND d.endpoint_id = w.id AND d.status = '{status}' LIMIT {MAX_COUNTED}) x)"
        f" AS {status}_count"
    )


_COUNTED: Final = (
    f"SELECT {rows.columns(WebhookEndpoint, 'w')}, {', '.join(map(_count, ('pending', 'failed', 'skipped')))}"
)
_LIST: Final = f"{_COUNTED} FROM page p JOIN webhook_endpoints w USING (company_id, id)"
_GET: Final = f"{_COUNTED} FROM webhook_endpoints w WHERE w.company_id = $1 AND w.id = $2 AND w.{_THERE}"
_LOCK: Final = (
    f"SELECT {rows.columns(WebhookEndpoint)} FROM webhook_endpoints"
    f" WHERE company_id = $1 AND id = $2 AND {_THERE} FOR UPDATE"
)
_INSERT: Final = rows.insert("webhook_endpoints", WebhookEndpoint)
_UPDATE: Final = rows.update("webhook_endpoints", WebhookEndpoint)
_NUMBER: Final = f"SELECT count(*) FROM webhook_endpoints WHERE company_id = $1 AND {_THERE}"
_LISTEN: Final = """
INSERT INTO event_counters AS c (company_id, last_position, is_listened) VALUES ($1, 0, true)
ON CONFLICT (company_id) DO UPDATE SET is_listened = true RETURNING c.last_position
"""
#: Deliveries that one transaction skips: what waits for a dead endpoint may be a million.
MAX_SKIPPED: Final = 10_000
_SKIP: Final = f"""
UPDATE webhook_deliveries SET status = 'skipped', next_attempt_at = NULL, finished_at = $3
WHERE company_id = $1 AND ctid = ANY (ARRAY(
    SELECT p.ctid FROM webhook_deliveries p
    WHERE p.company_id = $1 AND p.endpoint_id = ANY ($2) AND p.status = 'pending' LIMIT {MAX_SKIPPED}))
"""
_ATTEMPT_AT: Final = """
UPDATE webhook_endpoints SET next_attempt_at = least(next_attempt_at, $3) WHERE company_id = $1 AND id = $2
"""
_LISTENING: Final = (
    "SELECT t.topic, count(*) AS endpoints FROM webhook_endpoints w, unnest(w.topics) AS t (topic)"
    " WHERE w.company_id = $1 AND w.status = 'enabled' AND t.topic = ANY($2) GROUP BY t.topic"
)
_SET_DUE: Final = "SELECT set_webhooks_due($1, $2)"
#: Ids are made in the order of time.
_SORT_COLUMNS: Final = {"createdAt": "t.created_at"}


async def list_page(context: Context, request: PageRequest) -> Page[CountedEndpoint]:
    """A page of endpoints, newest first."""
    filters = Filter()
    filters.always.append(f"t.{_THERE}")
    page = await fetch_page(
        context, table="webhook_endpoints", select=_LIST, filters=filters, order_by=_SORT_COLUMNS, request=request
    )
    return Page([_counted(row) for row in page.rows], page.total)


async def get(context: Context, endpoint_id: WebhookEndpointId) -> CountedEndpoint:
    """One endpoint. Raises `WEBHOOK_ENDPOINT_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, endpoint_id)
    return _counted(WEBHOOK_ENDPOINT_NOT_FOUND.unless(row))


async def get_for_update(context: Context, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
    """One endpoint, locked with its deliveries until the transaction ends. Raises `WEBHOOK_ENDPOINT_NOT_FOUND`."""
    row = await context.connection.fetchrow(_LOCK, context.company_id, endpoint_id)
    return _endpoint(WEBHOOK_ENDPOINT_NOT_FOUND.unless(row))


async def insert(context: Context, endpoint: WebhookEndpoint) -> None:
    """Add an endpoint."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(endpoint))


async def update(context: Context, endpoint: WebhookEndpoint) -> None:
    """Write the fields of an endpoint that is locked."""
    await context.connection.execute(_UPDATE, context.company_id, *rows.values(endpoint))


async def number_of(context: Context) -> int:
    """How many endpoints the company has."""
    number: int = await context.connection.fetchval(_NUMBER, context.company_id)
    return number


async def listening(context: Context, topics: Collection[str]) -> dict[str, int]:
    """How many endpoints are told of events of each of these topics; those of which none is are left out."""
    found = await context.connection.fetch(_LISTENING, context.company_id, list(topics))
    return {row["topic"]: row["endpoints"] for row in found}


async def listen(context: Context) -> int:
    """Have whoever sends told of each event of the company from now on; the position of the last one until now.

    Holds the company's counter until the transaction ends: of several at once each sees what the others made.
    """
    position: int = await context.connection.fetchval(_LISTEN, context.company_id)
    return position


async def skip_pending(context: Context, endpoint_ids: Sequence[WebhookEndpointId]) -> bool:
    """Skip what waits for endpoints that are locked and disabled; whether there is more. The worker does the rest."""
    done = await context.connection.execute(_SKIP, context.company_id, list(endpoint_ids), context.now)
    return done == f"UPDATE {MAX_SKIPPED}"


async def attempt_at(context: Context, endpoint_id: WebhookEndpointId, moment: datetime) -> None:
    """Show that an attempt of an endpoint that is locked is due at `moment`, or earlier; and wake who sends."""
    await context.connection.execute(_ATTEMPT_AT, context.company_id, endpoint_id, moment)
    await set_due(context, moment)


async def set_due(context: Context, moment: datetime) -> None:
    """Have the company's deliveries looked at by whoever sends, at `moment`.

    Comes before `listen` and before the end of the transaction: locks are taken in one order.
    """
    await context.connection.execute(_SET_DUE, context.company_id, moment)


def _endpoint(row: asyncpg.Record) -> WebhookEndpoint:
    found = {name: row[name] for name in names_of(WebhookEndpoint)}
    found |= {
        "topics": tuple(found["topics"]),
        "signature_type": SignatureType(found["signature_type"]),
        "status": StoredStatus(found["status"]),
    }
    return WebhookEndpoint(**found)


def _counted(row: asyncpg.Record) -> CountedEndpoint:
    return CountedEndpoint(_endpoint(row), Counts(**{name: row[name] for name in names_of(Counts)}))
