"""Cancelling charges, and having those looked at that may not be wanted any more."""

from collections.abc import Sequence

from ledgerbee.payments.charges import rules, store
from ledgerbee.payments.charges.actions.shared import emit_change, locked
from ledgerbee.payments.charges.model import (
    CHARGE_JOB,
    Charge,
    ChargeId,
    ChargeStatus,
)
from ledgerbee.payments.charges.wire import render
from ledgerbee.platform.context import Context, Event


async def cancel(context: Context, charge_id: ChargeId) -> Charge:
    """Cancel a charge that its owner has not confirmed, or that was not asked for yet (`rules.cancelled`).

    The provider is asked after the commit, and how the charge stands then: it may have been confirmed meanwhile. Raises
    `CHARGE_NOT_FOUND`, `CHARGE_INVALID_STATE`. Emits `payment.failed` where it ends at once, else
    `charge.cancel_asked`.
    """
    before, _ = await locked(context, charge_id)
    after = rules.cancelled(before, context.today, context.now)
    if after is before:
        return before
    if after.status is ChargeStatus.FAILED:
        await store.update(context, after)
        emit_change(context, before, after)
        return after
    context.enqueue(CHARGE_JOB, chargeId=str(charge_id))
    return await write_cancelling(context, before, after)


async def write_cancelling(context: Context, before: Charge, after: Charge) -> Charge:
    """Note that the provider is to cancel a charge. Emits `charge.cancel_asked`, for the audit trail."""
    await store.update(context, after)
    context.emit("charge.cancel_asked", after.id, render(after).as_event(), before=render(before).as_event())
    return after


async def follow_settlements(context: Context, events: Sequence[Event]) -> None:
    """Have charges looked at that wait for a confirmation, of invoices on which nothing is due any more, maybe."""
    await _look_at(context, await store.list_unconfirmed(context, [event.object_id for event in events]))


async def follow_cards(context: Context, events: Sequence[Event]) -> None:
    """Have charges looked at that wait for a confirmation, of cards that have ended or were taken off a customer."""
    await _look_at(context, await store.list_unconfirmed_of_cards(context, [event.object_id for event in events]))


async def look_again(context: Context) -> None:
    """Have charges looked at for which nobody has asked for a day (their job was given up), and those that were not
    confirmed in time."""
    left_alone_since = rules.left_alone_since(context.now, is_sandbox=context.is_sandbox)
    await _look_at(context, await store.list_unanswered(context, context.today, left_alone_since))


async def _look_at(context: Context, charge_ids: Sequence[ChargeId]) -> None:
    for charge_id in charge_ids:
        context.enqueue(CHARGE_JOB, chargeId=str(charge_id))
