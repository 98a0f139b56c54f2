"""Starting billing runs."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from ledgerbee.billing.runs import store
from ledgerbee.billing.runs.model import (
    BILLING_RUN_JOB,
    BillingRun,
    BillingRunId,
    BillingRunStatus,
    BillingRunTrigger,
)
from ledgerbee.billing.runs.wire import render
from ledgerbee.billing.subscriptions.model import SUBSCRIPTION_NOT_FOUND
from ledgerbee.core.errors import invalid
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context


async def start(
    context: Context,
    *,
    as_of: date,
    trigger: BillingRunTrigger,
    is_dry_run: bool = False,
    confirms_catch_up: bool = False,
    subscription_ids: Sequence[UUID] | None = None,
    enqueues: bool = True,
    delay: timedelta | None = None,
) -> BillingRun:
    """Make a run that the worker carries out, after a `delay`, or, without `enqueues`, whoever called.

    Emits `billing.run_started`, unless it is a dry run. Raises a validation error for a day to come, which only a dry
    run may have, and `SUBSCRIPTION_NOT_FOUND`.
    """
    if as_of > context.today and not is_dry_run:
        raise invalid(("asOf", "maxDate", "asOf must not be after today unless dryRun is true"))
    if subscription_ids is not None:
        known = await store.customers_of(context, subscription_ids)
        for index, one in enumerate(subscription_ids):
            if one not in known:
                raise SUBSCRIPTION_NOT_FOUND.missing(f"subscriptionIds.{index}", "subscriptionId", one)
    run = BillingRun(
        id=BillingRunId(new_id()),
        status=BillingRunStatus.QUEUED,
        trigger=trigger,
        as_of=as_of,
        is_dry_run=is_dry_run,
        confirms_catch_up=confirms_catch_up,
        subscription_ids=None if subscription_ids is None else list(subscription_ids),
        created_at=context.now,
        updated_at=context.now,
    )
    await store.insert(context, run)
    if not is_dry_run:
        context.emit("billing.run_started", run.id, render(run).as_event(), is_first=True)
    if enqueues:
        context.enqueue(BILLING_RUN_JOB, delay=delay, billingRunId=str(run.id))
    return run
