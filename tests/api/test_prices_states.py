"""Active, disabled, archived, default: the states of a price and what moves it, also at once."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.api.catalog_steps import new_price, new_product, refusal, use_price
from tests.conftest import Api
from tests.selling import Shop, line

from ledgerbee.catalog.prices import store as prices
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.model import DocumentLineType, LineInput
from ledgerbee.sales.invoices import actions as invoices
from ledgerbee.sales.invoices.model import InvoiceFields

PATH = "/v1/product-prices"


@pytest.fixture
async def product(api: Api) -> dict[str, Any]:
    return await new_product(api)


async def act(api: Api, price: dict[str, Any], action: str) -> dict[str, Any]:
    answer = await api.post(f"{PATH}/{price['id']}/{action}")
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    assert (await api.get(f"{PATH}/{price['id']}")).json() == changed
    return changed


async def defaults(api: Api, product: dict[str, Any]) -> list[str]:
    prices = (await api.get(f"/v1/products/{product['id']}")).json()["prices"]
    return [price["id"] for price in prices if price["isDefault"]]


async def test_round_trip(api: Api, product: dict[str, Any]) -> None:
    await new_price(api, product["id"])
    price = await new_price(api, product["id"])
    api.clock.advance(minutes=1)
    disabled = await act(api, price, "disable")
    assert disabled == price | {"status": "DISABLED", "updatedAt": "2026-03-16T12:01:00.000Z"}
    assert (await act(api, price, "activate"))["status"] == "ACTIVE"
    assert (await act(api, price, "archive"))["status"] == "ARCHIVED"
    assert (await act(api, price, "activate"))["status"] == "ACTIVE"
    await act(api, price, "disable")
    assert (await act(api, price, "archive"))["status"] == "ARCHIVED"
    refused = await api.post(f"{PATH}/{price['id']}/disable")
    assert refusal(refused) == (409, "PRODUCT_PRICE_INVALID_STATE")
    assert refused.json()["details"] == {"status": "ARCHIVED"}


@pytest.mark.parametrize(
    ("action", "status"), [("activate", "ACTIVE"), ("disable", "DISABLED"), ("archive", "ARCHIVED")]
)
async def test_twice_is_once(api: Api, product: dict[str, Any], action: str, status: str) -> None:
    price = await new_price(api, product["id"])
    once = await act(api, price, action)
    assert once["status"] == status
    api.clock.advance(hours=1)
    assert await act(api, price, action) == once


async def test_a_locked_price_still_moves(api: Api, product: dict[str, Any]) -> None:
    price, other = await new_price(api, product["id"]), await new_price(api, product["id"])
    await use_price(api, price["id"])
    await act(api, other, "set-default")
    assert (await act(api, price, "archive"))["isLocked"] is True
    assert (await act(api, price, "activate"))["status"] == "ACTIVE"
    assert (await act(api, price, "set-default"))["isDefault"] is True


class TestDefault:
    async def test_the_first_price_is_it_until_another_takes_its_place(self, api: Api, product: dict[str, Any]) -> None:
        first, second = await new_price(api, product["id"]), await new_price(api, product["id"])
        assert (first["isDefault"], second["isDefault"]) == (True, False)
        assert (await act(api, second, "set-default"))["isDefault"] is True
        assert await defaults(api, product) == [second["id"]]
        assert await act(api, second, "set-default") == (await api.get(f"{PATH}/{second['id']}")).json()

    @pytest.mark.parametrize("action", ["disable", "archive"])
    async def test_it_stays_usable_while_others_are(self, api: Api, product: dict[str, Any], action: str) -> None:
        default, other = await new_price(api, product["id"]), await new_price(api, product["id"])
        refused = await api.post(f"{PATH}/{default['id']}/{action}")
        assert refusal(refused) == (409, "PRODUCT_PRICE_INVALID_STATE")
        assert refused.json()["details"] == {"status": "ACTIVE", "isDefault": True}
        await act(api, other, "archive")
        assert (await act(api, default, action))["isDefault"] is True

    async def test_the_next_active_price_takes_over_from_a_resting_one(self, api: Api, product: dict[str, Any]) -> None:
        first = await new_price(api, product["id"])
        await act(api, first, "archive")
        second = await new_price(api, product["id"])
        assert second["isDefault"] is True
        assert await defaults(api, product) == [second["id"]]
        await act(api, second, "disable")
        assert (await act(api, first, "activate"))["isDefault"] is True
        assert await defaults(api, product) == [first["id"]]

    @pytest.mark.parametrize("action", ["disable", "archive"])
    async def test_only_an_active_price(self, api: Api, product: dict[str, Any], action: str) -> None:
        default, other = await new_price(api, product["id"]), await new_price(api, product["id"])
        status = (await act(api, other, action))["status"]
        refused = await api.post(f"{PATH}/{other['id']}/set-default")
        assert refusal(refused) == (409, "PRODUCT_PRICE_INVALID_STATE")
        assert refused.json()["details"] == {"status": status}
        assert await defaults(api, product) == [default["id"]]


class TestAtOnce:
    async def test_one_default_however_many_are_set(self, api: Api, product: dict[str, Any]) -> None:
        prices = [await new_price(api, product["id"]) for _ in range(6)]
        for _ in range(3):
            answers = await asyncio.gather(*(api.post(f"{PATH}/{p['id']}/set-default") for p in prices))
            assert {answer.status_code for answer in answers} == {200}
            assert all(answer.json()["isDefault"] for answer in answers)
            assert len(await defaults(api, product)) == 1

    async def test_one_default_of_prices_created_together(self, api: Api, product: dict[str, Any]) -> None:
        prices = await asyncio.gather(*(new_price(api, product["id"]) for _ in range(6)))
        assert sorted(price["isDefault"] for price in prices) == [False] * 5 + [True]

    async def test_a_default_and_its_archive(self, api: Api, product: dict[str, Any]) -> None:
        """Whichever comes first, the product keeps an active default."""
        for _ in range(5):
            one, two = await new_price(api, product["id"]), await new_price(api, product["id"])
            await asyncio.gather(
                api.post(f"{PATH}/{one['id']}/set-default"),
                api.post(f"{PATH}/{two['id']}/set-default"),
                api.post(f"{PATH}/{one['id']}/archive"),
            )
            (default,) = await defaults(api, product)
            assert (await api.get(f"{PATH}/{default}")).json()["status"] == "ACTIVE"

    async def test_deleted_under_another_hand(self, api: Api, product: dict[str, Any]) -> None:
        await new_price(api, product["id"])
        price = await new_price(api, product["id"])
        path = f"{PATH}/{price['id']}"
        answers = await asyncio.gather(
            api.delete(path), api.patch(path, {"nickname": "x"}), api.post(f"{path}/archive"), api.delete(path)
        )
        assert {answer.status_code for answer in answers} <= {200, 204, 404}
        assert [answer.status_code for answer in answers].count(204) == 1
        assert (await api.get(path)).status_code == 404

    async def test_used_or_changed_but_not_both(self, api: Api, product: dict[str, Any]) -> None:
        """A draft takes the price while somebody changes and deletes it: what it says is what the price says."""
        shop = Shop(api)
        customer = await shop.customer()
        used = 0
        for _ in range(12):
            price = await new_price(api, product["id"])
            path = f"{PATH}/{price['id']}"
            draft = {"customerId": customer, "date": "2026-03-16", "lines": [line(price["id"])]}
            drafted, changed, deleted = await asyncio.gather(
                api.post("/v1/invoices", draft), api.patch(path, {"unitAmount": 7}), api.delete(path)
            )
            if drafted.status_code == 201:
                used += 1
                now = await shop.ok("GET", path)
                assert (now["isLocked"], now["unitAmount"]) == (True, drafted.json()["lines"][0]["unitPrice"])
                assert refusal(deleted) == (409, "PRODUCT_PRICE_IN_USE")
                assert (changed.status_code, now["unitAmount"]) in {(200, "7"), (409, "100")}
            else:
                assert refusal(drafted) == (404, "PRODUCT_PRICE_NOT_FOUND")
                assert deleted.status_code == 204
        assert used, "the draft never came first"

    async def test_a_price_that_is_being_changed_waits(self, api: Api, product: dict[str, Any]) -> None:
        """A draft that is being written holds its price: who wants to change it sees the draft."""
        price = await new_price(api, product["id"])
        path = f"{PATH}/{price['id']}"

        async def work(context: Context) -> list[asyncio.Task[httpx.Response]]:
            await prices.get_many_for_share(context, [UUID(price["id"])])
            waiting = [
                asyncio.create_task(request) for request in (api.patch(path, {"unitAmount": 7}), api.delete(path))
            ]
            await asyncio.wait(waiting, timeout=0.3)
            assert not any(task.done() for task in waiting)
            draft = InvoiceFields(
                customer_id=UUID(customer),
                issue_date=date(2026, 3, 16),
                lines=(LineInput(DocumentLineType.PRODUCT, UUID(price["id"])),),
            )
            await invoices.create(context, draft)
            return waiting

        customer = await Shop(api).customer()
        changed, deleted = [await task for task in await api.run(work)]
        assert (refusal(changed), refusal(deleted)) == ((409, "PRODUCT_PRICE_LOCKED"), (409, "PRODUCT_PRICE_IN_USE"))
        assert (await api.get(path)).json() == price | {"isLocked": True}
