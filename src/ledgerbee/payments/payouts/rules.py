"""Pure rules of payouts: what a movement is, which of them a payout pays out, and what booking it writes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND, Account, LedgerType
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ONE, ZERO, multiply, round_money, total
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, Side
from ledgerbee.payments.charges.model import PAYMENT_CLEARING, UNIDENTIFIED_RECEIPTS
from ledgerbee.payments.customer_payments.model import BANK, FX_GAIN, FX_LOSS, PAYMENT_ACCOUNT_INVALID
from ledgerbee.payments.customer_payments.rules import check_account, role_account
from ledgerbee.payments.payouts.model import (
    PAYMENT_FEES,
    SOURCE_TYPE,
    Difference,
    DifferenceKind,
    Matches,
    OurKind,
    Ours,
    OurState,
    Payout,
    PayoutBooking,
    PayoutId,
    PayoutMovement,
    PayoutSources,
    PayoutStatus,
)
from ledgerbee.payments.providers.model import Movement, MovementType, ProviderName

#: Types that are neither something of the company's nor of anybody else.
_NOBODYS: Final = frozenset({MovementType.FEE, MovementType.PAYOUT})
#: Lines of an entry that name what nobody knows, each by itself; the rest is in one more.
MAX_NAMED: Final = 100
_LONGEST_LINE: Final = 255

_InBase = Callable[[Decimal], Decimal]

#: How long a provider's list may lack a charge that succeeded here.
LISTED_AFTER: Final = timedelta(days=3)
#: What a movement may be of ours; of anything else nobody asks whose it is.
_SOMEBODYS: Final = frozenset(
    {MovementType.CHARGE, MovementType.REFUND, MovementType.DISPUTE, MovementType.DISPUTE_REVERSED}
)

#: How far back a provider is asked: before what was asked for last, and before it was set up, as long as payouts may
#: have what moved then (Stripe pays out once a month where it pays out least often).
OVERLAP: Final = timedelta(days=3)
BEFORE_SET_UP: Final = timedelta(days=35)
FARTHEST: Final = timedelta(days=100)


# What providers tell


def asked_since(
    now: datetime, set_up: datetime, last_until: datetime | None, oldest_loose: datetime | None
) -> datetime:
    """From when on a provider is asked what moved.

    What it has not said to be paid out (since `oldest_loose`) is asked for again, until it says with which payout.
    """
    since = last_until or set_up
    if now < set_up + BEFORE_SET_UP:
        since = min(since, set_up - BEFORE_SET_UP)
    if oldest_loose is not None:
        since = min(since, oldest_loose)
    return max(since - OVERLAP, now - FARTHEST)


def relevant(movements: Iterable[Movement], set_up: datetime) -> list[Movement]:
    """The movements that are the books' business: payouts from when the provider was set up, and what they pay out.

    What moved before and was paid out before, or doesn't say with what, was booked by whoever kept the books then.
    """
    found = list(movements)
    names = {name_of(one) for one in found if one.type is MovementType.PAYOUT and one.at >= set_up}
    return [
        one for one in found if one.at >= set_up or (one.type is not MovementType.PAYOUT and one.payout_id in names)
    ]


def name_of(movement: Movement) -> str:
    """What a provider's movements call the payout that this one is."""
    return movement.payout_id or movement.object_id or movement.provider_id


def taken(movement: Movement, provider: ProviderName, now: datetime) -> PayoutMovement:
    """A movement as it is kept. Of a payout `payout_name` is its own."""
    is_payout = movement.type is MovementType.PAYOUT
    return PayoutMovement(
        id=new_id(),
        provider=provider,
        provider_id=movement.provider_id,
        type=movement.type,
        amount=movement.amount,
        fee=movement.fee,
        currency=movement.currency,
        moved_at=movement.at,
        object_id=movement.object_id,
        charge_object_id=movement.charge_id,
        reference=movement.reference,
        payout_name=name_of(movement) if is_payout else movement.payout_id,
        description=movement.text,
        created_at=now,
        updated_at=now,
    )


def what_differs(known: PayoutMovement, movement: Movement) -> str | None:
    """What of a movement that was taken before is told otherwise now; None: it is the same one.

    What was left open before is no contradiction, nor is the time: not every list has one.
    """
    for name, was, now in (
        ("type", known.type, movement.type),
        ("amount", known.amount, movement.amount),
        ("fee", known.fee, movement.fee),
        ("currency", known.currency, movement.currency),
    ):
        if was != now:
            return name
    named = None if movement.type is MovementType.PAYOUT else movement.payout_id
    for name, text, other in (
        ("object", known.object_id, movement.object_id),
        ("reference", known.reference, movement.reference),
        ("payout", known.payout_name, named),
    ):
        if text is not None and other is not None and text != other:
            return name
    return None


