"""What subscriptions cost as the documents describe it, in whole minor units, days and fractions, in plain Python.

Written from the contract and the decisions ("Periods", "Proration and edits", "Usage"), with no line of `ledgerbee`.
Amounts exclude VAT. A day that something ends on is the first without it.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.sim.figures import half_up

#: A predicted refusal.
Refused = tuple[int, str]
ENDED: Refused = (409, "SUBSCRIPTION_INVALID_STATE")
TWICE: Refused = (409, "SUBSCRIPTION_CHANGE_ALREADY_EXISTS")

NONE = "none"


@dataclass(frozen=True)
class Plan:
    """What is billed every month: by price, how much of it there is at first; 0 of what is optional.

    `metered` is the price of what is used. All are named by the ids that the system gave them.
    """

    id: str
    quantities: Mapping[str, int]
    metered: str


@dataclass(frozen=True)
class Prices:
    """Minor units a month of each price, and of what is used in tiers: up to so many, a fraction of a unit each."""

    monthly: Mapping[str, int]
    tiers: Mapping[str, tuple[tuple[int | None, Fraction], ...]]

    def of_usage(self, price: str, quantity: Fraction) -> int:
        """What so much costs: each tier has its own part, and the sum is rounded once."""
        amount, below = Fraction(0), Fraction(0)
        for up_to, each in self.tiers[price]:
            top = quantity if up_to is None else min(quantity, Fraction(up_to))
            amount += max(top - below, Fraction(0)) * each
            below = Fraction(up_to or 0)
        return half_up(amount)


@dataclass
class Billed:
    """Days of a price that were charged: from `first` to `end`, of a period of so many days that costs `whole`."""

    price: str
    quantity: int
    first: date
    end: date
    days: int
    whole: int
    left: int

    def part(self, days: int) -> int:
        """What some of the days cost."""
        return half_up(Fraction(self.whole * days, self.days))


@dataclass(frozen=True)
class Used:
    """An event: so much on a day."""

    day: date
    value: Decimal


@dataclass
class Agreement:
    """A subscription through its changes, billed in advance each month, and what was charged for it so far."""

    prices: Prices
    plan: Plan
    start: date
    anchor: date
    mode: str
    items: dict[str, int]
    billed_until: date = date.min
    end: date | None = None
    #: Since when it is paused.
    paused: date | None = None
    billed: list[Billed] = field(default_factory=list)
    #: What was charged less what was credited: for periods, and by changes.
    recurring: int = 0
    prorated: int = 0
    #: Days on which nothing was used that counts.
    pauses: list[tuple[date, date]] = field(default_factory=list)
    #: From when on which price of usage is agreed.
    metered: list[tuple[date, str]] = field(default_factory=list)
    used: dict[str, Used] = field(default_factory=dict)
    #: Quantities that come with the next period.
    scheduled: tuple[date, dict[str, int]] | None = None

    def __post_init__(self) -> None:
        self.billed_until = self.start
        self.metered.append((self.start, self.plan.metered))

    # Periods

    def period(self, day: date) -> tuple[date, date]:
        """The whole period that holds a day: from its first day to that of the next, each counted from the anchor."""
        number = (day.year - self.anchor.year) * 12 + day.month - self.anchor.month
        if _months_after(self.anchor, number) > day:
            number -= 1
        return _months_after(self.anchor, number), _months_after(self.anchor, number + 1)

    def is_over(self, today: date) -> bool:
        """Whether it has ended."""
        return self.end is not None and self.end <= today

    # What happens to it

    def bill(self, today: date) -> None:
        """Charge every period that has begun, with what was agreed for it."""
        while True:
            reached = self.billed_until if self.paused is None else today
            if self.scheduled is not None and self.scheduled[0] <= min(reached, today):
                self.items, self.scheduled = self._with(self.scheduled[1]), None
            if self.paused is not None or self.billed_until > today or self.billed_until == self.end:
                break
            self._charge_period(self.billed_until, self.mode)

    def _charge_period(self, day: date, mode: str) -> None:
        """Charge the period that holds a day, from then on: less than all of it as the mode says."""
        first, end = self.period(day)
        for price, quantity in self.items.items():
            whole = 0 if day > first and mode == NONE else self.prices.monthly[price] * quantity
            piece = Billed(price, quantity, day, end, (end - first).days, whole, 0)
            piece.left = piece.part((end - day).days)
            self.billed.append(piece)
            self.recurring += piece.left
        self.billed_until = end

    def edit(self, today: date, quantities: dict[str, int], mode: str | None) -> Refused | None:
        if self.is_over(today):
            return ENDED
        if self.scheduled is not None:
            return TWICE
        self.items = self._with(quantities)
        self._settle(today, mode)
        return None

    def schedule(self, today: date, quantities: dict[str, int]) -> Refused | None:
        """An edit that comes with the next period."""
        if self.is_over(today):
            return ENDED
        if self.scheduled is not None:
            return TWICE
        self.scheduled = self.period(today)[1], quantities
        return None

    def replace_plan(self, today: date, plan: Plan, mode: str | None) -> Refused | None:
        if self.is_over(today):
            return ENDED
        self.plan = plan
        self.items = {price: quantity for price, quantity in plan.quantities.items() if quantity}
        self.metered.append((today, plan.metered))
        self._settle(today, mode)
        return None

    def pause(self, today: date, mode: str | None) -> Refused | None:
        if self.is_over(today) or self.paused is not None:
            return ENDED
        self.paused = today
        self._settle(today, mode)
        return None

    def resume(self, today: date, mode: str | None) -> Refused | None:
        """What is left of the period is charged; of one of which nothing was billed, when it is billed next."""
        if self.is_over(today) or self.paused is None:
            return ENDED
        self.pauses.append((self.paused, today))
        self.paused = None
        self._settle(today, mode)
        if self.billed_until <= today:
            self._charge_period(today, mode or self.mode)
        return None

    def cancel(self, today: date, *, at_once: bool, refunds: bool) -> Refused | None:
        """At once, or with the running period."""
        if self.is_over(today):
            return ENDED
        self.end = today if at_once else self.period(today)[1]
        if at_once and refunds and today < self.billed_until:
            self._exchange(today, {})
        if at_once:
            self.billed_until = today
        return None

    def _with(self, quantities: dict[str, int]) -> dict[str, int]:
        return {price: quantity for price, quantity in (self.items | quantities).items() if quantity}

    def _settle(self, day: date, mode: str | None) -> None:
        """What a change makes of days that are billed: nothing, where nothing is prorated."""
        if day < self.billed_until and (mode or self.mode) != NONE:
            self._exchange(day, {} if self.paused is not None else self.items)

    def _exchange(self, day: date, wanted: Mapping[str, int]) -> None:
        """Credit what was billed for the days left, and charge them anew; a price that stays as it is keeps its own."""
        first, end = self.period(self.billed_until - timedelta(days=1))
        for price in dict.fromkeys([*(one.price for one in self.billed), *wanted]):
            own = [one for one in self.billed if one.price == price and one.end > day and one.end > one.first]
            quantity = wanted.get(price, 0)
            gaps = [(day, end)]
            if quantity and all(one.quantity == quantity for one in own):
                gaps = list(_gaps(day, end, own))
            else:
                for one in own:
                    self._credit(one, day)
            for start, until in gaps if quantity else ():
                whole = self.prices.monthly[price] * quantity
                piece = Billed(price, quantity, start, until, (end - first).days, whole, 0)
                piece.left = piece.part((until - start).days)
                self.billed.append(piece)
                self.prorated += piece.left

    def _credit(self, one: Billed, day: date) -> None:
        """The days left; all that is left of what was charged where none of its days stays, and never more."""
        start = max(one.first, day)
        amount = one.left if start == one.first else min(one.part((one.end - start).days), one.left)
        one.left -= amount
        one.end = start
        self.prorated -= amount

    # Usage

    def covers(self, day: date) -> bool:
        """Whether what is used on a day is used of it."""
        pauses = [*self.pauses, *([] if self.paused is None else [(self.paused, date.max)])]
        is_within = self.start <= day and (self.end is None or day < self.end)
        return is_within and not any(first <= day < end for first, end in pauses)

    def billed_usage_until(self, today: date) -> date:
        """Usage before that day is billed, today."""
        first, _ = self.period(today)
        return min(today, self.end) if self.is_over(today) and self.end is not None else max(first, self.start)

    def usage(self, today: date) -> int:
        """What usage of periods that are over comes to, late events included."""
        quantities: dict[tuple[str, date], Fraction] = {}
        until = self.billed_usage_until(today)
        for one in self.used.values():
            if self.covers(one.day) and one.day < until:
                place = self._metered_on(one.day), self.period(one.day)[0]
                quantities[place] = quantities.get(place, Fraction(0)) + Fraction(one.value)
        return sum(self.prices.of_usage(price, quantity) for (price, _), quantity in quantities.items())

    def counts(self, today: date) -> tuple[int, int, int]:
        """How many events belong to nobody, are billed, and are not billed yet."""
        until = self.billed_usage_until(today)
        covered = [one.day < until for one in self.used.values() if self.covers(one.day)]
        return len(self.used) - len(covered), sum(covered), len(covered) - sum(covered)

    def _metered_on(self, day: date) -> str:
        return [price for since, price in self.metered if since <= day][-1]


def _gaps(day: date, end: date, billed: list[Billed]) -> Iterator[tuple[date, date]]:
    """Days of a window that nothing was charged for."""
    for one in sorted(billed, key=lambda one: one.first):
        if one.first > day:
            yield day, one.first
        day = max(day, one.end)
    if day < end:
        yield day, end


def _months_after(day: date, count: int) -> date:
    """The same day of the month, so many months later; the last one of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
