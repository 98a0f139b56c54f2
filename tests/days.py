"""A company's day, as the daily tasks get it."""

from typing import Any

from tests.conftest import BLOBS, Api

from ledgerbee.platform.daily import CompanyDay
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer


def job_of(api: Api, **payload: Any) -> JobRun:
    """One run of a job of the company."""
    return JobRun(
        database=api.database,
        mailer=Mailer(None, "a@b.dk"),
        blobs=BLOBS,
        clock=api.clock,
        company_id=api.company_id,
        request_id="test",
        payload=payload,
        attempt=1,
        max_attempts=8,
    )


async def today_of(api: Api) -> CompanyDay:
    """The company's day for its daily tasks."""
    run = job_of(api)
    return CompanyDay(run, await run.tenant(), api.clock().date())
