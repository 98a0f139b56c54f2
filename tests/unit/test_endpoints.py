"""What a handler function may take is checked when its route is declared."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import Body, Cookie, Response
from pydantic import BaseModel

from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import RequestModel

Handler = Callable[..., Coroutine[Any, Any, Response]]


class _Plain(BaseModel):
    name: str


class _Request(RequestModel):
    name: str


async def _named(context: Ctx, name: str) -> Response:
    return Response()


async def _with_cookie(context: Ctx, session: Annotated[str, Cookie()]) -> Response:
    return Response()


async def _plain_body(context: Ctx, body: _Plain) -> Response:
    return Response()


async def _two_bodies(context: Ctx, one: _Request, other: _Request) -> Response:
    return Response()


async def _embedded(context: Ctx, body: Annotated[str, Body(embed=True)]) -> Response:
    return Response()


async def _allowed(context: Ctx, thing_id: UUID, body: _Request, answer: Response, limit: int = 1) -> Response:
    answer.headers["x-thing"] = str(thing_id)
    return answer


@pytest.mark.parametrize(
    ("path", "handler"),
    [
        ("/v1/things/{name}", _named),
        ("/v1/things", _with_cookie),
        ("/v1/things", _plain_body),
        ("/v1/things", _two_bodies),
        ("/v1/things", _embedded),
    ],
)
def test_what_no_operation_takes_is_refused(path: str, handler: Handler) -> None:
    router = resource_router("Things")
    with pytest.raises(TypeError, match=f"/api{path}".replace("{", r"\{")):
        router.post(path, **operation("Do", scope=None))(handler)
    assert router.routes == []


def test_what_operations_take_is_taken() -> None:
    router = resource_router("Things")
    router.post("/v1/things/{thing_id}", **operation("Do", scope="reports-read"))(_allowed)
    (route,) = router.routes
    assert (route.path, route.methods, route.operation.scope) == ("/api/v1/things/{thing_id}", {"POST"}, "reports-read")
    assert "scope" not in str(route.openapi_extra)
