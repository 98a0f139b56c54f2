"""The page on which a buyer sees and answers a quote: by its link alone, once, and truthfully."""

import asyncio
import re
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from tests.api.instances import instance
from tests.api.test_presales_sending import payload_of, run_of, verified
from tests.conftest import BLOBS, PUBLIC_URL, Api, SteeredClock
from tests.ledger_books import as_owner
from tests.pages import TURNED, TURNING, Page, reaching
from tests.post_office import PostOffice, open_post_office
from tests.selling import Shop, line

from ledgerbee.app.config import Settings
from ledgerbee.http.body_limits import FORM_BODY
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery.jobs import deliver_document, give_up_delivery
from ledgerbee.sales.kinds import KINDS

LINK = re.compile(re.escape(f"{PUBLIC_URL}/quotes/") + r"lbq_00\.[A-Za-z0-9_-]{43}")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y>{{ 7*7 }}&amp;"


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


@pytest_asyncio.fixture(autouse=True)
async def first_minute(database_url: str) -> None:
    """Nobody has asked for a page yet: every test begins at the same moment, at the same address."""
    owner = await as_owner(database_url)
    await owner.execute("DELETE FROM rate_limit_hits")
    await owner.close()


async def rows_of(shop: Shop, statement: str) -> list[dict[str, Any]]:
    async def work(context: Context) -> list[dict[str, Any]]:
        return [dict(row) for row in await context.connection.fetch(statement, context.company_id)]

    found: list[dict[str, Any]] = await shop.api.run(work)
    return found


async def seen(shop: Shop, quote: dict[str, Any], status: int = 200) -> Page:
    answer = await shop.api.http.get(quote["acceptanceUrl"])
    assert answer.status_code == status, answer.text
    return Page(answer.text)


async def say(
    shop: Shop, quote: dict[str, Any], decision: str = "accept", headers: dict[str, str] | None = None, **fields: str
) -> httpx.Response:
    """Send the page's own form, as somebody does who has it open."""
    token = quote.get("token") or (await seen(shop, quote)).form(decision).fields["token"]
    form = {"token": token, "decision": decision, "name": "Mette Holm", **fields}
    return await shop.api.http.post(quote["acceptanceUrl"], data=form, headers=headers or {})


async def with_form(shop: Shop, quote: dict[str, Any]) -> dict[str, Any]:
    """The quote with its page open: its form can be sent whatever becomes of the quote meanwhile."""
    return {**quote, "token": (await seen(shop, quote)).form("accept").fields["token"]}


