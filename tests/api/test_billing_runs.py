"""Billing runs over HTTP: what is billed, how often, and what is told of it."""

import asyncio
from datetime import date, timedelta

import pytest
from tests.billing import Biller, outcomes, periods
from tests.conftest import Api

from ledgerbee.billing.runs import process
from ledgerbee.billing.runs.jobs import carry_out


@pytest.fixture
def biller(api: Api) -> Biller:
    return Biller(api)


async def test_each_period_is_an_invoice_of_its_own(biller: Biller) -> None:
    customer = await biller.customer(email="buyer@havblik.example")
    subscription = await biller.subscribe(await biller.plan(await biller.recurring("200")), "2026-01-10", customer)
    run = await biller.bill_changed(subscription)
    assert (run["status"], run["trigger"], run["processed"], run["invoices"]) == ("completed", "change", 1, 3)
    invoices = await biller.invoices()
    assert [(one["number"], one["date"], one["amount"], one["status"]) for one in invoices] == [
        (str(number), "2026-03-16", "250.00", "scheduled") for number in (1, 2, 3)
    ]
    assert [periods(one) for one in invoices] == [
        [("2026-01-10", "2026-02-09", "200.00")],
        [("2026-02-10", "2026-03-09", "200.00")],
        [("2026-03-10", "2026-04-09", "200.00")],
    ]
    found = [(one["outcome"], one["invoiceId"], one["amount"], one["servicePeriodEnd"]) for one in run["results"]]
    ends = ("2026-02-09", "2026-03-09", "2026-04-09")
    assert found == [("invoiced", one["id"], "200.00", end) for one, end in zip(invoices, ends, strict=True)]
    entry = await biller.entry(invoices[0]["journalEntryId"])
    assert sum(line.base_amount for line in entry.content.lines) > 0
    await biller.check_books()


async def test_what_is_billed_is_told(biller: Biller) -> None:
    subscription = await biller.subscribe(await biller.plan(await biller.recurring("200")), "2026-03-01")
    run = await biller.bill()
    (invoice,) = await biller.invoices()
    (billed,) = await biller.events("subscription.billed")
    assert (billed["subscriptionId"], billed["invoiceId"]) == (subscription, invoice["id"])
    assert [one["id"] for one in await biller.events("invoice.sent")] == [invoice["id"]]
    assert [one["id"] for one in await biller.events("billing.invoice_sent")] == [invoice["id"]]
    (completed,) = await biller.events("billing.run_completed")
    assert (completed["id"], completed["status"], completed["invoices"]) == (run["id"], "completed", 1)
    audit = (await biller.ok("GET", "/v1/audit-events?limit=100"))["data"]
    assert {"subscription.billed", "billing.run_completed", "invoice.sent"} <= {one["type"] for one in audit}


async def test_a_parent_pays_its_children_by_one_invoice(biller: Biller) -> None:
    parent = await biller.customer(name="Havblik Holding A/S")
    pays = {"parentCustomerId": parent, "billingRelationship": "parent_pays"}
    amounts = {}
    for amount in ("200.00", "300.00"):
        plan = await biller.plan(await biller.recurring(amount))
        amounts[await biller.subscribe(plan, "2026-03-01", await biller.customer(**pays))] = amount
    own = await biller.subscribe(await biller.plan(await biller.recurring("50")), "2026-03-01", parent)
    run = await biller.bill()
    both, alone = sorted(await biller.invoices(), key=lambda one: len(one["lines"]), reverse=True)
    assert {one["customerId"] for one in (both, alone)} == {parent}
    assert sorted(line["totalPrice"] for line in both["lines"] if line["totalPrice"]) == ["200.00", "300.00"]
    assert (both["subtotal"], alone["subtotal"]) == ("500.00", "50.00")
    found = {one["subscriptionId"]: (one["outcome"], one["invoiceId"], one["amount"]) for one in run["results"]}
    assert found == {one: ("invoiced", both["id"], amount) for one, amount in amounts.items()} | {
        own: ("invoiced", alone["id"], "50.00")
    }
    assert run["total"] == 3
    await biller.check_books()


