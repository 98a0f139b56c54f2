"""The connections of an API process: how many there may be, of whom, and who makes room for whom.

Before the caller is known a connection counts for its address. From then on one whose body is still coming in counts
for the caller's company, or for the strangers: those who call an operation that takes no credential.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from ipaddress import ip_network
from typing import Final, Protocol
from uuid import UUID

from ledgerbee.core.addresses import address_of, network_of
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.envelope import TOO_MANY_CONNECTIONS

#: Seconds between looks at the connections.
_TICK_S: Final = 1.0
#: Of four connections one may be taken by bodies of the same company, and one by bodies of strangers; but no fewer than
#: the least.
_SHARE: Final = 4
_LEAST_SHARE: Final = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operator can set (`app/config.py`); times in seconds, connections of one process."""

    max_connections: int = 1000
    max_connections_per_client: int = 100
    header_timeout: float = 20
    body_timeout: float = 30
    #: Addresses and networks of proxies, as in the setting: their connections are many clients'.
    trusted_proxies: str = "127.0.0.1"


class Phase(Enum):
    """What a connection waits for."""

    NEW = auto()  # a first request
    IDLE = auto()  # another request
    HEADER = auto()
    BODY = auto()
    ANSWER = auto()
    DISCARD = auto()  # the end of what the client still sends


#: Nothing is lost with such a connection.
_WITHOUT_REQUEST: Final = frozenset({Phase.NEW, Phase.IDLE, Phase.HEADER, Phase.DISCARD})


class Connection(Protocol):
    """What the limiter has to know of a connection: `HttpProtocol`."""

    loop: asyncio.AbstractEventLoop
    client: tuple[str, int] | None
    #: Whose share of the connections it counts in; empty if it counts in nobody's.
    share: str
    phase: Phase
    #: When the phase began, or its last window; on the loop's clock.
    since: float

    def check_timeouts(self, now: float) -> None:
        """End it if it keeps the process waiting for too long."""

    def drop(self) -> None:
        """End it without a word."""

    def refuse_body(self) -> None:
        """Refuse the request whose body is coming in."""


class ConnectionLimiter:
    """The connections of one process: who may have one, and for how long it may keep others waiting."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._connections: set[Connection] = set()
        self._by_client: dict[str, int] = {}
        #: Whose body is coming in, by connection, oldest first: of companies, and of strangers by their address.
        self._incoming: dict[Connection, UUID] = {}
        self._by_company: Counter[UUID] = Counter()
        self._incoming_public: dict[Connection, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._is_proxy = _proxies(limits.trusted_proxies)

    def admit(self, connection: Connection) -> LedgerBeeError | None:
        """Count a connection. Where there are too many it takes the place of those that have waited longest.

        Returns the refusal, where nobody can go: each has a request in hand, or the client has its share already.
        """
        self._connections.add(connection)
        connection.share = self._share_of(connection)
        held = self._by_client.get(connection.share, 0) + 1
        if connection.share:
            self._by_client[connection.share] = held
        if self._timer is None:
            self._timer = connection.loop.call_later(_TICK_S, self._check_all, connection.loop)
        if connection.share and held > self.limits.max_connections_per_client:
            if held > 2 * self.limits.max_connections_per_client:
                connection.drop()  # it was refused often enough
                return None
            return TOO_MANY_CONNECTIONS.error()
        if len(self._connections) > self.limits.max_connections:
            return self._drop_idle(connection)
        return None

    def count_incoming_body(self, connection: Connection, company: UUID | None, client: str) -> None:
        """A body of the company comes in, or one of a stranger at the address `client`: until `forget_incoming_body`.

        Raises `TOO_MANY_CONNECTIONS` when that would be more than the company's share: a quarter of the connections,
        and no more than it leaves to the other companies. Of strangers, who have nothing that tells them apart but
        the address, the oldest body of the address that has most gives way.
        """
        self.forget_incoming_body(connection)
        most = max(_LEAST_SHARE, self.limits.max_connections // _SHARE)
        if company is None:
            if len(self._incoming_public) >= most:
                ((busiest, _),) = Counter(self._incoming_public.values()).most_common(1)
                next(one for one, address in self._incoming_public.items() if address == busiest).refuse_body()
            self._incoming_public[connection] = network_of(client)
            return
        left = self.limits.max_connections - most - len(self._incoming)
        if self._by_company[company] >= min(most, left):
            raise TOO_MANY_CONNECTIONS.error(
                "Too many requests of the company are still coming in. Nothing was changed; try again in a moment."
            )
        self._incoming[connection] = company
        self._by_company[company] += 1

    def forget_incoming_body(self, connection: Connection) -> None:
        """The body is here, was refused, or comes no more. For any connection, as often as one likes."""
        self._incoming_public.pop(connection, None)
        company = self._incoming.pop(connection, None)
        if company is not None:
            self._by_company[company] -= 1
            if not self._by_company[company]:
                del self._by_company[company]

    def release(self, connection: Connection) -> None:
        """A connection has ended."""
        self.forget_incoming_body(connection)
        self._connections.discard(connection)
        if connection.share:
            held = self._by_client.pop(connection.share, 0) - 1
            if held > 0:
                self._by_client[connection.share] = held

    def _drop_idle(self, newcomer: Connection) -> LedgerBeeError | None:
        waiting = [one for one in self._connections if one.phase in _WITHOUT_REQUEST and one is not newcomer]
        if not waiting:
            return TOO_MANY_CONNECTIONS.error()
        waiting.sort(key=lambda one: one.since)
        # Some at once, so that a flood of connections isn't a search each.
        for one in waiting[: max(1, self.limits.max_connections // 20)]:
            one.drop()
        return None

    def _share_of(self, connection: Connection) -> str:
        """Whose share of the connections it is: the address, the /64 of IPv6; empty of a proxy or a Unix socket."""
        host = connection.client[0] if connection.client else ""
        return "" if self._is_proxy(host) else network_of(host)

    def _check_all(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in tuple(self._connections):
            connection.check_timeouts(now)
        self._timer = loop.call_later(_TICK_S, self._check_all, loop) if self._connections else None


def _proxies(trusted: str) -> Callable[[str], bool]:
    """Whether a host is a trusted proxy, or no address (a Unix socket's).

    What is no address or network among those trusted is left to uvicorn, which compares it.
    """
    parts = [part.strip() for part in trusted.split(",") if part.strip()]
    if "*" in parts:
        return lambda _: True
    networks = []
    for part in parts:
        try:
            networks.append(ip_network(part, strict=False))
        except ValueError:
            continue

    @lru_cache(maxsize=1024)
    def is_proxy(host: str) -> bool:
        address = address_of(host)
        return address is None or any(address in network for network in networks)

    return is_proxy
