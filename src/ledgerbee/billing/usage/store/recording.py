"""Adding events: a key and its event in one insert, with what they sum up to and what they are late for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.billing.meters.model import Aggregation
from ledgerbee.billing.usage.model import NewUsage, UsageDay, UsageMeter
from ledgerbee.billing.usage.store.chains import CHAIN, SHARED_LOCKS, STATE, hold_spans, locks_of
from ledgerbee.billing.usage.store.days import ADDED, DAY_COLUMNS, SUMS
from ledgerbee.core.dates import iso_day
from ledgerbee.core.ids import parse_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.literals import array, bytea_array, nullable_array, text_array

_METER: Final = """
SELECT m.id, m.name, m.status = 'ACTIVE' AS is_active, m.aggregation FROM meters m
WHERE m.company_id = $1 AND m.{} = ANY ($%d)
"""
_LOOK_UP: Final = f"""
{_METER.format("id") % 2} UNION ALL {_METER.format("name") % 3}
UNION ALL SELECT c.id, NULL, NULL, NULL FROM customers c WHERE c.company_id = $1 AND c.id = ANY ($4)
UNION ALL SELECT NULL, NULL, NULL, NULL FROM unnest($5::text::int[]) AS lock (number) WHERE {SHARED_LOCKS}
"""
#: The columns that a report fills, and its rows as arrays: `new_usage_arguments`, from the second argument on.
NEW_USAGE_COLUMNS: Final = (
    "id, key, body_hash, meter_id, customer_id, named_subscription_id, day, occurred_at, value, metadata, received_on,"
    " received_at"
)
NEW_USAGE: Final = f"""
(
    SELECT n.id, n.key, n.body_hash, n.meter_id, n.customer_id, n.named_subscription_id, n.day, n.occurred_at, n.value,
        n.metadata::jsonb AS metadata, n.received_on, n.received_at
    FROM unnest($2::text::uuid[], $3::text::text[], $4::text::bytea[], $5::text::uuid[], $6::text::uuid[],
            $7::text::uuid[], $8::text::date[], $9::text::timestamptz[], $10::text::numeric[], $11::text::text[],
            $12::text::date[], $13::text::timestamptz[]) AS n ({NEW_USAGE_COLUMNS})
) g
"""
#: A key that is there keeps its event. What of the sums and marks is moved is of the events that were added.
_RECORD: Final = f"""
WITH added AS (
    INSERT INTO usage_events (company_id, id, key, body_hash, meter_id, customer_id, subscription_id,
        named_subscription_id, day, occurred_at, value, metadata, received_on, received_at, state)
    SELECT $1, g.id, g.key, g.body_hash, g.meter_id, g.customer_id, c.subscription_id, g.named_subscription_id, g.day,
        g.occurred_at, g.value, g.metadata, g.received_on, g.received_at, {STATE.format(event="g")}
    FROM {NEW_USAGE}
    {CHAIN.format(event="g")}
    ON CONFLICT (company_id, key) DO NOTHING
    RETURNING id, meter_id, customer_id, subscription_id, day, occurred_at, value, state
), moved AS (
    INSERT INTO usage_days AS d ({DAY_COLUMNS})
    SELECT $1, e.subscription_id, e.meter_id, e.customer_id, e.day, {SUMS}
    FROM added e
    GROUP BY e.subscription_id, e.meter_id, e.day, e.customer_id
    ORDER BY e.subscription_id, e.meter_id, e.day, e.customer_id
    {ADDED}
    RETURNING d.subscription_id, d.customer_id, d.meter_id, d.day, d.xmax = 0 AS is_new
), late AS (
    INSERT INTO late_usage AS l (company_id, subscription_id, price_id, day, events, is_counted)
    SELECT $1, e.subscription_id, s.price_id, e.day, count(*), true
    FROM added e
    JOIN metered_spans s ON s.company_id = $1 AND s.customer_id = e.customer_id AND s.meter_id = e.meter_id
        AND s.subscription_id = e.subscription_id
        AND NOT s.is_trial AND s.starts_on <= e.day AND (s.ends_on IS NULL OR s.ends_on > e.day)
        AND e.day < s.billed_until
    WHERE e.state = 'accepted'
    GROUP BY e.subscription_id, s.price_id, e.day
    ORDER BY e.subscription_id, s.price_id, e.day
    ON CONFLICT (company_id, subscription_id, price_id, day) DO UPDATE SET events = l.events + excluded.events
)
SELECT (SELECT count(*) FROM added) AS added,
    ARRAY(SELECT e.id FROM added e WHERE e.subscription_id IS NULL) AS unattributed,
    (SELECT json_agg(json_build_array(m.customer_id, m.meter_id, m.day) ORDER BY m.customer_id, m.meter_id, m.day)
     FROM moved m WHERE m.subscription_id IS NULL AND m.is_new) AS first_unattributed
