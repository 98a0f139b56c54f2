"""Cancelling a subscription: at once, on a day to come, or not after all (contract 3.1, decisions "Cancel")."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ledgerbee.billing.subscriptions import rules
from ledgerbee.billing.subscriptions.actions import shared
from ledgerbee.billing.subscriptions.model import (
    CancelCommand,
    CancelRefund,
    CancelStrategy,
    ChangeType,
    RefundBehavior,
    ScheduledChange,
    SubscriptionRead,
)
from ledgerbee.billing.subscriptions.rules.chain import Advanced
from ledgerbee.billing.subscriptions.store.chains import LoadedChain
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.printing import Trials

#: Why nothing was given back yet: the cancellation is carried out on its day.
SCHEDULED: Final = "scheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """A subscription after a cancellation, what that has given back, and the change that it is; None: none is left."""

    read: SubscriptionRead
    refund: CancelRefund
    change: ScheduledChange | None


async def cancel(
    context: Context, subscription_id: UUID, command: CancelCommand, trials: Trials, property_: str | None = None
) -> Cancelled:
    """Cancel a subscription by a strategy; a scheduled cancellation is replaced, or taken back.

    `property_` is the field of a body that refers to the subscription.

    Raises `SUBSCRIPTION_NOT_FOUND`, `SUBSCRIPTION_INVALID_STATE`, what `rules.cancel_day` raises, and where it is
    carried out at once what `advance` raises. Emits `subscription.cancellation_scheduled`,
    `subscription.cancellation_cleared`, or at once `subscription.churned`.
    """
    await shared.hold(context, subscription_id, property_)
    loaded = await shared.load(context, subscription_id)
    chain, today, now = loaded.chain, context.today, context.now
    pending = rules.pending_of(chain, ChangeType.CANCEL)
    if command.strategy is CancelStrategy.CLEAR_SCHEDULE:
        cleared = chain if pending is None else (await clear(context, loaded, pending)).chain
        read = await shared.read(context, cleared, loaded.facts)
        return Cancelled(read=read, refund=CancelRefund(behavior=RefundBehavior.NONE), change=None)
    rules.check_goes_on(chain.subscription, today)
    day, behavior, agreed_end = rules.cancel_day(chain, command, today), command.refund_behavior, rules.own_end(chain)
    is_at_once = rules.is_at_once(chain, day, today)
    change = rules.cancellation(chain.subscription.id, today if is_at_once else day, behavior, agreed_end, now)
    if is_at_once:
        return await _end(context, loaded, pending, change, trials)
    after = rules.with_cancellation(chain, loaded.facts, change, today, now)
    await shared.save(context, loaded, after, from_day=min(day, chain.subscription.ends_on or day))
    shared.emit_event(context, "cancellation_scheduled", after.chain, loaded.facts, **shared.change_details(change))
    return Cancelled(
        read=await shared.read(context, after.chain, loaded.facts),
        refund=CancelRefund(behavior=behavior, reason=None if behavior is RefundBehavior.NONE else SCHEDULED),
        change=change,
    )


async def clear(context: Context, loaded: LoadedChain, change: ScheduledChange) -> Advanced:
    """Take a scheduled cancellation back. Raises `SUBSCRIPTION_INVALID_STATE` where its day has come.

    Emits `subscription.cancellation_cleared`.
    """
    rules.check_goes_on(loaded.chain.subscription, context.today)
    after = rules.without_cancellation(loaded.chain, loaded.facts, change, context.today, context.now)
    await shared.save(context, loaded, after, from_day=change.effective_on)
    shared.emit_event(context, "cancellation_cleared", after.chain, loaded.facts, **shared.change_details(change))
    return after


async def _end(
    context: Context, loaded: LoadedChain, pending: ScheduledChange | None, change: ScheduledChange, trials: Trials
) -> Cancelled:
    if pending is not None:
        await shared.save(context, loaded, rules.unqueued(loaded.chain, loaded.facts, pending, context.now))
    outcome = await shared.apply_now(context, change, trials)
    refund = CancelRefund(
        behavior=RefundBehavior(change.payload["refundBehavior"]),
        credit_note_ids=outcome.refund_credit_note_ids,
        amount=outcome.refund_amount,
        reason=outcome.refund_reason,
    )
    applied = next(one for one in outcome.advanced.changes if one.id == change.id)
    read = await shared.read(context, outcome.advanced.chain, loaded.facts)
    return Cancelled(read=read, refund=refund, change=applied)
