"""The provider that is built in: its page, and charges and refunds of its cards."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from tests.cards import VISA, Cards
from tests.conftest import Api
from tests.ledger_books import as_owner

from ledgerbee.payments.providers.model import (
    Access,
    ChargeRequest,
    ChargeStatus,
    DisputeStatus,
    Movement,
    ProviderCharge,
    ProviderRefusedError,
    RefundRequest,
)
from ledgerbee.payments.providers.references import new_reference
from ledgerbee.payments.providers.sandbox.rules import form_token
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.grants.store import credential_beyond_subject

SOFT, SOFT_ONCE, HARD, SECURE = "4000000000009995", "4000000000009987", "4000000000009979", "4000000000003220"
LOST, WON, REFUSED = "4000000000000259", "4000000000001976", "4000000000000002"
#: Valid by its check digit (Luhn), and nobody's that is listed.
FOREIGN = "4111 1111 1111 1111"


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


async def rows(cards: Cards, table: str) -> list[dict[str, Any]]:
    async def work(context: Context) -> list[dict[str, Any]]:
        statement = f"SELECT * FROM {table} WHERE company_id = $1 ORDER BY id"
        return [dict(row) for row in await context.connection.fetch(statement, context.company_id)]

    found: list[dict[str, Any]] = await cards.api.run(work)
    return found


async def card(cards: Cards, number: str = VISA) -> str:
    """The provider's id of a card that was saved."""
    await cards.save(await cards.shop.customer(), number)
    return str((await rows(cards, "sandbox_cards"))[-1]["id"])


def asked(card_id: str, amount: str = "1250.00", reference: str = "", currency: str = "DKK") -> ChargeRequest:
    return ChargeRequest(
        reference=reference or new_reference(),
        agreement_id=card_id,
        amount=Decimal(amount),
        currency=currency,
        text="Faktura 1042",
        callback_url="",
    )


async def charged(cards: Cards, number: str = VISA) -> ProviderCharge:
    return await cards.provider.charge(await cards.access(), asked(await card(cards, number)))


