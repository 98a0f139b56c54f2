"""What a period costs, and days of it. Pure."""

from decimal import Decimal

from ledgerbee.billing.timelines.model import Span
from ledgerbee.catalog.prices.model import Price
from ledgerbee.catalog.prices.rules import amount_for
from ledgerbee.core.money import EXACT, HUNDRED, multiply, percent_of, round_money


def price_for_period(price: Price, quantity: Decimal, discount_percent: Decimal) -> Decimal:
    """What a whole period of a price costs, in the price's currency: exact, less discount.

    Raises `PRODUCT_PRICE_QUANTITY_INVALID`.
    """
    return percent_of(amount_for(price, quantity), HUNDRED - discount_percent)


def share_of(period_amount: Decimal, service: Span, period: Span, currency: str) -> Decimal:
    """What the days of `service` cost of a period: calendar days over calendar days, rounded once, half away from zero.

    A whole period is exactly 1 (decisions "Periods").
    """
    exact = EXACT.divide(multiply(period_amount, Decimal(service.days)), Decimal(period.days))
    return round_money(exact, currency)
