"""Which quotes a list has; their rows are those of any document (`documents.store`)."""

from datetime import date
from uuid import UUID

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.presales import store as presales
from ledgerbee.sales.quotes.kind import QUOTES
from ledgerbee.sales.quotes.model import Quote, QuoteDisplayStatus


async def list_page(
    context: Context,
    request: PageRequest,
    *,
    status: QuoteDisplayStatus | None,
    customer_id: UUID | None,
    delivery_status: DeliveryStatus | None,
) -> Page[Quote]:
    """A page of quotes without their lines; `status` is the one that is shown today, the company's day."""
    filters = Filter()
    if status is not None:
        _narrow(filters, status, context.today)
    return await presales.list_page(
        context, QUOTES, request, filters,
        customer_id=customer_id, delivery_status=delivery_status, validUntil="t.valid_until",
    )  # fmt: skip


def _narrow(filters: Filter, status: QuoteDisplayStatus, today: date) -> None:
    if status is QuoteDisplayStatus.EXPIRED:
        filters.add("t.list_status = {}", QuoteDisplayStatus.SENT)
        filters.add("t.valid_until < {}", today)
        return
    filters.add("t.list_status = {}", status)
    if status is QuoteDisplayStatus.SENT:
        filters.add("(t.valid_until IS NULL OR t.valid_until >= {})", today)
