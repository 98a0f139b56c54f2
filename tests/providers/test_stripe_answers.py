"""What Stripe's answers mean, without any server."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.payments.providers.model import (
    AgreementStatus,
    Card,
    ChargeStatus,
    DisputeStatus,
    MovementType,
    ProviderRefusedError,
    ProviderUnclearError,
    Subject,
)
from ledgerbee.payments.providers.stripe_answers import (
    agreement_of_session,
    card_of,
    charge_of,
    checkout_language,
    decline_of,
    declined_intent,
    dispute_of,
    error_of,
    event_of,
    major_amount,
    minor_amount,
    movement_of,
    refund_of,
    statement_suffix,
    was_left,
)

INTENT: dict[str, Any] = {
    "id": "pi_1",
    "object": "payment_intent",
    "status": "succeeded",
    "amount": 125000,
    "currency": "dkk",
    "livemode": True,
    "metadata": {"reference": "C1"},
    "latest_charge": {"id": "ch_1", "balance_transaction": {"id": "txn_1", "fee": 2050, "currency": "dkk"}},
    "last_payment_error": None,
    "next_action": None,
}


# Amounts


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("1250.00", "DKK", 125000),
        ("0.01", "EUR", 1),
        ("1250", "JPY", 1250),
        ("1.230", "BHD", 1230),
        ("1250", "ISK", 125000),  # two decimals at Stripe, none in ISO 4217
        ("7", "UGX", 700),
        ("1250.00", "MGA", 1250),  # none at Stripe, two in ISO 4217
    ],
)
def test_amounts_are_counted_as_stripe_counts(amount: str, currency: str, units: int) -> None:
    assert minor_amount(Decimal(amount), currency) == units
    assert major_amount(units, currency) == Decimal(amount)


@pytest.mark.parametrize(
    ("fields", "is_left"),
    [
        ({"status": "requires_confirmation"}, True),
        ({"status": "requires_payment_method"}, True),
        ({"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}}, False),
        ({"status": "processing"}, False),
        ({"status": "requires_action"}, False),
        ({}, False),
    ],
)
def test_what_was_made_and_not_put_to_the_bank_is_left_after_an_hour(fields: dict[str, Any], is_left: bool) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    intent = INTENT | fields
    assert was_left(intent | {"created": int(now.timestamp()) - 3600}, now) is is_left
    assert not was_left(intent | {"created": int(now.timestamp()) - 3599}, now)
    assert not was_left(intent, now)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("0.001", "DKK"), ("1.5", "JPY"), ("1.234", "BHD"), ("1.50", "MGA"), ("1", "XAU"), ("1", "???")],
)
def test_amounts_that_are_finer_or_none(amount: str, currency: str) -> None:
    with pytest.raises(ProviderRefusedError):
        minor_amount(Decimal(amount), currency)


@given(st.integers(1, 10**15), st.sampled_from(["DKK", "JPY", "BHD", "ISK", "UGX", "MGA", "HUF"]))
def test_amounts_come_back_as_they_went(units: int, currency: str) -> None:
    units *= 10 if currency == "BHD" else 1
    assert minor_amount(major_amount(units, currency), currency) == units


@pytest.mark.parametrize("units", [None, "100", 1.5, True, [], {}])
def test_an_amount_that_is_none(units: object) -> None:
    with pytest.raises(ProviderUnclearError):
        major_amount(units, "DKK")


# Charges


@pytest.mark.parametrize(
    ("changes", "status", "code", "is_soft"),
    [
        ({}, ChargeStatus.SUCCEEDED, None, None),
        # What failed before doesn't undo it.
        ({"last_payment_error": {"code": "card_declined"}}, ChargeStatus.SUCCEEDED, None, None),
        ({"status": "processing"}, ChargeStatus.PENDING, None, None),
        ({"status": "requires_capture"}, ChargeStatus.PENDING, None, None),
        ({"status": "requires_confirmation"}, ChargeStatus.PENDING, None, None),
        ({"status": "requires_action"}, ChargeStatus.REQUIRES_ACTION, None, None),
        ({"status": "canceled", "cancellation_reason": "abandoned"}, ChargeStatus.FAILED, "abandoned", True),
        ({"status": "canceled"}, ChargeStatus.FAILED, "canceled", True),
        # Cancelled after it was declined.
        (
            {"status": "canceled", "last_payment_error": {"decline_code": "insufficient_funds"}},
            ChargeStatus.FAILED,
            "insufficient_funds",
            True,
        ),
        (
            {"status": "canceled", "last_payment_error": {"code": "authentication_required"}},
            ChargeStatus.FAILED,
            "authentication_required",
            False,
        ),
        ({"status": "requires_payment_method"}, ChargeStatus.PENDING, None, None),  # not put to the bank yet
    ],
)
def test_how_a_charge_stands(
    changes: dict[str, Any], status: ChargeStatus, code: str | None, is_soft: bool | None
) -> None:
    charge = charge_of(INTENT | changes)
    decline = charge.decline
    assert (charge.status, decline and decline.code, decline and decline.is_soft) == (status, code, is_soft)


@pytest.mark.parametrize(
    ("fault", "code", "is_soft"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds", True),
        ({"code": "card_declined", "decline_code": "do_not_honor"}, "do_not_honor", True),
        ({"code": "card_declined", "decline_code": "generic_decline"}, "generic_decline", True),
        ({"code": "card_declined", "decline_code": "try_again_later"}, "try_again_later", True),
        ({"code": "card_declined", "decline_code": "issuer_not_available"}, "issuer_not_available", True),
        ({"code": "processing_error"}, "processing_error", True),
        ({"code": "card_declined", "decline_code": "stolen_card"}, "stolen_card", False),
        ({"code": "card_declined", "decline_code": "lost_card"}, "lost_card", False),
        ({"code": "card_declined", "decline_code": "pickup_card"}, "pickup_card", False),
        ({"code": "card_declined", "decline_code": "fraudulent"}, "fraudulent", False),
        ({"code": "card_declined", "decline_code": "invalid_account"}, "invalid_account", False),
        ({"code": "card_declined", "decline_code": "stop_payment_order"}, "stop_payment_order", False),
        ({"code": "expired_card"}, "expired_card", False),
        ({"code": "expired_card", "decline_code": "generic_decline"}, "generic_decline", False),
        # The bank's advice goes before its code.
        (
            {"code": "card_declined", "decline_code": "do_not_honor", "advice_code": "do_not_try_again"},
            "do_not_honor",
            False,
        ),
    ],
)
def test_which_declines_stay(fault: dict[str, Any], code: str, is_soft: bool) -> None:
    charge = charge_of(INTENT | {"status": "requires_payment_method", "last_payment_error": fault})
    assert charge.status is ChargeStatus.FAILED
    assert charge.decline is not None
    assert (charge.decline.code, charge.decline.is_soft) == (code, is_soft)


@pytest.mark.parametrize(
    "fault",
    [
        {"code": "authentication_required"},
        {"code": "authentication_required", "decline_code": "authentication_required"},
        {"code": "card_declined", "decline_code": "authentication_not_handled"},
    ],
)
def test_a_bank_that_wants_its_owner_to_confirm(fault: dict[str, Any]) -> None:
    charge = charge_of(INTENT | {"status": "requires_payment_method", "last_payment_error": fault})
    assert (charge.status, charge.decline) == (ChargeStatus.REQUIRES_ACTION, None)


def test_where_a_charge_is_confirmed() -> None:
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/3d"}}
    waiting = charge_of(INTENT | {"status": "requires_action", "next_action": action})
    assert waiting.action_url == "https://hooks.stripe.com/3d"
    assert charge_of(INTENT | {"next_action": action}).action_url is None
    elsewhere = action | {"redirect_to_url": {"url": "javascript:alert(1)"}}
    assert charge_of(INTENT | {"status": "requires_action", "next_action": elsewhere}).action_url is None
    by_script = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
    assert charge_of(INTENT | {"status": "requires_action", "next_action": by_script}).action_url is None


@pytest.mark.parametrize(
    ("charge", "fee"),
    [
        ({"balance_transaction": {"fee": 2050, "currency": "dkk"}}, Decimal("20.50")),
        ({"balance_transaction": {"fee": 275, "currency": "eur"}}, None),  # paid out in another currency
        ({"balance_transaction": "txn_1"}, None),
        ({"balance_transaction": None}, None),
        ("ch_1", None),
        (None, None),
    ],
)
def test_the_fee_is_told_where_it_is_known(charge: object, fee: Decimal | None) -> None:
    assert charge_of(INTENT | {"latest_charge": charge}).fee == fee


def test_test_mode_is_told() -> None:
    assert not charge_of(INTENT).is_test
    assert charge_of(INTENT | {"livemode": False}).is_test


@pytest.mark.parametrize(
    "changes", [{"id": None}, {"status": "new_status"}, {"status": 7}, {"amount": "1"}, {"currency": "xyz"}]
)
def test_a_charge_that_isnt_understood(changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderUnclearError):
        charge_of(INTENT | changes)


def test_words_of_a_decline_name_no_key() -> None:
    decline = decline_of({"code": "card_declined", "message": "No.\nKey sk_live_4eC39HqLyjWDarjtT1zdp7dc, here"})
    assert decline.message == "No. Key ... here"


def test_the_charge_that_a_decline_shows() -> None:
    intent = {**INTENT, "status": "requires_payment_method", "last_payment_error": {"code": "own"}}
    fault = {"type": "card_error", "code": "card_declined", "payment_intent": intent}
    assert declined_intent({"error": fault}) == intent
    told = declined_intent({"error": fault | {"payment_intent": intent | {"last_payment_error": None}}})
    assert told is not None
    assert charge_of(told).decline == decline_of(fault)
    nothing: list[object] = [None, [], {}, {"error": "no"}, {"error": {}}, {"error": {"payment_intent": "pi_1"}}]
    assert [declined_intent(body) for body in nothing] == [None] * len(nothing)


# Refunds, agreements, disputes, movements


@pytest.mark.parametrize(
    ("changes", "status", "code", "is_soft"),
    [
        ({"status": "succeeded"}, ChargeStatus.SUCCEEDED, None, None),
        ({"status": "pending"}, ChargeStatus.PENDING, None, None),
        ({"status": "requires_action"}, ChargeStatus.REQUIRES_ACTION, None, None),
        ({"status": "canceled"}, ChargeStatus.FAILED, "canceled", True),
        ({"status": "failed", "failure_reason": "unknown"}, ChargeStatus.FAILED, "unknown", True),
        (
            {"status": "failed", "failure_reason": "lost_or_stolen_card"},
            ChargeStatus.FAILED,
            "lost_or_stolen_card",
            False,
        ),
    ],
)
def test_how_a_refund_stands(
    changes: dict[str, Any], status: ChargeStatus, code: str | None, is_soft: bool | None
) -> None:
    refund = refund_of({"id": "re_1", "amount": 100, "currency": "jpy", "metadata": None} | changes, "pi_1")
    decline = refund.decline
    assert (refund.status, decline and decline.code, decline and decline.is_soft) == (status, code, is_soft)
    assert (refund.amount, refund.reference) == (Decimal(100), None)


def test_a_refund_that_isnt_understood() -> None:
    with pytest.raises(ProviderUnclearError):
        refund_of({"id": "re_1", "amount": 100, "currency": "dkk", "status": None}, "pi_1")


METHOD = {"id": "pm_1", "customer": "cus_1", "card": {"brand": "MasterCard", "last4": "4444", "exp_month": 1}}


@pytest.mark.parametrize(
    ("changes", "provider_id", "status"),
    [
        ({"status": "open"}, "cs_1", AgreementStatus.PENDING),
        ({"status": "expired"}, "cs_1", AgreementStatus.FAILED),
        ({"setup_intent": "seti_1"}, "cs_1", AgreementStatus.PENDING),
        ({"setup_intent": {"status": "processing", "payment_method": METHOD}}, "cs_1", AgreementStatus.PENDING),
        ({"setup_intent": {"status": "canceled", "payment_method": None}}, "cs_1", AgreementStatus.FAILED),
        ({}, "cus_1/pm_1", AgreementStatus.ACTIVE),
        (
            {"setup_intent": {"status": "succeeded", "payment_method": METHOD | {"customer": None}}},
            "cus_1/pm_1",
            AgreementStatus.CANCELLED,
        ),
    ],
)
def test_how_an_agreement_stands(changes: dict[str, Any], provider_id: str, status: AgreementStatus) -> None:
    setup = {"status": "succeeded", "payment_method": METHOD}
    session = {"id": "cs_1", "status": "complete", "customer": "cus_1", "setup_intent": setup, "metadata": {}}
    found = agreement_of_session(session | {"client_reference_id": "A1"} | changes)
    assert (found.provider_id, found.status, found.reference) == (provider_id, status, "A1")


def test_what_is_shown_of_a_card() -> None:
    assert card_of(METHOD["card"]) == Card("XXXX XXXX XXXX 4444", "mastercard", 1, None)
    assert card_of({"exp_month": "1"}) == Card(None, None, None, None)
    assert card_of(None) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("warning_needs_response", DisputeStatus.OPEN),
        ("warning_under_review", DisputeStatus.OPEN),
        ("needs_response", DisputeStatus.OPEN),
        ("under_review", DisputeStatus.OPEN),
        ("warning_closed", DisputeStatus.WON),
        ("prevented", DisputeStatus.WON),
        ("won", DisputeStatus.WON),
        ("lost", DisputeStatus.LOST),
    ],
)
def test_how_a_dispute_stands(status: str, expected: DisputeStatus) -> None:
    moved = [{"fee": 11500, "currency": "dkk"}, {"fee": -11500, "currency": "dkk"}, {"fee": 1, "currency": "eur"}]
    told = {"id": "dp_1", "charge": {"id": "ch_1"}, "amount": 100, "currency": "dkk", "status": status}
    assert dispute_of(told).status is expected
    assert (dispute_of(told).charge_id, dispute_of(told).fee, dispute_of(told).reason) == ("ch_1", None, "")
    assert dispute_of(told | {"balance_transactions": moved}).fee == 0


def test_a_dispute_that_isnt_understood() -> None:
    with pytest.raises(ProviderUnclearError):
        dispute_of({"id": "dp_1", "charge": "ch_1", "amount": 100, "currency": "dkk", "status": "new"})


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("charge", MovementType.CHARGE),
        ("charge_failure", MovementType.REFUND),
        ("refund", MovementType.REFUND),
        ("refund_failure", MovementType.REFUND),
        ("dispute", MovementType.DISPUTE),
        ("dispute_reversal", MovementType.DISPUTE_REVERSED),
        ("fee", MovementType.FEE),
        ("payout", MovementType.PAYOUT),
        ("payout_reversal", MovementType.PAYOUT),
        ("topup", MovementType.OTHER),
        (None, MovementType.OTHER),
    ],
)
def test_why_money_moves(category: str | None, expected: MovementType) -> None:
    told = {"id": "txn_1", "amount": -1, "fee": 0, "currency": "bhd", "created": 0, "reporting_category": category}
    disputed = movement_of(told | {"source": {"object": "dispute", "id": "dp_1", "payment_intent": "pi_9"}}, None)
    assert (disputed.object_id, disputed.charge_id) == ("dp_1", "pi_9")
    movement = movement_of(told | {"source": "re_1"}, None)
    assert (movement.type, movement.amount, movement.object_id) == (expected, Decimal("-0.001"), "re_1")
    with pytest.raises(ProviderUnclearError):
        movement_of(told | {"created": "today"}, None)


# Events


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [
        (
            "checkout.session.completed",
            {"id": "cs_1", "mode": "setup", "client_reference_id": "A1"},
            (Subject.AGREEMENT, "cs_1", "A1"),
        ),
        ("checkout.session.completed", {"id": "cs_1", "mode": "payment"}, (None, None, None)),
        ("payment_intent.succeeded", {"id": "pi_1"}, (Subject.CHARGE, "pi_1", "R1")),
        ("payment_intent.payment_failed", {"id": "pi_1"}, (Subject.CHARGE, "pi_1", "R1")),
        ("charge.updated", {"id": "ch_1", "payment_intent": "pi_1"}, (Subject.CHARGE, "pi_1", "R1")),
        ("charge.updated", {"id": "ch_1", "payment_intent": None}, (None, None, None)),
        ("charge.succeeded", {"id": "ch_1", "payment_intent": "pi_1"}, (None, None, None)),
        ("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1"}, (None, None, None)),
        ("charge.refund.updated", {"id": "re_1"}, (Subject.REFUND, "re_1", "R1")),
        ("refund.failed", {"id": "re_1"}, (Subject.REFUND, "re_1", "R1")),
        ("charge.dispute.created", {"id": "dp_1"}, (Subject.DISPUTE, "dp_1", "R1")),
        ("payout.paid", {"id": "po_1"}, (Subject.PAYOUT, "po_1", "R1")),
        ("payment_method.updated", {"id": "pm_1", "customer": "cus_1"}, (Subject.AGREEMENT, "cus_1/pm_1", "R1")),
        ("payment_method.detached", {"id": "pm_1", "customer": None}, (Subject.AGREEMENT, "cus_2/pm_1", "R1")),
        ("customer.created", {"id": "cus_1"}, (None, None, None)),
        ("", {"id": "po_1"}, None),
    ],
)
def test_what_an_event_is_about(
    name: str, told: dict[str, Any], expected: tuple[Subject | None, str | None, str | None] | None
) -> None:
    reference = {} if "client_reference_id" in told else {"metadata": {"reference": "R1"}}
    data = {"object": told | reference, "previous_attributes": {"customer": "cus_2"}}
    event = {"id": "evt_1", "type": name, "data": data}
    if expected is None:
        with pytest.raises(ProviderUnclearError):
            event_of(event)
    else:
        found = event_of(event)
        assert (found.subject, found.provider_id, found.reference) == expected


# Refusals


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (None, None, ProviderUnclearError),
        (500, {"error": {"type": "api_error"}}, ProviderUnclearError),
        (409, {"error": {"type": "idempotency_error"}}, ProviderUnclearError),
        (429, {"error": {}}, ProviderUnclearError),
        (429, {"error": {"code": "lock_timeout"}}, ProviderUnclearError),
        (400, {"error": {"code": "rate_limit"}}, ProviderUnclearError),
        (400, {"error": {"type": "idempotency_error"}}, ProviderUnclearError),
        (200, None, ProviderUnclearError),
        (302, {"error": {}}, ProviderUnclearError),
        (404, "<html>", ProviderUnclearError),
        (400, {"error": {"code": "amount_too_small"}}, ProviderRefusedError),
        (401, {"error": {"message": "Invalid API Key provided: sk_live_****7dc"}}, ProviderRefusedError),
        (402, {"error": {"code": "card_declined"}}, ProviderRefusedError),
        (403, {"error": {}}, ProviderRefusedError),
        (404, {"error": {"code": "resource_missing"}}, ProviderRefusedError),
    ],
)
def test_whether_stripe_did_nothing(status: int | None, body: object, expected: type[Exception]) -> None:
    assert type(error_of(status, body)) is expected


def test_a_refusal_names_a_code_and_a_field_and_no_key() -> None:
    told = {"code": "parameter_invalid_integer", "param": "amount", "message": "sk_live_1"}
    assert str(error_of(400, {"error": told})) == "Stripe refuses the request (parameter_invalid_integer): amount"
    odd = {"code": "sk_live_4eC39HqLy", "param": "key sk_live_1\n"}
    assert str(error_of(400, {"error": odd})) == "Stripe refuses the request (400)"


# Texts


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("Faktura 1042", "Faktura 10"),
        ("Blåbær * 7", "Bl b r 7"),
        ("<>\\'\"*", None),
        ("1042", None),
        ("", None),
        ("A" * 30, "A" * 10),
    ],
)
def test_what_a_statement_shows(text: str, suffix: str | None) -> None:
    assert statement_suffix(text) == suffix


@given(st.text())
def test_a_statement_takes_what_it_is_given(text: str) -> None:
    suffix = statement_suffix(text)
    assert suffix is None or (1 <= len(suffix) <= 10 and suffix.isascii() and not set(suffix) & set("<>\\'\"*"))


@pytest.mark.parametrize(
    ("language", "expected"),
    [("da", "da"), ("en-GB", "en"), ("no", "nb"), ("nn_NO", "nb"), ("kl", "auto"), ("", "auto")],
)
def test_languages_of_checkout(language: str, expected: str) -> None:
    assert checkout_language(language) == expected


VALUES = st.sampled_from([None, True, 0, -1, 1.5, "", "x", "dkk", "succeeded", "requires_payment_method", "complete"])
JSON = VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(st.sampled_from([*INTENT, "code", "url"]), VALUES)


@given(st.dictionaries(st.sampled_from([*INTENT, "customer", "client_reference_id"]), JSON))
def test_whatever_is_answered_is_understood_or_unclear(changes: dict[str, Any]) -> None:
    for meaning in (charge_of, agreement_of_session, dispute_of, event_of):
        try:
            meaning(INTENT | changes)
        except ProviderUnclearError:
            pass
        except KeyError:
            assert meaning is event_of  # whoever calls it takes that for the same
