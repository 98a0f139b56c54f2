"""A sandbox's clock for tests: its job is run in process, with daily tasks of the test's own."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from tests.conftest import BLOBS, Api

from ledgerbee.app.daily import DAILY
from ledgerbee.platform.daily import DailyTask
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer
from ledgerbee.tenancy.clocks.jobs import advance_clock


def job_run(api: Api, **payload: str) -> JobRun:
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


async def ask(api: Api, to_date: date) -> dict[str, Any]:
    """Ask for the clock to be moved; the answer."""
    answer = await api.post("/v1/test-clock/advance", {"toDate": to_date.isoformat()})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def advance(api: Api, to_date: date, tasks: Sequence[DailyTask] = DAILY) -> dict[str, Any]:
    """Move the clock to a day, as the worker would; the clock then."""
    await ask(api, to_date)
    await advance_clock(tasks, job_run(api))
    return await clock_of(api)


async def clock_of(api: Api) -> dict[str, Any]:
    """The test clock as the API shows it."""
    answer = await api.get("/v1/test-clock")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def days_from(first: date, count: int) -> list[date]:
    """So many days, one after the other."""
    return [first + timedelta(days=number) for number in range(count)]
