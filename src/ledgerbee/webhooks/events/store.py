"""Reading the feed. Events are written by `platform/outbox.py` alone, with positions that become visible in order.

Whoever has seen a position has seen all before it: a reader that goes on from there misses nothing.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from ledgerbee.core.errors import refuse
from ledgerbee.core.fields import names_of
from ledgerbee.platform.context import Context
from ledgerbee.platform.event_json import MAX_INLINE, size_of
from ledgerbee.webhooks.events.model import EVENT_NOT_FOUND, SHOWN_FOR, EventId, FeedFilter, FeedPage, ToldEvent
from ledgerbee.webhooks.topics import TOPICS

#: Positions that a page looks at, at most, where it has to look at each: in between may be many that it doesn't show.
MAX_LOOKED_AT: Final = 100_000
#: The type that is not in the index of types: most events are of it.
_COMMON: Final = "journal_entry.posted"
#: Requests carry the moment at which they came in, and none takes longer: a later moment by more is a later position.
_OUT_OF_ORDER: Final = timedelta(hours=1)
_FOREVER: Final = datetime(9999, 12, 31, tzinfo=UTC)

_COLUMNS: Final = ", ".join(f"e.{name}" for name in names_of(ToldEvent) if name not in {"data", "size"})
#: OFFSET 0: the length is found once. What the page found is read where it lies: no index is looked into again.
_SELECT: Final = f"""
SELECT {_COLUMNS}, s.size, CASE WHEN s.size <= {MAX_INLINE} THEN e.data::text END AS data
FROM {{page}} p
CROSS JOIN LATERAL (SELECT * FROM events v WHERE v.company_id = $1 AND v.ctid = p.place OFFSET 0) e
CROSS JOIN LATERAL (SELECT {size_of("e.data")} AS size OFFSET 0) s
"""
#: The counter is read first: everything up to it is committed, and found by the statement after it. Between the other
#: two positions is all that is no older than one moment and no newer than another.
_BOUNDS: Final = """
SELECT c.last_position,
       (SELECT e.position FROM events e WHERE e.company_id = $1 AND e.occurred_at < $2
        ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1) AS before_all,
       (SELECT e.position FROM events e WHERE e.company_id = $1 AND e.occurred_at > $3
        ORDER BY e.occurred_at, e.id LIMIT 1) AS after_all
FROM event_counters c WHERE c.company_id = $1
"""
_WANTED: Final = """e.company_id = $1 AND e.position > 0 AND e.position > $2 AND e.position <= $3
    AND e.occurred_at >= $4 AND e.occurred_at <= $5"""
_IN_ORDER: Final = f"""
SELECT e.ctid AS place, e.position FROM events e
WHERE {_WANTED} AND e.type = ANY ($6::text[]) ORDER BY e.position LIMIT $7
"""
#: Written so that the index of type and position is the only one that serves, whatever the planner expects: without
#: `position > 0` that of positions doesn't, and that of moments finds no moment. They'd be walked past all others.
_OF_TYPES: Final = f"""
SELECT r.place, r.position FROM unnest($6::text[]) AS wanted (type) CROSS JOIN LATERAL (
    SELECT e.ctid AS place, e.position FROM events e
    WHERE e.company_id = $1 AND e.type = wanted.type AND e.type <> '{_COMMON}'
      AND e.position > $2 AND e.position <= $3
      AND e.occurred_at + interval '0' BETWEEN $4 AND $5
    ORDER BY e.position LIMIT $7
) r ORDER BY r.position LIMIT $7
"""
#: Their numbers are in the order of their positions. OFFSET 0: they are found by the object, whatever the planner
#: expects.
_OF_OBJECT: Final = f"""
SELECT e.place, e.position FROM (
    SELECT v.company_id, v.ctid AS place, v.position, v.occurred_at, v.type FROM events v
    WHERE v.company_id = $1 AND v.object_id = $8 ORDER BY v.sequence OFFSET 0
) e WHERE {_WANTED} AND e.type = ANY ($6::text[]) LIMIT $7
"""


async def list_page(context: Context, wanted: FeedFilter, after: int, limit: int) -> FeedPage:
    """Up to `limit` events behind the position `after`.

    Raises a validation error for a position that no event has had yet.
    """
    since = max(wanted.since or context.now - SHOWN_FOR, context.now - SHOWN_FOR)
    until = wanted.until or _FOREVER
    bounds = await context.connection.fetchrow(
        _BOUNDS, context.company_id, since - _OUT_OF_ORDER, min(until, _FOREVER - _OUT_OF_ORDER) + _OUT_OF_ORDER
    )
    last = bounds["last_position"] if bounds else 0
    if after > last:
        refuse([("after", "matches", "after must be the `nextCursor` of an answer")])
    if bounds is None:
        return FeedPage([], 0)
    first = max(after, bounds["before_all"] or 0)
    through = last if bounds["after_all"] is None else min(last, max(bounds["after_all"] - 1, 0))
    types = sorted(TOPICS if wanted.types is None else wanted.types)
    page = _page_of(wanted)
    if page is _IN_ORDER:
        last = min(last, first + MAX_LOOKED_AT)
        through = min(through, last)
    arguments = [context.company_id, first, through, since, until, types, limit]
    if wanted.object_id is not None:
        arguments.append(wanted.object_id)
    rows = await context.connection.fetch(f"{_SELECT.format(page=f'({page})')} ORDER BY p.position", *arguments)
    events = [ToldEvent(**row) for row in rows]
    return FeedPage(events, events[-1].position if len(events) == limit else last)


def _page_of(wanted: FeedFilter) -> str:
    """The statement that finds the page."""
    if wanted.object_id is not None:
        return _OF_OBJECT
    return _IN_ORDER if wanted.types is None or _COMMON in wanted.types else _OF_TYPES


async def get(context: Context, event_id: EventId) -> ToldEvent:
    """One event. Raises `EVENT_NOT_FOUND`, also for one that the feed doesn't show."""
    page = "(SELECT v.ctid AS place FROM events v WHERE v.company_id = $1 AND v.id = $2)"
    statement = f"{_SELECT.format(page=page)} WHERE e.position > 0 AND e.type = ANY ($3::text[])"
    row = await context.connection.fetchrow(
        f"{statement} AND e.occurred_at >= $4", context.company_id, event_id, sorted(TOPICS), context.now - SHOWN_FOR
    )
    return ToldEvent(**EVENT_NOT_FOUND.unless(row))
