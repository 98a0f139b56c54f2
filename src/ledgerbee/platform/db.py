"""The database: pools, and the one way to run a transaction as a company.

The API's connections run as `ledgerbee_app`, those of the worker and of commands as `ledgerbee_worker`; neither owns
anything. A transaction starts with one round trip that enters the company (row-level security): by the caller's
credential, or, for the worker's role alone, without one. It ends with COMMIT before anyone hears of it. Serialization
failures and deadlocks are tried again here and nowhere else.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
import structlog

from ledgerbee.core.cells import DEFAULT_CELL
from ledgerbee.core.dates import Clock
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.platform import cell_mark
from ledgerbee.platform.cell_mark import WrongDatabaseError
from ledgerbee.platform.connection import CONNECTION_LOST, Connection
from ledgerbee.platform.context import NO_ORIGIN, Actor, Context, Origin
from ledgerbee.platform.outbox import Reactions, flush
from ledgerbee.platform.pool import LOCK_TIMEOUT, Check, open_pool, release
from ledgerbee.platform.secrets import SecretBox
from ledgerbee.platform.server_watch import ServerWatch
from ledgerbee.platform.shares import ConnectionShares

T = TypeVar("T")

#: What the API may do: enter companies by their credentials.
APPLICATION_ROLE: Final = "ledgerbee_app"
#: What the worker and the operator's commands may do: enter any company, and the upkeep over all of them.
WORKER_ROLE: Final = "ledgerbee_worker"
#: How often a command is run before a serialization failure or deadlock is the caller's to see.
MAX_ATTEMPTS: Final = 5
#: Seconds that a request waits for its share of the pool, and then for the server where the pool has to connect anew,
#: before its caller is asked to come back.
ACQUIRE_TIMEOUT_S: Final = 15
#: Seconds that whoever gives up waits for the server to stop the statement.
CANCEL_TIMEOUT_S: Final = 1.0
#: Seconds in which the log says once, and not for every request, why there is no connection.
_LOG_EVERY_S: Final = 60.0
DATABASE_UNAVAILABLE = ErrorCode(
    "DATABASE_UNAVAILABLE",
    503,
    "The database can't be reached right now. Try again: under its idempotency key nothing is done twice.",
)
TOO_MUCH_CONTENTION = ErrorCode(
    "TOO_MUCH_CONTENTION", 503, "Too many changes to the same records at once. Nothing was changed; try again."
)
STORAGE_FULL = ErrorCode(
    "STORAGE_FULL", 507, "The server has no room left to keep this. Nothing was changed; try again later."
)

#: What getting a connection may fail with, for whatever reason the server or we have not to use it.
_NO_CONNECTION: Final = (
    *CONNECTION_LOST, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, WrongDatabaseError
)  # fmt: skip

log = structlog.get_logger("ledgerbee.database")

#: What a question to a database that is away or unwell may end in, within the asker's own patience.
UNREACHABLE: Final = (LedgerBeeError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class CredentialRevokedError(Exception):
    """The credential that the caller's answer was prepared for is no longer valid."""


class KeyInUseError(Exception):
    """The first request with an idempotency key is still running."""


class AnsweredBeforeError(Exception):
    """An answer is kept under an idempotency key: the request, or another one, was carried out before."""


class NameTakenError(Exception):
    """Someone else works under the name (`Database.exclusive`)."""


#: What enter_company() answers, as the status of its statement, when it stops a transaction in its first round trip.
_STOPS: Final[dict[str, type[Exception]]] = {
    "SELECT 1": CredentialRevokedError,
    "SELECT 2": KeyInUseError,
    "SELECT 3": AnsweredBeforeError,
}


@dataclass(frozen=True, slots=True)
class Tenant:
    """On whose behalf a transaction runs: the company, and the credential to check (none for our own jobs).

    `company_cache` are facts of the company that hold if the credential passes its check; without one they don't count.
    """

    company_id: UUID
    actor: Actor
    request_id: str
    time_zone: str
    credential_hash: bytes | None = None
    credential_version: int = 0
    company_cache: dict[type, Any] | None = field(default=None, compare=False)
    origin: Origin = NO_ORIGIN
    #: Whether it is a sandbox, and by how many days its clock is ahead.
    is_sandbox: bool = False
    clock_offset: int = 0


