"""Which quotes a list has; their rows are those of any document (`documents.store`)."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.fields import replace
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Condition
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.presales import store as presales
from ledgerbee.sales.quotes.kind import QUOTES
from ledgerbee.sales.quotes.model import Quote, QuoteDisplayStatus

_SENT: Final = presales.WITH_STATUS
_EXPIRED: Final = replace(_SENT, found=f"{_SENT.found} AND t.valid_until < {{1}}")
_OPEN: Final = replace(_SENT, found=f"{_SENT.found} AND (t.valid_until IS NULL OR t.valid_until >= {{1}})")


async def list_page(
    context: Context,
    request: PageRequest,
    *,
    status: QuoteDisplayStatus | None,
    customer_id: UUID | None,
    delivery_status: DeliveryStatus | None,
) -> Page[Quote]:
    """A page of quotes without their lines; `status` is the one that is shown today, the company's day."""
    return await presales.list_page(
        context, QUOTES, request, _condition(status, context.today) if status is not None else None,
        customer_id=customer_id, delivery_status=delivery_status, validUntil="t.valid_until",
    )  # fmt: skip


def _condition(status: QuoteDisplayStatus, today: date) -> tuple[Condition, Sequence[Any]]:
    if status is QuoteDisplayStatus.EXPIRED:
        return _EXPIRED, (QuoteDisplayStatus.SENT, today)
    if status is QuoteDisplayStatus.SENT:
        return _OPEN, (status, today)
    return presales.WITH_STATUS, (status,)
