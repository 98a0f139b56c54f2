"""Tools that book payments and entries: staged."""

from collections.abc import Mapping
from typing import Any, Final

from ledgerbee.app.mcp.model import Tool
from ledgerbee.app.mcp.operations import Schema, answer_schema, input_schema, object_schema, scope_of
from ledgerbee.app.mcp.staging.actions import Plan
from ledgerbee.app.mcp.staging.model import Planned
from ledgerbee.app.mcp.tools.staged import planned, single, staged_tool

_POST: Final = "create_journal_entry_v2"
_BOOK: Final = "book_draft_journal_entry_v2"
_DRAFT: Final = "draftJournalEntryId"

plan_payment: Final[Plan] = single("record_invoice_payment")
plan_reversal: Final[Plan] = single("reverse_journal_entry")


def plan_entry(given: Mapping[str, Any]) -> Planned:
    """Posting a new entry, or booking the draft that is named."""
    return planned(_BOOK if _DRAFT in given else _POST, given)


def _register_payment_tool() -> Tool:
    """Records a payment on an invoice."""
    return staged_tool(
        name="register_payment",
        title="Register a payment",
        description="Records that a customer has paid on a sent invoice, and books it. A payment can be taken back by "
        "an entry of its own, but never removed.",
        plan=plan_payment,
        takes=input_schema("record_invoice_payment"),
        gives=answer_schema("record_invoice_payment", is_brief=True),
        scopes=frozenset({scope_of("record_invoice_payment")}),
    )


def _post_entry_tool() -> Tool:
    """Posts an entry, or books a draft of one."""
    entry = input_schema(_POST, without=("attachments",))["properties"]
    draft: Schema = {
        "type": "string",
        "format": "uuid",
        "description": "Id of the draft to book; nothing else of an entry is given with it",
    }
    return staged_tool(
        name="post_entry",
        title="Post a journal entry",
        description="Posts a journal entry, for good: it can be reversed by another entry, but never changed or "
        "removed. Either entryType, date, originalAmount and lines (for CUSTOMER_INVOICE, CUSTOMER_PAYMENT, "
        "SUPPLIER_INVOICE and SUPPLIER_PAYMENT the counter-side only: the receivable or payable is added), or "
        "draftJournalEntryId to book a draft as it stands.",
        plan=plan_entry,
        takes=object_schema({_DRAFT: draft, **entry}),
        gives=answer_schema(_POST, is_brief=True),
        scopes=frozenset({scope_of(_POST)}),
    )


def _reverse_entry_tool() -> Tool:
    """Reverses an entry."""
    return staged_tool(
        name="reverse_entry",
        title="Reverse a journal entry",
        description="Posts the opposite of a posted journal entry, once and for good. Entries of invoices, payments "
        "and other documents are refused: they are corrected by their own tools.",
        plan=plan_reversal,
        takes=input_schema("reverse_journal_entry"),
        gives=answer_schema("reverse_journal_entry", is_brief=True),
        scopes=frozenset({scope_of("reverse_journal_entry")}),
    )


def booking_tools() -> tuple[Tool, ...]:
    """The tools that book."""
    return (
        _register_payment_tool(),
        _post_entry_tool(),
        _reverse_entry_tool(),
    )
