"""Finds an operation's route by the start of its path, and answers from there.

The router tries its routes in turn, all of well over a hundred for an operation far down the list; before it, a request
passes what FastAPI prepares for handlers of every kind. The first three parts of a path (`/api/v1/invoices`) and how
many there are leave two or three routes, in the same order, and operations need nothing prepared. So it is with the few
other routes that say so (`DirectRoute`). Whatever else there is is the application's.
"""

from collections.abc import Iterable
from typing import Final

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from ledgerbee.http.json_body import ExactRequest
from ledgerbee.http.route import DirectRoute, OperationRoute

#: A path starts with a slash.
_PARTS: Final = 4


class RouteTable:
    """Operations, and direct routes, by the start and the length of their path: a parameter stands for one part."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._by_shape: dict[tuple[str, int], list[OperationRoute | DirectRoute]] = {}
        for route in routes:
            if isinstance(route, (OperationRoute, DirectRoute)):
                self._by_shape.setdefault(_shape(route.path), []).append(route)

    def match(self, scope: Scope) -> Scope | None:
        """What the route that is asked for adds to the request's scope; None if it is none of these."""
        for route in self._by_shape.get(_shape(scope["path"]), ()):
            match, found = route.matches(scope)
            if match is Match.FULL:
                return found
        return None


class Dispatcher:
    """The application, with a fast path to its operations and direct routes: the middleware has found the route."""

    def __init__(self, api: FastAPI) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = scope.get("route")
        if isinstance(route, (OperationRoute, DirectRoute)):
            scope["app"] = self._api
            response = await route.run(ExactRequest(scope, receive))
            await response(scope, receive, send)
        else:
            await self._api(scope, receive, send)


def _shape(path: str) -> tuple[str, int]:
    parts = path.split("/")
    return "/".join(parts[:_PARTS]), len(parts)
