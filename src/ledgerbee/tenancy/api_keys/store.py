"""Rows of API keys."""

from uuid import UUID

import asyncpg

from ledgerbee.platform.context import Context
from ledgerbee.tenancy.api_keys.model import API_KEY_NOT_FOUND, ApiKey

_COLUMNS = "id, name, prefix, scopes, ip_allowlist, expires_at, created_at, revoked_at, created_by"


async def insert(context: Context, key: ApiKey) -> None:
    """Add a key."""
    await context.connection.execute(
        f"INSERT INTO api_keys (company_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        context.company_id,
        key.id,
        key.name,
        key.prefix,
        key.scopes,
        key.ip_allowlist,
        key.expires_at,
        key.created_at,
        key.revoked_at,
        key.created_by,
    )


async def list_all(context: Context) -> list[ApiKey]:
    """All keys, newest first, the revoked ones too."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM api_keys WHERE company_id = $1 ORDER BY created_at DESC, id DESC", context.company_id
    )
    return [_key(row) for row in rows]


async def get_for_update(context: Context, key_id: UUID) -> ApiKey:
    """One key, locked. Raises `API_KEY_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM api_keys WHERE company_id = $1 AND id = $2 FOR UPDATE", context.company_id, key_id
    )
    if row is None:
        raise API_KEY_NOT_FOUND.error()
    return _key(row)


async def mark_revoked(context: Context, key_id: UUID) -> ApiKey | None:
    """Note that a key was revoked; None if there is no such key, or it was before."""
    row = await context.connection.fetchrow(
        f"UPDATE api_keys SET revoked_at = $3 WHERE company_id = $1 AND id = $2 AND revoked_at IS NULL"
        f" RETURNING {_COLUMNS}",
        context.company_id,
        key_id,
        context.now,
    )
    return _key(row) if row else None


def _key(row: asyncpg.Record) -> ApiKey:
    values = dict(row)
    values["scopes"] = tuple(values["scopes"])
    values["ip_allowlist"] = tuple(values["ip_allowlist"])
    return ApiKey(**values)
