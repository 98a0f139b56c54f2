"""Open invoices as they stood at the end of a day."""

from ledgerbee.core.paging import PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.sales.open_invoices import store
from ledgerbee.sales.open_invoices.model import OpenFilter, OpenInvoices


async def list_open(context: Context, chosen: OpenFilter, asked: PageRequest) -> OpenInvoices:
    """A page of open invoices with the sums of all of them, and of the customers on the page."""
    invoices = await store.list_page(context, chosen, asked)
    customers = list(dict.fromkeys(one.customer_id for one in invoices))
    return OpenInvoices(
        invoices,
        await store.list_sums(context, chosen),
        await store.list_customer_sums(context, chosen, customers) if customers else [],
    )
