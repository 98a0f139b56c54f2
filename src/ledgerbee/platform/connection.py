"""A connection to the database, and the ways of losing it."""

from typing import Final, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

#: What asyncpg raises when the server is not there, goes down (or is killed) under a query, or is not up yet. The
#: answer to a COMMIT may be among what is lost: whether it was carried out is then not known.
CONNECTION_LOST: Final = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # the server's last words came while nothing was asked
)
