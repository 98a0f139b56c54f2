"""Dimensions: trees of values, their names, moves, and what is in use (contract 2.5)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from tests.api.test_customers import events, invalid, refused
from tests.conftest import Api
from tests.ledger_books import BANK, SALES, as_owner, books_of, enter, post

from ledgerbee.chart.dimensions import store
from ledgerbee.chart.dimensions.model import TagValue
from ledgerbee.chart.dimensions.rules import MAX_LEVELS
from ledgerbee.platform.context import Context

PATH = "/v1/dimensions"


async def made(api: Api, path: str, **fields: Any) -> dict[str, Any]:
    answer = await api.post(path, fields)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def new_dimension(api: Api, name: str = "Afdeling", *, is_unique: bool = False) -> str:
    return str((await made(api, PATH, name=name, isUnique=is_unique))["id"])


async def new_value(api: Api, dimension: str, name: str, parent: str | None = None) -> str:
    return str((await made(api, f"{PATH}/{dimension}/values", name=name, parentId=parent))["id"])


async def tree(api: Api, dimension: str) -> dict[str, Any]:
    """The names of the dimension's values, nested."""

    def names(values: list[dict[str, Any]]) -> dict[str, Any]:
        return {value["name"]: names(value["children"]) for value in values}

    return names((await api.get(f"{PATH}/{dimension}")).json()["values"])


