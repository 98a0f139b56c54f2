"""The functions of the database that people are reached by: no role reads their tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from ledgerbee.core.ids import new_id
from ledgerbee.identity.sign_in.model import Account, CompanyOfUser, NewPasskey, UserSession
from ledgerbee.identity.users.model import Role, UserId
from ledgerbee.identity.users.passwords import PARAMETERS, PasswordRecord
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context, to_json
from ledgerbee.platform.credentials.model import secret_hash

#: The scopes of each role, as the database takes them.
_SCOPES: Final = to_json({role.value: sorted(scopes) for role, scopes in SCOPES_OF.items()})
_TAKE_HITS: Final = """
SELECT t.allowed, t.resets_at
FROM unnest($1::text[], $2::int[], $3::interval[]) WITH ORDINALITY AS b (name, hits, period, place),
     take_rate_limit_hit(b.name, $4, b.hits, b.period) t
ORDER BY b.place
"""


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


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that may begin: its id, the hash of its cookie, and the browser that it would be in."""

    id: UUID
    secret_hash: bytes
    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """Whose second factor a sign-in waits for, and which ones there are; the secret as it is stored."""

    user_id: UUID
    email: str
    totp_secret: bytes | None
    has_passkeys: bool


@dataclass(frozen=True, slots=True)
class PasskeyToCheck:
    """What the answer to a passkey's challenge is checked with."""

    passkey_id: UUID
    user_id: UUID
    public_key: bytes
    sign_count: int


async def password_parameters(connection: Connection, email: str) -> tuple[bytes, str]:
    """What a password is computed with; of an address that nobody has, what looks the same."""
    row = await connection.fetchrow("SELECT * FROM password_parameters($1, $2)", email, PARAMETERS)
    assert row is not None
    return row["salt"], row["parameters"]


async def begin_sign_in(
    connection: Connection,
    email: str,
    check: bytes,
    session: NewSession,
    step_hash: bytes,
    renewed: PasswordRecord | None,
    now: datetime,
) -> str | None:
    """`signed_in`, or `second_factor` with a step that waits for one; None where address and password don't fit."""
    outcome: str | None = await connection.fetchval(
        "SELECT outcome FROM begin_sign_in($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        email, check, session.id, session.secret_hash, step_hash, session.address, session.user_agent,
        *parts_of(renewed), now,
    )  # fmt: skip
    return outcome


def parts_of(password: PasswordRecord | None) -> tuple[bytes | None, str | None, bytes | None]:
    """What is kept of a password, as the functions take it."""
    return (None, None, None) if password is None else (password.salt, password.parameters, password.check)


async def find_second_factor(connection: Connection, step_hash: bytes, now: datetime) -> SecondFactor | None:
    """What a sign-in waits for; None where the step is over."""
    row = await connection.fetchrow("SELECT * FROM find_second_factor($1, $2)", step_hash, now)
    return SecondFactor(**row) if row else None


async def count_wrong_code(connection: Connection, step_hash: bytes) -> None:
    """Note that a wrong code was shown."""
    await connection.execute("SELECT count_wrong_code($1)", step_hash)


async def finish_sign_in(
    connection: Connection,
    step_hash: bytes,
    proof: tuple[int, bytes] | bytes,
    session: NewSession,
    now: datetime,
) -> bool:
    """Sign in with a second factor: a right code's period and the secret stored anew, or a recovery code."""
    period, renewed = proof if isinstance(proof, tuple) else (None, None)
    recovery = proof if isinstance(proof, bytes) else None
    done: bool = await connection.fetchval(
        "SELECT finish_sign_in($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        step_hash, period, renewed, recovery, session.id, session.secret_hash, session.address, session.user_agent, now,
    )  # fmt: skip
    return done


async def ask_for_passkey(connection: Connection, challenge_hash: bytes, now: datetime) -> None:
    """Keep a challenge for five minutes."""
    await connection.execute("SELECT ask_for_passkey($1, $2)", challenge_hash, now)


async def take_passkey_challenge(
    connection: Connection, challenge_hash: bytes, credential_id: bytes, now: datetime
) -> PasskeyToCheck | None:
    """Use a challenge up; None where it was, or nobody has the passkey."""
    row = await connection.fetchrow(
        "SELECT * FROM take_passkey_challenge($1, $2, $3)", challenge_hash, credential_id, now
    )
    return PasskeyToCheck(**row) if row else None


async def sign_in_by_passkey(
    connection: Connection, passkey_id: UUID, sign_count: int, step_hash: bytes, session: NewSession, now: datetime
) -> bool:
    """Sign in by a passkey whose answer was right."""
    done: bool = await connection.fetchval(
        "SELECT sign_in_by_passkey($1, $2, $3, $4, $5, $6, $7, $8)",
        passkey_id, sign_count, step_hash, session.id, session.secret_hash, session.address, session.user_agent, now,
    )  # fmt: skip
    return done


async def end_session(connection: Connection, secret: str) -> None:
    """End a session, and what it has opened."""
    await connection.execute("SELECT end_session($1)", secret_hash(secret))


async def end_other_sessions(connection: Connection, secret: str, session_id: UUID | None, now: datetime) -> None:
    """End another session of the same user; all others without an id."""
    await connection.execute("SELECT end_other_sessions($1, $2, $3)", secret_hash(secret), session_id, now)


async def get_account(connection: Connection, secret: str, now: datetime) -> Account:
    """What belongs to the account of a session's user."""
    text: str = await connection.fetchval("SELECT account_of_session($1, $2)::text", secret_hash(secret), now)
    return msgspec.json.decode(text, type=Account)


