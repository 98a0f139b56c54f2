"""Credential rows: resolve a secret, add, change and revoke credentials."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ledgerbee.platform.caller import Principal
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Connection


async def resolve(connection: Connection, secret_hash: bytes) -> Principal | None:
    """The principal behind a secret's hash; None for a secret nobody has. Needs no company."""
    row = await connection.fetchrow("SELECT * FROM resolve_credential($1)", secret_hash)
    if row is None:
        return None
    return Principal(
        company_id=row["company_id"],
        kind=row["kind"],
        subject_id=row["subject_id"],
        scopes=frozenset(row["scopes"]),
        ip_allowlist=tuple(row["ip_allowlist"]),
        expires_at=row["expires_at"],
        licenses=frozenset(row["licenses"]),
        time_zone=row["time_zone"],
        secret_hash=secret_hash,
        version=row["version"],
    )


async def add(
    context: Context,
    *,
    secret_hash: bytes,
    kind: str,
    subject_id: UUID,
    scopes: Sequence[str],
    ip_allowlist: Sequence[str],
    expires_at: datetime | None,
) -> None:
    """Let a new secret in. `kind` is `api_key`, `oauth_client` or `oauth_token`."""
    await context.connection.execute(
        "INSERT INTO credentials (secret_hash, company_id, kind, subject_id, scopes, ip_allowlist, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        secret_hash,
        context.company_id,
        kind,
        subject_id,
        scopes,
        ip_allowlist,
        expires_at,
    )


async def revoke(context: Context, subject_id: UUID, *, kind: str | None = None) -> None:
    """Shut out every secret of a subject (an API key; an OAuth client with all its tokens), at once."""
    await context.connection.execute(
        "DELETE FROM credentials WHERE company_id = $1 AND subject_id = $2 AND ($3::text IS NULL OR kind = $3)",
        context.company_id,
        subject_id,
        kind,
    )


async def refresh_company(context: Context) -> None:
    """Make every process forget what it knew of this company's credentials (licences or time zone changed)."""
    await context.connection.execute(
        "UPDATE credentials SET version = version + 1 WHERE company_id = $1", context.company_id
    )
