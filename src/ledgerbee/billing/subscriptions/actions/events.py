"""The events of subscriptions (contract 1.8). Topics stand here as they are, so that they can be found."""

from typing import Any
from uuid import UUID

from ledgerbee.platform.context import Context


def emit_event(  # noqa: C901, PLR0912  one arm for each topic
    context: Context,
    topic: str,
    subscription_id: UUID,
    data: dict[str, Any],
    *,
    before: dict[str, Any] | None = None,
) -> None:
    """Emit an event of a subscription: `topic` is what comes after `subscription.`, `data` what `event_data` made."""
    match topic:
        case "assigned":
            context.emit("subscription.assigned", subscription_id, data, before=before)
        case "started":
            context.emit("subscription.started", subscription_id, data, before=before)
        case "updated":
            context.emit("subscription.updated", subscription_id, data, before=before)
        case "transitioned":
            context.emit("subscription.transitioned", subscription_id, data, before=before)
        case "paused":
            context.emit("subscription.paused", subscription_id, data, before=before)
        case "resumed":
            context.emit("subscription.resumed", subscription_id, data, before=before)
        case "trial_ended":
            context.emit("subscription.trial_ended", subscription_id, data, before=before)
        case "cancellation_scheduled":
            context.emit("subscription.cancellation_scheduled", subscription_id, data, before=before)
        case "cancellation_cleared":
            context.emit("subscription.cancellation_cleared", subscription_id, data, before=before)
        case "churned":
            context.emit("subscription.churned", subscription_id, data, before=before)
        case "billed":
            context.emit("subscription.billed", subscription_id, data, before=before)
        case "payment_succeeded":
            context.emit("subscription.payment_succeeded", subscription_id, data, before=before)
        case "error":
            context.emit("subscription.error", subscription_id, data, before=before)
        case _:
            raise ValueError(topic)
