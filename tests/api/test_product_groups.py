"""Product groups: the rules of their accounts, their list, and what they refuse."""

import asyncio
from typing import Any

import pytest
from tests.api.catalog_steps import UNKNOWN, account_ids, group_body, group_id, new_product, problems, refusal
from tests.conftest import Api

PATH = "/v1/product-groups"


async def create(api: Api, **fields: Any) -> dict[str, Any]:
    answer = await api.post(PATH, await group_body(api, **fields))
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_created_read_changed_deleted(api: Api) -> None:
    created = await create(api, number="  G7 ", name=" Chairs\t", description="Four legs\nor three")
    assert (created["number"], created["name"], created["description"]) == ("G7", "Chairs", "Four legs\nor three")
    assert created["createdAt"] == created["updatedAt"] == "2026-03-16T12:00:00.000Z"
    path = f"{PATH}/{created['id']}"
    assert (await api.get(path)).json() == created

    api.clock.advance(hours=1)
    changed = (await api.patch(path, {"name": "Stools", "description": ""})).json()
    assert changed == created | {"name": "Stools", "description": "", "updatedAt": "2026-03-16T13:00:00.000Z"}
    assert (await api.get(path)).json() == changed

    deleted = await api.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert refusal(await api.get(path)) == (404, "PRODUCT_GROUP_NOT_FOUND")
    assert refusal(await api.delete(path)) == (404, "PRODUCT_GROUP_NOT_FOUND")


async def test_accounts_are_named_and_can_be_remapped(api: Api) -> None:
    accounts = await account_ids(api)
    created = await create(api)
    assert (created["euAccountNumber"], created["domesticWithoutVatAccountNumber"]) == (1050, 1011)
    assert created["domesticAccountName"] == "Salg af varer og ydelser"
    changed = await api.patch(f"{PATH}/{created['id']}", {"euAccountId": accounts[1150]})
    assert changed.json()["euAccountNumber"] == 1150
    assert changed.json()["euAccountName"] == "Salg af ydelser udland, EU"
    assert changed.json()["abroadAccountNumber"] == 1100


@pytest.mark.parametrize("field", ["domesticAccountId", "euAccountId", "abroadAccountId"])
@pytest.mark.parametrize("number", [1550, 1610, 1002, 6480])
async def test_three_accounts_need_a_sales_vat_code(api: Api, field: str, number: int) -> None:
    """1550 has no VAT code, 1610 one for purchases, 1002 is a heading, 6480 the bank."""
    wrong = (await account_ids(api))[number]
    answer = await api.post(PATH, await group_body(api, **{field: wrong}))
    assert refusal(answer) == (400, "PRODUCT_GROUP_ACCOUNT_INVALID")
    assert answer.json()["details"] == {"property": field, "accountId": wrong}
    answer = await api.patch(f"{PATH}/{await group_id(api)}", {field: wrong})
    assert refusal(answer) == (400, "PRODUCT_GROUP_ACCOUNT_INVALID")
    assert {g["number"] for g in (await api.get(PATH)).json()["data"]} == {"1", "2"}


async def test_the_account_without_vat_must_only_be_bookable(api: Api) -> None:
    accounts = await account_ids(api)
    created = await create(api, domesticWithoutVatAccountId=accounts[1550])
    assert created["domesticWithoutVatAccountNumber"] == 1550
    answer = await api.post(PATH, await group_body(api, number="G2", domesticWithoutVatAccountId=accounts[1002]))
    assert refusal(answer) == (400, "PRODUCT_GROUP_ACCOUNT_INVALID")


async def test_a_group_can_be_renamed_whatever_became_of_its_accounts(api: Api) -> None:
    created = await create(api)

    async def deactivate(context: Any) -> None:
        await context.connection.execute(
            "UPDATE accounts SET is_active = false WHERE company_id = $1 AND number = 1010", context.company_id
        )

    await api.run(deactivate)
    path = f"{PATH}/{created['id']}"
    assert (await api.patch(path, {"name": "Renamed"})).json()["name"] == "Renamed"
    again = await api.patch(path, {"domesticAccountId": created["domesticAccountId"]})
    assert refusal(again) == (400, "PRODUCT_GROUP_ACCOUNT_INVALID")


