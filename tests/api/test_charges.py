"""Charges of saved cards: nobody is charged twice, nothing is charged without a booking."""

import asyncio
import hmac
import json
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.card_provider import Behavior
from tests.charging import SIGNING_KEY, Charger
from tests.conftest import Api
from tests.days import job_of, today_of
from tests.selling import booked, line

from ledgerbee.ledger.verify import verify
from ledgerbee.payments.charges import actions, daily
from ledgerbee.payments.disputes.jobs import look_at_dispute
from ledgerbee.payments.providers.model import ChargeStatus, DisputeStatus, ProviderDispute, ProviderName

CLEARING, UNIDENTIFIED, RECEIVABLE = 6331, 8042, 6190


@pytest.fixture
async def charger(api: Api) -> Charger:
    charger = Charger(api)
    await charger.set_up()
    return charger


async def check_books(charger: Charger) -> None:
    """What the provider took is what stands on clearing, each charge once, and the books hold."""
    taken = charger.provider.taken
    assert await charger.balance(CLEARING) == sum(taken.values(), Decimal(0))
    rows = await charger.value(
        "SELECT array_agg(reference || ' ' || amount) FROM charges WHERE company_id = $1 AND status = 'succeeded'",
        charger.api.company_id,
    )
    assert {tuple(row.split()) for row in rows or ()} == {(ref, f"{amount:.4f}") for ref, amount in taken.items()}
    assert (await charger.api.run(verify, one_snapshot=True)).fault is None


async def test_a_charge_pays_its_invoice(charger: Charger) -> None:
    invoice = await charger.due()
    asked = await charger.charge(invoice)
    assert (asked["status"], asked["amount"], asked["provider"]) == ("pending", "1250.00", "stripe")
    charge = await charger.carry_out(asked)
    assert (charge["status"], charge["providerId"], charge["unappliedAmount"]) == ("succeeded", "ch_1", "0.00")
    paid = await charger.invoice(invoice["id"])
    assert (paid["status"], paid["amountDue"]) == ("paid", "0.00")
    (payment,) = await charger.ok("GET", f"/v1/invoices/{invoice['id']}/payments")
    assert (payment["id"], payment["reference"]) == (charge["paymentId"], charge["reference"])
    assert booked(await charger.entry(payment["journalEntryId"])) == [
        (CLEARING, Decimal(1250), Decimal(1250), "ENTERED"),
        (RECEIVABLE, Decimal(-1250), Decimal(-1250), "CONTROL"),
    ]
    (event,) = await charger.events("payment.succeeded")
    assert event == charge
    assert await charger.ok("GET", f"/v1/invoices/{invoice['id']}/charges") == [charge]
    # Whoever has the job once more asks nobody.
    assert await charger.carry_out(asked) == charge
    assert charger.provider.calls == {"charge": 1}
    await check_books(charger)


async def test_two_at_once_are_one_charge(charger: Charger) -> None:
    """Two tabs, a retry and the nightly run (C8)."""
    invoice = await charger.due()
    answers = await asyncio.gather(*(charger.charge(invoice) for _ in range(4)))
    assert len({one["id"] for one in answers}) == 1
    runs = await asyncio.gather(*(charger.carry_out(one) for one in answers))
    assert {one["status"] for one in runs} <= {"pending", "succeeded"}
    assert (await charger.carry_out(answers[0]))["status"] == "succeeded"
    assert charger.provider.calls["charge"] == 1
    await charger.refused("POST", f"/v1/invoices/{invoice['id']}/charges", {}, 409, "INVOICE_INVALID_STATE")
    await check_books(charger)


@pytest.mark.parametrize("lost", [Behavior.LOSES_ANSWER, Behavior.LOSES_REQUEST])
async def test_a_lost_answer_is_asked_for(charger: Charger, lost: Behavior) -> None:
    charger.provider.next = [lost]
    charge = await charger.carry_out(await charger.charge(await charger.due()))
    assert (charge["status"], charge["finishedAt"]) == ("unclear", None)
    charger.provider.is_silent = True
    assert (await charger.carry_out(charge))["status"] == "unclear"
    charger.provider.is_silent = False
    looked = await charger.carry_out(charge)
    assert looked["status"] == ("succeeded" if lost is Behavior.LOSES_ANSWER else "unclear")
    charger.api.clock.now += timedelta(minutes=5)
    assert (await charger.carry_out(charge))["status"] == "succeeded"
    assert charger.provider.calls["charge"] == (1 if lost is Behavior.LOSES_ANSWER else 2)
    await check_books(charger)


