"""What may be asked for of an event of the sandbox provider, and what becomes of a dispute by it."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.unit.test_sandbox_provider_rules import CHARGE, NOW

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.providers.model import ChargeStatus, DisputeStatus, ProviderName, Subject
from ledgerbee.payments.providers.sandbox.model import DISPUTE_LIFE, Behavior, EventType, SandboxCharge
from ledgerbee.payments.providers.sandbox.rules import dispute_status, disputed
from ledgerbee.payments.sandbox_events.model import WantedEvent
from ledgerbee.payments.sandbox_events.rules import check_provider, check_wanted

ID = uuid4()
OPENED, WON, LOST = EventType.DISPUTE_OPENED, EventType.DISPUTE_WON, EventType.DISPUTE_LOST
OPEN = replace(CHARGE, disputed_at=NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (WantedEvent(event_id=ID), set()),
        (WantedEvent(type=EventType.CHARGE_FAILED, charge_id=ID), set()),
        (WantedEvent(type=LOST, charge_id=ID), set()),
        (WantedEvent(type=EventType.AGREEMENT_ACTIVE, payment_method_id=ID), set()),
        (WantedEvent(type=EventType.REFUND_FAILED, refund_id=ID), set()),
        (WantedEvent(type=EventType.REFUND_FAILED, charge_id=ID), {"refundId", "chargeId"}),
        (WantedEvent(), {"eventId"}),
        (WantedEvent(charge_id=ID), {"eventId"}),
        (WantedEvent(event_id=ID, type=LOST, payment_method_id=ID), {"type", "paymentMethodId"}),
        (WantedEvent(type=LOST), {"chargeId"}),
        (WantedEvent(type=LOST, payment_method_id=ID), {"chargeId", "paymentMethodId"}),
        (WantedEvent(type=EventType.AGREEMENT_ACTIVE, charge_id=ID, payment_method_id=ID), {"chargeId"}),
    ],
)
def test_one_event_and_what_it_needs(asked: WantedEvent, refused: set[str]) -> None:
    found: set[str] = set()
    try:
        check_wanted(asked)
    except LedgerBeeError as fault:
        found = {one["property"] for one in fault.details["validationErrors"]}
    assert found == refused


def test_each_type_has_its_subject() -> None:
    assert {one.subject for one in EventType} == {Subject.AGREEMENT, Subject.CHARGE, Subject.REFUND, Subject.DISPUTE}


def test_only_what_the_sandbox_has() -> None:
    check_provider("chargeId", ProviderName.SANDBOX)
    with pytest.raises(LedgerBeeError):
        check_provider("chargeId", ProviderName.STRIPE)


@pytest.mark.parametrize(
    ("charge", "behavior", "type_", "status"),
    [
        (CHARGE, Behavior.SUCCEEDS, OPENED, DisputeStatus.OPEN),
        (OPEN, Behavior.SUCCEEDS, OPENED, DisputeStatus.OPEN),
        (OPEN, Behavior.SUCCEEDS, LOST, DisputeStatus.LOST),
        (OPEN, Behavior.DISPUTE_LOST, LOST, DisputeStatus.LOST),
        (OPEN, Behavior.DISPUTE_WON, WON, DisputeStatus.WON),
        (replace(CHARGE, disputed_at=NOW - DISPUTE_LIFE), Behavior.DISPUTE_WON, LOST, DisputeStatus.WON),
        (replace(CHARGE, disputed_at=NOW - DISPUTE_LIFE), Behavior.DISPUTE_LOST, OPENED, DisputeStatus.LOST),
    ],
)
def test_a_dispute_begins_and_ends(
    charge: SandboxCharge, behavior: Behavior, type_: EventType, status: DisputeStatus
) -> None:
    after = disputed(charge, behavior, type_, NOW)
    assert dispute_status(after, behavior, NOW) is status
    assert replace(after, disputed_at=charge.disputed_at) == charge
    assert disputed(after, behavior, type_, NOW) == after


@pytest.mark.parametrize(
    ("charge", "behavior", "type_", "status"),
    [
        (replace(CHARGE, status=ChargeStatus.FAILED, decline_code="stolen_card"), Behavior.SUCCEEDS, OPENED, "failed"),
        (CHARGE, Behavior.SUCCEEDS, LOST, "succeeded"),
        (OPEN, Behavior.DISPUTE_WON, LOST, "open"),
        (OPEN, Behavior.SUCCEEDS, WON, "open"),
    ],
)
def test_a_dispute_that_cannot(charge: SandboxCharge, behavior: Behavior, type_: EventType, status: str) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        disputed(charge, behavior, type_, NOW)
    assert (refused.value.code, refused.value.details["status"]) == ("SANDBOX_EVENT_INVALID_STATE", status)
