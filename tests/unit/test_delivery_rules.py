"""Which way a delivery may go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.sales.delivery.model import (
    DELIVERY_INVALID_STATE,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    DeliveryType,
    Outcome,
    Recipient,
    RecipientId,
    RecipientStatus,
)
from ledgerbee.sales.delivery.rules import (
    CLAIM_LASTS,
    LOST,
    addresses_in,
    after_attempt,
    begun,
    can_be_claimed,
    first_status,
    not_reached,
    open_recipients,
    replaced,
    require_recipient,
    status_of,
    was_interrupted,
)
from ledgerbee.sales.documents.model import DocumentKind

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)


def delivery(status: DeliveryStatus) -> Delivery:
    return Delivery(
        id=DeliveryId(new_id()), document_type=next(iter(DocumentKind)), document_id=new_id(),
        delivery_type=DeliveryType.EMAIL, recipient="post@example.com", status=status, created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def recipient(status: RecipientStatus, position: int = 1) -> Recipient:
    return Recipient(
        id=RecipientId(new_id()), delivery_id=DeliveryId(new_id()), position=position,
        address=f"{position}@example.com", status=status, reason=None, updated_at=NOW,
    )  # fmt: skip


recipients_in = st.lists(st.sampled_from(RecipientStatus), min_size=1, max_size=5).map(
    lambda statuses: tuple(recipient(status, position) for position, status in enumerate(statuses, 1))
)


def test_only_what_is_handed_over_by_hand_needs_no_worker() -> None:
    statuses = {kind: first_status(kind) for kind in DeliveryType}
    assert {kind for kind, status in statuses.items() if not can_be_claimed(status)} == {DeliveryType.MANUAL}
    assert {status for status in DeliveryStatus if can_be_claimed(status)} == {
        DeliveryStatus.PENDING, DeliveryStatus.SENDING,
    }  # fmt: skip


def test_a_claim_holds_for_a_while() -> None:
    sending = delivery(DeliveryStatus.SENDING)
    with pytest.raises(LedgerBeeError) as underway:
        was_interrupted(sending, NOW + CLAIM_LASTS - timedelta(seconds=1))
    assert underway.value.details == {"deliveryId": str(sending.id)}
    assert was_interrupted(sending, NOW + CLAIM_LASTS)
    assert was_interrupted(sending, NOW, has_worker_died=True)
    assert not was_interrupted(delivery(DeliveryStatus.PENDING), NOW)


@pytest.mark.parametrize(
    ("outcome", "is_last", "after"),
    [
        (Outcome.DELIVERED, False, (RecipientStatus.DELIVERED, None)),
        (Outcome.DELIVERED, True, (RecipientStatus.DELIVERED, None)),
        (Outcome.FAILED, False, (RecipientStatus.PENDING, None)),
        (Outcome.FAILED, True, (RecipientStatus.FAILED, "550 No")),
        (Outcome.BOUNCED, False, (RecipientStatus.BOUNCED, "550 No")),
    ],
)
def test_where_an_attempt_leaves_a_recipient(
    outcome: Outcome, is_last: bool, after: tuple[RecipientStatus, str | None]
) -> None:
    tried = after_attempt(recipient(RecipientStatus.SENDING), outcome, "550 No", NOW, is_last=is_last)
    assert (tried.status, tried.reason) == after
    came_back = replace(recipient(RecipientStatus.BOUNCED), reason="550 Gone")
    later = after_attempt(came_back, outcome, "550 No", NOW, is_last=is_last)
    assert (later.status, later.reason) == (
        RecipientStatus.BOUNCED, "550 No" if outcome is Outcome.BOUNCED else "550 Gone",
    )  # fmt: skip


@given(recipients_in)
def test_a_delivery_is_where_its_recipients_are(recipients: tuple[Recipient, ...]) -> None:
    """It has ended when nobody is open, and is delivered when all have it."""
    status, statuses = status_of(recipients), [one.status for one in recipients]
    assert can_be_claimed(status) == bool(open_recipients(recipients))
    assert (status is DeliveryStatus.DELIVERED) == (set(statuses) == {RecipientStatus.DELIVERED})
    assert (status is DeliveryStatus.SENDING) == (RecipientStatus.SENDING in statuses)


@given(recipients_in)
def test_who_was_being_tried_goes_first_and_who_has_it_never(recipients: tuple[Recipient, ...]) -> None:
    found = open_recipients(recipients)
    assert {one.status for one in found} <= {RecipientStatus.SENDING, RecipientStatus.PENDING}
    assert sorted(found, key=lambda one: (one.status is RecipientStatus.PENDING, one.position)) == list(found)
    assert {one.id for one in recipients} - {one.id for one in found} == {
        one.id for one in recipients if one.status is RecipientStatus.DELIVERED or one.status in LOST
    }


@given(recipients_in, st.sampled_from(DeliveryStatus), st.data())
def test_only_who_is_tried_has_an_outcome(
    recipients: tuple[Recipient, ...], status: DeliveryStatus, data: st.DataObject
) -> None:
    """And who was tried when the mail came back."""
    own = data.draw(st.sampled_from(recipients))
    is_tried = status is DeliveryStatus.SENDING and own.status is RecipientStatus.SENDING
    if is_tried or own.status is RecipientStatus.BOUNCED:
        assert require_recipient(delivery(status), recipients, own.id) == own
    else:
        with pytest.raises(LedgerBeeError) as refused:
            require_recipient(delivery(status), recipients, own.id)
        assert refused.value.error_code is DELIVERY_INVALID_STATE
        assert refused.value.details == {"status": status.value}
    tried = [one for one in recipients if one.status is RecipientStatus.SENDING]
    if status is DeliveryStatus.SENDING and tried:
        assert require_recipient(delivery(status), recipients, None) == tried[0]
    else:
        with pytest.raises(LedgerBeeError):
            require_recipient(delivery(status), recipients, None)


@given(recipients_in, st.booleans())
def test_who_was_named_and_not_reached_is_named_again(recipients: tuple[Recipient, ...], is_given: bool) -> None:
    sent = replace(delivery(DeliveryStatus.FAILED), recipient_given=is_given)
    left = not_reached(sent, recipients)
    lost = [one.address for one in recipients if one.status in LOST]
    assert (addresses_in(left) if left else ()) == (tuple(lost) if is_given else ())


def test_one_recipient_changes_and_the_others_stay() -> None:
    first, second = recipient(RecipientStatus.PENDING), recipient(RecipientStatus.PENDING, 2)
    tried = begun(second, NOW)
    assert tried.status is RecipientStatus.SENDING
    assert replaced((first, second), tried) == (first, tried)
