"""What a subscription comes to a month, by what holds on a day (decisions "Metrics"). Pure."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from ledgerbee.billing.charges.rules import price_for_period
from ledgerbee.billing.metrics.model import AgreedChain, MonthlySpan
from ledgerbee.billing.timelines.model import Cadence, Item, Terms
from ledgerbee.catalog.prices.model import BillingInterval, BillingPeriodType, Price
from ledgerbee.core.money import ZERO, total

#: Prices in a currency, by id.
PricesIn = Callable[[str], Mapping[UUID, Price]]

NOTHING: Final = Fraction(0)
#: Periods of a year, that of days without its leap day: twelve months are as much as a year.
_PERIODS_OF_YEAR: Final = {
    BillingInterval.DAY: 365,
    BillingInterval.WEEK: 52,
    BillingInterval.MONTH: 12,
    BillingInterval.YEAR: 1,
}


def months_of(cadence: Cadence) -> tuple[int, int]:
    """What share of a period's amount a month is, as a fraction: 1/12 of a year, 52/12 of a week, 365/12 of a day."""
    return _PERIODS_OF_YEAR[cadence.interval], 12 * cadence.count


class PeriodAmounts:
    """What recurring prices cost a period. Many subscriptions have the same few: each is computed once."""

    def __init__(self, prices_in: PricesIn) -> None:
        self._prices_in = prices_in
        self._of_items: dict[tuple[str, Item, Decimal], Decimal | None] = {}
        #: By the terms themselves, which are kept: to compare them takes longer than to compute anew.
        self._monthly: dict[tuple[int, str, Decimal], tuple[Terms, Fraction]] = {}

    def of_item(self, item: Item, currency: str, discount_percent: Decimal) -> Decimal | None:
        """What a whole period of a price costs, net of discount; None of prices that don't recur."""
        key = (currency, item, discount_percent)
        if key not in self._of_items:
            price = self._prices_in(currency)[item.price_id]
            recurs = price.billing_period_type is BillingPeriodType.RECURRING
            self._of_items[key] = price_for_period(price, item.quantity, discount_percent) if recurs else None
        return self._of_items[key]

    def of_terms(self, terms: Terms, currency: str, discount_percent: Decimal) -> Decimal:
        """What a period of all recurring prices of some terms costs, whether or not they are billed."""
        return total([self.of_item(item, currency, discount_percent) or ZERO for item in terms.items])

    def monthly(self, terms: Terms, currency: str, discount_percent: Decimal) -> Fraction:
        """What those come to a month."""
        key = (id(terms), currency, discount_percent)
        found = self._monthly.get(key)
        if found is None:
            share = Fraction(*months_of(terms.grid.cadence))
            found = terms, Fraction(self.of_terms(terms, currency, discount_percent)) * share
            self._monthly[key] = found
        return found[1]


def monthly_spans(chain: AgreedChain, amounts: PeriodAmounts) -> Iterator[MonthlySpan]:
    """The MRR of a subscription day by day: none in a trial or a pause. Usage and what comes once have none."""
    for segment in chain.timeline:
        terms = segment.terms
        amount = amounts.monthly(terms, chain.currency, chain.discount_percent) if segment.is_billed else NOTHING
        yield MonthlySpan(segment.start, segment.end, amount, segment.is_trial and not terms.is_paused)
