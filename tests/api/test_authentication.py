"""The door: API keys and access tokens as every operation meets them (contract 1.2, 1.3, 1.5)."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs
from tests.api.instances import instance
from tests.conftest import BLOBS, Api, SteeredClock
from tests.ledger_books import as_owner, books_of

from ledgerbee.http.cells import Cell, Cells
from ledgerbee.http.edge import Edge
from ledgerbee.http.middleware import HttpMiddleware
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database
from ledgerbee.tenancy.company import actions as company

JSON = {"content-type": "application/json"}
NOBODY = "0192d3a0-0000-7000-8000-000000000001"
_END_WHO_WAITS = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'credentials'::regclass AND NOT granted"
)


async def make_key(api: Api, **body: Any) -> tuple[str, str]:
    answer = await api.post("/v1/api-keys", {"name": "test", "scopes": ["accounts-read"], **body})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], answer.json()["key"]


async def get(http: httpx.AsyncClient, key: str, path: str = "/v1/accounts", **headers: str) -> httpx.Response:
    return await http.get(f"/api{path}", headers={"x-api-key": key, **headers})


def assert_unauthorized(answer: httpx.Response, message: str = "Invalid API key") -> None:
    assert answer.status_code == 401
    body = answer.json()
    assert (body["statusCode"], body["code"], body["message"]) == (401, "UNAUTHORIZED", message)
    assert body["path"] == "/v1/accounts"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="ledgerbee"')


async def test_no_credential(http: httpx.AsyncClient, clock: SteeredClock) -> None:
    answer = await http.get("/api/v1/accounts")
    assert_unauthorized(answer, "Missing credential: send an x-api-key header or an OAuth 2.0 bearer token")
    assert answer.json()["details"] == {}


@pytest.mark.parametrize("key", ["wrong", "lb_" + "A" * 43, "k" * 5_000, "ÿþ", "x y"])
async def test_a_wrong_key(http: httpx.AsyncClient, clock: SteeredClock, key: str) -> None:
    assert_unauthorized(await http.get("/api/v1/accounts", headers=[(b"x-api-key", key.encode("latin-1"))]))


async def test_the_three_ways_to_show_a_key(api: Api) -> None:
    assert (await get(api.http, api.key)).status_code == 200
    assert (await api.http.get(f"/api/v1/accounts?x-api-key={api.key}")).status_code == 200
    bearer = await api.http.get("/api/v1/accounts", headers={"authorization": f"Bearer {api.key}"})
    # Who mixes them up is told how it is done; the rest is as of any other token.
    hint = "Invalid or expired access token: this is an API key. Send it as x-api-key: <key>"
    assert_unauthorized(bearer, hint)
    assert bearer.json()["details"] == {"error": "invalid_token", "reason": "invalid_token"}
    assert bearer.headers["www-authenticate"].endswith('error="invalid_token"')


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "Basic YTpi", "token", "Bearer nonsense"])
async def test_an_authorization_that_is_no_token(
    http: httpx.AsyncClient, clock: SteeredClock, authorization: str
) -> None:
    answer = await http.get("/api/v1/accounts", headers={"authorization": authorization})
    assert_unauthorized(answer, "Invalid or expired access token")


@pytest.mark.parametrize("name", ["x-api-key", "authorization", "x-api-idempotency-key"])
@pytest.mark.parametrize("is_same", [True, False])
async def test_of_two_headers_neither_is_taken(api: Api, name: str, is_same: bool) -> None:
    value = {"x-api-key": api.key, "authorization": "Bearer x"}.get(name, "key-1")
    two = [(name, value), (name.title(), value if is_same else "other")]
    headers = [*two, *([] if name == "x-api-key" else [("x-api-key", api.key)])]
    body = {"name": "Twice", "isUnique": True}
    answer = await api.http.post("/api/v1/dimensions", headers=headers, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "SHARED_VALIDATION_FAILED")
    assert answer.json()["details"]["validationErrors"] == [
        {"property": name, "constraints": {"arrayMaxSize": f"{name} must not be given more than once"}}
    ]
    assert (await api.http.post("/api/v1/dimensions", headers={"x-api-key": api.key}, json=body)).status_code == 201


async def test_a_header_goes_before_the_address(api: Api) -> None:
    assert_unauthorized(await api.http.get(f"/api/v1/accounts?x-api-key={api.key}", headers={"x-api-key": "wrong"}))


@pytest.mark.parametrize("name", ["x-api-key", "X-API-Key", "x%2Dapi%2Dkey"])
async def test_a_key_in_the_address_is_shown_to_nobody(
    database_url: str,
    clock: SteeredClock,
    api: Api,
    name: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not to our log, and not to the server, which logs the address from the very scope it gave us."""
    seen: list[bytes] = []
    caplog.set_level("INFO", logger="ledgerbee.requests")

    def logging(application: ASGIApp) -> ASGIApp:
        async def server(scope: Scope, receive: Receive, send: Send) -> None:
            await application(scope, receive, send)
            seen.append(scope["query_string"])

        return server

    async with instance(database_url, clock, server=logging) as client:
        with capture_logs() as logs:
            found = await client.get(f"/api/v1/document-templates?limit=1&{name}={api.key}&search=F")
            refused = await client.get(f"/api/v1/nowhere?{name}={api.key}")
    access_log = capsys.readouterr().err
    assert found.status_code == 200
    assert found.json()["limit"] == 1
    assert seen == [b"limit=1&search=F", b""]
    assert access_log.count('"event":"request"') == 2
    assert api.key not in f"{logs}{access_log}{refused.text}{refused.headers}"


