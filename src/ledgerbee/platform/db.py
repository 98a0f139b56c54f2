"""The database: pools, and the one way to run a transaction as a company.

The application's connections run as `ledgerbee_app`, which owns nothing. A transaction starts with one round
trip that names the company (row-level security) and checks the caller's credential; it ends with COMMIT
before anyone hears of it. Serialization failures and deadlocks are tried again here and nowhere else.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from ledgerbee.core.errors import ErrorCode
from ledgerbee.platform.context import Actor, Context
from ledgerbee.platform.outbox import Reactions, flush

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
T = TypeVar("T")

APPLICATION_ROLE: Final = "ledgerbee_app"
#: How often a command is run before a serialization failure or deadlock is the caller's to see.
MAX_ATTEMPTS: Final = 5
#: Seconds to wait for a free connection before the caller is told to come back.
ACQUIRE_TIMEOUT_S: Final = 15
#: The server's own limit: cheaper than a timer of ours for every query.
STATEMENT_TIMEOUT: Final = "120s"

DATABASE_UNAVAILABLE = ErrorCode(
    "DATABASE_UNAVAILABLE", 503, "The database can't be reached right now. Nothing was changed; try again."
)
TOO_MUCH_CONTENTION = ErrorCode(
    "TOO_MUCH_CONTENTION", 503, "Too many changes to the same records at once. Nothing was changed; try again."
)


class CredentialRevokedError(Exception):
    """The credential that the caller's answer was prepared for is no longer valid."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """On whose behalf a transaction runs: the company, and the credential to check (none for our own jobs)."""

    company_id: UUID
    actor: Actor
    request_id: str
    time_zone: str
    credential_hash: bytes | None = None
    credential_version: int = 0

    def begin_sql(self, *, read_only: bool) -> str:
        """BEGIN, the company and the credential check, as one round trip of the simple protocol.

        The values are a UUID, an integer and hexadecimal digits: nothing that could be anything but a literal.
        """
        begin = "BEGIN READ ONLY" if read_only else "BEGIN"
        sql = f"{begin}; SET LOCAL app.company_id = '{self.company_id}'"
        if self.credential_hash is not None:
            sql += f"; SELECT check_credential('\\x{self.credential_hash.hex()}', {self.credential_version:d})"
        return sql


class Database:
    """A pool of application connections."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", reactions: Reactions) -> None:
        self.pool = pool
        self.reactions = reactions

    @classmethod
    async def open(
        cls, dsn: str, *, reactions: Reactions, min_size: int = 1, max_size: int = 10, set_role: bool = True
    ) -> "Database":
        """Connect a pool to `dsn`. `set_role` switches a more powerful login to the application role."""
        settings = {
            "application_name": "ledgerbee",
            "jit": "off",
            "statement_timeout": STATEMENT_TIMEOUT,
            # A session that prepares a statement while a table is empty keeps its sequential scan as the table
            # grows. Every statement here goes by company and key, so an index is never the worse choice.
            "enable_seqscan": "off",
        }
        if set_role:
            settings["role"] = APPLICATION_ROLE
        pool = await asyncpg.create_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            init=prepare_connection,
            reset=_nothing_to_reset,
            server_settings=settings,
        )
        return cls(pool, reactions)

    async def close(self) -> None:
        """Wait for the connections in use, then close them all."""
        await self.pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A pooled connection outside any company, for what has none yet (credentials, health)."""
        try:
            async with asyncio.timeout(ACQUIRE_TIMEOUT_S):  # the pool's own timeout starts a task
                acquired = await self.pool.acquire()
        except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as fault:
            raise DATABASE_UNAVAILABLE.error() from fault
        try:
            yield acquired
        finally:
            await self.pool.release(acquired)

    async def run(
        self,
        tenant: Tenant,
        now: datetime,
        work: Callable[[Context], Awaitable[T]],
        *,
        read_only: bool = False,
    ) -> T:
        """Run `work` in one transaction as `tenant` and commit it before returning what it returned.

        Everything that `work` emits or enqueues through its context is written in that same transaction.
        `work` may run several times (serialization failures, deadlocks), so it must not act outside of it.
        Raises `CredentialRevokedError`, `DATABASE_UNAVAILABLE`, `TOO_MUCH_CONTENTION` and whatever `work` raises.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return await self._run_once(tenant, now, work, read_only=read_only)
            except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as fault:
                if attempt == MAX_ATTEMPTS:
                    raise TOO_MUCH_CONTENTION.error() from fault
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 jitter, not a secret
            except (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, OSError) as fault:
                raise DATABASE_UNAVAILABLE.error() from fault
            except asyncpg.InterfaceError as fault:
                if "connection" in str(fault):
                    raise DATABASE_UNAVAILABLE.error() from fault
                raise
        raise AssertionError("unreachable: the loop returns or raises")

    async def _run_once(
        self, tenant: Tenant, now: datetime, work: Callable[[Context], Awaitable[T]], *, read_only: bool
    ) -> T:
        async with self.connection() as connection:
            try:
                await connection.execute(tenant.begin_sql(read_only=read_only))
                context = Context(
                    connection=connection,
                    company_id=tenant.company_id,
                    actor=tenant.actor,
                    request_id=tenant.request_id,
                    time_zone=tenant.time_zone,
                    now=now,
                )
                result = await work(context)
                if context.events or context.jobs:
                    await flush(context, self.reactions)
                await connection.execute("COMMIT")
            except BaseException as fault:
                await _roll_back(connection)
                if isinstance(fault, asyncpg.PostgresError) and fault.sqlstate == "LB401":
                    raise CredentialRevokedError from None
                raise
            return result


async def prepare_connection(connection: Connection) -> None:
    """Give a new connection the JSON codec: objects in and out, decimals kept exact."""
    await connection.set_type_codec("jsonb", encoder=_to_json, decoder=_from_json, schema="pg_catalog")


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _from_json(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


async def _nothing_to_reset(connection: object) -> None:
    """Every use ends with COMMIT or ROLLBACK and sets nothing beyond it: the pool's reset query is not needed."""


async def _roll_back(connection: Connection) -> None:
    if connection.is_closed():
        return
    try:
        await asyncio.shield(connection.execute("ROLLBACK"))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.CancelledError):
        connection.terminate()  # its state is unknown: the pool makes a new one
