"""Rows of memberships and invitations; of people, only what the database's functions tell."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.identity.users.model import (
    INVITATION,
    INVITATION_ALREADY_EXISTS,
    INVITATION_NOT_FOUND,
    USER_NOT_FOUND,
    Invitation,
    InvitationId,
    Member,
    Membership,
    Role,
    UserId,
)
from ledgerbee.identity.users.passwords import PasswordRecord
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_COLUMNS: Final = rows.columns(Membership)
_SELECT: Final = f"SELECT {_COLUMNS} FROM memberships WHERE company_id = $1"
_INSERT: Final = (
    "INSERT INTO memberships (company_id, id, user_id, role, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)"
    " ON CONFLICT (company_id, user_id) DO NOTHING"
)
_INVITATION: Final = f"SELECT {rows.columns(Invitation)} FROM invitations WHERE company_id = $1"
_INSERT_INVITATION: Final = rows.insert("invitations", Invitation)


async def list_members(context: Context) -> list[Member]:
    """Who works in the company, in the order in which they came."""
    found = await context.connection.fetch("SELECT * FROM members_of($1)", context.company_id)
    return [_member(row) for row in found]


async def get_member(context: Context, user_id: UserId) -> Member:
    """One of them. Raises `USER_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        "SELECT * FROM members_of($1) WHERE user_id = $2", context.company_id, user_id
    )
    return _member(USER_NOT_FOUND.unless(row))


async def hold_memberships(context: Context) -> list[Membership]:
    """All memberships of the company, unchangeable by others until this transaction ends."""
    held = await context.connection.fetch(f"{_SELECT} ORDER BY id FOR UPDATE", context.company_id)
    return [_membership(row) for row in held]


async def insert(context: Context, membership: Membership) -> bool:
    """Add a membership; False where the user has one already."""
    done = await context.connection.execute(
        _INSERT, context.company_id, membership.id, membership.user_id, membership.role, membership.created_at
    )
    return done == "INSERT 0 1"


async def change_role(context: Context, user_id: UserId, role: Role) -> None:
    """Give a member another role; what the member has opened in the company ends.

    What applications fetch their next token with stays: that is of the new role, as each is.
    """
    await context.connection.execute(
        "UPDATE memberships SET role = $3, updated_at = $4 WHERE company_id = $1 AND user_id = $2",
        context.company_id,
        user_id,
        role,
        context.now,
    )
    await _end_credentials(context, user_id, but=("authorization_code", "refresh_token"))


async def delete(context: Context, user_id: UserId) -> None:
    """Remove a member; what the member has opened in the company ends."""
    await context.connection.execute(
        "DELETE FROM memberships WHERE company_id = $1 AND user_id = $2", context.company_id, user_id
    )
    await _end_credentials(context, user_id)


async def _end_credentials(context: Context, user_id: UserId, but: Sequence[str] = ()) -> None:
    # A statement of its own, behind the one that waited for whoever was letting a session in: it sees that one too.
    await context.connection.execute(
        "DELETE FROM credentials WHERE company_id = $1 AND user_id = $2 AND kind <> ALL ($3::text[])",
        context.company_id,
        user_id,
        list(but),
    )


async def list_invitations(context: Context) -> list[Invitation]:
    """All invitations to the company, newest first."""
    found = await context.connection.fetch(f"{_INVITATION} ORDER BY created_at DESC, id DESC", context.company_id)
    return [_invitation(row) for row in found]


async def get_invitation(context: Context, invitation_id: UUID) -> Invitation:
    """One invitation. Raises `INVITATION_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_INVITATION} AND id = $2", context.company_id, invitation_id)
    return _invitation(INVITATION_NOT_FOUND.unless(row))


async def get_invitation_for_update(context: Context, invitation_id: UUID) -> Invitation:
    """One invitation, locked. Raises `INVITATION_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_INVITATION} AND id = $2 FOR UPDATE", context.company_id, invitation_id)
    return _invitation(INVITATION_NOT_FOUND.unless(row))


async def insert_invitation(context: Context, invitation: Invitation) -> None:
    """Add an invitation, in place of one for the address that is over. Raises `INVITATION_ALREADY_EXISTS`."""
    await context.connection.execute(
        "UPDATE invitations SET revoked_at = expires_at WHERE company_id = $1 AND email = $2 AND accepted_at IS NULL"
        " AND revoked_at IS NULL AND expires_at <= $3",
        context.company_id,
        invitation.email,
        context.now,
    )
    taken = INVITATION_ALREADY_EXISTS.taken("email", invitation.email)
    with rows.refusing({"invitations_open": taken}):
        await context.connection.execute(_INSERT_INVITATION, context.company_id, *rows.values(invitation))


async def end_invitation(context: Context, invitation_id: InvitationId, *, accepted: bool) -> None:
    """Note that an invitation was accepted, or revoked; its link leads nowhere from now on."""
    column = "accepted_at" if accepted else "revoked_at"
    await context.connection.execute(
        f"UPDATE invitations SET {column} = $3 WHERE company_id = $1 AND id = $2",
        context.company_id,
        invitation_id,
        context.now,
    )
    await end_link(context, invitation_id)


async def end_link(context: Context, invitation_id: InvitationId) -> None:
    """End the link of an invitation, if it has one."""
    await context.connection.execute(
        "DELETE FROM credentials WHERE company_id = $1 AND subject_id = $2 AND kind = $3",
        context.company_id,
        invitation_id,
        INVITATION,
    )


async def is_invited_known(context: Context, invitation_id: InvitationId) -> bool:
    """Whether whom an open invitation is for has an account."""
    known: bool = await context.connection.fetchval(
        "SELECT is_invited_known($1, $2)", context.company_id, invitation_id
    )
    return known


async def add_user(
    context: Context, user_id: UserId, email: str, name: str, language: str, password: PasswordRecord | None
) -> UserId:
    """The account with an address, made where there is none. For commands: the API's role may not."""
    found: UserId = await context.connection.fetchval(
        "SELECT add_user($1, $2, $3, $4, $5, $6, $7, $8)",
        email, user_id, name, language, *_parts(password), context.now,
    )  # fmt: skip
    return found


def _parts(password: PasswordRecord | None) -> tuple[bytes | None, str | None, bytes | None]:
    return (None, None, None) if password is None else (password.salt, password.parameters, password.check)


def _membership(row: asyncpg.Record) -> Membership:
    values: dict[str, Any] = {**row, "role": Role(row["role"])}
    return Membership(**values)


def _member(row: asyncpg.Record) -> Member:
    values: dict[str, Any] = {**row, "role": Role(row["role"])}
    return Member(**values)


def _invitation(row: asyncpg.Record) -> Invitation:
    values: dict[str, Any] = {**row, "role": Role(row["role"])}
    return Invitation(**values)
