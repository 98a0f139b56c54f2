"""What the MCP server answers to messages that are not as they should be, and to those of others."""

import json
from typing import Any, Final

import pytest
import pytest_asyncio
from tests.api.test_mcp import ask, call, message
from tests.conftest import PUBLIC_URL, Api
from tests.connections import connect

from ledgerbee.app.mcp.rate_limits import CALLS_A_MINUTE
from ledgerbee.platform import logs

_NEW: Final = "2026-07-28"
_META: Final = {
    "io.modelcontextprotocol/protocolVersion": _NEW,
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest_asyncio.fixture
async def token(api: Api, database_url: str) -> str:
    return (await connect(api, database_url))[1]


async def send(api: Api, token: str, body: bytes | str, **headers: str) -> Any:
    known = {
        "authorization": f"Bearer {token}",
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        **headers,
    }
    return await api.http.post("/api/v1/mcp", content=body, headers=known)


def new(method: str, params: dict[str, Any], **headers: str) -> tuple[str, dict[str, str]]:
    """Body and headers of a message of the revision 2026-07-28."""
    known = {"mcp-protocol-version": _NEW, "mcp-method": method, **headers}
    if "name" in params:
        known.setdefault("mcp-name", params["name"])
    return json.dumps(message(method, {"_meta": _META, **params})), known


async def test_what_is_no_message_is_refused_in_both_revisions(api: Api, token: str) -> None:
    usual = json.dumps(message("tools/call", {"name": "get_company"}))
    bodies: dict[str | bytes, int] = {
        "": -32700,
        "{": -32700,
        "nonsense": -32700,
        b'{"jsonrpc":"2.0","id":1,"method":"\xff"}': -32700,
        '{"jsonrpc":"2.0","id":1e999999999,"method":"ping"}': -32600,
        '{"jsonrpc":"2.0","id":NaN,"method":"ping"}': -32700,
        "[" * 20_000: -32700,
        '{"a":' * 200 + "1" + "}" * 200: -32600,
        json.dumps([message("ping")]): -32600,
        "[]": -32600,
        "null": -32600,
        '"ping"': -32600,
        '{"id":1,"method":"ping"}': -32600,
        '{"jsonrpc":"2.0","id":null,"method":"ping"}': -32600,
        '{"jsonrpc":"2.0","id":true,"method":"ping"}': -32600,
        '{"jsonrpc":"2.0","id":1.5,"method":"ping"}': -32600,
        '{"jsonrpc":"2.0","id":1,"method":7}': -32600,
        '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}': -32602,
        usual.replace('"get_company"', '"get_company", "arguments": {"a": "\\u0000"}'): -32600,
        usual.replace('"get_company"', '"get_company", "arguments": {"a": "\\ud800"}'): -32600,
    }
    for body, code in bodies.items():
        for version in ({}, {"mcp-protocol-version": _NEW}):
            answer = await send(api, token, body, **version)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, code), (body[:80], answer.text)
    long = await send(api, token, usual.replace("{}", json.dumps({"a": "x" * 1_100_000})) + " " * 1_100_000)
    assert (long.status_code, long.json()["error"]["data"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert (await send(api, token, usual, **{"content-type": "text/plain"})).status_code == 415
    assert (await send(api, token, usual, accept="text/html")).status_code == 406
    for method in ("GET", "DELETE", "PUT"):
        answer = await api.http.request(method, "/api/v1/mcp", headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_call_with_anything_unusual_is_answered_as_other_messages_are(api: Api, token: str) -> None:
    """The SDK judges those: what it says of a call of ours is what it says of any message."""
    for version, method, name in (
        ("2026-07-29", "tools/call", "get_company"),
        (_NEW, "tools/list", "get_company"),
        (_NEW, "tools/call", "get_customer"),
    ):
        body, headers = new("tools/call", {"name": "get_company"})
        wrong = {**headers, "mcp-protocol-version": version, "mcp-method": method, "mcp-name": name}
        answer = await send(api, token, body, **wrong)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020), answer.text
    body, headers = new("tools/call", {"name": "get_company", "_meta": {}})
    assert (await send(api, token, body, **headers)).json()["error"]["code"] == -32602
    body, headers = new("tools/call", {"name": "no_such_tool"})
    unknown = await send(api, token, body, **headers)
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, -32602)
    body, headers = new("tools/call", {"name": "get_company", "arguments": []})
    assert (await send(api, token, body, **headers)).json()["error"]["code"] == -32602
    body, headers = new("tools/call", {"name": "get_company", "requestState": "made up"})
    assert (await send(api, token, body, **headers)).json()["error"]["data"] == {"reason": "invalid_request_state"}
    body, headers = new("initialize", {})
    gone = await send(api, token, body, **headers)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, -32601)
    body, headers = new("subscriptions/listen", {"notifications": {}})
    assert (await send(api, token, body, **headers)).status_code == 404


