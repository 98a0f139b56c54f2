"""Charging cards at the provider that is built in: those that are asked for at the same time in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from ledgerbee.core.ids import new_id, parse_id
from ledgerbee.payments.providers.model import (
    AgreementStatus,
    ChargeRequest,
    ChargeStatus,
    ProviderRefusedError,
    Subject,
)
from ledgerbee.payments.providers.sandbox import rules, store
from ledgerbee.payments.providers.sandbox.model import SandboxCard, SandboxCharge, SandboxChargeId, SandboxEvent
from ledgerbee.platform.context import Context

#: What came of one request.
Outcome = SandboxCharge | ProviderRefusedError
#: Carries out requests of one company.
CarryOut = Callable[[Sequence[ChargeRequest]], Awaitable[list[Outcome]]]


@dataclass
class Gathered:
    """Requests of a company that came at the same time, and who waits for what comes of them."""

    requests: list[ChargeRequest] = field(default_factory=list)
    waiting: list["asyncio.Future[Outcome]"] = field(default_factory=list)


@dataclass
class Gathering:
    """Gathers the requests that come while the event loop goes round once, and has them carried out together."""

    by_key: dict[tuple[str, str], Gathered] = field(default_factory=dict)
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def carry_out(self, key: tuple[str, str], request: ChargeRequest, carry_out: CarryOut) -> Outcome:
        """What comes of a request; raises what ended those that were gathered with it."""
        gathered = self.by_key.get(key)
        if gathered is None:
            gathered = self.by_key[key] = Gathered()
            task = asyncio.create_task(self._carry_out(key, carry_out))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        gathered.requests.append(request)
        gathered.waiting.append(future)
        return await future

    async def _carry_out(self, key: tuple[str, str], carry_out: CarryOut) -> None:
        gathered = self.by_key.pop(key)
        try:
            outcomes = await carry_out(gathered.requests)
        except BaseException as fault:
            for future in gathered.waiting:
                if not future.done():
                    future.set_exception(fault)
            if not isinstance(fault, Exception):
                raise
            return
        for future, outcome in zip(gathered.waiting, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)


async def charge_many(context: Context, asked: Sequence[ChargeRequest]) -> list[Outcome]:
    """Charge cards: each comes out as its number says. Once for each reference."""
    card_ids = [_id_of(one.agreement_id) for one in asked]
    cards = await store.lock_cards(context, {one for one in card_ids if one is not None})
    known = await store.find_charges_by_reference(context, [one.reference for one in asked])
    before = Counter(await store.count_charges(context, list(cards)))
    made: list[SandboxCharge] = []
    outcomes: list[Outcome] = []
    for request, card_id in zip(asked, card_ids, strict=True):
        outcome = _charge(context, request, None if card_id is None else cards.get(card_id), known, before)
        if isinstance(outcome, SandboxCharge) and request.reference not in known:
            if outcome.status is ChargeStatus.REQUIRES_ACTION:
                outcome = replace(outcome, page_secret=await store.open_page(context, outcome.id))
            known[request.reference] = outcome
            made.append(outcome)
        outcomes.append(outcome)
    if made:
        await store.insert_charges(context, made)
        await store.tell_many(context, [event for charge in made for event in events_of(context, charge)])
    return outcomes


def _charge(
    context: Context,
    asked: ChargeRequest,
    card: SandboxCard | None,
    known: dict[str, SandboxCharge],
    before: "Counter[UUID]",
) -> Outcome:
    """What comes of one request; `before` counts the charges that each card has had, and this one then."""
    if card is None or card.behavior is None:
        return ProviderRefusedError("There is no such card")
    if (found := known.get(asked.reference)) is not None:
        return found
    if card.status is not AgreementStatus.ACTIVE:
        return ProviderRefusedError("The card was cancelled")
    charge = SandboxCharge(
        id=SandboxChargeId(new_id()),
        reference=asked.reference,
        card_id=card.id,
        amount=asked.amount,
        currency=asked.currency,
        description=asked.text,
        status=ChargeStatus.SUCCEEDED,
        fee=rules.fee_of(asked.amount, asked.currency),
        created_at=context.company_now,
        updated_at=context.company_now,
    )
    charge = rules.charged(charge, card.behavior, before[card.id])
    before[card.id] += 1
    return charge


def events_of(context: Context, charge: SandboxCharge) -> list[SandboxEvent]:
    """What is told of a charge: how it stands, and that it is disputed."""
    told = [(f"charge.{charge.status}", Subject.CHARGE)]
    if charge.disputed_at is not None:
        told.append(("dispute.opened", Subject.DISPUTE))
    return [
        SandboxEvent(
            id=new_id(),
            type=name,
            subject=subject.value,
            object_id=str(charge.id),
            reference=charge.reference,
            created_at=context.now,
        )
        for name, subject in told
    ]


def _id_of(text: str) -> UUID | None:
    try:
        return parse_id(text)
    except ValueError:
        return None
