"""Taking what moved at providers, and booking payouts: each movement once, whatever brings it and however often."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.core.dates import day_in
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.payments.customer_payments.model import PAYMENT_ACCOUNT_INVALID, PAYMENT_ACCOUNT_MISSING
from ledgerbee.payments.payouts import matching, rules, store
from ledgerbee.payments.payouts.model import (
    INCOMPLETE,
    MAX_DIFFERENCES,
    PAYOUT_ALREADY_PAID,
    PAYOUT_MOVEMENT_DIFFERS,
    PAYOUTS_JOB,
    TELL_NO_PAYOUTS,
    UNDECIDED,
    Difference,
    DifferenceKind,
    Matches,
    Ours,
    OurState,
    Payout,
    PayoutMovement,
    PayoutSources,
    Reconciliation,
)
from ledgerbee.payments.payouts.wire import render
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.provider_settings.model import ProviderSettings
from ledgerbee.payments.providers.model import Access, Movement, MovementType, ProviderName
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.rates import store as rates
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

DIFFERENCES: Final = Counter(
    "ledgerbee_provider_differences_total", "What didn't agree with the lists of payment providers", ["kind"]
)
for _kind in DifferenceKind:  # there from the start, at zero
    DIFFERENCES.labels(_kind.value)

#: After what time a payout is looked at again that waits for something else to be looked at.
LATER: Final = timedelta(minutes=1)

log = structlog.get_logger("ledgerbee.payouts")

#: Why a payout can't be booked, until somebody opens a period or names an account.
NOT_BOOKED: Final = frozenset(
    {
        ACCOUNT_NOT_BOOKABLE,
        ACCOUNT_NOT_FOUND,
        EXCHANGE_RATE_MISSING,
        FISCAL_YEAR_MISSING,
        PAYMENT_ACCOUNT_INVALID,
        PAYMENT_ACCOUNT_MISSING,
        PERIOD_LOCKED,
    }
)


@dataclass(slots=True)
class Taken:
    """What became of movements: those that are new, how many were known, payouts that are new or booked by them, and
    the movements that were another one before. `differences` is what of an import doesn't agree with what is here."""

    new: list[PayoutMovement] = field(default_factory=list)
    known: int = 0
    payouts: list[Payout] = field(default_factory=list)
    differing: list[PayoutMovement] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_undecided(self) -> bool:
        """Whether a payout waits for something that is looked at again."""
        return any(one.waits_for == UNDECIDED for one in self.payouts)


async def bring(
    context: Context, provider: ProviderName, movements: Sequence[Movement], bank_account_id: UUID | None
) -> Taken:
    """Take movements that somebody brings. All or nothing.

    Emits what `_take` does, and `payment_provider.movements_taken`. Raises `PAYMENT_PROVIDER_NOT_FOUND`,
    `PAYOUT_MOVEMENT_DIFFERS`, `PAYOUT_ALREADY_PAID`, `ACCOUNT_NOT_FOUND`, and what keeps a payout from being booked.
    """
    settings = await settings_store.get(context, provider)
    if bank_account_id is not None and not await accounts.get_many(context, [bank_account_id]):
        raise ACCOUNT_NOT_FOUND.missing("bankAccountId", "accountId", bank_account_id)
    taken = await _take(context, settings, movements, bank_account_id, is_strict=True)
    known = await store.find_known(context, provider, [one.provider_id for one in movements])
    listed = [known[name] for name in dict.fromkeys(one.provider_id for one in movements)]
    ours = await matching.find_ours(context, provider, listed)
    found = rules.differences(listed, ours, [], [], context.company_now)
    taken.differences = found[:MAX_DIFFERENCES]
    if taken.new:
        _tell(provider, taken.differences)
    if taken.is_undecided:
        context.enqueue(PAYOUTS_JOB, delay=LATER, provider=provider.value)
    if taken.new:
        ids = [one.provider_id for one in taken.new]
        context.emit("payment_provider.movements_taken", settings.id, {"provider": provider.value, "movementIds": ids})
    return taken


async def record_look(
    context: Context, provider: ProviderName, look: Reconciliation, read: Sequence[Movement]
) -> Taken:
    """Take what a provider says has moved, and write down what does not agree with it.

    Of a provider that tells no payouts nothing is taken, it is only compared. What the provider has and is under way
    here is looked at again. Emits what `_take` does.
    """
    settings = await settings_store.get(context, provider)
    is_told = provider not in TELL_NO_PAYOUTS
    movements = rules.relevant(read, settings.created_at)
    taken = await _take(context, settings, movements if is_told else [], None, is_strict=False)
    now = context.company_now
    listed = await _listed(context, provider, movements, is_told=is_told)
    ours = await matching.find_ours(context, provider, listed)
    charges = await matching.list_charges_since(context, provider, max(look.since, settings.created_at))
    waiting = await store.list_pending(context, provider)
    found = [
        *(rules.named(DifferenceKind.MOVEMENT_DIFFERS, one) for one in taken.differing),
        *rules.differences(listed, ours, charges, waiting, now),
    ]
    _look_again(context, ours)
    _tell(provider, found)
    kept = replace(look, movements=len(read))
    await store.insert_look(context, kept, found[:MAX_DIFFERENCES])
    return taken


