"""What QuickPay's answers and callbacks mean, without any server."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.quickpay_server import APPROVED, operation

from ledgerbee.payments.providers.model import (
    AgreementStatus,
    Card,
    ChargeStatus,
    ProviderRefusedError,
    ProviderUnclearError,
    Subject,
)
from ledgerbee.payments.providers.quickpay_answers import (
    agreement_of,
    callback_with,
    card_of,
    charge_of,
    decline_of,
    event_of,
    fields_of,
    is_authorized,
    major_amount,
    minor_amount,
    movements_of,
    reference_of,
    refund_of,
    refund_with,
    window_language,
)

Code = tuple[str | None, ...] | None
DECLINED: Code = ("40000", "Rejected by acquirer", "40410", "Declined by issuer")
GATEWAY: Code = ("50000", "Gateway error", None, None)
BUSY: Code = ("50300", "Communications error", None, None)


def payment(*operations: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A payment of these operations."""
    told = {"id": 1001, "order_id": "C001", "type": "Payment", "currency": "DKK", "test_mode": False}
    return told | {"operations": list(operations)} | more


def test_what_was_captured_is_the_amount() -> None:
    """Captures in parts are made by hand at QuickPay: what was only authorized is not taken."""
    taken = charge_of(
        payment(
            operation(1, "recurring", 125000),
            operation(2, "capture", 50000),
            operation(3, "capture", 20000, ("40000", "Rejected", None, None)),
            operation(4, "capture", 25000),
        )
    )
    assert (taken.status, taken.amount) == (ChargeStatus.SUCCEEDED, Decimal(750))


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("1250.00", "DKK", 125000), ("1250", "JPY", 1250), ("1.234", "BHD", 1234), ("0.01", "EUR", 1)],
)
def test_amounts_are_counted_in_minor_units(amount: str, currency: str, units: int) -> None:
    assert minor_amount(Decimal(amount), currency) == units
    assert major_amount(units, currency) == Decimal(amount)


@given(st.integers(0, 10**15), st.sampled_from(["DKK", "JPY", "BHD"]))
def test_amounts_come_back_as_they_went(units: int, currency: str) -> None:
    assert minor_amount(major_amount(units, currency), currency) == units


@pytest.mark.parametrize(("amount", "currency"), [("0.001", "DKK"), ("1.5", "JPY"), ("1", "XAU"), ("1", "???")])
def test_amounts_that_are_finer_or_none(amount: str, currency: str) -> None:
    with pytest.raises(ProviderRefusedError):
        minor_amount(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("operations", "status"),
    [
        ([("recurring", None)], ChargeStatus.PENDING),
        ([("recurring", APPROVED)], ChargeStatus.PENDING),  # authorized, and not yet captured
        ([("recurring", APPROVED), ("capture", None)], ChargeStatus.PENDING),
        ([("recurring", APPROVED), ("capture", APPROVED)], ChargeStatus.SUCCEEDED),
        ([("recurring", APPROVED), ("capture", DECLINED)], ChargeStatus.FAILED),
        ([("recurring", DECLINED)], ChargeStatus.FAILED),
        ([("recurring", ("40003", "Aborted", None, None))], ChargeStatus.FAILED),
        ([("recurring", ("30100", "3-D Secure required", None, None))], ChargeStatus.REQUIRES_ACTION),
        ([("recurring", ("30101", "SCA required", None, None))], ChargeStatus.REQUIRES_ACTION),
        ([("recurring", GATEWAY)], ChargeStatus.PENDING),
        ([("recurring", BUSY)], ChargeStatus.PENDING),
        ([("recurring", APPROVED), ("capture", BUSY)], ChargeStatus.PENDING),
        ([("recurring", APPROVED), ("cancel", APPROVED)], ChargeStatus.FAILED),
        ([("recurring", APPROVED), ("cancel", None)], ChargeStatus.PENDING),
        # What comes after a capture doesn't undo it.
        ([("recurring", APPROVED), ("capture", APPROVED), ("capture", DECLINED)], ChargeStatus.SUCCEEDED),
        ([("recurring", APPROVED), ("capture", APPROVED), ("refund", APPROVED)], ChargeStatus.SUCCEEDED),
        ([("recurring", APPROVED), ("capture", APPROVED), ("refund", DECLINED)], ChargeStatus.SUCCEEDED),
        ([("recurring", APPROVED), ("capture", APPROVED), ("refund", None)], ChargeStatus.SUCCEEDED),
    ],
)
def test_how_a_charge_stands(operations: list[tuple[str, Code]], status: ChargeStatus) -> None:
    told = [operation(number, kind, 125000, code) for number, (kind, code) in enumerate(operations, 1)]
    charge = charge_of(payment(*reversed(told)))  # their numbers say which is the last
    assert (charge.status, charge.amount, charge.reference) == (status, Decimal("1250.00"), "C001")
    assert (charge.decline is not None) == (status is ChargeStatus.FAILED)
    assert not charge.is_test