async def got(shop: Shop, quote: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await shop.ok("GET", f"/v1/quotes/{quote['id']}")
    return found


async def test_a_sent_quote_has_a_link_in_answers_lists_and_mail_and_not_in_events(shop: Shop) -> None:
    draft = await shop.quote(await shop.customer(email="a@b.dk"), line(await shop.price()))
    assert draft["acceptanceUrl"] is None
    sent = await shop.ok("POST", f"/v1/quotes/{draft['id']}/send", {"deliveryType": "Email"}, status=200)
    quote = await got(shop, draft)
    assert sent == {"success": True, "deliveryType": "Email", "acceptanceUrl": quote["acceptanceUrl"]}
    assert LINK.fullmatch(quote["acceptanceUrl"])
    assert (await shop.ok("GET", "/v1/quotes"))["data"][0]["acceptanceUrl"] == quote["acceptanceUrl"]
    async with open_post_office(PostOffice()) as office:
        await deliver_document(KINDS, run_of(shop, await payload_of(shop), office.url))
        (mail,) = office.mails_to("a@b.dk")
    plain, written = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert written is not None
    assert f"Se og besvar tilbuddet:\n{quote['acceptanceUrl']}\n" in plain.get_content().replace("\r\n", "\n")
    assert Page(written.get_content()).links == [quote["acceptanceUrl"]]
    told = await rows_of(
        shop, "SELECT data::text || coalesce(before::text, '') AS said FROM events WHERE company_id = $1"
    )
    assert not [one for one in told if "lbq_" in one["said"]]


@pytest.mark.parametrize(
    ("language", "title", "total", "until"),
    [
        ("da", "Tilbud 1 fra Nordlys ApS", "1.125,00", "15. april 2026"),
        ("en", "Quote 1 from Nordlys ApS", "1,125.00", "15 April 2026"),
    ],
)  # fmt: skip
async def test_the_page_says_what_is_quoted(shop: Shop, language: str, title: str, total: str, until: str) -> None:
    price = await shop.price("100")
    draft = await shop.quote(
        await shop.customer(language=language), line(price, 10, discountPercent=10, description="Work"),
        {"lineType": "text", "description": "As agreed"}, validUntil="2026-04-15", reference="PO-7", notes="Two\nlines",
    )  # fmt: skip
    await shop.ok("POST", f"/v1/quotes/{draft['id']}/send", {}, status=200)
    quote = await got(shop, draft)
    answer = await shop.api.http.get(quote["acceptanceUrl"])
    page = Page(answer.text)
    text = page.text.replace("\u00a0", " ")
    assert page.language == language
    for said in (title, total, until, "Work", "As agreed", "PO-7", "Two lines", "Havblik A/S", "Havnegade 1", "900"):
        assert said in text, said
    inputs = {
        attributes["id"] for name, attributes in page.elements if name in {"input", "textarea"} and "id" in attributes
    }
    assert {attributes["for"] for name, attributes in page.elements if name == "label"} == inputs
    assert not [name for name, _ in page.elements if name in {"script", "img", "link", "iframe"}]
    assert not [one for _, attributes in page.elements for one in attributes if one.startswith("on")]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert (answer.headers["referrer-policy"], answer.headers["x-robots-tag"]) == ("no-referrer", "noindex, nofollow")
    assert answer.headers["cache-control"] == "no-store"

    (link,) = page.links
    pdf = await shop.api.http.get(httpx.URL(quote["acceptanceUrl"]).join(link))
    assert (pdf.status_code, pdf.content[:5]) == (200, b"%PDF-")
    assert pdf.headers["content-disposition"].startswith("attachment; filename=")
    assert await got(shop, quote) == quote


async def test_texts_of_others_are_texts(shop: Shop) -> None:
    """Whatever seller, buyer and line are called, the page has the same elements."""
    plain = await shop.offered(line(await shop.price()), notes="x")
    customer = await shop.customer(name=HOSTILE)
    draft = await shop.quote(customer, line(await shop.price(), description=HOSTILE), notes=HOSTILE)
    await shop.ok("POST", f"/v1/quotes/{draft['id']}/send", {}, status=200)
    hostile = await got(shop, draft)
    pages = [await seen(shop, plain), await seen(shop, hostile)]
    assert [name for name, _ in pages[0].elements] == [name for name, _ in pages[1].elements]
    assert pages[1].text.count(HOSTILE) >= 3
    assert (await say(shop, hostile, "reject", name=HOSTILE, comment=HOSTILE)).status_code == 303
    answered = await got(shop, hostile)
    assert (answered["answeredBy"], answered["answerComment"]) == (HOSTILE, HOSTILE)
    assert f"afslået af {HOSTILE}" in (await seen(shop, hostile)).text


async def test_names_turn_nothing_around_beside_them(shop: Shop) -> None:
    customer = await shop.customer(name=TURNING)
    draft = await shop.quote(customer, line(await shop.price(), description=TURNING), notes=TURNING)
    await shop.ok("POST", f"/v1/quotes/{draft['id']}/send", {}, status=200)
    quote = await got(shop, draft)
    page = await shop.api.http.get(quote["acceptanceUrl"])
    assert reaching(page.text) == []
    assert page.text.count(TURNED) >= 3
    await say(shop, quote, "accept", name=TURNING)
    page = await shop.api.http.get(quote["acceptanceUrl"])
    assert reaching(page.text) == []
    assert (await got(shop, quote))["answeredBy"] == "\u05d7\u05e0\u05d5\u05ea gro.krowten"


async def test_an_acceptance_is_recorded_once_and_makes_nothing_else(shop: Shop) -> None:
    """Case A12: one event, no mail, no invoice, no number."""
    quote = await with_form(shop, await shop.offered(line(await shop.price()), validUntil="2026-03-20"))
    shop.api.clock.advance(hours=2)
    for _ in range(2):
        answer = await say(shop, quote, name="  Mette\u202e  Holm ", headers={"sec-fetch-site": "same-origin"})
        assert (answer.status_code, answer.headers["location"]) == (303, quote["acceptanceUrl"].rpartition("/")[2])
    accepted = await got(shop, quote)
    assert (accepted["status"], accepted["answeredBy"]) == ("accepted", "Mette Holm")
    assert accepted["answeredAt"] == "2026-03-16T14:00:00.000Z"
    page = await seen(shop, quote)
    assert "accepteret af Mette Holm 16. marts 2026 kl. 15:00" in page.text.replace("\u00a0", " ")
    assert page.forms == []
    (event,) = await rows_of(
        shop, "SELECT * FROM events WHERE company_id = $1 AND type IN ('quote.accepted', 'quote.rejected')"
    )
    (link,) = await rows_of(shop, "SELECT id FROM quote_links WHERE company_id = $1")
    assert (event["type"], event["object_id"]) == ("quote.accepted", UUID(quote["id"]))
    assert (event["credential_kind"], event["credential_id"], event["address"]) == (
        "quote_link", link["id"], "127.0.0.1",
    )  # fmt: skip
    assert event["actor"] == f"quote_link:{link['id']}"
    listed = (await shop.ok("GET", f"/v1/audit-events?credentialId={link['id']}"))["data"]
    assert [(one["type"], one["credentialKind"]) for one in listed] == [("quote.accepted", "quote_link")]
    assert (await shop.ok("GET", "/v1/invoices"))["total"] == 0
    assert await rows_of(shop, "SELECT id FROM deliveries WHERE company_id = $1 AND delivery_type = 'Email'") == []
    assert await verified(shop) is None


async def test_of_answers_at_once_the_first_counts_and_the_others_see_it(shop: Shop) -> None:
    quote = await with_form(shop, await shop.offered(line(await shop.price())))
    decisions = ("accept", "reject", "accept", "reject", "accept", "reject")
    answers = await asyncio.gather(*(say(shop, quote, decision) for decision in decisions))
    decided = (await got(shop, quote))["status"]
    won = {"accepted": "accept", "rejected": "reject"}[decided]
    assert [answer.status_code for answer in answers] == [303 if one == won else 409 for one in decisions]
    text = {"accepted": "accepteret af", "rejected": "afslået af"}[decided]
    assert all(text in Page(one.text).text for one in answers if one.status_code == 409)
    told = [*await shop.events("quote.accepted"), *await shop.events("quote.rejected")]
    assert [one["status"] for one in told] == [decided]


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"token": ""}, {}),
        ({"token": "0" * 64}, {}),
        ({"decision": "convert"}, {}),
        ({"decision": ""}, {}),
        ({"name": ""}, {}),
        ({"name": " \u200b\u202e "}, {}),
        ({"name": "x" * 201}, {}),
        ({"comment": "x" * 2001}, {}),
        ({}, {"sec-fetch-site": "cross-site"}),
        ({}, {"sec-fetch-site": "same-site"}),
        ({}, {"origin": "https://evil.example"}),
        ({}, {"content-type": "text/plain"}),
        ({}, {"content-type": "application/json"}),
    ],
)
async def test_what_is_no_answer_of_the_page_is_refused_and_changes_nothing(
    shop: Shop, fields: dict[str, str], headers: dict[str, str]
) -> None:
    quote = await with_form(shop, await shop.offered(line(await shop.price())))
    form = {"token": quote["token"], "decision": "accept", "name": "Mette", **fields}
    answer = await shop.api.http.post(quote["acceptanceUrl"], data=form, headers=headers)
    assert answer.status_code == 400
    page = Page(answer.text)
    assert [attributes["role"] for _, attributes in page.elements if "role" in attributes] == ["alert", "status"]
    assert len(page.forms) == 2
    del quote["token"]
    assert await got(shop, quote) == quote


