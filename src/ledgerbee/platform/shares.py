"""Which company gets the next connection of a pool.

A company gets another connection only while more are free than it holds: alone it gets half of the pool, beside a
company with half of it a quarter, and so on. So one is left for a company that holds none, however many requests of
others wait for a lock. The rest waits in a queue for each company; the company that holds fewest is served first.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from prometheus_client import Counter, Histogram

from ledgerbee.core.errors import ErrorCode
from ledgerbee.platform.fair_queue import wait_for_grant

#: Requests of one company that wait for a connection at most: each of them takes up memory.
MAX_WAITING: Final = 1000

WAITED: Final = Histogram(
    "ledgerbee_connection_wait_seconds",
    "Time that waited for a database connection took, by reason: share (the company holds its share), pool (none free)",
    ["reason"],
    buckets=(0.005, 0.025, 0.1, 0.5, 1, 5, 15),
)
REFUSED: Final = Counter(
    "ledgerbee_connections_refused_total", "Database connections that were waited for in vain, by reason", ["reason"]
)
# By reason, there from the start: a rate sees the first one.
_WAITED: Final = {reason: WAITED.labels(reason) for reason in ("share", "pool")}
_REFUSED: Final = {reason: REFUSED.labels(reason) for reason in ("share", "pool")}

CONNECTIONS_EXHAUSTED = ErrorCode(
    "CONNECTIONS_EXHAUSTED",
    503,
    "Too many requests of the company are under way at once. Nothing was changed; try again.",
)


@dataclass(slots=True)
class _Waiter:
    number: int
    granted: "asyncio.Future[None]"


@dataclass(slots=True)
class _Queues:
    """Those of one holder who wait, oldest first; reads apart, since they may get what writes may not."""

    reads: deque[_Waiter] = field(default_factory=deque)
    writes: deque[_Waiter] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self.reads) + len(self.writes)


class ConnectionShares:
    """The shares in a pool of `size` connections."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._held: dict[Hashable, int] = {}
        self._waiting: dict[Hashable, _Queues] = {}
        self._numbers = count()

    async def acquire(self, holder: Hashable, timeout_s: float, *, read_only: bool = False) -> None:
        """Wait until `holder` may take a connection; `release` follows.

        Raises `CONNECTIONS_EXHAUSTED` when the holder's own connections are what is waited for, longer than
        `timeout_s` seconds or by too many; `TimeoutError` when it is those of others.
        """
        queues = self._waiting.get(holder)
        waits = queues is not None and bool(queues.reads if read_only else queues.writes)
        if not waits and self._may_take(holder, read_only=read_only):
            self._grant(holder)
            return
        if queues is None:
            queues = self._waiting[holder] = _Queues()
        reason = "share" if self._held.get(holder, 0) and self._free else "pool"
        if len(queues) >= MAX_WAITING:
            _REFUSED[reason].inc()
            raise CONNECTIONS_EXHAUSTED.error()
        await self._wait(holder, queues.reads if read_only else queues.writes, reason, timeout_s)

    async def _wait(self, holder: Hashable, queue: deque[_Waiter], reason: str, timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        waiter = _Waiter(next(self._numbers), loop.create_future())
        queue.append(waiter)
        began = loop.time()
        try:
            await wait_for_grant(
                waiter.granted,
                timeout_s,
                give_back=lambda: self.release(holder),
                leave=lambda: self._leave(holder, queue, waiter),
            )
        except TimeoutError:
            _REFUSED[reason].inc()
            if reason == "share":
                raise CONNECTIONS_EXHAUSTED.error() from None
            raise
        finally:
            _WAITED[reason].observe(loop.time() - began)

    def _may_take(self, holder: Hashable, *, read_only: bool) -> bool:
        """Whether the holder may have another. Its writes leave one that its reads may have."""
        held = self._held.get(holder, 0)
        return self._free > (0 if held == 0 else held if read_only else held + 2)

    def _grant(self, holder: Hashable) -> None:
        self._free -= 1
        self._held[holder] = self._held.get(holder, 0) + 1

    def release(self, holder: Hashable) -> None:
        """The holder has one less; whose turn it is now goes on."""
        self._free += 1
        self._held[holder] -= 1
        if not self._held[holder]:
            del self._held[holder]
        while self._free and (found := self._next_waiter()) is not None:
            holder, queue = found
            waiter = queue.popleft()
            self._remove_if_empty(holder)
            self._grant(holder)
            waiter.granted.set_result(None)

    def _next_waiter(self) -> tuple[Hashable, deque[_Waiter]] | None:
        """Whose turn it is among those who wait: of those who may have one, who holds fewest, then who came first."""
        due = [
            (self._held.get(holder, 0), queue[0].number, holder, queue)
            for holder, queues in self._waiting.items()
            for queue, read_only in ((queues.reads, True), (queues.writes, False))
            if queue and self._may_take(holder, read_only=read_only)
        ]
        if not due:
            return None
        _, _, holder, queue = min(due, key=lambda one: one[:2])
        return holder, queue

    def _leave(self, holder: Hashable, queue: deque[_Waiter], waiter: _Waiter) -> None:
        queue.remove(waiter)
        self._remove_if_empty(holder)

    def _remove_if_empty(self, holder: Hashable) -> None:
        if not self._waiting[holder]:
            del self._waiting[holder]
