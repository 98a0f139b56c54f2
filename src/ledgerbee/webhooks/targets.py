"""Where webhooks may go: the URL of an endpoint, and the addresses behind the name of its host.

A receiver is on the public internet and is spoken to by https (contract 1.8). Whoever may enter a URL must not reach
the installation's own network through us, so a URL is checked when it is entered and again when a connection is made,
then with the very addresses that are connected to (`sending/connections.py`): a name may lead elsewhere by then.

Nothing that is said of a refused URL tells what its host leads to, or whether a private network knows the name.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Thread
from typing import Final
from urllib.parse import quote

Address = IPv4Address | IPv6Address
#: Asks for all addresses of a name (in ASCII); none where there is no such name.
LookUp = Callable[[str], Awaitable[Sequence[Address]]]

#: Characters of a URL.
MAX_URL: Final = 2048
#: Seconds that checking a URL may take when it is entered, most of them for its name.
CHECK_DEADLINE_S: Final = 5.0
#: Names that are asked for at the same time, each by a thread: more than one process sends to or checks at once.
_MAX_LOOKUPS: Final = 64

_PORTS: Final = {"https": 443, "http": 80}
_URL: Final = re.compile(r"(https?)://([^/?#]*)([^#]*)", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
#: Names with an underscore are no host names (RFC 1123 2.1), but the DNS has them.
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_MAX_NAME: Final = 253
#: A last label like this makes a host an address, in whatever notation (WHATWG URL, "ends in a number").
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
#: RFC 3986 3.3, 3.4, and what others write there unescaped. Escapes stay as they are.
_SAFE: Final = "".join(map(chr, range(0x21, 0x7F)))

_LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1"))
#: Of IPv6 only this is given out for the public internet (IANA); the rest are local and embedded addresses: mapped,
#: compatible, translated (`64:ff9b::/96`, `64:ff9b:1::/48`), site-local (`fec0::/10`), unique local, multicast.
_UNICAST: Final = ip_network("2000::/3")
#: What no receiver is at, beside what `is_global` knows of, which depends on Python's version.
_REFUSED: Final = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own, within its machines
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # protocols, Teredo among them: an address within an address
        "2001:db8::/32",
        "2002::/16",  # 6to4: the same
        "3fff::/20",
    )
)

_NOT_HTTPS: Final = "must begin with https://"
_NOT_PUBLIC: Final = "must lead to a public address: its host isn't known, or is within a private network"
_NO_HOST: Final = "must have the name or the address of a host"

_is_loopback_allowed: bool = False


class TargetRefusedError(Exception):
    """Webhooks can't go to this URL. The text says what a URL must be ("must ..."), in words for whoever entered it."""


def allow_loopback(value: bool) -> bool:
    """Let webhooks go to this machine (127.0.0.0/8, ::1), by plain http too, or not; what it was before.

    For the process, at its start.
    """
    global _is_loopback_allowed
    before, _is_loopback_allowed = _is_loopback_allowed, value
    return before


def is_loopback_allowed() -> bool:
    """Whether this machine may be spoken to, by plain http too."""
    return _is_loopback_allowed


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart.

    `host` is a name in ASCII and lower case, or an address as Python writes it, without brackets; `path` has the query.
    Of plain http (`is_plain`) the host has to be this machine.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_plain(self) -> bool:
        return self.scheme == "http"

    @property
    def authority(self) -> str:
        """What the `Host` header says (RFC 9110 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str) -> Target:
    """Take a URL apart, without asking anybody. Raises `TargetRefusedError`.

    Addresses are understood in every notation that some library would (`0x7f.1`, `2130706433`, `[::ffff:7f00:1]`),
    names in any script by UTS 46. Every port is allowed. What browsers would repair is refused: control characters,
    spaces, backslashes; so are credentials, fragments, zones of addresses and escapes in the host.
    """
    if len(url) > MAX_URL:
        raise TargetRefusedError(f"must be at most {MAX_URL} characters long")
    if any(character <= " " or character in "\\\x7f" or "\ud800" <= character <= "\udfff" for character in url):
        raise TargetRefusedError("must not have spaces, backslashes or control characters")
    if "#" in url:
        raise TargetRefusedError("must not have a fragment (#)")
    parts = _URL.fullmatch(url)
    if parts is None or not (_is_loopback_allowed or parts[1].lower() == "https"):
        raise TargetRefusedError(_NOT_HTTPS)
    scheme, authority, path = parts[1].lower(), parts[2], parts[3]
    if "@" in authority:
        raise TargetRefusedError("must not have a user name or a password")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise TargetRefusedError(_NO_HOST if authority.count(":") != 1 else "must have a port from 1 to 65535")
    port = int(found[2]) if found[2] else _PORTS[scheme]
    if not 1 <= port <= 65_535:
        raise TargetRefusedError("must have a port from 1 to 65535")
    path = quote(path, safe=_SAFE)
    return Target(scheme, _host(found[1]), port, path if path.startswith("/") else f"/{path}")


def _host(text: str) -> str:
    """The name or the address that a host's text stands for. Raises `TargetRefusedError`."""
    if text.startswith("["):
        if "%" in text:
            raise TargetRefusedError(_NO_HOST)
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise TargetRefusedError(_NO_HOST) from None
    name = _in_ascii(text).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(_ipv4(labels))
    if len(name) > _MAX_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise TargetRefusedError(_NO_HOST)
    return name


