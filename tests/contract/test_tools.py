"""What holds of every tool of the MCP server: its hints, its schemas, its scopes, and whose rows it sees.

A tool without a call in `tests/tool_calls.py` fails.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator
from tests.api.test_mcp import ask, call
from tests.connections import connect
from tests.contract.world import NewWorld, World
from tests.table_rows import rows_of
from tests.tool_calls import BEFORE, CALLS, SENT_BEFORE

from ledgerbee.app.mcp.model import Effect
from ledgerbee.app.mcp.operations import answer_schema, arguments_of, item_schema
from ledgerbee.app.mcp.tools import all_tools

#: Tables of what is booked, sent or cancelled for good: a new or changed row in one of them can't be taken back.
_FOR_GOOD: Final = frozenset(
    {"charges", "credit_uses", "deliveries", "journal_entries", "payments", "refunds", "subscription_changes",
     "subscription_versions", "write_offs"}
)  # fmt: skip
#: Rows of the connection itself, which say that it was used.
_OF_THE_CALL: Final = frozenset({"connections"})
#: Lists with the operation whose filters and objects they have.
_LISTS: Final = {
    "list_customers": ("list_customers",),
    "list_documents": ("list_invoices", "list_credit_notes", "list_quotes", "list_order_confirmations"),
    "list_overdue": ("list_open_invoices",),
    "list_journal_entries": ("list_journal_entries",),
    "list_subscriptions": ("list_subscriptions",),
}
#: Where single reads have which operation's object.
_OBJECTS: Final = {
    ("get_company", "settings"): ("get_company",),
    ("get_exchange_rate", "rate"): ("get_exchange_rate",),
    ("get_customer", "customer"): ("get_customer",),
    ("get_document", "document"): ("get_invoice", "get_credit_note", "get_quote", "get_order_confirmation"),
    ("get_journal_entry", "entry"): ("get_journal_entry",),
    ("get_subscription", "subscription"): ("get_subscription",),
    ("get_usage", "usage"): ("get_meter_usage",),
}


@pytest_asyncio.fixture(scope="session")
async def token(world: World, database_url: str) -> str:
    """A connection with every scope."""
    return (await connect(world.api, database_url))[1]


async def changed(world: World, before: Mapping[str, list[str]]) -> set[str]:
    """The tables whose rows aren't what they were, but for those that say that there was a call."""
    after = await rows_of(world.api, with_versions=True)
    return {name for name in {*before, *after} if before.get(name) != after.get(name)} - _OF_THE_CALL


async def does(world: World, token: str, name: str) -> Effect:
    """What a call of a tool does to the company's rows."""
    arguments = CALLS[name](world)
    if name in SENT_BEFORE:
        sent = await world.api.post(SENT_BEFORE[name].format(**world.ids))
        assert sent.status_code == 200, sent.text
    if name in BEFORE:
        tool, argument = BEFORE[name]
        arguments[argument] = (await call(world.api, token, tool, CALLS[tool](world)))["structuredContent"][argument]
    before = await rows_of(world.api, with_versions=True)
    result = await call(world.api, token, name, arguments)
    assert not result.get("isError"), result
    tables = await changed(world, before)
    return Effect.READS if not tables else Effect.COMMITS if tables & _FOR_GOOD else Effect.PREPARES


async def test_tools_that_say_so_change_nothing(world: World, token: str) -> None:
    hints = {one["name"]: one["annotations"] for one in await listed(world, token)}
    for name, tool in all_tools().items():
        if tool.effect is Effect.READS:
            assert await does(world, token, name) is Effect.READS, name
        assert hints[name]["readOnlyHint"] is (tool.effect is Effect.READS)
        assert hints[name]["destructiveHint"] is (tool.effect is Effect.COMMITS)
        assert hints[name]["openWorldHint"] is (tool.effect is Effect.COMMITS), "what is committed may be sent"


async def test_hints_of_other_tools_say_what_a_call_does(new_world: NewWorld, database_url: str) -> None:
    for name, tool in all_tools().items():
        if tool.effect is not Effect.READS:
            world = await new_world()
            _, own = await connect(world.api, database_url)
            assert await does(world, own, name) is tool.effect, name


