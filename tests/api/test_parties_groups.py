"""Customer and vendor groups over HTTP."""

import asyncio
import re
from typing import Any
from uuid import uuid4

import pytest
from tests.api.test_customers import invalid, refused
from tests.api.test_vendors import account
from tests.conftest import Api

CONTROL = {"customer": "ACCOUNTS_RECEIVABLE", "vendor": "ACCOUNTS_PAYABLE"}
KINDS = pytest.mark.parametrize("kind", ["customer", "vendor"])


async def fields(api: Api, kind: str, **changes: Any) -> dict[str, Any]:
    control = await account(api, controlAccountType=CONTROL[kind])
    return {"number": "77", "name": "Kæder", "accountId": control, **changes}


@KINDS
class TestGroups:
    async def test_a_new_company_has_some(self, api: Api, other_api: Api, kind: str) -> None:
        groups = (await api.get(f"/v1/{kind}-groups")).json()
        accounts = {one["id"]: one for one in (await api.get("/v1/accounts")).json()}
        assert groups
        for group in groups:
            control = accounts[group["accountId"]]
            assert control["controlAccountType"] == CONTROL[kind]
            assert (group["accountNumber"], group["accountName"]) == (control["accountNumber"], control["name"])
        theirs = (await other_api.get(f"/v1/{kind}-groups")).json()
        assert not {group["id"] for group in groups} & {group["id"] for group in theirs}

    async def test_create(self, api: Api, kind: str) -> None:
        discount = {"discount": 12.5} if kind == "customer" else {}
        body = await fields(api, kind, number=" 9-B ", metadata={"region": "Øst", "rank": 2}, **discount)
        answer = await api.post(f"/v1/{kind}-groups", body)
        assert answer.status_code == 201
        group = answer.json()
        expected = {**body, "number": "9-B", "id": group["id"]}
        assert {name: group[name] for name in expected} == expected
        assert set(group) - set(expected) == {"accountNumber", "accountName"}
        assert group in (await api.get(f"/v1/{kind}-groups")).json()

    async def test_by_number_in_natural_order(self, api: Api, kind: str) -> None:
        for number in ("1000", "999"):
            assert (await api.post(f"/v1/{kind}-groups", await fields(api, kind, number=number))).status_code == 201
        numbers = [group["number"] for group in (await api.get(f"/v1/{kind}-groups")).json()]
        assert numbers[-2:] == ["999", "1000"]

    async def test_numbers_are_unique(self, api: Api, kind: str) -> None:
        body = await fields(api, kind)
        answers = await asyncio.gather(*(api.post(f"/v1/{kind}-groups", body) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        code = f"{kind.upper()}_GROUP_NUMBER_ALREADY_EXISTS"
        refused(await api.post(f"/v1/{kind}-groups", body), 409, code)

    async def test_the_account_is_a_control_account_of_its_type(self, api: Api, other_api: Api, kind: str) -> None:
        other_type = CONTROL["vendor" if kind == "customer" else "customer"]
        for wanted in (
            {"controlAccountType": other_type},
            {"ledgerType": "HEADING"},
            {"ledgerType": "BALANCE_SHEET", "controlAccountType": None},
        ):
            body = await fields(api, kind, accountId=await account(api, **wanted))
            details = refused(await api.post(f"/v1/{kind}-groups", body), 400, f"{kind.upper()}_GROUP_ACCOUNT_INVALID")
            assert details == {"property": "accountId", "accountId": body["accountId"]}
        for unknown in (await account(other_api, controlAccountType=CONTROL[kind]), str(uuid4())):
            body = await fields(api, kind, accountId=unknown)
            refused(await api.post(f"/v1/{kind}-groups", body), 404, "ACCOUNT_NOT_FOUND")
        assert "77" not in {group["number"] for group in (await api.get(f"/v1/{kind}-groups")).json()}

    async def test_bad_values(self, api: Api, kind: str) -> None:
        path = f"/v1/{kind}-groups"
        assert set(invalid(await api.post(path, {}))) == {"number", "name", "accountId"}
        for name, bad, rule in (
            ("number", "", "minLength"),
            ("number", "9" * 101, "maxLength"),
            ("name", "x" * 10_000, "maxLength"),
            ("accountId", "x", "isUuid"),
            ("metadata", {"a": []}, "isMetadataValue"),
            ("color", "red", "whitelistValidation"),
        ):
            found = invalid(await api.post(path, await fields(api, kind, **{name: bad})))
            assert rule in found["metadata.a" if name == "metadata" else name]


@pytest.mark.parametrize(
    ("discount", "rule"), [(-1, "min"), (100.01, "max"), ("1.23456", "maxDecimalPlaces"), ("x", "isNumber")]
)
async def test_a_discount_is_a_percentage(api: Api, discount: Any, rule: str) -> None:
    body = await fields(api, "customer", discount=discount)
    assert rule in invalid(await api.post("/v1/customer-groups", body))["discount"]
    body = await fields(api, "vendor", discount=5)
    assert "whitelistValidation" in invalid(await api.post("/v1/vendor-groups", body))["discount"]


OWN = re.compile(r"/v1/(?P<resource>customer|vendor)(-groups|s(/\{\w+\}(/(contacts|departments)(/\{\w+\})?)?)?)")


async def test_every_operation_is_described(api: Api) -> None:
    """Each has its resource's tag and scope, and says so where it goes beyond the original API."""
    document = (await api.http.get("/api/openapi.json")).json()
    extensions = set()
    count = 0
    for path, methods in document["paths"].items():
        if not (own := OWN.fullmatch(path)):
            continue
        resource = f"{own['resource']}s"
        for method, found in methods.items():
            count += 1
            assert f"`{resource}-{'read' if method == 'get' else 'write'}`" in found["description"], (method, path)
            assert found["tags"] == [resource.capitalize()]
            if found.get("x-extension"):
                extensions.add((method, path.rsplit("/", 1)[1]))
    assert count == 7 + 5 + 2 * 5
    assert extensions == {
        ("post", "customer-groups"),
        ("post", "vendor-groups"),
        ("post", "contacts"),
        ("patch", "{contactId}"),
        ("post", "departments"),
        ("patch", "{departmentId}"),
    }


async def test_a_discount_is_a_json_number(api: Api) -> None:
    body = await fields(api, "customer", discount="12.50")
    assert '"discount":12.5,' in (await api.post("/v1/customer-groups", body)).text
    body = await fields(api, "customer", number="78")
    assert '"discount":0,' in (await api.post("/v1/customer-groups", body)).text
