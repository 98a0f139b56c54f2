"""Tools that read the books: entries, ledgers, the trial balance, and what a balance is made of."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import Raw

from ledgerbee.app.mcp.model import Call, Effect, Period, Result, Tool
from ledgerbee.app.mcp.operations import (
    PAGING,
    Schema,
    answer_schema,
    fields_of_answer,
    input_schema,
    item_schema,
    page_of_answer,
    raw_answer,
    scopes_of,
)
from ledgerbee.app.mcp.results import of_rows, page_data, page_schema
from ledgerbee.app.mcp.tools.parts import (
    NOT_SHOWN,
    OF_ENTRY,
    asked_period,
    day_of,
    may,
    not_shown,
    nullable,
    under,
)
from ledgerbee.core.errors import invalid

_ENTRIES: Final = "list_journal_entries"
_ENTRY: Final = "get_journal_entry"
_ATTACHMENTS: Final = "list_journal_entry_attachments"
_TRIAL_BALANCE: Final = "get_trial_balance"
_LEDGER: Final = "get_account_ledger"
_OPEN: Final = "list_open_invoices"
_CREDIT: Final = "get_customer_credit"
#: Whose balance can be explained: the argument that names it, and the operation that reads its ledger.
_OWNERS: Final[Mapping[str, str]] = {
    "customerId": "get_customer_ledger",
    "vendorId": "get_vendor_ledger",
    "accountId": _LEDGER,
}
#: Open invoices that explain a customer's balance: more are for `list_overdue` and `list_documents`.
_MOST_OPEN: Final = 100
#: Rows of a trial balance that are given at once.
_MOST_ROWS: Final = 500
_ROWS_ASKED: Final[Mapping[str, Schema]] = {
    "includeUnused": {
        "type": "boolean",
        "default": False,
        "description": "Also headings, and accounts and totals that are zero all over",
    },
    "page": PAGING["page"],
    "limit": {**PAGING["limit"], "maximum": _MOST_ROWS, "default": _MOST_ROWS},
}
_ROWS: Final = msgspec.json.Decoder(list[dict[str, Any]])
_FIGURES: Final = ("opening", "debit", "credit", "closing")
_OF_REPORT: Final = ("fiscalYearStart", "fiscalYearEnd", "priorYearsResult", "totals")
_LEDGER_TEXTS: Final = ("owner.name", *under("data.*", ("description", "reference")))


async def _list_entries(call: Call) -> Result:
    period = asked_period(call, "fromDate", "toDate")
    page = await page_of_answer(call, _ENTRIES, call.arguments)
    return Result(data=page, period=period, untrusted=under("data.*", OF_ENTRY))


async def _get_entry(call: Call) -> Result:
    data = {
        "entry": await raw_answer(call, _ENTRY, call.arguments),
        "attachments": await raw_answer(call, _ATTACHMENTS, call.arguments),
    }
    return Result(data=data, untrusted=[*under("entry", OF_ENTRY), "attachments.*.fileName"])


async def _get_trial_balance(call: Call) -> Result:
    answer = await fields_of_answer(call, _TRIAL_BALANCE, call.arguments)
    rows = _ROWS.decode(answer.pop("rows"))
    if not call.arguments.get("includeUnused"):
        rows = [row for row in rows if any(Decimal(row[name] or 0) for name in _FIGURES)]
    page, limit = int(call.arguments.get("page", 1)), int(call.arguments.get("limit", _MOST_ROWS))
    figures = {name: answer[name] for name in _OF_REPORT}
    return Result(data={**figures, **of_rows(rows, page, limit)}, period=_period_of(answer))


async def _explain(call: Call) -> Result:
    named = [name for name in _OWNERS if name in call.arguments]
    if len(named) != 1:
        text = "exactly one of customerId, vendorId and accountId must be given"
        raise invalid((named[1] if named else "customerId", "isOnlyOne", text))
    (name,) = named
    answer = await fields_of_answer(call, _OWNERS[name], call.arguments)
    data: dict[str, Any] = {**_ledger(answer), "openInvoices": None, "customerCredit": None}
    parts: dict[str, str] = {}
    if name == "customerId":
        of_customer = {"customerId": call.arguments[name]}
        parts = {"openInvoices": _OPEN, "customerCredit": _CREDIT}
        if may(call, _OPEN):
            as_of = bytes(answer["toDate"]).decode().strip('"')
            data["openInvoices"] = await raw_answer(call, _OPEN, {**of_customer, "asOf": as_of, "limit": _MOST_OPEN})
        if may(call, _CREDIT):
            data["customerCredit"] = await raw_answer(call, _CREDIT, of_customer)
    untrusted = [*_LEDGER_TEXTS, "openInvoices.data.*.customerName"]
    return Result(data={**data, "notShown": not_shown(call, parts)}, period=_period_of(answer), untrusted=untrusted)


def _ledger(answer: Mapping[str, Raw]) -> dict[str, Any]:
    """A ledger's answer with its page as results have it, behind the figures."""
    page, limit, total = (int(bytes(answer[name])) for name in ("page", "limit", "total"))
    figures = {name: answer[name] for name in ("owner", "opening", "debit", "credit", "closing")}
    return {**figures, **page_data(answer["data"], total, page, limit)}


