"""Links on which customers save cards: asked for over HTTP, answered on the provider's page, completed once."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from tests.cards import Cards
from tests.conftest import PUBLIC_URL, Api
from tests.days import job_of
from tests.ledger_books import as_owner

from ledgerbee.payments.callbacks.jobs import deliver
from ledgerbee.payments.payment_methods.jobs import give_up, look
from ledgerbee.payments.payment_methods.model import CARD_LINK_JOB
from ledgerbee.payments.providers.model import (
    Access,
    AgreementPage,
    AgreementRequest,
    ProviderError,
    ProviderRefusedError,
    ProviderUnclearError,
)
from ledgerbee.payments.providers.sandbox import store as sandbox
from ledgerbee.payments.providers.sandbox.model import SandboxEvent
from ledgerbee.payments.providers.sandbox.provider import SandboxProvider
from ledgerbee.payments.providers.sandbox.rules import signed
from ledgerbee.platform.context import Context


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


async def test_a_card_is_saved_by_a_link(cards: Cards) -> None:
    customer = await cards.shop.customer(language="en")
    link = await cards.link(customer)
    assert link["expiresAt"] == "2026-03-17T12:00:00.000Z"
    assert link["url"].startswith(f"{PUBLIC_URL}/sandbox-payments/lbs_00.")
    (row,) = await cards.links()
    assert (row["status"], row["url"]) == ("open", link["url"])
    assert len(row["reference"]) == 16
    assert await cards.listed(customer) == []
    waiting = await cards.look()
    assert waiting is not None
    assert waiting.is_open
    page = await cards.seen(link["url"])
    assert page.language == "en"
    typed = await cards.type(link["url"])
    assert typed.status_code == 303
    page = await cards.seen(link["url"])
    assert "is saved" in page.text
    assert page.links == [f"{PUBLIC_URL}/saved-cards/en?card=saved"]
    assert "The card is saved" in (await cards.seen(page.links[0])).text
    done = await cards.look()
    assert done is not None
    assert done.status == "saved"
    (card,) = await cards.listed(customer)
    assert (card["label"], card["isDefault"], card["status"]) == ("Visa •••• 4242", True, "ACTIVE")
    assert done.payment_method_id is not None
    assert str(done.payment_method_id) == card["id"]
    await cards.look()
    assert await cards.listed(customer) == [card]
    assert [one["id"] for one in await cards.shop.events("payment_method.saved")] == [card["id"]]


async def test_two_who_complete_it_at_once_make_one_card(cards: Cards) -> None:
    customer = await cards.shop.customer()
    link = await cards.link(customer)
    await cards.type(link["url"])
    done = await asyncio.gather(*(cards.look() for _ in range(4)))
    assert {one.status.value for one in done if one} == {"saved"}
    assert len(await cards.listed(customer)) == 1
    assert len(await cards.shop.events("payment_method.saved")) == 1


async def test_where_the_browser_goes_and_in_which_language(cards: Cards) -> None:
    customer = await cards.shop.customer(language="en")
    link = await cards.link(customer, provider="sandbox", returnUrl="https://shop.example/me?a=1&card=x", language="da")
    page = await cards.seen(link["url"])
    assert page.language == "da"
    assert page.links == ["https://shop.example/me?a=1&card=cancelled"]
    await cards.type(link["url"])
    assert (await cards.seen(link["url"])).links == ["https://shop.example/me?a=1&card=saved"]
    (await cards.seen(f"{PUBLIC_URL}/saved-cards/xx?card=%3Cb%3E")).text.index("No card was saved")


async def test_a_link_that_nobody_used_expires(cards: Cards) -> None:
    customer = await cards.shop.customer()
    link = await cards.link(customer)
    cards.api.clock.advance(hours=24)
    await cards.seen(link["url"], 404)
    waiting = await cards.look()
    assert waiting is not None
    assert waiting.status == "open"  # somebody who was at it may still be
    cards.api.clock.advance(minutes=5)
    expired = await cards.look()
    assert expired is not None
    assert expired.status == "expired"
    assert await cards.listed(customer) == []


async def test_a_card_that_was_saved_too_late_is_ended_at_the_provider(cards: Cards) -> None:
    customer = await cards.shop.customer()
    link = await cards.link(customer)
    await cards.type(link["url"])
    cards.api.clock.advance(hours=24, minutes=5)
    expired = await cards.look()
    assert expired is not None
    assert expired.status == "expired"
    assert expired.provider_id is not None
    agreement = await cards.provider.find_agreement(await cards.access(), expired.provider_id)
    assert agreement is not None
    assert agreement.status == "cancelled"
    assert await cards.listed(customer) == []


async def test_a_card_that_was_ended_at_the_provider_fails_its_link(cards: Cards) -> None:
    customer = await cards.shop.customer()
    await cards.link(customer)
    (row,) = await cards.links()
    await cards.provider.cancel_agreement(await cards.access(), row["provider_id"])
    failed = await cards.look()
    assert failed is not None
    assert failed.status == "failed"
    assert await cards.listed(customer) == []


@pytest.mark.parametrize(
    ("fault", "status", "code", "left"),
    [
        (ProviderUnclearError("no answer"), 503, "PAYMENT_PROVIDER_UNCLEAR", "asked"),
        (ProviderRefusedError("wrong key"), 502, "PAYMENT_PROVIDER_REFUSED", "failed"),
    ],
)
async def test_a_provider_that_makes_no_page(
    cards: Cards, monkeypatch: pytest.MonkeyPatch, fault: ProviderError, status: int, code: str, left: str
) -> None:
    async def fails(self: SandboxProvider, access: Access, asked: AgreementRequest) -> AgreementPage:
        raise fault

    customer = await cards.shop.customer()
    monkeypatch.setattr(SandboxProvider, "start_agreement", fails)
    path = f"/v1/customers/{customer}/payment-methods/card-link"
    details = await cards.shop.refused("POST", path, {}, status, code)
    assert details == {"provider": "sandbox", "reason": str(fault)}
    assert [row["status"] for row in await cards.links()] == [left]
    cards.api.clock.advance(hours=24, minutes=5)
    ended = await cards.look()
    assert ended is not None
    assert ended.status == ("expired" if left == "asked" else left)


async def test_one_key_makes_one_link(cards: Cards) -> None:
    path = f"/v1/customers/{await cards.shop.customer()}/payment-methods/card-link"
    headers = {"x-api-idempotency-key": "once"}
    first = await cards.api.post(path, {}, headers=headers)
    again = await cards.api.post(path, {}, headers=headers)
    assert (first.status_code, again.json()) == (201, first.json())
    assert len(await cards.links()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"returnUrl": "javascript:alert(1)"},
        {"returnUrl": "https://user@shop.example/"},
        {"returnUrl": "https://shop.example/\nx"},
        {"returnUrl": "https://[::1"},
        {"returnUrl": "/me"},
        {"language": "sv"},
        {"provider": "adyen"},
        {"url": "https://shop.example"},
    ],
)
async def test_bad_requests(cards: Cards, body: dict[str, Any]) -> None:
    path = f"/v1/customers/{await cards.shop.customer()}/payment-methods/card-link"
    await cards.shop.refused("POST", path, body, 400, "SHARED_VALIDATION_FAILED")
    assert await cards.links() == []


async def test_without_a_provider(api: Api) -> None:
    cards = Cards(api)
    path = f"/v1/customers/{await cards.shop.customer()}/payment-methods/card-link"
    await cards.shop.refused("POST", path, {}, 404, "PAYMENT_PROVIDER_NOT_FOUND")
    await cards.shop.refused("POST", path, {"provider": "stripe"}, 404, "PAYMENT_PROVIDER_NOT_FOUND")
    await cards.shop.ok("PUT", "/v1/payment-providers/sandbox", {"isEnabled": False})
    for body in ({"provider": "sandbox"}, {}):
        details = await cards.shop.refused("POST", path, body, 409, "PAYMENT_PROVIDER_DISABLED")
        assert details == {"provider": "sandbox"}


async def test_a_link_is_looked_at_by_a_job(cards: Cards) -> None:
    await cards.link(await cards.shop.customer())
    (row,) = await cards.links()
    assert await waiting(cards, str(row["id"])) == 1


async def test_an_event_of_the_provider_has_the_link_looked_at(cards: Cards) -> None:
    """What the sandbox tells is signed and taken once, like a callback; one by its address is the same event."""
    customer = await cards.shop.customer()
    link = await cards.link(customer)
    await cards.type(link["url"])
    (row,) = await cards.links()
    before = await waiting(cards, str(row["id"]))

    async def newest(context: Context) -> SandboxEvent:
        statement = "SELECT id FROM sandbox_events WHERE company_id = $1 ORDER BY id DESC LIMIT 1"
        (found,) = await sandbox.get_events(context, [await context.connection.fetchval(statement, context.company_id)])
        return found

    event = await cards.api.run(newest)
    for _ in range(2):
        await deliver(job_of(cards.api, eventIds=[str(event.id)]))
    assert await waiting(cards, str(row["id"])) == before + 1
    address = (await cards.shop.ok("GET", "/v1/payment-providers/sandbox"))["callbackUrl"]
    headers, body = signed((await cards.access()).keys["secret"], event)
    assert (await cards.api.http.post(address, content=body, headers=headers)).status_code == 204
    assert (await cards.api.http.post(address, content=body)).status_code == 400
    assert await waiting(cards, str(row["id"])) == before + 1
    await look(cards.providers, job_of(cards.api, cardLinkId=str(row["id"])))
    assert len(await cards.listed(customer)) == 1


async def test_the_job_comes_again_while_the_link_is_open_and_ends_it_when_given_up(cards: Cards) -> None:
    customer = await cards.shop.customer()
    link = await cards.link(customer)
    (row,) = await cards.links()
    before = await waiting(cards, str(row["id"]))
    job = job_of(cards.api, cardLinkId=str(row["id"]))
    await look(cards.providers, job)
    assert await waiting(cards, str(row["id"])) == before + 1
    await give_up(job, "it was tried in vain")
    assert [one["status"] for one in await cards.links()] == ["failed"]
    await look(cards.providers, job)
    assert await waiting(cards, str(row["id"])) == before + 1
    await cards.seen(link["url"])


async def waiting(cards: Cards, payload_has: str) -> int:
    """How many jobs wait that look at a link."""

    async def work(context: Context) -> int:
        await context.connection.execute("SET LOCAL ROLE NONE")
        statement = "SELECT payload FROM pgqueuer WHERE entrypoint = $1"
        found = await context.connection.fetch(statement, CARD_LINK_JOB)
        return sum(payload_has.encode() in each["payload"] for each in found)

    number: int = await cards.api.run(work)
    return number


async def test_another_company_knows_nothing_of_a_link(cards: Cards, other_api: Api) -> None:
    await cards.link(await cards.shop.customer())
    (row,) = await cards.links()
    other = Cards(other_api)
    await other.enable()
    assert await other.look(row["id"]) is None
    path = f"/v1/customers/{row['customer_id']}/payment-methods/card-link"
    await other.shop.refused("POST", path, {}, 404, "CUSTOMER_NOT_FOUND")
