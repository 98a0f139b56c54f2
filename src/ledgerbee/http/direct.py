"""The short way for the commonest requests: read one object by its id, write one with a body.

Such a handler takes ids from the path, at most one body, and answers with one model. FastAPI's general way (six kinds
of parameter, dependencies, an answer checked again) costs more there than the work itself, so these routes parse
their ids, validate their body and write their model directly. What goes in and comes out is the same.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from ledgerbee.core.errors import LedgerBeeError, invalid, with_others
from ledgerbee.http.bodies import body_faults, validated_body
from ledgerbee.http.pace import give_turn, in_turn
from ledgerbee.http.wire import RequestModel, to_uuid

Handler = Callable[[Request], Awaitable[Response]]


def direct(route: APIRoute) -> Handler | None:
    """A handler for `route` if its parameters are ids in its path and a body model, its answer a model; else None."""
    takes = route.dependant
    others = (takes.query_params, takes.header_params, takes.cookie_params, takes.dependencies)
    if any(others) or takes.request_param_name is None:
        return None
    if not all(_is_id(parameter.field_info.annotation) for parameter in takes.path_params):
        return None
    if not (isinstance(route.response_model, type) and issubclass(route.response_model, BaseModel)):
        return None
    if takes.body_params:
        return _direct_write(route)
    if takes.response_param_name is not None:
        return None
    return _direct_read(route) if route.methods == {"GET"} and takes.path_params else None


def _is_id(annotation: Any) -> bool:
    """Whether it is UUID, or a `NewType` of it."""
    return annotation is UUID or getattr(annotation, "__supertype__", None) is UUID


def _direct_read(route: APIRoute) -> Handler:
    endpoint, request_name = route.dependant.call, route.dependant.request_param_name
    assert endpoint is not None
    assert request_name is not None
    ids_of, respond = _ids(route), _responder(route)

    async def read(request: Request) -> Response:
        return respond(await endpoint(**{request_name: request}, **ids_of(request)))

    return read


def _direct_write(route: APIRoute) -> Handler | None:
    takes = route.dependant
    model = takes.body_params[0].field_info.annotation
    if len(takes.body_params) > 1 or not (isinstance(model, type) and issubclass(model, RequestModel)):
        return None
    endpoint, request_name, body_name = takes.call, takes.request_param_name, takes.body_params[0].name
    assert endpoint is not None
    assert request_name is not None
    ids_of, respond = _ids(route), _responder(route)
    response_name = takes.response_param_name

    async def write(request: Request) -> Response:
        raw = await request.body()
        body = await in_turn(len(raw), lambda: model.from_bytes(raw))
        try:
            ids = ids_of(request)
        except LedgerBeeError as fault:
            raise with_others(fault, await body_faults(model, request)) from None
        if body is None:
            body = await validated_body(model, request)
        await give_turn(raw)
        arguments = {request_name: request, body_name: body, **ids}
        if response_name is None:
            return respond(await endpoint(**arguments))
        arguments[response_name] = told = Response()  # the handler says its status there
        return respond(await endpoint(**arguments), told.status_code)

    return write


def _ids(route: APIRoute) -> Callable[[Request], dict[str, Any]]:
    """Takes the ids out of a request's path; refuses those that are none."""
    ids = tuple((parameter.name, parameter.alias) for parameter in route.dependant.path_params)

    def ids_of(request: Request) -> dict[str, Any]:
        found: dict[str, Any] = {}
        problems = []
        for name, alias in ids:
            try:
                found[name] = to_uuid(request.path_params[alias])
            except PydanticCustomError as fault:
                problems.append((alias, "isUuid", f"{alias} {fault.message()}"))
        if problems:
            raise invalid(*problems)
        return found

    return ids_of


def _responder(route: APIRoute) -> Callable[..., Response]:
    """Writes a handler's answer, where that is no response already."""
    exclude_unset, usual = route.response_model_exclude_unset, route.status_code or 200

    def respond(answer: BaseModel | Response, status: int = usual) -> Response:
        if isinstance(answer, Response):
            return answer
        body = answer.__pydantic_serializer__.to_json(answer, exclude_unset=exclude_unset)
        return Response(body, status, media_type="application/json")

    return respond