async def test_a_worker_that_dies_between_question_and_answer_charges_once(charger: Charger) -> None:
    """Nobody knows whether the provider was asked: who looks within a minute waits, then it is asked what it knows, and
    to charge once nothing can be under way any more."""
    charge = await charger.charge(await charger.due())
    await charger.api.run(lambda context: actions.ask(context, charge["id"]))
    charger.provider.next = [Behavior.ANSWERS]
    question = await charger.value("SELECT reference FROM charges WHERE company_id = $1", charger.api.company_id)
    assert (await charger.carry_out(charge))["status"] == "pending"
    assert not charger.provider.calls
    charger.api.clock.now += timedelta(minutes=2)
    assert question == charge["reference"]
    assert (await charger.carry_out(charge))["status"] == "unclear"
    assert charger.provider.calls == {"find_charge": 1}
    charger.api.clock.now += timedelta(minutes=3)
    assert (await charger.carry_out(charge))["status"] == "succeeded"
    assert charger.provider.calls == {"find_charge": 2, "charge": 1}
    await check_books(charger)


async def test_soft_declines_are_tried_again_and_hard_ones_are_not(charger: Charger) -> None:
    invoice, other = await charger.due(), await charger.due("400")
    charger.provider.next = [Behavior.DECLINES]
    failed = await charger.carry_out(await charger.charge(invoice))
    assert (failed["status"], failed["declineCode"], failed["isSoftDecline"]) == ("failed", "insufficient_funds", True)
    assert failed["retryOn"] == "2026-03-17"
    charger.provider.next = [Behavior.DECLINES_FOR_GOOD]
    assert (await charger.carry_out(await charger.charge(other)))["retryOn"] is None
    assert await charger.api.run(actions.retry_due) == []
    charger.api.clock.now += timedelta(days=1)
    (again,) = await charger.api.run(actions.retry_due)
    assert await charger.api.run(actions.retry_due) == []
    charge = await charger.carry_out({"id": str(again.id)})
    assert (charge["status"], charge["attempt"], charge["invoiceId"]) == ("succeeded", 2, invoice["id"])
    assert len(await charger.events("payment.failed")) == 2
    await check_books(charger)


async def test_what_is_paid_meanwhile_is_not_charged_again(charger: Charger) -> None:
    invoice = await charger.due()
    charger.provider.next = [Behavior.DECLINES]
    await charger.carry_out(await charger.charge(invoice))
    await charger.ok("POST", f"/v1/invoices/{invoice['id']}/payments", {"date": "2026-03-16", "amount": "1250"})
    charger.api.clock.now += timedelta(days=1)
    assert await charger.api.run(actions.retry_due) == []
    assert [one["retryOn"] for one in await charger.ok("GET", f"/v1/invoices/{invoice['id']}/charges")] == [None]


async def test_one_that_was_not_made_yet_is_not_made_when_nothing_is_due(charger: Charger) -> None:
    invoice = await charger.due()
    charge = await charger.charge(invoice)
    await charger.ok("POST", f"/v1/invoices/{invoice['id']}/payments", {"date": "2026-03-16", "amount": "1"})
    charge = await charger.carry_out(charge)
    assert (charge["status"], charge["declineCode"], charge["isSoftDecline"]) == ("failed", "nothing_due", False)
    assert not charger.provider.charges
    assert (await charger.carry_out(await charger.charge(invoice)))["amount"] == "1249.00"
    await check_books(charger)


async def test_what_comes_in_too_much_is_booked_and_named(charger: Charger) -> None:
    """The bank transfer comes while the provider charges: 250.00 of 1,250.00 are due by then."""
    invoice = await charger.due()
    charger.provider.next = [Behavior.LOSES_ANSWER]
    charge = await charger.carry_out(await charger.charge(invoice))
    await charger.ok("POST", f"/v1/invoices/{invoice['id']}/payments", {"date": "2026-03-16", "amount": "1000"})
    charge = await charger.carry_out(charge)
    assert (charge["status"], charge["unappliedAmount"]) == ("succeeded", "1000.00")
    assert booked(await charger.entry(charge["unappliedEntryId"])) == [
        (CLEARING, Decimal(1000), Decimal(1000), "ENTERED"),
        (UNIDENTIFIED, Decimal(-1000), Decimal(-1000), "ENTERED"),
    ]
    assert (await charger.invoice(invoice["id"]))["status"] == "paid"
    await check_books(charger)


