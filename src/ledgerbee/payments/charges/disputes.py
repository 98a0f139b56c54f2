"""Disputes of charges: how each stands is asked of the provider, and told.

Nothing is booked of one that is open: the invoice stays paid until it is lost (decisions "Payments").
"""

from datetime import timedelta
from functools import partial
from typing import Any

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import format_amount
from ledgerbee.payments.charges import store
from ledgerbee.payments.charges.model import Charge
from ledgerbee.payments.charges.wire import render
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.providers.model import Access, ProviderDispute, ProviderError, ProviderName, Providers
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun


async def look_at_dispute(providers: Providers, run: JobRun) -> None:
    """Ask how a dispute stands, and tell it. Payload: `provider`, `disputeId` (the provider's).

    One of a charge that isn't ours is left alone. Emits `payment.disputed`. Raises `ProviderError`.
    """
    name = ProviderName(run.payload["provider"])
    dispute = await providers[name].find_dispute(await run.read(partial(_access, name=name)), run.payload["disputeId"])
    if dispute is not None:
        await run.write(partial(_tell, name=name, dispute=dispute))


async def _access(context: Context, name: ProviderName) -> Access:
    return provider_settings.access_of(context, await settings_store.get(context, name))


async def _tell(context: Context, name: ProviderName, dispute: ProviderDispute) -> None:
    charge = await store.find_by_provider(context, name, dispute.charge_id, None)
    if charge is not None:
        context.emit("payment.disputed", charge.id, _form(charge, dispute), before=render(charge).as_event())


def _form(charge: Charge, dispute: ProviderDispute) -> dict[str, Any]:
    told = {
        "providerId": dispute.provider_id,
        "status": dispute.status.value,
        "amount": format_amount(dispute.amount, dispute.currency),
        "currency": dispute.currency,
        "reason": dispute.reason,
    }
    return {**render(charge).as_event(), "dispute": told}


async def _leave(_: JobRun, __: str) -> None:
    """The provider's own pages show the dispute, and so does its next event."""


def _is_foreseen(fault: Exception) -> bool:
    return isinstance(fault, ProviderError) or (isinstance(fault, LedgerBeeError) and fault.is_passing)


def disputes_of(providers: Providers) -> JobKind:
    """The job that asks these providers."""
    return JobKind(
        run=partial(look_at_dispute, providers),
        give_up=_leave,
        is_foreseen=_is_foreseen,
        max_attempts=30,
        max_unforeseen=4,
        first_pause=timedelta(seconds=15),
        longest_pause=timedelta(hours=1),
    )
