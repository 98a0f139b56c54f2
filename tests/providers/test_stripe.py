"""Stripe's adapter against a server that behaves as Stripe documents: what it asks, what it makes of the answers."""

import asyncio
import hashlib
import hmac
import json
import logging
import subprocess
import sys
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from tests.providers.stripe_server import (
    SECRET_KEY,
    WEBHOOK_SECRET,
    Asked,
    Behaviour,
    StripeServer,
    as_json,
    failure,
    stripe_server,
)
from tests.receivers import Answer, Received, receiving
from tests.webhooks import until

from ledgerbee.payments.providers.model import (
    Access,
    AgreementRequest,
    AgreementStatus,
    Card,
    ChargeRequest,
    ChargeStatus,
    DisputeStatus,
    MovementType,
    Provider,
    ProviderCharge,
    ProviderRefusedError,
    ProviderUnclearError,
    RefundRequest,
    SignatureError,
    Subject,
)
from ledgerbee.payments.providers.stripe import Stripe

ACCESS = Access({"secretKey": SECRET_KEY, "webhookSecret": WEBHOOK_SECRET})
GOOD, DECLINED, CONFIRMED = "4242424242424242", "4000000000000341", "4000002500003155"


@pytest_asyncio.fixture(scope="module")
async def running() -> AsyncIterator[StripeServer]:
    async with stripe_server() as server:
        yield server


@pytest.fixture
def server(running: StripeServer) -> Iterator[StripeServer]:
    """The server, which behaves by itself and has been asked nothing."""
    running.asked.clear()
    yield running
    running.behave, running.tells_declined = None, True


@pytest.fixture
def provider(server: StripeServer) -> Provider:
    return Stripe(server.url, timeout_s=20)


def card_request(reference: str, language: str = "da", email: str | None = "ap@havn.example") -> AgreementRequest:
    return AgreementRequest(
        reference=reference,
        currency="DKK",
        language=language,
        customer_name="Havn A/S",
        email=email,
        return_url="https://shop.example/saved",
        cancel_url="https://shop.example/not-saved",
        callback_url="https://books.example/hook",
    )


def charge_request(reference: str, agreement_id: str, amount: str = "1250.00", currency: str = "DKK") -> ChargeRequest:
    return ChargeRequest(
        reference=reference,
        agreement_id=agreement_id,
        amount=Decimal(amount),
        currency=currency,
        text="Faktura 1042 Nordlys",
        callback_url="https://books.example/hook",
    )


def refund_request(reference: str, charge_id: str, amount: str) -> RefundRequest:
    return RefundRequest(
        reference=reference,
        charge_id=charge_id,
        amount=Decimal(amount),
        currency="DKK",
        callback_url="https://books.example/hook",
    )


async def saved_card(provider: Provider, server: StripeServer, reference: str, number: str = GOOD) -> str:
    """The id of an agreement with a card of that number."""
    page = await provider.start_agreement(ACCESS, card_request(reference))
    await server.enter_card(page.provider_id, number)
    found = await provider.find_agreement(ACCESS, page.provider_id)
    assert found is not None
    assert found.status is AgreementStatus.ACTIVE
    return found.provider_id


def always(answer: Answer | None) -> Behaviour:
    async def behave(_: Asked) -> Answer | None:
        return answer

    return behave


# Agreements


async def test_a_card_is_saved_on_a_page_of_stripe(provider: Provider, server: StripeServer) -> None:
    page = await provider.start_agreement(ACCESS, card_request("A1"))
    assert page.url == f"https://checkout.stripe.com/c/pay/{page.provider_id}"
    customer, session = server.last("/v1/customers"), server.last("/v1/checkout/sessions")
    assert customer.fields == {"name": "Havn A/S", "email": "ap@havn.example", "metadata[reference]": "A1"}
    assert customer.headers["idempotency-key"] == "A1-customer"
    assert session.headers["idempotency-key"] == "A1"
    assert session.headers["authorization"] == f"Bearer {SECRET_KEY}"
    assert session.fields == {
        "mode": "setup",
        "customer": session.fields["customer"],
        "allowed_payment_method_types[0]": "card",
        "locale": "da",
        "success_url": "https://shop.example/saved",
        "cancel_url": "https://shop.example/not-saved",
        "client_reference_id": "A1",
        "metadata[reference]": "A1",
        "setup_intent_data[metadata][reference]": "A1",
    }

    waiting = await provider.find_agreement(ACCESS, page.provider_id)
    assert waiting is not None
    assert (waiting.status, waiting.reference, waiting.card) == (AgreementStatus.PENDING, "A1", None)

    await server.enter_card(page.provider_id, GOOD)
    found = await provider.find_agreement(ACCESS, page.provider_id)
    assert found is not None
    assert (found.status, found.reference) == (AgreementStatus.ACTIVE, "A1")
    assert found.provider_id.startswith(f"{session.fields['customer']}/pm_")
    assert found.card == Card("XXXX XXXX XXXX 4242", "visa", 12, 2030)
    again = await provider.find_agreement(ACCESS, found.provider_id)
    assert again is not None
    assert (again.status, again.card) == (found.status, found.card)


