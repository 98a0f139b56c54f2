"""The addresses of the MCP server, `/api/v1/mcp` and `/api/v1/mcp/c/{companyId}` (contract 2.9, 3.5).

They take the tokens of connections, each at the address that it is for, and no other credential.
"""

from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.types import Message

from ledgerbee.app.mcp.requests import REFUSAL, base_url
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.body_limits import SMALL_BODY
from ledgerbee.http.caller import Caller
from ledgerbee.http.edge import Edge
from ledgerbee.http.envelope import error_response
from ledgerbee.http.head_checks import check_length
from ledgerbee.http.state import state_of
from ledgerbee.identity.connections.model import COMPANY_MCP_PATH, MCP_PATH
from ledgerbee.platform.credentials.model import SCOPES, UNAUTHORIZED, USER_TOKEN

router = APIRouter(include_in_schema=False)

#: What a client is asked to ask for, before it has a token: reading.
_FIRST_SCOPES: Final = " ".join(scope for scope in SCOPES if scope.endswith("-read"))


@router.api_route(MCP_PATH, methods=["GET", "POST", "DELETE"])
@router.api_route(COMPANY_MCP_PATH, methods=["GET", "POST", "DELETE"])
async def serve_mcp(request: Request) -> Response:
    """Answer an MCP request."""
    edge: Edge = request.app.state.edge
    state = state_of(request.scope)
    try:
        check_length(request, SMALL_BODY)
        state.max_body = SMALL_BODY
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return _challenge(request, edge)

        async def run(caller: Caller) -> Response:
            if caller.principal.resource != request.scope["path"]:
                return _challenge(request, edge, error="invalid_token")
            state.caller = caller
            answer = await _answer(request)
            refusal: Exception | None = request.scope.pop(REFUSAL, None)
            if refusal is None:
                return answer
            if isinstance(refusal, LedgerBeeError):
                return _forbid(request, edge, caller, refusal)
            raise refusal

        answer = await edge.as_holder(request, token.strip(), (USER_TOKEN,), run)
        return answer or _challenge(request, edge, error="invalid_token")
    except LedgerBeeError as fault:
        return error_response(request, fault, edge.clock())


async def _answer(request: Request) -> Response:
    """What the SDK's transport answers, as a whole: it writes JSON, never a stream."""
    status, headers, parts = 500, [], []

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], message["headers"]
        else:
            parts.append(message.get("body", b""))

    body = await request.body()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    await request.app.state.mcp.handle(request.scope, receive, send)
    response = Response(b"".join(parts), status)
    response.raw_headers = [(name, value) for name, value in headers]
    return response


def _challenge(request: Request, edge: Edge, *, error: str | None = None) -> Response:
    """401, with the way to a token (RFC 9728, 5.1)."""
    fault = UNAUTHORIZED.error("Sign in: this address takes the access token of a connection")
    return _refuse(request, edge, fault, _FIRST_SCOPES, error)


def _forbid(request: Request, edge: Edge, caller: Caller, fault: LedgerBeeError) -> Response:
    """403, with all the scopes to ask for at once: those that the connection has, and those that it lacks."""
    scopes = caller.principal.scopes.union(fault.details["requiredScopes"])
    return _refuse(request, edge, fault, " ".join(sorted(scopes)), "insufficient_scope")


def _refuse(request: Request, edge: Edge, fault: LedgerBeeError, scopes: str, error: str | None) -> Response:
    metadata = f"{base_url(request)}/.well-known/oauth-protected-resource{request.scope['path']}"
    parts = [
        *([f'error="{error}"'] if error else []),
        'realm="ledgerbee"',
        f'scope="{scopes}"',
        f'resource_metadata="{metadata}"',
    ]
    response = error_response(request, fault, edge.clock())
    response.headers["WWW-Authenticate"] = f"Bearer {', '.join(parts)}"
    return response
