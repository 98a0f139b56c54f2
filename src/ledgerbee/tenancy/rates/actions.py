"""Setting a company's own exchange rates, and adding published ones."""

from datetime import date, datetime
from decimal import Decimal

from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import rules, store
from ledgerbee.tenancy.rates.ecb import UnreadableRatesError
from ledgerbee.tenancy.rates.model import COMPANY, Added, Published, Rate
from ledgerbee.tenancy.rates.wire import render


async def set_own(context: Context, currency: str, on: date, value: Decimal) -> str:
    """Set the company's own rate of a foreign currency for a day; answers with the base currency.

    Emits `exchange_rate.set` on the company, unless the rate was the company's own already; `before` is the rate that
    held until then, published or own (null: none). Raises a validation error for the base currency itself:
    it is always worth one.
    """
    company = await companies.get(context)
    rules.check_foreign(currency, company.base_currency)
    before = await store.find(context, currency, on)
    if before == Rate(value, on, COMPANY):
        return company.base_currency
    await store.upsert_own(context, currency, on, value)
    context.emit(
        "exchange_rate.set",
        context.company_id,
        render(currency, company.base_currency, on, Rate(value, on, COMPANY)).as_event(),
        before=render(currency, company.base_currency, on, before).as_event() if before else None,
    )
    return company.base_currency


async def add_published(owner: Connection, published: Published, now: datetime) -> Added:
    """Add the days that are not stored yet, for everyone; `owner` logs in as the schema's owner.

    Several may add the same days at once: one does. Raises `UnreadableRatesError` for a day that is yet to come, which
    nobody can have published.
    """
    newest = max(published)
    if rules.age(newest, now) < 0:
        raise UnreadableRatesError(f"{newest.isoformat()} is yet to come")
    async with store.adding(owner):
        added = rules.new_days(published, await store.stored_days(owner, min(published), newest))
        await store.insert_published(
            owner, [(code, day, rate) for day in added.days for code, rate in published[day].items()]
        )
    return added
