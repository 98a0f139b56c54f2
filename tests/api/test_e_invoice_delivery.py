"""Delivery of invoices and credit notes as e-invoices: what leaves, what is recorded, what is tried again."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.access_points import AccessPointServer, open_access_point
from tests.conftest import BLOBS, Api
from tests.selling import Shop, line
from tests.ubl import Ubl

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.network.transport.access_point import AccessPoint
from ledgerbee.network.transport.folder import FolderTransport
from ledgerbee.network.transport.model import Transport, TransportFailedError
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer
from ledgerbee.sales.delivery.rules import CLAIM_LASTS
from ledgerbee.sales.einvoices.jobs import deliver_e_invoice, give_up
from ledgerbee.sales.kinds import KINDS

EAN, OTHER_EAN = "5798009811578", "5790000435968"
SELLER = "0184:13585628"
MAX_ATTEMPTS = 8


@pytest.fixture
async def shop(api: Api) -> Shop:
    shop = Shop(api)
    await shop.ok("PATCH", "/v1/company", {"vatNumber": "13585628"})
    return shop


@pytest.fixture
async def point() -> AsyncIterator[AccessPointServer]:
    async with open_access_point() as point:
        yield point


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def drafted(shop: Shop, price: str = "99.50", **customer: Any) -> dict[str, Any]:
    return await shop.draft(await shop.customer(**{"eanNumber": EAN, **customer}), line(await shop.price(price), 3))


async def sent(shop: Shop, **customer: Any) -> dict[str, Any]:
    """An invoice sent as an e-invoice and waiting for the worker."""
    return await shop.send(await drafted(shop, **customer), deliveryType="Sproom")


def job_run(shop: Shop, delivery_id: UUID, attempt: int = 1) -> JobRun:
    api = shop.api
    return JobRun(
        database=api.database,
        mailer=Mailer(None, "a@b.dk"),
        blobs=BLOBS,
        clock=api.clock,
        company_id=api.company_id,
        request_id="test",
        payload={"deliveryId": str(delivery_id)},
        attempt=attempt,
        max_attempts=MAX_ATTEMPTS,
    )


async def delivery_id_of(shop: Shop, document: dict[str, Any]) -> UUID:
    query = "SELECT id FROM deliveries WHERE document_id = $1 AND is_latest"
    found: UUID = await shop.value(query, UUID(document["id"]))
    return found


async def work(shop: Shop, document: dict[str, Any], transport: Transport, attempt: int = 1) -> None:
    """What the worker does with the document's job."""
    await deliver_e_invoice(KINDS, transport, job_run(shop, await delivery_id_of(shop, document), attempt))


async def status_of(shop: Shop, document: dict[str, Any], series: str = "invoices") -> dict[str, Any]:
    found: dict[str, Any] = await shop.ok("GET", f"/v1/{series}/{document['id']}/delivery-status")
    return found


async def xml_of(shop: Shop, document: dict[str, Any], form: str, series: str = "invoices") -> bytes:
    response = await shop.api.get(f"/v1/{series}/{document['id']}/e-invoice?format={form}")
    assert response.status_code == 200, response.text
    return response.content


