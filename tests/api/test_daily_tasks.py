"""What the worker does for each company once a day, at the company's hour."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from structlog.testing import capture_logs
from tests.conftest import BLOBS, Api, SteeredClock, new_company
from tests.ledger_books import as_owner
from tests.sandboxes import advance, ask, job_run

from ledgerbee.core.errors import ErrorCode
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay, DailyTask
from ledgerbee.platform.db import Database
from ledgerbee.tenancy.clocks import store
from ledgerbee.tenancy.clocks.jobs import days_of, run_day, start_days
from ledgerbee.tenancy.clocks.model import DAILY_JOB, DailyRun

REFUSED = ErrorCode("REFUSED", 400, "For the sake of the test")
_JOBS = """
SELECT convert_from(payload, 'UTF8')::json ->> 'day' FROM pgqueuer
WHERE entrypoint = $1 AND convert_from(payload, 'UTF8')::json ->> 'companyId' = $2 ORDER BY id
"""


async def look(api: Api, moment: datetime | None = None) -> list[str]:
    """What the worker's timetable does, at a moment; the days that the company has jobs of."""
    if moment is not None:
        api.clock.now = moment
    await start_days(api.database, BLOBS, api.clock())
    async with api.database.connection() as connection:
        return [row[0] for row in await connection.fetch(_JOBS, DAILY_JOB, str(api.company_id))]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


async def day_of(api: Api, day: str) -> DailyRun | None:
    found: DailyRun | None = await api.run(lambda context: store.find_day(context, date.fromisoformat(day)))
    return found


def noting(days: list[date]) -> DailyTask:
    async def run(day: CompanyDay) -> None:
        days.append(day.day)

    return DailyTask(name="noting", run=run)


async def test_a_day_begins_at_the_hour_of_the_company_and_once(
    http: httpx.AsyncClient, database: Database, clock: SteeredClock
) -> None:
    clock.now = at("03-16T02:00:00")
    api = await new_company(http, database, clock)  # 5 o'clock in Copenhagen is 4 in UTC, 3 in summer time
    assert await look(api) == []
    assert await look(api, at("03-16T03:59:59")) == []
    assert await look(api, at("03-16T04:00:00")) == ["2026-03-16"]
    for hour in (4, 5, 23):
        assert await look(api, at(f"03-16T{hour:02}:30:00")) == ["2026-03-16"]
    assert await look(api, at("03-17T04:00:00")) == ["2026-03-16", "2026-03-17"]
    # The program stood still, and the clocks went forward: today alone is made up for.
    assert (await look(api, at("03-30T03:00:00")))[2:] == ["2026-03-30"]


async def test_the_hour_is_the_companys_to_choose(api: Api) -> None:
    assert await look(api) == ["2026-03-16"]  # noon
    assert (await api.patch("/v1/company", {"dailyHour": 22})).json()["dailyHour"] == 22
    assert await look(api, at("03-17T20:59:00")) == ["2026-03-16"]
    assert await look(api, at("03-17T21:00:00")) == ["2026-03-16", "2026-03-17"]
    assert (await api.patch("/v1/company", {"dailyHour": 0})).status_code == 200
    assert (await look(api, at("03-17T23:00:00")))[2:] == ["2026-03-18"]
    for wrong in (24, -1, "5", 5.5, None):
        assert (await api.patch("/v1/company", {"dailyHour": wrong})).status_code == 400


async def test_a_time_zone_to_the_west_does_no_day_twice(api: Api) -> None:
    assert await look(api, at("03-17T04:00:00")) == ["2026-03-17"]
    await api.patch("/v1/company", {"timeZone": "America/Los_Angeles"})  # 16 March, 21 o'clock
    assert await look(api) == ["2026-03-17", "2026-03-16"]  # nobody had done that day
    assert (await look(api, at("03-17T13:00:00"))) == ["2026-03-17", "2026-03-16"]
    assert (await look(api, at("03-18T13:00:00")))[2:] == ["2026-03-18"]


async def test_two_workers_that_look_at_once_begin_a_day_once(api: Api) -> None:
    await asyncio.gather(*(start_days(api.database, BLOBS, api.clock()) for _ in range(3)))
    assert await look(api) == ["2026-03-16"]