async def test_a_revoked_key_stops_at_once_in_every_process(database_url: str, clock: SteeredClock, api: Api) -> None:
    key_id, key = await make_key(api)
    async with instance(database_url, clock) as other_process:
        assert (await get(api.http, key)).status_code == 200
        assert (await get(other_process, key)).status_code == 200  # and remembers the key
        assert (await api.delete(f"/v1/api-keys/{key_id}")).status_code == 204
        assert_unauthorized(await get(other_process, key))
        assert_unauthorized(await get(api.http, key))


async def test_a_key_that_revokes_itself(api: Api) -> None:
    key_id, key = await make_key(api, scopes=["api-keys-write"])
    answer = await api.http.delete(f"/api/v1/api-keys/{key_id}", headers={"x-api-key": key})
    assert answer.status_code == 204
    assert (await api.http.get("/api/v1/api-key", headers={"x-api-key": key})).status_code == 401


async def test_an_expiry_is_told_and_kept(api: Api) -> None:
    _, key = await make_key(api, expiresAt="2026-03-16T14:00:00+01:00")
    answer = await get(api.http, key)
    assert answer.status_code == 200
    assert answer.headers["x-api-key-expires-at"] == "2026-03-16T13:00:00.000Z"
    forbidden = await get(api.http, key, "/v1/company")
    assert forbidden.status_code == 403
    assert forbidden.headers["x-api-key-expires-at"] == "2026-03-16T13:00:00.000Z"
    api.clock.advance(minutes=59, seconds=59)
    assert (await get(api.http, key)).status_code == 200
    api.clock.advance(seconds=1)
    assert_unauthorized(await get(api.http, key))
    assert "x-api-key-expires-at" not in (await get(api.http, api.key)).headers


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(16):
        yield b" " * 1024 * 1024


#: Answers that never reach an operation, or leave one early: status, method, path, what is sent.
EARLY: tuple[tuple[int, str, str, dict[str, Any]], ...] = (
    (200, "GET", "/openapi.json", {}),
    (400, "GET", "/v1/accounts?search=%00", {}),
    (400, "GET", "/v1/accounts/%ff", {}),
    (400, "POST", "/v1/accounts", {"json": {"surprise": 1}}),
    (400, "POST", "/v1/accounts", {"content": b"{", "headers": JSON}),
    (400, "POST", "/v1/accounts", {"json": {}, "headers": {"x-api-idempotency-key": "a b"}}),
    (400, "POST", "/v1/auth/token", {"data": {"grant_type": "nonsense"}}),
    (403, "GET", "/v1/company", {}),
    (404, "GET", "/v1/nowhere", {}),
    (404, "GET", "/v9/accounts", {}),
    (404, "PATCH", f"/v1/accounts/{NOBODY}", {"json": {"name": "Salg"}}),
    (405, "DELETE", "/v1/accounts", {}),
    (405, "OPTIONS", "/v1/accounts", {}),
    (405, "POST", "/openapi.json", {}),
    (413, "POST", "/v1/accounts", {"content": b" " * 16 * 1024 * 1024, "headers": JSON}),
    (413, "POST", "/v1/accounts", {"content": _endless, "headers": JSON}),
    (415, "POST", "/v1/accounts", {"content": b"number=1", "headers": {"content-type": "text/plain"}}),
    (404, "POST", "/v1/nowhere", {"content": b"x"}),
    (415, "POST", "/v2/journal-entries/import", {"json": []}),
)


