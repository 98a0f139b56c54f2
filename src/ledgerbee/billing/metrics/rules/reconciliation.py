"""How what was invoiced for the days of a month goes with MRR (decisions "Metrics"). Pure.

A line earns its amount by days, each as much. The days of a month are gone through in stretches on which the same was
agreed and the same was charged; what is invoiced beyond what was agreed, or less, has one reason or several on each.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

from ledgerbee.billing.metrics.model import (
    UP_TO_AGREED,
    AgreedChain,
    Reason,
    Reconciliation,
    RevenueCharge,
)
from ledgerbee.billing.metrics.rules.recurring import NOTHING, PeriodAmounts, months_of
from ledgerbee.billing.timelines.model import Item, Segment, Span
from ledgerbee.billing.timelines.rules import period_at, segment_on
from ledgerbee.core.dates import first_of_month, last_of_month
from ledgerbee.core.money import EXACT, ZERO, minor_units, round_fraction, round_parts


class _Sum:
    """An exact sum of shares. Those of as many days of as many are added up first: few are divided."""

    def __init__(self) -> None:
        self._shares: dict[tuple[int, int], Decimal] = {}
        self._others = NOTHING

    def share(self, amount: Decimal, days: int, of_days: int) -> None:
        """Add the share of so many days of `of_days` in an amount."""
        key = (days, of_days)
        self._shares[key] = EXACT.add(self._shares.get(key, ZERO), amount)

    def add(self, amount: Fraction) -> None:
        self._others += amount

    def value(self) -> Fraction:
        return sum(
            (Fraction(amount) * days / of_days for (days, of_days), amount in self._shares.items()), self._others
        )


@dataclass(slots=True)
class _Sums:
    """MRR and a month's revenue of subscriptions in one currency; `invoiced_in_base` is in the company's.

    `mrr` and all reasons but exchange rates sum up to `invoiced`.
    """

    mrr: _Sum = field(default_factory=_Sum)
    invoiced: _Sum = field(default_factory=_Sum)
    invoiced_in_base: _Sum = field(default_factory=_Sum)
    reasons: Mapping[Reason, _Sum] = field(default_factory=lambda: {reason: _Sum() for reason in Reason})


@dataclass(frozen=True, slots=True)
class _Agreed:
    """Days of one period on which a price holds, how many days the period has, and what it costs."""

    span: Span
    of_days: int
    amount: Decimal


class Reconciling:
    """The revenue of a month, gathered from one subscription after the other.

    `as_of` is the day that MRR is of: the month's last, or the company's in the running month, of whose days to come
    what is agreed by now counts.
    """

    def __init__(self, as_of: date, amounts: PeriodAmounts) -> None:
        self._as_of = as_of
        self._amounts = amounts
        self._month = Span(first_of_month(as_of), last_of_month(as_of) + timedelta(days=1))
        self._by_currency: dict[str, _Sums] = {}

    @property
    def currencies(self) -> list[str]:
        """The currencies that there is something in."""
        return sorted(
            code
            for code, sums in self._by_currency.items()
            if sums.mrr.value() or any(one.value() for one in sums.reasons.values())
        )

    def add(self, chain: AgreedChain, charges: Sequence[RevenueCharge]) -> None:
        """Add a subscription with all its charges of days of the month."""
        sums = self._by_currency.get(chain.currency)
        if sums is None:
            sums = self._by_currency[chain.currency] = _Sums()
        held = segment_on(chain.timeline, self._as_of)
        if held is not None and held.is_billed:
            amount = self._amounts.of_terms(held.terms, chain.currency, chain.discount_percent)
            sums.mrr.share(amount, *months_of(held.terms.grid.cadence))
            sums.reasons[Reason.CALENDAR].share(-amount, *months_of(held.terms.grid.cadence))
            # As if what holds at the end had held all month.
            for _, part in self._agreed_in(held, self._month, chain):
                sums.reasons[Reason.CALENDAR].share(part.amount, part.span.days, part.of_days)
                sums.reasons[Reason.CHANGES].share(-part.amount, part.span.days, part.of_days)
        agreed: dict[UUID, list[_Agreed]] = {}
        for segment in chain.timeline:
            span = _within(Span(segment.start, segment.end or self._month.end), self._month)
            if segment.is_billed and span.days:
                for price_id, part in self._agreed_in(segment, span, chain):
                    sums.reasons[Reason.CHANGES].share(part.amount, part.span.days, part.of_days)
                    agreed.setdefault(price_id, []).append(part)
        charged: dict[UUID, list[RevenueCharge]] = {}
        for charge in _whole(charges):
            charged.setdefault(charge.price_id, []).append(charge)
        for price_id in dict.fromkeys([*agreed, *charged]):
            self._add_price(sums, chain, agreed.get(price_id, []), charged.get(price_id, []))

    def result(self, rates: Mapping[str, Fraction], currency: str) -> Reconciliation:
        """The month in the company's currency; `rates` are those of `currencies` at the month's end."""
        mrr, invoiced = NOTHING, NOTHING
        reasons = dict.fromkeys(Reason, NOTHING)
        for own_currency, sums in self._by_currency.items():
            rate = rates.get(own_currency, NOTHING)
            mrr += sums.mrr.value() * rate
            invoiced += sums.invoiced_in_base.value()
            for reason, amount in sums.reasons.items():
                reasons[reason] += amount.value() * rate
            reasons[Reason.EXCHANGE_RATES] += sums.invoiced_in_base.value() - sums.invoiced.value() * rate
        return _shown(self._as_of, mrr, invoiced, reasons, currency)

    def _agreed_in(self, segment: Segment, span: Span, chain: AgreedChain) -> Iterator[tuple[UUID, _Agreed]]:
        """What days of a segment cost by the terms that hold, price by price and period by period."""
        grid = segment.terms.grid
        recurring = list(self._costs(segment.terms.items, chain))
        day = span.start
        while recurring and day < span.end:
            period = period_at(grid, day)
            part = Span(day, min(period.end, span.end))
            for price_id, amount in recurring:
                yield price_id, _Agreed(part, period.days, amount)
            day = part.end

    def _costs(self, items: Iterable[Item], chain: AgreedChain) -> Iterator[tuple[UUID, Decimal]]:
        for item in items:
            amount = self._amounts.of_item(item, chain.currency, chain.discount_percent)
            if amount is not None:
                yield item.price_id, amount

    def _add_price(
        self, sums: _Sums, chain: AgreedChain, agreed: Sequence[_Agreed], charges: Sequence[RevenueCharge]
    ) -> None:
        for stretch in self._stretches(chain, agreed, charges):
            holding = next((one for one in agreed if _holds(one.span, stretch)), None)
            over = [one for one in charges if _holds(one.service, stretch)]
            for one in over:
                _invoice(sums, one, stretch.days)
            if holding is not None and len(over) == 1 and _is_as_agreed(over[0], holding, chain):
                rounding = sums.reasons[Reason.ROUNDING]
                rounding.share(over[0].net, stretch.days, over[0].service.days)
                rounding.share(-holding.amount, stretch.days, holding.of_days)
            else:
                cost = NOTHING if holding is None else Fraction(holding.amount) * stretch.days / holding.of_days
                self._explain(sums.reasons, chain, stretch, cost, over)

    def _stretches(
        self, chain: AgreedChain, agreed: Sequence[_Agreed], charges: Sequence[RevenueCharge]
    ) -> Iterator[Span]:
        """The days of the month in stretches within which nothing begins or ends."""
        spans = [one.span for one in agreed] + [_within(one.service, self._month) for one in charges]
        days = {day for span in spans for day in span}
        if self._month.start < chain.billed_until < self._month.end:
            days.add(chain.billed_until)
        return (Span(start, end) for start, end in pairwise(sorted(days)))

    def _explain(
        self,
        reasons: Mapping[Reason, _Sum],
        chain: AgreedChain,
        stretch: Span,
        agreed: Fraction,
        over: Sequence[RevenueCharge],
    ) -> None:
        """Why what was invoiced for days, on which the same was charged all along, isn't what was agreed."""
        invoiced = sum((_share(one.net, one, stretch) for one in over if not one.waits), NOTHING)
        waiting = sum((_share(one.net, one, stretch) for one in over if one.waits), NOTHING)
        reasons[Reason.NOT_INVOICED].add(-waiting)
        # A credit that found less than its days' share had been credited before, by other hands.
        short = sum((_shortfall(one, stretch, chain.currency) for one in over), NOTHING)
        reasons[Reason.CREDITED].add(short)
        rest = invoiced + waiting - agreed - short
        if not agreed:
            is_small = abs(rest) < _unit(chain.currency) * len(over)
            reasons[Reason.ROUNDING if is_small else Reason.NOT_REFUNDED].add(rest)
            return
        if stretch.start >= chain.billed_until:  # what was billed of these days is taken back, or was on its own grid
            reasons[Reason.NOT_INVOICED].add(rest)
            return
        charged = [one for one in over if not one.is_credit]
        if not charged:
            reasons[Reason.GIVEN_AWAY].add(rest)
            return
        exact = sum((_exact(one, stretch) for one in over), NOTHING)
        reasons[Reason.ROUNDING].add(rest - (exact - agreed))
        if not any(one.period_amount or one.discount_percent == 100 for one in charged):
            reasons[Reason.GIVEN_AWAY].add(exact - agreed)
            return
        discount = exact - sum((self._at_discount(one, chain, stretch) for one in over), NOTHING)
        reasons[Reason.DISCOUNT].add(discount)
        reasons[Reason.OTHER_TERMS].add(exact - discount - agreed)

    def _at_discount(self, charge: RevenueCharge, chain: AgreedChain, stretch: Span) -> Fraction:
        """What the days of a charge cost with the discount that its subscription has today."""
        is_given_away = not charge.period_amount and charge.discount_percent != 100
        if is_given_away or charge.discount_percent == chain.discount_percent:
            return _exact(charge, stretch)
        item = Item(charge.price_id, charge.quantity)
        amount = self._amounts.of_item(item, chain.currency, chain.discount_percent) or ZERO
        share = Fraction(amount) * stretch.days / charge.period.days
        return -share if charge.is_credit else share


