"""Routes of exchange rates (ours)."""

from typing import Annotated

from fastapi import Query

from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import CurrencyCode, Day
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import actions, store
from ledgerbee.tenancy.rates.model import COMPANY, EXCHANGE_RATE_MISSING, Rate
from ledgerbee.tenancy.rates.wire import ExchangeRateResponse, UpdateExchangeRateRequest, render

router = resource_router("Exchange Rates")


@router.get(
    "/v1/exchange-rates",
    **operation(
        "Get an exchange rate",
        scope="company-read",
        extension=True,
        description="The rate that a document or an entry of that day is booked at: the company's own for the day, "
        "else the European Central Bank's reference rate, carried forward for at most ten days.",
        errors=[EXCHANGE_RATE_MISSING],
    ),
)
async def get_exchange_rate(
    context: Ctx,
    currency: Annotated[CurrencyCode, Query(description="ISO 4217", examples=["USD"])],
    on: Annotated[Day | None, Query(alias="date", description="Left out: today, in the company's time zone")] = None,
) -> ExchangeRateResponse:
    day = on or context.today
    company = await companies.get(context)
    return render(currency, company.base_currency, day, await store.rate_for(context, currency, day))


@router.put(
    "/v1/exchange-rates",
    **operation(
        "Set an exchange rate",
        scope="company-write",
        extension=True,
        description="Sets the company's own rate for one day, in place of the published one. What is booked already "
        "stays as it is.",
        response="Exchange rate set",
    ),
)
async def set_exchange_rate(context: Ctx, body: UpdateExchangeRateRequest) -> ExchangeRateResponse:
    base_currency = await actions.set_own(context, body.currency, body.date, body.rate)
    return render(body.currency, base_currency, body.date, Rate(body.rate, body.date, COMPANY))