def new_payout(
    movement: PayoutMovement, paid_on: date, named_account_id: UUID | None, names: Iterable[str], now: datetime
) -> Payout:
    """The payout that a movement is. `names` are taken: money that comes back has the name of what it was sent with."""
    name = movement.payout_name or movement.provider_id
    return Payout(
        id=PayoutId(new_id()),
        provider=movement.provider,
        provider_id=movement.provider_id if name in names else name,
        named_account_id=named_account_id,
        amount=-movement.amount,
        currency=movement.currency,
        paid_at=movement.moved_at,
        paid_on=paid_on,
        created_at=now,
        updated_at=now,
    )


def is_whole(payout: Payout, movements: Sequence[PayoutMovement]) -> bool:
    """Whether all that a payout pays out is there. What names none of its movements pays out what comes to it."""
    named = [one for one in movements if one.type is not MovementType.PAYOUT and one.payout_name == payout.provider_id]
    if not named:
        return True
    own = total([one.fee for one in movements if one.type is MovementType.PAYOUT])
    nets = total([EXACT.subtract(one.amount, one.fee) for one in named])
    return nets == EXACT.add(payout.amount, own)


def is_taken_off(movement: PayoutMovement, ours: Ours) -> bool:
    """Whether what a movement is of is in the books, or will be. Each is paid out once, in its own direction."""
    comes_in = movement.type in {MovementType.CHARGE, MovementType.DISPUTE_REVERSED}
    is_right = movement.amount > 0 if comes_in else movement.amount < 0
    return is_right and ours.state is not OurState.FAILED and not ours.is_paid_out


def is_unknown(movement: PayoutMovement) -> bool:
    """Whether a movement that is booked is nothing of ours, or not all of it."""
    is_nothing = movement.account_id is None and movement.type not in _NOBODYS
    return is_nothing or bool(movement.unidentified_amount)


# Booking


def book(
    payout: Payout, movements: Sequence[PayoutMovement], matches: Matches, found: PayoutSources, now: datetime
) -> PayoutBooking:
    """All there is to write of a payout, its own movement among `movements`.

    The bank has what was paid out, the fee account what was kept, unidentified receipts what nobody here knows: the
    clearing account what is left of that. It takes the rates that its movements were booked by, and all that is left on
    it where nothing is left of them; the difference to the day's rate is a gain or a loss. Raises
    `PAYMENT_ACCOUNT_MISSING`, `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_ACCOUNT_INVALID`, `ACCOUNT_NOT_FOUND`.
    """
    base, rate = found.base_currency, found.rate

    def in_base(amount: Decimal) -> Decimal:
        return round_money(multiply(amount, rate), base)

    bank, clearing = _bank(payout, found), clearing_account(found)
    if bank.id == clearing.id:
        raise PAYMENT_ACCOUNT_INVALID.error(accountId=str(bank.id))
    booked = _all_settled(movements, matches, clearing, in_base, base)
    ours = [one for one in booked if one.account_id is not None]
    unknown = [one for one in booked if one.unidentified_amount]
    fees = total([fee_of(one) for one in booked])
    unidentified = total([one.unidentified_amount for one in unknown])
    cleared = EXACT.subtract(EXACT.add(payout.amount, fees), unidentified)
    pool = EXACT.add(found.left, total([one.cleared_amount for one in ours]))
    base_pool = EXACT.add(found.base_left, total([one.base_amount for one in ours]))
    base_cleared = _share(cleared, pool, base_pool, in_base, base)

    lines = _Lines(base if payout.currency == base else None)
    lines.add(bank.id, payout.amount, in_base(payout.amount))
    if fees:
        lines.add(_fee_account(found).id, fees, in_base(fees))
    if unknown:
        receipts = _unidentified_account(found).id
        if receipts in {bank.id, clearing.id}:
            raise PAYMENT_ACCOUNT_INVALID.error(accountId=str(receipts))
        for amount, text in _named(unknown, found.language):
            lines.add(receipts, -amount, -in_base(amount), text)
    for account_id, amount, base_amount in _by_account(ours, clearing, cleared, base_cleared):
        lines.add(account_id, -amount, -base_amount)
    difference = lines.difference()
    if difference:
        lines.add(role_account(found.by_role, FX_GAIN if difference > 0 else FX_LOSS).id, ZERO, -difference)

    after = replace(
        payout,
        status=PayoutStatus.PAID,
        waits_for=None,
        fee_amount=fees,
        unidentified_amount=unidentified,
        cleared_amount=cleared,
        cleared_base_amount=base_cleared,
        left_amount=EXACT.subtract(EXACT.subtract(pool, found.left), cleared),
        left_base_amount=EXACT.subtract(EXACT.subtract(base_pool, found.base_left), base_cleared),
        base_amount=in_base(payout.amount),
        exchange_rate=rate,
        bank_account_id=bank.id,
        clearing_account_id=clearing.id,
        journal_entry_id=new_id(),
        updated_at=now,
    )
    kept = [replace(one, payout_id=payout.id, updated_at=now) for one in booked]
    return PayoutBooking(after, kept, _entry(after, lines.lines(), found))


