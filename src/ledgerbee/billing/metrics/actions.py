"""What is asked of metrics: everything is computed from what was agreed, by days, whenever it is asked for.

Nothing is kept: a subscription may be given for days of the past, and those months have another MRR from then on.
"""

import asyncio
from datetime import date
from fractions import Fraction
from functools import cache
from uuid import UUID

from ledgerbee.billing.metrics import rules, store
from ledgerbee.billing.metrics.model import CustomerMrr, Measured, MonthMrr, Movement, Reconciliation
from ledgerbee.catalog.prices import store as prices
from ledgerbee.catalog.prices.model import Price
from ledgerbee.catalog.prices.rules import in_currency
from ledgerbee.core.dates import first_of_month, last_of_month
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import company_store
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import in_steps
from ledgerbee.tenancy.rates import store as rates


async def series(context: Context, first: date, last: date) -> tuple[str, list[MonthMrr]]:
    """MRR of the months from `first` to `last` (their first days), the oldest first, and the company's currency.

    Raises a validation error for months to come, and `EXCHANGE_RATE_MISSING`.
    """
    measured = await _measure(context, first, last)
    found = await asyncio.to_thread(rules.figures, measured)
    return measured.currency, [rules.shown(of_month, measured.currency) for of_month in found]


async def customers(
    context: Context, month: date, movement: Movement | None, asked: PageRequest
) -> tuple[Measured, Page[CustomerMrr]]:
    """A page of the customers with MRR at a month's end or at the end of the month before, the highest first; with
    this movement only, unless that is None. Beside it what was measured for it.

    Raises a validation error for a month to come, and `EXCHANGE_RATE_MISSING`.
    """
    measured = await _measure(context, month, month)
    return measured, await asyncio.to_thread(rules.customers_of, measured, movement, asked)


async def reconcile(context: Context, month: date) -> tuple[str, Reconciliation]:
    """How what was invoiced for a month's days goes with its MRR, and the company's currency.

    Raises a validation error for a month to come, and `EXCHANGE_RATE_MISSING`.
    """
    as_of = rules.month_ends(month, month, context.today)[-1]
    reconciling = rules.Reconciling(as_of, await _amounts(context))
    async for chains in store.stream_billed(context, first_of_month(month), last_of_month(month)):
        async for chain, charges in in_steps(chains):
            reconciling.add(chain, charges)
    currency, _ = await company_store.get_currency_and_country(context)
    rates_then = {code: await _rate(context, code, currency, as_of) for code in reconciling.currencies}
    return currency, reconciling.result(rates_then, currency)


async def _measure(context: Context, first: date, last: date) -> Measured:
    days = rules.month_ends(first, last, context.today)
    measurement = rules.Measurement(days, await _amounts(context))
    async for chains in store.stream(context, days[0], days[-1]):
        async for chain in in_steps(chains):
            measurement.add(chain)
    newcomers = measurement.newcomers()
    if newcomers:
        async for chains in store.stream_ended(context, newcomers, days[0]):
            async for chain in in_steps(chains):
                measurement.add(chain)
    currency, _ = await company_store.get_currency_and_country(context)
    needed = sorted(measurement.rates_needed())
    rates_then = {(code, place): await _rate(context, code, currency, days[place]) for code, place in needed}
    scale, standings = await asyncio.to_thread(measurement.standings, rates_then)
    return Measured(currency=currency, days=days, scale=scale, standings=standings)


async def _rate(context: Context, code: str, currency: str, day: date) -> Fraction:
    return Fraction(1) if code == currency else Fraction((await rates.rate_for(context, code, day)).value)


async def _amounts(context: Context) -> rules.PeriodAmounts:
    """What prices cost: as they are, since those that subscriptions have never change."""
    sellable = await prices.get_many(context, await store.price_ids(context))

    @cache
    def prices_in(currency: str) -> dict[UUID, Price]:
        found = ((price_id, in_currency(one.price, currency, None)) for price_id, one in sellable.items())
        return {price_id: price for price_id, price in found if price is not None}

    return rules.PeriodAmounts(prices_in)
