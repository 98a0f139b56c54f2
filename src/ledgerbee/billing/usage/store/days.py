"""What a day's events sum up to, what is marked late, and attributing anew."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.billing.usage.model import UsageDay
from ledgerbee.billing.usage.store.chains import CHAIN, STATE
from ledgerbee.core.dates import iso_day
from ledgerbee.platform.context import Context
from ledgerbee.platform.literals import array, nullable_array

#: The columns of a row of `usage_days`: whose it is, and its sums.
DAY_COLUMNS: Final = (
    "company_id, subscription_id, meter_id, customer_id, day,"
    " events, too_late, withdrawn, sum, max, last_value, last_at, last_id"
)
_COUNTS: Final = "FILTER (WHERE e.state = 'accepted')"
#: The sums of events `e`: what is superseded counts as withdrawn, what is staged as nothing. Of several at one moment
#: the one that came in last is the last.
SUMS: Final = f"""
count(*) {_COUNTS}, count(*) FILTER (WHERE e.state = 'too_late'),
count(*) FILTER (WHERE e.state IN ('withdrawn', 'superseded')),
coalesce(sum(e.value) {_COUNTS}, 0), max(e.value) {_COUNTS},
(array_agg(e.value ORDER BY e.occurred_at DESC, e.id DESC) {_COUNTS})[1], max(e.occurred_at) {_COUNTS},
(array_agg(e.id ORDER BY e.occurred_at DESC, e.id DESC) {_COUNTS})[1]
"""
_IS_LATER: Final = (
    "excluded.last_at IS NOT NULL AND"
    " (d.last_at IS NULL OR (excluded.last_at, excluded.last_id) > (d.last_at, d.last_id))"
)
#: Adds the sums of more events to a row.
ADDED: Final = "ON CONFLICT (company_id, chain_id, meter_id, day, customer_id) DO UPDATE SET" + ", ".join([
    " events = d.events + excluded.events, too_late = d.too_late + excluded.too_late",
    "withdrawn = d.withdrawn + excluded.withdrawn, sum = d.sum + excluded.sum, max = greatest(d.max, excluded.max)",
    *(f"{name} = CASE WHEN {_IS_LATER} THEN excluded.{name} ELSE d.{name} END"
      for name in ("last_value", "last_at", "last_id")),
])  # fmt: skip
_KEYS: Final = (
    "unnest($2::text::uuid[], $3::text::uuid[], $4::text::date[], $5::text::uuid[])"
    " AS k (customer_id, meter_id, day, subscription_id)"
)
_IS_OF_KEY: Final = (
    "{0}.company_id = $1 AND {0}.customer_id = k.customer_id AND {0}.meter_id = k.meter_id AND {0}.day = k.day"
    " AND {0}.subscription_id IS NOT DISTINCT FROM k.subscription_id"
)
#: Rows that are there are held by it too.
_HOLD_DAYS: Final = f"""
INSERT INTO usage_days AS d ({DAY_COLUMNS})
SELECT $1, k.subscription_id, k.meter_id, k.customer_id, k.day, 0, 0, 0, 0, NULL, NULL, NULL, NULL FROM {_KEYS}
ORDER BY k.subscription_id, k.meter_id, k.day, k.customer_id
ON CONFLICT (company_id, chain_id, meter_id, day, customer_id) DO UPDATE SET events = d.events
RETURNING d.customer_id, d.meter_id, d.day, d.subscription_id, d.xmax = 0 AS is_new
"""
_RECOUNT: Final = f"""
UPDATE usage_days d SET (events, too_late, withdrawn, sum, max, last_value, last_at, last_id) = (
    SELECT {SUMS} FROM usage_events e WHERE {_IS_OF_KEY.format("e")}
)
FROM {_KEYS}
WHERE {_IS_OF_KEY.format("d")}
"""
#: Of the chain's prices on that meter that were billed for the day; also of those that cover it no more, where asked.
_MARK_LATE: Final = """
INSERT INTO late_usage AS l (company_id, subscription_id, price_id, day, events, is_counted)
SELECT $1, k.subscription_id, s.price_id, k.day, sum(k.events), bool_and(NOT k.covers_no_more)
FROM unnest($2::text::uuid[], $3::text::uuid[], $4::text::date[], $5::text::bigint[], $6::text::boolean[])
    AS k (subscription_id, meter_id, day, events, covers_no_more)
