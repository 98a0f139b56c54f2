"""Rows of backfills, of their events, and of what they stand in the place of."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.billing.backfills.model import (
    MAX_BACKFILLED,
    USAGE_BACKFILL_NOT_FOUND,
    Backfill,
    BackfillId,
    BackfillStatus,
    UsedByCustomer,
)
from ledgerbee.billing.usage.model import NewUsage
from ledgerbee.billing.usage.store.chains import CHAIN, STATE
from ledgerbee.billing.usage.store.days import Moved
from ledgerbee.billing.usage.store.quantities import DAY_SUMS, DISTINCT_BY, QUANTITY
from ledgerbee.billing.usage.store.recording import NEW_USAGE, NEW_USAGE_COLUMNS, new_usage_arguments
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_COLUMNS: Final = rows.columns(Backfill, "b")
_GET: Final = f"SELECT {_COLUMNS} FROM usage_backfills b WHERE b.company_id = $1 AND b.id = $2"
_LOCK: Final = f"{_GET} FOR NO KEY UPDATE"
_LIST: Final = f"SELECT {_COLUMNS} FROM page p JOIN usage_backfills b USING (company_id, id)"
_INSERT: Final = rows.insert("usage_backfills", Backfill)
_UPDATE: Final = """
UPDATE usage_backfills SET status = $3, events = $4, superseded = $5, closed_at = $6, reverted_at = $7,
    cancelled_at = $8
WHERE company_id = $1 AND id = $2
"""
#: Backfills of the same usage: of the same meter, of days that both have, of the same customer or of all.
_OTHERS: Final = """
SELECT b.id FROM usage_backfills b, usage_backfills o
WHERE o.company_id = $1 AND o.id = $2 AND b.company_id = $1 AND b.id <> o.id AND b.meter_id = o.meter_id
  AND b.starts_on <= o.ends_on AND b.ends_on >= o.starts_on
  AND (b.customer_id IS NULL OR o.customer_id IS NULL OR b.customer_id = o.customer_id)
  AND {}
ORDER BY b.created_at, b.id LIMIT 1
"""
_OPEN_TOO: Final = _OTHERS.format("b.status = 'open'")
#: What was closed later stands on what this one made; what is open may have been looked at with it.
_LATER: Final = _OTHERS.format(
    "(b.status = 'open' OR (b.status = 'closed' AND (b.closed_at, b.id) > (o.closed_at, o.id)))"
)
_STAGE: Final = f"""
WITH added AS (
    INSERT INTO usage_events (company_id, {NEW_USAGE_COLUMNS}, state)
    SELECT $1, g.*, 'staged' FROM {NEW_USAGE}
    ON CONFLICT (company_id, key) DO NOTHING
    RETURNING id
), own AS (
    INSERT INTO usage_backfill_events (company_id, backfill_id, event_id, is_superseded)
    SELECT $1, $14, a.id, false FROM added a
)
SELECT a.id FROM added a
"""
#: Events that came in before and are of these days are the backfill's own, as they are.
_TAKE_UP: Final = """
INSERT INTO usage_backfill_events (company_id, backfill_id, event_id, is_superseded)
SELECT $1, b.id, e.id, false
FROM usage_backfills b
JOIN usage_events e ON e.company_id = $1 AND e.id = ANY ($3) AND e.meter_id = b.meter_id
    AND e.day BETWEEN b.starts_on AND b.ends_on
WHERE b.company_id = $1 AND b.id = $2
ON CONFLICT (company_id, backfill_id, event_id) DO NOTHING
RETURNING event_id
"""
#: What a backfill supersedes: what had come in before it was opened, but for its own events and those of subscriptions
#: that have been settled ($3 is today), of which nothing is billed any more.
_SUPERSEDED: Final = """
FROM usage_backfills b
JOIN usage_events e ON e.company_id = $1 AND e.meter_id = b.meter_id AND e.day BETWEEN b.starts_on AND b.ends_on
    AND (b.customer_id IS NULL OR e.customer_id = b.customer_id)
    AND e.state IN ('accepted', 'too_late') AND e.received_at <= b.opened_at
WHERE b.company_id = $1 AND b.id = $2
  AND NOT EXISTS (SELECT FROM usage_backfill_events m
                  WHERE m.company_id = $1 AND m.backfill_id = b.id AND m.event_id = e.id)
  AND NOT EXISTS (SELECT FROM metered_spans s
                  WHERE s.company_id = $1 AND s.subscription_id = e.subscription_id AND s.meter_id = e.meter_id
                    AND s.closes_on < $3)
