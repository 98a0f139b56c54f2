"""The auditor's look at usage: each event belongs to the chain that covers its day, and the sums of days are those of
the events.
"""

from typing import Final

from ledgerbee.billing.usage.store.chains import CHAIN, STATE
from ledgerbee.billing.usage.store.days import DAY_COLUMNS, SUMS
from ledgerbee.platform.context import Context

#: Many events are of one customer, meter and day: the chain is looked for once.
_ATTRIBUTED: Final = """
SELECT e.example FROM (
    SELECT e.customer_id, e.meter_id, e.day, e.named_subscription_id, e.received_on, e.subscription_id, e.state,
        min(e.key) AS example
    FROM usage_events e WHERE e.company_id = $1 AND e.state <> 'withdrawn'
    GROUP BY e.customer_id, e.meter_id, e.day, e.named_subscription_id, e.received_on, e.subscription_id, e.state
) e {chain}
WHERE e.subscription_id IS DISTINCT FROM c.subscription_id OR e.state <> {state}
ORDER BY e.example LIMIT 1
""".format(chain=CHAIN.format(event="e"), state=STATE.format(event="e"))
_KNOWN: Final = """
SELECT e.key FROM usage_events e
LEFT JOIN meters m ON m.company_id = $1 AND m.id = e.meter_id
LEFT JOIN customers c ON c.company_id = $1 AND c.id = e.customer_id
WHERE e.company_id = $1 AND (m.id IS NULL OR c.id IS NULL) ORDER BY e.key LIMIT 1
"""
_NAMED: Final = """
SELECT e.key FROM usage_events e
WHERE e.company_id = $1 AND e.named_subscription_id::text IS DISTINCT FROM lower(e.metadata ->> 'subscriptionId')
  AND length(e.metadata ->> 'subscriptionId') IS DISTINCT FROM 32 ORDER BY e.key LIMIT 1
"""
_SUMS: Final = """
WITH expected AS (
    SELECT e.company_id, e.subscription_id, e.meter_id, e.customer_id, e.day, {sums}
    FROM usage_events e WHERE e.company_id = $1
    GROUP BY e.company_id, e.subscription_id, e.meter_id, e.customer_id, e.day
), kept AS (
    SELECT {columns} FROM usage_days d WHERE d.company_id = $1 AND d.events + d.too_late + d.withdrawn > 0
)
SELECT f.day FROM (
    (SELECT * FROM expected EXCEPT SELECT * FROM kept) UNION ALL (SELECT * FROM kept EXCEPT SELECT * FROM expected)
) AS f ({columns})
ORDER BY f.day LIMIT 1
""".format(columns=DAY_COLUMNS, sums=SUMS)
_FAULTS: Final = (
    (_KNOWN, "usage event {} is of a customer or meter that is not there"),
    (_NAMED, "usage event {} names another subscription than is kept of it"),
    (_ATTRIBUTED, "usage event {} does not belong to the subscription that covers its day"),
    (_SUMS, "what usage of {} sums up to is not the sum of its events"),
)


async def fault_in_usage(context: Context) -> str | None:
    """What is wrong with the first event or day; None: nothing."""
    for statement, text in _FAULTS:
        found = await context.connection.fetchval(statement, context.company_id)
        if found is not None:
            return text.format(found)
    return None
