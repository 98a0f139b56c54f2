"""Which way a delivery may go."""

from datetime import UTC, datetime, timedelta

import pytest

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.sales.delivery.model import Delivery, DeliveryId, DeliveryStatus, DeliveryType, Outcome
from ledgerbee.sales.delivery.rules import CLAIM_LASTS, after_attempt, can_be_claimed, first_status, was_interrupted
from ledgerbee.sales.documents.model import DocumentKind

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)


def delivery(status: DeliveryStatus) -> Delivery:
    return Delivery(
        id=DeliveryId(new_id()), document_type=next(iter(DocumentKind)), document_id=new_id(),
        delivery_type=DeliveryType.EMAIL, recipient="post@example.com", status=status, created_at=NOW, updated_at=NOW,
    )  # fmt: skip


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
    assert not was_interrupted(delivery(DeliveryStatus.PENDING), NOW)


@pytest.mark.parametrize(
    ("outcome", "is_last", "after"),
    [
        (Outcome.DELIVERED, False, DeliveryStatus.DELIVERED),
        (Outcome.DELIVERED, True, DeliveryStatus.DELIVERED),
        (Outcome.FAILED, False, DeliveryStatus.PENDING),
        (Outcome.FAILED, True, DeliveryStatus.FAILED),
    ],
)
def test_where_an_attempt_leaves_it(outcome: Outcome, is_last: bool, after: DeliveryStatus) -> None:
    assert after_attempt(DeliveryStatus.SENDING, outcome, is_last=is_last) is after
    for status in set(DeliveryStatus) - {DeliveryStatus.SENDING}:
        with pytest.raises(LedgerBeeError) as refused:
            after_attempt(status, outcome, is_last=is_last)
        assert refused.value.details == {"status": status.value}
