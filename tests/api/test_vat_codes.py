"""VAT codes over HTTP (contract 2.16)."""

from typing import Any

import pytest
from tests.conftest import Api

from ledgerbee.core.ids import new_id

RATED = {"vatCode": "S90", "name": "Salg, lav sats", "vatRate": "12.5", "type": "SALES", "principle": "Net"}
FREE = {**RATED, "vatRate": 0}


async def account_id(api: Api, number: int) -> str:
    rows = (await api.get("/v1/accounts")).json()
    return str(next(row["id"] for row in rows if row["accountNumber"] == number))


async def test_the_codes_by_code(api: Api) -> None:
    answer = await api.get("/v1/vat-codes")
    assert answer.status_code == 200
    rows = answer.json()
    assert [row["vatCode"] for row in rows] == sorted(row["vatCode"] for row in rows)
    by_code = {row["vatCode"]: row for row in rows}
    assert by_code["S01"] == {
        "id": by_code["S01"]["id"],
        "vatCode": "S01",
        "name": "Salg med 25 % moms",
        "vatRate": 25,
        "type": "SALES",
        "principle": "Net",
        "accountToBookId": await account_id(api, 7680),
        "accountToBookNumber": 7680,
        "accountToBookName": "Salgsmoms",
        "contraAccountToBookId": None,
        "contraAccountToBookNumber": None,
        "contraAccountToBookName": None,
        "deductiblePercent": 100,
        "rates": [{"validFrom": None, "vatRate": 25, "deductiblePercent": 100, "deductibleShare": "1/1"}],
        "returnBoxes": ["OUTPUT_VAT"],
        "eInvoiceCategory": "S",
        "exemptionReason": None,
        "exemptionReasonDa": None,
        "isActive": True,
    }
    assert (by_code["K210"]["accountToBookNumber"], by_code["K210"]["contraAccountToBookNumber"]) == (7740, 7700)
    assert by_code["K210"]["contraAccountToBookId"] == await account_id(api, 7700)


