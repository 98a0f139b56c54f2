"""Tools about the company itself and the currencies it trades in."""

from functools import cache
from typing import Final

from ledgerbee.app.mcp.model import Call, Effect, Period, Result, Tool
from ledgerbee.app.mcp.operations import answer_schema, fields_of_answer, input_schema, raw_answer, scopes_of
from ledgerbee.app.mcp.tools.parts import day_of

_COMPANY: Final = "get_company"
_RATE: Final = "get_exchange_rate"


async def _get_company(call: Call) -> Result:
    return Result(data={"settings": await raw_answer(call, _COMPANY)})


async def _get_rate(call: Call) -> Result:
    rate = await fields_of_answer(call, _RATE, call.arguments)
    day = day_of(rate["date"])
    return Result(data={"rate": rate}, period=Period(day, day))


@cache
def company_tools() -> tuple[Tool, ...]:
    """Made when the first MCP request comes: their schemas are those of the API's document."""
    return (
        Tool(
            name="get_company",
            title="Get the company",
            description="The company that this connection works in: its details, base currency, time zone and language."
            " It can't be changed by a tool.",
            scopes=scopes_of(_COMPANY),
            effect=Effect.READS,
            input_schema=input_schema(_COMPANY),
            output_schema={
                "type": "object",
                "properties": {"settings": answer_schema(_COMPANY)},
                "required": ["settings"],
            },
            run=_get_company,
        ),
        Tool(
            name="get_exchange_rate",
            title="Get an exchange rate",
            description="The rate that a document or an entry of a day is booked at: units of the company's currency "
            "for one unit of another one, with its source (the company's own, or the ECB's) and the day it is of. It "
            "converts nothing and sets no rate.",
            scopes=scopes_of(_RATE),
            effect=Effect.READS,
            input_schema=input_schema(_RATE),
            output_schema={"type": "object", "properties": {"rate": answer_schema(_RATE)}, "required": ["rate"]},
            run=_get_rate,
        ),
    )