async def test_a_form_that_is_too_large_is_refused_before_it_is_read(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()))
    for size, status in ((FORM_BODY, 400), (FORM_BODY + 1, 413)):
        content = b"name=" + b"x" * (size - 5)
        answer = await shop.api.http.post(quote["acceptanceUrl"], content=content)
        assert answer.status_code == status
    told = await shop.api.http.post(quote["acceptanceUrl"], content=b"", headers={"content-length": "20000000"})
    assert told.status_code == 413


async def test_what_is_not_open_is_shown_and_not_answered(shop: Shop) -> None:
    """Expired by the company's day, answered by the seller, converted: it says so. What is revived is open again."""
    price, clock = await shop.price(), shop.api.clock
    expiring = await with_form(shop, await shop.offered(line(price), validUntil="2026-03-16"))
    told = await with_form(shop, await shop.offered(line(price)))
    converted = await with_form(shop, await shop.offered(line(price)))
    await shop.ok("POST", f"/v1/quotes/{told['id']}/reject", {"comment": "Too dear"}, status=200)
    await shop.ok("POST", f"/v1/quotes/{converted['id']}/convert", {"target": "invoice"})
    clock.now = clock.now.replace(hour=22, minute=59)  # UTC: a minute to midnight in Copenhagen
    assert len((await seen(shop, expiring)).forms) == 2
    clock.advance(minutes=1)
    for quote, text in (
        (expiring, "Tilbuddet er udløbet"), (told, "afslået af køber"), (converted, "lavet en ordre eller faktura"),
    ):  # fmt: skip
        before = await got(shop, quote)
        page = await seen(shop, quote)
        assert text in page.text
        assert page.forms == []
        answer = await say(shop, quote)
        assert answer.status_code == 409
        assert text in Page(answer.text).text
        assert await got(shop, quote) == before
    assert await shop.events("quote.accepted") == []
    await shop.ok("PATCH", f"/v1/quotes/{expiring['id']}", {"validUntil": "2026-03-17"})
    page = await seen(shop, expiring)
    assert "17. marts 2026" in page.text.replace("\u00a0", " ")
    assert (await say(shop, expiring)).status_code == 303
    await shop.ok("POST", f"/v1/quotes/{expiring['id']}/convert", {"target": "orderConfirmation"})
    assert "accepteret af Mette Holm" in (await seen(shop, expiring)).text


