"""The MCP server over HTTP, as clients of both revisions meet it."""

import pytest_asyncio
from tests.conftest import Api
from tests.connections import connect


@pytest_asyncio.fixture
async def token(api: Api, database_url: str) -> str:
    return (await connect(api, database_url))[1]


async def test_without_a_token_the_way_to_one_is_told(api: Api) -> None:
    answer = await api.http.post("/api/v1/mcp", json={})
    assert answer.status_code == 401
    assert "/.well-known/oauth-protected-resource/api/v1/mcp" in answer.headers["www-authenticate"]


async def test_a_tool_answers_what_the_api_answers(api: Api, token: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_company", "arguments": {}}}
    headers = {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
    answer = await api.http.post("/api/v1/mcp", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["structuredContent"]["company"] == (await api.get("/v1/company")).json()
