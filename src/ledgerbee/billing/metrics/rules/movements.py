"""MRR of customers at the ends of months, and how it moved in between (decisions "Metrics"). Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from ledgerbee.billing.metrics.model import (
    MAX_MONTHS,
    SIGNS,
    AgreedChain,
    CustomerMrr,
    MonthFigures,
    MonthMrr,
    Movement,
    Standing,
)
from ledgerbee.billing.metrics.rules.recurring import NOTHING, PeriodAmounts, monthly_spans
from ledgerbee.core.dates import add_months, first_of_month, last_of_month
from ledgerbee.core.errors import invalid
from ledgerbee.core.money import minor_units, round_fraction, round_parts

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
        """Add what a subscription has on each of the days, and whether it had something at the end of a month before."""
        for start, end, amount, is_trial in monthly_spans(chain, self._amounts):
            if not amount and not is_trial:
                continue
            first = bisect_left(self._days, start)
            places = range(first, len(self._days) if end is None else bisect_left(self._days, end, first))
            if places and is_trial:
                self._trials.setdefault(chain.customer_id, set()).update(places)
            elif places:
                self._add(chain, places, amount)
            if amount > 0 and self._is_before(start, end):
                self._active_before.add(chain.customer_id)

    def _add(self, chain: AgreedChain, places: range, amount: Fraction) -> None:
        of_customers = self._by_currency.setdefault(chain.currency, {})
        own = of_customers.get(chain.customer_id)
        if own is None:
            own = of_customers[chain.customer_id] = [NOTHING] * len(self._days)
        for place in places:
            own[place] = own[place] + amount if own[place] else amount

    def _is_before(self, start: date, end: date | None) -> bool:
        """Whether the end of a month lies in these days and before the first of ours."""
        month_end = last_of_month(start)
        return month_end < self._days[0] and (end is None or month_end < end)

    def add_past(self, chain: AgreedChain) -> None:
        """Add a subscription that ended by the first of the days: only whether it had something by then."""
        for start, end, amount, _ in monthly_spans(chain, self._amounts):
            month_end = last_of_month(start)
            if amount > 0 and month_end <= self._days[0] and (end is None or month_end < end):
                self._active_before.add(chain.customer_id)

    def newcomers(self) -> set[UUID]:
        """Customers with MRR that had none on the first of the days, nor before as far as is known by now.

        Whether they had some in a subscription that ended before has still to be asked.
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

    def standings(self, rates: Mapping[tuple[str, int], Fraction]) -> list[Standing]:
        """The customers that have MRR or a trial on any of the days; `rates` are those of `rates_needed`."""
        found: dict[UUID, Standing] = {}
        for currency, of_customers in self._by_currency.items():
            factors = [rates.get((currency, place), NOTHING) for place in range(len(self._days))]
            is_same = all(factor == 1 for factor in factors if factor)
            for customer_id, own in of_customers.items():
                converted = own if is_same else [amount * factor for amount, factor in zip(own, factors, strict=True)]
                standing = found.get(customer_id)
                if standing is None:
                    found[customer_id] = Standing(customer_id, converted, was_active=customer_id in self._active_before)
                else:
                    standing.amounts = [one + other for one, other in zip(standing.amounts, converted, strict=True)]
        for customer_id, places in self._trials.items():
            standing = found.setdefault(customer_id, Standing(customer_id, [NOTHING] * len(self._days)))
            standing.trials = frozenset(places)
        return list(found.values())


def movement_of(before: Fraction, now: Fraction, *, was_active: bool) -> Movement:
    """What became of a customer's MRR. Below zero is none too."""
    if before == now:
        return Movement.NONE
    if before <= 0 < now:
        return Movement.REACTIVATION if was_active else Movement.NEW
    if now <= 0 < before:
        return Movement.CHURN
    return Movement.EXPANSION if now > before else Movement.CONTRACTION


def customer_mrr(standing: Standing, place: int) -> CustomerMrr:
    """A customer at the end of the month at `place` of its days, which is above 0."""
    before, now = standing.amounts[place - 1], standing.amounts[place]
    was_active = standing.was_active or any(amount > 0 for amount in standing.amounts[: place - 1])
    movement = movement_of(before, now, was_active=was_active)
    return CustomerMrr(customer_id=standing.customer_id, before=before, now=now, movement=movement)


def figures(standings: Iterable[Standing], days: Sequence[date]) -> list[MonthFigures]:
    """The figures of each month whose end is among `days`, but for the first, which is the opening."""
    found = [MonthFigures(month=first_of_month(day), as_of=day) for day in days[1:]]
    for standing in standings:
        for place, of_month in enumerate(found, 1):
            one = customer_mrr(standing, place)
            if one.movement is not Movement.NONE:
                change = one.now - one.before
                of_month.movements[one.movement] += change * SIGNS[one.movement]
                of_month.moved[one.movement] += 1
            if one.before:
                of_month.opening += one.before
            if one.now:
                of_month.closing += one.now
            of_month.customers += one.now > 0
            of_month.trial_customers += one.now <= 0 and place in standing.trials
    return found


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


def in_list(standings: Iterable[Standing], movement: Movement | None) -> list[CustomerMrr]:
    """The customers with MRR at the end of the month or of the one before, the highest first; with this movement only."""
    found = [one for one in (customer_mrr(standing, 1) for standing in standings) if one.before or one.now]
    chosen = [one for one in found if movement in {None, one.movement}]
    return sorted(chosen, key=lambda one: (-one.now, -one.before, one.customer_id.int))
