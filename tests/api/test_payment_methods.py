"""Saved cards of customers over HTTP (contract 2.20)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, cast

import pytest
from tests.cards import Cards
from tests.conftest import Api
from tests.subscribing import Subscriptions

from ledgerbee.payments.payment_methods.actions import age_chunk
from ledgerbee.payments.providers.model import (
    Access,
    Provider,
    ProviderError,
    ProviderRefusedError,
    ProviderUnclearError,
)
from ledgerbee.payments.providers.sandbox.provider import SandboxProvider
from ledgerbee.platform.context import Context


@pytest.fixture
async def cards(api: Api) -> Cards:
    cards = Cards(api)
    await cards.enable()
    return cards


def path_of(customer: str, card: dict[str, Any] | str = "", below: str = "") -> str:
    card_id = card if isinstance(card, str) else card["id"]
    return f"/v1/customers/{customer}/payment-methods{'/' + card_id if card_id else ''}{below}"


async def default_of(cards: Cards, customer: str) -> str | None:
    found = [one["id"] for one in await cards.listed(customer) if one["isDefault"]]
    assert len(found) < 2
    return found[0] if found else None


async def test_a_saved_card(cards: Cards) -> None:
    customer = await cards.shop.customer()
    made = await cards.save(customer)
    assert made == {
        "id": made["id"], "customerId": customer, "provider": "sandbox", "label": "Visa •••• 4242", "isDefault": True,
        "status": "ACTIVE", "createdAt": "2026-03-16T12:00:00.000Z", "cardMask": "•••• 4242", "cardType": "visa",
        "expiryMonth": 3, "expiryYear": 2029,
    }  # fmt: skip
    second = await cards.save(customer, "5555 5555 5555 4444")
    assert (second["cardType"], second["isDefault"]) == ("mastercard", False)
    assert await cards.listed(customer) == [made, second]
    assert await cards.listed(customer, "?provider=sandbox") == [made, second]
    assert await cards.listed(customer, "?provider=stripe") == []
    await cards.shop.refused("GET", path_of(customer) + "?provider=adyen", None, 400, "SHARED_VALIDATION_FAILED")
    saved = await cards.shop.events("payment_method.saved")
    assert [one["id"] for one in saved] == [made["id"], second["id"]]


@pytest.mark.parametrize("number", ["4111111111111111", "4000000000000002", "42424242", "4242424242424242x"])
async def test_only_test_cards_are_saved(cards: Cards, number: str) -> None:
    body = {"customerId": await cards.shop.customer(), "number": number}
    await cards.shop.refused("POST", "/v1/payment-providers/sandbox/cards", body, 400, "SHARED_VALIDATION_FAILED")


class TestDefault:
    async def test_another_card_becomes_it(self, cards: Cards) -> None:
        customer = await cards.shop.customer()
        first, second = await cards.save(customer), await cards.save(customer)
        made = await cards.shop.ok("PUT", path_of(customer, second, "/default"), {})
        assert made == second | {"isDefault": True}
        assert await default_of(cards, customer) == second["id"]
        assert await cards.shop.ok("PUT", path_of(customer, second, "/default"), {}) == made
        told = await cards.shop.events("payment_method.updated")
        assert [(one["id"], one["isDefault"]) for one in told] == [(first["id"], False), (second["id"], True)]

    async def test_several_at_once_leave_one(self, cards: Cards) -> None:
        customer = await cards.shop.customer()
        made = [await cards.save(customer) for _ in range(3)]
        answers = await asyncio.gather(
            *(cards.api.put(path_of(customer, card, "/default"), {}) for card in made for _ in range(2))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert await default_of(cards, customer) in {card["id"] for card in made}

    async def test_two_first_cards_at_once_leave_one(self, cards: Cards) -> None:
        customer = await cards.shop.customer()
        await asyncio.gather(*(cards.save(customer) for _ in range(4)))
        assert await default_of(cards, customer) is not None

    async def test_without_it_the_next_saved_card_becomes_it(self, cards: Cards) -> None:
        customer = await cards.shop.customer()
        first, second = await cards.save(customer), await cards.save(customer)
        await cards.shop.ok_empty("DELETE", path_of(customer, first))
        assert await default_of(cards, customer) is None
        third = await cards.save(customer)
        assert await default_of(cards, customer) == third["id"]
        assert second["id"] in {one["id"] for one in await cards.listed(customer)}

    async def test_not_of_what_is_cancelled(self, cards: Cards) -> None:
        customer = await cards.shop.customer()
        card = await cards.save(customer)
        await cards.shop.ok_empty("DELETE", path_of(customer, card, "/agreement"))
        path = path_of(customer, card, "/default")
        details = await cards.shop.refused("PUT", path, {}, 409, "PAYMENT_METHOD_INVALID_STATE")
        assert details == {"status": "CANCELLED"}


class TestUnassigning:
    async def test_the_card_lives_on_and_can_be_assigned_again(self, cards: Cards) -> None:
        customer, other = await cards.shop.customer(), await cards.shop.customer()
        card = await cards.save(customer)
        await cards.shop.ok_empty("DELETE", path_of(customer, card))
        assert await cards.listed(customer) == []
        (told,) = await cards.shop.events("payment_method.removed")
        assert (told["id"], told["customerId"], told["isDefault"]) == (card["id"], customer, False)
        access = await cards.access()
        agreement = await cards.provider.find_agreement(access, (await agreements(cards))[0])
        assert agreement is not None
        assert agreement.status == "active"
        again = await cards.shop.ok("POST", path_of(other, card, "/assign"), {}, 200)
        assert again == card | {"customerId": other}
        assert await cards.shop.ok("POST", path_of(other, card, "/assign"), {}, 200) == again
        await cards.shop.refused("POST", path_of(customer, card, "/assign"), {}, 404, "PAYMENT_METHOD_NOT_FOUND")
        await cards.shop.refused("DELETE", path_of(customer, card), None, 404, "PAYMENT_METHOD_NOT_FOUND")

    async def test_of_two_who_assign_it_one_gets_it(self, cards: Cards) -> None:
        customer, other = await cards.shop.customer(), await cards.shop.customer()
        card = await cards.save(customer)
        await cards.shop.ok_empty("DELETE", path_of(customer, card))
        answers = await asyncio.gather(
            *(cards.api.post(path_of(who, card, "/assign"), {}) for who in (customer, other))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 404]
        assert len(await cards.listed(customer)) + len(await cards.listed(other)) == 1

    async def test_subscriptions_that_name_it_lose_it(self, cards: Cards) -> None:
        subscriptions = Subscriptions(cards.api)
        customer = await cards.shop.customer(email="kunde@example.com")
        card, other = await cards.save(customer), await cards.save(customer)
        plan = await subscriptions.monthly()
        named: dict[str, Any] = {"customerId": customer, "automaticBilling": True}
        first = await subscriptions.assigned(plan, paymentMethodId=card["id"], **named)
        second = await subscriptions.assigned(plan, paymentMethodId=other["id"], **named)
        await cards.shop.ok_empty("DELETE", path_of(customer, card))
        assert (await subscriptions.get(first))["paymentMethodId"] is None
        assert (await subscriptions.get(first))["automaticBilling"] is True
        assert (await subscriptions.get(second))["paymentMethodId"] == other["id"]
        assert await subscriptions.topics(first) == ["assigned", "started", UPDATED]
        assert UPDATED not in await subscriptions.topics(second)


UPDATED = "updated"


async def agreements(cards: Cards) -> list[str]:
    async def work(context: Context) -> list[str]:
        statement = "SELECT agreement_id FROM payment_methods WHERE company_id = $1 ORDER BY id"
        return [row["agreement_id"] for row in await context.connection.fetch(statement, context.company_id)]

    found: list[str] = await cards.api.run(work)
    return found


class TestCancelling:
    async def test_it_is_ended_at_the_provider_for_good(self, cards: Cards) -> None:
        subscriptions = Subscriptions(cards.api)
        customer = await cards.shop.customer(email="kunde@example.com")
        card, other = await cards.save(customer), await cards.save(customer)
        plan = await subscriptions.monthly()
        made = await subscriptions.assigned(plan, customerId=customer, paymentMethodId=card["id"])
        for _ in range(2):
            await cards.shop.ok_empty("DELETE", path_of(customer, card, "/agreement"))
        assert await cards.listed(customer) == [card | {"status": "CANCELLED", "isDefault": False}, other]
        agreement = await cards.provider.find_agreement(await cards.access(), (await agreements(cards))[0])
        assert agreement is not None
        assert agreement.status == "cancelled"
        assert (await subscriptions.get(made))["paymentMethodId"] is None
        assert [one["status"] for one in await cards.shop.events("payment_method.removed")] == ["CANCELLED"]
        body = {"paymentMethodId": card["id"]}
        details = await cards.shop.refused("PATCH", subscriptions.path(made), body, 404, "PAYMENT_METHOD_NOT_FOUND")
        assert details == {"property": "paymentMethodId", "paymentMethodId": card["id"]}

    async def test_two_at_once_end_it_once(self, cards: Cards) -> None:
        customer = await cards.shop.customer()
        card = await cards.save(customer)
        path = path_of(customer, card, "/agreement")
        answers = await asyncio.gather(*(cards.api.delete(path) for _ in range(4)))
        assert {answer.status_code for answer in answers} == {204}
        assert len(await cards.shop.events("payment_method.removed")) == 1

    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [
            (ProviderUnclearError("no answer"), 503, "PAYMENT_PROVIDER_UNCLEAR"),
            (ProviderRefusedError("no such account"), 502, "PAYMENT_PROVIDER_REFUSED"),
        ],
    )
    async def test_without_the_provider_s_word_nothing_is_changed(
        self, cards: Cards, monkeypatch: pytest.MonkeyPatch, fault: ProviderError, status: int, code: str
    ) -> None:
        customer = await cards.shop.customer()
        card = await cards.save(customer)

        async def fails(self: SandboxProvider, access: Access, agreement_id: str) -> None:
            raise fault

        monkeypatch.setattr(SandboxProvider, "cancel_agreement", fails)
        details = await cards.shop.refused("DELETE", path_of(customer, card, "/agreement"), None, status, code)
        assert details == {"provider": "sandbox", "reason": str(fault)}
        assert await cards.listed(customer) == [card]


class TestSubscriptions:
    async def test_a_card_of_who_pays(self, cards: Cards) -> None:
        subscriptions = Subscriptions(cards.api)
        parent = await cards.shop.customer(email="mor@example.com")
        child = await cards.shop.customer(
            email="barn@example.com", parentCustomerId=parent, billingRelationship="parent_pays"
        )
        stranger = await cards.shop.customer()
        theirs, own, foreign = await cards.save(parent), await cards.save(child), await cards.save(stranger)
        plan = await subscriptions.monthly()
        made = await subscriptions.assigned(plan, customerId=child, paymentMethodId=theirs["id"])
        assert made["paymentMethodId"] == theirs["id"]
        body = {"paymentMethodId": own["id"], "automaticBilling": True}
        await cards.shop.refused("PATCH", subscriptions.path(made), body, 400, "SHARED_VALIDATION_FAILED")
        body["paymentMethodId"] = (await cards.save(parent))["id"]
        changed = await cards.shop.ok("PATCH", subscriptions.path(made), body)
        assert (changed["paymentMethodId"], changed["automaticBilling"]) == (body["paymentMethodId"], True)
        wrong = {"paymentMethodId": foreign["id"]}
        await cards.shop.refused("PATCH", subscriptions.path(made), wrong, 404, "PAYMENT_METHOD_NOT_FOUND")
        body = {"customerId": child, "planId": plan, "startDate": "2026-03-01", **wrong}
        await cards.shop.refused("POST", "/v1/subscriptions", body, 404, "PAYMENT_METHOD_NOT_FOUND")
        cleared = await cards.shop.ok("PATCH", subscriptions.path(made), {"paymentMethodId": None})
        assert cleared["paymentMethodId"] is None

    async def test_applied_to_those_that_run(self, cards: Cards) -> None:
        subscriptions = Subscriptions(cards.api)
        customer = await cards.shop.customer(email="kunde@example.com")
        old, new = await cards.save(customer), await cards.save(customer)
        plan = await subscriptions.monthly()
        named = {"customerId": customer}
        active = await subscriptions.assigned(plan, paymentMethodId=old["id"], **named)
        trial = await subscriptions.assigned(plan, trialDays=30, **named)
        scheduled = await subscriptions.assigned(plan, start="2026-06-01", **named)
        paused = await subscriptions.assigned(plan, **named)
        await cards.shop.ok("POST", subscriptions.path(paused, "/pause"), {}, 200)
        other = await subscriptions.assigned(plan)
        path = path_of(customer, new, "/apply-to-subscriptions")
        answer = await cards.shop.ok("POST", path, {}, 200)
        assert answer == {"paymentMethodId": new["id"], "updatedSubscriptions": 3, "skippedSubscriptions": 0}
        for one in (active, trial, scheduled):
            shown = await subscriptions.get(one)
            assert (shown["paymentMethodId"], shown["automaticBilling"]) == (new["id"], False)
        for one in (paused, other):
            assert (await subscriptions.get(one))["paymentMethodId"] is None
        await cards.shop.ok("POST", path, {"enableAutomaticBilling": True}, 200)
        assert (await subscriptions.get(active))["automaticBilling"] is True
        told = len(await subscriptions.topics(active))
        assert (await cards.shop.ok("POST", path, {"enableAutomaticBilling": False}, 200))["updatedSubscriptions"] == 3
        assert (await subscriptions.get(active))["automaticBilling"] is True
        assert len(await subscriptions.topics(active)) == told
        await cards.shop.ok_empty("DELETE", path_of(customer, new, "/agreement"))
        await cards.shop.refused("POST", path, {}, 409, "PAYMENT_METHOD_INVALID_STATE")

    async def test_those_that_a_parent_pays_for_are_passed_over(self, cards: Cards) -> None:
        subscriptions = Subscriptions(cards.api)
        parent = await cards.shop.customer(email="mor@example.com")
        child = await cards.shop.customer(parentCustomerId=parent, billingRelationship="parent_pays")
        card = await cards.save(child)
        made = await subscriptions.assigned(customerId=child)
        answer = await cards.shop.ok("POST", path_of(child, card, "/apply-to-subscriptions"), {}, 200)
        assert answer == {"paymentMethodId": card["id"], "updatedSubscriptions": 0, "skippedSubscriptions": 1}
        assert (await subscriptions.get(made))["paymentMethodId"] is None

    async def test_a_subscription_and_the_end_of_its_card_at_once(self, cards: Cards) -> None:
        """Whoever comes second sees the first: no subscription is left with a card that was taken away."""
        subscriptions = Subscriptions(cards.api)
        customer = await cards.shop.customer(email="kunde@example.com")
        plan = await subscriptions.monthly()
        made = await subscriptions.assigned(plan, customerId=customer)
        for _ in range(3):
            card = await cards.save(customer)
            taken, named = await asyncio.gather(
                cards.api.delete(path_of(customer, card)),
                cards.api.patch(subscriptions.path(made), {"paymentMethodId": card["id"]}),
            )
            assert taken.status_code == 204, taken.text
            assert named.status_code in {200, 404}, named.text
            assert (await subscriptions.get(made))["paymentMethodId"] is None


class TestAging:
    SOON: ClassVar[str] = "4000000000000341"

    async def age(self, cards: Cards) -> None:
        async def work(context: Context) -> bool:
            return await age_chunk(context, context.today)

        assert await cards.api.run(work) is False

    async def test_what_ends_soon_is_told_once_and_what_has_ended_expires(self, cards: Cards) -> None:
        subscriptions = Subscriptions(cards.api)
        customer = await cards.shop.customer(email="kunde@example.com")
        soon, lasting = await cards.save(customer, self.SOON), await cards.save(customer)
        loose = await cards.save(customer, self.SOON)
        await cards.shop.ok_empty("DELETE", path_of(customer, loose))
        made = await subscriptions.assigned(customerId=customer, paymentMethodId=soon["id"])
        for _ in range(2):
            await self.age(cards)
        (told,) = await cards.shop.events("payment_method.expiring")
        assert (told["id"], told["expiryMonth"], told["status"]) == (soon["id"], 3, "ACTIVE")
        cards.api.clock.advance(days=15)  # the last of March
        await self.age(cards)
        assert (await cards.listed(customer))[0]["status"] == "ACTIVE"
        cards.api.clock.advance(days=1)
        for _ in range(2):
            await self.age(cards)
        assert await cards.listed(customer) == [soon | {"status": "EXPIRED", "isDefault": False}, lasting]
        expired = [one["id"] for one in await cards.shop.events("payment_method.expired")]
        assert sorted(expired) == sorted([soon["id"], loose["id"]])
        assert (await subscriptions.get(made))["paymentMethodId"] == soon["id"]
        path = path_of(customer, loose, "/assign")
        await cards.shop.refused("POST", path, {}, 409, "PAYMENT_METHOD_INVALID_STATE")


class TestBorders:
    async def test_another_company_s_cards(self, cards: Cards, other_api: Api) -> None:
        customer = await cards.shop.customer()
        card = await cards.save(customer)
        other = Cards(other_api)
        await other.enable()
        stranger = await other.shop.customer()
        for method, path in calls(card["id"]):
            for who, code in ((customer, "CUSTOMER_NOT_FOUND"), (stranger, "PAYMENT_METHOD_NOT_FOUND")):
                body: dict[str, Any] | None = None if method == "DELETE" else {}
                await other.shop.refused(method, path_of(who) + path, body, 404, code)
        await other.shop.refused("GET", path_of(customer), None, 404, "CUSTOMER_NOT_FOUND")
        body = {"customerId": customer, "number": "4242424242424242"}
        await other.shop.refused("POST", "/v1/payment-providers/sandbox/cards", body, 404, "CUSTOMER_NOT_FOUND")
        assert await cards.listed(customer) == [card]

    async def test_another_customer_s_cards(self, cards: Cards) -> None:
        customer, other = await cards.shop.customer(), await cards.shop.customer()
        card = await cards.save(customer)
        for method, path in calls(card["id"]):
            body: dict[str, Any] | None = None if method == "DELETE" else {}
            await cards.shop.refused(method, path_of(other) + path, body, 404, "PAYMENT_METHOD_NOT_FOUND")
        assert await cards.listed(customer) == [card]

    async def test_a_disabled_provider_saves_no_cards_and_ends_those_that_it_has(self, cards: Cards) -> None:
        customer = await cards.shop.customer()
        card = await cards.save(customer)
        await cards.shop.ok("PUT", "/v1/payment-providers/sandbox", {"isEnabled": False})
        body = {"customerId": customer, "number": "4242424242424242"}
        path = "/v1/payment-providers/sandbox/cards"
        details = await cards.shop.refused("POST", path, body, 409, "PAYMENT_PROVIDER_DISABLED")
        assert details == {"provider": "sandbox"}
        await cards.shop.ok_empty("DELETE", path_of(customer, card, "/agreement"))


def calls(card_id: str) -> list[tuple[str, str]]:
    """Everything that is done with one card."""
    return [
        ("PUT", f"/{card_id}/default"),
        ("POST", f"/{card_id}/assign"),
        ("POST", f"/{card_id}/apply-to-subscriptions"),
        ("DELETE", f"/{card_id}/agreement"),
        ("DELETE", f"/{card_id}"),
    ]


def test_the_adapter_has_all_that_is_asked_of_one() -> None:
    work = cast("Callable[..., Awaitable[Any]]", SandboxProvider)
    assert {name for name in vars(Provider) if not name.startswith("_")} - set(dir(work)) == set()
