"""Products over HTTP: their life, their list, and what they refuse."""

import asyncio
from typing import Any

import pytest
from tests.api.catalog_steps import UNKNOWN, group_id, new_price, new_product, problems, refusal, use_price
from tests.conftest import Api
from tests.selling import Shop, line

PATH = "/v1/products"


async def test_the_whole_answer(api: Api) -> None:
    group = await group_id(api)
    body = {
        "number": " P1 ",
        "name": " Office chair ",
        "productGroupId": group,
        "description": "Height-adjustable\n* five wheels",
        "unit": "pcs",
        "status": "DISABLED",
        "metadata": {"sku": "CH-1", "ean": ""},
    }
    created = await api.post(PATH, body)
    assert created.status_code == 201
    product = created.json()
    assert product == {
        "id": product["id"],
        "number": "P1",
        "name": "Office chair",
        "description": "Height-adjustable\n* five wheels",
        "productGroupId": group,
        "unit": "pcs",
        "status": "DISABLED",
        "metadata": {"sku": "CH-1", "ean": ""},
        "createdAt": "2026-03-16T12:00:00.000Z",
        "updatedAt": "2026-03-16T12:00:00.000Z",
    }
    assert (await api.get(f"{PATH}/{product['id']}")).json() == product | {"prices": []}
    assert (await api.get(PATH)).json()["data"] == [product]


async def test_what_may_be_left_out(api: Api) -> None:
    product = await new_product(api)
    assert (product["description"], product["unit"], product["status"], product["metadata"]) == (
        None,
        None,
        "ACTIVE",
        {},
    )


async def test_a_single_read_has_the_prices_the_default_first(api: Api) -> None:
    product = await new_product(api)
    first = await new_price(api, product["id"])
    api.clock.advance(seconds=1)
    second = await new_price(api, product["id"], unitAmount="2.50")
    api.clock.advance(seconds=1)
    third = await new_price(api, product["id"], unitAmount=3, pricingModel="FLAT_RATE")
    await api.post(f"/v1/product-prices/{third['id']}/set-default")
    prices = (await api.get(f"{PATH}/{product['id']}")).json()["prices"]
    assert [price["id"] for price in prices] == [third["id"], first["id"], second["id"]]
    assert prices[2] == second


async def test_only_what_is_sent_changes(api: Api) -> None:
    product = await new_product(api, description="Old", unit="pcs", metadata={"a": "1"})
    path = f"{PATH}/{product['id']}"
    api.clock.advance(minutes=1)
    later = {"updatedAt": "2026-03-16T12:01:00.000Z"}
    assert (await api.patch(path, {"name": "Stool"})).json() == product | {"name": "Stool"} | later
    changes: dict[str, Any] = {
        "number": "P2",
        "name": "Bench",
        "description": None,
        "unit": None,
        "metadata": {},
        "status": "ARCHIVED",
        "productGroupId": await group_id(api, "2"),
    }
    changed = (await api.patch(path, changes)).json()
    assert changed == product | changes | later
    for status in ("ACTIVE", "ARCHIVED", "DISABLED", "ACTIVE"):
        assert (await api.patch(path, {"status": status})).json()["status"] == status
    assert (await api.get(path)).json() == changed | {"status": "ACTIVE", "prices": []}


