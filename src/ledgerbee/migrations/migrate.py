"""Brings a database to this release's schema. Forward only, safe to run by several processes at once."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver

from ledgerbee.core.cells import DEFAULT_CELL
from ledgerbee.platform import cell_mark
from ledgerbee.platform.db import APPLICATION_ROLE, WORKER_ROLE
from ledgerbee.platform.job_queue import SETTINGS, queries
from ledgerbee.tenancy.rates import ecb
from ledgerbee.tenancy.rates import store as rates

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]

#: Whether a database holds the schema of some release of ledgerbee.
IS_OURS: Final = (
    "SELECT to_regclass('public.alembic_version') IS NOT NULL AND to_regclass('public.company_directory') IS NOT NULL"
)
#: Advisory lock that lets one process migrate while others wait.
_MIGRATION_LOCK: Final = 7_221_001
#: The roles that the program works as, and how they are made. The worker's is a member of the API's: it has its rights.
_ROLES: Final = {APPLICATION_ROLE: "LOGIN NOINHERIT", WORKER_ROLE: "LOGIN INHERIT"}


class MigrationError(Exception):
    """The database can't be brought to this release's schema. The message is for the operator."""


async def migrate(dsn: str, *, embedded: bool = False, cell: str = DEFAULT_CELL) -> None:
    """Apply all missing revisions, the job queue's own schema and the published exchange rates.

    `dsn` must log in as the role that owns the schema. `embedded`: the server is ours alone. `cell` is the mark that
    the database has, or gets if it has none yet. Raises `MigrationError`, `WrongDatabaseError` (another mark: nothing
    is changed) and the driver's own errors.
    """
    guard = await asyncpg.connect(dsn)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        await cell_mark.check(guard, cell)
        await _ensure_roles(guard)
        if not await _is_current(guard):
            await asyncio.to_thread(_upgrade, lambda: asyncpg.connect(dsn))
            await _install_jobs(guard)
            await guard.execute("ANALYZE")
        await cell_mark.insert(guard, cell)
        await _close_ways_around(guard)
        if embedded:
            await _close_other_databases(guard)
        await rates.seed(guard, ecb.history())
    finally:
        await guard.close()


async def migrate_restored(dsn: str, backup: object, cell: str = DEFAULT_CELL) -> None:
    """The same for a database that came out of a backup, which has to be one of ours. `backup` is its file.

    Raises `MigrationError` also for a database of something else, `WrongDatabaseError` for one of another cell.
    """
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval(IS_OURS):
            raise MigrationError(f"The backup {backup} is not one of a ledgerbee database.")
        check_revision(await connection.fetchval("SELECT version_num FROM alembic_version"), backup)
        cell_mark.check_found(await cell_mark.find(connection), cell, f"backup {backup}")
    finally:
        await connection.close()
    await migrate(dsn, cell=cell)
    connection = await asyncpg.connect(dsn)
    try:  # whoever has the backup has what the proofs of the old database were made with
        await connection.execute("SELECT renew_proof_keys()")
    finally:
        await connection.close()


async def ensure_roles(dsn: str) -> None:
    """Have the roles that the program works as, which a backup gives rights to. Raises `MigrationError`."""
    connection = await asyncpg.connect(dsn)
    try:
        await _ensure_roles(connection)
    finally:
        await connection.close()


def check_revision(revision: str | None, backup: object = None) -> None:
    """Refuse a schema of a newer release, or of no release of ledgerbee (None). Raises `MigrationError`.

    `backup` is the file that it is in, if it is in one.
    """
    what = "database" if backup is None else f"backup {backup}"
    if revision is None:
        raise MigrationError(f"The {what} is not one of a ledgerbee database.")
    if revision > head_revision():
        raise MigrationError(
            f"The {what} is of a newer release (schema {revision}, this release knows {head_revision()}). "
            "Run that release, or restore a backup made before the change."
        )


def head_revision() -> str:
    """The newest revision of this release. Revisions are named like their files, which sort in their order."""
    versions = files("ledgerbee.migrations").joinpath("versions")
    return max(name for name, dot, kind in (entry.name.partition(".") for entry in versions.iterdir()) if kind == "py")


async def _ensure_roles(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Have the roles that the program works as. Roles belong to the server: a restored database finds none."""
    is_superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    # From 16 on, who made a role is its member and still has to be given the right to switch to it.
    right = "SET" if connection.get_server_version().major >= 16 else "MEMBER"
    try:
        for role, login in _ROLES.items():
            can_log_in = await connection.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", role)
            if can_log_in is None:
                await connection.execute(f"CREATE ROLE {role} {login}")
            elif not can_log_in and is_superuser:
                await connection.execute(f"ALTER ROLE {role} {login}")
            if not await connection.fetchval("SELECT pg_has_role(current_user, $1, $2)", role, right):
                # An operator's single DATABASE_URL then serves all: the program does SET ROLE.
                await connection.execute(f"GRANT {role} TO CURRENT_USER")
        if not await connection.fetchval("SELECT pg_has_role($1, $2, 'USAGE')", WORKER_ROLE, APPLICATION_ROLE):
            await connection.execute(f"GRANT {APPLICATION_ROLE} TO {WORKER_ROLE}")
    except asyncpg.InsufficientPrivilegeError as fault:
        owner = await connection.fetchval("SELECT current_user")
        raise MigrationError(
            f"The login {owner} may not make the program's roles ({fault}). Have them made by an administrator of the "
            f"server: {' '.join(f'CREATE ROLE {role} {login};' for role, login in _ROLES.items())} "
            f"GRANT {APPLICATION_ROLE} TO {WORKER_ROLE}; GRANT {APPLICATION_ROLE}, {WORKER_ROLE} TO {owner};"
        ) from fault
    except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        await _ensure_roles(connection)  # another database of the server was faster: roles are shared