async def test_the_tasks_of_a_day_are_done_in_order_and_once(api: Api) -> None:
    days: list[date] = []
    order: list[str] = []

    async def first(_: CompanyDay) -> None:
        order.append("first")

    async def second(day: CompanyDay) -> None:
        order.append("second")

        async def today(context: Context) -> date:
            return context.today

        days.append(await day.write(today))

    tasks = [DailyTask(name="first", run=first), DailyTask(name="second", run=second)]
    await look(api)
    for _ in range(2):
        await run_day(tasks, job_run(api, day="2026-03-16"))
    assert (order, days) == (["first", "second"], [date(2026, 3, 16)])
    assert await day_of(api, "2026-03-16") == DailyRun(date(2026, 3, 16), True, None)


async def test_a_task_that_fails_keeps_no_other_from_being_done(api: Api) -> None:
    days: list[date] = []
    is_broken = True

    async def run(_: CompanyDay) -> None:
        if is_broken:
            raise REFUSED.error("The meter is broken")

    tasks = [DailyTask(name="broken", run=run), noting(days)]
    await look(api)
    with pytest.raises(Exception, match="The meter is broken"):
        await run_day(tasks, job_run(api, day="2026-03-16"))
    assert days == [date(2026, 3, 16)]
    await days_of(tasks).give_up(job_run(api, day="2026-03-16"), "it was tried 6 times in vain")
    failed = await day_of(api, "2026-03-16")
    assert failed == DailyRun(date(2026, 3, 16), False, "broken: The meter is broken")
    is_broken = False
    await run_day(tasks, job_run(api, day="2026-03-16"))
    assert await day_of(api, "2026-03-16") == DailyRun(date(2026, 3, 16), True, None)


async def test_a_day_whose_workers_died_says_so(api: Api) -> None:
    await look(api)
    await days_of(()).give_up(job_run(api, day="2026-03-16"), "3 workers of the program died with it")
    found = await day_of(api, "2026-03-16")
    assert found is not None
    assert found.failure is not None
    assert found.failure.startswith("3 workers of the program died with it. ")


async def test_a_day_that_is_over_is_left_to_the_next(api: Api) -> None:
    days: list[date] = []
    await look(api)
    api.clock.advance(days=1)
    await run_day([noting(days)], job_run(api, day="2026-03-16"))
    assert days == []


async def test_a_sandbox_does_its_own_day_and_none_twice(
    http: httpx.AsyncClient, database: Database, clock: SteeredClock
) -> None:
    sandbox = await new_company(http, database, clock, is_sandbox=True)
    days: list[date] = []
    await advance(sandbox, date(2026, 5, 1), [noting(days)])
    assert await look(sandbox) == []  # its step did that day
    days.clear()
    assert await look(sandbox, sandbox.clock() + timedelta(days=1)) == ["2026-05-02"]
    await run_day([noting(days)], job_run(sandbox, day="2026-05-02"))
    assert days == [date(2026, 5, 2)]
    await ask(sandbox, date(2026, 5, 3))
    sandbox.clock.advance(days=1)
    assert await look(sandbox) == ["2026-05-02"]  # a step is under way


async def test_days_of_long_ago_are_forgotten(api: Api) -> None:
    await look(api)
    await look(api, api.clock() + timedelta(days=90))
    assert await day_of(api, "2026-03-16") is not None
    await look(api, api.clock() + timedelta(days=1))
    assert await day_of(api, "2026-03-16") is None


async def test_a_fault_of_one_company_keeps_no_other_waiting(api: Api, other_api: Api, database_url: str) -> None:
    await set_time_zone(api, "Nowhere/Nowhere", database_url)
    with capture_logs() as logs:
        assert await look(other_api) == ["2026-03-16"]
    told = {one["company_id"]: one["error"] for one in logs if one["event"] == "daily.not_begun"}
    assert "Nowhere/Nowhere" in told[str(api.company_id)]
    assert str(other_api.company_id) not in told
    await set_time_zone(api, "Europe/Copenhagen", database_url)
    assert await look(api) == ["2026-03-16"]


async def set_time_zone(api: Api, time_zone: str, database_url: str) -> None:
    """Write a company's time zone as nobody can over the API, whatever it is."""
    owner = await as_owner(database_url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(api.company_id))
    await owner.execute("UPDATE companies SET time_zone = $2 WHERE company_id = $1", api.company_id, time_zone)
    await owner.close()
