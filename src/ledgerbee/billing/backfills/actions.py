"""Opening backfills, reporting into them, and putting them in force and out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from ledgerbee.billing.backfills import rules, store
from ledgerbee.billing.backfills.model import (
    MAX_BACKFILLED,
    USAGE_BACKFILL_INVALID_STATE,
    USAGE_BACKFILL_OVERLAPS,
    USAGE_BACKFILL_TOO_LARGE,
    Backfill,
    BackfilledEvents,
    BackfillId,
    BackfillStatus,
    NewBackfill,
)
from ledgerbee.billing.backfills.wire import render
from ledgerbee.billing.meters import store as meters
from ledgerbee.billing.meters.model import MeterId
from ledgerbee.billing.usage import actions as usage
from ledgerbee.billing.usage.model import Recorded, UsageReport, UsageState
from ledgerbee.billing.usage.store import recording
from ledgerbee.billing.usage.store.days import Moved
from ledgerbee.catalog.prices.model import METER_INVALID_STATE, MeterStatus
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.platform.context import Context


@dataclass(frozen=True, slots=True)
class MovedUsage:
    """A backfill that was put in force or out of it, and the events that count in another way since."""

    backfill: Backfill
    moved: Sequence[Moved]

    @property
    def unattributed(self) -> int:
        """How many events were taken in of which no subscription covers the day."""
        return sum(one.events for one in self.moved if one.state == UsageState.ACCEPTED and one.subscription_id is None)


async def open_backfill(context: Context, wanted: NewBackfill) -> Backfill:
    """Open a backfill. Emits `usage_backfill.created`.

    Raises a validation error for a name of another meter, `METER_NOT_FOUND`, `METER_INVALID_STATE`,
    `CUSTOMER_NOT_FOUND`, and `USAGE_BACKFILL_OVERLAPS` where another one of the same usage is open.
    """
    meter_ids = [] if wanted.meter_id is None else [wanted.meter_id]
    names = [] if wanted.meter_name is None else [wanted.meter_name]
    meter_id = usage.meter_named(
        wanted.meter_id, wanted.meter_name, await recording.look_up(context, meter_ids, names, [])
    )
    if isinstance(meter_id, LedgerBeeError):
        raise meter_id
    # Two that are opened at once see each other. Held before usage is, by everybody.
    if (await meters.get_for_update(context, MeterId(meter_id))).status is MeterStatus.ARCHIVED:
        raise METER_INVALID_STATE.in_state(MeterStatus.ARCHIVED, "An archived meter takes no usage")
    if wanted.customer_id is not None:
        known = await recording.look_up(context, [], [], [wanted.customer_id])
        if wanted.customer_id not in known.customers:
            raise CUSTOMER_NOT_FOUND.missing("customerId", "customerId", wanted.customer_id)
    backfill = Backfill(
        id=BackfillId(new_id()),
        meter_id=meter_id,
        customer_id=wanted.customer_id,
        starts_on=wanted.starts_on,
        ends_on=wanted.ends_on,
        opened_at=context.company_now,
        created_at=context.now,
    )
    await store.insert(context, backfill)
    if (other := await store.find_open_too(context, backfill.id)) is not None:
        raise USAGE_BACKFILL_OVERLAPS.error(usageBackfillId=str(other))
    context.emit("usage_backfill.created", backfill.id, render(backfill).as_event(), is_first=True)
    return backfill


async def add_events(context: Context, backfill_id: BackfillId, reports: Sequence[UsageReport]) -> BackfilledEvents:
    """Report events into an open backfill, all or none of them; they count when it is closed.

    What had come in before under the same key is the backfill's own from now on, if it is of its days. Raises
    `USAGE_BACKFILL_NOT_FOUND`, `USAGE_BACKFILL_INVALID_STATE`, `USAGE_BACKFILL_TOO_LARGE`, and what is wrong with
    events, at their places.
    """
    backfill = await _get_for_update(context, backfill_id, BackfillStatus.OPEN)
    prepared = await usage.prepare([context] * len(reports), reports, partial(rules.fault_in, backfill))
    added = await store.stage(context, backfill.id, list(prepared.new.values())) if prepared.new else set()
    there = [key for key, one in prepared.new.items() if one.id not in added]
    prepared.settle(await recording.stored(context, there) if there else {})
    if prepared.refused:
        await usage.settle_repeated(context, reports, prepared)
    recorded = usage.all_recorded(prepared.outcomes)
    kept = await store.take_up(context, backfill.id, _repeated(recorded, added))
    events = backfill.events + len(added) + len(kept)
    if events > MAX_BACKFILLED:
        raise USAGE_BACKFILL_TOO_LARGE.error(limit=MAX_BACKFILLED)
    await store.update(context, replace(backfill, events=events))
    return BackfilledEvents(len(added), len(kept), len(recorded) - len(added) - len(kept))


def _repeated(recorded: Sequence[Recorded], added: set[UUID]) -> set[UUID]:
    return {one.event_id for one in recorded if one.is_duplicate} - added


async def close(context: Context, backfill_id: BackfillId) -> MovedUsage:
    """Put a backfill in force: its events count, and what had come in for its days before it was opened does no more.

    Days that were billed are marked late: the next bill has the difference. Emits `usage_backfill.closed` and
    `usage.unattributed`. Raises `USAGE_BACKFILL_NOT_FOUND`, `USAGE_BACKFILL_INVALID_STATE`, `USAGE_BACKFILL_TOO_LARGE`.
    """
    before = await _get_for_update(context, backfill_id, BackfillStatus.OPEN)
    await _hold(context, before)
    gone = await store.supersede(context, backfill_id)
    superseded = sum(one.events for one in gone)
    if superseded > MAX_BACKFILLED:
        raise USAGE_BACKFILL_TOO_LARGE.error(limit=MAX_BACKFILLED)
    moved = [*gone, *await store.put_in_force(context, backfill_id)]
    await usage.note_moved(context, moved)
    closed = replace(before, status=BackfillStatus.CLOSED, superseded=superseded, closed_at=context.now)
    await store.update(context, closed)
    context.emit("usage_backfill.closed", backfill_id, render(closed).as_event(), before=render(before).as_event())
    return MovedUsage(closed, moved)


async def revert(context: Context, backfill_id: BackfillId) -> MovedUsage:
    """Put a closed backfill out of force: what it superseded counts again, and its events no more.

    Days that were billed are marked late. Emits `usage_backfill.reverted` and `usage.unattributed`. Raises
    `USAGE_BACKFILL_NOT_FOUND`, `USAGE_BACKFILL_INVALID_STATE`, and `USAGE_BACKFILL_OVERLAPS` where a later one of the
    same usage has to be reverted first.
    """
    before = await _get_for_update(context, backfill_id, BackfillStatus.CLOSED)
    # None of the same usage is opened meanwhile.
    await meters.get_for_update(context, MeterId(before.meter_id))
    if (later := await store.find_later(context, backfill_id)) is not None:
        raise USAGE_BACKFILL_OVERLAPS.error(usageBackfillId=str(later))
    await _hold(context, before)
    gone = await store.take_out_of_force(context, backfill_id)
    moved = [*gone, *await store.restore(context, backfill_id)]
    await usage.note_moved(context, moved)
    reverted = replace(before, status=BackfillStatus.REVERTED, reverted_at=context.now)
    await store.update(context, reverted)
    context.emit("usage_backfill.reverted", backfill_id, render(reverted).as_event(), before=render(before).as_event())
    return MovedUsage(reverted, moved)


async def cancel(context: Context, backfill_id: BackfillId) -> Backfill:
    """End an open backfill: its events never count. Emits `usage_backfill.cancelled`.

    Raises `USAGE_BACKFILL_NOT_FOUND` and `USAGE_BACKFILL_INVALID_STATE`.
    """
    before = await _get_for_update(context, backfill_id, BackfillStatus.OPEN)
    cancelled = replace(before, status=BackfillStatus.CANCELLED, cancelled_at=context.now)
    await store.update(context, cancelled)
    context.emit(
        "usage_backfill.cancelled", backfill_id, render(cancelled).as_event(), before=render(before).as_event()
    )
    return cancelled


async def _get_for_update(context: Context, backfill_id: BackfillId, status: BackfillStatus) -> Backfill:
    backfill = await store.get_for_update(context, backfill_id)
    if backfill.status is not status:
        raise USAGE_BACKFILL_INVALID_STATE.in_state(backfill.status)
    return backfill


async def _hold(context: Context, backfill: Backfill) -> None:
    """Keep usage that a backfill may move, and the spans that it goes by, as they are."""
    if backfill.customer_id is None:
        await usage.hold_all(context)
    else:
        await usage.hold(context, [backfill.customer_id])
