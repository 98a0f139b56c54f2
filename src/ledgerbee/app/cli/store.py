"""Every SQL statement of the command line: what a database server says of itself, its roles and its backups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ledgerbee.platform.connection import Connection

# The server's own word: the driver reads the second part of "15.18" as a patch level.
_VERSION: Final = "SHOW server_version"
_CLOCK: Final = "SELECT clock_timestamp()"
_SETTINGS_OFF: Final = "SELECT name FROM unnest($1::text[]) AS name WHERE current_setting(name) = 'off'"
_DATABASE_NAME: Final = "SELECT quote_ident(current_database())"
_MAY_USE_TEMPORARY_TABLES: Final = """
SELECT bool_or(has_database_privilege(r.oid, current_database(), 'TEMP')) FROM pg_roles r WHERE r.rolname = ANY ($1)
"""
_OTHER_DATABASES: Final = """
SELECT string_agg(quote_ident(d.datname), ', ' ORDER BY d.datname) FROM pg_database d
WHERE d.datallowconn AND d.datname <> current_database()
  AND EXISTS (SELECT FROM pg_roles r
              WHERE r.rolname = ANY ($1) AND has_database_privilege(r.oid, d.oid, 'CONNECT'))
"""
_ROLE_SETTINGS: Final = """
SELECT r.rolname, array_to_string(s.setconfig, ', ') FROM pg_db_role_setting s
JOIN pg_roles r ON r.oid = s.setrole
WHERE r.rolname = ANY ($1)
  AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
"""
_HAS_REVISION: Final = "SELECT to_regclass('alembic_version') IS NOT NULL"
_REVISION: Final = "SELECT version_num FROM alembic_version"
_LAST_BACKUP: Final = "SELECT made_at, host, path, size_bytes FROM last_backup"
_UNUSED_DATABASES: Final = """
SELECT d.datname AS name, pg_database_size(d.oid) AS size FROM pg_database d
WHERE d.datname ~ $1 AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
ORDER BY d.datname
"""
_WEBHOOK_COMPANIES: Final = "SELECT company_id FROM webhook_companies"
#: Row-level security holds the owner too: it shows the company that is set in the transaction.
_ENTER: Final = "SELECT set_config('app.company_id', $1::text, true)"
_TOTP_SECRETS: Final = "SELECT totp_secret FROM users WHERE totp_secret IS NOT NULL"
_WEBHOOK_SECRETS: Final = """
SELECT s.secret FROM webhook_endpoints w CROSS JOIN LATERAL (VALUES (w.secret), (w.previous_secret)) AS s (secret)
WHERE w.company_id = $1 AND w.status <> 'deleted' AND length(s.secret) > 0
"""
_SIZE: Final = "SELECT pg_database_size(current_database())"
_CONNECTION_LIMIT: Final = "SHOW max_connections"
_LOGIN: Final = "SELECT current_user"
_HAS_ROLE: Final = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
_PASSES_ROW_SECURITY: Final = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
_UNREADABLE: Final = """
SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_class c
WHERE c.relkind IN ('r', 'p', 'S') AND c.relnamespace = 'public'::regnamespace
  AND NOT has_table_privilege(c.oid, 'SELECT')
"""
_IS_EMPTY: Final = """
SELECT NOT EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
"""
_UPSERT_LAST_BACKUP: Final = """
INSERT INTO last_backup (made_at, host, path, size_bytes) VALUES ($1, $2, $3, $4)
ON CONFLICT (only_row) DO UPDATE SET (made_at, host, path, size_bytes) =
    (excluded.made_at, excluded.host, excluded.path, excluded.size_bytes)
"""
_OWNER: Final = """
SELECT current_user AS login, current_database() AS name,
       pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS is_read_only,
       current_setting('server_encoding') AS encoding,
       has_schema_privilege(current_user, 'public', 'CREATE') AS may_create,
       (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('public.alembic_version')) AS owner,
       (SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class
        WHERE oid = to_regclass('public.alembic_version')) AS is_owner
"""
_ROLE: Final = """
SELECT current_user AS login, rolsuper OR rolbypassrls AS passes,
       EXISTS (SELECT FROM pg_roles other WHERE other.rolname = ANY ($1)
               AND pg_has_role(session_user, other.oid, 'MEMBER')) AS is_more
FROM pg_roles WHERE rolname = session_user
"""
_IS_STANDBY: Final = "SELECT pg_is_in_recovery()"
_IDENTITY: Final = """
SELECT (SELECT system_identifier FROM pg_control_system()), oid FROM pg_database WHERE datname = current_database()
"""
_LOCK: Final = "SELECT pg_advisory_xact_lock($1)"
_TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock($1)"


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """What a login and its database are like. `owner` is the schema's, None where there is no schema yet."""

    login: str
    name: str
    is_read_only: bool
    encoding: str
    may_create: bool
    owner: str | None
    is_owner: bool | None


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A login: whether row-level security doesn't hold for it, and whether it is a member of one of other roles."""

    login: str
    passes: bool
    is_more: bool


@dataclass(frozen=True, slots=True)
class Backup:
    """The last backup that was made."""

    made_at: datetime
    host: str
    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """A database of the server and its bytes."""

    name: str
    size: int