@pytest.mark.parametrize("shown", ["header", "address"])
@pytest.mark.parametrize(
    ("status", "method", "path", "options"), EARLY, ids=[f"{row[0]} {row[1]} {row[2]}" for row in EARLY]
)
async def test_an_expiry_is_told_with_every_answer(
    api: Api, status: int, method: str, path: str, options: dict[str, Any], shown: str
) -> None:
    _, key = await make_key(api, scopes=["accounts-read", "accounts-write"], expiresAt="2026-03-16T14:00:00+01:00")
    sent = dict(options)
    if callable(sent.get("content")):
        sent["content"] = sent["content"]()
    if shown == "header":
        sent["headers"] = {**sent.get("headers", {}), "x-api-key": key}
    else:
        path += f"{'&' if '?' in path else '?'}x-api-key={key}"
    answer = await api.http.request(method, f"/api{path}", **sent)
    assert answer.status_code == status
    assert answer.headers.get_list("x-api-key-expires-at") == ["2026-03-16T13:00:00.000Z"]


async def test_nothing_is_told_of_a_key_that_is_not_valid(api: Api) -> None:
    """Unknown, revoked, expired, shown as a token: no answer tells them from one without expiry."""
    expiry = {"expiresAt": "2026-03-16T14:00:00+01:00"}
    key_id, revoked = await make_key(api, **expiry)
    _, key = await make_key(api, **expiry)

    async def told(client: httpx.AsyncClient, **headers: str) -> list[str]:
        refused = await client.get("/api/v1/nowhere", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (404, "NOT_FOUND")
        page = await client.get("/docs", headers=headers)
        assert page.headers.get_list("x-api-key-expires-at") == []  # and no page waits for the database
        return refused.headers.get_list("x-api-key-expires-at")

    assert len(await told(api.http, **{"x-api-key": revoked})) == 1
    assert (await get(api.http, revoked)).status_code == 200  # and is remembered
    assert (await api.delete(f"/v1/api-keys/{key_id}")).status_code == 204
    for shown in ("wrong", api.key, revoked):
        assert await told(api.http, **{"x-api-key": shown}) == []
    assert await told(api.http) == []
    assert await told(api.http, authorization=f"Bearer {key}") == []
    assert len(await told(api.http, **{"x-api-key": key})) == 1
    api.clock.advance(hours=1)
    assert await told(api.http, **{"x-api-key": key}) == []


async def test_a_refusal_does_not_wait_for_the_database(api: Api, database_url: str) -> None:
    """Whose key it was stays untold where the connection is lost, or the answer takes long."""
    _, key = await make_key(api, expiresAt="2026-03-16T14:00:00+01:00")
    holder = await as_owner(database_url)
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE credentials IN ACCESS EXCLUSIVE MODE")
            lost = asyncio.create_task(get(api.http, key, "/v1/nowhere"))
            while not await holder.fetchval(_END_WHO_WAITS):  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # until the request waits
            slow = asyncio.create_task(get(api.http, key, "/v1/nowhere"))
            for answer in await asyncio.gather(lost, slow):
                assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
                assert "x-api-key-expires-at" not in answer.headers
    finally:
        await holder.close()
    assert "x-api-key-expires-at" in (await get(api.http, key, "/v1/nowhere")).headers


async def test_an_expiry_is_told_with_what_nobody_foresaw(api: Api, database_url: str) -> None:
    books = await books_of(api)
    (entry,) = await books.post(books.sale("2026-01-15", "1.00"))
    owner = await as_owner(database_url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(api.company_id))
    await owner.execute("UPDATE companies SET time_zone = 'Nowhere' WHERE company_id = $1", api.company_id)
    await owner.close()
    _, key = await make_key(api, scopes=["journal-entries-write"], expiresAt="2026-03-16T14:00:00+01:00")
    answer = await api.http.post(f"/api/v1/journal-entries/{entry.id}/reverse", headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert answer.headers["x-api-key-expires-at"] == "2026-03-16T13:00:00.000Z"


async def test_an_address_that_is_not_on_the_list(database_url: str, clock: SteeredClock, api: Api) -> None:
    expiry = {"expiresAt": "2026-03-16T14:00:00+01:00"}
    _, key = await make_key(api, ipWhitelist=["203.0.113.0/24", "2001:db8::7"], **expiry)
    refused = await get(api.http, key)
    assert_unauthorized(refused)
    assert refused.json()["details"] == {"reason": "ip_whitelist_mismatch"}
    nowhere = await api.http.get("/api/v1/nowhere", headers={"x-api-key": key})
    for answer in (refused, nowhere):
        assert answer.headers.get_list("x-api-key-expires-at") == ["2026-03-16T13:00:00.000Z"]
    for address, status in {
        "203.0.113.200": 200,
        "::ffff:203.0.113.200": 200,
        "2001:db8::7": 200,
        "203.0.114.1": 401,
        "2001:db8::8": 401,
        "unknown": 401,
    }.items():
        async with instance(database_url, clock, address) as client:
            assert (await get(client, key)).status_code == status, address


async def test_a_scope_that_is_missing(api: Api) -> None:
    _, key = await make_key(api)
    answer = await get(api.http, key, "/v1/company")
    assert answer.status_code == 403
    assert answer.json()["code"] == "INSUFFICIENT_PERMISSIONS"
    assert answer.json()["details"] == {"requiredScopes": ["company-read"]}


async def test_the_company_follows_from_the_key(api: Api, other_api: Api) -> None:
    own, other = (await api.get("/v1/company")).json(), (await other_api.get("/v1/company")).json()
    assert own["id"] == str(api.company_id)
    assert other["id"] == str(other_api.company_id)


async def test_a_licence_that_is_switched_off_is_missed_at_once(
    database: Database, clock: SteeredClock, api: Api
) -> None:
    """Of all operations, in every process; other companies keep theirs."""
    router = resource_router("Reports")

    @router.get("/v1/licensed", **operation("Licensed", scope="reports-read", license_key="Subscription"))
    async def licensed(context: Ctx) -> str:
        return str(context.company_id)

    async def answer() -> httpx.Response:
        return await client.get("/api/v1/licensed", headers={"x-api-key": api.key})

    inner = FastAPI()
    inner.router.routes.extend(router.routes)
    edge = inner.state.edge = Edge(Cells(Cell(database, BLOBS)), clock)
    identify = edge.authenticator.identify_rejected_request
    wrapped = HttpMiddleware(inner, routes=(), clock=clock, identify=identify, allowed_origins=())
    transport = httpx.ASGITransport(wrapped)
    async with httpx.AsyncClient(transport=transport, base_url="http://ledgerbee.test") as client:
        assert (await answer()).json() == str(api.company_id)

        async def give(*licenses: str) -> None:
            async def work(context: Context) -> None:
                await company.set_licenses(context, licenses)

            await api.run(work)

        await give("CustomerPortal")
        refused = await answer()
        assert refused.status_code == 403
        assert refused.json()["code"] == "LICENSE.REQUIRED"
        assert refused.json()["details"] == {"licenseKey": "Subscription"}
        await give("MeteredProducts", "Subscription")
        assert (await answer()).status_code == 200
        with pytest.raises(Exception, match="Bad Request Exception"):
            await give("Everything")
    assert (await api.get("/v1/company")).json()["licenses"] == ["Subscription", "MeteredProducts"]


async def test_every_answer_names_its_request(http: httpx.AsyncClient, clock: SteeredClock) -> None:
    given = await http.get("/api/v1/accounts", headers={"x-request-id": "my-request"})
    assert given.headers["x-request-id"] == "my-request"
    made = await http.get("/api/v1/accounts", headers={"x-request-id": "not a good one"})
    assert re.fullmatch("[0-9a-f]{32}", made.headers["x-request-id"])
