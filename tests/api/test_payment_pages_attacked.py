"""What somebody may try who has a link, or none: nothing of it saves a card, confirms a payment, or leads astray."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from tests.cards import VISA, Cards
from tests.conftest import PUBLIC_URL, Api
from tests.ledger_books import as_owner
from tests.pages import TURNED, TURNING, Page, reaching

from ledgerbee.payments.providers.sandbox.rules import form_token, signature_of
from ledgerbee.platform.context import Context

FORM = {"content-type": "application/x-www-form-urlencoded"}
SAVE = {"answer": "save", "number": VISA}


@pytest_asyncio.fixture(autouse=True)
async def first_minute(database_url: str) -> None:
    """Nobody has asked for a page yet."""
    owner = await as_owner(database_url)
    await owner.execute("DELETE FROM rate_limit_hits")
    await owner.close()


@pytest.fixture
async def cards(api: Api) -> Cards:
    cards = Cards(api)
    await cards.enable()
    return cards


async def statuses(cards: Cards) -> list[str]:
    """How the company's cards stand at the provider, oldest first."""

    async def work(context: Context) -> list[str]:
        statement = "SELECT status FROM sandbox_cards WHERE company_id = $1 ORDER BY id"
        return [row["status"] for row in await context.connection.fetch(statement, context.company_id)]

    found: list[str] = await cards.api.run(work)
    return found


def secret_of(url: str) -> str:
    return url.rpartition("/")[2]


async def test_forms_that_no_page_has_sent(cards: Cards, other_api: Api) -> None:
    """With another link's token, fields twice or too many of them, and bodies that are none."""
    link, second = [(await cards.link(await cards.shop.customer()))["url"] for _ in range(2)]
    other = Cards(other_api)
    await other.enable()
    theirs = (await other.link(await other.shop.customer()))["url"]
    token = form_token(secret_of(link))
    good = urlencode({"token": token, **SAVE})
    for body in (
        urlencode({"token": form_token(secret_of(second)), **SAVE}),
        urlencode({"token": form_token(secret_of(theirs)), **SAVE}),
        urlencode({"token": "", **SAVE}),
        urlencode({"token": "ø", **SAVE}),
        urlencode(SAVE),
        f"{good}&answer=save",
        f"{good}&number=5555555555554444",
        f"token={'0' * 64}&{good}",
        f"{good}&a=1&b=2",
        good.replace("answer=save", "answer[]=save"),
        good.replace("number=", "number=%ff"),
        good.replace("number=", "number=%00"),
        "",
    ):
        answer = await cards.api.http.post(link, content=body, headers=FORM)
        assert answer.status_code == 400, body
    for headers in ({}, {"content-type": "application/json"}, {"content-type": "multipart/form-data; boundary=x"}):
        assert (await cards.api.http.post(link, content=good, headers=headers)).status_code == 400
    assert await statuses(cards) == ["pending", "pending"]
    assert (await cards.api.http.post(link, content=good, headers=FORM)).status_code == 303
    assert await statuses(cards) == ["active", "pending"]
    assert await statuses(other) == ["pending"]


async def test_bodies_of_any_length(cards: Cards) -> None:
    """Said or not said how long: too much is refused, and not read to its end."""
    link = (await cards.link(await cards.shop.customer()))["url"]
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 4_000:
            sent += 1
            yield b"a" * 65_536

    assert (await cards.api.http.post(link, content=b"a" * 2_000_000, headers=FORM)).status_code == 413
    assert (await cards.api.http.post(link, content=endless(), headers=FORM)).status_code == 413
    assert sent < 100
    address = (await cards.shop.ok("GET", "/v1/payment-providers/sandbox"))["callbackUrl"]
    sent = 0
    assert (await cards.api.http.post(address, content=endless())).status_code == 413
    assert sent < 200
    assert await statuses(cards) == ["pending"]


async def test_secrets_open_their_own_door_alone(cards: Cards, other_api: Api) -> None:
    """That of a page is no address for events, that of the address no page; another company's tells nothing of ours."""
    customer = await cards.shop.customer()
    link = (await cards.link(customer))["url"]
    other = Cards(other_api)
    await other.enable()
    ours, theirs = [
        (await one.shop.ok("GET", "/v1/payment-providers/sandbox"))["callbackUrl"] for one in (cards, other)
    ]
    pages = link.rpartition("/")[0]
    for url in (f"{pages}/{secret_of(ours)}", f"{pages}/{cards.api.key}", f"{pages}/{secret_of(link)}x"):
        assert (await cards.api.http.get(url)).status_code == 404
        assert (await cards.api.http.post(url, data=SAVE)).status_code == 404
    body = b'{"id":"e1","type":"agreement.active","subject":"agreement","objectId":"x","reference":null}'
    signed = {"sandbox-signature": signature_of(secret_of(ours), body)}
    for url in (f"{ours.rpartition('/')[0]}/{secret_of(link)}", ours.replace("/sandbox/", "/adyen/")):
        assert (await cards.api.http.post(url, content=body, headers=signed)).status_code == 404
    for url, headers in ((theirs, signed), (ours, {}), (ours.replace("/sandbox/", "/stripe/"), signed)):
        assert (await cards.api.http.post(url, content=body, headers=headers)).status_code in {400, 404}
    assert (await cards.api.http.post(ours, content=body, headers=signed)).status_code == 204
    for garbage in (b"", b"[]", b"null", b"{", b'{"id":{},"type":1,"subject":"x"}', b"\xff"):
        signed = {"sandbox-signature": signature_of(secret_of(ours), garbage)}
        assert (await cards.api.http.post(ours, content=garbage, headers=signed)).status_code == 400, garbage