async def test_an_e_invoice_goes_from_scheduled_to_sent_and_lies_in_the_folder(shop: Shop, tmp_path: Path) -> None:
    draft = await drafted(shop)
    answer = await shop.ok("POST", f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Sproom"}, status=200)
    invoice = await shop.invoice(draft["id"])
    delivery_id = str(await delivery_id_of(shop, invoice))
    assert answer == {"success": True, "deliveryType": "Sproom", "sproomDocumentId": delivery_id}
    assert (invoice["status"], invoice["deliveryStatus"], invoice["sentAt"]) == ("scheduled", "pending", None)

    await work(shop, invoice, FolderTransport(tmp_path))
    invoice = await shop.invoice(draft["id"])
    assert (invoice["status"], invoice["deliveryStatus"]) == ("sent", "delivered")
    assert invoice["sentAt"] == "2026-03-16T12:00:00.000Z"
    name = "0184-13585628_invoice_1.xml"
    found = await status_of(shop, invoice)
    assert (found["status"], found["deliveryType"]) == ("delivered", "Sproom")
    assert found["attempts"] == [
        {
            "at": "2026-03-16T12:00:00.000Z",
            "channel": "e-invoice",
            "recipient": f"0088:{EAN}",
            "outcome": "delivered",
            "message": f"Put into the folder as {name}",
            "providerId": name,
        }
    ]
    (content,) = files(tmp_path).values()
    assert files(tmp_path) == {name: content}
    assert content == await xml_of(shop, invoice, "oioubl"), "NemHandel's own format between Danish parties"
    assert Ubl.of(content).schemed("AccountingCustomerParty/Party/EndpointID") == ("GLN", EAN)

    (event,) = await shop.events("e_invoice.delivered")
    kept = await shop.value("SELECT content FROM e_invoices WHERE document_id = $1", UUID(invoice["id"]))
    assert kept == content
    assert event == {
        "id": delivery_id,
        "status": "delivered",
        "documentType": "invoice",
        "documentId": invoice["id"],
        "number": "1",
        "messageId": str(await shop.value("SELECT id FROM e_invoices WHERE document_id = $1", UUID(invoice["id"]))),
        "format": "oioubl",
        "sender": SELLER,
        "receiver": f"0088:{EAN}",
        "sha256": hashlib.sha256(content).hexdigest(),
        "message": f"Put into the folder as {name}",
    }


async def test_a_credit_note_goes_the_same_way(shop: Shop, tmp_path: Path) -> None:
    invoice = await shop.send(await drafted(shop))
    note = await shop.credit(invoice)
    answer = await shop.ok("POST", f"/v1/credit-notes/{note['id']}/send", {"deliveryType": "Sproom"}, status=200)
    note = await shop.note(note["id"])
    assert answer["sproomDocumentId"] == str(await delivery_id_of(shop, note))
    assert note["status"] == "scheduled"
    await work(shop, note, FolderTransport(tmp_path))
    assert (await shop.note(note["id"]))["status"] == "sent"
    found = await status_of(shop, note, "credit-notes")
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["delivered"]
    document = Ubl.of((tmp_path / f"0184-13585628_credit_note_{note['number']}.xml").read_bytes())
    assert (document.name, document.text("LegalMonetaryTotal/PayableAmount")) == ("CreditNote", "373.13")


async def test_who_isnt_danish_gets_peppol(shop: Shop, tmp_path: Path) -> None:
    invoice = await sent(shop, eanNumber=None, countryCode="SE", vatNumber="SE556012579001")
    await work(shop, invoice, FolderTransport(tmp_path))
    assert list(files(tmp_path).values()) == [await xml_of(shop, invoice, "peppol")]
    assert (await status_of(shop, invoice))["attempts"][0]["recipient"] == "0007:5560125790"


async def test_what_is_missing_is_told_before_the_number_is_taken(shop: Shop) -> None:
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "KWD", "date": "2026-03-16", "rate": "21"}, status=200)
    lines = line(await shop.price(), unitPrice="1")
    draft = await shop.draft(await shop.customer(vatNumber="12345678"), lines, currency="KWD")
    path = f"/v1/invoices/{draft['id']}/send"
    details = await shop.refused("POST", path, {"deliveryType": "Sproom"}, 409, "E_INVOICE_INCOMPLETE")
    assert details == {"format": "peppol", "missing": ["currency", "buyer.endpoint"]}
    assert await shop.invoice(draft["id"]) == draft
    for table in ("journal_entries", "deliveries", "document_snapshots", "e_invoices"):
        assert await shop.value(f"SELECT count(*) FROM {table}") == 0
    assert await shop.events("invoice.sent") == []
    assert (await shop.send(draft))["number"] == "1"


async def test_an_ean_of_the_send_is_kept_on_the_customer_only_if_asked(shop: Shop) -> None:
    customer = await shop.customer()
    for keep in (False, True):
        draft = await shop.draft(customer, line(await shop.price()))
        invoice = await shop.send(draft, deliveryType="Sproom", overrideEanNumber=OTHER_EAN, updateCustomerRecord=keep)
        assert await shop.value("SELECT recipient FROM deliveries WHERE is_latest AND document_id = $1",
                                UUID(invoice["id"])) == f"0088:{OTHER_EAN}"  # fmt: skip
        found = await shop.ok("GET", f"/v1/customers/{customer}")
        assert found["eanNumber"] == (OTHER_EAN if keep else None)