def _by_account(
    ours: Sequence[PayoutMovement], clearing: Account, cleared: Decimal, base_cleared: Decimal
) -> list[tuple[UUID, Decimal, Decimal]]:
    """What leaves which account: what stands on others, as it was charged while those were named, and here the rest."""
    elsewhere: dict[UUID, list[PayoutMovement]] = defaultdict(list)
    for one in ours:
        if one.account_id is not None and one.account_id != clearing.id:
            elsewhere[one.account_id].append(one)
    found = [
        (account_id, total([one.cleared_amount for one in parts]), total([one.base_amount for one in parts]))
        for account_id, parts in elsewhere.items()
    ]
    here = EXACT.subtract(cleared, total([amount for _, amount, _ in found]))
    base_here = EXACT.subtract(base_cleared, total([base_amount for _, _, base_amount in found]))
    return [*found, (clearing.id, here, base_here)]


def _all_settled(
    movements: Sequence[PayoutMovement], matches: Matches, clearing: Account, in_base: _InBase, base_currency: str
) -> list[PayoutMovement]:
    """Movements as they are booked. What comes back of a dispute is what was taken of it, by this payout too."""
    found: dict[UUID, PayoutMovement] = {}
    for one in sorted(movements, key=lambda one: one.type is MovementType.DISPUTE_REVERSED):
        ours = matches.get(one.id)
        if ours is None or not is_taken_off(one, ours):
            found[one.id] = replace(one, unidentified_amount=ZERO if one.type in _NOBODYS else one.amount)
            continue
        if one.type is MovementType.DISPUTE_REVERSED:
            for before in found.values():
                if before.account_id is not None and matches[before.id].id == ours.id:
                    ours = replace(
                        ours,
                        taken=EXACT.add(ours.taken, before.cleared_amount),
                        base_taken=EXACT.add(ours.base_taken, before.base_amount),
                        taken_fee=EXACT.add(ours.taken_fee, taken_fee_of(before)),
                    )
        found[one.id] = _settled(one, ours, clearing, in_base, base_currency)
    return [found[one.id] for one in movements]


def taken_fee_of(movement: PayoutMovement) -> Decimal:
    """What a dispute's movement took off clearing for a fee that no entry has."""
    of_ours = EXACT.subtract(movement.amount, movement.unidentified_amount)
    return EXACT.subtract(of_ours, movement.cleared_amount)


def _settled(
    movement: PayoutMovement, ours: Ours, clearing: Account, in_base: _InBase, base_currency: str
) -> PayoutMovement:
    """A movement that is something of ours: which account it is taken off, and how much in either currency.

    In one currency that is what ours is, whatever the movement says: the difference is nobody's. What isn't booked yet
    is taken off by the day's rate, until it comes back. A fee that is booked when a dispute is lost is none of the
    payout's; what was taken off for one of a dispute that was won is a fee after all.
    """
    if movement.type is MovementType.DISPUTE_REVERSED:
        own = EXACT.minus(EXACT.add(ours.taken, ours.taken_fee))
        cleared = EXACT.minus(ours.taken)
    else:
        own = ours.amount if movement.currency == ours.currency else movement.amount
        cleared = own
    if movement.type is MovementType.DISPUTE:
        cleared = EXACT.subtract(cleared, min(ours.fee, max(movement.fee, ZERO)))
    whole = EXACT.subtract(ours.amount, ours.fee)
    base_amount = in_base(cleared)
    if ours.taken and cleared == -ours.taken:
        base_amount = -ours.base_taken
    elif ours.state is OurState.BOOKED and (cleared > 0) == (whole > 0):
        base_amount = ours.base_amount
        if movement.currency == ours.currency and cleared != whole:
            base_amount = round_money(EXACT.divide(multiply(ours.base_amount, cleared), whole), base_currency)
    return replace(
        movement,
        charge_id=_charge_of(ours),
        refund_id=ours.id if ours.kind is OurKind.REFUND else None,
        dispute_id=ours.id if ours.kind is OurKind.DISPUTE and ours.is_told else None,
        account_id=ours.account_id or clearing.id,
        cleared_amount=cleared,
        base_amount=base_amount,
        unidentified_amount=EXACT.subtract(movement.amount, own),
    )