"""
_NOTE_SUPERSEDED: Final = f"""
INSERT INTO usage_backfill_events (company_id, backfill_id, event_id, is_superseded, state_before)
SELECT $1, b.id, e.id, true, e.state {_SUPERSEDED} LIMIT {MAX_BACKFILLED + 1}
"""
_NOTE_OWN: Final = """
UPDATE usage_backfill_events m SET state_before = e.state
FROM usage_events e
WHERE m.company_id = $1 AND m.backfill_id = $2 AND NOT m.is_superseded AND e.company_id = $1 AND e.id = m.event_id
"""
_MOVED: Final = """
SELECT h.customer_id, h.meter_id, h.day, h.was, h.state_was, h.subscription_id, h.state, count(*) AS events
FROM changed h GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
_SUPERSEDE: Final = f"""
WITH changed AS (
    UPDATE usage_events e SET state = 'superseded'
    FROM usage_backfill_events m
    WHERE m.company_id = $1 AND m.backfill_id = $2 AND m.is_superseded AND e.company_id = $1 AND e.id = m.event_id
    RETURNING e.customer_id, e.meter_id, e.day, e.subscription_id AS was, m.state_before AS state_was,
        e.subscription_id, e.state
) {_MOVED}
"""
#: Gives events `n` to the chains that cover them by now. `n` says what each was, and when it came in.
_ATTRIBUTE: Final = f"""
WITH changed AS (
    UPDATE usage_events e SET subscription_id = c.subscription_id, state = {STATE.format(event="n")},
        received_on = n.received_on
    FROM (
        SELECT o.id, o.customer_id, o.meter_id, o.day, o.named_subscription_id, o.subscription_id AS was,
            o.state AS state_was, CASE o.state WHEN 'staged' THEN $3::date ELSE o.received_on END AS received_on
        FROM usage_backfill_events m JOIN usage_events o ON o.company_id = $1 AND o.id = m.event_id
        WHERE m.company_id = $1 AND m.backfill_id = $2 AND {{}}
    ) n {CHAIN.format(event="n")}
    WHERE e.company_id = $1 AND e.id = n.id
    RETURNING e.customer_id, e.meter_id, e.day, n.was, n.state_was, e.subscription_id, e.state
) {_MOVED}
"""
_PUT_IN_FORCE: Final = _ATTRIBUTE.format("NOT m.is_superseded AND o.state NOT IN ('accepted', 'too_late')")
_RESTORE: Final = _ATTRIBUTE.format("m.is_superseded AND o.state = 'superseded'")
_TAKE_OUT_OF_FORCE: Final = f"""
WITH changed AS (
    UPDATE usage_events e SET state = n.state_before,
        subscription_id = CASE n.state_before WHEN 'staged' THEN NULL ELSE e.subscription_id END
    FROM (
        SELECT o.id, o.subscription_id AS was, o.state AS state_was, m.state_before
        FROM usage_backfill_events m JOIN usage_events o ON o.company_id = $1 AND o.id = m.event_id
        WHERE m.company_id = $1 AND m.backfill_id = $2 AND NOT m.is_superseded
          AND m.state_before NOT IN ('accepted', 'too_late')
    ) n
    WHERE e.company_id = $1 AND e.id = n.id
    RETURNING e.customer_id, e.meter_id, e.day, n.was, n.state_was, e.subscription_id, e.state
) {_MOVED}
"""
_USED: Final = f"""
SELECT c.id AS customer_id, c.name AS customer_name,
    (SELECT coalesce(sum(d.events), 0)::bigint FROM usage_days d
     WHERE d.company_id = $1 AND d.customer_id = c.id AND d.meter_id = b.meter_id
       AND d.day BETWEEN b.starts_on AND b.ends_on) AS events,
    coalesce(sum({QUANTITY}), 0) AS quantity
FROM usage_backfills b
JOIN meters m ON m.company_id = $1 AND m.id = b.meter_id
JOIN customers c ON c.company_id = $1 AND c.id = ANY ($3)
LEFT JOIN LATERAL (
    SELECT d.subscription_id, {DAY_SUMS} FROM usage_days d
    WHERE d.company_id = $1 AND d.customer_id = c.id AND d.meter_id = b.meter_id AND d.subscription_id IS NOT NULL
      AND d.day BETWEEN b.starts_on AND b.ends_on
    GROUP BY d.subscription_id
) u ON true
LEFT JOIN LATERAL (
    SELECT count(DISTINCT {DISTINCT_BY}) AS distinct_values FROM usage_events e
    WHERE m.aggregation = 'UNIQUE_COUNT' AND e.company_id = $1 AND e.customer_id = c.id AND e.meter_id = b.meter_id
      AND e.subscription_id = u.subscription_id AND e.state = 'accepted' AND e.day BETWEEN b.starts_on AND b.ends_on
) v ON true
WHERE b.company_id = $1 AND b.id = $2
GROUP BY b.meter_id, b.starts_on, b.ends_on, c.id, c.name
"""


