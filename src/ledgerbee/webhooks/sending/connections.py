"""Connections to receivers: made to checked addresses only, kept for a while, and with a limit to what they read.

HTTP/1.1 straight on asyncio and httptools: a request is one write, and an answer is parsed as it comes in. The general
clients (httpx, httpcore) cost several times the CPU for a request, and more than one process has at the rates that
webhooks are sent at.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Final, cast

import httptools

from ledgerbee.webhooks.deliveries.model import MAX_ANSWER
from ledgerbee.webhooks.targets import Address, LookUp, Target, resolve

#: Bytes that are read of one answer, its head included: no receiver has more to say of a delivery.
MAX_READ: Final = 64 * 1024
#: Addresses of a name that are tried: with more of them a name would have us knock at any number of doors.
_MAX_TRIED: Final = 4
#: Seconds that a connection is kept without being used, and how many are.
_KEPT_S: Final = 15.0
_MAX_KEPT: Final = 256

Origin = tuple[str, str, int]


class NoAnswerError(Exception):
    """There is no answer; the text says why, without an address."""


class ClosedUnansweredError(NoAnswerError):
    """The receiver closed the connection before it had answered anything."""


@dataclass(slots=True)
class Answer:
    """What has come in of an answer so far. `status` is there once its head is; `body` is the start of its body.

    `most` are the bytes that are kept of that.
    """

    status: int | None = None
    retry_after: bytes | None = None
    content_type: bytes = b""
    body: bytearray = field(default_factory=bytearray)
    most: int = MAX_ANSWER


class Connection(asyncio.Protocol):
    """A connection to a receiver, for one exchange at a time."""

    def __init__(self) -> None:
        self.on_lost: Callable[[Connection], object] | None = None
        self._transport: asyncio.Transport | None = None
        self._answer = Answer()
        self._parser = httptools.HttpResponseParser(self)
        self._left = MAX_READ
        self._is_reusable = False
        self._ended: asyncio.Future[None] | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes, answer: Answer) -> None:
        """Write a request and read its answer into `answer`. Afterwards the connection is open if it can be used again.

        Raises `NoAnswerError` where nothing came that has a status, or the body didn't come as it should have.
        """
        self._answer, self._left, self._is_reusable = answer, MAX_READ, False
        self._parser = httptools.HttpResponseParser(self)
        self._ended = asyncio.get_running_loop().create_future()
        try:
            if self._transport is None:
                raise ClosedUnansweredError(_CLOSED)
            self._transport.write(request)
            await self._ended
        finally:
            self._ended = None
            if not self._is_reusable:
                self.abort()

    def abort(self) -> None:
        """Close it at once. What has not been sent or read yet is thrown away."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Whatever comes unasked, or beyond the end of an answer, is no answer to anything: the connection ends."""
        if self._ended is None or self._ended.done():
            self.abort()
            return
        used, self._left = data[: self._left], self._left - len(data)
        try:
            self._parser.feed_data(used)
        except httptools.HttpParserUpgrade:
            self._end(None)
        except httptools.HttpParserError:
            self._end(NoAnswerError("The answer is not HTTP"))
            self.abort()
        if self._left <= 0:
            self._end(NoAnswerError(f"The head of the answer is longer than {MAX_READ // 1024} KiB"))
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        fault: NoAnswerError | None = None
        if isinstance(exc, ssl.SSLError):
            fault = NoAnswerError(words_of(exc))
        self._end(fault or (ClosedUnansweredError if self._left == MAX_READ else NoAnswerError)(_CLOSED))
        if self.on_lost is not None:
            self.on_lost(self)

    def _end(self, fault: NoAnswerError | None) -> None:
        """Wake who waits for the answer; what comes first counts."""
        if self._ended is None or self._ended.done():
            return
        if fault is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(fault)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._ended is not None and self._ended.done():
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after" and self._answer.status is None:
            self._answer.retry_after = value.strip()
        elif name.lower() == b"content-type" and self._answer.status is None:
            self._answer.content_type = value.strip()

    def on_headers_complete(self) -> None:
        """A status 1xx is news on the way, and the answer is still to come; but 101 ends HTTP (RFC 9110 15.2)."""
        status = self._parser.get_status_code()
        if status >= 200 or status == 101:
            self._answer.status = status

    def on_body(self, data: bytes) -> None:
        if (room := self._answer.most - len(self._answer.body)) > 0:
            self._answer.body += data[:room]

    def on_message_complete(self) -> None:
        if self._answer.status is not None:
            self._is_reusable = self._parser.should_keep_alive()
            self._end(None)