def _charge_of(ours: Ours | None) -> UUID | None:
    """The charge that something is, or that it is a dispute of."""
    if ours is None:
        return None
    return ours.id if ours.kind is OurKind.CHARGE else ours.charge_id


def fee_of(movement: PayoutMovement) -> Decimal:
    """What of a movement that is booked is a fee of its payout: of the amount what is neither ours nor nobody's."""
    if movement.type is MovementType.PAYOUT:
        return movement.fee
    return EXACT.subtract(movement.fee, taken_fee_of(movement))


def _share(cleared: Decimal, pool: Decimal, base_pool: Decimal, in_base: _InBase, base_currency: str) -> Decimal:
    """What leaves the clearing account in the company's currency, of what is on it: all of it with the last."""
    if cleared == pool:
        return base_pool
    if pool and (cleared > 0) == (pool > 0):
        if abs(cleared) > abs(pool):
            return EXACT.add(base_pool, in_base(EXACT.subtract(cleared, pool)))
        return round_money(EXACT.divide(multiply(base_pool, cleared), pool), base_currency)
    return in_base(cleared)


class _Lines:
    """The lines of an entry, amounts above zero in debit. `base_currency` where that is the entry's own."""

    def __init__(self, base_currency: str | None) -> None:
        self._is_base = base_currency is not None
        self._found: list[tuple[UUID, Decimal, Decimal, str | None]] = []

    def add(self, account_id: UUID, amount: Decimal, base_amount: Decimal, text: str | None = None) -> None:
        amount = base_amount if self._is_base else amount
        if amount or base_amount:
            self._found.append((account_id, amount, base_amount, text))

    def difference(self) -> Decimal:
        """By what debits are more than credits, in the company's currency."""
        return total([base_amount for _, _, base_amount, _ in self._found])

    def lines(self) -> tuple[LineToPost, ...]:
        """Both amounts of a line stand on one side: what would be on two is two lines."""
        lines: list[LineToPost] = []
        for account_id, amount, base_amount, text in self._found:
            if amount * base_amount < 0:
                lines.append(_line(account_id, amount, ZERO, text))
                lines.append(_line(account_id, ZERO, base_amount, text))
            else:
                lines.append(_line(account_id, amount, base_amount, text))
        return tuple(lines)


def _line(account_id: UUID, amount: Decimal, base_amount: Decimal, text: str | None) -> LineToPost:
    side = Side.DEBIT if amount > 0 or base_amount > 0 else Side.CREDIT
    shown = abs(amount)
    return LineToPost(
        account_id, side, shown, description=text, base_amount=shown if amount == base_amount else abs(base_amount)
    )


def _named(unknown: Sequence[PayoutMovement], language: str) -> Iterable[tuple[Decimal, str]]:
    """What nobody here knows, each with its name; of very many the rest is one."""
    shown = unknown if len(unknown) <= MAX_NAMED else unknown[: MAX_NAMED - 1]
    for one in shown:
        yield one.unidentified_amount, what_it_is(one)
    rest = unknown[len(shown) :]
    if rest:
        others = f"{len(rest)} bevægelser til" if language == "da" else f"{len(rest)} more movements"
        yield total([one.unidentified_amount for one in rest]), others


def what_it_is(movement: PayoutMovement) -> str:
    """A movement as a line's text names it: the provider's words and ids."""
    ids = dict.fromkeys(one for one in (movement.object_id, movement.reference, movement.provider_id) if one)
    return " ".join([movement.type.value, *ids, movement.description])[:_LONGEST_LINE].strip()


