"""Rows of OAuth clients, and the sliding windows of the two OAuth endpoints."""

from datetime import datetime
from uuid import UUID

import asyncpg

from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.oauth.model import (
    OAUTH_CLIENT_NOT_FOUND,
    RATE_LIMIT_HITS,
    RATE_LIMIT_PERIOD,
    OAuthClient,
    RateLimitWindow,
)

_COLUMNS = "id, name, scopes, ip_allowlist, created_at, revoked_at, expires_at, created_by"


async def list_all(context: Context) -> list[OAuthClient]:
    """All clients, newest first, the revoked ones too."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM oauth_clients WHERE company_id = $1 ORDER BY created_at DESC, id DESC",
        context.company_id,
    )
    return [_client(row) for row in rows]


async def get_for_update(context: Context, client_id: UUID) -> OAuthClient:
    """One client, locked, also a revoked one. Raises `OAUTH_CLIENT_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM oauth_clients WHERE company_id = $1 AND id = $2 FOR UPDATE",
        context.company_id,
        client_id,
    )
    if row is None:
        raise OAUTH_CLIENT_NOT_FOUND.error()
    return _client(row)


async def insert(context: Context, client: OAuthClient) -> None:
    """Add a client."""
    await context.connection.execute(
        f"INSERT INTO oauth_clients (company_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        context.company_id,
        client.id,
        client.name,
        client.scopes,
        client.ip_allowlist,
        client.created_at,
        client.revoked_at,
        client.expires_at,
        client.created_by,
    )


async def update(context: Context, client: OAuthClient) -> None:
    """Write a client's name, scopes and addresses."""
    await context.connection.execute(
        "UPDATE oauth_clients SET name = $3, scopes = $4, ip_allowlist = $5 WHERE company_id = $1 AND id = $2",
        context.company_id,
        client.id,
        client.name,
        client.scopes,
        client.ip_allowlist,
    )


async def mark_revoked(context: Context, client_id: UUID) -> OAuthClient | None:
    """Note that a client was revoked; None if there is no such client, or it was before."""
    row = await context.connection.fetchrow(
        "UPDATE oauth_clients SET revoked_at = $3 WHERE company_id = $1 AND id = $2 AND revoked_at IS NULL"
        f" RETURNING {_COLUMNS}",
        context.company_id,
        client_id,
        context.now,
    )
    return _client(row) if row else None


async def take_hit(connection: Connection, bucket: str, now: datetime) -> RateLimitWindow:
    """Count one call in `bucket` (contract 1.6), the same for every process. Needs no company."""
    row = await connection.fetchrow(
        "SELECT allowed, remaining, resets_at FROM take_rate_limit_hit($1, $2, $3, $4)",
        bucket,
        now,
        RATE_LIMIT_HITS,
        RATE_LIMIT_PERIOD,
    )
    assert row is not None
    return RateLimitWindow(**row)


def _client(row: asyncpg.Record) -> OAuthClient:
    values = dict(row)
    values["scopes"] = tuple(values["scopes"])
    values["ip_allowlist"] = tuple(values["ip_allowlist"])
    return OAuthClient(**values)
