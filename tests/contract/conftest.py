"""Two companies, each with one object of every kind. Shared by the module: its tests refuse, or read."""

import httpx
import pytest_asyncio
from tests.conftest import SteeredClock, new_company
from tests.contract.world import World, make_world

from ledgerbee.platform.db import Database


@pytest_asyncio.fixture(scope="session")
async def world(http: httpx.AsyncClient, database: Database) -> World:
    """A company that the tests call as."""
    return await make_world(await new_company(http, database, SteeredClock()))


@pytest_asyncio.fixture(scope="session")
async def other_world(http: httpx.AsyncClient, database: Database) -> World:
    """A company across the border."""
    return await make_world(await new_company(http, database, SteeredClock()))
