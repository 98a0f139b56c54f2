"""Which way a delivery's status may go."""

from ledgerbee.sales.delivery.model import DELIVERY_INVALID_STATE, DeliveryStatus, DeliveryType, Outcome

_CLAIMABLE = frozenset({DeliveryStatus.PENDING, DeliveryStatus.SENDING})


def first_status(delivery_type: DeliveryType) -> DeliveryStatus:
    """`manual` needs no worker, everything else waits for one."""
    return DeliveryStatus.MANUAL if delivery_type is DeliveryType.MANUAL else DeliveryStatus.PENDING


def can_be_claimed(status: DeliveryStatus) -> bool:
    """Whether a worker has anything to do: also where an earlier one died on the way (jobs may run twice)."""
    return status in _CLAIMABLE


def after_attempt(status: DeliveryStatus, outcome: Outcome, *, is_last: bool) -> DeliveryStatus:
    """Where an attempt leaves the delivery: delivered, waiting for the next try, or failed for good.

    Raises `DELIVERY_INVALID_STATE` unless it was being sent.
    """
    if status is not DeliveryStatus.SENDING:
        raise DELIVERY_INVALID_STATE.error(status=status.value)
    if outcome is Outcome.DELIVERED:
        return DeliveryStatus.DELIVERED
    return DeliveryStatus.FAILED if is_last else DeliveryStatus.PENDING
