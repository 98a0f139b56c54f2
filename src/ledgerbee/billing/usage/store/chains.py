"""Which chain has an event, and who may not change while that is asked: the one place that says it.

Usage that comes in and a change of a timeline must not miss each other: the event wouldn't see the new span, and the
change wouldn't see the new event. Whoever adds events shares a lock on their customers, whoever changes spans has it
alone. It is one of a company's `_LOCKS` locks, by the customer: a batch of a thousand customers takes no more.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final
from uuid import UUID

from ledgerbee.platform.context import Context
from ledgerbee.platform.literals import array

_LOCKS: Final = 64
#: Locks of a company, shared, as rows of a condition that no row meets: for a statement that asks for more.
SHARED_LOCKS: Final = (
    "pg_advisory_xact_lock_shared(hashtextextended($1::uuid::text || ' usage ' || lock.number, 8))::text <> ''"
)
_LOCK_ALONE: Final = """
SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text || ' usage ' || lock.number, 8))
FROM unnest($2::text::int[]) AS lock (number)
"""
_LOCK_ALL: Final = """
SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text || ' usage ' || number, 8))
FROM generate_series(0, $2::int - 1) AS number
"""
_LOCK_SHARED: Final = f"SELECT FROM unnest($2::text::int[]) AS lock (number) WHERE {SHARED_LOCKS}"
_HOLD_SPANS: Final = """
SELECT count(*) FROM (
    SELECT s.price_id FROM metered_spans s
    JOIN unnest($2::text::uuid[], $3::text::uuid[]) AS k (customer_id, meter_id)
        ON k.customer_id = s.customer_id AND k.meter_id = s.meter_id
    WHERE s.company_id = $1 AND s.starts_on <= $5 AND (s.ends_on IS NULL OR s.ends_on > $4)
    ORDER BY s.subscription_id, s.price_id, s.starts_on
    FOR SHARE OF s
) held
"""

#: Joins the chain `c` (`subscription_id`, `closes_on`) to an event `{event}`; null where none covers its day.
CHAIN: Final = """
LEFT JOIN LATERAL (
    SELECT s.subscription_id, s.closes_on FROM metered_spans s
    WHERE s.company_id = $1 AND s.customer_id = {event}.customer_id AND s.meter_id = {event}.meter_id
      AND s.starts_on <= {event}.day AND (s.ends_on IS NULL OR s.ends_on > {event}.day)
      AND ({event}.named_subscription_id IS NULL OR s.subscription_id = {event}.named_subscription_id)
    ORDER BY s.chain_starts_on, s.subscription_id LIMIT 1
) c ON true
"""
#: How an event counts for that chain.
STATE: Final = "CASE WHEN {event}.received_on > c.closes_on THEN 'too_late' ELSE 'accepted' END"


def locks_of(customer_ids: Iterable[UUID]) -> str:
    """The numbers of the customers' locks, in the order in which everybody takes them."""
    return array(map(str, sorted({customer_id.int % _LOCKS for customer_id in customer_ids})))


async def lock_alone(context: Context, customer_ids: Iterable[UUID]) -> None:
    """Keep usage of these customers from coming in until the transaction ends: before their spans are changed."""
    await context.connection.execute(_LOCK_ALONE, context.company_id, locks_of(customer_ids))


async def lock_all(context: Context) -> None:
    """Keep usage of the company's customers from coming in until the transaction ends."""
    await context.connection.execute(_LOCK_ALL, context.company_id, _LOCKS)


async def lock_shared(context: Context, customer_id: UUID) -> None:
    """Keep the spans of a customer from being changed until the transaction ends."""
    await context.connection.execute(_LOCK_SHARED, context.company_id, locks_of([customer_id]))


async def hold_spans(context: Context, pairs: Iterable[tuple[UUID, UUID]], first: date, last: date) -> None:
    """Keep what is billed of these (customer, meter) from moving, in spans of `first` to `last`.

    A statement of its own, before the one that reads how far they are billed: that must see what was waited for.
    """
    listed = sorted(set(pairs))
    await context.connection.execute(
        _HOLD_SPANS,
        context.company_id,
        array([str(customer_id) for customer_id, _ in listed]),
        array([str(meter_id) for _, meter_id in listed]),
        first,
        last,
    )
