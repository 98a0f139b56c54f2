"""What the layers below `tenancy` ask of the row of the context's company."""

from typing import Final

from ledgerbee.platform.context import Context

_TIME_ZONE: Final = "SELECT time_zone FROM companies WHERE company_id = $1"
_CURRENCY_AND_COUNTRY: Final = "SELECT base_currency, country_code FROM companies WHERE company_id = $1"


async def find_time_zone(context: Context) -> str | None:
    """The company's time zone; None while the company is not there."""
    time_zone: str | None = await context.connection.fetchval(_TIME_ZONE, context.company_id)
    return time_zone


async def get_currency_and_country(context: Context) -> tuple[str, str]:
    """The company's base currency and country."""
    row = await context.connection.fetchrow(_CURRENCY_AND_COUNTRY, context.company_id)
    assert row is not None, "a transaction is one of a company"
    return row["base_currency"], row["country_code"]