async def change_account(connection: Connection, secret: str, name: str, language: str, now: datetime) -> None:
    """Write the name and the language of a session's user."""
    await connection.execute("SELECT change_account($1, $2, $3, $4)", secret_hash(secret), name, language, now)


async def change_password(
    connection: Connection, secret: str, shown: bytes, password: PasswordRecord, session: NewSession, now: datetime
) -> bool:
    """Set another password, end all that is open, begin a new session; False for a wrong present one."""
    done: bool = await connection.fetchval(
        "SELECT change_password($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        secret_hash(secret), shown, *parts_of(password), session.id, session.secret_hash, session.address,
        session.user_agent, now,
    )  # fmt: skip
    return done


async def set_totp(
    connection: Connection,
    secret: str,
    shown: bytes,
    totp: tuple[bytes, int] | None,
    codes: list[bytes],
    now: datetime,
) -> bool:
    """Ask for one-time passwords from now on (the secret as it is stored, the period just shown), or no more."""
    done: bool = await connection.fetchval(
        "SELECT set_totp($1, $2, $3, $4, $5, $6)", secret_hash(secret), shown, *(totp or (None, None)), codes, now
    )
    return done


async def renew_recovery_codes(
    connection: Connection, secret: str, shown: bytes, codes: list[bytes], now: datetime
) -> bool:
    """Put other recovery codes in place of those that there are."""
    done: bool = await connection.fetchval(
        "SELECT renew_recovery_codes($1, $2, $3, $4)", secret_hash(secret), shown, codes, now
    )
    return done


async def ask_for_new_passkey(
    connection: Connection, secret: str, shown: bytes, challenge_hash: bytes, now: datetime
) -> bool:
    """Keep a challenge for a new passkey; False for a wrong password."""
    done: bool = await connection.fetchval(
        "SELECT ask_for_new_passkey($1, $2, $3, $4)", secret_hash(secret), shown, challenge_hash, now
    )
    return done


async def add_passkey(
    connection: Connection,
    secret: str,
    challenge_hash: bytes,
    passkey: NewPasskey,
    name: str,
    codes: list[bytes],
    now: datetime,
) -> bool:
    """Keep a new passkey that answered a challenge of this user's, once."""
    done: bool = await connection.fetchval(
        "SELECT add_passkey($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        secret_hash(secret), challenge_hash, new_id(), passkey.credential_id, passkey.public_key, passkey.sign_count,
        name, codes, now,
    )  # fmt: skip
    return done


async def remove_passkey(connection: Connection, secret: str, shown: bytes, passkey_id: UUID, now: datetime) -> bool:
    """Forget a passkey of the user's; False for a wrong password."""
    done: bool = await connection.fetchval(
        "SELECT remove_passkey($1, $2, $3, $4)", secret_hash(secret), shown, passkey_id, now
    )
    return done


async def ask_for_reset(connection: Connection, email: str, request_id: str, now: datetime) -> None:
    """Have a link mailed to whoever has an address."""
    await connection.execute("SELECT ask_for_reset($1, $2, $3)", email, request_id, now)


async def add_reset_link(
    connection: Connection, user_id: UUID, link_hash: bytes, now: datetime
) -> tuple[str, str, str] | None:
    """Keep a link to a new password, in place of one from before: address, name, language. Not for the API."""
    row = await connection.fetchrow("SELECT * FROM add_reset_link($1, $2, $3)", user_id, link_hash, now)
    return (row["email"], row["name"], row["language"]) if row else None


async def find_user(connection: Connection, email: str) -> UUID | None:
    """Who has an address. For commands: the API's role may not ask."""
    found: UUID | None = await connection.fetchval("SELECT find_user($1)", email)
    return found


async def is_anybody_there(owner: Connection) -> bool:
    """Whether there is an account. Only the schema's owner may read the table."""
    there: bool = await owner.fetchval("SELECT EXISTS (SELECT FROM users)")
    return there


async def find_reset_link(connection: Connection, link_hash: bytes, now: datetime) -> tuple[str, str] | None:
    """Whose password a link is for: address and language; None where it is over."""
    row = await connection.fetchrow("SELECT * FROM find_reset_link($1, $2)", link_hash, now)
    return (row["email"], row["language"]) if row else None


async def reset_password(connection: Connection, link_hash: bytes, password: PasswordRecord, now: datetime) -> bool:
    """Set a password by a link, once, and end all that is open; False where the link is over."""
    done: bool = await connection.fetchval(
        "SELECT reset_password($1, $2, $3, $4, $5)", link_hash, *parts_of(password), now
    )
    return done


async def add_invited_user(
    context: Context,
    invitation_id: UUID,
    name: str,
    language: str,
    password: PasswordRecord,
    session: NewSession,
) -> UserId | None:
    """The account of whom an open invitation of the company is for, signed in; None where there is one already."""
    made: UserId | None = await context.connection.fetchval(
        "SELECT add_invited_user($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        context.company_id, invitation_id, new_id(), name, language, *parts_of(password), session.id,
        session.secret_hash, session.address, session.user_agent, context.now,
    )  # fmt: skip
    return made


async def take_hits(
    connection: Connection, windows: Sequence[tuple[str, int, timedelta]], now: datetime
) -> datetime | None:
    """Count a try in windows (name, most tries, period); None where all let it through, else when all will again."""
    names, hits, periods = ([window[place] for window in windows] for place in range(3))
    rows = await connection.fetch(_TAKE_HITS, names, hits, periods, now)
    return max((row["resets_at"] for row in rows if not row["allowed"]), default=None)