_CLOSED: Final = "The receiver closed the connection without a complete answer"


def words_of(fault: OSError) -> str:
    """What kept a connection from being made, in words that tell no address."""
    match fault:
        case ssl.SSLCertVerificationError():
            return f"TLS: the certificate is not accepted: {fault.verify_message.rstrip('.')}"
        case ssl.SSLError():
            return f"TLS failed: {(fault.reason or 'unknown').replace('_', ' ').lower()}"
        case ConnectionRefusedError():
            return "The receiver refused the connection"
        case ConnectionError():
            return _CLOSED
    return "The receiver can't be reached"


async def connect(target: Target, look_up: LookUp, ssl_context: ssl.SSLContext, end: float) -> Connection:
    """Connect to a target: to an address that is checked now (`resolve`), never by the name of its host.

    That name is what TLS asks for, and what the certificate has to be for. The addresses are tried in turn, each with
    its share of the time until `end` (by the loop's clock). No proxy is used, whatever the environment says.

    Raises `TargetRefusedError`, `NoAnswerError` and `TimeoutError`.
    """
    loop = asyncio.get_running_loop()
    addresses = _to_try(await resolve(target.host, is_plain=target.is_plain, look_up=look_up))
    fault = OSError()
    for tried, address in enumerate(addresses):
        now = loop.time()
        try:
            async with asyncio.timeout_at(now + (end - now) / (len(addresses) - tried)):
                _, connection = await loop.create_connection(
                    Connection,
                    str(address),
                    target.port,
                    ssl=None if target.is_plain else ssl_context,
                    server_hostname=None if target.is_plain else target.host,
                )
                return connection
        except OSError as failed:
            fault = failed
    if isinstance(fault, TimeoutError):
        raise fault
    raise NoAnswerError(words_of(fault))


def _to_try(addresses: Sequence[Address]) -> list[Address]:
    """The first addresses of both families, alternately: a machine may have a way to one of them only (RFC 8305 4)."""
    first = [address for address in addresses if address.version == addresses[0].version]
    others = [address for address in addresses if address.version != addresses[0].version]
    return [address for address in chain(*zip_longest(first, others)) if address is not None][:_MAX_TRIED]


class KeptConnections:
    """Connections that nobody uses, by the origin that they lead to. They leave when they are closed or too old."""

    def __init__(self) -> None:
        self._of: dict[Origin, list[Connection]] = {}
        #: In the order in which they were put back; since when (the loop's clock), and whereto.
        self._since: OrderedDict[Connection, tuple[float, Origin]] = OrderedDict()
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closed = False

    def take(self, origin: Origin) -> Connection | None:
        """The one that was used last, None where there is none. It may have been closed without our knowing it yet."""
        while lines := self._of.get(origin):
            connection = self._remove(lines[-1])
            if connection.is_open:
                return connection
        return None

    def put_back(self, connection: Connection, origin: Origin) -> None:
        """Keep a connection, if it is open."""
        if self._is_closed:
            connection.abort()
        if not connection.is_open:
            return
        loop = asyncio.get_running_loop()
        self._since[connection] = (loop.time(), origin)
        self._of.setdefault(origin, []).append(connection)
        connection.on_lost = self._remove
        if len(self._since) > _MAX_KEPT:
            self._remove(next(iter(self._since))).abort()
        if self._sweep is None:
            self._sweep = loop.call_later(_KEPT_S, self._close_old)

    def close(self) -> None:
        """Close them all, and those that are put back from now on."""
        self._is_closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in list(self._since):
            self._remove(connection).abort()

    def _close_old(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep = None
        while self._since:
            oldest, (since, _) = next(iter(self._since.items()))
            if (old_at := since + _KEPT_S) > loop.time():
                self._sweep = loop.call_at(old_at, self._close_old)
                return
            self._remove(oldest).abort()

    def _remove(self, connection: Connection) -> Connection:
        connection.on_lost = None
        _, origin = self._since.pop(connection)
        lines = self._of[origin]
        lines.remove(connection)
        if not lines:
            del self._of[origin]
        return connection