def _whole(charges: Iterable[RevenueCharge]) -> list[RevenueCharge]:
    """Charges, and each credit of days as one: it is a row for each note that takes of it, and all of them together are
    what its days cost."""
    found: dict[tuple[UUID, Span], RevenueCharge] = {}
    whole: list[RevenueCharge] = []
    for charge in charges:
        if charge.credits_charge_id is None:
            whole.append(charge)
            continue
        key = charge.credits_charge_id, charge.service
        before = found.get(key)
        found[key] = (
            charge
            if before is None
            else replace(
                before,
                net=EXACT.add(before.net, charge.net),
                base_net=EXACT.add(before.base_net, charge.base_net),
                credited=EXACT.add(before.credited, charge.credited),
                base_credited=EXACT.add(before.base_credited, charge.base_credited),
            )
        )
    return [*whole, *found.values()]


def _invoice(sums: _Sums, charge: RevenueCharge, days: int) -> None:
    """Add what documents have of days of a charge, less what credit notes of others took off it."""
    of_days = charge.service.days
    sums.invoiced_in_base.share(EXACT.subtract(charge.base_net, charge.base_credited), days, of_days)
    if not charge.waits:
        sums.invoiced.share(EXACT.subtract(charge.net, charge.credited), days, of_days)
        sums.reasons[Reason.CREDITED].share(-charge.credited, days, of_days)


