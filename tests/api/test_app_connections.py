"""Applications of members: over the API, and on the pages of connected apps."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest_asyncio
from fastapi import Response
from tests.api.test_authorization import forget_calls, principal_of
from tests.authorizing import connected, registered
from tests.conftest import OPERATOR, PUBLIC_URL, Api
from tests.ledger_books import as_owner
from tests.pages import Page
from tests.people import signed_in

from ledgerbee.app.verify import verify
from ledgerbee.core.ids import new_id
from ledgerbee.http.caller import Caller
from ledgerbee.http.command_batcher import CommandBatcher
from ledgerbee.identity.connections import actions, store
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database


@pytest_asyncio.fixture(autouse=True)
async def fresh_windows(database: Database) -> AsyncIterator[None]:
    """Every test starts at the same moment and address, so it must not find the calls of the one before."""
    await forget_calls(database)
    yield


async def test_connections_over_http(api: Api, other_api: Api, database: Database) -> None:
    application, body, person = await connected(api)
    (found,) = (await api.get("/v1/connections")).json()
    address = f"/v1/connections/{found['id']}"
    assert (await api.get(address)).json() == found
    assert found["userId"] == str(person.id)
    assert found["lastUsedAt"] == found["createdAt"] == "2026-03-16T12:00:00.000Z"
    assert (await other_api.get("/v1/connections")).json() == []
    for method, fields in (("GET", {}), ("PATCH", {"json": {"dailyLimit": 1}}), ("DELETE", {})):
        answer = await other_api.request(method, address, **fields)
        assert (answer.status_code, answer.json()["code"]) == (404, "CONNECTION_NOT_FOUND")

    for limit, shown in ((2500.5, "2500.5"), ("0", "0"), (0, "0")):
        assert (await api.patch(address, {"dailyLimit": limit})).json()["dailyLimit"] == shown
    for bad in (-1, None, "x", "1e3", 10**13, 0.00001):
        assert (await api.patch(address, {"dailyLimit": bad})).status_code == 400
    told = (await api.get("/v1/audit-events?type=connection.updated")).json()["data"]
    assert [(one["before"]["dailyLimit"], one["data"]["dailyLimit"]) for one in told] == [
        ("2500.5", "0"), ("10000", "2500.5"),
    ]  # fmt: skip
    key = (await api.post("/v1/api-keys", {"name": "app", "scopes": ["connections-write"]})).json()["key"]
    refused = await api.patch(address, {"dailyLimit": 1}, headers={"x-api-key": key})
    assert (refused.status_code, refused.json()["details"]) == (403, {"requiredScopes": ["users-write"]})

    assert (await api.delete(address, headers={"x-api-key": key})).status_code == 204
    assert (await api.delete(address)).status_code == 204
    assert await principal_of(database, body["access_token"]) is None
    assert (await application.refreshes(body["refresh_token"])).json()["error"] == "invalid_grant"
    gone = (await api.get(address)).json()
    assert (gone["revokedAt"], gone["revokedBecause"]) == ("2026-03-16T12:00:00.000Z", "user")
    late = await api.patch(address, {"dailyLimit": 1})
    assert (late.status_code, late.json()["details"]) == (409, {"status": "revoked"})
    assert (await api.get("/v1/audit-events?type=connection.revoked")).json()["total"] == 1


async def caller_of(api: Api, token: str) -> Caller:
    """Whoever shows a token, as the MCP server has it."""
    principal = await principal_of(api.database, token)
    assert principal is not None
    blobs: Any = None
    return Caller(principal, api.database, CommandBatcher(api.database), blobs, "test", api.clock())


async def test_what_a_connection_did(api: Api) -> None:
    application, body, person = await connected(api)
    caller = await caller_of(api, body["access_token"])

    async def rename(context: Context) -> Response:
        context.emit("customer.updated", new_id(), {"name": "Havblik <A/S>"}, before={"name": "Havblik"})
        lines = [{"side": "DEBIT", "amountInBaseCurrency": "1250.50"}, {"side": "CREDIT", "amountInBaseCurrency": "1"}]
        context.emit("customer.created", new_id(), {"lines": lines})
        return Response()

    await caller.command(rename)
    (found,) = (await api.get("/v1/connections")).json()
    did = (await api.get(f"/v1/audit-events?credentialId={found['id']}")).json()["data"]
    assert {(one["type"], one["actor"], one["credentialKind"]) for one in did} == {
        ("customer.updated", f"user:{person.id}", "user_token"),
        ("customer.created", f"user:{person.id}", "user_token"),
        ("connection.created", f"user:{person.id}", "authorization_code"),
    }
    # Its last use is noted a minute apart at most.
    api.clock.advance(seconds=59)
    await actions.note_use(await caller_of(api, body["access_token"]))
    assert (await api.get("/v1/connections")).json()[0]["lastUsedAt"] == "2026-03-16T12:00:00.000Z"
    api.clock.advance(seconds=61)
    await actions.note_use(await caller_of(api, body["access_token"]))
    assert (await api.get("/v1/connections")).json()[0]["lastUsedAt"] == "2026-03-16T12:02:00.000Z"
    await application.refreshes(body["refresh_token"])


async def test_the_pages_of_connected_apps(api: Api, other_api: Api, database: Database) -> None:  # noqa: PLR0915
    owner, person = await signed_in(api, name="Mette <Holm>")
    seller, _ = await signed_in(api, "sales", name="Ib Lund")
    application = await registered(api.http, client_name="<i>Regnemester</i>")
    mine, theirs = await application.connects(owner), await application.connects(seller)
    caller = await caller_of(api, mine["access_token"])

    async def change(context: Context) -> Response:
        context.emit("customer.updated", new_id(), {"name": "Havblik <A/S>"}, before={"name": "Havblik"})
        return Response()

    await caller.command(change)
    path = f"/companies/{api.company_id}/connected-apps"
    assert (await api.http.get(path)).headers["location"].startswith("/sign-in?")
    page = await owner.open(path)
    assert page.status_code == 200
    shown = Page(page.text)
    assert shown.text.count("<i>Regnemester</i>") == 2
    for said in ("Mette <Holm>", "Ib Lund", "0.00 DKK", "10,000.00 DKK", "2026-03-16 13:00"):
        assert said in shown.text, said
    address = f"{PUBLIC_URL}/api/v1/mcp/c/{api.company_id}"
    assert f"claude mcp add --transport http ledgerbee-nordlys-aps {address}" in shown.text
    cursor = next(link for link in shown.links if link.startswith("cursor:"))
    told = {name: values[0] for name, values in parse_qs(urlsplit(cursor).query).items()}
    assert (told["name"], json.loads(base64.b64decode(told["config"]))) == ("ledgerbee-nordlys-aps", {"url": address})
    vs_code = next(link for link in shown.links if link.startswith("vscode:"))
    assert json.loads(unquote(vs_code.partition("?")[2])) == {
        "name": "ledgerbee-nordlys-aps", "type": "http", "url": address,
    }  # fmt: skip
    waiting = f"{path}/commands"
    assert waiting in shown.links
    links = [link for link in shown.links if link.startswith(f"{path}/") and link != waiting]
    assert len(links) == 2

    # A seller has his own alone, and sets no limits.
    shown = Page((await seller.open(path)).text)
    (own,) = (link for link in shown.links if link.startswith(f"{path}/") and link != waiting)
    (other,) = set(links) - {own}
    assert (await seller.open(other)).status_code == 404
    detail = Page((await seller.open(own)).text)
    assert [form.action for form in detail.forms].count(own) == 1
    assert "It has changed nothing" not in detail.text  # it was let in
    for fields, status in (({"decision": "limit", "limit": "1"}, 404), ({"decision": "revoke"}, 303)):
        await seller.open(own)
        assert (await seller.send(own, fields)).status_code == status
    await seller.open(own)
    assert (await seller.send(other, {"decision": "revoke"})).status_code in {400, 404}
    assert await principal_of(database, theirs["access_token"]) is None
    assert await principal_of(database, mine["access_token"]) is not None

    detail = Page((await owner.open(other)).text)
    assert "customer.updated Havblik <A/S>" in detail.text
    for limit, status in (("2500.50", 303), ("-1", 400), ("x", 400), ("", 400), ("1.234", 400)):
        await owner.open(other)
        assert (await owner.send(other, {"decision": "limit", "limit": limit})).status_code == status
    assert "2,500.50 DKK" in Page((await owner.open(other)).text).text
    assert (await owner.request("POST", other, data={"decision": "revoke"})).status_code == 400  # from no page of ours
    await owner.open(other)
    assert (await owner.send(other, {"decision": "revoke"})).headers["location"] == path
    assert await principal_of(database, mine["access_token"]) is None
    ended = Page((await owner.open(f"{other}?language=da")).text)
    assert "Taget tilbage" in ended.text
    assert "af en bruger" in ended.text
    for nowhere in (
        f"/companies/{other_api.company_id}/connected-apps", "/companies/x/connected-apps", f"{path}/x",
        f"{path}/{new_id()}",
    ):  # fmt: skip
        assert (await owner.open(nowhere)).status_code == 404
    events = (await api.get("/v1/audit-events?type=connection.revoked")).json()["data"]
    assert events[0]["actor"] == f"user:{person.id}"
    assert events[0]["credentialKind"] == "user_session"


#: What SQL could do to credentials of people, and to what they are of; `$1` is the company.
BEYOND = (
    "UPDATE connections SET revoked_at = now(), revoked_because = 'user' WHERE company_id = $1",
    "UPDATE connections SET scopes = '{}' WHERE company_id = $1",
    "UPDATE connections SET resource = '/elsewhere' WHERE company_id = $1",
    "UPDATE connections SET user_id = gen_random_uuid() WHERE company_id = $1",
    "DELETE FROM connections WHERE company_id = $1",
    "DELETE FROM memberships WHERE company_id = $1",
    "UPDATE memberships SET role = 'sales' WHERE company_id = $1",
    "DELETE FROM authorization_codes WHERE company_id = $1 AND used_at IS NULL",
    "UPDATE credentials SET scopes = '{portal-provision}' WHERE company_id = $1 AND kind = 'user_token'",
    "UPDATE credentials SET scopes = '{portal-provision}' WHERE company_id = $1 AND kind = 'refresh_token'",
    "UPDATE credentials SET expires_at = 'infinity' WHERE company_id = $1 AND kind = 'user_token'",
    "UPDATE credentials SET expires_at = 'infinity' WHERE company_id = $1 AND kind = 'user_session'",
    "UPDATE credentials SET expires_at = 'infinity' WHERE company_id = $1 AND kind = 'authorization_code'",
    "UPDATE credentials SET user_id = gen_random_uuid() WHERE company_id = $1 AND kind = 'user_session'",
)


async def test_a_credential_beyond_its_person_is_a_finding(api: Api, database_url: str) -> None:
    browser, _ = await signed_in(api)
    application = await registered(api.http)
    await application.connects(browser)
    await application.asks(browser)
    assert (await api.run(verify, one_snapshot=True)).passed
    owner = await as_owner(database_url)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(api.company_id))
    for statement in BEYOND:
        undone = owner.transaction()
        await undone.start()
        context = Context(owner, api.company_id, OPERATOR, "test", "Europe/Copenhagen", api.clock())
        assert await store.credential_beyond(context, SCOPES_OF) is None
        assert await owner.execute(statement, api.company_id) not in {"UPDATE 0", "DELETE 0"}, statement
        assert await store.credential_beyond(context, SCOPES_OF) is not None, statement
        await undone.rollback()
    await owner.execute(BEYOND[0], api.company_id)
    await owner.close()
    result = await api.run(verify, one_snapshot=True)
    assert "of no member or connection" in str(result.fault)
