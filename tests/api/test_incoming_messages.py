"""Messages that brought e-invoices: each gets its status by itself, once, and it is shown with the document."""

import asyncio
import hashlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.access_points import open_access_point
from tests.api.test_e_invoice_delivery import files
from tests.api.test_incoming_answers import run_of, work
from tests.api.test_incoming_documents import PATH, XML
from tests.conftest import Api
from tests.selling import Shop
from tests.table_rows import rows_of
from tests.ubl import Ubl
from tests.ubl_files import SENDER, line, oioubl, peppol

from ledgerbee.network.transport.access_point import AccessPoint
from ledgerbee.network.transport.folder import FolderTransport
from ledgerbee.network.transport.model import NoTransport, TransportNotConfiguredError
from ledgerbee.purchases.incoming_documents.answers.jobs import give_up
from ledgerbee.sales.einvoices.answers.reading import read

ENVELOPE = {"messageId": "m-1", "senderAccessPoint": "POP000456", "receiverAccessPoint": "000123"}
#: A document that no draft can be made of.
EUROS = peppol().replace(b'currencyID="DKK"', b'currencyID="EUR"')


@pytest.fixture
async def shop(api: Api) -> Shop:
    shop = Shop(api)
    await shop.ok("PATCH", "/v1/company", {"vatNumber": "13585628", "name": "Nordlys ApS"})
    return shop


async def send(api: Api, raw: bytes, envelope: dict[str, str] | None = None, **headers: str) -> httpx.Response:
    return await api.request("POST", PATH, content=raw, headers={**XML, **headers}, params=envelope)


async def received(
    shop: Shop, raw: bytes, envelope: dict[str, str] | None = None, *, status: int = 201
) -> dict[str, Any]:
    answer = await send(shop.api, raw, envelope)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def another(shop: Shop, raw: bytes) -> dict[str, Any]:
    """What is said of a file that comes under the message id of another one."""
    answer = await send(shop.api, raw, ENVELOPE)
    assert (answer.status_code, answer.json()["code"]) == (409, "INCOMING_MESSAGE_DIFFERS")
    return dict(answer.json()["details"])


async def xml_of(shop: Shop, document: dict[str, Any], status: dict[str, Any]) -> bytes:
    response = await shop.api.get(f"{PATH}/{document['id']}/answers/{status['id']}")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/xml")
    assert hashlib.sha256(response.content).hexdigest() == status["sha256"]
    return response.content


async def statuses(shop: Shop) -> int:
    return int(await shop.value("SELECT count(*) FROM incoming_answers WHERE message_id IS NOT NULL"))


async def test_what_came_is_accepted_by_itself_and_shown_with_what_became_of_it(
    shop: Shop, other_api: Api, tmp_path: Path
) -> None:
    document = await received(shop, peppol(line("1000.001")), ENVELOPE)
    (message,) = document["messages"]
    assert (message["messageId"], message["incomingDocumentId"]) == ("m-1", document["id"])
    assert (message["senderAccessPoint"], message["receiverAccessPoint"]) == ("000456", "000123")
    assert (message["mlsTo"], message["mlsType"], message["statusOmitted"]) == (None, "ALWAYS_SEND", None)
    assert [issue["code"] for issue in message["issues"]] == ["BW"] * len(message["issues"]) != []
    status = message["status"]
    assert (status["code"], status["note"], status["status"]) == ("AP", None, "pending")
    assert (status["receiver"], status["attempts"]) == ("0242:000456", [])
    xml = await xml_of(shop, document, status)
    told, ubl = read(xml), Ubl.of(xml)
    assert (told.kind, told.code, told.reference) == ("message_level_status", "AP", "m-1")
    assert told.text == "\n".join(issue["text"] for issue in message["issues"])
    assert ubl.schemed("SenderParty/EndpointID") == ("0242", "000123")
    assert ubl.schemed("ReceiverParty/EndpointID") == ("0242", "000456")
    with pytest.raises(TransportNotConfiguredError):
        await work(shop, status, NoTransport())
    await work(shop, status, FolderTransport(tmp_path), 2)
    await work(shop, status, FolderTransport(tmp_path), 3)
    assert files(tmp_path) == {"0242-000123_message_level_status_m-1.xml": xml}
    shown = await shop.ok("GET", f"{PATH}/{document['id']}")
    assert shown["answers"] == []
    (after,) = shown["messages"]
    assert (after["status"]["status"], [one["outcome"] for one in after["status"]["attempts"]]) == (
        "sent", ["failed", "sent"],
    )  # fmt: skip
    assert (await shop.ok("GET", PATH))["data"] == [shown]
    assert await shop.events("incoming_message.received") == [message]
    assert await shop.events("incoming_message.status_sent") == [after]
    (event,) = await shop.events("incoming_document.received")
    assert event["messages"] == [message]
    # The receiver's own answers are counted by themselves.
    given = await shop.ok("POST", f"{PATH}/{document['id']}/answers", {"answer": "inProcess"}, status=201)
    after_answer = await shop.ok("GET", f"{PATH}/{document['id']}")
    assert (after_answer["answers"], after_answer["messages"]) == ([given], [after])
    foreign = await other_api.get(f"{PATH}/{document['id']}/answers/{status['id']}")
    assert foreign.status_code == 404
    own = await send(other_api, peppol(), ENVELOPE)
    assert (own.status_code, len(own.json()["messages"])) == (201, 1), "message ids are a company's own"