async def test_every_link_that_is_not_good_has_the_same_answer(shop: Shop, other_api: Api) -> None:
    quote = await with_form(shop, await shop.offered(line(await shop.price())))
    mine = await Shop(other_api).offered(line(await Shop(other_api).price()))
    path = f"/v1/quotes/{quote['id']}/revoke-link"
    revoked = await shop.ok("POST", path, status=200)
    assert revoked["acceptanceUrl"] is None
    assert await shop.ok("POST", path, status=200) == revoked
    (was,) = await rows_of(
        shop, "SELECT before, data FROM events WHERE company_id = $1 AND type = 'quote.link_revoked'"
    )
    assert (was["before"]["acceptanceLinkId"] is None, was["data"]["acceptanceLinkId"]) == (False, None)
    secret = mine["acceptanceUrl"].rpartition("/")[2]
    addresses = [
        quote["acceptanceUrl"], f"{PUBLIC_URL}/quotes/{shop.api.key}", f"{PUBLIC_URL}/quotes/{quote['id']}",
        f"{PUBLIC_URL}/quotes/lbq_00.{'A' * 43}", f"{PUBLIC_URL}/quotes/{secret.replace('lbq_00.', 'lbq_7f.')}",
        f"{PUBLIC_URL}/quotes/{secret[:-1]}", f"{PUBLIC_URL}/quotes/%20", f"{PUBLIC_URL}/quotes/{'x' * 3000}",
    ]  # fmt: skip
    found = set()
    for address in addresses:
        form = {"token": quote["token"], "decision": "accept", "name": "x"}
        for answer in (
            await shop.api.http.get(address), await shop.api.http.get(f"{address}/quote.pdf"),
            await shop.api.http.post(address, data=form),
        ):  # fmt: skip
            headers = {name: text for name, text in answer.headers.items() if name != "x-request-id"}
            found.add((answer.status_code, answer.content, tuple(headers.items())))
    assert [status for status, *_ in found] == [404]
    assert (await got(shop, quote))["status"] == "sent"
    assert (await seen(Shop(other_api), mine)).forms, "another company's link is as good as it was"
    assert await verified(shop) is None


