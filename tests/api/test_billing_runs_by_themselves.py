"""Billing runs that start by themselves: after an assignment, once a day, on a sandbox's clock; those broken off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from tests.billing import Biller, periods
from tests.conftest import BLOBS, Api, SteeredClock, new_company
from tests.days import today_of
from tests.ledger_books import as_owner
from tests.sandboxes import advance

from ledgerbee.app.daily import DAILY
from ledgerbee.app.jobs import JOBS
from ledgerbee.app.worker import Limits, Worker
from ledgerbee.billing.runs import process
from ledgerbee.billing.runs.daily import run_day
from ledgerbee.billing.runs.jobs import BILLING_RUNS
from ledgerbee.billing.runs.model import BILLING_RUN_JOB
from ledgerbee.billing.subscriptions.model import BILL_SUBSCRIPTIONS_JOB
from ledgerbee.platform.db import Database
from ledgerbee.platform.mail import Mailer

TIMEOUT_S = 60


@pytest.fixture
def biller(api: Api) -> Biller:
    return Biller(api)


@pytest_asyncio.fixture
async def sandbox(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> Biller:
    """A sandbox of 16 March."""
    return Biller(await new_company(http, database, clock, is_sandbox=True))


@asynccontextmanager
async def working(biller: Biller, limits: Limits | None = None) -> AsyncIterator[Worker]:
    """A worker that bills until the block ends."""
    jobs = {name: JOBS[name] for name in (BILL_SUBSCRIPTIONS_JOB, BILLING_RUN_JOB)}
    worker = Worker(
        biller.api.database, Mailer(None, "a@b.dk"), BLOBS, biller.api.clock, jobs=jobs, limits=limits or Limits()
    )
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await task


async def run_when(biller: Biller, status: str, count: int = 1) -> dict[str, Any]:
    """The newest run once so many are there and it stands where it is wanted."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            found = await biller.ok("GET", "/v1/billing-runs")
            if found["total"] >= count and found["data"][0]["status"] == status:
                return await biller.run(found["data"][0]["id"])
            await asyncio.sleep(0.05)


@asynccontextmanager
async def held(biller: Biller, subscription_ids: list[str], database_url: str) -> AsyncIterator[None]:
    """Somebody else has subscriptions in hand until the block ends: no run comes past them."""
    owner = await as_owner(database_url)
    try:
        async with owner.transaction():
            await owner.execute("SELECT set_config('app.company_id', $1, true)", str(biller.api.company_id))
            held = await owner.fetch(
                "SELECT id FROM subscriptions WHERE id = ANY($1) FOR UPDATE", [UUID(one) for one in subscription_ids]
            )
            assert len(held) == len(subscription_ids)
            yield
    finally:
        await owner.close()


async def forget_jobs(database_url: str) -> None:
    """Remove the jobs of other tests."""
    owner = await as_owner(database_url)
    await owner.execute("DELETE FROM pgqueuer WHERE entrypoint = ANY($1)", [BILL_SUBSCRIPTIONS_JOB, BILLING_RUN_JOB])
    await owner.close()


async def test_the_worker_bills_what_was_assigned(biller: Biller, database_url: str) -> None:
    await forget_jobs(database_url)
    subscription = await biller.subscribe(await biller.plan(await biller.recurring("200")), "2026-03-01")
    assert await biller.invoices() == []
    async with working(biller):
        run = await run_when(biller, "completed")
    assert (run["trigger"], run["subscriptionIds"], run["invoices"]) == ("change", [subscription], 1)
    (invoice,) = await biller.invoices()
    assert run["results"][0]["invoiceId"] == invoice["id"]


async def test_the_worker_carries_out_what_was_asked_for(biller: Biller, database_url: str) -> None:
    plan = await biller.plan(await biller.recurring("200"))
    for _ in range(3):
        await biller.subscribe(plan, "2026-03-01")
    await forget_jobs(database_url)
    await biller.start_run()
    async with working(biller):
        run = await run_when(biller, "completed")
    assert (run["trigger"], run["invoices"], run["processed"]) == ("requested", 3, 3)


