"""Tools about subscriptions and what they use."""

from functools import cache
from typing import Final

from ledgerbee.app.mcp.model import Call, Effect, Period, Result, Tool
from ledgerbee.app.mcp.operations import (
    answer_schema,
    input_schema,
    item_schema,
    page_of_answer,
    raw_answer,
    scopes_of,
)
from ledgerbee.app.mcp.results import page_schema
from ledgerbee.app.mcp.tools.parts import asked_period, day_of

_LIST: Final = "list_subscriptions"
_GET: Final = "get_subscription"
_CHANGES: Final = "list_scheduled_changes"
_SCHEDULES: Final = "list_subscription_billing_schedules"
_USAGE: Final = "get_meter_usage"
_EVENTS: Final = "list_usage_events"


async def _list(call: Call) -> Result:
    untrusted = ["data.*.customerName", "data.*.name", "data.*.partnerReferenceId"]
    return Result(data=await page_of_answer(call, _LIST, call.arguments), untrusted=untrusted)


async def _get(call: Call) -> Result:
    day = day_of(call.arguments["asOf"]) if "asOf" in call.arguments else call.today
    data = {
        "subscription": await raw_answer(call, _GET, call.arguments),
        "scheduledChanges": await raw_answer(call, _CHANGES, call.arguments),
        "billing": await raw_answer(call, _SCHEDULES, call.arguments),
    }
    untrusted = ["subscription.customerName", "subscription.name", "subscription.partnerReferenceId"]
    return Result(data=data, period=Period(day, day), untrusted=untrusted)


async def _get_usage(call: Call) -> Result:
    usage = await raw_answer(call, _USAGE, call.arguments)
    events = await page_of_answer(call, _EVENTS, call.arguments)
    return Result(
        data={"usage": usage, **events}, period=asked_period(call, "from", "to"), untrusted=["data.*.metadata"]
    )


@cache
def subscription_tools() -> tuple[Tool, ...]:
    """Made when the first MCP request comes: their schemas are those of the API's document."""
    one = {
        "subscription": answer_schema(_GET),
        "scheduledChanges": {
            **answer_schema(_CHANGES, is_brief=True),
            "description": "Changes that wait for their day",
        },
        "billing": {**answer_schema(_SCHEDULES), "description": "Until when each price is billed, and when it is next"},
    }
    events = page_schema(item_schema(_EVENTS))
    return (
        Tool(
            name="list_subscriptions",
            title="List subscriptions",
            description="Subscriptions as they stand today, by pages: by status, customer, plan, your reference or the"
            " start of the name. What is scheduled and billed next: get_subscription.",
            scopes=scopes_of(_LIST),
            effect=Effect.READS,
            input_schema=input_schema(_LIST),
            output_schema=page_schema(item_schema(_LIST)),
            run=_list,
        ),
        Tool(
            name="get_subscription",
            title="Get a subscription",
            description="One subscription by the version of today (or of another day), with the changes that are "
            "scheduled and until when each of its prices is billed. It changes nothing.",
            scopes=scopes_of(_GET, _CHANGES, _SCHEDULES),
            effect=Effect.READS,
            input_schema=input_schema(_GET),
            output_schema={"type": "object", "properties": one, "required": list(one)},
            run=_get,
        ),
        Tool(
            name="get_usage",
            title="Get the usage of a meter",
            description="What a meter counted over some days: how many events, how many of them are billed, open or "
            "of no subscription, the quantity, and the events by pages; of one customer if asked for. It reports no "
            "usage.",
            scopes=scopes_of(_USAGE, _EVENTS),
            effect=Effect.READS,
            input_schema=input_schema(_USAGE, _EVENTS),
            output_schema={
                **events,
                "properties": {"usage": answer_schema(_USAGE), **events["properties"]},
                "required": ["usage", *events["required"]],
            },
            run=_get_usage,
        ),
    )
