"""Rows of test clocks and of days whose tasks were begun; and the company's day itself."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from ledgerbee.core.dates import day_in
from ledgerbee.core.fields import names_of
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.clocks.model import TEST_CLOCK_UNAVAILABLE, ClockStatus, DailyRun, SandboxClock

#: Days of a company that are remembered.
_KEPT_DAYS: Final = 90

_COLUMNS: Final = ", ".join(names_of(SandboxClock))
_GET: Final = f"SELECT {_COLUMNS} FROM test_clocks WHERE company_id = $1"
_UPDATE: Final = """
UPDATE test_clocks SET status = $2, started_on = $3, reached = $4, advancing_to = $5, failure = $6 WHERE company_id = $1
"""
_OFFSET: Final = "SELECT clock_offset_days FROM companies WHERE company_id = $1"
#: The day never moves back, though a real one may have passed meanwhile.
_MOVE: Final = """
UPDATE companies SET clock_offset_days = greatest(clock_offset_days, $2) WHERE company_id = $1
"""
_HOUR: Final = "SELECT daily_hour FROM companies WHERE company_id = $1"
_BEGIN_DAY: Final = """
INSERT INTO daily_runs (company_id, day, started_at) VALUES ($1, $2, $3) ON CONFLICT (company_id, day) DO NOTHING
RETURNING day
"""
_GET_DAY: Final = """
SELECT day, finished_at IS NOT NULL AS is_finished, failure FROM daily_runs WHERE company_id = $1 AND day = $2
"""
_FINISH_DAY: Final = "UPDATE daily_runs SET finished_at = $3, failure = NULL WHERE company_id = $1 AND day = $2"
_FAIL_DAY: Final = """
UPDATE daily_runs SET failure = $3 WHERE company_id = $1 AND day = $2 AND finished_at IS NULL
"""
_FORGET_DAYS: Final = "DELETE FROM daily_runs WHERE company_id = $1 AND day < $2::date - $3::int"
_DUE: Final = "SELECT company_id FROM due_companies($1, $2) c (company_id)"


async def insert(context: Context) -> None:
    """Give the context's company, a new sandbox, its clock."""
    await context.connection.execute("INSERT INTO test_clocks (company_id) VALUES ($1)", context.company_id)


async def get(context: Context) -> SandboxClock:
    """The company's test clock. Raises `TEST_CLOCK_UNAVAILABLE`."""
    return await _get(context, _GET)


async def get_for_update(context: Context) -> SandboxClock:
    """The same, locked until the transaction ends."""
    return await _get(context, f"{_GET} FOR UPDATE")


async def _get(context: Context, statement: str) -> SandboxClock:
    row = await context.connection.fetchrow(statement, context.company_id)
    if row is None:
        raise TEST_CLOCK_UNAVAILABLE.error(companyId=str(context.company_id))
    return SandboxClock(**{**row, "status": ClockStatus(row["status"])})


async def update(context: Context, clock: SandboxClock) -> None:
    """Write the clock."""
    await context.connection.execute(
        _UPDATE,
        context.company_id,
        clock.status,
        clock.started_on,
        clock.reached,
        clock.advancing_to,
        clock.failure,
    )


async def current_day(context: Context) -> date:
    """The company's day as it is by now: the context's own may be from before it waited for the clock."""
    ahead: int = await context.connection.fetchval(_OFFSET, context.company_id)
    return date.fromordinal(day_in(context.now, context.time_zone).toordinal() + ahead)


async def move_to(context: Context, day: date) -> None:
    """Make a day the company's own, unless it is past it."""
    ahead = (day - day_in(context.now, context.time_zone)).days
    await context.connection.execute(_MOVE, context.company_id, max(ahead, 0))


async def hour(context: Context) -> int:
    """The hour of the company's day at which its tasks are done."""
    found: int = await context.connection.fetchval(_HOUR, context.company_id)
    return found


async def begin_day(context: Context, day: date) -> bool:
    """Claim the tasks of a day: whether nobody did before. Days of long ago are forgotten."""
    claimed = await context.connection.fetchval(_BEGIN_DAY, context.company_id, day, context.now) is not None
    if claimed:
        await context.connection.execute(_FORGET_DAYS, context.company_id, day, _KEPT_DAYS)
    return claimed


async def find_day(context: Context, day: date) -> DailyRun | None:
    """A day whose tasks were begun."""
    row = await context.connection.fetchrow(_GET_DAY, context.company_id, day)
    return DailyRun(**row) if row else None


async def finish_day(context: Context, day: date) -> None:
    """The tasks of a day are done."""
    await context.connection.execute(_FINISH_DAY, context.company_id, day, context.now)


async def fail_day(context: Context, day: date, failure: str) -> None:
    """A try at the tasks of a day failed; of one whose tasks are done nothing is said."""
    await context.connection.execute(_FAIL_DAY, context.company_id, day, failure)


async def due_companies(connection: Connection, moment: datetime, most: int) -> Sequence[UUID]:
    """Companies to be looked at by the moment, at most so many, the longest due first. For the worker."""
    return [row["company_id"] for row in await connection.fetch(_DUE, moment, most)]


async def set_wake(context: Context, moment: datetime) -> None:
    """Say when the company is to be looked at next. For the worker."""
    await context.connection.execute("SELECT set_daily_wake($1, $2)", context.company_id, moment)
