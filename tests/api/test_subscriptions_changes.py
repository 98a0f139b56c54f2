"""Changes of subscriptions: queued, carried out at once, paused and resumed."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.subscribing import Subscriptions


@pytest.fixture
def subscriptions(api: Api) -> Subscriptions:
    return Subscriptions(api)


async def charged(subscriptions: Subscriptions, made: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Amount, first day and whether it waits, of all charges, oldest first."""
    found = await subscriptions.parts(made, "charges")
    return [(one["amount"], one["servicePeriodStart"], one["isWaiting"]) for one in reversed(found)]


async def billed(subscriptions: Subscriptions, **fields: Any) -> dict[str, Any]:
    """A subscription for 200.00 a month from the first of March on, which is billed for March."""
    made = await subscriptions.assigned(**fields)
    await subscriptions.bill(made)
    return made


async def test_a_change_waits_for_the_next_boundary(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    plan = await subscriptions.monthly("300")
    change = await subscriptions.change(made, "replace_plan", {"planId": plan})
    expected = {
        "type": "replace_plan", "effectiveDate": "2026-04-01", "status": "pending", "prorationBehavior": None,
        "restartPeriod": False, "payload": {"planId": plan}, "failure": None, "subscriptionId": made["id"],
    }  # fmt: skip
    assert change | expected == change
    assert await subscriptions.parts(made, "scheduled-changes") == [change]
    assert (await subscriptions.get(made))["planId"] == made["planId"]
    subscriptions.move_to("2026-04-01")
    await subscriptions.bill(made)
    after = await subscriptions.get(made)
    assert (after["planId"], after["version"], after["nextBillingDate"]) == (plan, 2, "2026-05-01")
    assert await charged(subscriptions, made) == [("200.00", "2026-03-01", False), ("300.00", "2026-04-01", False)]
    assert await subscriptions.parts(made, "scheduled-changes") == []
    (applied,) = await subscriptions.parts(made, "scheduled-changes?statuses=applied,failed")
    assert (applied["id"], applied["status"]) == (change["id"], "applied")
    told = dict(await subscriptions.events(made))
    assert told["transitioned"]["changeId"] == change["id"]
    assert told["transitioned"]["planId"] == plan


async def test_a_change_of_today_is_carried_out_at_once(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    plan = await subscriptions.monthly("300")
    jobs = await subscriptions.jobs()
    change = await subscriptions.change(
        made, "replace_plan", {"planId": plan}, effectiveDate="2026-03-16", prorationBehavior="always_invoice"
    )
    assert (change["status"], change["effectiveDate"]) == ("applied", "2026-03-16")
    # 16 of 31 days: 103.23 of 200.00 back, 154.84 of 300.00 due.
    assert await charged(subscriptions, made) == [
        ("200.00", "2026-03-01", False), ("-103.23", "2026-03-16", False), ("154.84", "2026-03-16", False),
    ]  # fmt: skip
    invoices = (await subscriptions.shop.ok("GET", "/v1/invoices"))["data"]
    assert sorted(one["subtotal"] for one in invoices) == ["200.00", "51.61"]
    assert len(await subscriptions.jobs()) == len(jobs) + 1
    assert (await subscriptions.get(made))["planId"] == plan
    assert (await subscriptions.topics(made))[-2:] == ["transitioned", "billed"]


async def test_the_mode_of_the_subscription_holds_unless_another_is_named(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions, prorationBehavior="create_prorations")
    price = made["products"][0]["priceId"]
    payload = {"products": [{"priceId": price, "quantity": 3}]}
    await subscriptions.change(made, "edit_products", payload, effectiveDate="2026-03-16")
    assert await charged(subscriptions, made) == [
        ("200.00", "2026-03-01", False), ("-103.23", "2026-03-16", True), ("309.68", "2026-03-16", True),
    ]  # fmt: skip
    payload = {"products": [{"priceId": price, "quantity": 2}]}
    await subscriptions.change(made, "edit_products", payload, effectiveDate="2026-03-16", prorationBehavior="none")
    assert len(await subscriptions.parts(made, "charges")) == 3
    assert (await subscriptions.get(made))["products"][0]["quantity"] == 2


async def test_a_period_can_be_started_anew(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions, prorationBehavior="create_prorations")
    price = made["products"][0]["priceId"]
    payload = {"products": [{"priceId": price, "quantity": 2}]}
    await subscriptions.change(made, "edit_products", payload, effectiveDate="2026-03-16", restartPeriod=True)
    await subscriptions.bill(made)
    after = await subscriptions.get(made)
    assert (after["billingCycleAnchor"], after["nextBillingDate"]) == ("2026-03-16", "2026-04-16")
    assert await charged(subscriptions, made) == [
        ("200.00", "2026-03-01", False), ("-103.23", "2026-03-16", False), ("400.00", "2026-03-16", False),
    ]  # fmt: skip


async def test_the_cadence_is_one_of_the_plans(subscriptions: Subscriptions) -> None:
    monthly = await subscriptions.price("100")
    product = (await subscriptions.shop.ok("GET", f"/v1/product-prices/{monthly}"))["productId"]
    yearly = await subscriptions.price("1000", "year", product=product)
    plan = await subscriptions.plan(monthly, alternatives=[{"items": [{"priceId": yearly}]}])
    made = await billed(subscriptions, plan=plan)
    path = subscriptions.path(made, "/scheduled-changes")
    weekly = {"type": "change_cadence", "payload": {"interval": "week"}}
    await subscriptions.shop.refused("POST", path, weekly, 400, "SUBSCRIPTION_CADENCE_UNAVAILABLE")
    held = {"type": "change_cadence", "payload": {"interval": "month"}}
    await subscriptions.shop.refused("POST", path, held, 409, "SUBSCRIPTION_CADENCE_UNCHANGED")
    await subscriptions.change(made, "change_cadence", {"interval": "year"})
    subscriptions.move_to("2026-04-01")
    await subscriptions.bill(made)
    after = await subscriptions.get(made)
    assert (after["billingInterval"], after["nextBillingDate"]) == ("year", "2027-04-01")
    assert [one["priceId"] for one in after["products"]] == [yearly]


async def test_the_direction_changes_with_the_next_period(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    await subscriptions.change(made, "change_direction", {"billingDirection": "arrears"})
    subscriptions.move_to("2026-04-01")
    await subscriptions.bill(made)
    after = await subscriptions.get(made)
    assert (after["billingDirection"], after["nextBillingDate"]) == ("arrears", "2026-05-01")
    assert (await subscriptions.topics(made))[-1] == "updated"


async def test_one_change_of_each_type_waits(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    first = await subscriptions.change(made, "change_direction", {"billingDirection": "arrears"})
    await subscriptions.change(made, "pause")
    path = subscriptions.path(made, "/scheduled-changes")
    again = {"type": "change_direction", "payload": {"billingDirection": "advance"}}
    details = await subscriptions.shop.refused("POST", path, again, 409, "SUBSCRIPTION_CHANGE_ALREADY_EXISTS")
    assert details == {"property": "type", "value": "change_direction"}
    at_once = {**again, "effectiveDate": "2026-03-16"}
    await subscriptions.shop.refused("POST", path, at_once, 409, "SUBSCRIPTION_CHANGE_ALREADY_EXISTS")
    await subscriptions.shop.ok_empty("DELETE", f"{path}/{first['id']}")
    await subscriptions.shop.ok("POST", path, again)


async def test_a_change_that_waits_can_be_cancelled(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    change = await subscriptions.change(made, "pause")
    path = subscriptions.path(made, f"/scheduled-changes/{change['id']}")
    await subscriptions.shop.ok_empty("DELETE", path)
    await subscriptions.shop.refused("DELETE", path, None, 409, "SUBSCRIPTION_CHANGE_INVALID_STATE")
    (cancelled,) = await subscriptions.parts(made, "scheduled-changes?statuses=cancelled")
    assert cancelled == change | {"status": "cancelled"}
    nobody = subscriptions.path(made, "/scheduled-changes/01890000-0000-7000-8000-000000000000")
    await subscriptions.shop.refused("DELETE", nobody, None, 404, "SUBSCRIPTION_CHANGE_NOT_FOUND")
    other = await subscriptions.assigned()
    path = subscriptions.path(other, f"/scheduled-changes/{change['id']}")
    await subscriptions.shop.refused("DELETE", path, None, 404, "SUBSCRIPTION_CHANGE_NOT_FOUND")
    subscriptions.move_to("2026-04-01")
    await subscriptions.bill(made)
    assert (await subscriptions.get(made))["status"] == "active"
    told = (await subscriptions.shop.ok("GET", f"/v1/events?objectId={change['id']}"))["data"]
    assert [(one["type"], one["data"]["status"]) for one in told] == [
        ("subscription_change.created", "pending"), ("subscription_change.cancelled", "cancelled"),
    ]  # fmt: skip


async def test_what_can_not_be_changed_is_refused(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    made = await billed(subscriptions, endDate="2026-06-30")
    price = made["products"][0]["priceId"]
    strange = await subscriptions.price()
    euros = await subscriptions.price("30", currency="EUR")
    in_euros = await subscriptions.plan(euros, currency="EUR")
    archived = await subscriptions.monthly()
    await shop.ok("POST", f"/v1/subscription-plans/{archived}/archive", status=200)
    nobody = "01890000-0000-7000-8000-000000000000"
    invalid = "SHARED_VALIDATION_FAILED"
    refusals: list[tuple[dict[str, Any], int, str]] = [
        ({"type": "replace_plan", "payload": {"planId": nobody}}, 404, "SUBSCRIPTION_PLAN_NOT_FOUND"),
        ({"type": "replace_plan", "payload": {"planId": archived}}, 409, "SUBSCRIPTION_PLAN_INVALID_STATE"),
        ({"type": "replace_plan", "payload": {"planId": in_euros}}, 409, "SUBSCRIPTION_CURRENCY_MISMATCH"),
        ({"type": "replace_plan"}, 400, invalid),
        ({"type": "pause", "payload": {"planId": nobody}}, 400, invalid),
        ({"type": "pause", "restartPeriod": True}, 400, invalid),
        ({"type": "pause", "effectiveDate": "2026-03-15"}, 400, invalid),
        ({"type": "pause", "effectiveDate": "2026-07-01"}, 400, invalid),
        ({"type": "pause", "effectiveDate": "2036-03-17"}, 400, invalid),
        ({"type": "resume"}, 409, "SUBSCRIPTION_INVALID_STATE"),
        ({"type": "cancel", "prorationBehavior": "none"}, 400, invalid),
        ({"type": "cancel", "payload": {"refundBehavior": "prorated"}}, 400, invalid),
        ({"type": "edit_products", "payload": {"products": []}}, 400, invalid),
        ({"type": "edit_products", "payload": {"products": [{"priceId": price, "quantity": 0}]}}, 400, invalid),
        ({"type": "edit_products", "payload": {"products": [{"priceId": price}, {"priceId": price}]}}, 400, invalid),
        (
            {"type": "edit_products", "payload": {"products": [{"priceId": strange}]}},
            400, "SUBSCRIPTION_PRICE_NOT_IN_PLAN",
        ),
    ]  # fmt: skip
    for body, status, code in refusals:
        await shop.refused("POST", subscriptions.path(made, "/scheduled-changes"), body, status, code)
    assert await subscriptions.parts(made, "scheduled-changes?statuses=pending,applied,failed,cancelled") == []
    assert (await subscriptions.get(made))["version"] == 1


async def test_a_change_after_another_that_waits_is_one_of_what_that_leaves(subscriptions: Subscriptions) -> None:
    """Pause on the 20th and resume on the 25th; a plan on 1 April, and more of one of its products on the 10th."""
    made = await billed(subscriptions)
    await subscriptions.change(made, "pause", effectiveDate="2026-03-20")
    await subscriptions.change(made, "resume", effectiveDate="2026-03-25")
    price = await subscriptions.price("10")
    await subscriptions.change(made, "replace_plan", {"planId": await subscriptions.plan(price)})
    payload = {"products": [{"priceId": price, "quantity": 4}]}
    await subscriptions.change(made, "edit_products", payload, effectiveDate="2026-04-10")
    subscriptions.move_to("2026-03-20")
    await subscriptions.bill(made)
    assert (await subscriptions.get(made))["status"] == "paused"
    subscriptions.move_to("2026-04-12")
    await subscriptions.bill(made)
    after = await subscriptions.get(made)
    assert (after["status"], [(one["priceId"], one["quantity"]) for one in after["products"]]) == (
        "active", [(price, 4)],
    )  # fmt: skip


async def test_a_pause_credits_and_a_resume_charges_what_is_left(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions, prorationBehavior="create_prorations")
    path = subscriptions.path(made)
    paused = await subscriptions.shop.ok("POST", f"{path}/pause", {}, status=200)
    assert (paused["status"], paused["version"], paused["billingCycleAnchor"]) == ("paused", 2, "2026-03-01")
    await subscriptions.shop.refused("POST", f"{path}/pause", {}, 409, "SUBSCRIPTION_INVALID_STATE")
    subscriptions.move_to("2026-03-26")
    resumed = await subscriptions.shop.ok("POST", f"{path}/resume", {"prorationBehavior": "always_invoice"}, status=200)
    assert resumed["status"] == "active"
    # 16 days back; 6 days again.
    assert await charged(subscriptions, made) == [
        ("200.00", "2026-03-01", False), ("-103.23", "2026-03-16", False), ("38.71", "2026-03-26", False),
    ]  # fmt: skip
    await subscriptions.shop.refused("POST", f"{path}/resume", {}, 409, "SUBSCRIPTION_INVALID_STATE")
    assert [topic for topic in await subscriptions.topics(made) if topic in {"paused", "resumed"}] == [
        "paused", "resumed",
    ]  # fmt: skip


async def test_a_pause_can_be_of_a_day_to_come(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    path = subscriptions.path(made)
    answer = await subscriptions.shop.ok("POST", f"{path}/pause", {"effectiveDate": "2026-04-01"}, status=200)
    assert (answer["status"], answer["version"]) == ("active", 1)
    (change,) = await subscriptions.parts(made, "scheduled-changes")
    assert (change["type"], change["effectiveDate"]) == ("pause", "2026-04-01")
    past = {"effectiveDate": "2026-03-15"}
    await subscriptions.shop.refused("POST", f"{path}/pause", past, 400, "SHARED_VALIDATION_FAILED")


async def test_nothing_is_changed_of_what_has_ended(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions, endDate="2026-03-20")
    await subscriptions.shop.ok("POST", subscriptions.path(made, "/pause"), {}, status=200)
    subscriptions.move_to("2026-03-21")
    for below, body in (("/resume", {}), ("/scheduled-changes", {"type": "resume"})):
        path = subscriptions.path(made, below)
        details = await subscriptions.shop.refused("POST", path, body, 409, "SUBSCRIPTION_INVALID_STATE")
        assert details == {"status": "expired"}
    await subscriptions.bill(made)
    assert (await subscriptions.get(made))["status"] == "expired"


async def test_a_change_of_a_scheduled_subscription_holds_from_its_first_day_on(subscriptions: Subscriptions) -> None:
    made = await subscriptions.assigned(start="2026-04-10")
    price = made["products"][0]["priceId"]
    payload = {"products": [{"priceId": price, "quantity": 2}]}
    change = await subscriptions.change(made, "edit_products", payload)
    assert change["effectiveDate"] == "2026-04-10"
    await subscriptions.shop.ok_empty("DELETE", subscriptions.path(made, f"/scheduled-changes/{change['id']}"))
    applied = await subscriptions.change(made, "edit_products", payload, effectiveDate="2026-03-16")
    assert applied["status"] == "applied"
    after = await subscriptions.get(made)
    assert (after["status"], after["products"][0]["quantity"]) == ("scheduled", 2)
    versions = await subscriptions.parts(made, "versions")
    assert [one["effectiveDate"] for one in versions] == ["2026-04-10", "2026-04-10"]


async def test_the_period_of_a_trial_is_the_trial(subscriptions: Subscriptions) -> None:
    made = await subscriptions.assigned(start="2026-03-10", trialDays=14)
    plan = await subscriptions.monthly("300")
    change = await subscriptions.change(made, "replace_plan", {"planId": plan})
    assert change["effectiveDate"] == "2026-03-24"


async def test_a_plan_with_a_meter_takes_usage_from_its_day_on(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    meter = (await shop.ok("POST", "/v1/meters", {"name": "calls"}))["id"]
    calls = await shop.price("2", billingPeriodType="USAGE", billingInterval="month", meterId=meter)
    metered = await subscriptions.plan(await subscriptions.price("50"), calls)
    made = await billed(subscriptions)
    assert (await shop.ok("GET", f"/v1/meters/{meter}/subscriptions"))["subscriptions"] == []
    await subscriptions.change(made, "replace_plan", {"planId": metered}, effectiveDate="2026-03-16")
    (found,) = (await shop.ok("GET", f"/v1/meters/{meter}/subscriptions"))["subscriptions"]
    assert found["subscriptionId"] == made["id"]
    await shop.ok("POST", subscriptions.path(made, "/pause"), {}, status=200)
    assert (await shop.ok("GET", f"/v1/meters/{meter}/subscriptions"))["subscriptions"] == []