async def test_a_page_that_is_asked_for_twice_is_the_same(provider: Provider) -> None:
    pages = [await provider.start_agreement(ACCESS, card_request("A2", email=None)) for _ in range(2)]
    assert pages[0] == pages[1]


async def test_a_page_that_no_browser_may_open(provider: Provider, server: StripeServer) -> None:
    server.behave = always(as_json({"id": "cs_1", "object": "checkout.session", "url": "javascript:alert(1)"}))
    with pytest.raises(ProviderUnclearError):
        await provider.start_agreement(ACCESS, card_request("A6"))


async def test_a_page_that_nobody_used_has_failed(provider: Provider, server: StripeServer) -> None:
    page = await provider.start_agreement(ACCESS, card_request("A3", "xx"))
    assert server.last("/v1/checkout/sessions").fields["locale"] == "auto"
    server.expire(page.provider_id)
    found = await provider.find_agreement(ACCESS, page.provider_id)
    assert found is not None
    assert found.status is AgreementStatus.FAILED


async def test_a_saved_card_ends_once(provider: Provider, server: StripeServer) -> None:
    agreement = await saved_card(provider, server, "A4")
    for _ in range(2):
        await provider.cancel_agreement(ACCESS, agreement)
        found = await provider.find_agreement(ACCESS, agreement)
        assert found is not None
        assert found.status is AgreementStatus.CANCELLED


@pytest.mark.parametrize("provider_id", ["cs_none", "cus_none/pm_none", "", "cus_1/pm_1/../../customers", "12"])
async def test_what_isnt_there(provider: Provider, provider_id: str) -> None:
    assert await provider.find_agreement(ACCESS, provider_id) is None
    await provider.cancel_agreement(ACCESS, provider_id)


async def test_a_card_that_is_on_no_customer_is_refused_by_stripe_and_ended(
    provider: Provider, server: StripeServer
) -> None:
    agreement = await saved_card(provider, server, "A5")

    async def refuse(asked: Asked) -> Answer | None:
        return failure(400, "invalid_request_error") if asked.path.endswith("/detach") else None

    server.behave = refuse
    with pytest.raises(ProviderRefusedError):
        await provider.cancel_agreement(ACCESS, agreement)
    await server.do(f"payment_methods/{agreement.partition('/')[2]}/detach")
    await provider.cancel_agreement(ACCESS, agreement)


# Charges


async def test_a_charge_of_a_saved_card(provider: Provider, server: StripeServer) -> None:
    agreement = await saved_card(provider, server, "C1card")
    customer, _, method = agreement.partition("/")
    charge = await provider.charge(ACCESS, charge_request("C1", agreement))
    asked = server.last("/v1/payment_intents")
    assert asked.headers["idempotency-key"] == "C1"
    assert asked.fields == {
        "amount": "125000",
        "currency": "dkk",
        "customer": customer,
        "payment_method": method,
        "allowed_payment_method_types[0]": "card",
        "capture_method": "automatic",
        "confirm": "true",
        "off_session": "true",
        "metadata[reference]": "C1",
        "expand[0]": "latest_charge.balance_transaction",
        "description": "Faktura 1042 Nordlys",
        "statement_descriptor_suffix": "Faktura 10",
    }
    assert charge.provider_id.startswith("pi_")
    assert (charge.reference, charge.status) == ("C1", ChargeStatus.SUCCEEDED)
    assert (charge.amount, charge.currency, charge.fee) == (Decimal("1250.00"), "DKK", Decimal("0.00"))
    assert charge.is_test
    assert charge.decline is None
    assert await provider.find_charge(ACCESS, "C1", charge.provider_id, agreement) == charge
    assert await provider.find_charge(ACCESS, "C1", None, agreement) == charge
    assert await provider.find_charge(ACCESS, "C1", "pi_unknown", agreement) == charge
    assert await provider.find_charge(ACCESS, "C2", None, agreement) is None
    assert await provider.find_charge(ACCESS, "C1", None, "no agreement") is None