JOIN metered_spans s ON s.company_id = $1 AND s.subscription_id = k.subscription_id AND s.meter_id = k.meter_id
    AND NOT s.is_trial AND k.day < s.billed_until
    AND (k.covers_no_more OR (s.starts_on <= k.day AND (s.ends_on IS NULL OR s.ends_on > k.day)))
GROUP BY k.subscription_id, s.price_id, k.day
ORDER BY k.subscription_id, s.price_id, k.day
ON CONFLICT (company_id, subscription_id, price_id, day)
DO UPDATE SET events = l.events + excluded.events, is_counted = l.is_counted AND excluded.is_counted
"""
_REATTRIBUTE: Final = f"""
WITH wanted AS (
    SELECT e.id, e.subscription_id AS was, e.state AS state_was, c.subscription_id, {STATE.format(event="e")} AS state
    FROM usage_events e {CHAIN.format(event="e")}
    WHERE e.company_id = $1 AND e.customer_id = ANY ($2) AND e.day >= $3 AND e.state IN ('accepted', 'too_late')
), changed AS (
    UPDATE usage_events e SET subscription_id = w.subscription_id, state = w.state
    FROM wanted w
    WHERE e.company_id = $1 AND e.id = w.id
      AND (w.subscription_id IS DISTINCT FROM w.was OR w.state <> w.state_was)
    RETURNING e.customer_id, e.meter_id, e.day, w.was, w.state_was, e.subscription_id, e.state
)
SELECT h.customer_id, h.meter_id, h.day, h.was, h.state_was, h.subscription_id, h.state, count(*) AS events
FROM changed h GROUP BY 1, 2, 3, 4, 5, 6, 7
"""


class LateDay(NamedTuple):
    """A day of a chain on which something changed, with how many events it has more than before (or less).

    `covers_no_more`: its prices may cover the day no more; they were billed for it all the same, for how many events
    isn't known.
    """

    subscription_id: UUID
    meter_id: UUID
    day: date
    events: int
    covers_no_more: bool


class Moved(NamedTuple):
    """Events of a day that belong to another chain now, or count in another way."""

    customer_id: UUID
    meter_id: UUID
    day: date
    was: UUID | None
    state_was: str
    subscription_id: UUID | None
    state: str
    events: int


async def reattribute(context: Context, customer_ids: Collection[UUID], from_day: date) -> list[Moved]:
    """Give each event of these customers from a day on to the chain that covers it now; those that moved, by day."""
    found = await context.connection.fetch(_REATTRIBUTE, context.company_id, list(customer_ids), from_day)
    return [Moved(*row) for row in found]


async def recount(context: Context, days: Iterable[UsageDay]) -> list[UsageDay]:
    """Sum up anew the events of these days; those without a subscription that had no such day before."""
    listed = list(set(days))
    if not listed:
        return []
    arguments = _arguments(listed)
    # Two statements: the second has to see what was added until the rows were held.
    held = await context.connection.fetch(_HOLD_DAYS, context.company_id, *arguments)
    await context.connection.execute(_RECOUNT, context.company_id, *arguments)
    new = [UsageDay(*row[:4]) for row in map(tuple, held) if row[4] and row[3] is None]
    return sorted(new, key=lambda one: (one.customer_id, one.meter_id, one.day))


async def mark_late(context: Context, days: Sequence[LateDay]) -> None:
    """Note of prices that were billed for one of these days that the next bill has a difference."""
    if days:
        await context.connection.execute(
            _MARK_LATE,
            context.company_id,
            array([str(one.subscription_id) for one in days]),
            array([str(one.meter_id) for one in days]),
            array([iso_day(one.day) for one in days]),
            array([str(one.events) for one in days]),
            array(["t" if one.covers_no_more else "f" for one in days]),
        )


def _arguments(days: Sequence[UsageDay]) -> list[str]:
    return [
        array([str(one.customer_id) for one in days]),
        array([str(one.meter_id) for one in days]),
        array([iso_day(one.day) for one in days]),
        nullable_array([one.subscription_id for one in days]),
    ]