@pytest.mark.parametrize(
    ("code", "expected", "is_soft"),
    [
        (DECLINED, "40410", True),
        (("40000", "Rejected", "40413", "Insufficient funds"), "40413", True),
        (("40000", "Rejected", "40415", "Amount limit exceeded"), "40415", True),
        (("40000", "Rejected", "40400", "Backend problem"), "40400", True),
        (("40000", "Rejected", None, None), "40000", True),
        (("40000", "Rejected", "40412", "Card lost or stolen"), "40412", False),
        (("40000", "Rejected", "40135", "Card expired"), "40135", False),
        (("40000", "Rejected", "40414", "Suspected fraud"), "40414", False),
        (("40001", "Request data error", None, None), "40001", False),
        (("40002", "Authorization expired", None, None), "40002", True),
        (("40003", "Operation aborted", None, None), "40003", True),
        (("40300", "Fraud block", None, None), "40300", False),
        (("41000", "CoF deleted by scheme", None, None), "41000", False),
        (("42300", "CoF token suspended by scheme", None, None), "42300", True),
    ],
)
def test_which_declines_stay(code: Code, expected: str, is_soft: bool) -> None:
    decline = decline_of(operation(1, "recurring", 1, code))
    assert (decline.code, decline.is_soft) == (expected, is_soft)


def test_codes_are_those_of_the_acquirer() -> None:
    lost = operation(1, "recurring", 1, ("40000", "Rejected", "40412", "Something else"))
    assert decline_of(lost | {"acquirer": "nets"}).is_soft
    assert decline_of(lost | {"acquirer": None}).is_soft
    assert not decline_of(lost | {"acquirer": "Clearhaus"}).is_soft


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([("recurring", DECLINED)], False),
        ([("recurring", None)], True),
        ([("recurring", GATEWAY), ("capture", DECLINED)], True),
        ([("recurring", APPROVED), ("capture", DECLINED)], True),
        ([("recurring", DECLINED), ("authorize", APPROVED), ("capture", DECLINED)], True),
        ([("recurring", APPROVED), ("capture", DECLINED), ("cancel", None)], True),
        ([("recurring", APPROVED), ("capture", DECLINED), ("cancel", DECLINED)], True),
        ([("recurring", APPROVED), ("capture", DECLINED), ("cancel", APPROVED)], False),
        ([("recurring", APPROVED), ("capture", ("40002", "Authorization expired", None, None))], False),
        ([("recurring", APPROVED), ("capture", DECLINED), ("cancel", ("40002", "Expired", None, None))], False),
        ([("session", APPROVED)], False),
    ],
)
def test_what_somebody_can_still_capture(operations: list[tuple[str, Code]], expected: bool) -> None:
    told = payment(*(operation(number, kind, 1, code) for number, (kind, code) in enumerate(operations, 1)))
    assert is_authorized(told) == expected


def test_what_was_cancelled_after_a_decline_says_why_it_was_declined() -> None:
    done = [operation(1, "recurring", 1), operation(2, "capture", 1, DECLINED)]
    for code in (APPROVED, ("40000", "Rejected", None, None)):
        assert charge_of(payment(*done, operation(3, "cancel", 0, code))).decline == decline_of(done[1])
    alone = charge_of(payment(done[0], operation(3, "cancel", 0))).decline
    assert alone is not None
    assert alone.code == "cancelled"


def test_where_a_charge_is_confirmed() -> None:
    waiting = operation(1, "recurring", 1, ("30100", "3-D Secure required", None, None))
    assert charge_of(payment(waiting, link={"url": "https://payment.quickpay.net/1"})).action_url is not None
    assert charge_of(payment(waiting, link=None)).action_url is None
    assert charge_of(payment(waiting, link={"url": "javascript:alert(1)"})).action_url is None


@pytest.mark.parametrize(
    "told",
    [
        payment(),
        payment(operation(1, "session", 1)),
        payment(operation(1, "capture", 1, ("10000", "?", None, None))),
        payment(operation(1, "capture", 1) | {"amount": "1"}),
        payment(operation(1, "capture", 1) | {"id": None}),
        payment(operation(1, "capture", 1), currency="XYZ"),
        payment(operation(1, "capture", 1), id=None),
        payment() | {"operations": None},
    ],
)
def test_a_charge_that_isnt_understood(told: dict[str, Any]) -> None:
    with pytest.raises(ProviderUnclearError):
        charge_of(told)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (APPROVED, ChargeStatus.SUCCEEDED),
        (DECLINED, ChargeStatus.FAILED),
        (GATEWAY, ChargeStatus.PENDING),
        (None, ChargeStatus.PENDING),
    ],
)
def test_how_a_refund_stands(code: Code, status: ChargeStatus) -> None:
    back = operation(3, "refund", 100, code, "https://books.example/hook?reference=R001")
    told = payment(operation(1, "recurring", 100), operation(2, "capture", 100), back)
    refund = refund_of(told, back)
    assert (refund.status, refund.provider_id, refund.charge_id) == (status, "1001/3", "1001")
    assert refund_with(told, "R001") == refund
    assert refund_with(told, "R002") is None


