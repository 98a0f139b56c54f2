"""The tools that carry out what staged tools have shown, and list it."""

from collections.abc import Mapping
from typing import Final

from ledgerbee.app.mcp.model import Call, Effect, Result, Tool
from ledgerbee.app.mcp.operations import PAGING, object_schema, page_of
from ledgerbee.app.mcp.results import page_data, page_schema
from ledgerbee.app.mcp.staging import actions
from ledgerbee.app.mcp.staging.actions import Plan
from ledgerbee.app.mcp.tools import booking, sending, subscribing
from ledgerbee.app.mcp.tools.staged import LISTED, REMEDIES, command_schema, result_of
from ledgerbee.core.ids import parse_id

#: How each staged tool's arguments become an operation.
PLANS: Final[Mapping[str, Plan]] = {
    "send_document": sending.plan_sending,
    "credit_invoice": sending.plan_crediting,
    "register_payment": booking.plan_payment,
    "post_entry": booking.plan_entry,
    "reverse_entry": booking.plan_reversal,
    "assign_subscription": subscribing.plan_assigning,
    "change_subscription": subscribing.plan_changing,
    "cancel_subscription": subscribing.plan_cancelling,
}
#: Whoever may do one of what is staged has use for its previews.
_ANY: Final = frozenset(
    {
        "invoices-write", "quotes-write", "order-confirmations-write", "payments-write", "journal-entries-write",
        "subscriptions-write",
    }
)  # fmt: skip


def _commit_preview_tool() -> Tool:
    """Carries out a preview."""

    async def run(call: Call) -> Result:
        return result_of(await actions.commit(call, parse_id(call.arguments["previewId"]), PLANS))

    preview_id = {"type": "string", "format": "uuid", "description": "What a writing tool of this connection gave"}
    return Tool(
        name="commit_preview",
        title="Commit a preview",
        description="Carries out what a preview of this connection has shown: books, sends, reverses or cancels it, "
        "once and for good. It is refused with a new preview where it would do something else by now, and where it is "
        "above what the connection may book in a day: then a member of the company has to approve it. A preview lasts "
        "15 minutes. The same call again answers what was done, with idempotencyReplay.",
        scopes=frozenset(),
        any_scopes=_ANY,
        effect=Effect.COMMITS,
        is_open_world=True,
        input_schema=object_schema({"previewId": preview_id}, ["previewId"]),
        output_schema=command_schema({}),
        run=run,
        remedies=REMEDIES,
    )


def _list_previews_tool() -> Tool:
    """Lists previews."""

    async def run(call: Call) -> Result:
        page, limit = page_of(call.arguments)
        found, total = await call.caller.read(
            lambda context: actions.list_commands(context, call.caller.principal.subject_id, limit, (page - 1) * limit)
        )
        return Result(data=page_data(found, total, page, limit), untrusted=("data.*.arguments",))

    return Tool(
        name="list_previews",
        title="List previews",
        description="The previews of this connection and what became of each, newest first: waiting, committed, "
        "waiting for a member's approval, rejected, expired or replaced.",
        scopes=frozenset(),
        any_scopes=_ANY,
        effect=Effect.READS,
        input_schema=object_schema(PAGING),
        output_schema=page_schema(object_schema(LISTED)),
        run=run,
    )


def preview_tools() -> tuple[Tool, ...]:
    """The tools of previews."""
    return (
        _list_previews_tool(),
        _commit_preview_tool(),
    )
