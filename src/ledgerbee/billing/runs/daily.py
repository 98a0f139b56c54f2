"""The billing run of each day, among a company's daily tasks."""

from datetime import date

from ledgerbee.billing.runs import actions, store
from ledgerbee.billing.runs.model import BillingRun, BillingRunTrigger
from ledgerbee.billing.runs.process import process
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay


async def is_due(context: Context, day: date) -> bool:
    """Whether there is anything to bill, change or announce by an event on a day."""
    return await store.is_any_due(context, day)


async def run_day(day: CompanyDay) -> None:
    """Bill what is due on a day, here and now. A run of it that was interrupted is resumed, and so are older ones.

    A day has one run: who was refused by it is billed by the next day's, or by one that is asked for.
    """

    async def begin(context: Context) -> list[BillingRun]:
        runs = await store.unfinished(context, BillingRunTrigger.DAILY, day.day)
        is_begun = await store.has_run(context, BillingRunTrigger.DAILY, day.day)
        if not is_begun and await store.is_any_due(context, day.day):
            daily = await actions.start(context, as_of=day.day, trigger=BillingRunTrigger.DAILY, enqueues=False)
            runs.append(daily)
        return runs

    for run in await day.write(begin):
        await process(day, run)
