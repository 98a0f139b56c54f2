"""Every SQL statement of `ledgerbee doctor`: what the database server says of itself, its roles and its backups."""

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
