"""The middleware of every request: request ids, limits, headers that many answers share, metrics, the access log.

Plain ASGI, because it runs for every request and has to cost next to nothing.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledgerbee.core.dates import Clock, format_moment
from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.ids import new_id
from ledgerbee.http.body_limits import LARGE_BODY, SMALL_BODY
from ledgerbee.http.body_room import BodyRoom, Place
from ledgerbee.http.dispatch import RouteTable
from ledgerbee.http.envelope import (
    INTERNAL_ERROR,
    PAYLOAD_TOO_LARGE,
    REQUEST_TIMEOUT,
    SERVER_STOPPING,
    error_response,
)
from ledgerbee.http.head_checks import check_address, check_body, check_fields
from ledgerbee.http.metrics import record_request
from ledgerbee.http.query import take_keys
from ledgerbee.http.response_headers import PREFLIGHT_HEADERS, SECURITY_HEADERS, CorsPolicy
from ledgerbee.http.route import operation_of
from ledgerbee.http.state import state_of
from ledgerbee.platform.credentials.model import Principal
from ledgerbee.platform.logs import printable

#: Logged and counted where the client left before its answer.
_CLIENT_LEFT: Final = 499
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OF_CONTENT: Final = frozenset({b"content-type", b"content-length"})

log = structlog.get_logger("ledgerbee.http")

#: Finds out whose API key a request shows that was answered before it was authenticated.
Identify = Callable[[Request], Awaitable[Principal | None]]


class HttpMiddleware:
    """Wraps `app`, whose `routes` it knows. `allowed_origins` are the origins whose browsers may call (`*` = any).

    `identify` is asked about a request that never came to the edge (`Authenticator.identify_rejected_request`).
    `max_stream_bytes` is the limit of bodies that their operation reads as they come in.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Iterable[BaseRoute],
        clock: Clock,
        identify: Identify,
        allowed_origins: tuple[str, ...],
        max_stream_bytes: int = LARGE_BODY,
    ) -> None:
        self.app = app
        self.routes = RouteTable(routes)
        self.clock = clock
        self.identify = identify
        self.cors = CorsPolicy(allowed_origins)
        self.max_stream_bytes = max_stream_bytes
        self.room = BodyRoom()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request; anything unforeseen becomes a 500 that names the request and nothing else."""
        if scope["type"] == "http":
            await _RequestCycle(self, scope, receive, send).run()
        else:
            await self.app(scope, receive, send)


class _RequestCycle:
    """One request and its answer."""

    def __init__(self, middleware: HttpMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        self.middleware = middleware
        self.state = state = state_of(scope)
        self.method: str = scope["method"]
        if self.method == "HEAD":
            # GET whose body stays here (RFC 9110, 9.3.2); the server keeps its own view of the request.
            state.is_head = True
            scope = {**scope, "method": "GET"}
        self.scope = scope
        self._receive = receive
        self._send = send
        self.headers = dict(scope["headers"])
        given = self.headers.get(b"x-request-id", b"").decode("latin-1")
        state.request_id = given if _REQUEST_ID.fullmatch(given) else new_id().hex
        # Whatever logs, traces or repeats the address from here on, inside or outside of us, has no secret to show.
        scope["query_string"], self.query_keys = take_keys(scope.get("query_string", b""))
        state.query_key = (self.query_keys[0] if self.query_keys else None) or None
        scope.update(middleware.routes.match(scope) or ())
        # A refusal ahead of the handler is still an answer of the operation that was asked for.
        self.operation = operation = operation_of(scope.get("route"))
        if operation is not None:
            state.max_body = middleware.max_stream_bytes if operation.streams else operation.max_body
        self.status = 0
        self.complete = False
        self.received = 0
        self.left = False
        self.place: Place | None = None
        self.started = time.perf_counter()

    async def run(self) -> None:
        """Answer in any case: what leaves here unanswered gets the server's own plain text."""
        try:
            await self._run()
        except (Exception, asyncio.CancelledError) as fault:
            task = asyncio.current_task()
            refusal = SERVER_STOPPING.error()
            if isinstance(fault, LedgerBeeError) and self.status:
                log.warning("answer.broken_off", request_id=self.state.request_id, code=fault.code)
            elif not (isinstance(fault, asyncio.CancelledError) and task and task.cancelling()):
                log.exception("request.failed", request_id=self.state.request_id, path=printable(self.scope["path"]))
                refusal = INTERNAL_ERROR.error(requestId=self.state.request_id)
            if self.status:
                if not self.complete:
                    raise  # the server has to break the connection: half an answer must not look whole
                return
            self.state.is_identified = True  # no more questions to the database
            await self._refuse(refusal)
        finally:
            if self.place is not None:
                self.place.leave()
            self._record()

    async def _run(self) -> None:
        try:
            self._check_head()
            if self.scope["method"] == "OPTIONS" and b"access-control-request-method" in self.headers:
                await self._answer_preflight()
            else:
                await self.middleware.app(self.scope, self.receive, self.send)
        except LedgerBeeError as fault:
            if self.status:  # of an answer in pieces
                raise
            await self._refuse(fault)
        except ClientDisconnect:
            self.left = True
        if not self.status and not self.left:
            raise RuntimeError("the request was not answered")

    def _check_head(self) -> None:
        if len(self.query_keys) > 1:
            raise invalid(("x-api-key", "arrayMaxSize", "x-api-key must not be given more than once"))
        check_fields(self.scope, self.headers)
        check_address(self.scope)
        if self.operation is not None:  # else whatever the body is, that there is no such route is the answer
            check_body(self.scope, self.headers, self.operation, self.state.max_body)

    async def receive(self) -> Message:
        """The next part of the body, within its limits."""
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
            if self.received > self.state.max_body:
                raise PAYLOAD_TOO_LARGE.error(maxBytes=self.state.max_body)
            if self.received > SMALL_BODY and self.place is None and not (self.operation and self.operation.streams):
                await self._take_place(has_more=message.get("more_body", False))
        elif not self.complete:
            self.left = True
        return message

    async def _take_place(self, *, has_more: bool) -> None:
        """Large bodies come in as far as there is room for them."""
        principal = self.state.principal
        owner = principal.company_id if principal is not None else None
        length = self.headers.get(b"content-length", b"")
        size = int(length) if length.isdigit() else self.state.max_body if has_more else self.received
        self.place = await self.middleware.room.enter(owner, min(size, self.state.max_body))

    async def send(self, message: Message) -> None:
        """A part of the answer; its header gets what all answers have."""
        if self.left:
            return
        if message["type"] == "http.response.start":
            expires_at = await self._expiry_of_key()
            self.status = message["status"]
            self._add_headers(message.setdefault("headers", []), expires_at)
        elif not message.get("more_body", False):
            self.complete = True
        if self.state.is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def _add_headers(self, headers: list[tuple[bytes, bytes]], expires_at: datetime | None) -> None:
        if self.status == 204:  # no content has neither a type nor a length (RFC 9110, 8.6)
            headers[:] = [header for header in headers if header[0] not in _OF_CONTENT]
        headers.append((b"x-request-id", self.state.request_id.encode()))
        present = {name for name, _ in headers}
        headers.extend(header for header in SECURITY_HEADERS if header[0] not in present)
        operation = operation_of(self.scope.get("route"))  # of a method that isn't there, the one that is
        if operation and operation.deprecation:
            headers.extend(operation.deprecation.headers(self.scope.get("path_params", {})))
        if expires_at is not None:
            headers.append((b"x-api-key-expires-at", format_moment(expires_at).encode()))
        if b"origin" in self.headers:
            self.middleware.cors.add_headers(headers, self.headers[b"origin"])

    async def _expiry_of_key(self) -> datetime | None:
        """When the API key of the request expires (contract 1.2). What the edge never saw, it is asked about now."""
        state = self.state
        if not state.is_identified:
            state.is_identified = True  # asked once, whatever comes of it
            if self.scope["path"].startswith("/api/"):
                state.principal = await self.middleware.identify(Request(self.scope))
        principal = state.principal
        return principal.expires_at if principal is not None and principal.kind == "api_key" else None

    async def _answer_preflight(self) -> None:
        await self.send({"type": "http.response.start", "status": 204, "headers": list(PREFLIGHT_HEADERS)})
        await self._send({"type": "http.response.body", "body": b""})

    async def _refuse(self, fault: LedgerBeeError) -> None:
        if not self.status:
            response = error_response(Request(self.scope), fault, self.middleware.clock())
            await response(self.scope, self._receive, self.send)

    def _record(self) -> None:
        status = self.status or INTERNAL_ERROR.status
        if self.left:
            refusal = self.state.refusal
            status = refusal.status if refusal is not None else _CLIENT_LEFT
        route = getattr(self.scope.get("route"), "path", "unmatched")
        seconds = time.perf_counter() - self.started
        state = self.state
        record_request(state.request_id, self.method, self.scope["path"], route, status, seconds, state.noted)