async def insert(context: Context, backfill: Backfill) -> None:
    """Add a backfill."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(backfill))


async def update(context: Context, backfill: Backfill) -> None:
    """Write where a backfill stands by now. It is locked."""
    await context.connection.execute(
        _UPDATE,
        context.company_id,
        backfill.id,
        backfill.status,
        backfill.events,
        backfill.superseded,
        backfill.closed_at,
        backfill.reverted_at,
        backfill.cancelled_at,
    )


async def get(context: Context, backfill_id: BackfillId) -> Backfill:
    """One backfill. Raises `USAGE_BACKFILL_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, backfill_id)
    return _backfill(USAGE_BACKFILL_NOT_FOUND.unless(row))


async def get_for_update(context: Context, backfill_id: BackfillId) -> Backfill:
    """One backfill, locked until the transaction ends. Raises `USAGE_BACKFILL_NOT_FOUND`."""
    row = await context.connection.fetchrow(_LOCK, context.company_id, backfill_id)
    return _backfill(USAGE_BACKFILL_NOT_FOUND.unless(row))


async def list_page(
    context: Context, request: PageRequest, meter_id: UUID | None, status: BackfillStatus | None
) -> Page[Backfill]:
    """A page of backfills, the newest first."""
    filters = Filter()
    if meter_id is not None:
        filters.add("t.meter_id = {}", meter_id)
    if status is not None:
        filters.add("t.status = {}", status.value)
    page = await fetch_page(
        context,
        table="usage_backfills",
        select=_LIST,
        filters=filters,
        order_by={"createdAt": "t.created_at"},
        request=request,
    )
    return Page([_backfill(row) for row in page.rows], page.total)


async def find_open_too(context: Context, backfill_id: BackfillId) -> UUID | None:
    """Another open backfill of the same usage."""
    found: UUID | None = await context.connection.fetchval(_OPEN_TOO, context.company_id, backfill_id)
    return found


async def find_later(context: Context, backfill_id: BackfillId) -> UUID | None:
    """A backfill of the same usage that is open, or was closed after this one."""
    found: UUID | None = await context.connection.fetchval(_LATER, context.company_id, backfill_id)
    return found


async def stage(context: Context, backfill_id: BackfillId, events: Sequence[NewUsage]) -> set[UUID]:
    """Add events whose keys are new to a backfill; the ids of those that were."""
    found = await context.connection.fetch(_STAGE, context.company_id, *new_usage_arguments(events), backfill_id)
    return {row["id"] for row in found}


async def take_up(context: Context, backfill_id: BackfillId, event_ids: Collection[UUID]) -> set[UUID]:
    """Make events the backfill's own that had come in before, where they are of its days; the ids of those."""
    found = await context.connection.fetch(_TAKE_UP, context.company_id, backfill_id, list(event_ids))
    return {row["event_id"] for row in found}


async def supersede(context: Context, backfill_id: BackfillId) -> list[Moved]:
    """Have the events of its days that aren't its own count no more; one more than `MAX_BACKFILLED` at most."""
    await context.connection.execute(_NOTE_SUPERSEDED, context.company_id, backfill_id, context.today)
    return await _moved(context, _SUPERSEDE, backfill_id)


async def put_in_force(context: Context, backfill_id: BackfillId) -> list[Moved]:
    """Have a backfill's own events count from now on."""
    await context.connection.execute(_NOTE_OWN, context.company_id, backfill_id)
    return await _moved(context, _PUT_IN_FORCE, backfill_id, context.today)


async def take_out_of_force(context: Context, backfill_id: BackfillId) -> list[Moved]:
    """Have a backfill's own events be what they were before it was closed."""
    return await _moved(context, _TAKE_OUT_OF_FORCE, backfill_id)


async def restore(context: Context, backfill_id: BackfillId) -> list[Moved]:
    """Have the events that a backfill superseded count again."""
    return await _moved(context, _RESTORE, backfill_id, context.today)


async def used(context: Context, backfill_id: BackfillId, customer_ids: Collection[UUID]) -> dict[UUID, UsedByCustomer]:
    """What these customers used of the meter in the backfill's days, as it counts in this transaction."""
    found = await context.connection.fetch(_USED, context.company_id, backfill_id, list(customer_ids))
    return {row["customer_id"]: UsedByCustomer(**row) for row in found}


async def _moved(context: Context, statement: str, backfill_id: BackfillId, *arguments: object) -> list[Moved]:
    found = await context.connection.fetch(statement, context.company_id, backfill_id, *arguments)
    return [Moved(*row) for row in found]


def _backfill(row: asyncpg.Record) -> Backfill:
    return Backfill(**{**dict(row), "status": BackfillStatus(row["status"])})
