"""Connections to receivers: to checked addresses only, and with a limit to what is read of an answer."""

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, Final

import httpcore

from ledgerbee.webhooks.sending.targets import Address, LookUp, resolve

#: Bytes that are read of one answer, its head included.
MAX_READ: Final = 64 * 1024
#: Bytes that are read at once: others have their turn after each, whatever the answer is made of.
_BLOCK: Final = 4096
#: Addresses of a name that are tried: with more of them a name would have us knock at any number of doors.
_MAX_TRIED: Final = 4


class AnswerTooLongError(Exception):
    """More than `MAX_READ` bytes came."""


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """How one connection is made: to an address that was checked just now (`resolve`), never by the name of its host.

    That name is what TLS asks for and what the certificate has to be for; httpcore sees to that. `is_plain`: plain
    http, for which the host has to be this machine. No proxy is used, whatever the environment says.
    """

    def __init__(self, *, is_plain: bool, look_up: LookUp) -> None:
        self._is_plain = is_plain
        self._look_up = look_up
        self._network = httpcore.AnyIOBackend()
        self.reading = Reading()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the addresses of `host`, in turn, each with its share of the seconds that are left.

        Raises `TargetRefusedError`, `httpcore.ConnectError` and `httpcore.ConnectTimeout`.
        """
        clock = asyncio.get_running_loop().time
        end = None if timeout is None else clock() + timeout
        addresses = _to_try(await resolve(host, is_plain=self._is_plain, look_up=self._look_up))
        fault: Exception | None = None
        for tried, address in enumerate(addresses):
            share = None if end is None else max(0.0, end - clock()) / (len(addresses) - tried)
            try:
                stream = await self._network.connect_tcp(
                    str(address), port, timeout=share, local_address=local_address, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                fault = failed
            else:
                self.reading.is_connected = True
                return _CountedStream(stream, self.reading)
        assert fault is not None
        raise fault


def _to_try(addresses: Sequence[Address]) -> list[Address]:
    """The first addresses of both families, alternately: a machine may have a way to one of them only (RFC 8305 4)."""
    first = [address for address in addresses if address.version == addresses[0].version]
    others = [address for address in addresses if address.version != addresses[0].version]
    return [address for address in chain(*zip_longest(first, others)) if address is not None][:_MAX_TRIED]


@dataclass(slots=True)
class Reading:
    """What came in on a connection since a request was last written to it."""

    left: int = MAX_READ
    is_connected: bool = False

    @property
    def is_empty(self) -> bool:
        return self.left == MAX_READ


class _CountedStream(httpcore.AsyncNetworkStream):
    """A stream that notes in `reading` what it reads, and reads no more than `MAX_READ` bytes of an answer."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, reading: Reading) -> None:
        self._stream = stream
        self._reading = reading

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  httpcore's
        """Raises `AnswerTooLongError` beside what the stream raises."""
        left = self._reading.left
        if left <= 0:
            raise AnswerTooLongError
        data = await self._stream.read(min(max_bytes, _BLOCK, left), timeout)
        self._reading.left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  httpcore's
        self._reading.left = MAX_READ
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
    ) -> httpcore.AsyncNetworkStream:
        return _CountedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._reading)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
