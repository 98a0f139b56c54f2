"""The tool that says whose books these are."""

from functools import cache
from typing import Final

from ledgerbee.app.mcp.model import Call, Effect, Result, Tool
from ledgerbee.app.mcp.operations import operation_route, response_schema
from ledgerbee.app.mcp.results import raw
from ledgerbee.http.in_process import run_operation

_OPERATION: Final = "get_company"


async def _run(call: Call) -> Result:
    answer = await run_operation(operation_route(_OPERATION), call.caller, call.app)
    return Result(data={"settings": raw(answer)})


@cache
def company_tool() -> Tool:
    """Made when the first MCP request comes: its schemas are those of the API's document."""
    return Tool(
        name="get_company",
        title="Get the company",
        description="The company that this connection works in: its details, currency, time zone and lock date.",
        scopes=frozenset({"company-read"}),
        effect=Effect.READS,
        input_schema={"type": "object", "properties": {}, "additionalProperties": False},
        output_schema={
            "type": "object",
            "properties": {"settings": response_schema(_OPERATION)},
            "required": ["settings"],
        },
        run=_run,
    )
