"""What a change in mid-period charges and credits: the rest of the period as it is from now on, less all that was
billed for it, however many changes came before (decisions "Proration and edits"). Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from ledgerbee.billing.charges.model import BilledCharge, Charge, ChargeKind, Part
from ledgerbee.billing.charges.rules.pricing import share_of
from ledgerbee.billing.timelines.model import Item, Span
from ledgerbee.core.money import EXACT, ZERO, total

#: Kinds that pay for days ahead, which a change may credit.
_OF_DAYS = frozenset({ChargeKind.RECURRING, ChargeKind.PRORATION})


@dataclass(frozen=True, slots=True)
class Credit:
    """Days of a charge that are taken back, and the amount, which is positive."""

    charge: Charge
    service: Span
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a change comes to: what is credited of earlier charges, and what is to be charged anew."""

    credits: tuple[Credit, ...]
    parts: tuple[Part, ...]


def billed_charges(charges: Iterable[Charge], credited_by_notes: Mapping[UUID, Decimal]) -> list[BilledCharge]:
    """Charges of days as they stand after their credits; those that are credited whole are left out.

    `credited_by_notes` is what credit notes of others took off invoice lines, by the line's id: positive. Ours are
    credits among `charges`.
    """
    charges = list(charges)
    found = []
    for charge in charges:
        if charge.kind not in _OF_DAYS or charge.is_credit:
            continue
        taken_back = [one.service for one in charges if one.credits_charge_id == charge.id]
        covered = tuple(_gaps(taken_back, charge.service))
        if covered:
            found.append(BilledCharge(charge, covered, left_of(charge, charges, credited_by_notes)))
    return found


def left_of(charge: Charge, charges: Iterable[Charge], credited_by_notes: Mapping[UUID, Decimal]) -> Decimal:
    """What of a charge's net is not credited, by whatever hand: by credits among `charges`, or by notes of others.

    Where charges share a line, what others took off it is taken off all of them together: of each there is no more
    left than of the line.
    """
    charges = list(charges)
    sharing = {
        one.id: one
        for one in charges
        if not one.is_credit and one.invoice_line_id is not None and one.invoice_line_id == charge.invoice_line_id
    } | {charge.id: charge}
    lefts = {line_id: one.net for line_id, one in sharing.items()}
    for one in charges:
        if one.credits_charge_id in lefts:
            lefts[one.credits_charge_id] = EXACT.add(lefts[one.credits_charge_id], one.net)
    by_notes = ZERO if charge.invoice_line_id is None else credited_by_notes.get(charge.invoice_line_id, ZERO)
    return max(min(lefts[charge.id], EXACT.subtract(total(list(lefts.values())), by_notes)), ZERO)


def settle(billed: Sequence[BilledCharge], items: Sequence[Item], window: Span, currency: str) -> Settlement:
    """What the days of `window` come to when `items` hold on them: nothing where what was billed is just that.

    A price whose quantity stays keeps its charges, and days of it that nothing covers are charged. Any other is
    credited as it was billed, and charged anew.
    """
    taken_back: list[Credit] = []
    parts: list[Part] = []
    wanted = {item.price_id: item.quantity for item in items}
    covering: dict[UUID, list[tuple[BilledCharge, list[Span]]]] = defaultdict(list)
    for one in billed:
        spans = [Span(max(span.start, window.start), min(span.end, window.end)) for span in one.covered]
        if spans := [span for span in spans if span.days]:
            covering[one.charge.price_id].append((one, spans))
    for price_id in dict.fromkeys([*covering, *wanted]):
        own, quantity = covering[price_id], wanted.get(price_id)
        if quantity is not None and all(one.charge.quantity == quantity for one, _ in own):
            gaps = _gaps([span for _, spans in own for span in spans], window)
            parts += [Part(price_id, quantity, gap) for gap in gaps]
            continue
        taken_back += [credit for one, spans in own for credit in _credits(one, spans, currency)]
        if quantity is not None:
            parts.append(Part(price_id, quantity, window))
    return Settlement(tuple(taken_back), tuple(parts))


def _credits(one: BilledCharge, spans: Iterable[Span], currency: str) -> Iterator[Credit]:
    """Days of a charge taken back: all that is left of it where none of its days is left, and never more."""
    charge, left = one.charge, one.left
    days = sum(span.days for span in one.covered)
    for span in spans:
        days -= span.days
        amount = min(share_of(charge.period_amount, span, charge.period, currency), left) if days else left
        left = EXACT.subtract(left, amount)
        yield Credit(charge, span, amount)


def _gaps(spans: Iterable[Span], window: Span) -> list[Span]:
    """The days of `window` that none of the spans, which lie in it, covers."""
    gaps, day = [], window.start
    for span in sorted(spans):
        if span.start > day:
            gaps.append(Span(day, span.start))
        day = max(day, span.end)
    if day < window.end:
        gaps.append(Span(day, window.end))
    return gaps
