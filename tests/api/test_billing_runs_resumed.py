"""Billing runs that were interrupted, and days that are run again: nothing is counted or announced twice."""

from functools import partial
from uuid import UUID

import pytest
from tests.api.test_billing_runs_refused import set_account
from tests.api.test_invoices_sending import NORWEGIAN
from tests.billing import Biller
from tests.conftest import Api
from tests.days import today_of

from ledgerbee.billing.runs import process, store
from ledgerbee.billing.runs.daily import run_day


@pytest.fixture
def biller(api: Api) -> Biller:
    return Biller(api)


async def test_a_dry_run_that_was_interrupted_counts_each_once(biller: Biller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "CHUNK", 1)
    monkeypatch.setattr(process, "AT_ONCE", 1)
    plan = await biller.plan(await biller.recurring("200"))
    subscriptions = {await biller.subscribe(plan, "2026-03-01") for _ in range(3)}
    run_id = await biller.start_run(dryRun=True)
    job = biller.job()
    run = await job.read(partial(store.get, run_id=UUID(run_id)))

    def interrupt(_: int) -> None:
        raise ConnectionError("the database is away")

    with pytest.raises(ConnectionError):
        await process.process(job, run, interrupt)
    interrupted = await biller.run(run_id)
    assert (interrupted["status"], interrupted["processed"]) == ("running", 1)
    resumed = await biller.carry_out(run_id)
    assert (resumed["status"], resumed["processed"], resumed["invoices"]) == ("completed", 3, 3)
    assert len(resumed["results"]) == 3
    assert {one["subscriptionId"] for one in resumed["results"]} == subscriptions
    assert await biller.invoices() == []


async def test_a_day_that_is_run_again_refuses_nobody_twice(biller: Biller) -> None:
    plan = await biller.plan(await biller.recurring("200"))
    subscription = await biller.subscribe(plan, "2026-03-01", await biller.customer(**NORWEGIAN))
    await set_account(biller, "is_active = false")
    for _ in range(2):
        await run_day(await today_of(biller.api))
    listed = (await biller.ok("GET", "/v1/billing-runs?trigger=daily"))["data"]
    assert [(one["status"], one["refused"]) for one in listed] == [("completed", 1)]
    errors = await biller.events("subscription.error")
    assert [(one["id"], one["errorType"]) for one in errors] == [(subscription, "billing_failed")]
    await set_account(biller, "is_active = true")
    biller.on("2026-03-17")
    await run_day(await today_of(biller.api))
    assert len(await biller.invoices()) == 1
