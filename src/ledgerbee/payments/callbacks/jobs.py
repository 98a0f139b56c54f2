"""What the provider that is built in tells: its events come in as those of others do, but by a job."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.callbacks import actions
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.payments.providers.sandbox import rules, store
from ledgerbee.payments.providers.sandbox.model import SECRET
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun


async def deliver(run: JobRun) -> None:
    """Sign events of the sandbox provider and take them, as the address for events does. Payload: `eventIds`."""

    async def work(context: Context) -> None:
        settings = await settings_store.get(context, ProviderName.SANDBOX)
        secret = provider_settings.access_of(context, settings).keys[SECRET]
        for event in await store.get_events(context, [UUID(one) for one in run.payload["eventIds"]]):
            headers, body = rules.signed(secret, event)
            await actions.take(context, settings, rules.read_event(secret, headers, body), body)

    await run.write(work)


async def leave(_: JobRun, __: str) -> None:
    """An event is a hint: what it is about is looked at without it too, later."""


def _is_foreseen(fault: Exception) -> bool:
    return isinstance(fault, LedgerBeeError) and fault.is_passing


SANDBOX_EVENTS: Final = JobKind(
    run=deliver,
    give_up=leave,
    is_foreseen=_is_foreseen,
    max_attempts=12,
    max_unforeseen=4,
    first_pause=timedelta(seconds=5),
    longest_pause=timedelta(hours=1),
)
