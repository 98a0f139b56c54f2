"""Work on thousands of items in steps: between two steps the event loop runs other requests.

It is for work inside a transaction, for which others may wait: it yields to the event loop without a pause. Work on a
large body before its transaction is scheduled instead (`http/step_scheduler.py`).

The event loop of a process is never held for more than a tenth of a second: see `app.pulse`, which counts it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

#: Things between two turns of others; each takes some hundredths of a millisecond.
STRIDE: Final = 200


async def give_way(size: int = STRIDE) -> None:
    """Let others have their turn, between two pieces of work on so many things; few take no time."""
    if size >= STRIDE:
        await asyncio.sleep(0)


class StepCounter:
    """Says when it is time to give way, by how much was done."""

    def __init__(self) -> None:
        self._done = 0

    def is_due(self, done: int) -> bool:
        """Whether others should have their turn, after so many things more."""
        self._done += done
        if self._done < STRIDE:
            return False
        self._done = 0
        return True


async def in_steps(items: Iterable[T], size: Callable[[T], int] = lambda _: 1) -> AsyncIterator[T]:
    """The items one by one, with a turn of others after each `STRIDE`: few items cost none.

    `size` says how many things an item has, where it isn't one.
    """
    counter = StepCounter()
    for item in items:
        yield item
        if counter.is_due(size(item)):
            await asyncio.sleep(0)
