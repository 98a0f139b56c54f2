"""Which quotes or order confirmations a list has; their rows are those of any document (`documents.store`)."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Condition, Filter
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
#: The indexes `..._by_customer`, and `..._by_status` and `..._by_list_status`.
_OF_CUSTOMER: Final = Condition("t.customer_id = {0}", order=("t.issue_date",), is_narrow=True)
WITH_STATUS: Final = Condition("t.list_status = {0}", order=("t.issue_date", "t.list_status"))


async def list_page(
    context: Context,
    kind: KindOfDocument[F, P],
    request: PageRequest,
    status: tuple[Condition, Sequence[Any]] | None,
    *,
    customer_id: UUID | None,
    delivery_status: DeliveryStatus | None,
    **more_columns: str,
) -> Page[P]:
    """A page of documents without their lines; `search` is a prefix of the number.

    `status` is the kind's condition of its status with the arguments, `more_columns` what else it can be sorted by.
    `delivery_status` is that of a document's newest delivery; one that was never sent has none.
    """
    filters = Filter()
    filters.starts_with(request.search, "number_key")
    if customer_id is not None:
        filters.choose(_OF_CUSTOMER, customer_id)
    if status is not None:
        condition, arguments = status
        filters.choose(condition, *arguments)
    if delivery_status is not None:
        deliveries.narrow(filters, kind.kind, delivery_status)
    return await documents.list_page(context, kind, request, filters, {**SORT_COLUMNS, **more_columns})
