"""What can be done with an order confirmation: as documents of any kind, with the events of order confirmations."""

from ledgerbee.core.changes import Changes
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import actions as documents
from ledgerbee.sales.documents.model import Origin
from ledgerbee.sales.invoices import actions as invoices
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice, InvoiceFields
from ledgerbee.sales.order_confirmations.kind import ORDER_CONFIRMATIONS
from ledgerbee.sales.order_confirmations.model import (
    FullOrderConfirmation,
    OrderConfirmationFields,
    OrderConfirmationId,
)
from ledgerbee.sales.order_confirmations.rules import CONVERTIBLE
from ledgerbee.sales.presales import actions as presales
from ledgerbee.sales.presales.model import Converted
from ledgerbee.sales.sending.model import SendCommand


async def create(
    context: Context, given: OrderConfirmationFields, origin: Origin | None = None
) -> FullOrderConfirmation:
    """Draft an order confirmation; `origin` is what it is made of, if it is. Emits `order_confirmation.created`.

    Raises what `documents.create` raises.
    """
    full = await documents.create(context, ORDER_CONFIRMATIONS, given, origin)
    form = await ORDER_CONFIRMATIONS.event_form(full)
    context.emit("order_confirmation.created", full.document.id, form)
    return full


async def update(
    context: Context, order_confirmation_id: OrderConfirmationId, changes: Changes[OrderConfirmationFields]
) -> FullOrderConfirmation:
    """Change a draft (see `documents.update`). Emits `order_confirmation.updated` if anything became different.

    Raises what `create` raises, `ORDER_CONFIRMATION_NOT_FOUND`, `ORDER_CONFIRMATION_INVALID_STATE`.
    """
    full, forms = await documents.update(context, ORDER_CONFIRMATIONS, order_confirmation_id, changes)
    if forms is not None:
        context.emit("order_confirmation.updated", order_confirmation_id, forms.after, before=forms.before)
    return full


async def send(context: Context, command: SendCommand) -> FullOrderConfirmation:
    """Number a draft and hand it over (see `presales.send`, also for what is refused).

    Emits `order_confirmation.sent`, or `order_confirmation.sent_again` of one whose delivery had failed.
    """
    before, after = await presales.send(context, ORDER_CONFIRMATIONS, command)
    form = ORDER_CONFIRMATIONS.event_form
    was, now = await form(before), await form(after)
    if before.document.number is None:
        context.emit("order_confirmation.sent", command.document_id, now, before=was)
    else:
        context.emit("order_confirmation.sent_again", command.document_id, now, before=was)
    return after


async def convert_to_invoice(
    context: Context, order_confirmation_id: OrderConfirmationId, changes: Changes[InvoiceFields]
) -> Converted[Invoice]:
    """Make a draft invoice of what was sent (see `presales.convert`). Emits `order_confirmation.converted`.

    Raises `ORDER_CONFIRMATION_NOT_FOUND`, `SALES_DOCUMENT_CONVERT_REQUIRES_SENT`, `ORDER_CONFIRMATION_INVALID_STATE`
    (also for the second of two at once), and what drafting an invoice raises.
    """
    source = await presales.get_convertible(context, ORDER_CONFIRMATIONS, order_confirmation_id, CONVERTIBLE)
    after, converted = await presales.convert(context, ORDER_CONFIRMATIONS, source, INVOICES, changes, invoices.create)
    form = ORDER_CONFIRMATIONS.event_form
    context.emit("order_confirmation.converted", order_confirmation_id, await form(after), before=await form(source))
    return converted