async def test_ids_of_another_company_are_unknown(api: Api, other_api: Api) -> None:
    foreign = await create(other_api)
    for answer in (
        await api.get(f"{PATH}/{foreign['id']}"),
        await api.patch(f"{PATH}/{foreign['id']}", {"name": "Mine"}),
        await api.delete(f"{PATH}/{foreign['id']}"),
        await api.get(f"{PATH}/{UNKNOWN}"),
    ):
        assert refusal(answer) == (404, "PRODUCT_GROUP_NOT_FOUND")
    for account in (foreign["domesticAccountId"], UNKNOWN):
        answer = await api.post(PATH, await group_body(api, domesticAccountId=account))
        assert refusal(answer) == (404, "ACCOUNT_NOT_FOUND")
        assert answer.json()["details"] == {"property": "domesticAccountId", "accountId": account}
    assert (await other_api.get(f"{PATH}/{foreign['id']}")).json() == foreign
    assert {g["number"] for g in (await api.get(PATH)).json()["data"]} == {"1", "2"}


async def test_a_number_is_unique_in_the_company(api: Api, other_api: Api) -> None:
    one, two = await create(api, number="A"), await create(api, number="B")
    assert refusal(await api.post(PATH, await group_body(api, number="A"))) == (
        409,
        "PRODUCT_GROUP_NUMBER_ALREADY_EXISTS",
    )
    taken = await api.patch(f"{PATH}/{two['id']}", {"number": "A"})
    assert refusal(taken) == (409, "PRODUCT_GROUP_NUMBER_ALREADY_EXISTS")
    assert taken.json()["details"] == {"property": "number", "value": "A"}
    assert (await api.patch(f"{PATH}/{one['id']}", {"number": "A"})).status_code == 200
    assert (await create(other_api, number="A"))["number"] == "A"