async def test_a_run_is_listed_and_read_by_pages(biller: Biller) -> None:
    plan = await biller.plan(await biller.recurring())
    subscriptions = [await biller.subscribe(plan, "2026-03-01") for _ in range(3)]
    run_id = await biller.start_run()
    queued = await biller.run(run_id)
    assert (queued["status"], queued["results"], queued["startedAt"]) == ("queued", [], None)
    run = await biller.carry_out(run_id)
    assert (run["status"], run["asOf"], run["dryRun"], run["total"]) == ("completed", "2026-03-16", False, 3)
    assert {one["subscriptionId"] for one in run["results"]} == set(subscriptions)
    first = (await biller.api.get(f"/v1/billing-runs/{run_id}?limit=2")).json()
    second = (await biller.api.get(f"/v1/billing-runs/{run_id}?limit=2&page=2")).json()
    assert first["results"] + second["results"] == run["results"]
    assert (first["totalPages"], second["page"]) == (2, 2)
    assert (await biller.run(run_id, outcome="refused"))["results"] == []
    other = await biller.bill()
    listed = await biller.ok("GET", "/v1/billing-runs")
    assert [one["id"] for one in listed["data"]] == [other["id"], run_id]
    assert (await biller.ok("GET", "/v1/billing-runs?trigger=daily"))["total"] == 0


async def test_run_twice_bills_once(biller: Biller) -> None:
    await biller.subscribe(await biller.plan(await biller.recurring()), "2026-03-01")
    run_id = await biller.start_run()
    await biller.carry_out(run_id)
    assert (await biller.carry_out(run_id))["invoices"] == 1
    assert (await biller.bill())["processed"] == 0
    assert len(await biller.invoices()) == 1
    assert len(await biller.events("billing.run_completed")) == 2


async def test_runs_at_the_same_time_bill_once(biller: Biller) -> None:
    plan = await biller.plan(await biller.recurring())
    subscriptions = [await biller.subscribe(plan, "2026-02-01") for _ in range(12)]
    runs = [await biller.start_run() for _ in range(3)]
    jobs = [carry_out(biller.job(billingRunId=run)) for run in (*runs, runs[0])]
    await asyncio.gather(*jobs)
    found = [await biller.run(run) for run in runs]
    assert {run["status"] for run in found} == {"completed"}
    results = [one for run in found for one in run["results"]]
    assert sorted(one["subscriptionId"] for one in results) == sorted(subscriptions * 2)
    invoices = await biller.invoices()
    assert [one["number"] for one in invoices] == [str(number) for number in range(1, 25)]
    assert len(await biller.events("billing.run_completed")) == 3
    await biller.check_books()


async def test_the_next_period_is_billed_when_it_comes(biller: Biller) -> None:
    subscription = await biller.subscribe(await biller.plan(await biller.recurring("200")), "2026-03-01")
    await biller.bill()
    biller.on("2026-03-31")
    assert (await biller.bill())["processed"] == 0
    biller.on("2026-04-01")
    await biller.bill()
    assert [periods(one) for one in await biller.invoices()] == [
        [("2026-03-01", "2026-03-31", "200.00")],
        [("2026-04-01", "2026-04-30", "200.00")],
    ]
    assert (await biller.subscription(subscription))["nextBillingDate"] == "2026-05-01"


async def test_a_run_bills_up_to_a_day_that_is_past(biller: Biller) -> None:
    await biller.subscribe(await biller.plan(await biller.recurring()), "2026-01-01")
    run = await biller.bill(asOf="2026-02-15")
    assert (run["asOf"], run["invoices"]) == ("2026-02-15", 2)
    assert {one["date"] for one in await biller.invoices()} == {"2026-03-16"}
    assert (await biller.bill())["invoices"] == 1


async def test_a_run_bills_only_what_it_is_told_to(biller: Biller, other_api: Api) -> None:
    plan = await biller.plan(await biller.recurring())
    wanted, other = [await biller.subscribe(plan, "2026-03-01") for _ in range(2)]
    run = await biller.bill(subscriptionIds=[wanted])
    assert [one["subscriptionId"] for one in run["results"]] == [wanted]
    assert run["subscriptionIds"] == [wanted]
    details = await Biller(other_api).refused(
        "POST", "/v1/billing-runs", {"subscriptionIds": [other]}, 404, "SUBSCRIPTION_NOT_FOUND"
    )
    assert details["property"] == "subscriptionIds.0"


