"""Operations with a scheduled shutdown say so on every answer, also on those that never reach them (contract 1.1)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.conftest import BLOBS, Api, SteeredClock

from ledgerbee.app.main import create_api
from ledgerbee.core.errors import ErrorCode
from ledgerbee.http.cells import Cell, Cells
from ledgerbee.http.edge import Edge
from ledgerbee.http.middleware import HttpMiddleware
from ledgerbee.http.operation import Ctx, Deprecation, operation, resource_router
from ledgerbee.http.wire import RequestModel
from ledgerbee.platform.db import Database

OLD = "/api/v1/old-things"
ADDRESS = "/api/v1/accounts/0190b0c1-0000-7000-8000-000000000000"
DEPRECATION = Deprecation(sunset="2026-11-08", successor="/api/v2/things")
HEADERS = {"deprecation": "true", "sunset": "2026-11-08", "link": '</api/v2/things>; rel="successor-version"'}
SLOW_DOWN = ErrorCode("SLOW_DOWN", 429, "Too much")
JSON = {"content-type": "application/json"}

router = resource_router("Reports")


class _OldThing(RequestModel):
    fault: str = ""


@router.post("/v1/old-things", **operation("Old", scope="reports-read", deprecation=DEPRECATION))
async def do_old_thing(context: Ctx, body: _OldThing) -> str:
    if body.fault == "429":
        raise SLOW_DOWN.error()
    if body.fault:
        raise RuntimeError(body.fault)
    return str(context.company_id)


@router.delete("/v1/accounts/{accountId}", **operation("Old too", scope="reports-read", deprecation=DEPRECATION))
async def do_another_old_thing(context: Ctx) -> str:
    return str(context.company_id)


@pytest_asyncio.fixture
async def client(api: Api, database: Database, clock: SteeredClock) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application with two old operations more."""
    inner = create_api(clock)
    inner.router.routes.extend(router.routes)
    edge = inner.state.edge = Edge(Cells(Cell(database, BLOBS)), clock)
    identify = edge.authenticator.identify_rejected_request
    wrapped = HttpMiddleware(inner, routes=inner.routes, clock=clock, identify=identify, allowed_origins=())
    transport = httpx.ASGITransport(wrapped, raise_app_exceptions=False)
    headers = {"x-api-key": api.key}
    async with httpx.AsyncClient(transport=transport, base_url="http://ledgerbee.test", headers=headers) as client:
        yield client


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(16):
        yield b" " * 1024 * 1024


@pytest.mark.parametrize(
    ("status", "options"),
    [
        (200, {"json": {}}),
        (400, {"content": b"{", "headers": JSON}),
        (400, {"json": {}, "params": "a=%00"}),
        (401, {"json": {}, "headers": {"x-api-key": "lb_nobody's"}}),
        (413, {"content": b" " * 16 * 1024 * 1024, "headers": JSON}),
        (415, {"content": b"x", "headers": {"content-type": "text/plain"}}),
        (429, {"json": {"fault": "429"}}),
        (500, {"json": {"fault": "unforeseen"}}),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_every_answer_of_an_old_operation_says_so(
    client: httpx.AsyncClient, status: int, options: dict[str, Any]
) -> None:
    answer = await client.post(OLD, **options)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert [name for name, _ in answer.headers.multi_items()].count("link") == 1


async def test_a_body_that_hides_its_length_and_a_wrong_method_say_so_too(client: httpx.AsyncClient) -> None:
    answers = [await client.post(OLD, content=_endless(), headers=JSON), await client.get(OLD)]
    assert [answer.status_code for answer in answers] == [413, 405]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


async def test_operations_that_stay_say_nothing(client: httpx.AsyncClient) -> None:
    answers = [
        await client.patch(ADDRESS, json={}),
        await client.patch(ADDRESS, content=b"x", headers={"content-type": "text/plain"}),
        await client.put(ADDRESS, json={}),
        await client.get("/api/v1/nowhere"),
    ]
    assert [answer.status_code for answer in answers] == [404, 415, 405, 404]
    assert not any(name in answer.headers for answer in answers for name in HEADERS)
    gone = await client.delete(ADDRESS)
    assert {name: gone.headers.get(name) for name in HEADERS} == HEADERS


def test_the_document_says_what_to_use_instead() -> None:
    inner = create_api()
    inner.router.routes.extend(router.routes)
    described = inner.openapi()["paths"]["/v1/old-things"]["post"]
    assert described["deprecated"] is True
    assert "until 2026-11-08. Use `/api/v2/things`" in described["description"]
