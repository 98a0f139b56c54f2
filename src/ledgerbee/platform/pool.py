"""A pool of connections: what each session is set to, and what is done with a new connection."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final

import asyncpg

from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import to_json
from ledgerbee.platform.server_watch import ServerWatch
from ledgerbee.platform.sessions import SESSION_SETTINGS, RandomStatementNames

#: Looks at a new connection before it is used. Raises `WrongDatabaseError`.
Check = Callable[[Connection], Awaitable[None]]

#: The server's own limits: cheaper than a timer of ours for every query. A lock is waited for no longer than a caller
#: likes to wait; what runs in the background has time (`LONG_LOCK_TIMEOUT`). A transaction that does nothing for that
#: long is stuck, and holds locks and a connection that others want.
STATEMENT_TIMEOUT: Final = "120s"
LOCK_TIMEOUT: Final = "4s"
LONG_LOCK_TIMEOUT: Final = "60s"
IDLE_TIMEOUT: Final = "60s"
_SETTINGS: Final = {
    **SESSION_SETTINGS,
    "application_name": "ledgerbee",
    "jit": "off",
    "statement_timeout": STATEMENT_TIMEOUT,
    "idle_in_transaction_session_timeout": IDLE_TIMEOUT,
    # A session that prepares a statement while a table is empty keeps its sequential scan as the table
    # grows. Every statement here goes by company and key, so an index is never the worse choice.
    "enable_seqscan": "off",
    # The default, 4, is that of a turning disk: lists would be counted in the table, not in the index that
    # holds all they ask for.
    "random_page_cost": "1.1",
    # A request has one core: starting workers takes as long as most statements, and others wait for the cores.
    "max_parallel_workers_per_gather": "0",
}


async def open_pool(
    dsn: str,
    *,
    min_size: int,
    max_size: int,
    role: str | None,
    lock_timeout: str,
    timeout: float,  # noqa: ASYNC109 the pool's own, for each connection that it makes
    watch: ServerWatch,
    check: Check,
) -> "asyncpg.Pool[asyncpg.Record]":
    """Connect a pool. Each new connection has `timeout` seconds to be made, is looked at by `check`, and watched."""

    async def prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        try:
            async with asyncio.timeout(timeout):
                await _set_codecs(connection)
                await check(connection)
        except (TimeoutError, asyncio.CancelledError):
            connection.terminate()  # the pool would wait for the server's goodbye
            raise
        watch.add(connection)

    return await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        init=prepare,
        reset=_no_reset,
        connection_class=RandomStatementNames,
        server_settings={**_SETTINGS, "lock_timeout": lock_timeout, **({"role": role} if role else {})},
        timeout=timeout,
    )


async def _set_codecs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Give a new connection the JSON codec: objects in and out, decimals kept exact."""
    for json_type in ("json", "jsonb"):
        await connection.set_type_codec(json_type, encoder=to_json, decoder=_from_json, schema="pg_catalog")


def _from_json(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


async def release(connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]") -> None:
    """Give back a connection whose transaction has ended: `Pool.release` without the task that it makes each time.

    The task is there for what a cancellation would interrupt. Nothing is waited for here: no statement runs, and there
    is no reset.
    """
    await connection._holder.release(None)


async def _no_reset(connection: object) -> None:
    """Every use ends with COMMIT or ROLLBACK and sets nothing beyond it: the pool's reset query is not needed."""
