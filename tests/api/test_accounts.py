"""The chart of accounts over HTTP (contract 2.1)."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.conftest import Api, SteeredClock, new_company

from ledgerbee.chart.seed.loader import standard_accounts
from ledgerbee.core.ids import new_id
from ledgerbee.platform.db import Database

NEW = {
    "accountNumber": 1015,
    "name": "Salg af kurser",
    "ledgerType": "PROFIT_AND_LOSS",
    "accountClassification": "REVENUE",
}


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
        "role": None,
    }
    receivables = next(row for row in rows if row["accountNumber"] == 6190)
    assert receivables["controlAccountType"] == "ACCOUNTS_RECEIVABLE"
    assert next(row for row in rows if row["ledgerType"] == "HEADING")["accountClassification"] is None


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"publicAccountId": 1010},
        {"ledgerType": "BALANCE_SHEET", "accountClassification": "ASSET", "controlAccountType": "ACCOUNTS_RECEIVABLE"},
        {"ledgerType": "BALANCE_SHEET", "accountClassification": "LIABILITY", "controlAccountType": "ACCOUNTS_PAYABLE"},
        {"ledgerType": "BALANCE_SHEET", "accountClassification": "EQUITY"},
        {"ledgerType": "HEADING", "accountClassification": None},
        {"ledgerType": "TOTAL_FROM", "accountClassification": None, "sumFrom": 1001},
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
        "publicAccountId": body.get("publicAccountId", 1015),
        "ledgerType": body["ledgerType"],
        "accountClassification": body.get("accountClassification"),
        "controlAccountType": body.get("controlAccountType"),
        "vatCodeId": None,
        "sumFrom": body.get("sumFrom"),
        "isActive": True,
        "role": None,
    }
    assert await account(api, 1015) == answer.json()
    again = await api.post("/v1/accounts", body)
    assert again.status_code == 409
    assert again.json()["code"] == "ACCOUNT_NUMBER_ALREADY_EXISTS"
    assert (await other_api.post("/v1/accounts", body)).status_code == 201


@pytest.mark.parametrize(
    ("change", "property_"),
    [
        ({"accountNumber": 0}, "accountNumber"),
        ({"accountNumber": 2**31}, "accountNumber"),
        ({"accountNumber": "1015"}, "accountNumber"),
        ({"accountNumber": 1015.5}, "accountNumber"),
        ({"name": ""}, "name"),
        ({"ledgerType": "SAVINGS"}, "ledgerType"),
        ({"accountClassification": "ASSET"}, "accountClassification"),
        ({"ledgerType": "BALANCE_SHEET"}, "accountClassification"),
        ({"ledgerType": "HEADING"}, "accountClassification"),
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


@pytest.mark.parametrize("number", ["1015.0", "1.015e3", "101500E-2"])
async def test_a_whole_number_as_typed_clients_write_it(api: Api, number: str) -> None:
    text = json.dumps({**NEW, "accountNumber": "#"}).replace('"#"', number)
    made = await api.request("POST", "/v1/accounts", content=text, headers={"content-type": "application/json"})
    assert (made.status_code, made.json()["accountNumber"]) == (201, 1015), made.text


async def test_an_accounts_vat_code(api: Api, other_api: Api) -> None:
    code = await vat_code(api, "S01")
    made = await api.post("/v1/accounts", {**NEW, "vatCodeId": code})
    assert made.json()["vatCodeId"] == code
    foreign = await api.post(
        "/v1/accounts", {**NEW, "accountNumber": 1016, "vatCodeId": await vat_code(other_api, "S01")}
    )
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
    for field in ("accountNumber", "ledgerType", "accountClassification", "controlAccountType"):
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


async def test_every_standard_number_is_created_as_the_standard_has_it_in_its_place(api: Api) -> None:
    """By its number alone: name, type, classification, VAT code and interval come from the standard."""
    codes = {row["vatCode"]: row["id"] for row in (await api.get("/v1/vat-codes")).json()}
    before = {row["accountNumber"]: row for row in (await api.get("/v1/accounts")).json()}
    for standard in standard_accounts("DK").values():
        if standard.number in before:
            continue
        answer = await api.post("/v1/accounts", {"accountNumber": standard.number})
        assert answer.status_code == 201, answer.text
        assert answer.json() == {
            "id": answer.json()["id"],
            "name": standard.name,
            "accountNumber": standard.number,
            "publicAccountId": standard.number,
            "ledgerType": standard.ledger_type,
            "accountClassification": standard.classification,
            "controlAccountType": standard.control_account_type,
            "vatCodeId": codes.get(standard.vat_code or ""),
            "sumFrom": standard.sum_from,
            "isActive": True,
            "role": None,
        }
    after = (await api.get("/v1/accounts")).json()
    assert [row["accountNumber"] for row in after] == sorted({*before, *standard_accounts("DK")}, key=_place(before))
    assert {row["accountNumber"]: row for row in after}.items() >= before.items()


def _place(chart: dict[int, Any]) -> Any:
    return lambda number: (chart[number]["publicAccountId"] if number in chart else number, number)


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ({"publicAccountId": 2847}, {"accountNumber": 2847, "publicAccountId": 2847, "name": "B-honorar"}),
        (
            {"accountNumber": 2867, "publicAccountId": 2866},
            {"accountNumber": 2867, "publicAccountId": 2866, "name": "Feriepengeforpligtelse, regulering"},
        ),
        (
            {"accountNumber": 90001, "publicAccountId": 6330, "name": "Butik"},
            {"name": "Butik", "ledgerType": "BALANCE_SHEET", "accountClassification": "ASSET"},
        ),
        (
            {"accountNumber": 6191, "publicAccountId": 6190},
            {"controlAccountType": "ACCOUNTS_RECEIVABLE", "accountClassification": "ASSET", "vatCodeId": None},
        ),
        ({"accountNumber": 6800, "ledgerType": "HEADING"}, {"ledgerType": "HEADING", "accountClassification": None}),
        ({"accountNumber": 1491, "ledgerType": "TOTAL_FROM", "sumFrom": 1391, "name": "Own"}, {"sumFrom": 1391}),
        ({"accountNumber": 3250, "sumFrom": 3193}, {"ledgerType": "TOTAL_FROM", "sumFrom": 3193}),
        ({"accountNumber": 3097, "accountClassification": "EXPENSE"}, {"accountClassification": "EXPENSE"}),
    ],
)
async def test_what_is_given_goes_before_the_standard(api: Api, body: dict[str, Any], made: dict[str, Any]) -> None:
    answer = await api.post("/v1/accounts", body)
    assert answer.status_code == 201, answer.text
    assert answer.json().items() >= made.items()
    assert await account(api, answer.json()["accountNumber"]) == answer.json()


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({}, ["accountNumber"]),
        ({"name": "Kurser"}, ["accountNumber"]),
        ({"accountNumber": 1015}, ["name", "ledgerType"]),
        ({"accountNumber": 1015, "name": "Kurser"}, ["ledgerType"]),
        ({"accountNumber": 1015, "ledgerType": "HEADING"}, ["name"]),
        ({"accountNumber": 2847, "publicAccountId": 2848}, ["name", "ledgerType"]),
        ({"accountNumber": 2847, "accountClassification": "ASSET"}, ["accountClassification"]),
        ({"accountNumber": 2847, "sumFrom": 1001}, ["sumFrom"]),
        ({"accountNumber": 3250, "sumFrom": 3251}, ["sumFrom"]),
    ],
)
async def test_what_no_standard_account_gives_has_to_be_given(
    api: Api, body: dict[str, Any], problems: list[str]
) -> None:
    before = (await api.get("/v1/accounts")).json()
    answer = await api.post("/v1/accounts", body)
    assert answer.status_code == 400, answer.text
    assert [row["property"] for row in answer.json()["details"]["validationErrors"]] == problems
    assert (await api.get("/v1/accounts")).json() == before


async def test_a_retired_vat_code_is_not_given(api: Api) -> None:
    path = f"/v1/vat-codes/{await vat_code(api, 'K090')}"
    assert (await api.patch(path, {"isActive": False})).status_code == 200
    made = await api.post("/v1/accounts", {"accountNumber": 2530})
    assert (made.status_code, made.json()["vatCodeId"]) == (201, None)


async def test_the_standard_in_the_companys_language(
    http: httpx.AsyncClient, database: Database, clock: SteeredClock
) -> None:
    api = await new_company(http, database, clock, preferred_language="en")
    made = await api.post("/v1/accounts", {"accountNumber": 2847})
    assert made.json()["name"] == "Fees to persons not employed"
    assert (await account(api, 2866))["name"] == "Change in holiday pay obligation"
    listed = {row["accountNumber"]: row for row in (await api.get("/v1/standard-accounts")).json()}
    assert listed[2847]["name"] == made.json()["name"]


async def test_the_standard_and_what_maps_to_it(api: Api, other_api: Api) -> None:
    chart = (await api.get("/v1/accounts")).json()
    rows = (await api.get("/v1/standard-accounts")).json()
    assert [row["accountNumber"] for row in rows] == list(standard_accounts("DK"))
    for row in rows:
        ids = [one["id"] for one in chart if one["publicAccountId"] == row["accountNumber"]]
        assert row["accountIds"] == ids
    listed = {row["accountNumber"]: row for row in rows}
    assert [await account(api, number) for number in (1010, 1011, 1012)] == [
        one for one in chart if one["id"] in listed[1010]["accountIds"]
    ]
    assert listed[2530] == {
        "accountNumber": 2530,
        "name": "Leasingomkostninger, personbiler",
        "ledgerType": "PROFIT_AND_LOSS",
        "accountClassification": "EXPENSE",
        "vatCode": "K090",
        "sumFrom": None,
        "accountIds": [],
    }
    assert (listed[2990]["ledgerType"], listed[2990]["sumFrom"]) == ("TOTAL_FROM", 2841)
    made = (await other_api.post("/v1/accounts", {"accountNumber": 2530})).json()
    again = {row["accountNumber"]: row for row in (await other_api.get("/v1/standard-accounts")).json()}
    assert again[2530]["accountIds"] == [made["id"]]
    assert (await api.get("/v1/standard-accounts")).json() == rows


async def test_elsewhere_there_is_no_standard(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> None:
    api = await new_company(http, database, clock, "SE")
    assert (await api.get("/v1/standard-accounts")).json() == []
    answer = await api.post("/v1/accounts", {"accountNumber": 2847})
    problems = answer.json()["details"]["validationErrors"]
    assert [row["property"] for row in problems] == ["name", "ledgerType"]


async def test_the_lines_that_reports_need_stay(api: Api) -> None:
    for number, role in ((6499, "TOTAL_ASSETS"), (6945, "RESULT_IN_EQUITY")):
        line = await account(api, number)
        renamed = await api.patch(f"/v1/accounts/{line['id']}", {"name": "Other name"})
        assert renamed.json() == {**line, "name": "Other name"}
        refused = await api.patch(f"/v1/accounts/{line['id']}", {"isActive": False})
        assert (refused.json()["code"], refused.json()["details"]) == ("ACCOUNT_IN_USE", {"usedBy": [role]})


@pytest.mark.parametrize(
    ("standard", "ledger_type", "classification", "is_taken"),
    [
        (6480, "BALANCE_SHEET", "ASSET", True),
        (6480, "BALANCE_SHEET", "LIABILITY", False),
        (6480, "PROFIT_AND_LOSS", "EXPENSE", False),
        (1010, "BALANCE_SHEET", "ASSET", False),
        (1010, "PROFIT_AND_LOSS", "EXPENSE", True),
        (7440, "BALANCE_SHEET", "EQUITY", True),
        (7440, "BALANCE_SHEET", "ASSET", False),
    ],
)
async def test_an_account_stands_among_those_of_its_kind(
    api: Api, standard: int, ledger_type: str, classification: str, is_taken: bool
) -> None:
    """Its standard account decides in which totals it is: a debt among assets would be one."""
    kind = {"ledgerType": ledger_type, "accountClassification": classification}
    body = {"name": "Valutakonto", "accountNumber": 9_990, "publicAccountId": standard, **kind}
    answer = await api.post("/v1/accounts", body)
    assert answer.status_code == (201 if is_taken else 400), answer.text
    if not is_taken:
        (problem,) = answer.json()["details"]["validationErrors"]
        assert problem["property"] == "publicAccountId"
        assert 9_990 not in {row["accountNumber"] for row in (await api.get("/v1/accounts")).json()}