async def book_pending(context: Context, provider: ProviderName) -> Taken:
    """Book the payouts that can be by now. Emits what `_take` does."""
    return await _take(context, await settings_store.get(context, provider), [], None, is_strict=False)


async def record_failed_look(context: Context, look: Reconciliation, failure: str) -> None:
    """Write down why a provider did not say what moved."""
    await store.insert_look(context, replace(look, failure=failure), [])


async def _listed(
    context: Context, provider: ProviderName, movements: Sequence[Movement], *, is_told: bool
) -> list[PayoutMovement]:
    """Movements as they are kept, or would be."""
    known = await store.find_known(context, provider, [one.provider_id for one in movements]) if is_told else {}
    return [known.get(one.provider_id) or rules.taken(one, provider, context.now) for one in movements]


def _look_again(context: Context, ours: Matches) -> None:
    under_way = {one.id: one for one in ours.values() if one.state is OurState.UNDER_WAY}
    for one in under_way.values():
        matching.look_again(context, one)


def _tell(provider: ProviderName, found: Iterable[Difference]) -> None:
    for one in found:
        DIFFERENCES.labels(one.kind.value).inc()
        log.warning(
            "provider.difference",
            provider=provider.value,
            kind=one.kind.value,
            movement=one.movement_id,
            object=one.object_id,
            reference=one.reference,
            amount=None if one.amount is None else str(one.amount),
            provider_amount=None if one.provider_amount is None else str(one.provider_amount),
            currency=one.currency,
        )


async def _take(
    context: Context,
    settings: ProviderSettings,
    movements: Sequence[Movement],
    bank_account_id: UUID | None,
    *,
    is_strict: bool,
) -> Taken:
    """Keep movements that are new, and book the payouts that can be. The provider is held: of two at once the second
    finds what the first took.

    Emits `payout.created`, `payout.paid`. `is_strict` raises what else is passed over.
    """
    provider = settings.name
    await store.hold(context, provider)
    taken = Taken()
    known = await store.find_known(context, provider, [one.provider_id for one in movements])
    names: dict[UUID, str] = {}
    for movement in movements:
        before = known.get(movement.provider_id)
        if before is None:
            one = rules.taken(movement, provider, context.now)
            known[movement.provider_id] = one
            taken.new.append(one)
            continue
        taken.known += 1
        differs = rules.what_differs(before, movement)
        if differs is not None:
            if is_strict:
                raise PAYOUT_MOVEMENT_DIFFERS.error(movementId=movement.provider_id, property=differs)
            taken.differing.append(before)
        elif before.payout_name is None and before.payout_id is None and movement.payout_id is not None:
            names[before.id] = movement.payout_id
            known[movement.provider_id] = replace(before, payout_name=movement.payout_id)
    taken.new = [known[one.provider_id] for one in taken.new]
    await _check_open(context, taken, names, is_strict=is_strict)
    payouts = await _new_payouts(context, taken, bank_account_id)
    await store.insert_movements(context, taken.new)
    await store.name_payouts(
        context, {one: name for one, name in names.items() if one not in {n.id for n in taken.new}}
    )
    for payout in payouts:
        await store.insert(context, payout)
        context.emit("payout.created", payout.id, render(payout).as_event())
    new_ids = {payout.id for payout in payouts}
    for payout in await store.list_pending(context, provider):
        after = await _try(context, settings, payout, is_strict=is_strict and payout.id in new_ids)
        if payout.id in new_ids or after != payout or after.waits_for == UNDECIDED:
            taken.payouts.append(after)
    return taken


async def _check_open(context: Context, taken: Taken, names: dict[UUID, str], *, is_strict: bool) -> None:
    """Whether the payouts that movements name are still to be booked."""
    if not taken.new:
        return
    told = {one.payout_name for one in taken.new if one.type is not MovementType.PAYOUT and one.payout_name}
    paid = await store.paid_names(context, taken.new[0].provider, [*told, *names.values()])
    for one in taken.new:
        if one.type is not MovementType.PAYOUT and one.payout_name in paid:
            if is_strict:
                raise PAYOUT_ALREADY_PAID.error(movementId=one.provider_id, payout=one.payout_name)
            taken.differing.append(one)


