"""Tools about billing documents of all four kinds, and about what is overdue."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from ledgerbee.app.mcp.model import Call, Effect, Period, Result, Tool
from ledgerbee.app.mcp.operations import (
    answer_schema,
    arguments_of,
    fields_of_answer,
    input_schema,
    item_schema,
    merged,
    object_schema,
    page_of_answer,
    raw_answer,
    scopes_of,
)
from ledgerbee.app.mcp.results import page_data, page_schema
from ledgerbee.app.mcp.tools.parts import NOT_SHOWN, OF_DOCUMENT, OF_ENTRY, day_of, may, not_shown, nullable, under
from ledgerbee.core.errors import refuse


@dataclass(frozen=True, slots=True)
class _Kind:
    """The operations that read documents of a kind, and the name of its id in a path."""

    list: str
    get: str
    id: str


_KINDS: Final[Mapping[str, _Kind]] = {
    "invoice": _Kind("list_invoices", "get_invoice", "invoiceId"),
    "credit_note": _Kind("list_credit_notes", "get_credit_note", "creditNoteId"),
    "quote": _Kind("list_quotes", "get_quote", "quoteId"),
    "order_confirmation": _Kind("list_order_confirmations", "get_order_confirmation", "orderConfirmationId"),
}
_LISTS: Final = [kind.list for kind in _KINDS.values()]
_KIND: Final = {"type": "string", "enum": list(_KINDS), "description": "The kind of document"}
_PAYMENTS: Final = "list_invoice_payments"
_WRITE_OFFS: Final = "list_invoice_write_offs"
_NOTES: Final = "list_credit_notes"
_ENTRY: Final = "get_journal_entry"
_OPEN: Final = "list_open_invoices"
#: Credit notes of one invoice that are shown.
_MOST_NOTES: Final = 100


async def _list(call: Call) -> Result:
    kind = call.arguments["kind"]
    given = {name: value for name, value in call.arguments.items() if name != "kind"}
    unknown = given.keys() - arguments_of(_KINDS[kind].list).properties.keys()
    refuse([(name, "whitelistValidation", f"{name} should not exist for kind {kind}") for name in sorted(unknown)])
    untrusted = under("data.*", OF_DOCUMENT[:-1])
    return Result(data=await page_of_answer(call, _KINDS[kind].list, given), untrusted=untrusted)


async def _get(call: Call) -> Result:
    kind = call.arguments["kind"]
    one, id_ = _KINDS[kind], call.arguments["documentId"]
    document = await fields_of_answer(call, one.get, {one.id: id_})
    data: dict[str, Any] = {"kind": kind, "document": document}
    parts: dict[str, str] = {}
    if kind == "invoice":
        parts["payments"] = _PAYMENTS
        data["payments"] = await raw_answer(call, _PAYMENTS, {one.id: id_}) if may(call, _PAYMENTS) else None
        data["writeOffs"] = await raw_answer(call, _WRITE_OFFS, {one.id: id_})
        data["creditNotes"] = (await page_of_answer(call, _NOTES, {one.id: id_, "limit": _MOST_NOTES}))["data"]
    if "journalEntryId" in document:
        parts["journalEntry"] = _ENTRY
        entry_id = bytes(document["journalEntryId"]).decode().strip('"')
        is_shown = entry_id != "null" and may(call, _ENTRY)
        data["journalEntry"] = await raw_answer(call, _ENTRY, {"journalEntryId": entry_id}) if is_shown else None
    untrusted = [
        *under("document", (*OF_DOCUMENT, "answeredBy", "answerComment", "eInvoiceAnswer.text")),
        *under("payments.*", ("reference",)),
        *under("creditNotes.*", OF_DOCUMENT[:-1]),
        *under("journalEntry", OF_ENTRY),
    ]
    return Result(data={**data, "notShown": not_shown(call, parts)}, untrusted=untrusted)


async def _list_overdue(call: Call) -> Result:
    answer = await fields_of_answer(call, _OPEN, {"minDaysOverdue": 1, **call.arguments})
    page, limit, total = (int(bytes(answer[name])) for name in ("page", "limit", "total"))
    data = {
        "asOf": answer["asOf"],
        "totals": answer["totals"],
        "customers": answer["customers"],
        **page_data(answer["data"], total, page, limit),
    }
    return Result(data=data, period=Period(None, day_of(answer["asOf"])), untrusted=["data.*.customerName"])


def _overdue_schema() -> dict[str, Any]:
    answer = answer_schema(_OPEN, is_brief=True)["properties"]
    page = page_schema(answer["data"]["items"])
    own = {name: answer[name] for name in ("asOf", "totals", "customers")}
    return {**page, "properties": {**own, **page["properties"]}, "required": [*own, *page["required"]]}


@cache
def document_tools() -> tuple[Tool, ...]:
    """Made when the first MCP request comes: their schemas are those of the API's document."""
    entry = nullable(
        {**answer_schema(_ENTRY, is_brief=True), "description": "What booked it; null of what isn't booked"}
    )
    of_one = {
        "kind": _KIND,
        "document": {
            **merged(answer_schema(kind.get, is_brief=True) for kind in _KINDS.values()),
            "description": "With all its lines; it has the fields that its kind has",
        },
        "payments": nullable({**answer_schema(_PAYMENTS, is_brief=True), "description": "On an invoice"}),
        "writeOffs": {**answer_schema(_WRITE_OFFS, is_brief=True), "description": "Of an invoice"},
        "creditNotes": {"type": "array", "items": item_schema(_NOTES), "description": "On an invoice"},
        "journalEntry": entry,
        "notShown": NOT_SHOWN,
    }
    return (
        Tool(
            name="list_documents",
            title="List documents",
            description="Invoices, credit notes, quotes or order confirmations, without their lines, by pages: of a"
            " customer, a status, a state of delivery, or by the start of number or description. Their lines, payments"
            " and entry: get_document. What customers owe and is overdue: list_overdue. Sums: aggregate.",
            scopes=scopes_of("list_invoices"),
            effect=Effect.READS,
            input_schema=input_schema(*_LISTS, first={"kind": _KIND}, required=["kind"]),
            output_schema=page_schema(merged(item_schema(one) for one in _LISTS)),
            run=_list,
        ),
        Tool(
            name="get_document",
            title="Get a document",
            description="One invoice, credit note, quote or order confirmation with all its lines; of an invoice its"
            " payments, credit notes and write-offs, and of what is booked its journal entry. Its PDF is a resource. It"
            " changes nothing and sends nothing.",
            scopes=scopes_of("get_invoice"),
            effect=Effect.READS,
            input_schema=object_schema(
                {
                    "kind": _KIND,
                    "documentId": {"type": "string", "format": "uuid", "description": "Its id, from search"},
                },
                ["kind", "documentId"],
            ),
            output_schema={"type": "object", "properties": of_one, "required": ["kind", "document", "notShown"]},
            run=_get,
        ),
        Tool(
            name="list_overdue",
            title="List what is overdue",
            description="Invoices that weren't paid by their day of payment, as they stood at the end of a day (today"
            " unless given): open amount, days overdue, and sums by customer, currency and age. It reminds nobody. What"
            " isn't due yet: get_customer, list_documents.",
            scopes=scopes_of(_OPEN),
            effect=Effect.READS,
            input_schema=input_schema(_OPEN),
            output_schema=_overdue_schema(),
            run=_list_overdue,
        ),
    )
