"""Asking a provider what moved, outside any transaction, and taking what it says."""

from datetime import timedelta
from functools import partial
from typing import Final

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.payouts import actions
from ledgerbee.payments.payouts.model import PAYOUT_UNDECIDED
from ledgerbee.payments.providers.model import Movement, ProviderError, ProviderName, Providers
from ledgerbee.platform.jobs import JobKind, JobRun

#: Tries while the provider does not answer, or something in a payout is not decided here: half a day of them. The next
#: day asks anew.
_MOST_TRIES: Final = 16


async def read_payouts(providers: Providers, run: JobRun) -> None:
    """Ask what moved and was paid out, book the payouts, and compare. Payload: `provider`.

    Raises, so that the worker tries again later: `ProviderError`, `PAYOUT_UNDECIDED`.
    """
    name = ProviderName(run.payload["provider"])
    question = await run.read(partial(actions.find_question, provider=name))
    if question is None:  # it isn't enabled: what was brought may be whole by now
        taken = await run.write(partial(actions.book_pending, provider=name))
    else:
        access, look = question
        movements: list[Movement] = [one async for one in providers[name].movements(access, look.since, look.until)]
        taken = await run.write(partial(actions.record_look, provider=name, look=look, read=movements))
    if taken.is_undecided:
        raise PAYOUT_UNDECIDED.error()


async def give_up(run: JobRun, reason: str) -> None:
    """Write down why there was no look. What moved is asked for the next day."""
    name = ProviderName(run.payload["provider"])
    question = await run.read(partial(actions.find_question, provider=name))
    if question is not None:
        await run.write(partial(actions.record_failed_look, look=question[1], failure=run.given_up(reason)))


def _is_foreseen(fault: Exception) -> bool:
    return isinstance(fault, ProviderError) or (isinstance(fault, LedgerBeeError) and fault.is_passing)


def payouts_of(providers: Providers) -> JobKind:
    """The job that asks these providers."""
    return JobKind(
        run=partial(read_payouts, providers),
        give_up=give_up,
        is_foreseen=_is_foreseen,
        max_attempts=_MOST_TRIES,
        max_unforeseen=4,
        first_pause=timedelta(seconds=15),
        longest_pause=timedelta(hours=1),
    )
