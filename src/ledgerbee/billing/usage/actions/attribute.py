"""What billing asks of usage: to belong to the timelines as they are by now, and what it comes to."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from ledgerbee.billing.usage.actions.events import emit_unattributed
from ledgerbee.billing.usage.model import AskedQuantity, UsageDay, UsageState, UsedQuantity
from ledgerbee.billing.usage.store import chains, days
from ledgerbee.billing.usage.store import quantities as store
from ledgerbee.platform.context import Context


async def hold(context: Context, customer_ids: Collection[UUID]) -> None:
    """Keep usage of these customers from coming in until the transaction ends.

    To be called before any of their `metered_spans` is written, and before their rows are locked in another way: what
    comes in shares this lock first, and waits for rows then.
    """
    await chains.lock_alone(context, customer_ids)


async def hold_all(context: Context) -> None:
    """Keep usage of all customers of the company from coming in until the transaction ends: see `hold`."""
    await chains.lock_all(context)


async def reattribute(context: Context, customer_ids: Collection[UUID], from_day: date) -> None:
    """Have each event of these customers, from a day on, belong to the chain that covers it by now.

    For after a change of `metered_spans`, in its transaction (see `hold`): what is covered now is attributed, what
    isn't any more is taken back, what an ended subscription gets too late is marked so. Days that were billed are noted
    in `late_usage`, for the prices that stand on the chain's spans of that meter. A change that only moves an event's
    day from one price of its chain to another notes nothing: whoever makes it knows. Emits `usage.unattributed`.
    """
    await hold(context, customer_ids)
    await note_moved(context, await days.reattribute(context, customer_ids, from_day), spans_changed=True)


async def note_moved(context: Context, moved: Sequence[days.Moved], *, spans_changed: bool = False) -> None:
    """Sum up anew the days of events that count in another way by now, and mark those late that were billed.

    Their customers are held. Where `spans_changed`, what an event was taken from may cover its day no more. Emits
    `usage.unattributed`.
    """
    if not moved:
        return
    on = [one.day for one in moved]
    await chains.hold_spans(context, {(one.customer_id, one.meter_id) for one in moved}, min(on), max(on))
    touched, late = set(), []
    for one in moved:
        for chain, state, is_there in ((one.was, one.state_was, False), (one.subscription_id, one.state, True)):
            if state != UsageState.STAGED:
                touched.add(UsageDay(one.customer_id, one.meter_id, one.day, chain))
            if chain is not None and state == UsageState.ACCEPTED:
                more = one.events if is_there else -one.events
                late.append(days.LateDay(chain, one.meter_id, one.day, more, spans_changed and not is_there))
    emit_unattributed(context, await days.recount(context, touched))
    await days.mark_late(context, late)


async def quantities(context: Context, asked: Sequence[AskedQuantity]) -> list[UsedQuantity]:
    """What was used of each price in the days that are asked for, in order, by one statement.

    By the meter's aggregation over the days on which the price stands in the subscription, those of a trial and what
    came too late left out. Raw: the sum of a SUM meter may be below zero. A price that isn't there has used nothing.
    """
    return await store.quantities(context, asked)