async def test_a_status_goes_over_the_network_under_its_own_names(shop: Shop) -> None:
    envelope = {**ENVELOPE, "mlsTo": "0242:000456-BILLING.test-1", "messageId": "a/b:c"}
    (message,) = (await received(shop, peppol(), envelope))["messages"]
    assert (message["mlsTo"], message["status"]["receiver"]) == (
        "000456-BILLING.test-1", "0242:000456-BILLING.test-1",
    )  # fmt: skip
    async with open_access_point() as point:
        await work(shop, message["status"], AccessPoint(point.url))
    (got,) = point.got
    root = "urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2::ApplicationResponse"
    assert {name.removeprefix("e-invoice-"): value for name, value in got.fields.items() if "invoice" in name} == {
        "message-id": message["status"]["id"],
        "sender": "0242:000123",
        "receiver": "0242:000456-BILLING.test-1",
        "document-type": f"{root}##urn:peppol:edec:mls:1.0::2.1",
        "process": "urn:peppol:edec:mls",
        "number": "a%2Fb%3Ac",
        "sha256": message["status"]["sha256"],
    }


async def test_what_cant_be_taken_is_refused_with_what_is_wrong_and_what_may_be_anothers_is_acknowledged(
    shop: Shop,
) -> None:
    refused = await received(shop, EUROS, ENVELOPE)
    (message,) = refused["messages"]
    assert (refused["status"], message["status"]["code"]) == ("received", "RE")
    assert "figures would be wrong" in message["status"]["note"]
    assert [(one["code"], one["text"].partition(":")[0]) for one in message["issues"]] == [
        ("BV", "CURRENCY_DIFFERS"), ("BW", "TOTALS_DIFFER"), ("BW", "VAT_DIFFERS"),
    ]  # fmt: skip
    told = read(await xml_of(shop, refused, message["status"]))
    assert told.code == "RE"
    assert told.text == "\n".join([message["status"]["note"], *[one["text"] for one in message["issues"]]])
    other = {"name": "Andre ApS", "vat": "DK10150817", "country": "DK"}
    strange = await received(shop, peppol(receiver=other), {**ENVELOPE, "messageId": "m-2"})
    (message,) = strange["messages"]
    assert message["status"]["code"] == "AB"
    assert [(one["code"], one["text"].partition(":")[0]) for one in message["issues"]] == [("BW", "RECEIVER_DIFFERS")]


