"""Sandboxes: making them, moving their day ahead, and what follows the day."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio
from tests.api.instances import instance
from tests.conftest import Api, SteeredClock, new_company
from tests.ledger_books import enter
from tests.sandboxes import advance, ask, clock_of, days_from, job_run
from tests.selling import Shop, line

from ledgerbee.app.daily import DAILY
from ledgerbee.app.verify import verify
from ledgerbee.core.errors import ErrorCode
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.store import refresh_company
from ledgerbee.platform.daily import CompanyDay, DailyTask
from ledgerbee.platform.db import Database, NameTakenError
from ledgerbee.tenancy.clocks import store
from ledgerbee.tenancy.clocks.jobs import advance_clock, advances_of, give_up_advance

TODAY = date(2026, 3, 16)
REFUSED = ErrorCode("REFUSED", 400, "For the sake of the test")


@pytest_asyncio.fixture
async def sandbox(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> Api:
    """A new Danish sandbox."""
    return await new_company(http, database, clock, is_sandbox=True)


def noting(days: list[date], is_due: Callable[[Context, date], Awaitable[bool]] | None = None) -> DailyTask:
    """A task that notes its days, after it looked at what its transactions take for today."""

    async def run(day: CompanyDay) -> None:
        async def today(context: Context) -> date:
            return context.today

        assert await day.write(today) == await day.read(today) == day.day
        days.append(day.day)

    return DailyTask(name="noting", run=run, is_due=is_due)


async def today_of(api: Api) -> str:
    found: str = (await api.get("/v1/company")).json()["today"]
    return found


async def test_a_sandbox_charges_no_card_of_a_customer(sandbox: Api) -> None:
    live = {"isEnabled": True, "keys": {"secretKey": "sk_live_hush", "webhookSecret": "whsec_hush"}}
    refused = await sandbox.put("/v1/payment-providers/stripe", live)
    assert refused.status_code == 400, refused.text
    assert "hush" not in refused.text
    (problem,) = refused.json()["details"]["validationErrors"]
    assert (problem["property"], list(problem["constraints"])) == ("keys.secretKey", ["isTestKey"])
    assert (await sandbox.get("/v1/payment-providers/stripe")).json()["hasKeys"] is False


async def test_a_sandbox_is_made_over_the_api(api: Api) -> None:
    answer = await api.post("/v1/companies", {"name": "Prøve ApS", "countryCode": "DK", "sandbox": True})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["isSandbox"] is True
    sandbox = Api(api.http, UUID(made["id"]), made["key"], api.database, api.clock)
    company = (await sandbox.get("/v1/company")).json()
    assert (company["isSandbox"], company["today"], company["dailyHour"]) == (True, "2026-03-16", 5)
    assert await clock_of(sandbox) == {
        "today": "2026-03-16",
        "realToday": "2026-03-16",
        "status": "idle",
        "advancingTo": None,
        "progress": None,
        "failure": None,
    }
    own = (await api.get("/v1/company")).json()
    assert (own["isSandbox"], own["today"]) == (False, "2026-03-16")


async def test_an_ordinary_company_has_no_test_clock(api: Api) -> None:
    for answer in (
        await api.get("/v1/test-clock"),
        await api.post("/v1/test-clock/advance", {"toDate": "2026-04-01"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "TEST_CLOCK_UNAVAILABLE")
        assert answer.json()["details"] == {"companyId": str(api.company_id)}


async def test_a_company_makes_ten_sandboxes(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> None:
    maker = await new_company(http, database, clock)
    body = {"name": "Prøve ApS", "countryCode": "DK", "sandbox": True}
    for _ in range(10):
        assert (await maker.post("/v1/companies", body)).status_code == 201
        clock.advance(days=1)  # how many companies there may be in a day is another limit
    refused = await maker.post("/v1/companies", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "SANDBOX_LIMIT_REACHED")
    assert refused.json()["details"] == {"limit": 10}
    assert (await maker.post("/v1/companies", {**body, "sandbox": False})).status_code == 201
    wrong = await maker.post("/v1/companies", {**body, "sandbox": "true"})
    assert wrong.status_code == 400


async def test_each_day_comes_in_order_and_is_told_at_the_end(sandbox: Api) -> None:
    days: list[date] = []
    began = await ask(sandbox, date(2026, 3, 20))
    assert (began["status"], began["today"], began["advancingTo"]) == ("advancing", "2026-03-16", "2026-03-20")
    assert began["progress"] == {"day": 0, "of": 4}
    await advance_clock([noting(days)], job_run(sandbox))
    assert days == days_from(TODAY, 5)  # today's tasks too: nobody did them
    assert await clock_of(sandbox) == {
        "today": "2026-03-20",
        "realToday": "2026-03-16",
        "status": "idle",
        "advancingTo": None,
        "progress": None,
        "failure": None,
    }
    (told,) = (await sandbox.get("/v1/events", params={"types": "test_clock.advanced"})).json()["data"]
    assert told["data"] | {"sequence": 0} == {
        "sequence": 0, "from": "2026-03-16", "today": "2026-03-20", "realToday": "2026-03-16",
    }  # fmt: skip
    assert told["timestamp"] == "2026-03-16T12:00:00.000Z"  # when it really was
    days.clear()
    await advance(sandbox, date(2026, 3, 21), [noting(days)])
    assert days == [date(2026, 3, 21)]


async def test_today_does_what_was_not_done_today(sandbox: Api) -> None:
    days: list[date] = []
    for _ in range(2):
        await advance(sandbox, TODAY, [noting(days)])
    assert days == [TODAY]


async def test_days_on_which_nothing_is_due_are_passed_over(sandbox: Api) -> None:
    days: list[date] = []

    async def is_due(_: Context, day: date) -> bool:
        return day.day == 1

    await advance(sandbox, TODAY + timedelta(days=750), [noting(days, is_due)])
    assert days == [day for day in days_from(TODAY, 751) if day.day == 1]
    assert await today_of(sandbox) == "2028-04-04"


async def test_where_one_task_is_due_all_are_run(sandbox: Api) -> None:
    days: list[date] = []

    async def is_due(_: Context, day: date) -> bool:
        return day.day == 20

    async def never(_: Context, __: date) -> bool:
        return False

    await advance(sandbox, date(2026, 3, 31), [noting(days, never), noting(days, is_due)])
    assert days == [date(2026, 3, 20)] * 2


async def test_days_that_a_clock_cannot_be_moved_to(sandbox: Api) -> None:
    await advance(sandbox, date(2026, 4, 1))
    for to_date, rule in (("2026-03-31", "minDate"), ("2028-04-21", "maxDate"), ("soon", None), (None, None)):
        answer = await sandbox.post("/v1/test-clock/advance", {"toDate": to_date})
        assert answer.status_code == 400, answer.text
        (error,) = answer.json()["details"]["validationErrors"]
        assert error["property"] == "toDate"
        assert rule is None or rule in error["constraints"]
    assert (await clock_of(sandbox))["status"] == "idle"
    assert (await sandbox.post("/v1/test-clock/advance", {"toDate": "2028-04-20"})).status_code == 202


async def test_a_clock_goes_no_further_than_a_hundred_years(sandbox: Api) -> None:
    async def a_century(context: Context) -> None:
        await store.move_to(context, date(2126, 2, 18))
        await refresh_company(context)

    await sandbox.run(a_century)
    assert (await sandbox.post("/v1/test-clock/advance", {"toDate": "2126-04-01"})).status_code == 400
    assert (await advance(sandbox, date(2126, 3, 17)))["today"] == "2126-03-17"


async def test_a_second_step_waits_for_the_first(sandbox: Api) -> None:
    answers = await asyncio.gather(
        *(sandbox.post("/v1/test-clock/advance", {"toDate": f"2026-04-{day:02}"}) for day in range(1, 7))
    )
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409, 409]
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"TEST_CLOCK_ADVANCING"}
    (asked,) = [one.json()["advancingTo"] for one in answers if one.status_code == 202]
    await advance_clock(DAILY, job_run(sandbox))
    assert (await clock_of(sandbox))["today"] == asked


async def test_one_worker_at_a_time_moves_a_clock(sandbox: Api) -> None:
    days: list[date] = []
    second: list[Exception] = []

    async def run(day: CompanyDay) -> None:
        days.append(day.day)
        with pytest.raises(NameTakenError) as taken:
            await advance_clock(DAILY, job_run(sandbox))
        second.append(taken.value)

    await advance(sandbox, date(2026, 3, 18), [DailyTask(name="again", run=run)])
    assert days == days_from(TODAY, 3)
    assert all(advances_of(DAILY).is_foreseen(fault) for fault in second)
    await advance_clock(DAILY, job_run(sandbox))  # run once more: there is nothing to do
    assert (await clock_of(sandbox))["today"] == "2026-03-18"


async def test_a_task_that_fails_keeps_the_day_and_says_why(sandbox: Api) -> None:
    days: list[date] = []
    is_broken = True

    async def run(day: CompanyDay) -> None:
        if is_broken and day.day == date(2026, 3, 18):
            raise REFUSED.error("The meter is broken")

    tasks = [DailyTask(name="broken", run=run), noting(days)]
    await ask(sandbox, date(2026, 3, 20))
    for _ in range(2):
        with pytest.raises(Exception, match="The meter is broken"):
            await advance_clock(tasks, job_run(sandbox))
    assert (await clock_of(sandbox))["progress"] == {"day": 2, "of": 4}
    await give_up_advance(job_run(sandbox), "it was tried twice in vain")
    failed = await clock_of(sandbox)
    assert (failed["status"], failed["today"], failed["advancingTo"]) == ("failed", "2026-03-18", "2026-03-20")
    assert failed["failure"] == "broken: The meter is broken"
    assert days == [*days_from(TODAY, 3), date(2026, 3, 18)]  # the others were done, and again with the second try
    told = (await sandbox.get("/v1/events", params={"types": "test_clock.advanced,test_clock.failed"})).json()["data"]
    assert [(one["type"], one["data"]["today"], one["data"]["failure"]) for one in told] == [
        ("test_clock.failed", "2026-03-18", "broken: The meter is broken")
    ]
    days.clear()
    is_broken = False
    assert (await advance(sandbox, date(2026, 3, 19), tasks))["status"] == "idle"
    assert days == [date(2026, 3, 18), date(2026, 3, 19)]


async def test_a_step_that_was_broken_off_goes_on_where_it_was(sandbox: Api) -> None:
    days: list[date] = []

    async def run(day: CompanyDay) -> None:
        if day.day == date(2026, 3, 18) and days.count(day.day) == 1:
            raise asyncio.CancelledError

    await ask(sandbox, date(2026, 3, 19))
    with pytest.raises(asyncio.CancelledError):
        await advance_clock([noting(days), DailyTask(name="breaking", run=run)], job_run(sandbox))
    await advance_clock([noting(days), DailyTask(name="breaking", run=run)], job_run(sandbox))
    assert days == [*days_from(TODAY, 3), date(2026, 3, 18), date(2026, 3, 19)]


async def test_a_day_that_was_given_up_says_the_reason_where_no_task_did(sandbox: Api) -> None:
    await ask(sandbox, date(2026, 3, 19))
    await give_up_advance(job_run(sandbox), "3 workers of the program died with it")
    failure = (await clock_of(sandbox))["failure"]
    assert failure == "3 workers of the program died with it. The log of the program has the error under request test."


async def test_every_process_sees_a_moved_day_at_once(sandbox: Api, database_url: str) -> None:
    headers = {"x-api-key": sandbox.key}
    async with instance(database_url, sandbox.clock) as other_process:

        async def there() -> str:
            found: str = (await other_process.get("/api/v1/company", headers=headers)).json()["today"]
            return found

        assert await there() == "2026-03-16"
        for day in days_from(date(2026, 3, 17), 5):
            await advance(sandbox, day)
            assert await there() == await today_of(sandbox) == day.isoformat()


async def test_requests_go_on_while_a_clock_is_moved(sandbox: Api) -> None:
    await ask(sandbox, TODAY + timedelta(days=60))
    moving = asyncio.create_task(advance_clock(DAILY, job_run(sandbox)))
    seen = []
    while not moving.done():
        answer = await sandbox.get("/v1/company")
        assert answer.status_code == 200, answer.text
        seen.append(answer.json()["today"])
    await moving
    assert seen == sorted(seen)
    assert await today_of(sandbox) == "2026-05-15"


async def test_the_day_line_is_that_of_the_time_zone(sandbox: Api) -> None:
    """23:30 UTC: tomorrow in Copenhagen, today in New York. The clocks go forward on 29 March."""
    await advance(sandbox, date(2026, 3, 30))
    sandbox.clock.now = datetime(2026, 3, 16, 23, 30, tzinfo=UTC)
    assert (await clock_of(sandbox)) | {"status": ""} == {
        "today": "2026-03-31", "realToday": "2026-03-17", "status": "", "advancingTo": None, "progress": None,
        "failure": None,
    }  # fmt: skip

    async def company_now(context: Context) -> datetime:
        assert context.now == sandbox.clock.now
        return context.company_now

    moment = await job_run(sandbox).read(company_now)
    assert moment == datetime(2026, 3, 30, 22, 30, tzinfo=UTC)  # half past midnight there, in summer time
    answer = await sandbox.patch("/v1/company", {"timeZone": "America/New_York"})
    assert answer.json()["today"] == await today_of(sandbox) == "2026-03-30"


async def test_midnight_passes_while_a_clock_is_moved(sandbox: Api) -> None:
    days: list[date] = []

    async def run(day: CompanyDay) -> None:
        if day.day == date(2026, 3, 17):
            sandbox.clock.advance(days=1)

    await advance(sandbox, date(2026, 3, 19), [DailyTask(name="long", run=run), noting(days)])
    assert days == days_from(TODAY, 4)
    assert await clock_of(sandbox) | {"status": ""} == {
        "today": "2026-03-19", "realToday": "2026-03-17", "status": "", "advancingTo": None, "progress": None,
        "failure": None,
    }  # fmt: skip


async def test_business_is_dated_by_the_sandboxs_day_and_recorded_when_it_was(sandbox: Api) -> None:
    shop = Shop(sandbox)
    await advance(sandbox, date(2027, 2, 1))
    invoice = await shop.draft(await shop.customer(), line(await shop.price("100")), date="2027-02-01")
    for day, status in (("2028-02-01", 201), ("2028-02-02", 400)):  # a year ahead, and no further
        assert (await sandbox.post("/v1/invoices", {**_copy(invoice), "date": day})).status_code == status
    sent = await shop.send(invoice)
    assert (sent["date"], sent["dueDate"]) == ("2027-02-01", "2027-02-15")
    assert sent["createdAt"].startswith("2026-03-16T12:00")
    paid = await sandbox.post(f"/v1/invoices/{invoice['id']}/payments", {"date": "2027-02-01", "amount": "125.00"})
    assert paid.status_code == 201, paid.text
    (entry, *_) = (await sandbox.get("/v1/journal-entries")).json()["data"]
    assert (entry["date"], entry["postedAt"][:10]) == ("2027-02-01", "2026-03-16")
    assert (await sandbox.run(verify, one_snapshot=True)).passed


def _copy(invoice: dict[str, Any]) -> dict[str, Any]:
    lines = [{"priceId": one["priceId"], "quantity": one["quantity"]} for one in invoice["lines"]]
    return {"customerId": invoice["customerId"], "lines": lines}


async def test_the_financial_years_that_a_clock_passes_are_opened(sandbox: Api) -> None:
    await advance(sandbox, date(2028, 2, 1))
    years = (await sandbox.get("/v1/fiscal-years")).json()
    assert [year["startDate"] for year in years] == ["2026-01-01", "2027-01-01", "2028-01-01"]
    told = (await sandbox.get("/v1/audit-events", params={"type": "fiscal_year.opened"})).json()["data"]
    assert len(told) == 2


async def test_a_sandbox_stays_one_and_its_day_is_the_workers_to_move(
    api: Api, sandbox: Api, database_url: str
) -> None:
    owner = await asyncpg.connect(database_url)
    for company, role, change, state in (
        (api, "NONE", "is_sandbox = true", "LB433"),
        (sandbox, "NONE", "is_sandbox = false", "LB433"),
        (api, "NONE", "clock_offset_days = 1", "23514"),
        (sandbox, "NONE", "clock_offset_days = -1", "23514"),
        (sandbox, "ledgerbee_app", "clock_offset_days = 1", "LB433"),
        (sandbox, "NONE", "clock_offset_days = 1", None),
    ):
        transaction = owner.transaction()
        await transaction.start()
        await enter(owner, company.company_id)
        await owner.execute(f"SET LOCAL ROLE {role}")
        found = None
        try:
            await owner.execute(f"UPDATE companies SET {change} WHERE company_id = '{company.company_id}'")
        except asyncpg.PostgresError as fault:
            found = fault.sqlstate
        assert found == state, change
        await transaction.rollback()
    await owner.close()
