"""What asking, answering and cancelling share."""

from dataclasses import replace

from ledgerbee.payments.charges import rules, store
from ledgerbee.payments.charges.model import (
    Charge,
    ChargeId,
    ChargeStatus,
)
from ledgerbee.payments.charges.wire import render
from ledgerbee.payments.providers.model import Decline
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice


async def locked(context: Context, charge_id: ChargeId) -> tuple[Charge, Invoice]:
    """A charge and its invoice, which is locked before it."""
    found = await store.get(context, charge_id)
    invoice = await documents.get_for_update(context, INVOICES, found.invoice_id)
    return await store.get_for_update(context, charge_id), invoice


async def fail(context: Context, before: Charge, decline: Decline) -> Charge:
    after = await on_word_only(context, rules.failed(before, decline, context.today, context.now))
    await store.update(context, after)
    emit_change(context, before, after)
    return after


async def on_word_only(context: Context, charge: Charge) -> Charge:
    """Whoever got back what was charged for an invoice isn't charged for it again without somebody's word."""
    if charge.retry_on is not None and await store.is_given_back_since(context, charge):
        return replace(charge, retry_on=None)
    return charge


def emit_change(context: Context, before: Charge, after: Charge) -> None:
    """Tell what became of a charge."""
    if after.status is before.status:
        return
    now, was = render(after).as_event(), render(before).as_event()
    if after.status is ChargeStatus.SUCCEEDED:
        context.emit("payment.succeeded", after.id, now, before=was)
    elif after.status is ChargeStatus.FAILED:
        context.emit("payment.failed", after.id, now, before=was)
    elif after.status is ChargeStatus.REQUIRES_ACTION:
        context.emit("payment.requires_action", after.id, now, before=was)
