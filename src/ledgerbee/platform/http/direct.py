"""The short way for the commonest request: read one object by its id.

Such a handler takes ids from the path and nothing else, and answers with one model. FastAPI's general way (six
kinds of parameter, dependencies, an answer checked again) costs more there than the read itself, so these
routes parse their ids and write their model directly. What goes in and comes out is the same.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from ledgerbee.core.errors import invalid
from ledgerbee.platform.http.wire import to_uuid


def direct_read(route: APIRoute) -> Callable[[Request], Awaitable[Response]] | None:
    """A handler for `route` if it is a GET of one model whose only parameters are ids in its path, else None."""
    takes = route.dependant
    others = (takes.query_params, takes.header_params, takes.cookie_params, takes.body_params, takes.dependencies)
    if route.methods != {"GET"} or not takes.path_params or any(others) or takes.request_param_name is None:
        return None
    if any(parameter.field_info.annotation is not UUID for parameter in takes.path_params):
        return None
    if not (isinstance(route.response_model, type) and issubclass(route.response_model, BaseModel)):
        return None
    endpoint, request_name = takes.call, takes.request_param_name
    assert endpoint is not None
    ids = tuple((parameter.name, parameter.alias) for parameter in takes.path_params)
    exclude_unset, status = route.response_model_exclude_unset, route.status_code or 200

    async def read(request: Request) -> Response:
        arguments: dict[str, object] = {request_name: request}
        problems = []
        for name, alias in ids:
            try:
                arguments[name] = to_uuid(request.path_params[alias])
            except PydanticCustomError as fault:
                problems.append((alias, "isUuid", f"{alias} {fault.message()}"))
        if problems:
            raise invalid(*problems)
        answer: BaseModel | Response = await endpoint(**arguments)
        if isinstance(answer, Response):
            return answer
        body = answer.__pydantic_serializer__.to_json(answer, exclude_unset=exclude_unset)
        return Response(body, status, media_type="application/json")

    return read
