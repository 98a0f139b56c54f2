"""Setting a company's own exchange rates."""

from datetime import date
from decimal import Decimal

from ledgerbee.core.errors import invalid
from ledgerbee.platform.company import store as companies
from ledgerbee.platform.context import Context
from ledgerbee.platform.rates import store


async def set_own(context: Context, currency: str, on: date, value: Decimal) -> str:
    """Set the company's own rate of a foreign currency for a day; answers with the base currency.

    Raises a validation error for the base currency itself: it is always worth one.
    """
    company = await companies.get(context)
    if currency == company.base_currency:
        raise invalid(("currency", "isForeign", "currency must be another one than the company's base currency"))
    await store.save_own(context, currency, on, value)
    return company.base_currency
