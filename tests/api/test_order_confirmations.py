"""Order confirmations over HTTP: drafts, lists, sending."""

import asyncio
from typing import Any

import pytest
from tests.conftest import Api
from tests.selling import Shop, line


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def as_told(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in {"deliveryStatus", "displayStatus"}}


async def test_a_draft_is_numbered_when_it_is_sent(shop: Shop) -> None:
    draft = await shop.order_confirmation(await shop.customer(), line(await shop.price("100"), 2), reference="PO-7")
    path = f"/v1/order-confirmations/{draft['id']}"
    assert (draft["status"], draft["displayStatus"], draft["documentNumber"]) == ("draft", "draft", None)
    assert (draft["subtotal"], draft["vat"], draft["amount"]) == ("200.00", "50.00", "250.00")
    assert (draft["convertedFrom"], draft["convertedToInvoiceId"]) == (None, None)
    assert "validUntil" not in draft
    answer = await shop.ok("POST", f"{path}/send", {}, status=200)
    assert answer == {"success": True, "deliveryType": "Manual"}
    sent = await shop.ok("GET", path)
    news = {"status", "displayStatus", "documentNumber", "documentTemplateId", "sentAt", "deliveryStatus"}
    assert {name for name in sent if sent[name] != draft[name]} == news
    assert (sent["documentNumber"], sent["sentAt"], sent["deliveryStatus"]) == (
        "1",
        "2026-03-16T12:00:00.000Z",
        "manual",
    )
    assert await shop.events("order_confirmation.created") == [as_told(draft)]
    assert await shop.events("order_confirmation.sent") == [as_told(sent)]
    assert await shop.value("SELECT count(*) FROM journal_entries WHERE company_id = $1", shop.api.company_id) == 0


async def test_only_drafts_change(shop: Shop) -> None:
    price = await shop.price("100")
    draft = await shop.order_confirmation(await shop.customer(), line(price))
    path = f"/v1/order-confirmations/{draft['id']}"
    changed = await shop.ok("PATCH", path, {"lines": [line(price, 3)], "notes": "Tak"})
    assert (changed["subtotal"], changed["notes"]) == ("300.00", "Tak")
    assert len(await shop.events("order_confirmation.updated")) == 1
    await shop.refused("PATCH", path, {"validUntil": "2026-04-01"}, 400, "SHARED_VALIDATION_FAILED")
    await shop.ok("POST", f"{path}/send", {}, status=200)
    sent = await shop.ok("GET", path)
    for method, one, body in (("PATCH", path, {"notes": "x"}), ("POST", f"{path}/send", {})):
        details = await shop.refused(method, one, body, 409, "ORDER_CONFIRMATION_INVALID_STATE")
        assert details == {"status": "sent"}
    assert await shop.ok("GET", path) == sent


async def test_lists_filter_and_sort(shop: Shop) -> None:
    price, customer = await shop.price("100"), await shop.customer()
    made = []
    for quantity, day in ((2, "2026-03-10"), (1, "2026-03-11"), (3, "2026-03-12")):
        made.append(await shop.order_confirmation(customer, line(price, quantity), date=day))
    for one in made[1:]:
        await shop.ok("POST", f"/v1/order-confirmations/{one['id']}/send", {}, status=200)
    await shop.ok("POST", f"/v1/order-confirmations/{made[2]['id']}/convert", {"target": "invoice"})

    async def listed(query: str) -> list[int]:
        page = await shop.ok("GET", f"/v1/order-confirmations?{query}")
        return [[one["id"] for one in made].index(found["id"]) for found in page["data"]]

    assert [await listed(f"status={status}") for status in ("draft", "sent", "converted")] == [[0], [1], [2]]
    assert await listed("") == [2, 1, 0]
    assert await listed("sortBy=amount&sortOrder=ASC") == [1, 0, 2]
    assert await listed("sortBy=status&sortOrder=ASC") == [2, 0, 1]
    assert await listed("sortBy=documentNumber&sortOrder=ASC") == [1, 2, 0]
    assert await listed(f"customerId={customer}&limit=2&page=2") == [0]
    assert await listed("search=1") == [1]
    await shop.refused("GET", "/v1/order-confirmations?status=expired", None, 400, "SHARED_VALIDATION_FAILED")
    await shop.refused("GET", "/v1/order-confirmations?sortBy=validUntil", None, 400, "SHARED_VALIDATION_FAILED")


async def test_it_becomes_an_invoice_and_nothing_else(shop: Shop) -> None:
    draft = await shop.order_confirmation(await shop.customer(), line(await shop.price()))
    path = f"/v1/order-confirmations/{draft['id']}"
    await shop.ok("POST", f"{path}/send", {}, status=200)
    body = {"target": "orderConfirmation"}
    await shop.refused("POST", f"{path}/convert", body, 400, "SHARED_VALIDATION_FAILED")
    answers = await asyncio.gather(*(shop.api.post(f"{path}/convert", {"target": "invoice"}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert (await shop.ok("GET", "/v1/invoices"))["total"] == 1
    assert len(await shop.events("order_confirmation.converted")) == 1
    invoice = (await shop.ok("GET", "/v1/invoices"))["data"][0]
    details = await shop.refused("DELETE", f"/v1/invoices/{invoice['id']}", None, 409, "INVOICE_IN_USE")
    assert details == {"usedBy": ["orderConfirmations"]}


async def test_another_companys_ids_are_nobodys(shop: Shop, other_api: Api) -> None:
    draft = await shop.order_confirmation(await shop.customer(), line(await shop.price()))
    path, mine = f"/v1/order-confirmations/{draft['id']}", Shop(other_api)
    for method, one, body in (
        ("GET", path, None), ("GET", f"{path}/pdf", None), ("PATCH", path, {"notes": "x"}),
        ("POST", f"{path}/send", {}), ("POST", f"{path}/convert", {"target": "invoice"}),
    ):  # fmt: skip
        await mine.refused(method, one, body, 404, "ORDER_CONFIRMATION_NOT_FOUND")
    assert await shop.ok("GET", path) == draft
