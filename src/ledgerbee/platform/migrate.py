"""Brings a database to this release's schema. Forward only, safe to run by several processes at once."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries

from ledgerbee.platform.db import APPLICATION_ROLE
from ledgerbee.platform.rates import ecb
from ledgerbee.platform.rates import store as rates

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]

#: Advisory lock that lets one process migrate while others wait.
_MIGRATION_LOCK: Final = 7_221_001


async def migrate(dsn: str) -> None:
    """Apply all missing revisions, the job queue's own schema and the published exchange rates.

    `dsn` must log in as the role that owns the schema.
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


async def _ensure_application_role(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Have the role the application runs as. Roles belong to the server: a restored database finds none."""
    can_log_in = await connection.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", APPLICATION_ROLE)
    if can_log_in is None:
        await connection.execute(f"CREATE ROLE {APPLICATION_ROLE} LOGIN NOINHERIT")
    elif not can_log_in:
        await connection.execute(f"ALTER ROLE {APPLICATION_ROLE} LOGIN NOINHERIT")
    if not await connection.fetchval("SELECT pg_has_role(current_user, $1, 'MEMBER')", APPLICATION_ROLE):
        # An operator's single DATABASE_URL then serves both: the application does SET ROLE.
        await connection.execute(f"GRANT {APPLICATION_ROLE} TO CURRENT_USER")


async def _is_current(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    """Whether the schema and the job queue are already this release's, which is nearly always."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return False
    version = await connection.fetchval("SELECT version_num FROM alembic_version")
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return version == head and not (await Queries(AsyncpgDriver(connection)).plan_upgrade()).statements


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("ledgerbee.platform.migrations")))
    return config


def _upgrade(connect: Connect) -> None:
    config = _config()
    config.attributes["connect"] = connect
    command.upgrade(config, "head")


async def _install_jobs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    queries = Queries(AsyncpgDriver(connection))
    if await queries.has_table(queries.qbe.settings.queue_table):
        await queries.upgrade()
    else:
        await queries.install()
    settings = queries.qbe.settings
    tables = (settings.queue_table, settings.queue_table_log, settings.statistics_table, settings.schedules_table)
    await connection.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(tables)} TO {APPLICATION_ROLE};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APPLICATION_ROLE}"
    )
