"""Rules of metrics. Pure."""

from ledgerbee.billing.metrics.rules.movements import (
    Measurement,
    check_range,
    customers_of,
    figures,
    month_ends,
    movement_of,
    shown,
)
from ledgerbee.billing.metrics.rules.reconciliation import Reconciling
from ledgerbee.billing.metrics.rules.recurring import PeriodAmounts, PricesIn, a_month, monthly_spans

__all__ = [
    "Measurement",
    "PeriodAmounts",
    "PricesIn",
    "Reconciling",
    "a_month",
    "check_range",
    "customers_of",
    "figures",
    "month_ends",
    "monthly_spans",
    "movement_of",
    "shown",
]
