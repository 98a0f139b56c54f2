"""How often a connection may call: a bucket of tokens for each, in the memory of each process.

A call costs no round trip for it. The figure is that of one process, not shared out among them: a client keeps its
connection, and so its process, and what the limit keeps from harm is the process.
"""

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from typing import Final
from uuid import UUID

#: Calls that a connection may make in a minute; as many at once after a pause.
CALLS_A_MINUTE: Final = 120
#: Connections a process remembers: one that is forgotten has its bucket full again.
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after a call was counted. `resets_at` is in Unix seconds, `retry_after` in seconds, 0: allowed."""

    remaining: int
    resets_at: int
    retry_after: int

    @property
    def headers(self) -> dict[str, str]:
        """The documented headers (contract 1.6)."""
        return {"X-Rate-Limit-Remaining": str(self.remaining), "X-Rate-Limit-Reset": str(self.resets_at)}


class RateLimiter:
    """Counts the calls of connections in one process. `most` are the calls that one may make in a minute."""

    def __init__(self, most: int = CALLS_A_MINUTE) -> None:
        self._most = most
        self._per_second = most / 60
        #: Tokens and the Unix second they were counted at, by connection; the one that called last stands last.
        self._buckets: OrderedDict[UUID, tuple[float, float]] = OrderedDict()

    def count(self, connection: UUID, now: float) -> Allowance:
        """Count a call at `now` (Unix seconds), if it is allowed."""
        tokens, since = self._buckets.pop(connection, (float(self._most), now))
        tokens = min(tokens + max(now - since, 0.0) * self._per_second, self._most)
        is_allowed = tokens >= 1
        left = tokens - 1 if is_allowed else tokens
        self._buckets[connection] = (left, now)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        resets_at = ceil(now + (self._most - left) / self._per_second)
        return Allowance(int(left), resets_at, 0 if is_allowed else ceil((1 - tokens) / self._per_second))
