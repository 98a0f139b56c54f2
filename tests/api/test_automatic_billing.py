"""Subscriptions whose invoices are charged to a saved card as they are made."""

from decimal import Decimal
from typing import Any

import pytest
from tests.api.catalog_steps import problems
from tests.billing import Biller
from tests.cards import Cards
from tests.conftest import Api
from tests.days import job_of

from ledgerbee.ledger.verify import verify
from ledgerbee.payments.charges.actions import retry_due
from ledgerbee.payments.charges.jobs import charge_card
from ledgerbee.payments.providers.model import ProviderName

CLEARING = 6331


@pytest.fixture
async def biller(api: Api) -> Biller:
    return Biller(api)


@pytest.fixture
async def cards(api: Api) -> Cards:
    cards = Cards(api)
    await cards.enable()
    return cards


async def subscribed(biller: Biller, cards: Cards, **fields: Any) -> tuple[str, str]:
    """A subscription of 100.00 a month that a saved card pays; it and the card."""
    customer = await biller.customer()
    card = await cards.save(customer)
    plan = await biller.plan(await biller.recurring())
    body = {"paymentMethodId": card["id"], "automaticBilling": True, **fields}
    return await biller.subscribe(plan, "2026-03-01", customer, **body), card["id"]


async def charges_of(biller: Biller, invoice: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await biller.ok("GET", f"/v1/invoices/{invoice['id']}/charges")
    return found


async def test_what_is_billed_is_charged(biller: Biller, cards: Cards) -> None:
    subscription, card = await subscribed(biller, cards)
    await biller.preview(subscription)
    await biller.bill(dryRun=True)
    assert await biller.count("charges") == 0
    await biller.bill()
    (invoice,) = await biller.invoices()
    (charge,) = await charges_of(biller, invoice)
    assert (charge["status"], charge["amount"], charge["paymentMethodId"]) == ("pending", invoice["amount"], card)
    await charge_card({ProviderName.SANDBOX: cards.provider}, job_of(biller.api, chargeId=charge["id"]))
    assert (await biller.invoice(invoice["id"]))["status"] == "paid"
    assert await biller.balance(CLEARING) == Decimal(invoice["amount"])
    assert (await biller.api.run(verify, one_snapshot=True)).fault is None


async def test_a_subscription_that_is_not_billed_automatically_is_not_charged(biller: Biller, cards: Cards) -> None:
    await subscribed(biller, cards, automaticBilling=False)
    await biller.bill()
    assert await biller.count("charges") == 0


async def test_a_card_whose_provider_is_switched_off_is_told(biller: Biller, cards: Cards) -> None:
    subscription, _ = await subscribed(biller, cards)
    await biller.ok("PUT", "/v1/payment-providers/sandbox", {"isEnabled": False}, 200)
    await biller.bill()
    (invoice,) = await biller.invoices()
    assert await charges_of(biller, invoice) == []
    (error,) = [one for one in await biller.events("subscription.error") if one["errorType"] == "charge_failed"]
    told = (error["subscriptionId"], error["errorType"], error["code"], error["invoiceId"])
    assert told == (subscription, "charge_failed", "PAYMENT_METHOD_INACTIVE", invoice["id"])


async def errors_of(biller: Biller) -> list[tuple[str, str]]:
    told = await biller.events("subscription.error")
    return [(one["subscriptionId"], one["code"]) for one in told if one["errorType"] == "charge_failed"]


async def test_without_a_card_nothing_is_charged_and_that_is_told(biller: Biller, cards: Cards) -> None:
    """One that has none, and one whose card is taken away before a declined charge is tried again."""
    customer = await biller.customer()
    plan = await biller.plan(await biller.recurring())
    without = await biller.subscribe(plan, "2026-03-16", customer, automaticBilling=True)
    card = (await cards.save(customer, "4000000000009995"))["id"]
    other = await biller.subscribe(plan, "2026-03-16", customer, automaticBilling=True, paymentMethodId=card)
    await biller.bill()
    (charge,) = [charge for invoice in await biller.invoices() for charge in await charges_of(biller, invoice)]
    await charge_card(cards.providers, job_of(biller.api, chargeId=charge["id"]))
    assert await errors_of(biller) == [(without, "PAYMENT_METHOD_MISSING")]
    await biller.api.request("DELETE", f"/v1/customers/{customer}/payment-methods/{card}")
    biller.on("2026-03-17")
    assert await biller.api.run(retry_due) == []
    assert set(await errors_of(biller)) == {(without, "PAYMENT_METHOD_MISSING"), (other, "insufficient_funds")}


async def test_a_parents_invoice_is_charged_where_all_on_it_is_paid_by_one_card(biller: Biller, cards: Cards) -> None:
    """Else whoever's card it is would pay for what was to be paid otherwise."""
    plan = await biller.plan(await biller.recurring())

    async def billed(*ways: str | None) -> tuple[list[dict[str, Any]], list[str]]:
        """The charges of the invoice of a parent whose children are paid so, and the codes that were told."""
        parent = await biller.customer(invoicingMode="single_invoice")
        saved = {way: (await cards.save(parent))["id"] for way in dict.fromkeys(filter(None, ways))}
        before = len(await errors_of(biller))
        for way in ways:
            child = await biller.customer(parentCustomerId=parent, billingRelationship="parent_pays")
            card = {"automaticBilling": True, "paymentMethodId": saved[way]} if way else {}
            await biller.subscribe(plan, "2026-03-16", child, **card)
        await biller.bill()
        (invoice,) = [one for one in await biller.invoices() if one["customerId"] == parent]
        assert invoice["amount"] == f"{125 * len(ways):.2f}"
        return await charges_of(biller, invoice), [code for _, code in (await errors_of(biller))[before:]]

    (charge,), told = await billed("one", "one")
    assert (charge["amount"], told) == ("250.00", [])
    assert await billed("one", None) == ([], ["PAYMENT_METHOD_AMBIGUOUS"])
    assert await billed("one", "other", "other") == ([], ["PAYMENT_METHOD_AMBIGUOUS"] * 3)
    assert await billed(None, None) == ([], [])


async def test_nothing_is_charged_to_a_card_that_is_not_the_payers(biller: Biller, cards: Cards) -> None:
    """Such a card is refused, and where somebody else has come to pay for a subscription that is told."""
    await biller.ok("PATCH", "/v1/company", {"afterLastDecline": "pause"}, 200)
    plan = await biller.plan(await biller.recurring())
    parent = await biller.customer()
    child = await biller.customer(parentCustomerId=parent, billingRelationship="parent_pays")
    own, payers = (await cards.save(child))["id"], (await cards.save(parent))["id"]
    body = {"customerId": child, "planId": plan, "startDate": "2026-03-16", "automaticBilling": True}
    assert set(problems(await biller.api.post("/v1/subscriptions", {**body, "paymentMethodId": own}))) == {
        "paymentMethodId"
    }
    assert await biller.count("subscriptions") == 0
    leaves = await biller.subscribe(plan, "2026-03-16", child, automaticBilling=True, paymentMethodId=payers)
    path = f"/v1/subscriptions/{leaves}"
    assert set(problems(await biller.api.patch(path, {"paymentMethodId": own}))) == {"paymentMethodId"}
    assert (await biller.ok("PATCH", path, {"name": "Nord"}, 200))["paymentMethodId"] == payers
    alone = await biller.customer()
    card = (await cards.save(alone))["id"]
    joins = await biller.subscribe(plan, "2026-03-16", alone, automaticBilling=True, paymentMethodId=card)
    await biller.ok("PATCH", f"/v1/customers/{child}", {"billingRelationship": "self"}, 200)
    joining = {"billingRelationship": "parent_pays", "parentCustomerId": parent}
    await biller.ok("PATCH", f"/v1/customers/{alone}", joining, 200)
    await biller.bill()
    assert sorted(await errors_of(biller)) == sorted((one, "PAYMENT_METHOD_MISSING") for one in (leaves, joins))
    assert {(one["customerId"], one["amountDue"]) for one in await biller.invoices()} == {
        (child, "125.00"), (parent, "125.00")
    }  # fmt: skip
    assert await biller.count("charges") == 0
    jobs = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'follow_decline' AND convert_from(payload, 'UTF8') LIKE $1"
    assert await biller.value(jobs, f"%{biller.api.company_id}%") == 2
    assert (await biller.ok("PATCH", path, {"paymentMethodId": own}, 200))["paymentMethodId"] == own


async def test_what_can_not_be_paid_for_first_is_refused(biller: Biller, cards: Cards) -> None:
    parent = await biller.customer(invoicingMode="single_invoice")
    child = await biller.customer(parentCustomerId=parent, billingRelationship="parent_pays")
    plan = await biller.plan(await biller.recurring())
    with_trial = await biller.plan(await biller.recurring(), trialDays=14)
    own, payers = (await cards.save(child))["id"], (await cards.save(parent))["id"]
    body = {
        "customerId": child, "planId": plan, "startDate": "2026-03-16", "paymentBehavior": "pay_first",
        "automaticBilling": True, "paymentMethodId": payers,
    }  # fmt: skip
    wrong = {"startDate": "2026-03-15", "automaticBilling": False, "billingDirection": "arrears", "trialDays": 1}
    answer = await biller.api.post("/v1/subscriptions", {**body, **wrong, "paymentMethodId": None})
    assert set(problems(answer)) == {*wrong, "paymentMethodId"}
    for other, place in (({"planId": with_trial}, "trialDays"), ({"paymentMethodId": own}, "paymentMethodId")):
        assert set(problems(await biller.api.post("/v1/subscriptions", {**body, **other}))) == {place}
    await biller.ok("PUT", "/v1/payment-providers/sandbox", {"isEnabled": False}, 200)
    await biller.refused("POST", "/v1/subscriptions", body, 409, "PAYMENT_METHOD_INACTIVE")
    answer = await biller.api.patch("/v1/company", {"afterLastDecline": "charge"})
    assert set(problems(answer)) == {"afterLastDecline"}
    assert await biller.count("subscriptions") == 0
    await biller.ok("PUT", "/v1/payment-providers/sandbox", {"isEnabled": True}, 200)
    assert (await biller.ok("POST", "/v1/subscriptions", body))["status"] == "awaiting_payment"
