"""Answers to e-invoices that came in: written, kept, sent once, and shown."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.access_points import AccessPointServer, open_access_point
from tests.api.test_e_invoice_delivery import files
from tests.api.test_incoming_documents import PATH, received
from tests.conftest import BLOBS, Api
from tests.selling import Shop
from tests.table_rows import rows_of
from tests.ubl import Ubl
from tests.ubl_files import SENDER, oioubl, peppol

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.network.transport.access_point import AccessPoint
from ledgerbee.network.transport.folder import FolderTransport
from ledgerbee.network.transport.model import NoTransport, Transport, TransportFailedError, TransportNotConfiguredError
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer
from ledgerbee.purchases.incoming_documents.answers.jobs import give_up, send_answer
from ledgerbee.purchases.incoming_documents.rules.answering import CLAIM_LASTS
from ledgerbee.sales.einvoices.answers.reading import read

MAX_ATTEMPTS = 8
NOT_ALLOWED = "INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED"


@pytest.fixture
async def shop(api: Api) -> Shop:
    shop = Shop(api)
    await shop.ok("PATCH", "/v1/company", {"vatNumber": "13585628"})
    return shop


@pytest.fixture
async def point() -> AsyncIterator[AccessPointServer]:
    async with open_access_point() as point:
        yield point


def path_of(document: dict[str, Any]) -> str:
    return f"{PATH}/{document['id']}/answers"


async def answer(shop: Shop, document: dict[str, Any], code: str, **fields: str) -> dict[str, Any]:
    return dict(await shop.ok("POST", path_of(document), {"answer": code, **fields}, status=201))


async def answers_of(shop: Shop, document: dict[str, Any]) -> list[dict[str, Any]]:
    return list((await shop.ok("GET", f"{PATH}/{document['id']}"))["answers"])


async def xml_of(shop: Shop, document: dict[str, Any], given: dict[str, Any]) -> bytes:
    response = await shop.api.get(f"{path_of(document)}/{given['id']}")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/xml")
    assert hashlib.sha256(response.content).hexdigest() == given["sha256"]
    return response.content


def run_of(shop: Shop, given: dict[str, Any], attempt: int = 1) -> JobRun:
    api = shop.api
    return JobRun(
        database=api.database,
        mailer=Mailer(None, "a@b.dk"),
        blobs=BLOBS,
        clock=api.clock,
        company_id=api.company_id,
        request_id="test",
        payload={"answerId": given["id"]},
        attempt=attempt,
        max_attempts=MAX_ATTEMPTS,
    )


async def work(shop: Shop, given: dict[str, Any], transport: Transport, attempt: int = 1) -> None:
    await send_answer(transport, run_of(shop, given, attempt))


async def test_a_peppol_document_goes_through_its_steps(shop: Shop, other_api: Api, tmp_path: Path) -> None:
    document = await received(shop.api, peppol())
    assert document["answers"] == []
    steps = [
        ("inProcess", "IP", {}), ("underQuery", "UQ", {"reason": "REF", "note": "Which order <7>?"}),
        ("accepted", "AP", {}), ("paid", "PD", {}),
    ]  # fmt: skip
    for place, (code, own_code, fields) in enumerate(steps, 1):
        given = await answer(shop, document, code, **fields)
        assert (given["answer"], given["code"], given["status"], given["attempts"]) == (code, own_code, "pending", [])
        assert (given["reason"], given["note"]) == (fields.get("reason"), fields.get("note"))
        assert given["receiver"] == "0184:25313763"
        xml = await xml_of(shop, document, given)
        told = read(xml)
        assert (told.code, told.reference, told.text) == (own_code, "F-1001", fields.get("note"))
        ubl = Ubl.of(xml)
        assert ubl.text("DocumentResponse/Response/Status/StatusReasonCode") == fields.get("reason")
        assert ubl.schemed("SenderParty/EndpointID") == ("0184", "13585628")
        await work(shop, given, FolderTransport(tmp_path))
        lying = files(tmp_path)
        assert len(lying) == place
        assert xml in lying.values()
    shown = await answers_of(shop, document)
    assert [(one["answer"], one["status"]) for one in shown] == [(code, "sent") for code, _, _ in steps]
    assert [[one["outcome"] for one in each["attempts"]] for each in shown] == [["sent"]] * 4
    listed = await shop.ok("GET", PATH)
    assert listed["data"][0]["answers"] == shown
    assert (await received(shop.api, peppol(), 200))["answers"] == shown
    answered = await shop.events("incoming_document.answered")
    assert [[one["answer"] for one in event["answers"]] for event in answered] == [
        [code for code, _, _ in steps[:place]] for place in range(1, 5)
    ]
    assert len(await shop.events("incoming_document.answer_sent")) == 4
    for path in (path_of(document), f"{path_of(document)}/{shown[0]['id']}"):
        foreign = await other_api.request("POST" if path.endswith("answers") else "GET", path, json={"answer": "paid"})
        assert foreign.status_code == 404
    assert (await other_api.get(PATH)).json()["total"] == 0


async def test_an_oioubl_document_is_accepted_or_rejected_once(shop: Shop, tmp_path: Path) -> None:
    refused, note = await received(shop.api, oioubl()), await received(shop.api, oioubl(kind="CreditNote"))
    untouched = await rows_of(shop.api)
    details = await shop.refused("POST", path_of(refused), {"answer": "paid"}, 409, NOT_ALLOWED)
    assert details == {"answer": "paid", "lastAnswer": None, "allowedAnswers": ["accepted", "rejected"]}
    for body in ({"answer": "rejected"}, {"answer": "accepted", "reason": "REF", "note": "x"}, {"answer": "AP"}):
        await shop.refused("POST", path_of(refused), body, 400, "SHARED_VALIDATION_FAILED")
    assert await rows_of(shop.api) == untouched
    given = await answer(shop, refused, "rejected", note="Varen kom ikke")
    await answer(shop, note, "accepted")
    xml = await xml_of(shop, refused, given)
    told, ubl = read(xml), Ubl.of(xml)
    assert (told.kind, told.code, told.text) == ("application_response", "BusinessReject", "Varen kom ikke")
    assert ubl.schemed("ReceiverParty/EndpointID") == ("DK:CVR", "DK25313763")
    assert ubl.text("DocumentResponse/DocumentReference/DocumentTypeCode") == "Invoice"
    assert (await answers_of(shop, note))[0]["code"] == "BusinessAccept"
    for code in ("accepted", "rejected"):
        body = {"answer": code, "note": "x"}
        details = await shop.refused("POST", path_of(refused), body, 409, NOT_ALLOWED)
        assert details["allowedAnswers"] == []
    await work(shop, given, FolderTransport(tmp_path))
    assert files(tmp_path) == {"0184-13585628_application_response_F-1001.xml": xml}


async def test_what_has_no_answer_or_address_says_so_and_who_is_meant_by_mistake_answers_as_itself(shop: Shop) -> None:
    plain = await received(shop.api, peppol(customization="urn:cen.eu:en16931:2017"))
    nameless = await received(shop.api, peppol(sender={**SENDER, "vat": None}))
    untouched = await rows_of(shop.api)
    for document, missing in ((plain, ["format"]), (nameless, ["sender.endpoint"])):
        body = {"answer": "accepted"}
        details = await shop.refused("POST", path_of(document), body, 409, "INCOMING_DOCUMENT_NOT_ANSWERABLE")
        assert details == {"missing": missing}
    assert await rows_of(shop.api) == untouched
    other = {"name": "Andre ApS", "vat": "DK10150817", "country": "DK", "endpoint": "0088|5798009811578"}
    mistaken = await received(shop.api, peppol(receiver=other))
    xml = await xml_of(shop, mistaken, await answer(shop, mistaken, "rejected", reason="REC", note="Not us"))
    assert Ubl.of(xml).schemed("SenderParty/EndpointID") == ("0184", "13585628")


async def test_of_two_verdicts_at_once_one_is_given(shop: Shop) -> None:
    document = await received(shop.api, peppol())
    bodies = [{"answer": "accepted"}, {"answer": "rejected", "note": "x"}] * 3
    found = await asyncio.gather(*(shop.api.post(path_of(document), body) for body in bodies))
    assert sorted(one.status_code for one in found) == [201, 409, 409, 409, 409, 409]
    assert len(await answers_of(shop, document)) == 1
    assert len(await shop.events("incoming_document.answered")) == 1


async def test_the_same_key_answers_once(shop: Shop) -> None:
    document = await received(shop.api, peppol())
    headers = {"x-api-idempotency-key": "one"}
    body = {"answer": "underQuery", "note": "Why?"}
    first, again = [await shop.api.request("POST", path_of(document), json=body, headers=headers) for _ in "ab"]
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    assert len(await answers_of(shop, document)) == 1


async def test_a_lost_receipt_makes_no_second_answer(shop: Shop, point: AccessPointServer) -> None:
    """Refused for now, broken off by the death of its worker, had already: the same bytes under the same id."""
    document = await received(shop.api, peppol())
    given = await answer(shop, document, "accepted")
    with pytest.raises(TransportNotConfiguredError):
        await work(shop, given, NoTransport())
    assert (await answers_of(shop, document))[0]["status"] == "pending"
    await shop.value("UPDATE incoming_answers SET status = 'sending' RETURNING true")
    with pytest.raises(LedgerBeeError, match="Another worker"):
        await work(shop, given, AccessPoint(point.url))
    shop.api.clock.now += CLAIM_LASTS
    point.answers = [None]
    with pytest.raises(TransportFailedError):
        await work(shop, given, AccessPoint(point.url))
    for _ in "ab":
        await work(shop, given, AccessPoint(point.url))
    xml = await xml_of(shop, document, given)
    assert [(got.fields["e-invoice-message-id"], got.content) for got in point.got] == [(given["id"], xml)] * 2
    (shown,) = await answers_of(shop, document)
    assert (shown["status"], [one["outcome"] for one in shown["attempts"]]) == (
        "sent", ["failed", "failed", "failed", "sent"],
    )  # fmt: skip


async def test_whatever_a_try_ends_with_is_recorded_as_a_company_may_read_it(
    shop: Shop, point: AccessPointServer, tmp_path: Path
) -> None:
    """A fault that no transport foresees, then what PostgreSQL doesn't take: half a surrogate pair, NUL."""
    document = await received(shop.api, peppol())
    given = await answer(shop, document, "accepted")
    point.answers = [(503, rb'{"message": "a\ud800b\u0000c"}'), (200, rb'{"id": "\u0000x\ud800\u202ey"}')]
    with pytest.raises(ValueError, match="null byte"):
        await work(shop, given, FolderTransport(tmp_path / "a\0b"))
    with pytest.raises(TransportFailedError):
        await work(shop, given, AccessPoint(point.url), 2)
    await work(shop, given, AccessPoint(point.url), 3)
    (shown,) = await answers_of(shop, document)
    assert (shown["status"], [one["message"] for one in shown["attempts"]]) == (
        "sent",
        ["ValueError. The log of the program has the error under request test.", "503 a\ufffdb c", "200 Accepted"],
    )
    assert shown["attempts"][-1]["providerId"] == "x\ufffd y"


