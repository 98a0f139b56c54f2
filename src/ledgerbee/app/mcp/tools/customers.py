"""Tools about customers."""

from functools import cache
from typing import Any, Final

from ledgerbee.app.mcp.model import Call, Effect, Result, Tool
from ledgerbee.app.mcp.operations import (
    PAGING,
    answer_schema,
    fields_of_answer,
    input_schema,
    item_schema,
    raw_answer,
    scopes_of,
    slice_of_answer,
)
from ledgerbee.app.mcp.results import page_schema
from ledgerbee.app.mcp.tools.parts import NOT_SHOWN, OF_PARTY, may, not_shown, nullable, under

_LIST: Final = "list_customers"
_GET: Final = "get_customer"
_OPEN: Final = "list_open_invoices"
_CREDIT: Final = "get_customer_credit"
_LEDGER: Final = "get_customer_ledger"
_CONTACTS: Final = "list_customer_contacts"
_DEPARTMENTS: Final = "list_customer_departments"
#: Invoices that are shown of a customer: the rest is for the list of overdue ones, and of documents.
_MOST_OPEN: Final = 100


async def _list(call: Call) -> Result:
    return Result(data=await slice_of_answer(call, _LIST, call.arguments), untrusted=under("data.*", OF_PARTY))


async def _get(call: Call) -> Result:
    given = call.arguments
    data: dict[str, Any] = {"customer": await raw_answer(call, _GET, given)}
    data["contacts"] = await raw_answer(call, _CONTACTS, given)
    data["departments"] = await raw_answer(call, _DEPARTMENTS, given)
    data["openInvoices"] = await raw_answer(call, _OPEN, {**given, "limit": _MOST_OPEN}) if may(call, _OPEN) else None
    data["credit"] = await raw_answer(call, _CREDIT, given) if may(call, _CREDIT) else None
    data["balance"] = (
        (await fields_of_answer(call, _LEDGER, {**given, "limit": 1}))["closing"] if may(call, _LEDGER) else None
    )
    parts = {"openInvoices": _OPEN, "credit": _CREDIT, "balance": _LEDGER}
    untrusted = [
        *under("customer", OF_PARTY),
        *under("contacts.*", ("name", "email", "phone")),
        *under("departments.*", ("name", "email", "phone", "address", "city", "postalCode")),
        "openInvoices.data.*.customerName",
    ]
    return Result(data={**data, "notShown": not_shown(call, parts)}, untrusted=untrusted)


@cache
def customer_tools() -> tuple[Tool, ...]:
    """Made when the first MCP request comes: their schemas are those of the API's document."""
    properties = {
        "customer": answer_schema(_GET),
        "contacts": answer_schema(_CONTACTS, is_brief=True),
        "departments": answer_schema(_DEPARTMENTS, is_brief=True),
        "openInvoices": nullable(
            {**answer_schema(_OPEN, is_brief=True), "description": "What is to be paid, due or not, with its sums"}
        ),
        "credit": nullable({**answer_schema(_CREDIT, is_brief=True), "description": "What can be used or paid back"}),
        "balance": {
            "type": ["string", "null"],
            "description": "What it owes today by the ledger, in the company's currency; negative: it has credit",
        },
        "notShown": NOT_SHOWN,
    }
    return (
        Tool(
            name="list_customers",
            title="List customers",
            description="Customers by their number, with all their fields; narrowed by exact number, external id, "
            "parent or metadata. To find one by its name use search; what one owes is in get_customer.",
            scopes=scopes_of(_LIST),
            effect=Effect.READS,
            input_schema=input_schema(_LIST, first=PAGING),
            output_schema=page_schema(item_schema(_LIST)),
            run=_list,
        ),
        Tool(
            name="get_customer",
            title="Get a customer",
            description="One customer with contacts and departments, its balance, its open invoices (due or not) and "
            "its credit. Why the balance is what it is: explain_balance. Its documents: list_documents.",
            scopes=scopes_of(_GET),
            effect=Effect.READS,
            input_schema=input_schema(_GET),
            output_schema={"type": "object", "properties": properties, "required": list(properties)},
            run=_get,
        ),
    )
