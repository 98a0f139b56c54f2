"""The addresses of the MCP server, `/api/v1/mcp` and `/api/v1/mcp/c/{companyId}` (contract 2.9, 3.5).

They take the tokens of connections, each at the address that it is for, and no other credential.
"""

from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response

from ledgerbee.app.mcp.messages import refusal
from ledgerbee.app.mcp.remedies import remedy_of
from ledgerbee.app.mcp.requests import challenge
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.http.body_limits import SMALL_BODY
from ledgerbee.http.caller import Caller
from ledgerbee.http.edge import Edge
from ledgerbee.http.envelope import METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE, error_response
from ledgerbee.http.head_checks import check_length
from ledgerbee.http.route import DirectRoute
from ledgerbee.http.state import state_of
from ledgerbee.http.step_scheduler import OWNER
from ledgerbee.identity.authorization.rules.scopes import NAMED_FIRST
from ledgerbee.identity.connections.actions import note_use
from ledgerbee.identity.connections.model import COMPANY_MCP_PATH, MCP_PATH
from ledgerbee.platform.credentials.model import UNAUTHORIZED, USER_TOKEN

HOST_NOT_ALLOWED = ErrorCode("HOST_NOT_ALLOWED", 421, "The server isn't reached under this name")
ORIGIN_NOT_ALLOWED = ErrorCode("ORIGIN_NOT_ALLOWED", 403, "Pages of this origin may not call the server")

#: What a client is asked to ask for, before it has a token.
_FIRST_SCOPES: Final = " ".join(NAMED_FIRST)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


async def serve_mcp(request: Request) -> Response:
    """Answer an MCP message.

    Whoever has no token is told the way to one, whatever else there is to say of the request: clients look by a GET
    (2025-11-25), or by a POST without a body. With a token, POST is the only method: there are no streams to listen to.
    """
    edge: Edge = request.app.state.edge
    state = state_of(request.scope)
    _trim(request.scope["headers"])
    try:
        _check_place(request, edge)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return _unauthorized(request, edge)
        if request.method != "POST":
            response = error_response(request, METHOD_NOT_ALLOWED.error(), edge.clock())
            response.headers["Allow"] = "POST"
            return response
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise UNSUPPORTED_MEDIA_TYPE.error()
        check_length(request, SMALL_BODY)
        state.max_body = SMALL_BODY

        async def run(caller: Caller) -> Response:
            if caller.principal.resource != request.scope["path"].lower():  # ids are so in any case
                return _unauthorized(request, edge, error="invalid_token")
            company = caller.principal.company_id
            if state.count_incoming_body is not None:
                state.count_incoming_body(company, caller.address or "")
            OWNER.set(company)
            state.caller = caller
            await note_use(caller)
            endpoint = await request.app.state.mcp.started()
            answer: Response = await endpoint.answer(request, caller)
            return answer

        answer = await edge.as_holder(request, token.strip(), (USER_TOKEN,), run)
        return answer or _unauthorized(request, edge, error="invalid_token")
    except LedgerBeeError as fault:
        return refusal(None, fault, remedy_of(fault, {}, ()))


def _trim(headers: list[tuple[bytes, bytes]]) -> None:
    """Take off the blanks around values, which aren't part of them (RFC 9110, 5.5): they are compared with the body."""
    for place, (name, value) in enumerate(headers):
        if value[-1:] in {b" ", b"\t"}:
            headers[place] = (name, value.strip(b" \t"))


def _check_place(request: Request, edge: Edge) -> None:
    """Refuse a request that a page of somebody else's may have sent under a name of its own (DNS rebinding).

    The server's names are that of its public address and those of loopback; pages may call from there, and from the
    origins that may call the API. Raises `HOST_NOT_ALLOWED` and `ORIGIN_NOT_ALLOWED`.
    """
    public = edge.cells.own.database.public_url
    names = _LOOPBACK if public is None else _LOOPBACK | {urlsplit(public).hostname}
    if _name_of(f"//{request.headers.get('host', '')}") not in names:
        raise HOST_NOT_ALLOWED.error()
    origin = request.headers.get("origin")
    if origin is not None and _name_of(origin) not in names and not request.app.state.mcp.allows(origin):
        raise ORIGIN_NOT_ALLOWED.error()


def _name_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _unauthorized(request: Request, edge: Edge, *, error: str | None = None) -> Response:
    """401, with the way to a token."""
    fault = UNAUTHORIZED.error("Sign in: this address takes the access token of a connection")
    response = error_response(request, fault, edge.clock())
    response.headers["WWW-Authenticate"] = challenge(request, _FIRST_SCOPES, error)
    return response


ROUTES: Final = tuple(DirectRoute(path, serve_mcp) for path in (MCP_PATH, COMPANY_MCP_PATH))
