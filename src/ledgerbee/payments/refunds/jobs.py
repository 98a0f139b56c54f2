"""Asking a provider to refund a charge: mark it as asked, ask outside any transaction, record the answer.

As of charges: from the moment a refund is marked as asked, the provider is asked what it knows of the reference, and is
asked to refund again only what can't be under way there any more. It is not asked to refund while that can't be booked.
"""

import time
from datetime import timedelta
from functools import partial
from uuid import UUID

from ledgerbee.payments.charges.jobs import MOST_TRIES, check_in_time, is_foreseen
from ledgerbee.payments.charges.model import PATIENCE, Patience
from ledgerbee.payments.providers.model import (
    Decline,
    Provider,
    ProviderRefund,
    ProviderRefusedError,
    Providers,
    ProviderUnclearError,
    RefundRequest,
)
from ledgerbee.payments.refunds import actions, rules, store
from ledgerbee.payments.refunds.actions import Question
from ledgerbee.payments.refunds.model import REFUND_UNDECIDED, UNDER_WAY, RefundId
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun


async def refund_charge(providers: Providers, run: JobRun, patience: Patience = PATIENCE) -> None:
    """Have a refund carried out, or find out how it stands. Payload: `refundId`.

    `hasSucceeded` in the payload: one that has succeeded, which the provider may have got back (`told_later`).
    Raises, so that the worker tries again later: `ProviderUnclearError`, `REFUND_UNDECIDED`, `REFUND_BEING_ASKED`, what
    keeps an answer from being booked, `DATABASE_UNAVAILABLE`.
    """
    refund_id, marked_from = RefundId(UUID(run.payload["refundId"])), time.monotonic()
    if run.payload.get("hasSucceeded"):
        await _look_again(providers, run, refund_id)
        return
    question = await run.write(partial(actions.ask, refund_id=refund_id, patience=patience))
    if question is None:
        return
    provider = providers[question.refund.provider]
    answer: ProviderRefund | Decline | None = None
    try:
        if question.was_asked:
            answer = await _find(provider, question)
        if answer is None and question.was_asked:
            marked_from = time.monotonic()
            question = await run.write(partial(actions.ask_again, before=question.refund, patience=patience))
        if answer is None and question is not None:
            answer = await _refund(provider, question, marked_from, patience)
    except ProviderUnclearError:
        await run.write(partial(actions.record_unclear, refund_id=refund_id))
        raise
    if answer is None:
        refund = await run.read(partial(store.get, refund_id=refund_id))
    elif isinstance(answer, Decline):
        refund = await run.write(partial(actions.record_failure, refund_id=refund_id, decline=answer))
    else:
        refund = await run.write(partial(actions.record_answer, refund_id=refund_id, answer=answer, patience=patience))
    if refund.status in UNDER_WAY:
        raise REFUND_UNDECIDED.error()


async def _look_again(providers: Providers, run: JobRun, refund_id: RefundId) -> None:
    """Ask how a refund stands that has succeeded. Raises `ProviderUnclearError`."""
    question = await run.read(partial(actions.question_of_ended, refund_id=refund_id))
    answer = await _find(providers[question.refund.provider], question)
    if answer is not None:
        actions.told_later(question.refund, answer)


async def _find(provider: Provider, question: Question) -> ProviderRefund | None:
    """How the refund stands. Whoever refuses to say leaves it as unclear as it was. Raises `ProviderUnclearError`."""
    try:
        return await provider.find_refund(question.access, question.charge_id, question.refund.reference)
    except ProviderRefusedError as fault:
        raise ProviderUnclearError(str(fault)) from fault


async def _refund(
    provider: Provider, question: Question, marked_from: float, patience: Patience
) -> ProviderRefund | Decline:
    """Ask to refund. `marked_from` is when the question began to be marked as asked, as `time.monotonic` has it."""
    refund = question.refund
    check_in_time(marked_from, patience)
    try:
        return await provider.refund(
            question.access,
            RefundRequest(
                reference=refund.reference,
                charge_id=question.charge_id,
                amount=refund.amount,
                currency=refund.currency,
                callback_url=question.callback_url,
            ),
        )
    except ProviderRefusedError as fault:
        return Decline(rules.REFUSED, str(fault), is_soft=False)


async def give_up(run: JobRun, reason: str) -> None:
    """End a refund that the provider was never asked for. Any other stays open: a later look finds the answer."""

    async def end(context: Context) -> None:
        refund = await store.get(context, RefundId(UUID(run.payload["refundId"])))
        if refund.asked_at is None:
            decline = Decline(rules.NOT_ASKED, run.given_up(reason), is_soft=False)
            await actions.record_failure(context, refund.id, decline)

    await run.write(end)


def refunds_of(providers: Providers) -> JobKind:
    """The job that asks these providers."""
    return JobKind(
        run=partial(refund_charge, providers),
        give_up=give_up,
        is_foreseen=is_foreseen,
        max_attempts=MOST_TRIES,
        max_unforeseen=5,
        first_pause=timedelta(seconds=5),
        longest_pause=timedelta(hours=1),
    )
