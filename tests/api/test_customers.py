"""Customers over HTTP on real PostgreSQL."""

import asyncio
import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from tests.conftest import Api

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.parties.customers import store
from ledgerbee.parties.customers.model import Customer
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.addressing import check_references
from ledgerbee.sales.documents.model import DocumentFields, Sources
from ledgerbee.sales.invoices.kind import INVOICES


async def group_id(api: Api) -> str:
    groups = (await api.get("/v1/customer-groups")).json()
    return str(groups[0]["id"])


async def fields(api: Api, **changes: Any) -> dict[str, Any]:
    return {
        "customerNumber": "1001",
        "customerType": "company",
        "name": "Havnens Boghandel ApS",
        "countryCode": "DK",
        "vatZone": "domestic",
        "customerGroupId": await group_id(api),
        **changes,
    }


async def new_customer(api: Api, **changes: Any) -> dict[str, Any]:
    answer = await api.post("/v1/customers", await fields(api, **changes))
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def events(api: Api, customer_id: str) -> list[tuple[str, int, dict[str, Any]]]:
    async def read(context: Context) -> list[tuple[str, int, dict[str, Any]]]:
        rows = await context.connection.fetch(
            "SELECT type, sequence, data FROM events WHERE company_id = $1 AND object_id = $2 ORDER BY sequence",
            context.company_id,
            UUID(customer_id),
        )
        return [(row["type"], row["sequence"], row["data"]) for row in rows]

    found: list[tuple[str, int, dict[str, Any]]] = await api.run(read)
    return found


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    details: dict[str, Any] = answer.json()["details"]
    return details


def invalid(answer: httpx.Response) -> dict[str, dict[str, str]]:
    """Constraints by property of a validation error."""
    details = refused(answer, 400, "SHARED_VALIDATION_FAILED")
    return {row["property"]: row["constraints"] for row in details["validationErrors"]}