class TestDimensions:
    async def test_a_new_company_has_none(self, api: Api) -> None:
        assert (await api.get(PATH)).json() == []

    async def test_create_and_read(self, api: Api) -> None:
        created = await made(api, PATH, name=" Afdeling ", isUnique=True)
        assert created == {
            "id": created["id"], "name": "Afdeling", "isUnique": True, "isProject": False, "values": [],
        }  # fmt: skip
        assert (await api.get(f"{PATH}/{created['id']}")).json() == created
        other = await made(api, PATH, name="Bil", isUnique=False)
        assert (await api.get(PATH)).json() == [created, other]
        told = {key: created[key] for key in ("id", "name", "isUnique", "isProject")}
        assert await events(api, created["id"]) == [("dimension.created", 1, told)]

    async def test_names_are_unique_without_regard_to_case(self, api: Api, other_api: Api) -> None:
        first, second = await new_dimension(api, "Ærø"), await new_dimension(api, "Bil")
        refused(await api.post(PATH, {"name": "æRØ", "isUnique": True}), 409, "DIMENSION_NAME_ALREADY_EXISTS")
        refused(
            await api.put(f"{PATH}/{second}", {"name": "ærø", "isUnique": False}), 409, "DIMENSION_NAME_ALREADY_EXISTS"
        )
        assert [one["name"] for one in (await api.get(PATH)).json()] == ["Ærø", "Bil"]
        assert (await api.put(f"{PATH}/{first}", {"name": "ærø", "isUnique": False})).status_code == 200
        await new_dimension(other_api, "Ærø")

    async def test_one_name_many_at_once(self, api: Api) -> None:
        answers = await asyncio.gather(*(api.post(PATH, {"name": "Afdeling", "isUnique": True}) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]

    async def test_bad_values(self, api: Api) -> None:
        assert set(invalid(await api.post(PATH, {}))) == {"name", "isUnique"}
        for bad, rule in (("x", "minLength"), ("  x ", "minLength"), ("x" * 101, "maxLength"), (None, "isString")):
            assert rule in invalid(await api.post(PATH, {"name": bad, "isUnique": True}))["name"]
        assert "isBoolean" in invalid(await api.post(PATH, {"name": "xx", "isUnique": "true"}))["isUnique"]
        assert (await api.get(PATH)).json() == []

    async def test_update(self, api: Api) -> None:
        dimension = await new_dimension(api)
        await new_value(api, dimension, "Nord")
        changed = await api.put(f"{PATH}/{dimension}", {"name": "Team", "isUnique": True})
        assert changed.status_code == 200
        assert changed.json() == (await api.get(f"{PATH}/{dimension}")).json()
        assert (changed.json()["name"], changed.json()["isUnique"]) == ("Team", True)
        assert [value["name"] for value in changed.json()["values"]] == ["Nord"]
        await api.put(f"{PATH}/{dimension}", {"name": "Team", "isUnique": True})
        assert [topic for topic, _, _ in await events(api, dimension)] == ["dimension.created", "dimension.updated"]

    async def test_delete_takes_its_values_along(self, api: Api) -> None:
        dimension, other = await new_dimension(api), await new_dimension(api, "Bil")
        below = await new_value(api, dimension, "Nord")
        for name in ("Thy", "Mors"):
            below = await new_value(api, dimension, name, below)
        kept = await new_value(api, other, "Nord")
        assert (await api.delete(f"{PATH}/{dimension}")).status_code == 204
        refused(await api.get(f"{PATH}/{dimension}"), 404, "DIMENSION_NOT_FOUND")
        assert [one["values"][0]["id"] for one in (await api.get(PATH)).json()] == [kept]
        assert (await events(api, dimension))[-1][0] == "dimension.deleted"


class TestValues:
    async def test_a_tree(self, api: Api) -> None:
        dimension = await new_dimension(api)
        root = await made(api, f"{PATH}/{dimension}/values", name="Vest")
        assert root == {"id": root["id"], "name": "Vest", "parentId": None, "children": []}
        child = await made(api, f"{PATH}/{dimension}/values", name="Thy", parentId=root["id"])
        assert child == {"id": child["id"], "name": "Thy", "parentId": root["id"], "children": []}
        await new_value(api, dimension, "Øst")
        await new_value(api, dimension, "Mors", root["id"])
        await new_value(api, dimension, "Agger", child["id"])
        assert await tree(api, dimension) == {"Vest": {"Thy": {"Agger": {}}, "Mors": {}}, "Øst": {}}
        (listed,) = (await api.get(PATH)).json()
        assert listed == (await api.get(f"{PATH}/{dimension}")).json()
        told = {"id": child["id"], "dimensionId": dimension, "name": "Thy", "parentId": root["id"]}
        assert await events(api, child["id"]) == [("dimension_value.created", 1, told)]

    async def test_names_are_unique_among_siblings(self, api: Api) -> None:
        dimension, other = await new_dimension(api), await new_dimension(api, "Bil")
        root = await new_value(api, dimension, "Vest")
        below = await new_value(api, dimension, "Vest", root)
        await new_value(api, other, "Vest")
        path = f"{PATH}/{dimension}/values"
        code = "DIMENSION_VALUE_NAME_ALREADY_EXISTS"
        refused(await api.post(path, {"name": "vEST"}), 409, code)
        refused(await api.post(path, {"name": "vest", "parentId": root}), 409, code)
        refused(await api.put(f"{path}/{below}", {"name": "VEST", "parentId": None}), 409, code)
        assert await tree(api, dimension) == {"Vest": {"Vest": {}}}
        answers = await asyncio.gather(*(api.post(path, {"name": "Ny"}) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]

    async def test_rename_and_move(self, api: Api) -> None:
        dimension = await new_dimension(api)
        west, east = await new_value(api, dimension, "Vest"), await new_value(api, dimension, "Øst")
        thy = await new_value(api, dimension, "Thy", west)
        await new_value(api, dimension, "Agger", thy)
        path = f"{PATH}/{dimension}/values/{thy}"
        renamed = await api.put(path, {"name": "Thyland"})
        assert (renamed.json()["name"], renamed.json()["parentId"]) == ("Thyland", west)
        assert [child["name"] for child in renamed.json()["children"]] == ["Agger"]
        await api.put(path, {"name": "Thyland", "parentId": east})
        assert await tree(api, dimension) == {"Vest": {}, "Øst": {"Thyland": {"Agger": {}}}}
        await api.put(path, {"name": "Thyland", "parentId": None})
        assert await tree(api, dimension) == {"Vest": {}, "Øst": {}, "Thyland": {"Agger": {}}}
        told = [topic for topic, _, _ in await events(api, thy)]
        await api.put(path, {"name": "Thyland"})
        assert [topic for topic, _, _ in await events(api, thy)] == told == [
            "dimension_value.created", *["dimension_value.updated"] * 3,
        ]  # fmt: skip

    async def test_bad_parents(self, api: Api, other_api: Api) -> None:
        dimension, other = await new_dimension(api), await new_dimension(api, "Bil")
        west = await new_value(api, dimension, "Vest")
        thy = await new_value(api, dimension, "Thy", west)
        of_other = await new_value(api, other, "Vest")
        foreign_dimension = await new_dimension(other_api)
        foreign = await new_value(other_api, foreign_dimension, "Vest")
        path = f"{PATH}/{dimension}/values"
        for parent in (of_other, foreign, str(uuid4())):
            for answer in (
                await api.post(path, {"name": "x", "parentId": parent}),
                await api.put(f"{path}/{thy}", {"name": "x", "parentId": parent}),
            ):
                assert refused(answer, 404, "DIMENSION_VALUE_NOT_FOUND") == {"property": "parentId", "valueId": parent}
        for parent in (west, thy):
            answer = await api.put(f"{path}/{west}", {"name": "x", "parentId": parent})
            assert refused(answer, 400, "DIMENSION_VALUE_PARENT_INVALID") == {"property": "parentId"}
        assert "isUuid" in invalid(await api.post(path, {"name": "x", "parentId": "x"}))["parentId"]
        assert await tree(api, dimension) == {"Vest": {"Thy": {}}}
        # A value is its dimension's, under no other's address.
        refused(await api.put(f"{path}/{of_other}", {"name": "x"}), 404, "DIMENSION_VALUE_NOT_FOUND")
        refused(await api.delete(f"{path}/{of_other}"), 404, "DIMENSION_VALUE_NOT_FOUND")
        refused(
            await api.put(f"{PATH}/{foreign_dimension}/values/{foreign}", {"name": "x"}), 404, "DIMENSION_NOT_FOUND"
        )
        assert await tree(api, other) == {"Vest": {}}

    async def test_bad_names(self, api: Api) -> None:
        path = f"{PATH}/{await new_dimension(api)}/values"
        for bad, rule in (("", "minLength"), (" ", "minLength"), ("x" * 256, "maxLength"), (7, "isString")):
            assert rule in invalid(await api.post(path, {"name": bad}))["name"]
        assert (await api.post(path, {"name": "世" * 255})).status_code == 201

    async def test_as_deep_as_can_be_answered(self, api: Api) -> None:
        dimension = await new_dimension(api)
        value: str | None = None
        for level in range(MAX_LEVELS):
            value = await new_value(api, dimension, f"L{level}", value)
        answer = await api.post(f"{PATH}/{dimension}/values", {"name": "x", "parentId": value})
        assert "maxLevels" in invalid(answer)["parentId"]
        levels, values = 0, (await api.get(PATH)).json()[0]["values"]
        while values:
            levels, values = levels + 1, values[0]["children"]
        assert levels == MAX_LEVELS

    async def test_moves_at_once_close_no_circle(self, api: Api) -> None:
        dimension = await new_dimension(api)
        for attempt in range(5):
            ids = [await new_value(api, dimension, f"{attempt}-{number}") for number in range(3)]
            moves = [(ids[0], ids[1]), (ids[1], ids[2]), (ids[2], ids[0])]
            answers = await asyncio.gather(
                *(
                    api.put(f"{PATH}/{dimension}/values/{moved}", {"name": moved, "parentId": parent})
                    for moved, parent in moves
                )
            )
            assert sorted(answer.status_code for answer in answers) == [200, 200, 400]
        assert len((await api.get(f"{PATH}/{dimension}")).json()["values"]) == 5


@pytest_asyncio.fixture
async def sessions(api: Api, database_url: str) -> AsyncIterator[list["asyncpg.Connection[asyncpg.Record]"]]:
    """Two open transactions of the application's role in the company."""
    connections = [await as_owner(database_url) for _ in range(2)]
    for connection in connections:
        await connection.execute("BEGIN")
        await enter(connection, api.company_id)
    yield connections
    for connection in connections:
        await connection.close()


class TestCircles:
    """A circle that stands in the table, which the owner alone can make, is refused and never walked round."""

    @pytest_asyncio.fixture
    async def ids(self, api: Api, database_url: str) -> dict[str, str]:
        """A dimension whose values P and Q lie below each other, R below Q; U lies at the root, V below it."""
        dimension = await new_dimension(api)
        p = await new_value(api, dimension, "P")
        q = await new_value(api, dimension, "Q", p)
        r = await new_value(api, dimension, "R", q)
        u = await new_value(api, dimension, "U")
        v = await new_value(api, dimension, "V", u)
        owner = await as_owner(database_url)
        await owner.execute("SET session_replication_role = replica")  # no triggers
        await owner.execute("UPDATE dimension_values SET parent_id = $1 WHERE id = $2", UUID(q), UUID(p))
        await owner.close()
        return {"dimension": dimension, "p": p, "q": q, "r": r, "u": u, "v": v}

    @pytest.mark.parametrize(
        ("value", "body", "problem"),
        [
            ("u", {"name": "U", "parentId": "p"}, "maxLevels"),
            ("u", {"name": "U", "parentId": "r"}, "maxLevels"),
            ("v", {"name": "V2", "parentId": "q"}, "maxLevels"),
            ("", {"name": "New", "parentId": "p"}, "maxLevels"),
            ("r", {"name": "R2"}, "maxLevels"),
            ("p", {"name": "P2"}, None),
            ("p", {"name": "P"}, None),
            ("p", {"name": "P", "parentId": "r"}, None),
        ],
    )
    async def test_nothing_goes_there(
        self, api: Api, ids: dict[str, str], value: str, body: dict[str, str], problem: str | None
    ) -> None:
        path = f"{PATH}/{ids['dimension']}/values"
        sent = body | {name: ids[place] for name, place in body.items() if name == "parentId"}
        answer = await (api.put(f"{path}/{ids[value]}", sent) if value else api.post(path, sent))
        if problem is None:
            assert refused(answer, 400, "DIMENSION_VALUE_PARENT_INVALID") == {"property": "parentId"}
        else:
            assert problem in invalid(answer)["parentId"]
        assert await tree(api, ids["dimension"]) == {"U": {"V": {}}}

    async def test_a_value_is_taken_out_of_it(self, api: Api, ids: dict[str, str]) -> None:
        path = f"{PATH}/{ids['dimension']}/values/{ids['p']}"
        assert (await api.put(path, {"name": "P", "parentId": ids["v"]})).status_code == 200
        assert await tree(api, ids["dimension"]) == {"U": {"V": {"P": {"Q": {"R": {}}}}}}
        assert (await api.put(path, {"name": "P", "parentId": None})).status_code == 200
        assert await tree(api, ids["dimension"]) == {"U": {"V": {}}, "P": {"Q": {"R": {}}}}

    @pytest.mark.parametrize("parent", ["p", "r"])
    async def test_sql_ends_too(
        self, ids: dict[str, str], sessions: list["asyncpg.Connection[asyncpg.Record]"], api: Api, parent: str
    ) -> None:
        with pytest.raises(asyncpg.CheckViolationError, match="below itself"):
            await sessions[0].execute(TestTheDatabaseItself.MOVE, api.company_id, UUID(ids["u"]), UUID(ids[parent]))


class TestTheDatabaseItself:
    """What holds for whoever writes SQL with the application's privileges."""

    MOVE = "UPDATE dimension_values SET parent_id = $3 WHERE company_id = $1 AND id = $2"

    async def test_a_circle_is_refused(self, api: Api, sessions: list["asyncpg.Connection[asyncpg.Record]"]) -> None:
        dimension = await new_dimension(api)
        top = await new_value(api, dimension, "A")
        bottom = await new_value(api, dimension, "C", await new_value(api, dimension, "B", top))
        with pytest.raises(asyncpg.CheckViolationError, match="below itself"):
            await sessions[0].execute(self.MOVE, api.company_id, UUID(top), UUID(bottom))

    async def test_one_statement_closes_none_either(
        self, api: Api, sessions: list["asyncpg.Connection[asyncpg.Record]"]
    ) -> None:
        dimension = await new_dimension(api)
        ids = [UUID(await new_value(api, dimension, name)) for name in "ABC"]
        with pytest.raises(asyncpg.CheckViolationError):
            await sessions[0].execute(
                "UPDATE dimension_values v SET parent_id = m.parent FROM unnest($2::uuid[], $3::uuid[]) m (id, parent)"
                " WHERE v.company_id = $1 AND v.id = m.id",
                api.company_id,
                ids,
                [ids[1], ids[0], ids[0]],
            )

    async def test_two_transactions_close_none_between_them(
        self, api: Api, sessions: list["asyncpg.Connection[asyncpg.Record]"]
    ) -> None:
        dimension = await new_dimension(api)
        one, other = UUID(await new_value(api, dimension, "A")), UUID(await new_value(api, dimension, "B"))
        await sessions[0].execute(self.MOVE, api.company_id, one, other)
        second = asyncio.create_task(sessions[1].execute(self.MOVE, api.company_id, other, one))
        await asyncio.sleep(0.2)
        assert not second.done()  # it waits for the dimension's row
        await sessions[0].execute("COMMIT")
        with pytest.raises(asyncpg.CheckViolationError):
            await second

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE dimension_values SET dimension_id = gen_random_uuid()", "UPDATE dimension_values SET id = id",
            "UPDATE dimensions SET is_project = true", "UPDATE dimensions SET id = id",
            "UPDATE projects SET dimension_id = gen_random_uuid()", "DELETE FROM projects",
            "UPDATE subprojects SET project_id = gen_random_uuid()", "TRUNCATE dimension_values",
        ],
    )  # fmt: skip
    async def test_what_a_thing_is_stays(
        self, sessions: list["asyncpg.Connection[asyncpg.Record]"], statement: str
    ) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sessions[0].execute(statement)