async def test_what_a_card_was_charged_is_not_taken_back_by_hand(charger: Charger) -> None:
    charge = await charger.carry_out(await charger.charge(await charger.due()))
    path = f"/v1/payments/{charge['paymentId']}/reverse"
    assert await charger.refused("POST", path, {}, 409, "PAYMENT_IS_CHARGE") == {"chargeId": charge["id"]}
    await check_books(charger)


async def test_one_that_its_owner_has_to_confirm(charger: Charger) -> None:
    for end in (ChargeStatus.SUCCEEDED, ChargeStatus.FAILED):
        charger.provider.next = [Behavior.WANTS_CONFIRMATION]
        charge = await charger.carry_out(await charger.charge(await charger.due()))
        assert (charge["status"], charge["actionUrl"]) == ("requires_action", "https://bank.example/3ds")
        assert (await charger.carry_out(charge))["status"] == "requires_action"
        charger.provider.decide(charge["reference"], end)
        charge = await charger.carry_out(charge)
        assert (charge["status"], charge["actionUrl"]) == (end.value, None)
    assert len(await charger.events("payment.requires_action")) == 2
    await check_books(charger)


async def unconfirmed(charger: Charger, amount: str = "1000") -> dict[str, Any]:
    charger.provider.next = [Behavior.WANTS_CONFIRMATION]
    charge = await charger.carry_out(await charger.charge(await charger.due(amount)))
    assert (charge["status"], charge["confirmBy"]) == ("requires_action", "2026-03-23")
    return charge


async def test_one_that_nobody_confirms_is_cancelled_and_another_card_charged(charger: Charger) -> None:
    charge = await unconfirmed(charger)
    path, cancel = f"/v1/invoices/{charge['invoiceId']}/charges", f"/v1/charges/{charge['id']}/cancel"
    other = await charger.card(charge["customerId"], is_default=False)
    under_way = {"chargeId": charge["id"], "status": "requires_action", "paymentMethodId": charge["paymentMethodId"]}
    body = {"paymentMethodId": other}
    assert await charger.refused("POST", path, body, 409, "CHARGE_OF_ANOTHER_CARD") == under_way
    for same in ({}, {"paymentMethodId": charge["paymentMethodId"]}):
        assert (await charger.ok("POST", path, same, status=202))["id"] == charge["id"]
    asked = await charger.ok("POST", cancel, status=202)
    assert (asked["status"], asked["actionUrl"], asked["cancelAskedAt"] is None) == ("requires_action", None, False)
    assert await charger.ok("POST", cancel, status=202) == asked
    # The provider refuses, or its answer is lost: it is asked again, and what it says of the charge is what counts.
    charger.provider.next = [Behavior.REFUSES, Behavior.LOSES_REQUEST, Behavior.LOSES_ANSWER]
    assert [(await charger.carry_out(charge))["status"] for _ in range(3)] == ["requires_action"] * 2 + ["failed"]
    ended = await charger.charged(charge["id"])
    assert (ended["declineCode"], ended["isSoftDecline"], ended["retryOn"]) == ("cancelled", False, None)
    assert await charger.ok("POST", cancel, status=202) == ended
    assert len(await charger.events("payment.failed")) == 1
    paid = await charger.carry_out(await charger.ok("POST", path, body, status=202))
    assert (paid["status"], paid["paymentMethodId"]) == ("succeeded", other)
    details = await charger.refused("POST", f"/v1/charges/{paid['id']}/cancel", {}, 409, "CHARGE_INVALID_STATE")
    assert details == {"status": "succeeded"}
    await check_books(charger)


async def test_one_that_is_confirmed_while_it_is_cancelled_has_succeeded(charger: Charger) -> None:
    charge = await unconfirmed(charger)
    charger.provider.decide(charge["reference"], ChargeStatus.SUCCEEDED)
    await charger.ok("POST", f"/v1/charges/{charge['id']}/cancel", status=202)
    assert (await charger.carry_out(charge))["status"] == "succeeded"
    assert charger.provider.calls["cancel_charge"] == 1
    await charger.refused("POST", f"/v1/charges/{charge['id']}/cancel", {}, 409, "CHARGE_INVALID_STATE")
    # What was not asked for yet ends at once.
    begun = await charger.charge(await charger.due())
    ended = await charger.ok("POST", f"/v1/charges/{begun['id']}/cancel", status=202)
    assert (ended["status"], ended["declineCode"]) == ("failed", "cancelled")
    assert await charger.carry_out(begun) == ended
    assert charger.provider.calls["charge"] == 1
    await check_books(charger)


