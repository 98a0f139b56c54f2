"""Recurring revenue of a month: what it is, how it moved, and how it goes with what was invoiced (decisions "Metrics").

MRR is what recurring prices cost a month, by what holds on a day. All amounts are exact fractions until they are shown;
months are named by their first day and measured on their last one, the running month on the company's day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.billing.timelines.model import Span, Timeline
from ledgerbee.core.money import ZERO

#: Months of a series that are answered at once.
MAX_MONTHS: Final = 60


class Movement(StrEnum):
    """What a customer's MRR did since the end of the month before; `none`: it is the same."""

    NEW = "new"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"
    REACTIVATION = "reactivation"
    NONE = "none"


#: How movements change MRR.
SIGNS: Final = {
    Movement.NEW: 1,
    Movement.EXPANSION: 1,
    Movement.CONTRACTION: -1,
    Movement.CHURN: -1,
    Movement.REACTIVATION: 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedChain:
    """A subscription as far as its revenue follows from it.

    `discount_percent` is that of the customer's group today. Days before `billed_until` are billed.
    """

    id: UUID
    customer_id: UUID
    currency: str
    discount_percent: Decimal
    billed_until: date
    timeline: Timeline


class MonthlySpan(NamedTuple):
    """Days on which a subscription has one MRR, in its currency; `end` None: until further notice."""

    start: date
    end: date | None
    amount: Fraction
    is_trial: bool


@dataclass(slots=True)
class Standing:
    """A customer at the end of consecutive months: its MRR, and the places of those months with a trial.

    Amounts are in parts of the company's currency, as many to one as `Measured.scale` says: exact, and whole.
    `was_active`: it had MRR at the end of a month before the first of them.
    """

    customer_id: UUID
    amounts: list[int]
    trials: frozenset[int] = frozenset()
    was_active: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFigures:
    """MRR of all customers at a month's end, and how it moved since the end of the month before, each above 0."""

    month: date
    as_of: date
    opening: Fraction
    closing: Fraction
    movements: Mapping[Movement, Fraction]
    moved: Mapping[Movement, int]
    customers: int
    trial_customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthMrr:
    """Those figures as they are shown: amounts at minor units, of which opening and movements sum up to `mrr`."""

    month: date
    as_of: date
    opening: Decimal
    mrr: Decimal
    arr: Decimal
    movements: Mapping[Movement, Decimal]
    moved: Mapping[Movement, int]
    churn_rate: Decimal | None
    net_revenue_retention: Decimal | None
    arpa: Decimal | None
    customers: int
    trial_customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMrr:
    """A customer's MRR at a month's end and at the end of the month before."""

    customer_id: UUID
    before: Fraction
    now: Fraction
    movement: Movement


class Reason(StrEnum):
    """Why what was invoiced for a month's days is another amount than MRR. The first two lead to what was agreed."""

    CALENDAR = "calendar"
    CHANGES = "changes"
    NOT_INVOICED = "not_invoiced"
    GIVEN_AWAY = "given_away"
    NOT_REFUNDED = "not_refunded"
    OTHER_TERMS = "other_terms"
    DISCOUNT = "discount"
    CREDITED = "credited"
    EXCHANGE_RATES = "exchange_rates"
    ROUNDING = "rounding"


#: What lies between MRR and what was agreed for the month's days; the others lie between that and invoices.
UP_TO_AGREED: Final = (Reason.CALENDAR, Reason.CHANGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueCharge:
    """A charge of days of a RECURRING price, or the credit of one, with what documents say of it.

    `base_net` is what its documents booked in the company's currency; `credited` is what others' credit notes took off
    its invoice line, positive, `base_credited` that in the company's currency.
    """

    subscription_id: UUID
    price_id: UUID
    period: Span
    service: Span
    quantity: Decimal
    period_amount: Decimal
    discount_percent: Decimal
    net: Decimal
    credits_charge_id: UUID | None
    waits: bool
    base_net: Decimal
    credited: Decimal = ZERO
    base_credited: Decimal = ZERO

    @property
    def is_credit(self) -> bool:
        """Whether it takes back another one."""
        return self.credits_charge_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """How a month's invoiced revenue goes with its MRR, at the minor units of the company's currency.

    `mrr` and the reasons up to `agreed` sum up to it, `agreed` and the others to `invoiced`.
    """

    month: date
    as_of: date
    mrr: Decimal
    agreed: Decimal
    invoiced: Decimal
    reasons: Mapping[Reason, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Customers on `days`, the ends of months, in the company's currency; the first of them is the opening."""

    currency: str
    days: Sequence[date]
    scale: int
    standings: Sequence[Standing]
