"""What the parts of the MCP server say to each other about one HTTP request."""

from typing import Any, Final, Protocol

from fastapi import Request

from ledgerbee.http.caller import Caller
from ledgerbee.http.edge import Edge
from ledgerbee.http.state import state_of
from ledgerbee.identity.authorization.rules.metadata import resource_metadata_address


class HasRequest(Protocol):
    """The SDK's context of a message."""

    @property
    def request(self) -> Any: ...


#: Where a request's scope has what a handler of the SDK raised and the SDK is not to make an answer of.
FAULT: Final = "ledgerbee.mcp.fault"


def base_url(request: Request) -> str:
    """The address of the installation: the operator's, else the one that the request names."""
    edge: Edge = request.app.state.edge
    return edge.cells.own.database.public_url or str(request.base_url).rstrip("/")


def challenge(request: Request, scopes: str, error: str | None) -> str:
    """`WWW-Authenticate` of an answer: the way to a token (RFC 9728, 5.1), and the scopes to ask for there."""
    metadata = resource_metadata_address(base_url(request), request.scope["path"])
    told = [f'error="{error}"'] if error else []
    told += ['realm="ledgerbee"', f'scope="{scopes}"', f'resource_metadata="{metadata}"']
    return f"Bearer {', '.join(told)}"


def forbidden(request: Request, caller: Caller, lacking: frozenset[str]) -> str:
    """`WWW-Authenticate` of a 403: all scopes to ask for at once, those that the connection has and those it lacks."""
    return challenge(request, " ".join(sorted(caller.principal.scopes | lacking)), "insufficient_scope")


def request_of(context: HasRequest) -> Request:
    """The HTTP request that the message came with."""
    assert isinstance(context.request, Request), "the transport is HTTP"
    return context.request


def caller_of(context: HasRequest) -> Caller:
    """Who calls: the connection whose token the HTTP request showed."""
    caller = state_of(request_of(context).scope).caller
    assert caller is not None, "the route lets nobody else in"
    return caller