async def test_one_that_is_not_to_be_confirmed_any_more_is_cancelled_by_itself(charger: Charger) -> None:
    paid, given_up, cardless, late, partly = [await unconfirmed(charger) for _ in range(5)]
    before = len(await jobs_of(charger))
    body = {"date": "2026-03-16", "amount": "1250"}
    await charger.ok("POST", f"/v1/invoices/{paid['invoiceId']}/payments", body)
    await charger.ok("POST", f"/v1/invoices/{given_up['invoiceId']}/write-off", {})
    card = f"/v1/customers/{cardless['customerId']}/payment-methods/{cardless['paymentMethodId']}"
    await charger.ok_empty("DELETE", card)
    assert len(await jobs_of(charger)) == before + 3
    body = {"date": "2026-03-16", "amount": "250"}
    await charger.ok("POST", f"/v1/invoices/{partly['invoiceId']}/payments", body)
    assert len(await jobs_of(charger)) == before + 3
    for charge, code in ((paid, "nothing_due"), (given_up, "nothing_due"), (cardless, "card_unavailable")):
        ended = await charger.carry_out(charge)
        assert (ended["status"], ended["declineCode"], ended["retryOn"]) == ("failed", code, None)
    for days, status in ((6, "requires_action"), (1, "failed")):
        charger.api.clock.now += timedelta(days=days)
        assert (await charger.carry_out(late))["status"] == status
    assert (await charger.charged(late["id"]))["declineCode"] == "not_confirmed"
    await daily.charge_day(await today_of(charger.api))
    assert (await charger.carry_out(partly))["declineCode"] == "not_confirmed"
    assert charger.provider.taken == {}
    await check_books(charger)


async def test_an_answer_of_another_amount_stays_unclear(charger: Charger) -> None:
    charger.provider.next = [Behavior.MISUNDERSTANDS]
    charge = await charger.carry_out(await charger.charge(await charger.due()))
    assert charge["status"] == "unclear"
    assert await charger.balance(CLEARING) == 0
    assert (await charger.carry_out(charge))["status"] == "succeeded"  # asked again, it says what it was asked for
    await check_books(charger)


async def test_what_a_provider_refuses_has_failed(charger: Charger) -> None:
    charger.provider.next = [Behavior.REFUSES]
    charge = await charger.carry_out(await charger.charge(await charger.due()))
    assert (charge["status"], charge["declineCode"], charge["declineMessage"]) == (
        "failed", "provider_refused", "No such customer",
    )  # fmt: skip


