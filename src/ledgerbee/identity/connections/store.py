"""Rows of connections."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.identity.connections.model import CONNECTION_NOT_FOUND, AppConnection, ConnectionId, EndReason
from ledgerbee.identity.users.model import MembershipId, Role
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_COLUMNS: Final = rows.columns(AppConnection)
_SELECT: Final = f"SELECT {_COLUMNS} FROM connections WHERE company_id = $1"
_INSERT: Final = rows.insert("connections", AppConnection)
_USE: Final = (
    "UPDATE connections SET last_used_at = $3 WHERE company_id = $1 AND id = $2"
    " AND (last_used_at IS NULL OR last_used_at < $3::timestamptz - $4::interval)"
)
#: The index `events_of_connection` has them in this order.
_DEEDS: Final = """
SELECT id, type, object_id, occurred_at, coalesce(data ->> 'number', data ->> 'name', data ->> 'title') AS called
FROM events WHERE company_id = $1 AND credential_id = $2 AND actor LIKE 'user:%'
ORDER BY occurred_at DESC, id DESC LIMIT $3
"""
_BOOKED: Final = """
SELECT e.credential_id, sum((l.line ->> 'amountInBaseCurrency')::numeric) AS amount
FROM events e CROSS JOIN LATERAL json_array_elements(e.data -> 'lines') l (line)
WHERE e.company_id = $1 AND e.credential_id = ANY ($2::uuid[]) AND e.actor LIKE 'user:%'
  AND e.type = 'journal_entry.posted' AND e.occurred_at >= $3 AND l.line ->> 'side' = 'DEBIT'
GROUP BY e.credential_id
"""
#: A credential of a person lies within what it is of, which is there and not revoked; a session within the role of its
#: membership, a token within its connection and at its address, a code within what was agreed to.
_BEYOND: Final = """
SELECT c.kind, c.subject_id FROM credentials c
LEFT JOIN LATERAL (
    SELECT ARRAY(SELECT json_array_elements_text($2::text::json -> m.role)) AS scopes, m.user_id, NULL::text AS resource
    FROM memberships m WHERE c.kind = 'user_session' AND m.company_id = $1 AND m.id = c.subject_id
    UNION ALL
    SELECT n.scopes, n.user_id, CASE WHEN c.kind = 'user_token' THEN n.resource END
    FROM connections n WHERE c.kind IN ('user_token', 'refresh_token') AND n.company_id = $1 AND n.id = c.subject_id
      AND n.revoked_at IS NULL
    UNION ALL
    SELECT a.scopes, a.user_id, NULL FROM authorization_codes a
    WHERE c.kind = 'authorization_code' AND a.company_id = $1 AND a.id = c.subject_id
) s ON true
WHERE c.company_id = $1 AND c.user_id IS NOT NULL AND (
    s.scopes IS NULL OR NOT c.scopes <@ s.scopes OR c.user_id <> s.user_id
    OR c.resource IS DISTINCT FROM s.resource
    OR c.expires_at IS NULL OR c.expires_at > $3::timestamptz + CASE c.kind
        WHEN 'refresh_token' THEN interval '31 days' WHEN 'authorization_code' THEN interval '1 day'
        ELSE interval '2 days' END)
ORDER BY c.subject_id LIMIT 1
"""


async def insert(context: Context, connection: AppConnection) -> None:
    """Add a connection."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(connection))