async def test_create(api: Api, other_api: Api) -> None:
    sales_vat = await account_id(api, 7680)
    body = {**RATED, "accountToBookId": sales_vat, "eInvoiceCategory": "S", "returnBoxes": ["OUTPUT_VAT"]}
    answer = await api.post("/v1/vat-codes", body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["vatRate"] == 12.5
    assert (made["accountToBookNumber"], made["accountToBookName"]) == (7680, "Salgsmoms")
    assert (made["eInvoiceCategory"], made["returnBoxes"], made["isActive"]) == ("S", ["OUTPUT_VAT"], True)
    assert made in (await api.get("/v1/vat-codes")).json()
    again = await api.post("/v1/vat-codes", body)
    assert again.status_code == 409
    assert again.json()["code"] == "VAT_CODE_ALREADY_EXISTS"
    foreign = await other_api.post("/v1/vat-codes", body)
    assert foreign.status_code == 404
    assert foreign.json()["code"] == "ACCOUNT_NOT_FOUND"
    assert foreign.json()["details"] == {"property": "accountToBookId", "accountId": sales_vat}


async def test_a_reverse_charge_with_part_of_it_deductible(api: Api) -> None:
    body = {
        **RATED, "type": "PURCHASE", "vatRate": 25, "accountToBookId": await account_id(api, 7740),
        "contraAccountToBookId": await account_id(api, 7700), "deductiblePercent": "33.3333",
    }  # fmt: skip
    made = (await api.post("/v1/vat-codes", body)).json()
    assert (made["contraAccountToBookNumber"], made["deductiblePercent"]) == (7700, 33.3333)


@pytest.mark.parametrize("category", ["E", "AE", "K", "G", "O"])
async def test_an_invoice_without_vat_tells_why(api: Api, category: str) -> None:
    refused = await api.post("/v1/vat-codes", {**FREE, "eInvoiceCategory": category})
    assert refused.json()["details"]["validationErrors"][0]["property"] == "exemptionReason"
    made = await api.post(
        "/v1/vat-codes", {**FREE, "eInvoiceCategory": category, "exemptionReasonDa": "Momsfri efter § 13"}
    )
    assert made.status_code == 201
    assert made.json()["exemptionReasonDa"] == "Momsfri efter § 13"


@pytest.mark.parametrize(
    ("change", "property_"),
    [
        ({"vatCode": ""}, "vatCode"),
        ({"vatCode": "x" * 21}, "vatCode"),
        ({"name": " "}, "name"),
        ({"vatRate": 100.0001}, "vatRate"),
        ({"vatRate": -1}, "vatRate"),
        ({"vatRate": "0.00001"}, "vatRate"),
        ({"type": "BOTH"}, "type"),
        ({"principle": "gross"}, "principle"),
        ({"deductiblePercent": 50}, "deductiblePercent"),
        ({"eInvoiceCategory": "S"}, "eInvoiceCategory"),
        ({"eInvoiceCategory": "X"}, "eInvoiceCategory"),
        ({"type": "PURCHASE", "eInvoiceCategory": "Z"}, "eInvoiceCategory"),
        ({"returnBoxes": ["RUBRIK_X"]}, "returnBoxes"),
        ({"vatRate": 25}, "accountToBookId"),
        ({"vatRate": 25, "accountToBookId": 7680, "eInvoiceCategory": "Z"}, "eInvoiceCategory"),
        ({"contraAccountToBookId": 7700}, "accountToBookId"),
        ({"accountToBookId": 7700, "contraAccountToBookId": 7700}, "accountToBookId"),
        ({"accountToBookId": 7740, "contraAccountToBookId": 7700, "principle": "Gross"}, "principle"),
    ],
)
async def test_bad_input(api: Api, change: dict[str, Any], property_: str) -> None:
    for field in ("accountToBookId", "contraAccountToBookId"):
        if field in change:
            change = {**change, field: await account_id(api, change[field])}
    answer = await api.post("/v1/vat-codes", {**FREE, **change})
    assert answer.status_code == 400, answer.text
    assert [row["property"] for row in answer.json()["details"]["validationErrors"]] == [property_]


@pytest.mark.parametrize("number", [1002, 6190])
async def test_no_vat_on_headings_or_control_accounts(api: Api, number: int) -> None:
    answer = await api.post("/v1/vat-codes", {**RATED, "accountToBookId": await account_id(api, number)})
    assert answer.status_code == 400
    assert answer.json()["code"] == "ACCOUNT_NOT_BOOKABLE"


async def test_update(api: Api, other_api: Api) -> None:
    made = (await api.post("/v1/vat-codes", FREE)).json()
    path = f"/v1/vat-codes/{made['id']}"
    changed = await api.patch(path, {"name": "Ny", "isActive": False})
    assert changed.status_code == 200
    assert changed.json() == {**made, "name": "Ny", "isActive": False}
    assert (await api.patch(path, {"isActive": True})).json() == {**made, "name": "Ny"}
    for field in ("vatRate", "vatCode", "principle", "accountToBookId"):
        assert (await api.patch(path, {field: 1})).json()["details"]["validationErrors"][0]["property"] == field
    assert (await other_api.patch(path, {"name": "Mine"})).json()["code"] == "VAT_CODE_NOT_FOUND"
    assert (await api.patch(f"/v1/vat-codes/{new_id()}", {})).status_code == 404


async def test_a_code_that_accounts_carry_stays_active(api: Api) -> None:
    made = (await api.post("/v1/vat-codes", FREE)).json()
    body = {"accountNumber": 1015, "name": "K", "ledgerType": "PROFIT_AND_LOSS", "accountClassification": "REVENUE"}
    account = (await api.post("/v1/accounts", {**body, "vatCodeId": made["id"]})).json()
    refused = await api.patch(f"/v1/vat-codes/{made['id']}", {"isActive": False})
    assert refused.status_code == 409
    assert refused.json()["code"] == "VAT_CODE_IN_USE"
    assert refused.json()["details"] == {"usedBy": ["accounts"]}
    await api.patch(f"/v1/accounts/{account['id']}", {"isActive": False})
    assert (await api.patch(f"/v1/vat-codes/{made['id']}", {"isActive": False})).status_code == 200
