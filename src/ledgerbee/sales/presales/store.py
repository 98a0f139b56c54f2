"""Which quotes or order confirmations a list has; their rows are those of any document (`documents.store`)."""

from typing import Final, TypeVar
from uuid import UUID

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.kind import KindOfDocument
from ledgerbee.sales.documents.model import DraftFields
from ledgerbee.sales.presales.model import Presale

P = TypeVar("P", bound=Presale)
F = TypeVar("F", bound=DraftFields)

#: `status` is that of lists, but for `expired`, which follows from the day and stands with `sent`.
SORT_COLUMNS: Final = {
    "date": "t.issue_date",
    "documentNumber": "t.number_sequence",
    "amount": "t.amount",
    "status": "t.list_status",
}


async def list_page(
    context: Context,
    kind: KindOfDocument[F, P],
    request: PageRequest,
    filters: Filter,
    *,
    customer_id: UUID | None,
    delivery_status: DeliveryStatus | None,
    **more_columns: str,
) -> Page[P]:
    """A page of documents without their lines; `search` is a prefix of the number.

    `filters` are those of the kind (its status), `more_columns` what else it can be sorted by. `delivery_status` is
    that of a document's newest delivery; one that was never sent has none.
    """
    filters.starts_with(request.search, "number_key")
    if customer_id is not None:
        filters.add("t.customer_id = {}", customer_id)
    if delivery_status is not None:
        deliveries.narrow(filters, kind.kind, delivery_status)
    return await documents.list_page(context, kind, request, filters, {**SORT_COLUMNS, **more_columns})
