"""Stories of cancellations and what they give back. Amounts in kroner, VAT is 25 % of them."""

import pytest
from tests.stories.subscriptions.steps import (
    BANK,
    DEFERRED,
    OUTPUT_VAT,
    RECEIVABLE,
    REVENUE,
    YEARS_BEFORE,
    Begin,
)

APRIL = "2026-04-01: 300.00 = 300.00 (04-01/04-30)"
#: April is paid, 375.00 with VAT, and what of it is owed back is what the customer has.
KEPT = {BANK: "375.00", REVENUE: "-300.00", OUTPUT_VAT: "-75.00"}


@pytest.mark.parametrize(
    ("strategy", "day", "refund", "notes", "ledger"),
    [
        ("immediately", None, "none", [], KEPT),
        (
            "immediately",
            None,
            "prorated",
            ["2026-04-11: -200.00 on 1 = -200.00 (04-11/04-30)"],
            {BANK: "375.00", RECEIVABLE: "-250.00", REVENUE: "-100.00", OUTPUT_VAT: "-25.00"},
        ),
        (
            "immediately",
            None,
            "last_invoice",
            ["2026-04-11: -300.00 on 1 = -300.00 (04-01/04-30)"],
            {BANK: "375.00", RECEIVABLE: "-375.00"},
        ),
        ("specific_date", "2026-04-21", "none", [], KEPT),
        (
            "specific_date",
            "2026-04-21",
            "prorated",
            ["2026-04-21: -100.00 on 1 = -100.00 (04-21/04-30)"],
            {BANK: "375.00", RECEIVABLE: "-125.00", REVENUE: "-200.00", OUTPUT_VAT: "-50.00"},
        ),
        (
            "specific_date",
            "2026-04-21",
            "last_invoice",
            ["2026-04-21: -300.00 on 1 = -300.00 (04-01/04-30)"],
            {BANK: "375.00", RECEIVABLE: "-375.00"},
        ),
        ("end_of_cycle", None, "none", [], KEPT),
    ],
)
async def test_each_way_to_leave(
    begin: Begin, strategy: str, day: str | None, refund: str, notes: list[str], ledger: dict[int, str]
) -> None:
    """On 11 April, of a month of thirty days at 10.00."""
    story = await begin("2026-04-01")
    subscription = await story.subscribe(await story.plan_of("300"), "2026-04-01")
    await story.is_paid(1)
    await story.on("2026-04-11")
    given = {} if day is None else {"effectiveDate": day}
    answer = await story.cancel(subscription, strategy, refundBehavior=refund, **given)
    is_at_once = strategy == "immediately"
    assert answer["amount"] == (notes[0].split()[1].removeprefix("-") if notes and is_at_once else "0.00")
    assert await story.status(subscription) == ("cancelled" if is_at_once else "pending_cancellation")
    await story.on("2026-05-02")
    assert await story.status(subscription) == "cancelled"
    await story.ends(invoices=[APRIL], notes=notes, ledger=ledger)


async def test_what_does_not_go_together_is_refused(begin: Begin) -> None:
    """A refund at the end of the period, a day that is over, a day without a strategy for it: nothing changes."""
    story = await begin("2026-04-01")
    subscription = await story.subscribe(await story.plan_of("300"), "2026-04-01")
    await story.on("2026-04-11")
    for body in (
        {"strategy": "end_of_cycle", "refundBehavior": "prorated"},
        {"strategy": "specific_date", "effectiveDate": "2026-04-10"},
        {"strategy": "immediately", "effectiveDate": "2026-04-20"},
        {"strategy": "specific_date"},
    ):
        code, _ = await story.refused("POST", "/v1/subscriptions/cancel", {"id": subscription, **body})
        assert code == "SHARED_VALIDATION_FAILED"
    assert await story.status(subscription) == "active"
    await story.ends(invoices=[APRIL], ledger={RECEIVABLE: "375.00", REVENUE: "-300.00", OUTPUT_VAT: "-75.00"})


async def test_without_a_paid_invoice_none_is_given_back(begin: Begin) -> None:
    """April was paid, May wasn't: `last_invoice` is April's. The second subscription paid nothing."""
    story = await begin("2026-04-01")
    plan = await story.plan_of("300")
    payer, debtor = await story.subscribe(plan, "2026-04-01"), await story.subscribe(plan, "2026-04-01")
    await story.is_paid(1)
    await story.on("2026-05-11")
    assert (await story.cancel(payer, refundBehavior="last_invoice"))["amount"] == "300.00"
    refund = await story.cancel(debtor, refundBehavior="last_invoice")
    assert (refund["amount"], refund["reason"]) == ("0.00", "no_paid_invoice")
    await story.ends(
        invoices=[
            APRIL,
            APRIL,
            "2026-05-01: 300.00 = 300.00 (05-01/05-31)",
            "2026-05-01: 300.00 = 300.00 (05-01/05-31)",
        ],
        notes=["2026-05-11: -300.00 on 1 = -300.00 (04-01/04-30)"],
        # Four invoices of 375.00, one paid and one credited.
        ledger={BANK: "375.00", RECEIVABLE: "750.00", REVENUE: "-900.00", OUTPUT_VAT: "-225.00"},
    )


