"""The route of an operation: the facts that it was declared with, and its requests handed to the edge."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from ledgerbee.http.body_limits import SMALL_BODY
from ledgerbee.http.endpoints import Handler, endpoint_handler
from ledgerbee.http.json_body import ExactRequest
from ledgerbee.http.request_checks import CheckRequest, request_check


@dataclass(frozen=True, slots=True)
class Deprecation:
    """A scheduled shutdown: the three headers on every response of the operation (contract 1.1)."""

    sunset: str
    successor: str

    def headers(self, path_params: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
        """As the wire has them. Ids of the request's path stand where `successor` names them: `{thingId}`."""
        successor = self.successor
        for name, value in path_params.items():
            successor = successor.replace(f"{{{name}}}", quote(str(value), safe=""))
        link = f'<{successor}>; rel="successor-version"'
        return [(b"deprecation", b"true"), (b"sunset", self.sunset.encode()), (b"link", link.encode())]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation's own facts, read by the middleware and the edge and printed in the OpenAPI document."""

    scope: str | None
    licenses: tuple[str, ...] = ()
    api_key_only: bool = False
    public: bool = False
    opens_transaction: bool = True
    extension: bool = False
    deprecation: Deprecation | None = None
    secret_fields: tuple[str, ...] = ()
    #: Media types of a body that is no JSON and may have any length: the handler reads it as it comes in.
    streams: tuple[str, ...] = ()
    #: Media types of a file that may be the body in place of JSON; it is read as a whole.
    files: tuple[str, ...] = ()
    #: Most bytes of a body that is read as a whole.
    max_body: int = SMALL_BODY
    #: The handler takes the idempotency key itself: it is the identity of what it makes, and never expires.
    keeps_keys: bool = False

    def takes_file(self, content_type: str) -> bool:
        """Whether a body with this content type is a file of the operation's, and no JSON."""
        return bool(self.files) and content_type.partition(";")[0].strip().lower() in self.files


class Edge(Protocol):
    """What runs an operation: see `http/edge.py`."""

    async def handle(self, operation: Operation, check: CheckRequest, request: Request, handler: Handler) -> Response:
        """Authenticate, open the transaction, run `handler`, commit, and return its response."""
        ...


class OperationRoute(APIRoute):
    """A route whose requests go through the edge of the application, `app.state.edge`.

    Of FastAPI it uses the description of the handler function alone: `http/endpoints.py` runs it.
    """

    methods: set[str]

    def __init__(self, path: str, endpoint: Callable[..., Any], *, operation: Operation, **options: Any) -> None:
        self.operation = operation
        super().__init__(path, endpoint, **options)
        handler = endpoint_handler(self)
        is_write = self.methods <= {"POST", "PUT", "PATCH"}
        takes_fields = not is_write or self.body_field is not None or operation.public or bool(operation.streams)
        declared = (self.openapi_extra or {}).get("parameters", ())
        self._handler = handler
        self._check = request_check(self.dependant, declared, takes_fields=takes_fields)

    async def run(self, request: ExactRequest) -> Response:
        """Answer a request whose path matched."""
        edge: Edge = request.app.state.edge
        return await edge.handle(self.operation, self._check, request, self._handler)

    async def answer(self, request: ExactRequest) -> Response:
        """Check a request's parameters and run its handler, in the transaction or for the caller of its state."""
        await self._check(request)
        return await self._handler(request)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The same for FastAPI's router, which finds the route where no `Dispatcher` did."""

        async def run(request: Request) -> Response:
            return await self.run(ExactRequest(request.scope, request.receive))

        return run

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette's match; a path with another start is no match, without a regex.

        Routes are tried in turn: with well over a hundred of them this is most of the cost of finding one.
        """
        if not scope["path"].startswith(self._start):
            return Match.NONE, {}
        return super().matches(scope)

    @cached_property
    def _start(self) -> str:
        return self.path.partition("{")[0]


class DirectRoute(Route):
    """A route of no operation that is asked for as often: its handler gets the request as it is, past FastAPI.

    It takes every method, says itself who may call (`Edge.as_holder`), and answers its errors itself.
    """

    def __init__(self, path: str, handler: Callable[[ExactRequest], Awaitable[Response]]) -> None:
        self._handler = handler
        super().__init__(path, handler, include_in_schema=False)
        self.methods = None  # Starlette takes functions for answers to GET

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette's match, which says as FastAPI's does what route it is."""
        match, found = super().matches(scope)
        return match, {**found, "route": self} if match is Match.FULL else found

    async def run(self, request: ExactRequest) -> Response:
        """Answer a request whose path matched."""
        return await self._handler(request)


def operation_of(route: BaseRoute | None) -> Operation | None:
    """The facts a route was declared with, if it is an operation."""
    return route.operation if isinstance(route, OperationRoute) else None
