"""Handing a sent invoice over: recipients, the worker's two transactions, the delivery status."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.conftest import Api
from tests.selling import Shop, line

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import actions
from ledgerbee.sales.delivery.model import (
    DELIVERY_INVALID_STATE,
    DELIVERY_NOT_FOUND,
    DELIVERY_UNDERWAY,
    ClaimedDelivery,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    Outcome,
)
from ledgerbee.sales.delivery.rules import CLAIM_LASTS
from ledgerbee.sales.kinds import KINDS


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def mailed(shop: Shop, customer: str | None = None, quantity: int = 1, **options: Any) -> dict[str, Any]:
    """An invoice sent by mail."""
    customer = customer or await shop.customer(email="post@example.com")
    draft = await shop.draft(customer, line(await shop.price(), quantity))
    return await shop.send(draft, deliveryType="Email", **options)


async def status_of(shop: Shop, invoice: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await shop.ok("GET", f"/v1/invoices/{invoice['id']}/delivery-status")
    return found


async def job_of(shop: Shop) -> dict[str, Any]:
    """The payload of the company's one delivery job."""
    async with shop.api.database.connection() as connection:
        payloads = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'deliver_document'")
    found_jobs = [json.loads(row["payload"]) for row in payloads]
    (job,) = [payload for payload in found_jobs if payload["companyId"] == str(shop.api.company_id)]
    found: dict[str, Any] = job
    return found


async def claim(shop: Shop, delivery_id: UUID) -> ClaimedDelivery | None:
    async def work(context: Context) -> ClaimedDelivery | None:
        return await actions.claim_delivery(context, KINDS, DeliveryId(delivery_id))

    found: ClaimedDelivery | None = await shop.api.run(work)
    return found


async def record(shop: Shop, delivery_id: UUID, outcome: Outcome, **fields: Any) -> Delivery:
    async def work(context: Context) -> Delivery:
        return await actions.record_delivery_attempt(
            context, KINDS, DeliveryId(delivery_id), channel="smtp", outcome=outcome, **fields
        )

    found: Delivery = await shop.api.run(work)
    return found


async def test_before_it_is_sent_nothing_is_delivered(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price()))
    assert await status_of(shop, draft) == {"status": "pending", "deliveryType": None, "recipients": [], "attempts": []}


async def test_by_hand_there_is_nothing_to_do(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price()))
    assert await status_of(shop, sent) == {
        "status": "manual",
        "deliveryType": "Manual",
        "recipients": [],
        "attempts": [],
    }


async def test_mail_waits_for_the_worker(shop: Shop) -> None:
    sent = await mailed(shop)
    assert (sent["status"], sent["number"], sent["sentAt"]) == ("scheduled", "1", None)
    assert sent["journalEntryId"], "the books don't wait"
    waiting = await status_of(shop, sent)
    (recipient,) = waiting.pop("recipients")
    assert waiting == {"status": "pending", "deliveryType": "Email", "attempts": []}
    assert recipient == {
        "id": recipient["id"], "address": "post@example.com", "status": "pending", "reason": None, "messageSize": None,
    }  # fmt: skip
    job = await job_of(shop)
    assert job["documentId"] == sent["id"]
    assert await shop.value("SELECT recipient FROM deliveries WHERE id = $1", UUID(job["deliveryId"])) == (
        "post@example.com"
    )


async def test_a_mail_is_claimed_and_delivered(shop: Shop) -> None:
    sent = await mailed(shop)
    delivery = UUID((await job_of(shop))["deliveryId"])
    claimed = await claim(shop, delivery)
    assert claimed is not None
    assert (claimed.delivery.recipient, claimed.document.number) == ("post@example.com", "1")
    assert claimed.snapshot["number"] == "1"
    assert (await shop.invoice(sent["id"]))["status"] == "sending"
    assert (await status_of(shop, sent))["status"] == "sending"
    shop.api.clock.advance(minutes=1)
    await record(shop, delivery, Outcome.DELIVERED, message="250 Ok", provider_id="4F1A2")
    delivered = await shop.invoice(sent["id"])
    assert (delivered["status"], delivered["sentAt"]) == ("sent", "2026-03-16T12:01:00.000Z")
    found = await status_of(shop, sent)
    assert [one["status"] for one in found.pop("recipients")] == ["delivered"]
    assert found == {
        "status": "delivered",
        "deliveryType": "Email",
        "attempts": [
            {
                "at": "2026-03-16T12:01:00.000Z",
                "channel": "smtp",
                "recipient": "post@example.com",
                "outcome": "delivered",
                "message": "250 Ok",
                "providerId": "4F1A2",
            }
        ],
    }
    assert await claim(shop, delivery) is None, "a job that runs twice has nothing left to do"


