"""Ends the connections of a pool whose server has stopped answering without closing them.

A server that hangs (a stopped process, a dead disk, a network that swallows packets) keeps its connections open, and
who waits for an answer would wait for ever. So one task a pool looks at the connections every few seconds. Where one
has been in use for long, it asks over a new connection whether the server answers at all. A server that does is left
alone, however long its statements take.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final
from weakref import WeakSet

import asyncpg
import structlog


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, and how often."""

    #: Between two looks at the connections.
    look: float = 3.0
    #: For how long a connection is in use before the server is asked, and between two times that it is.
    in_use: float = 10.0
    #: What the server has to let a new connection in.
    probe: float = 5.0
    #: Questions without an answer, one after the other, that end the connections.
    probes: int = 2


PATIENCE: Final = Patience()

log = structlog.get_logger("ledgerbee.database")


class ServerWatch:
    """Watches the connections of one pool. It costs them nothing: they are looked at, they report nothing."""

    def __init__(self, dsn: str, cell: str, patience: Patience = PATIENCE) -> None:
        self._dsn = dsn
        self._cell = cell
        self._patience = patience
        self._connections: WeakSet[asyncpg.Connection[asyncpg.Record]] = WeakSet()
        self._task: asyncio.Task[None] | None = None

    def add(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Watch a connection too. The first one starts the task."""
        self._connections.add(connection)
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    def stop(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _watch(self) -> None:
        since: dict[int, float] = {}
        answered = 0.0
        while True:
            await asyncio.sleep(self._patience.look)
            now = time.monotonic()
            uses = self._uses()
            since = {use: since.get(use, now) for use in uses}
            oldest = min(since.values(), default=now)
            if now - max(oldest, answered) < self._patience.in_use:
                continue
            if await self._answers():
                answered = time.monotonic()
            else:
                self._terminate()

    def _uses(self) -> dict[int, object]:
        """What the connections in use are used by: the pool gives each use an object of its own."""
        proxies = [getattr(connection, "_proxy", None) for connection in self._connections]
        return {id(proxy): proxy for proxy in proxies if proxy is not None}

    async def _answers(self) -> bool:
        """Whether the server says anything to a new connection, be it a refusal."""
        for _ in range(self._patience.probes):
            try:
                connection = await asyncpg.connect(self._dsn, timeout=self._patience.probe)
            except (OSError, TimeoutError, asyncpg.InternalClientError):
                continue
            except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError):
                return True
            connection.terminate()
            return True
        return False

    def _terminate(self) -> None:
        """End the connections, those that nobody uses as well: the next who takes one would wait as well."""
        found = [connection for connection in self._connections if not connection.is_closed()]
        log.error("database.hangs", cell=self._cell, connections=len(found))
        for connection in found:
            connection.terminate()
