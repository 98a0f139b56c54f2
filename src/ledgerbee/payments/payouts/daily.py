"""Asking providers what moved and was paid out: what is done for each company once a day."""

from datetime import date

from ledgerbee.payments.payouts import actions, store
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay


async def is_due(context: Context, _: date) -> bool:
    """Whether anything may have been paid out."""
    return await store.is_due(context)


async def read_day(day: CompanyDay) -> None:
    """Have each provider asked by a job of its own."""
    await day.write(actions.begin_looks)
