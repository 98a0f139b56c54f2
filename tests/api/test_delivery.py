"""Delivery of sent invoices as mail, against a real mail server: what goes out, what is recorded, what is retried."""

import asyncio
import email
import io
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.policy import compat32, default
from email.utils import parseaddr
from typing import Any
from uuid import UUID

import pypdf
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from tests.conftest import BLOBS, Api
from tests.post_office import PostOffice, attachments, free_port, open_post_office, text_of
from tests.selling import Shop, line

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform import db, logs
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer, MailFailedError, MailNotConfiguredError
from ledgerbee.platform.shares import REFUSED
from ledgerbee.sales.delivery import recording
from ledgerbee.sales.delivery.jobs import deliver_document, give_up_delivery
from ledgerbee.sales.delivery.rules import CLAIM_LASTS
from ledgerbee.sales.kinds import KINDS

SENDER = "invoices@ledgerbee.example"
MAX_ATTEMPTS = 8


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


@pytest_asyncio.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with open_post_office(PostOffice()) as office:
        yield office


async def mailed(shop: Shop, **customer: Any) -> dict[str, Any]:
    """An invoice sent by mail and waiting for the worker."""
    draft = await shop.draft(
        await shop.customer(**{"email": "faktura@havblik.example", **customer}), line(await shop.price("99.50"), 3)
    )
    return await shop.send(draft, deliveryType="Email")


async def run_job(shop: Shop, invoice: dict[str, Any], url: str | None, attempt: int = 1) -> None:
    """What the worker does with the invoice's job."""
    await deliver_document(KINDS, job_run(shop, invoice, url, await delivery_id_of(shop, invoice), attempt))


async def delivery_id_of(shop: Shop, invoice: dict[str, Any]) -> UUID:
    found: UUID = await shop.value(
        "SELECT id FROM deliveries WHERE document_id = $1 AND is_latest", UUID(invoice["id"])
    )
    return found


def job_run(shop: Shop, invoice: dict[str, Any], url: str | None, delivery_id: UUID, attempt: int = 1) -> JobRun:
    api = shop.api
    return JobRun(
        database=api.database,
        mailer=Mailer(url, SENDER),
        blobs=BLOBS,
        clock=api.clock,
        company_id=api.company_id,
        request_id="test",
        payload={"kind": "invoice", "documentId": invoice["id"], "deliveryId": str(delivery_id)},
        attempt=attempt,
        max_attempts=MAX_ATTEMPTS,
    )


