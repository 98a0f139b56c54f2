"""Which invoices a list has; their rows are those of any document (`documents.store`)."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Condition, Filter
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice, InvoiceId, InvoiceStatus

#: What payments (without those taken back), credit notes and used credit took off the receivable of an invoice ($1 is
#: the company), in the company's currency, as a part of other statements: `{invoice}` is its id.
SETTLED_IN_BASE: Final = """
SELECT (SELECT coalesce(sum(p.base_settled), 0) FROM payments p
        WHERE p.company_id = $1 AND p.invoice_id = {invoice} AND p.reversed_at IS NULL)
    + (SELECT coalesce(-sum(n.base_amount), 0) FROM credit_notes n
       WHERE n.company_id = $1 AND n.invoice_id = {invoice})
    + (SELECT coalesce(sum(u.base_given), 0) FROM credit_uses u
       WHERE u.company_id = $1 AND u.invoice_id = {invoice})
"""
_SETTLED: Final = SETTLED_IN_BASE.format(invoice="$2")
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
