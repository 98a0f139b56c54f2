"""What becomes of subscriptions when the charge of an invoice succeeds, is declined, or the invoice is paid otherwise.

The followers are called in the transaction in which that was recorded, which has the invoice locked. They tell, and
leave to jobs what changes subscriptions: whoever bills locks subscriptions first and invoices then.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from ledgerbee.billing.card_payments import store
from ledgerbee.billing.subscriptions.actions import cancel, schedule
from ledgerbee.billing.subscriptions.actions.events import emit_event
from ledgerbee.billing.subscriptions.model import (
    BILL_SUBSCRIPTIONS_JOB,
    FOLLOW_DECLINE_JOB,
    SUBSCRIPTION_CHANGE_ALREADY_EXISTS,
    SUBSCRIPTION_INVALID_STATE,
    CancelCommand,
    CancelStrategy,
    ChangeType,
    NewChange,
)
from ledgerbee.billing.subscriptions.store import reads
from ledgerbee.billing.subscriptions.wire import render
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.platform.context import Context, Event
from ledgerbee.sales.documents.printing import Trials
from ledgerbee.tenancy.company.model import AfterLastDecline

log = structlog.get_logger("ledgerbee.billing")

#: A subscription that is paused, or has ended, or is about to be.
_DONE_ALREADY: Final = frozenset({SUBSCRIPTION_INVALID_STATE, SUBSCRIPTION_CHANGE_ALREADY_EXISTS})


async def follow_payment(context: Context, event: Event) -> None:
    """Tell each subscription that an invoice bills that its charge succeeded: once, as the charge does.

    Emits `subscription.payment_succeeded`.
    """
    charge = await store.get_charge(context, event.object_id)
    if charge.pays:
        ids = await store.billed(context, charge.invoice_id)
        await _tell(context, "payment_succeeded", ids, invoiceId=str(charge.invoice_id), chargeId=str(event.object_id))


async def follow_decline(context: Context, event: Event) -> None:
    """Tell each subscription that an invoice bills that its charge was declined and no other follows by itself; have it
    looked at what becomes of them.

    Emits `subscription.error`.
    """
    charge = await store.get_charge(context, event.object_id)
    if not (charge.is_last and charge.is_due):
        return
    ids = await store.billed(context, charge.invoice_id)
    if not ids:
        return
    await _tell(
        context,
        "error",
        ids,
        errorType="charge_failed",
        invoiceId=str(charge.invoice_id),
        chargeId=str(event.object_id),
        code=str(charge.decline_code),
    )
    context.enqueue(FOLLOW_DECLINE_JOB, invoiceId=str(charge.invoice_id))


async def follow_settlement(context: Context, event: Event) -> None:
    """Have a subscription looked at that begins when an invoice is paid, on which nothing is due any more, maybe."""
    await _look_at_awaiting(context, event.object_id)


async def _look_at_awaiting(context: Context, invoice_id: UUID) -> None:
    awaiting = await store.awaiting(context, invoice_id)
    if awaiting:
        context.enqueue(BILL_SUBSCRIPTIONS_JOB, subscriptionIds=[str(one) for one in awaiting])


async def _tell(context: Context, topic: str, subscription_ids: Sequence[UUID], **details: str) -> None:
    for subscription_id, read in (await reads.get_many(context, subscription_ids)).items():
        form = render(replace(read, customer_name=None), context.today, context.today).as_event()
        emit_event(context, topic, subscription_id, form | {"subscriptionId": str(subscription_id)} | details)


async def begin_following(context: Context, invoice_id: UUID) -> Sequence[UUID]:
    """The subscriptions to deal with after the last decline of a charge; one that waits for it is billed by a run."""
    await _look_at_awaiting(context, invoice_id)
    unpaid = await store.find_unpaid(context, invoice_id)
    return () if unpaid is None or unpaid.setting is AfterLastDecline.KEEP else unpaid.subscription_ids


async def deal_with(context: Context, invoice_id: UUID, subscription_id: UUID, trials: Trials) -> None:
    """Pause or cancel a subscription of an invoice that no charge pays, as the company has chosen.

    Nothing is credited by a cancellation: what is due stays due. One that is paused or has ended stays as it is, and so
    does one whose invoice was paid or is being charged by now. Raises what these operations raise.
    """
    unpaid = await store.find_unpaid(context, invoice_id)
    if unpaid is None or subscription_id not in unpaid.subscription_ids:
        return
    try:
        async with context.savepoint():
            if unpaid.setting is AfterLastDecline.PAUSE:
                pause = NewChange(type=ChangeType.PAUSE, effective_date=context.today)
                await schedule.schedule(context, subscription_id, pause, trials)
            elif unpaid.setting is AfterLastDecline.CANCEL:
                at_once = CancelCommand(strategy=CancelStrategy.IMMEDIATELY)
                await cancel.cancel(context, subscription_id, at_once, trials)
    except LedgerBeeError as fault:
        if fault.error_code not in _DONE_ALREADY:
            raise
        log.info("decline.left_as_it_is", subscription=str(subscription_id), code=fault.code)
