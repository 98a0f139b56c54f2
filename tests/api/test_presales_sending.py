"""Sending quotes and order confirmations: numbers, mail, contacts, PDF, and what the database keeps."""

import asyncio
import json
from io import BytesIO
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pypdf import PdfReader
from tests.conftest import BLOBS, Api
from tests.ledger_books import as_owner, enter
from tests.post_office import PostOffice, open_post_office
from tests.selling import Shop, line

from ledgerbee.app.verify import verify
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer
from ledgerbee.sales.delivery.jobs import deliver_document, give_up_delivery
from ledgerbee.sales.kinds import KINDS

PATHS = pytest.mark.parametrize(
    ("path", "series"), [("/v1/quotes", "quote"), ("/v1/order-confirmations", "order_confirmation")]
)


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def drafted(shop: Shop, path: str, customer: str | None = None, **fields: Any) -> dict[str, Any]:
    body = {
        "customerId": customer or await shop.customer(), "date": "2026-03-16", "lines": [line(await shop.price("100"))],
        **fields,
    }  # fmt: skip
    made: dict[str, Any] = await shop.ok("POST", path, body)
    return made


async def payload_of(shop: Shop) -> dict[str, Any]:
    """The payload of the company's newest delivery job."""
    async with shop.api.database.connection() as connection:
        rows = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'deliver_document' ORDER BY id")
    found = [json.loads(row["payload"]) for row in rows]
    payload: dict[str, Any] = [one for one in found if one["companyId"] == str(shop.api.company_id)][-1]
    return payload


def run_of(shop: Shop, payload: dict[str, Any], url: str) -> JobRun:
    """A run of the job, as the worker makes it."""
    return JobRun(
        database=shop.api.database,
        mailer=Mailer(url, "invoices@ledgerbee.example"),
        blobs=BLOBS,
        clock=shop.api.clock,
        company_id=shop.api.company_id,
        request_id="test",
        payload=payload,
        attempt=1,
        max_attempts=8,
    )


async def verified(shop: Shop) -> str | None:
    async def work(context: Context) -> str | None:
        fault = (await verify(context)).fault
        return None if fault is None else fault.what

    found: str | None = await shop.api.run(work, one_snapshot=True)
    return found


@PATHS
async def test_numbers_have_no_holes_whatever_is_refused(shop: Shop, path: str, series: str) -> None:
    nobody = await shop.customer(email=None)
    for number in ("1", "2", "3"):
        refused = await drafted(shop, path, nobody)
        code = f"{series.upper()}_RECIPIENT_MISSING"
        await shop.refused("POST", f"{path}/{refused['id']}/send", {"deliveryType": "Email"}, 400, code)
        sent = await drafted(shop, path)
        await shop.ok("POST", f"{path}/{sent['id']}/send", {}, status=200)
        assert (await shop.ok("GET", f"{path}/{sent['id']}"))["documentNumber"] == number
    assert await verified(shop) is None