@pytest.mark.parametrize(
    "body",
    [
        {"asOf": "2026-03-17"},
        {"asOf": "16-03-2026"},
        {"dryRun": 1},
        {"dryRun": None},
        {"confirmCatchUp": "true"},
        {"subscriptionIds": []},
        {"subscriptionIds": ["x"]},
        {"subscriptionIds": ["01890000-0000-7000-8000-000000000000"] * 2},
        {"until": "2026-03-16"},
    ],
)
async def test_what_can_not_be_asked_for_starts_nothing(biller: Biller, body: dict[str, object]) -> None:
    await biller.refused("POST", "/v1/billing-runs", body, 400, "SHARED_VALIDATION_FAILED")
    assert (await biller.ok("GET", "/v1/billing-runs"))["total"] == 0


async def test_a_dry_run_says_what_a_run_does_and_changes_nothing(biller: Biller) -> None:
    plan = await biller.plan(await biller.recurring("100"))
    stub = {"billingCycleAnchor": "2026-03-01", "prorationBehavior": "always_invoice"}
    subscriptions = [
        await biller.subscribe(plan, "2026-02-01"),
        await biller.subscribe(plan, "2026-03-11", **stub),
    ]
    tables = ("invoices", "journal_entries", "subscription_charges", "deliveries", "subscription_versions")
    before = [await biller.count(table) for table in tables]
    shown = [await biller.subscription(one) for one in subscriptions]
    events = (await biller.ok("GET", "/v1/events?limit=100"))["data"]
    dry = await biller.bill(dryRun=True)
    assert (dry["status"], dry["invoices"], dry["processed"], dry["dryRun"]) == ("completed", 3, 2, True)
    assert [await biller.count(table) for table in tables] == before
    assert [await biller.subscription(one) for one in subscriptions] == shown
    assert (await biller.ok("GET", "/v1/events?limit=100"))["data"] == events
    run = await biller.bill()
    assert {one["invoiceId"] for one in dry["results"]} == {None}
    without_ids = [{**one, "invoiceId": None} for one in run["results"]]
    assert dry["results"] == without_ids
    assert [one["number"] for one in await biller.invoices()] == ["1", "2", "3"]


async def test_a_dry_run_may_look_ahead(biller: Biller) -> None:
    await biller.subscribe(await biller.plan(await biller.recurring("100")), "2026-03-01")
    dry = await biller.bill(dryRun=True, asOf="2026-06-15")
    assert [one["servicePeriodStart"] for one in dry["results"]] == [
        "2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01",
    ]  # fmt: skip
    assert await biller.invoices() == []


async def test_many_periods_are_billed_after_a_word_in_steps_and_oldest_first(biller: Biller) -> None:
    start = date(2026, 3, 16) - timedelta(days=59)
    price = await biller.recurring("10", interval="day")
    subscription = await biller.subscribe(await biller.plan(price), start.isoformat())
    other = await biller.subscribe(await biller.plan(await biller.recurring()), "2026-03-01")
    run = await biller.bill_changed(subscription)
    assert outcomes(run) == [("skipped", "needs_confirmation")]
    assert (run["skipped"], run["processed"], await biller.invoices()) == (1, 1, [])
    again = await biller.bill()
    assert sorted(outcomes(again)) == [("invoiced", None), ("skipped", "needs_confirmation")]
    assert next(one for one in again["results"] if one["outcome"] == "invoiced")["subscriptionId"] == other
    confirmed = await biller.bill(confirmCatchUp=True)
    assert (confirmed["status"], confirmed["invoices"], confirmed["processed"]) == ("completed", 60, 1)
    charges = [await biller.invoice(one["invoiceId"]) for one in confirmed["results"]]
    days = [(start + timedelta(days=number)).isoformat() for number in range(60)]
    assert [periods(one) for one in charges] == [[(day, day, "10.00")] for day in days]
    assert [one["number"] for one in charges] == [str(number) for number in range(2, 62)]
    assert {one["date"] for one in charges} == {"2026-03-16"}
    assert (await biller.subscription(subscription))["nextBillingDate"] == "2026-03-17"
    await biller.check_books()