async def test_what_failed_for_good_is_sent_again_by_the_same_request(shop: Shop, point: AccessPointServer) -> None:
    document = await received(shop.api, peppol())
    given = await answer(shop, document, "accepted")
    await give_up(run_of(shop, given), "too many tries")
    await give_up(run_of(shop, given), "too many tries")
    (shown,) = await answers_of(shop, document)
    assert (shown["status"], len(shown["attempts"])) == ("failed", 1)
    (event,) = await shop.events("incoming_document.answer_failed")
    assert event["answers"] == [shown]
    await shop.refused("POST", path_of(document), {"answer": "rejected", "note": "x"}, 409, NOT_ALLOWED)
    again = await shop.ok("POST", path_of(document), {"answer": "accepted"}, status=200)
    assert {**again, "status": "failed", "updatedAt": shown["updatedAt"]} == shown
    await work(shop, again, AccessPoint(point.url))
    xml = await xml_of(shop, document, given)
    assert [(got.fields["e-invoice-message-id"], got.content) for got in point.got] == [(given["id"], xml)]
    assert await shop.value("SELECT count(*) FROM incoming_answers WHERE id = $1", UUID(given["id"])) == 1
    await shop.refused("POST", path_of(document), {"answer": "accepted"}, 409, NOT_ALLOWED)
