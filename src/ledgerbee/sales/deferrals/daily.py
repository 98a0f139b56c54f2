"""Recognising deferred revenue, as what is done for each company once a day."""

from datetime import date
from functools import partial

import structlog

from ledgerbee.core.dates import add_months, first_of_month
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay
from ledgerbee.sales.deferrals import actions, store

log = structlog.get_logger("ledgerbee.revenue")


async def is_due(context: Context, day: date) -> bool:
    """Whether revenue of a month that has ended by a day is still deferred."""
    return await _next_due(context, None, day) is not None


async def recognize_day(day: CompanyDay) -> None:
    """Recognise the revenue of all months that have ended by a day.

    By chunks, each in a transaction of its own: what a worker that died has left, the next one does. Of a month whose
    last day is locked nothing is booked, and no day is moved: the log names it, and so does the report
    (`outstanding` of `GET /v1/deferred-revenue`) until it is open again or is recognised on another day.
    """
    month: date | None = None
    while True:
        month = await day.read(partial(_next_due, after=month, day=day.day))
        if month is None:
            return
        try:
            while (await day.write(partial(actions.recognize_chunk, month=month))).deferrals:
                pass
        except LedgerBeeError as fault:
            if fault.is_passing:
                raise
            log.warning(
                "revenue.not_recognized",
                company_id=str(day.company_id),
                month=f"{month:%Y-%m}",
                code=fault.code,
                error=fault.message,
            )


async def _next_due(context: Context, after: date | None, day: date) -> date | None:
    """The first month after `after` that has ended by a day and is due."""
    return await store.first_due(context, after, add_months(first_of_month(day), -1))
