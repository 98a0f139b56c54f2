"""Exchange rates over HTTP (ours)."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import Query
from pydantic import Field

from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import CurrencyCode, Day, DecimalText, ExchangeRate, RequestModel, ResponseModel
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import actions, store
from ledgerbee.tenancy.rates.model import COMPANY, EXCHANGE_RATE_MISSING, Rate

router = resource_router("Exchange Rates")


class ExchangeRateResponse(ResponseModel):
    """What one unit of a currency is worth on a day."""

    currency: str = Field(examples=["USD"])
    base_currency: str = Field(description="The company's base currency", examples=["DKK"])
    date: Day
    rate: DecimalText = Field(description="Units of the base currency for one unit of the currency")
    source: str = Field(
        description="COMPANY: set for this day. ECB: published. SAME_CURRENCY: always one.", examples=["ECB"]
    )
    published_date: Day = Field(description="The day whose rate it is: over weekends and holidays the last one before")


class UpdateExchangeRateRequest(RequestModel):
    """A rate of the company's own."""

    currency: CurrencyCode = Field(examples=["USD"])
    date: Day
    rate: ExchangeRate

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """A foreign currency."""
        yield lambda: actions.check_foreign(self.currency, facts.base_currency)


@form_of(Rate)
def _render(currency: str, base_currency: str, on: Day, rate: Rate) -> ExchangeRateResponse:
    return ExchangeRateResponse(
        currency=currency,
        base_currency=base_currency,
        date=on,
        rate=rate.value,
        source=rate.source,
        published_date=rate.day,
    )


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
    """Get an exchange rate."""
    day = on or context.today
    company = await companies.get(context)
    return _render(currency, company.base_currency, day, await store.rate_for(context, currency, day))


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
    """Set an exchange rate."""
    base_currency = await actions.set_own(context, body.currency, body.date, body.rate)
    return _render(body.currency, base_currency, body.date, Rate(body.rate, body.date, COMPANY))