async def test_a_link_opens_its_page_and_nothing_else(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()))
    secret = quote["acceptanceUrl"].rpartition("/")[2]
    for headers in ({"x-api-key": secret}, {"authorization": f"Bearer {secret}"}):
        for path in ("/api/v1/api-key", "/api/v1/quotes", f"/api/v1/quotes/{quote['id']}"):
            assert (await shop.api.http.get(path, headers=headers)).status_code == 401
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await shop.api.http.request(method, quote["acceptanceUrl"])).status_code == 405
    await shop.refused("POST", f"/v1/quotes/{(await shop.quote(quote['customerId'], line(await shop.price())))['id']}"
                       "/revoke-link", None, 409, "QUOTE_INVALID_STATE")  # fmt: skip


async def test_looking_decides_nothing(shop: Shop) -> None:
    """What fetches links ahead of people: HEAD, GET with a query, GET of all that the page names."""
    quote = await shop.offered(line(await shop.price()))
    base = httpx.URL(quote["acceptanceUrl"])
    for page in (await seen(shop, quote),):
        for reference in (*page.links, *(form.action for form in page.forms)):
            for method in ("HEAD", "GET"):
                query = "?decision=accept&name=x" if "pdf" not in reference else ""
                answer = await shop.api.http.request(method, base.join(f"{reference}{query}"))
                assert answer.status_code == 200
    assert await got(shop, quote) == quote


async def test_a_quote_that_is_sent_again_after_its_link_was_revoked_has_a_new_one(shop: Shop) -> None:
    draft = await shop.quote(await shop.customer(email="a@b.dk"), line(await shop.price()))
    path = f"/v1/quotes/{draft['id']}"
    first = (await shop.ok("POST", f"{path}/send", {"deliveryType": "Email"}, status=200))["acceptanceUrl"]
    await give_up_delivery(KINDS, run_of(shop, await payload_of(shop), "smtp://127.0.0.1:1"), "no such mailbox")
    again = (await shop.ok("POST", f"{path}/send", {"deliveryType": "Manual"}, status=200))["acceptanceUrl"]
    assert again == first
    other = await shop.quote(await shop.customer(email="a@b.dk"), line(await shop.price()))
    path = f"/v1/quotes/{other['id']}"
    first = (await shop.ok("POST", f"{path}/send", {"deliveryType": "Email"}, status=200))["acceptanceUrl"]
    await shop.ok("POST", f"{path}/revoke-link", status=200)
    await give_up_delivery(KINDS, run_of(shop, await payload_of(shop), "smtp://127.0.0.1:1"), "no such mailbox")
    again = (await shop.ok("POST", f"{path}/send", {"deliveryType": "Manual"}, status=200))["acceptanceUrl"]
    assert again != first
    assert (await shop.api.http.get(first)).status_code == 404
    assert (await shop.api.http.get(again)).status_code == 200


async def test_one_address_may_ask_sixty_times_a_minute(shop: Shop, database_url: str, clock: SteeredClock) -> None:
    settings = Settings(attachments_dir=BLOBS.path)
    async with instance(database_url, clock, address="203.0.113.77", settings=settings) as http:
        for _ in range(60):
            assert (await http.get("/quotes/lbq_00.none")).status_code == 404
        refused = await http.get("/quotes/lbq_00.none")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        clock.advance(seconds=61)
        assert (await http.get("/quotes/lbq_00.none")).status_code == 404
        # Without an address of the installation's own there are no links to tell, and no fault.
        quote = await shop.offered(line(await shop.price()))
        answer = await http.get(f"/api/v1/quotes/{quote['id']}", headers={"x-api-key": shop.api.key})
        assert answer.json()["acceptanceUrl"] is None
