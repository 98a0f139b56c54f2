"""Asking how open disputes stand: what is done for each company once a day."""

from datetime import date

from ledgerbee.payments.disputes import actions, store
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay


async def is_due(context: Context, day: date) -> bool:  # noqa: ARG001  an open one may end on any day
    """Whether a dispute is open."""
    return bool(await store.list_open(context))


async def dispute_day(day: CompanyDay) -> None:
    """Have the disputes looked at that are open."""
    await day.write(actions.look_again)
