"""Rows of what members agreed to, and clients that registered themselves."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.identity.authorization.model import (
    MOST_UNUSED_CLIENTS,
    ROTATION_GRACE,
    AuthorizationCode,
    Client,
    RefreshToken,
    Registration,
)
from ledgerbee.identity.connections.model import ConnectionId
from ledgerbee.platform import rows
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context

_SELECT_CODE: Final = f"SELECT {rows.columns(AuthorizationCode)} FROM authorization_codes WHERE company_id = $1"
_INSERT_CODE: Final = rows.insert("authorization_codes", AuthorizationCode)
_SELECT_TOKEN: Final = f"SELECT {rows.columns(RefreshToken)} FROM refresh_tokens WHERE company_id = $1"
_INSERT_TOKEN: Final = rows.insert("refresh_tokens", RefreshToken)
_ROTATE: Final = """
UPDATE refresh_tokens SET rotated_at = coalesce(rotated_at, $4),
    successor = CASE WHEN token_hash = $3 THEN $5::bytea END
WHERE company_id = $1 AND connection_id = $2
  AND (token_hash = $3 OR successor IS NOT NULL AND rotated_at < $4::timestamptz - $6::interval)
"""


async def insert_code(context: Context, code: AuthorizationCode) -> None:
    """Keep what a member agreed to."""
    await context.connection.execute(_INSERT_CODE, context.company_id, *rows.values(code))


async def find_code_for_update(context: Context, code_id: UUID) -> AuthorizationCode | None:
    """What a member agreed to, locked; None where it is forgotten."""
    row = await context.connection.fetchrow(f"{_SELECT_CODE} AND id = $2 FOR UPDATE", context.company_id, code_id)
    return _code(row) if row else None


async def mark_code_used(context: Context, code_id: ConnectionId) -> None:
    """Note that a code was exchanged now."""
    await context.connection.execute(
        "UPDATE authorization_codes SET used_at = $3 WHERE company_id = $1 AND id = $2",
        context.company_id,
        code_id,
        context.now,
    )


async def insert_refresh_token(context: Context, token: RefreshToken) -> None:
    """Add a refresh token."""
    await context.connection.execute(_INSERT_TOKEN, context.company_id, *rows.values(token))


async def find_refresh_token(context: Context, token_hash: bytes) -> RefreshToken | None:
    """A refresh token by its hash. Whoever decides by it holds its connection."""
    row = await context.connection.fetchrow(f"{_SELECT_TOKEN} AND token_hash = $2", context.company_id, token_hash)
    return RefreshToken(**row) if row else None


async def rotate(context: Context, token: RefreshToken, successor: bytes) -> None:
    """Note that a token was exchanged now, with its encrypted successor; those before it lead to theirs no longer."""
    await context.connection.execute(
        _ROTATE, context.company_id, token.connection_id, token.token_hash, context.now, successor, ROTATION_GRACE
    )


async def register(
    connection: Connection, client_id: UUID, wanted: Registration, secret_hash: bytes | None, now: datetime
) -> None:
    """Add a client that registered itself. Needs no company."""
    await connection.execute(
        "SELECT register_client($1, $2, $3, $4, $5, $6)",
        client_id,
        wanted.name,
        list(wanted.redirect_uris),
        secret_hash,
        now,
        MOST_UNUSED_CLIENTS,
    )


async def find_registered(
    connection: Connection, client_id: UUID, shown_hash: bytes | None = None
) -> tuple[Client, bool] | None:
    """A client that registered itself, and whether `shown_hash` is that of its secret. Needs no company."""
    row = await connection.fetchrow("SELECT * FROM find_registered_client($1, $2)", client_id, shown_hash)
    if row is None:
        return None
    client = Client(
        client_id=str(client_id),
        name=row["name"],
        redirect_uris=tuple(row["redirect_uris"]),
        is_confidential=row["is_confidential"],
    )
    return client, row["is_proven"]


async def note_use_of_registered(connection: Connection, client_id: UUID, now: datetime) -> None:
    """Note that a client is used. Needs no company."""
    await connection.execute("SELECT use_registered_client($1, $2)", client_id, now)


def _code(row: asyncpg.Record) -> AuthorizationCode:
    values: dict[str, Any] = {**row, "scopes": tuple(row["scopes"])}
    return AuthorizationCode(**values)