async def test_failures_are_tried_again_until_the_last(shop: Shop) -> None:
    sent = await mailed(shop)
    delivery = UUID((await job_of(shop))["deliveryId"])
    for is_last, status in ((False, "pending"), (True, "failed")):
        shop.api.clock.advance(minutes=1)
        assert await claim(shop, delivery) is not None
        await record(shop, delivery, Outcome.FAILED, message="451 later", is_last=is_last)
        assert (await shop.invoice(sent["id"]))["status"] == "scheduled"
        assert (await status_of(shop, sent))["status"] == status
    assert [attempt["outcome"] for attempt in (await status_of(shop, sent))["attempts"]] == ["failed", "failed"]
    assert await claim(shop, delivery) is None
    assert (await shop.invoice(sent["id"]))["journalEntryId"] == sent["journalEntryId"]


async def given_up(shop: Shop) -> dict[str, Any]:
    """An invoice whose mail failed for good."""
    sent = await mailed(shop)
    delivery = UUID((await job_of(shop))["deliveryId"])
    await claim(shop, delivery)
    await record(shop, delivery, Outcome.FAILED, is_last=True)
    return await shop.invoice(sent["id"])


async def test_what_failed_for_good_can_be_sent_again(shop: Shop) -> None:
    failed = await given_up(shop)
    shop.api.clock.advance(days=1)
    again = await shop.send(failed, deliveryType="Email", overrideEmail="right@example.com")
    assert again == failed | {"deliveryStatus": "pending"}, "number, entry and document stay"
    status = await status_of(shop, failed)
    assert (status["status"], len(status["attempts"])) == ("pending", 1)
    addresses = "SELECT string_agg(recipient, ' ' ORDER BY created_at) FROM deliveries"
    assert await shop.value(addresses) == "post@example.com right@example.com"
    await shop.refused("POST", f"/v1/invoices/{failed['id']}/send", {}, 409, "INVOICE_INVALID_STATE")


async def test_what_failed_for_good_can_be_handed_over_by_hand(shop: Shop) -> None:
    failed = await given_up(shop)
    path = f"/v1/invoices/{failed['id']}/send"
    await shop.refused("POST", path, {"overrideEanNumber": "5798009811578"}, 409, "INVOICE_INVALID_STATE")
    await shop.refused("POST", path, {"deliveryType": "Sproom"}, 409, "E_INVOICE_INCOMPLETE")
    assert (await shop.send(failed))["status"] == "sent"
    assert (await status_of(shop, failed))["status"] == "manual"
    assert await shop.value("SELECT count(*) FROM journal_entries") == 1
    assert len(await shop.events("invoice.sent")) == 1


async def test_a_dead_workers_delivery_is_claimed_again_when_its_claim_has_run_out(shop: Shop) -> None:
    await mailed(shop)
    delivery = UUID((await job_of(shop))["deliveryId"])
    first = await claim(shop, delivery)
    assert first is not None
    assert first.interrupted_at is None
    shop.api.clock.now += CLAIM_LASTS - timedelta(seconds=1)
    with pytest.raises(LedgerBeeError) as refusal:
        await claim(shop, delivery)
    assert refusal.value.error_code is DELIVERY_UNDERWAY
    shop.api.clock.advance(seconds=1)
    second = await claim(shop, delivery)
    assert second is not None
    assert second.interrupted_at == first.delivery.updated_at


async def test_what_nobody_claimed_has_no_outcome(shop: Shop) -> None:
    await mailed(shop)
    delivery = UUID((await job_of(shop))["deliveryId"])
    for delivery_id, code in ((delivery, DELIVERY_INVALID_STATE), (new_id(), DELIVERY_NOT_FOUND)):
        with pytest.raises(LedgerBeeError) as refusal:
            await record(shop, delivery_id, Outcome.DELIVERED)
        assert refusal.value.error_code is code


