"""Journal categories over HTTP (contract 2.7)."""

import asyncio
from typing import Any

import pytest
from tests.conftest import Api

ALL = ["JOURNAL_ENTRY", "SUPPLIER_INVOICE", "SUPPLIER_PAYMENT", "CUSTOMER_INVOICE", "CUSTOMER_PAYMENT"]
NEW = {"name": "Kasse", "allowedJournalTypes": ["CUSTOMER_PAYMENT", "JOURNAL_ENTRY", "CUSTOMER_PAYMENT"]}


async def rows(api: Api) -> list[dict[str, Any]]:
    answer = await api.get("/v1/journal-categories")
    assert answer.status_code == 200
    return list(answer.json())


async def test_the_default_first_then_as_created(api: Api) -> None:
    found = await rows(api)
    assert found[0] == {"id": found[0]["id"], "name": "Finans", "isDefault": True, "allowedJournalTypes": ALL}
    assert [row["name"] for row in found] == ["Finans", "Salg", "Køb", "Bank", "Løn", "Moms og årsafslutning"]
    assert [row["isDefault"] for row in found] == [True] + [False] * 5


async def test_create(api: Api, other_api: Api) -> None:
    before = await rows(api)
    api.clock.advance(seconds=1)
    answer = await api.post("/v1/journal-categories", NEW)
    assert answer.status_code == 201
    assert answer.json() == {
        "id": answer.json()["id"],
        "name": "Kasse",
        "isDefault": False,
        "allowedJournalTypes": ["JOURNAL_ENTRY", "CUSTOMER_PAYMENT"],
    }
    assert await rows(api) == [*before, answer.json()]
    again = await api.post("/v1/journal-categories", NEW)
    assert again.status_code == 409
    assert again.json()["code"] == "JOURNAL_CATEGORY_NAME_ALREADY_EXISTS"
    assert again.json()["details"] == {"property": "name", "value": "Kasse"}
    assert (await other_api.post("/v1/journal-categories", NEW)).status_code == 201


async def test_a_new_default_takes_the_old_ones_place(api: Api) -> None:
    answer = await api.post("/v1/journal-categories", {"name": "Alt", "isDefault": True, "allowedJournalTypes": ALL})
    assert answer.status_code == 201
    found = await rows(api)
    assert found[0] == answer.json()
    assert [row["name"] for row in found if row["isDefault"]] == ["Alt"]


async def test_two_new_defaults_at_once(api: Api) -> None:
    body = {"isDefault": True, "allowedJournalTypes": ALL}
    answers = await asyncio.gather(
        *(api.post("/v1/journal-categories", {**body, "name": f"N{number}"}) for number in range(6))
    )
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len([row for row in await rows(api) if row["isDefault"]]) == 1


@pytest.mark.parametrize(
    ("change", "property_"),
    [
        ({"name": ""}, "name"),
        ({"allowedJournalTypes": []}, "allowedJournalTypes"),
        ({"allowedJournalTypes": ["PAYROLL"]}, "allowedJournalTypes.0"),
        ({"isDefault": True}, "allowedJournalTypes"),
        ({"isDefault": "yes"}, "isDefault"),
        ({"color": "red"}, "color"),
    ],
)
async def test_bad_input(api: Api, change: dict[str, Any], property_: str) -> None:
    answer = await api.post("/v1/journal-categories", {**NEW, **change})
    assert answer.status_code == 400, answer.text
    assert [row["property"] for row in answer.json()["details"]["validationErrors"]] == [property_]
    assert len(await rows(api)) == 6
