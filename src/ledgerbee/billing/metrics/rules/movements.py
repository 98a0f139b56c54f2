"""MRR of customers at the ends of months, and how it moved in between (decisions "Metrics"). Pure."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Final
from uuid import UUID

from ledgerbee.billing.metrics.model import (
    MAX_MONTHS,
    SIGNS,
    AgreedChain,
    CustomerMrr,
    Measured,
    MonthFigures,
    MonthMrr,
    Movement,
    Standing,
)
from ledgerbee.billing.metrics.rules.recurring import NOTHING, PeriodAmounts, monthly_spans
from ledgerbee.core.dates import add_months, first_of_month, last_of_month
from ledgerbee.core.errors import invalid
from ledgerbee.core.money import minor_units, round_fraction, round_parts
from ledgerbee.core.paging import Page, PageRequest

#: Decimals of rates: 0.083333 is 8.3333 %.
RATE_PLACES: Final = 6


def month_ends(first: date, last: date, today: date) -> list[date]:
    """The days that months are measured on, and before them that of the month before the first.

    The running month is measured on the company's day. Raises a validation error for months to come.
    """
    if last > today:
        raise invalid(("month", "maxDate", "month must not be a month to come"))
    days = [first_of_month(first) - timedelta(days=1)]
    while days[-1] < first_of_month(last):
        days.append(last_of_month(days[-1] + timedelta(days=1)))
    return [*days[:-1], min(days[-1], today)]


def check_range(first: date, last: date, today: date) -> None:
    """Refuse a series that ends before it begins, is too long, or has months to come. Raises validation errors."""
    if last > today:
        raise invalid(("to", "maxDate", "to must not be a month to come"))
    if first > last:
        raise invalid(("from", "maxDate", "from must not be after to"))
    if add_months(first, MAX_MONTHS) <= last:
        raise invalid(("from", "minDate", f"from and to must be at most {MAX_MONTHS} months"))


class Measurement:
    """MRR of customers on `days`, each the end of a month, gathered from one subscription after the other.

    Amounts are in the currencies of subscriptions until `standings` converts them.
    """

    def __init__(self, days: Sequence[date], amounts: PeriodAmounts) -> None:
        self._days = days
        self._amounts = amounts
        self._by_currency: dict[str, dict[UUID, list[Fraction]]] = {}
        self._trials: dict[UUID, set[int]] = {}
        self._active_before: set[UUID] = set()

    def add(self, chain: AgreedChain) -> None:
        """Add what a subscription has on each of the days, and whether it had MRR at the end of a month before."""
        for start, end, amount, is_trial in monthly_spans(chain, self._amounts):
            if is_trial:
                places = self._places(start, end)
                if places:
                    self._trials.setdefault(chain.customer_id, set()).update(places)
            elif amount and (end is None or end > self._days[0]):
                self._add(chain, self._places(start, end), amount)
            elif amount > 0 and end is not None and last_of_month(start) < end:
                self._active_before.add(chain.customer_id)

    def _places(self, start: date, end: date | None) -> range:
        first = bisect_left(self._days, start)
        return range(first, len(self._days) if end is None else bisect_left(self._days, end, first))

    def _add(self, chain: AgreedChain, places: range, amount: Fraction) -> None:
        of_customers = self._by_currency.setdefault(chain.currency, {})
        own = of_customers.get(chain.customer_id)
        if own is None:
            own = of_customers[chain.customer_id] = [NOTHING] * len(self._days)
        for place in places:
            own[place] = own[place] + amount if own[place] else amount

    def newcomers(self) -> set[UUID]:
        """Customers with MRR that had none on the first of the days, nor before as far as is known by now.

        Whether they had some in a subscription that ended before has still to be asked: such are added, too.
        """
        found: set[UUID] = set()
        has_opening: set[UUID] = set()
        for of_customers in self._by_currency.values():
            for customer_id, own in of_customers.items():
                (has_opening if own[0] else found).add(customer_id)
        return found - has_opening - self._active_before

    def rates_needed(self) -> set[tuple[str, int]]:
        """Currencies, each with the places of days on which somebody has MRR in it."""
        return {
            (currency, place)
            for currency, of_customers in self._by_currency.items()
            for place in range(len(self._days))
            if any(own[place] for own in of_customers.values())
        }

    def standings(self, rates: Mapping[tuple[str, int], Fraction]) -> tuple[int, list[Standing]]:
        """The customers that have MRR or a trial on any of the days, and the scale of their amounts; `rates` are those
        of `rates_needed`.
        """
        denominators = {
            amount.denominator
            for of_customers in self._by_currency.values()
            for own in of_customers.values()
            for amount in own
        }
        of_amounts = lcm(*denominators)
        scale = of_amounts * lcm(*(rate.denominator for rate in rates.values()))
        found: dict[UUID, Standing] = {}
        for currency, of_customers in self._by_currency.items():
            factors = [
                rates.get((currency, place), NOTHING) * (scale // of_amounts) for place in range(len(self._days))
            ]
            whole = [factor.numerator for factor in factors]
            for customer_id, own in of_customers.items():
                converted = [
                    amount.numerator * (of_amounts // amount.denominator) * factor
                    for amount, factor in zip(own, whole, strict=True)
                ]
                standing = found.get(customer_id)
                if standing is None:
                    was_active = customer_id in self._active_before
                    found[customer_id] = Standing(customer_id, converted, was_active=was_active)
                else:
                    standing.amounts = [one + other for one, other in zip(standing.amounts, converted, strict=True)]
        for customer_id, places in self._trials.items():
            standing = found.setdefault(customer_id, Standing(customer_id, [0] * len(self._days)))
            standing.trials = frozenset(places)
        return scale, list(found.values())


def movement_of(before: int, now: int, *, was_active: bool) -> Movement:
    """What became of a customer's MRR. Below zero is none too."""
    if before == now:
        return Movement.NONE
    if before <= 0 < now:
        return Movement.REACTIVATION if was_active else Movement.NEW
    if now <= 0 < before:
        return Movement.CHURN
    return Movement.EXPANSION if now > before else Movement.CONTRACTION


