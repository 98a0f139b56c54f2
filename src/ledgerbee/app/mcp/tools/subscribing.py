"""Tools that assign, change and cancel subscriptions: staged."""

from typing import Final

from ledgerbee.app.mcp.model import Tool
from ledgerbee.app.mcp.operations import answer_schema, input_schema, scope_of
from ledgerbee.app.mcp.staging.actions import Plan
from ledgerbee.app.mcp.tools.staged import single, staged_tool

_CHANGE: Final = "schedule_subscription_change"

plan_assigning: Final[Plan] = single("create_subscription", bills=True)
plan_changing: Final[Plan] = single(_CHANGE, bills=True, subscription="subscriptionId")
plan_cancelling: Final[Plan] = single("cancel_subscription", bills=True, ends=True, subscription="id")

#: Why a connection doesn't do it by itself.
_APPROVED: Final = (
    "What a subscription is billed later can't be counted: a member of the company always has to approve it."
)


def _assign_subscription_tool() -> Tool:
    """Assigns a plan to a customer."""
    return staged_tool(
        name="assign_subscription",
        title="Assign a subscription",
        description="Assigns a subscription plan to a customer, who is billed by it from its first day on: what falls "
        "due is invoiced and mailed at once, and charged to the saved card with automaticBilling. Invoices that were "
        "sent can only be credited. " + _APPROVED,
        plan=plan_assigning,
        takes=input_schema("create_subscription"),
        gives=answer_schema("create_subscription", is_brief=True),
        scopes=frozenset({scope_of("create_subscription")}),
    )


def _change_subscription_tool() -> Tool:
    """Changes a subscription, today or on a day to come."""
    return staged_tool(
        name="change_subscription",
        title="Change a subscription",
        description="Changes what a subscription is for, its price or its period, pauses or resumes it, on the day "
        "effectiveDate (the next boundary unless given). With today it is carried out at once: what it changes in the "
        "current period is invoiced or credited as prorationBehavior says, which can't be taken back. " + _APPROVED,
        plan=plan_changing,
        takes=input_schema(_CHANGE),
        gives=answer_schema(_CHANGE, is_brief=True),
        scopes=frozenset({scope_of(_CHANGE)}),
    )


def _cancel_subscription_tool() -> Tool:
    """Ends a subscription."""
    return staged_tool(
        name="cancel_subscription",
        title="Cancel a subscription",
        description="Ends a subscription by a strategy, at once or on a day to come. One that has ended doesn't begin "
        "again, and what is given back is credited for good; a cancellation of a day to come is taken back by the "
        "strategy clear_schedule. A member of the company has to approve it, unless it ends at once with nothing left "
        "to bill or to pay back.",
        plan=plan_cancelling,
        takes=input_schema("cancel_subscription"),
        gives=answer_schema("cancel_subscription", is_brief=True),
        scopes=frozenset({scope_of("cancel_subscription")}),
    )


def subscribing_tools() -> tuple[Tool, ...]:
    """The tools that change what customers subscribe to."""
    return (
        _assign_subscription_tool(),
        _change_subscription_tool(),
        _cancel_subscription_tool(),
    )
