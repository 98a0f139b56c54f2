"""Rows of staged commands, and what applications have booked by day."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.app.mcp.staging.model import PREVIEW_NOT_FOUND, Decision, StagedCommand, StagedCommandId
from ledgerbee.core.paging import Page
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_SELECT: Final = f"SELECT {rows.columns(StagedCommand)} FROM staged_commands WHERE company_id = $1"
_GET: Final = f"{_SELECT} AND id = $2"
_OF_CALL: Final = f"{_SELECT} AND connection_id = $2 AND call_hash = $3 AND replaced_at IS NULL"
_LIST: Final = f"{_SELECT} AND connection_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
_COUNT: Final = "SELECT count(*) FROM staged_commands WHERE company_id = $1 AND connection_id = $2"
_WAITING: Final = (
    f"{_SELECT} AND approval_asked_at IS NOT NULL AND decision IS NULL AND committed_at IS NULL"
    " AND replaced_at IS NULL AND expires_at > $2 AND EXISTS (SELECT FROM connections c WHERE c.company_id = $1"
    " AND c.id = connection_id AND c.revoked_at IS NULL"
    " AND (c.expires_at IS NULL OR c.expires_at > $2)) ORDER BY approval_asked_at, id"
)
_INSERT: Final = f"{rows.insert('staged_commands', StagedCommand)} ON CONFLICT DO NOTHING"
_REPLACE: Final = (
    "UPDATE staged_commands SET replaced_at = $4 WHERE company_id = $1 AND connection_id = $2 AND call_hash = $3"
    " AND replaced_at IS NULL"
)
_COMMIT: Final = "UPDATE staged_commands SET committed_at = $3, result = $4 WHERE company_id = $1 AND id = $2"
_ASK: Final = (
    "UPDATE staged_commands SET approval_asked_at = $3, expires_at = $4 WHERE company_id = $1 AND id = $2"
    " AND approval_asked_at IS NULL AND committed_at IS NULL AND replaced_at IS NULL"
)
_DECIDE: Final = (
    "UPDATE staged_commands SET decision = $3, decided_by = $4, decided_at = $5 WHERE company_id = $1 AND id = $2"
)
_LIMIT: Final = """
SELECT coalesce((
    SELECT min(a.daily_limit) FROM connections a
    WHERE a.company_id = c.company_id AND a.user_id = c.user_id AND a.client_id = c.client_id
      AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > $4)
), c.daily_limit) AS daily_limit, coalesce(p.amount, 0) AS used
FROM connections c LEFT JOIN application_postings p
    ON p.company_id = c.company_id AND p.user_id = c.user_id AND p.client_id = c.client_id AND p.day = $3
WHERE c.company_id = $1 AND c.id = $2
"""
_RAISE: Final = """
INSERT INTO application_postings AS p (company_id, user_id, client_id, day, amount)
SELECT c.company_id, c.user_id, c.client_id, $3, $4 FROM connections c WHERE c.company_id = $1 AND c.id = $2
ON CONFLICT (company_id, user_id, client_id, day) DO UPDATE SET amount = p.amount + excluded.amount RETURNING amount
"""


async def get(context: Context, connection_id: UUID, command_id: UUID) -> StagedCommand:
    """A command of a connection. Raises `PREVIEW_NOT_FOUND`, also for another connection's."""
    command = await get_any(context, command_id)
    if command.connection_id != connection_id:
        raise PREVIEW_NOT_FOUND.error()
    return command


async def get_any(context: Context, command_id: UUID) -> StagedCommand:
    """A command of any connection of the company. Raises `PREVIEW_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, command_id)
    return _command(PREVIEW_NOT_FOUND.unless(row))


async def get_for_update(context: Context, command_id: UUID) -> StagedCommand:
    """As `get_any`, locked until the transaction ends."""
    row = await context.connection.fetchrow(f"{_GET} FOR UPDATE", context.company_id, command_id)
    return _command(PREVIEW_NOT_FOUND.unless(row))


async def of_call(context: Context, connection_id: UUID, call_hash: bytes) -> StagedCommand | None:
    """The command that stands for a call, whatever has become of it."""
    row = await context.connection.fetchrow(_OF_CALL, context.company_id, connection_id, call_hash)
    return _command(row) if row else None


async def list_page(context: Context, connection_id: UUID, limit: int, offset: int) -> Page[StagedCommand]:
    """A connection's commands, newest first."""
    total = await context.connection.fetchval(_COUNT, context.company_id, connection_id)
    found = await context.connection.fetch(_LIST, context.company_id, connection_id, limit, offset)
    return Page([_command(row) for row in found], total)


async def waiting(context: Context) -> list[StagedCommand]:
    """The commands of connections that are alive which wait for a member, those first that have waited longest."""
    return [_command(row) for row in await context.connection.fetch(_WAITING, context.company_id, context.now)]


async def insert(context: Context, command: StagedCommand) -> bool:
    """Add a command; False where its call has another one already."""
    status: str = await context.connection.execute(_INSERT, context.company_id, *rows.values(command))
    return status.endswith("1")


async def replace(context: Context, connection_id: UUID, call_hash: bytes) -> None:
    """Let the command that stands for a call stand for it no longer."""
    await context.connection.execute(_REPLACE, context.company_id, connection_id, call_hash, context.now)


async def set_committed(context: Context, command_id: StagedCommandId, result: str) -> None:
    """A command was carried out in this transaction, with this result."""
    await context.connection.execute(_COMMIT, context.company_id, command_id, context.now, result)


async def ask_for_approval(context: Context, command_id: StagedCommandId, expires_at: datetime) -> None:
    """A command waits for a member until then. One that does so already waits on."""
    await context.connection.execute(_ASK, context.company_id, command_id, context.now, expires_at)


async def decide(context: Context, command_id: StagedCommandId, decision: Decision, member: UUID) -> None:
    """Note what a member has decided."""
    await context.connection.execute(_DECIDE, context.company_id, command_id, decision, member, context.now)


async def limit_and_use(context: Context, connection_id: UUID, day: date) -> tuple[Decimal, Decimal]:
    """What a connection may book in a day without anybody looking, and what was booked on one, in DKK.

    Both are of all connections of its application for its member: the smallest limit of those that are alive, and what
    all of them have booked, the revoked ones too.
    """
    row = await context.connection.fetchrow(_LIMIT, context.company_id, connection_id, day, context.now)
    assert row is not None, "a connection with a token is there"
    return row["daily_limit"], row["used"]


async def add_booked(context: Context, connection_id: UUID, day: date, amount: Decimal) -> Decimal:
    """Add to what a connection's application has booked for its member on a day, in DKK: the sum.

    Until the transaction ends nobody else adds.
    """
    total: Decimal = await context.connection.fetchval(_RAISE, context.company_id, connection_id, day, amount)
    return total


def _command(row: asyncpg.Record) -> StagedCommand:
    values: dict[str, Any] = {**row, "decision": Decision(row["decision"]) if row["decision"] else None}
    return StagedCommand(**values)
