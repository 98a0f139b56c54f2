"""What of a bill stands on its invoice, and what is credited by notes. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final
from uuid import UUID

from ledgerbee.billing.charges.model import Bill, BillShare, BookedAs, Charge, ChargeKind
from ledgerbee.billing.charges.rules.proration import left_of
from ledgerbee.core.fields import replace
from ledgerbee.core.money import EXACT, ZERO, total

_UNKNOWN: Final[Mapping[UUID, BookedAs]] = MappingProxyType({})


def share_bill(
    bill: Bill, today: Mapping[UUID, BookedAs] = _UNKNOWN, earlier: Mapping[UUID, BookedAs] = _UNKNOWN
) -> tuple[BillShare, ...]:
    """How each charge of a bill is told: an invoice never falls below zero, the rest of its credits become credit notes
    on the invoices that billed them (decisions "Proration and edits").

    A credit of what is not invoiced yet stands on the same invoice as that. All credits of a refund become notes.

    `today` says by price how a line is booked on the new invoice, `earlier` by charge how that was which a credit takes
    back. Where both aren't the same the credit becomes a note, so that revenue and VAT go back to where they came from.
    A credit has room where charges are booked as it is: at no rate of VAT an invoice is below zero.
    Of a bill that `nets`, where it charges no more than it credits of what is booked alike, a charge is set off against
    a credit of the same change and days, of its own price first; what is left of credits becomes notes, and what is
    left of charges the invoice. A change that was reversed for the same days stands where those were billed.
    """
    reversed_ = _reversed(bill.charges)
    if not reversed_:
        return _share_bill(bill, today, earlier)
    rest = replace(bill, charges=tuple(one for one in bill.charges if one.id not in reversed_))
    shares = iter(_share_bill(rest, today, earlier))
    return tuple(
        BillShare(one, one.net, ZERO, reversed_[one.id]) if one.id in reversed_ else next(shares)
        for one in bill.charges
    )


def _reversed(charges: Sequence[Charge]) -> dict[UUID, UUID]:
    """Credits and charges of the same for the same days, and the earlier charge whose line they stand on, by id.

    Whoever resumes on the day of the pause, or comes back to what there was, sees no line of it (decisions "Proration
    and edits").
    """
    found: dict[UUID, UUID] = {}
    charged = [one for one in charges if one.kind is ChargeKind.PRORATION and one.net > 0]
    for credit in charges if charged else ():
        credited = credit.credits_charge_id
        if credited is None or credit.kind is not ChargeKind.PRORATION or not credit.net:
            continue
        if any(one.id == credited and one.id not in found for one in charges):
            continue
        for charge in charged:
            if charge.id not in found and _what_is_paid(charge, charge.net) == _what_is_paid(credit, -credit.net):
                found |= {credit.id: credited, charge.id: credited}
                break
    return found


def _what_is_paid(charge: Charge, net: Decimal) -> tuple[object, ...]:
    return charge.price_id, charge.service, charge.quantity, charge.period_amount, net


def _share_bill(bill: Bill, today: Mapping[UUID, BookedAs], earlier: Mapping[UUID, BookedAs]) -> tuple[BillShare, ...]:
    own = {one.id for one in bill.charges}
    strays = {
        one.id
        for one in bill.charges
        if one.credits_charge_id is not None
        and (billed := earlier.get(one.credits_charge_id)) is not None
        and today.get(one.price_id) != billed
    }
    # What isn't a stray is booked as its price is today: only what is booked alike makes room for it.
    charged: dict[BookedAs | None, Decimal] = defaultdict(lambda: ZERO)
    credited: dict[BookedAs | None, Decimal] = defaultdict(lambda: ZERO)
    for one in bill.charges:
        if one.id not in strays:
            sums = credited if one.is_credit else charged
            sums[today.get(one.price_id)] = EXACT.add(sums[today.get(one.price_id)], one.net)
    if bill.is_refund or any(amount < 0 for amount in charged.values()):
        rooms = dict.fromkeys(charged, ZERO)
    else:
        rooms = dict(charged)
    nets = bill.nets and bool(earlier)
    netted = {booked for booked in {*charged, *credited} if nets and charged[booked] <= -credited[booked]}
    netting = [one for one in bill.charges if one.is_credit or today.get(one.price_id) in netted]
    set_off = _set_off(netting, own, today, earlier) if netted else {}
    # Credits of what stands on this very invoice have no note to go to: they come first.
    shares: dict[int, BillShare] = {}
    for index in sorted(range(len(bill.charges)), key=lambda i: (bill.charges[i].credits_charge_id not in own, i)):
        charge = bill.charges[index]
        booked = today.get(charge.price_id)
        if charge.id in strays or booked in netted:
            shares[index] = _netted(charge, bill.charges, own, set_off)
        elif not charge.is_credit:
            shares[index] = BillShare(charge, charge.net, ZERO)
        else:
            room = rooms.get(booked, ZERO)
            is_own = charge.credits_charge_id in own and not bill.is_refund
            on_invoice = charge.net if is_own else max(charge.net, -room)
            rooms[booked] = max(EXACT.add(room, on_invoice), ZERO)
            shares[index] = BillShare(charge, on_invoice, EXACT.subtract(charge.net, on_invoice))
    return tuple(shares[index] for index in range(len(bill.charges)))


def _set_off(
    charges: Sequence[Charge],
    own: Collection[UUID],
    today: Mapping[UUID, BookedAs],
    earlier: Mapping[UUID, BookedAs],
) -> dict[UUID, Charge]:
    """The credit that each charge is set off against, by the charge's id: one that has as much left."""
    left = {one.id: -one.net for one in charges if one.is_credit and one.credits_charge_id not in own}
    taken_back = {one.credits_charge_id for one in charges if one.is_credit}
    found = {}
    for charge in sorted(charges, key=lambda one: -one.net):
        if charge.net <= 0 or charge.id in taken_back:
            continue
        fitting = [
            one
            for one in charges
            if left.get(one.id, ZERO) >= charge.net
            and (one.service, one.change_id) == (charge.service, charge.change_id)
            and earlier.get(one.credits_charge_id or one.id) == today.get(charge.price_id)
        ]
        if fitting:
            chosen = min(fitting, key=lambda one: one.price_id != charge.price_id)
            left[chosen.id] = EXACT.subtract(left[chosen.id], charge.net)
            found[charge.id] = chosen
    return found


def _netted(
    charge: Charge, charges: Sequence[Charge], own: Collection[UUID], set_off: Mapping[UUID, Charge]
) -> BillShare:
    if charge.id in set_off:
        return BillShare(charge, charge.net, ZERO, set_off[charge.id].credits_charge_id)
    if not charge.is_credit or charge.credits_charge_id in own:
        return BillShare(charge, charge.net, ZERO)
    kept = -total([one.net for one in charges if set_off.get(one.id) is charge])
    return BillShare(charge, kept, EXACT.subtract(charge.net, kept), charge.credits_charge_id if kept else None)


def within_left(
    billed: Sequence[Charge],
    known: Iterable[Charge],
    credited_by_notes: Mapping[UUID, Decimal],
    given_up: Collection[UUID] = (),
) -> list[Charge]:
    """Charges that are billed together, with credits that waited as far as something is left for them: others may have
    credited what was charged since then (decisions "Proration and edits").

    `known` are all charges that `left_of` has to see. Of lines in `given_up` nothing is left to take back: a credit
    only sets off what the same change charges for the same days. A change that was reversed stays as it is.
    """
    billed_ids, reversed_ = {one.id for one in billed}, _reversed(billed)
    seen = [one for one in known if not one.is_credit or one.id not in billed_ids or one.id in reversed_]
    by_id = {one.id: one for one in seen}
    charged: dict[tuple[object, ...], Decimal] = defaultdict(lambda: ZERO)
    for one in billed:
        charged[_what_changed(one)] = EXACT.add(charged[_what_changed(one)], max(one.net, ZERO))
    found = []
    for charge in billed:
        credited = None if charge.credits_charge_id is None else by_id.get(charge.credits_charge_id)
        if credited is None or charge.id in reversed_:
            found.append(charge)
            continue
        left = left_of(credited, seen, credited_by_notes)
        if credited.invoice_line_id in given_up:
            left = min(left, charged[_what_changed(charge)])
        kept = replace(charge, net=max(charge.net, -left))
        charged[_what_changed(charge)] = EXACT.add(charged[_what_changed(charge)], kept.net)
        seen.append(kept)
        found.append(kept)
    return found


def _what_changed(charge: Charge) -> tuple[object, ...]:
    return charge.service, charge.change_id


def without_void(charges: Sequence[Charge]) -> list[Charge]:
    """Charges that are to be billed together, without those that one of their own credits takes back whole: what held
    for no day makes no line (decisions "Proration and edits")."""
    taken_back: dict[UUID | None, Decimal] = defaultdict(lambda: ZERO)
    for charge in charges:
        if charge.is_credit:
            taken_back[charge.credits_charge_id] = EXACT.add(taken_back[charge.credits_charge_id], charge.net)
    void = {one.id for one in charges if one.id in taken_back and not EXACT.add(one.net, taken_back[one.id])}
    return [one for one in charges if one.id not in void and one.credits_charge_id not in void]