async def test_a_cancellation_is_taken_back(begin: Begin) -> None:
    """February would have been given away, as it was to end on the 16th; it is charged with March as it doesn't."""
    story = await begin("2026-01-01")
    subscription = await story.subscribe(await story.plan_of("300"), "2026-01-01")
    await story.on("2026-01-15")
    await story.cancel(subscription, "clear_schedule")
    assert await story.status(subscription) == "active"
    await story.cancel(subscription, "specific_date", effectiveDate="2026-02-16")
    await story.on("2026-02-10")
    assert await story.status(subscription) == "pending_cancellation"
    await story.cancel(subscription, "clear_schedule")
    assert await story.status(subscription) == "active"
    await story.on("2026-03-31")
    await story.ends(
        invoices=[
            "2026-01-01: 300.00 = 300.00 (01-01/01-31)",
            "2026-03-01: 600.00 = 300.00 (02-01/02-28) + 300.00 (03-01/03-31)",
        ],
        ledger={RECEIVABLE: "1125.00", REVENUE: "-900.00", OUTPUT_VAT: "-225.00"},
    )


async def test_a_later_cancellation_takes_the_place_of_the_first(begin: Begin) -> None:
    """To end on 10 June, then at the end of May: one cancellation waits, the later one."""
    story = await begin("2026-04-01")
    subscription = await story.subscribe(await story.plan_of("300"), "2026-04-01")
    await story.on("2026-05-11")
    await story.cancel(subscription, "specific_date", effectiveDate="2026-06-10")
    await story.cancel(subscription, "end_of_cycle")
    path = f"/v1/subscriptions/{subscription}/scheduled-changes"
    changes = await story.ok("GET", path)
    assert [(one["type"], one["effectiveDate"]) for one in changes] == [("cancel", "2026-06-01")]
    await story.on("2026-07-01")
    assert await story.status(subscription) == "cancelled"
    await story.ends(
        invoices=[APRIL, "2026-05-01: 300.00 = 300.00 (05-01/05-31)"],
        ledger={RECEIVABLE: "750.00", REVENUE: "-600.00", OUTPUT_VAT: "-150.00"},
    )


async def test_before_its_first_day(begin: Begin) -> None:
    story = await begin("2026-04-01")
    subscription = await story.subscribe(await story.plan_of("300"), "2026-05-01")
    assert await story.status(subscription) == "scheduled"
    await story.on("2026-04-15")
    await story.cancel(subscription, refundBehavior="prorated")
    assert await story.status(subscription) == "cancelled"
    await story.on("2026-06-01")
    await story.ends(invoices=[], ledger={})


async def test_what_was_credited_by_hand_is_not_given_back_again(begin: Begin) -> None:
    """B5: an invoice that was credited whole has nothing left."""
    story = await begin("2026-04-01")
    subscription = await story.subscribe(await story.plan_of("300"), "2026-04-01")
    await story.on("2026-04-05")
    await story.credits(1)
    await story.on("2026-04-10")
    refund = await story.cancel(subscription, refundBehavior="prorated")
    assert (refund["amount"], refund["reason"]) == ("0.00", "nothing_left")
    await story.on("2026-06-01")
    await story.ends(invoices=[APRIL], notes=["2026-04-05: -300.00 on 1 = -300.00 (04-01/04-30)"], ledger={})


async def test_a_credited_period_is_not_billed_again(begin: Begin) -> None:
    """B11: April is credited by hand; May is billed, and April is not."""
    story = await begin("2026-04-01")
    subscription = await story.subscribe(await story.plan_of("300"), "2026-04-01")
    await story.on("2026-04-05")
    await story.credits(1)
    await story.on("2026-05-31")
    assert await story.status(subscription) == "active"
    await story.ends(
        invoices=[APRIL, "2026-05-01: 300.00 = 300.00 (05-01/05-31)"],
        notes=["2026-04-05: -300.00 on 1 = -300.00 (04-01/04-30)"],
        ledger={RECEIVABLE: "375.00", REVENUE: "-300.00", OUTPUT_VAT: "-75.00"},
    )


async def test_what_waits_is_billed_on_the_day_of_the_end(begin: Begin) -> None:
    """A second one for the twenty-one days from 11 March on waits for April, which doesn't come."""
    story = await begin("2026-03-01")
    price = await story.price("310")
    subscription = await story.subscribe(await story.plan(price), "2026-03-01", prorationBehavior="create_prorations")
    await story.on("2026-03-11")
    await story.change_now(subscription, "edit_products", {"products": [{"priceId": price, "quantity": 2}]})
    await story.on("2026-03-21")
    await story.cancel(subscription)
    await story.on("2026-05-01")
    await story.ends(
        invoices=[
            "2026-03-01: 310.00 = 310.00 (03-01/03-31)",
            "2026-03-21: 210.00 = -210.00 (03-11/03-31) + 420.00 (03-11/03-31)",
        ],
        ledger={RECEIVABLE: "650.00", REVENUE: "-520.00", OUTPUT_VAT: "-130.00"},
    )


