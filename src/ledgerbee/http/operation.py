"""What an operation says of itself beside its path: scope, licence, errors; and how its handler is run.

    router = resource_router("Product Groups")

    @router.get("/v1/product-groups/{productGroupId}",
                **operation("Get a product group", scope="products-read", errors=[PRODUCT_GROUP_NOT_FOUND]))
    async def get_product_group(context: Ctx, product_group_id: GroupId) -> ProductGroupResponse: ...

`OperationRoute` hands each request to the application's edge (`http/edge.py`), which authenticates it, opens
the transaction, runs the handler, commits, and only then lets the answer go.
"""

import functools
import inspect
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Final, Protocol, TypedDict
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from ledgerbee.core.errors import ErrorCode, invalid
from ledgerbee.http.body_limits import MAX_DEPTH, SMALL_BODY, check_depth, check_digits
from ledgerbee.http.caller import Caller
from ledgerbee.http.direct import direct
from ledgerbee.http.pace import in_turn
from ledgerbee.http.request_checks import CheckRequest, query_check, without_fields
from ledgerbee.http.texts import check_text, marked
from ledgerbee.platform.context import Context

Handler = Callable[[Request], Awaitable[Response]]


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
    """An operation's own facts, read by the edge and printed in the OpenAPI document."""

    scope: str | None
    license: str | None = None
    api_key_only: bool = False
    public: bool = False
    opens_transaction: bool = True
    extension: bool = False
    deprecation: Deprecation | None = None
    secret_fields: tuple[str, ...] = ()
    #: Media types of a body that is no JSON and may have any length: the handler reads it as it comes in.
    streams: tuple[str, ...] = ()
    #: Most bytes of a body that is read as a whole.
    max_body: int = SMALL_BODY


class Edge(Protocol):
    """What runs an operation: see `http/edge.py`."""

    async def handle(self, operation: Operation, check: CheckRequest, request: Request, handler: Handler) -> Response:
        """Authenticate, open the transaction, run `handler`, commit, and return its response."""
        ...


class RouteOptions(TypedDict):
    """The keyword arguments that `operation` gives to a router's decorator."""

    summary: str
    description: str
    status_code: int
    responses: dict[int | str, dict[str, Any]]
    openapi_extra: dict[str, Any]
    deprecated: bool | None


_OPERATION_KEY: Final = "x-ledgerbee-operation"


def operation(  # noqa: PLR0913  each argument is one independent fact of the operation
    title: str,
    *,
    scope: str | None,
    description: str = "",
    errors: Sequence[ErrorCode] = (),
    status: int = 200,
    license_key: str | None = None,
    api_key_only: bool = False,
    public: bool = False,
    opens_transaction: bool = True,
    extension: bool = False,
    deprecation: Deprecation | None = None,
    superseded: bool = False,
    secret_fields: tuple[str, ...] = (),
    streams: tuple[str, ...] = (),
    max_body: int = SMALL_BODY,
    response: str = "",
) -> RouteOptions:
    """Describe an operation for a router's decorator.

    `title` is the reference's (`operations.tsv`), `errors` those beyond what every operation can answer,
    `extension` marks what the original leaves to its app, `response` describes the success answer. `secret_fields`
    are the answer's names that are shown once: a replay under the same idempotency key answers null there.
    `streams` are the media types of a body that the handler reads as it comes in, by a `BodyStream` parameter.
    `max_body` is the limit of a body in bytes: above the usual one where it may carry files or many entries, below it
    where the caller shows no credential.
    `superseded` marks what has a successor but no date of shutdown: deprecated in the document, without headers.
    """
    facts = Operation(
        scope,
        license_key,
        api_key_only,
        public,
        opens_transaction,
        extension,
        deprecation,
        secret_fields,
        streams,
        max_body,
    )
    paragraphs = [description] if description else []
    if deprecation:
        paragraphs.append(f"Deprecated: it answers until {deprecation.sunset}. Use `{deprecation.successor}` instead.")
    if scope:
        paragraphs.append(f"### Required Scope\n\n- `{scope}`")
    extra: dict[str, Any] = {_OPERATION_KEY: facts}
    if extension:
        extra["x-extension"] = True
    if public:
        extra["security"] = []
    if streams:
        schema = {"type": "string", "format": "binary"}
        extra["requestBody"] = {"required": True, "content": {name: {"schema": schema} for name in streams}}
    return RouteOptions(
        summary=title,
        description="\n\n".join(paragraphs) or title,
        status_code=status,
        responses=_responses(errors, status, response or title, public=public),
        openapi_extra=extra,
        deprecated=True if deprecation or superseded else None,
    )


