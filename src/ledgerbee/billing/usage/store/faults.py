"""What the auditor looks for in usage: statements that find the first fault."""

from typing import Final

from ledgerbee.billing.usage.store.chains import CHAIN, STATE
from ledgerbee.billing.usage.store.days import DAY_COLUMNS, SUMS

#: Many events are of one customer, meter and day: the chain is looked for once.
_ATTRIBUTED: Final = f"""
SELECT e.example FROM (
    SELECT e.customer_id, e.meter_id, e.day, e.named_subscription_id, e.received_on, e.subscription_id, e.state,
        min(e.key) AS example
    FROM usage_events e WHERE e.company_id = $1 AND e.state IN ('accepted', 'too_late')
    GROUP BY e.customer_id, e.meter_id, e.day, e.named_subscription_id, e.received_on, e.subscription_id, e.state
) e {CHAIN.format(event="e")}
WHERE e.subscription_id IS DISTINCT FROM c.subscription_id OR e.state <> {STATE.format(event="e")}
ORDER BY e.example LIMIT 1
"""
_KNOWN: Final = """
SELECT e.key FROM usage_events e
LEFT JOIN meters m ON m.company_id = $1 AND m.id = e.meter_id
LEFT JOIN customers c ON c.company_id = $1 AND c.id = e.customer_id
WHERE e.company_id = $1 AND (m.id IS NULL OR c.id IS NULL) ORDER BY e.key LIMIT 1
"""
#: Metadata names a subscription in any form that is an id: hyphens may stand anywhere in it, or nowhere.
_NAMED: Final = """
SELECT e.key FROM usage_events e
WHERE e.company_id = $1 AND replace(e.named_subscription_id::text, '-', '')
    IS DISTINCT FROM lower(replace(e.metadata ->> 'subscriptionId', '-', ''))
ORDER BY e.key LIMIT 1
"""
_SUMS: Final = f"""
WITH expected AS (
    SELECT e.company_id, e.subscription_id, e.meter_id, e.customer_id, e.day, {SUMS}
    FROM usage_events e WHERE e.company_id = $1 AND e.state <> 'staged'
    GROUP BY e.company_id, e.subscription_id, e.meter_id, e.customer_id, e.day
), kept AS (
    SELECT {DAY_COLUMNS} FROM usage_days d WHERE d.company_id = $1 AND d.events + d.too_late + d.withdrawn > 0
)
SELECT f.day FROM (
    (SELECT * FROM expected EXCEPT SELECT * FROM kept) UNION ALL (SELECT * FROM kept EXCEPT SELECT * FROM expected)
) AS f ({DAY_COLUMNS})
ORDER BY f.day LIMIT 1
"""
#: What was staged came in when its backfill was closed. Nowhere is it another day than that before or after the one in
#: UTC; a company's time zone may have been another one.
_RECEIVED: Final = """
SELECT e.key FROM usage_events e
WHERE e.company_id = $1 AND abs(e.received_on - (e.received_at AT TIME ZONE 'UTC')::date) > 1
  AND NOT EXISTS (SELECT FROM usage_backfill_events m
                  WHERE m.company_id = $1 AND m.event_id = e.id AND m.state_before = 'staged')
ORDER BY e.key LIMIT 1
"""
#: A backfill in force has its events in the place of those that it superseded; another one has none that counts.
_BACKFILLS: Final = """
SELECT b.id FROM usage_backfills b
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE NOT m.is_superseded) AS events, count(*) FILTER (WHERE m.is_superseded) AS superseded,
        bool_or(e.state IS NULL OR m.state_before IS NULL AND b.status IN ('closed', 'reverted')
            OR e.state = 'staged' AND b.status = 'closed'
            OR e.state IN ('accepted', 'too_late') AND m.is_superseded AND b.status = 'closed' AND NOT EXISTS (
                SELECT FROM usage_backfill_events o JOIN usage_backfills n ON n.company_id = $1 AND n.id = o.backfill_id
                WHERE o.company_id = $1 AND o.event_id = m.event_id AND NOT o.is_superseded AND n.status = 'closed'
                  AND (n.closed_at, n.id) > (b.closed_at, b.id))) AS is_wrong
    FROM usage_backfill_events m
    LEFT JOIN usage_events e ON e.company_id = $1 AND e.id = m.event_id
    WHERE m.company_id = $1 AND m.backfill_id = b.id
) m ON true
WHERE b.company_id = $1 AND ((m.events, m.superseded) <> (b.events, b.superseded) OR m.is_wrong)
ORDER BY b.id LIMIT 1
"""
#: What finds the first fault, and what is said of it.
FAULTS: Final = (
    (_KNOWN, "usage event {} is of a customer or meter that is not there"),
    (_NAMED, "usage event {} names another subscription than is kept of it"),
    (_ATTRIBUTED, "usage event {} does not belong to the subscription that covers its day"),
    (_RECEIVED, "usage event {} did not come in on the day that is kept of it"),
    (_BACKFILLS, "the backfill {} is not what became of its events"),
    (_SUMS, "what usage of {} sums up to is not the sum of its events"),
)
