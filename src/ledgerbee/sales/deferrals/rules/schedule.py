"""What days of a line earn, and what is left of it. Pure."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from ledgerbee.core.fields import replace
from ledgerbee.core.money import EXACT, ZERO, multiply, round_money, total
from ledgerbee.sales.deferrals.model import Deferral, HeldDeferral
from ledgerbee.sales.documents.model import ServicePeriod

DAY: Final = timedelta(days=1)


def earned(amount: Decimal, period: ServicePeriod, through: date, currency: str) -> Decimal:
    """What of `amount` for the days of `period` is earned through a day: its share by days, rounded once."""
    return round_money(share(amount, period, ServicePeriod(period.start, through)), currency)


def share(amount: Decimal, period: ServicePeriod, part: ServicePeriod) -> Decimal:
    """The exact share of an amount for the days of `period` that is for those that lie in `part` too."""
    days = (min(period.end, part.end) - max(period.start, part.start)).days + 1
    if days <= 0:
        return ZERO
    return EXACT.divide(multiply(amount, Decimal(days)), Decimal((period.end - period.start).days + 1))


class Amounts(NamedTuple):
    """An amount in the invoice's currency, and in the company's."""

    amount: Decimal
    base_amount: Decimal

    def less(self, other: "Amounts") -> "Amounts":
        """What is more than `other`."""
        return Amounts(EXACT.subtract(self.amount, other.amount), EXACT.subtract(self.base_amount, other.base_amount))

    def rounded(self, currency: str, base_currency: str) -> "Amounts":
        """Each at its currency's minor units."""
        return Amounts(round_money(self.amount, currency), round_money(self.base_amount, base_currency))

    def within(self, bound: "Amounts") -> "Amounts":
        """Neither beyond `bound` nor on the other side of zero."""
        return Amounts(within(bound.amount, self.amount), within(bound.base_amount, self.base_amount))


NOTHING: Final = Amounts(ZERO, ZERO)


def left_of(deferral: Deferral) -> Amounts:
    """What is neither recognised nor credited."""
    return Amounts(deferral.amount_left, deferral.base_amount_left)


def scheduled(held: HeldDeferral, days: ServicePeriod) -> Amounts:
    """What some days earn, exactly: their share of the line less that of what credit notes took off them."""
    deferral = held.deferral
    parts = [(deferral.scheduled_amount, deferral.scheduled_base_amount, deferral.period)]
    parts += [(-one.amount, -one.base_amount, ServicePeriod(one.first_day, one.last_day)) for one in held.credits]
    return Amounts(
        total([share(amount, period, days) for amount, _, period in parts]),
        total([share(base_amount, period, days) for _, base_amount, period in parts]),
    )


def within(bound: Decimal, value: Decimal) -> Decimal:
    """`value`, but not beyond `bound` and not on the other side of zero."""
    return min(max(value, ZERO), bound) if bound >= 0 else max(min(value, ZERO), bound)


def with_left(deferral: Deferral, amount: Decimal, base_amount: Decimal, next_month: date) -> Deferral:
    """The deferral with so much left, which is recognised from `next_month` on."""
    return replace(
        deferral,
        amount_left=amount,
        base_amount_left=base_amount,
        next_month=next_month if amount or base_amount else None,
    )
