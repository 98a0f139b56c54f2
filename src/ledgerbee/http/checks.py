"""What the rules of a request body are, and what they compare it with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from ledgerbee.platform import company_store
from ledgerbee.platform.context import Context

#: A rule: raises a validation error where it is broken.
Check = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules compare a body with beside itself: the caller's company and the moment of the request,
    really and on the company's clock."""

    base_currency: str
    country_code: str
    today: date
    now: datetime
    company_now: datetime


async def facts_of(context: Context) -> Facts:
    """The facts as the transaction sees them."""
    base_currency, country_code = await company_store.get_currency_and_country(context)
    return Facts(base_currency, country_code, context.today, context.now, context.company_now)