class TestPage:
    async def test_it_needs_nothing_from_elsewhere(self, cards: Cards) -> None:
        link = await cards.link(await cards.shop.customer(name="<b>Havblik</b> & Søn"))
        answer = await cards.api.http.get(link["url"])
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "form-action 'self'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "<script" not in answer.text
        assert "&lt;b&gt;Havblik&lt;/b&gt; &amp; Søn" in answer.text
        assert "4242 4242 4242 4242" in answer.text

    @pytest.mark.parametrize(
        ("number", "words"), [(FOREIGN, "ikke et af testkortene"), (REFUSED, "afvist"), ("", "te")]
    )
    async def test_other_numbers_are_refused_and_not_kept(self, cards: Cards, number: str, words: str) -> None:
        link = await cards.link(await cards.shop.customer(language="da"))
        before = await rows(cards, "sandbox_cards")
        answer = await cards.type(link["url"], number)
        assert answer.status_code == 400
        assert words in answer.text
        assert FOREIGN not in answer.text
        assert await rows(cards, "sandbox_cards") == before
        assert (await cards.type(link["url"], " 4242-4242 4242 4242 ")).status_code == 303
        (kept,) = await rows(cards, "sandbox_cards")
        assert kept["mask"] == "•••• 4242"
        assert all("4242424242424242" not in str(value) for value in kept.values())

    async def test_it_saves_one_card(self, cards: Cards) -> None:
        link = await cards.link(await cards.shop.customer())
        token = (await cards.seen(link["url"])).forms[0].fields["token"]

        async def send(number: str) -> int:
            fields = {"token": token, "answer": "save", "number": number}
            return (await cards.api.http.post(link["url"], data=fields)).status_code

        assert await asyncio.gather(*(send(VISA) for _ in range(3))) == [303] * 3
        assert await send("5555555555554444") == 303
        (kept,) = await rows(cards, "sandbox_cards")
        assert kept["type"] == "visa"
        assert [one["type"] for one in await rows(cards, "sandbox_events")] == ["agreement.active"]

    @pytest.mark.parametrize(
        ("headers", "fields"),
        [
            ({"sec-fetch-site": "cross-site"}, {"answer": "save", "number": VISA}),
            ({"origin": "https://elsewhere.example"}, {"answer": "save", "number": VISA}),
            ({}, {"answer": "save", "number": VISA, "token": "0" * 64}),
            ({}, {"answer": "confirm"}),
            ({}, {"answer": "sell", "number": VISA}),
            ({"content-type": "text/plain"}, {"answer": "save", "number": VISA}),
        ],
    )
    async def test_forms_of_others_do_nothing(
        self, cards: Cards, headers: dict[str, str], fields: dict[str, str]
    ) -> None:
        link = await cards.link(await cards.shop.customer())
        answer = await cards.send(link["url"], headers, **fields)
        assert answer.status_code == 400, answer.text
        assert [one["status"] for one in await rows(cards, "sandbox_cards")] == ["pending"]

    async def test_bad_addresses_are_all_alike(self, cards: Cards) -> None:
        link = await cards.link(await cards.shop.customer())
        base = link["url"].rpartition("/")[0]
        texts = set()
        for secret in ("x", "lbs_00.x", link["url"][-40:], cards.api.key, "lbs_ff.x"):
            answer = await cards.api.http.get(f"{base}/{secret}")
            assert answer.status_code == 404
            texts.add(answer.text)
        assert len(texts) == 1

    async def test_a_page_opens_nothing_else(self, cards: Cards) -> None:
        link = await cards.link(await cards.shop.customer())
        secret = link["url"].rpartition("/")[2]
        assert (await cards.api.get("/v1/accounts", headers={"x-api-key": secret})).status_code in {401, 403}

        async def work(context: Context) -> Any:
            return await credential_beyond_subject(context)

        assert await cards.api.run(work) is None

    async def test_too_many_requests(self, cards: Cards) -> None:
        link = await cards.link(await cards.shop.customer())
        for _ in range(60):
            answer = await cards.api.http.get(link["url"])
        assert answer.status_code == 200
        assert (await cards.api.http.get(link["url"])).status_code == 429


