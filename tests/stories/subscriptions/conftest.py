"""A sandbox of its own for every story of subscriptions: the copy of one that was made once."""

import httpx
import pytest
import pytest_asyncio
from tests.company_copies import Copies, Original
from tests.conftest import Api, SteeredClock, new_company
from tests.stories.subscriptions.steps import Begin, Story, moment

from ledgerbee.platform.db import Database

#: The sandbox is older than any story.
MADE = "2023-12-01"


@pytest_asyncio.fixture(scope="session")
async def sandbox(http: httpx.AsyncClient, database: Database, copies: Copies) -> Original:
    """A new Danish sandbox."""
    made = await new_company(http, database, SteeredClock(moment(MADE)), is_sandbox=True)
    return await copies.original(made.company_id, made.key)


@pytest.fixture
def begin(http: httpx.AsyncClient, database: Database, clock: SteeredClock, copies: Copies, sandbox: Original) -> Begin:
    """Begins a story on a day, in a sandbox of its own."""

    async def begin(day: str) -> Story:
        clock.now = moment(day)
        copy = await copies.make(sandbox)
        story = Story(Api(http, copy.company_id, copy.key, database, clock))
        await story.on(day)
        return story

    return begin