class TestInUse:
    async def test_a_value_with_others_below_it(self, api: Api) -> None:
        dimension = await new_dimension(api)
        west = await new_value(api, dimension, "Vest")
        thy = await new_value(api, dimension, "Thy", west)
        path = f"{PATH}/{dimension}/values"
        assert refused(await api.delete(f"{path}/{west}"), 409, "DIMENSION_VALUE_IN_USE") == {"usedBy": ["values"]}
        assert await tree(api, dimension) == {"Vest": {"Thy": {}}}
        for value in (thy, west):
            assert (await api.delete(f"{path}/{value}")).status_code == 204
            assert (await events(api, value))[-1][0] == "dimension_value.deleted"
            refused(await api.delete(f"{path}/{value}"), 404, "DIMENSION_VALUE_NOT_FOUND")
        assert await tree(api, dimension) == {}

    @pytest.mark.parametrize("on_line", [False, True])
    async def test_a_value_that_was_posted(self, api: Api, *, on_line: bool) -> None:
        books = await books_of(api)
        dimension = await new_dimension(api)
        used, unused = await new_value(api, dimension, "Nord"), await new_value(api, dimension, "Syd")
        tags = (UUID(used),)
        lines = [books.line(BANK, "10"), books.line(SALES, "-10", tag_ids=tags if on_line else ())]
        await books.post(books.entry("2026-01-15", lines, tag_ids=() if on_line else tags))
        path = f"{PATH}/{dimension}"
        in_use = {"usedBy": ["journalEntries"]}
        assert refused(await api.delete(f"{path}/values/{used}"), 409, "DIMENSION_VALUE_IN_USE") == in_use
        assert refused(await api.delete(path), 409, "DIMENSION_IN_USE") == in_use
        stricter = {"name": "Afdeling", "isUnique": True}
        assert refused(await api.put(path, stricter), 409, "DIMENSION_IN_USE") == in_use
        assert await tree(api, dimension) == {"Nord": {}, "Syd": {}}
        assert (await api.get(path)).json()["isUnique"] is False
        # Its name and its place are free.
        renamed = await api.put(f"{path}/values/{used}", {"name": "Norden", "parentId": unused})
        assert renamed.status_code == 200
        assert (await api.put(path, {"name": "Team", "isUnique": False})).status_code == 200

    async def test_less_strict_is_always_possible(self, api: Api) -> None:
        books = await books_of(api)
        dimension = await new_dimension(api, is_unique=True)
        value = await new_value(api, dimension, "Nord")
        await books.post(books.sale("2026-01-15", "10", tag_ids=(UUID(value),)))
        assert (await api.put(f"{PATH}/{dimension}", {"name": "Team", "isUnique": False})).status_code == 200

    async def test_a_deletion_waits_for_a_posting(self, api: Api) -> None:
        books = await books_of(api)
        dimension = await new_dimension(api)
        value = await new_value(api, dimension, "Nord")
        is_in, may_commit = asyncio.Event(), asyncio.Event()

        async def slow(context: Context) -> None:
            await post(context, [books.sale("2026-01-15", "10", tag_ids=(UUID(value),))])
            is_in.set()
            await may_commit.wait()

        posting = asyncio.create_task(api.run(slow))
        await is_in.wait()
        deleting = asyncio.create_task(api.delete(f"{PATH}/{dimension}/values/{value}"))
        await asyncio.sleep(0.2)
        assert not deleting.done()
        may_commit.set()
        await posting
        refused(await deleting, 409, "DIMENSION_VALUE_IN_USE")
        assert await tree(api, dimension) == {"Nord": {}}


