"""Tools that send documents, and credit invoices: staged."""

from collections.abc import Mapping
from typing import Any, Final

from ledgerbee.app.mcp.crediting import CREDIT_ROUTE
from ledgerbee.app.mcp.model import Tool
from ledgerbee.app.mcp.operations import Schema, answer_schema, arguments_of, input_schema, object_schema, scope_of
from ledgerbee.app.mcp.staging.model import Planned
from ledgerbee.app.mcp.tools.staged import REPETITION, planned, staged_tool
from ledgerbee.sales.delivery.model import DeliveryType

#: The operation that sends a document, by its type.
_SEND: Final[Mapping[str, str]] = {
    "invoice": "send_invoice",
    "creditNote": "send_credit_note",
    "quote": "send_quote",
    "orderConfirmation": "send_order_confirmation",
}


def plan_sending(given: Mapping[str, Any]) -> Planned:
    """The operation that sends a document of the type that is given."""
    operation_id = _SEND[given["type"]]
    (path,) = arguments_of(operation_id).path
    rest = {name: value for name, value in given.items() if name not in {"type", "documentId"}}
    return planned(operation_id, {**rest, path: given["documentId"]})


def plan_crediting(given: Mapping[str, Any]) -> Planned:
    """Making and sending a credit note on an invoice, in one transaction."""
    body = {name: value for name, value in given.items() if name != REPETITION}
    return Planned(route=CREDIT_ROUTE, path={}, body=body)


def _send_document_tool() -> Tool:
    """Sends a document of any kind."""
    own: dict[str, Schema] = {
        "type": {"type": "string", "enum": list(_SEND), "description": "The kind of document"},
        "documentId": {"type": "string", "format": "uuid", "description": "Id of the document"},
    }
    paths = {path for one in _SEND.values() for path in arguments_of(one).path}
    takes = input_schema(*_SEND.values(), without=paths, required=("type", "documentId"), first=own)
    delivery = {**takes["properties"]["deliveryType"], "default": DeliveryType.MANUAL.value}
    takes = {**takes, "properties": {**takes["properties"], "deliveryType": delivery}}
    return staged_tool(
        name="send_document",
        title="Send a document",
        description="Sends an invoice, credit note, quote or order confirmation to its customer. An invoice or credit "
        "note is booked and gets its number by that, which can't be taken back: an invoice can only be credited. "
        "deliveryType Manual (the default) sends nothing by itself, Email mails the PDF, Sproom sends an e-invoice "
        "(invoices and credit notes). recipientEmail is for quotes and order confirmations, overrideEmail, "
        "overrideEanNumber and updateCustomerRecord for invoices and credit notes. One whose delivery failed can be "
        "sent again.",
        plan=plan_sending,
        takes=takes,
        gives={"type": "object", "properties": _answers()},
        any_scopes=frozenset(scope_of(one) for one in _SEND.values()),
    )


def _answers() -> dict[str, Schema]:
    """The fields of all that sending answers."""
    found: dict[str, Schema] = {}
    for one in _SEND.values():
        found |= answer_schema(one, is_brief=True)["properties"]
    return found


def _credit_invoice_tool() -> Tool:
    """Credits an invoice, whole or by lines."""
    created = arguments_of("create_credit_note").properties
    sent = arguments_of("send_credit_note").properties
    number = {
        "type": "string",
        "maxLength": 1000,
        "description": "Number of the invoice to credit",
        "examples": ["1042"],
    }
    properties = {**created, "invoiceNumber": number, **{name: sent[name] for name in CREDIT_SENDING}}
    return staged_tool(
        name="credit_invoice",
        title="Credit an invoice",
        description="Makes a credit note on a sent invoice, books it and sends it to the customer, all or nothing; "
        "that can't be taken back. customerId and invoiceNumber are the invoice's. Without lines all that is left of "
        "the invoice is credited; a line names the invoice's line (invoiceLineId) and how much of it.",
        plan=plan_crediting,
        takes=object_schema(properties, ["customerId", "invoiceNumber"]),
        gives=answer_schema("create_credit_note", is_brief=True),
        scopes=frozenset({scope_of("create_credit_note")}),
    )


#: What of sending the tool takes: the template is the credit note's.
CREDIT_SENDING: Final = ("deliveryType", "overrideEmail", "overrideEanNumber", "updateCustomerRecord")


def sending_tools() -> tuple[Tool, ...]:
    """The tools that send and credit."""
    return (
        _send_document_tool(),
        _credit_invoice_tool(),
    )
