"""Asking a provider how a dispute stands: by whoever an event wakes, and daily while it is open."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.charges.model import NOT_BOOKED
from ledgerbee.payments.disputes import actions
from ledgerbee.payments.disputes.model import DISPUTE_OF_OPEN_CHARGE
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.providers.model import Access, ProviderError, ProviderName, Providers
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun

#: Seconds between looks at a charge whose answer is just being taken: providers tell of a charge and of its dispute at
#: once. Five in all.
PAUSES_S: Final = (0.05, 0.1, 0.2, 0.4, 0.75, 1.5, 2.0)


async def look_at_dispute(providers: Providers, run: JobRun, pauses_s: Sequence[float] = PAUSES_S) -> None:
    """Ask how a dispute stands, and take the answer. Payload: `provider`, `disputeId` (the provider's).

    Of a charge that isn't booked yet it is taken a moment later. Raises, so that the worker tries again later:
    `ProviderError`, `DISPUTE_OF_OPEN_CHARGE`, what keeps one that was lost from being booked, `DATABASE_UNAVAILABLE`.
    """
    name = ProviderName(run.payload["provider"])
    answer = await providers[name].find_dispute(await run.read(partial(_access, name=name)), run.payload["disputeId"])
    if answer is None:
        return
    record = partial(actions.record, name=name, answer=answer)
    for pause_s in pauses_s:
        if await run.write(record):
            return
        await asyncio.sleep(pause_s)
    if not await run.write(record):
        raise DISPUTE_OF_OPEN_CHARGE.error()


async def _access(context: Context, name: ProviderName) -> Access:
    return provider_settings.access_of(context, await settings_store.get(context, name))


async def _leave(_: JobRun, __: str) -> None:
    """One that is known to be open is looked at daily; of any other the provider's next event tells."""


def _is_foreseen(fault: Exception) -> bool:
    if isinstance(fault, LedgerBeeError):
        return fault.is_passing or fault.error_code in NOT_BOOKED
    return isinstance(fault, ProviderError)


def disputes_of(providers: Providers) -> JobKind:
    """The job that asks these providers."""
    return JobKind(
        run=partial(look_at_dispute, providers),
        give_up=_leave,
        is_foreseen=_is_foreseen,
        max_attempts=40,
        max_unforeseen=4,
        first_pause=timedelta(seconds=15),
        longest_pause=timedelta(hours=1),
    )
