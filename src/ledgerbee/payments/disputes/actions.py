"""Disputes of charges: how each stands is what the provider says, and what is lost is booked."""

from collections.abc import Sequence
from typing import Final

import structlog
from prometheus_client import Counter

from ledgerbee.payments.charge_returns import actions as returns
from ledgerbee.payments.charge_returns import store as return_store
from ledgerbee.payments.charge_returns.model import GivenBack
from ledgerbee.payments.charges import store as charge_store
from ledgerbee.payments.charges.wire import render as render_charge
from ledgerbee.payments.disputes import rules, store
from ledgerbee.payments.disputes.model import DISPUTE_JOB, SOURCE_TYPE, Dispute
from ledgerbee.payments.disputes.wire import DisputeResponse, render
from ledgerbee.payments.providers.model import DisputeStatus, ProviderDispute, ProviderName
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES

MISMATCHES: Final = Counter(
    "ledgerbee_dispute_mismatches_total", "Disputes at payment providers that can't be of the charge that they name"
)

log = structlog.get_logger("ledgerbee.disputes")


async def record(context: Context, name: ProviderName, answer: ProviderDispute) -> bool:
    """Take a provider's word on a dispute; whether that was all of it, or is to be asked for again.

    In any order and any number of times: `won` and `lost` are final. One that is lost is booked in this transaction,
    once its charge is. Emits `payment.disputed` when it opens and when it ends. One of a charge that isn't ours is left
    alone. Raises what booking refuses, and then nothing was taken: `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`,
    `EXCHANGE_RATE_MISSING`, those of accounts.
    """
    # What moved and what is told of it come one after the other: the second finds the first.
    await store.hold_provider(context, name)
    found = await charge_store.find_by_provider(context, name, answer.charge_id, None)
    if found is None:
        return not await store.is_any_charge_unknown(context, name)
    invoice = await documents.get_for_update(context, INVOICES, found.invoice_id)
    charge = await charge_store.get_for_update(context, found.id)
    before = await store.find_for_update(context, name, answer.provider_id)
    if not rules.is_believed(answer, charge):
        MISMATCHES.inc()
        log.error("dispute.mismatch", charge=str(charge.id), amount=str(answer.amount), currency=answer.currency)
        return True
    movements = await store.find_moved(context, charge.id, answer.provider_id, before)
    paid_fee = await store.get_paid_fee(context, movements, charge.currency)
    after = rules.answered(before, answer, name, charge, context.now, paid_fee)
    if after is before:
        return True
    if before is None:
        await store.insert(context, after)
        await store.claim_moved(context, after.id, movements)
    else:
        await store.update(context, after)
    gone = None
    if after.status is DisputeStatus.LOST:
        given = GivenBack(
            source_type=SOURCE_TYPE,
            dispute_id=after.id,
            amount=after.amount,
            fee=after.fee,
            reference=charge.reference,
        )
        gone = await returns.give_back(context, charge, invoice, given)
    if before is None or before.status is not after.status:
        was = render_charge(charge).as_event()
        told = {**was, "dispute": render(after, gone).as_event()}
        context.emit("payment.disputed", charge.id, told, before=was)
    return after.status is answer.status


async def rendered(context: Context, disputes: Sequence[Dispute]) -> list[DisputeResponse]:
    """Disputes on the wire, with what was booked of them."""
    gone = await return_store.find_of(context, [dispute.id for dispute in disputes])
    return [render(dispute, gone.get(dispute.id)) for dispute in disputes]


async def look_again(context: Context) -> None:
    """Have disputes looked at that are open: not every provider tells how they end."""
    for dispute in await store.list_open(context):
        context.enqueue(DISPUTE_JOB, provider=dispute.provider.value, disputeId=dispute.provider_id)
