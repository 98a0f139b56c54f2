"""What the company has chosen for after the last decline, done with each subscription of an invoice."""

from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from ledgerbee.billing.card_payments import actions
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun
from ledgerbee.sales.documents.printing import Trials, with_trials

#: Nothing can be credited today, until somebody opens a period.
_OF_THE_DAY: Final = frozenset({FISCAL_YEAR_MISSING, PERIOD_LOCKED})


async def follow_decline(job: JobRun) -> None:
    """Pause or cancel the subscriptions of an invoice, one after the other. Payload: `invoiceId`.

    What was done is not done again. Raises, so that the worker tries again later, what keeps one from being paused or
    cancelled.
    """
    invoice_id = UUID(job.payload["invoiceId"])
    for subscription_id in await job.write(partial(actions.begin_following, invoice_id=invoice_id)):

        async def attempt(trials: Trials, subscription_id: UUID = subscription_id) -> None:
            async def work(context: Context) -> None:
                await actions.deal_with(context, invoice_id, subscription_id, trials)

            await job.write(work)

        await with_trials(job.company_id, attempt)


async def leave(_: JobRun, __: str) -> None:
    """The subscriptions stay as they are: `subscription.error` was emitted, and the invoice is due."""


def _is_foreseen(fault: Exception) -> bool:
    return isinstance(fault, LedgerBeeError) and (fault.is_passing or fault.error_code in _OF_THE_DAY)


FOLLOWED_DECLINES: Final = JobKind(
    run=follow_decline,
    give_up=leave,
    is_foreseen=_is_foreseen,
    max_attempts=12,
    max_unforeseen=4,
    first_pause=timedelta(seconds=5),
    longest_pause=timedelta(hours=1),
)
