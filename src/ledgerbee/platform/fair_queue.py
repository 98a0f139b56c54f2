"""Something that is limited (processors, memory, connections) and shared fairly: however much one company asks for, it
comes between the others, not before them.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ledgerbee.core.errors import ErrorCode

SERVER_BUSY = ErrorCode("SERVER_BUSY", 503, "Too many large bodies are coming in. Try again in a moment.")
_OF_COMPANY: Final = "Too much of the company's is being drawn at once. Nothing was changed; try again."

#: What one owner has waiting at most, and for how many seconds.
MAX_WAITING: Final = 50
_TIMEOUT_S: Final = 30.0


class _Waiter(NamedTuple):
    size: int
    granted: "asyncio.Future[None]"


@dataclass
class FairQueue:
    """`capacity` units of which an owner holds `share` at most (None: all). For one event loop.

    Who waits is served by how much it holds, least first, and of those that hold as much the one whose last turn is
    longest ago. Nobody overtakes the one whose turn it is, however little it asks for.
    """

    capacity: int
    share: int | None = None
    max_waiting: int = MAX_WAITING
    timeout_s: float = _TIMEOUT_S
    message: str = _OF_COMPANY
    held: "Counter[Hashable]" = field(default_factory=Counter)
    #: Who waits, by owner; the owner that had its turn last stands last.
    waiting: "dict[Hashable, deque[_Waiter]]" = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, owner: Hashable) -> AsyncIterator[None]:
        """Within it the owner holds one unit. See `acquire`."""
        await self.acquire(owner)
        try:
            yield
        finally:
            self.release(owner)

    async def acquire(self, owner: Hashable, size: int = 1) -> None:
        """Wait for so many units; `release` follows. Raises `SERVER_BUSY` for too many waiting, or for too long."""
        if not self.waiting and self._may_hold(owner, size) and self.held.total() + size <= self.capacity:
            self.held[owner] += size
            return
        queue = self.waiting.setdefault(owner, deque())
        if len(queue) >= self.max_waiting:
            raise SERVER_BUSY.error(self.message)
        waiter = _Waiter(size, asyncio.get_running_loop().create_future())
        queue.append(waiter)
        self._grant()
        try:
            await wait_for_grant(
                waiter.granted,
                self.timeout_s,
                give_back=lambda: self.release(owner, size),
                leave=lambda: self._leave(owner, waiter),
            )
        except TimeoutError:
            raise SERVER_BUSY.error(self.message) from None

    def release(self, owner: Hashable, size: int = 1) -> None:
        """The owner holds so many units less; whose turn it is now goes on."""
        self.held[owner] -= size
        if not self.held[owner]:
            del self.held[owner]
        self._grant()

    def _may_hold(self, owner: Hashable, size: int) -> bool:
        return self.share is None or self.held[owner] + size <= self.share

    def _grant(self) -> None:
        while owners := [owner for owner, queue in self.waiting.items() if self._may_hold(owner, queue[0].size)]:
            owner = min(owners, key=lambda one: self.held[one])
            if self.held.total() + self.waiting[owner][0].size > self.capacity:
                return
            queue = self.waiting.pop(owner)
            waiter = queue.popleft()
            if queue:
                self.waiting[owner] = queue
            if not waiter.granted.cancelled():
                self.held[owner] += waiter.size
                waiter.granted.set_result(None)

    def _leave(self, owner: Hashable, waiter: _Waiter) -> None:
        queue = self.waiting.get(owner)
        if queue is not None and waiter in queue:
            queue.remove(waiter)
            if not queue:
                del self.waiting[owner]
        self._grant()  # it may have been the one that nobody overtakes


async def wait_for_grant(
    granted: "asyncio.Future[None]", timeout_s: float, *, give_back: Callable[[], None], leave: Callable[[], None]
) -> None:
    """Wait in a queue until `granted` has a result. Raises `TimeoutError`.

    Who stops waiting leaves the queue; what it was granted in that very moment, it gives back.
    """
    # A timer that ends the future takes half the time of `asyncio.timeout`, which also has to interrupt the task.
    timer = asyncio.get_running_loop().call_later(timeout_s, _expire, granted)
    try:
        await granted
    except BaseException:
        if granted.done() and not granted.cancelled() and granted.exception() is None:
            give_back()
        else:
            leave()
        raise
    finally:
        timer.cancel()


def _expire(granted: "asyncio.Future[None]") -> None:
    if not granted.done():
        granted.set_exception(TimeoutError())