def _begin_sql(
    tenants: Sequence[Tenant],
    now: datetime,
    keys: Sequence[str],
    *,
    read_only: bool,
    one_snapshot: bool,
) -> str:
    """BEGIN, and entering the company: credentials, idempotency keys. One round trip of the simple protocol.

    The values are UUIDs, integers, moments and hexadecimal digits: nothing that could be anything but a literal.
    """
    begin = "BEGIN"
    if one_snapshot:
        begin += " ISOLATION LEVEL REPEATABLE READ"
    if read_only:
        begin += " READ ONLY"
    digits = ",".join([key.encode().hex() for key in keys]) if keys else ""
    rest = f"'{{{digits}}}', '{now.isoformat()}', {'false' if read_only else 'true'}"
    credentials = {(tenant.credential_hash, tenant.credential_version) for tenant in tenants if tenant.credential_hash}
    if not credentials:
        return f"{begin}; SELECT FROM enter_company_for_job('{tenants[0].company_id}', {rest})"
    hashes = ",".join([f'"\\\\x{credential_hash.hex()}"' for credential_hash, _ in credentials if credential_hash])
    versions = ",".join([str(version) for _, version in credentials])
    return f"{begin}; SELECT FROM enter_company('{{{hashes}}}', '{{{versions}}}', {rest})"


