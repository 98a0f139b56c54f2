"""What the rules of a request body are, and what they compare it with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from ledgerbee.platform.context import Context

#: A rule: raises a validation error where it is broken.
Check = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules compare a body with beside itself: the caller's company and the moment of the request."""

    base_currency: str
    country_code: str
    today: date
    now: datetime


async def facts_of(context: Context) -> Facts:
    """The facts as the transaction sees them."""
    row = await context.connection.fetchrow(
        "SELECT base_currency, country_code FROM companies WHERE company_id = $1", context.company_id
    )
    assert row is not None, "a transaction is one of a company"
    return Facts(row["base_currency"], row["country_code"], context.today, context.now)
