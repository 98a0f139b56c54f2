"""What the server offers beside tools, as the SDK asks for it: documents, prompts, and values to choose from."""

import base64
from typing import Any, Final

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    BlobResourceContents,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    PromptArgument,
    PromptMessage,
    PromptReference,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
)
from mcp_types import Prompt as ListedPrompt
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ledgerbee.app.mcp import completions, resources
from ledgerbee.app.mcp.calling import company_facts, tools_for
from ledgerbee.app.mcp.prompts import PROMPTS, Language, prompt_text
from ledgerbee.app.mcp.requests import caller_of, request_of
from ledgerbee.core.errors import LedgerBeeError

RequestContext = ServerRequestContext[Any, Any]

#: The code of an unknown resource before the revision 2026-07-28, which has none of its own.
_RESOURCE_NOT_FOUND: Final = -32002


async def list_resources(context: RequestContext, _: PaginatedRequestParams | None) -> ListResourcesResult:
    """The newest documents."""
    request = request_of(context)
    found = await resources.newest(request.app, caller_of(context))
    return ListResourcesResult(
        resources=[
            Resource(
                uri=one.address, name=one.title, title=one.title, description=one.description, mime_type=resources.PDF
            )
            for one in found
        ]
    )


async def list_templates(context: RequestContext, _: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
    """Where documents of all kinds are."""
    found = resources.templates_for(caller_of(context).principal.scopes)
    return ListResourceTemplatesResult(
        resource_templates=[
            ResourceTemplate(uri_template=one.address, name=one.name, title=one.title, mime_type=one.media_type)
            for one in found
        ]
    )


async def read_resource(context: RequestContext, params: ReadResourceRequestParams) -> ReadResourceResult:
    """A document."""
    try:
        answer = await resources.read(request_of(context).app, caller_of(context), params.uri)
    except LedgerBeeError as fault:
        if fault.status != 404:
            raise
        is_new = context.protocol_version in MODERN_PROTOCOL_VERSIONS
        code = INVALID_PARAMS if is_new else _RESOURCE_NOT_FOUND
        raise MCPError(code=code, message=fault.message, data={"uri": params.uri}) from None
    content, media_type = bytes(answer.body), str(answer.media_type)
    if media_type == resources.PDF:
        blob = base64.b64encode(content).decode()
        return ReadResourceResult(contents=[BlobResourceContents(uri=params.uri, mime_type=media_type, blob=blob)])
    text = content.decode()
    return ReadResourceResult(contents=[TextResourceContents(uri=params.uri, mime_type=media_type, text=text)])


async def list_prompts(context: RequestContext, _: PaginatedRequestParams | None) -> ListPromptsResult:  # noqa: ARG001
    """All prompts: which steps one has depends on the connection."""
    return ListPromptsResult(
        prompts=[
            ListedPrompt(
                name=prompt.name,
                title=prompt.title,
                description=prompt.description,
                arguments=[
                    PromptArgument(name=one.name, description=one.description, required=False)
                    for one in prompt.arguments
                ],
            )
            for prompt in PROMPTS.values()
        ]
    )


async def get_prompt(context: RequestContext, params: GetPromptRequestParams) -> GetPromptResult:
    """A prompt, written out for the connection."""
    caller = caller_of(context)
    facts = await company_facts(caller)
    try:
        text = prompt_text(
            params.name, params.arguments or {}, tools_for(caller.principal.scopes), Language(facts.language)
        )
    except LedgerBeeError as fault:
        raise MCPError(code=INVALID_PARAMS, message=fault.message, data=fault.details or None) from None
    message = PromptMessage(role="user", content=TextContent(text=text))
    return GetPromptResult(description=PROMPTS[params.name].description, messages=[message])


async def complete(context: RequestContext, params: CompleteRequestParams) -> CompleteResult:
    """Values for an argument."""
    app, caller, reference, argument = request_of(context).app, caller_of(context), params.ref, params.argument
    if isinstance(reference, PromptReference):
        found = await completions.of_prompt(app, caller, reference.name, argument.name, argument.value)
    else:
        found = await completions.of_resource(app, caller, reference.uri, argument.value)
    values = found[: completions.MOST]
    return CompleteResult(completion=Completion(values=values, has_more=len(found) > len(values)))