class TestCharges:
    async def test_a_charge_that_succeeds(self, cards: Cards) -> None:
        charge = await charged(cards)
        assert charge.status is ChargeStatus.SUCCEEDED
        assert charge.is_test
        assert charge.fee == Decimal("19.30")  # 1.4 % of 1,250.00 and 1.80
        access = await cards.access()
        assert await cards.provider.find_charge(access, charge.reference, None, "") == charge
        assert await cards.provider.find_charge(access, "", charge.provider_id, "") == charge
        assert await cards.provider.find_charge(access, new_reference(), None, "") is None
        assert await cards.provider.find_charge(access, charge.reference, "x", "") == charge

    @pytest.mark.parametrize(
        ("number", "code", "is_soft"), [(SOFT, "insufficient_funds", True), (HARD, "stolen_card", False)]
    )
    async def test_a_charge_that_is_declined(self, cards: Cards, number: str, code: str, *, is_soft: bool) -> None:
        charge = await charged(cards, number)
        assert charge.status is ChargeStatus.FAILED
        assert charge.decline is not None
        assert (charge.decline.code, charge.decline.is_soft, charge.fee) == (code, is_soft, None)

    async def test_the_second_try_goes_through(self, cards: Cards) -> None:
        card_id, access = await card(cards, SOFT_ONCE), await cards.access()
        made = [(await cards.provider.charge(access, asked(card_id))).status for _ in range(3)]
        assert made == ["failed", "succeeded", "succeeded"]

    async def test_one_reference_charges_once(self, cards: Cards) -> None:
        card_id, access = await card(cards), await cards.access()
        same = asked(card_id)
        made = await asyncio.gather(*(cards.provider.charge(access, same) for _ in range(4)))
        assert len({one.provider_id for one in made}) == 1
        assert len(await rows(cards, "sandbox_charges")) == 1

    @pytest.mark.parametrize(
        ("answer", "status", "words"),
        [
            ("confirm", ChargeStatus.SUCCEEDED, "Betalingen er bekræftet"),
            ("refuse", ChargeStatus.FAILED, "Betalingen er ikke gennemført"),
        ],
    )
    async def test_its_owner_confirms_or_refuses(
        self, cards: Cards, answer: str, status: ChargeStatus, words: str
    ) -> None:
        charge = await charged(cards, SECURE)
        assert (charge.status, charge.fee) == (ChargeStatus.REQUIRES_ACTION, None)
        assert charge.action_url is not None
        page = await cards.seen(charge.action_url)
        said = "1.250,00 DKK Til Nordlys ApS Kunde Havblik A/S Faktura Faktura 1042 Kort Visa •••• 3220"
        assert said in page.text
        assert (await cards.send(charge.action_url, answer="save", number=VISA)).status_code == 400
        assert (await cards.send(charge.action_url, answer=answer)).status_code == 303
        assert words in (await cards.seen(charge.action_url)).text
        found = await cards.provider.find_charge(await cards.access(), charge.reference, None, "")
        assert found is not None
        assert (found.status, found.action_url) == (status, None)
        token = {"token": "x", "answer": "confirm"}
        assert (await cards.api.http.post(charge.action_url, data=token)).status_code == 400
        assert [one["type"] for one in await rows(cards, "sandbox_events")] == [
            "charge.requires_action", f"charge.{status}",
        ]  # fmt: skip

    async def test_what_nobody_confirms_fails_a_day_later(self, cards: Cards) -> None:
        charge, access = await charged(cards, SECURE), await cards.access()
        cards.api.clock.advance(hours=23)
        found = await cards.provider.find_charge(access, charge.reference, None, "")
        assert found is not None
        assert found.status is ChargeStatus.REQUIRES_ACTION
        cards.api.clock.advance(hours=1)
        for _ in range(2):
            found = await cards.provider.find_charge(access, charge.reference, charge.provider_id, "")
            assert found is not None
            assert (found.status, found.action_url) == (ChargeStatus.FAILED, None)
        assert found.decline is not None
        assert found.decline.code == "authentication_failed"
        events = [one["type"] for one in await rows(cards, "sandbox_events")]
        assert events == ["charge.requires_action", "charge.failed"]

    async def test_what_is_cancelled_is_not_confirmed_any_more(self, cards: Cards) -> None:
        charge, access = await charged(cards, SECURE), await cards.access()
        assert charge.action_url is not None
        for _ in range(2):
            await cards.provider.cancel_charge(access, charge.reference, charge.provider_id)
        assert "ikke længere åben" in (await cards.seen(charge.action_url)).text
        token = {"token": form_token(charge.action_url.rpartition("/")[2]), "answer": "confirm"}
        assert (await cards.api.http.post(charge.action_url, data=token)).status_code == 303
        found = await cards.provider.find_charge(access, charge.reference, charge.provider_id, "")
        assert found is not None
        assert (found.status, found.decline and found.decline.code) == (ChargeStatus.FAILED, "cancelled")
        assert [one["type"] for one in await rows(cards, "sandbox_events")][1:] == ["charge.failed"]
        for provider_id in ((await charged(cards)).provider_id, "none"):
            with pytest.raises(ProviderRefusedError):
                await cards.provider.cancel_charge(access, charge.reference, provider_id)

    @pytest.mark.parametrize(("number", "end"), [(LOST, DisputeStatus.LOST), (WON, DisputeStatus.WON)])
    async def test_a_charge_that_is_disputed(self, cards: Cards, number: str, end: DisputeStatus) -> None:
        charge, access = await charged(cards, number), await cards.access()
        events = await rows(cards, "sandbox_events")
        assert [one["type"] for one in events] == ["charge.succeeded", "dispute.opened"]
        dispute = await cards.provider.find_dispute(access, events[1]["object_id"])
        assert dispute is not None
        assert (dispute.charge_id, dispute.status) == (charge.provider_id, DisputeStatus.OPEN)
        cards.api.clock.advance(days=7)
        dispute = await cards.provider.find_dispute(access, dispute.provider_id)
        assert dispute is not None
        assert dispute.status is end
        assert await cards.provider.find_dispute(access, (await charged(cards)).provider_id) is None

    async def test_a_cancelled_card_is_not_charged(self, cards: Cards) -> None:
        card_id, access = await card(cards), await cards.access()
        await cards.provider.cancel_agreement(access, card_id)
        await cards.provider.cancel_agreement(access, card_id)
        await cards.provider.cancel_agreement(access, "nobody's")
        with pytest.raises(ProviderRefusedError):
            await cards.provider.charge(access, asked(card_id))
        with pytest.raises(ProviderRefusedError):
            await cards.provider.charge(access, asked(str(cards.api.company_id)))

    async def test_nobody_is_served_without_the_company_s_key(self, cards: Cards, other_api: Api) -> None:
        other = Cards(other_api)
        await other.enable()
        card_id, access, theirs = await card(cards), await cards.access(), await other.access()
        for wrong in (
            Access({}, access.account),
            Access({"secret": "x"}, access.account),
            Access(theirs.keys, access.account),
        ):
            with pytest.raises(ProviderRefusedError):
                await cards.provider.find_agreement(wrong, card_id)
        assert await cards.provider.find_agreement(theirs, card_id) is None
        with pytest.raises(ProviderRefusedError):
            await cards.provider.charge(theirs, asked(card_id))