async def test_both_revisions_give_the_same_result(api: Api, token: str) -> None:
    old = await call(api, token, "get_company")
    body, headers = new("tools/call", {"name": "get_company"})
    answer = (await send(api, token, body, **headers)).json()["result"]
    assert answer.pop("resultType") == "complete"
    assert answer.pop("_meta")["io.modelcontextprotocol/serverInfo"]["name"] == "ledgerbee"
    assert answer == old
    assert json.loads(old["content"][0]["text"]) == old["structuredContent"]
    body, headers = new("tools/list", {})
    listed = (await send(api, token, body, **headers)).json()["result"]
    assert (listed["cacheScope"], listed["ttlMs"] > 0) == ("private", True)
    begun = (
        await ask(
            api,
            token,
            "initialize",
            {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}},
        )
    ).json()["result"]
    assert begun["protocolVersion"] == "2025-11-25"
    assert "untrusted" in begun["instructions"]
    told = await send(api, token, json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}))
    assert (told.status_code, "mcp-session-id" in told.headers) == (202, False)


async def test_only_names_of_the_server_and_pages_of_its_own_are_let_in(api: Api, token: str) -> None:
    body = json.dumps(message("ping"))
    for host, status in (
        ("ledgerbee.test", 200),
        ("ledgerbee.test:8000", 200),
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("ledgerbee.test.evil.example", 421),
        ("evil.example:80@ledgerbee.test", 200),  # what stands before an @ is no part of the name
        ("[", 421),
    ):
        assert (await send(api, token, body, host=host)).status_code == status, host
    for origin, status in (
        (PUBLIC_URL, 200),
        ("http://localhost:6274", 200),
        ("https://evil.example", 403),
        ("http://ledgerbee.test.evil.example", 403),
        ("null", 403),
    ):
        assert (await send(api, token, body, origin=origin)).status_code == status, origin


async def test_tokens_are_good_for_their_own_address_and_until_they_are_revoked(
    api: Api, other_api: Api, database_url: str
) -> None:
    pinned = f"/api/v1/mcp/c/{api.company_id}"
    connection, token = await connect(api, database_url, resource=pinned)
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    typed = f"/api/v1/mcp/c/{str(api.company_id).upper()}"
    metadata = await api.http.get(f"/.well-known/oauth-protected-resource{typed}")
    assert metadata.json()["resource"] == f"{PUBLIC_URL}{typed}", "what was typed"
    for path, status in (
        (pinned, 200),
        (typed, 200),
        ("/api/v1/mcp", 401),
        (f"/api/v1/mcp/c/{other_api.company_id}", 401),
    ):
        answer = await api.http.post(path, json=message("tools/list"), headers=headers)
        assert answer.status_code == status, answer.text
        if status == 401:
            assert (
                f'resource_metadata="{PUBLIC_URL}/.well-known/oauth-protected-resource{path}"'
                in (answer.headers["www-authenticate"])
            )
    for secret in (api.key, "lbt_00.made-up", ""):
        wrong = {**headers, "authorization": f"Bearer {secret}"}
        assert (await api.http.post(pinned, json=message("ping"), headers=wrong)).status_code == 401
    assert (await api.get("/v1/company", headers={"x-api-key": "", **headers})).status_code == 401

    async def revoke(context: Any) -> None:
        await context.connection.execute(
            "DELETE FROM credentials WHERE company_id = $1 AND subject_id = $2", context.company_id, connection.id
        )

    await api.run(revoke)
    for method in ("tools/list", "tools/call", "prompts/list"):
        answer = await api.http.post(pinned, json=message(method, {"name": "get_company"}), headers=headers)
        assert answer.status_code == 401, answer.text


async def test_calls_are_limited_by_connection(api: Api, database_url: str) -> None:
    (_, one), (_, other) = await connect(api, database_url), await connect(api, database_url)
    first = await ask(api, one, "tools/call", {"name": "get_company"})
    assert first.headers["x-rate-limit-remaining"] == str(CALLS_A_MINUTE - 1)
    assert first.headers["x-rate-limit-reset"].isdigit()
    for _ in range(CALLS_A_MINUTE - 1):
        await ask(api, one, "completion/complete", {})
    refused = await ask(api, one, "tools/call", {"name": "get_company"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    error = refused.json()["error"]["data"]
    assert (error["code"], error["details"]) == ("TOO_MANY_CALLS", {"retryAfter": 1})
    assert (await ask(api, one, "tools/list")).status_code == 200
    assert (await ask(api, other, "tools/call", {"name": "get_company"})).status_code == 200
    api.clock.advance(seconds=1)
    assert (await ask(api, one, "tools/call", {"name": "get_company"})).status_code == 200


async def test_the_log_and_the_metrics_name_tools_and_no_arguments(
    api: Api, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    connection, token = await connect(api, database_url)
    logs.configure("INFO")
    await call(api, token, "get_company", {"secret-argument": 1})
    line = next(line for line in capsys.readouterr().err.splitlines() if '"event":"request"' in line)
    logged = json.loads(line)
    assert (logged["tool"], logged["connection"]) == ("get_company", str(connection.id))
    assert "secret-argument" not in line
    counted = (await api.http.get("/metrics")).text
    assert 'ledgerbee_mcp_calls_total{outcome="error",tool="get_company"}' in counted