async def test_24_periods_need_no_word(biller: Biller) -> None:
    start = date(2026, 3, 16) - timedelta(days=23)
    await biller.subscribe(await biller.plan(await biller.recurring("10", interval="day")), start.isoformat())
    assert (await biller.bill())["invoices"] == 24


async def test_a_period_that_costs_nothing_makes_no_invoice(biller: Biller) -> None:
    subscription = await biller.subscribe(await biller.plan(await biller.recurring("0")), "2026-03-01")
    run = await biller.bill()
    assert outcomes(run) == [("advanced", None)]
    assert await biller.invoices() == []
    assert [one["amount"] for one in await biller.charges(subscription)] == ["0.00"]
    assert (await biller.bill())["processed"] == 0


async def test_the_customer_groups_discount_of_the_day_applies(biller: Biller) -> None:
    groups = await biller.ok("GET", "/v1/customer-groups")
    body = {"number": "R", "name": "Rabat", "accountId": groups[0]["accountId"], "discount": "10"}
    group = await biller.ok("POST", "/v1/customer-groups", body)
    customer = await biller.customer(customerGroupId=group["id"])
    await biller.subscribe(await biller.plan(await biller.recurring("200")), "2026-03-01", customer)
    await biller.bill()
    (invoice,) = await biller.invoices()
    assert (invoice["subtotal"], invoice["amount"]) == ("180.00", "225.00")


async def test_late_usage_is_billed_on_the_next_invoice(biller: Biller) -> None:
    meter, price = await biller.metered("2")
    subscription = await biller.subscribe(await biller.plan(await biller.recurring("100"), price), "2026-02-01")
    await biller.use(meter, subscription, "10", "2026-02-10")
    await biller.bill()
    assert sorted(one["subtotal"] for one in await biller.invoices()) == ["100.00", "120.00"]
    await biller.use(meter, subscription, "5", "2026-02-11")
    await biller.use(meter, subscription, "1", "2026-03-16")
    assert outcomes(await biller.bill()) == [("advanced", None)]
    biller.on("2026-04-01")
    await biller.bill()
    invoice = (await biller.invoices())[-1]
    assert sorted(one[2] for one in periods(invoice)) == ["10.00", "100.00", "2.00"]
    await biller.check_books()


async def test_the_order_of_customers_changes_nothing(
    biller: Biller, other_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def billed(other: Biller, amounts: list[str]) -> list[tuple[str, str]]:
        for amount in amounts:
            plan = await other.plan(await other.recurring(amount))
            customer = await other.customer(name=f"Havn {amount}")
            await other.subscribe(plan, "2026-02-10", customer, prorationBehavior="always_invoice")
        await other.bill()
        await other.check_books()
        names = {one["id"]: one["name"] for one in await other.ok("GET", "/v1/customers")}
        return sorted((names[one["customerId"]], one["subtotal"]) for one in await other.invoices())

    amounts = ["100", "33.33", "0.01", "7"]
    together = await billed(biller, amounts)
    monkeypatch.setattr(process, "CHUNK", 1)
    assert await billed(Biller(other_api), amounts[::-1]) == together
    assert len(together) == 8


async def test_what_ends_while_its_run_waits_is_billed_for_what_it_had(biller: Biller) -> None:
    """The run sees what there is when it bills, not what there was when it was asked for."""
    plan = await biller.plan(await biller.recurring("310"))
    kept, ended = [await biller.subscribe(plan, "2026-03-01", billingDirection="arrears") for _ in range(2)]
    run_id = await biller.start_run()
    await biller.cancel(ended)
    await biller.bill_changed(ended)
    run = await biller.carry_out(run_id)
    assert run["status"] == "completed"
    (invoice,) = await biller.invoices()
    assert periods(invoice) == [("2026-03-01", "2026-03-15", "150.00")]
    assert await biller.charges(kept) == []
    assert (await biller.bill())["processed"] == 0
