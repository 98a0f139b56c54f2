"""Subscriptions whose invoices are charged to a saved card as they are made."""

from decimal import Decimal
from typing import Any

import pytest
from tests.billing import Biller
from tests.cards import Cards
from tests.conftest import Api
from tests.days import job_of

from ledgerbee.ledger.verify import verify
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
