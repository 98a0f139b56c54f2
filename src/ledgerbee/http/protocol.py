"""HTTP/1.1 on one connection: uvicorn's protocol with limits of its own, so that no proxy has to set them.

Bounds the request line, the header, trailers, the time that a header or a body takes, the time that an answer takes
to be read, and (`ConnectionLimiter`) connections. A request that is answered before its body has come is answered with
`Connection: close`; what still comes is read and thrown away for a while. Were the connection closed at once, the
kernel would answer what comes in with a reset, and the client's would drop the answer unread.
"""

import asyncio
import json
import sys
from typing import Any, Final, cast
from uuid import UUID

import httptools
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from ledgerbee.core.dates import system_clock
from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.ids import new_id
from ledgerbee.http.connection_limits import ConnectionLimiter, Phase
from ledgerbee.http.envelope import HEADER_TOO_LARGE, REQUEST_TIMEOUT, TOO_MANY_CONNECTIONS, URI_TOO_LONG, envelope
from ledgerbee.http.metrics import REQUESTS
from ledgerbee.http.response_headers import SECURITY_HEADERS
from ledgerbee.http.state import state_of
from ledgerbee.platform.logs import log_request

#: Bytes of the request line's address; of a header (or the trailers) in all; header fields.
MAX_ADDRESS: Final = 16 * 1024
MAX_HEADER: Final = 64 * 1024
MAX_FIELDS: Final = 200
#: Bytes a second that a body has to come in with at least, on the average of a window.
MIN_RATE: Final = 500
#: How much is read and thrown away after an early answer, how long at most, and how long a client may pause there.
MAX_DISCARDED: Final = 64 * 1024 * 1024
_DISCARD_S: Final = 60.0
_DISCARD_PAUSE_S: Final = 5.0
#: How long what a client sends is thrown away where it has no connection in the first place.
_REFUSED_S: Final = 1.0
#: Seconds in which a client has to take some of an answer that waits for it.
_STALLED_S: Final = 60.0

_MALFORMED: Final = invalid(("", "isHttp", "the request must be valid HTTP/1.1"))
_HOST: Final = invalid(("Host", "isHttp", "the request must have one Host header"))