async def test_a_charge_that_is_asked_for_twice_is_one(provider: Provider, server: StripeServer) -> None:
    agreement = await saved_card(provider, server, "C3card")
    charges = [await provider.charge(ACCESS, charge_request("C3", agreement)) for _ in range(2)]
    assert charges[0] == charges[1]
    with pytest.raises(ProviderUnclearError):  # the same reference, something else
        await provider.charge(ACCESS, charge_request("C3", agreement, "2.00"))


@pytest.mark.parametrize("told", [True, False])
async def test_a_decline_is_an_answer(provider: Provider, server: StripeServer, told: bool) -> None:
    server.tells_declined = told
    agreement = await saved_card(provider, server, f"C4card{told}", DECLINED)
    charge = await provider.charge(ACCESS, charge_request(f"C4{told}", agreement))
    assert (charge.status, charge.reference) == (ChargeStatus.FAILED, f"C4{told}")
    assert charge.decline is not None
    assert (charge.decline.code, charge.decline.is_soft) == ("card_declined", True)
    assert charge.decline.message == "Your card was declined."
    assert await provider.find_charge(ACCESS, f"C4{told}", None, agreement) == charge
    # It was cancelled once, and nobody can confirm it any more.
    assert [one.path for one in server.asked if one.path.endswith("/cancel")] == [cancelling(charge.provider_id)]
    late = await server.upstream.post(f"/v1/payment_intents/{charge.provider_id}/confirm", auth=(SECRET_KEY, ""))
    assert late.status_code == 400
    assert (await server.upstream.get(f"/v1/payment_intents/{charge.provider_id}", auth=(SECRET_KEY, ""))).json()[
        "status"
    ] == "canceled"


def cancelling(intent_id: str) -> str:
    return f"/v1/payment_intents/{intent_id}/cancel"


DECLINED_INTENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "status": "requires_payment_method",
    "amount": 125000,
    "currency": "dkk",
    "metadata": {"reference": "C8"},
    "last_payment_error": {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"},
}
UNEXPECTED = failure(400, "invalid_request_error", code="payment_intent_unexpected_state")


@pytest.mark.parametrize(
    ("cancelled", "found", "status"),
    [
        (UNEXPECTED, {"status": "succeeded"}, ChargeStatus.SUCCEEDED),
        (UNEXPECTED, {"status": "processing"}, ChargeStatus.PENDING),
        (UNEXPECTED, {"status": "canceled"}, ChargeStatus.FAILED),
        (as_json(DECLINED_INTENT | {"status": "canceled", "last_payment_error": None}), {}, ChargeStatus.FAILED),
        # Whether it can still succeed isn't clear.
        (UNEXPECTED, {}, None),
        (as_json(DECLINED_INTENT), {}, None),
        (failure(401, "invalid_request_error"), {}, None),
        (failure(403, "invalid_request_error"), {}, None),
        (failure(404, "invalid_request_error", code="resource_missing"), {}, None),
        (failure(500, "api_error"), {}, None),
        (as_json({}), {}, None),
    ],
)
@pytest.mark.parametrize("is_asked_to_charge", [True, False])
async def test_a_charge_has_failed_when_it_cant_succeed_any_more(
    provider: Provider,
    server: StripeServer,
    cancelled: Answer,
    found: dict[str, Any],
    status: ChargeStatus | None,
    is_asked_to_charge: bool,
) -> None:
    seen: list[str] = []

    async def behave(asked: Asked) -> Answer:
        seen.append(asked.path)
        if asked.path == cancelling("pi_1"):
            return cancelled
        if asked.method == "POST":
            fault = DECLINED_INTENT["last_payment_error"]
            return as_json({"error": {**fault, "payment_intent": DECLINED_INTENT}}, 402)  # type: ignore[dict-item]
        is_after = cancelling("pi_1") in seen
        return as_json(DECLINED_INTENT | (found if is_after else {}))

    async def asked() -> ProviderCharge | None:
        if is_asked_to_charge:
            return await provider.charge(ACCESS, charge_request("C8", "cus_1/pm_1"))
        return await provider.find_charge(ACCESS, "C8", "pi_1", "cus_1/pm_1")

    server.behave = behave
    if status is None:
        with pytest.raises(ProviderUnclearError):
            await asked()
        return
    charge = await asked()
    assert charge is not None
    assert charge.status is status
    if status is ChargeStatus.FAILED:
        assert charge.decline is not None
        assert (charge.decline.code, charge.decline.is_soft) == ("insufficient_funds", True)


