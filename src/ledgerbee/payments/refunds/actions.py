"""Refunding charges: a refund is a row before its provider is asked, and is booked with its answer."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import structlog
from prometheus_client import Counter

from ledgerbee.core.money import EXACT
from ledgerbee.payments.charge_returns import actions as returns
from ledgerbee.payments.charge_returns import store as return_store
from ledgerbee.payments.charge_returns.model import ChargeReturn, GivenBack
from ledgerbee.payments.charges import store as charge_store
from ledgerbee.payments.charges.model import PATIENCE, Charge, ChargeId, Patience
from ledgerbee.payments.charges.rules import WhenUnknown, left_alone_since, when_unknown
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.providers.model import Access, Decline, ProviderRefund
from ledgerbee.payments.providers.model import ChargeStatus as ProviderStatus
from ledgerbee.payments.providers.references import new_reference
from ledgerbee.payments.refunds import rules, store
from ledgerbee.payments.refunds.model import (
    REFUND_BEING_ASKED,
    REFUND_JOB,
    SOURCE_TYPE,
    UNDER_WAY,
    Refund,
    RefundId,
    RefundStatus,
)
from ledgerbee.payments.refunds.wire import ChargeRefundResponse, render
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice

MISMATCHES: Final = Counter(
    "ledgerbee_refund_mismatches_total", "Answers of payment providers of another amount than was to be refunded"
)
#: It stays as it is here: the invoice is open, and what the provider got back comes with a payout.
FAILED_LATER: Final = Counter(
    "ledgerbee_refunds_failed_later_total", "Refunds that payment providers said had succeeded, and then had failed"
)

log = structlog.get_logger("ledgerbee.refunds")


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask a provider of a refund; `charge_id` is the provider's id of the charge.

    `was_asked`: it may know of it, and is asked that first.
    """

    refund: Refund
    charge_id: str
    access: Access
    callback_url: str
    was_asked: bool


async def start(context: Context, charge_id: ChargeId, amount: Decimal | None) -> ChargeRefundResponse:
    """Begin to refund a charge, all that is left of it unless an `amount` is given. Emits `refund.created`.

    Its invoice is locked, then the charge: of two at once the second sees what the first takes. The provider is asked
    by a job after the commit. Refused in this order, and then nothing was written: `CHARGE_NOT_FOUND`; what
    `rules.new_refund` refuses; `CHARGE_CREDIT_USED`; what `charges.check_bookable` does.
    """
    charge, invoice = await _lock(context, charge_id)
    taken, under_way = await return_store.get_taken(context, charge_id)
    refund = rules.new_refund(charge, amount, taken, reference=new_reference(), now=context.now)
    await returns.check_covered(context, charge, invoice, EXACT.add(refund.amount, under_way))
    await returns.check_bookable(context, charge)
    await store.insert(context, refund)
    context.enqueue(REFUND_JOB, refundId=str(refund.id))
    answer = render(refund, None)
    context.emit("refund.created", refund.id, answer.as_event())
    return answer


async def rendered(context: Context, refunds: list[Refund]) -> list[ChargeRefundResponse]:
    """Refunds on the wire, with what was booked of them."""
    gone = await return_store.find_of(context, [refund.id for refund in refunds])
    return [render(refund, gone.get(refund.id)) for refund in refunds]


async def ask(context: Context, refund_id: RefundId, patience: Patience = PATIENCE) -> Question | None:
    """What to ask the provider of a refund; None where it has ended.

    One that it was not asked for before is marked as asked, or ended where the charge has no such amount left. Raises
    `REFUND_BEING_ASKED` where somebody else is at it, `REFUND_NOT_FOUND`, and before anybody is asked what
    `charges.check_bookable` refuses.
    """
    charge, invoice, refund = await _locked(context, refund_id)
    if refund.status not in UNDER_WAY:
        return None
    if rules.is_asked_elsewhere(refund, context.now, patience):
        raise REFUND_BEING_ASKED.error()
    if refund.asked_at is not None:
        refund = replace(refund, updated_at=context.now)
        await store.update(context, refund)
        return await _question(context, charge, refund, was_asked=True)
    if not await _is_wanted(context, charge, invoice, refund):
        await _fail(context, refund, rules.NOTHING_LEFT)
        return None
    await returns.check_bookable(context, charge)
    return await _mark_asked(context, charge, refund)


async def ask_again(context: Context, before: Refund, patience: Patience = PATIENCE) -> Question | None:
    """What to ask the provider of a refund that it says it has none of, `before` as it was when it was asked.

    Where it surely was not carried out, it is marked as asked once more, or ended where the charge has no such amount
    left. None where it has ended, or is to be waited for: then it is `unclear`. Raises `REFUND_BEING_ASKED` where
    somebody else asked or heard of it meanwhile, and before it is asked for once more what `charges.check_bookable`
    refuses.
    """
    charge, invoice, refund = await _locked(context, before.id)
    if refund.status not in UNDER_WAY:
        return None
    if (refund.asked_at, refund.provider_id) != (before.asked_at, before.provider_id):
        raise REFUND_BEING_ASKED.error()
    is_wanted = await _is_wanted(context, charge, invoice, refund)
    follows = when_unknown(refund, context.now, is_wanted=is_wanted, patience=patience)
    if follows is WhenUnknown.REPEAT:
        await returns.check_bookable(context, charge)
        return await _mark_asked(context, charge, refund)
    if follows is WhenUnknown.END:
        await _fail(context, refund, rules.NOT_KNOWN if is_wanted else rules.NOTHING_LEFT)
    else:
        await store.update(context, rules.unclear(refund, context.now))
    return None