async def test_a_number_is_unique_in_the_company(api: Api, other_api: Api) -> None:
    one, two = await new_product(api, number="A"), await new_product(api, number="B")
    body = {"number": "A", "name": "x", "productGroupId": one["productGroupId"]}
    for refused in (await api.post(PATH, body), await api.patch(f"{PATH}/{two['id']}", {"number": " A"})):
        assert refusal(refused) == (409, "PRODUCT_NUMBER_ALREADY_EXISTS")
        assert refused.json()["details"] == {"property": "number", "value": "A"}
    assert (await new_product(other_api, number="A"))["number"] == "A"
    answers = await asyncio.gather(*(api.post(PATH, body | {"number": "RACE"}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_the_group_must_be_the_companys(api: Api, other_api: Api) -> None:
    product = await new_product(api)
    for foreign in (await group_id(other_api), UNKNOWN):
        body = {"number": "X", "name": "x", "productGroupId": foreign}
        assert refusal(await api.post(PATH, body)) == (404, "PRODUCT_GROUP_NOT_FOUND")
        changed = await api.patch(f"{PATH}/{product['id']}", {"productGroupId": foreign})
        assert refusal(changed) == (404, "PRODUCT_GROUP_NOT_FOUND")
    assert (await api.get(PATH)).json()["data"] == [product]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_foreign_and_malformed_ids(api: Api, other_api: Api, method: str) -> None:
    foreign = await new_product(other_api)
    for product_id in (foreign["id"], UNKNOWN):
        answer = await api.request(method, f"{PATH}/{product_id}", json={})
        assert refusal(answer) == (404, "PRODUCT_NOT_FOUND")
    assert problems(await api.request(method, f"{PATH}/P1", json={})) == {"productId": "isUuid"}
    assert (await other_api.get(PATH)).json()["data"] == [foreign]


class TestDelete:
    async def test_with_its_prices(self, api: Api) -> None:
        product = await new_product(api)
        prices = [await new_price(api, product["id"]) for _ in range(2)]
        deleted = await api.delete(f"{PATH}/{product['id']}")
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert refusal(await api.get(f"{PATH}/{product['id']}")) == (404, "PRODUCT_NOT_FOUND")
        for price in prices:
            answer = await api.get(f"/v1/product-prices/{price['id']}")
            assert refusal(answer) == (404, "PRODUCT_PRICE_NOT_FOUND")

    async def test_not_while_a_price_is_in_use(self, api: Api) -> None:
        product = await new_product(api)
        await new_price(api, product["id"])
        used = await new_price(api, product["id"])
        await use_price(api, used["id"])
        refused = await api.delete(f"{PATH}/{product['id']}")
        assert refusal(refused) == (409, "PRODUCT_IN_USE")
        assert refused.json()["details"] == {"usedBy": ["documents"]}
        assert len((await api.get(f"{PATH}/{product['id']}")).json()["prices"]) == 2

    async def test_deleted_or_priced_but_not_both(self, api: Api) -> None:
        for _ in range(5):
            product = await new_product(api)
            body = {
                "productId": product["id"],
                "billingPeriodType": "ONE_TIME",
                "pricingModel": "FLAT_RATE",
                "unitAmount": 1,
            }
            priced, deleted = await asyncio.gather(
                api.post("/v1/product-prices", body), api.delete(f"{PATH}/{product['id']}")
            )
            assert (priced.status_code, deleted.status_code) in {(201, 204), (404, 204)}
            assert (await api.get(f"{PATH}/{product['id']}")).status_code == 404

    async def test_deleted_or_used_but_not_both(self, api: Api) -> None:
        customer = await Shop(api).customer()
        for _ in range(8):
            product = await new_product(api)
            price = await new_price(api, product["id"])
            draft = {"customerId": customer, "date": "2026-03-16", "lines": [line(price["id"])]}
            drafted, deleted = await asyncio.gather(
                api.post("/v1/invoices", draft), api.delete(f"{PATH}/{product['id']}")
            )
            left = await api.get(f"/v1/product-prices/{price['id']}")
            if deleted.status_code == 204:
                assert left.status_code == 404
                assert refusal(drafted) == (404, "PRODUCT_PRICE_NOT_FOUND")
            else:
                assert refusal(deleted) == (409, "PRODUCT_IN_USE")
                assert drafted.status_code == 201
                assert left.json()["isLocked"] is True


class TestList:
    async def numbers(self, api: Api, **params: Any) -> list[str]:
        answer = await api.get(PATH, params=params)
        assert answer.status_code == 200, answer.text
        return [product["number"] for product in answer.json()["data"]]

    async def test_sorted_paged_searched_and_filtered(self, api: Api) -> None:
        services = await group_id(api, "2")
        for number, name, more in (
            ("a1", "Beta", {}),
            ("B2", "alpha", {"status": "DISABLED"}),
            ("A10", "Alphabet", {"productGroupId": services}),
            ("c_3", "Økologisk gær", {"productGroupId": services, "status": "ARCHIVED"}),
        ):
            api.clock.advance(seconds=1)
            await new_product(api, number=number, name=name, **more)
        assert await self.numbers(api) == ["c_3", "A10", "B2", "a1"]
        assert await self.numbers(api, sortOrder="ASC") == ["a1", "B2", "A10", "c_3"]
        assert await self.numbers(api, sortBy="number", sortOrder="ASC") == ["a1", "A10", "B2", "c_3"]
        assert await self.numbers(api, sortBy="name", sortOrder="ASC") == ["B2", "A10", "a1", "c_3"]
        assert await self.numbers(api, search="A", sortBy="number", sortOrder="ASC") == ["a1", "A10", "B2"]
        assert await self.numbers(api, search="ØKO") == ["c_3"]
        assert await self.numbers(api, search="c%") == []
        assert await self.numbers(api, status="ACTIVE") == ["A10", "a1"]
        assert await self.numbers(api, productGroupId=services) == ["c_3", "A10"]
        assert await self.numbers(api, productGroupId=services, status="ARCHIVED", search="c_") == ["c_3"]
        assert await self.numbers(api, productGroupId=UNKNOWN) == []
        assert await self.numbers(api, limit=3, page=2) == ["a1"]
        page = (await api.get(PATH, params={"limit": 3, "page": 2})).json()
        assert {key: page[key] for key in page if key != "data"} == {
            "total": 4,
            "page": 2,
            "limit": 3,
            "totalPages": 2,
        }

    async def test_without_prices(self, api: Api) -> None:
        product = await new_product(api)
        await new_price(api, product["id"])
        assert (await api.get(PATH)).json()["data"] == [product]
        assert "prices" not in product

    async def test_every_page_holds_what_is_its(self, api: Api) -> None:
        for count in range(11):
            await new_product(api, number=f"{count:02}", name="same")
        everything = [f"{count:02}" for count in range(11)]
        for sort in ("number", "name", "createdAt"):
            for order in ("ASC", "DESC"):
                pages = [
                    await self.numbers(api, sortBy=sort, sortOrder=order, limit=3, page=page) for page in range(1, 6)
                ]
                assert [len(page) for page in pages] == [3, 3, 3, 2, 0]
                found = [number for page in pages for number in page]
                assert sorted(found) == everything
                if sort == "number":
                    assert found == (everything if order == "ASC" else everything[::-1])

    @pytest.mark.parametrize(
        ("params", "wrong"),
        [
            ({"status": "active"}, {"status": "isEnum"}),
            ({"productGroupId": "1"}, {"productGroupId": "isUuid"}),
            ({"sortBy": "status"}, {"sortBy": "isEnum"}),
            ({"limit": 1000}, {"limit": "max"}),
            ({"page": "NaN"}, {"page": "isInt"}),
        ],
    )
    async def test_refused(self, api: Api, params: dict[str, Any], wrong: dict[str, str]) -> None:
        assert problems(await api.get(PATH, params=params)) == wrong


class TestBadInput:
    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"number": ""}, {"number": "minLength"}),
            ({"number": "x" * 101}, {"number": "maxLength"}),
            ({"number": 1}, {"number": "isString"}),
            ({"name": "   "}, {"name": "minLength"}),
            ({"name": "x" * 10_000}, {"name": "maxLength"}),
            ({"name": None}, {"name": "isString"}),
            ({"productGroupId": "1"}, {"productGroupId": "isUuid"}),
            ({"description": 1}, {"description": "isString"}),
            ({"unit": "x" * 1001}, {"unit": "maxLength"}),
            ({"status": "GONE"}, {"status": "isEnum"}),
            ({"status": None}, {"status": "isEnum"}),
            ({"metadata": ["a"]}, {"metadata": "isObject"}),
            ({"metadata": {"a": 1}}, {"metadata.a": "isString"}),
            ({"metadata": {str(n): "" for n in range(51)}}, {"metadata": "arrayMaxSize"}),
            ({"prices": []}, {"prices": "whitelistValidation"}),
            ({"metadata": {"a": "\x00"}}, {"metadata.a": "isText"}),
        ],
    )
    async def test_named_by_property(self, api: Api, fields: dict[str, Any], wrong: dict[str, str]) -> None:
        product = await new_product(api)
        body = {"number": "N", "name": "n", "productGroupId": product["productGroupId"]}
        assert problems(await api.post(PATH, body | fields)) == wrong
        assert problems(await api.patch(f"{PATH}/{product['id']}", fields)) == wrong
        assert (await api.get(PATH)).json()["data"] == [product]

    async def test_every_required_field_is_asked_for(self, api: Api) -> None:
        assert problems(await api.post(PATH, {})) == dict.fromkeys(("number", "name", "productGroupId"), "isDefined")

    async def test_the_longest_texts_fit_the_indexes(self, api: Api) -> None:
        longest = "".join(chr(0x10000 + 131 * place) for place in range(255))
        created = await new_product(api, number=longest[:100], name=longest)
        assert (created["number"], created["name"]) == (longest[:100], longest)
        found = await api.get(PATH, params={"search": longest[:50]})
        assert found.json()["total"] == 1
