"""Charging again what was declined and may go through by now, as what is done for each company once a day."""

from ledgerbee.payments.charges import actions
from ledgerbee.payments.charges.store import is_retry_due
from ledgerbee.platform.daily import CompanyDay

#: Whether the next charge of one that failed is due.
is_due = is_retry_due


async def retry_day(day: CompanyDay) -> None:
    """Begin the charges that are due by a day, in transactions of so many each."""
    while await day.read(lambda context: is_retry_due(context, day.day)):
        await day.write(actions.retry_due)
