"""Cancelling subscriptions by each strategy, and what is given back (decisions "Cancel")."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.subscribing import Subscriptions


@pytest.fixture
def subscriptions(api: Api) -> Subscriptions:
    return Subscriptions(api)


async def billed(subscriptions: Subscriptions, **fields: Any) -> dict[str, Any]:
    """A subscription for 200.00 a month from the first of March on, which is billed for March."""
    made = await subscriptions.assigned(**fields)
    await subscriptions.bill(made)
    return made


NOTHING: dict[str, Any] = {"behavior": "none", "creditNoteIds": [], "amount": "0.00", "reason": None}


async def test_it_ends_with_the_period_that_runs(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    answer = await subscriptions.cancel(made, "end_of_cycle")
    assert answer["refund"] == NOTHING
    shown = {name: value for name, value in answer.items() if name != "refund"}
    assert shown == await subscriptions.get(made)
    assert (shown["status"], shown["endDate"], shown["cancellationDate"], shown["version"]) == (
        "pending_cancellation", "2026-03-31", "2026-04-01", 2,
    )  # fmt: skip
    assert shown["nextBillingDate"] is None
    (change,) = await subscriptions.parts(made, "scheduled-changes")
    assert (change["type"], change["effectiveDate"], change["payload"]) == (
        "cancel", "2026-04-01", {"refundBehavior": "none"},
    )  # fmt: skip
    topic, told = (await subscriptions.events(made))[-1]
    assert (topic, told["changeId"], told["effectiveDate"], told["status"]) == (
        "cancellation_scheduled", change["id"], "2026-04-01", "pending_cancellation",
    )  # fmt: skip
    subscriptions.move_to("2026-04-01")
    await subscriptions.bill(made)
    after = await subscriptions.get(made)
    assert (after["status"], after["endDate"]) == ("cancelled", "2026-03-31")
    assert (await subscriptions.topics(made))[-1] == "churned"
    assert len(await subscriptions.parts(made, "charges")) == 1


async def test_it_ends_at_once(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    jobs = await subscriptions.jobs()
    answer = await subscriptions.cancel(made, "immediately")
    assert (answer["status"], answer["endDate"], answer["cancellationDate"]) == (
        "cancelled", "2026-03-15", "2026-03-16",
    )  # fmt: skip
    assert answer["refund"] == NOTHING
    assert (await subscriptions.topics(made))[-1] == "churned"
    assert len(await subscriptions.jobs()) == len(jobs) + 1
    (change,) = await subscriptions.parts(made, "scheduled-changes?statuses=applied")
    assert change["type"] == "cancel"
    for strategy in ("immediately", "end_of_cycle"):
        body = {"id": made["id"], "strategy": strategy}
        await subscriptions.shop.refused("POST", "/v1/subscriptions/cancel", body, 409, "SUBSCRIPTION_INVALID_STATE")


async def test_unused_days_are_given_back(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    answer = await subscriptions.cancel(made, "immediately", refundBehavior="prorated")
    # 16 of 31 days of 200.00.
    refund = answer["refund"]
    assert (refund["behavior"], refund["amount"], refund["reason"]) == ("prorated", "103.23", None)
    (note_id,) = refund["creditNoteIds"]
    note = await subscriptions.shop.ok("GET", f"/v1/credit-notes/{note_id}")
    assert (note["subtotal"], note["status"]) == ("-103.23", "scheduled")
    credit = (await subscriptions.parts(made, "charges"))[0]
    assert (credit["amount"], credit["creditNoteId"], credit["creditNoteAmount"]) == ("-103.23", note_id, "103.23")


async def test_all_is_given_back_on_the_first_day(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions, start="2026-03-16")
    answer = await subscriptions.cancel(made, "immediately", refundBehavior="prorated")
    assert (answer["status"], answer["refund"]["amount"]) == ("cancelled", "200.00")
    assert answer["endDate"] == "2026-03-15"


async def test_unused_days_that_were_not_invoiced_yet_are_charged_less(subscriptions: Subscriptions) -> None:
    """A first part that waits for the next invoice: the end brings one, of the days that were used."""
    fields = {"billingCycleAnchor": "2026-03-01", "prorationBehavior": "create_prorations"}
    made = await billed(subscriptions, start="2026-03-11", **fields)
    (first,) = await subscriptions.parts(made, "charges")
    assert (first["amount"], first["invoiceId"]) == ("135.48", None)  # 21 of 31 days of 200.00
    answer = await subscriptions.cancel(made, "immediately", refundBehavior="prorated")
    assert answer["refund"] == {**NOTHING, "behavior": "prorated", "reason": "on_invoice"}
    (listed,) = (await subscriptions.shop.ok("GET", "/v1/invoices"))["data"]
    invoice = await subscriptions.shop.invoice(listed["id"])
    assert sorted(line["totalPrice"] for line in invoice["lines"]) == ["-103.23", "135.48"]  # 16 of 31 days
    assert invoice["subtotal"] == "32.25"
    assert (await subscriptions.shop.ok("GET", "/v1/credit-notes"))["total"] == 0


async def test_the_last_paid_invoice_is_given_back(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    shop = subscriptions.shop
    invoice = (await shop.ok("GET", "/v1/invoices"))["data"][0]
    await shop.ok("POST", f"/v1/invoices/{invoice['id']}/payments", {"date": "2026-03-16", "amount": "250.00"})
    answer = await subscriptions.cancel(made, "immediately", refundBehavior="last_invoice")
    assert (answer["refund"]["amount"], len(answer["refund"]["creditNoteIds"])) == ("200.00", 1)


async def test_without_a_paid_invoice_nothing_is_given_back(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    answer = await subscriptions.cancel(made, "immediately", refundBehavior="last_invoice")
    assert answer["refund"] == {**NOTHING, "behavior": "last_invoice", "reason": "no_paid_invoice"}


async def test_it_ends_on_a_day_and_gives_back_then(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    answer = await subscriptions.cancel(made, "specific_date", effectiveDate="2026-03-22", refundBehavior="prorated")
    assert answer["refund"] == {**NOTHING, "behavior": "prorated", "reason": "scheduled"}
    assert (answer["status"], answer["endDate"]) == ("pending_cancellation", "2026-03-21")
    subscriptions.move_to("2026-03-22")
    carried = await subscriptions.bill(made)
    assert len(carried.refund_credit_note_ids) == 1
    credit = (await subscriptions.parts(made, "charges"))[0]
    assert (credit["amount"], credit["servicePeriodStart"]) == ("-64.52", "2026-03-22")


async def test_a_later_cancellation_takes_the_place_of_a_scheduled_one(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions, endDate="2026-12-31")
    await subscriptions.cancel(made, "end_of_cycle")
    answer = await subscriptions.cancel(made, "specific_date", effectiveDate="2026-06-01")
    assert answer["endDate"] == "2026-05-31"
    (change,) = await subscriptions.parts(made, "scheduled-changes")
    assert change["effectiveDate"] == "2026-06-01"
    cleared = await subscriptions.cancel(made, "clear_schedule")
    assert (cleared["status"], cleared["endDate"], cleared["cancellationDate"]) == ("active", "2026-12-31", None)
    assert cleared["refund"] == NOTHING
    assert await subscriptions.parts(made, "scheduled-changes") == []
    versions = await subscriptions.parts(made, "versions")
    assert [one["reason"] for one in versions] == [
        "cancellation_cleared", "cancellation_scheduled", "cancellation_scheduled", "assigned",
    ]  # fmt: skip
    await subscriptions.cancel(made, "end_of_cycle")
    ended = await subscriptions.cancel(made, "immediately")
    assert (ended["status"], ended["cancellationDate"]) == ("cancelled", "2026-03-16")
    assert await subscriptions.parts(made, "scheduled-changes") == []


async def test_clearing_with_nothing_scheduled_changes_nothing(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    before = await subscriptions.get(made)
    answer = await subscriptions.cancel(made, "clear_schedule")
    assert answer == before | {"refund": NOTHING}
    await subscriptions.cancel(made, "immediately")
    assert (await subscriptions.cancel(made, "clear_schedule"))["status"] == "cancelled"
    assert "cancellation_cleared" not in await subscriptions.topics(made)


async def test_deleting_the_cancellation_takes_it_back(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    await subscriptions.cancel(made, "end_of_cycle")
    (change,) = await subscriptions.parts(made, "scheduled-changes")
    await subscriptions.shop.ok_empty("DELETE", subscriptions.path(made, f"/scheduled-changes/{change['id']}"))
    after = await subscriptions.get(made)
    assert (after["status"], after["endDate"], after["nextBillingDate"]) == ("active", None, "2026-04-01")
    topic, told = (await subscriptions.events(made))[-1]
    assert (topic, told["changeId"]) == ("cancellation_cleared", change["id"])


async def test_an_end_whose_day_has_come_is_not_taken_back(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    await subscriptions.cancel(made, "end_of_cycle")
    (change,) = await subscriptions.parts(made, "scheduled-changes")
    subscriptions.move_to("2026-04-01")
    body = {"id": made["id"], "strategy": "clear_schedule"}
    await subscriptions.shop.refused("POST", "/v1/subscriptions/cancel", body, 409, "SUBSCRIPTION_INVALID_STATE")
    path = subscriptions.path(made, f"/scheduled-changes/{change['id']}")
    await subscriptions.shop.refused("DELETE", path, None, 409, "SUBSCRIPTION_INVALID_STATE")


@pytest.mark.parametrize(
    ("strategy", "fields"),
    [
        ("immediately", {}),
        ("end_of_cycle", {}),
        ("specific_date", {"effectiveDate": "2026-03-20"}),
        ("specific_date", {"effectiveDate": "2026-04-10"}),
    ],
)
async def test_what_has_not_started_is_cancelled_at_once(
    subscriptions: Subscriptions, strategy: str, fields: dict[str, Any]
) -> None:
    made = await subscriptions.assigned(start="2026-04-10", endDate="2026-12-31")
    answer = await subscriptions.cancel(made, strategy, **fields)
    assert (answer["status"], answer["cancellationDate"], answer["endDate"]) == (
        "cancelled", "2026-04-10", "2026-04-09",
    )  # fmt: skip
    assert answer["nextBillingDate"] is None
    assert await subscriptions.parts(made, "scheduled-changes") == []
    subscriptions.move_to("2026-05-01")
    await subscriptions.bill(made)
    assert await subscriptions.parts(made, "charges") == []
    assert "started" not in await subscriptions.topics(made)


async def test_a_trial_ends_with_the_trial(subscriptions: Subscriptions) -> None:
    made = await subscriptions.assigned(start="2026-03-10", trialDays=14, prorationBehavior="always_invoice")
    answer = await subscriptions.cancel(made, "end_of_cycle")
    assert (answer["endDate"], answer["nextBillingDate"]) == ("2026-03-23", None)
    subscriptions.move_to("2026-03-24")
    await subscriptions.bill(made)
    assert await subscriptions.parts(made, "charges") == []
    assert (await subscriptions.get(made))["status"] == "cancelled"


async def test_it_never_ends_after_what_was_agreed(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions, endDate="2026-03-25")
    answer = await subscriptions.cancel(made, "end_of_cycle")
    assert (answer["endDate"], answer["status"]) == ("2026-03-25", "pending_cancellation")
    body = {"id": made["id"], "strategy": "specific_date", "effectiveDate": "2026-03-27"}
    await subscriptions.shop.refused("POST", "/v1/subscriptions/cancel", body, 400, "SHARED_VALIDATION_FAILED")
    await subscriptions.cancel(made, "clear_schedule")
    subscriptions.move_to("2026-03-26")
    assert (await subscriptions.get(made))["status"] == "expired"


async def test_a_cancellation_can_be_a_scheduled_change(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    change = await subscriptions.change(made, "cancel")
    assert (change["status"], change["effectiveDate"]) == ("pending", "2026-04-01")
    assert (await subscriptions.get(made))["status"] == "pending_cancellation"
    at_once = await subscriptions.change(made, "cancel", {"refundBehavior": "prorated"}, effectiveDate="2026-03-16")
    assert at_once["status"] == "applied"
    assert (await subscriptions.get(made))["status"] == "cancelled"
    assert (await subscriptions.shop.ok("GET", "/v1/credit-notes"))["total"] == 1


async def test_what_does_not_go_together_is_refused(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    before = await subscriptions.get(made)
    for body, names in (
        ({"strategy": "specific_date"}, {"effectiveDate"}),
        ({"strategy": "specific_date", "effectiveDate": "2026-03-15"}, {"effectiveDate"}),
        ({"strategy": "specific_date", "effectiveDate": "2036-03-17"}, {"effectiveDate"}),
        ({"strategy": "immediately", "effectiveDate": "2026-03-16"}, {"effectiveDate"}),
        ({"strategy": "end_of_cycle", "refundBehavior": "prorated"}, {"refundBehavior"}),
        ({"strategy": "clear_schedule", "refundBehavior": "last_invoice"}, {"refundBehavior"}),
        ({"strategy": "never"}, {"strategy"}),
        ({}, {"strategy"}),
    ):
        found = await subscriptions.shop.refused(
            "POST", "/v1/subscriptions/cancel", {"id": made["id"], **body}, 400, "SHARED_VALIDATION_FAILED"
        )
        assert {one["property"] for one in found["validationErrors"]} == names
    nobody = {"id": "01890000-0000-7000-8000-000000000000", "strategy": "immediately"}
    details = await subscriptions.shop.refused(
        "POST", "/v1/subscriptions/cancel", nobody, 404, "SUBSCRIPTION_NOT_FOUND"
    )
    assert details["property"] == "id"
    assert await subscriptions.get(made) == before


async def test_a_repeated_request_cancels_once(subscriptions: Subscriptions) -> None:
    made = await billed(subscriptions)
    body = {"id": made["id"], "strategy": "immediately", "refundBehavior": "prorated"}
    first, second = [
        await subscriptions.api.post("/v1/subscriptions/cancel", body, headers={"x-api-idempotency-key": "once"})
        for _ in range(2)
    ]
    assert first.json() == second.json()
    assert (await subscriptions.shop.ok("GET", "/v1/credit-notes"))["total"] == 1


async def test_a_pending_end_is_gone_with_usage_of_its_days(subscriptions: Subscriptions) -> None:
    """What is reported for days after a scheduled end belongs to nothing, until the end is taken back."""
    shop = subscriptions.shop
    meter = (await shop.ok("POST", "/v1/meters", {"name": "calls"}))["id"]
    calls = await shop.price("2", billingPeriodType="USAGE", billingInterval="month", meterId=meter)
    customer = await shop.customer()
    made = await subscriptions.assigned(await subscriptions.plan(calls, interval="month"), customerId=customer)
    await subscriptions.cancel(made, "specific_date", effectiveDate="2026-03-17")
    subscriptions.move_to("2026-03-16")
    report = {"meterId": meter, "customerId": customer, "value": 5, "timestamp": "2026-03-17T06:00:00Z"}
    answer = await shop.api.post("/v1/meters/report", report, headers={"x-api-idempotency-key": "k1"})
    assert answer.status_code == 202, answer.text
    usage = await shop.ok("GET", f"/v1/meters/{meter}/usage?customerId={customer}&to=2026-03-31")
    assert (usage["attributed"], usage["unattributed"]) == (0, 1)
    await subscriptions.cancel(made, "clear_schedule")
    usage = await shop.ok("GET", f"/v1/meters/{meter}/usage?customerId={customer}&to=2026-03-31")
    assert (usage["attributed"], usage["unattributed"]) == (1, 0)
