"""What a client keeps for the server while its user is asked (`requestState`): its own, unchanged, in time, once."""

import json
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from pydantic import SecretStr
from tests.company_copies import SECRET_KEY
from tests.conformance import mcp_fixtures
from tests.conftest import BLOBS, PUBLIC_URL, Api, SteeredClock
from tests.connections import connect

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app

TOOL: Final = "test_input_required_result_request_state"
ANSWERS: Final = {"confirm": {"action": "accept", "content": {"ok": True}}}
REFUSED: Final = {"reason": "invalid_request_state"}


@pytest_asyncio.fixture
async def asking(database_url: str, clock: SteeredClock) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application with a tool that asks back."""
    settings = Settings(attachments_dir=BLOBS.path, public_url=PUBLIC_URL, secret_keys=SecretStr(SECRET_KEY))
    app = create_app(database_url, settings, clock=clock, loads_mcp=mcp_fixtures.load)
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(manager.app, client=("127.0.0.1", 40000))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
            yield client


async def call(http: httpx.AsyncClient, token: str, name: str = TOOL, **params: Any) -> Any:
    revision, start = "2026-07-28", "io.modelcontextprotocol"
    meta = {f"{start}/protocolVersion": revision, f"{start}/clientCapabilities": {"elicitation": {}}}
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": name, "arguments": {}, **params, "_meta": meta},
    }
    headers = {
        "authorization": f"Bearer {token}",
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": revision,
        "mcp-method": "tools/call",
        "mcp-name": name,
    }
    return (await http.post("/api/v1/mcp", content=json.dumps(body), headers=headers)).json()


async def test_a_state_comes_back_as_it_was_from_who_has_it_once(
    asking: httpx.AsyncClient, api: Api, other_api: Api, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = await connect(api, database_url)
    _, second = await connect(api, database_url)
    _, foreign = await connect(other_api, database_url)

    async def asked() -> str:
        result = (await call(asking, token))["result"]
        assert result["resultType"] == "input_required"
        state: str = result["requestState"]
        assert "asked" not in state
        return state

    async def refused(state: str, by: str = token, **params: Any) -> bool:
        answer = await call(asking, by, **{"inputResponses": ANSWERS, "requestState": state, **params})
        return bool(answer.get("error", {}).get("data") == REFUSED)

    state = await asked()
    middle = len(state) // 2
    changed = state[:middle] + ("A" if state[middle] != "A" else "B") + state[middle + 1 :]
    for wrong in (changed, state + "A", state[:-4], f"{state}==", "", "æ", "v1.AAAA", SECRET_KEY):
        assert wrong == "" or await refused(wrong), wrong
    assert await refused(state, by=second)
    assert await refused(state, by=foreign)
    assert await refused(state, name="test_input_required_result_tampered_state")
    assert await refused(state, arguments={"other": 1})
    done = await call(asking, token, inputResponses=ANSWERS, requestState=state)
    assert done["result"]["content"][0]["text"].startswith("state-ok")
    assert await refused(state)
    late = await asked()
    with monkeypatch.context() as patch:
        patch.setattr("mcp.server.request_state.time", SimpleNamespace(time=lambda: time.time() + 601))
        assert await refused(late)