async def test_of_two_at_once_one_gets_the_number(api: Api) -> None:
    body = await group_body(api, number="RACE")
    answers = await asyncio.gather(*(api.post(PATH, body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_a_group_with_products_stays(api: Api) -> None:
    created = await create(api)
    product = await new_product(api, productGroupId=created["id"])
    refused = await api.delete(f"{PATH}/{created['id']}")
    assert refusal(refused) == (409, "PRODUCT_GROUP_IN_USE")
    assert refused.json()["details"] == {"usedBy": ["products"]}
    await api.delete(f"/v1/products/{product['id']}")
    assert (await api.delete(f"{PATH}/{created['id']}")).status_code == 204


class TestList:
    async def test_newest_first_with_the_number_of_products(self, api: Api) -> None:
        api.clock.advance(minutes=1)
        created = await create(api, number="Z")
        await new_product(api, productGroupId=created["id"])
        await new_product(api, productGroupId=created["id"])
        listed = (await api.get(PATH)).json()
        assert listed["data"][0] == created | {"productCount": 2}
        assert {group["productCount"] for group in listed["data"][1:]} == {0}
        assert (listed["total"], listed["page"], listed["limit"], listed["totalPages"]) == (3, 1, 25, 1)

    async def test_sorted_paged_and_searched(self, api: Api) -> None:
        for number, name in (("10", "beta"), ("b1", "Alpha"), ("B2", "ALPHABET"), ("%_", "Økologi")):
            api.clock.advance(seconds=1)
            await create(api, number=number, name=name)

        async def numbers(**params: Any) -> list[str]:
            answer = await api.get(PATH, params=params)
            assert answer.status_code == 200, answer.text
            return [group["number"] for group in answer.json()["data"]]

        assert await numbers(sortBy="number", sortOrder="ASC") == ["%_", "1", "10", "2", "b1", "B2"]
        assert await numbers(sortBy="number", sortOrder="ASC", limit=2, page=2) == ["10", "2"]
        assert await numbers(sortBy="number", limit=4, page=2) == ["1", "%_"]
        assert await numbers(sortOrder="ASC", limit=3, page=2) == ["b1", "B2", "%_"]
        assert await numbers(page=10**30) == []
        assert await numbers(search="alpha", sortBy="name", sortOrder="ASC") == ["b1", "B2"]
        assert await numbers(search=" ALPHAB ") == ["B2"]
        assert await numbers(search="1", sortBy="number", sortOrder="ASC") == ["1", "10"]
        assert await numbers(search="økO") == ["%_"]
        assert await numbers(search="%") == ["%_"]
        assert await numbers(search="_") == []
        assert await numbers(search="lpha") == []

    @pytest.mark.parametrize(
        ("params", "wrong"),
        [
            ({"page": 0}, {"page": "min"}),
            ({"page": -1}, {"page": "min"}),
            ({"page": "1.5"}, {"page": "isInt"}),
            ({"page": "x"}, {"page": "isInt"}),
            ({"page": "9" * 5000}, {"page": "isInt"}),
            ({"limit": 0}, {"limit": "min"}),
            ({"limit": 101}, {"limit": "max"}),
            ({"sortBy": "id"}, {"sortBy": "isEnum"}),
            ({"sortOrder": "asc"}, {"sortOrder": "isEnum"}),
            ({"search": "x" * 201}, {"search": "maxLength"}),
            ({"search": "a\x00b"}, {"": "isText"}),
        ],
    )
    async def test_refused(self, api: Api, params: dict[str, Any], wrong: dict[str, str]) -> None:
        assert problems(await api.get(PATH, params=params)) == wrong


class TestBadInput:
    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"number": ""}, {"number": "minLength"}),
            ({"number": " \n"}, {"number": "minLength"}),
            ({"number": None}, {"number": "isString"}),
            ({"number": 7}, {"number": "isString"}),
            ({"number": "x" * 101}, {"number": "maxLength"}),
            ({"name": "x" * 10_000}, {"name": "maxLength"}),
            ({"name": ["x"]}, {"name": "isString"}),
            ({"description": "x" * 10_001}, {"description": "maxLength"}),
            ({"description": None}, {"description": "isString"}),
            ({"euAccountId": "1050"}, {"euAccountId": "isUuid"}),
            ({"euAccountId": None}, {"euAccountId": "isUuid"}),
            ({"productCount": 3}, {"productCount": "whitelistValidation"}),
            ({"name": "a\x00b"}, {"name": "isText"}),
        ],
    )
    async def test_named_by_property(self, api: Api, fields: dict[str, Any], wrong: dict[str, str]) -> None:
        assert problems(await api.post(PATH, await group_body(api, **fields))) == wrong
        assert problems(await api.patch(f"{PATH}/{await group_id(api)}", fields)) == wrong
        assert (await api.get(PATH)).json()["total"] == 2

    async def test_every_required_field_is_asked_for(self, api: Api) -> None:
        names = ["number", "name", "domesticAccountId", "euAccountId", "abroadAccountId", "domesticWithoutVatAccountId"]
        assert problems(await api.post(PATH, {})) == dict.fromkeys(names, "isDefined")

    async def test_an_empty_change_changes_nothing_but_the_moment(self, api: Api) -> None:
        created = await create(api)
        assert (await api.patch(f"{PATH}/{created['id']}", {})).json() == created

    async def test_a_path_id_that_is_none(self, api: Api) -> None:
        for method in ("GET", "PATCH", "DELETE"):
            answer = await api.request(method, f"{PATH}/PG001", json={})
            assert problems(answer) == {"productGroupId": "isUuid"}

    async def test_the_longest_texts_fit_the_indexes(self, api: Api) -> None:
        longest = "".join(chr(0x10000 + 131 * place) for place in range(255))
        created = await create(api, number=longest[:100], name=longest, description="ø" * 10_000)
        assert created["name"] == longest
        assert (await api.get(PATH, params={"search": longest[:40]})).json()["total"] == 1

    async def test_markup_is_text(self, api: Api) -> None:
        text = '\'); DROP TABLE products; --<b>#read("/etc/passwd")'
        created = await create(api, number=text, name=text, description=text)
        assert (created["number"], created["name"], created["description"]) == (text, text, text)
        found = await api.get(PATH, params={"search": text[:10]})
        assert [group["id"] for group in found.json()["data"]] == [created["id"]]
