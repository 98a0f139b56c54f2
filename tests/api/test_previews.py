"""Previews of subscriptions: what they say is what is billed then, and nothing of it is kept."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.billing import Biller
from tests.conftest import Api, SteeredClock, new_company

from ledgerbee.platform.db import Database

#: Tiers that a quantity passes through.
TIERS = [{"upTo": 10, "unitAmount": "10"}, {"upTo": None, "unitAmount": "7.5"}]
COMPARED = ("customerId", "date", "dueDate", "currency", "subtotal", "vat", "amount")
COMPARED_OF_LINES = (
    "priceId", "productId", "description", "quantity", "unit", "unitPrice", "discountPercent", "totalPrice", "vatRate",
    "vatAmount", "servicePeriodStart", "servicePeriodEnd",
)  # fmt: skip


@pytest.fixture
async def biller(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> Biller:
    """A company that is made on 1 March."""
    clock.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return Biller(await new_company(http, database, clock))


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """What a preview and a document have in common."""
    found = {name: document.get(name) for name in COMPARED}
    found["lines"] = [{name: line[name] for name in COMPARED_OF_LINES} for line in document["lines"]]
    return found


async def kept(biller: Biller) -> list[Any]:
    """All that a preview could leave behind."""
    tables = (
        "invoices", "credit_notes", "journal_entries", "subscription_charges", "subscription_versions",
        "subscription_changes", "billing_runs", "events", "late_usage", "number_series",
    )  # fmt: skip
    counts = [await biller.count(table) for table in tables]
    taken = await biller.value(
        "SELECT sum(last_number) FROM number_series WHERE company_id = $1", biller.api.company_id
    )
    jobs = await biller.value(
        "SELECT count(*) FROM pgqueuer WHERE convert_from(payload, 'UTF8')::jsonb ->> 'companyId' = $1",
        str(biller.api.company_id),
    )
    listed = await biller.ok("GET", "/v1/subscriptions?limit=100")
    return [*counts, taken, jobs, listed]


async def check(biller: Biller, subscription: str, change: dict[str, Any] | None, then: str) -> dict[str, Any]:
    """What a preview says is what is made then: at once by the change, and by the run on a day; the preview."""
    before = await kept(biller)
    preview = await biller.preview(subscription, change)
    assert await kept(biller) == before
    known = {one["id"] for one in [*await biller.invoices(), *await biller.notes()]}

    async def made() -> list[dict[str, Any]]:
        documents = [one for one in [*await biller.invoices(), *await biller.notes()] if one["id"] not in known]
        known.update(one["id"] for one in documents)
        return [shown(one) for one in documents]

    if change is not None:
        await biller.change(subscription, change["type"], **{k: v for k, v in change.items() if k != "type"})
        await biller.bill_changed(subscription)
    by_type = sorted(preview["change"], key=lambda one: one["type"] == "creditNote")
    assert await made() == [shown(one) for one in by_type]
    biller.on(then)
    await biller.bill()
    then_made = await made()
    invoices = [one for one in then_made if one["dueDate"] is not None]
    assert invoices == ([] if preview["next"] is None else [shown(preview["next"])])
    notes = [one for one in then_made if one["dueDate"] is None]
    assert notes == [shown(one) for one in preview["nextCreditNotes"]]
    return preview


async def subscription_of(biller: Biller, kind: str, **fields: Any) -> str:
    """A new subscription from 1 March on of a kind of prices."""
    prices = [await biller.recurring("200")]
    if kind == "tiers":
        prices.append(await biller.recurring(pricingModel="GRADUATED", tiers=TIERS))
    if kind == "metered":
        meter, usage = await biller.metered(pricingModel="GRADUATED", tiers=TIERS)
        prices.append(usage)
    items: list[dict[str, Any]] = [{"priceId": price} for price in prices]
    if kind == "tiers":
        items[1]["quantity"] = 13
    plan = (await biller.ok("POST", "/v1/subscription-plans", {"name": "Basis", "items": items}))["id"]
    subscription = await biller.subscribe(plan, "2026-03-01", **fields)
    if kind == "metered":
        await biller.use(meter, subscription, "12.5", "2026-03-01")
    return subscription


KINDS = ["plain", "tiers", "metered"]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_next_invoice(biller: Biller, kind: str) -> None:
    subscription = await subscription_of(biller, kind)
    first = await check(biller, subscription, None, "2026-03-01")
    assert first["next"]["date"] == "2026-03-01"
    second = await check(biller, subscription, None, "2026-04-01")
    assert (second["change"], second["next"]["date"], second["next"]["dueDate"]) == ([], "2026-04-01", "2026-04-15")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behavior", ["none", "create_prorations", "always_invoice"])
@pytest.mark.parametrize("amount", ["300", "90"])
async def test_another_plan(biller: Biller, kind: str, behavior: str, amount: str) -> None:
    subscription = await subscription_of(biller, kind, prorationBehavior=behavior)
    await biller.bill()
    biller.on("2026-03-12")
    other = await biller.plan(await biller.recurring(amount))
    change = {"type": "replace_plan", "effectiveDate": "2026-03-12", "payload": {"planId": other}}
    preview = await check(biller, subscription, change, "2026-04-01")
    types = {one["type"] for one in preview["change"]}
    made = {"creditNote"} if amount == "90" else {"invoice"}
    if (amount, kind) == ("300", "tiers"):  # less than all prices that go, more than each of them
        made = {"creditNote", "invoice"}
    assert types == (made if behavior == "always_invoice" else set())


async def test_a_change_at_the_boundary_shows_in_the_next_invoice(biller: Biller) -> None:
    subscription = await subscription_of(biller, "plain")
    await biller.bill()
    other = await biller.plan(await biller.recurring("300"))
    preview = await check(biller, subscription, {"type": "replace_plan", "payload": {"planId": other}}, "2026-04-01")
    assert (preview["change"], preview["next"]["subtotal"]) == ([], "300.00")


async def test_what_changes_from_arrears_to_advance_is_billed_for_both(biller: Biller) -> None:
    subscription = await subscription_of(biller, "plain", billingDirection="arrears")
    change = {"type": "change_direction", "payload": {"billingDirection": "advance"}}
    preview = await check(biller, subscription, change, "2026-04-01")
    assert (preview["change"], preview["next"]["subtotal"]) == ([], "400.00")


async def test_what_the_next_invoice_has_no_room_to_take_back_is_shown_as_a_note(biller: Biller) -> None:
    subscription = await subscription_of(biller, "plain", prorationBehavior="create_prorations")
    await biller.bill()
    biller.on("2026-03-12")
    other = await biller.plan(await biller.recurring("5"))
    change = {"type": "replace_plan", "effectiveDate": "2026-03-12", "payload": {"planId": other}}
    preview = await check(biller, subscription, change, "2026-04-01")
    # 20 of 31 days: 129.03 are taken back, 3.23 and 5.00 are charged.
    assert (preview["next"]["subtotal"], preview["nextCreditNotes"][0]["subtotal"]) == ("0.00", "-120.80")


async def test_a_restart_bills_a_new_period_at_once(biller: Biller) -> None:
    subscription = await subscription_of(biller, "plain", prorationBehavior="always_invoice")
    await biller.bill()
    biller.on("2026-03-16")
    other = await biller.plan(await biller.recurring("300"))
    change = {
        "type": "replace_plan", "effectiveDate": "2026-03-16", "restartPeriod": True, "payload": {"planId": other},
    }  # fmt: skip
    preview = await check(biller, subscription, change, "2026-04-16")
    (at_once,) = preview["change"]
    assert at_once["subtotal"] == "196.77"  # 300.00 less 16 of 31 days of 200.00
    assert preview["next"]["date"] == "2026-04-16"


async def test_a_cancellation_leaves_nothing_to_bill(biller: Biller) -> None:
    subscription = await subscription_of(biller, "plain")
    await biller.bill()
    biller.on("2026-03-11")
    change = {"type": "cancel", "effectiveDate": "2026-03-11", "payload": {"refundBehavior": "prorated"}}
    preview = await check(biller, subscription, change, "2026-04-01")
    (note,) = preview["change"]
    assert (note["type"], note["subtotal"], note["dueDate"]) == ("creditNote", "-135.48", None)
    assert preview["next"] is None


async def test_periods_that_cost_nothing_are_passed_over(biller: Biller) -> None:
    plan = await biller.plan(await biller.recurring("200"), trialDays=40)
    subscription = await biller.subscribe(plan, "2026-03-01")
    preview = await biller.preview(subscription)
    assert preview["next"]["date"] == "2026-05-01"
    free = await biller.subscribe(await biller.plan(await biller.recurring("0")), "2026-03-01")
    assert await biller.preview(free) == {"change": [], "next": None, "nextCreditNotes": []}


async def test_what_is_due_already_is_next(biller: Biller) -> None:
    plan = await biller.plan(await biller.recurring("200"))
    subscription = await biller.subscribe(plan, "2026-01-01")
    preview = await biller.preview(subscription)
    assert preview["next"]["date"] == "2026-03-01"
    assert preview["next"]["lines"][0]["servicePeriodStart"] == "2026-01-01"


async def test_in_another_currency_a_day_without_a_rate_is_no_reason_not_to_know(biller: Biller) -> None:
    price = await biller.recurring("100", interval="year", currency="EUR")
    plan = await biller.plan(price, currency="EUR")
    rate = {"currency": "EUR", "date": "2026-03-01", "rate": "7.46"}
    await biller.ok("PUT", "/v1/exchange-rates", rate)
    subscription = await biller.subscribe(plan, "2026-03-01")
    await biller.bill()
    preview = await biller.preview(subscription)
    assert preview["next"] is not None
    assert (preview["next"]["date"], preview["next"]["currency"]) == ("2027-03-01", "EUR")
    assert preview["next"]["subtotal"] == "100.00"


async def test_what_can_not_be_done_is_refused_as_it_would_be(biller: Biller, other_api: Api) -> None:
    subscription = await subscription_of(biller, "plain")
    path = f"/v1/subscriptions/{subscription}/preview"
    before = await kept(biller)
    past = {"change": {"type": "pause", "effectiveDate": "2026-02-01"}}
    details = await biller.refused("POST", path, past, 400, "SHARED_VALIDATION_FAILED")
    assert [one["property"] for one in details["validationErrors"]] == ["change.effectiveDate"]
    unknown = {"change": {"type": "replace_plan", "payload": {"planId": subscription}}}
    details = await biller.refused("POST", path, unknown, 404, "SUBSCRIPTION_PLAN_NOT_FOUND")
    assert details["property"] == "change.payload.planId"
    resume = {"change": {"type": "resume", "effectiveDate": "2026-03-01"}}
    await biller.refused("POST", path, resume, 409, "SUBSCRIPTION_INVALID_STATE")
    await Biller(other_api).refused("POST", path, {}, 404, "SUBSCRIPTION_NOT_FOUND")
    assert await kept(biller) == before


async def test_previews_at_the_same_time_as_a_run_hold_nothing_up(biller: Biller) -> None:
    subscription = await subscription_of(biller, "plain")
    run = await biller.start_run()
    results = await asyncio.gather(
        biller.carry_out(run), *(biller.api.post(f"/v1/subscriptions/{subscription}/preview") for _ in range(5))
    )
    assert {one.status_code for one in results[1:]} == {200}
    assert [one["number"] for one in await biller.invoices()] == ["1"]
    await biller.check_books()
