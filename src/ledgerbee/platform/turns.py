"""Work that takes a processor for seconds: each company has its turn, however much another one asks for.

Some of it runs at once; a company's own further work waits behind that of others. A company that is alone has all.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from ledgerbee.core.errors import ErrorCode, LedgerBeeError

SERVER_BUSY = ErrorCode("SERVER_BUSY", 503, "Too many large bodies are coming in. Try again in a moment.")

#: What one company has waiting at most, and for how many seconds.
MAX_WAITING: Final = 50
_PATIENCE_S: Final = 30.0


@dataclass
class Turns:
    """The turns of one kind of work in one process, `at_once` of which run at the same time. For one event loop."""

    at_once: int
    most_waiting: int = MAX_WAITING
    patience_s: float = _PATIENCE_S
    _running: "Counter[Hashable]" = field(default_factory=Counter)
    #: Who waits, by company; the company that had its turn last stands last.
    _waiting: "dict[Hashable, deque[asyncio.Future[None]]]" = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, company: Hashable) -> AsyncIterator[None]:
        """Within it the company's work runs. Waits for it; raises `SERVER_BUSY` for too many, or for too long."""
        if self._waiting or self._running.total() >= self.at_once:
            await self._wait(company)
        else:
            self._running[company] += 1
        try:
            yield
        finally:
            self._give_back(company)

    async def _wait(self, company: Hashable) -> None:
        queue = self._waiting.setdefault(company, deque())
        if len(queue) >= self.most_waiting:
            raise _busy()
        granted = asyncio.get_running_loop().create_future()
        queue.append(granted)
        try:
            async with asyncio.timeout(self.patience_s):
                await granted
        except BaseException as fault:
            if granted.done() and not granted.cancelled():  # given in the very moment
                self._give_back(company)
            else:
                if granted in queue:
                    queue.remove(granted)
                self._forget_if_idle(company)
            if isinstance(fault, TimeoutError):
                raise _busy() from None
            raise

    def _give_back(self, company: Hashable) -> None:
        self._running[company] -= 1
        if not self._running[company]:
            del self._running[company]
        while self._waiting and self._running.total() < self.at_once:
            # Who has least under way; of those who had a turn it is the one whose last is longest ago.
            company = min(self._waiting, key=lambda one: self._running[one])
            queue = self._waiting.pop(company)
            granted = queue.popleft()
            if queue:
                self._waiting[company] = queue
            if not granted.cancelled():
                self._running[company] += 1
                granted.set_result(None)

    def _forget_if_idle(self, company: Hashable) -> None:
        if not self._waiting.get(company, True):
            del self._waiting[company]


def _busy() -> LedgerBeeError:
    return SERVER_BUSY.error("Too much of the company's is being drawn at once. Nothing was changed; try again.")