class _RefusedError(Exception):
    """Raised in a callback of the parser, which stops there."""

    def __init__(self, fault: LedgerBeeError) -> None:
        super().__init__(fault.message)
        self.fault = fault


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, limiter: ConnectionLimiter, /, **options: Any) -> None:
        super().__init__(**options)
        self.limiter = limiter
        self.share = ""
        self.phase = Phase.NEW
        self.since = self.loop.time()
        self._header_bytes = 0
        self._fields = 0
        self._body_bytes = 0
        self._window_bytes = 0
        self._gap_bytes = 0
        #: Whether a header's end or some of a body was in the block that is being parsed.
        self._has_progress = False
        self._discarded = 0
        self._discard_until = 0.0
        self._refusal: LedgerBeeError | None = None
        #: The answer has said `Connection: close` before the request was here; or the rest isn't worth parsing.
        self._closes_after_response = False
        self._unsent = 0
        self._unsent_since = 0.0

    # The transport's callbacks

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        refusal = self.limiter.admit(self)
        if refusal is not None:
            self._refuse(refusal)
            self._discard_until = self.since + _REFUSED_S

    def connection_lost(self, exc: Exception | None) -> None:
        self.limiter.release(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client: parsed within the limits, or thrown away."""
        if self._closes_after_response and self.phase is not Phase.BODY:
            self._discard(len(data))
            return
        self._unset_keepalive_if_required()
        if self.phase in {Phase.NEW, Phase.IDLE}:
            # Also at a stray line end, which the parser skips: it must not keep a connection for ever.
            self._begin_header()
        if self.phase is Phase.HEADER:
            self._header_bytes += len(data)
        self._has_progress = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return  # nothing else is spoken here; the answer closes the connection
        except httptools.HttpParserError:
            self._refuse(self._refusal or _MALFORMED)
            return
        if self.phase is Phase.BODY:
            # Between the pieces of a body may be a good deal (extensions, trailers), but not without end.
            self._gap_bytes = 0 if self._has_progress else self._gap_bytes + len(data)
        if (self.phase is Phase.HEADER and self._header_bytes > MAX_HEADER) or self._gap_bytes > MAX_HEADER:
            self._refuse(HEADER_TOO_LARGE.error(maxBytes=MAX_HEADER))

    # The parser's callbacks. What they raise, the parser raises again as its own.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.phase is not Phase.HEADER:
            self._begin_header()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_ADDRESS:
            self._stop_parsing(URI_TOO_LONG.error(maxBytes=MAX_ADDRESS))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field, or one after a chunked body: such a one is not for the application."""
        self._fields += 1
        self._header_bytes += len(name) + len(value) if self.phase is Phase.BODY else 0
        if self._fields > MAX_FIELDS:
            self._stop_parsing(HEADER_TOO_LARGE.error(maxFields=MAX_FIELDS))
        if self._header_bytes > MAX_HEADER and self.phase is Phase.BODY:
            self._stop_parsing(HEADER_TOO_LARGE.error(maxBytes=MAX_HEADER))
        if self.phase is not Phase.BODY:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The header is here: the request starts."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEADER:
            self._stop_parsing(HEADER_TOO_LARGE.error(maxBytes=MAX_HEADER))
        version = self.parser.get_http_version()
        if version not in {"1.0", "1.1"}:
            self._stop_parsing(_MALFORMED)
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts != 1 and (hosts or version == "1.1"):
            self._stop_parsing(_HOST)
        super().on_headers_complete()
        if self.parser.should_upgrade():
            self.cycle.keep_alive = False
        self._enter(Phase.BODY)
        self._header_bytes = self._body_bytes = self._window_bytes = self._gap_bytes = 0
        self._has_progress = True

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._has_progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._gap_bytes = 0
        self._enter(Phase.ANSWER)

    # Answers

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:  # type: ignore[override]
        def count_incoming_body(company: UUID | None, client: str) -> None:
            """The caller is known. Raises `TOO_MANY_CONNECTIONS`."""
            if cycle.more_body and self.phase is Phase.BODY:
                self.limiter.count_incoming_body(self, company, client)

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            state_of(scope).count_incoming_body = count_incoming_body

            async def answer(message: Message) -> None:
                if cycle.scope["http_version"] == "1.0":
                    _end_with_connection(cycle, message)
                if cycle.more_body and message["type"] == "http.response.start":
                    self._closes_after_response = True
                    await send({**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]})
                    cycle.keep_alive = True  # the end of the connection is ours (`on_response_complete`)
                else:
                    await send(message)

            await app(scope, receive, answer)

        super()._start_asgi_task(cycle, run)  # type: ignore[arg-type]

    def on_response_complete(self) -> None:
        if self._closes_after_response:
            self.server_state.total_requests += 1
            self._linger()
            return
        super().on_response_complete()
        if self.phase is Phase.ANSWER and self.cycle.response_complete:  # none of several sent at once is left
            self._enter(Phase.IDLE)

    # Limits

    def check_timeouts(self, now: float) -> None:
        """End the connection if it keeps the process waiting for too long."""
        if self._is_reader_stalled(now):
            self.transport.abort()
        elif self.phase is Phase.DISCARD:
            if now > self._discard_until or now - self.since > _DISCARD_PAUSE_S:
                self.drop()
        elif self.flow.read_paused:
            self._begin_window(now)  # it is we who don't read
        elif self.phase is Phase.NEW:
            if now - self.since > self.limiter.limits.header_timeout:
                self.drop()
        elif self.phase is Phase.HEADER:
            if now - self.since > self.limiter.limits.header_timeout:
                self._refuse(REQUEST_TIMEOUT.error())
        elif self.phase is Phase.BODY:
            self._check_body_rate(now)

    def drop(self) -> None:
        """End the connection without a word."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # it would wait for a client that takes nothing
        else:
            self.transport.close()

    def refuse_body(self) -> None:
        """Refuse the request whose body is coming in, in favour of another."""
        self._refuse(TOO_MANY_CONNECTIONS.error())

    def _check_body_rate(self, now: float) -> None:
        window = self.limiter.limits.body_timeout
        if self.cycle.waiting_for_100_continue:
            self._begin_window(now)
        elif now - self.since >= window:
            if self._body_bytes - self._window_bytes < MIN_RATE * window:
                self._refuse(REQUEST_TIMEOUT.error())
            else:
                self._begin_window(now)

    def _begin_window(self, now: float) -> None:
        self.since = now
        self._window_bytes = self._body_bytes

    def _is_reader_stalled(self, now: float) -> bool:
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent < self._unsent or not self._unsent:
            self._unsent, self._unsent_since = unsent, now
            return False
        self._unsent = unsent
        return now - self._unsent_since > _STALLED_S

    def _enter(self, phase: Phase) -> None:
        if self.phase is Phase.BODY:
            self.limiter.forget_incoming_body(self)
        self.phase = phase
        self.since = self.loop.time()

    def _begin_header(self) -> None:
        self._enter(Phase.HEADER)
        self._header_bytes = self._fields = 0

    def _stop_parsing(self, fault: LedgerBeeError) -> None:
        self._refusal = fault
        raise _RefusedError(fault)

    def _refuse(self, fault: LedgerBeeError) -> None:
        """Answer what never became a request of the application, and hang up."""
        self._closes_after_response = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                # An earlier request is being answered: what came after it goes with the connection, unread.
                self.phase = Phase.ANSWER
                self.flow.pause_reading()
                return
            state = state_of(cast("Scope", cycle.scope))
            state.refusal = fault  # its client was answered
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.abort()  # half an answer must not look whole
                return
            self._write(fault, state.request_id, cycle.scope["path"])
        else:
            path = self.url.partition(b"?")[0].decode("latin-1") if self.phase is Phase.HEADER and self.headers else ""
            request_id = new_id().hex
            self._write(fault, request_id, path)
            REQUESTS.labels("OTHER", "unmatched", fault.status).inc()
            log_request(request_id, "OTHER", path, fault.status, 0)
        self._linger()

    def _write(self, fault: LedgerBeeError, request_id: str, path: str) -> None:
        body = json.dumps(envelope(path, fault, system_clock())).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            (b"x-request-id", (request_id or new_id().hex).encode()),
            *SECURITY_HEADERS,
        ]
        if fault.status == TOO_MANY_CONNECTIONS.status:
            headers.append((b"retry-after", b"1"))
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[fault.status] + head + b"\r\n" + body)

    def _linger(self) -> None:
        """Say that nothing more will come, and read on until the client has nothing more to say either."""
        if self.transport.is_closing():
            return
        self.pipeline.clear()
        self._unset_keepalive_if_required()
        self._enter(Phase.DISCARD)
        self._discard_until = self.since + _DISCARD_S
        self.transport.write_eof()
        self.flow.resume_reading()

    def _discard(self, size: int) -> None:
        self.since = self.loop.time()
        self._discarded += size
        if self._discarded > MAX_DISCARDED:
            self.drop()


def _end_with_connection(cycle: RequestResponseCycle, message: Message) -> None:
    """For an answer to HTTP/1.0 whose length isn't known: there are no chunks, its end is that of the connection."""
    if message["type"] == "http.response.start":
        if all(name != b"content-length" for name, _ in message.get("headers", ())):
            cycle.chunked_encoding = cycle.keep_alive = False
            cycle.expected_content_length = sys.maxsize
    elif not message.get("more_body", False) and cycle.expected_content_length > sys.maxsize // 2:
        cycle.expected_content_length = len(message.get("body", b""))