async def test_what_can_not_be_booked_is_not_charged(charger: Charger) -> None:
    """In a locked period nobody is asked; what was charged as it was closed is booked as soon as it can be."""
    invoice = await charger.due()
    shut, reopened = {"lockedThrough": "2026-03-31"}, {"lockedThrough": "2026-02-28", "reopen": True}
    await charger.ok("PUT", "/v1/ledger/lock-date", shut, status=200)
    path = f"/v1/invoices/{invoice['id']}/charges"
    locked = await charger.refused("POST", path, {}, 409, "PERIOD_LOCKED")
    assert locked == {"date": "2026-03-16", **shut}
    await charger.ok("PUT", "/v1/ledger/lock-date", reopened, status=200)
    charge = await charger.charge(invoice)
    await charger.ok("PUT", "/v1/ledger/lock-date", shut, status=200)
    charge = await charger.carry_out(charge)
    assert (charge["status"], charger.provider.calls["charge"]) == ("pending", 0)
    await charger.ok("PUT", "/v1/ledger/lock-date", reopened, status=200)
    charger.provider.next = [Behavior.LOSES_ANSWER]
    assert (await charger.carry_out(charge))["status"] == "unclear"
    await charger.ok("PUT", "/v1/ledger/lock-date", shut, status=200)
    assert (await charger.carry_out(charge))["status"] == "unclear"
    await charger.ok("PUT", "/v1/ledger/lock-date", reopened, status=200)
    assert (await charger.carry_out(charge))["status"] == "succeeded"
    # One that the provider never heard of is not asked for again either.
    charger.provider.next = [Behavior.LOSES_REQUEST]
    charge = await charger.carry_out(await charger.charge(await charger.due()))
    charger.api.clock.now += timedelta(minutes=6)
    await charger.ok("PUT", "/v1/ledger/lock-date", shut, status=200)
    assert (await charger.carry_out(charge))["status"] == "unclear"
    await charger.ok("PUT", "/v1/ledger/lock-date", reopened, status=200)
    asked = charger.provider.calls["charge"]
    assert (await charger.carry_out(charge))["status"] == "succeeded"
    assert charger.provider.calls["charge"] == asked + 1
    # A decline whose next charge comes on a locked day is charged on the day after.
    charger.provider.next = [Behavior.DECLINES]
    charge = await charger.carry_out(await charger.charge(await charger.due()))
    charger.api.clock.now += timedelta(days=1)
    await charger.ok("PUT", "/v1/ledger/lock-date", shut, status=200)
    await daily.charge_day(await today_of(charger.api))
    assert (await charger.charged(charge["id"]))["retryOn"] == "2026-03-18"
    await charger.ok("PUT", "/v1/ledger/lock-date", reopened, status=200)
    # Without a rate of the day, nothing is charged in a foreign currency.
    body = {"currency": "AED", "date": "2026-03-16", "rate": "1.87"}
    await charger.ok("PUT", "/v1/exchange-rates", body)
    sold = await charger.sold(line(await charger.price("1000", currency="AED")), currency="AED")
    await charger.card(sold["customerId"])
    charger.api.clock.now += timedelta(days=1)
    missing = await charger.refused("POST", f"/v1/invoices/{sold['id']}/charges", {}, 400, "EXCHANGE_RATE_MISSING")
    assert missing == {"currency": "AED", "baseCurrency": "DKK", "date": "2026-03-18"}
    await check_books(charger)
    await charger.ok("PUT", "/v1/exchange-rates", {**body, "date": "2026-03-18"})
    assert (await charger.carry_out(await charger.charge(sold)))["status"] == "succeeded"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": "1249.99"}, 400, "CHARGE_AMOUNT_INVALID"),
        ({"amount": "1275.00"}, 400, "CHARGE_AMOUNT_INVALID"),
        ({"currency": "EUR"}, 400, "CHARGE_CURRENCY_MISMATCH"),
        ({"paymentMethodId": "01890000-0000-7000-8000-000000000000"}, 404, "PAYMENT_METHOD_NOT_FOUND"),
    ],
)
async def test_what_can_not_be_charged(charger: Charger, body: dict[str, Any], status: int, code: str) -> None:
    invoice = await charger.due()
    await charger.refused("POST", f"/v1/invoices/{invoice['id']}/charges", body, status, code)
    assert await charger.ok("GET", f"/v1/invoices/{invoice['id']}/charges") == []


async def test_only_cards_of_the_customer_that_can_be_charged(charger: Charger) -> None:
    invoice, other = await charger.due(), await charger.due()
    ended = await charger.card(invoice["customerId"], is_default=False, status="CANCELLED")
    (method,) = [one["paymentMethodId"] for one in [await charger.charge(other)]]
    path = f"/v1/invoices/{invoice['id']}/charges"
    await charger.refused("POST", path, {"paymentMethodId": method}, 400, "SHARED_VALIDATION_FAILED")
    await charger.refused("POST", path, {"paymentMethodId": ended}, 409, "PAYMENT_METHOD_INACTIVE")
    await charger.ok("PUT", "/v1/payment-providers/stripe", {"isEnabled": False}, status=200)
    await charger.refused("POST", path, {}, 409, "PAYMENT_METHOD_INACTIVE")


async def call_back(
    charger: Charger,
    event: str,
    kind: str,
    about: str,
    reference: str = "",
    *,
    key: str = SIGNING_KEY,
    path: str = "",
    more: str = "",
) -> int:
    """The status of the answer to a webhook of Stripe's."""
    url = path or (await charger.ok("GET", "/v1/payment-providers/stripe"))["callbackUrl"]
    told = {"id": about, "metadata": {"reference": reference, "more": more}}
    body = json.dumps({"id": event, "type": kind, "data": {"object": told}})
    now = int(time.time())
    signature = hmac.new(key.encode(), f"{now}.{body}".encode(), "sha256").hexdigest()
    headers = {"stripe-signature": f"t={now},v1={signature}"}
    answer = await charger.api.http.post(url, content=body, headers=headers)
    assert not answer.content
    return answer.status_code


