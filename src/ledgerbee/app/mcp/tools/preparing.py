"""Tools that prepare: customers and drafts. Nothing is booked or sent, and what they make can be changed again."""

from collections.abc import Mapping, Sequence
from typing import Final

from ledgerbee.app.mcp.model import Call, Effect, Remedy, Result, Tool
from ledgerbee.app.mcp.operations import Schema, answer_schema, arguments_of, input_schema, object_schema, scope_of
from ledgerbee.app.mcp.staging import actions
from ledgerbee.app.mcp.tools.parts import OF_DOCUMENT, OF_PARTY, under
from ledgerbee.app.mcp.tools.staged import REPETITION, REPLAY, planned

#: What the descriptions of tools that make something end with.
_ONCE: Final = (
    "The same call again within 24 hours makes nothing new: it answers what was made, with idempotencyReplay."
)
_REMEDIES: Final[Mapping[str, Sequence[Remedy]]] = {
    "CALL_BEING_CARRIED_OUT": (
        Remedy(
            "The same call is being carried out: call again in a moment, with the same arguments, for what it made."
        ),
    ),
}
_AGAIN: Final[Schema] = {
    "type": "integer",
    "minimum": 1,
    "default": 1,
    "description": "Only where the same is meant to be made more than once within 24 hours: 2 for the second time",
}


def _saving(
    *,
    name: str,
    title: str,
    description: str,
    shown_as: str,
    create: str,
    update: str,
    wanted: Sequence[str],
    untrusted: Sequence[str],
) -> Tool:
    """A tool that makes an object, or changes the one whose id it is given."""
    (id_name,) = arguments_of(update).path

    async def run(call: Call) -> Result:
        is_new = id_name not in call.arguments
        made = planned(create if is_new else update, call.arguments)
        shown = await actions.at_once(call, name, schema, made, is_kept=is_new)
        data = {shown_as: shown.content["answer"], "idempotencyReplay": shown.is_replay}
        return Result(data=data, untrusted=untrusted)

    fields = input_schema(create, update)["properties"]
    own = {**fields[id_name], "description": "Which one to change; a new one is made without it"}
    properties = {id_name: own, **{one: field for one, field in fields.items() if one != id_name}}
    schema = object_schema({**properties, REPETITION: _AGAIN})
    return Tool(
        name=name,
        title=title,
        description=f"{description} With {id_name} the fields that are given are changed; without it "
        f"{', '.join(wanted)} are required. {_ONCE}",
        scopes=frozenset({scope_of(create)}),
        effect=Effect.PREPARES,
        input_schema=schema,
        output_schema=_made({shown_as: answer_schema(create, is_brief=True)}),
        run=run,
        remedies=_REMEDIES,
    )


def _made(properties: Mapping[str, Schema]) -> Schema:
    whole = {**properties, "idempotencyReplay": REPLAY}
    return {"type": "object", "properties": whole, "required": list(whole)}


def _save_customer_tool() -> Tool:
    """Makes or changes a customer."""
    return _saving(
        name="save_customer",
        title="Save a customer",
        description="Makes a customer, or changes one.",
        shown_as="customer",
        create="create_customer",
        update="update_customer",
        wanted=sorted(arguments_of("create_customer").required),
        untrusted=under("customer", (*OF_PARTY, "contacts")),
    )


def _draft_invoice_tool() -> Tool:
    """Makes or changes a draft invoice."""
    return _saving(
        name="draft_invoice",
        title="Draft an invoice",
        description="Makes a draft invoice, or changes one: it has no number and is neither booked nor sent "
        "(send_document does both). lines replace all lines.",
        shown_as="invoice",
        create="create_invoice",
        update="update_invoice",
        wanted=sorted(arguments_of("create_invoice").required),
        untrusted=under("invoice", OF_DOCUMENT),
    )


def _draft_quote_tool() -> Tool:
    """Makes or changes a draft quote."""
    return _saving(
        name="draft_quote",
        title="Draft a quote",
        description="Makes a draft quote, or changes one: it has no number and isn't sent (send_document sends it). "
        "lines replace all lines.",
        shown_as="quote",
        create="create_quote",
        update="update_quote",
        wanted=sorted(arguments_of("create_quote").required),
        untrusted=under("quote", (*OF_DOCUMENT, "answeredBy", "answerComment")),
    )


_CONVERT: Final[Mapping[str, str]] = {
    "quoteId": "convert_quote",
    "orderConfirmationId": "convert_order_confirmation",
}


def _convert_quote_tool() -> Tool:
    """Makes an order confirmation or an invoice of a quote."""

    async def run(call: Call) -> Result:
        source = next(name for name in _CONVERT if name in call.arguments)
        made = planned(_CONVERT[source], call.arguments)
        shown = await actions.at_once(call, "convert_quote", takes, made, is_kept=True)
        data = {"made": shown.content["answer"], "idempotencyReplay": shown.is_replay}
        return Result(data=data, untrusted=under("made", OF_DOCUMENT))

    quote, confirmation = (arguments_of(one) for one in _CONVERT.values())
    properties: dict[str, Schema] = {
        "quoteId": {**quote.properties["quoteId"], "description": "The quote to convert"},
        "orderConfirmationId": {
            **confirmation.properties["orderConfirmationId"],
            "description": "Instead of a quote: the order confirmation to convert into an invoice",
        },
        **{name: schema for name, schema in quote.properties.items() if name != "quoteId"},
    }
    takes = object_schema(properties, ["target"])
    return Tool(
        name="convert_quote",
        title="Convert a quote",
        description="Makes a draft of an order confirmation or invoice (target) of a quote, or a draft invoice of an "
        "order confirmation: one of quoteId and orderConfirmationId. Nothing is booked or mailed and no number is "
        f"taken; but a quote is converted once, and changes no more. {_ONCE}",
        any_scopes=frozenset(scope_of(one) for one in _CONVERT.values()),
        scopes=frozenset(),
        effect=Effect.PREPARES,
        input_schema={**takes, "oneOf": [{"required": [name]} for name in _CONVERT]},
        output_schema=_made({"made": {"type": "object", "properties": _converted()}}),
        run=run,
        remedies=_REMEDIES,
    )


def _converted() -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for one in _CONVERT.values():
        schema = answer_schema(one, is_brief=True)
        for branch in schema.get("anyOf", [schema]):
            found |= branch["properties"]
    return found


def preparing_tools() -> tuple[Tool, ...]:
    """The tools that prepare."""
    return (
        _save_customer_tool(),
        _draft_quote_tool(),
        _convert_quote_tool(),
        _draft_invoice_tool(),
    )
