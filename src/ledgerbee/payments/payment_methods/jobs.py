"""The job that looks at card links: what callbacks tell, where none came."""

from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.payment_methods import actions
from ledgerbee.payments.payment_methods.model import CARD_LINK_JOB, LINK_PAUSE, CardLinkId, CardLinkStatus
from ledgerbee.payments.providers.model import ProviderError, Providers
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun

#: How much of a link's age passes until it is asked for again, where that is longer than the usual pause.
_SHARE: Final = 10


async def look(providers: Providers, run: JobRun) -> None:
    """Ask the provider what became of a link; again later while it is open. Payload: `cardLinkId`.

    Raises `ProviderError` where the provider gave no answer.
    """
    now, link_id = run.clock(), _link_of(run)
    link = await actions.look_at_link(run.database, await run.tenant(), now, providers, link_id)
    if link is None or not link.is_open:
        return
    pause = max(LINK_PAUSE, (now - link.created_at) / _SHARE)

    async def again(context: Context) -> None:
        context.enqueue(CARD_LINK_JOB, delay=pause, cardLinkId=str(link_id))

    await run.write(again)


async def give_up(run: JobRun, _: str) -> None:
    """End the link: whether a card was saved by it could not be learnt."""
    await run.write(partial(actions.end_link, link_id=_link_of(run), status=CardLinkStatus.FAILED))


def _link_of(run: JobRun) -> CardLinkId:
    return CardLinkId(UUID(run.payload["cardLinkId"]))


def _is_foreseen(fault: Exception) -> bool:
    return isinstance(fault, ProviderError) or (isinstance(fault, LedgerBeeError) and fault.is_passing)


def looks_of(providers: Providers) -> JobKind:
    """The kind of the job, with the adapters that it asks."""
    return JobKind(
        run=partial(look, providers),
        give_up=give_up,
        is_foreseen=_is_foreseen,
        max_attempts=12,
        max_unforeseen=4,
        first_pause=timedelta(seconds=15),
        longest_pause=timedelta(hours=6),
    )
