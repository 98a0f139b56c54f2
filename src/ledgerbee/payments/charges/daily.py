"""Charging again what was declined and may go through by now, and asking once more for what has no answer: what is done
for each company once a day.
"""

from datetime import date
from functools import partial

from ledgerbee.payments.charges import actions, rules, store
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay


async def is_due(context: Context, day: date) -> bool:
    """Whether a charge is to be made again, or looked at again, by a day."""
    return await store.is_anything_due(context, day, rules.left_alone_since(context.now, is_sandbox=context.is_sandbox))


async def charge_day(day: CompanyDay) -> None:
    """Begin the charges that are due by a day, in transactions of so many each, and have others looked at."""
    await day.write(actions.look_again)
    while await day.read(partial(store.list_to_retry, today=day.day, limit=1)):
        await day.write(actions.retry_due)