def _is_as_agreed(charge: RevenueCharge, agreed: _Agreed, chain: AgreedChain) -> bool:
    """Whether a charge that stands on an invoice is what its days cost by what is agreed, but for rounding."""
    return (
        not charge.waits
        and not charge.is_credit
        and charge.discount_percent == chain.discount_percent
        and charge.period_amount == agreed.amount
        and charge.period.days == agreed.of_days
    )


def _within(span: Span, month: Span) -> Span:
    return Span(max(span.start, month.start), min(span.end, month.end))


def _holds(span: Span, stretch: Span) -> bool:
    return span.start <= stretch.start and stretch.end <= span.end


def _share(amount: Decimal, charge: RevenueCharge, stretch: Span) -> Fraction:
    """What of an amount of a charge is of some of its days."""
    return Fraction(amount) * stretch.days / charge.service.days


def _exact(charge: RevenueCharge, stretch: Span) -> Fraction:
    """What days of a charge cost before it was rounded; below zero of a credit."""
    share = Fraction(charge.period_amount) * stretch.days / charge.period.days
    return -share if charge.is_credit else share


def _shortfall(charge: RevenueCharge, stretch: Span, currency: str) -> Fraction:
    """What a credit gave back less than its days cost; nothing where it is no more than a rounding."""
    if not charge.is_credit:
        return NOTHING
    short = Fraction(charge.period_amount) * charge.service.days / charge.period.days + Fraction(charge.net)
    return short * stretch.days / charge.service.days if short >= _unit(currency) else NOTHING


def _unit(currency: str) -> Fraction:
    return Fraction(1, 10 ** minor_units(currency))


def _shown(
    as_of: date, mrr: Fraction, invoiced: Fraction, reasons: Mapping[Reason, Fraction], currency: str
) -> Reconciliation:
    """The amounts as they are shown, each rounded once, reasons so that they lead from one to the next."""
    places = minor_units(currency)
    up_to = [reasons[reason] for reason in UP_TO_AGREED]
    beyond = [reason for reason in Reason if reason not in UP_TO_AGREED]
    exact = mrr, mrr + sum(up_to, NOTHING), invoiced
    first, agreed, last = (round_fraction(amount, places) for amount in exact)
    rounded = [
        *round_parts(up_to, agreed - first, currency),
        *round_parts([reasons[reason] for reason in beyond], last - agreed, currency),
    ]
    return Reconciliation(
        month=first_of_month(as_of),
        as_of=as_of,
        mrr=first,
        agreed=agreed,
        invoiced=last,
        reasons=dict(zip([*UP_TO_AGREED, *beyond], rounded, strict=True)),
    )
