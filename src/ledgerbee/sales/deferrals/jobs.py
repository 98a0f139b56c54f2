"""Recognising the deferred revenue of all companies, by the clock."""

from contextlib import suppress
from datetime import date, datetime
from functools import partial

import structlog

from ledgerbee.core.dates import add_months, first_of_month
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import UNREACHABLE, Database, Tenant
from ledgerbee.platform.jobs import SYSTEM, company_tenant
from ledgerbee.sales.deferrals import actions, store

log = structlog.get_logger("ledgerbee.revenue")


async def recognize_due(database: Database, _: BlobStore, now: datetime) -> None:
    """Recognise the revenue of months that have ended, company by company. For the timetable.

    By chunks, each in a transaction of its own: what a worker that died has left, the next time does. Of a month whose
    last day is locked nothing is booked, and no day is moved: the log names it, and so does the report
    (`outstanding` of `GET /v1/deferred-revenue`) until it is open again or is recognised on another day.
    """
    async with database.connection() as connection:
        companies = await store.companies_due(connection, now)
    for company_id in companies:
        with suppress(*UNREACHABLE):
            tenant = await company_tenant(database, company_id, new_id().hex, now, SYSTEM)
            await _recognize_company(database, tenant, now)


async def _recognize_company(database: Database, tenant: Tenant, now: datetime) -> None:
    """All months of a company that have ended; one that can't be booked keeps its deferrals, and no others, waiting."""
    month: date | None = None
    while True:
        month = await database.run(tenant, now, partial(_next_due, after=month), read_only=True)
        if month is None:
            return
        try:
            while (await database.run(tenant, now, partial(actions.recognize_chunk, month=month))).deferrals:
                pass
        except LedgerBeeError as fault:
            log.warning(
                "revenue.not_recognized",
                company_id=str(tenant.company_id),
                month=f"{month:%Y-%m}",
                code=fault.code,
                error=fault.message,
            )


async def _next_due(context: Context, after: date | None) -> date | None:
    """The first month after `after` that has ended and is due."""
    return await store.first_due(context, after, add_months(first_of_month(context.today), -1))