@PATHS
async def test_of_two_sends_at_once_one_wins(shop: Shop, path: str, series: str) -> None:
    draft = await drafted(shop, path)
    answers = await asyncio.gather(*(shop.api.post(f"{path}/{draft['id']}/send") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert await shop.value(
        "SELECT last_number FROM number_series WHERE company_id = $1 AND name = $2", shop.api.company_id, series
    ) == 1  # fmt: skip
    assert len(await shop.events(f"{series}.sent")) == 1
    assert await verified(shop) is None


@PATHS
async def test_many_at_once_have_a_number_each(shop: Shop, path: str, series: str) -> None:
    drafts = [await drafted(shop, path) for _ in range(5)]
    await asyncio.gather(*(shop.ok("POST", f"{path}/{one['id']}/send", {}, status=200) for one in drafts))
    found = (await shop.ok("GET", f"{path}?sortBy=documentNumber&sortOrder=ASC"))["data"]
    assert [one["documentNumber"] for one in found] == ["1", "2", "3", "4", "5"]


@PATHS
async def test_a_send_again_under_its_key_is_the_same(shop: Shop, path: str, series: str) -> None:
    draft, key = await drafted(shop, path), {"x-api-idempotency-key": f"{series}-1"}
    answers = [await shop.api.post(f"{path}/{draft['id']}/send", {}, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert len(await shop.events(f"{series}.sent")) == 1


@PATHS
@pytest.mark.parametrize(
    "body", [{"deliveryType": "Sproom"}, {"recipientEmail": "nobody"}, {"overrideEmail": "a@b.dk"}]
)
async def test_no_e_invoice_and_no_wrong_address(shop: Shop, path: str, series: str, body: dict[str, str]) -> None:
    draft = await drafted(shop, path)
    await shop.refused("POST", f"{path}/{draft['id']}/send", body, 400, "SHARED_VALIDATION_FAILED")
    assert await shop.ok("GET", f"{path}/{draft['id']}") == draft


async def contacts_of(shop: Shop, customer: str) -> list[str]:
    return [one["email"] for one in await shop.ok("GET", f"/v1/customers/{customer}/contacts")]


async def recipient_of(shop: Shop, document: dict[str, Any]) -> str | None:
    found: str | None = await shop.value(
        "SELECT recipient FROM deliveries WHERE company_id = $1 AND document_id = $2 AND is_latest",
        shop.api.company_id, UUID(document["id"]),
    )  # fmt: skip
    return found


@PATHS
async def test_an_unknown_address_becomes_a_contact(shop: Shop, path: str, series: str) -> None:
    customer = await shop.customer(email="Faktura@Havblik.example")
    await shop.ok("POST", f"/v1/customers/{customer}/contacts", {"name": "Ib", "email": "ib@havblik.example"})
    for address, contacts in (
        ("ib@havblik.example", ["ib@havblik.example"]),
        ("IB@havblik.example", ["ib@havblik.example"]),
        ("faktura@havblik.example", ["ib@havblik.example"]),
        ("new@havblik.example", ["ib@havblik.example", "new@havblik.example"]),
        ("new@havblik.example", ["ib@havblik.example", "new@havblik.example"]),
    ):
        draft = await drafted(shop, path, customer)
        options = {"deliveryType": "Email", "recipientEmail": address}
        await shop.ok("POST", f"{path}/{draft['id']}/send", options, status=200)
        assert await recipient_of(shop, draft) == address
        assert await contacts_of(shop, customer) == contacts
    assert [one["email"] for one in await shop.events("contact.created")] == contacts


@PATHS
async def test_an_address_that_two_send_to_at_once_is_one_contact(shop: Shop, path: str, series: str) -> None:
    customer = await shop.customer()
    drafts = [await drafted(shop, path, customer) for _ in range(3)]
    options = {"deliveryType": "Email", "recipientEmail": "new@havblik.example"}
    await asyncio.gather(*(shop.ok("POST", f"{path}/{one['id']}/send", options, status=200) for one in drafts))
    assert await contacts_of(shop, customer) == ["new@havblik.example"]


@PATHS
async def test_an_address_of_one_send_is_not_where_the_next_mail_goes(shop: Shop, path: str, series: str) -> None:
    customer = await shop.customer(email="post@havblik.example")
    first, second = await drafted(shop, path, customer), await drafted(shop, path, customer)
    options = {"deliveryType": "Email", "recipientEmail": "once@havblik.example"}
    await shop.ok("POST", f"{path}/{first['id']}/send", options, status=200)
    await shop.ok("POST", f"{path}/{second['id']}/send", {"deliveryType": "Email"}, status=200)
    assert await recipient_of(shop, second) == "post@havblik.example"
    assert sorted(await contacts_of(shop, customer)) == ["once@havblik.example", "post@havblik.example"]


@PATHS
async def test_without_an_address_it_goes_to_the_contact_then_the_customer(shop: Shop, path: str, series: str) -> None:
    customer = await shop.customer(email="post@havblik.example")
    first = await drafted(shop, path, customer)
    await shop.ok("POST", f"{path}/{first['id']}/send", {"deliveryType": "Email"}, status=200)
    assert await recipient_of(shop, first) == "post@havblik.example"
    contact = await shop.ok("POST", f"/v1/customers/{customer}/contacts", {"name": "Ib", "email": "ib@havblik.example"})
    second = await drafted(shop, path, customer, customerContactId=contact["id"])
    await shop.ok("POST", f"{path}/{second['id']}/send", {"deliveryType": "Email"}, status=200)
    assert await recipient_of(shop, second) == "ib@havblik.example"


async def test_a_quote_is_mailed_with_its_pdf_and_nothing_to_pay(shop: Shop) -> None:
    customer = await shop.customer(email="post@havblik.example")
    await shop.ok("PATCH", "/v1/company", {"bankName": "Arbejdernes Landsbank"})
    draft = await drafted(shop, "/v1/quotes", customer, validUntil="2026-04-15")
    await shop.ok("POST", f"/v1/quotes/{draft['id']}/send", {"deliveryType": "Email"}, status=200)
    sent = await shop.ok("GET", f"/v1/quotes/{draft['id']}")
    assert (sent["status"], sent["deliveryStatus"]) == ("sent", "pending")
    await shop.ok("PATCH", f"/v1/quotes/{draft['id']}", {"validUntil": "2026-04-20"})
    async with open_post_office(PostOffice()) as office:
        await deliver_document(KINDS, run_of(shop, await payload_of(shop), office.url))
        (mail,) = office.mails_to("post@havblik.example")
    assert str(mail["Subject"]) == "Tilbud 1 fra Nordlys ApS"
    text = mail.get_body(("plain",))
    assert text is not None
    content = text.get_content().replace("\u00a0", " ")
    assert "Vedhæftet er tilbud 1 af 16. marts 2026 på 125,00 DKK." in content
    assert "Gyldigt til: 20. april 2026" in content
    assert "Til betaling" not in content
    assert "Landsbank" not in content
    assert [part.get_filename() for part in mail.iter_attachments()] == ["Tilbud 1.pdf"]
    assert (await shop.ok("GET", f"/v1/quotes/{draft['id']}"))["deliveryStatus"] == "delivered"


async def test_a_delivery_that_failed_for_good_can_be_sent_again(shop: Shop) -> None:
    customer = await shop.customer(email="post@havblik.example")
    draft = await drafted(shop, "/v1/quotes", customer)
    path = f"/v1/quotes/{draft['id']}"
    await shop.ok("POST", f"{path}/send", {"deliveryType": "Email"}, status=200)
    await shop.refused("POST", f"{path}/send", {"deliveryType": "Email"}, 409, "QUOTE_INVALID_STATE")
    await give_up_delivery(KINDS, run_of(shop, await payload_of(shop), "smtp://127.0.0.1:1"), "no such mailbox")
    failed = await shop.ok("GET", path)
    assert (failed["status"], failed["deliveryStatus"]) == ("sent", "failed")
    assert (await shop.ok("GET", "/v1/quotes?deliveryStatus=failed"))["total"] == 1
    assert len(await shop.events("quote.delivery_failed")) == 1
    again = {"deliveryType": "Email", "recipientEmail": "other@havblik.example"}
    await shop.ok("POST", f"{path}/send", again, status=200)
    sent = await shop.ok("GET", path)
    assert (sent["documentNumber"], sent["deliveryStatus"]) == ("1", "pending")
    assert sorted(await contacts_of(shop, customer)) == ["other@havblik.example", "post@havblik.example"]
    assert len(await shop.events("quote.sent_again")) == 1


@pytest.mark.parametrize(
    ("path", "language", "title", "until"),
    [
        ("/v1/quotes", "da", "Tilbud", "Gyldigt til"), ("/v1/quotes", "en", "Quote", "Valid until"),
        ("/v1/order-confirmations", "da", "Ordrebekræftelse", ""),
        ("/v1/order-confirmations", "en", "Order confirmation", ""),
    ],
)  # fmt: skip
async def test_the_pdf_says_what_it_is(shop: Shop, path: str, language: str, title: str, until: str) -> None:
    fields = {"validUntil": "2026-04-15"} if until else {}
    draft = await drafted(shop, path, await shop.customer(language=language), **fields)

    async def text_of(query: str = "") -> str:
        answer = await shop.api.get(f"{path}/{draft['id']}/pdf{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        return "\n".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)

    watermark = "KLADDE" if language == "da" else "DRAFT"
    before = await text_of()
    assert title in before
    assert watermark in before
    await shop.ok("POST", f"{path}/{draft['id']}/send", {}, status=200)
    assert watermark not in await text_of()
    assert watermark in await text_of("?draft=true")
    if until:
        assert until in await text_of()
        await shop.ok("PATCH", f"{path}/{draft['id']}", {"validUntil": "2026-05-31"})
        assert "31" in (await text_of()).split(until)[1][:40]


async def refused_sql(connection: Any, statement: str, *arguments: Any) -> str | None:
    """The SQLSTATE of a statement that is refused at once or at COMMIT."""
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        await connection.execute(statement, *arguments)
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except asyncpg.PostgresError as fault:
        return fault.sqlstate
    finally:
        await savepoint.rollback()
    return None


async def test_what_was_sent_stays_as_it_was_also_for_sql(shop: Shop, database_url: str) -> None:
    price = await shop.price("100")
    quote = await shop.offered(line(price), validUntil="2026-04-01")
    confirmation = await shop.ordered(await shop.offered(line(price)))
    draft = await shop.quote(await shop.customer(), line(price))
    plain = await shop.draft(await shop.customer(), line(price))
    owner = await as_owner(database_url)
    try:
        async with owner.transaction():
            await enter(owner, shop.api.company_id)
            one, made = f"WHERE id = '{quote['id']}'", f"WHERE id = '{confirmation['id']}'"
            send = "UPDATE quotes SET status = 'sent', sent_at = now()"
            for change, state in (
                (f"UPDATE quotes SET amount = amount + 1, vat = vat + 1 {one}", "LB436"),
                (f"UPDATE quotes SET issue_date = issue_date - 1 {one}", "LB436"),
                (f"UPDATE quotes SET customer_id = (SELECT id FROM customers WHERE id <> customer_id LIMIT 1) {one}",
                 "LB436"),
                (f"UPDATE quotes SET number = '9' {one}", "LB436"),
                (f"UPDATE quotes SET sent_at = sent_at - interval '1 day' {one}", "LB436"),
                (f"DELETE FROM quotes {one}", "42501"),
                (f"DELETE FROM quote_lines WHERE quote_id = '{quote['id']}'", "LB436"),
                (f"UPDATE quotes SET converted_to_order_confirmation_id = '{confirmation['id']}' {one}", "LB438"),
                (f"UPDATE quotes SET converted_to_invoice_id = '{plain['id']}' {one}", "LB438"),
                ("UPDATE quotes SET converted_to_order_confirmation_id = NULL WHERE list_status = 'converted'",
                 "LB436"),
                (f"UPDATE order_confirmations SET notes = 'x' {made}", "LB436"),
                (f"UPDATE order_confirmations SET converted_from_quote_id = NULL {made}", "LB438"),
                (f"UPDATE order_confirmations SET converted_to_invoice_id = '{plain['id']}' {made}", "LB438"),
                (f"DELETE FROM order_confirmation_lines WHERE order_confirmation_id = '{confirmation['id']}'", "LB436"),
                (f"UPDATE invoices SET converted_from_quote_id = '{quote['id']}' WHERE id = '{plain['id']}'", "LB438"),
                (f"{send}, number = '3', number_sequence = 3 WHERE id = '{draft['id']}'", "LB437"),
                (f"{send}, number = '2x', number_sequence = 2 WHERE id = '{draft['id']}'", "LB437"),
            ):  # fmt: skip
                assert await refused_sql(owner, change) == state, change
            for allowed in (
                f"UPDATE quotes SET valid_until = valid_until + 1 {one}",
                f"UPDATE quotes SET status = 'accepted', answered_at = now() {one}",
            ):
                assert await refused_sql(owner, allowed) is None
            await owner.execute(f"UPDATE quotes SET status = 'accepted', answered_at = now() {one}")
            for change in ("status = 'rejected'", "valid_until = NULL", "status = 'sent', answered_at = NULL"):
                assert await refused_sql(owner, f"UPDATE quotes SET {change} {one}") == "LB436"
    finally:
        await owner.close()


@PATHS
async def test_a_number_that_no_document_has_is_refused(shop: Shop, path: str, series: str) -> None:
    async def take(context: Context) -> None:
        await context.connection.execute("SELECT take_numbers($1, $2, 1)", context.company_id, series)

    with pytest.raises(asyncpg.PostgresError) as refusal:
        await shop.api.run(take)
    assert refusal.value.sqlstate == "LB425"
