"""Answers to e-invoices that came in: written, kept, sent once, and shown."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
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
from tests.ubl_files import SENDER, line, oioubl, peppol

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.network.transport.access_point import AccessPoint
from ledgerbee.network.transport.folder import FolderTransport
from ledgerbee.network.transport.model import NoTransport, Transport, TransportFailedError, TransportNotConfiguredError
from ledgerbee.platform.context import Context
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


def run_of(shop: Shop, given: dict[str, Any], attempt: int = 1, **facts: Any) -> JobRun:
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
        **facts,
    )


async def work(shop: Shop, given: dict[str, Any], transport: Transport, attempt: int = 1) -> None:
    await send_answer(transport, run_of(shop, given, attempt))


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """An access point that takes a message and says nothing: its address, and whether somebody has sent one."""
    heard, over = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        heard.set()
        await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
    finally:
        over.set()
        server.close()


async def jobs_of(shop: Shop, *answers: dict[str, Any]) -> list[int]:
    """Which of these answers the worker was asked to send, by their places."""

    async def work(context: Context) -> list[str]:
        found = await context.connection.fetch(
            "SELECT convert_from(payload, 'UTF8')::jsonb ->> 'answerId' AS id FROM pgqueuer"
            " WHERE entrypoint = 'send_incoming_answer'"
        )
        return [row["id"] for row in found]

    places = {one["id"]: place for place, one in enumerate(answers)}
    asked: list[str] = await shop.api.run(work)
    return sorted(places[one] for one in asked if one in places)


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


async def test_an_answer_leaves_after_those_before_it(shop: Shop, tmp_path: Path) -> None:
    """They come to the sender as they were given, however their jobs are run; of a status nobody waits."""
    document = await received(shop.api, peppol())
    given = [await answer(shop, document, code) for code in ("received", "inProcess", "accepted", "paid")]
    assert await jobs_of(shop, *given) == [0]
    for place in (3, 1, 2, 0, 3, 2, 1, 2, 3):
        await work(shop, given[place], FolderTransport(tmp_path))
    assert await jobs_of(shop, *given) == [0, 1, 2, 3]
    shown = await answers_of(shop, document)
    assert [[one["outcome"] for one in each["attempts"]] for each in shown] == [["sent"]] * 4
    told = await shop.events("incoming_document.answer_sent")
    assert [[one["status"] for one in event["answers"]] for event in told] == [
        ["sent"] * place + ["pending"] * (4 - place) for place in range(1, 5)
    ]


async def test_an_answer_waits_for_one_that_is_tried_again_and_not_for_one_that_failed(
    shop: Shop, tmp_path: Path
) -> None:
    other, document = await received(shop.api, peppol(number="F-2")), await received(shop.api, peppol())
    first = await answer(shop, document, "underQuery", note="Which order?")
    folder = tmp_path / "folder"
    folder.write_text("no folder")
    with pytest.raises(TransportFailedError):
        await work(shop, first, FolderTransport(folder))
    folder.unlink()
    second, third = await answer(shop, document, "accepted"), await answer(shop, document, "paid")
    elsewhere = await answer(shop, other, "accepted")
    for one in (second, third, elsewhere):
        await work(shop, one, FolderTransport(folder))
    assert list(files(folder)) == ["0184-13585628_invoice_response_F-2.xml"]
    assert await jobs_of(shop, first, second, third, elsewhere) == [0, 3]
    await give_up(run_of(shop, first), "too many tries")
    assert await jobs_of(shop, first, second, third, elsewhere) == [0, 1, 3]
    await work(shop, third, FolderTransport(folder))
    await work(shop, second, FolderTransport(folder))
    await work(shop, third, FolderTransport(folder))
    assert [one["status"] for one in await answers_of(shop, document)] == ["failed", "sent", "sent"]
    assert await jobs_of(shop, first, second, third) == [0, 1, 2]


async def test_a_later_answer_is_of_no_earlier_time(shop: Shop) -> None:
    """Clocks of two processes differ, and who waited for the other has the earlier moment."""
    document = await received(shop.api, peppol())
    moments = []
    for code, seconds in (("received", 0), ("inProcess", -90), ("accepted", -89), ("paid", 100)):
        shop.api.clock.now += timedelta(seconds=seconds)
        given = await answer(shop, document, code)
        ubl = Ubl.of(await xml_of(shop, document, given))
        moments.append((f"{ubl.text('IssueDate')}T{ubl.text('IssueTime')}", given["createdAt"]))
    assert moments == sorted(moments)
    assert len(set(moments)) == 1, "the last clock is still behind the first"


async def test_who_died_sending_it_is_waited_for_no_longer(shop: Shop, point: AccessPointServer) -> None:
    """Its claim ends with it: the try is told as broken off, and the same bytes go out under the same id."""
    document = await received(shop.api, peppol())
    given = await answer(shop, document, "accepted")
    await shop.value("UPDATE incoming_answers SET status = 'sending' RETURNING true")
    await send_answer(AccessPoint(point.url), run_of(shop, given, has_worker_died=True))
    (shown,) = await answers_of(shop, document)
    assert [(one["outcome"], "may have arrived" in one["message"]) for one in shown["attempts"]] == [
        ("failed", True), ("sent", False),
    ]  # fmt: skip
    assert [got.fields["e-invoice-message-id"] for got in point.got] == [given["id"]]


async def test_a_worker_that_stops_gives_it_back(shop: Shop, point: AccessPointServer, tmp_path: Path) -> None:
    document = await received(shop.api, peppol())
    given = await answer(shop, document, "accepted")
    async with silent_server() as (url, heard):
        task = asyncio.create_task(work(shop, given, AccessPoint(url), MAX_ATTEMPTS))
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (shown,) = await answers_of(shop, document)
    assert (shown["status"], [one["outcome"] for one in shown["attempts"]]) == ("pending", ["failed"])
    await work(shop, given, AccessPoint(point.url), MAX_ATTEMPTS)
    assert (await answers_of(shop, document))[0]["status"] == "sent"


async def test_nobody_answers_in_another_companys_name(shop: Shop, api: Api) -> None:
    """By the number that a document is addressed to: any XML can be posted, whoever it is from and for."""
    other = {"name": "Nordlys ApS", "vat": "DK13585628", "country": "DK", "endpoint": "0184|31119103"}
    mistaken = await received(shop.api, peppol(receiver=other))
    assert "RECEIVER_DIFFERS" in [one["code"] for one in mistaken["problems"]]
    for endpoint, number in (("0184|31119103", "F-2"), ("0198|DK31119103", "F-3"), ("DK:CVR|DK31119103", "F-4")):
        document = await received(shop.api, peppol(number=number, receiver={**other, "endpoint": endpoint}))
        xml = await xml_of(shop, document, await answer(shop, document, "accepted"))
        assert Ubl.of(xml).schemed("SenderParty/EndpointID") == ("0184", "13585628")
    await shop.ok("PATCH", "/v1/company", {"vatNumber": None})
    somebody = {"name": "Andre ApS", "vat": None, "country": "DK", "endpoint": "0184|12345674"}
    for place, facts in enumerate((somebody, {**somebody, "vat": "DK12345674", "endpoint": None})):
        document = await received(shop.api, peppol(number=f"G-{place}", receiver=facts))
        assert "RECEIVER_UNCERTAIN" in [one["code"] for one in document["problems"]]
        untouched = await rows_of(shop.api)
        details = await shop.refused(
            "POST", path_of(document), {"answer": "accepted"}, 409, "INCOMING_DOCUMENT_NOT_ANSWERABLE"
        )
        assert details == {"missing": ["receiver.endpoint"]}
        assert await rows_of(shop.api) == untouched
    gln = {**somebody, "vat": None, "endpoint": "0088|5798009811578"}
    document = await received(shop.api, peppol(number="G-9", receiver=gln))
    xml = await xml_of(shop, document, await answer(shop, document, "accepted"))
    assert Ubl.of(xml).schemed("SenderParty/EndpointID") == ("0088", "5798009811578")


async def test_a_published_sender_whose_number_fails_its_check_digit_is_answered_as_it_is_stated(shop: Shop) -> None:
    tavle = {"name": "Tavleleverandøren", "vat": "DK16356706", "country": "DK", "endpoint": "DK:CVR|DK16356706"}
    document = await received(shop.api, oioubl(sender=tavle))
    xml = await xml_of(shop, document, await answer(shop, document, "accepted"))
    assert Ubl.of(xml).schemed("ReceiverParty/EndpointID") == ("DK:CVR", "DK16356706")


async def test_a_sender_in_no_scheme_of_the_network_cant_be_answered(shop: Shop) -> None:
    document = await received(shop.api, peppol(sender={**SENDER, "endpoint": "9999|0123456789"}))
    response = await shop.api.post(path_of(document), {"answer": "accepted"})
    assert (response.status_code, response.json()["code"]) == (409, "INCOMING_DOCUMENT_NOT_ANSWERABLE")
    assert response.json()["details"] == {"missing": ["sender.endpoint"], "senderEndpoint": "9999:0123456789"}
    assert "9999:0123456789" in response.json()["message"]


@pytest.mark.parametrize(
    ("kind", "code", "told"),
    [
        ("Invoice", "386", "386"), ("Invoice", "381", "381"), ("Invoice", "326", "326"), ("CreditNote", "261", "261"),
        ("Invoice", None, "380"), ("CreditNote", None, "381"), ("Invoice", "no code", "380"),
    ],
)  # fmt: skip
async def test_a_document_is_referred_to_by_its_own_type(shop: Shop, kind: str, code: str | None, told: str) -> None:
    raw = peppol(kind=kind).decode()
    if code:
        type_code = f"<cbc:{kind}TypeCode>{code}</cbc:{kind}TypeCode>"
        raw = raw.replace("<cbc:DocumentCurrencyCode>", f"{type_code}<cbc:DocumentCurrencyCode>")
    document = await received(shop.api, raw.encode())
    xml = await xml_of(shop, document, await answer(shop, document, "rejected", note="No"))
    assert Ubl.of(xml).text("DocumentResponse/DocumentReference/DocumentTypeCode") == told


@pytest.mark.parametrize("form", [peppol, oioubl])
async def test_a_document_is_referred_to_by_its_number_as_it_is(shop: Shop, form: Any) -> None:
    """Numbers that look alike are those of different documents, and that they do is shown."""
    written = {"A B": "A B", "A\tB": "A B", "A&#10;B": "A B", "A\xa0B": "A\xa0B", "AB": "AB", "A\u200bB": "A\u200bB",
               "A\xa0": "A\xa0", "A": "A"}  # fmt: skip
    firsts: dict[str, str] = {}
    for place, (number, true) in enumerate(written.items()):
        raw = form(line(f"{place + 1}00.00")).decode().replace("<cbc:ID>F-1001<", f"<cbc:ID>{number}<")
        document = await received(shop.api, raw.encode())
        assert document["number"] == {"A\u200bB": "AB", "A\xa0": "A"}.get(number, true.replace("\xa0", " "))
        assert document["duplicateOf"] == firsts.setdefault(true, document["id"]) or firsts[true] == document["id"]
        codes = [one["code"] for one in document["problems"]]
        assert ("NUMBER_UNREADABLE" in codes) is (number not in {"A B", "AB", "A"})
        assert ("POSSIBLE_DUPLICATE" in codes) is (firsts[true] != document["id"])
        xml = await xml_of(shop, document, await answer(shop, document, "accepted"))
        assert f"<cac:DocumentReference><cbc:ID>{true}</cbc:ID>" in xml.decode()


async def test_what_cant_be_seen_is_no_note(shop: Shop) -> None:
    document = await received(shop.api, peppol())
    untouched = await rows_of(shop.api)
    for note in ("", " ", "\u200b", "\x7f", "\xa0\u2060"):
        details = await shop.refused(
            "POST", path_of(document), {"answer": "rejected", "note": note}, 400, "SHARED_VALIDATION_FAILED"
        )
        assert [one["property"] for one in details["validationErrors"]] == ["note"]
    for code in ("accepted", "conditionallyAccepted", "rejected"):
        body = {"answer": code, "reason": "PPD", "note": "Half of it"}
        details = await shop.refused("POST", path_of(document), body, 400, "SHARED_VALIDATION_FAILED")
        assert [one["property"] for one in details["validationErrors"]] == ["reason"]
    assert await rows_of(shop.api) == untouched
    given = await answer(shop, document, "received", note="\u200b")
    assert given["note"] is None
    assert "StatusReason" not in (await xml_of(shop, document, given)).decode()
    paid = await answer(shop, document, "paid", reason="PPD", note="Half of it")
    assert Ubl.of(await xml_of(shop, document, paid)).text("DocumentResponse/Response/Status/StatusReasonCode") == "PPD"
