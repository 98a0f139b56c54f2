"""Finds an operation's route by the start of its path.

The router tries its routes in turn, all of well over a hundred for an operation far down the list. The first three
parts of a path (`/api/v1/invoices`) leave a handful, in the same order; whatever they don't settle is the router's.
"""

from typing import Any

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from ledgerbee.platform.http.operation import OperationRoute

_PARTS = 4  # the path starts with a slash


class Dispatch:
    """The router, with a short way to its operations."""

    def __init__(self, router: APIRouter) -> None:
        self._router: Any = router.app
        self._by_start: dict[str, list[OperationRoute]] = {}
        for route in router.routes:
            if isinstance(route, OperationRoute):
                self._by_start.setdefault(_start(route.path), []).append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for route in self._by_start.get(_start(scope["path"]), ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    await route.handle(scope, receive, send)
                    return
        await self._router(scope, receive, send)


def _start(path: str) -> str:
    return "/".join(path.split("/", _PARTS)[:_PARTS])
