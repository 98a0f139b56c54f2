"""Vendors over HTTP on real PostgreSQL."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.api.test_customers import invalid, refused
from tests.conftest import Api, SteeredClock, new_company


async def fields(api: Api, **changes: Any) -> dict[str, Any]:
    groups = (await api.get("/v1/vendor-groups")).json()
    return {
        "vendorNumber": "2001",
        "name": "Kontorforsyning A/S",
        "vendorGroupId": groups[0]["id"],
        "currency": "DKK",
        "countryCode": "DK",
        "contacts": [{"name": "Bo"}],
        **changes,
    }


async def new_vendor(api: Api, **changes: Any) -> str:
    answer = await api.post("/v1/vendors", await fields(api, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def account(api: Api, **wanted: Any) -> str:
    accounts = (await api.get("/v1/accounts")).json()
    return next(str(one["id"]) for one in accounts if all(one[name] == value for name, value in wanted.items()))


class TestCreate:
    async def test_the_answer_is_short(self, api: Api) -> None:
        answer = await api.post("/v1/vendors", await fields(api, vendorNumber=" 2001 "))
        assert answer.status_code == 201
        assert answer.json() == {"id": answer.json()["id"], "vendorNumber": "2001"}

    async def test_everything(self, api: Api) -> None:
        sent = {
            "vendorNumber": "7",
            "name": "Papierfabrik GmbH",
            "currency": "EUR",
            "countryCode": "DE",
            "email": "info@example.com",
            "phone": "+49 30 1234",
            "address": "Hafenstraße 1",
            "city": "Berlin",
            "postalCode": "10115",
            "vatNumber": "DE 123 456 789",
            "attention": "Buchhaltung",
            "paymentTerms": 30,
            "defaultAccountId": await account(api, ledgerType="PROFIT_AND_LOSS", accountClassification="EXPENSE"),
        }
        vendor_id = await new_vendor(api, **sent)
        group = (await api.get("/v1/vendor-groups")).json()[0]
        sent.pop("defaultAccountId")
        assert (await api.get("/v1/vendors")).json() == [
            {
                **sent,
                "id": vendor_id,
                "vendorGroupId": group["id"],
                "vendorGroupName": group["name"],
                "status": "ACTIVE",
                "vatNumber": "DE123456789",
                "openingBalance": "0.00",
            }
        ]

    async def test_contacts(self, api: Api) -> None:
        a, b = {"name": "A"}, {"name": "B", "isDefault": True, "email": "b@example.com", "phone": "1"}
        for contacts, code in (([a, a], "CONTACT_DEFAULT_REQUIRED"), ([b, b, a], "CONTACT_MULTIPLE_DEFAULTS")):
            refused(await api.post("/v1/vendors", await fields(api, contacts=contacts)), 400, code)
        body = await fields(api)
        body.pop("contacts")
        assert "isDefined" in invalid(await api.post("/v1/vendors", body))["contacts"]
        body["contacts"] = []
        assert "arrayMinSize" in invalid(await api.post("/v1/vendors", body))["contacts"]
        assert (await api.get("/v1/vendors")).json() == []
        vendor_id = await new_vendor(api, contacts=[a, b])
        contacts = (await api.get(f"/v1/vendors/{vendor_id}/contacts")).json()
        assert [(one["name"], one["isDefault"]) for one in contacts] == [("B", True), ("A", False)]
        vendor_id = await new_vendor(api, vendorNumber="2002", contacts=[{**a, "isDefault": False}])
        assert [one["isDefault"] for one in (await api.get(f"/v1/vendors/{vendor_id}/contacts")).json()] == [True]

    async def test_numbers_are_unique(self, api: Api, other_api: Api) -> None:
        await new_vendor(api)
        refused(await api.post("/v1/vendors", await fields(api)), 400, "VENDOR_NUMBER_ALREADY_EXISTS")
        trimmed = await fields(api, vendorNumber=" 2001\t")
        refused(await api.post("/v1/vendors", trimmed), 400, "VENDOR_NUMBER_ALREADY_EXISTS")
        await new_vendor(other_api)

    async def test_one_of_two_at_once_wins(self, api: Api) -> None:
        body = await fields(api)
        answers = await asyncio.gather(*(api.post("/v1/vendors", body) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]
        assert len((await api.get("/v1/vendors")).json()) == 1

    async def test_references_are_those_of_the_company(self, api: Api, other_api: Api) -> None:
        foreign = await fields(other_api)
        for unknown in (foreign["vendorGroupId"], str(uuid4())):
            answer = await api.post("/v1/vendors", await fields(api, vendorGroupId=unknown))
            refused(answer, 404, "VENDOR_GROUP_NOT_FOUND")
        for unknown in (await account(other_api, ledgerType="PROFIT_AND_LOSS"), str(uuid4())):
            answer = await api.post("/v1/vendors", await fields(api, defaultAccountId=unknown))
            refused(answer, 404, "LEDGER_NOT_FOUND")
        assert (await api.get("/v1/vendors")).json() == []

    @pytest.mark.parametrize("wanted", [{"ledgerType": "HEADING"}, {"controlAccountType": "ACCOUNTS_PAYABLE"}])
    async def test_the_default_account_takes_bills(self, api: Api, wanted: dict[str, str]) -> None:
        body = await fields(api, defaultAccountId=await account(api, **wanted))
        details = refused(await api.post("/v1/vendors", body), 400, "VENDOR_DEFAULT_ACCOUNT_INVALID")
        assert details["property"] == "defaultAccountId"

    @pytest.mark.parametrize(
        ("name", "value", "rule"),
        [
            ("vendorNumber", " ", "minLength"),
            ("vendorNumber", "9" * 101, "maxLength"),
            ("name", "x" * 10_000, "maxLength"),
            ("vendorGroupId", 7, "isUuid"),
            ("currency", "DK", "isISO4217CurrencyCode"),
            ("currency", "ABC", "isISO4217CurrencyCode"),
            ("countryCode", "EU", "isISO31661Alpha2"),
            ("email", "a@", "isEmail"),
            ("paymentTerms", 1.5, "isInt"),
            ("status", "ARCHIVED", "whitelistValidation"),
            ("openingBalance", "1.00", "whitelistValidation"),
        ],
    )
    async def test_bad_values(self, api: Api, name: str, value: Any, rule: str) -> None:
        assert rule in invalid(await api.post("/v1/vendors", await fields(api, **{name: value})))[name]
        assert (await api.get("/v1/vendors")).json() == []

    async def test_what_must_be_there(self, api: Api) -> None:
        found = invalid(await api.post("/v1/vendors", {}))
        assert set(found) == {"vendorNumber", "name", "vendorGroupId", "currency", "countryCode", "contacts"}

    async def test_text_is_only_ever_text(self, api: Api) -> None:
        nasty = 'x\'); DELETE FROM vendors;-- #eval("1") <b>%s</b> 🐝'
        await new_vendor(api, name=nasty, vendorNumber=nasty, attention=nasty)
        found = (await api.get("/v1/vendors")).json()
        assert [(one["name"], one["vendorNumber"], one["attention"]) for one in found] == [(nasty, nasty, nasty)]


class TestList:
    async def test_by_number_in_natural_order(self, api: Api, other_api: Api) -> None:
        for number in ("10", "9", "100"):
            await new_vendor(api, vendorNumber=number)
        assert [one["vendorNumber"] for one in (await api.get("/v1/vendors")).json()] == ["9", "10", "100"]
        assert (await other_api.get("/v1/vendors")).json() == []

    async def test_balances_are_in_the_base_currency(self, api: Api, clock: SteeredClock) -> None:
        japanese = await new_company(api.http, api.database, clock, country="JP")
        await new_vendor(japanese, currency="USD", countryCode="US")
        found = (await japanese.get("/v1/vendors")).json()
        assert [one["openingBalance"] for one in found] == ["0"]


class TestContactsAndDepartments:
    async def test_lists_of_unknown_and_foreign_vendors(self, api: Api, other_api: Api) -> None:
        foreign = await new_vendor(other_api)
        for what in ("contacts", "departments"):
            for unknown in (foreign, str(uuid4())):
                refused(await api.get(f"/v1/vendors/{unknown}/{what}"), 404, "VENDOR_NOT_FOUND")
                answer = await api.post(f"/v1/vendors/{unknown}/{what}", {"name": "x"})
                refused(answer, 404, "VENDOR_NOT_FOUND")
                answer = await api.patch(f"/v1/vendors/{unknown}/{what}/{uuid4()}", {"name": "x"})
                refused(answer, 404, "VENDOR_NOT_FOUND")
            assert "isUuid" in invalid(await api.get(f"/v1/vendors/x/{what}"))["vendorId"]

    async def test_a_department_and_its_contact(self, api: Api) -> None:
        path = f"/v1/vendors/{await new_vendor(api)}"
        assert (await api.get(f"{path}/departments")).json() == []
        department = (await api.post(f"{path}/departments", {"name": "Lager"})).json()
        answer = await api.post(f"{path}/contacts", {"name": "Ida", "departmentId": department["id"]})
        assert answer.status_code == 201
        assert answer.json()["departmentId"] == department["id"]
        moved = await api.patch(f"{path}/contacts/{answer.json()['id']}", {"isDefault": True, "departmentId": None})
        assert moved.json() == {**answer.json(), "isDefault": True, "departmentId": None}
        assert [one["name"] for one in (await api.get(f"{path}/contacts")).json()] == ["Ida", "Bo"]
        renamed = await api.patch(f"{path}/departments/{department['id']}", {"name": "Fjernlager"})
        assert (await api.get(f"{path}/departments")).json() == [renamed.json()]
