"""What credit notes take off deferred revenue, and off which days. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from ledgerbee.core.fields import replace
from ledgerbee.core.money import EXACT, ONE, ZERO, allocate, minor_units, multiply, quantum_of, round_money, total
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.sales.deferrals.model import (
    CreditedDeferrals,
    CreditingLine,
    DeferralCredit,
    Deferred,
    HeldDeferral,
)
from ledgerbee.sales.deferrals.rules.schedule import DAY, NOTHING, Amounts, left_of, scheduled, share, with_left, within
from ledgerbee.sales.documents.model import ServicePeriod


def credited(
    lines: Iterable[CreditingLine],
    note_id: UUID,
    deferrals: Sequence[HeldDeferral],
    conversion: Conversion,
) -> CreditedDeferrals:
    """What a credit note takes off deferrals, by its lines; the rest is taken off revenue.

    One that gives some of the line's days back takes what these earn, as far as they aren't recognised. Any other takes
    as much as isn't recognised yet, off all days that are left. In the company's currency it is taken at the invoice's
    rate, with the last of it all that is left.
    """
    now = {one.deferral.invoice_line_id: one for one in deferrals}
    taken: dict[UUID, list[DeferralCredit]] = {}
    parts: dict[UUID, Deferred] = {}
    base_amounts: dict[UUID, Decimal] = {}
    for line in lines:
        held = now.get(line.invoice_line_id)
        if held is None:
            continue
        found = _credits(held, line, note_id, conversion)
        amount, base_amount = total([one.amount for one in found]), total([one.base_amount for one in found])
        if not amount:
            continue
        now[line.invoice_line_id] = _credited(held, found, amount, base_amount)
        taken.setdefault(line.invoice_line_id, []).extend(found)
        parts[line.id] = Deferred(held.deferral.account_id, -amount)
        base_amounts[line.id] = -base_amount
    return CreditedDeferrals(
        deferred=parts,
        base_amounts=base_amounts,
        credits=_by_days(one for own in taken.values() for one in own),
        deferrals=[now[line_id].deferral for line_id in taken],
    )


def _by_days(credits_: Iterable[DeferralCredit]) -> list[DeferralCredit]:
    """What one note took off the same days of a line as one."""
    found: dict[tuple[UUID, date, date], DeferralCredit] = {}
    for one in credits_:
        key = (one.invoice_line_id, one.first_day, one.last_day)
        before = found.get(key)
        found[key] = (
            one
            if before is None
            else replace(
                one,
                amount=EXACT.add(before.amount, one.amount),
                base_amount=EXACT.add(before.base_amount, one.base_amount),
            )
        )
    return list(found.values())


def _credited(
    held: HeldDeferral, credits_: Sequence[DeferralCredit], amount: Decimal, base_amount: Decimal
) -> HeldDeferral:
    """The deferral with so much less left."""
    deferral = held.deferral
    assert deferral.next_month is not None
    less = left_of(deferral).less(Amounts(amount, base_amount))
    return replace(
        held,
        deferral=with_left(deferral, *less, deferral.next_month),
        credits=(*held.credits, *credits_),
    )


def _credits(held: HeldDeferral, line: CreditingLine, note_id: UUID, conversion: Conversion) -> list[DeferralCredit]:
    """What a line of a note takes off a deferral, and off which days.

    Days that are given back lose all that they earn where the note gives back as much, but for what rounding makes of
    it: that smallest unit stands on other days. So nothing is left to be earned on days that nobody pays for.
    """
    deferral, left = held.deferral, left_of(held.deferral)
    if deferral.next_month is None:
        return []
    open_days = ServicePeriod(max(deferral.next_month, deferral.period_start), deferral.period_end)
    wanted = -line.net
    given_back = None
    if line.period is not None and line.period != deferral.period:
        given_back = ServicePeriod(max(line.period.start, open_days.start), min(line.period.end, open_days.end))
        if given_back.end < given_back.start:
            return []
        wanted = round_money(share(wanted, line.period, given_back), conversion.currency)
    amount = within(left.amount, wanted)
    is_last = amount == left.amount
    base_amount = left.base_amount if is_last else within(left.base_amount, conversion.in_base(amount))
    whole = Amounts(amount, base_amount)
    on_days = NOTHING
    if given_back is not None:
        assert line.period is not None
        there = scheduled(held, given_back).rounded(conversion.currency, conversion.base_currency).within(left)
        unit = quantum_of(minor_units(conversion.currency))
        # By all days of the note: its share for those that are open is rounded once more.
        all_days = scheduled(held, line.period).rounded(conversion.currency, conversion.base_currency)
        is_all = abs(line.net) >= EXACT.subtract(abs(all_days.amount), unit)
        on_days = there if is_all else whole.within(there)
    taken: list[tuple[ServicePeriod, Amounts]] = []
    if given_back is not None:
        taken += _spread(held, on_days, [given_back], conversion)
    taken += _spread(held, whole.less(on_days), _without(open_days, given_back), conversion)
    return [
        DeferralCredit(
            credit_note_id=note_id,
            invoice_line_id=deferral.invoice_line_id,
            first_day=days.start,
            last_day=days.end,
            amount=amounts.amount,
            base_amount=amounts.base_amount,
        )
        for days, amounts in taken
        if any(amounts)
    ]


def _without(days: ServicePeriod, given_back: ServicePeriod | None) -> list[ServicePeriod]:
    """The days that aren't given back; where all are, the first of them."""
    if given_back is None:
        return [days]
    around = (
        ServicePeriod(days.start, given_back.start - DAY),
        ServicePeriod(given_back.end + DAY, days.end),
    )
    return [one for one in around if one.start <= one.end] or [ServicePeriod(days.start, days.start)]


def _spread(
    held: HeldDeferral, amounts: Amounts, windows: Sequence[ServicePeriod], conversion: Conversion
) -> list[tuple[ServicePeriod, Amounts]]:
    """Amounts over days, by what these earn: days that were given back before take nothing."""
    cuts = {cut for one in held.credits for cut in (one.first_day, one.last_day + DAY)}
    spans = [span for window in windows for span in _cut(window, cuts)]
    sign = ONE if held.deferral.amount > 0 else -ONE
    unit = quantum_of(minor_units(conversion.currency))
    earns = [multiply(sign, scheduled(held, span).amount) for span in spans]
    weights = [one if one >= unit else ZERO for one in earns]
    shares = allocate(amounts.amount, weights, conversion.currency)
    base_shares = allocate(amounts.base_amount, weights, conversion.base_currency)
    return [
        (span, Amounts(amount, base_amount))
        for span, amount, base_amount in zip(spans, shares, base_shares, strict=True)
    ]


def _cut(window: ServicePeriod, cuts: Iterable[date]) -> list[ServicePeriod]:
    """A window in parts that begin where one of the `cuts` is."""
    starts = sorted({window.start, *(cut for cut in cuts if window.start < cut <= window.end)})
    ends = [*(start - DAY for start in starts[1:]), window.end]
    return [ServicePeriod(start, end) for start, end in zip(starts, ends, strict=True)]
