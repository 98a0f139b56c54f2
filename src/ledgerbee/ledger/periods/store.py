"""Rows of financial years, and the lock date, which stands in the row of the company's ledger."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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

_SELECT: Final = """
SELECT f.id, f.start_date, f.end_date, f.last_entry_number, coalesce(f.end_date <= g.locked_through, false) AS is_locked
FROM fiscal_years f JOIN ledgers g ON g.company_id = f.company_id WHERE f.company_id = $1
"""
_LIST: Final = f"{_SELECT} ORDER BY f.start_date"
_GET_MANY: Final = f"{_SELECT} AND f.id = ANY ($2) ORDER BY f.start_date"
_INSERT: Final = "SELECT add_fiscal_year($1, $2, $3, $4)"
_AROUND: Final = "SELECT start_date, end_date FROM fiscal_year_around($1, $2)"
_INSERT_LEDGER: Final = "SELECT open_ledger($1, $2, $3, $4, $5, $6)"
_LEDGER_FOR_UPDATE: Final = "SELECT hold_ledger($1)"
_LOCK_DATE: Final = "SELECT locked_through FROM ledgers WHERE company_id = $1"
_UPDATE_LOCK_DATE: Final = "SELECT set_lock_date($1, $2, $3)"
#: SQLSTATEs of these functions -> the error it stands for, whose details are the DETAIL.
_REFUSALS: Final[Mapping[str, ErrorCode]] = {
    "LB420": LOCK_DATE_MOVES_BACK,
    "LB421": FISCAL_YEAR_OVERLAPS,
    "LB422": FISCAL_YEAR_NOT_ADJACENT,
}


async def list_all(context: Context) -> list[FiscalYear]:
    """The years opened so far, by start."""
    return [FiscalYear(**row) for row in await context.connection.fetch(_LIST, context.company_id)]


async def get_many(context: Context, year_ids: Sequence[UUID]) -> list[FiscalYear]:
    """Those of these years that there are, by start."""
    return [FiscalYear(**row) for row in await context.connection.fetch(_GET_MANY, context.company_id, year_ids)]


async def insert(context: Context, span: Span) -> FiscalYear:
    """Open a year of whole months; locks the ledger. Raises `FISCAL_YEAR_OVERLAPS`, `FISCAL_YEAR_NOT_ADJACENT`."""
    year_id = new_id()
    with _refusing():
        await context.connection.execute(_INSERT, context.company_id, year_id, *span)
    (year,) = await get_many(context, [year_id])
    return year


async def get_span_around(context: Context, day: date) -> Span:
    """The days of the financial year that holds `day`, opened or not. `day` is in 1900..2999."""
    row = await context.connection.fetchrow(_AROUND, context.company_id, day)
    assert row is not None
    return Span(**row)


async def insert_ledger(context: Context, base_currency: str, base_minor_units: int, first_year: Span) -> None:
    """Open the company's books with a first financial year."""
    await context.connection.execute(
        _INSERT_LEDGER, context.company_id, base_currency, base_minor_units, new_id(), *first_year
    )


async def ledger_for_update(context: Context) -> None:
    """Lock the ledger's row: nobody else posts or opens years until the transaction ends."""
    await context.connection.execute(_LEDGER_FOR_UPDATE, context.company_id)


async def get_lock_date(context: Context) -> date | None:
    """The last locked day, None when nothing is locked."""
    day: date | None = await context.connection.fetchval(_LOCK_DATE, context.company_id)
    return day


async def update_lock_date(context: Context, day: date | None, *, reopen: bool) -> date | None:
    """Move the lock date; the answer is what it was. Raises `LOCK_DATE_MOVES_BACK` unless `reopen`."""
    with _refusing():
        before: date | None = await context.connection.fetchval(_UPDATE_LOCK_DATE, context.company_id, day, reopen)
    return before


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as fault:
        refusal = _REFUSALS.get(fault.sqlstate or "")
        if refusal is None:
            raise
        raise refusal.error(**json.loads(fault.detail or "{}")) from None
