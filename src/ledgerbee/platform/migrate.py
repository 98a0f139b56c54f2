"""Brings a database to this release's schema. Forward only, safe to run by several processes at once."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver

from ledgerbee.platform.db import APPLICATION_ROLE
from ledgerbee.platform.job_queue import SETTINGS, queries
from ledgerbee.platform.rates import ecb
from ledgerbee.platform.rates import store as rates

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]

#: Advisory lock that lets one process migrate while others wait.
_MIGRATION_LOCK: Final = 7_221_001


class MigrationError(Exception):
    """The database can't be brought to this release's schema. The message is for the operator."""


async def migrate(dsn: str) -> None:
    """Apply all missing revisions, the job queue's own schema and the published exchange rates.

    `dsn` must log in as the role that owns the schema. Raises `MigrationError` and the driver's own errors.
    """
    guard = await asyncpg.connect(dsn)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        await _ensure_application_role(guard)
        if not await _is_current(guard):
            await asyncio.to_thread(_upgrade, lambda: asyncpg.connect(dsn))
            await _install_jobs(guard)
            await guard.execute("ANALYZE")
        await rates.seed(guard, ecb.history())
    finally:
        await guard.close()


async def migrate_restored(dsn: str) -> None:
    """The same for a database that came out of a backup, which has to be one of ours.

    Raises `MigrationError` also for a database of something else.
    """
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval(
            "SELECT to_regclass('alembic_version') IS NOT NULL AND to_regclass('company_directory') IS NOT NULL"
        ):
            raise MigrationError("The backup is not one of a ledgerbee database.")
    finally:
        await connection.close()
    await migrate(dsn)


async def ensure_application_role(dsn: str) -> None:
    """Have the role the application runs as, which a backup gives rights to. Raises `MigrationError`."""
    connection = await asyncpg.connect(dsn)
    try:
        await _ensure_application_role(connection)
    finally:
        await connection.close()


def check_revision(revision: str | None) -> None:
    """Refuse a schema of a newer release, or of no release of ledgerbee (None). Raises `MigrationError`."""
    if revision is None:
        raise MigrationError("The backup is not one of a ledgerbee database.")
    if revision > head_revision():
        raise MigrationError(
            f"The database is of a newer release (schema {revision}, this release knows {head_revision()}). "
            "Run that release, or restore a backup made before the change."
        )


def head_revision() -> str:
    """The newest revision of this release. Revisions are named like their files, which sort in their order."""
    versions = files("ledgerbee.platform.migrations").joinpath("versions")
    return max(name for name, dot, kind in (entry.name.partition(".") for entry in versions.iterdir()) if kind == "py")


async def _ensure_application_role(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Have the role the application runs as. Roles belong to the server: a restored database finds none."""
    can_log_in = await connection.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", APPLICATION_ROLE)
    try:
        if can_log_in is None:
            await connection.execute(f"CREATE ROLE {APPLICATION_ROLE} LOGIN NOINHERIT")
        elif not can_log_in and await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            await connection.execute(f"ALTER ROLE {APPLICATION_ROLE} LOGIN NOINHERIT")
        # From 16 on, who made a role is its member and still has to be given the right to switch to it.
        right = "SET" if connection.get_server_version().major >= 16 else "MEMBER"
        if not await connection.fetchval("SELECT pg_has_role(current_user, $1, $2)", APPLICATION_ROLE, right):
            # An operator's single DATABASE_URL then serves both: the application does SET ROLE.
            await connection.execute(f"GRANT {APPLICATION_ROLE} TO CURRENT_USER")
    except asyncpg.InsufficientPrivilegeError as fault:
        owner = await connection.fetchval("SELECT current_user")
        raise MigrationError(
            f"The login {owner} may not make the application's role ({fault}). Have it made by an administrator of the "
            f"server: CREATE ROLE {APPLICATION_ROLE} LOGIN NOINHERIT; GRANT {APPLICATION_ROLE} TO {owner};"
        ) from fault
    except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        await _ensure_application_role(connection)  # another database of the server was faster: roles are shared


async def _is_current(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    """Whether the schema and the job queue are already this release's, which is nearly always."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return False
    version = await connection.fetchval("SELECT version_num FROM alembic_version")
    if version is not None:
        check_revision(version)
    return version == head_revision() and not (await queries(AsyncpgDriver(connection)).plan_upgrade()).statements


def _upgrade(connect: Connect, revision: str = "head") -> None:
    # Loaded when there is something to do: Alembic brings SQLAlchemy along, half a second on every start.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(files("ledgerbee.platform.migrations")))
    config.attributes["connect"] = connect
    try:
        command.upgrade(config, revision)
    except DBAPIError as fault:
        raise MigrationError(f"The schema was not changed: {fault.orig}") from fault


async def _install_jobs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    library = queries(AsyncpgDriver(connection))
    if await library.has_table(SETTINGS.queue_table):
        await library.upgrade()
    else:
        await library.install()
    tables = (SETTINGS.queue_table, SETTINGS.queue_table_log, SETTINGS.statistics_table, SETTINGS.schedules_table)
    await connection.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(tables)} TO {APPLICATION_ROLE};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APPLICATION_ROLE}"
    )