def test_a_refund_that_somebody_made_by_hand_is_not_ours() -> None:
    assert refund_with(payment(operation(3, "refund", 100)), "R001") is None
    assert refund_with(payment(operation(3, "capture", 100, callback="https://x/?reference=R001")), "R001") is None


@pytest.mark.parametrize("url", ["https://books.example/hook", "https://books.example/hook?a=1&b=", "http://x:1/#f"])
def test_references_travel_in_addresses(url: str) -> None:
    told = callback_with(url, "R001")
    assert told.startswith(url.partition("#")[0])
    assert reference_of({"callback_url": told}) == "R001"
    assert reference_of({"callback_url": url}) is None


@pytest.mark.parametrize("url", [None, 7, "", "http://[", "?reference="])
def test_an_address_without_a_reference(url: object) -> None:
    assert reference_of({"callback_url": url}) is None


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("initial", AgreementStatus.PENDING),
        ("pending", AgreementStatus.PENDING),
        ("active", AgreementStatus.ACTIVE),
        ("rejected", AgreementStatus.FAILED),
        ("cancelled", AgreementStatus.CANCELLED),
    ],
)
def test_how_an_agreement_stands(state: str, status: AgreementStatus) -> None:
    found = agreement_of({"id": 7, "order_id": "A001", "state": state, "metadata": {}})
    assert (found.provider_id, found.status, found.card, found.reference) == ("7", status, None, "A001")


def test_an_agreement_that_isnt_understood() -> None:
    with pytest.raises(ProviderUnclearError):
        agreement_of({"id": 7, "state": "new state"})


def test_what_is_shown_of_a_card() -> None:
    told = {"type": "card", "brand": "Visa", "last4": "0008", "exp_month": 12, "exp_year": "2030", "bin": "100000"}
    assert card_of(told) == Card("XXXX XXXX XXXX 0008", "visa", 12, None)
    assert card_of(None) is None


def test_a_movement_without_a_moment() -> None:
    with pytest.raises(ProviderUnclearError):
        list(movements_of(payment(operation(1, "capture", 1, at="today"))))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (payment(operation(1, "recurring", 1)), ("payment:1001:1:recurring", Subject.CHARGE, "1001", "C001")),
        (
            payment(operation(1, "recurring", 1, None)),
            ("payment:1001:1:recurring:pending", Subject.CHARGE, "1001", "C001"),
        ),
        (payment(), ("payment:1001:0:none", Subject.CHARGE, "1001", "C001")),
        (
            payment(operation(2, "refund", 1, callback="https://x/?reference=R1"), operation(1, "capture", 1)),
            ("payment:1001:2:refund", Subject.REFUND, "1001/2", "R1"),
        ),
        (
            payment(operation(1, "authorize", 0), type="Subscription"),
            ("subscription:1001:1:authorize", Subject.AGREEMENT, "1001", "C001"),
        ),
        ({"id": 1001, "type": "Account"}, ("account:1001", None, None, None)),
    ],
)
def test_what_a_callback_is_about(
    told: dict[str, Any], expected: tuple[str, Subject | None, str | None, str | None]
) -> None:
    event = event_of(told, "Payment")
    assert (event.id, event.subject, event.provider_id, event.reference) == expected


def test_a_callback_whose_header_says_what_it_is() -> None:
    assert event_of(payment() | {"type": None}, "Subscription").subject is Subject.AGREEMENT
    assert event_of(payment() | {"type": None}, None).subject is None


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"errors": {"order_id": ["exists"], "amount": ["x"], "a key 1": []}}, ["amount", "order_id"]),
        ({"errors": ["order_id"]}, []),
        ({"message": "no"}, []),
        (None, []),
    ],
)
def test_the_fields_that_were_refused(body: object, fields: list[str]) -> None:
    assert list(fields_of(body)) == fields


@pytest.mark.parametrize(("language", "expected"), [("da", "da"), ("nb", "no"), ("en_GB", "en")])
def test_languages_of_the_page(language: str, expected: str) -> None:
    assert window_language(language) == expected


VALUES = st.sampled_from([None, True, 0, -1, 1.5, "", "x", "40000", "active", "capture", "2026-11-30", "DKK"])
JSON = VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(st.sampled_from(["id", "type", "url", "last4"]), VALUES)


@given(
    st.dictionaries(st.sampled_from(["id", "currency", "state", "metadata", "type", "operations", "link"]), JSON),
    st.dictionaries(st.sampled_from(list(operation(1, "capture", 1))), JSON),
)
def test_whatever_is_answered_is_understood_or_unclear(changes: dict[str, Any], operated: dict[str, Any]) -> None:
    told = payment(operation(1, "capture", 1) | operated) | changes
    for meaning in (charge_of, agreement_of, lambda one: list(movements_of(one)), lambda one: event_of(one, "Payment")):
        with suppress(ProviderUnclearError):
            meaning(told)
