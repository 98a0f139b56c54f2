"""Refunds and disputes in tests: what the worker and card owners do meanwhile."""

from decimal import Decimal

from tests.conftest import Api
from tests.days import job_of

from ledgerbee.core.ids import new_id, parse_id
from ledgerbee.payments.charges.jobs import charge_card
from ledgerbee.payments.charges.model import ChargeId
from ledgerbee.payments.charges.store import get
from ledgerbee.payments.disputes.actions import record
from ledgerbee.payments.providers.model import DisputeStatus, ProviderDispute, ProviderName
from ledgerbee.payments.providers.sandbox.provider import SandboxProvider
from ledgerbee.platform.context import Context


async def carried_out(api: Api, charge_id: str) -> None:
    """Have the worker carry out a charge at the sandbox provider."""
    providers = {ProviderName.SANDBOX: SandboxProvider(api.database, api.clock)}
    await charge_card(providers, job_of(api, chargeId=charge_id))


async def disputed(api: Api, charge_id: str) -> None:
    """Have the owner of the card dispute 1.00 of a charge that was carried out."""

    async def work(context: Context) -> None:
        charge = await get(context, ChargeId(parse_id(charge_id)))
        assert charge.provider_id is not None
        dispute = ProviderDispute(
            provider_id=f"dp_{new_id()}",
            charge_id=charge.provider_id,
            status=DisputeStatus.OPEN,
            amount=Decimal(1),
            currency=charge.currency,
            reason="fraudulent",
        )
        await record(context, charge.provider, dispute)

    await api.run(work)