def _responses(
    errors: Sequence[ErrorCode], status: int, response: str, *, public: bool
) -> dict[int | str, dict[str, Any]]:
    by_status: dict[int, list[ErrorCode]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    answers: dict[int | str, dict[str, Any]] = {status: {"description": response}}
    shared = {400: "Validation failed or a business rule refused", 500: "Internal error", 503: "Try again"}
    if not public:
        shared |= {401: "Not authenticated", 403: "Scope or licence missing"}
    for code in sorted({*shared, *by_status}):
        known = by_status.get(code, [])
        text = ". ".join(f"`{e.code}`: {e.meaning.rstrip('.')}" for e in known) or shared[code]
        answers[code] = {"description": text, "content": {"application/json": {"schema": _ERROR_SCHEMA}}}
    return answers


class ErrorResponse(BaseModel):
    """The body of every error (contract 1.5)."""

    statusCode: int = Field(examples=[400])  # noqa: N815  the wire's own name
    timestamp: str = Field(examples=["2024-01-15T10:30:00.000Z"])
    path: str = Field(examples=["/v1/customers"])
    message: str = Field(examples=["Bad Request Exception"])
    code: str = Field(examples=["SHARED_VALIDATION_FAILED"])
    details: dict[str, Any] = Field(default_factory=dict)


#: A reference, not the model itself: of that FastAPI would build a validator for every answer of every operation.
_ERROR_SCHEMA: Final = {"$ref": f"#/components/schemas/{ErrorResponse.__name__}"}

#: What a text that can't be stored is written with; a pair of surrogates, which can, begins like it.
_BAD_ESCAPE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
MALFORMED_JSON = invalid(("", "isJson", "body must be valid JSON"))


class ExactRequest(Request):
    """A request whose JSON numbers become `int` and `Decimal`; for strings that can't be stored see `texts.marked`."""

    async def json(self) -> Any:
        """The decoded body; no body is an object without fields. Raises the validation error for what is no JSON."""
        if not hasattr(self, "_json"):
            raw = await self.body() or b"{}"
            self._json = await in_turn(len(raw), lambda: _readable(raw))
        return self._json


def _readable(raw: bytes) -> Any:
    value, is_doubtful = _decoded(raw)
    return marked(value) if is_doubtful else value


def decode_json(raw: bytes) -> Any:
    """Decode exactly: UTF-8, no float, no NaN or Infinity, no NUL or lone surrogate in a string.

    Raises a validation error, also for numbers that are too long and lists that are nested too deep.
    """
    value, is_doubtful = _decoded(raw)
    if is_doubtful:
        check_text(value)
    return value


def _decoded(raw: bytes) -> tuple[Any, bool]:
    """The value, and whether there may be NULs or lone surrogates in it.

    Escapes are the only way for them to come in: raw ones are no valid JSON or UTF-8.
    """
    try:
        # Given bytes, `json` would also guess UTF-16 and UTF-32, and let surrogates through.
        text = raw.decode("utf-8-sig")
        value = json.loads(text, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError) as fault:
        detail = fault.msg if isinstance(fault, json.JSONDecodeError) else "it can't be decoded"
        raise invalid(("", "isJson", f"body must be valid JSON: {detail}")) from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        check_depth(value)
    return value, _BAD_ESCAPE.search(text) is not None


def _decimal(number: str) -> Decimal:
    return Decimal(check_digits(number))


def _integer(number: str) -> int:
    return int(check_digits(number))


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


@dataclass(frozen=True, slots=True)
class _FromEdge:
    """Marks a handler's parameter that the edge supplies, by its key in the request's scope."""

    key: str


def _with_edge_values(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """`endpoint` for FastAPI: it sees the request where the handler takes what the edge supplies.

    The same could be said with `Depends`, at a tenth of a small request's CPU.
    """
    signature = inspect.signature(endpoint)
    supplied: dict[str, str] = {}
    parameters = []
    for parameter in signature.parameters.values():
        marks = [mark for mark in getattr(parameter.annotation, "__metadata__", ()) if isinstance(mark, _FromEdge)]
        if not marks:
            parameters.append(parameter)
            continue
        if not supplied:  # FastAPI gives the request to one parameter
            parameters.append(parameter.replace(annotation=Request))
            carrier = parameter.name
        supplied[parameter.name] = marks[0].key
    if not supplied:
        return endpoint  # a public operation

    @functools.wraps(endpoint)
    async def handler(**arguments: Any) -> Any:
        scope = arguments[carrier].scope
        for name, key in supplied.items():
            arguments[name] = scope[key]
        return await endpoint(**arguments)

    handler.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return handler


class OperationRoute(APIRoute):
    """A route whose requests go through the edge.

    `short_way` answers a request whose path matched without anything that FastAPI would prepare; None where the handler
    needs that.
    """

    short_way: Callable[[Request], Awaitable[Response]] | None

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, _with_edge_values(endpoint), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler (parameters, body, answer) or a shorter one, run by the edge."""
        shorter = direct(self)
        handler: Handler = shorter or super().get_route_handler()
        extra = self.openapi_extra or {}
        facts = extra.get(_OPERATION_KEY)
        if not isinstance(facts, Operation):
            raise TypeError(f"{self.path}: routes of this class are declared with operation(...)")

        is_write = (self.methods or set()) <= {"POST", "PUT", "PATCH"}
        takes_fields = not is_write or self.body_field is not None or facts.public or bool(facts.streams)
        if not takes_fields:
            handler = without_fields(self.dependant, handler)

        check = query_check(self.dependant, extra.get("parameters", ()), takes_fields=takes_fields)

        async def handle(request: Request) -> Response:
            edge: Edge = request.app.state.edge
            return await edge.handle(facts, check, ExactRequest(request.scope, request.receive), handler)

        self.short_way = handle if shorter is not None else None
        return handle

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette's match, but a path that can't be this one's is told by its start, without a regex.

        Routes are tried in turn: with well over a hundred of them this is most of the cost of finding one.
        """
        if not scope["path"].startswith(self._start):
            return Match.NONE, {}
        return super().matches(scope)

    @cached_property
    def _start(self) -> str:
        return self.path.partition("{")[0]


def resource_router(tag: str) -> APIRouter:
    """A router for the operations of one resource; `tag` is the resource's name in the reference."""
    return APIRouter(
        prefix="/api",
        tags=[tag],
        route_class=OperationRoute,
        generate_unique_id_function=lambda route: route.name,  # operation ids are the handlers' names
    )


def operation_of(route: BaseRoute | None) -> Operation | None:
    """The facts a route was declared with, if it is an operation."""
    facts = (route.openapi_extra or {}).get(_OPERATION_KEY) if isinstance(route, APIRoute) else None
    return facts if isinstance(facts, Operation) else None


#: The command's open transaction.
Ctx = Annotated[Context, _FromEdge("ledgerbee.context")]
#: Who calls, for operations that open their own transactions (`opens_transaction=False`).
CallerDep = Annotated[Caller, _FromEdge("ledgerbee.caller")]
#: The body as it comes in, for operations that say so (`streams`).
BodyStream = Annotated[AsyncIterator[bytes], _FromEdge("ledgerbee.body")]
