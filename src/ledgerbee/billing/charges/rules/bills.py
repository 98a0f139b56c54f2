"""What of a bill stands on its invoice, and what is credited by notes. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from ledgerbee.billing.charges.model import Bill, BillShare, Charge
from ledgerbee.core.money import EXACT, ZERO, total


def share_bill(bill: Bill) -> tuple[BillShare, ...]:
    """How each charge of a bill is told: an invoice never falls below zero, the rest of its credits become credit notes
    on the invoices that billed them (decisions "Proration and edits").

    A credit of what is not invoiced yet stands on the same invoice as that. All credits of a refund become notes.
    """
    room = ZERO if bill.is_refund else total([one.net for one in bill.charges if not one.is_credit])
    own = {one.id for one in bill.charges}
    # Credits of what stands on this very invoice have no note to go to: they come first.
    shares: dict[int, BillShare] = {}
    for index in sorted(range(len(bill.charges)), key=lambda i: (bill.charges[i].credits_charge_id not in own, i)):
        charge = bill.charges[index]
        if not charge.is_credit:
            shares[index] = BillShare(charge, charge.net, ZERO)
            continue
        on_invoice = max(charge.net, -room)
        room = EXACT.add(room, on_invoice)
        shares[index] = BillShare(charge, on_invoice, EXACT.subtract(charge.net, on_invoice))
    return tuple(shares[index] for index in range(len(bill.charges)))


def without_void(charges: Sequence[Charge]) -> list[Charge]:
    """Charges that are to be billed together, without those that one of their own credits takes back whole: what held
    for no day makes no line (decisions "Proration and edits")."""
    taken_back: dict[UUID | None, Decimal] = defaultdict(lambda: ZERO)
    for charge in charges:
        if charge.is_credit:
            taken_back[charge.credits_charge_id] = EXACT.add(taken_back[charge.credits_charge_id], charge.net)
    void = {one.id for one in charges if one.id in taken_back and not EXACT.add(one.net, taken_back[one.id])}
    return [one for one in charges if one.id not in void and one.credits_charge_id not in void]
