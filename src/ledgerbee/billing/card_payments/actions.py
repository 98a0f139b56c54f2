"""What becomes of subscriptions when the charge of an invoice succeeds, is declined, or the invoice is paid otherwise.

The followers are called in the transaction in which that was recorded, which has the invoice locked. They tell, and
leave to jobs what changes subscriptions: whoever bills locks subscriptions first and invoices then.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from ledgerbee.billing.card_payments import store
from ledgerbee.billing.card_payments.model import EndedCharge
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


async def follow_payments(context: Context, events: Sequence[Event]) -> None:
    """Tell each subscription that an invoice bills that its charge succeeded: once, as the charge does.

    Emits `subscription.payment_succeeded`.
    """
    charges = await store.ended_charges(context, [event.object_id for event in events])
    await _tell(context, "payment_succeeded", [charge for charge in charges if charge.pays])


async def follow_declines(context: Context, events: Sequence[Event]) -> None:
    """Tell each subscription that an invoice bills that its charge was declined and no other follows by itself; have it
    looked at what becomes of them. Whoever cancels a charge means to have it paid otherwise: that is no decline.

    Emits `subscription.error`.
    """
    charges = await store.ended_charges(context, [event.object_id for event in events])
    told = await _tell(
        context, "error", [charge for charge in charges if charge.is_last and charge.is_due and not charge.is_cancelled]
    )
    for invoice_id in told:
        context.enqueue(FOLLOW_DECLINE_JOB, invoiceId=str(invoice_id))


async def follow_settlements(context: Context, events: Sequence[Event]) -> None:
    """Have subscriptions looked at that begin when an invoice is paid, on which nothing is due any more, maybe."""
    await _look_at_awaiting(context, [event.object_id for event in events])


async def _look_at_awaiting(context: Context, invoice_ids: Sequence[UUID]) -> None:
    awaiting = await store.awaiting(context, invoice_ids)
    if awaiting:
        context.enqueue(BILL_SUBSCRIPTIONS_JOB, subscriptionIds=[str(one) for one in awaiting])


async def _tell(context: Context, topic: str, charges: Sequence[EndedCharge]) -> list[UUID]:
    """Tell the subscriptions that the invoices of charges bill; the invoices that bill any."""
    if not charges:
        return []
    billed = await store.billed(context, {charge.invoice_id for charge in charges})
    known = await reads.get_many(context, {one for ids in billed.values() for one in ids}) if billed else {}
    for charge in charges:
        details = {"invoiceId": str(charge.invoice_id), "chargeId": str(charge.id)}
        if topic == "error":
            details |= {"errorType": "charge_failed", "code": str(charge.decline_code)}
        for subscription_id in billed.get(charge.invoice_id, ()):
            read = replace(known[subscription_id], customer_name=None)
            form = render(read, context.today, context.today).as_event()
            told = form | {"subscriptionId": str(subscription_id)} | details
            emit_event(context, topic, subscription_id, told)
    return list(billed)


async def begin_following(context: Context, invoice_id: UUID) -> Sequence[UUID]:
    """The subscriptions to deal with after the last decline of a charge; one that waits for it is billed by a run."""
    await _look_at_awaiting(context, [invoice_id])
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