async def test_a_charge_of_another_reference_is_left_alone(provider: Provider, server: StripeServer) -> None:
    server.behave = always(as_json(DECLINED_INTENT))
    charge = await provider.find_charge(ACCESS, "C9", "pi_1", "cus_1/pm_1")
    assert charge is not None
    assert (charge.reference, charge.status) == ("C8", ChargeStatus.FAILED)
    assert [one.method for one in server.asked] == ["GET"]


async def test_a_charge_that_its_owner_can_confirm_nowhere_is_ended(provider: Provider, server: StripeServer) -> None:
    agreement = await saved_card(provider, server, "C5card", CONFIRMED)
    charge = await provider.charge(ACCESS, charge_request("C5", agreement))
    assert charge.status is ChargeStatus.FAILED
    assert charge.decline is not None
    assert (charge.decline.code, charge.decline.is_soft) == ("authentication_required", False)
    found = await provider.find_charge(ACCESS, "C5", charge.provider_id, agreement)
    assert found is not None
    assert found.status is ChargeStatus.FAILED


async def test_a_charge_that_is_not_decided_is_cancelled(provider: Provider, server: StripeServer) -> None:
    agreement = await saved_card(provider, server, "C8card")
    fields = {"amount": "125000", "currency": "dkk", "customer": agreement.partition("/")[0]}
    made = await server.do("payment_intents", **fields, **{"metadata[reference]": "C8"})
    await provider.cancel_charge(ACCESS, "C8", made["id"])
    found = await provider.find_charge(ACCESS, "C8", made["id"], agreement)
    assert found is not None
    assert found.status is ChargeStatus.FAILED
    charge = await provider.charge(ACCESS, charge_request("C9", agreement))
    for provider_id in (charge.provider_id, "pi_none"):
        with pytest.raises(ProviderRefusedError):
            await provider.cancel_charge(ACCESS, "C9", provider_id)
    assert await provider.find_charge(ACCESS, "C9", charge.provider_id, agreement) == charge


async def test_a_charge_is_found_behind_a_hundred_newer_ones(provider: Provider, server: StripeServer) -> None:
    newer = [{"id": f"pi_{number}", "metadata": {"reference": f"N{number}"}} for number in range(150)]
    sought = {"id": "pi_old", "metadata": {"reference": "OLD"}, "status": "succeeded", "amount": 100}
    intents: list[dict[str, Any]] = [*newer, {**sought, "currency": "jpy", "livemode": True}]

    async def list_them(asked: Asked) -> Answer:
        assert asked.fields["customer"] == "cus_1"
        start = next((n + 1 for n, one in enumerate(intents) if one["id"] == asked.fields.get("starting_after")), 0)
        page = intents[start : start + int(asked.fields["limit"])]
        return as_json({"object": "list", "data": page, "has_more": start + len(page) < len(intents)})

    server.behave = list_them
    charge = await provider.find_charge(ACCESS, "OLD", None, "cus_1/pm_1")
    assert charge is not None
    assert (charge.amount, charge.currency, charge.is_test) == (Decimal(100), "JPY", False)
    assert len(server.asked) == 2


async def test_a_list_without_end_is_given_up(provider: Provider, server: StripeServer) -> None:
    page = {"object": "list", "data": [{"id": "pi_1", "metadata": {}}], "has_more": True}
    server.behave = always(as_json(page))
    with pytest.raises(ProviderUnclearError):
        await provider.find_charge(ACCESS, "C6", None, "cus_1/pm_1")
    assert len(server.asked) == 100


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.005", "DKK"), ("1.234", "BHD"), ("1.5", "JPY"), ("1.00", "XXX"), ("1.50", "MGA")]
)
async def test_an_amount_that_stripe_cant_count_isnt_asked_for(
    provider: Provider, server: StripeServer, amount: str, currency: str
) -> None:
    with pytest.raises(ProviderRefusedError):
        await provider.charge(ACCESS, charge_request("C7", "cus_1/pm_1", amount, currency))
    with pytest.raises(ProviderRefusedError):
        await provider.charge(ACCESS, charge_request("C7", "pm_1"))
    assert server.asked == []