def _period_of(answer: Mapping[str, Raw]) -> Period:
    return Period(day_of(answer["fromDate"]), day_of(answer["toDate"]))


def _trial_balance_schema() -> dict[str, Any]:
    answer = answer_schema(_TRIAL_BALANCE)["properties"]
    page = page_schema(answer["rows"]["items"])
    figures = {name: answer[name] for name in _OF_REPORT}
    return {**page, "properties": {**figures, **page["properties"]}, "required": [*figures, *page["required"]]}


def _ledger_schema() -> dict[str, Any]:
    answer = answer_schema(_LEDGER, is_brief=True)["properties"]
    page = page_schema(answer["data"]["items"])
    figures = {name: answer[name] for name in ("owner", "opening", "debit", "credit", "closing")}
    return {**page, "properties": {**figures, **page["properties"]}, "required": [*figures, *page["required"]]}


def _explained_schema() -> dict[str, Any]:
    ledger = _ledger_schema()
    parts = {
        "openInvoices": nullable(
            {
                **answer_schema(_OPEN, is_brief=True),
                "description": "Of a customer: what was open at the end of the period, due or not, with its sums",
            }
        ),
        "customerCredit": nullable(
            {
                **answer_schema(_CREDIT, is_brief=True),
                "description": "Of a customer: what it can use or get back now, and the documents that left it",
            }
        ),
        "notShown": NOT_SHOWN,
    }
    return {
        **ledger,
        "properties": {**ledger["properties"], **parts},
        "required": [*ledger["required"], *parts],
    }


@cache
def book_tools() -> tuple[Tool, ...]:
    """Made when the first MCP request comes: their schemas are those of the API's document."""
    entry = {"entry": answer_schema(_ENTRY), "attachments": answer_schema(_ATTACHMENTS, is_brief=True)}
    owners = {name: answer for name, answer in input_schema(*_OWNERS.values())["properties"].items() if name in _OWNERS}
    return (
        Tool(
            name="list_journal_entries",
            title="List journal entries",
            description="Posted entries with their lines, newest first, by pages: by days, account, customer, vendor,"
            " type, amount, external id, or the start of description or reference. Running balances:"
            " explain_balance. Sums: aggregate. Drafts aren't among them.",
            scopes=scopes_of(_ENTRIES),
            effect=Effect.READS,
            input_schema=input_schema(_ENTRIES),
            output_schema=page_schema(item_schema(_ENTRIES)),
            run=_list_entries,
        ),
        Tool(
            name="get_journal_entry",
            title="Get a journal entry",
            description="One posted entry with all its lines, what posted it and who, what it reverses or is "
            "reversed by, and the names of its vouchers (attached files). Their content isn't given.",
            scopes=scopes_of(_ENTRY, _ATTACHMENTS),
            effect=Effect.READS,
            input_schema=input_schema(_ENTRY),
            output_schema={"type": "object", "properties": entry, "required": list(entry)},
            run=_get_entry,
        ),
        Tool(
            name="get_trial_balance",
            title="Get the trial balance",
            description="Opening balance, turnover and closing balance of every account over any days (the fiscal "
            "year so far unless given), with the totals of the statements: result, assets, equity and liabilities. "
            "Of a dimension value or project if asked for, where it needn't balance. The lines behind a figure: "
            "explain_balance.",
            scopes=scopes_of(_TRIAL_BALANCE),
            effect=Effect.READS,
            input_schema=input_schema(_TRIAL_BALANCE, first=_ROWS_ASKED),
            output_schema=_trial_balance_schema(),
            run=_get_trial_balance,
        ),
        Tool(
            name="explain_balance",
            title="Explain a balance",
            description="The ledger of a customer, a vendor or an account over any days: opening balance, each line "
            "with the balance after it, closing balance; of an account also for a dimension value or project alone; of "
            "a customer also what is open of which invoices at the end of the period, and the credit that it has now. "
            "Give exactly one of customerId, vendorId and accountId. Payments to vendors aren't matched to single "
            "invoices: their ledger says all there is.",
            scopes=scopes_of(*_OWNERS.values()),
            effect=Effect.READS,
            input_schema=input_schema(*_OWNERS.values(), without=_OWNERS, first=owners),
            output_schema=_explained_schema(),
            run=_explain,
        ),
    )
