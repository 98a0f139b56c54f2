"""Exchange rates on the wire (ours)."""

from collections.abc import Iterable

from pydantic import Field

from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.wire import CurrencyCode, Day, DecimalText, ExchangeRate, RequestModel, ResponseModel
from ledgerbee.tenancy.rates import rules
from ledgerbee.tenancy.rates.model import Rate


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
        yield lambda: rules.check_foreign(self.currency, facts.base_currency)


def render(currency: str, base_currency: str, on: Day, rate: Rate) -> ExchangeRateResponse:
    """A rate on the wire: of a currency on a day, in a company of a base currency."""
    return ExchangeRateResponse(
        currency=currency,
        base_currency=base_currency,
        date=on,
        rate=rate.value,
        source=rate.source,
        published_date=rate.day,
    )
