"""A database with books in it is brought to a later release, by an owner who sees one company at a time too."""

import asyncio

import asyncpg
import httpx
from tests.conftest import SteeredClock, new_company
from tests.ledger_books import books_of

from ledgerbee.app.reactions import REACTIONS
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database
from ledgerbee.platform.migrate import _upgrade, migrate


async def counted_days(context: Context) -> int:
    count: int = await context.connection.fetchval(
        "SELECT count(*) FROM account_days WHERE company_id = $1", context.company_id
    )
    return count


async def test_filled_books_get_their_totals_by_day(own_database: str) -> None:
    await asyncio.to_thread(_upgrade, lambda: asyncpg.connect(own_database), "0012_drafts")
    database = await Database.open(own_database, reactions=REACTIONS)
    async with httpx.AsyncClient() as http:
        companies = [await books_of(await new_company(http, database, SteeredClock())) for _ in range(4)]
    for books, posted in zip(companies, (0, 10, 256, 700), strict=True):
        await books.post(*[books.sale(f"2026-02-{1 + n % 28:02}", f"{n}.00") for n in range(posted)])
    await migrate(own_database)
    # Two accounts and each day of the month; what fills no stride is in no total.
    assert [await books.api.run(counted_days) for books in companies] == [0, 0, 56, 56]
    for books in companies:
        assert (await books.verify()).passed
        await books.post(*[books.sale("2026-03-01", "1.00") for _ in range(300)])
        result = await books.verify()
        assert result.passed, result.fault
    assert [await books.api.run(counted_days) for books in companies] == [2, 22, 58, 58]
    await database.close()