# Refunds, disputes, movements


async def test_a_refund_of_a_part(provider: Provider, server: StripeServer) -> None:
    agreement = await saved_card(provider, server, "R1card")
    charge = await provider.charge(ACCESS, charge_request("R1charge", agreement))
    refund = await provider.refund(ACCESS, refund_request("R1", charge.provider_id, "100.00"))
    asked = server.last("/v1/refunds")
    assert asked.headers["idempotency-key"] == "R1"
    assert asked.fields == {
        "payment_intent": charge.provider_id,
        "amount": "10000",
        "metadata[reference]": "R1",
    }
    assert (refund.reference, refund.charge_id, refund.status) == ("R1", charge.provider_id, ChargeStatus.SUCCEEDED)
    assert (refund.amount, refund.currency) == (Decimal("100.00"), "DKK")
    other = await provider.refund(ACCESS, refund_request("R2", charge.provider_id, "50.00"))
    assert await provider.refund(ACCESS, refund_request("R1", charge.provider_id, "100.00")) == refund
    assert await provider.find_refund(ACCESS, charge.provider_id, "R1") == refund
    assert await provider.find_refund(ACCESS, charge.provider_id, "R2") == other
    assert await provider.find_refund(ACCESS, charge.provider_id, "R3") is None


async def test_a_refund_of_a_charge_that_failed_is_refused(provider: Provider, server: StripeServer) -> None:
    agreement = await saved_card(provider, server, "R4card", DECLINED)
    charge = await provider.charge(ACCESS, charge_request("R4charge", agreement))
    with pytest.raises(ProviderRefusedError):
        await provider.refund(ACCESS, refund_request("R4", charge.provider_id, "1.00"))


async def test_a_dispute(provider: Provider, server: StripeServer) -> None:
    server.behave = always(failure(404, "invalid_request_error", code="resource_missing"))
    assert await provider.find_dispute(ACCESS, "dp_none") is None
    told = {"id": "dp_1", "object": "dispute", "status": "lost", "amount": 125000, "currency": "dkk"}
    moved = [{"id": "txn_1", "currency": "dkk", "amount": -125000, "fee": 11500}]
    more = {"charge": "ch_1", "payment_intent": "pi_1", "reason": "fraudulent", "balance_transactions": moved}
    server.behave = always(as_json({**told, **more}))
    dispute = await provider.find_dispute(ACCESS, "dp_1")
    assert dispute is not None
    assert (dispute.charge_id, dispute.status, dispute.reason) == ("pi_1", DisputeStatus.LOST, "fraudulent")
    assert (dispute.amount, dispute.fee) == (Decimal("1250.00"), Decimal("115.00"))


async def test_movements_come_oldest_first_with_their_payout(provider: Provider, server: StripeServer) -> None:
    def moved(number: int, kind: str, amount: int, fee: int, source: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "id": f"txn_{number}",
            "object": "balance_transaction",
            "type": kind,
            "reporting_category": kind,
            "amount": amount,
            "fee": fee,
            "currency": "dkk",
            "created": 1_790_000_000 + number,
            "source": source,
            "description": None,
        }

    charge = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "metadata": {"reference": "M1"}}
    refund = {"id": "re_1", "object": "refund", "metadata": {"reference": "M2"}}
    payout = {"id": "po_1", "object": "payout", "automatic": True, "metadata": {}}
    by_hand = {"id": "po_2", "object": "payout", "automatic": False, "metadata": {}}
    first, second, third = moved(1, "charge", 125000, 2050, charge), moved(2, "refund", -10000, 0, refund), None
    third = moved(3, "payout", -112950, 0, payout)
    rest = [moved(5, "payout", -100, 0, by_hand), moved(4, "fee", -500, 0, None)]

    async def list_them(asked: Asked) -> Answer:
        found = [third, second, first] if asked.fields.get("payout") == "po_1" else [*rest, third, second, first]
        return as_json({"object": "list", "data": found, "has_more": False})

    server.behave = list_them
    since, until = datetime(2026, 9, 21, tzinfo=UTC), datetime(2026, 9, 22, tzinfo=UTC)
    found = [one async for one in provider.movements(ACCESS, since, until)]
    assert server.asked[0].fields == {
        "created[gte]": str(int(since.timestamp())),
        "created[lt]": str(int(until.timestamp())),
        "expand[0]": "data.source",
        "limit": "100",
    }
    assert [one.fields["payout"] for one in server.asked[1:]] == ["po_1"]
    assert [(one.type, one.amount, one.fee) for one in found] == [
        (MovementType.CHARGE, Decimal("1250.00"), Decimal("20.50")),
        (MovementType.REFUND, Decimal("-100.00"), Decimal("0.00")),
        (MovementType.PAYOUT, Decimal("-1129.50"), Decimal("0.00")),
        (MovementType.FEE, Decimal("-5.00"), Decimal("0.00")),
        (MovementType.PAYOUT, Decimal("-1.00"), Decimal("0.00")),
    ]
    assert [(one.object_id, one.reference, one.payout_id) for one in found] == [
        ("pi_1", "M1", "po_1"),
        ("re_1", "M2", "po_1"),
        ("po_1", None, None),
        (None, None, None),
        ("po_2", None, None),
    ]
    assert found[0].at == datetime.fromtimestamp(1_790_000_001, UTC)


