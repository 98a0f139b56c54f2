"""Which credit notes a list has, and what their invoices have left; their rows are those of any document."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Condition, Filter
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.credit_notes.model import CreditNote, CreditNoteStatus, TakenLine
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.model import INVOICE_NOT_FOUND, InvoiceId

SORT_COLUMNS: Final = {
    "date": "t.issue_date",
    "number": "t.number_sequence",
    "amount": "t.amount",
    "createdAt": "t.created_at",
}
#: The indexes `credit_notes_of_invoice`, `credit_notes_by_customer` and `credit_notes_by_status`.
_ON_INVOICE: Final = Condition("t.invoice_id = {0}", order=("t.created_at",), is_narrow=True)
_OF_CUSTOMER: Final = Condition("t.customer_id = {0}", order=("t.created_at",), is_narrow=True)
_WITH_STATUS: Final = Condition("t.status = {0}", order=("t.created_at",))
_INVOICE_ID: Final = "SELECT id FROM invoices WHERE company_id = $1 AND number = $2"
_TAKEN: Final = """
SELECT l.invoice_line_id, l.quantity, l.net, l.vat
FROM credit_notes n JOIN credit_note_lines l ON l.company_id = n.company_id AND l.credit_note_id = n.id
WHERE n.company_id = $1 AND n.invoice_id = $2 AND n.status <> 'cancelled' AND l.invoice_line_id IS NOT NULL
"""
_TAKEN_BY_SENT: Final = f"{_TAKEN} AND n.journal_entry_id IS NOT NULL"
_VAT_ACCOUNTS: Final = """
SELECT DISTINCT vat_code_id, account_id FROM journal_lines
WHERE company_id = $1 AND entry_id = $2 AND line_type = 'VAT' AND vat_code_id IS NOT NULL
"""


async def find_invoice(context: Context, number: str) -> InvoiceId:
    """The invoice of a number. Raises `INVOICE_NOT_FOUND`."""
    found = await context.connection.fetchval(_INVOICE_ID, context.company_id, number)
    if found is None:
        raise INVOICE_NOT_FOUND.missing("invoiceNumber", "invoiceNumber", number)
    return InvoiceId(found)


async def taken_of(context: Context, invoice_id: UUID) -> list[TakenLine]:
    """What the notes on an invoice take of its lines, sent or not; those that were cancelled take nothing."""
    found = await context.connection.fetch(_TAKEN, context.company_id, invoice_id)
    return [TakenLine(**row) for row in found]


async def taken_by_sent(context: Context, invoice_id: UUID) -> list[TakenLine]:
    """What the notes on an invoice that were sent take of its lines."""
    found = await context.connection.fetch(_TAKEN_BY_SENT, context.company_id, invoice_id)
    return [TakenLine(**row) for row in found]


async def vat_accounts_of(context: Context, entry_id: UUID) -> Mapping[UUID, UUID]:
    """Where an entry has the VAT of each code."""
    found = await context.connection.fetch(_VAT_ACCOUNTS, context.company_id, entry_id)
    return {row["vat_code_id"]: row["account_id"] for row in found}


async def list_page(
    context: Context,
    request: PageRequest,
    *,
    status: CreditNoteStatus | None,
    customer_id: UUID | None,
    invoice_id: UUID | None,
    delivery_status: DeliveryStatus | None,
) -> Page[CreditNote]:
    """A page of credit notes without their lines; `search` is a prefix of the number or the description."""
    filters = Filter()
    filters.starts_with(request.search, "number_key", "description_key")
    if invoice_id is not None:
        filters.choose(_ON_INVOICE, invoice_id)
    if customer_id is not None:
        filters.choose(_OF_CUSTOMER, customer_id)
    if status is not None:
        filters.choose(_WITH_STATUS, status)
    if delivery_status is not None:
        deliveries.narrow(filters, CREDIT_NOTES.kind, delivery_status)
    return await documents.list_page(context, CREDIT_NOTES, request, filters, SORT_COLUMNS)
