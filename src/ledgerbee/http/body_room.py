"""Room for large bodies in the memory of a process.

A body over the usual size is held as a whole, decoded, and its files are decoded once more: a few times its length.
Those that come in at once wait for room, companies in turn; no company takes all of it.
"""

import asyncio
import sys
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.platform.fair_queue import SERVER_BUSY, FairQueue

#: Bytes of large bodies that are in hand at once, of all and of one company.
_ROOM: Final = 4 * LARGE_BODY
_SHARE: Final = 2 * LARGE_BODY
#: Seconds that a body waits for room, and that it may take to come in once it has room.
_TIMEOUT_S: Final = 30.0
_ARRIVAL_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Place:
    """What one body takes. `until` is when it has to be here, on the loop's clock."""

    queue: FairQueue
    owner: Hashable
    size: int
    until: float

    def leave(self) -> None:
        """Make room for others. Once."""
        self.queue.release(self.owner, self.size)


class BodyRoom:
    """The room of one process: `room` bytes, `share` of them for one company at most."""

    def __init__(self, room: int = _ROOM, share: int = _SHARE, timeout_s: float = _TIMEOUT_S) -> None:
        # As many wait as there are connections.
        self._queue = FairQueue(room, share, sys.maxsize, timeout_s, SERVER_BUSY.meaning)

    async def enter(self, owner: Hashable, size: int) -> Place:
        """Take `size` bytes for a body of `owner`, once they are free. Raises `SERVER_BUSY`."""
        await self._queue.acquire(owner, size)
        return Place(self._queue, owner, size, asyncio.get_running_loop().time() + _ARRIVAL_TIMEOUT_S)
