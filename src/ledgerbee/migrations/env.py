"""Alembic's entry point: runs the revisions over asyncpg, one transaction for all of them."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool


def _run(connection: Connection) -> None:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        # A migration waits briefly for its locks and then gives up, rather than stall a running release.
        connection.exec_driver_sql("SELECT set_config('lock_timeout', '5s', false)")
        context.run_migrations()


async def _main() -> None:
    connect = context.config.attributes["connect"]
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


asyncio.run(_main())
