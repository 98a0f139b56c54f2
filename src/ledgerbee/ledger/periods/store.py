"""Financial years and the lock date in the database."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.periods.model import (
    FISCAL_YEAR_NOT_ADJACENT,
    FISCAL_YEAR_OVERLAPS,
    LOCK_DATE_MOVES_BACK,
    FiscalYear,
    Span,
)
from ledgerbee.platform.context import Context

_YEARS: Final = """
SELECT f.id, f.start_date, f.end_date, f.last_entry_number, coalesce(f.end_date <= g.locked_through, false) AS is_locked
FROM fiscal_years f JOIN ledgers g ON g.company_id = f.company_id WHERE f.company_id = $1
"""
#: SQLSTATEs of sql/0016_financial_years.sql.
_FAULTS: Final[Mapping[str, ErrorCode]] = {"LB421": FISCAL_YEAR_OVERLAPS, "LB422": FISCAL_YEAR_NOT_ADJACENT}


async def open_ledger(context: Context, base_currency: str, base_minor_units: int, first_year: Span) -> None:
    """Open the company's books with a first financial year."""
    await context.connection.execute(
        "SELECT open_ledger($1, $2, $3, $4, $5)", base_currency, base_minor_units, new_id(), *first_year
    )


async def list_fiscal_years(context: Context) -> list[FiscalYear]:
    """The years opened so far, by start."""
    rows = await context.connection.fetch(f"{_YEARS} ORDER BY f.start_date", context.company_id)
    return [FiscalYear(**row) for row in rows]


async def fiscal_years_of(context: Context, year_ids: Sequence[UUID]) -> list[FiscalYear]:
    """Those of these years that there are, by start."""
    rows = await context.connection.fetch(
        f"{_YEARS} AND f.id = ANY ($2) ORDER BY f.start_date", context.company_id, year_ids
    )
    return [FiscalYear(**row) for row in rows]


async def hold_ledger(context: Context) -> None:
    """Keep others from posting and from opening years until COMMIT."""
    await context.connection.execute("SELECT hold_ledger()")


async def add_fiscal_year(context: Context, year: Span) -> FiscalYear:
    """Open a year of whole months; holds the ledger. Raises `FISCAL_YEAR_OVERLAPS`, `FISCAL_YEAR_NOT_ADJACENT`."""
    year_id = new_id()
    try:
        await context.connection.execute("SELECT add_fiscal_year($1, $2, $3)", year_id, *year)
    except asyncpg.PostgresError as fault:
        if (code := _FAULTS.get(fault.sqlstate or "")) is not None:
            raise code.error(**json.loads(fault.detail or "{}")) from None
        raise
    (opened,) = await fiscal_years_of(context, [year_id])
    return opened


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
