"""Schedules the work on large bodies: one step at a time in a process, companies in turn, with pauses.

A step (decoding, validating a hundred models) holds the event loop for some milliseconds. If several bodies had a step
in each iteration of the loop, a small request, which takes a few iterations, would wait for all of them each time. Here
an iteration has one step, and while other steps wait a pause follows that is as long as the step was: half of the time
is left to small requests.

It is no `FairQueue`: what it shares is time, measured after each step, and not a number of units.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Final, NamedTuple, TypeVar

from ledgerbee.http.body_limits import LARGE

T = TypeVar("T")

#: The company whose body the request has; the edge sets it.
OWNER: Final[ContextVar[Hashable]] = ContextVar("owner", default=None)


#: Does the steps beside the event loop, one at a time.
_BESIDE: Final = ThreadPoolExecutor(1, "beside")


class _Waiter(NamedTuple):
    granted: "asyncio.Future[None]"
    is_beside: bool


class StepScheduler:
    """The steps of one event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Who waits, by owner; the owner that had its step last stands last.
        self._waiting: dict[Hashable, deque[_Waiter]] = {}
        self._is_at_work = False
        self._began = 0.0

    async def wait(self) -> None:
        """Wait for the body's next step."""
        await self._granted(is_beside=False)

    async def run(self, work: Callable[[], T]) -> T:
        """A step beside the event loop, which goes on whenever Python lets it: between two calls of C code.

        `work` may take long, no single call in it may: see `body_limits`.
        """
        loop = await self._granted(is_beside=True)
        try:
            return await loop.run_in_executor(_BESIDE, work)
        finally:
            loop.call_soon(self._rest, loop)

    async def _granted(self, *, is_beside: bool) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._waiting, self._is_at_work = loop, {}, False
        granted = loop.create_future()
        self._waiting.setdefault(OWNER.get(), deque()).append(_Waiter(granted, is_beside))
        if not self._is_at_work:
            self._is_at_work = True
            loop.call_soon(self._grant, loop)
        try:
            await granted
        except asyncio.CancelledError:
            if is_beside and not granted.cancelled():  # granted in the very moment
                loop.call_soon(self._rest, loop)
            raise
        return loop

    def _grant(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            owner = next(iter(self._waiting))
            queue = self._waiting.pop(owner)
            granted, is_beside = queue.popleft()
            if queue:
                self._waiting[owner] = queue
            if not granted.done():  # else its request was cancelled
                self._began = time.perf_counter()
                granted.set_result(None)
                if not is_beside:
                    loop.call_soon(self._rest, loop)  # right behind the step itself
                return
        self._is_at_work = False

    def _rest(self, loop: asyncio.AbstractEventLoop) -> None:
        others = sum(map(len, self._waiting.values())) - 1  # whoever is alone waits for nobody
        loop.call_later(time.perf_counter() - self._began if others > 0 else 0, self._grant, loop)


#: Of the process.
STEPS: Final = StepScheduler()


async def wait_for_step(raw: bytes) -> None:
    """Between two steps of the work on a body: let others have their turn where it is a large one."""
    if len(raw) > LARGE:
        await STEPS.wait()


async def run_step(size: int, work: Callable[[], T]) -> T:
    """What `work` makes of so many bytes: of few at once, of many beside the event loop when their turn comes."""
    return await STEPS.run(work) if size > LARGE else work()