async def test_a_worker_that_is_stopped_leaves_the_rest_to_the_next(
    biller: Biller, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await biller.plan(await biller.recurring("200"))
    # Runs go by the ids of who pays, and bill two chunks at once.
    customers = sorted([await biller.customer() for _ in range(6)])
    subscriptions = [await biller.subscribe(plan, "2026-03-01", customer) for customer in customers]
    await forget_jobs(database_url)
    monkeypatch.setattr(process, "CHUNK", 1)
    await biller.start_run()
    async with held(biller, subscriptions[2:4], database_url), working(biller, Limits(grace=timedelta(0))):
        async with asyncio.timeout(TIMEOUT_S):
            while await biller.count("invoices") < 2:  # noqa: ASYNC110  the worker makes them
                await asyncio.sleep(0.01)
    stopped = (await biller.ok("GET", "/v1/billing-runs"))["data"][0]
    assert (stopped["status"], stopped["processed"], stopped["invoices"]) == ("running", 2, 2)
    async with working(biller):
        run = await run_when(biller, "completed")
    assert sorted(one["subscriptionId"] for one in run["results"]) == sorted(subscriptions)
    assert (run["processed"], run["invoices"]) == (6, 6)
    assert len(await biller.invoices()) == 6
    await biller.check_books()


async def test_a_run_that_is_given_up_has_failed_and_keeps_what_it_billed(biller: Biller) -> None:
    run_id = await biller.start_run()
    await BILLING_RUNS.give_up(biller.job(billingRunId=run_id), "it was tried again and again in vain")
    run = await biller.run(run_id)
    assert (run["status"], run["code"]) == ("failed", "BILLING_RUN_GIVEN_UP")
    assert "again and again" in run["message"]
    await BILLING_RUNS.give_up(biller.job(billingRunId=run_id), "once more")
    assert await biller.run(run_id) == run
    assert len(await biller.events("billing.run_completed")) == 1


async def test_the_day_bills_what_is_due(biller: Biller) -> None:
    await biller.subscribe(await biller.plan(await biller.recurring("200")), "2026-03-01")
    await run_day(await today_of(biller.api))
    (run,) = (await biller.ok("GET", "/v1/billing-runs?trigger=daily"))["data"]
    assert (run["status"], run["asOf"], run["invoices"]) == ("completed", "2026-03-16", 1)
    await run_day(await today_of(biller.api))
    assert (await biller.ok("GET", "/v1/billing-runs"))["total"] == 1
    assert len(await biller.invoices()) == 1


async def test_a_sandbox_bills_on_each_of_its_days(sandbox: Biller) -> None:
    plan = await sandbox.plan(await sandbox.recurring("200"))
    subscription = await sandbox.subscribe(plan, "2026-03-16", billingCycleAnchor="2026-01-31")
    await sandbox.bill_changed(subscription)
    clock = await advance(sandbox.api, date(2026, 6, 30), DAILY)
    assert (clock["status"], clock["today"]) == ("idle", "2026-06-30")
    invoices = await sandbox.invoices()
    assert [(one["date"], periods(one)) for one in invoices] == [
        ("2026-03-31", [("2026-03-31", "2026-04-29", "200.00")]),
        ("2026-04-30", [("2026-04-30", "2026-05-30", "200.00")]),
        ("2026-05-31", [("2026-05-31", "2026-06-29", "200.00")]),
        ("2026-06-30", [("2026-06-30", "2026-07-30", "200.00")]),
    ]
    runs = (await sandbox.ok("GET", "/v1/billing-runs?trigger=daily"))["data"]
    assert [one["asOf"] for one in runs] == ["2026-06-30", "2026-05-31", "2026-04-30", "2026-03-31"]
    await sandbox.check_books()


async def test_a_sandbox_passes_a_year_with_a_plan_that_changes(sandbox: Biller) -> None:
    small, large = [await sandbox.plan(await sandbox.recurring(amount)) for amount in ("100", "200")]
    subscription = await sandbox.subscribe(small, "2026-03-16", trialDays=14, prorationBehavior="create_prorations")
    await sandbox.change(subscription, "replace_plan", effectiveDate="2026-06-20", payload={"planId": large})
    await sandbox.cancel(subscription, "specific_date", effectiveDate="2027-01-16")
    await advance(sandbox.api, date(2027, 3, 16), DAILY)
    invoices = await sandbox.invoices()
    assert [one["date"] for one in invoices] == [
        "2026-04-16", "2026-05-16", "2026-06-16", "2026-07-16", "2026-08-16", "2026-09-16", "2026-10-16", "2026-11-16",
        "2026-12-16",
    ]  # fmt: skip
    # the stub after the trial: 17 of 31 days; the change: 26 of 30 days
    assert [one["subtotal"] for one in invoices][:4] == ["154.84", "100.00", "100.00", "286.66"]
    topics = [one["type"] for one in (await sandbox.ok("GET", f"/v1/events?objectId={subscription}&limit=100"))["data"]]
    assert [one for one in topics if one not in {"subscription.billed", "subscription.error"}] == [
        "subscription.assigned", "subscription.started", "subscription.cancellation_scheduled",
        "subscription.trial_ended", "subscription.transitioned", "subscription.churned",
    ]  # fmt: skip
    assert (await sandbox.subscription(subscription))["status"] == "cancelled"
    await sandbox.check_books()


async def test_usage_goes_by_the_clock_of_a_sandbox(sandbox: Biller) -> None:
    meter, usage = await sandbox.metered()
    plan = await sandbox.plan(usage, interval="month")
    subscription = await sandbox.subscribe(plan, "2026-03-16", billingCycleAnchor="2026-03-01")
    await advance(sandbox.api, date(2026, 5, 20), DAILY)
    customer = (await sandbox.subscription(subscription))["customerId"]
    body = {"value": 3, "customerId": customer, "meterId": meter}
    for number, fields in enumerate(({}, {"timestamp": "2026-05-19T10:00:00Z"})):
        answer = await sandbox.api.post(
            "/v1/meters/report", body | fields, headers={"x-api-idempotency-key": f"key-{number}"}
        )
        assert answer.status_code == 202, answer.text
    await advance(sandbox.api, date(2026, 6, 2), DAILY)
    invoice = (await sandbox.invoices())[-1]
    assert (invoice["date"], invoice["subtotal"]) == ("2026-06-01", "12.00")