# Answers that aren't any


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (failure(400, "invalid_request_error", code="amount_too_small", param="amount"), ProviderRefusedError),
        (failure(400, "idempotency_error"), ProviderUnclearError),
        (failure(401, "invalid_request_error"), ProviderRefusedError),
        (failure(403, "invalid_request_error"), ProviderRefusedError),
        (failure(404, "invalid_request_error", code="resource_missing"), ProviderRefusedError),
        (failure(409, "idempotency_error", code="idempotency_key_in_use"), ProviderUnclearError),
        (failure(429, "invalid_request_error", code="rate_limit"), ProviderUnclearError),
        (failure(500, "api_error"), ProviderUnclearError),
        (Answer(503, b"<html>down</html>"), ProviderUnclearError),
        (Answer(404, b"<html>no such page</html>"), ProviderUnclearError),
        (Answer(302, b"", (("location", "http://127.0.0.1:1/"),)), ProviderUnclearError),
        (Answer(200, b"<html>welcome</html>"), ProviderUnclearError),
        (Answer(200, b""), ProviderUnclearError),
        (Answer(200, b"[]"), ProviderUnclearError),
        (Answer(200, b"null"), ProviderUnclearError),
        (Answer(200, b'"pi_1"'), ProviderUnclearError),
        (Answer(200, b"{}"), ProviderUnclearError),
        (Answer(200, b'{"id": 1, "status": [], "amount": "x"}'), ProviderUnclearError),
        (Answer(200, b"[" * 100_000), ProviderUnclearError),
        (Answer(400, b'{"error": "no"}'), ProviderUnclearError),
        (Answer(400, b'{"error": {"type": {}, "code": []}}'), ProviderRefusedError),
        (Answer(402, b'{"error": {"payment_intent": 1}}'), ProviderUnclearError),
        (None, ProviderUnclearError),
    ],
)
async def test_what_an_answer_says_of_what_was_done(
    provider: Provider, server: StripeServer, answer: Answer | None, expected: type[Exception]
) -> None:
    async def behave(asked: Asked) -> Answer | None:
        nothing = as_json({"object": "list", "data": [], "has_more": False})
        return nothing if asked.method == "GET" else answer

    async def dropped(_: Asked) -> Answer | None:
        raise ConnectionError

    server.behave = behave if answer is not None else dropped
    with pytest.raises(expected) as caught:
        await provider.charge(ACCESS, charge_request("E1", "cus_1/pm_1"))
    assert SECRET_KEY not in "".join(traceback.format_exception(caught.value))
    assert len([one for one in server.asked if one.method == "POST"]) == 1  # nothing is tried twice


async def test_a_server_that_doesnt_answer_in_time(server: StripeServer) -> None:
    async def stall(_: Asked) -> Answer | None:
        await asyncio.sleep(30)
        return None

    server.behave = stall
    with pytest.raises(ProviderUnclearError):
        await Stripe(server.url, timeout_s=0.2).charge(ACCESS, charge_request("E2", "cus_1/pm_1"))


async def test_nobody_listens() -> None:
    with pytest.raises(ProviderUnclearError):
        await Stripe("http://127.0.0.1:1").charge(ACCESS, charge_request("E3", "cus_1/pm_1"))