async def delivery(shop: Shop, invoice: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await shop.ok("GET", f"/v1/invoices/{invoice['id']}/delivery-status")
    return found


async def pdf_of(shop: Shop, invoice: dict[str, Any]) -> bytes:
    return (await shop.api.get(f"/v1/invoices/{invoice['id']}/pdf")).content


async def test_a_mailed_invoice_goes_from_scheduled_over_sending_to_sent(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop)
    assert (invoice["status"], (await delivery(shop, invoice))["status"]) == ("scheduled", "pending")
    office.hold()
    job = asyncio.create_task(run_job(shop, invoice, office.url))
    await office.taken.wait()
    underway = await shop.invoice(invoice["id"])
    assert (underway["status"], (await delivery(shop, invoice))["status"]) == ("sending", "sending")
    office.go_on.set()
    await job
    sent = await shop.invoice(invoice["id"])
    assert (sent["status"], sent["sentAt"]) == ("sent", "2026-03-16T12:00:00.000Z")
    found = await delivery(shop, invoice)
    (recipient,) = found.pop("recipients")
    assert (recipient["status"], recipient["reason"]) == ("delivered", None)
    assert recipient["messageSize"] == len(office.received[0])
    assert found == {
        "status": "delivered",
        "deliveryType": "Email",
        "attempts": [
            {
                "at": "2026-03-16T12:00:00.000Z",
                "channel": "email",
                "recipient": "faktura@havblik.example",
                "outcome": "delivered",
                "message": "2.0.0 Ok: queued as 4F1A2",
                "providerId": office.mails_to("faktura@havblik.example")[0]["Message-ID"],
            }
        ],
    }


async def test_the_mail_says_what_it_is_and_carries_the_pdf(shop: Shop, office: PostOffice) -> None:
    await shop.ok("PATCH", "/v1/company", {"email": "kontor@nordlys.example", "iban": "DK5000400440116243"})
    invoice = await mailed(shop, name="Rødgrød & Fløde A/S", contacts=[{"name": "Søren Ærø"}])
    await run_job(shop, invoice, office.url)
    (recipients, message), *others = office.mails
    assert (recipients, others) == (["faktura@havblik.example"], [])
    assert str(message["From"]) == f"Nordlys ApS <{SENDER}>"
    assert str(message["To"]) == "faktura@havblik.example"
    assert str(message["Reply-To"]) == "Nordlys ApS <kontor@nordlys.example>"
    assert str(message["Subject"]) == "Faktura 1 fra Nordlys ApS"
    assert str(message["Date"]) == "Mon, 16 Mar 2026 12:00:00 +0000"
    plain = text_of(message, "plain")
    assert "Vedhæftet er faktura 1 af 16. marts 2026 på 373,13 DKK." in plain.replace("\u00a0", " ")
    assert "IBAN: DK50 0040 0440 1162 43" in plain
    assert "Rødgrød &amp; Fløde A/S" in text_of(message, "html")
    assert attachments(message) == {"Faktura 1.pdf": await pdf_of(shop, invoice)}
    printed = pypdf.PdfReader(io.BytesIO(attachments(message)["Faktura 1.pdf"])).pages[0].extract_text()
    assert "373,13" in printed
    assert "Rødgrød & Fløde A/S" in printed


async def test_a_customer_who_reads_english_gets_an_english_mail(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop, language="en")
    await run_job(shop, invoice, office.url)
    message = office.mails_to("faktura@havblik.example")[0]
    assert str(message["Subject"]) == "Invoice 1 from Nordlys ApS"
    assert "Please find attached invoice 1 of 16 March 2026 for 373.13 DKK." in text_of(message, "plain").replace(
        "\u00a0", " "
    )


@pytest.mark.parametrize(
    ("address", "on_the_wire"),
    [
        ("faktura@blåbærgrød.example", "faktura@xn--blbrgrd-fxak7p.example"),
        ("søren@blåbærgrød.example", "søren@xn--blbrgrd-fxak7p.example"),
    ],
)
async def test_addresses_beyond_ascii_reach_their_server(
    shop: Shop, office: PostOffice, address: str, on_the_wire: str
) -> None:
    invoice = await mailed(shop, email=address)
    await run_job(shop, invoice, office.url)
    assert [recipients for recipients, _ in office.mails] == [[on_the_wire]]


async def test_a_refused_recipient_fails_for_good(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop)
    office.recipient_answers = ["550 5.1.1 No such user"]
    await run_job(shop, invoice, office.url)  # does not raise: the worker has nothing to try again
    found = await delivery(shop, invoice)
    assert found["status"] == "failed"
    assert [(attempt["outcome"], attempt["message"]) for attempt in found["attempts"]] == [
        ("failed", "550 5.1.1 No such user")
    ]
    assert (await shop.invoice(invoice["id"]))["status"] == "scheduled"
    await run_job(shop, invoice, office.url, attempt=2)
    assert office.mails == []


async def test_a_delivery_that_failed_for_good_is_told(
    shop: Shop, office: PostOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended() -> float:
        return REGISTRY.get_sample_value("ledgerbee_deliveries_total", {"outcome": "failed"}) or 0

    invoice = await mailed(shop)
    before = ended()
    office.recipient_answers = ["550 5.1.1 No such user faktura@havblik.example"]
    logs.configure("INFO")
    await run_job(shop, invoice, office.url)
    assert ended() == before + 1
    lines = [json.loads(text) for text in capsys.readouterr().err.splitlines() if text.startswith("{")]
    (told,) = [text for text in lines if text["event"] == "delivery.failed"]
    assert told["level"] == "warning"
    assert (told["invoice_id"], told["company_id"]) == (invoice["id"], str(shop.api.company_id))
    assert "havblik" not in json.dumps(told)
    (event,) = await shop.events("invoice.delivery_failed")
    assert (event["id"], event["status"]) == (invoice["id"], "scheduled")
    assert event["delivery"]["deliveryType"] == "Email"
    assert event["delivery"]["message"].startswith("550 5.1.1 No such user")
    await run_job(shop, invoice, office.url, attempt=2)
    assert len(await shop.events("invoice.delivery_failed")) == 1


async def test_invoices_are_found_by_where_their_delivery_stands(shop: Shop, office: PostOffice) -> None:
    async def found(status: str) -> list[str]:
        page = await shop.ok("GET", f"/v1/invoices?deliveryStatus={status}&limit=100")
        assert page["total"] == len(page["data"])
        for one in page["data"]:
            assert one["deliveryStatus"] == status
            assert (await shop.ok("GET", f"/v1/invoices/{one['id']}"))["deliveryStatus"] == status
        return sorted(one["id"] for one in page["data"])

    draft = await shop.draft(await shop.customer(), line(await shop.price("1"), 1))
    by_hand = await shop.send(await shop.draft(await shop.customer(), line(await shop.price("1"), 1)))
    waiting, refused, again, delivered = [await mailed(shop, email=f"{name}@havblik.example") for name in "abcd"]
    await run_job(shop, delivered, office.url)
    for invoice in (refused, again):
        office.recipient_answers = ["550 5.1.1 No such user"]
        await run_job(shop, invoice, office.url)
    assert await found("failed") == sorted([refused["id"], again["id"]])
    await shop.ok("POST", f"/v1/invoices/{again['id']}/send", {"deliveryType": "Manual"}, status=200)
    assert await found("failed") == [refused["id"]]
    assert await found("manual") == sorted([by_hand["id"], again["id"]])
    assert await found("pending") == [waiting["id"]]
    assert await found("delivered") == [delivered["id"]]
    assert await found("sending") == []
    for status in ("failed", "manual", "pending", "delivered", "sending"):
        assert draft["id"] not in await found(status)
    assert draft["deliveryStatus"] is None
    everything = await shop.ok("GET", "/v1/invoices?limit=100")
    assert {one["id"]: one["deliveryStatus"] for one in everything["data"]} == {
        draft["id"]: None, by_hand["id"]: "manual", waiting["id"]: "pending", refused["id"]: "failed",
        again["id"]: "manual", delivered["id"]: "delivered",
    }  # fmt: skip
    page = await shop.ok(
        "GET", f"/v1/invoices?deliveryStatus=failed&status=scheduled&customerId={refused['customerId']}"
    )
    assert [one["id"] for one in page["data"]] == [refused["id"]]
    answer = await shop.api.get("/v1/invoices?deliveryStatus=lost")
    assert answer.status_code == 400
    [problem] = answer.json()["details"]["validationErrors"]
    assert (problem["property"], list(problem["constraints"])) == ("deliveryStatus", ["isEnum"])


async def test_an_unforeseen_end_is_a_failed_delivery_once(shop: Shop, office: PostOffice) -> None:
    """What the worker does when the tries are used up: whether one had begun or not, and also if it does it twice."""
    invoice = await mailed(shop)
    for _ in range(2):
        await give_up_delivery(
            KINDS, job_run(shop, invoice, office.url, await delivery_id_of(shop, invoice)), "it was in vain"
        )
    found = await delivery(shop, invoice)
    assert found["status"] == "failed"
    assert [attempt["message"] for attempt in found["attempts"]] == [
        "It was in vain. The log of the program has the error under request test."
    ]
    assert len(await shop.events("invoice.delivery_failed")) == 1
    await shop.ok("POST", f"/v1/invoices/{invoice['id']}/send", {"deliveryType": "Manual"}, status=200)
    assert (await delivery(shop, invoice))["status"] == "manual"


@pytest.mark.parametrize("stage", ["recipient", "data"])
async def test_a_server_that_says_later_is_asked_again(shop: Shop, office: PostOffice, stage: str) -> None:
    invoice = await mailed(shop)
    answers = office.recipient_answers if stage == "recipient" else office.data_answers
    answers.append("451 4.7.1 Greylisted")
    with pytest.raises(MailFailedError, match="Greylisted"):
        await run_job(shop, invoice, office.url)
    waiting = await delivery(shop, invoice)
    assert (waiting["status"], (await shop.invoice(invoice["id"]))["status"]) == ("pending", "scheduled")
    await run_job(shop, invoice, office.url, attempt=2)
    found = await delivery(shop, invoice)
    assert found["status"] == "delivered"
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["failed", "delivered"]
    assert len(office.mails) == 1


async def test_the_last_try_gives_up(shop: Shop) -> None:
    invoice = await mailed(shop)
    with pytest.raises(MailFailedError):
        await run_job(shop, invoice, f"smtp://127.0.0.1:{free_port()}", attempt=MAX_ATTEMPTS)
    assert (await delivery(shop, invoice))["status"] == "failed"


async def test_without_a_mail_server_the_invoice_waits_for_one(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop)
    with pytest.raises(MailNotConfiguredError):
        await run_job(shop, invoice, None)
    waiting = await delivery(shop, invoice)
    assert waiting["status"] == "pending"
    assert "SMTP_URL" in waiting["attempts"][0]["message"]
    await run_job(shop, invoice, office.url, attempt=2)
    assert (await shop.invoice(invoice["id"]))["status"] == "sent"


async def test_a_delivered_invoice_is_not_delivered_again(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop)
    await run_job(shop, invoice, office.url)
    before = await delivery(shop, invoice)
    await run_job(shop, invoice, office.url)
    assert len(office.mails) == 1
    assert await delivery(shop, invoice) == before


async def test_a_worker_that_dies_after_the_mail_doubles_nothing_but_the_mail(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop)
    office.hold()
    dying = asyncio.create_task(run_job(shop, invoice, office.url))
    await office.taken.wait()
    dying.cancel()
    await asyncio.sleep(0)
    office.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await dying
    with pytest.raises(LedgerBeeError, match="another worker"):  # its claim still holds
        await run_job(shop, invoice, office.url)
    shop.api.clock.now += CLAIM_LASTS
    await run_job(shop, invoice, office.url)
    first, second = office.mails_to("faktura@havblik.example")
    assert first["Message-ID"] == second["Message-ID"]
    assert office.received[0] == office.received[1], "the kept mail is sent again"
    found = await delivery(shop, invoice)
    assert found["status"] == "delivered"
    assert [(attempt["outcome"], attempt["providerId"]) for attempt in found["attempts"]] == [
        ("failed", first["Message-ID"]),
        ("delivered", first["Message-ID"]),
    ]
    assert "may have gone out" in found["attempts"][0]["message"]
    assert len(await shop.events("invoice.sent")) == 1
    assert await shop.balance(6190) == Decimal("373.13")


async def test_a_mail_is_not_sent_again_for_want_of_a_connection(
    shop: Shop, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The company's own requests hold its share when the mail has left: its outcome is recorded once they are done."""
    monkeypatch.setattr(db, "ACQUIRE_TIMEOUT_S", 0.1)
    monkeypatch.setattr(recording, "PAUSES_S", (0.1,) * 50)
    invoice = await mailed(shop)
    office.hold()
    delivering = asyncio.create_task(run_job(shop, invoice, office.url))
    await office.taken.wait()
    done = asyncio.Event()

    async def hold(_: Context) -> None:
        await done.wait()

    holding = [asyncio.create_task(shop.api.run(hold)) for _ in range(10)]
    await asyncio.sleep(0.5)  # those without a connection have given up
    assert not all(task.done() for task in holding)
    turned_away = REFUSED.labels("share")._value.get()
    office.go_on.set()
    await asyncio.sleep(0.5)
    assert REFUSED.labels("share")._value.get() > turned_away
    done.set()
    await delivering
    await asyncio.gather(*holding, return_exceptions=True)
    assert (await delivery(shop, invoice))["status"] == "delivered"
    assert len(office.mails) == 1


async def test_two_runs_at_once_send_one_mail(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop)
    outcomes = await asyncio.gather(*(run_job(shop, invoice, office.url) for _ in range(4)), return_exceptions=True)
    assert len(office.mails) == 1
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert {getattr(outcome, "code", outcome) for outcome in refused} <= {"DELIVERY_UNDERWAY"}
    assert len((await delivery(shop, invoice))["attempts"]) == 1


async def test_a_payment_that_comes_first_stays(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop)
    await shop.ok("POST", f"/v1/invoices/{invoice['id']}/payments", {"date": "2026-03-16", "amount": "373.13"})
    await run_job(shop, invoice, office.url)
    assert (await delivery(shop, invoice))["status"] == "delivered"
    paid = await shop.invoice(invoice["id"])
    assert (paid["status"], paid["sentAt"]) == ("paid", "2026-03-16T12:00:00.000Z")


async def test_the_mail_shows_the_invoice_as_it_was_booked(shop: Shop, office: PostOffice) -> None:
    invoice = await mailed(shop)
    booked = await pdf_of(shop, invoice)
    await shop.ok("PATCH", f"/v1/customers/{invoice['customerId']}", {"name": "Somebody else"})
    await shop.ok("PATCH", "/v1/company", {"name": "Renamed ApS"})
    await run_job(shop, invoice, office.url)
    message = office.mails[0][1]
    assert str(message["Subject"]) == "Faktura 1 fra Nordlys ApS"
    assert attachments(message) == {"Faktura 1.pdf": booked}


async def test_names_start_no_headers(shop: Shop, office: PostOffice) -> None:
    hostile = "Havblik\r\nBcc: thief@example.com\r\n\r\n<script>alert(1)</script>"
    await shop.ok("PATCH", "/v1/company", {"name": hostile})
    invoice = await mailed(shop, name=hostile, contacts=[{"name": hostile}])
    await run_job(shop, invoice, office.url)
    (recipients, message), *others = office.mails
    assert (recipients, others) == (["faktura@havblik.example"], [])
    assert message["Bcc"] is None
    assert str(message["Subject"]).strip() == "Faktura 1 fra Havblik Bcc: thief@example.com <script>alert(1)</script>"
    assert message["From"].addresses[0].addr_spec == SENDER
    assert "<script>" not in text_of(message, "html")


async def test_an_encoded_word_stays_a_name(shop: Shop, office: PostOffice) -> None:
    """The bytes that a server gets, read by two parsers; older Pythons decode such a word while they write it."""
    word = "=?utf-8?q?Bank=0ASubject:_Pay_now=0AReply-To:_x@evil.dk=0AContent-Type:_text/html=0A=0A=3Ch1=3EPhish?="
    await shop.ok("PATCH", "/v1/company", {"name": word, "email": "kontor@nordlys.example"})
    invoice = await mailed(shop, name=word, contacts=[{"name": word}])
    await run_job(shop, invoice, office.url)
    assert (await delivery(shop, invoice))["status"] == "delivered"
    (received,) = office.received
    for message in (
        email.message_from_bytes(received, Message, policy=compat32),
        email.message_from_bytes(received, EmailMessage, policy=default),
    ):
        assert sorted(message.keys()) == sorted([
            "Message-ID", "Date", "From", "To", "Reply-To", "Subject", "Auto-Submitted", "Content-Language",
            "Content-Type", "MIME-Version",
        ])  # fmt: skip
        assert message.get_content_type() == "multipart/mixed"
        assert [part.get_content_type() for part in message.walk()][1:] == [
            "multipart/alternative", "text/plain", "text/html", "application/pdf"
        ]  # fmt: skip
    name = str(make_header(decode_header(parseaddr(email.message_from_bytes(received)["From"])[0])))
    assert name == word


async def test_a_server_may_answer_in_any_encoding(shop: Shop) -> None:
    """What it said is kept as far as it can be read; a mail is not sent again because its answer can't be stored."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 old.example\r\n")
        is_data = False
        async for received in reader:
            if is_data and received == b".\r\n":
                is_data = False
                writer.write("250 Modtaget på kø\0\r\n".encode("latin-1"))
            elif not is_data:
                is_data = received.upper().startswith(b"DATA")
                writer.write(b"354 go on\r\n" if is_data else b"250 old.example\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        invoice = await mailed(shop)
        await run_job(shop, invoice, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    found = await delivery(shop, invoice)
    assert [attempt["message"] for attempt in found["attempts"]] == ["Modtaget p\ufffd k\ufffd"]
