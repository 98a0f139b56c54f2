"""One authenticated, indexed read against the floor: a bare FastAPI route that reads the same row.

Both run in a process of their own on the same database with the same driver; the figure is the server's CPU
per request, the median of rounds taken in turn. Limit: 1.25 times the floor.
"""

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from bench.support import Books, books, get, load, meter, server, verdict
from fastapi import FastAPI, Request
from starlette.types import ASGIApp

from ledgerbee.app.main import create_app

REQUESTS = 3_000
ROUNDS = 7
LIMIT = 1.25


def bare_app(url: str, company_id: str) -> ASGIApp:
    """The least that FastAPI and the driver can do: no authentication, no tenant, no transaction."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = await asyncpg.create_pool(url, min_size=1, max_size=10)
        yield
        await app.state.pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/{group_id}")
    async def read(request: Request, group_id: str) -> dict[str, object]:
        async with request.app.state.pool.acquire() as connection:
            row = await connection.fetchrow(
                "SELECT g.*, a.number AS domestic_account_number, a.name AS domestic_account_name FROM product_groups g"
                " JOIN accounts a ON a.company_id = g.company_id AND a.id = g.domestic_account_id"
                " WHERE g.company_id = $1 AND g.id = $2",
                company_id,
                group_id,
            )
        return dict(row)

    return app


async def _group_id(found: Books) -> str:
    connection = await asyncpg.connect(found.url)
    try:
        return str(
            await connection.fetchval("SELECT id FROM product_groups WHERE company_id = $1 LIMIT 1", found.company_id)
        )
    finally:
        await connection.close()


async def _milliseconds(port: int, request: bytes) -> float:
    before = await meter(port)
    await load(port, request, REQUESTS)
    after = await meter(port)
    return (after["cpu"] - before["cpu"]) / REQUESTS * 1000


async def _measure(ours: int, bare: int, found: Books) -> tuple[list[float], list[float]]:
    group_id = await _group_id(found)
    our_request = get(f"/api/v1/product-groups/{group_id}", found.key)
    bare_request = get(f"/{group_id}", "")
    await load(ours, our_request, 500)
    await load(bare, bare_request, 500)
    rounds = [(await _milliseconds(bare, bare_request), await _milliseconds(ours, our_request)) for _ in range(ROUNDS)]
    return [b for b, _ in rounds], [o for _, o in rounds]


def main() -> None:
    """Print both figures and the ratio, round by round."""
    with (
        books() as found,
        server(create_app, found.url) as ours,
        server(bare_app, found.url, str(found.company_id)) as bare,
    ):
        floor, figure = asyncio.run(_measure(ours, bare, found))
    ratios = sorted(o / b for b, o in zip(floor, figure, strict=True))
    print(f"bare FastAPI + asyncpg   {statistics.median(floor):.3f} ms CPU a request")
    print(f"GET product group        {statistics.median(figure):.3f} ms CPU a request")
    ratio = statistics.median(ratios)
    print(f"ratio                    {ratio:.2f} ({verdict(ratio, LIMIT)}; {ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
