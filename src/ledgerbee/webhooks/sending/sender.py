"""One attempt of a delivery over HTTP: what is sent, and what came of it in words for the log.

Receivers are strangers. What they answer is read up to a limit and never followed, how long they take is bounded, and
the words tell nothing of the network that we are in.
"""

import asyncio
import codecs
import re
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, cast

import httpcore

from ledgerbee import __version__
from ledgerbee.webhooks.deliveries.model import MAX_ANSWER
from ledgerbee.webhooks.sending.backend import MAX_READ, AnswerTooLongError, CheckedBackend
from ledgerbee.webhooks.sending.targets import LookUp, Target, TargetRefusedError, look_up, parse_target

#: Seconds for a whole attempt: name, connection, TLS, request and answer.
DEADLINE_S: Final = 15.0
#: The most that `Retry-After` is taken to ask for.
_MAX_RETRY_AFTER: Final = timedelta(days=1)
#: Seconds that a connection is kept without being used, and how many are.
_KEPT_S: Final = 15.0
_MAX_KEPT: Final = 64
#: Parts of a body that are read: whoever sends it byte by byte has the connection closed.
_MAX_PARTS: Final = 128

_FIELDS: Final = {
    "user-agent": f"ledgerbee-webhooks/{__version__}",
    "content-type": "application/json",
    "accept": "*/*",
    "accept-encoding": "identity",
}
_SECONDS: Final = re.compile(r"[0-9]+")

#: What sending raises: what networks and receivers do, and a request that can't be written.
_FAULTS: Final = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    AnswerTooLongError,
    TargetRefusedError,
    UnicodeError,
    OSError,
)
#: How a connection shows that the other side has closed it.
_CLOSED: Final = (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What came of one attempt.

    `status` is that of the answer as soon as its head was read, whatever becomes of its body; then there is no `error`.
    Without an answer `error` says why, in words. `answer` is the start of the body, at most `MAX_ANSWER` bytes of it,
    as text without NUL; None where there is none. `retry_after` is what the answer asks for, a day at most.
    """

    status: int | None
    duration_ms: int
    answer: str | None
    error: str | None
    retry_after: timedelta | None


@dataclass(slots=True)
class _Seen:
    """What has been seen of an answer so far: it stays when the deadline cuts the rest off."""

    status: int | None = None
    retry_after: timedelta | None = None
    body: bytearray = field(default_factory=bytearray)
    is_connected: bool = False


@dataclass(slots=True, eq=False)
class _Line:
    """A connection to an origin: scheme, host and port."""

    origin: tuple[str, str, int]
    backend: CheckedBackend
    http: httpcore.AsyncHTTPConnection


class Sender:
    """Posts to receivers, many at a time, over connections that are kept for a while. For one event loop.

    `ssl_context`: None for one that verifies by the machine's authorities and those of `certifi`.
    """

    def __init__(
        self,
        *,
        deadline_s: float = DEADLINE_S,
        ssl_context: ssl.SSLContext | None = None,
        look_up: LookUp = look_up,
    ) -> None:
        self._deadline_s = deadline_s
        self._ssl_context = ssl_context or httpcore.default_ssl_context()
        self._look_up = look_up
        self._kept = _KeptLines()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchange:
        """POST `body` (JSON) to `url`, under `headers` beside those of every delivery. Raises nothing but cancellation.

        The deadline is over everything from the name to the end of the answer. Once the head of an answer is there its
        status counts, though the body is cut off, broken or without an end: a receiver that said 2xx has the delivery.
        Redirects aren't followed: a 3xx is a status like others. Where a kept connection turns out to be closed before
        anything was answered, the request is sent once more over a fresh one.
        """
        began = time.monotonic()
        seen, error = _Seen(), None
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._exchange(parse_target(url), headers, body, seen)
        except TimeoutError:
            what = "No answer" if seen.is_connected else "No connection"
            error = f"{what} within {self._deadline_s:g} seconds"
        except _FAULTS as fault:
            error = _words(fault, is_connected=seen.is_connected)
        return Exchange(
            status=seen.status,
            duration_ms=round((time.monotonic() - began) * 1000),
            answer=_text(seen.body),
            error=error if seen.status is None else None,
            retry_after=seen.retry_after,
        )

    async def close(self) -> None:
        """Close the connections that are kept; those in use are closed after their exchange."""
        await self._kept.close()

    async def _exchange(self, target: Target, headers: Mapping[str, str], body: bytes, seen: _Seen) -> None:
        origin = (target.scheme, target.host, target.port)
        request = httpcore.Request(
            "POST",
            httpcore.URL(
                scheme=target.scheme.encode(),
                host=target.host.encode(),
                port=target.port,
                target=target.path.encode(),
            ),
            headers=_fields(target, headers, body),
            content=body,
            extensions={"timeout": {"connect": self._deadline_s}},
        )
        kept = await self._kept.take(origin)
        if kept is not None:
            try:
                if await self._ask(kept, request, seen):
                    return
            except _CLOSED:
                if not kept.backend.reading.is_empty:
                    raise
        backend = CheckedBackend(is_plain=target.is_plain, look_up=self._look_up)
        http = httpcore.AsyncHTTPConnection(
            request.url.origin, self._ssl_context, keepalive_expiry=_KEPT_S, network_backend=backend
        )
        await self._ask(_Line(origin, backend, http), request, seen)

    async def _ask(self, line: _Line, request: httpcore.Request, seen: _Seen) -> bool:
        """Send a request and read the answer; False where that was what an earlier answer had left over.

        Nothing was read then since the request was sent: an answer that was longer than its length said.
        """
        try:
            answer = await line.http.handle_async_request(request)
            if line.backend.reading.is_empty:
                return False
            seen.retry_after = _retry_after(answer.headers)
            seen.status = answer.status
            if await _read_body(answer, seen.body):
                await answer.aclose()
        finally:
            seen.is_connected = line.backend.reading.is_connected
            await self._kept.put_back(line)
        return True


class _KeptLines:
    """Connections that nobody uses: of each origin, and all in the order in which they were put back."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str, int], list[_Line]] = {}
        self._in_order: OrderedDict[_Line, float] = OrderedDict()
        self._is_closed = False

    async def take(self, origin: tuple[str, str, int]) -> _Line | None:
        """The one that was used last, as far as anybody can tell still open; None where there is none."""
        while lines := self._of.get(origin):
            line = self._remove(lines[-1])
            if not line.http.has_expired():
                return line
            await line.http.aclose()
        return None

    async def put_back(self, line: _Line) -> None:
        """Keep a connection whose exchange has come to its end, close any other; and those that are kept too long."""
        if self._is_closed or not line.http.is_available():
            await line.http.aclose()
            return
        now = time.monotonic()
        self._in_order[line] = now
        self._of.setdefault(line.origin, []).append(line)
        while True:
            oldest, since = next(iter(self._in_order.items()))
            if len(self._in_order) <= _MAX_KEPT and now - since <= _KEPT_S:
                break
            await self._remove(oldest).http.aclose()

    async def close(self) -> None:
        self._is_closed = True
        for line in list(self._in_order):
            await self._remove(line).http.aclose()

    def _remove(self, line: _Line) -> _Line:
        del self._in_order[line]
        lines = self._of[line.origin]
        lines.remove(line)
        if not lines:
            del self._of[line.origin]
        return line


def _fields(target: Target, headers: Mapping[str, str], body: bytes) -> list[tuple[bytes, bytes]]:
    """The fields of a request's head; h11 refuses to write values with line breaks. Raises `UnicodeError`."""
    fields = {**headers, **_FIELDS, "host": target.authority, "content-length": str(len(body))}
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in fields.items()]


