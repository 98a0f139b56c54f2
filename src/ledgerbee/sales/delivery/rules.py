"""Which way a delivery's status may go."""

from datetime import datetime, timedelta
from typing import Final

from ledgerbee.sales.delivery.model import (
    DELIVERY_INVALID_STATE,
    DELIVERY_UNDERWAY,
    Delivery,
    DeliveryStatus,
    DeliveryType,
    Outcome,
)

#: How long a claim holds: longer than a worker may take for one try, so that no two are at it.
CLAIM_LASTS: Final = timedelta(minutes=3)

_CLAIMABLE = frozenset({DeliveryStatus.PENDING, DeliveryStatus.SENDING})


def first_status(delivery_type: DeliveryType) -> DeliveryStatus:
    """`manual` needs no worker, everything else waits for one."""
    return DeliveryStatus.MANUAL if delivery_type is DeliveryType.MANUAL else DeliveryStatus.PENDING


def can_be_claimed(status: DeliveryStatus) -> bool:
    """Whether a worker has anything to do: also where an earlier one died on the way (jobs may run twice)."""
    return status in _CLAIMABLE


def was_interrupted(delivery: Delivery, now: datetime) -> bool:
    """Whether an earlier try broke off without an outcome: its worker died, and the message may have gone out.

    Raises `DELIVERY_UNDERWAY` while that worker's claim holds.
    """
    if delivery.status is not DeliveryStatus.SENDING:
        return False
    if now < delivery.updated_at + CLAIM_LASTS:
        raise DELIVERY_UNDERWAY.error(deliveryId=str(delivery.id))
    return True


def after_attempt(status: DeliveryStatus, outcome: Outcome, *, is_last: bool) -> DeliveryStatus:
    """Where an attempt leaves the delivery: delivered, waiting for the next try, or failed for good.

    Raises `DELIVERY_INVALID_STATE` unless it was being sent.
    """
    if status is not DeliveryStatus.SENDING:
        raise DELIVERY_INVALID_STATE.in_state(status.value)
    if outcome is Outcome.DELIVERED:
        return DeliveryStatus.DELIVERED
    return DeliveryStatus.FAILED if is_last else DeliveryStatus.PENDING