async def test_a_file_that_cant_be_read_is_refused_and_its_sender_told(shop: Shop, tmp_path: Path) -> None:
    without = await send(shop.api, b"<a/>")
    assert (without.status_code, without.json()["details"]) == (400, {})
    assert await statuses(shop) == 0
    keyed = {"x-api-idempotency-key": "one"}
    first, replayed, again = [await send(shop.api, b"<a/>", ENVELOPE, **one) for one in (keyed, keyed, {})]
    assert [one.status_code for one in (first, replayed, again)] == [400] * 3
    assert "Idempotent-Replayed" in replayed.headers
    assert replayed.json() == first.json()
    assert first.json()["code"] == "INCOMING_DOCUMENT_UNREADABLE"
    message = first.json()["details"]["message"]
    assert again.json()["details"] == {"message": message}
    assert (message["incomingDocumentId"], message["status"]["code"]) == (None, "RE")
    assert [(one["code"], one["text"]) for one in message["issues"]] == [("SV", first.json()["message"])]
    await work(shop, message["status"], FolderTransport(tmp_path))
    (xml,) = files(tmp_path).values()
    assert (read(xml).code, read(xml).reference) == ("RE", "m-1")
    assert (await statuses(shop), (await shop.ok("GET", PATH))["total"]) == (1, 0)
    assert await shop.events("incoming_message.received") == [message]
    (event,) = await shop.events("incoming_message.status_sent")
    assert event["status"]["status"] == "sent"
    # Its message is answered: what comes under the id of it now is another one's.
    details = await another(shop, peppol())
    assert details == {"messageId": "m-1", "incomingDocumentId": None}
    assert (await shop.ok("GET", PATH))["total"] == 0


async def test_a_message_is_answered_once_however_often_it_comes(shop: Shop) -> None:
    found = await asyncio.gather(*(send(shop.api, peppol(), ENVELOPE) for _ in range(4)))
    assert sorted(one.status_code for one in found) == [200, 200, 200, 201]
    document = found[0].json()
    assert {str(one.json()["messages"]) for one in found} == {str(document["messages"])}
    # What is told otherwise of it later changes nothing.
    assert await received(shop, peppol(), {"messageId": "m-1", "mlsType": "FAILURE_ONLY"}, status=200) == document
    assert await received(shop, peppol(), status=200) == document
    untouched = await rows_of(shop.api)
    assert await another(shop, EUROS) == {"messageId": "m-1", "incomingDocumentId": document["id"]}
    assert await rows_of(shop.api) == untouched
    assert await statuses(shop) == 1
    # The same file in another message gets that one's status.
    twice = await received(shop, peppol(), {**ENVELOPE, "messageId": "m-2"}, status=200)
    first, second = twice["messages"]
    assert (first, second["messageId"], second["status"]["code"]) == (document["messages"][0], "m-2", "AP")
    assert second["status"]["id"] != first["status"]["id"]
    assert [one["messageId"] for one in await shop.events("incoming_message.received")] == ["m-1", "m-2"]
    assert len(await shop.events("incoming_document.received")) == 1


async def test_a_status_that_failed_is_sent_again_by_the_same_message(shop: Shop) -> None:
    document = await received(shop, EUROS, ENVELOPE)
    status = document["messages"][0]["status"]
    xml = await xml_of(shop, document, status)
    await give_up(run_of(shop, status), "too many tries")
    (failed,) = await shop.events("incoming_message.status_failed")
    assert (failed["status"]["status"], len(failed["status"]["attempts"])) == ("failed", 1)
    again = await received(shop, EUROS, ENVELOPE, status=200)
    assert again["messages"][0]["status"] == {
        **failed["status"], "status": "pending", "updatedAt": again["messages"][0]["status"]["updatedAt"],
    }  # fmt: skip
    assert await shop.events("incoming_message.received") == [*document["messages"], *again["messages"]]
    async with open_access_point() as point:
        await work(shop, status, AccessPoint(point.url))
    assert [(got.fields["e-invoice-message-id"], got.content) for got in point.got] == [(status["id"], xml)]


async def test_an_oioubl_document_gets_what_oioubl_has(shop: Shop, tmp_path: Path) -> None:
    taken = await received(shop, oioubl(), {"messageId": "m-1"})
    assert [(one["status"], one["statusOmitted"]) for one in taken["messages"]] == [(None, "NONE_IN_FORMAT")]
    raw = oioubl(number="F-2").replace(b'currencyID="DKK"', b'currencyID="EUR"')
    refused = await received(shop, raw, {"messageId": "m-2"})
    (message,) = refused["messages"]
    status = message["status"]
    assert (status["code"], status["receiver"]) == ("TechnicalReject", "0184:25313763")
    xml = await xml_of(shop, refused, status)
    told, ubl = read(xml), Ubl.of(xml)
    assert (told.kind, told.code, told.reference) == ("application_response", "TechnicalReject", "F-2")
    assert told.text == status["note"]
    assert message["issues"][0]["text"] in status["note"]
    assert (ubl.text("ProfileID"), ubl.schemed("ReceiverParty/EndpointID")) == ("NONE", ("DK:CVR", "DK25313763"))
    await work(shop, status, FolderTransport(tmp_path))
    assert files(tmp_path) == {"0184-13585628_application_response_F-2.xml": xml}
    nobody = oioubl(number="F-3", sender={**SENDER, "vat": None}).replace(b'currencyID="DKK"', b'currencyID="EUR"')
    (message,) = (await received(shop, nobody, {"messageId": "m-3"}))["messages"]
    assert (message["status"], message["statusOmitted"]) == (None, "ADDRESS_UNKNOWN")


