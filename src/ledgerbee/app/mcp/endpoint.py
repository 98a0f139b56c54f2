"""Answers MCP messages: calls of tools here, everything else by the SDK.

A call is what agents send all the time. It is read once, exactly, and answered with the JSON that the API's operations
gave; where anything about it is unusual, the SDK answers it, as it does for all other messages.
"""

from typing import Any, Final

import msgspec
from fastapi import Request, Response
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.inbound import (
    InboundModernRoute,
    classify_inbound_request,
    find_duplicated_routing_header,
)
from mcp_types import SERVER_INFO_META_KEY
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.types import Message as AsgiMessage

from ledgerbee.app.mcp.calling import call_tool, tools_for
from ledgerbee.app.mcp.messages import (
    MalformedMessageError,
    Message,
    json_response,
    malformed,
    read_message,
    refusal,
    tool_result,
)
from ledgerbee.app.mcp.metrics import calls
from ledgerbee.app.mcp.model import TOO_MANY_CALLS
from ledgerbee.app.mcp.rate_limits import RateLimiter
from ledgerbee.app.mcp.remedies import FOR_ANOTHER_MEMBER, LET_IN_AGAIN, remedy_of
from ledgerbee.app.mcp.requests import FAULT, base_url, forbidden
from ledgerbee.app.mcp.tools import all_tools
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.caller import Caller
from ledgerbee.http.state import state_of
from ledgerbee.identity.connections.store import role_of_user
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS

#: What costs more than looking at what the process knows: counted against the limit of the connection.
_COUNTED: Final = frozenset({"tools/call", "resources/read", "resources/list", "completion/complete"})
_OF_CALLS: Final = frozenset({"name", "arguments", "_meta"})


class Endpoint:
    """The MCP server behind its transport, which answers with JSON and keeps no sessions. A process has one."""

    def __init__(self, server: Server[Any], limiter: RateLimiter | None = None) -> None:
        self.manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
        self._limiter = limiter or RateLimiter()
        info = msgspec.json.encode({SERVER_INFO_META_KEY: server.server_info_stamp})
        #: What stands at the end of a result of the revision 2026-07-28.
        self._ending = b',"resultType":"complete","_meta":%b' % info

    async def answer(self, request: Request, caller: Caller) -> Response:
        """Answer a POST of `caller`. Raises `CredentialRevokedError`; what is unforeseen goes on to the middleware."""
        try:
            message = await read_message(await request.body())
        except MalformedMessageError as fault:
            return malformed(fault)
        if message is None or message.id is None:
            return Response(status_code=202)  # there is nothing that a notification could change here
        headers: dict[str, str] = {}
        if message.method in _COUNTED:
            allowance = self._limiter.count(caller.principal.subject_id, caller.now.timestamp())
            headers = allowance.headers
            if allowance.retry_after:
                too_many = TOO_MANY_CALLS.error(retryAfter=allowance.retry_after)
                too_many.retry_after = allowance.retry_after
                return await self._refused(request, caller, message, too_many, headers)
        try:
            response = await self._answer(request, caller, message)
        except LedgerBeeError as fault:
            return await self._refused(request, caller, message, fault, headers)
        if headers:
            response.headers.update(headers)
        return response

    async def _answer(self, request: Request, caller: Caller, message: Message) -> Response:
        if message.method == "tools/call" and (ending := self._ending_of(request, message)) is not None:
            name, arguments = message.params["name"], message.params.get("arguments") or {}
            state_of(request.scope).noted = {"tool": name, "connection": str(caller.principal.subject_id)}
            outcome = await call_tool(request.app, caller, name, arguments, base_url(request))
            calls(name, "ok" if outcome.error is None else "error").inc()
            assert message.id is not None
            body = tool_result(message.id, outcome.text, is_error=outcome.error is not None, ending=ending)
            return json_response(body)
        state_of(request.scope).noted = {"connection": str(caller.principal.subject_id)}
        if message.method not in _COUNTED:
            await caller.read(_nothing)  # whoever may come in no longer is told so by any message
        return await self._by_sdk(request)

    def _ending_of(self, request: Request, message: Message) -> bytes | None:
        """What a result ends with, of a usual call of one of our tools; None: it is for the SDK to look at."""
        params = message.params
        name, arguments = params.get("name"), params.get("arguments")
        if (
            not isinstance(name, str)
            or name not in all_tools()
            or not (arguments is None or isinstance(arguments, dict))
            or params.keys() - _OF_CALLS
            or not takes_json(request.headers.get("accept", ""))
        ):
            return None
        version = request.headers.get("mcp-protocol-version")
        if version is None or version in HANDSHAKE_PROTOCOL_VERSIONS:
            return b""
        if find_duplicated_routing_header(request.headers.items()) is not None:
            return None
        body = {"method": message.method, "params": params}
        route = classify_inbound_request(body, headers=request.headers)
        if not isinstance(route, InboundModernRoute) or not isinstance(route.client_capabilities, dict):
            return None
        return self._ending

    async def _refused(
        self, request: Request, caller: Caller, message: Message, fault: LedgerBeeError, headers: dict[str, str]
    ) -> Response:
        name = message.params.get("name")
        tool = all_tools().get(name) if isinstance(name, str) else None
        if message.method == "tools/call":
            calls("unknown" if tool is None else tool.name, "refused").inc()
        if fault.error_code is not INSUFFICIENT_PERMISSIONS or "requiredScopes" not in fault.details:
            response = refusal(message.id, fault, remedy_of(fault, {}, tools_for(caller.principal.scopes)))
        else:
            held, wanted = await _scopes_of_role(caller), frozenset[str](fault.details["requiredScopes"])
            is_for_role = wanted <= held if tool is None or tool.scopes else not wanted.isdisjoint(held)
            response = refusal(message.id, fault, LET_IN_AGAIN if is_for_role else FOR_ANOTHER_MEMBER)
            # What the role hasn't got nobody can allow, however often the user is asked.
            response.headers["WWW-Authenticate"] = forbidden(request, caller, wanted & held)
        response.headers.update(headers)
        return response

    async def _by_sdk(self, request: Request) -> Response:
        """What the SDK's transport answers, as a whole: it writes JSON, never a stream."""
        status, headers, parts = 500, [], []

        async def send(message: AsgiMessage) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
            else:
                parts.append(message.get("body", b""))

        unread = [await request.body()]

        async def receive() -> AsgiMessage:
            # After the body there is only the client's leaving to wait for.
            return (
                {"type": "http.request", "body": unread.pop(), "more_body": False}
                if unread
                else await request.receive()
            )

        await self.manager.handle_request(request.scope, receive, send)
        fault: Exception | None = request.scope.pop(FAULT, None)
        if fault is not None:
            raise fault
        response = Response(b"".join(parts), status)
        response.raw_headers = [(name, value) for name, value in headers]
        return response


def takes_json(accept: str) -> bool:
    """Whether an answer may be JSON, by what the client says it takes (RFC 9110, 12.5.1, without weights)."""
    types = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return not types.isdisjoint({"application/json", "application/*", "*/*"})


async def _scopes_of_role(caller: Caller) -> frozenset[str]:
    """What the role of the connection's user allows in the company."""
    user_id = caller.principal.user_id
    assert user_id is not None, "a connection is a user's"
    role = await caller.read(lambda context: role_of_user(context, user_id))
    return frozenset() if role is None else SCOPES_OF[role]


async def _nothing(_: Context) -> None:
    """Takes the first round trip of a transaction, which looks at the credential."""
