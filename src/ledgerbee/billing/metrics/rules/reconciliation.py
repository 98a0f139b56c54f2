"""How what was invoiced for the days of a month goes with MRR (decisions "Metrics"). Pure.

A line earns its amount by days, each as much. The days of a month are gone through in stretches on which the same was
agreed and the same was charged; what is invoiced beyond what was agreed, or less, has one reason or several on each.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    Revenue,
    RevenueCharge,
)
from ledgerbee.billing.metrics.rules.recurring import NOTHING, PeriodAmounts
from ledgerbee.billing.timelines.model import Item, Segment, Span
from ledgerbee.billing.timelines.rules import period_at, segment_on
from ledgerbee.core.dates import first_of_month, last_of_month
from ledgerbee.core.money import minor_units, round_fraction, round_parts


@dataclass(frozen=True, slots=True)
class _Agreed:
    """Days of one period on which a price holds, and what each of them costs."""

    span: Span
    a_day: Fraction


class Reconciling:
    """The revenue of a month, gathered from one subscription after the other.

    `as_of` is the day that MRR is of: the month's last, or the company's in the running month, of whose days to come
    what is agreed by now counts.
    """

    def __init__(self, as_of: date, amounts: PeriodAmounts) -> None:
        self._as_of = as_of
        self._amounts = amounts
        self._month = Span(first_of_month(as_of), last_of_month(as_of) + timedelta(days=1))
        self._by_currency: dict[str, Revenue] = {}

    @property
    def currencies(self) -> list[str]:
        """The currencies that there is something in."""
        return sorted(code for code, one in self._by_currency.items() if one.mrr or any(one.reasons.values()))

    def add(self, chain: AgreedChain, charges: Sequence[RevenueCharge]) -> None:
        """Add a subscription with all its charges of days of the month."""
        revenue = self._by_currency.setdefault(chain.currency, Revenue())
        held = segment_on(chain.timeline, self._as_of)
        if held is not None and held.is_billed:
            monthly = self._amounts.monthly(held.terms, chain.currency, chain.discount_percent)
            revenue.mrr += monthly
            # As if what holds at the end had held all month.
            stretched = self._total(self._agreed_in(held, self._month, chain))
            revenue.reasons[Reason.CALENDAR] += stretched - monthly
            revenue.reasons[Reason.CHANGES] -= stretched
        agreed: dict[UUID, list[_Agreed]] = {}
        for segment in chain.timeline:
            span = _within(Span(segment.start, segment.end or self._month.end), self._month)
            if segment.is_billed and span.days:
                for price_id, part in self._agreed_in(segment, span, chain):
                    agreed.setdefault(price_id, []).append(part)
        charged: dict[UUID, list[RevenueCharge]] = {}
        for charge in charges:
            charged.setdefault(charge.price_id, []).append(charge)
        for price_id in dict.fromkeys([*agreed, *charged]):
            self._add_price(revenue, chain, agreed.get(price_id, []), charged.get(price_id, []))

    def result(self, rates: Mapping[str, Fraction], currency: str) -> Reconciliation:
        """The month in the company's currency; `rates` are those of `currencies` at the month's end."""
        mrr, invoiced = NOTHING, NOTHING
        reasons = dict.fromkeys(Reason, NOTHING)
        for own_currency, revenue in self._by_currency.items():
            rate = rates.get(own_currency, NOTHING)
            mrr += revenue.mrr * rate
            invoiced += revenue.invoiced_in_base
            for reason, amount in revenue.reasons.items():
                reasons[reason] += amount * rate
            reasons[Reason.EXCHANGE_RATES] += revenue.invoiced_in_base - revenue.invoiced * rate
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
                yield price_id, _Agreed(part, amount / period.days)
            day = part.end

    def _costs(self, items: Iterable[Item], chain: AgreedChain) -> Iterator[tuple[UUID, Fraction]]:
        for item in items:
            amount = self._amounts.of_item(item, chain.currency, chain.discount_percent)
            if amount is not None:
                yield item.price_id, amount

    def _total(self, parts: Iterable[tuple[UUID, _Agreed]]) -> Fraction:
        return sum((part.a_day * part.span.days for _, part in parts), NOTHING)

    def _add_price(
        self, revenue: Revenue, chain: AgreedChain, agreed: Sequence[_Agreed], charges: Sequence[RevenueCharge]
    ) -> None:
        for stretch in self._stretches(chain, agreed, charges):
            a_day = sum((one.a_day for one in agreed if _holds(one.span, stretch)), NOTHING)
            over = [one for one in charges if _holds(one.service, stretch)]
            self._add_stretch(revenue, chain, stretch, a_day * stretch.days, over)

    def _stretches(
        self, chain: AgreedChain, agreed: Sequence[_Agreed], charges: Sequence[RevenueCharge]
    ) -> Iterator[Span]:
        """The days of the month in stretches within which nothing begins or ends."""
        spans = [one.span for one in agreed] + [_within(one.service, self._month) for one in charges]
        days = {day for span in spans if span.days for day in span}
        if self._month.start < chain.billed_until < self._month.end:
            days.add(chain.billed_until)
        return (Span(start, end) for start, end in pairwise(sorted(days)))

    def _add_stretch(
        self, revenue: Revenue, chain: AgreedChain, stretch: Span, agreed: Fraction, over: Sequence[RevenueCharge]
    ) -> None:
        """What was invoiced for days on which the same was charged all along, and why it isn't what was agreed."""
        reasons = revenue.reasons
        reasons[Reason.CHANGES] += agreed
        invoiced = sum((_share(one.net, one, stretch) for one in over if not one.waits), NOTHING)
        waiting = sum((_share(one.net, one, stretch) for one in over if one.waits), NOTHING)
        credited = sum((_share(one.credited, one, stretch) for one in over), NOTHING)
        revenue.invoiced += invoiced - credited
        revenue.invoiced_in_base += sum(
            (_share(one.base_net - one.base_credited, one, stretch) for one in over), NOTHING
        )
        reasons[Reason.NOT_INVOICED] -= waiting
        # A credit that found less than its days' share had been credited before, by other hands.
        short = sum((_shortfall(one, stretch, chain.currency) for one in over), NOTHING)
        reasons[Reason.CREDITED] += short - credited
        rest = invoiced + waiting - agreed - short
        if not agreed:
            is_small = abs(rest) < _unit(chain.currency) * len(over)
            reasons[Reason.ROUNDING if is_small else Reason.NOT_REFUNDED] += rest
            return
        charged = [one for one in over if not one.is_credit]
        if not charged:
            is_billed = stretch.start < chain.billed_until
            reasons[Reason.GIVEN_AWAY if is_billed else Reason.NOT_INVOICED] += rest
            return
        exact = sum((_exact(one, stretch) for one in over), NOTHING)
        reasons[Reason.ROUNDING] += rest - (exact - agreed)
        if not any(one.period_amount or one.discount_percent == 100 for one in charged):
            reasons[Reason.GIVEN_AWAY] += exact - agreed
            return
        discount = exact - sum((self._at_discount(one, chain, stretch) for one in over), NOTHING)
        reasons[Reason.DISCOUNT] += discount
        reasons[Reason.OTHER_TERMS] += exact - discount - agreed

    def _at_discount(self, charge: RevenueCharge, chain: AgreedChain, stretch: Span) -> Fraction:
        """What the days of a charge cost with the discount that its subscription has today."""
        is_given_away = not charge.period_amount and charge.discount_percent != 100
        if is_given_away or charge.discount_percent == chain.discount_percent:
            return _exact(charge, stretch)
        item = Item(charge.price_id, charge.quantity)
        amount = self._amounts.of_item(item, chain.currency, chain.discount_percent) or NOTHING
        share = amount * stretch.days / charge.period.days
        return -share if charge.is_credit else share


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
