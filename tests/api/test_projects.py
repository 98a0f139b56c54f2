"""Projects and subprojects: fields, upsert, archive, order, and what they earned (contract 2.14)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from tests.api.test_customers import events, invalid, new_customer, refused
from tests.api.test_dimensions import made
from tests.conftest import Api, SteeredClock
from tests.ledger_books import BANK, GOODS, SALES, Books, as_owner, books_of

PATH = "/v1/projects"


async def new_project(api: Api, name: str = "Havnen", **fields: Any) -> dict[str, Any]:
    return await made(api, PATH, name=name, **fields)


async def read(api: Api, project: dict[str, Any]) -> dict[str, Any]:
    answer = await api.get(f"{PATH}/{project['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def names(api: Api, project: dict[str, Any]) -> list[str]:
    return [one["name"] for one in (await read(api, project))["subprojects"]]


async def state(api: Api) -> Any:
    """Everything that can be seen of projects and dimensions."""
    projects = await api.get(f"{PATH}?includeArchived=true")
    return projects.json(), (await api.get("/v1/dimensions")).json()


FULL: dict[str, Any] = {
    "currency": "EUR",
    "budgetHours": 120.5,
    "budgetAmount": "10000.00",
    "startDate": "2026-01-01",
    "endDate": "2026-12-31",
    "externalReference": "pm-17",
    "color": "#2E86AB",
}
EMPTY = {
    "customerId": None, "budgetHours": None, "budgetAmount": None, "startDate": None, "endDate": None,
    "externalReference": None, "color": None,
}  # fmt: skip


class TestCreate:
    async def test_the_least(self, api: Api) -> None:
        assert (await api.get(PATH)).json() == []
        created = await new_project(api, " Havnen ")
        moment = "2026-03-16T12:00:00.000Z"
        standard = {
            "id": created["defaultSubprojectId"], "name": "Standard", "sortOrder": 0, "budgetHours": None,
            "budgetAmount": None, "createdAt": moment, "updatedAt": moment,
        }  # fmt: skip
        assert created == {
            **EMPTY,
            "id": created["id"], "name": "Havnen", "isArchived": False, "currency": "DKK",
            "dimensionId": created["dimensionId"], "defaultSubprojectId": standard["id"], "subprojects": [standard],
            "createdAt": moment, "updatedAt": moment,
        }  # fmt: skip
        assert (await api.get(PATH)).json() == [created]
        assert await read(api, created) == created
        assert await events(api, created["id"]) == [("project.created", 1, created)]

    async def test_everything(self, api: Api) -> None:
        customer = await new_customer(api)
        sent = {**FULL, "customerId": customer["id"], "isArchived": True}
        created = await new_project(api, **sent)
        assert {name: created[name] for name in sent} == sent
        assert await read(api, created) == created

    async def test_archived_ones_are_listed_when_asked_for(self, api: Api) -> None:
        archived = await new_project(api, "A", isArchived=True)
        active = await new_project(api, "B")
        assert (await api.get(PATH)).json() == (await api.get(f"{PATH}?includeArchived=false")).json() == [active]
        assert (await api.get(f"{PATH}?includeArchived=true")).json() == [archived, active]
        assert "isBoolean" in invalid(await api.get(f"{PATH}?includeArchived=maybe"))["includeArchived"]

    async def test_a_reference_is_one_projects(self, api: Api, other_api: Api) -> None:
        await new_project(api, externalReference="pm-1")
        second = await new_project(api)
        before = await state(api)
        code = "PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS"
        body = {"name": "x", "externalReference": "pm-1"}
        assert refused(await api.post(PATH, body), 409, code) == {"property": "externalReference", "value": "pm-1"}
        refused(await api.put(f"{PATH}/{second['id']}", body), 409, code)
        assert await state(api) == before
        await new_project(other_api, externalReference="pm-1")
        answers = await asyncio.gather(*(api.post(PATH, {**body, "externalReference": "pm-2"}) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert len((await api.get("/v1/dimensions")).json()) == 3

    async def test_a_blank_reference_is_none(self, api: Api) -> None:
        for _ in range(2):
            assert (await new_project(api, externalReference=" "))["externalReference"] is None

    @pytest.mark.parametrize(
        ("field", "value", "rule"),
        [
            ("name", "", "minLength"), ("name", "x" * 256, "maxLength"), ("name", None, "isString"),
            ("currency", "XXX", "isISO4217CurrencyCode"), ("currency", None, "isString"), ("customerId", "x", "isUuid"),
            ("budgetHours", -1, "min"), ("budgetHours", "9" * 20, "max"), ("budgetHours", True, "isNumber"),
            ("budgetAmount", "-0.01", "min"), ("budgetAmount", "0.001", "maxDecimalPlaces"),
            ("budgetAmount", 10**18, "max"), ("startDate", "2026-02-30", "isDateString"),
            ("startDate", "0001-01-01", "min"), ("endDate", "9999-12-31", "max"),
            ("endDate", "2025-12-31", "minDate"), ("color", "blue", "matches"), ("color", "#12345", "matches"),
            ("isArchived", "yes", "isBoolean"), ("externalReference", "x" * 256, "maxLength"),
        ],
    )  # fmt: skip
    async def test_bad_values(self, api: Api, field: str, value: object, rule: str) -> None:
        body = {"name": "Havnen", "startDate": "2026-01-01", field: value}
        assert rule in invalid(await api.post(PATH, body))[field]
        project = await new_project(api, **FULL)
        before = await state(api)
        assert rule in invalid(await api.put(f"{PATH}/{project['id']}", body))[field]
        assert rule in invalid(await api.put(PATH, {"externalReference": "pm-17", **body}))[field]
        assert await state(api) == before

    async def test_a_customer_of_the_company(self, api: Api, other_api: Api) -> None:
        foreign = await new_customer(other_api)
        project = await new_project(api)
        before = await state(api)
        for customer in (foreign["id"], str(uuid4())):
            body = {"name": "x", "customerId": customer, "externalReference": "new"}
            for answer in (
                await api.post(PATH, body), await api.put(PATH, body), await api.put(f"{PATH}/{project['id']}", body),
            ):  # fmt: skip
                assert refused(answer, 404, "CUSTOMER_NOT_FOUND") == {"property": "customerId", "customerId": customer}
        assert await state(api) == before


class TestUpdate:
    async def test_the_body_is_the_whole_new_state(self, api: Api, clock: SteeredClock) -> None:
        project = await new_project(api, **FULL)
        clock.advance(hours=1)
        answer = await api.put(f"{PATH}/{project['id']}", {"name": "Kajen"})
        stays = {"currency": "EUR", "externalReference": "pm-17", "isArchived": False}
        assert answer.status_code == 200
        assert answer.json() == {
            **project, **EMPTY, **stays, "name": "Kajen", "updatedAt": "2026-03-16T13:00:00.000Z",
        }  # fmt: skip
        assert await read(api, project) == answer.json()
        assert (await events(api, project["id"]))[1:] == [("project.updated", 2, answer.json())]
        cleared = await api.put(f"{PATH}/{project['id']}", {"name": "Kajen", "externalReference": None})
        assert cleared.json()["externalReference"] is None

    async def test_the_dimension_follows(self, api: Api) -> None:
        project = await new_project(api)
        await api.put(f"{PATH}/{project['id']}", {"name": "Kajen"})
        (dimension,) = (await api.get("/v1/dimensions")).json()
        assert (dimension["id"], dimension["name"]) == (project["dimensionId"], "Kajen")

    async def test_nothing_changes_nothing_is_told(self, api: Api, clock: SteeredClock) -> None:
        project = await new_project(api, **FULL)
        clock.advance(hours=1)
        assert (await api.put(f"{PATH}/{project['id']}", {"name": "Havnen", **FULL})).json() == project
        assert len(await events(api, project["id"])) == 1

    async def test_archived_is_read_only(self, api: Api) -> None:
        project = await new_project(api, **FULL)
        subproject = await made(api, f"{PATH}/{project['id']}/subprojects", name="Kaj")
        path = f"{PATH}/{project['id']}"
        body = {"name": "Havnen", **FULL}
        archived = await api.put(path, {**body, "isArchived": True})
        assert archived.json()["isArchived"] is True
        before = await state(api)
        for answer in (
            await api.put(path, {**body, "name": "x"}),
            await api.put(path, {**body, "name": "x", "isArchived": True}),
            await api.put(PATH, {**body, "name": "x"}),
            await api.post(f"{path}/subprojects", {"name": "x"}),
            await api.put(f"{path}/subprojects/{subproject['id']}", {"name": "x"}),
            await api.delete(f"{path}/subprojects/{subproject['id']}"),
        ):
            assert refused(answer, 409, "PROJECT_INVALID_STATE") == {"status": "archived"}
        assert await state(api) == before
        # The same again is no change, and the way back may change other things too.
        assert (await api.put(PATH, {**body, "isArchived": True})).status_code == 200
        active = await api.put(path, {**body, "name": "Kajen", "isArchived": False})
        assert (active.json()["name"], active.json()["isArchived"]) == ("Kajen", False)
        assert [topic for topic, _, _ in await events(api, project["id"])] == [
            "project.created", *["project.updated"] * 3,
        ]  # fmt: skip

    async def test_two_changes_at_once(self, api: Api) -> None:
        """Archiving and changing: whichever comes second sees the first."""
        for _ in range(5):
            project = await new_project(api)
            path = f"{PATH}/{project['id']}"
            archived, changed = await asyncio.gather(
                api.put(path, {"name": "Havnen", "isArchived": True}), api.put(path, {"name": "Kajen"})
            )
            assert archived.status_code == 200
            found = await read(api, project)
            assert found["isArchived"] is True
            if changed.status_code == 409:
                assert found["name"] == "Havnen"
            else:
                assert changed.json()["name"] == "Kajen"


class TestUpsert:
    async def test_created_once_then_changed_in_place(self, api: Api) -> None:
        body = {"name": "Havnen", **FULL}
        first = await api.put(PATH, body)
        assert first.status_code == 201
        again = await api.put(PATH, body)
        assert (again.status_code, again.json()) == (200, first.json())
        changed = await api.put(PATH, {"name": "Kajen", "externalReference": " pm-17 "})
        assert (changed.status_code, changed.json()["id"]) == (200, first.json()["id"])
        assert (changed.json()["name"], changed.json()["budgetAmount"]) == ("Kajen", None)
        assert (await api.get(PATH)).json() == [changed.json()]

    async def test_many_at_once_make_one(self, api: Api) -> None:
        for reference in ("a", "b", "c"):
            answers = await asyncio.gather(
                *(api.put(PATH, {"name": f"N{n}", "externalReference": reference}) for n in range(5))
            )
            assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
            assert len({answer.json()["id"] for answer in answers}) == 1
        assert len((await api.get(PATH)).json()) == len((await api.get("/v1/dimensions")).json()) == 3

    async def test_it_needs_its_reference(self, api: Api) -> None:
        assert "isDefined" in invalid(await api.put(PATH, {"name": "x"}))["externalReference"]
        for blank in ("", "  "):
            assert (
                "minLength"
                in invalid(await api.put(PATH, {"name": "x", "externalReference": blank}))["externalReference"]
            )
        assert (await api.get(PATH)).json() == []


class TestSubprojects:
    async def test_order(self, api: Api, clock: SteeredClock) -> None:
        project = await new_project(api)
        path = f"{PATH}/{project['id']}/subprojects"
        clock.advance(hours=1)
        first = await made(api, path, name="A", budgetHours="12.25", budgetAmount=1000)
        moment = "2026-03-16T13:00:00.000Z"
        assert first == {
            "id": first["id"], "name": "A", "sortOrder": 1, "budgetHours": 12.25, "budgetAmount": "1000.00",
            "createdAt": moment, "updatedAt": moment,
        }  # fmt: skip
        assert (await made(api, path, name="B", sortOrder=0))["sortOrder"] == 0
        assert (await made(api, path, name="C"))["sortOrder"] == 2
        assert await names(api, project) == ["Standard", "B", "A", "C"]
        await api.put(f"{path}/{first['id']}", {"name": "A", "sortOrder": 9})
        found = await read(api, project)
        assert [one["name"] for one in found["subprojects"]] == ["Standard", "B", "C", "A"]
        assert found["updatedAt"] == moment
        told = await events(api, project["id"])
        assert [topic for topic, _, _ in told] == ["project.created", *["project.updated"] * 4]
        assert told[-1][2] == found
        (dimension,) = (await api.get("/v1/dimensions")).json()
        assert {one["id"]: one["name"] for one in dimension["values"]} == {
            one["id"]: one["name"] for one in found["subprojects"]
        }

    async def test_update(self, api: Api) -> None:
        project = await new_project(api)
        path = f"{PATH}/{project['id']}/subprojects"
        added = await made(api, path, name="A", budgetHours=1, budgetAmount=2, sortOrder=7)
        answer = await api.put(f"{path}/{added['id']}", {"name": "B"})
        assert answer.json() == {**added, "name": "B", "budgetHours": None, "budgetAmount": None}
        assert (await api.put(f"{path}/{added['id']}", {"name": "B"})).json() == answer.json()
        assert len(await events(api, project["id"])) == 3
        standard = await api.put(f"{path}/{project['defaultSubprojectId']}", {"name": "Andet", "budgetAmount": "5"})
        assert standard.status_code == 200
        assert await names(api, project) == ["Andet", "B"]

    async def test_names_are_unique_in_the_project(self, api: Api) -> None:
        project, other = await new_project(api), await new_project(api)
        path = f"{PATH}/{project['id']}/subprojects"
        added = await made(api, path, name="Kaj")
        before = await state(api)
        code = "SUBPROJECT_NAME_ALREADY_EXISTS"
        refused(await api.post(path, {"name": "KAJ"}), 409, code)
        refused(await api.put(f"{path}/{added['id']}", {"name": "standard"}), 409, code)
        assert await state(api) == before
        await made(api, f"{PATH}/{other['id']}/subprojects", name="Kaj")

    async def test_delete(self, api: Api) -> None:
        project = await new_project(api)
        path = f"{PATH}/{project['id']}/subprojects"
        added = await made(api, path, name="Kaj")
        assert (await api.delete(f"{path}/{added['id']}")).status_code == 204
        refused(await api.delete(f"{path}/{added['id']}"), 404, "SUBPROJECT_NOT_FOUND")
        details = refused(await api.delete(f"{path}/{project['defaultSubprojectId']}"), 409, "SUBPROJECT_IN_USE")
        assert details == {"usedBy": ["defaultSubproject"]}
        assert await names(api, project) == ["Standard"]
        assert len((await api.get("/v1/dimensions")).json()[0]["values"]) == 1

    async def test_a_posted_one_stays(self, api: Api) -> None:
        books = await books_of(api)
        project = await new_project(api)
        path = f"{PATH}/{project['id']}/subprojects"
        added = await made(api, path, name="Kaj")
        await books.post(books.sale("2026-01-15", "10", tag_ids=(UUID(added["id"]),)))
        before = await state(api)
        details = refused(await api.delete(f"{path}/{added['id']}"), 409, "SUBPROJECT_IN_USE")
        assert details == {"usedBy": ["journalEntries"]}
        assert await state(api) == before
        assert (await api.put(f"{path}/{added['id']}", {"name": "Mole"})).status_code == 200

    async def test_bad_values(self, api: Api) -> None:
        project, other = await new_project(api, currency="JPY"), await new_project(api)
        path = f"{PATH}/{project['id']}/subprojects"
        standard = project["defaultSubprojectId"]
        before = await state(api)
        for field, bad, rule in (
            ("name", " ", "minLength"), ("sortOrder", -1, "min"), ("sortOrder", 1.5, "isInt"),
            ("sortOrder", 10**7, "max"), ("sortOrder", None, "isInt"), ("budgetHours", "-1", "min"),
            ("budgetAmount", "0.5", "maxDecimalPlaces"),
        ):  # fmt: skip
            for answer in (
                await api.post(path, {"name": "x", field: bad}),
                await api.put(f"{path}/{standard}", {"name": "x", field: bad}),
            ):
                assert rule in invalid(answer)[field], field
        strange = f"{path}/{other['defaultSubprojectId']}"
        refused(await api.put(strange, {"name": "x"}), 404, "SUBPROJECT_NOT_FOUND")
        refused(await api.delete(strange), 404, "SUBPROJECT_NOT_FOUND")
        assert await state(api) == before

    async def test_a_currency_takes_the_budgets_that_are_there(self, api: Api) -> None:
        project = await new_project(api)
        await made(api, f"{PATH}/{project['id']}/subprojects", name="Kaj", budgetAmount="0.50")
        answer = await api.put(f"{PATH}/{project['id']}", {"name": "Havnen", "currency": "JPY"})
        assert "maxDecimalPlaces" in invalid(answer)["currency"]
        assert (await read(api, project))["currency"] == "DKK"


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await as_owner(database_url)
    yield connection
    await connection.close()


class TestProfit:
    async def test_nothing_posted(self, api: Api) -> None:
        project = await new_project(api)
        nothing = {
            "revenue": "0.00", "cost": "0.00", "profit": "0.00", "marginPercent": None, "budgetAmount": None,
            "budgetUsedPercent": None,
        }  # fmt: skip
        assert (await api.get(f"{PATH}/{project['id']}/profit")).json() == {
            **nothing, "currency": "DKK", "budgetCurrency": "DKK", "months": [],
            "subprojects": [{"id": project["defaultSubprojectId"], "name": "Standard", **nothing}],
        }  # fmt: skip

    async def test_revenue_cost_and_budget(self, api: Api, books: Books) -> None:
        project = await new_project(api, budgetAmount=2000)
        kaj = await made(api, f"{PATH}/{project['id']}/subprojects", name="Kaj", budgetAmount="800")
        other = await new_project(api)
        first, second = (UUID(project["defaultSubprojectId"]),), (UUID(kaj["id"]),)
        strange = (UUID(other["defaultSubprojectId"]),)
        await books.post(
            # Tagged as a whole: only the line on the result counts, not the bank.
            books.sale("2026-01-15", "1000", tag_ids=first),
            # Tagged by line, two subprojects in one entry, another project beside them.
            books.entry("2026-01-20", [
                books.line(GOODS, "300", tag_ids=first), books.line(GOODS, "500.50", tag_ids=second + strange),
                books.line(GOODS, "9"), books.line(BANK, "-809.50"),
            ]),
            # A line that carries the tag both ways counts once; a credit note takes back.
            books.entry("2026-03-01", [books.line(BANK, "-250"), books.line(SALES, "250", tag_ids=first)],
                        tag_ids=first),
        )  # fmt: skip
        assert (await api.get(f"{PATH}/{project['id']}/profit")).json() == {
            "currency": "DKK", "revenue": "750.00", "cost": "800.50", "profit": "-50.50", "marginPercent": "-6.73",
            "budgetCurrency": "DKK", "budgetAmount": "2000.00", "budgetUsedPercent": "40.03",
            "subprojects": [
                {"id": project["defaultSubprojectId"], "name": "Standard", "revenue": "750.00", "cost": "300.00",
                 "profit": "450.00", "marginPercent": "60", "budgetAmount": None, "budgetUsedPercent": None},
                {"id": kaj["id"], "name": "Kaj", "revenue": "0.00", "cost": "500.50", "profit": "-500.50",
                 "marginPercent": None, "budgetAmount": "800.00", "budgetUsedPercent": "62.56"},
            ],
            "months": [
                {"month": "2026-01", "revenue": "1000.00", "cost": "800.50", "profit": "199.50"},
                {"month": "2026-03", "revenue": "-250.00", "cost": "0.00", "profit": "-250.00"},
            ],
        }  # fmt: skip
        theirs = (await api.get(f"{PATH}/{other['id']}/profit")).json()
        assert (theirs["cost"], theirs["profit"]) == ("500.50", "-500.50")

    async def test_a_budget_in_another_currency(self, api: Api, books: Books) -> None:
        rate = await api.put("/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.5"})
        assert rate.status_code == 200
        project = await new_project(api, currency="EUR", budgetAmount=100)
        tag = (UUID(project["defaultSubprojectId"]),)
        await books.post(books.entry("2026-03-01", [books.line(GOODS, "300"), books.line(BANK, "-300")], tag_ids=tag))
        found = (await api.get(f"{PATH}/{project['id']}/profit")).json()
        assert (found["currency"], found["cost"]) == ("DKK", "300.00")
        assert (found["budgetCurrency"], found["budgetAmount"], found["budgetUsedPercent"]) == ("EUR", "100.00", "40")
        # The archive is read: it can still be asked what it earned.
        await api.put(f"{PATH}/{project['id']}", {"name": "Havnen", "budgetAmount": 100, "isArchived": True})
        assert (await api.get(f"{PATH}/{project['id']}/profit")).json() == found

    async def test_without_a_rate_the_budget_stays_open(self, api: Api, books: Books) -> None:
        project = await new_project(api, currency="KWD", budgetAmount="100.125")
        tag = (UUID(project["defaultSubprojectId"]),)
        await books.post(books.sale("2026-03-01", "10", tag_ids=tag))
        found = (await api.get(f"{PATH}/{project['id']}/profit")).json()
        assert (found["revenue"], found["marginPercent"]) == ("10.00", "100")
        assert (found["budgetAmount"], found["budgetUsedPercent"]) == ("100.125", None)

    async def test_it_is_the_sum_of_the_lines(
        self, api: Api, books: Books, owner: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        """The same figures from the lines themselves, by a query of its own."""
        project = await new_project(api)
        for name in ("A", "B"):
            await made(api, f"{PATH}/{project['id']}/subprojects", name=name)
        tags = [UUID(one["id"]) for one in (await read(api, project))["subprojects"]]
        for number in range(30):
            tag = (tags[number % 3],)
            lines = [
                books.line(GOODS, f"{number}.25", tag_ids=tag if number % 2 else ()),
                books.line(SALES, f"-{number * 2}.75", tag_ids=tag),
                books.line(BANK, f"{number}.50"),
            ]
            await books.post(
                books.entry(f"2026-0{1 + number % 3}-1{number % 7}", lines, tag_ids=tag if number % 4 == 0 else ())
            )
        expected = await owner.fetchrow(
            "SELECT -sum(l.base_amount) FILTER (WHERE a.classification = 'REVENUE') AS revenue,"
            " sum(l.base_amount) FILTER (WHERE a.classification = 'EXPENSE') AS cost"
            " FROM journal_lines l JOIN journal_entries e ON e.company_id = l.company_id AND e.id = l.entry_id"
            " JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id"
            " WHERE l.company_id = $1 AND (l.tag_ids || e.tag_ids) && $2",
            api.company_id,
            tags,
        )
        assert expected is not None
        found = (await api.get(f"{PATH}/{project['id']}/profit")).json()
        assert (found["revenue"], found["cost"]) == (f"{expected['revenue']:.2f}", f"{expected['cost']:.2f}")
        assert len(found["months"]) == len(found["subprojects"]) == 3
