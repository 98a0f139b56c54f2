"""Credential rows: resolve a secret, add, change and revoke credentials."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import Grant, Principal
from ledgerbee.platform.db import CredentialRevokedError


async def resolve(connection: Connection, secret_hash: bytes, cell: str) -> Principal | None:
    """The principal behind a secret's hash; None for a secret nobody has in this `cell`. Needs no company."""
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
        cell=cell,
        is_sandbox=row["is_sandbox"],
        clock_offset=row["clock_offset_days"],
        user_id=row["user_id"],
        resource=row["resource"],
    )


async def add(
    context: Context,
    *,
    secret_hash: bytes,
    kind: str,
    subject_id: UUID,
    grant: Grant,
    made_by: UUID | None = None,
    user_id: UUID | None = None,
    resource: str | None = None,
) -> None:
    """Let a new secret in. `kind` is one that the table knows (`credentials_kind_check`).

    `made_by` is the key or client of the same company that was shown for it; `user_id` and `resource` as in
    `Principal`.
    """
    await context.connection.execute(
        "INSERT INTO credentials (secret_hash, company_id, kind, subject_id, scopes, ip_allowlist, expires_at, made_by,"
        " user_id, resource) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        secret_hash,
        context.company_id,
        kind,
        subject_id,
        grant.scopes,
        grant.ip_allowlist,
        grant.expires_at,
        made_by,
        user_id,
        resource,
    )


async def hold(context: Context, subject_id: UUID) -> Grant:
    """What a key or client may do and give away, unchangeable by others until this transaction ends.

    Of an access token it is what its client may: the token is gone within the hour, and what it makes stays while the
    client does. Raises `CredentialRevokedError` once it is revoked.
    """
    row = await context.connection.fetchrow(
        "SELECT scopes, ip_allowlist, expires_at FROM credentials"
        " WHERE company_id = $1 AND subject_id = $2 AND kind <> 'oauth_token' FOR SHARE",
        context.company_id,
        subject_id,
    )
    if row is None:
        raise CredentialRevokedError
    return _grant(row)


async def maker_of(context: Context, subject_id: UUID) -> UUID | None:
    """The key or client that made this one, None for the operator's."""
    maker: UUID | None = await context.connection.fetchval(
        "SELECT made_by FROM credentials WHERE company_id = $1 AND subject_id = $2 AND kind <> 'oauth_token'",
        context.company_id,
        subject_id,
    )
    return maker


async def made_by(context: Context, subject_id: UUID) -> dict[UUID, Grant]:
    """The keys and clients that this one made, by id, with what each may do."""
    rows = await context.connection.fetch(
        "SELECT subject_id, scopes, ip_allowlist, expires_at FROM credentials WHERE company_id = $1 AND made_by = $2",
        context.company_id,
        subject_id,
    )
    return {row["subject_id"]: _grant(row) for row in rows}


async def change(context: Context, subject_id: UUID, grant: Grant) -> None:
    """Give a subject's credential other scopes and addresses; tokens made from it end, all at once."""
    await context.connection.execute(
        "UPDATE credentials SET scopes = $3, ip_allowlist = $4, version = version + 1"
        " WHERE company_id = $1 AND subject_id = $2 AND kind <> 'oauth_token'",
        context.company_id,
        subject_id,
        grant.scopes,
        grant.ip_allowlist,
    )
    await _end_tokens(context, subject_id)


async def narrow(context: Context, subject_id: UUID, scopes: Sequence[str]) -> None:
    """Leave all credentials of a connection, or of a member's sessions, those scopes that are among these, at once."""
    await context.connection.execute(
        "UPDATE credentials SET version = version + 1,"
        " scopes = ARRAY(SELECT s FROM unnest(scopes) s WHERE s = ANY ($3::text[]))"
        " WHERE company_id = $1 AND subject_id = $2 AND NOT scopes <@ $3::text[]",
        context.company_id,
        subject_id,
        list(scopes),
    )


async def revoke(context: Context, subject_id: UUID) -> None:
    """Shut out every secret of a subject (an API key; an OAuth client with all its tokens), at once."""
    await context.connection.execute(
        "DELETE FROM credentials WHERE company_id = $1 AND subject_id = $2 AND kind <> 'oauth_token'",
        context.company_id,
        subject_id,
    )
    await _end_tokens(context, subject_id)


async def revoke_token(context: Context, subject_id: UUID, secret_hash: bytes) -> None:
    """Shut out one access token of an OAuth client or a connection; another's, or an unknown one, stays as it is."""
    await context.connection.execute("SELECT revoke_token($1, $2, $3)", context.company_id, subject_id, secret_hash)


def _grant(row: asyncpg.Record) -> Grant:
    return Grant(tuple(row["scopes"]), tuple(row["ip_allowlist"]), row["expires_at"])


async def _end_tokens(context: Context, subject_id: UUID) -> None:
    # A statement of its own, after the one that waited for tokens being issued (`hold`): it sees them too.
    await context.connection.execute(
        "DELETE FROM credentials WHERE company_id = $1 AND subject_id = $2 AND kind = 'oauth_token'",
        context.company_id,
        subject_id,
    )


async def refresh_company(context: Context) -> None:
    """Make every process forget what it knew of this company: what a `Principal` says of it, or knows.

    Links of quotes, of which a company has thousands, are looked up for each request, and so are codes and refresh
    tokens of applications: nobody remembers them.
    """
    await context.connection.execute(
        "UPDATE credentials SET version = version + 1 WHERE company_id = $1"
        " AND kind NOT IN ('quote_link', 'authorization_code', 'refresh_token')",
        context.company_id,
    )
