"""Asking a provider to charge a card: mark it as asked, ask outside any transaction, record the answer.

The job may run twice, and its worker may die at any point. From the moment a charge is marked as asked, the provider is
asked what it knows of the reference, and asked to charge once more only what it has never heard of, some time after the
question: until then it may still carry it out (`rules.when_unknown`). It is not asked to charge while that can't be
booked.
"""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.charges import actions, rules, store, together
from ledgerbee.payments.charges.actions import Question
from ledgerbee.payments.charges.model import CHARGE_UNDECIDED, NOT_BOOKED, PATIENCE, UNDER_WAY, ChargeId, Patience
from ledgerbee.payments.providers.model import (
    ChargeRequest,
    Decline,
    Provider,
    ProviderCharge,
    ProviderRefusedError,
    Providers,
    ProviderUnclearError,
)
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun

#: Tries while the provider doesn't answer or doesn't decide: a day and a half of them, and then the daily task looks.
MOST_TRIES: Final = 40


async def charge_card(providers: Providers, run: JobRun, patience: Patience = PATIENCE) -> None:
    """Have a charge carried out, or find out how it stands. Payload: `chargeId`.

    Raises, so that the worker tries again later: `ProviderUnclearError`, `CHARGE_UNDECIDED`, `CHARGE_BEING_ASKED`, what
    keeps an answer from being booked, `DATABASE_UNAVAILABLE`.
    """
    charge_id, marked_from = ChargeId(UUID(run.payload["chargeId"])), time.monotonic()
    question = await run.write(partial(actions.ask, charge_id=charge_id, patience=patience))
    if question is None:
        return
    provider = providers[question.charge.provider]
    answer: ProviderCharge | Decline | None = None
    try:
        if question.was_asked:
            await _cancel(provider, question)
            answer = await _find(provider, question)
        if answer is None and question.was_asked:
            marked_from = time.monotonic()
            question = await run.write(partial(actions.ask_again, before=question.charge, patience=patience))
        if answer is None and question is not None:
            answer = await _charge(provider, question, marked_from, patience)
    except ProviderUnclearError:
        await run.write(partial(actions.record_unclear, charge_id=charge_id))
        raise
    if answer is None:
        charge = await run.read(partial(store.get, charge_id=charge_id))
    elif isinstance(answer, Decline):
        charge = await run.write(partial(actions.record_failure, charge_id=charge_id, decline=answer))
    else:
        charge = await run.write(partial(actions.record_answer, charge_id=charge_id, answer=answer, patience=patience))
    if charge.status in UNDER_WAY:
        raise CHARGE_UNDECIDED.error()


async def _cancel(provider: Provider, question: Question) -> None:
    """Ask to cancel a charge that is to be cancelled. What came of it is what the provider says of the charge next: it
    may have refused because it was confirmed, and whoever gave no answer may have done it."""
    charge = question.charge
    if charge.cancel_code is not None and charge.provider_id is not None:
        with suppress(ProviderRefusedError, ProviderUnclearError):
            await provider.cancel_charge(question.access, charge.reference, charge.provider_id)


async def _find(provider: Provider, question: Question) -> ProviderCharge | None:
    """How the charge stands. Whoever refuses to say leaves it as unclear as it was. Raises `ProviderUnclearError`."""
    try:
        return await provider.find_charge(
            question.access, question.charge.reference, question.charge.provider_id, question.agreement_id
        )
    except ProviderRefusedError as fault:
        raise ProviderUnclearError(str(fault)) from fault


def check_in_time(marked_from: float, patience: Patience) -> None:
    """Refuse to ask a provider for what was marked as asked too long ago, since this process stood still: others may be
    at it. Raises `ProviderUnclearError`.
    """
    if time.monotonic() >= marked_from + patience.asking.total_seconds():
        raise ProviderUnclearError("The provider was not asked in time")


async def _charge(
    provider: Provider, question: Question, marked_from: float, patience: Patience
) -> ProviderCharge | Decline:
    """Ask to charge. `marked_from` is when the question began to be marked as asked, as `time.monotonic` has it."""
    charge = question.charge
    check_in_time(marked_from, patience)
    try:
        return await provider.charge(
            question.access,
            ChargeRequest(
                reference=charge.reference,
                agreement_id=question.agreement_id,
                amount=charge.amount,
                currency=charge.currency,
                text=question.text,
                callback_url=question.callback_url,
            ),
        )
    except ProviderRefusedError as fault:
        return Decline(rules.REFUSED, str(fault), is_soft=False)


async def give_up(run: JobRun, reason: str) -> None:
    """End a charge that the provider was never asked for. Any other stays open: a later look finds the answer."""

    async def end(context: Context) -> None:
        charge = await store.get(context, ChargeId(UUID(run.payload["chargeId"])))
        if charge.asked_at is None:
            decline = Decline(rules.NOT_ASKED, run.given_up(reason), is_soft=False)
            await actions.record_failure(context, charge.id, decline)

    await run.write(end)


async def charge_cards(providers: Providers, run: JobRun, patience: Patience = PATIENCE) -> None:
    """Have charges carried out that begin together, asked at once. Payload: `chargeIds`.

    What has no clear answer, and what can't be booked, is left to jobs of their own. Raises `DATABASE_UNAVAILABLE`.
    """
    charge_ids = _ids_of(run)
    marked_from = time.monotonic()
    questions = await run.write(partial(together.ask, charge_ids=charge_ids))
    asked = (_answer(providers, question, marked_from, patience) for question in questions)
    answers = dict(await asyncio.gather(*asked))
    try:
        await run.write(partial(together.record, answers=answers, patience=patience))
    except LedgerBeeError as fault:
        if fault.is_passing:
            raise
        await run.write(partial(together.leave_all, charge_ids=list(answers)))


async def _answer(
    providers: Providers, question: Question, marked_from: float, patience: Patience
) -> tuple[ChargeId, ProviderCharge | Decline | None]:
    """What a provider answers to one of many questions; None for nothing that is clear."""
    try:
        return question.charge.id, await _charge(providers[question.charge.provider], question, marked_from, patience)
    except ProviderUnclearError:
        return question.charge.id, None


def _ids_of(run: JobRun) -> list[ChargeId]:
    return [ChargeId(UUID(one)) for one in run.payload["chargeIds"]]


async def leave_all(run: JobRun, _: str) -> None:
    """Leave charges to jobs of their own."""
    await run.write(partial(together.leave_all, charge_ids=_ids_of(run)))


def is_foreseen(fault: Exception) -> bool:
    """Whether a job that asks providers comes again for this: no answer yet, or one that can't be booked yet."""
    if isinstance(fault, LedgerBeeError):
        return fault.is_passing or fault.error_code in NOT_BOOKED
    return isinstance(fault, ProviderUnclearError)


def charges_of(providers: Providers, patience: Patience = PATIENCE) -> JobKind:
    """The job that asks these providers."""
    return JobKind(
        run=partial(charge_card, providers, patience=patience),
        give_up=give_up,
        is_foreseen=is_foreseen,
        max_attempts=MOST_TRIES,
        max_unforeseen=5,
        first_pause=timedelta(seconds=5),
        longest_pause=timedelta(hours=1),
    )


def charges_together_of(providers: Providers, patience: Patience = PATIENCE) -> JobKind:
    """The job that asks these providers for charges that begin together."""
    return JobKind(
        run=partial(charge_cards, providers, patience=patience),
        give_up=leave_all,
        is_foreseen=is_foreseen,
        max_attempts=12,
        max_unforeseen=3,
        first_pause=timedelta(seconds=5),
        longest_pause=timedelta(minutes=10),
    )
