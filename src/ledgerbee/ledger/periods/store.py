"""Financial years and the lock date in the database."""

import json
from datetime import date

import asyncpg

from ledgerbee.core.ids import new_id
from ledgerbee.ledger.periods.model import LOCK_DATE_MOVES_BACK, FiscalYear
from ledgerbee.platform.context import Context


async def open_ledger(context: Context, base_currency: str, base_minor_units: int, year_start: date) -> None:
    """Open the company's books with a first financial year of twelve months."""
    await context.connection.execute(
        "SELECT open_ledger($1, $2, $3, $4)", base_currency, base_minor_units, new_id(), year_start
    )


async def list_fiscal_years(context: Context) -> list[FiscalYear]:
    """The years opened so far, by start."""
    rows = await context.connection.fetch(
        "SELECT f.id, f.start_date, f.end_date, f.last_entry_number,"
        " coalesce(f.end_date <= g.locked_through, false) AS is_locked"
        " FROM fiscal_years f JOIN ledgers g ON g.company_id = f.company_id"
        " WHERE f.company_id = $1 ORDER BY f.start_date",
        context.company_id,
    )
    return [FiscalYear(**row) for row in rows]


async def fiscal_year_around(context: Context, day: date) -> tuple[date, date]:
    """First and last day of the financial year that holds `day`, opened or not. `day` is in 1900..2999."""
    row = await context.connection.fetchrow("SELECT * FROM fiscal_year_around($1, $2)", context.company_id, day)
    assert row is not None
    return row["start_date"], row["end_date"]


async def get_lock_date(context: Context) -> date | None:
    """The last locked day, None when nothing is locked."""
    day: date | None = await context.connection.fetchval(
        "SELECT locked_through FROM ledgers WHERE company_id = $1", context.company_id
    )
    return day


async def set_lock_date(context: Context, day: date | None, *, reopen: bool) -> date | None:
    """Move the lock date, answering with what it was. Raises `LOCK_DATE_MOVES_BACK` unless `reopen`."""
    try:
        before: date | None = await context.connection.fetchval("SELECT set_lock_date($1, $2)", day, reopen)
    except asyncpg.PostgresError as fault:
        if fault.sqlstate == "LB420":
            raise LOCK_DATE_MOVES_BACK.error(**json.loads(fault.detail or "{}")) from None
        raise
    return before
