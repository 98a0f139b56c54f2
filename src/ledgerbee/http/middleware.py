"""The outermost layer of HTTP: request ids, limits, CORS, headers that many answers share, metrics, the access log.

Plain ASGI, because it runs for every request and has to cost next to nothing.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledgerbee.core.dates import Clock, format_moment
from ledgerbee.core.errors import LedgerBeeError, invalid, refuse
from ledgerbee.core.ids import new_id
from ledgerbee.http.body_limits import LARGE_BODY, SMALL_BODY
from ledgerbee.http.body_room import BodyRoom, Place
from ledgerbee.http.envelope import (
    INTERNAL_ERROR,
    PAYLOAD_TOO_LARGE,
    REQUEST_TIMEOUT,
    SERVER_STOPPING,
    UNSUPPORTED_MEDIA_TYPE,
    error_response,
)
from ledgerbee.http.operation import Operation, operation_of
from ledgerbee.http.pieces import WITHOUT_BODY
from ledgerbee.http.query import take_keys
from ledgerbee.platform.credentials.model import Principal
from ledgerbee.platform.logs import log_request, printable

#: Asked all the time by machines: their answers are logged when they are no success.
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
#: Logged and counted where the client left before its answer.
_CLIENT_LEFT: Final = 499
#: They take forms, and refuse other bodies as RFC 6749 has it.
_OAUTH_ENDPOINTS: Final = frozenset({"/api/v1/auth/token", "/api/v1/oauth/revoke"})
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EXPOSED: Final = (
    "X-Request-Id, X-API-Key-Expires-At, X-Rate-Limit-Remaining, X-Rate-Limit-Reset, Idempotent-Replayed, "
    "Deprecation, Sunset, Link, Retry-After, Content-Disposition"
)
#: On every answer that has no such header of its own.
SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
#: Header fields that say who calls, and what for. Of two, which is meant?
_ONCE: Final = (b"x-api-key", b"authorization", b"x-api-idempotency-key")
_OF_CONTENT: Final = frozenset({b"content-type", b"content-length"})
#: What a page of ours may do: its own scripts and styles, nothing from elsewhere.
PAGE_SECURITY_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
)

REQUESTS: Final = Counter("ledgerbee_http_requests_total", "Requests answered", ["method", "route", "status"])
DURATION: Final = Histogram(
    "ledgerbee_http_request_duration_seconds",
    "Time to answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

log = structlog.get_logger("ledgerbee.http")


class Shell:
    """Wraps `app`, whose `routes` it knows. `allowed_origins` are the origins whose browsers may call (`*` = any).

    `recognize` tells whose API key a request shows that the edge never saw (`Edge.recognize`).
    `max_stream_bytes` is the limit of bodies that their operation reads as they come in.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Sequence[BaseRoute],
        clock: Clock,
        recognize: Callable[[Request], Awaitable[Principal | None]],
        allowed_origins: tuple[str, ...],
        max_stream_bytes: int = LARGE_BODY,
    ) -> None:
        self.app = app
        self.routes = routes
        self.clock = clock
        self.recognize = recognize
        self.max_stream_bytes = max_stream_bytes
        self.room = BodyRoom()
        #: Media types of the addresses that take more than JSON of the usual length, by method and path.
        self.streams = {
            (method, route.path): facts.streams
            for route in routes
            if isinstance(route, Route) and (facts := operation_of(route)) is not None and facts.streams
            for method in route.methods or ()
        }
        #: Limits of bodies, by method and path, where they are below the usual one.
        self.short_bodies = {
            (method, route.path): facts.max_body
            for route in routes
            if isinstance(route, Route) and (facts := operation_of(route)) is not None and facts.max_body < SMALL_BODY
            for method in route.methods or ()
        }
        self.allowed_origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request; anything unforeseen becomes a 500 that names the request and nothing else."""
        if scope["type"] == "http":
            await _Exchange(self, scope, receive, send).run()
        else:
            await self.app(scope, receive, send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, shell: Shell, scope: Scope, receive: Receive, send: Send) -> None:
        self.shell = shell
        self.method: str = scope["method"]
        # HEAD is GET whose body stays here (RFC 9110, 9.3.2); the server keeps its own view of the request.
        self.scope = {**scope, "method": "GET", WITHOUT_BODY: True} if self.method == "HEAD" else scope
        scope = self.scope
        self._receive = receive
        self._send = send
        self.headers = dict(scope["headers"])
        given = self.headers.get(b"x-request-id", b"").decode("latin-1")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else new_id().hex
        scope["ledgerbee.request_id"] = self.request_id
        # Whatever logs, traces or repeats the address from here on, inside or outside of us, has no secret to show.
        scope["query_string"], keys = take_keys(scope.get("query_string", b""))
        scope["ledgerbee.query_key"] = (keys[0] if keys else None) or None
        self.has_more_keys = len(keys) > 1
        self.max_bytes = shell.short_bodies.get((scope["method"], scope["path"]), SMALL_BODY)
        self.status = 0
        self.complete = False
        self.received = 0
        self.streams = False
        self.left = False
        self.place: Place | None = None
        self.started = time.perf_counter()

    async def run(self) -> None:
        """Answer in any case: what leaves here unanswered gets the server's own plain text."""
        try:
            await self._run()
        except (Exception, asyncio.CancelledError) as fault:
            task = asyncio.current_task()
            told = SERVER_STOPPING.error()
            if isinstance(fault, LedgerBeeError) and self.status:
                log.warning("answer.broken_off", request_id=self.request_id, code=fault.code)
            elif not (isinstance(fault, asyncio.CancelledError) and task and task.cancelling()):
                log.exception("request.failed", request_id=self.request_id, path=printable(self.scope["path"]))
                told = INTERNAL_ERROR.error(requestId=self.request_id)
            if self.status:
                if not self.complete:
                    raise  # the server has to break the connection: half an answer must not look whole
                return
            self.scope.setdefault("ledgerbee.principal", None)  # no more questions to the database
            await self._refuse(told)
        finally:
            if self.place is not None:
                self.place.leave()
            self._record()

    async def _run(self) -> None:
        try:
            self._check()
            if self.scope["method"] == "OPTIONS" and b"access-control-request-method" in self.headers:
                await self._answer_preflight()
            else:
                await self.shell.app(self.scope, self.receive, self.send)
        except LedgerBeeError as fault:
            if self.status:  # of an answer in pieces
                raise
            await self._refuse(fault)
        except ClientDisconnect:
            self.left = True
        if not self.status and not self.left:
            raise RuntimeError("the request was not answered")

    def _check(self) -> None:
        if self.has_more_keys:
            raise invalid(("x-api-key", "arrayMaxSize", "x-api-key must not be given more than once"))
        if len(self.headers) < len(self.scope["headers"]):
            given = [name for name, _ in self.scope["headers"]]
            refuse(
                [
                    (field, "arrayMaxSize", f"{field} must not be given more than once")
                    for name in _ONCE
                    if given.count(name) > 1
                    for field in [name.decode()]
                ]
            )
        query: bytes = self.scope.get("query_string", b"")
        raw_path: bytes = self.scope.get("raw_path") or b""
        if b"%" in query or b"%" in raw_path:
            for part in (query, raw_path):
                text = unquote_to_bytes(part.replace(b"+", b" "))
                try:
                    readable = b"\x00" not in text and bool(text.decode("utf-8") or True)
                except UnicodeDecodeError:
                    readable = False
                if not readable:
                    raise invalid(("", "isText", "the address must be UTF-8 without NUL characters"))
        self._check_body()

    def _check_body(self) -> None:
        """Refuse a body by what the header says of it."""
        length = self.headers.get(b"content-length", b"0")
        size = int(length) if length.isdigit() else 0
        media_type = self.headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        taken = self.shell.streams.get((self.scope["method"], self.scope["path"]))
        if taken is not None:
            self.streams = True
            self.max_bytes = self.shell.max_stream_bytes
            if media_type.decode("latin-1") not in taken:
                raise UNSUPPORTED_MEDIA_TYPE.error(f"The body must be {', '.join(taken)}")
            self._check_coding(size)
        elif self._is_foreign(media_type, size) or size > SMALL_BODY or b"content-encoding" in self.headers:
            operation = self._operation()
            if operation is None:
                return  # no such route or method: whatever the body is, that is the answer
            self.max_bytes = operation.max_body
            if self._is_foreign(media_type, size):
                raise UNSUPPORTED_MEDIA_TYPE.error()
            self._check_coding(size)
        if size > self.max_bytes:
            raise PAYLOAD_TOO_LARGE.error(maxBytes=self.max_bytes)

    def _check_coding(self, size: int) -> None:
        """Refuse a body that is compressed: read as it is, it would be told to be malformed (RFC 9110, 15.5.16)."""
        coding = self.headers.get(b"content-encoding", b"").strip().lower()
        if coding not in {b"", b"identity"} and self._has_body(size):
            raise UNSUPPORTED_MEDIA_TYPE.error("The body must not be compressed: leave Content-Encoding out")

    def _has_body(self, size: int) -> bool:
        return size > 0 or b"transfer-encoding" in self.headers

    def _is_foreign(self, media_type: bytes, size: int) -> bool:
        """Whether there is a body of a type that isn't taken here."""
        return (
            media_type != b"application/json"
            and self._has_body(size)
            and self.scope["method"] in {"POST", "PATCH", "PUT"}
            and self.scope["path"] not in _OAUTH_ENDPOINTS
        )

    def _operation(self) -> Operation | None:
        """What is asked for, as far as the address and the method tell; None where nothing is."""
        for route in self.shell.routes:
            if route.matches(self.scope)[0] is Match.FULL:
                return operation_of(route)
        return None

    def _find_route(self) -> None:
        """A refusal ahead of the routing is still an answer of the operation that was asked for."""
        if "route" not in self.scope:
            for route in self.shell.routes:
                match, found = route.matches(self.scope)
                if match is Match.FULL:
                    self.scope.update(found, route=route)
                    return

    async def receive(self) -> Message:
        if self.place is None:
            message = await self._receive()
        else:
            try:
                async with asyncio.timeout_at(self.place.until):
                    message = await self._receive()
            except TimeoutError:
                raise REQUEST_TIMEOUT.error() from None
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            if self.received > SMALL_BODY and not self.streams and self.place is None:
                await self._take_place(has_more=message.get("more_body", False))
            if self.received > self.max_bytes:
                raise PAYLOAD_TOO_LARGE.error(maxBytes=self.max_bytes)
        elif not self.complete:
            self.left = True
        return message

    async def _take_place(self, *, has_more: bool) -> None:
        """Large bodies come in as far as there is room for them."""
        operation = self._operation()
        self.max_bytes = operation.max_body if operation is not None else SMALL_BODY
        if self.received <= self.max_bytes:
            principal: Principal | None = self.scope.get("ledgerbee.principal")
            owner = principal.company_id if principal is not None else None
            length = self.headers.get(b"content-length", b"")
            size = int(length) if length.isdigit() else self.max_bytes if has_more else self.received
            self.place = await self.shell.room.enter(owner, min(size, self.max_bytes))

    async def send(self, message: Message) -> None:
        if self.left:
            return
        if message["type"] == "http.response.start":
            expires_at = await self._expiry_of_key()
            self.status = message["status"]
            headers = message.setdefault("headers", [])
            if self.status == 204:  # no content has neither a type nor a length (RFC 9110, 8.6)
                headers[:] = [header for header in headers if header[0] not in _OF_CONTENT]
            headers.append((b"x-request-id", self.request_id.encode()))
            present = {name for name, _ in headers}
            headers.extend(header for header in SECURITY_HEADERS if header[0] not in present)
            operation = operation_of(self.scope.get("route"))
            if operation and operation.deprecation:
                headers.extend(operation.deprecation.headers(self.scope.get("path_params", {})))
            if expires_at is not None:
                headers.append((b"x-api-key-expires-at", format_moment(expires_at).encode()))
            if b"origin" in self.headers:
                self._allow_origin(MutableHeaders(raw=headers))
        elif not message.get("more_body", False):
            self.complete = True
        if self.method == "HEAD" and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    async def _expiry_of_key(self) -> datetime | None:
        """When the API key of the request expires (contract 1.2). What the edge never saw, it is asked about now."""
        if "ledgerbee.principal" not in self.scope:
            self.scope["ledgerbee.principal"] = None  # asked once, whatever comes of it
            if self.scope["path"].startswith("/api/"):
                self.scope["ledgerbee.principal"] = await self.shell.recognize(Request(self.scope))
        principal: Principal | None = self.scope["ledgerbee.principal"]
        return principal.expires_at if principal is not None and principal.kind == "api_key" else None

    def _allow_origin(self, headers: MutableHeaders) -> None:
        origin = self.headers[b"origin"].decode("latin-1")
        if "*" in self.shell.allowed_origins:
            headers["Access-Control-Allow-Origin"] = "*"
        elif origin in self.shell.allowed_origins:
            headers["Access-Control-Allow-Origin"] = origin
            headers.add_vary_header("Origin")
        else:
            return
        headers["Access-Control-Expose-Headers"] = _EXPOSED

    async def _answer_preflight(self) -> None:
        start = {
            "type": "http.response.start",
            "status": 204,
            "headers": [
                (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
                (b"access-control-allow-headers", b"authorization, content-type, x-api-key, x-api-idempotency-key"),
                (b"access-control-max-age", b"600"),
            ],
        }
        await self.send(start)
        await self._send({"type": "http.response.body", "body": b""})

    async def _refuse(self, fault: LedgerBeeError) -> None:
        if not self.status:
            self._find_route()
            response = error_response(Request(self.scope), fault, self.shell.clock())
            await response(self.scope, self._receive, self.send)

    def _record(self) -> None:
        # The route's template, never the address itself: ids and search terms stay out of metrics.
        route = getattr(self.scope.get("route"), "path", "unmatched")
        seconds = time.perf_counter() - self.started
        method = self.method if self.method in _METHODS else "OTHER"
        refusal: LedgerBeeError | None = self.scope.get("ledgerbee.refused")
        gone = refusal.status if refusal is not None else _CLIENT_LEFT
        status = gone if self.left else self.status or INTERNAL_ERROR.status
        requests, duration = _meters(method, route, status)
        requests.inc()
        duration.observe(seconds)
        if self.scope["path"] not in _PROBES or status >= 400:
            log_request(self.request_id, method, self.scope["path"], status, int(seconds * 1000))


@lru_cache(maxsize=4096)
def _meters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """The two metrics of a kind of request: looking a label up costs more than counting."""
    return REQUESTS.labels(method, route, status), DURATION.labels(method, route)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
