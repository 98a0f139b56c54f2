"""Amending and withdrawing events: the earlier state stays in the audit trail."""

from collections.abc import Iterator

from ledgerbee.billing.meters import store as meters
from ledgerbee.billing.meters.model import MeterId
from ledgerbee.billing.usage import rules
from ledgerbee.billing.usage.actions.events import emit_unattributed
from ledgerbee.billing.usage.model import (
    USAGE_EVENT_INVALID_STATE,
    AmendedUsage,
    UsageEvent,
    UsageEventId,
    UsageState,
)
from ledgerbee.billing.usage.store import chains, changes, days, reads
from ledgerbee.billing.usage.wire import render
from ledgerbee.core.changes import Changes
from ledgerbee.core.dates import day_in
from ledgerbee.core.errors import check_all
from ledgerbee.core.fields import replace
from ledgerbee.http.metadata import is_same
from ledgerbee.platform.context import Context


async def amend(context: Context, event_id: UsageEventId, changed: Changes[AmendedUsage]) -> UsageEvent:
    """Change an event's value, moment or metadata; it is attributed anew, and what was billed of it is marked late.

    Raises `USAGE_EVENT_NOT_FOUND`, `USAGE_EVENT_INVALID_STATE` and validation errors. Emits `usage_event.amended` if
    anything became different.
    """
    before = await _get_for_update(context, event_id)
    wanted = changed.applied_to(AmendedUsage(before.value, before.occurred_at, before.metadata))
    meter = await meters.get(context, MeterId(before.meter_id))
    check_all(
        lambda: rules.check_value(wanted.value, meter.aggregation),
        lambda: rules.check_moment(wanted.timestamp if "timestamp" in changed.fields else None, context.company_now),
        lambda: rules.named_subscription(wanted.metadata),
    )
    is_moved = wanted.timestamp != before.occurred_at
    if not is_moved and wanted.value == before.value and is_same(wanted.metadata, before.metadata):
        return before
    event = replace(
        before,
        value=wanted.value,
        occurred_at=wanted.timestamp,
        day=day_in(wanted.timestamp, context.time_zone) if is_moved else before.day,
        metadata=wanted.metadata,
        named_subscription_id=rules.named_subscription(wanted.metadata),
    )
    await _hold_days(context, before, event)
    await changes.amend(context, event)
    amended = await _counted(context, before, event)
    context.emit("usage_event.amended", event_id, render(amended).as_event(), before=render(before).as_event())
    return amended


async def withdraw(context: Context, event_id: UsageEventId) -> UsageEvent:
    """Have an event count no more; what was billed of it is marked late. Its key stays taken.

    Raises `USAGE_EVENT_NOT_FOUND`, `USAGE_EVENT_INVALID_STATE`. Emits `usage_event.withdrawn`.
    """
    before = await _get_for_update(context, event_id)
    await _hold_days(context, before, before)
    await changes.withdraw(context, before)
    event = await _counted(context, before, before)
    context.emit("usage_event.withdrawn", event_id, render(event).as_event(), before=render(before).as_event())
    return event


async def _get_for_update(context: Context, event_id: UsageEventId) -> UsageEvent:
    """The event, locked; its customer's spans are not changed meanwhile: that lock is taken first by everybody."""
    await chains.lock_shared(context, await reads.get_customer_id(context, event_id))
    event = await reads.get_for_update(context, event_id)
    if not event.state.is_in_force:
        raise USAGE_EVENT_INVALID_STATE.in_state(event.state)
    return event


async def _hold_days(context: Context, before: UsageEvent, event: UsageEvent) -> None:
    first, last = sorted((before.day, event.day))
    await chains.hold_spans(context, [(event.customer_id, event.meter_id)], first, last)


async def _counted(context: Context, before: UsageEvent, changed: UsageEvent) -> UsageEvent:
    """The event as it is now, with the sums and marks of its days written."""
    event = await reads.get(context, changed.id)
    emit_unattributed(context, await days.recount(context, {before.usage_day, event.usage_day}))
    await days.mark_late(context, list(_late(before, event)))
    return event


def _late(before: UsageEvent, event: UsageEvent) -> Iterator[days.LateDay]:
    """The days of chains that an event counted for, and counts for now: one less, and one more."""
    for one, more in ((before, -1), (event, 1)):
        if one.state is UsageState.ACCEPTED and one.subscription_id is not None:
            yield days.LateDay(one.subscription_id, one.meter_id, one.day, more, covers_no_more=False)