async def _read_body(answer: httpcore.Response, start: bytearray) -> bool:
    """Read the body, its first `MAX_ANSWER` bytes into `start`. Whether that was all of it; if not, it's closed."""
    stream = aiter(cast("AsyncIterable[bytes]", answer.stream))
    async with aclosing(cast("AsyncGenerator[bytes, None]", stream)) as parts:
        count = 0
        async for part in parts:
            start += part[: MAX_ANSWER - len(start)]
            count += 1
            if count == _MAX_PARTS:
                return False
    return True


def _retry_after(headers: list[tuple[bytes, bytes]]) -> timedelta | None:
    """What `Retry-After` asks for: seconds, or a moment (RFC 9110 10.2.3). None for what is neither."""
    text = next((value.decode("latin-1") for name, value in headers if name.lower() == b"retry-after"), None)
    if text is None:
        return None
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=min(int(text[:10]), _MAX_RETRY_AFTER.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
        wait = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta()), _MAX_RETRY_AFTER)


def _text(body: bytearray) -> str | None:
    """As text that can be stored; a character that the end was cut out of is left out."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return decoder.decode(bytes(body), final=len(body) < MAX_ANSWER).replace("\0", "\ufffd") or None


def _words(fault: Exception, *, is_connected: bool) -> str:
    """What went wrong, for whoever entered the URL: no address, nothing of ours."""
    causes = list(_chain(fault))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: the certificate is not accepted: {cause.verify_message.rstrip('.')}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {(cause.reason or 'unknown').replace('_', ' ').lower()}"
    match fault:
        case TargetRefusedError():
            words = f"Not sent: the URL {fault}"
        case AnswerTooLongError():
            words = f"The head of the answer is longer than {MAX_READ // 1024} KiB"
        case httpcore.LocalProtocolError() | UnicodeError():
            words = "Not sent: a header can't be written"
        case httpcore.RemoteProtocolError() if fault.__cause__ is not None:
            words = "The answer is not HTTP"
        case httpcore.ConnectTimeout():
            words = "No connection in time"
        case _ if is_connected:
            words = "The receiver closed the connection without a complete answer"
        case _ if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            words = "The receiver refused the connection"
        case _:
            words = "The receiver can't be reached"
    return words


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__