async def jobs_of(charger: Charger) -> list[str]:
    """The jobs of the company that wait, by name."""
    found = await charger.value(
        "SELECT array_agg(entrypoint ORDER BY id) FROM pgqueuer WHERE convert_from(payload, 'UTF8') LIKE $1",
        f"%{charger.api.company_id}%",
    )
    return list(found or ())


async def test_a_callback_is_taken_once_and_has_somebody_look(charger: Charger) -> None:
    charge = await charger.charge(await charger.due())
    url = (await charger.ok("GET", "/v1/payment-providers/stripe"))["callbackUrl"]
    before = await jobs_of(charger)
    event = ("evt_1", "payment_intent.succeeded", "pi_1", charge["reference"])
    assert await call_back(charger, *event, key="whsec_other") == 400
    assert await call_back(charger, *event, path=f"{url}x") == 404
    assert await call_back(charger, *event, path=url.replace("/stripe/", "/paypal/")) == 404
    assert await call_back(charger, *event, path=url.replace("/stripe/", "/quickpay/")) == 404
    for garbage in ("evt_\0", "evt_\ud800"):
        assert await call_back(charger, garbage, "payment_intent.succeeded", "pi_1") == 400
        assert await call_back(charger, "evt_0", garbage, "pi_1") == 400
    assert await call_back(charger, "evt_0", "payment_intent.succeeded", "pi_1", more="x" * 1024 * 1024) == 413
    assert await jobs_of(charger) == before
    # Texts about a charge, as the evidence of its dispute, may be long.
    calls = (call_back(charger, *event, more="x" * 200_000) for _ in range(3))
    assert await asyncio.gather(*calls) == [204] * 3
    assert await jobs_of(charger) == [*before, "charge_card"]
    assert await call_back(charger, "evt_2", "payment_intent.succeeded", "pi_2", "NOBODYS") == 204
    assert await call_back(charger, "evt_3", "payout.paid", "po_1") == 204
    assert await jobs_of(charger) == [*before, "charge_card", "read_payouts"]
    assert await call_back(charger, "evt_4", "charge.dispute.created", "dp_1") == 204
    assert await jobs_of(charger) == [*before, "charge_card", "read_payouts", "look_at_dispute"]


async def test_a_dispute_is_told_with_its_charge(charger: Charger) -> None:
    charge = await charger.carry_out(await charger.charge(await charger.due()))
    for dispute_id, charge_id in (("dp_1", charge["providerId"]), ("dp_2", "ch_of_somebody_else")):
        charger.provider.disputes[dispute_id] = ProviderDispute(
            provider_id=dispute_id,
            charge_id=charge_id,
            status=DisputeStatus.OPEN,
            amount=Decimal(1250),
            currency="DKK",
            reason="fraudulent",
        )
    for dispute_id in ("dp_1", "dp_2", "dp_3"):
        job = job_of(charger.api, provider="stripe", disputeId=dispute_id)
        await look_at_dispute({ProviderName.STRIPE: charger.provider}, job)
    (told,) = await charger.events("payment.disputed")
    (dispute,) = (await charger.ok("GET", "/v1/disputes"))["data"]
    assert told["dispute"] == dispute
    assert (dispute["providerId"], dispute["status"], dispute["reason"]) == ("dp_1", "open", "fraudulent")
    assert (told["id"], told["invoiceId"]) == (charge["id"], charge["invoiceId"])
    await check_books(charger)


async def test_one_that_nobody_has_asked_for_lately_is_looked_at_daily(charger: Charger) -> None:
    charger.provider.next = [Behavior.LOSES_ANSWER]
    charge = await charger.carry_out(await charger.charge(await charger.due()))
    before = await jobs_of(charger)
    today = await today_of(charger.api)
    assert not await charger.api.run(lambda context: daily.is_due(context, today.day))
    await daily.charge_day(today)
    assert await jobs_of(charger) == before
    charger.api.clock.now += timedelta(days=2)
    today = await today_of(charger.api)
    assert await charger.api.run(lambda context: daily.is_due(context, today.day))
    await daily.charge_day(today)
    assert await jobs_of(charger) == [*before, "charge_card"]
    assert (await charger.carry_out(charge))["status"] == "succeeded"
    assert not await charger.api.run(lambda context: daily.is_due(context, today.day))