class Database:
    """A pool of application connections, of which no company takes all (`shares`)."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        reactions: Reactions,
        cell: str = DEFAULT_CELL,
        watch: ServerWatch | None = None,
    ) -> None:
        self.pool = pool
        self.reactions = reactions
        self.cell = cell
        #: Where this installation is reached from outside, for contexts; whoever opens a database says it.
        self.public_url: str | None = None
        #: What stored secrets are encrypted with; whoever opens a database says it.
        self.secrets: SecretBox | None = None
        self._watch = watch
        self._logged: tuple[str, float] | None = None
        self.shares = ConnectionShares(pool.get_max_size())

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        reactions: Reactions,
        min_size: int = 1,
        max_size: int = 10,
        role: str | None = WORKER_ROLE,
        lock_timeout: str = LOCK_TIMEOUT,
        cell: str = DEFAULT_CELL,
        check: Check | None = None,
    ) -> "Database":
        """Connect a pool to `dsn`. `role` is what a more powerful login switches to; None: the login is that role.

        With a `min_size` of 0 nothing is asked of the server before its first use. `cell` is the database's mark;
        `check` looks at each new connection, by default at the mark. Raises `WrongDatabaseError`.
        """
        watch = ServerWatch(dsn, cell)
        pool = await open_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            role=role,
            lock_timeout=lock_timeout,
            timeout=ACQUIRE_TIMEOUT_S,
            watch=watch,
            check=check or (lambda connection: cell_mark.check(connection, cell)),
        )
        return cls(pool, reactions, cell, watch)

    async def close(self) -> None:
        """Wait for the connections in use, then close them all."""
        try:
            await self.pool.close()
        finally:
            if self._watch is not None:  # until then: those in use may be of a server that hangs
                self._watch.stop()

    @asynccontextmanager
    async def connection(self, holder: Hashable = None, *, read_only: bool = False) -> AsyncIterator[Connection]:
        """A pooled connection in the share of `holder`: a company, or None for what has none (credentials, health).

        Raises `DATABASE_UNAVAILABLE` when there is none to be had, and when it is lost while in use;
        `CONNECTIONS_EXHAUSTED` when the holder has its share and waited for one of its own in vain.
        """
        try:
            await self.shares.acquire(holder, ACQUIRE_TIMEOUT_S, read_only=read_only)
        except TimeoutError as fault:
            raise DATABASE_UNAVAILABLE.error() from fault
        try:
            try:
                # No timeout of its own, which would cost every request a timer: whoever has a share finds a connection
                # free in the pool, and the time to connect is bounded there.
                acquired = await self.pool.acquire()
            except _NO_CONNECTION as fault:
                self._log_unavailable(fault)
                raise DATABASE_UNAVAILABLE.error() from fault
            is_clean = is_cancelled = False
            try:
                yield acquired
                is_clean = True
            except asyncio.CancelledError:
                is_cancelled = True
                raise
            except CONNECTION_LOST as fault:
                raise DATABASE_UNAVAILABLE.error() from fault
            except asyncpg.InvalidSQLStatementNameError as fault:
                acquired.terminate()  # somebody has removed the session's statements: the pool makes a new one
                raise DATABASE_UNAVAILABLE.error() from fault
            except asyncpg.InterfaceError as fault:
                if "connection" in str(fault):
                    raise DATABASE_UNAVAILABLE.error() from fault
                raise
            finally:
                if is_clean:
                    await release(acquired)
                elif is_cancelled:
                    with suppress(TimeoutError):  # the connection is closed then: its server may hang
                        await self.pool.release(acquired, timeout=CANCEL_TIMEOUT_S)
                else:
                    await self.pool.release(acquired)
        finally:
            self.shares.release(holder)

    def _log_unavailable(self, fault: Exception) -> None:
        """Say why there is no connection: when the reason changes, and once a minute."""
        error, now = f"{type(fault).__name__}: {' '.join(str(fault).split())}", time.monotonic()
        if self._logged is None or self._logged[0] != error or now - self._logged[1] > _LOG_EVERY_S:
            self._logged = error, now
            log.warning("database.unavailable", cell=self.cell, error=error)

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator["Database"]:
        """The database by one connection, which is the only one anywhere that works under this name meanwhile.

        For work of many transactions that must not be done twice at once: what holds the name is the connection
        itself, so that it is free again when its process is killed. Raises `NameTakenError`.
        """
        # Held beside the connections of its own transactions: in no share, so that those are never waited for by it.
        async with self.connection(object()) as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 3))", name):
                raise NameTakenError
            try:
                yield _SingleConnection(self, connection)
            finally:
                await _execute_or_terminate(connection, "SELECT pg_advisory_unlock(hashtextextended($1, 3))", name)

    async def run(
        self,
        tenant: Tenant,
        now: datetime,
        work: Callable[[Context], Awaitable[T]],
        *,
        read_only: bool = False,
        key: str | None = None,
        one_snapshot: bool = False,
        at_end: Callable[[Context, T], Awaitable[None]] | None = None,
    ) -> T:
        """Run `work` in one transaction as `tenant` and commit it before returning what it returned.

        Everything that `work` emits or enqueues through its context is written in that same transaction, which holds
        the idempotency key `key` from its start. `at_end` gets the context and what `work` returned when all that is
        written, and may still refuse it. `work` may run several times (serialization failures, deadlocks), so
        it must not act outside of it. With `one_snapshot` all its statements see the same state of the database. Raises
        `CredentialRevokedError`, `KeyInUseError`, `AnsweredBeforeError`, `DATABASE_UNAVAILABLE`, `TOO_MUCH_CONTENTION`
        (a lock was not to be had, too), `CONNECTIONS_EXHAUSTED`, `STORAGE_FULL` and whatever `work` raises.
        """

        async def end(contexts: Sequence[Context], result: T) -> None:
            assert at_end is not None
            await at_end(contexts[0], result)

        return await self.run_batch(
            [tenant],
            now,
            lambda contexts: work(contexts[0]),
            [key] if key else (),
            read_only=read_only,
            one_snapshot=one_snapshot,
            at_end=end if at_end else None,
        )

    async def run_batch(
        self,
        tenants: Sequence[Tenant],
        now: datetime,
        work: Callable[[Sequence[Context]], Awaitable[T]],
        keys: Sequence[str] = (),
        *,
        read_only: bool = False,
        one_snapshot: bool = False,
        at_end: Callable[[Sequence[Context], T], Awaitable[None]] | None = None,
    ) -> T:
        """Run `work` for several callers of one company in one transaction; it gets a context for each.

        Otherwise as `run`: all of it is committed, or nothing.
        """
        begin = _begin_sql(tenants, now, keys, read_only=read_only, one_snapshot=one_snapshot)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return await self._run_once(tenants, now, work, begin, at_end, read_only=read_only)
            except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as fault:
                if attempt == MAX_ATTEMPTS:
                    raise TOO_MUCH_CONTENTION.error() from fault
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 jitter, not a secret
            except asyncpg.LockNotAvailableError as fault:  # waited for long enough: not once more
                raise TOO_MUCH_CONTENTION.error() from fault
            except asyncpg.DiskFullError as fault:
                raise STORAGE_FULL.error() from fault
        raise AssertionError("unreachable: the loop returns or raises")

    async def _run_once(
        self,
        tenants: Sequence[Tenant],
        now: datetime,
        work: Callable[[Sequence[Context]], Awaitable[T]],
        begin: str,
        at_end: Callable[[Sequence[Context], T], Awaitable[None]] | None,
        *,
        read_only: bool,
    ) -> T:
        async with self.connection(tenants[0].company_id, read_only=read_only) as connection:
            try:
                await _begin(connection, begin)
                contexts = [
                    Context(
                        connection=connection,
                        company_id=tenant.company_id,
                        actor=tenant.actor,
                        request_id=tenant.request_id,
                        time_zone=tenant.time_zone,
                        now=now,
                        company_cache=tenant.company_cache if tenant.credential_hash else None,
                        origin=tenant.origin,
                        cell=self.cell,
                        public_url=self.public_url,
                        secrets=self.secrets,
                        is_sandbox=tenant.is_sandbox,
                        clock_offset=tenant.clock_offset,
                    )
                    for tenant in tenants
                ]
                result = await work(contexts)
                await flush(contexts, self.reactions)
                if at_end is not None:
                    await at_end(contexts, result)
                await connection.execute("COMMIT")
            except BaseException:
                await _execute_or_terminate(connection, "ROLLBACK")
                raise
            return result


class _SingleConnection(Database):
    """A database whose transactions all run on the same connection, one after the other: each waits for its turn."""

    def __init__(self, database: Database, connection: Connection) -> None:
        super().__init__(database.pool, database.reactions, database.cell)
        self.public_url, self.secrets = database.public_url, database.secrets
        self._connection = connection
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def connection(self, holder: Hashable = None, *, read_only: bool = False) -> AsyncIterator[Connection]:  # noqa: ARG002
        async with self._turn:
            yield self._connection


async def _begin(connection: Connection, statements: str) -> None:
    """Begin a transaction in its company. Raises what stops it there."""
    stop = _STOPS.get(await connection.execute(statements))
    if stop is not None:
        raise stop


async def _execute_or_terminate(connection: Connection, statement: str, *arguments: str) -> None:
    """Leave a connection as the next one wants it, or not at all."""
    if connection.is_closed():
        return
    try:
        await asyncio.shield(connection.execute(statement, *arguments))
    except (*CONNECTION_LOST, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.CancelledError):
        connection.terminate()  # its state is unknown: the pool makes a new one


@dataclass(frozen=True, slots=True)
class CompanySession:
    """Transactions of a company for whoever carries out a long task of it, each of its own moment."""

    database: Database
    clock: Clock
    tenant: Tenant

    @property
    def company_id(self) -> UUID:
        """Whose transactions they are."""
        return self.tenant.company_id

    async def read(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a read-only transaction of the company."""
        return await self.database.run(self.tenant, self.clock(), work, read_only=True)

    async def write(self, work: Callable[[Context], Awaitable[T]], moment: datetime | None = None) -> T:
        """Run `work` in a transaction of the company, committed on return."""
        return await self.database.run(self.tenant, moment or self.clock(), work)
