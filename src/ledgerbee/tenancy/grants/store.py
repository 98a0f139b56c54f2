"""Rows of API keys and OAuth clients."""

from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg

from ledgerbee.core.errors import ErrorCode
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.grants.model import (
    API_KEY_NOT_FOUND,
    OAUTH_CLIENT_NOT_FOUND,
    ApiKey,
    OAuthClient,
    Subject,
)

S = TypeVar("S", bound=Subject)

_TABLES: Final[dict[type[Any], str]] = {ApiKey: "api_keys", OAuthClient: "oauth_clients"}
_NOT_FOUND: Final[dict[type[Any], ErrorCode]] = {ApiKey: API_KEY_NOT_FOUND, OAuthClient: OAUTH_CLIENT_NOT_FOUND}
_SELECT: Final = {
    kind: f"SELECT {rows.columns(kind)} FROM {table} WHERE company_id = $1" for kind, table in _TABLES.items()
}
_INSERT: Final = {kind: rows.insert(table, kind) for kind, table in _TABLES.items()}
#: The application's role may change no other columns.
_UPDATE: Final = "UPDATE oauth_clients SET name = $3, scopes = $4, ip_allowlist = $5 WHERE company_id = $1 AND id = $2"
_MARK_REVOKED: Final = {
    kind: f"UPDATE {table} SET revoked_at = $3 WHERE company_id = $1 AND id = $2 AND revoked_at IS NULL"
    f" RETURNING {rows.columns(kind)}"
    for kind, table in _TABLES.items()
}
#: A credential is of a key or client that stands in the company's list and was not revoked, and may do no more than it,
#: nor longer; a token an hour at most. That of a quote's link stands for nothing but its page, that of a payment
#: provider's callbacks, or of a page of the sandbox provider, for nothing but them, that of an invitation for accepting
#: it. Those of members and of their
#: applications are looked at where these are kept (`identity`).
_BEYOND_SUBJECT: Final = """
SELECT c.kind, c.subject_id FROM credentials c
LEFT JOIN LATERAL (
    SELECT k.scopes, k.expires_at FROM api_keys k
    WHERE c.kind = 'api_key' AND k.company_id = $1 AND k.id = c.subject_id AND k.revoked_at IS NULL
    UNION ALL
    SELECT o.scopes, o.expires_at FROM oauth_clients o
    WHERE c.kind IN ('oauth_client', 'oauth_token') AND o.company_id = $1 AND o.id = c.subject_id
      AND o.revoked_at IS NULL
    UNION ALL
    SELECT '{}', NULL FROM quote_links q WHERE c.kind = 'quote_link' AND q.company_id = $1 AND q.id = c.subject_id
    UNION ALL
    SELECT '{}', NULL FROM payment_providers p
    WHERE c.kind = 'provider_callback' AND p.company_id = $1 AND p.id = c.subject_id
    UNION ALL
    SELECT '{}', i.expires_at FROM invitations i
    WHERE c.kind = 'invitation' AND i.company_id = $1 AND i.id = c.subject_id AND i.accepted_at IS NULL
      AND i.revoked_at IS NULL
    UNION ALL
    SELECT '{}', s.created_at + interval '1 day' FROM sandbox_cards s
    WHERE c.kind = 'sandbox_page' AND s.company_id = $1 AND s.id = c.subject_id
    UNION ALL
    SELECT '{}', s.created_at + interval '1 day' FROM sandbox_charges s
    WHERE c.kind = 'sandbox_page' AND s.company_id = $1 AND s.id = c.subject_id
) s ON true
WHERE c.company_id = $1 AND c.user_id IS NULL AND (s.scopes IS NULL OR NOT c.scopes <@ s.scopes
    OR coalesce(c.expires_at, 'infinity') > coalesce(
        s.expires_at, CASE WHEN c.kind = 'oauth_token' THEN $2::timestamptz + interval '1 day' ELSE 'infinity' END))
ORDER BY c.subject_id LIMIT 1
"""


async def list_all(context: Context, kind: type[S]) -> list[S]:
    """All keys or clients, newest first, the revoked ones too."""
    statement = f"{_SELECT[kind]} ORDER BY created_at DESC, id DESC"
    return [_subject(kind, row) for row in await context.connection.fetch(statement, context.company_id)]


async def get_for_update(context: Context, kind: type[S], subject_id: UUID) -> S:
    """One key or client, locked, also a revoked one. Raises `API_KEY_NOT_FOUND` or `OAUTH_CLIENT_NOT_FOUND`."""
    statement = f"{_SELECT[kind]} AND id = $2 FOR UPDATE"
    row = await context.connection.fetchrow(statement, context.company_id, subject_id)
    return _subject(kind, _NOT_FOUND[kind].unless(row))


async def insert(context: Context, subject: ApiKey | OAuthClient) -> None:
    """Add a key or client."""
    await context.connection.execute(_INSERT[type(subject)], context.company_id, *rows.values(subject))


async def update(context: Context, client: OAuthClient) -> None:
    """Write a client's name, scopes and addresses."""
    await context.connection.execute(
        _UPDATE, context.company_id, client.id, client.name, client.scopes, client.ip_allowlist
    )


async def mark_revoked(context: Context, kind: type[S], subject_id: UUID) -> S | None:
    """Note that a key or client was revoked; None if there is none of the kind, or it was before."""
    row = await context.connection.fetchrow(_MARK_REVOKED[kind], context.company_id, subject_id, context.now)
    return _subject(kind, row) if row else None


async def credential_beyond_subject(context: Context) -> tuple[str, UUID] | None:
    """Kind and subject of the first credential that may do more than its key or client, or that has none."""
    row = await context.connection.fetchrow(_BEYOND_SUBJECT, context.company_id, context.now)
    return (row["kind"], row["subject_id"]) if row else None


def _subject(kind: type[S], row: asyncpg.Record) -> S:
    values = dict(row)
    values["scopes"] = tuple(values["scopes"])
    values["ip_allowlist"] = tuple(values["ip_allowlist"])
    return kind(**values)
