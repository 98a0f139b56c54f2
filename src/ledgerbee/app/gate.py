"""The connections of an API process: how many there may be, of whom, and who makes room for whom."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Protocol

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.http.envelope import TOO_MANY_CONNECTIONS

#: Seconds between looks at the connections.
_TICK_S: Final = 1.0


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
    """What a gate has to know of a connection: `HttpProtocol`."""

    loop: asyncio.AbstractEventLoop
    client: tuple[str, int] | None
    #: Whose share of the connections it counts in; empty if it counts in nobody's.
    share: str
    phase: Phase
    #: When the phase began, or its last window; on the loop's clock.
    since: float

    def look(self, now: float) -> None:
        """End it if it keeps the process waiting for too long."""

    def drop(self) -> None:
        """End it without a word."""


class Gate:
    """The connections of one process: who may have one, and for how long it may keep others waiting."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._connections: set[Connection] = set()
        self._by_client: dict[str, int] = {}
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
            self._timer = connection.loop.call_later(_TICK_S, self._look, connection.loop)
        if connection.share and held > self.limits.max_connections_per_client:
            if held > 2 * self.limits.max_connections_per_client:
                connection.drop()  # it has been told often enough
                return None
            return TOO_MANY_CONNECTIONS.error()
        if len(self._connections) > self.limits.max_connections:
            return self._make_room(connection)
        return None

    def release(self, connection: Connection) -> None:
        """A connection has ended."""
        self._connections.discard(connection)
        if connection.share:
            held = self._by_client.pop(connection.share, 0) - 1
            if held > 0:
                self._by_client[connection.share] = held

    def _make_room(self, newcomer: Connection) -> LedgerBeeError | None:
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
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return ""
        if self._is_proxy(host):
            return ""
        if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
            return str(ip_network((address, 64), strict=False))
        return host

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in tuple(self._connections):
            connection.look(now)
        self._timer = loop.call_later(_TICK_S, self._look, loop) if self._connections else None


def _proxies(trusted: str) -> Callable[[str], bool]:
    """Whether an address is a trusted proxy's. What is no address or network is left to uvicorn, which compares it."""
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
        address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in networks)

    return is_proxy