async def _new_payouts(context: Context, taken: Taken, bank_account_id: UUID | None) -> list[Payout]:
    told = [one for one in taken.new if one.type is MovementType.PAYOUT and one.amount]
    if not told:
        return []
    names = await store.taken_names(context, told[0].provider, [one.payout_name or "" for one in told])
    payouts = []
    for one in told:
        day = day_in(one.moved_at, context.time_zone)
        payout = rules.new_payout(one, day, bank_account_id, names, context.now)
        names.add(payout.provider_id)
        payouts.append(payout)
        place = taken.new.index(one)
        taken.new[place] = replace(one, payout_name=payout.provider_id)
    return payouts


async def _try(context: Context, settings: ProviderSettings, payout: Payout, *, is_strict: bool) -> Payout:
    """Book a payout if it is whole and decided; as it is then."""
    movements = await store.list_of_payout(context, payout)
    if all(one.type is MovementType.PAYOUT for one in movements):
        movements += await store.list_loose(context, payout)
    if not rules.is_whole(payout, movements):
        return await _wait(context, payout, INCOMPLETE)
    ours = await matching.find_ours(context, settings.name, movements)
    is_undecided = any(one.state is OurState.UNDER_WAY for one in ours.values())
    # Of a dispute that isn't known when it is looked for again the provider told nothing: it stands on clearing where
    # its charge is ours, and whatever the provider tells later finds it.
    if payout.waits_for != UNDECIDED:
        is_undecided |= matching.look_for_disputes(context, settings.name, movements, ours)
    is_undecided |= await matching.may_be_under_way(context, settings.name, movements, ours)
    if is_undecided:
        _look_again(context, ours)
        return await _wait(context, payout, UNDECIDED)
    try:
        async with context.savepoint():
            return await _book(context, settings, payout, movements, ours)
    except LedgerBeeError as fault:
        if is_strict or fault.error_code not in NOT_BOOKED:
            raise
        log.warning("payout.not_booked", payout=payout.provider_id, code=fault.code)
        return await _wait(context, payout, fault.code)


async def _wait(context: Context, payout: Payout, reason: str) -> Payout:
    if payout.waits_for == reason:
        return payout
    after = replace(payout, waits_for=reason, updated_at=context.now)
    await store.update(context, after)
    return after


async def _book(
    context: Context,
    settings: ProviderSettings,
    payout: Payout,
    movements: Sequence[PayoutMovement],
    ours: dict[UUID, Ours],
) -> Payout:
    facts = await store.get_facts(context)
    rate = await rates.rate_for(context, payout.currency, payout.paid_on)
    named = (
        payout.named_account_id, settings.bank_account_id, settings.clearing_account_id, settings.fee_account_id,
        settings.unidentified_account_id,
    )  # fmt: skip
    found = PayoutSources(
        settings=settings,
        base_currency=facts.base_currency,
        language=facts.language,
        journal_category_id=facts.journal_category_id,
        rate=rate.value,
        named=await accounts.get_many(context, [one for one in named if one is not None]),
        by_role=await accounts.get_by_role(context),
        left=ZERO,
        base_left=ZERO,
    )
    clearing = rules.clearing_account(found)
    left, base_left = await store.get_left(context, settings.name, clearing.id, payout.currency)
    booking = rules.book(payout, movements, ours, replace(found, left=left, base_left=base_left), context.now)
    await ledger.post_of_document(context, booking.entry)
    await store.update(context, booking.payout)
    await store.settle_movements(context, payout.id, booking.movements)
    context.emit("payout.paid", payout.id, render(booking.payout).as_event(), before=render(payout).as_event())
    return booking.payout


async def find_question(context: Context, provider: ProviderName) -> tuple[Access, Reconciliation] | None:
    """What to ask a provider: of what time to say what moved, as a look that is to be; None where it isn't enabled.

    Raises `SECRET_UNREADABLE`.
    """
    settings = await settings_store.find(context, provider)
    if settings is None or not settings.is_enabled:
        return None
    now = context.company_now
    since = rules.asked_since(
        now,
        settings.created_at,
        await store.find_last_until(context, provider),
        await store.find_oldest_loose(context, provider),
    )
    look = Reconciliation(id=new_id(), provider=provider, since=since, until=now, movements=0, created_at=context.now)
    return provider_settings.access_of(context, settings), look


async def begin_looks(context: Context) -> None:
    """Have the providers that are enabled asked what moved."""
    for settings in await settings_store.list_all(context):
        if settings.is_enabled:
            context.enqueue(PAYOUTS_JOB, provider=settings.name.value)
