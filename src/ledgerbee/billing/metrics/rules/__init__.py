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
from ledgerbee.billing.metrics.rules.recurring import PeriodAmounts, PricesIn, monthly_spans, months_of

__all__ = [
    "Measurement",
    "PeriodAmounts",
    "PricesIn",
    "Reconciling",
    "check_range",
    "customers_of",
    "figures",
    "month_ends",
    "monthly_spans",
    "months_of",
    "movement_of",
    "shown",
]
