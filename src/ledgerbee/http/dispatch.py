"""Finds an operation's route by the start of its path, and answers from there where it can.

The router tries its routes in turn, all of well over a hundred for an operation far down the list; before it, a request
passes what FastAPI prepares for handlers of every kind. The first three parts of a path (`/api/v1/invoices`) leave a
handful of routes, in the same order, and operations that need nothing prepared are answered at once. Whatever else
comes is the application's.
"""

from fastapi import FastAPI, Request
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from ledgerbee.http.operation import OperationRoute

_PARTS = 4  # the path starts with a slash


class Dispatch:
    """The application, with a short way to its operations."""

    def __init__(self, api: FastAPI) -> None:
        self._api = api
        self._by_start: dict[str, list[OperationRoute]] = {}
        for route in api.routes:
            if isinstance(route, OperationRoute):
                self._by_start.setdefault(_start(route.path), []).append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for route in self._by_start.get(_start(scope["path"]), ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    if route.short_way is None:
                        break
                    scope.update(found, app=self._api)
                    response = await route.short_way(Request(scope, receive))
                    await response(scope, receive, send)
                    return
        await self._api(scope, receive, send)


def _start(path: str) -> str:
    return "/".join(path.split("/", _PARTS)[:_PARTS])
