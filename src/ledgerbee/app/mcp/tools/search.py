"""The tool that finds anything."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from ledgerbee.app.mcp.model import Call, Effect, Result, Tool
from ledgerbee.app.mcp.operations import PAGING, object_schema, operation_route, page_of
from ledgerbee.app.mcp.results import of_rows, page_schema
from ledgerbee.app.mcp.searching.model import Found, Hit, Match
from ledgerbee.app.mcp.searching.rules import in_order, term_of
from ledgerbee.app.mcp.searching.store import MOST, search
from ledgerbee.app.mcp.tools.parts import NOT_SHOWN, may
from ledgerbee.core.errors import invalid
from ledgerbee.core.money import format_amount
from ledgerbee.http.list_query import MAX_SEARCH
from ledgerbee.platform.context import Context


class _Next(NamedTuple):
    """What reads more of a hit: a tool, the argument that takes its id, and the operation that the tool runs."""

    tool: str
    argument: str
    operation: str


#: The operation whose scope and licence it takes to see a kind.
_SEEN_BY: Final[Mapping[Found, str]] = {
    Found.CUSTOMER: "list_customers",
    Found.VENDOR: "list_vendors",
    Found.INVOICE: "list_invoices",
    Found.CREDIT_NOTE: "list_credit_notes",
    Found.QUOTE: "list_quotes",
    Found.ORDER_CONFIRMATION: "list_order_confirmations",
    Found.SUBSCRIPTION: "list_subscriptions",
    Found.SUBSCRIPTION_PLAN: "list_subscription_plans",
    Found.PRODUCT: "list_products",
    Found.METER: "list_meters",
    Found.ACCOUNT: "list_accounts",
    Found.JOURNAL_ENTRY: "list_journal_entries",
    Found.VAT_CODE: "list_vat_codes",
    Found.DIMENSION_VALUE: "list_dimensions",
    Found.PROJECT: "list_projects",
}
_NEXT: Final[Mapping[Found, _Next]] = {
    Found.CUSTOMER: _Next("get_customer", "customerId", "get_customer"),
    Found.VENDOR: _Next("explain_balance", "vendorId", "get_vendor_ledger"),
    Found.INVOICE: _Next("get_document", "documentId", "get_invoice"),
    Found.CREDIT_NOTE: _Next("get_document", "documentId", "get_credit_note"),
    Found.QUOTE: _Next("get_document", "documentId", "get_quote"),
    Found.ORDER_CONFIRMATION: _Next("get_document", "documentId", "get_order_confirmation"),
    Found.SUBSCRIPTION: _Next("get_subscription", "subscriptionId", "get_subscription"),
    Found.METER: _Next("get_usage", "meterId", "get_meter_usage"),
    Found.ACCOUNT: _Next("explain_balance", "accountId", "get_account_ledger"),
    Found.JOURNAL_ENTRY: _Next("get_journal_entry", "journalEntryId", "get_journal_entry"),
    Found.DIMENSION_VALUE: _Next("get_trial_balance", "dimensionValueId", "get_trial_balance"),
    Found.PROJECT: _Next("get_trial_balance", "projectId", "get_trial_balance"),
}


async def _run(call: Call) -> Result:
    term = term_of(call.arguments["query"])
    if not term.text:
        raise invalid(("query", "isNotEmpty", "query should not be empty"))
    asked = [Found(one) for one in call.arguments.get("types") or list(Found)]
    seen = [kind for kind in Found if kind in asked and may(call, _SEEN_BY[kind])]

    async def work(context: Context) -> dict[Found, list[Hit]]:
        return {kind: await search(context, kind, term) for kind in seen}

    found = await call.caller.read(work) if seen else {}
    hits = in_order(hit for of_kind in found.values() for hit in of_kind[:MOST])
    page, limit = page_of(call.arguments)
    data = {
        **of_rows([_shown(call, hit) for hit in hits], page, limit),
        "cut": [kind for kind, of_kind in found.items() if len(of_kind) > MOST],
        "notShown": [
            {"part": kind, "scope": operation_route(_SEEN_BY[kind]).operation.scope}
            for kind in asked
            if kind not in seen
        ],
    }
    return Result(data=data, untrusted=["data.*.name", "data.*.number"])


def _shown(call: Call, hit: Hit) -> dict[str, Any]:
    amount = None if hit.amount is None or hit.currency is None else format_amount(hit.amount, hit.currency)
    return {
        "type": hit.type,
        "match": hit.match,
        "id": hit.id,
        "number": hit.number,
        "name": hit.name,
        "status": hit.status,
        "date": hit.date,
        "amount": amount,
        "currency": hit.currency,
        "customerId": hit.customer_id,
        "priceId": hit.price_id,
        "next": _next(call, hit),
    }


def _next(call: Call, hit: Hit) -> dict[str, Any] | None:
    next_ = _NEXT.get(hit.type)
    if next_ is None or not may(call, next_.operation):
        return None
    kind = {"kind": hit.type} if next_.tool == "get_document" else {}
    return {"tool": next_.tool, "arguments": {**kind, next_.argument: hit.id}}


@cache
def search_tools() -> tuple[Tool, ...]:
    """The tool, made when the first MCP request comes."""
    types = [kind.value for kind in Found]
    text, text_or_null = {"type": "string"}, {"type": ["string", "null"]}
    hit = {
        "type": {"type": "string", "enum": types},
        "match": {"type": "string", "enum": [match.value for match in Match]},
        "id": text,
        "number": {**text_or_null, "description": "Of an entry its number within its fiscal year"},
        "name": {**text_or_null, "description": "Name, description or text"},
        "status": text_or_null,
        "date": {**text_or_null, "format": "date"},
        "amount": {**text_or_null, "description": "In `currency`"},
        "currency": text_or_null,
        "customerId": text_or_null,
        "priceId": {**text_or_null, "description": "Of a product: its default price, which lines of documents take"},
        "next": {
            "type": ["object", "null"],
            "properties": {"tool": text, "arguments": {"type": "object", "additionalProperties": text}},
            "required": ["tool", "arguments"],
            "description": "The call that reads it; null where no tool of this connection does",
        },
    }
    page = page_schema({"type": "object", "properties": hit, "required": list(hit)})
    properties = {
        **page["properties"],
        "cut": {"type": "array", "items": text, "description": f"Kinds of which only the best {MOST} hits are given"},
        "notShown": NOT_SHOWN,
    }
    query = {
        "query": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_SEARCH,
            "description": "A number, name, e-mail address, VAT number, reference, external id, or an id. The start is"
            " enough, of names a part",
            "examples": ["Havblik", "1042", "PO-7731"],
        },
        "types": {
            "type": "array",
            "items": {"type": "string", "enum": types},
            "uniqueItems": True,
            "description": "Only these kinds; all unless given",
        },
    }
    return (
        Tool(
            name="search",
            title="Find anything",
            description="Finds customers, vendors, products, plans, meters, invoices, credit notes, quotes, order "
            "confirmations, subscriptions, accounts, VAT codes, journal entries, dimension values and projects by "
            "number, name or reference, the best hits first, each with its id and the call that reads it. Use it "
            "first, to get ids. It doesn't look into the lines of documents; it sums nothing up (aggregate does).",
            scopes=frozenset(),
            effect=Effect.READS,
            input_schema=object_schema({**query, **PAGING}, ["query"]),
            output_schema={**page, "properties": properties, "required": list(properties)},
            run=_run,
        ),
    )