async def _close_ways_around(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Take from the program's roles what a new database gives everybody, and what they set for themselves.

    A temporary table or view goes before ours of the same name, for whoever uses the session next. Belongs to the
    database and the server, not to the schema: a restored database has it again. What this login may not take away
    stays; `ledgerbee doctor` tells.
    """
    facts = await connection.fetchrow(
        "SELECT quote_ident(d.datname) AS name, r.rolsuper, pg_has_role(d.datdba, 'USAGE')"
        " AND has_database_privilege($1, d.oid, 'TEMP') AS may_be_closed FROM pg_database d, pg_roles r"
        " WHERE d.datname = current_database() AND r.rolname = current_user",
        WORKER_ROLE,
    )
    assert facts is not None
    if facts["may_be_closed"]:
        roles = f"PUBLIC, {APPLICATION_ROLE}, {WORKER_ROLE}"
        await connection.execute(f"REVOKE TEMPORARY ON DATABASE {facts['name']} FROM {roles}")
    if facts["rolsuper"]:
        settings = await connection.fetch(
            "SELECT r.rolname, quote_ident(d.datname) AS datname FROM pg_db_role_setting s"
            " JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase"
            " WHERE r.rolname = ANY ($1)",
            list(_ROLES),
        )
        for role, database in settings:
            place = f" IN DATABASE {database}" if database else ""
            await connection.execute(f"ALTER ROLE {role}{place} RESET ALL")


async def _close_other_databases(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Keep the program's roles out of the databases that every server has.

    There nobody took from them what shows the statements of other sessions, in whichever database these are.
    """
    names = await connection.fetch(
        "SELECT d.datname FROM pg_database d WHERE d.datname IN ('postgres', 'template1')"
        " AND has_database_privilege($1, d.oid, 'CONNECT')",
        WORKER_ROLE,
    )
    for (name,) in names:
        await connection.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC")


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
    config.set_main_option("script_location", str(files("ledgerbee.migrations")))
    config.attributes["connect"] = connect
    try:
        command.upgrade(config, revision)
    except DBAPIError as fault:
        raise MigrationError(f"The schema was not changed: {fault.orig}") from fault


async def _install_jobs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    import sqlparse  # noqa: PLC0415 needed when there is something to do

    library = queries(AsyncpgDriver(connection))
    script = ""
    if await library.has_table(SETTINGS.queue_table):
        await library.upgrade()
    else:
        script = library.qbe.build_install_query()
    tables = (SETTINGS.queue_table, SETTINGS.queue_table_log, SETTINGS.statistics_table, SETTINGS.schedules_table)
    rights = (
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(tables)} TO {WORKER_ROLE};"
        f"GRANT USAGE ON SEQUENCE {', '.join(f'{table}_id_seq' for table in tables)} TO {APPLICATION_ROLE};"
        # The API asks for jobs and counts them; whose they are and what they are about it doesn't see.
        f"REVOKE ALL ON {', '.join(tables)} FROM {APPLICATION_ROLE};"
        f"GRANT SELECT (id, entrypoint, priority, status, execute_after, dedupe_key),"
        " INSERT (id, entrypoint, priority, status, execute_after, dedupe_key, payload, headers)"
        f" ON {SETTINGS.queue_table} TO {APPLICATION_ROLE};"
        f"GRANT INSERT (job_id, status, entrypoint, priority) ON {SETTINGS.queue_table_log} TO {APPLICATION_ROLE};"
        f"REVOKE EXECUTE ON FUNCTION {SETTINGS.function}() FROM PUBLIC;"
        f"DROP TRIGGER IF EXISTS guard_jobs ON {SETTINGS.queue_table};"
        f"CREATE TRIGGER guard_jobs BEFORE INSERT ON {SETTINGS.queue_table} FOR EACH ROW EXECUTE FUNCTION guard_jobs();"
        f"DROP TRIGGER IF EXISTS guard_job_log ON {SETTINGS.queue_table_log};"
        f"CREATE TRIGGER guard_job_log BEFORE INSERT ON {SETTINGS.queue_table_log} FOR EACH ROW"
        f" WHEN (current_user = '{APPLICATION_ROLE}') EXECUTE FUNCTION guard_job_log();"
        f"CREATE INDEX IF NOT EXISTS {SETTINGS.queue_table}_turns ON {SETTINGS.queue_table}"
        " (job_company(payload), entrypoint, priority) WHERE status = 'queued'"
    )
    async with connection.transaction():
        for statement in (*sqlparse.split(script), *sqlparse.split(rights)):
            await connection.execute(statement)
