"""What the layers below `tenancy` ask of the row of the context's company."""

from typing import Final, NamedTuple

from ledgerbee.platform.context import Context

_CALENDAR: Final = "SELECT time_zone, is_sandbox, clock_offset_days FROM companies WHERE company_id = $1"
_CURRENCY_AND_COUNTRY: Final = "SELECT base_currency, country_code FROM companies WHERE company_id = $1"


class Calendar(NamedTuple):
    """What a company's day is counted by: its time zone, and the days by which a sandbox's clock is ahead."""

    time_zone: str
    is_sandbox: bool
    clock_offset: int


async def find_calendar(context: Context) -> Calendar | None:
    """The company's calendar; None while the company is not there."""
    row = await context.connection.fetchrow(_CALENDAR, context.company_id)
    return Calendar(*row) if row else None


async def get_currency_and_country(context: Context) -> tuple[str, str]:
    """The company's base currency and country."""
    row = await context.connection.fetchrow(_CURRENCY_AND_COUNTRY, context.company_id)
    assert row is not None, "a transaction is one of a company"
    return row["base_currency"], row["country_code"]