def _in_ascii(name: str) -> str:
    if name.isascii():
        return name.lower()
    import idna  # noqa: PLC0415  its tables are large, and names in other scripts rare

    if len(name) > _MAX_NAME:  # in ASCII it is longer still
        raise TargetRefusedError(_NO_HOST)
    try:
        return idna.encode(name, uts46=True).decode()
    except UnicodeError:
        raise TargetRefusedError(_NO_HOST) from None


def _ipv4(parts: Sequence[str]) -> IPv4Address:
    """An address as C libraries and browsers read it: four numbers or fewer, the last one filling what is left.

    Each is decimal, octal (`0...`) or hexadecimal (`0x...`). Raises `TargetRefusedError`.
    """
    try:
        *front, last = [_number(part) for part in parts]
        if len(parts) > 4 or any(number > 255 for number in front) or last >= 256 ** (5 - len(parts)):
            raise TargetRefusedError(_NO_HOST)
    except ValueError:
        raise TargetRefusedError(_NO_HOST) from None
    return IPv4Address(sum(number << 8 * (3 - place) for place, number in enumerate(front)) + last)


def _number(text: str) -> int:
    """Raises `ValueError`. No notation of 32 bits needs more digits than are let in here, leading zeros included."""
    if len(text) > 64 or not _NUMBER.fullmatch(text):
        raise ValueError(text)
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if text.startswith("0") else 10)


def is_public(address: Address) -> bool:
    """Whether an address is one that anybody on the internet could have a receiver at."""
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not any(address in network for network in _REFUSED)


async def resolve(host: str, *, is_plain: bool, look_up: LookUp) -> list[Address]:
    """The addresses of a target's host, each of which may be connected to.

    Raises `TargetRefusedError` unless all of them may: of a name with a public and a private address, who knows which
    one is meant. `look_up` isn't asked where the host is an address itself.
    """
    try:
        found: Sequence[Address] = [ip_address(host)]
    except ValueError:
        found = await look_up(host)
    if not found or not all(_is_allowed(address, is_plain=is_plain) for address in found):
        raise TargetRefusedError(f"{_NOT_HTTPS}; http:// is for this machine alone" if is_plain else _NOT_PUBLIC)
    return list(dict.fromkeys(found))


def _is_allowed(address: Address, *, is_plain: bool) -> bool:
    if any(address in network for network in _LOOPBACK):
        return _is_loopback_allowed
    return not is_plain and is_public(address)


@dataclass(slots=True)
class SystemLookUp:
    """Asks the system's resolver (`getaddrinfo`, with its hosts file), in threads of its own, for one event loop.

    The loop's threads are few, and a name whose servers are silent holds one for half a minute. Here each name that
    is asked for holds one at most, and none keeps the process from ending.
    """

    _running: dict[str, asyncio.Task[Sequence[Address]]] = field(default_factory=dict)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MAX_LOOKUPS))

    async def __call__(self, name: str) -> Sequence[Address]:
        """All addresses of a name; those who ask for it meanwhile get the same. Who stops waiting doesn't stop it."""
        task = self._running.get(name)
        if task is None:
            task = self._running[name] = asyncio.create_task(self._ask(name))
            task.add_done_callback(lambda _: self._running.pop(name, None))
        return await asyncio.shield(task)

    async def _ask(self, name: str) -> Sequence[Address]:
        async with self._room:
            loop = asyncio.get_running_loop()
            found: asyncio.Future[Sequence[Address]] = loop.create_future()

            def settle(addresses: Sequence[Address]) -> None:
                if not found.done():
                    found.set_result(addresses)

            def ask() -> None:
                addresses = _addresses_of(name)
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(settle, addresses)

            Thread(target=ask, name="look-up", daemon=True).start()
            return await found


def _addresses_of(name: str) -> Sequence[Address]:
    try:
        found = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return [ip_address(str(address[0]).partition("%")[0]) for *_, address in found]


#: That of the process, which has one event loop.
look_up: Final = SystemLookUp()


async def check_target(url: str, *, look_up: LookUp = look_up, deadline_s: float = CHECK_DEADLINE_S) -> None:
    """Whether webhooks may go to a URL now: its form, and all addresses of its host. Raises `TargetRefusedError`.

    Asks the DNS, for `deadline_s` seconds at most: no transaction may be open meanwhile.
    """
    target = parse_target(url)
    try:
        async with asyncio.timeout(deadline_s):
            await resolve(target.host, is_plain=target.is_plain, look_up=look_up)
    except TimeoutError:
        raise TargetRefusedError(_NOT_PUBLIC) from None