"""
_STORED: Final = "SELECT e.key, e.id, e.body_hash FROM usage_events e WHERE e.company_id = $1 AND e.key = ANY ($2)"


class Known(NamedTuple):
    """What reports refer to, as far as the company has it."""

    meters: Mapping[UUID, UsageMeter]
    meters_by_name: Mapping[str, UsageMeter]
    customers: Collection[UUID]


class Added(NamedTuple):
    """What came of adding events: how many were new, which of them are unattributed, and which unattributed ones are
    the first of their customer, meter and day.
    """

    new: int
    unattributed: Collection[UUID]
    first_unattributed: Sequence[UsageDay]


async def look_up(
    context: Context, meter_ids: Collection[UUID], meter_names: Collection[str], customer_ids: Collection[UUID]
) -> Known:
    """The meters and customers among these, whose spans nobody changes until the transaction ends."""
    found = await context.connection.fetch(
        _LOOK_UP,
        context.company_id,
        list(meter_ids),
        list(meter_names),
        list(customer_ids),
        locks_of(customer_ids),
    )
    meters = [
        UsageMeter(row["id"], row["name"], row["is_active"], Aggregation(row["aggregation"]))
        for row in found
        if row["name"] is not None
    ]
    customers = {row["id"] for row in found if row["name"] is None}
    return Known({meter.id: meter for meter in meters}, {meter.name: meter for meter in meters}, customers)


async def record(context: Context, events: Sequence[NewUsage]) -> Added:
    """Add events whose keys are new, each key once among them. Their meters and customers were looked up."""
    days = [event.day for event in events]
    await hold_spans(context, {(event.customer_id, event.meter_id) for event in events}, min(days), max(days))
    row = await context.connection.fetchrow(_RECORD, context.company_id, *new_usage_arguments(events))
    assert row is not None
    told = [
        UsageDay(parse_id(customer_id), parse_id(meter_id), date.fromisoformat(day), None)
        for customer_id, meter_id, day in row["first_unattributed"] or ()
    ]
    return Added(row["added"], set(row["unattributed"]), told)


def new_usage_arguments(events: Sequence[NewUsage]) -> list[str]:
    """The arguments that `NEW_USAGE` takes."""
    return [
        array([str(event.id) for event in events]),
        text_array([event.key for event in events]),
        bytea_array([event.body_hash for event in events]),
        array([str(event.meter_id) for event in events]),
        array([str(event.customer_id) for event in events]),
        nullable_array([event.named_subscription_id for event in events]),
        array([iso_day(event.day) for event in events]),
        array([event.occurred_at.isoformat() for event in events]),
        array([str(event.value) for event in events]),
        text_array([event.metadata for event in events]),
        array([iso_day(event.received_on) for event in events]),
        array([event.received_at.isoformat() for event in events]),
    ]


async def stored(context: Context, keys: Collection[str]) -> dict[str, tuple[UUID, bytes]]:
    """The events that have these keys: the id and the hash of each, by its key."""
    found = await context.connection.fetch(_STORED, context.company_id, list(keys))
    return {row["key"]: (row["id"], row["body_hash"]) for row in found}
