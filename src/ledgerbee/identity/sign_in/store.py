"""The functions of the database that people are reached by: no role reads their tables."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ledgerbee.identity.sign_in.model import CompanyOfUser, UserSession
from ledgerbee.identity.users.model import Role
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import to_json
from ledgerbee.platform.credentials.model import secret_hash

#: The scopes of each role, as the database takes them.
_SCOPES: Final = to_json({role.value: sorted(scopes) for role, scopes in SCOPES_OF.items()})


async def find_session(connection: Connection, secret: str, now: datetime) -> UserSession | None:
    """Whose session it is; None for one that nobody has, or that is over. Needs no company."""
    row = await connection.fetchrow("SELECT * FROM find_session($1, $2)", secret_hash(secret), now)
    if row is None:
        return None
    values: dict[str, Any] = dict(row)
    return UserSession(id=values.pop("session_id"), secret=secret, **values)


async def companies_of(connection: Connection, secret: str, now: datetime) -> list[CompanyOfUser]:
    """The companies that a session's user works in."""
    rows = await connection.fetch("SELECT * FROM companies_of_session($1, $2)", secret_hash(secret), now)
    return [CompanyOfUser(**{**row, "role": Role(row["role"])}) for row in rows]


async def open_company(
    connection: Connection, secret: str, company_id: UUID, opening_hash: bytes, now: datetime
) -> bool | None:
    """Let a session into a company by a credential with this hash: whether it is new; None where it may not be."""
    opened: bool | None = await connection.fetchval(
        "SELECT open_company($1, $2, $3, $4::text::jsonb, $5)",
        secret_hash(secret),
        company_id,
        opening_hash,
        _SCOPES,
        now,
    )
    return opened