class TestCreate:
    async def test_the_least(self, api: Api) -> None:
        created = await new_customer(api)
        group = (await api.get("/v1/customer-groups")).json()[0]
        assert created == {
            "id": created["id"],
            "customerNumber": "1001",
            "customerType": "company",
            "name": "Havnens Boghandel ApS",
            "vatZone": "domestic",
            "customerGroupId": group["id"],
            "customerGroupNumber": group["number"],
            "customerGroupName": group["name"],
            "isActive": True,
            "billingRelationship": "self",
            "parentCustomerId": None,
            "invoicingMode": "single_invoice",
            "includeChildDetailsPdf": False,
            "email": None,
            "phone": None,
            "address": None,
            "city": None,
            "postalCode": None,
            "countryCode": "DK",
            "vatNumber": None,
            "eanNumber": None,
            "endpointId": None,
            "website": None,
            "externalSystemId": None,
            "currency": "DKK",
            "paymentTerms": None,
            "language": None,
            "documentTemplateId": None,
            "metadata": {},
            "createdAt": "2026-03-16T12:00:00.000Z",
            "updatedAt": "2026-03-16T12:00:00.000Z",
        }
        assert UUID(created["id"]).version == 7
        assert (await api.get(f"/v1/customers/{created['id']}")).json() == created
        assert (await api.get("/v1/customers")).json() == [created]

    async def test_everything(self, api: Api) -> None:
        parent = await new_customer(api, customerNumber="1")

        async def template(context: Context) -> UUID:
            found: UUID = await context.connection.fetchval("SELECT id FROM document_templates LIMIT 1")
            return found

        sent = {
            "customerNumber": "2",
            "customerType": "public",
            "name": "Aarhus Kommune",
            "vatZone": "domestic_without_vat",
            "isActive": False,
            "billingRelationship": "parent_pays",
            "parentCustomerId": parent["id"],
            "includeChildDetailsPdf": True,
            "email": "faktura@example.com",
            "phone": "+45 89 40 20 00",
            "address": "Rådhuspladsen 2\n1. sal",
            "city": "Aarhus C",
            "postalCode": "8000",
            "countryCode": "DK",
            "vatNumber": "DK55133018",
            "eanNumber": "5798009811578",
            "endpointId": "0198:DK13585628",
            "website": "https://example.com/om",
            "externalSystemId": "crm-2",
            "currency": "EUR",
            "paymentTerms": 30,
            "language": "en",
            "documentTemplateId": str(await api.run(template)),
            "metadata": {"segment": "public", "score": 1.5, "year": 2026, "vip": True},
        }
        created = await new_customer(api, **sent)
        assert {name: created[name] for name in sent} == sent
        assert (await api.get(f"/v1/customers/{created['id']}")).json() == created

    async def test_texts_are_tidied(self, api: Api) -> None:
        created = await new_customer(
            api,
            customerNumber="  7 ",
            name=" Nordlys ",
            vatNumber="dk 13 58 56 28",
            eanNumber="57 98009 811578",
            endpointId=" 0184: dk 13 58 56 28",
            email="Faktura@EXAMPLE.com",
            phone="  ",
            city="",
            website=" ",
            externalSystemId="",
        )
        expected = {
            "customerNumber": "7",
            "name": "Nordlys",
            "vatNumber": "DK13585628",
            "eanNumber": "5798009811578",
            "endpointId": "0184:13585628",
            "email": "Faktura@example.com",
            "phone": None,
            "city": None,
            "website": None,
            "externalSystemId": None,
        }
        assert {name: created[name] for name in expected} == expected

    async def test_it_tells(self, api: Api) -> None:
        created = await new_customer(api, metadata={"weight": 0.1})
        assert [(kind, number) for kind, number, _ in await events(api, created["id"])] == [("customer.created", 1)]
        data = (await events(api, created["id"]))[0][2]
        assert {**data, "metadata": {}} == {**created, "metadata": {}}
        assert str(data["metadata"]["weight"]) == "0.1"

    async def test_contacts_come_with_it(self, api: Api) -> None:
        created = await new_customer(api, contacts=[{"name": "Astrid", "email": "a@example.com"}])
        contacts = (await api.get(f"/v1/customers/{created['id']}/contacts")).json()
        assert [(one["name"], one["email"], one["isDefault"]) for one in contacts] == [
            ("Astrid", "a@example.com", True)
        ]

    async def test_one_of_several_contacts_is_the_default(self, api: Api) -> None:
        two = [{"name": "A"}, {"name": "B"}]
        refused(await api.post("/v1/customers", await fields(api, contacts=two)), 400, "CONTACT_DEFAULT_REQUIRED")
        both = [{**contact, "isDefault": True} for contact in two]
        refused(await api.post("/v1/customers", await fields(api, contacts=both)), 400, "CONTACT_MULTIPLE_DEFAULTS")
        assert (await api.get("/v1/customers")).json() == []
        created = await new_customer(api, contacts=[two[0], both[1]])
        contacts = (await api.get(f"/v1/customers/{created['id']}/contacts")).json()
        assert [(one["name"], one["isDefault"]) for one in contacts] == [("B", True), ("A", False)]

    @pytest.mark.parametrize(
        ("name", "value", "rule"),
        [
            ("customerNumber", "", "minLength"),
            ("customerNumber", "   ", "minLength"),
            ("customerNumber", "9" * 101, "maxLength"),
            ("customerNumber", 17, "isString"),
            ("customerType", "firm", "isEnum"),
            ("name", "", "minLength"),
            ("name", "x" * 10_000, "maxLength"),
            ("name", None, "isString"),
            ("vatZone", "mars", "isEnum"),
            ("customerGroupId", "1", "isUuid"),
            ("isActive", "yes", "isBoolean"),
            ("isActive", 1, "isBoolean"),
            ("billingRelationship", "nobody", "isEnum"),
            ("email", "nobody", "isEmail"),
            ("email", "a@example.com\r\nBcc: b@example.com", "isEmail"),
            ("email", ["a@example.com"], "isString"),
            ("countryCode", "ZZ", "isISO31661Alpha2"),
            ("countryCode", "dk", "matches"),
            ("countryCode", None, "isString"),
            ("currency", "XXY", "isISO4217CurrencyCode"),
            ("currency", None, "isString"),
            ("eanNumber", "5798009811579", "isEAN"),
            ("eanNumber", "579800981157", "isEAN"),
            ("endpointId", "0184:12345678", "isEndpointId"),
            ("endpointId", "13585628", "isEndpointId"),
            ("endpointId", "9999:1", "isEndpointId"),
            ("endpointId", 184, "isString"),
            ("website", "javascript:alert(1)", "isUrl"),
            ("paymentTerms", -1, "min"),
            ("paymentTerms", 3651, "max"),
            ("paymentTerms", 10**30, "max"),
            ("paymentTerms", 14.5, "isInt"),
            ("paymentTerms", True, "isInt"),
            ("paymentTerms", "14", "isInt"),
            ("language", "fr", "isEnum"),
            ("documentTemplateId", "x", "isUuid"),
            ("metadata", None, "isObject"),
            ("metadata", [], "isObject"),
            ("metadata", {str(key): "x" for key in range(51)}, "arrayMaxSize"),
            ("contacts", {}, "isArray"),
            ("contacts", [{"name": "A"}] * 101, "arrayMaxSize"),
            ("secret", "x", "whitelistValidation"),
        ],
    )
    async def test_bad_values(self, api: Api, name: str, value: Any, rule: str) -> None:
        found = invalid(await api.post("/v1/customers", await fields(api, **{name: value})))
        assert rule in found[name]
        assert (await api.get("/v1/customers")).json() == []

    async def test_nested_bad_values_are_named_by_their_path(self, api: Api) -> None:
        body = await fields(
            api, contacts=[{"name": "A"}, {"name": "", "email": "x", "age": 7}], metadata={"a": None, "b": 10**20}
        )
        found = invalid(await api.post("/v1/customers", body))
        assert "minLength" in found["contacts.1.name"]
        assert "isEmail" in found["contacts.1.email"]
        assert "whitelistValidation" in found["contacts.1.age"]
        assert "isMetadataValue" in found["metadata.a"]
        assert "maxDigits" in found["metadata.b"]
        long_key = "k" * 41
        found = invalid(await api.post("/v1/customers", await fields(api, metadata={long_key: "x", "a[b]": "x"})))
        assert "maxLength" in found[f"metadata.{long_key}"]
        assert "matches" in found["metadata.a[b]"]

    async def test_what_must_be_there(self, api: Api) -> None:
        found = invalid(await api.post("/v1/customers", {}))
        assert set(found) == {"customerNumber", "customerType", "name", "countryCode", "vatZone", "customerGroupId"}
        assert all("isDefined" in rules for rules in found.values())

    @pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
    async def test_text_that_can_not_be_kept(self, api: Api, text: str) -> None:
        for name, changes in (("name", {"name": text}), ("metadata.a", {"metadata": {"a": text}})):
            body = json.dumps(await fields(api, **changes)).encode()  # as escapes: no client would send it raw
            answer = await api.request(
                "POST", "/v1/customers", content=body, headers={"content-type": "application/json"}
            )
            assert "isText" in invalid(answer)[name]

    async def test_text_is_only_ever_text(self, api: Api) -> None:
        nasty = "Robert'); DROP TABLE customers;-- #set page() <script>alert(1)</script> %s {0} \\ 🐝 ﷽"
        created = await new_customer(
            api, name=nasty, customerNumber=nasty, address=nasty, externalSystemId=nasty, metadata={"k": nasty}
        )
        assert created["name"] == created["address"] == created["metadata"]["k"] == nasty
        for filters in ({"customerNumber": nasty}, {"externalSystemId": nasty}, {"metadata[k]": nasty}):
            assert (await api.get("/v1/customers", params=filters)).json() == [created]

    async def test_long_texts_of_many_bytes(self, api: Api) -> None:
        # The longest of each, four bytes a character and nothing to compress: they must fit their indexes.
        number = "".join(chr(0x1F300 + index * 7 % 700) for index in range(100))
        outside = "".join(chr(0x20000 + index * 7919 % 40_000) for index in range(255))
        created = await new_customer(api, name="🐝" * 1_000, customerNumber=number, externalSystemId=outside)
        assert (await api.get("/v1/customers", params={"externalSystemId": outside})).json() == [created]

    async def test_references_are_those_of_the_company(self, api: Api, other_api: Api) -> None:
        foreign_group = await group_id(other_api)
        for unknown in (foreign_group, str(uuid4())):
            answer = await api.post("/v1/customers", await fields(api, customerGroupId=unknown))
            refused(answer, 404, "CUSTOMER_GROUP_NOT_FOUND")
        foreign = await new_customer(other_api)
        for unknown in (foreign["id"], str(uuid4())):
            answer = await api.post("/v1/customers", await fields(api, parentCustomerId=unknown))
            assert refused(answer, 404, "CUSTOMER_NOT_FOUND") == {"property": "parentCustomerId", "customerId": unknown}
            answer = await api.post("/v1/customers", await fields(api, documentTemplateId=unknown))
            refused(answer, 404, "DOCUMENT_TEMPLATE_NOT_FOUND")
        assert (await api.get("/v1/customers")).json() == []

    async def test_numbers_are_unique(self, api: Api, other_api: Api) -> None:
        await new_customer(api, externalSystemId="x")
        refused(await api.post("/v1/customers", await fields(api)), 409, "CUSTOMER_NUMBER_ALREADY_EXISTS")
        twin = await fields(api, customerNumber="1002", externalSystemId="x")
        refused(await api.post("/v1/customers", twin), 409, "CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS")
        await new_customer(other_api, externalSystemId="x")
        assert len((await api.get("/v1/customers")).json()) == 1

    async def test_one_of_two_at_once_wins(self, api: Api) -> None:
        body = await fields(api)
        answers = await asyncio.gather(*(api.post("/v1/customers", body) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert len((await api.get("/v1/customers")).json()) == 1

    async def test_the_same_request_twice(self, api: Api) -> None:
        body = await fields(api)
        first = await api.post("/v1/customers", body, headers={"x-api-idempotency-key": "k1"})
        again = await api.post("/v1/customers", body, headers={"x-api-idempotency-key": "k1"})
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert again.headers["Idempotent-Replayed"] == "true"
        assert len(await events(api, first.json()["id"])) == 1

    async def test_vat_numbers_of_the_eu_zone(self, api: Api) -> None:
        eu = {"vatZone": "eu", "countryCode": "DE"}
        found = invalid(await api.post("/v1/customers", await fields(api, **eu, vatNumber="DE12")))
        assert "isVatNumber" in found["vatNumber"]
        await new_customer(api, **eu, customerNumber="1", vatNumber="DE 123 456 789")
        danish = {"vatZone": "eu", "countryCode": "DK"}
        await new_customer(api, **danish, customerNumber="2", vatNumber="12345678")
        await new_customer(api, customerNumber="3", countryCode="NO", vatZone="abroad", vatNumber="NO 923 609 016 MVA")

    async def test_a_paying_parent_is_named(self, api: Api) -> None:
        answer = await api.post("/v1/customers", await fields(api, billingRelationship="parent_pays"))
        assert "isDefined" in invalid(answer)["parentCustomerId"]


class TestList:
    async def test_by_number_in_natural_order(self, api: Api) -> None:
        for number in ("10", "K10", "9", "K9", "2"):
            await new_customer(api, customerNumber=number)
        listed = (await api.get("/v1/customers")).json()
        assert [customer["customerNumber"] for customer in listed] == ["2", "9", "10", "K9", "K10"]

    async def test_a_company_sees_its_own(self, api: Api, other_api: Api) -> None:
        await new_customer(api)
        assert (await other_api.get("/v1/customers")).json() == []
        assert (await other_api.get("/v1/customers", params={"customerNumber": "1001"})).json() == []

    async def test_filters_are_exact_and_together(self, api: Api) -> None:
        await new_customer(api, customerNumber="100", externalSystemId="a", metadata={"tier": "gold", "seats": 5})
        await new_customer(api, customerNumber="1001", externalSystemId="b", metadata={"tier": "gold", "eu": True})
        await new_customer(api, customerNumber="1002", metadata={"tier": "Gold", "seats": "5", "score": 1.5})

        async def numbers(**filters: str) -> list[str]:
            answer = await api.get("/v1/customers", params=filters)
            assert answer.status_code == 200
            return [customer["customerNumber"] for customer in answer.json()]

        assert await numbers(customerNumber="100") == ["100"]
        assert await numbers(customerNumber="10") == []
        assert await numbers(externalSystemId="b") == ["1001"]
        assert await numbers(externalSystemId="") == []
        assert await numbers(**{"metadata[tier]": "gold"}) == ["100", "1001"]
        assert await numbers(**{"metadata[tier]": "gold", "metadata[seats]": "5"}) == ["100"]
        assert await numbers(**{"metadata[seats]": "5"}) == ["100", "1002"]
        assert await numbers(**{"metadata[seats]": "5.0"}) == ["100"]
        assert await numbers(**{"metadata[score]": "1.5"}) == ["1002"]
        assert await numbers(**{"metadata[eu]": "true"}) == ["1001"]
        assert await numbers(**{"metadata[eu]": "false"}) == []
        assert await numbers(**{"metadata[none]": "x"}) == []
        assert await numbers(**{"metadata[tier]": "gold", "customerNumber": "1001"}) == ["1001"]

    @pytest.mark.parametrize("second", ["gold", "silver"])
    async def test_the_same_key_twice_is_refused(self, api: Api, second: str) -> None:
        answer = await api.get(f"/v1/customers?metadata[tier]=gold&metadata[tier]={second}")
        assert list(invalid(answer)["metadata[tier]"]) == ["arrayMaxSize"]

    async def test_at_most_ten_pairs(self, api: Api) -> None:
        pairs = {f"metadata[k{number}]": "v" for number in range(11)}
        assert "arrayMaxSize" in invalid(await api.get("/v1/customers", params=pairs))["metadata"]
        pairs.pop("metadata[k0]")
        assert (await api.get("/v1/customers", params=pairs)).status_code == 200

    @pytest.mark.parametrize(
        "name",
        [
            "metadata",
            "metadata[]",
            "metadata[a",
            "metadata[a][b]",
            "metadata[a]b",
            "meta[a]",
            "customerNumber[eq]",
            "[]",
        ],
    )
    async def test_other_brackets_are_refused(self, api: Api, name: str) -> None:
        assert "whitelistValidation" in invalid(await api.get("/v1/customers", params={name: "x"}))[name]


class TestGet:
    async def test_unknown_and_foreign(self, api: Api, other_api: Api) -> None:
        foreign = await new_customer(other_api)
        refused(await api.get(f"/v1/customers/{foreign['id']}"), 404, "CUSTOMER_NOT_FOUND")
        refused(await api.get(f"/v1/customers/{uuid4()}"), 404, "CUSTOMER_NOT_FOUND")
        assert "isUuid" in invalid(await api.get("/v1/customers/17"))["customerId"]


class TestUpdate:
    async def test_only_what_was_sent_changes(self, api: Api) -> None:
        before = await new_customer(api, email="a@example.com", metadata={"a": "1"}, paymentTerms=8)
        api.clock.advance(hours=1)
        answer = await api.patch(
            f"/v1/customers/{before['id']}", {"name": "Ny", "paymentTerms": 30, "customerNumber": "7"}
        )
        assert answer.status_code == 200
        expected = {
            **before,
            "name": "Ny",
            "paymentTerms": 30,
            "customerNumber": "7",
            "updatedAt": "2026-03-16T13:00:00.000Z",
        }
        assert answer.json() == expected
        assert (await api.get(f"/v1/customers/{before['id']}")).json() == expected
        told = await events(api, before["id"])
        assert [(kind, number) for kind, number, _ in told] == [("customer.created", 1), ("customer.updated", 2)]
        assert told[1][2] == expected

    async def test_null_clears_what_may_be_null(self, api: Api) -> None:
        parent = await new_customer(api, customerNumber="1")
        nullable = {
            "parentCustomerId": parent["id"],
            "email": "a@example.com",
            "phone": "1",
            "address": "a",
            "city": "b",
            "postalCode": "1",
            "vatNumber": "DK13585628",
            "eanNumber": "5798009811578",
            "endpointId": "0184:13585628",
            "website": "example.com",
            "externalSystemId": "x",
            "paymentTerms": 1,
            "language": "da",
        }
        customer = await new_customer(api, customerNumber="2", **nullable)
        cleared = dict.fromkeys((*nullable, "documentTemplateId"))
        answer = await api.patch(f"/v1/customers/{customer['id']}", cleared)
        assert answer.status_code == 200
        assert {name: answer.json()[name] for name in cleared} == cleared

    @pytest.mark.parametrize(
        "name",
        [
            "customerNumber", "customerType", "name", "countryCode", "vatZone", "customerGroupId", "currency",
            "isActive", "billingRelationship", "includeChildDetailsPdf", "metadata",
        ],
    )  # fmt: skip
    async def test_null_for_what_may_not(self, api: Api, name: str) -> None:
        customer = await new_customer(api)
        assert name in invalid(await api.patch(f"/v1/customers/{customer['id']}", {name: None}))
        assert (await api.get(f"/v1/customers/{customer['id']}")).json() == customer

    async def test_a_number_becomes_a_truth_value_and_back(self, api: Api) -> None:
        """To Python, 1 equals true; to JSON it doesn't."""
        customer = await new_customer(api, metadata={"vip": 1})
        for value in (True, 1, False, 0):
            changed = await api.patch(f"/v1/customers/{customer['id']}", {"metadata": {"vip": value}})
            shown = (await api.get(f"/v1/customers/{customer['id']}")).json()["metadata"]["vip"]
            assert (changed.status_code, shown, type(shown)) == (200, value, type(value))

    async def test_metadata_is_replaced(self, api: Api) -> None:
        customer = await new_customer(api, metadata={"a": "1", "b": "2"})
        answer = await api.patch(f"/v1/customers/{customer['id']}", {"metadata": {"c": 3}})
        assert answer.json()["metadata"] == {"c": 3}
        answer = await api.patch(f"/v1/customers/{customer['id']}", {"metadata": {}})
        assert answer.json()["metadata"] == {}

    async def test_nothing_new_is_no_news(self, api: Api) -> None:
        customer = await new_customer(api)
        api.clock.advance(hours=1)
        for same in ({}, {"name": customer["name"], "vatZone": "domestic"}):
            answer = await api.patch(f"/v1/customers/{customer['id']}", same)
            assert (answer.status_code, answer.json()) == (200, customer)
        assert len(await events(api, customer["id"])) == 1

    async def test_refusals_change_nothing(self, api: Api, other_api: Api) -> None:
        await new_customer(api, customerNumber="1", externalSystemId="x")
        customer = await new_customer(api, customerNumber="2", vatNumber="NO1", countryCode="NO", vatZone="abroad")
        path = f"/v1/customers/{customer['id']}"
        foreign = await new_customer(other_api)
        refused(await api.patch(path, {"customerNumber": "1"}), 409, "CUSTOMER_NUMBER_ALREADY_EXISTS")
        refused(await api.patch(path, {"externalSystemId": "x"}), 409, "CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS")
        refused(await api.patch(path, {"customerGroupId": foreign["customerGroupId"]}), 404, "CUSTOMER_GROUP_NOT_FOUND")
        refused(await api.patch(path, {"parentCustomerId": foreign["id"]}), 404, "CUSTOMER_NOT_FOUND")
        refused(await api.patch(path, {"documentTemplateId": foreign["id"]}), 404, "DOCUMENT_TEMPLATE_NOT_FOUND")
        assert "isVatNumber" in invalid(await api.patch(path, {"vatZone": "eu"}))["vatNumber"]
        assert "whitelistValidation" in invalid(await api.patch(path, {"id": str(uuid4())}))["id"]
        assert "whitelistValidation" in invalid(await api.patch(path, {"contacts": []}))["contacts"]
        assert (await api.get(path)).json() == customer
        assert len(await events(api, customer["id"])) == 1

    async def test_another_group(self, api: Api) -> None:
        account = (await api.get("/v1/customer-groups")).json()[0]["accountId"]
        body = {"number": "77", "name": "Kæder", "accountId": account}
        group = (await api.post("/v1/customer-groups", body)).json()
        customer = await new_customer(api)
        answer = (await api.patch(f"/v1/customers/{customer['id']}", {"customerGroupId": group["id"]})).json()
        assert (answer["customerGroupNumber"], answer["customerGroupName"]) == ("77", "Kæder")

    async def test_unknown_and_foreign(self, api: Api, other_api: Api) -> None:
        foreign = await new_customer(other_api)
        refused(await api.patch(f"/v1/customers/{foreign['id']}", {"name": "x"}), 404, "CUSTOMER_NOT_FOUND")
        refused(await api.patch(f"/v1/customers/{uuid4()}", {"name": "x"}), 404, "CUSTOMER_NOT_FOUND")
        assert (await other_api.get(f"/v1/customers/{foreign['id']}")).json() == foreign


class TestParents:
    async def test_no_circles(self, api: Api) -> None:
        top = await new_customer(api, customerNumber="1")
        middle = await new_customer(api, customerNumber="2", parentCustomerId=top["id"])
        low = await new_customer(api, customerNumber="3", parentCustomerId=middle["id"])
        for parent in (top, middle, low):
            answer = await api.patch(f"/v1/customers/{top['id']}", {"parentCustomerId": parent["id"]})
            refused(answer, 400, "CUSTOMER_PARENT_INVALID")
        moved = await api.patch(f"/v1/customers/{low['id']}", {"parentCustomerId": top["id"]})
        assert moved.json()["parentCustomerId"] == top["id"]

    async def test_a_circle_that_stands_is_not_walked_round(self, api: Api, database_url: str) -> None:
        """Only SQL can make one."""
        one, other, third = [await new_customer(api, customerNumber=str(number)) for number in range(3)]
        owner = await asyncpg.connect(database_url)
        for customer, parent in ((one, other), (other, one)):
            change = "UPDATE customers SET parent_customer_id = $2 WHERE id = $1"
            await owner.execute(change, UUID(customer["id"]), UUID(parent["id"]))
        await owner.close()
        path = f"/v1/customers/{third['id']}"
        refused(await api.patch(path, {"parentCustomerId": one["id"]}), 400, "CUSTOMER_PARENT_INVALID")
        assert (await api.get(path)).json() == third
        freed = await api.patch(f"/v1/customers/{one['id']}", {"parentCustomerId": third["id"]})
        assert freed.json()["parentCustomerId"] == third["id"]

    async def test_a_paying_parent_stays(self, api: Api) -> None:
        parent = await new_customer(api, customerNumber="1")
        child = await new_customer(
            api, customerNumber="2", parentCustomerId=parent["id"], billingRelationship="parent_pays"
        )
        path = f"/v1/customers/{child['id']}"
        assert "isDefined" in invalid(await api.patch(path, {"parentCustomerId": None}))["parentCustomerId"]
        answer = await api.patch(path, {"parentCustomerId": None, "billingRelationship": "self"})
        assert answer.status_code == 200

    async def test_a_circle_can_not_be_closed_from_all_sides_at_once(self, api: Api) -> None:
        ring = [await new_customer(api, customerNumber=str(number)) for number in range(3)]
        answers = await asyncio.gather(
            *(
                api.patch(f"/v1/customers/{one['id']}", {"parentCustomerId": ring[(place + 1) % 3]["id"]})
                for place, one in enumerate(ring)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 200, 400]
        parents = {one["id"]: one["parentCustomerId"] for one in (await api.get("/v1/customers")).json()}
        assert sum(parent is None for parent in parents.values()) == 1


async def sources_of(context: Context, customer: dict[str, Any], contact_id: UUID | None = None) -> Sources:
    """What a document for the customer is drawn up from, as far as it may name the contact."""
    document = DocumentFields(
        customer_id=UUID(customer["id"]), customer_contact_id=contact_id, issue_date=date(2026, 3, 16)
    )
    sources = await documents.get_sources(context, INVOICES, document)
    check_references(document, sources, INVOICES.template_type)
    return sources


class TestForDocuments:
    async def test_billing_facts(self, api: Api, other_api: Api) -> None:
        account = (await api.get("/v1/customer-groups")).json()[0]["accountId"]
        body = {"number": "77", "name": "Kæder", "accountId": account, "discount": "12.5"}
        group = (await api.post("/v1/customer-groups", body)).json()
        two = [{"name": "A"}, {"name": "B", "email": "b@example.com", "isDefault": True}]
        customer = await new_customer(api, customerGroupId=group["id"], contacts=two)
        alone = await new_customer(api, customerNumber="2")

        async def read(context: Context) -> None:
            facts = (await sources_of(context, customer)).facts
            assert facts.customer == await store.get(context, UUID(customer["id"]))
            assert isinstance(facts.customer, Customer)
            assert (str(facts.group.id), str(facts.group.account_id)) == (group["id"], account)
            assert str(facts.group.discount_percent) == "12.5000"
            assert facts.default_contact is not None
            assert facts.default_contact.email == "b@example.com"
            named = facts.default_contact.id
            assert (await sources_of(context, customer, named)).contact == facts.default_contact
            with pytest.raises(LedgerBeeError, match="No such contact"):
                await sources_of(context, alone, named)
            assert (await sources_of(context, alone)).facts.default_contact is None
            both = await store.get_many(context, [UUID(customer["id"]), UUID(alone["id"]), uuid4()])
            assert {one.id for one in both} == {UUID(customer["id"]), UUID(alone["id"])}

        await api.run(read)

        async def look_across(context: Context) -> None:
            assert await store.get_many(context, [UUID(customer["id"])]) == []
            for lookup in (sources_of(context, customer), store.get(context, UUID(customer["id"]))):
                with pytest.raises(LedgerBeeError) as unknown:
                    await lookup
                assert unknown.value.code == "CUSTOMER_NOT_FOUND"

        await other_api.run(look_across)
