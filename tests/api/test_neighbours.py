"""What a company waits for is its own affair: another one in the same process notices nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest_asyncio
from asgi_lifespan import LifespanManager
from tests.conftest import BLOBS, Api, SteeredClock, new_company

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.platform.db import Database


@pytest_asyncio.fixture
async def narrow(database_url: str, clock: SteeredClock) -> AsyncIterator[httpx.AsyncClient]:
    """An API process of its own with four database connections."""
    app = create_app(database_url, Settings(attachments_dir=BLOBS.path, pool_size=4), clock=clock)
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(manager.app, client=("127.0.0.1", 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://ledgerbee.test") as client:
            yield client


@asynccontextmanager
async def held_row(database_url: str, api: Api) -> AsyncIterator[None]:
    """Somebody holds the company's row."""
    owner = await asyncpg.connect(database_url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(api.company_id))
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("SELECT FROM companies WHERE company_id = $1 FOR UPDATE", api.company_id)
    try:
        yield
    finally:
        await transaction.rollback()
        await owner.close()


async def test_one_companys_lock_waits_leave_the_others_their_connections(
    narrow: httpx.AsyncClient, database: Database, clock: SteeredClock, database_url: str
) -> None:
    busy, other = [await new_company(narrow, database, clock) for _ in range(2)]
    for api in (busy, other):
        assert (await api.get("/v1/company")).status_code == 200
    async with held_row(database_url, busy):
        patches = [asyncio.create_task(busy.patch("/v1/company", {"name": f"Name {n}"})) for n in range(40)]
        await asyncio.sleep(0.3)  # until they wait
        assert not any(task.done() for task in patches)
        for api in (other, busy):  # reads of its own go on too
            for _ in range(20):
                assert (await api.get("/v1/company")).json()["name"] == "Nordlys ApS"
        assert (await other.patch("/v1/company", {"name": "Changed"})).status_code == 200
        assert not any(task.done() for task in patches)
    assert {answer.status_code for answer in await asyncio.gather(*patches)} == {200}


async def test_a_lock_that_is_not_to_be_had_is_a_clear_answer(api: Api, database_url: str) -> None:
    async with held_row(database_url, api):
        began = time.monotonic()
        refused = await api.patch("/v1/company", {"name": "Changed"})
        assert time.monotonic() - began < 60  # the statement's own limit is 120 s
    assert (refused.status_code, refused.json()["code"]) == (503, "TOO_MUCH_CONTENTION")
    assert refused.headers["retry-after"] == "1"
    assert (await api.get("/v1/company")).json()["name"] == "Nordlys ApS"


async def test_a_transaction_that_does_nothing_is_ended(api: Api) -> None:
    async with api.database.connection() as connection:
        settings = await connection.fetchrow(
            "SELECT current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'),"
            " current_setting('statement_timeout')"
        )
    assert settings is not None
    assert list(settings) == ["4s", "1min", "2min"]