@pytest.mark.parametrize(
    ("raw", "envelope", "code", "omitted"),
    [
        (peppol(), {"mlsType": "FAILURE_ONLY"}, None, "NOT_ASKED_FOR"),
        (EUROS, {"mlsType": "FAILURE_ONLY"}, "RE", None),
        (peppol(customization="urn:cen.eu:en16931:2017"), {}, "AP", None),
        (peppol(), {"senderAccessPoint": ""}, None, "ACCESS_POINT_UNKNOWN"),
        (EUROS, {"receiverAccessPoint": ""}, None, "ACCESS_POINT_UNKNOWN"),
        (peppol(), {"senderAccessPoint": "", "mlsTo": "000456"}, "AP", None),
    ],
)
async def test_who_asks_for_no_status_or_cant_be_reached_gets_none(
    shop: Shop, raw: bytes, envelope: dict[str, str], code: str | None, omitted: str | None
) -> None:
    told = {name: value for name, value in {**ENVELOPE, **envelope}.items() if value}
    (message,) = (await received(shop, raw, told))["messages"]
    assert ((message["status"] or {}).get("code"), message["statusOmitted"]) == (code, omitted)
    assert await statuses(shop) == (code is not None)


async def test_json_has_the_envelope_in_it_and_what_is_told_wrongly_is_refused(shop: Shop) -> None:
    body = {"fileName": "f.xml", "content": b64encode(peppol()).decode()}
    untouched = await rows_of(shop.api)
    for wrong, place in (
        ({"messageId": ""}, "envelope.messageId"),
        ({"messageId": "a b"}, "envelope.messageId"),
        ({"senderAccessPoint": "000456"}, "envelope.messageId"),
        ({**ENVELOPE, "senderAccessPoint": "456"}, "envelope.senderAccessPoint"),
        ({**ENVELOPE, "mlsTo": "0088:000456"}, "envelope.mlsTo"),
        ({**ENVELOPE, "mlsType": "NEVER"}, "envelope.mlsType"),
        ({**ENVELOPE, "sender": "x"}, "envelope.sender"),
    ):
        details = await shop.refused("POST", PATH, {**body, "envelope": wrong}, 400, "SHARED_VALIDATION_FAILED")
        assert [one["property"] for one in details["validationErrors"]] == [place]
    for told, place in (
        ({"senderAccessPoint": "000456"}, "messageId"),
        ({**ENVELOPE, "messageId": "é"}, "messageId"),
        ({**ENVELOPE, "receiverAccessPoint": "0001234"}, "receiverAccessPoint"),
        ({**ENVELOPE, "message": "x"}, "message"),
    ):
        answer = await send(shop.api, peppol(), told)
        assert answer.status_code == 400
        assert [one["property"] for one in answer.json()["details"]["validationErrors"]] == [place]
    both = await shop.api.request("POST", PATH, json=body, params=ENVELOPE)
    assert (both.status_code, both.json()["code"]) == (400, "SHARED_VALIDATION_FAILED")
    assert await rows_of(shop.api) == untouched
    document = await shop.ok("POST", PATH, {**body, "envelope": {**ENVELOPE, "mlsType": "ALWAYS_SEND"}}, status=201)
    assert document["messages"][0]["status"]["code"] == "AP"
    assert await received(shop, peppol(), ENVELOPE, status=200) == document, (
        "however it is told, it is the same message"
    )


async def test_of_no_envelope_nothing_is_kept_or_said(shop: Shop) -> None:
    document = await shop.ok("POST", PATH, {"fileName": "f.xml", "content": b64encode(peppol()).decode(),
                                            "envelope": None}, status=201)  # fmt: skip
    assert document["messages"] == []
    assert (await received(shop, EUROS))["messages"] == []
    assert await statuses(shop) == 0
    assert await shop.events("incoming_message.received") == []