@pytest.mark.parametrize("key", ["", " ", "sk_tést", "sk_a\nb"])
async def test_a_key_that_is_none(provider: Provider, server: StripeServer, key: str) -> None:
    with pytest.raises(ProviderRefusedError):
        await provider.charge(Access({"secretKey": key}), charge_request("E4", "cus_1/pm_1"))
    assert server.asked == []


async def test_nothing_of_it_is_logged(
    provider: Provider, server: StripeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.behave = always(failure(401, "invalid_request_error"))
    with pytest.raises(ProviderRefusedError):
        await provider.charge(ACCESS, charge_request("E5", "cus_1/pm_1"))
    assert SECRET_KEY not in caplog.text
    assert "E5" not in caplog.text


def test_the_sdk_is_loaded_when_it_is_needed() -> None:
    program = "import sys; import ledgerbee.payments.providers.stripe; sys.exit('stripe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Events


def signed(body: bytes, secret: str = WEBHOOK_SECRET, at: float | None = None) -> dict[str, str]:
    """The headers of an event as Stripe sends it."""
    moment = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "STRIPE-signature": f"t={moment},v1={digest},v0=old"}


EVENT = b"""{ "id":"evt_1",\r\n\t"type" :"payment_intent.succeeded", "data":
  {"object":{"id":"pi_1","metadata":{"reference":"W\\u0031"}}}\n\n}  """


async def test_events_come_signed(provider: Provider, server: StripeServer) -> None:
    agreement = await saved_card(provider, server, "W1card")
    async with receiving() as receiver:
        hook = {"url": receiver.url, "secret": WEBHOOK_SECRET, "events": ["payment_intent.succeeded"]}
        await server.upstream.post("/_config/webhooks/own", json=hook)
        charge = await provider.charge(ACCESS, charge_request("W1", agreement))

        async def told() -> list[Received]:
            # Events of charges of a moment ago come too: they are sent a second later.
            return [one for one in receiver.received if charge.provider_id.encode() in one.body]

        (received,) = await until(told)
        await server.upstream.post("/_config/webhooks/own", json={**hook, "events": []})
    event = provider.read_event(ACCESS, received.headers, received.body)
    assert event.id.startswith("evt_")
    assert (event.type, event.subject) == ("payment_intent.succeeded", Subject.CHARGE)
    assert (event.provider_id, event.reference) == (charge.provider_id, "W1")


def test_a_signature_is_over_the_body_byte_for_byte() -> None:
    event = Stripe().read_event(ACCESS, signed(EVENT), EVENT)
    assert (event.id, event.provider_id, event.reference) == ("evt_1", "pi_1", "W1")
    respaced = json.dumps(json.loads(EVENT)).encode()
    with pytest.raises(SignatureError):
        Stripe().read_event(ACCESS, signed(EVENT), respaced)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "t=1"},
        {"stripe-signature": "v1=abc"},
        {"stripe-signature": "t=x,v1=\xe9"},
        {"stripe-signature": f"t={2**40},v1=\xe9"},
        signed(EVENT, "whsec_other"),
        signed(EVENT, ""),
        signed(EVENT[:-1]),
        signed(EVENT, at=time.time() - 600),
    ],
)
def test_an_event_that_isnt_signed_by_stripe(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        Stripe().read_event(ACCESS, headers, EVENT)


@pytest.mark.parametrize("keys", [{}, {"webhookSecret": ""}, {"webhookSecret": " "}])
def test_an_event_of_a_company_without_a_secret(keys: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        Stripe().read_event(Access(keys), signed(EVENT, keys.get("webhookSecret", "")), EVENT)


def test_a_body_that_is_no_text_is_signed_by_nobody() -> None:
    with pytest.raises(SignatureError):
        Stripe().read_event(ACCESS, signed(b"\xff"), b"\xff")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b'{"id":"evt_1","type":"payout.paid"}',
        b'{"id":1,"type":"x","data":{}}',
        b'{"id":"evt_1","type":"payout.paid","data":{"object":[]}}',
        b'{"id":"evt_1","type":"x","data":7}',
        b"[" * 100_000,
    ],
)
def test_an_event_that_is_none(body: bytes) -> None:
    with pytest.raises(ProviderRefusedError):
        Stripe().read_event(ACCESS, signed(body), body)