async def get(context: Context, connection_id: UUID) -> AppConnection:
    """One connection, also a revoked one. Raises `CONNECTION_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_SELECT} AND id = $2", context.company_id, connection_id)
    return _connection(CONNECTION_NOT_FOUND.unless(row))


async def find_for_update(context: Context, connection_id: UUID) -> AppConnection | None:
    """One connection, locked, also a revoked one; None where there is none."""
    row = await context.connection.fetchrow(f"{_SELECT} AND id = $2 FOR UPDATE", context.company_id, connection_id)
    return _connection(row) if row else None


async def list_all(context: Context) -> list[AppConnection]:
    """All connections, newest first, the revoked ones too."""
    statement = f"{_SELECT} ORDER BY created_at DESC, id DESC"
    return [_connection(row) for row in await context.connection.fetch(statement, context.company_id)]


async def alive_of_user(context: Context, user_id: UUID) -> list[AppConnection]:
    """The connections of a member that are not revoked, locked, in the order of their ids."""
    statement = f"{_SELECT} AND user_id = $2 AND revoked_at IS NULL ORDER BY id FOR UPDATE"
    return [_connection(row) for row in await context.connection.fetch(statement, context.company_id, user_id)]


async def mark_revoked(context: Context, connection_id: ConnectionId, because: EndReason) -> None:
    """Note that it was revoked now, and why."""
    await context.connection.execute(
        "UPDATE connections SET revoked_at = $3, revoked_because = $4 WHERE company_id = $1 AND id = $2",
        context.company_id,
        connection_id,
        context.now,
        because,
    )


async def set_daily_limit(context: Context, connection_id: ConnectionId, daily_limit: Decimal) -> None:
    """Write what may be booked in a day without anybody looking, in DKK."""
    await context.connection.execute(
        "UPDATE connections SET daily_limit = $3 WHERE company_id = $1 AND id = $2",
        context.company_id,
        connection_id,
        daily_limit,
    )


async def set_scopes(context: Context, connection_id: ConnectionId, scopes: Collection[str]) -> None:
    """Write what it may do."""
    await context.connection.execute(
        "UPDATE connections SET scopes = $3 WHERE company_id = $1 AND id = $2",
        context.company_id,
        connection_id,
        list(scopes),
    )


async def extend(context: Context, connection_id: ConnectionId, expires_at: datetime) -> None:
    """Write until when it lasts; it is used now."""
    await context.connection.execute(
        "UPDATE connections SET expires_at = $3, last_used_at = greatest(last_used_at, $4)"
        " WHERE company_id = $1 AND id = $2",
        context.company_id,
        connection_id,
        expires_at,
        context.now,
    )


async def note_use(context: Context, connection_id: UUID, coarseness: timedelta) -> None:
    """Note that it is used now, unless that was noted within the `coarseness`."""
    await context.connection.execute(_USE, context.company_id, connection_id, context.now, coarseness)


async def role_of(context: Context, membership_id: MembershipId) -> Role | None:
    """The role of a member, which stays so until this transaction ends; None where the membership has ended."""
    row = await context.connection.fetchrow(
        "SELECT role FROM memberships WHERE company_id = $1 AND id = $2 FOR SHARE", context.company_id, membership_id
    )
    return Role(row["role"]) if row else None


async def role_of_user(context: Context, user_id: UUID) -> Role | None:
    """The role of a user in the company, within a transaction that holds the membership; None where there is none."""
    role: str | None = await context.connection.fetchval(
        "SELECT role FROM memberships WHERE company_id = $1 AND user_id = $2", context.company_id, user_id
    )
    return Role(role) if role else None


async def role_behind(context: Context, connection_id: UUID) -> Role | None:
    """As `role_of`, of the member whose connection it is."""
    row = await context.connection.fetchrow(
        "SELECT m.role FROM connections c JOIN memberships m ON m.company_id = c.company_id AND m.id = c.membership_id"
        " WHERE c.company_id = $1 AND c.id = $2 FOR SHARE OF m",
        context.company_id,
        connection_id,
    )
    return Role(row["role"]) if row else None


async def deeds_of(context: Context, connection_id: ConnectionId, most: int) -> list[Mapping[str, Any]]:
    """The last events that it brought about, newest first: `id`, `type`, `object_id`, `occurred_at`, `called`."""
    return [dict(row) for row in await context.connection.fetch(_DEEDS, context.company_id, connection_id, most)]


async def booked_since(context: Context, connection_ids: Sequence[UUID], since: datetime) -> dict[UUID, Decimal]:
    """What connections have posted since a moment (aware UTC): the debit of their entries, in the base currency."""
    found = await context.connection.fetch(_BOOKED, context.company_id, list(connection_ids), since)
    return {row["credential_id"]: row["amount"] for row in found}


async def credential_beyond(context: Context, scopes_of: Mapping[Role, Collection[str]]) -> tuple[str, UUID] | None:
    """Kind and subject of the first credential of a person that may do more than what it is of; None: none.

    `scopes_of` are those of the roles.
    """
    roles = json.dumps({str(role): sorted(scopes) for role, scopes in scopes_of.items()})
    row = await context.connection.fetchrow(_BEYOND, context.company_id, roles, context.now)
    return (row["kind"], row["subject_id"]) if row else None


def _connection(row: asyncpg.Record) -> AppConnection:
    because = row["revoked_because"]
    values: dict[str, Any] = {**row, "scopes": tuple(row["scopes"])}
    return AppConnection(**{**values, "revoked_because": EndReason(because) if because else None})
