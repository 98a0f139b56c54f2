"""Events of the sandbox provider that somebody asks for: what is late, repeated or wrong changes nothing."""

from contextlib import suppress
from typing import Any

import pytest
from tests.cards import Cards
from tests.conftest import Api
from tests.days import job_of
from tests.selling import line

from ledgerbee.app.settling import SETTLED
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.callbacks.jobs import deliver
from ledgerbee.payments.charges.jobs import charge_card
from ledgerbee.payments.disputes.jobs import look_at_dispute
from ledgerbee.payments.refunds.jobs import refund_charge

EVENTS = "/v1/payment-providers/sandbox/events"


@pytest.fixture
async def cards(api: Api) -> Cards:
    cards = Cards(api)
    await cards.enable()
    return cards


async def due(cards: Cards, number: str = "4242424242424242") -> dict[str, Any]:
    """A charge that the provider has not been asked for yet."""
    invoice = await cards.shop.sold(line(await cards.shop.price("1000")))
    await cards.save(invoice["customerId"], number)
    charge: dict[str, Any] = await cards.shop.ok("POST", f"/v1/invoices/{invoice['id']}/charges", {}, 202)
    return charge


async def carried_out(cards: Cards, charge: dict[str, Any]) -> dict[str, Any]:
    with suppress(LedgerBeeError):
        await charge_card(cards.providers, job_of(cards.api, chargeId=charge["id"]))
    found: dict[str, Any] = await cards.shop.ok("GET", f"/v1/charges/{charge['id']}")
    return found


async def send(cards: Cards, **body: Any) -> dict[str, Any]:
    """Send an event, and have it come in."""
    sent: dict[str, Any] = await cards.shop.ok("POST", EVENTS, body, 202)
    await deliver(job_of(cards.api, eventIds=[sent["id"]]))
    return sent


async def listed(cards: Cards, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await cards.shop.ok("GET", f"{EVENTS}{query}"))["data"]
    return found


async def test_late_and_repeated_events_of_a_charge_change_nothing(cards: Cards) -> None:
    charge = await carried_out(cards, await due(cards))
    (first,) = await listed(cards)
    assert (first["type"], first["objectId"], first["receivedAt"]) == ("charge.succeeded", charge["providerId"], None)
    cards.api.clock.advance(minutes=1)
    assert (await send(cards, eventId=first["id"]))["id"] == first["id"]
    (came,) = await listed(cards)
    cards.api.clock.advance(minutes=1)
    assert await send(cards, eventId=first["id"]) == came
    assert await listed(cards) == [came]
    assert came["receivedAt"] is not None
    late = await send(cards, type="charge.failed", chargeId=charge["id"])
    assert (late["subject"], late["reference"]) == ("charge", charge["reference"])
    await send(cards, type="charge.succeeded", chargeId=charge["id"])
    assert [one["type"] for one in await listed(cards)] == ["charge.succeeded", "charge.failed", "charge.succeeded"]
    assert [one["id"] for one in await listed(cards, "?page=2&limit=1")] == [late["id"]]
    assert await carried_out(cards, charge) == charge
    (told,) = await cards.shop.events("payment.succeeded")
    assert told == charge
    assert len(await cards.shop.events("payment_provider.event_sent")) == 4


async def test_disputes_begin_and_end_by_events(cards: Cards) -> None:
    charge = await carried_out(cards, await due(cards))
    refused = {"type": "dispute.lost", "chargeId": charge["id"]}
    details = await cards.shop.refused("POST", EVENTS, refused, 409, "SANDBOX_EVENT_INVALID_STATE")
    assert details == {"status": "succeeded"}
    for type_, status in (("dispute.opened", "open"), ("dispute.lost", "lost"), ("dispute.opened", "lost")):
        await send(cards, type=type_, chargeId=charge["id"])
        await look_at_dispute(cards.providers, job_of(cards.api, provider="sandbox", disputeId=charge["providerId"]))
        (dispute,) = (await cards.shop.ok("GET", "/v1/disputes"))["data"]
        assert (dispute["status"], dispute["chargeId"]) == (status, charge["id"])
    assert len(await cards.shop.events("payment.disputed")) == 2