async def test_in_a_batch_each_has_its_own_outcome(shop: Shop) -> None:
    drafts = [await drafted(shop), await drafted(shop, eanNumber=None), await drafted(shop)]
    body = {"invoiceIds": [draft["id"] for draft in drafts], "deliveryType": "Sproom"}
    found = await shop.ok("POST", "/v1/invoices/send-batch", body, status=200)
    outcomes = [(one["outcome"], one["number"], one["code"]) for one in found["results"]]
    assert outcomes == [("sent", "1", None), ("refused", None, "E_INVOICE_INCOMPLETE"), ("sent", "2", None)]
    assert await shop.value("SELECT count(*) FROM deliveries WHERE delivery_type = 'Sproom'") == 2


async def test_a_lost_receipt_makes_no_second_document(shop: Shop, point: AccessPointServer) -> None:
    """The access point had it and the answer got lost: the same bytes come again, under the same id."""
    invoice = await sent(shop)
    transport = AccessPoint(point.url)
    point.answers = [None, (503, b"later"), (409, b"")]
    for attempt in (1, 2):
        with pytest.raises(TransportFailedError):
            await work(shop, invoice, transport, attempt)
        assert (await shop.invoice(invoice["id"]))["status"] == "scheduled"
    # What has changed since is not said in what was sent before.
    await shop.ok("PATCH", "/v1/company", {"vatNumber": "25313763"})
    await work(shop, invoice, transport, 3)
    assert (await shop.invoice(invoice["id"]))["status"] == "sent"
    assert {got.content for got in point.got} == {await xml_of(shop, invoice, "oioubl")}
    assert len({got.fields["e-invoice-message-id"] for got in point.got}) == 1
    attempts = (await status_of(shop, invoice))["attempts"]
    assert [attempt["outcome"] for attempt in attempts] == ["failed", "failed", "delivered"]
    assert await shop.value("SELECT count(*) FROM e_invoices") == 1
    assert len(await shop.events("e_invoice.delivered")) == 1
    assert await shop.events("e_invoice.failed") == []


async def test_a_refusal_for_good_ends_it_and_it_can_be_sent_again(shop: Shop, point: AccessPointServer) -> None:
    invoice = await sent(shop)
    point.answers = [(422, b'{"message": "unknown receiver"}')]
    await work(shop, invoice, AccessPoint(point.url))  # does not raise: there is nothing to try again
    found = await status_of(shop, invoice)
    assert (found["status"], found["attempts"][0]["message"]) == ("failed", "422 unknown receiver")
    listed = await shop.ok("GET", "/v1/invoices?deliveryStatus=failed")
    assert [one["id"] for one in listed["data"]] == [invoice["id"]]
    (event,) = await shop.events("e_invoice.failed")
    assert (event["status"], event["message"], event["number"]) == ("failed", "422 unknown receiver", "1")
    assert len(await shop.events("invoice.delivery_failed")) == 1

    again = await shop.ok("POST", f"/v1/invoices/{invoice['id']}/send", {"deliveryType": "Sproom"}, status=200)
    assert again["sproomDocumentId"] not in {event["id"], None}
    await work(shop, invoice, AccessPoint(point.url))
    first, second = point.got
    assert (first.content, first.fields["e-invoice-message-id"]) == (
        second.content, second.fields["e-invoice-message-id"],
    )  # fmt: skip
    assert (await shop.invoice(invoice["id"]))["status"] == "sent"
    assert await shop.value("SELECT count(*) FROM journal_entries") == 1


async def test_an_attempt_is_recorded_whatever_the_access_point_says(shop: Shop, point: AccessPointServer) -> None:
    """JSON may hold what PostgreSQL doesn't take: half a surrogate pair, NUL."""
    invoice = await sent(shop)
    point.answers = [(503, rb'{"message": "a\ud800b\u0000c"}'), (200, rb'{"id": "\u0000x\ud800\u202ey"}')]
    with pytest.raises(TransportFailedError):
        await work(shop, invoice, AccessPoint(point.url))
    await work(shop, invoice, AccessPoint(point.url), 2)
    found = await status_of(shop, invoice)
    assert (found["status"], [(one["message"], one["providerId"]) for one in found["attempts"]]) == (
        "delivered",
        [("503 a\ufffdb c", point.got[0].fields["e-invoice-message-id"]), ("200 Accepted", "x\ufffd y")],
    )


