"""Room for large bodies in the memory of a process.

A body over the usual size is held as a whole, decoded, and its files are decoded once more: a few times its length.
Those that come in at once take turns here, in the order in which they came; no company takes all of the room.
"""

import asyncio
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.platform.turns import SERVER_BUSY

#: Bytes of large bodies that are in hand at once, of all and of one company.
_ROOM: Final = 4 * LARGE_BODY
_SHARE: Final = 2 * LARGE_BODY
#: Seconds that a body waits for room, and that it may take to come in once it has room.
_PATIENCE_S: Final = 30.0
_TIME_TO_COME_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Place:
    """What one body takes. `until` is when it has to be here, on the loop's clock."""

    room: "BodyRoom"
    owner: Hashable
    size: int
    until: float

    def leave(self) -> None:
        """Make room for others. Once."""
        self.room.left(self)


@dataclass
class BodyRoom:
    """The room of one process."""

    room: int = _ROOM
    share: int = _SHARE
    patience: float = _PATIENCE_S
    time_to_come: float = _TIME_TO_COME_S
    _taken: int = 0
    _by_owner: Counter[Hashable] = field(default_factory=Counter)
    _waiting: list[tuple[Hashable, int, "asyncio.Future[None]"]] = field(default_factory=list)

    async def enter(self, owner: Hashable, size: int) -> Place:
        """Take `size` bytes for a body of `owner`, once they are free. Raises `SERVER_BUSY`."""
        loop = asyncio.get_running_loop()
        granted = loop.create_future()
        entry = (owner, size, granted)
        self._waiting.append(entry)
        self._let_in()
        try:
            async with asyncio.timeout(self.patience):
                await granted
        except BaseException as fault:
            if granted.done() and not granted.cancelled():  # given in the very moment
                self._give_back(owner, size)
            else:
                self._waiting = [other for other in self._waiting if other is not entry]
                self._let_in()
            if isinstance(fault, TimeoutError):
                raise SERVER_BUSY.error() from None
            raise
        return Place(self, owner, size, loop.time() + self.time_to_come)

    def left(self, place: Place) -> None:
        """A body is done with."""
        self._give_back(place.owner, place.size)

    def _give_back(self, owner: Hashable, size: int) -> None:
        self._taken -= size
        self._by_owner[owner] -= size
        if not self._by_owner[owner]:
            del self._by_owner[owner]
        self._let_in()

    def _let_in(self) -> None:
        """First come, first served; but who has its share already is passed over."""
        still: list[tuple[Hashable, int, asyncio.Future[None]]] = []
        is_full = False
        for entry in self._waiting:
            owner, size, granted = entry
            has_share = self._by_owner[owner] + size <= self.share
            if is_full or not has_share:
                still.append(entry)
            elif self._taken + size > self.room:
                is_full = True
                still.append(entry)
            elif not granted.cancelled():
                self._taken += size
                self._by_owner[owner] += size
                granted.set_result(None)
        self._waiting = still
