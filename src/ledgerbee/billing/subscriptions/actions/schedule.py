"""Changes of a subscription: carried out at once, or queued for their day and cancelled before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledgerbee.billing.plans.model import PlanId
from ledgerbee.billing.subscriptions import rules
from ledgerbee.billing.subscriptions.actions import shared
from ledgerbee.billing.subscriptions.actions.assign import active_plan
from ledgerbee.billing.subscriptions.actions.cancel import cancel, clear
from ledgerbee.billing.subscriptions.model import (
    SUBSCRIPTION_CHANGE_ALREADY_EXISTS,
    SUBSCRIPTION_CHANGE_INVALID_STATE,
    CancelCommand,
    CancelStrategy,
    ChangeStatus,
    ChangeType,
    NewChange,
    ProductOverride,
    RefundBehavior,
    ScheduledChange,
    SubscriptionId,
    SubscriptionRead,
)
from ledgerbee.billing.subscriptions.store import reads
from ledgerbee.billing.subscriptions.wire import render_change
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import parse_id
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.printing import Trials


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A change as it stands, and its subscription."""

    change: ScheduledChange
    read: SubscriptionRead


async def schedule(context: Context, subscription_id: UUID, given: NewChange, trials: Trials) -> Scheduled:
    """Carry out a change whose day is today, billing what `always_invoice` bills; queue any other.

    Raises `SUBSCRIPTION_NOT_FOUND`, `SUBSCRIPTION_PLAN_NOT_FOUND`, `SUBSCRIPTION_PLAN_INVALID_STATE`,
    `SUBSCRIPTION_CHANGE_ALREADY_EXISTS`, what `rules.change_day` and `rules.check_possible` raise, and at once what
    `advance` raises. Emits `subscription_change.created` where it is queued, else the events of the change.
    """
    if given.type is ChangeType.CANCEL:
        return await _cancelled(context, subscription_id, given, trials)
    today, now = context.today, context.now
    if given.type is ChangeType.REPLACE_PLAN:
        await active_plan(context, PlanId(parse_id(given.payload["planId"])), "payload.planId")
    await shared.hold(context, subscription_id)
    asked = rules.new_change(given, SubscriptionId(subscription_id), today, now)
    loaded = await shared.load(context, subscription_id, asked)
    rules.check_paid_for(loaded.chain.subscription, today)
    facts = loaded.facts
    chain = replace(loaded.chain, changes=tuple(one for one in loaded.chain.changes if one.id != asked.id))
    change = replace(asked, effective_on=rules.change_day(chain, given.effective_date, today))
    if rules.pending_of(chain, given.type) is not None:
        raise SUBSCRIPTION_CHANGE_ALREADY_EXISTS.taken("type", given.type.value)
    rules.check_quantities(_overrides(given.payload), facts.prices, "payload.products")
    rules.check_possible(chain, facts, change)
    if change.effective_on <= today:
        outcome = await shared.apply_now(context, change, trials)
        applied = next(one for one in outcome.advanced.changes if one.id == change.id)
        return Scheduled(applied, await shared.read(context, outcome.advanced.chain, facts))
    after = rules.queued(chain, facts, change, now)
    await shared.save(context, loaded, after)
    context.emit("subscription_change.created", change.id, render_change(change).as_event())
    return Scheduled(change, await shared.read(context, after.chain, facts))


async def take_back(context: Context, subscription_id: UUID, change_id: UUID) -> None:
    """Cancel a change that waits for its day; of a cancellation: take it back.

    Raises `SUBSCRIPTION_NOT_FOUND`, `SUBSCRIPTION_CHANGE_NOT_FOUND`, `SUBSCRIPTION_CHANGE_INVALID_STATE` and what
    `clear` raises. Emits `subscription_change.cancelled`, or `subscription.cancellation_cleared`.
    """
    await shared.hold(context, subscription_id)
    loaded = await shared.load(context, subscription_id)
    change = await reads.get_change(context, subscription_id, change_id)
    if change.status is not ChangeStatus.PENDING:
        raise SUBSCRIPTION_CHANGE_INVALID_STATE.in_state(change.status.value)
    if change.type is ChangeType.CANCEL:
        await clear(context, loaded, change)
        return
    after = rules.unqueued(loaded.chain, loaded.facts, change, context.now)
    await shared.save(context, loaded, after)
    was, is_now = render_change(change).as_event(), render_change(after.changes[0]).as_event()
    context.emit("subscription_change.cancelled", change.id, is_now, before=was)


async def _cancelled(context: Context, subscription_id: UUID, given: NewChange, trials: Trials) -> Scheduled:
    strategy = CancelStrategy.END_OF_CYCLE if given.effective_date is None else CancelStrategy.SPECIFIC_DATE
    command = CancelCommand(
        strategy=strategy,
        effective_date=given.effective_date,
        refund_behavior=RefundBehavior(given.payload["refundBehavior"]),
    )
    cancelled = await cancel(context, subscription_id, command, trials)
    assert cancelled.change is not None
    return Scheduled(cancelled.change, cancelled.read)


def _overrides(payload: Mapping[str, Any]) -> list[ProductOverride]:
    return [
        ProductOverride(parse_id(one["priceId"]), Decimal(one["quantity"])) for one in payload.get("products") or []
    ]
