"""What was used of prices, for many subscriptions at once."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from ledgerbee.billing.usage.model import AskedQuantity, UsedQuantity
from ledgerbee.core.dates import iso_day
from ledgerbee.platform.context import Context
from ledgerbee.platform.literals import array

#: What days come to by their meter `m`; distinct values are those of `u`.
QUANTITY: Final = """
CASE m.aggregation WHEN 'SUM' THEN coalesce(u.sum, 0) WHEN 'COUNT' THEN coalesce(u.events, 0)
    WHEN 'MAX' THEN coalesce(u.max, 0) WHEN 'LAST' THEN coalesce(u.last_value, 0)
    ELSE coalesce(v.distinct_values, 0) END
"""
#: The sums of days `d`, of which a period has at most one a day.
DAY_SUMS: Final = """
sum(d.events) AS events, sum(d.sum) AS sum, max(d.max) AS max,
(array_agg(d.last_value ORDER BY d.last_at DESC, d.last_id DESC) FILTER (WHERE d.last_at IS NOT NULL))[1] AS last_value
"""
#: What an event `e` is distinct by at a meter `m`. As JSON: 1 and true are two values, 1 and 1.0 are one.
DISTINCT_BY: Final = "CASE WHEN m.unique_key IS NULL THEN to_jsonb(e.value) ELSE e.metadata -> m.unique_key END"
#: Days of a trial are not billed, and only those on which the price was there are its own. Events are read only where
#: distinct values are counted: the condition stands inside, where it keeps them from being looked for.
_QUANTITIES: Final = f"""
SELECT coalesce(u.events, 0)::bigint AS events, {QUANTITY} AS quantity
FROM unnest($2::text::uuid[], $3::text::uuid[], $4::text::date[], $5::text::date[])
    WITH ORDINALITY AS a (subscription_id, price_id, starts_on, ends_on, place)
LEFT JOIN prices p ON p.company_id = $1 AND p.id = a.price_id
LEFT JOIN meters m ON m.company_id = $1 AND m.id = p.meter_id
LEFT JOIN LATERAL (
    SELECT {DAY_SUMS}
    FROM metered_spans s
    JOIN usage_days d ON d.company_id = $1 AND d.chain_id = s.subscription_id AND d.meter_id = s.meter_id
        AND d.day >= greatest(s.starts_on, a.starts_on) AND d.day < least(s.ends_on, a.ends_on)
    WHERE s.company_id = $1 AND s.subscription_id = a.subscription_id AND s.price_id = a.price_id
      AND NOT s.is_trial
) u ON true
LEFT JOIN LATERAL (
    SELECT count(DISTINCT {DISTINCT_BY}) AS distinct_values
    FROM metered_spans s
    JOIN usage_events e ON e.company_id = $1 AND e.customer_id = s.customer_id AND e.meter_id = s.meter_id
        AND e.day >= greatest(s.starts_on, a.starts_on) AND e.day < least(s.ends_on, a.ends_on)
        AND e.subscription_id = s.subscription_id AND e.state = 'accepted'
    WHERE m.aggregation = 'UNIQUE_COUNT' AND s.company_id = $1 AND s.subscription_id = a.subscription_id
      AND s.price_id = a.price_id AND NOT s.is_trial
) v ON true
ORDER BY a.place
"""


async def quantities(context: Context, asked: Sequence[AskedQuantity]) -> list[UsedQuantity]:
    """What was used of each, in order: one statement, however many are asked for."""
    if not asked:
        return []
    found = await context.connection.fetch(
        _QUANTITIES,
        context.company_id,
        array([str(one.subscription_id) for one in asked]),
        array([str(one.price_id) for one in asked]),
        array([iso_day(one.starts_on) for one in asked]),
        array([iso_day(one.ends_on) for one in asked]),
    )
    return [UsedQuantity(events=row["events"], quantity=Decimal(row["quantity"])) for row in found]