async def test_a_year_is_earned_by_months(begin: Begin) -> None:
    """3,650.00 for 365 days from 16 January on: twelve months of 10.00 a day, and fifteen days of the next January."""
    story = await begin("2026-01-16")
    subscription = await story.subscribe(await story.plan_of("3650", "year"), "2026-01-16")
    await story.cancel(subscription, "end_of_cycle")
    await story.on("2027-02-01")
    assert await story.status(subscription) == "cancelled"
    left = {
        "2026-01-16": "-3650.00", "2026-01-31": "-3490.00", "2026-02-28": "-3210.00", "2026-03-31": "-2900.00",
        "2026-04-30": "-2600.00", "2026-05-31": "-2290.00", "2026-06-30": "-1990.00", "2026-07-31": "-1680.00",
        "2026-08-31": "-1370.00", "2026-09-30": "-1070.00", "2026-10-31": "-760.00", "2026-11-30": "-460.00",
        "2026-12-31": "-150.00",
    }  # fmt: skip
    assert {day: (await story.books(day)).get(DEFERRED) for day in left} == left
    await story.ends(
        invoices=["2026-01-16: 3650.00 = 3650.00 (01-16/2027-01-15)"],
        ledger={RECEIVABLE: "4562.50", YEARS_BEFORE: "-3500.00", REVENUE: "-150.00", OUTPUT_VAT: "-912.50"},
    )


async def test_a_year_that_ends_in_its_fifth_month(begin: Begin) -> None:
    """3,650.00, 10.00 a day. From 15 May on 231 days come back; of what is left, 1,340.00, May has the last 140.00."""
    story = await begin("2026-01-01")
    subscription = await story.subscribe(await story.plan_of("3650", "year"), "2026-01-01")
    await story.on("2026-05-15")
    assert (await story.cancel(subscription, refundBehavior="prorated"))["amount"] == "2310.00"
    assert (await story.books())[DEFERRED] == "-140.00"
    await story.on("2026-07-01")
    left = {
        "2026-01-31": "-3340.00", "2026-02-28": "-3060.00", "2026-03-31": "-2750.00", "2026-04-30": "-2450.00",
        "2026-05-15": "-140.00", "2026-05-31": None, "2026-06-30": None,
    }  # fmt: skip
    assert {day: (await story.books(day)).get(DEFERRED) for day in left} == left
    await story.ends(
        invoices=["2026-01-01: 3650.00 = 3650.00 (01-01/12-31)"],
        notes=["2026-05-15: -2310.00 on 1 = -2310.00 (05-15/12-31)"],
        ledger={RECEIVABLE: "1675.00", REVENUE: "-1340.00", OUTPUT_VAT: "-335.00"},
    )


async def test_less_that_waits_is_credited_on_the_day_of_the_end(begin: Begin) -> None:
    """One of two for the twenty-one days from 11 March on is given up; April, which would have it, doesn't come."""
    story = await begin("2026-03-01")
    price = await story.price("310")
    plan = await story.plan({"priceId": price, "quantity": 2})
    subscription = await story.subscribe(plan, "2026-03-01", prorationBehavior="create_prorations")
    await story.on("2026-03-11")
    await story.change_now(subscription, "edit_products", {"products": [{"priceId": price, "quantity": 1}]})
    await story.on("2026-03-21")
    await story.cancel(subscription)
    await story.on("2026-05-01")
    await story.ends(
        invoices=["2026-03-01: 620.00 = 620.00 (03-01/03-31)"],
        notes=["2026-03-21: -210.00 on 1 = -210.00 (03-11/03-31)"],
        ledger={RECEIVABLE: "512.50", REVENUE: "-410.00", OUTPUT_VAT: "-102.50"},
    )


async def test_a_part_was_credited_by_hand_and_the_rest_is_given_back(begin: Begin) -> None:
    """20 days of 10.00 are left, but only 150.00 of the invoice: no more comes back."""
    story = await begin("2026-04-01")
    subscription = await story.subscribe(await story.plan_of("300"), "2026-04-01")
    await story.on("2026-04-05")
    invoice = await story.invoice(1)
    line = {"invoiceLineId": invoice["lines"][0]["id"], "unitPrice": "150.00"}
    body = {"customerId": invoice["customerId"], "invoiceNumber": "1", "lines": [line]}
    note = await story.ok("POST", "/v1/credit-notes", body)
    await story.done("POST", f"/v1/credit-notes/{note['id']}/send", {})
    await story.on("2026-04-11")
    assert (await story.cancel(subscription, refundBehavior="prorated"))["amount"] == "150.00"
    await story.on("2026-05-02")
    await story.ends(
        invoices=[APRIL],
        notes=[
            "2026-04-05: -150.00 on 1 = -150.00 (04-01/04-30)",
            "2026-04-11: -150.00 on 1 = -150.00 (04-11/04-30)",
        ],
        ledger={},
    )