async def test_the_clock_waits_for_a_dispute_of_what_is_charged(cards: Cards) -> None:
    """From the charge to its dispute one job asks for the next, and a sandbox's next day begins after them."""
    charge = await carried_out(cards, await due(cards, "4000000000000259"))
    (event_id,) = [one["id"] for one in await listed(cards) if one["type"] == "dispute.opened"]
    assert "deliver_sandbox_event" in await waiting(cards)
    await deliver(job_of(cards.api, eventIds=[event_id]))
    assert "look_at_dispute" in await waiting(cards)
    assert charge["status"] == "succeeded"


async def waiting(cards: Cards) -> set[str]:
    """The jobs of the company that its clock would wait for."""
    found = await cards.shop.value(
        "SELECT array_agg(entrypoint) FROM pgqueuer WHERE job_company(payload) = $1 AND entrypoint = ANY($2)",
        str(cards.api.company_id),
        list(SETTLED),
    )
    return set(found)


async def test_a_refund_that_went_back_stays_so(cards: Cards) -> None:
    charge = await carried_out(cards, await due(cards))
    refund = await cards.shop.ok("POST", f"/v1/charges/{charge['id']}/refunds", {"amount": "250.00"}, 202)
    body = {"type": "refund.failed", "refundId": refund["id"]}
    details = await cards.shop.refused("POST", EVENTS, body, 409, "SANDBOX_EVENT_INVALID_STATE")
    assert details == {"status": "pending"}
    job = job_of(cards.api, refundId=refund["id"])
    await refund_charge(cards.providers, job)
    before = await cards.shop.ok("GET", f"/v1/refunds/{refund['id']}")
    assert before["status"] == "succeeded"
    for type_ in ("refund.failed", "refund.succeeded"):
        sent = await send(cards, type=type_, refundId=refund["id"])
        assert (sent["subject"], sent["objectId"]) == ("refund", before["providerId"])
    await refund_charge(cards.providers, job)
    assert await cards.shop.ok("GET", f"/v1/refunds/{refund['id']}") == before
    await cards.shop.refused("POST", EVENTS, {**body, "refundId": charge["id"]}, 404, "REFUND_NOT_FOUND")


async def test_what_cannot_be_sent(cards: Cards, other_api: Api) -> None:
    charge = await due(cards)
    (method,) = await cards.listed(charge["customerId"])
    body = {"type": "charge.succeeded", "chargeId": charge["id"]}
    details = await cards.shop.refused("POST", EVENTS, body, 409, "SANDBOX_EVENT_INVALID_STATE")
    assert details == {"status": "pending"}
    missing = {"eventId": charge["id"]}
    details = await cards.shop.refused("POST", EVENTS, missing, 404, "SANDBOX_EVENT_NOT_FOUND")
    assert details == {"property": "eventId", "eventId": charge["id"]}
    await cards.shop.refused("POST", EVENTS, {"type": "charge.failed"}, 400, "SHARED_VALIDATION_FAILED")
    other = Cards(other_api)
    theirs = {"type": "agreement.cancelled", "paymentMethodId": method["id"]}
    await other.shop.refused("POST", EVENTS, body, 404, "PAYMENT_PROVIDER_NOT_FOUND")
    await other.enable()
    await other.shop.refused("POST", EVENTS, body, 404, "CHARGE_NOT_FOUND")
    await other.shop.refused("POST", EVENTS, theirs, 404, "PAYMENT_METHOD_NOT_FOUND")
    sent = await send(cards, **theirs)
    await other.shop.refused("POST", EVENTS, {"eventId": sent["id"]}, 404, "SANDBOX_EVENT_NOT_FOUND")
    assert await listed(other) == []
    (still,) = await cards.listed(charge["customerId"])
    assert still == method
    await cards.shop.ok("PUT", "/v1/payment-providers/sandbox", {"isEnabled": False})
    await cards.shop.refused("POST", EVENTS, theirs, 409, "PAYMENT_PROVIDER_DISABLED")
