"""The chart of accounts over HTTP (contract 2.1)."""

from typing import Any
from uuid import UUID

import pytest
from tests.conftest import Api

from ledgerbee.core.ids import new_id

NEW = {"number": 1015, "name": "Salg af kurser", "ledgerType": "PROFIT_AND_LOSS", "classification": "REVENUE"}


async def account(api: Api, number: int) -> Any:
    return next(row for row in (await api.get("/v1/accounts")).json() if row["accountNumber"] == number)


async def vat_code(api: Api, code: str) -> str:
    return str(next(row["id"] for row in (await api.get("/v1/vat-codes")).json() if row["vatCode"] == code))


async def test_the_chart_by_standard_account_and_number(api: Api) -> None:
    answer = await api.get("/v1/accounts")
    assert answer.status_code == 200
    rows = answer.json()
    keys = [(row["publicAccountId"], row["accountNumber"]) for row in rows]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys) > 50
    sales = next(row for row in rows if row["accountNumber"] == 1010)
    UUID(sales["id"])
    assert sales == {
        "id": sales["id"],
        "name": "Salg af varer og ydelser",
        "accountNumber": 1010,
        "publicAccountId": 1010,
        "ledgerType": "PROFIT_AND_LOSS",
        "accountClassification": "REVENUE",
        "controlAccountType": None,
        "vatCodeId": await vat_code(api, "S01"),
        "sumFrom": None,
        "isActive": True,
    }
    receivables = next(row for row in rows if row["accountNumber"] == 6190)
    assert receivables["controlAccountType"] == "ACCOUNTS_RECEIVABLE"
    assert next(row for row in rows if row["ledgerType"] == "HEADING")["accountClassification"] is None


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"standardNumber": 1010},
        {"ledgerType": "BALANCE_SHEET", "classification": "ASSET", "controlAccountType": "ACCOUNTS_RECEIVABLE"},
        {"ledgerType": "BALANCE_SHEET", "classification": "LIABILITY", "controlAccountType": "ACCOUNTS_PAYABLE"},
        {"ledgerType": "BALANCE_SHEET", "classification": "EQUITY"},
        {"ledgerType": "HEADING", "classification": None},
        {"ledgerType": "TOTAL_FROM", "classification": None, "sumFrom": 1001},
    ],
)
async def test_accounts_of_each_kind(api: Api, other_api: Api, extra: dict[str, Any]) -> None:
    body = {key: value for key, value in {**NEW, **extra}.items() if value is not None}
    answer = await api.post("/v1/accounts", body)
    assert answer.status_code == 201, answer.text
    assert answer.json() == {
        "id": answer.json()["id"],
        "name": "Salg af kurser",
        "accountNumber": 1015,
        "publicAccountId": body.get("standardNumber", 1015),
        "ledgerType": body["ledgerType"],
        "accountClassification": body.get("classification"),
        "controlAccountType": body.get("controlAccountType"),
        "vatCodeId": None,
        "sumFrom": body.get("sumFrom"),
        "isActive": True,
    }
    assert await account(api, 1015) == answer.json()
    again = await api.post("/v1/accounts", body)
    assert again.status_code == 409
    assert again.json()["code"] == "ACCOUNT_NUMBER_ALREADY_EXISTS"
    assert (await other_api.post("/v1/accounts", body)).status_code == 201


@pytest.mark.parametrize(
    ("change", "property_"),
    [
        ({"number": 0}, "number"),
        ({"number": 2**31}, "number"),
        ({"number": "1015"}, "number"),
        ({"number": 1015.5}, "number"),
        ({"name": ""}, "name"),
        ({"ledgerType": "SAVINGS"}, "ledgerType"),
        ({"classification": "ASSET"}, "classification"),
        ({"ledgerType": "BALANCE_SHEET"}, "classification"),
        ({"ledgerType": "HEADING"}, "classification"),
        ({"controlAccountType": "ACCOUNTS_RECEIVABLE"}, "controlAccountType"),
        ({"sumFrom": 1001}, "sumFrom"),
        ({"vatCodeId": "nonsense"}, "vatCodeId"),
        ({"isActive": False}, "isActive"),
    ],
)
async def test_bad_input(api: Api, change: dict[str, Any], property_: str) -> None:
    answer = await api.post("/v1/accounts", {**NEW, **change})
    assert answer.status_code == 400, answer.text
    assert [row["property"] for row in answer.json()["details"]["validationErrors"]] == [property_]


async def test_an_accounts_vat_code(api: Api, other_api: Api) -> None:
    code = await vat_code(api, "S01")
    made = await api.post("/v1/accounts", {**NEW, "vatCodeId": code})
    assert made.json()["vatCodeId"] == code
    foreign = await api.post("/v1/accounts", {**NEW, "number": 1016, "vatCodeId": await vat_code(other_api, "S01")})
    assert foreign.status_code == 404
    assert foreign.json()["code"] == "VAT_CODE_NOT_FOUND"
    path = f"/v1/accounts/{made.json()['id']}"
    assert (await api.patch(path, {"vatCodeId": None})).json()["vatCodeId"] is None
    unused = await api.post("/v1/vat-codes", {"vatCode": "X", "name": "x", "vatRate": 0, "type": "SALES",
                                              "principle": "Net"})  # fmt: skip
    await api.patch(f"/v1/vat-codes/{unused.json()['id']}", {"isActive": False})
    refused = await api.patch(path, {"vatCodeId": unused.json()["id"]})
    assert refused.json()["details"]["validationErrors"][0]["property"] == "vatCodeId"
    receivables = await account(api, 6190)
    assert (await api.patch(f"/v1/accounts/{receivables['id']}", {"vatCodeId": code})).status_code == 400


async def test_changing_an_account(api: Api, other_api: Api) -> None:
    made = (await api.post("/v1/accounts", NEW)).json()
    path = f"/v1/accounts/{made['id']}"
    changed = await api.patch(path, {"name": "Kurser", "isActive": False})
    assert changed.status_code == 200
    assert changed.json() == {**made, "name": "Kurser", "isActive": False}
    assert await account(api, 1015) == changed.json()
    assert (await api.patch(path, {"isActive": True})).json() == {**made, "name": "Kurser"}
    for field in ("number", "ledgerType", "classification", "controlAccountType"):
        assert (await api.patch(path, {field: 1})).json()["details"]["validationErrors"][0]["property"] == field
    assert (await other_api.patch(path, {"name": "Mine"})).json()["code"] == "ACCOUNT_NOT_FOUND"
    assert (await api.patch(f"/v1/accounts/{new_id()}", {"name": "None"})).status_code == 404


@pytest.mark.parametrize(
    ("number", "used_by"),
    [(6480, ["BANK"]), (6190, ["ACCOUNTS_RECEIVABLE"]), (7680, ["vatCodes"]), (7700, ["vatCodes"])],
)
async def test_what_the_system_books_on_stays_active(api: Api, number: int, used_by: list[str]) -> None:
    path = f"/v1/accounts/{(await account(api, number))['id']}"
    answer = await api.patch(path, {"isActive": False})
    assert answer.status_code == 409
    assert answer.json()["code"] == "ACCOUNT_IN_USE"
    assert answer.json()["details"] == {"usedBy": used_by}
    assert (await api.patch(path, {"name": "Other name"})).status_code == 200
