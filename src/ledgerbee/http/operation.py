"""Declares operations: what a module with handlers imports.

    router = resource_router("Product Groups")

    @router.get("/v1/product-groups/{productGroupId}",
                **operation("Get a product group", scope="products-read", errors=[PRODUCT_GROUP_NOT_FOUND]))
    async def get_product_group(context: Ctx, product_group_id: GroupId) -> ProductGroupResponse: ...

`OperationRoute` (`http/route.py`) hands each request to the edge (`http/edge.py`), which authenticates it, opens the
transaction, runs the handler, commits, and only then lets the answer go.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypedDict, TypeVar, Unpack

from fastapi import Response
from pydantic import BaseModel, Field

from ledgerbee.core.errors import ErrorCode
from ledgerbee.http.body_limits import SMALL_BODY
from ledgerbee.http.endpoints import BodyStream, CallerDep, Ctx
from ledgerbee.http.route import Deprecation, Operation, OperationRoute, operation_of

__all__ = [
    "BodyStream",
    "CallerDep",
    "Ctx",
    "Deprecation",
    "ErrorResponse",
    "Operation",
    "OperationRoute",
    "OperationRouter",
    "RouteOptions",
    "operation",
    "operation_of",
    "resource_router",
]

#: A handler function.
F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, Any]])


class RouteOptions(TypedDict):
    """The keyword arguments that `operation` gives to a router's decorator."""

    summary: str
    description: str
    status_code: int
    responses: dict[int | str, dict[str, Any]]
    openapi_extra: dict[str, Any]
    deprecated: bool | None
    operation: Operation


class EndpointOptions(RouteOptions, total=False):
    """Those, and what a decorator may say of the answer beside the handler's own annotation.

    `name` is the operation's id, where it isn't the handler's name: two operations may share a handler.
    """

    response_model: Any
    response_class: type[Response]
    response_model_exclude_unset: bool
    name: str


def operation(  # noqa: PLR0913  each argument is one independent fact of the operation
    title: str,
    *,
    scope: str | None,
    description: str = "",
    errors: Sequence[ErrorCode] = (),
    status: int = 200,
    license_key: str | tuple[str, ...] = (),
    api_key_only: bool = False,
    public: bool = False,
    opens_transaction: bool = True,
    extension: bool = False,
    deprecation: Deprecation | None = None,
    superseded: bool = False,
    secret_fields: tuple[str, ...] = (),
    streams: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
    max_body: int = SMALL_BODY,
    keeps_keys: bool = False,
    response: str = "",
    repeated: type[BaseModel] | None = None,
) -> RouteOptions:
    """Describe an operation for a router's decorator.

    `title` is the reference's (`operations.tsv`), `errors` those beyond what every operation can answer,
    `license_key` is the licence that it takes, or all of several. `extension` marks what the original leaves to its
    app, `response` describes the success answer. `secret_fields` are the answer's names that are shown once: a replay
    under the same idempotency key answers null there.
    `streams` are the media types of a body that the handler reads as it comes in, by a `BodyStream` parameter.
    `files` are the media types of a file that may be the body in place of JSON: the model makes of its bytes what the
    handler gets (`RequestModel.from_file`).
    `max_body` is the limit of a body in bytes: above the usual one where it may carry files or many entries, below it
    where the caller shows no credential.
    `keeps_keys`: the handler takes the idempotency key itself, as a header parameter, and keeps it for ever.
    `repeated` is what is answered with 200 where the same was done before, and nothing is made.
    `superseded` marks what has a successor but no date of shutdown: deprecated in the document, without headers.
    """
    facts = Operation(
        scope,
        (license_key,) if isinstance(license_key, str) else license_key,
        api_key_only,
        public,
        opens_transaction,
        extension,
        deprecation,
        secret_fields,
        streams,
        files,
        max_body,
        keeps_keys,
    )
    responses = _responses(errors, status, response or title, public=public)
    if repeated is not None:
        responses[200] = {"model": repeated, "description": "The same was done before: what it was answered with"}
    return RouteOptions(
        summary=title,
        description=_description(description, facts) or title,
        status_code=status,
        responses=responses,
        openapi_extra=_extra(facts),
        deprecated=True if deprecation or superseded else None,
        operation=facts,
    )


def _description(text: str, facts: Operation) -> str:
    paragraphs = [text] if text else []
    if facts.deprecation:
        sunset, successor = facts.deprecation.sunset, facts.deprecation.successor
        paragraphs.append(f"Deprecated: it answers until {sunset}. Use `{successor}` instead.")
    if facts.scope:
        paragraphs.append(f"### Required Scope\n\n- `{facts.scope}`")
    return "\n\n".join(paragraphs)


def _extra(facts: Operation) -> dict[str, Any]:
    """What the document says of an operation that FastAPI doesn't know of."""
    extra: dict[str, Any] = {}
    if facts.extension:
        extra["x-extension"] = True
    if facts.public:
        extra["security"] = []
    if types := facts.streams or facts.files:
        schema = {"type": "string", "format": "binary"}
        extra["requestBody"] = {"required": True, "content": {name: {"schema": schema} for name in types}}
    return extra


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


class OperationRouter:
    """The operations of one resource, declared by its decorators; `tag` is the resource's name in the reference."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.routes: list[OperationRoute] = []

    def get(self, path: str, **options: Unpack[EndpointOptions]) -> Callable[[F], F]:
        """Declare a read."""
        return self._declare("GET", path, options)

    def post(self, path: str, **options: Unpack[EndpointOptions]) -> Callable[[F], F]:
        """Declare a command."""
        return self._declare("POST", path, options)

    def put(self, path: str, **options: Unpack[EndpointOptions]) -> Callable[[F], F]:
        """Declare a command that replaces the object."""
        return self._declare("PUT", path, options)

    def patch(self, path: str, **options: Unpack[EndpointOptions]) -> Callable[[F], F]:
        """Declare a command that changes the object."""
        return self._declare("PATCH", path, options)

    def delete(self, path: str, **options: Unpack[EndpointOptions]) -> Callable[[F], F]:
        """Declare a command that deletes the object."""
        return self._declare("DELETE", path, options)

    def _declare(self, method: str, path: str, options: EndpointOptions) -> Callable[[F], F]:
        def declare(endpoint: F) -> F:
            route = OperationRoute(
                f"/api{path}",
                endpoint,
                methods=[method],
                tags=[self.tag],
                generate_unique_id_function=lambda route: route.name,  # operation ids are the handlers' names
                **options,
            )
            self.routes.append(route)
            return endpoint

        return declare


def resource_router(tag: str) -> OperationRouter:
    """A router for the operations of one resource; `tag` is the resource's name in the reference."""
    return OperationRouter(tag)
