"""Subscriptions: given to customers, read, listed, and what they are called and paid by."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.subscribing import Subscriptions


@pytest.fixture
def subscriptions(api: Api) -> Subscriptions:
    return Subscriptions(api)


async def test_a_subscription_is_a_customer_and_a_plan(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    customer = await shop.customer(name="Nordlys ApS")
    price = await subscriptions.price("200")
    plan = await subscriptions.plan(price, name="Basis")
    made = await subscriptions.assigned(
        plan, "2026-03-11", customerId=customer, endDate="2027-03-10", billingCycleAnchor="2026-03-01",
        prorationBehavior="create_prorations", partnerReferenceId="order-1",
    )  # fmt: skip
    expected = {
        "customerId": customer, "customerName": "Nordlys ApS", "planId": plan, "planVersion": 1, "name": "Basis",
        "status": "active", "currency": "DKK", "startDate": "2026-03-11", "endDate": "2027-03-10",
        "trialEndDate": None, "cancellationDate": None, "billingCycleAnchor": "2026-03-01",
        "billingDirection": "advance", "billingInterval": "month", "billingIntervalCount": 1,
        "prorationBehavior": "create_prorations", "nextBillingDate": "2026-03-11", "partnerReferenceId": "order-1",
        "paymentMethodId": None, "automaticBilling": False, "customerDepartmentId": None,
        "departmentContactOverrideId": None, "version": 1,
    }  # fmt: skip
    assert made | expected == made
    assert [(one["priceId"], one["quantity"]) for one in made["products"]] == [(price, 1)]
    assert await subscriptions.get(made) == made


async def test_what_is_left_out_is_the_plans(subscriptions: Subscriptions) -> None:
    plan = await subscriptions.plan(await subscriptions.price(), name="Med prøve", trialDays=14)
    made = await subscriptions.assigned(plan, "2026-03-10", prorationBehavior="none")
    assert (made["status"], made["trialEndDate"], made["name"]) == ("trial", "2026-03-23", "Med prøve")
    assert made["billingCycleAnchor"] == "2026-03-10"
    assert made["nextBillingDate"] == "2026-03-24"
    none = await subscriptions.assigned(plan, "2026-03-10", trialDays=0, name="Uden prøve")
    assert (none["status"], none["trialEndDate"], none["name"]) == ("active", None, "Uden prøve")


async def test_an_assignment_makes_no_invoice_and_has_a_run_bill_it(subscriptions: Subscriptions) -> None:
    made = await subscriptions.assigned()
    assert (await subscriptions.shop.ok("GET", "/v1/invoices"))["total"] == 0
    assert [one["subscriptionIds"] for one in await subscriptions.jobs()] == [[made["id"]]]
    assert await subscriptions.parts(made, "charges") == []
    await subscriptions.bill(made)
    (charge,) = await subscriptions.parts(made, "charges")
    assert (charge["amount"], charge["servicePeriodStart"], charge["servicePeriodEnd"]) == (
        "200.00", "2026-03-01", "2026-03-31",
    )  # fmt: skip
    assert (await subscriptions.get(made))["nextBillingDate"] == "2026-04-01"


@pytest.mark.parametrize(
    ("start", "fields", "topics"),
    [
        ("2026-03-16", {}, ["assigned", "started"]),
        ("2026-03-17", {}, ["assigned"]),
        ("2026-03-01", {"trialDays": 15}, ["assigned", "started", "trial_ended"]),
        ("2026-03-01", {"trialDays": 16}, ["assigned", "started"]),
        ("2026-01-01", {"endDate": "2026-03-15"}, ["assigned", "started", "churned"]),
        ("2026-01-01", {"endDate": "2026-03-16"}, ["assigned", "started"]),
    ],
)
async def test_what_has_happened_by_today_is_told_at_once(
    subscriptions: Subscriptions, start: str, fields: dict[str, Any], topics: list[str]
) -> None:
    made = await subscriptions.assigned(start=start, partnerReferenceId="order-1", **fields)
    told = await subscriptions.events(made)
    assert [topic for topic, _ in told] == topics
    for _, data in told:
        assert data["subscriptionId"] == made["id"]
        assert data["versionId"] == made["versionId"]
        assert data["partnerReferenceId"] == "order-1"
        assert data["status"] == made["status"]


async def test_quantities_are_the_plans_unless_they_are_named(subscriptions: Subscriptions) -> None:
    seats, fee, extra = [await subscriptions.price(amount) for amount in ("15", "100", "7")]
    plan = await subscriptions.plan(
        {"priceId": seats, "quantity": 5}, fee, {"priceId": extra, "quantity": 2, "optional": True}
    )

    async def products(*overrides: tuple[str, Any]) -> list[tuple[str, Any]]:
        named = [{"priceId": price, "quantity": quantity} for price, quantity in overrides]
        made = await subscriptions.assigned(plan, productOverrides=named)
        return [(one["priceId"], one["quantity"]) for one in made["products"]]

    assert await products() == [(seats, 5), (fee, 1)]
    assert await products((seats, "77.5"), (extra, 3)) == [(seats, 77.5), (fee, 1), (extra, 3)]
    assert await products((extra, 0), (fee, 0)) == [(seats, 5)]


async def test_what_can_not_be_given_is_refused_and_changes_nothing(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    customer, other = await shop.customer(), await shop.customer()
    idle = await shop.customer(isActive=False)
    price = await subscriptions.price()
    plan = await subscriptions.plan(price)
    archived = await subscriptions.monthly()
    await shop.ok("POST", f"/v1/subscription-plans/{archived}/archive", status=200)
    optional = await subscriptions.plan({"priceId": price, "optional": True})
    department = (await shop.ok("POST", f"/v1/customers/{other}/departments", {"name": "Kontor"}))["id"]
    contact = (await shop.ok("POST", f"/v1/customers/{other}/contacts", {"name": "Åse"}))["id"]
    body = {"customerId": customer, "planId": plan, "startDate": "2026-03-01"}
    nobody = "01890000-0000-7000-8000-000000000000"
    refusals: list[tuple[dict[str, Any], int, str]] = [
        ({"customerId": nobody}, 404, "CUSTOMER_NOT_FOUND"),
        ({"customerId": idle}, 400, "SALES_DOCUMENT_CUSTOMER_INACTIVE"),
        ({"planId": nobody}, 404, "SUBSCRIPTION_PLAN_NOT_FOUND"),
        ({"planId": archived}, 409, "SUBSCRIPTION_PLAN_INVALID_STATE"),
        ({"planId": optional}, 400, "SHARED_VALIDATION_FAILED"),
        ({"customerDepartmentId": department}, 404, "DEPARTMENT_NOT_FOUND"),
        ({"departmentContactOverrideId": contact}, 404, "CONTACT_NOT_FOUND"),
        ({"paymentMethodId": nobody}, 404, "PAYMENT_METHOD_NOT_FOUND"),
        ({"productOverrides": [{"priceId": nobody}]}, 400, "SUBSCRIPTION_PRICE_NOT_IN_PLAN"),
        ({"productOverrides": [{"priceId": price, "quantity": 0}]}, 400, "SHARED_VALIDATION_FAILED"),
        ({"productOverrides": [{"priceId": price, "quantity": -1}]}, 400, "SHARED_VALIDATION_FAILED"),
        ({"productOverrides": [{"priceId": price}, {"priceId": price}]}, 400, "SHARED_VALIDATION_FAILED"),
        ({"startDate": "2006-03-15"}, 400, "SHARED_VALIDATION_FAILED"),
        ({"startDate": "2036-03-17"}, 400, "SHARED_VALIDATION_FAILED"),
        ({"billingCycleAnchor": "2006-03-15"}, 400, "SHARED_VALIDATION_FAILED"),
        ({"endDate": "2026-02-28"}, 400, "SHARED_VALIDATION_FAILED"),
        ({"endDate": "9999-12-31"}, 400, "SHARED_VALIDATION_FAILED"),
        ({"trialDays": 366}, 400, "SHARED_VALIDATION_FAILED"),
        ({"currency": "DKK"}, 400, "SHARED_VALIDATION_FAILED"),
    ]
    for fields, status, code in refusals:
        await shop.refused("POST", "/v1/subscriptions", {**body, **fields}, status, code)
    assert (await shop.ok("GET", "/v1/subscriptions"))["total"] == 0
    assert await subscriptions.jobs() == []


async def test_days_are_accepted_up_to_their_limits(subscriptions: Subscriptions) -> None:
    plan = await subscriptions.monthly()
    oldest = await subscriptions.assigned(plan, "2006-03-16", billingCycleAnchor="2036-03-16", endDate="2006-03-16")
    assert (oldest["status"], oldest["endDate"]) == ("expired", "2006-03-16")
    newest = await subscriptions.assigned(plan, "2036-03-16", billingCycleAnchor="2006-03-16")
    assert (newest["status"], newest["nextBillingDate"]) == ("scheduled", "2036-03-16")


async def test_usage_prices_have_no_quantity(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    meter = (await shop.ok("POST", "/v1/meters", {"name": "calls"}))["id"]
    calls = await shop.price("2", billingPeriodType="USAGE", billingInterval="month", meterId=meter)
    plan = await subscriptions.plan(calls, interval="month")
    body = {"customerId": await shop.customer(), "planId": plan, "startDate": "2026-03-01"}
    wrong = {**body, "productOverrides": [{"priceId": calls, "quantity": 2}]}
    found = await shop.refused("POST", "/v1/subscriptions", wrong, 400, "SHARED_VALIDATION_FAILED")
    assert [one["property"] for one in found["validationErrors"]] == ["productOverrides.0.quantity"]
    made = await shop.ok("POST", "/v1/subscriptions", {**body, "productOverrides": [{"priceId": calls}]})
    may_report = await shop.ok("GET", f"/v1/meters/{meter}/subscriptions")
    assert [one["subscriptionId"] for one in may_report["subscriptions"]] == [made["id"]]


async def test_usage_of_before_belongs_to_a_subscription_that_starts_in_the_past(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    meter = (await shop.ok("POST", "/v1/meters", {"name": "calls"}))["id"]
    calls = await shop.price("2", billingPeriodType="USAGE", billingInterval="month", meterId=meter)
    customer = await shop.customer()
    report = {"meterId": meter, "customerId": customer, "value": 5, "timestamp": "2026-03-10T12:00:00Z"}
    answer = await shop.api.post("/v1/meters/report", report, headers={"x-api-idempotency-key": "k1"})
    assert answer.status_code == 202, answer.text
    usage = await shop.ok("GET", f"/v1/meters/{meter}/usage?customerId={customer}")
    assert (usage["attributed"], usage["unattributed"]) == (0, 1)
    plan = await subscriptions.plan(calls, interval="month")
    await subscriptions.assigned(plan, "2026-03-01", customerId=customer)
    usage = await shop.ok("GET", f"/v1/meters/{meter}/usage?customerId={customer}")
    assert (usage["attributed"], usage["unattributed"]) == (1, 0)


async def test_a_list_is_narrowed_by_what_is_asked(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    plan, other_plan = await subscriptions.monthly(), await subscriptions.monthly()
    nordlys, havblik = await shop.customer(name="Nordlys ApS"), await shop.customer(name="Havblik A/S")
    first = await subscriptions.assigned(plan, customerId=nordlys, name="Basis")
    second = await subscriptions.assigned(plan, customerId=havblik, name="Nordisk", partnerReferenceId="order-2")
    third = await subscriptions.assigned(other_plan, "2026-04-01", customerId=havblik, name="Basis")

    async def found(query: str) -> list[str]:
        page = await shop.ok("GET", f"/v1/subscriptions{query}")
        assert page["total"] == len(page["data"])
        return [one["id"] for one in page["data"]]

    assert await found("") == [third["id"], second["id"], first["id"]]
    assert await found("?search=nord") == [second["id"], first["id"]]
    assert await found("?search=NORDLYS") == [first["id"]]
    assert await found("?search=%25") == []
    assert await found(f"?customerId={havblik}") == [third["id"], second["id"]]
    assert await found(f"?planId={plan}") == [second["id"], first["id"]]
    assert await found("?partnerReferenceId=order-2") == [second["id"]]
    assert await found("?partnerReferenceId=order") == []
    assert await found("?statuses=scheduled,paused") == [third["id"]]
    assert await found(f"?statuses=active&customerId={havblik}") == [second["id"]]
    page = await shop.ok("GET", "/v1/subscriptions?limit=1&page=2")
    assert ([one["id"] for one in page["data"]], page["total"], page["totalPages"]) == ([second["id"]], 3, 3)
    assert page["data"] == [await subscriptions.get(second)]
    await shop.refused("GET", "/v1/subscriptions?statuses=active,gone", None, 400, "SHARED_VALIDATION_FAILED")


async def test_each_status_is_found_by_the_list_as_it_is_shown(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    plan = await subscriptions.monthly()
    made = {
        "scheduled": await subscriptions.assigned(plan, "2026-03-17"),
        "trial": await subscriptions.assigned(plan, "2026-03-10", trialDays=14),
        "active": await subscriptions.assigned(plan, "2026-03-10", endDate="2026-03-16"),
        "pending_cancellation": await subscriptions.assigned(plan, "2026-03-10", trialDays=14),
        "paused": await subscriptions.assigned(plan, "2026-03-10"),
        "cancelled": await subscriptions.assigned(plan, "2026-03-10"),
        "expired": await subscriptions.assigned(plan, "2026-03-10", endDate="2026-03-15"),
    }
    never = await subscriptions.assigned(plan, "2026-03-17")
    await subscriptions.cancel(made["pending_cancellation"], "end_of_cycle")
    await shop.ok("POST", subscriptions.path(made["paused"], "/pause"), {}, status=200)
    await subscriptions.cancel(made["cancelled"], "immediately")
    await subscriptions.cancel(never, "immediately")
    for status, one in made.items():
        found = await shop.ok("GET", f"/v1/subscriptions?statuses={status}")
        ids = {one["id"]} | ({never["id"]} if status == "cancelled" else set())
        assert {row["id"] for row in found["data"]} == ids, status
        assert {row["status"] for row in found["data"]} == {status}
        assert (await subscriptions.get(one))["status"] == status


async def test_a_subscription_is_read_as_it_stood_on_a_day(subscriptions: Subscriptions) -> None:
    made = await subscriptions.assigned(start="2026-03-10", trialDays=3)
    await subscriptions.shop.ok("PATCH", subscriptions.path(made), {"name": "Nyt navn"})
    await subscriptions.cancel(made, "specific_date", effectiveDate="2026-03-20")

    async def stood(day: str) -> tuple[Any, ...]:
        found = await subscriptions.get(made, f"?asOf={day}")
        return found["status"], found["name"], found["version"], found["cancellationDate"], found["nextBillingDate"]

    assert await stood("2026-03-09") == ("scheduled", "Basis", 1, None, None)
    assert await stood("2026-03-12") == ("trial", "Basis", 1, None, None)
    assert await stood("2026-03-15") == ("active", "Basis", 1, None, None)
    assert await stood("2026-03-16") == ("pending_cancellation", "Nyt navn", 3, "2026-03-20", "2026-03-13")
    assert await stood("2026-03-25") == ("pending_cancellation", "Nyt navn", 3, "2026-03-20", None)
    await subscriptions.shop.refused(
        "GET", subscriptions.path(made, "?asOf=2026-3-1"), None, 400, "SHARED_VALIDATION_FAILED"
    )


async def test_an_update_is_a_version_that_costs_the_same(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    customer = await shop.customer()
    department = (await shop.ok("POST", f"/v1/customers/{customer}/departments", {"name": "Kontor"}))["id"]
    contact = (await shop.ok("POST", f"/v1/customers/{customer}/contacts", {"name": "Åse"}))["id"]
    made = await subscriptions.assigned(customerId=customer)
    fields = {
        "name": "Aftale 7", "automaticBilling": True, "customerDepartmentId": department,
        "departmentContactOverrideId": contact,
    }  # fmt: skip
    updated = await shop.ok("PATCH", subscriptions.path(made), fields)
    same = {"version": 2, "versionId": updated["versionId"], "updatedAt": updated["updatedAt"]}
    assert updated == made | fields | same
    assert await subscriptions.get(made) == updated
    assert (await shop.ok("PATCH", subscriptions.path(made), {"name": "Aftale 7"}))["version"] == 2
    cleared = await shop.ok("PATCH", subscriptions.path(made), {"customerDepartmentId": None})
    assert (cleared["customerDepartmentId"], cleared["departmentContactOverrideId"]) == (None, contact)
    versions = await subscriptions.parts(made, "versions")
    assert [(one["version"], one["reason"], one["effectiveDate"]) for one in versions] == [
        (3, "updated", "2026-03-16"), (2, "updated", "2026-03-16"), (1, "assigned", "2026-03-01"),
    ]  # fmt: skip
    assert len(await subscriptions.parts(made, "timeline")) == 1
    assert await subscriptions.topics(made) == ["assigned", "started", "updated", "updated"]
    carried = await subscriptions.bill(made)
    assert len(carried.invoice_ids) == 1


async def test_what_an_update_can_not_name_changes_nothing(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    made = await subscriptions.assigned()
    other = await shop.customer()
    department = (await shop.ok("POST", f"/v1/customers/{other}/departments", {"name": "Kontor"}))["id"]
    nobody = "01890000-0000-7000-8000-000000000000"
    for body, status, code in (
        ({"customerDepartmentId": department, "name": "x"}, 404, "DEPARTMENT_NOT_FOUND"),
        ({"paymentMethodId": nobody}, 404, "PAYMENT_METHOD_NOT_FOUND"),
        ({"name": None}, 400, "SHARED_VALIDATION_FAILED"),
        ({"name": " "}, 400, "SHARED_VALIDATION_FAILED"),
        ({"planId": nobody}, 400, "SHARED_VALIDATION_FAILED"),
    ):
        await shop.refused("PATCH", subscriptions.path(made), body, status, code)
    assert await subscriptions.get(made) == made
    assert (await shop.ok("PATCH", subscriptions.path(made), {"paymentMethodId": None}))["version"] == 1


async def test_a_scheduled_subscription_is_updated_from_its_first_day_on(subscriptions: Subscriptions) -> None:
    made = await subscriptions.assigned(start="2026-05-01")
    updated = await subscriptions.shop.ok("PATCH", subscriptions.path(made), {"name": "Ny"})
    assert (updated["name"], updated["status"], updated["version"]) == ("Ny", "scheduled", 2)
    versions = await subscriptions.parts(made, "versions")
    assert [one["effectiveDate"] for one in versions] == ["2026-05-01", "2026-05-01"]


async def test_the_timeline_splits_where_something_else_holds(subscriptions: Subscriptions) -> None:
    made = await subscriptions.assigned(start="2026-03-10", trialDays=3, endDate="2026-12-31")
    await subscriptions.shop.ok("POST", subscriptions.path(made, "/pause"), {}, status=200)
    segments = await subscriptions.parts(made, "timeline")
    assert [(one["startDate"], one["endDate"], one["isTrial"], one["isPaused"]) for one in segments] == [
        ("2026-03-10", "2026-03-12", True, False),
        ("2026-03-13", "2026-03-15", False, False),
        ("2026-03-16", "2026-12-31", False, True),
    ]


async def test_each_price_has_a_schedule(subscriptions: Subscriptions) -> None:
    shop = subscriptions.shop
    once = await shop.price("500")
    monthly = await subscriptions.price("100")
    made = await subscriptions.assigned(await subscriptions.plan(monthly, once), "2026-03-01")
    await subscriptions.bill(made)
    schedules = await subscriptions.parts(made, "billing-schedules")
    assert [(one["priceId"], one["billedUntil"], one["nextBillingDate"]) for one in schedules] == [
        (monthly, "2026-04-01", "2026-04-01"), (once, "2026-04-01", None),
    ]  # fmt: skip
    charges = await subscriptions.parts(made, "charges")
    assert {(one["kind"], one["amount"], one["periodEnd"]) for one in charges} == {
        ("one_time", "500.00", None), ("recurring", "100.00", "2026-03-31"),
    }  # fmt: skip
    assert all(one["invoiceId"] for one in charges)


@pytest.mark.parametrize(
    "below", ["", "/scheduled-changes", "/versions", "/timeline", "/charges", "/billing-schedules"]
)
async def test_what_is_not_there_is_not_found(subscriptions: Subscriptions, below: str) -> None:
    path = subscriptions.path("01890000-0000-7000-8000-000000000000", below)
    await subscriptions.shop.refused("GET", path, None, 404, "SUBSCRIPTION_NOT_FOUND")
