"""Changing one event: amended or withdrawn."""

from typing import Final

from ledgerbee.billing.usage import rules
from ledgerbee.billing.usage.model import UsageEvent
from ledgerbee.billing.usage.store.chains import CHAIN, STATE
from ledgerbee.platform.context import Context

_AMEND: Final = f"""
UPDATE usage_events e SET day = n.day, occurred_at = n.occurred_at, value = n.value, metadata = n.metadata,
    named_subscription_id = n.named_subscription_id, subscription_id = c.subscription_id,
    state = {STATE.format(event="n")}
FROM (
    SELECT o.id, o.customer_id, o.meter_id, o.received_on, $3::date AS day, $4::timestamptz AS occurred_at,
        $5::numeric AS value, $6::text::jsonb AS metadata, $7::uuid AS named_subscription_id
    FROM usage_events o WHERE o.company_id = $1 AND o.id = $2
) n {CHAIN.format(event="n")}
WHERE e.company_id = $1 AND e.id = n.id
"""
_WITHDRAW: Final = "UPDATE usage_events e SET state = 'withdrawn' WHERE e.company_id = $1 AND e.id = $2"


async def amend(context: Context, event: UsageEvent) -> None:
    """Write what an event says by now, and give it to the chain that covers it. It is locked, and so are the spans."""
    assert event.state.is_in_force
    await context.connection.execute(
        _AMEND,
        context.company_id,
        event.id,
        event.day,
        event.occurred_at,
        event.value,
        rules.metadata_text(event.metadata),
        event.named_subscription_id,
    )


async def withdraw(context: Context, event: UsageEvent) -> None:
    """Note that an event counts no more. It is locked."""
    await context.connection.execute(_WITHDRAW, context.company_id, event.id)
