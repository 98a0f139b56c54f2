"""Contacts and departments: exactly one default at any time, whoever asks."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.api.test_customers import invalid, new_customer, refused
from tests.api.test_vendors import new_vendor
from tests.conftest import Api

from ledgerbee.core.ids import new_id
from ledgerbee.parties.contacts import store
from ledgerbee.parties.contacts.model import Contact, ContactId
from ledgerbee.parties.party.model import Party
from ledgerbee.platform.context import Context

KINDS = pytest.mark.parametrize("kind", ["contacts", "departments"])


async def marks(api: Api, path: str) -> dict[str, bool]:
    return {one["name"]: one["isDefault"] for one in (await api.get(path)).json()}


async def add(api: Api, path: str, **fields: Any) -> dict[str, Any]:
    answer = await api.post(path, fields)
    assert answer.status_code == 201, answer.text
    added: dict[str, Any] = answer.json()
    return added


@KINDS
class TestOneDefault:
    async def test_the_first_is_it_by_itself(self, api: Api, kind: str) -> None:
        path = f"/v1/customers/{(await new_customer(api))['id']}/{kind}"
        assert (await api.get(path)).json() == []
        first = await add(api, path, name="A", isDefault=False)
        assert first["isDefault"] is True
        second = await add(api, path, name="B")
        assert second["isDefault"] is False
        assert (await api.get(path)).json() == [first, second]

    async def test_the_mark_moves_with_a_new_one(self, api: Api, kind: str) -> None:
        path = f"/v1/customers/{(await new_customer(api))['id']}/{kind}"
        await add(api, path, name="A")
        assert (await add(api, path, name="B", isDefault=True))["isDefault"] is True
        assert await marks(api, path) == {"A": False, "B": True}

    async def test_the_mark_moves_by_a_change(self, api: Api, kind: str) -> None:
        path = f"/v1/customers/{(await new_customer(api))['id']}/{kind}"
        first = await add(api, path, name="A")
        second = await add(api, path, name="B")
        answer = await api.patch(f"{path}/{second['id']}", {"isDefault": True})
        assert answer.json() == {**second, "isDefault": True}
        assert await marks(api, path) == {"A": False, "B": True}
        assert (await api.patch(f"{path}/{first['id']}", {"isDefault": False})).status_code == 200
        code = "CONTACT_DEFAULT_REQUIRED" if kind == "contacts" else "DEPARTMENT_DEFAULT_REQUIRED"
        refused(await api.patch(f"{path}/{second['id']}", {"isDefault": False, "name": "C"}), 400, code)
        assert await marks(api, path) == {"A": False, "B": True}

    async def test_many_at_once(self, api: Api, kind: str) -> None:
        path = f"/v1/customers/{(await new_customer(api))['id']}/{kind}"
        answers = await asyncio.gather(
            *(api.post(path, {"name": f"N{number}", "isDefault": True}) for number in range(5))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert sum((await marks(api, path)).values()) == 1
        ids = [answer.json()["id"] for answer in answers]
        answers = await asyncio.gather(*(api.patch(f"{path}/{one}", {"isDefault": True}) for one in ids))
        assert {answer.status_code for answer in answers} == {200}
        assert sum((await marks(api, path)).values()) == 1

    async def test_customers_and_vendors_apart(self, api: Api, kind: str) -> None:
        customer = f"/v1/customers/{(await new_customer(api))['id']}/{kind}"
        vendor = f"/v1/vendors/{await new_vendor(api)}/{kind}"
        of_customer = await add(api, customer, name="A")
        of_vendor = await add(api, vendor, name="B", isDefault=True)
        code = "CONTACT_NOT_FOUND" if kind == "contacts" else "DEPARTMENT_NOT_FOUND"
        refused(await api.patch(f"{vendor}/{of_customer['id']}", {"name": "x"}), 404, code)
        refused(await api.patch(f"{customer}/{of_vendor['id']}", {"name": "x"}), 404, code)
        assert await marks(api, customer) == {"A": True}

    async def test_unknown_and_foreign(self, api: Api, other_api: Api, kind: str) -> None:
        foreign = f"/v1/customers/{(await new_customer(other_api))['id']}/{kind}"
        theirs = await add(other_api, foreign, name="A")
        own = f"/v1/customers/{(await new_customer(api))['id']}/{kind}"
        for unknown in (foreign, f"/v1/customers/{uuid4()}/{kind}"):
            refused(await api.get(unknown), 404, "CUSTOMER_NOT_FOUND")
            refused(await api.post(unknown, {"name": "x"}), 404, "CUSTOMER_NOT_FOUND")
            refused(await api.patch(f"{unknown}/{theirs['id']}", {"name": "x"}), 404, "CUSTOMER_NOT_FOUND")
        code = "CONTACT_NOT_FOUND" if kind == "contacts" else "DEPARTMENT_NOT_FOUND"
        refused(await api.patch(f"{own}/{theirs['id']}", {"name": "x"}), 404, code)
        name = "contactId" if kind == "contacts" else "departmentId"
        assert "isUuid" in invalid(await api.patch(f"{own}/x", {"name": "x"}))[name]
        assert "isUuid" in invalid(await api.get(f"/v1/customers/x/{kind}"))["customerId"]
        assert (await other_api.get(foreign)).json() == [theirs]

    async def test_bad_values(self, api: Api, kind: str) -> None:
        path = f"/v1/customers/{(await new_customer(api))['id']}/{kind}"
        assert "isDefined" in invalid(await api.post(path, {}))["name"]
        for bad, rule in (("", "minLength"), ("x" * 1_001, "maxLength"), (None, "isString"), (7, "isString")):
            assert rule in invalid(await api.post(path, {"name": bad}))["name"]
        assert "isBoolean" in invalid(await api.post(path, {"name": "A", "isDefault": "true"}))["isDefault"]
        assert "whitelistValidation" in invalid(await api.post(path, {"name": "A", "role": "x"}))["role"]
        assert (await api.get(path)).json() == []


class TestContacts:
    async def test_fields(self, api: Api) -> None:
        customer = f"/v1/customers/{(await new_customer(api))['id']}"
        department = await add(api, f"{customer}/departments", name="Indkøb")
        sent = {"name": "Astrid", "email": "a@example.com", "phone": "+45 1", "departmentId": department["id"]}
        contact = await add(api, f"{customer}/contacts", **sent)
        assert contact == {**sent, "id": contact["id"], "isDefault": True}
        cleared = {"email": None, "phone": " ", "departmentId": None}
        answer = await api.patch(f"{customer}/contacts/{contact['id']}", cleared)
        assert answer.json() == {**contact, "email": None, "phone": None, "departmentId": None}
        assert (await api.patch(f"{customer}/contacts/{contact['id']}", {})).json() == answer.json()
        assert "isEmail" in invalid(await api.patch(f"{customer}/contacts/{contact['id']}", {"email": "x"}))["email"]
        for name in ("name", "isDefault"):
            assert name in invalid(await api.patch(f"{customer}/contacts/{contact['id']}", {name: None}))

    async def test_a_department_of_the_same_customer(self, api: Api) -> None:
        one, two = [f"/v1/customers/{(await new_customer(api, customerNumber=n))['id']}" for n in ("1", "2")]
        foreign = await add(api, f"{two}/departments", name="Salg")
        for unknown in (foreign["id"], str(uuid4())):
            answer = await api.post(f"{one}/contacts", {"name": "A", "departmentId": unknown})
            refused(answer, 404, "DEPARTMENT_NOT_FOUND")
        contact = await add(api, f"{one}/contacts", name="A")
        answer = await api.patch(f"{one}/contacts/{contact['id']}", {"departmentId": foreign["id"]})
        refused(answer, 404, "DEPARTMENT_NOT_FOUND")

    async def test_the_database_itself_refuses_two_defaults(self, api: Api) -> None:
        customer = UUID((await new_customer(api, contacts=[{"name": "A"}]))["id"])

        async def cheat(context: Context) -> None:
            second = Contact(id=ContactId(new_id()), name="B", created_at=context.now, is_default=True)
            await store.insert(context, Party.customer(customer), [second])

        with pytest.raises(asyncpg.UniqueViolationError):
            await api.run(cheat)


class TestDepartments:
    async def test_fields(self, api: Api) -> None:
        path = f"/v1/customers/{(await new_customer(api))['id']}/departments"
        sent = {
            "name": "Teknik og Miljø",
            "isActive": True,
            "eanNumber": "5798009811578",
            "address": "Kalkværksvej 10",
            "city": "Aarhus C",
            "postalCode": "8000",
            "countryCode": "DK",
        }
        department = await add(api, path, **sent)
        assert department == {**sent, "id": department["id"], "isDefault": True}
        cleared = {"eanNumber": None, "address": "", "city": None, "postalCode": None, "countryCode": None}
        answer = await api.patch(f"{path}/{department['id']}", cleared)
        assert answer.json() == {**department, **cleared, "address": None}
        for name, bad, rule in (
            ("eanNumber", "5798009811579", "isEAN"),
            ("countryCode", "ZZ", "isISO31661Alpha2"),
            ("isActive", None, "isBoolean"),
            ("name", "", "minLength"),
        ):
            assert rule in invalid(await api.patch(f"{path}/{department['id']}", {name: bad}))[name]

    async def test_the_default_is_active_as_long_as_any_is(self, api: Api) -> None:
        path = f"/v1/customers/{(await new_customer(api))['id']}/departments"
        first = await add(api, path, name="A")
        second = await add(api, path, name="B", isActive=False)
        refused(await api.post(path, {"name": "C", "isActive": False, "isDefault": True}), 400, REQUIRED)
        refused(await api.patch(f"{path}/{second['id']}", {"isDefault": True}), 400, REQUIRED)
        # The last active one may retire, and the next one that is active takes over.
        assert (await api.patch(f"{path}/{first['id']}", {"isActive": False})).json()["isDefault"] is True
        assert (await api.patch(f"{path}/{second['id']}", {"isActive": True})).json()["isDefault"] is True
        assert await marks(api, path) == {"A": False, "B": True}
        await api.patch(f"{path}/{first['id']}", {"isActive": True})
        refused(await api.patch(f"{path}/{second['id']}", {"isActive": False}), 400, REQUIRED)
        assert await marks(api, path) == {"A": False, "B": True}


REQUIRED = "DEPARTMENT_DEFAULT_REQUIRED"
