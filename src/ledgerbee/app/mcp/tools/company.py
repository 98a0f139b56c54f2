"""The tool that says whose books these are."""

from functools import cache
from typing import Final

from ledgerbee.app.mcp.model import Call, Effect, Result, Tool
from ledgerbee.app.mcp.operations import answer_schema, input_schema, raw_answer, scopes_of

_OPERATION: Final = "get_company"


async def _run(call: Call) -> Result:
    return Result(data={"settings": await raw_answer(call, _OPERATION)})


@cache
def company_tool() -> Tool:
    """Made when the first MCP request comes: its schemas are those of the API's document."""
    return Tool(
        name="get_company",
        title="Get the company",
        description="The company that this connection works in: its details, currency, time zone and lock date.",
        scopes=scopes_of(_OPERATION),
        effect=Effect.READS,
        input_schema=input_schema(_OPERATION),
        output_schema={
            "type": "object",
            "properties": {"settings": answer_schema(_OPERATION)},
            "required": ["settings"],
        },
        run=_run,
    )
