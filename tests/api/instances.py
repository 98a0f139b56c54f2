"""More processes of the application on the same database, and clients at other addresses."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
from asgi_lifespan import LifespanManager
from starlette.types import ASGIApp

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app


@asynccontextmanager
async def instance(
    database_url: str,
    clock: Callable[[], datetime],
    address: str = "127.0.0.1",
    settings: Settings | None = None,
    server: Callable[[ASGIApp], ASGIApp] = lambda application: application,
) -> AsyncIterator[httpx.AsyncClient]:
    """An application with a pool and a memory of its own; its client calls from `address`, through `server`."""
    async with LifespanManager(create_app(database_url, settings, clock)) as manager:
        transport = httpx.ASGITransport(server(manager.app), client=(address, 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://ledgerbee.test") as client:
            yield client
