"""What the conformance suite of MCP looks for in a server under test: tools, resources and prompts of no use.

They are added to the real server, in front of whatever it answers itself.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    BlobResourceContents,
    CallToolRequestParams,
    CallToolResult,
    EmbeddedResource,
    GetPromptRequestParams,
    GetPromptResult,
    ImageContent,
    InputRequiredResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    Tool,
)

from ledgerbee.app.mcp.endpoint import Endpoint
from ledgerbee.app.mcp.rate_limits import RateLimiter
from ledgerbee.app.mcp.server import new_server
from ledgerbee.platform.secrets import SecretBox

RequestContext = ServerRequestContext[Any, Any]

#: A picture of one pixel (PNG) and a sound without samples (WAV).
PICTURE: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SOUND: Final = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="

_TOOLS: Final = (
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_logging_tool",
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
)
_PROMPTS: Final[Mapping[str, tuple[str, ...]]] = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}
_TEMPLATE: Final = "test://template/{id}/data"


def load(secrets: SecretBox) -> Endpoint:
    """The real server with the fixtures. The suite calls more often than a client may."""
    server = new_server(secrets)
    _add_tools(server)
    _add_resources(server)
    _add_prompts(server)
    return Endpoint(server, RateLimiter(most=10_000))


def _own(server: Server[Any], method: str) -> Any:
    entry = server.get_request_handler(method)
    assert entry is not None
    return entry.handler


def _text(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)])


# Tools


def _add_tools(server: Server[Any]) -> None:
    own_list, own_call = _own(server, "tools/list"), _own(server, "tools/call")

    async def list_tools(context: RequestContext, params: PaginatedRequestParams) -> ListToolsResult:
        listed: ListToolsResult = await own_list(context, params)
        added = [Tool(name=name, description="A fixture", input_schema={"type": "object"}) for name in _TOOLS]
        return listed.model_copy(update={"tools": [*listed.tools, *added]})

    async def call_tool(context: RequestContext, params: CallToolRequestParams) -> Any:
        if params.name in _TOOLS:
            return await asyncio.to_thread(_called, context, params)
        return await own_call(context, params)

    server.add_request_handler("tools/list", PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", CallToolRequestParams, call_tool)


def _called(context: RequestContext, params: CallToolRequestParams) -> Any:
    if params.name.startswith("test_input_required_result"):
        return _asking(context, params)
    if params.name == "test_missing_capability":
        needed: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(code=MISSING_REQUIRED_CLIENT_CAPABILITY, message="It needs sampling", data=needed)
    picture = ImageContent(data=PICTURE, mime_type="image/png")
    simple = TextContent(text="This is a simple text response for testing.")
    contents: dict[str, list[Any]] = {
        "test_image_content": [picture],
        "test_audio_content": [AudioContent(data=SOUND, mime_type="audio/wav")],
        "test_embedded_resource": [_embedded("test://embedded-resource")],
        "test_multiple_content_types": [simple, picture, _embedded("test://mixed")],
    }
    return CallToolResult(content=contents.get(params.name, [simple]), is_error=params.name == "test_error_handling")


def _embedded(address: str) -> EmbeddedResource:
    return EmbeddedResource(resource=TextResourceContents(uri=address, mime_type="text/plain", text="A text"))


def _form(name: str, kind: str = "string") -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return {"method": "elicitation/create", "params": {"message": f"Please say {name}", "requestedSchema": schema}}


_SAMPLE: Final[dict[str, Any]] = {
    "method": "sampling/createMessage",
    "params": {"messages": [{"role": "user", "content": {"type": "text", "text": "Greet"}}], "maxTokens": 50},
}
_ROOTS: Final[dict[str, Any]] = {"method": "roots/list", "params": {}}


def _ask(requests: dict[str, Any], state: str | None = None) -> InputRequiredResult:
    return InputRequiredResult.model_validate(
        {"resultType": "input_required", "inputRequests": requests, **({"requestState": state} if state else {})}
    )


def _asking(context: RequestContext, params: CallToolRequestParams) -> Any:
    answers, state = params.input_responses or {}, params.request_state
    match params.name.removeprefix("test_input_required_result_"):
        case "elicitation":
            wanted, given = {"user_name": _form("name")}, None
        case "sampling":
            wanted, given = {"sample_request": _SAMPLE}, None
        case "list_roots":
            wanted, given = {"client_roots": _ROOTS}, None
        case "request_state" | "tampered_state":
            wanted, given = {"confirm": _form("ok", "boolean")}, "asked"
        case "multiple_inputs":
            wanted, given = {"user_name": _form("name"), "greeting": _SAMPLE, "client_roots": _ROOTS}, "asked"
        case "multi_round" if state == "first" and "step1" in answers:
            return _ask({"step2": _form("color")}, "second")
        case "multi_round":
            wanted, given = (
                ({"step2": _form("color")}, "second") if state == "second" else ({"step1": _form("name")}, "first")
            )
        case _:
            capabilities = context.session.client_capabilities
            wanted = {"greeting": _SAMPLE} if capabilities and capabilities.sampling is not None else {}
            return _ask(wanted or {"user_name": _form("name")})
    if wanted.keys() <= answers.keys() and (given is None or state == given):
        return _text("state-ok: all answers are there")
    return _ask(wanted, given)


# Resources


def _add_resources(server: Server[Any]) -> None:
    own_list, own_read = _own(server, "resources/list"), _own(server, "resources/read")
    own_templates = _own(server, "resources/templates/list")

    async def list_resources(context: RequestContext, params: PaginatedRequestParams) -> ListResourcesResult:
        listed: ListResourcesResult = await own_list(context, params)
        added = [
            Resource(uri="test://static-text", name="A text", mime_type="text/plain"),
            Resource(uri="test://static-binary", name="A picture", mime_type="image/png"),
        ]
        return listed.model_copy(update={"resources": [*added, *listed.resources]})

    async def list_templates(context: RequestContext, params: PaginatedRequestParams) -> ListResourceTemplatesResult:
        listed: ListResourceTemplatesResult = await own_templates(context, params)
        added = ResourceTemplate(uri_template=_TEMPLATE, name="A template", mime_type="application/json")
        return listed.model_copy(update={"resource_templates": [*listed.resource_templates, added]})

    async def read(context: RequestContext, params: ReadResourceRequestParams) -> ReadResourceResult:
        address = params.uri
        start, end = _TEMPLATE.split("{id}")
        if address == "test://static-binary":
            picture = BlobResourceContents(uri=address, mime_type="image/png", blob=PICTURE)
            return ReadResourceResult(contents=[picture])
        if address == "test://static-text":
            text, kind = "The text of a resource that stays as it is.", "text/plain"
        elif address.startswith(start) and address.endswith(end):
            text, kind = (
                json.dumps({"id": address[len(start) : -len(end)], "data": "of a template"}),
                "application/json",
            )
        else:
            found: ReadResourceResult = await own_read(context, params)
            return found
        return ReadResourceResult(contents=[TextResourceContents(uri=address, mime_type=kind, text=text)])

    server.add_request_handler("resources/list", PaginatedRequestParams, list_resources)
    server.add_request_handler("resources/templates/list", PaginatedRequestParams, list_templates)
    server.add_request_handler("resources/read", ReadResourceRequestParams, read)


# Prompts


def _add_prompts(server: Server[Any]) -> None:
    own_list, own_get = _own(server, "prompts/list"), _own(server, "prompts/get")

    async def list_prompts(context: RequestContext, params: PaginatedRequestParams) -> ListPromptsResult:
        listed: ListPromptsResult = await own_list(context, params)
        added = [
            Prompt(
                name=name, description="A fixture", arguments=[PromptArgument(name=one, required=True) for one in given]
            )
            for name, given in _PROMPTS.items()
        ]
        return listed.model_copy(update={"prompts": [*listed.prompts, *added]})

    async def get_prompt(context: RequestContext, params: GetPromptRequestParams) -> Any:
        if params.name not in _PROMPTS:
            return await own_get(context, params)
        given = params.arguments or {}
        text = TextContent(text=f"A prompt with {given}")
        match params.name:
            case "test_input_required_result_prompt" if "user_context" not in (params.input_responses or {}):
                return _ask({"user_context": _form("context")})
            case "test_prompt_with_embedded_resource":
                contents = [_embedded(given["resourceUri"]), text]
            case "test_prompt_with_image":
                contents = [ImageContent(data=PICTURE, mime_type="image/png"), text]
            case _:
                contents = [text]
        return GetPromptResult(messages=[PromptMessage(role="user", content=content) for content in contents])

    server.add_request_handler("prompts/list", PaginatedRequestParams, list_prompts)
    server.add_request_handler("prompts/get", GetPromptRequestParams, get_prompt)
