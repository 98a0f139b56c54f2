"""Which invoices a list has; their rows are those of any document (`documents.store`)."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.ledger.entries.model import LineType
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Condition, Filter
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice, InvoiceId, InvoiceStatus
from ledgerbee.sales.sending.model import BookedLeft, BookedOn

#: What payments, credit notes and used credit took off the receivable of an invoice ($1 is
#: the company), in the company's currency, as a part of other statements: `{invoice}` is its id. Of a payment that was
#: taken back it is the exchange difference that its reversal settled the invoice by, which is seldom anything. What
#: went back of charges is taken off that.
SETTLED_IN_BASE: Final = """
SELECT (SELECT coalesce(sum(p.base_settled), 0) FROM payments p
        WHERE p.company_id = $1 AND p.invoice_id = {invoice} AND p.reversed_at IS NULL)
    + (SELECT coalesce(-sum(l.base_amount), 0) FROM payments p
       JOIN journal_lines l ON l.company_id = $1 AND l.entry_id IN (p.journal_entry_id, p.reversal_entry_id)
           AND l.line_type = 'CONTROL'
       WHERE p.company_id = $1 AND p.invoice_id = {invoice} AND p.reversed_at IS NOT NULL)
    + (SELECT coalesce(-sum(n.base_amount), 0) FROM credit_notes n
       WHERE n.company_id = $1 AND n.invoice_id = {invoice})
    + (SELECT coalesce(sum(u.base_given), 0) FROM credit_uses u
       WHERE u.company_id = $1 AND u.invoice_id = {invoice})
    - (SELECT coalesce(sum(r.base_settled), 0) FROM charge_returns r
       WHERE r.company_id = $1 AND r.invoice_id = {invoice})
"""
_SETTLED: Final = SETTLED_IN_BASE.format(invoice="$2")
#: What the entries of an invoice and of its sent credit notes have of revenue and VAT. What was deferred of it and is
#: recognised by now is revenue.
_LEFT: Final = """
SELECT l.line_type, l.account_id, l.vat_code_id, l.vat_rate, -sum(l.amount) AS amount,
       -sum(l.base_amount) AS base_amount
FROM (
    SELECT e.line_type, e.account_id, e.vat_code_id, e.vat_rate, e.amount, e.base_amount, e.line_number
    FROM journal_lines e
    WHERE e.company_id = $1 AND e.line_type IN ('ENTERED', 'VAT') AND e.entry_id IN (
        SELECT i.journal_entry_id FROM invoices i WHERE i.company_id = $1 AND i.id = $2
        UNION ALL
        SELECT n.journal_entry_id FROM credit_notes n
        WHERE n.company_id = $1 AND n.invoice_id = $2 AND n.journal_entry_id IS NOT NULL)
    UNION ALL
    SELECT 'ENTERED', m.account_id, s.vat_code_id, CASE WHEN s.vat_code_id IS NOT NULL THEN s.vat_rate END,
           m.sign * r.amount, m.sign * r.base_amount, 2147483647
    FROM revenue_deferrals d
    JOIN invoice_lines s ON s.company_id = $1 AND s.invoice_id = $2 AND s.id = d.invoice_line_id
    JOIN revenue_recognitions r ON r.company_id = $1 AND r.invoice_line_id = d.invoice_line_id
    CROSS JOIN LATERAL (VALUES (d.account_id, 1), (d.revenue_account_id, -1)) m (account_id, sign)
    WHERE d.company_id = $1 AND d.invoice_id = $2
) l
GROUP BY l.line_type, l.account_id, l.vat_code_id, l.vat_rate ORDER BY min(l.line_number)
"""
SORT_COLUMNS: Final = {
    "date": "t.issue_date",
    "number": "t.number_sequence",
    "amount": "t.amount",
    "createdAt": "t.created_at",
}
#: The indexes `invoices_by_customer` and `invoices_by_status`.
_OF_CUSTOMER: Final = Condition("t.customer_id = {0}", order=("t.created_at",), is_narrow=True)
_WITH_STATUS: Final = Condition("t.status = {0}", order=("t.created_at",))


async def get_settled(context: Context, invoice_id: InvoiceId) -> Decimal:
    """What payments, credit notes and used credit took off the receivable of an invoice, which is locked.

    In the company's currency, also what of it is a credit of the customer's.
    """
    settled: Decimal = await context.connection.fetchval(_SETTLED, context.company_id, invoice_id)
    return settled


async def get_left(context: Context, invoice_id: InvoiceId) -> dict[BookedOn, BookedLeft]:
    """What is left of what an invoice, which is locked, was booked on, after its credit notes that were sent."""
    found = await context.connection.fetch(_LEFT, context.company_id, invoice_id)
    return {
        BookedOn(LineType(row["line_type"]), row["account_id"], row["vat_code_id"], row["vat_rate"]): BookedLeft(
            row["amount"], row["base_amount"]
        )
        for row in found
    }


async def list_page(
    context: Context,
    request: PageRequest,
    *,
    status: InvoiceStatus | None,
    customer_id: UUID | None,
    delivery_status: DeliveryStatus | None = None,
) -> Page[Invoice]:
    """A page of invoices without their lines; `search` is a prefix of the number or the description.

    `delivery_status` is that of an invoice's newest delivery; one that was never sent has none.
    """
    filters = Filter()
    filters.starts_with(request.search, "number_key", "description_key")
    if customer_id is not None:
        filters.choose(_OF_CUSTOMER, customer_id)
    if status is not None:
        filters.choose(_WITH_STATUS, status)
    if delivery_status is not None:
        deliveries.narrow(filters, INVOICES.kind, delivery_status)
    return await documents.list_page(context, INVOICES, request, filters, SORT_COLUMNS)
