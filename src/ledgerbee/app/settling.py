"""What a sandbox's day has begun is done before its next day begins: bills, charges of cards, and what follows them.

Otherwise a clock that passes a month in a second would leave the charge of its first day to its last, and a dispute of
it untold until it is over.
"""

import asyncio
from contextlib import suppress
from typing import Final

from ledgerbee.billing.runs.model import BILLING_RUN_JOB
from ledgerbee.billing.subscriptions.model import BILL_SUBSCRIPTIONS_JOB, FOLLOW_DECLINE_JOB
from ledgerbee.payments.charges.model import CHARGE_JOB, CHARGES_JOB
from ledgerbee.payments.disputes.model import DISPUTE_JOB
from ledgerbee.payments.providers.sandbox.model import SANDBOX_EVENT_JOB
from ledgerbee.platform.job_turns import are_under_way
from ledgerbee.platform.jobs import JobRun

SETTLED: Final = (
    BILL_SUBSCRIPTIONS_JOB,
    BILLING_RUN_JOB,
    CHARGE_JOB,
    CHARGES_JOB,
    DISPUTE_JOB,
    FOLLOW_DECLINE_JOB,
    SANDBOX_EVENT_JOB,
)
#: Longer than a provider takes to answer, as a rule. A step goes on without what takes longer.
_LONGEST_S: Final = 10.0
_PAUSE_S: Final = 0.02


async def settle(run: JobRun) -> bool:
    """Wait for the jobs of a company that bill, charge and take what is told of that, those too that they ask for;
    whether they are done.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_S):
            while await _is_at_it(run):  # noqa: ASYNC110  other processes do them
                await asyncio.sleep(_PAUSE_S)
            return True
    return False


async def _is_at_it(run: JobRun) -> bool:
    async with run.database.connection(run.company_id) as connection:
        return await are_under_way(connection, run.company_id, SETTLED)
