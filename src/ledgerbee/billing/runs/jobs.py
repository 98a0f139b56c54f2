"""The jobs that bill: a run that was asked for, and subscriptions that were made or changed."""

from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from ledgerbee.billing.runs import actions, store
from ledgerbee.billing.runs.model import BILLING_RUN_GIVEN_UP, BillingRunId, BillingRunStatus, BillingRunTrigger
from ledgerbee.billing.runs.process import end_run, process
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun


async def carry_out(job: JobRun) -> None:
    """Carry out a run that was asked for; one that is over stays as it is."""
    run = await job.read(partial(store.get, run_id=BillingRunId(UUID(job.payload["billingRunId"]))))
    await process(job, run)


async def give_up(job: JobRun, reason: str) -> None:
    """End a run as failed, with the reason; what it has billed stays."""
    run_id = BillingRunId(UUID(job.payload["billingRunId"]))
    why = job.given_up(reason)
    await job.write(lambda context: end_run(context, run_id, BillingRunStatus.FAILED, BILLING_RUN_GIVEN_UP, why))


async def bill_subscriptions(job: JobRun) -> None:
    """Have subscriptions that were made or changed billed, by a run of their own, which is a job of its own."""

    async def start(context: Context) -> None:
        ids = [UUID(one) for one in job.payload["subscriptionIds"]]
        await actions.start(context, as_of=context.today, trigger=BillingRunTrigger.CHANGE, subscription_ids=ids)

    await job.write(start)


async def leave_to_next_run(_: JobRun, __: str) -> None:
    """What was not billed is due still: the daily run has it."""


def _is_foreseen(fault: Exception) -> bool:
    return isinstance(fault, LedgerBeeError) and fault.is_passing


BILLING_RUNS: Final = JobKind(
    run=carry_out,
    give_up=give_up,
    is_foreseen=_is_foreseen,
    max_attempts=12,
    max_unforeseen=4,
    first_pause=timedelta(seconds=5),
    longest_pause=timedelta(hours=1),
)
SUBSCRIPTION_BILLS: Final = JobKind(
    run=bill_subscriptions,
    give_up=leave_to_next_run,
    is_foreseen=_is_foreseen,
    max_attempts=12,
    max_unforeseen=4,
    first_pause=timedelta(seconds=5),
    longest_pause=timedelta(hours=1),
)