async def test_of_two_outcomes_of_one_claim_the_first_counts(shop: Shop) -> None:
    sent = await mailed(shop)
    delivery = UUID((await job_of(shop))["deliveryId"])
    await claim(shop, delivery)
    outcomes = await asyncio.gather(
        *(record(shop, delivery, Outcome.DELIVERED) for _ in range(3)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes].count(Delivery) == 1
    assert len((await status_of(shop, sent))["attempts"]) == 1


async def test_a_payment_outranks_delivery(shop: Shop) -> None:
    sent = await mailed(shop)
    delivery = UUID((await job_of(shop))["deliveryId"])
    body = {"date": "2026-03-16", "amount": sent["amount"]}
    await shop.ok("POST", f"/v1/invoices/{sent['id']}/payments", body)
    assert await claim(shop, delivery) is not None
    assert (await shop.invoice(sent["id"]))["status"] == "paid"
    assert (await record(shop, delivery, Outcome.DELIVERED)).status is DeliveryStatus.DELIVERED
    delivered = await shop.invoice(sent["id"])
    assert (delivered["status"], delivered["sentAt"]) == ("paid", "2026-03-16T12:00:00.000Z")


async def test_an_invoice_of_nothing_is_paid_while_its_mail_is_under_way(shop: Shop) -> None:
    """What is paid is delivered like any other; the delivery status tells about the mail."""
    sent = await mailed(shop, quantity=0)
    assert (sent["status"], sent["number"], sent["sentAt"]) == ("paid", "1", None)
    assert len(await shop.events("invoice.paid")) == 1
    delivery = UUID((await job_of(shop))["deliveryId"])
    for outcome, is_last, status in ((Outcome.FAILED, False, "pending"), (Outcome.FAILED, True, "failed")):
        assert (await claim(shop, delivery)) is not None
        assert (await status_of(shop, sent))["status"] == "sending"
        await record(shop, delivery, outcome, is_last=is_last)
        assert (await status_of(shop, sent))["status"] == status
        assert await shop.invoice(sent["id"]) == sent | {"deliveryStatus": status}
    shop.api.clock.advance(minutes=1)
    again = await shop.send(sent, deliveryType="Manual")
    moment = "2026-03-16T12:01:00.000Z"
    assert again == sent | {"sentAt": moment, "updatedAt": moment, "deliveryStatus": "manual"}
    assert (await status_of(shop, sent))["status"] == "manual"
    assert len(await shop.events("invoice.paid")) == 1


async def test_the_contacts_address_comes_before_the_customers(shop: Shop) -> None:
    customer, price = await shop.customer(email="post@example.com"), await shop.price()
    path = f"/v1/customers/{customer}/contacts"
    for name in ("ida", "bo"):
        await shop.ok("POST", path, {"name": name, "email": f"{name}@example.com"})
    bo = next(found["id"] for found in await shop.ok("GET", path) if found["name"] == "bo")
    expected = {
        "ida@example.com": await shop.draft(customer, line(price)),
        "bo@example.com": await shop.draft(customer, line(price), customerContactId=bo),
    }
    for address, draft in expected.items():
        await shop.send(draft, deliveryType="Email")
        assert await recipient_of(shop, draft) == address


async def recipient_of(shop: Shop, invoice: dict[str, Any]) -> Any:
    return await shop.value("SELECT recipient FROM deliveries WHERE document_id = $1", UUID(invoice["id"]))


async def test_overrides_are_for_once_unless_kept(shop: Shop) -> None:
    customer = await shop.customer(email="post@example.com")
    overrides: dict[str, Any] = {"overrideEmail": "new@example.com", "overrideEanNumber": "5798009811578"}
    first = await mailed(shop, customer, **overrides)
    assert await recipient_of(shop, first) == "new@example.com"
    snapshot = await shop.value("SELECT content FROM document_snapshots WHERE document_id = $1", UUID(first["id"]))
    assert snapshot["buyer"]["ean"] == "5798009811578"
    found = await shop.ok("GET", f"/v1/customers/{customer}")
    assert (found["email"], found["eanNumber"]) == ("post@example.com", None)
    await mailed(shop, customer, **overrides, updateCustomerRecord=True)
    found = await shop.ok("GET", f"/v1/customers/{customer}")
    assert (found["email"], found["eanNumber"]) == ("new@example.com", "5798009811578")
    assert len(await shop.events("customer.updated")) == 1