def movement_at(standing: Standing, place: int) -> Movement:
    """What became of a customer's MRR by the end of the month at `place` of its days, which is above 0."""
    before, now = standing.amounts[place - 1], standing.amounts[place]
    was_active = standing.was_active or any(amount > 0 for amount in standing.amounts[: place - 1])
    return movement_of(before, now, was_active=was_active)


def figures(measured: Measured) -> list[MonthFigures]:
    """The figures of each month whose end was measured, but for the first, which is the opening."""
    return [_month(measured, place) for place in range(1, len(measured.days))]


def _month(measured: Measured, place: int) -> MonthFigures:
    movements, moved = dict.fromkeys(SIGNS, 0), dict.fromkeys(SIGNS, 0)
    opening, closing, customers, trial_customers = 0, 0, 0, 0
    for standing in measured.standings:
        before, now = standing.amounts[place - 1], standing.amounts[place]
        opening += before
        closing += now
        if now > 0:
            customers += 1
        elif place in standing.trials:
            trial_customers += 1
        if now != before:
            movement = movement_at(standing, place)
            movements[movement] += (now - before) * SIGNS[movement]
            moved[movement] += 1
    return MonthFigures(
        month=first_of_month(measured.days[place]),
        as_of=measured.days[place],
        opening=Fraction(opening, measured.scale),
        closing=Fraction(closing, measured.scale),
        movements={movement: Fraction(amount, measured.scale) for movement, amount in movements.items()},
        moved=moved,
        customers=customers,
        trial_customers=trial_customers,
    )


def shown(of_month: MonthFigures, currency: str) -> MonthMrr:
    """The figures of a month as they are shown, each rounded once; movements so that they lead from opening to MRR.

    Rates are of exact amounts, None where there is nothing to compare with.
    """
    places = minor_units(currency)
    opening, mrr = round_fraction(of_month.opening, places), round_fraction(of_month.closing, places)
    signed = [amount * SIGNS[movement] for movement, amount in of_month.movements.items()]
    rounded = round_parts(signed, mrr - opening, currency)
    lost = of_month.movements[Movement.CONTRACTION] + of_month.movements[Movement.CHURN]
    kept = of_month.opening + of_month.movements[Movement.EXPANSION] - lost
    return MonthMrr(
        month=of_month.month,
        as_of=of_month.as_of,
        opening=opening,
        mrr=mrr,
        arr=round_fraction(of_month.closing * 12, places),
        movements={
            movement: amount * SIGNS[movement] for movement, amount in zip(of_month.movements, rounded, strict=True)
        },
        moved=of_month.moved,
        churn_rate=_rate(of_month.movements[Movement.CHURN], of_month.opening),
        net_revenue_retention=_rate(kept, of_month.opening),
        arpa=round_fraction(of_month.closing / of_month.customers, places) if of_month.customers else None,
        customers=of_month.customers,
        trial_customers=of_month.trial_customers,
    )


def _rate(part: Fraction, whole: Fraction) -> Decimal | None:
    return round_fraction(part / whole, RATE_PLACES) if whole > 0 else None


def customers_of(measured: Measured, movement: Movement | None, asked: PageRequest) -> Page[CustomerMrr]:
    """A page of the customers with MRR on the last of the days or the one before, the highest MRR first.

    `movement`: only those with this one.
    """
    found = [one for one in measured.standings if one.amounts[-1] or one.amounts[-2]]
    if movement is not None:
        found = [one for one in found if movement_at(one, len(measured.days) - 1) is movement]
    found.sort(key=lambda one: (-one.amounts[-1], -one.amounts[-2], one.customer_id.int))
    page = [
        CustomerMrr(
            customer_id=one.customer_id,
            before=Fraction(one.amounts[-2], measured.scale),
            now=Fraction(one.amounts[-1], measured.scale),
            movement=movement_at(one, len(measured.days) - 1),
        )
        for one in found[asked.offset : asked.offset + asked.limit]
    ]
    return Page(page, len(found))
