"""The MCP server: what the SDK asks of it, answered for the connection whose token the request shows.

It is stateless: any process answers any request, of clients of the revision 2026-07-28 and of the ones before.
"""

import json
from importlib.metadata import version
from typing import Any, Final

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ListedTool
from starlette.requests import Request

from ledgerbee.app.mcp.calling import call_tool, tools_for
from ledgerbee.app.mcp.model import UNKNOWN_TOOL, Effect, Tool
from ledgerbee.app.mcp.requests import REFUSAL, base_url
from ledgerbee.app.mcp.results import result_schema
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.caller import Caller
from ledgerbee.http.json_body import decode_json
from ledgerbee.http.state import state_of
from ledgerbee.platform.db import CredentialRevokedError

RequestContext = ServerRequestContext[Any, Any]

#: Milliseconds that a client may keep a list (SEP-2549): it is of this connection's scopes.
_LIST_TTL_MS: Final = 60_000


def session_manager() -> StreamableHTTPSessionManager:
    """The server behind its transport, which answers with JSON and keeps no sessions. A process runs it once."""
    server: Server[Any] = Server(
        "ledgerbee", version=version("ledgerbee"), on_list_tools=_list_tools, on_call_tool=_call_tool
    )
    return StreamableHTTPSessionManager(server, json_response=True, stateless=True)


def request_of(context: RequestContext) -> Request:
    """The HTTP request that the message came with."""
    assert isinstance(context.request, Request), "the transport is HTTP"
    return context.request


def caller_of(context: RequestContext) -> Caller:
    """Who calls: the connection whose token the HTTP request showed."""
    caller = state_of(request_of(context).scope).caller
    assert caller is not None, "the route lets nobody else in"
    return caller


async def _list_tools(context: RequestContext, _: PaginatedRequestParams | None) -> ListToolsResult:
    tools = [_listed(tool) for tool in tools_for(caller_of(context).principal.scopes).values()]
    return ListToolsResult(tools=tools, ttl_ms=_LIST_TTL_MS, cache_scope="private")


def _listed(tool: Tool) -> ListedTool:
    return ListedTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=dict(tool.input_schema),
        output_schema=result_schema(tool.output_schema),
        annotations=ToolAnnotations(
            read_only_hint=tool.effect is Effect.READS,
            destructive_hint=tool.effect is Effect.COMMITS,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )


async def _call_tool(context: RequestContext, params: CallToolRequestParams) -> CallToolResult:
    request = request_of(context)
    try:
        outcome = await call_tool(
            request.app, caller_of(context), params.name, await _exact_arguments(context), base_url(request)
        )
    except (LedgerBeeError, CredentialRevokedError) as fault:
        if isinstance(fault, LedgerBeeError) and fault.error_code is UNKNOWN_TOOL:
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {params.name}") from None
        request.scope[REFUSAL] = fault
        raise MCPError(code=INVALID_PARAMS, message="The request is refused") from None
    text = outcome.text.decode()
    return CallToolResult(
        content=[TextContent(text=text)], structured_content=json.loads(text), is_error=outcome.error is not None
    )


async def _exact_arguments(context: RequestContext) -> dict[str, Any]:
    """The arguments as the client wrote them: the SDK has made floats of amounts."""
    body: Any = decode_json(await request_of(context).body())
    arguments: dict[str, Any] = body["params"].get("arguments") or {}
    return arguments
