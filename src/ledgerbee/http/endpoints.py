"""Runs the handler function of an operation: its arguments out of the request, its answer into a response.

FastAPI describes a handler (`route.dependant`, the OpenAPI document) and validates parameters; its own way to run one
serves every kind of parameter, prepares exit stacks and validates the answer once more, which costs more than most
requests' own work. An operation of ours takes only these; a route that takes anything else can't be declared:

- what it depends on (`Depends`), by a function of the request alone: `Ctx`, `CallerDep`, `BodyStream`, filters
- ids in its path, and names that say so (`PathName`)
- parameters of the query and the header
- at most one body, a `RequestModel`
- the request, and a response for its status
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from ledgerbee.core.errors import with_others
from ledgerbee.http.bodies import body_faults, validated_body
from ledgerbee.http.caller import Caller
from ledgerbee.http.state import state_of
from ledgerbee.http.step_scheduler import run_step, wait_for_step
from ledgerbee.http.validation import validation_error
from ledgerbee.http.wire import PATH_NAME, RequestModel, to_uuid
from ledgerbee.platform.context import Context

Handler = Callable[[Request], Awaitable[Response]]


def _context(request: Request) -> Context:
    context = state_of(request.scope).context
    assert context is not None, "the operation says opens_transaction=False: it takes CallerDep instead"
    return context


def _caller(request: Request) -> Caller:
    caller = state_of(request.scope).caller
    assert caller is not None, "a public operation has no caller"
    return caller


def _body(request: Request) -> AsyncIterator[bytes]:
    body = state_of(request.scope).body
    assert body is not None, "the operation doesn't say that it streams its body"
    return body


#: The command's open transaction.
Ctx = Annotated[Context, Depends(_context)]
#: Who calls, for operations that open their own transactions (`opens_transaction=False`).
CallerDep = Annotated[Caller, Depends(_caller)]
#: The body as it comes in, for operations that say so (`streams`).
BodyStream = Annotated[AsyncIterator[bytes], Depends(_body)]


def endpoint_handler(route: APIRoute) -> Handler:
    """What runs the handler function of `route`. Raises `TypeError` where that takes what no operation of ours does."""
    takes = route.dependant
    endpoint, model, arguments, respond = takes.call, _body_model(route), _Arguments(route), _responder(route)
    assert endpoint is not None
    body_name = takes.body_params[0].name if model is not None else ""
    response_name = takes.response_param_name
    takes_file: Callable[[str], bool] = route.operation.takes_file  # type: ignore[attr-defined]  # an OperationRoute

    async def handle(request: Request) -> Response:
        values = await arguments.read(request, model)
        if model is not None:
            values[body_name] = await _body_of(model, request, takes_file)
        if response_name is None:
            return respond(await endpoint(**values))
        values[response_name] = status = Response()  # the handler says its status there
        return respond(await endpoint(**values), status.status_code)

    return handle


async def _body_of(model: type[RequestModel], request: Request, takes_file: Callable[[str], bool]) -> object:
    """What the handler gets as its body."""
    raw = await request.body()
    if takes_file(request.headers.get("content-type", "")):
        return model.from_file(raw)
    body = await run_step(len(raw), lambda: model.from_bytes(raw))
    found = await validated_body(model, request) if body is None else body
    await wait_for_step(raw)
    return found


def supplied(takes: Dependant) -> list[tuple[str, Callable[[Request], Any]]]:
    """The dependencies, by parameter, that only hand over what is there: they read nothing that a client sends."""
    return [(one.name or "", one.call) for one in takes.dependencies if one.call and not iscoroutinefunction(one.call)]


def read_dependencies(takes: Dependant) -> list[tuple[str, Callable[[Request], Awaitable[Any]]]]:
    """The dependencies, by parameter, that read the request: coroutine functions, which raise what is wrong there."""
    return [(one.name or "", one.call) for one in takes.dependencies if one.call and iscoroutinefunction(one.call)]


class _Arguments:
    """Reads all arguments but the body out of a request."""

    def __init__(self, route: APIRoute) -> None:
        takes = route.dependant
        names = [one for one in takes.path_params if PATH_NAME in one.field_info.metadata]
        ids = [one for one in takes.path_params if one not in names]
        if takes.cookie_params or not all(_is_id(one.field_info.annotation) for one in ids):
            raise TypeError(f"{route.path}: an operation takes ids and `PathName`s in its path, and no cookies")
        self._supplied = supplied(takes)
        self._read = read_dependencies(takes)
        self._ids = tuple((one.name, one.alias) for one in ids)
        self._names = tuple((one.name, one.alias) for one in names)
        self._query = takes.query_params
        self._header = takes.header_params
        self._request_name = takes.request_param_name

    async def read(self, request: Request, model: type[RequestModel] | None) -> dict[str, Any]:
        """The arguments by name. Raises the validation error of all that is wrong, in a body of `model` too."""
        values = {name: supply(request) for name, supply in self._supplied}
        for name, read in self._read:
            values[name] = await read(request)
        if self._request_name is not None:
            values[self._request_name] = request
        for name, alias in self._names:
            values[name] = request.path_params[alias]
        errors: list[Any] = []
        for name, alias in self._ids:
            try:
                values[name] = to_uuid(request.path_params[alias])
            except PydanticCustomError as fault:
                errors.append({"type": fault.type, "loc": ("path", alias), "msg": fault.message()})
        if self._query:
            found, wrong = request_params_to_args(self._query, request.query_params)
            values |= found
            errors += wrong
        if self._header:
            found, wrong = request_params_to_args(self._header, request.headers)
            values |= found
            errors += wrong
        if errors:
            raise with_others(validation_error(errors), await body_faults(model, request) if model else [])
        return values


def _is_id(annotation: Any) -> bool:
    """Whether it is UUID, or a `NewType` of it."""
    return annotation is UUID or getattr(annotation, "__supertype__", None) is UUID


def _body_model(route: APIRoute) -> type[RequestModel] | None:
    models = [one.field_info.annotation for one in route.dependant.body_params]
    if not models:
        return None
    if len(models) > 1 or not (isinstance(models[0], type) and issubclass(models[0], RequestModel)):
        raise TypeError(f"{route.path}: the body of an operation is a RequestModel")
    return models[0]


def _responder(route: APIRoute) -> Callable[..., Response]:
    """Writes a handler's answer, where that is no response already."""
    exclude_unset, usual, field = route.response_model_exclude_unset, route.status_code or 200, route.response_field

    def respond(answer: Any, status: int = usual) -> Response:
        if isinstance(answer, Response):
            return answer
        if isinstance(answer, BaseModel):
            content = answer.__pydantic_serializer__.to_json(answer, exclude_unset=exclude_unset)
        elif field is None:
            return Response(status_code=status)
        else:
            content = field.serialize_json(answer, exclude_unset=exclude_unset)
        return Response(content, status, media_type="application/json")

    return respond
