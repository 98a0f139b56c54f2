"""Companies with one object of every kind: two for all that refuses or reads, and others for what changes something."""

import httpx
import pytest
import pytest_asyncio
from tests.company_copies import Copies, Original
from tests.conftest import Api, SteeredClock, new_company
from tests.contract.world import NewWorld, World, make_world

from ledgerbee.platform.db import Database


@pytest_asyncio.fixture(scope="session")
async def world(http: httpx.AsyncClient, database: Database) -> World:
    """A company that the tests call as."""
    return await make_world(await new_company(http, database, SteeredClock()))


@pytest_asyncio.fixture(scope="session")
async def other_world(http: httpx.AsyncClient, database: Database) -> World:
    """A company across the border."""
    return await make_world(await new_company(http, database, SteeredClock()))


@pytest_asyncio.fixture(scope="session")
async def made_once(http: httpx.AsyncClient, database: Database, copies: Copies) -> tuple[World, Original]:
    """A company that is as it was made, to make others of."""
    world = await make_world(await new_company(http, database, SteeredClock()))
    return world, await copies.original(world.api.company_id, world.api.key)


@pytest.fixture
def new_world(
    http: httpx.AsyncClient,
    database: Database,
    clock: SteeredClock,
    copies: Copies,
    made_once: tuple[World, Original],
) -> NewWorld:
    """Makes a company of the test's own."""

    async def make() -> World:
        first, original = made_once
        copy = await copies.make(original)
        api = Api(http, copy.company_id, copy.key, database, clock)
        return World(api, {name: copy.id_of(value) for name, value in first.ids.items()})

    return make
