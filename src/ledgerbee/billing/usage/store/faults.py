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
#: What finds the first fault, and what is said of it.
FAULTS: Final = (
    (_KNOWN, "usage event {} is of a customer or meter that is not there"),
    (_NAMED, "usage event {} names another subscription than is kept of it"),
    (_ATTRIBUTED, "usage event {} does not belong to the subscription that covers its day"),
    (_SUMS, "what usage of {} sums up to is not the sum of its events"),
)