class TestOfProjects:
    async def test_a_projects_dimension_is_listed_and_left_alone(self, api: Api) -> None:
        project = await made(api, "/v1/projects", name="Havnen")
        path = f"{PATH}/{project['dimensionId']}"
        (listed,) = (await api.get(PATH)).json()
        standard = {"id": project["defaultSubprojectId"], "name": "Standard", "parentId": None, "children": []}
        assert listed == {
            "id": project["dimensionId"], "name": "Havnen", "isUnique": False, "isProject": True, "values": [standard],
        }  # fmt: skip
        for answer in (
            await api.put(path, {"name": "Kajen", "isUnique": False}),
            await api.post(f"{path}/values", {"name": "Ny"}),
            await api.put(f"{path}/values/{standard['id']}", {"name": "Ny"}),
            await api.delete(f"{path}/values/{standard['id']}"),
        ):
            assert refused(answer, 409, "DIMENSION_INVALID_STATE") == {"status": "project"}
        assert refused(await api.delete(path), 409, "DIMENSION_IN_USE") == {"usedBy": ["projects"]}
        assert (await api.get(PATH)).json() == [listed]

    async def test_names_of_projects_are_free(self, api: Api) -> None:
        for _ in range(2):
            await made(api, "/v1/projects", name="Havnen")
        await new_dimension(api, "Havnen")
        assert [one["name"] for one in (await api.get(PATH)).json()] == ["Havnen"] * 3


async def test_what_tagging_needs_to_know(api: Api, other_api: Api) -> None:
    dimension = await new_dimension(api, is_unique=True)
    value = UUID(await new_value(api, dimension, "Nord"))
    project = await made(api, "/v1/projects", name="Havnen", isArchived=True)
    subproject = UUID(project["defaultSubprojectId"])
    asked = [value, subproject, uuid4()]

    async def find(context: Context) -> dict[UUID, TagValue]:
        return await store.get_tags(context, asked)

    assert await api.run(find) == {
        value: TagValue(value, UUID(dimension), "Afdeling", is_unique=True, is_project=False, is_archived=False),
        subproject: TagValue(
            subproject, UUID(project["dimensionId"]), "Havnen", is_unique=False, is_project=True, is_archived=True
        ),
    }
    assert await other_api.run(find) == {}
