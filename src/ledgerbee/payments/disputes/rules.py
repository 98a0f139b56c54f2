"""Pure rules of disputes: what a provider's answer makes of one."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ZERO
from ledgerbee.payments.charges.model import Charge, ChargeStatus
from ledgerbee.payments.disputes.model import Dispute, DisputeId
from ledgerbee.payments.providers.model import DisputeStatus, ProviderDispute, ProviderName


def is_believed(answer: ProviderDispute, charge: Charge) -> bool:
    """Whether a dispute may be of a charge: of an amount in its currency, and of one that the provider has taken."""
    return answer.currency == charge.currency and answer.amount > 0 and charge.status is not ChargeStatus.FAILED


def answered(
    before: Dispute | None,
    answer: ProviderDispute,
    name: ProviderName,
    charge: Charge,
    now: datetime,
    paid_fee: Decimal = ZERO,
) -> Dispute:
    """A dispute as a provider's answer has it; `before` None is one that was not known.

    One that has ended stays as it is, whatever comes later. One of a charge whose success isn't booked yet is open
    until it is. A fee that is below zero was given back; `paid_fee` is what payouts have booked of it.
    """
    if before is not None and before.status is not DisputeStatus.OPEN:
        return before
    status = answer.status if charge.status is ChargeStatus.SUCCEEDED else DisputeStatus.OPEN
    known = before or Dispute(
        id=DisputeId(new_id()),
        provider=name,
        provider_id=answer.provider_id,
        charge_id=charge.id,
        invoice_id=charge.invoice_id,
        customer_id=charge.customer_id,
        status=status,
        amount=answer.amount,
        currency=answer.currency,
        fee=ZERO,
        reason=answer.reason,
        created_at=now,
        updated_at=now,
    )
    after = replace(
        known,
        status=status,
        amount=answer.amount,
        fee=max(EXACT.subtract(answer.fee or ZERO, paid_fee), ZERO),
        reason=answer.reason,
        ended_at=None if status is DisputeStatus.OPEN else now,
    )
    return before if before is not None and after == before else replace(after, updated_at=now)
