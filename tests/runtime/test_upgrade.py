"""A database with books in it is brought to a later release, by an owner who sees one company at a time too."""

import asyncio
from datetime import date

import asyncpg
import httpx
import pytest
from tests.conftest import SteeredClock, new_company
from tests.ledger_books import books_of

from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.periods import actions as period_actions
from ledgerbee.ledger.periods import store as periods
from ledgerbee.ledger.periods.model import FiscalYear
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database
from ledgerbee.platform.migrate import _upgrade, migrate


async def counted_days(context: Context) -> int:
    count: int = await context.connection.fetchval(
        "SELECT count(*) FROM account_days WHERE company_id = $1", context.company_id
    )
    return count


async def test_filled_books_get_their_totals_by_day(own_database: str) -> None:
    await _at(own_database, "0012_drafts")
    database = await Database.open(own_database, reactions=REACTIONS)
    async with httpx.AsyncClient() as http:
        companies = [await books_of(await new_company(http, database, SteeredClock())) for _ in range(4)]
    for books, posted in zip(companies, (0, 10, 256, 700), strict=True):
        await books.post(*[books.sale(f"2026-02-{1 + n % 28:02}", f"{n}.00") for n in range(posted)])
    await _to_head(own_database)
    # Two accounts and each day of the month; what fills no stride is in no total.
    assert [await books.api.run(counted_days) for books in companies] == [0, 0, 56, 56]
    for books in companies:
        assert (await books.verify()).passed
        await books.post(*[books.sale("2026-03-01", "1.00") for _ in range(300)])
        result = await books.verify()
        assert result.passed, result.fault
    assert [await books.api.run(counted_days) for books in companies] == [2, 22, 58, 58]
    await database.close()


async def test_years_stay_as_they_are(own_database: str) -> None:
    """Once any year could be posted in. What lies apart stays apart; from now on a year is opened beside another."""
    await _at(own_database, "0014_lists")
    database = await Database.open(own_database, reactions=REACTIONS)
    async with httpx.AsyncClient() as http:
        books = await books_of(await new_company(http, database, SteeredClock()))
    await books.post(*[books.sale(day, "1.00") for day in ("2026-02-01", "1900-05-05", "2035-12-31")])

    async def years(context: Context) -> list[tuple[int, int]]:
        return [(year.start_date.year, year.last_entry_number) for year in await periods.list_fiscal_years(context)]

    async def first(context: Context) -> FiscalYear:
        return await period_actions.open_year(context, date(2027, 1, 1), None)

    assert await books.api.run(years) == [(1900, 1), (2026, 1), (2035, 1)]
    await _to_head(own_database)
    assert await books.api.run(years) == [(1900, 1), (2026, 1), (2035, 1)]
    assert (await books.verify()).passed
    for day in ("1900-12-31", "2035-01-01", "2026-12-31"):
        await books.post(books.sale(day, "1.00"))
    for day in ("1901-01-01", "2025-12-31", "2027-01-01", "2034-12-31"):
        with pytest.raises(LedgerBeeError) as refused:
            await books.post(books.sale(day, "1.00"))
        assert refused.value.code == "FISCAL_YEAR_MISSING"
    await books.api.run(first)
    await books.post(books.sale("2027-01-01", "1.00"))
    assert await books.api.run(years) == [(1900, 2), (2026, 2), (2027, 1), (2035, 2)]
    result = await books.verify()
    assert result.passed, result.fault
    await database.close()


#: Companies are made by the code of today, which says where their first year ends; the function of then took no end.
_FOUNDING = "open_ledger(text, int, uuid, date, date)"


async def _at(url: str, revision: str) -> None:
    """A database of an earlier release, in which companies can be made."""
    await asyncio.to_thread(_upgrade, lambda: asyncpg.connect(url), revision)
    owner = await asyncpg.connect(url)
    await owner.execute(
        f"CREATE FUNCTION {_FOUNDING} RETURNS void LANGUAGE sql AS 'SELECT open_ledger($1, $2, $3, $4)';"
    )
    await owner.close()


async def _to_head(url: str) -> None:
    owner = await asyncpg.connect(url)
    await owner.execute(f"DROP FUNCTION {_FOUNDING}")
    await owner.close()
    await migrate(url)