def _entry(payout: Payout, lines: tuple[LineToPost, ...], found: PayoutSources) -> EntryToPost:
    assert payout.journal_entry_id is not None
    assert payout.exchange_rate is not None
    said = "Udbetaling fra" if found.language == "da" else "Payout of"
    return EntryToPost(
        id=payout.journal_entry_id,
        entry_type=EntryType.JOURNAL_ENTRY,
        date=payout.paid_on,
        currency=payout.currency,
        exchange_rate=payout.exchange_rate if payout.currency != found.base_currency else ONE,
        lines=lines,
        original_amount=payout.amount,
        description=f"{said} {payout.provider.value}, {payout.provider_id}"[:_LONGEST_LINE],
        reference=payout.provider_id,
        journal_category_id=found.journal_category_id,
        source_type=SOURCE_TYPE,
        source_id=payout.id,
    )


def _bank(payout: Payout, found: PayoutSources) -> Account:
    account_id = payout.named_account_id or found.settings.bank_account_id
    return _account(account_id, BANK, found, LedgerType.BALANCE_SHEET)


def clearing_account(found: PayoutSources) -> Account:
    """The account that a provider's charges stand on until they are paid out. Raises as `book` does."""
    return _account(found.settings.clearing_account_id, PAYMENT_CLEARING, found, LedgerType.BALANCE_SHEET)


def _fee_account(found: PayoutSources) -> Account:
    return _account(found.settings.fee_account_id, PAYMENT_FEES, found, LedgerType.PROFIT_AND_LOSS)


def _unidentified_account(found: PayoutSources) -> Account:
    return _account(found.settings.unidentified_account_id, UNIDENTIFIED_RECEIPTS, found, LedgerType.BALANCE_SHEET)


def _account(account_id: UUID | None, role: str, found: PayoutSources, kind: LedgerType) -> Account:
    if account_id is None:
        account = role_account(found.by_role, role)
    elif account_id in found.named:
        account = found.named[account_id]
    else:
        raise ACCOUNT_NOT_FOUND.missing("bankAccountId", "accountId", account_id)
    if kind is LedgerType.BALANCE_SHEET:
        check_account(account)
    elif not account.is_bookable:
        raise ACCOUNT_NOT_BOOKABLE.error(accountId=str(account.id))
    return account


# Reconciliation


def differences(
    movements: Sequence[PayoutMovement],
    matches: Matches,
    charges: Iterable[Ours],
    waiting: Iterable[Payout],
    now: datetime,
) -> list[Difference]:
    """What of a provider's list and the company's charges one side lacks, or has otherwise.

    `charges` are those that succeeded here since what the list begins with; the provider has some days to list one.
    """
    found = [one for one in (_difference(movement, matches.get(movement.id)) for movement in movements) if one]
    listed = {ours.id for ours in matches.values()}
    for charge in charges:
        is_late = charge.finished_at is not None and charge.finished_at + LISTED_AFTER <= now
        if is_late and not charge.is_paid_out and charge.id not in listed:
            found.append(
                Difference(
                    kind=DifferenceKind.MISSING_AT_PROVIDER,
                    charge_id=charge.id,
                    object_id=charge.provider_id,
                    reference=charge.reference,
                    amount=charge.amount,
                    currency=charge.currency,
                )
            )
    found += [
        Difference(
            kind=DifferenceKind.PAYOUT_WAITS,
            movement_type=MovementType.PAYOUT,
            object_id=payout.provider_id,
            provider_amount=payout.amount,
            currency=payout.currency,
        )
        for payout in waiting
    ]
    return found


def _difference(movement: PayoutMovement, ours: Ours | None) -> Difference | None:
    """What a movement has that isn't here, or is here otherwise."""
    if movement.type not in _SOMEBODYS:
        return None
    if ours is None or ours.is_paid_out or (not ours.is_told and ours.state is OurState.OPEN):
        kind = DifferenceKind.UNKNOWN_HERE
    elif ours.state is OurState.UNDER_WAY:
        kind = DifferenceKind.UNDECIDED_HERE
    elif ours.state is OurState.FAILED:
        kind = DifferenceKind.FAILED_HERE
    elif movement.currency == ours.currency and abs(movement.amount) != abs(ours.amount):
        kind = DifferenceKind.AMOUNT_DIFFERS
    else:
        return None
    return named(kind, movement, ours)


def named(kind: DifferenceKind, movement: PayoutMovement, ours: Ours | None = None) -> Difference:
    """A difference that a movement shows."""
    return Difference(
        kind=kind,
        charge_id=_charge_of(ours),
        movement_id=movement.provider_id,
        movement_type=movement.type,
        object_id=movement.object_id,
        reference=movement.reference,
        amount=ours.amount if ours is not None and ours.state is not OurState.FAILED else None,
        provider_amount=movement.amount,
        currency=movement.currency,
    )
