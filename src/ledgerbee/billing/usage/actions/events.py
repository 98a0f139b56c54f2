"""The event of usage that belongs to no subscription: counted, and emitted once for each customer, meter and day."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import Counter

from ledgerbee.billing.usage.model import UsageDay
from ledgerbee.platform.context import Context

UNATTRIBUTED: Final = Counter(
    "ledgerbee_usage_unattributed_events_total",
    "Usage events that were taken in and belong to no subscription: they are not billed",
)


def emit_unattributed(context: Context, first: Sequence[UsageDay]) -> None:
    """Emit `usage.unattributed` of each customer, meter and day whose first such event this is."""
    for one in first:
        data = {"customerId": str(one.customer_id), "meterId": str(one.meter_id), "day": one.day.isoformat()}
        context.emit("usage.unattributed", one.customer_id, data)