async def listed(world: World, token: str) -> list[dict[str, Any]]:
    tools: list[dict[str, Any]] = (await ask(world.api, token, "tools/list")).json()["result"]["tools"]
    return tools


async def test_results_are_what_their_schemas_say_and_begin_with_whose_they_are(world: World, token: str) -> None:
    tools = await listed(world, token)
    assert [tool["name"] for tool in tools] == list(all_tools())
    assert sorted(CALLS) == sorted(all_tools())
    for tool in tools:
        for schema in (tool["inputSchema"], tool["outputSchema"]):
            Draft202012Validator.check_schema(schema)
            assert "$ref" not in json.dumps(schema)
        assert tool["inputSchema"]["additionalProperties"] is False
        if all_tools()[tool["name"]].effect is not Effect.READS:
            continue
        result = (await call(world.api, token, tool["name"], CALLS[tool["name"]](world)))["structuredContent"]
        faults = [(fault.json_path, fault.message) for fault in _strict(tool["outputSchema"]).iter_errors(result)]
        assert faults == [], tool["name"]
        assert list(result)[:4] == ["company", "currency", "period", "untrusted"]
        if "data" in result:
            assert {"total", "page", "limit", "nextPage"} <= result.keys()


def _strict(schema: dict[str, Any]) -> Draft202012Validator:
    """The schema, with no properties but those that it names."""

    def strict(one: Any) -> Any:
        if isinstance(one, list):
            return [strict(each) for each in one]
        if not isinstance(one, dict):
            return one
        closed = {"additionalProperties": False} if "properties" in one and "additionalProperties" not in one else {}
        return {name: strict(value) for name, value in one.items()} | closed

    return Draft202012Validator(strict(schema))


def test_all_filters_and_fields_of_the_api_are_there() -> None:
    tools = all_tools()
    for name, operations in _LISTS.items():
        own = tools[name].output_schema["properties"]["data"]["items"]["properties"]
        for one in operations:
            assert arguments_of(one).properties.keys() <= tools[name].input_schema["properties"].keys()
            assert item_schema(one)["properties"].keys() <= own.keys()
    for (name, place), operations in _OBJECTS.items():
        own = tools[name].output_schema["properties"][place]["properties"]
        for one in operations:
            assert answer_schema(one)["properties"].keys() <= own.keys()
    assert len(json.dumps([tool.input_schema for tool in tools.values()])) < 80_000
    assert all(len(json.dumps(dict(tool.output_schema))) < 13_000 for tool in tools.values())


async def test_a_connection_that_only_reads_has_the_tools_that_read(world: World, database_url: str) -> None:
    scopes = frozenset(scope for tool in all_tools().values() for scope in tool.scopes if scope.endswith("-read"))
    _, token = await connect(world.api, database_url, scopes)
    for one in await listed(world, token):
        assert all_tools()[one["name"]].effect is Effect.READS
        assert one["annotations"]["readOnlyHint"] is True
    for name, tool in all_tools().items():
        if tool.effect is not Effect.READS:
            answer = await ask(world.api, token, "tools/call", {"name": name, "arguments": CALLS[name](world)})
            assert answer.status_code == 403
            assert "insufficient_scope" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("name", [name for name, made in CALLS.items() if made.__code__.co_varnames[0] == "world"])
async def test_ids_of_another_company_are_nobodys(name: str, world: World, other_world: World, token: str) -> None:
    before = await rows_of(world.api, with_versions=True)
    arguments = CALLS[name](other_world)
    result = await call(world.api, token, name, arguments)
    found = result["structuredContent"]
    if result.get("isError"):
        assert found["code"].endswith("_NOT_FOUND") or found["code"] == "SHARED_VALIDATION_FAILED"
        assert found["remedy"]
    else:
        assert found["data"] == []
        assert found["total"] == 0
    theirs = set(other_world.ids.values()) - set(world.ids.values()) - set(_texts(arguments))
    assert not theirs & set(_texts(found))
    assert await changed(world, before) == set()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
