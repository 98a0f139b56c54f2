"""Creating and archiving meters, and who may report to one."""

from collections.abc import Sequence

from ledgerbee.billing.meters import rules, store
from ledgerbee.billing.meters.model import Meter, MeterFields, MeterId, ReportingSubscription
from ledgerbee.billing.meters.wire import render
from ledgerbee.catalog.prices.model import MeterStatus
from ledgerbee.core.errors import check_all
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context


async def create(context: Context, given: MeterFields) -> Meter:
    """Create an active meter. Raises validation errors (name, key) and `METER_NAME_ALREADY_EXISTS`.

    Emits `meter.created`.
    """
    check_all(lambda: rules.check_name(given.name), lambda: rules.check_unique_key(given.aggregation, given.unique_key))
    meter = Meter(id=MeterId(new_id()), status=MeterStatus.ACTIVE, created_at=context.now, **fields_of(given))
    await store.insert(context, meter)
    context.emit("meter.created", meter.id, render(meter).as_event())
    return meter


async def archive(context: Context, meter_id: MeterId) -> Meter:
    """Have a meter take no more usage; what it took is billed. An archived one stays as it is.

    Raises `METER_NOT_FOUND`. Emits `meter.archived` if it was active.
    """
    before = await store.get_for_update(context, meter_id)
    if before.status is MeterStatus.ARCHIVED:
        return before
    meter = replace(before, status=MeterStatus.ARCHIVED, archived_at=context.now)
    await store.archive(context, meter_id)
    context.emit("meter.archived", meter_id, render(meter).as_event(), before=render(before).as_event())
    return meter


async def reporting_subscriptions(context: Context, meter: Meter) -> Sequence[ReportingSubscription]:
    """Who may report to a meter today."""
    if meter.status is not MeterStatus.ACTIVE:
        return []
    return await store.reporting_subscriptions(context, meter.id, context.today)