BAD_ADDRESSES = (
    "javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "//shop.example", "/me",
    "shop.example", "https:shop.example", "https:/shop.example", "https:///shop.example", "https:\\\\shop.example",
    "https://", "https://a@shop.example", "https://a:b@shop.example", "https://shop.example:0/",
    "https://shop.example:99999/", "https://shop.example:x/", "https://sh op.example/", "https://shop.example/\u202egpj",
    "https://shop.example/\x7f", "https://shop.example/\u200b", 'https://shop.example/"onload=',
    "https://shop.example/<script>", "https://;/", "https://shop.example'/", "https://[::1", "https://[v1.x]/",
    "ftp://shop.example", "https://shop.example/\r\nx: y",
)  # fmt: skip


async def test_addresses_that_nobody_is_sent_back_to(cards: Cards) -> None:
    path = f"/v1/customers/{await cards.shop.customer()}/payment-methods/card-link"
    for url in BAD_ADDRESSES:
        await cards.shop.refused("POST", path, {"returnUrl": url}, 400, "SHARED_VALIDATION_FAILED")
    assert await statuses(cards) == []
    for url in ("http://[::1]:3000/", "http://localhost:3000/", "HTTPS://smørrebrød.example"):
        await cards.shop.ok("POST", path, {"returnUrl": url}, 201)


async def test_names_and_addresses_are_text_wherever_they_stand(cards: Cards) -> None:
    """Nothing that a company, its customer or an address is called becomes a part of a page or a header."""
    evil = "\"><script>alert(1)</script><meta http-equiv='refresh' content='0;url=//evil.example'>{secret}{{ 7*7 }}%s"
    await cards.shop.ok("PATCH", "/v1/company", {"name": evil})
    customer = await cards.shop.customer(name=evil, language="en")
    back = "https://xn--bcher-kva.example:8443/å?a=%FF&b&c='x';url=https://evil.example&card=1&%63ard=2#/me"
    link = (await cards.link(customer, returnUrl=back))["url"]
    typed = await cards.type(link)
    assert typed.status_code == 303
    assert typed.headers["location"] == f"{secret_of(link)}?return"
    for query, is_left in (("", False), ("?return", True), ("?RETURN", False)):
        answer = await cards.api.http.get(f"{link}{query}")
        page = Page(answer.text)
        tags = [tag for tag, _ in page.elements]
        assert "script" not in tags
        gone_to = "https://xn--bcher-kva.example:8443/å?a=%FF&b&c='x';url=https://evil.example&card=saved#/me"
        assert page.links == [gone_to]
        refreshes = [about["content"] for tag, about in page.elements if tag == "meta" and about.get("http-equiv")]
        assert refreshes == ([f"0;url={gone_to}"] if is_left else [])
        assert page.text.count(evil) >= 3
        assert "set-cookie" not in answer.headers


async def test_names_turn_nothing_around_beside_them(cards: Cards) -> None:
    await cards.shop.ok("PATCH", "/v1/company", {"name": f"Firma {TURNING}"})
    customer = await cards.shop.customer(name=TURNING)
    link = (await cards.link(customer))["url"]
    for _ in range(2):  # before the card is saved, and after
        answer = await cards.api.http.get(link)
        assert reaching(answer.text) == []
        assert answer.text.count(TURNED) >= 1
        await cards.type(link)


async def test_what_a_page_is_sent_to_is_not_left_for_a_card_that_is_not_saved(cards: Cards) -> None:
    link = (await cards.link(await cards.shop.customer(), returnUrl="https://shop.example/"))["url"]
    page = await cards.seen(f"{link}?return")
    assert not any(about.get("http-equiv") for _, about in page.elements)
    for path in ("/saved-cards/en?card=saved&card=x", "/saved-cards/%3Cscript%3E?card=saved", "/saved-cards/da?x=1"):
        answer = await cards.api.http.get(f"{PUBLIC_URL}{path}")
        assert answer.status_code == 200
        assert "<script" not in answer.text


async def test_a_saved_card_speaks_its_customer_s_language(cards: Cards) -> None:
    async def languages(context: Context) -> Any:
        statement = "SELECT array_agg(language ORDER BY id) FROM sandbox_cards WHERE company_id = $1"
        return await context.connection.fetchval(statement, context.company_id)

    for language in ("da", "en"):
        await cards.save(await cards.shop.customer(language=language))
    assert await cards.api.run(languages) == ["da", "en"]