class TestRefunds:
    def asked(self, charge: ProviderCharge, amount: str, currency: str = "DKK") -> RefundRequest:
        return RefundRequest(
            reference=new_reference(),
            charge_id=charge.provider_id,
            amount=Decimal(amount),
            currency=currency,
            callback_url="",
        )

    async def test_never_more_than_is_left(self, cards: Cards) -> None:
        charge, access = await charged(cards), await cards.access()
        first = self.asked(charge, "1000.00")
        made = await cards.provider.refund(access, first)
        assert (made.status, made.amount, made.reference) == ("succeeded", Decimal("1000.00"), first.reference)
        assert await cards.provider.refund(access, first) == made
        assert await cards.provider.find_refund(access, charge.provider_id, first.reference) == made
        assert await cards.provider.find_refund(access, charge.provider_id, new_reference()) is None
        for wrong in (self.asked(charge, "250.01"), self.asked(charge, "1.00", "EUR")):
            with pytest.raises(ProviderRefusedError):
                await cards.provider.refund(access, wrong)
        outcomes = await asyncio.gather(
            *(cards.provider.refund(access, self.asked(charge, "200.00")) for _ in range(3)), return_exceptions=True
        )
        assert sum(not isinstance(one, BaseException) for one in outcomes) == 1

    async def test_of_what_was_not_paid(self, cards: Cards) -> None:
        charge = await charged(cards, HARD)
        with pytest.raises(ProviderRefusedError):
            await cards.provider.refund(await cards.access(), self.asked(charge, "1.00"))


async def test_the_account_is_paid_out_day_by_day(cards: Cards) -> None:
    charge, access = await charged(cards), await cards.access()
    await cards.provider.refund(access, TestRefunds().asked(charge, "250.00"))
    cards.api.clock.advance(days=1)

    async def moved(since: datetime) -> list[Movement]:
        until = cards.api.clock() + timedelta(seconds=1)
        return [one async for one in cards.provider.movements(access, since, until)]

    start = datetime(2026, 3, 1, tzinfo=UTC)
    found = await moved(start)
    assert [(one.type.value, one.amount, one.fee) for one in found] == [
        ("charge", Decimal("1250.0000"), Decimal("19.3000")),
        ("refund", Decimal("-250.0000"), Decimal(0)),
        ("payout", Decimal("-980.7000"), Decimal(0)),
    ]
    assert len({one.payout_id for one in found}) == 1
    assert [one.type.value for one in await moved(datetime(2026, 3, 17, tzinfo=UTC))] == ["payout"]
