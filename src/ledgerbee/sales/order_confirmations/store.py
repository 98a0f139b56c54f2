"""Which order confirmations a list has; their rows are those of any document (`documents.store`)."""

from uuid import UUID

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.order_confirmations.kind import ORDER_CONFIRMATIONS
from ledgerbee.sales.order_confirmations.model import OrderConfirmation, OrderConfirmationDisplayStatus
from ledgerbee.sales.presales import store as presales


async def list_page(
    context: Context,
    request: PageRequest,
    *,
    status: OrderConfirmationDisplayStatus | None,
    customer_id: UUID | None,
    delivery_status: DeliveryStatus | None,
) -> Page[OrderConfirmation]:
    """A page of order confirmations without their lines; `status` is the one that is shown."""
    return await presales.list_page(
        context, ORDER_CONFIRMATIONS, request, (presales.WITH_STATUS, (status,)) if status is not None else None,
        customer_id=customer_id, delivery_status=delivery_status,
    )  # fmt: skip
