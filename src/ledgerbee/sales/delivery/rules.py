"""Which way a delivery's status, and that of each of its recipients, may go."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from ledgerbee.core.fields import replace
from ledgerbee.sales.delivery.model import (
    DELIVERY_INVALID_STATE,
    DELIVERY_UNDERWAY,
    Delivery,
    DeliveryStatus,
    DeliveryType,
    Outcome,
    Recipient,
    RecipientId,
    RecipientStatus,
)

#: How long a claim holds: longer than a worker may take for one try, so that no two are at it.
CLAIM_LASTS: Final = timedelta(minutes=8)

_CLAIMABLE = frozenset({DeliveryStatus.PENDING, DeliveryStatus.SENDING})
_OPEN = frozenset({RecipientStatus.PENDING, RecipientStatus.SENDING})
#: They don't get it, and nobody tries again.
LOST: Final = frozenset({RecipientStatus.FAILED, RecipientStatus.BOUNCED})


def first_status(delivery_type: DeliveryType) -> DeliveryStatus:
    """`manual` needs no worker, everything else waits for one."""
    return DeliveryStatus.MANUAL if delivery_type is DeliveryType.MANUAL else DeliveryStatus.PENDING


def can_be_claimed(status: DeliveryStatus) -> bool:
    """Whether a worker has anything to do: also where an earlier one died on the way (jobs may run twice)."""
    return status in _CLAIMABLE


def was_interrupted(delivery: Delivery, now: datetime, *, has_worker_died: bool = False) -> bool:
    """Whether an earlier try broke off without an outcome: its worker died, and the message may have gone out.

    Raises `DELIVERY_UNDERWAY` while that worker's claim holds; that of one that has died holds no longer.
    """
    if delivery.status is not DeliveryStatus.SENDING:
        return False
    if now < delivery.updated_at + CLAIM_LASTS and not has_worker_died:
        raise DELIVERY_UNDERWAY.error(deliveryId=str(delivery.id))
    return True


def addresses_in(recipient: str) -> tuple[str, ...]:
    """The addresses of a delivery, which are separated by commas."""
    return tuple(address.strip() for address in recipient.split(","))


def open_recipients(recipients: Sequence[Recipient]) -> tuple[Recipient, ...]:
    """Those who are still to get it, in the order in which they are tried: who was being tried goes first."""
    waiting = [one for one in recipients if one.status in _OPEN]
    return tuple(sorted(waiting, key=lambda one: (one.status is RecipientStatus.PENDING, one.position)))


def require_recipient(
    delivery: Delivery, recipients: Sequence[Recipient], recipient_id: RecipientId | None
) -> Recipient:
    """The recipient whose attempt has ended; without an id the one who is being tried.

    One whose mail came back before its attempt was recorded is found too. Raises `DELIVERY_INVALID_STATE` for one that
    was not being sent.
    """
    for one in recipients:
        is_tried = one.status is RecipientStatus.SENDING and delivery.status is DeliveryStatus.SENDING
        if is_tried and recipient_id in {None, one.id}:
            return one
        if one.status is RecipientStatus.BOUNCED and recipient_id == one.id:
            return one
    raise DELIVERY_INVALID_STATE.in_state(delivery.status.value)


def after_attempt(
    recipient: Recipient, outcome: Outcome, message: str | None, now: datetime, *, is_last: bool
) -> Recipient:
    """The recipient after an attempt: delivered, waiting for the next try, or failed for good with the reason.

    A mail that came back has come back, whatever is told of it later.
    """
    if outcome is Outcome.BOUNCED:
        return replace(recipient, status=RecipientStatus.BOUNCED, reason=message, updated_at=now)
    if recipient.status is RecipientStatus.BOUNCED:
        return recipient
    if outcome is Outcome.DELIVERED:
        return replace(recipient, status=RecipientStatus.DELIVERED, updated_at=now)
    status = RecipientStatus.FAILED if is_last else RecipientStatus.PENDING
    return replace(recipient, status=status, reason=message if is_last else None, updated_at=now)


def begun(recipient: Recipient, now: datetime) -> Recipient:
    """The recipient who is tried now."""
    return replace(recipient, status=RecipientStatus.SENDING, updated_at=now)


def replaced(recipients: Sequence[Recipient], changed: Recipient) -> tuple[Recipient, ...]:
    """The recipients with one of them as it is now."""
    return tuple(changed if one.id == changed.id else one for one in recipients)


def status_of(recipients: Sequence[Recipient]) -> DeliveryStatus:
    """Where its recipients leave a delivery: it waits for another try of some, or has ended.

    It failed where one of them didn't get it.
    """
    statuses = {one.status for one in recipients}
    if RecipientStatus.SENDING in statuses:
        return DeliveryStatus.SENDING
    if RecipientStatus.PENDING in statuses:
        return DeliveryStatus.PENDING
    return DeliveryStatus.FAILED if statuses & LOST else DeliveryStatus.DELIVERED


def not_reached(delivery: Delivery, recipients: Sequence[Recipient]) -> str | None:
    """Whom the sender had named and who didn't get it, separated by commas; None where nobody was named."""
    lost = [one.address for one in recipients if one.status in LOST]
    return ", ".join(lost) if delivery.recipient_given and lost else None
