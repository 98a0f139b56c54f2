"""Pure rules of refunds: what may be refunded, and what a provider's answer makes of one."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ZERO, format_amount
from ledgerbee.payments.charges.model import CHARGE_INVALID_STATE, PATIENCE, Charge, ChargeStatus, Patience
from ledgerbee.payments.providers import model as providers
from ledgerbee.payments.providers.model import Decline, ProviderRefund
from ledgerbee.payments.refunds.model import (
    REFUND_EXCEEDS_CHARGE,
    UNDER_WAY,
    Refund,
    RefundId,
    RefundStatus,
)
from ledgerbee.sales.documents.rules import check_precision

#: Codes of our own, beside those of providers.
OTHER_AMOUNT: Final = Decline(
    "amount_mismatch", "The provider says that it refunded another amount than it was asked for", is_soft=False
)
REFUSED: Final = "provider_refused"
NOT_ASKED: Final = "not_asked"
NOTHING_LEFT: Final = Decline("nothing_left", "The charge had no such amount left", is_soft=False)
NOT_KNOWN: Final = Decline("not_known", "The provider had the refund, and doesn't know of it any more", is_soft=False)


def new_refund(charge: Charge, amount: Decimal | None, taken: Decimal, *, reference: str, now: datetime) -> Refund:
    """A refund of a charge (`amount` None: of all that is left), or the first refusal, in this order:

    | refused | why |
    | --- | --- |
    | `CHARGE_INVALID_STATE` | the charge has not succeeded |
    | a validation error | the amount is finer than the currency |
    | `REFUND_EXCEEDS_CHARGE` | refunds and lost disputes leave less of the charge, or nothing |

    `taken` is what other refunds that haven't failed, and lost disputes, take of the charge.
    """
    if charge.status is not ChargeStatus.SUCCEEDED:
        raise CHARGE_INVALID_STATE.in_state(charge.status.value, "Only a charge that succeeded is refunded")
    left = max(EXACT.subtract(charge.amount, taken), ZERO)
    wanted = left if amount is None else amount
    check_precision(wanted, charge.currency, "amount")
    if not 0 < wanted <= left:
        raise REFUND_EXCEEDS_CHARGE.error(
            amount=format_amount(wanted or charge.amount, charge.currency),
            amountLeft=format_amount(left, charge.currency),
        )
    return Refund(
        id=RefundId(new_id()),
        reference=reference,
        charge_id=charge.id,
        invoice_id=charge.invoice_id,
        customer_id=charge.customer_id,
        provider=charge.provider,
        amount=wanted,
        currency=charge.currency,
        status=RefundStatus.PENDING,
        created_at=now,
        updated_at=now,
    )


def is_asked_elsewhere(refund: Refund, now: datetime, patience: Patience = PATIENCE) -> bool:
    """Whether somebody else may be waiting right now for the provider's answer to the question whether to refund."""
    return (
        refund.status is RefundStatus.PENDING
        and refund.provider_id is None
        and refund.asked_at is not None
        and now < refund.asked_at + patience.asking
    )


def answered(refund: Refund, answer: ProviderRefund, now: datetime, patience: Patience = PATIENCE) -> Refund:
    """A refund as a provider's answer has it. One that has ended stays as it is, whatever comes later.

    An answer of another amount or currency than was asked for is believed only when the provider stands by it
    (`Patience.deciding`), and the refund has then failed: what went back comes with a payout, as money of no refund.
    Until then it is `unclear`. One that succeeded still has to be booked.
    """
    if refund.status not in UNDER_WAY:
        return refund
    known = replace(refund, provider_id=answer.provider_id, updated_at=now)
    if (answer.amount, answer.currency) != (refund.amount, refund.currency):
        if refund.asked_at is not None and refund.asked_at + patience.deciding <= now:
            return failed(known, OTHER_AMOUNT, now)
        return replace(known, status=RefundStatus.UNCLEAR)
    if answer.status is providers.ChargeStatus.FAILED:
        return failed(known, answer.decline or Decline(REFUSED, "", is_soft=False), now)
    if answer.status is providers.ChargeStatus.SUCCEEDED:
        return replace(known, status=RefundStatus.SUCCEEDED, finished_at=now)
    return replace(known, status=RefundStatus.PENDING)


def failed(refund: Refund, decline: Decline, now: datetime) -> Refund:
    """A refund that failed: nothing went back."""
    return replace(
        refund,
        status=RefundStatus.FAILED,
        failure_code=decline.code,
        failure_message=decline.message,
        finished_at=now,
        updated_at=now,
    )


def unclear(refund: Refund, now: datetime) -> Refund:
    """A refund for which the provider gave no answer. One that has ended meanwhile stays as it is."""
    if refund.status not in UNDER_WAY:
        return refund
    return replace(refund, status=RefundStatus.UNCLEAR, updated_at=now)
