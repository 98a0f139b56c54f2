"""What the tools that book, send or cancel have in common: they give a preview, which `commit_preview` carries out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

from ledgerbee.app.mcp.model import Call, Effect, Remedy, Result, Tool
from ledgerbee.app.mcp.operations import Schema, answer_schema, arguments_of, object_schema, operation_route
from ledgerbee.app.mcp.staging import actions
from ledgerbee.app.mcp.staging.actions import Plan, Shown
from ledgerbee.app.mcp.staging.model import Planned, PreviewStatus
from ledgerbee.app.mcp.tools.parts import NOT_SHOWN, nullable
from ledgerbee.core.errors import refuse

#: The argument of each staged tool that makes a second command of the same call.
REPETITION: Final = "repetition"
_REPETITION: Final[Schema] = {
    "type": "integer",
    "minimum": 1,
    "default": 1,
    "description": "Only where the same is meant to be done more than once within 24 hours: 2 for the second time, and "
    "so on. The same call without it is the same command, and never done twice",
}
#: What the descriptions of staged tools end with.
_STAGED: Final = (
    "This only shows a preview (the entries, documents, mails and amounts that would come of it) and changes nothing: "
    "show it to the user, then call commit_preview with its previewId."
)
#: Texts in previews that customers, vendors and other parties may have written.
UNTRUSTED: Final = (
    "entries.*.description", "entries.*.reference", "entries.*.lines.*.description", "changed.*.object", "deliveries",
    "nextBilling", "answer",
)  # fmt: skip
#: What a caller can do about a staged command that was refused.
REMEDIES: Final[Mapping[str, Sequence[Remedy]]] = {
    "PREVIEW_NOT_FOUND": (Remedy("Find the previewId by list_previews, or call the writing tool for a new preview."),),
    "PREVIEW_INVALID_STATE": (
        Remedy("details.status says where it stands. Unless it is committed, call its tool again for a new preview."),
    ),
    "PREVIEW_OUTDATED": (
        Remedy("Show details.newPreview to the user, then call commit_preview with details.newPreview.previewId."),
    ),
    "PREVIEW_BEING_COMMITTED": (Remedy("Wait a second, then call commit_preview again with the same previewId."),),
    "APPROVAL_REQUIRED": (
        Remedy(
            "Ask the user to open details.approvalUrl and approve it there; then call commit_preview again with the "
            "same previewId, within 24 hours. No tool can approve it."
        ),
    ),
}


def single(operation_id: str, *, bills: bool = False, ends: bool = False, subscription: str | None = None) -> Plan:
    """The plan of a tool that is one operation; `subscription` names the argument with the one that is billed."""

    def plan(given: Mapping[str, Any]) -> Planned:
        own = given[subscription] if subscription else None
        return replace(planned(operation_id, given), bills=bills, ends=ends, subscription_id=own)

    return plan


def planned(operation_id: str, given: Mapping[str, Any]) -> Planned:
    """An operation with its arguments. Raises the validation error of what it doesn't take."""
    takes = arguments_of(operation_id)
    refuse(
        [
            (name, "whitelistValidation", f"{name} should not exist on this call")
            for name in given
            if name not in takes.properties and name != REPETITION
        ]
    )
    places = takes.split(given)
    return Planned(route=operation_route(operation_id), path=places["path"], body=places["body"])


def staged_tool(
    *,
    name: str,
    title: str,
    description: str,
    plan: Plan,
    takes: Schema,
    gives: Schema,
    scopes: frozenset[str] = frozenset(),
    any_scopes: frozenset[str] = frozenset(),
) -> Tool:
    """A tool that gives a preview. `takes` is its input schema, `gives` that of the operation's answer."""

    async def run(call: Call) -> Result:
        return result_of(await actions.preview(call, name, schema, plan))

    properties = {**takes["properties"], REPETITION: _REPETITION}
    schema = object_schema(properties, takes.get("required", ()))
    return Tool(
        name=name,
        title=title,
        description=f"{description} {_STAGED}",
        scopes=scopes,
        any_scopes=any_scopes,
        effect=Effect.PREPARES,
        input_schema=schema,
        output_schema=command_schema(gives),
        run=run,
        remedies=REMEDIES,
    )


def result_of(shown: Shown) -> Result:
    """What a tool gives of a staged command."""
    return Result(data={**shown.content, "idempotencyReplay": shown.is_replay}, untrusted=UNTRUSTED)


REPLAY: Final[Schema] = {
    "type": "boolean",
    "description": "An earlier call with the same arguments did this, and nothing was done again",
}
_AMOUNT: Final[Schema] = {"type": ["number", "string"]}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
#: What lists of commands say of each.
LISTED: Final[Mapping[str, Schema]] = {
    "previewId": {"type": "string", "format": "uuid"},
    "tool": {"type": "string"},
    "arguments": {"type": "object"},
    "status": {
        "type": "string",
        "enum": [status.value for status in PreviewStatus],
        "description": "waiting and approved: it can be committed; needs_approval: once a member has approved it",
    },
    "amount": {
        "type": ["number", "string", "null"],
        "description": "What it books, in DKK; null: nobody can say, as there is no rate or more is booked later. Then "
        "a member has to approve it",
    },
    "createdAt": _MOMENT,
    "expiresAt": {**_MOMENT, "description": "Until then it can be committed"},
    "committedAt": {**_MOMENT, "type": ["string", "null"]},
}


@cache
def _effects() -> dict[str, Schema]:
    return {
        "isProvisional": {
            "type": "boolean",
            "description": "true of a preview: ids and numbers of what is made are other ones when it is committed",
        },
        "entries": nullable(
            {
                "type": "array",
                "description": "The journal entries that it posts",
                "items": answer_schema("create_journal_entry_v2", is_brief=True),
            }
        ),
        "changed": {
            "type": "array",
            "description": "The documents and other objects that it makes or changes, as they are afterwards",
            "items": object_schema({"event": {"type": "string"}, "object": {"type": "object"}}, ["event", "object"]),
        },
        "deliveries": {
            "type": "array",
            "description": "The mails and e-invoices that leave",
            "items": object_schema(
                {
                    "type": {"type": "string"},
                    "documentType": {"type": "string"},
                    "documentId": {"type": "string"},
                    "recipient": {"type": ["string", "null"]},
                }
            ),
        },
        "webhooks": {
            "type": "array",
            "description": "The topics that webhook endpoints are told",
            "items": object_schema(
                {"topic": {"type": "string"}, "events": {"type": "integer"}, "endpoints": {"type": "integer"}}
            ),
        },
        "nextBilling": {
            "type": ["object", "null"],
            "description": "Of a subscription: the invoice (next) and credit notes that it is billed next",
        },
        "booking": object_schema(
            {
                "currency": {"type": "string"},
                "amount": {"type": ["number", "string", "null"]},
                "bookedBefore": {
                    **_AMOUNT,
                    "description": "What was booked today by this application for its user, without approval",
                },
                "dailyLimit": {**_AMOUNT, "description": "What it may book in a day without approval"},
                "needsApproval": {"type": "boolean"},
            }
        ),
    }


def command_schema(answer: Schema) -> Schema:
    """The schema of a staged command with the answer of its operation."""
    described = {**answer, "description": "What the operation answers"}
    properties = {
        **LISTED, **_effects(), "answer": described, "notShown": NOT_SHOWN, "idempotencyReplay": REPLAY
    }  # fmt: skip
    return {"type": "object", "properties": properties, "required": list(properties)}