async def get_version(connection: "Connection") -> str:
    """The version of PostgreSQL, as the server says it."""
    return str(await connection.fetchval(_VERSION))


async def get_clock(connection: "Connection") -> datetime:
    """The moment by the server's clock."""
    moment: datetime = await connection.fetchval(_CLOCK)
    return moment


async def list_settings_off(connection: "Connection", names: Sequence[str]) -> list[str]:
    """Those of these settings of the server that are off."""
    return [row["name"] for row in await connection.fetch(_SETTINGS_OFF, names)]


async def get_database_name(connection: "Connection") -> str:
    """The name of the database, quoted for a statement."""
    return str(await connection.fetchval(_DATABASE_NAME))


async def may_use_temporary_tables(connection: "Connection", roles: Sequence[str]) -> bool:
    """Whether one of the roles may make temporary tables here."""
    return bool(await connection.fetchval(_MAY_USE_TEMPORARY_TABLES, roles))


async def find_other_databases(connection: "Connection", roles: Sequence[str]) -> str | None:
    """The other databases that one of the roles may connect to, quoted and with commas; None for none."""
    names: str | None = await connection.fetchval(_OTHER_DATABASES, roles)
    return names


async def list_role_settings(connection: "Connection", roles: Sequence[str]) -> list[tuple[str, str]]:
    """Role and settings of those roles that have settings of their own."""
    return [(role, settings) for role, settings in await connection.fetch(_ROLE_SETTINGS, roles)]


async def has_revision(connection: "Connection") -> bool:
    """Whether the schema was ever migrated."""
    return bool(await connection.fetchval(_HAS_REVISION))


async def get_revision(connection: "Connection") -> str | None:
    """The revision of the schema."""
    revision: str | None = await connection.fetchval(_REVISION)
    return revision


async def find_last_backup(connection: "Connection") -> Backup | None:
    """The last backup; None where there is none."""
    row = await connection.fetchrow(_LAST_BACKUP)
    return None if row is None else Backup(**row)


async def list_unused_databases(connection: "Connection", pattern: str) -> list[DatabaseSize]:
    """The databases whose names match a pattern and that nobody is connected to."""
    return [DatabaseSize(**row) for row in await connection.fetch(_UNUSED_DATABASES, pattern)]


async def upsert_last_backup(connection: "Connection", backup: Backup) -> None:
    """Note the last backup."""
    await connection.execute(_UPSERT_LAST_BACKUP, backup.made_at, backup.host, backup.path, backup.size_bytes)


async def get_size(connection: "Connection") -> int:
    """Bytes of the database."""
    return int(await connection.fetchval(_SIZE))


async def get_connection_limit(connection: "Connection") -> int:
    """How many connections the server allows."""
    return int(await connection.fetchval(_CONNECTION_LIMIT))


async def is_empty(connection: "Connection") -> bool:
    """Whether the database has no tables, views or sequences."""
    return bool(await connection.fetchval(_IS_EMPTY))


async def get_login(connection: "Connection") -> str:
    """The role that the connection works as."""
    return str(await connection.fetchval(_LOGIN))


async def has_role(connection: "Connection", role: str) -> bool:
    """Whether the server has a role."""
    return bool(await connection.fetchval(_HAS_ROLE, role))


async def passes_row_security(connection: "Connection") -> bool:
    """Whether the login sees the rows of all companies."""
    return bool(await connection.fetchval(_PASSES_ROW_SECURITY))


async def find_unreadable(connection: "Connection") -> str | None:
    """The tables and sequences that the login may not read, with commas; None for none."""
    names: str | None = await connection.fetchval(_UNREADABLE)
    return names


async def get_owner_facts(connection: "Connection") -> OwnerFacts:
    """What the login and its database are like."""
    row = await connection.fetchrow(_OWNER)
    assert row is not None
    return OwnerFacts(**row)


async def get_role_facts(connection: "Connection", others: Sequence[str]) -> RoleFacts:
    """What the login is like; `others` are the roles that it should not be a member of."""
    row = await connection.fetchrow(_ROLE, others)
    assert row is not None
    return RoleFacts(**row)


async def lock(connection: "Connection", token: int) -> None:
    """Lock a number of the database until the transaction ends."""
    await connection.execute(_LOCK, token)


async def is_locked(connection: "Connection", token: int) -> bool:
    """Whether a transaction of the same database holds the number. Within a transaction."""
    return not await connection.fetchval(_TRY_LOCK, token)


async def is_standby_of(standby: "Connection", primary: "Connection") -> bool | None:
    """Whether a standby follows the database of `primary`; None where it is no standby."""
    if not await standby.fetchval(_IS_STANDBY):
        return None
    return bool(await primary.fetchrow(_IDENTITY) == await standby.fetchrow(_IDENTITY))


async def list_stored_secrets(connection: "Connection") -> list[bytes]:
    """Every secret of every company and person that is kept to be read again, as it is stored. The owner's to ask."""
    found: list[bytes] = []
    for row in await connection.fetch(_WEBHOOK_COMPANIES):
        async with connection.transaction(readonly=True):
            await connection.execute(_ENTER, str(row["company_id"]))
            found += [one["secret"] for one in await connection.fetch(_WEBHOOK_SECRETS, row["company_id"])]
    found += [one["totp_secret"] for one in await connection.fetch(_TOTP_SECRETS)]
    return found
