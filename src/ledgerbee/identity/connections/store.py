"""Rows of connections."""

from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.identity.connections.model import CONNECTION_NOT_FOUND, AppConnection
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_COLUMNS: Final = rows.columns(AppConnection)
_SELECT: Final = f"SELECT {_COLUMNS} FROM connections WHERE company_id = $1"
_INSERT: Final = rows.insert("connections", AppConnection)


async def insert(context: Context, connection: AppConnection) -> None:
    """Add a connection."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(connection))


async def get(context: Context, connection_id: UUID) -> AppConnection:
    """One connection, also a revoked one. Raises `CONNECTION_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_SELECT} AND id = $2", context.company_id, connection_id)
    return _connection(CONNECTION_NOT_FOUND.unless(row))


def _connection(row: asyncpg.Record) -> AppConnection:
    values: dict[str, Any] = {**row, "scopes": tuple(row["scopes"])}
    return AppConnection(**values)