async def test_what_is_unforeseen_tells_no_company_of_the_servers_folders(shop: Shop, tmp_path: Path) -> None:
    """A path that no system call takes: nothing that a transport foresees."""
    invoice = await sent(shop)
    with pytest.raises(ValueError, match="null byte"):
        await work(shop, invoice, FolderTransport(tmp_path / "a\0b"))
    (attempt,) = (await status_of(shop, invoice))["attempts"]
    assert attempt["message"] == "ValueError. The log of the program has the error under request test."


async def test_the_last_try_gives_up(shop: Shop, point: AccessPointServer) -> None:
    invoice = await sent(shop)
    point.answers = [(500, b"")]
    with pytest.raises(TransportFailedError):
        await work(shop, invoice, AccessPoint(point.url), attempt=MAX_ATTEMPTS)
    assert (await status_of(shop, invoice))["status"] == "failed"
    await work(shop, invoice, AccessPoint(point.url), attempt=MAX_ATTEMPTS)
    assert len(point.got) == 1, "what has ended is left alone"


async def test_a_job_that_is_given_up_ends_its_delivery_once(shop: Shop) -> None:
    invoice = await sent(shop)
    for _ in range(2):
        await give_up(KINDS, job_run(shop, await delivery_id_of(shop, invoice)), "it was tried 4 times in vain")
    found = await status_of(shop, invoice)
    assert found["status"] == "failed"
    assert [attempt["message"][:28] for attempt in found["attempts"]] == ["It was tried 4 times in vain"]
    (event,) = await shop.events("e_invoice.failed")
    assert event["messageId"] is None, "its XML was never written"


async def test_a_worker_that_dies_on_the_way_leaves_the_truth(shop: Shop, point: AccessPointServer) -> None:
    invoice = await sent(shop)
    point.go_on.clear()
    dying = asyncio.create_task(work(shop, invoice, AccessPoint(point.url)))
    await point.taken.wait()
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    point.go_on.set()
    with pytest.raises(LedgerBeeError, match="another worker"):  # its claim still holds
        await work(shop, invoice, AccessPoint(point.url))
    shop.api.clock.now += CLAIM_LASTS
    await work(shop, invoice, AccessPoint(point.url), 2)
    first, second = point.got
    assert first.fields["e-invoice-message-id"] == second.fields["e-invoice-message-id"]
    attempts = (await status_of(shop, invoice))["attempts"]
    assert [attempt["outcome"] for attempt in attempts] == ["failed", "delivered"]
    assert attempts[0]["providerId"] == first.fields["e-invoice-message-id"]
    assert "may have arrived" in attempts[0]["message"]


async def test_who_died_delivering_it_is_waited_for_no_longer(shop: Shop, point: AccessPointServer) -> None:
    invoice = await sent(shop)
    point.go_on.clear()
    dying = asyncio.create_task(work(shop, invoice, AccessPoint(point.url)))
    await point.taken.wait()
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    point.go_on.set()
    run = replace(job_run(shop, await delivery_id_of(shop, invoice)), has_worker_died=True)
    await deliver_e_invoice(KINDS, AccessPoint(point.url), run)
    attempts = (await status_of(shop, invoice))["attempts"]
    assert [attempt["outcome"] for attempt in attempts] == ["failed", "delivered"]
    assert len({got.fields["e-invoice-message-id"] for got in point.got}) == 1


async def test_two_workers_at_once_send_one(shop: Shop, point: AccessPointServer) -> None:
    invoice = await sent(shop)
    outcomes = await asyncio.gather(
        *(work(shop, invoice, AccessPoint(point.url)) for _ in range(2)), return_exceptions=True
    )
    assert len(point.got) == 1
    assert [type(one) for one in outcomes if one is not None] in ([LedgerBeeError], [])
