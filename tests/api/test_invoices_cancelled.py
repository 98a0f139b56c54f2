"""Drafts of invoices that were given up: what stays of them, and what can't be done with them any more."""

import asyncio

import pytest
from tests.api.test_credit_notes import faultless, told
from tests.api.test_invoices_pdf import pdf
from tests.conftest import Api
from tests.selling import Shop, line


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def test_a_draft_that_is_given_up(shop: Shop) -> None:
    price = await shop.price("100")
    draft = await shop.draft(await shop.customer(), line(price), reference="PO-7")
    path = f"/v1/invoices/{draft['id']}"
    cancelled = await shop.ok("POST", f"{path}/cancel", {}, status=200)
    assert cancelled == {**draft, "status": "cancelled"}
    assert await shop.invoice(draft["id"]) == cancelled
    assert await shop.events("invoice.cancelled") == [told(cancelled)]
    payment = {"date": "2026-03-20", "amount": "1"}
    for method, rest, body in (
        ("POST", "/cancel", {}), ("POST", "/send", {}), ("PATCH", "", {"reference": "PO-8"}), ("DELETE", "", None),
        ("POST", "/payments", payment), ("GET", "/e-invoice", None),
    ):  # fmt: skip
        details = await shop.refused(method, path + rest, body, 409, "INVOICE_INVALID_STATE")
        assert details == {"status": "cancelled"}, rest
    [refused] = (await shop.ok("POST", "/v1/invoices/send-batch", {"invoiceIds": [draft["id"]]}, status=200))["results"]
    assert (refused["outcome"], refused["code"]) == ("refused", "INVOICE_INVALID_STATE")
    assert await shop.invoice(draft["id"]) == cancelled
    listed = await shop.ok("GET", "/v1/invoices?status=cancelled")
    assert [(one["id"], one["number"]) for one in listed["data"]] == [(draft["id"], None)]
    text, name = await pdf(shop, draft)
    assert "KLADDE" in text
    assert name == 'inline; filename="Faktura kladde.pdf"'
    assert (await shop.sold(line(price)))["number"] == "1", "no number was taken"
    assert await faultless(shop)


async def test_what_was_sent_is_not_cancelled(shop: Shop) -> None:
    sold = await shop.sold(line(await shop.price()))
    details = await shop.refused("POST", f"/v1/invoices/{sold['id']}/cancel", {}, 409, "INVOICE_INVALID_STATE")
    assert details == {"status": "sent"}
    assert await shop.invoice(sold["id"]) == sold
    assert await shop.events("invoice.cancelled") == []


async def test_what_was_converted_stays_so(shop: Shop) -> None:
    """A quote is converted once: it names the invoice that was made of it, whose status says what became of it."""
    quote = await shop.offered(line(await shop.price()))
    made = await shop.ok("POST", f"/v1/quotes/{quote['id']}/convert", {"target": "invoice"})
    cancelled = await shop.ok("POST", f"/v1/invoices/{made['id']}/cancel", {}, status=200)
    assert cancelled["convertedFrom"] == {"type": "quote", "id": quote["id"]}
    converted = await shop.ok("GET", f"/v1/quotes/{quote['id']}")
    assert converted["convertedToInvoiceId"] == made["id"]
    await shop.refused("POST", f"/v1/quotes/{quote['id']}/convert", {"target": "invoice"}, 409, "QUOTE_INVALID_STATE")
    assert await faultless(shop)


async def test_of_sending_and_cancelling_at_once_one_wins(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price()))
    actions = ("cancel", "send", "cancel")
    answers = await asyncio.gather(*(shop.api.post(f"/v1/invoices/{draft['id']}/{action}", {}) for action in actions))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    won = actions[[answer.status_code for answer in answers].index(200)]
    after = await shop.invoice(draft["id"])
    assert (after["status"], after["number"]) == (("cancelled", None) if won == "cancel" else ("sent", "1"))
    assert len(await shop.events("invoice.cancelled")) + len(await shop.events("invoice.sent")) == 1
    assert await faultless(shop)