async def _is_wanted(context: Context, charge: Charge, invoice: Invoice, refund: Refund) -> bool:
    """Whether the charge, which is locked, still has so much left, and it can be taken off something.

    A dispute that was lost meanwhile may have taken the credit that the refund was to take.
    """
    taken, others = await return_store.get_taken(context, charge.id, beside=refund.id)
    is_left = refund.amount <= EXACT.subtract(charge.amount, taken)
    return is_left and await returns.is_covered(context, charge, invoice, EXACT.add(refund.amount, others))


async def _mark_asked(context: Context, charge: Charge, refund: Refund) -> Question:
    refund = replace(refund, asked_at=context.now, updated_at=context.now)
    await store.update(context, refund)
    return await _question(context, charge, refund, was_asked=False)


async def _question(context: Context, charge: Charge, refund: Refund, *, was_asked: bool) -> Question:
    assert charge.provider_id is not None, "a charge that succeeded is known by the provider's id"
    settings = await settings_store.get(context, refund.provider)
    return Question(
        refund=refund,
        charge_id=charge.provider_id,
        access=provider_settings.access_of(context, settings),
        callback_url=provider_settings.callback_url(context, settings),
        was_asked=was_asked,
    )


async def question_of_ended(context: Context, refund_id: RefundId) -> Question:
    """What to ask the provider of a refund that has ended."""
    refund = await store.get(context, refund_id)
    return await _question(context, await charge_store.get(context, refund.charge_id), refund, was_asked=True)


def told_later(refund: Refund, answer: ProviderRefund) -> None:
    """Say where a refund that succeeded has failed after all: its card's bank sent the money back to the provider."""
    if refund.status is RefundStatus.SUCCEEDED and answer.status is ProviderStatus.FAILED:
        FAILED_LATER.inc()
        log.error("refund.failed_later", refund=str(refund.id), code=answer.decline.code if answer.decline else None)


async def record_answer(
    context: Context, refund_id: RefundId, answer: ProviderRefund, patience: Patience = PATIENCE
) -> Refund:
    """Take a provider's answer: book what succeeded, emit what ended. Once, whoever brings it and however often.

    Emits `payment.refunded`, `refund.failed`. Raises what booking refuses, and then nothing was taken: `PERIOD_LOCKED`,
    `FISCAL_YEAR_MISSING`, `EXCHANGE_RATE_MISSING`, those of accounts.
    """
    charge, invoice = await _lock(context, (await store.get(context, refund_id)).charge_id)
    before = await store.get_for_update(context, refund_id)
    after = rules.answered(before, answer, context.now, patience)
    if after is before:
        return before
    if after.status is RefundStatus.UNCLEAR:
        MISMATCHES.inc()
        log.error("refund.mismatch", refund=str(refund_id), amount=str(answer.amount), currency=answer.currency)
    gone = None
    await store.update(context, after)
    if after.status is RefundStatus.SUCCEEDED:
        given = GivenBack(source_type=SOURCE_TYPE, refund_id=after.id, amount=after.amount, reference=after.reference)
        gone = await returns.give_back(context, charge, invoice, given)
    _emit(context, before, after, gone)
    return after


async def record_failure(context: Context, refund_id: RefundId, decline: Decline) -> Refund:
    """End a refund that the provider did not take, or that was not made. Emits `refund.failed`."""
    before = await store.get_for_update(context, refund_id)
    return await _fail(context, before, decline) if before.status in UNDER_WAY else before


async def _fail(context: Context, before: Refund, decline: Decline) -> Refund:
    after = rules.failed(before, decline, context.now)
    await store.update(context, after)
    _emit(context, before, after, None)
    return after


async def record_unclear(context: Context, refund_id: RefundId) -> None:
    """Mark a refund for which the provider gave no answer."""
    before = await store.get_for_update(context, refund_id)
    after = rules.unclear(before, context.now)
    if after is not before:
        await store.update(context, after)


async def look_again(context: Context) -> None:
    """Have refunds looked at for which nobody has asked for a day: their job was given up."""
    for refund_id in await store.list_unanswered(context, left_alone_since(context.now, is_sandbox=context.is_sandbox)):
        context.enqueue(REFUND_JOB, refundId=str(refund_id))


async def _locked(context: Context, refund_id: RefundId) -> tuple[Charge, Invoice, Refund]:
    """The charge of a refund, its invoice and the refund, all locked."""
    charge, invoice = await _lock(context, (await store.get(context, refund_id)).charge_id)
    return charge, invoice, await store.get_for_update(context, refund_id)


async def _lock(context: Context, charge_id: ChargeId) -> tuple[Charge, Invoice]:
    """A charge and its invoice, locked: the invoice first, as whoever charges does."""
    found = await charge_store.get(context, charge_id)
    invoice = await documents.get_for_update(context, INVOICES, found.invoice_id)
    return await charge_store.get_for_update(context, charge_id), invoice


def _emit(context: Context, before: Refund, after: Refund, gone: ChargeReturn | None) -> None:
    if after.status is before.status:
        return
    now, was = render(after, gone).as_event(), render(before, None).as_event()
    if after.status is RefundStatus.SUCCEEDED:
        context.emit("payment.refunded", after.id, now, before=was)
    elif after.status is RefundStatus.FAILED:
        context.emit("refund.failed", after.id, now, before=was)
