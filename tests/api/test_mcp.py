"""The MCP server over HTTP, as clients of both revisions meet it."""

from typing import Any

import httpx
import pytest_asyncio
from tests.conftest import Api
from tests.connections import connect

_NEW = "2026-07-28"


def message(method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}


async def ask(
    api: Api, token: str, method: str, params: dict[str, Any] | None = None, **headers: str
) -> httpx.Response:
    """A request as a client of 2025-11-25 sends it after its `initialize`."""
    known = {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream", **headers}
    return await api.http.post("/api/v1/mcp", json=message(method, params), headers=known)


async def call(api: Api, token: str, name: str, arguments: dict[str, Any] | None = None) -> Any:
    answer = await ask(api, token, "tools/call", {"name": name, "arguments": arguments or {}})
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


@pytest_asyncio.fixture
async def token(api: Api, database_url: str) -> str:
    return (await connect(api, database_url))[1]


async def test_without_a_token_the_way_to_one_is_told(api: Api) -> None:
    sent: dict[str, dict[str, Any]] = {
        "a message": {"json": {}},
        "nothing": {},
        "another type": {"content": "x", "headers": {"content-type": "text/plain"}},
        "another kind of credential": {"json": {}, "headers": {"authorization": "Basic eDp5"}},
    }
    for what, options in sent.items():
        for method in ("POST", "GET", "HEAD", "DELETE"):
            answer = await api.http.request(method, "/api/v1/mcp", **options)
            assert answer.status_code == 401, (what, method)
            assert "/.well-known/oauth-protected-resource/api/v1/mcp" in answer.headers["www-authenticate"]


async def test_a_result_begins_with_whose_books_these_are_and_goes_on_as_the_api(api: Api, token: str) -> None:
    company = (await api.get("/v1/company")).json()
    for name in (company["name"], "Birk ApS"):
        api.clock.advance(minutes=1)  # for which the name is remembered
        company = (await api.patch("/v1/company", {"name": name})).json()
        for _ in range(2):
            result = await call(api, token, "get_company")
            assert list(result["structuredContent"].items()) == [
                ("company", {"id": str(api.company_id), "name": name}),
                ("currency", "DKK"),
                ("period", None),
                ("untrusted", []),
                ("settings", company),
            ]


async def test_unknown_arguments_are_refused_in_the_words_of_the_api(api: Api, token: str) -> None:
    result = await call(api, token, "get_company", {"fields": 1})
    assert result["isError"]
    assert result["structuredContent"]["code"] == "SHARED_VALIDATION_FAILED"
    assert result["structuredContent"]["details"]["validationErrors"] == [
        {"property": "fields", "constraints": {"whitelistValidation": "fields should not exist"}}
    ]
    assert "details.validationErrors" in result["structuredContent"]["remedy"]


async def test_a_tool_without_its_scopes_is_not_listed_and_asks_for_all_scopes_at_once(
    api: Api, database_url: str
) -> None:
    _, narrow = await connect(api, database_url, frozenset({"invoices-read"}))
    listed = (await ask(api, narrow, "tools/list")).json()["result"]["tools"]
    assert "get_company" not in {tool["name"] for tool in listed}
    answer = await ask(api, narrow, "tools/call", {"name": "get_company"})
    assert answer.status_code == 403
    assert answer.json()["error"]["data"]["details"] == {"requiredScopes": ["company-read"]}
    challenge = answer.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="company-read invoices-read"' in challenge
    assert 'resource_metadata="http://' in challenge
    assert "connect this application again" in answer.json()["error"]["data"]["remedy"]
