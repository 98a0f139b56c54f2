"""Answers to what was sent: received, kept, shown on the document, and told."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests import answers
from tests.answers import answer
from tests.conftest import Api, SteeredClock, new_company
from tests.selling import Shop, line

from ledgerbee.platform.db import Database

PATH = "/v1/e-invoice-responses"


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def post(shop: Shop, xml: str | bytes, **headers: str) -> httpx.Response:
    fields = {"content-type": "application/xml", **headers}
    found: httpx.Response = await shop.api.request("POST", PATH, content=xml, headers=fields)
    return found


async def accepted(shop: Shop, xml: str, status: int = 201) -> dict[str, Any]:
    response = await post(shop, xml)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_an_answer_is_shown_on_the_document_and_told(shop: Shop) -> None:
    invoice = await shop.sold(line(await shop.price()))
    xml = answer(invoice["number"], "BusinessReject", text="Ukendt ordrenummer", kind="Invoice")
    found = await accepted(shop, xml)
    shown = {
        "id": found["id"],
        "kind": "application_response",
        "code": "BusinessReject",
        "verdict": "rejected",
        "text": "Ukendt ordrenummer",
        "issueDate": "2026-03-17",
        "receivedAt": "2026-03-16T12:00:00.000Z",
    }
    whole = shown | {"documentType": "invoice", "documentId": invoice["id"], "number": invoice["number"]}
    assert found == whole
    status = await shop.ok("GET", f"/v1/invoices/{invoice['id']}/delivery-status")
    assert (status["answers"], status["status"]) == ([shown], "manual")
    after = await shop.invoice(invoice["id"])
    assert after == invoice | {"eInvoiceAnswer": shown}, "what the buyer says changes nothing of the books"
    assert await shop.events("e_invoice.answered") == [whole]
    assert await shop.value("SELECT content FROM e_invoice_answers") == xml.encode()


async def test_the_newest_answer_stands_on_the_document_and_all_in_the_delivery_status(shop: Shop) -> None:
    invoice = await shop.sold(line(await shop.price()))
    for number, code in enumerate(("AB", "IP", "AP")):
        shop.api.clock.now += timedelta(minutes=1)
        await accepted(
            shop,
            answer(
                invoice["number"], code, customization=answers.INVOICE_RESPONSE, kind="380", answer_id=f"A-{number}"
            ),
        )
    status = await shop.ok("GET", f"/v1/invoices/{invoice['id']}/delivery-status")
    assert [(one["code"], one["verdict"]) for one in status["answers"]] == [
        ("AB", "underway"), ("IP", "underway"), ("AP", "accepted"),
    ]  # fmt: skip
    assert (await shop.invoice(invoice["id"]))["eInvoiceAnswer"]["code"] == "AP"


async def test_a_number_of_an_invoice_and_of_a_credit_note_is_told_apart_by_the_kind(shop: Shop) -> None:
    invoice = await shop.sold(line(await shop.price()))
    note = await shop.send_note(await shop.credit(invoice))
    assert note["number"] == invoice["number"] == "1"
    found = await accepted(shop, answer("1", "BusinessAccept", kind="CreditNote"))
    assert (found["documentType"], found["documentId"]) == ("credit_note", note["id"])
    assert (await shop.note(note["id"]))["eInvoiceAnswer"]["verdict"] == "accepted"
    response = await post(shop, answer("1", "BusinessAccept"))
    assert (response.status_code, response.json()["code"]) == (404, "E_INVOICE_REFERENCE_UNKNOWN")
    found = await accepted(shop, answer("1", "BusinessAccept", uuid=invoice["id"]))
    assert found["documentId"] == invoice["id"]


async def test_the_same_bytes_are_one_answer_also_at_once(shop: Shop) -> None:
    invoice = await shop.sold(line(await shop.price()))
    xml = answer(invoice["number"], "BusinessAccept")
    both = await asyncio.gather(post(shop, xml), post(shop, xml))
    assert sorted(response.status_code for response in both) == [200, 201]
    first, second = (response.json() for response in both)
    assert first == second == await accepted(shop, xml, 200)
    assert len(await shop.events("e_invoice.answered")) == 1


async def test_an_idempotency_key_is_for_the_bytes(shop: Shop) -> None:
    invoice = await shop.sold(line(await shop.price()))
    xml, key = answer(invoice["number"], "BusinessAccept"), {"x-api-idempotency-key": "answer-1"}
    first, again = await post(shop, xml, **key), await post(shop, xml, **key)
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (201, 201, "true")
    other = await post(shop, xml + " ", **key)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


async def test_what_names_nothing_that_was_sent_is_refused(
    shop: Shop, http: httpx.AsyncClient, database: Database, clock: SteeredClock
) -> None:
    """A draft was not sent; another company's invoice is not there."""
    draft = await shop.draft(await shop.customer(), line(await shop.price()))
    other = Shop(await new_company(http, database, clock))
    theirs = await other.sold(line(await other.price()))
    for reference in ("1", theirs["number"], theirs["id"], draft["id"], "no such"):
        response = await post(shop, answer(reference, "BusinessAccept"))
        assert (response.status_code, response.json()["code"]) == (404, "E_INVOICE_REFERENCE_UNKNOWN")
        assert response.json()["details"] == {"reference": reference}
    assert (await shop.ok("GET", f"/v1/invoices/{draft['id']}/delivery-status")).get("answers") is None
    assert await shop.value("SELECT count(*) FROM e_invoice_answers") == 0
    assert await shop.events("e_invoice.answered") == []
    assert "eInvoiceAnswer" not in await other.invoice(theirs["id"])


async def test_what_contradicts_the_document_is_refused(shop: Shop) -> None:
    await shop.ok("PATCH", "/v1/company", {"vatNumber": "13585628"})
    invoice = await shop.sold(line(await shop.price()))
    for other in ({"uuid": str(UUID(int=0))}, {"receiver": "DK25313763"}):
        response = await post(shop, answer(invoice["number"], "BusinessReject", **other))
        assert (response.status_code, response.json()["code"]) == (404, "E_INVOICE_REFERENCE_UNKNOWN")
        assert {"uuid", "receiver"} & set(response.json()["details"])
    assert await shop.value("SELECT count(*) FROM e_invoice_answers") == 0
    found = await accepted(shop, answer(invoice["number"], "AP", uuid=invoice["id"], receiver="DK13585628"))
    assert found["documentId"] == invoice["id"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"", "application/xml", 400, "E_INVOICE_RESPONSE_UNREADABLE"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "text/xml", 400, "E_INVOICE_RESPONSE_UNREADABLE"),
        (b"{}", "application/json", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * (1024 * 1024 + 1), "application/xml", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_what_is_no_answer_is_refused(shop: Shop, body: bytes, content_type: str, status: int, code: str) -> None:
    response = await post(shop, body, **{"content-type": content_type})
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_an_answer_cant_be_changed_or_removed(shop: Shop) -> None:
    invoice = await shop.sold(line(await shop.price()))
    await accepted(shop, answer(invoice["number"], "BusinessReject"))
    query = "SELECT has_table_privilege('ledgerbee_app', 'e_invoice_answers', $1)"
    assert [await shop.value(query, right) for right in ("UPDATE", "DELETE")] == [False, False]
    assert await shop.value("SELECT delivery_id FROM e_invoice_answers") == await shop.value(
        "SELECT id FROM deliveries WHERE document_id = $1", UUID(invoice["id"])
    )
