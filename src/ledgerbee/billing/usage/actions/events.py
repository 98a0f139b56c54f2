"""The event of usage that belongs to no subscription: counted, and emitted once for each customer, meter and day."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import Counter

from ledgerbee.billing.usage.model import UsageKey
from ledgerbee.platform.context import Context

UNATTRIBUTED: Final = Counter(
    "ledgerbee_usage_unattributed_events_total",
    "Usage events that were taken in and belong to no subscription: they are not billed",
)


def emit_unattributed(context: Context, first: Sequence[UsageKey]) -> None:
    """Emit `usage.unattributed` of each customer, meter and day whose first such event this is."""
    for key in first:
        data = {"customerId": str(key.customer_id), "meterId": str(key.meter_id), "day": key.day.isoformat()}
        context.emit("usage.unattributed", key.customer_id, data)
