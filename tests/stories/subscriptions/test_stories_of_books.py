"""Stories of what subscriptions come to in the books: VAT zones, currencies, discounts, days that are locked."""

import pytest
from tests.stories.subscriptions.steps import (
    DEFERRED,
    OUTPUT_VAT,
    RECEIVABLE,
    REVENUE,
    REVENUE_ABROAD,
    REVENUE_EU,
    Begin,
)


@pytest.mark.parametrize(
    ("country", "zone", "account"), [("DE", "eu", REVENUE_EU), ("NO", "abroad", REVENUE_ABROAD)], ids=["eu", "abroad"]
)
async def test_customers_beyond_the_border(begin: Begin, country: str, zone: str, account: int) -> None:
    """Without VAT. Sixteen of thirty-one days of 10.00 are in January; the second period isn't begun."""
    story = await begin("2026-01-16")
    customer = await story.customer(
        countryCode=country, vatZone=zone, vatNumber=None if country == "NO" else "DE136695976"
    )
    await story.subscribe(await story.plan_of("310"), "2026-01-16", customer)
    await story.on("2026-02-15")
    await story.ends(
        invoices=["2026-01-16: 310.00 = 310.00 (01-16/02-15)"],
        ledger={RECEIVABLE: "310.00", account: "-160.00", DEFERRED: "-150.00"},
    )


async def test_euros_in_books_of_kroner(begin: Begin) -> None:
    """EUR 365.00 a year are booked at 7.45: 2,719.25, of which January and February earn 439.55, whatever the rate is
    by then. EUR 40.00 of March are booked at 7.50. VAT is EUR 91.25 and 10.00."""
    story = await begin("2026-01-01")
    await story.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-01-01", "rate": "7.45"})
    yearly = await story.plan(await story.price("365", "year", currency="EUR"), currency="EUR")
    monthly = await story.plan(await story.price("40", currency="EUR"), currency="EUR")
    await story.subscribe(yearly, "2026-01-01")
    await story.on("2026-03-01")
    await story.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-01", "rate": "7.50"})
    await story.subscribe(monthly, "2026-03-01")
    assert {one["currency"] for one in await story.documents("invoices")} == {"EUR"}
    await story.ends(
        invoices=["2026-01-01: 365.00 = 365.00 (01-01/12-31)", "2026-03-01: 40.00 = 40.00 (03-01/03-31)"],
        ledger={RECEIVABLE: "3774.06", REVENUE: "-739.55", DEFERRED: "-2279.70", OUTPUT_VAT: "-754.81"},
    )


async def test_euros_are_given_back_at_the_rate_they_were_booked_at(begin: Begin) -> None:
    """291 of 365 days come back on 16 March, when a euro is 7.60: EUR 74.00 are left, 551.30 at 7.45, and VAT."""
    story = await begin("2026-01-01")
    await story.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-01-01", "rate": "7.45"})
    plan = await story.plan(await story.price("365", "year", currency="EUR"), currency="EUR")
    subscription = await story.subscribe(plan, "2026-01-01")
    await story.on("2026-03-16")
    await story.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.60"})
    assert (await story.cancel(subscription, refundBehavior="prorated"))["amount"] == "291.00"
    await story.on("2026-05-01")
    await story.ends(
        invoices=["2026-01-01: 365.00 = 365.00 (01-01/12-31)"],
        notes=["2026-03-16: -291.00 on 1 = -291.00 (03-16/12-31)"],
        # EUR 18.50 of VAT: 679.81 were booked for 91.25, 541.99 come back for 72.75.
        ledger={RECEIVABLE: "689.12", REVENUE: "-551.30", OUTPUT_VAT: "-137.82"},
    )


async def test_the_discount_of_the_day(begin: Begin) -> None:
    """The customer comes from a group with 10 % to one with 20 % on 15 April: 270.00, then 240.00 of 300.00, and 8.00
    for five units that April used."""
    story = await begin("2026-04-01")
    accounts = {row["accountNumber"]: row["id"] for row in await story.ok("GET", "/v1/accounts")}
    some, more = [
        await story.ok(
            "POST",
            "/v1/customer-groups",
            {
                "number": f"7{discount}",
                "name": f"{discount} %",
                "accountId": accounts[RECEIVABLE],
                "discount": discount,
            },
        )
        for discount in (10, 20)
    ]
    customer = await story.customer(customerGroupId=some["id"])
    meter, price = await story.meter("2")
    plan = await story.plan(await story.price("300"), price)
    subscription = await story.subscribe(plan, "2026-04-01", customer)
    await story.on("2026-04-15")
    await story.ok("PATCH", f"/v1/customers/{customer}", {"customerGroupId": more["id"]})
    await story.use(meter, subscription, "5", "2026-04-10")
    await story.on("2026-05-31")
    await story.ends(
        invoices=[
            "2026-04-01: 270.00 = 270.00 (04-01/04-30)",
            "2026-05-01: 248.00 = 240.00 (05-01/05-31) + 8.00 (04-01/04-30)",
        ],
        ledger={RECEIVABLE: "647.50", REVENUE: "-518.00", OUTPUT_VAT: "-129.50"},
    )


async def test_a_run_on_a_day_that_is_locked(begin: Begin) -> None:
    """The books are locked through 1 April: its run says so and books nothing, the next day's bills April. March of the
    year, 31.00, waits until somebody says on which day it is to be booked."""
    story = await begin("2026-03-01")
    await story.subscribe(await story.plan_of("310"), "2026-03-01")
    await story.subscribe(await story.plan_of("365", "year"), "2026-03-01")
    await story.on("2026-03-31")
    await story.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-04-01"})
    await story.on("2026-04-01")
    newest = (await story.ok("GET", "/v1/billing-runs?limit=1"))["data"][0]
    assert (newest["status"], newest["code"], newest["asOf"]) == ("failed", "PERIOD_LOCKED", "2026-04-01")
    assert len(await story.documents("invoices")) == 2
    await story.on("2026-04-10")
    report = await story.ok("GET", "/v1/deferred-revenue")
    assert [(one["month"], one["isLocked"]) for one in report["outstanding"]] == [("2026-03", True)]
    await story.ok("POST", "/v1/deferred-revenue/recognize", {"month": "2026-03", "date": "2026-04-10"})
    await story.on("2026-04-30")
    await story.ends(
        invoices=[
            "2026-03-01: 310.00 = 310.00 (03-01/03-31)",
            "2026-03-01: 365.00 = 365.00 (03-01/2027-02-28)",
            "2026-04-02: 310.00 = 310.00 (04-01/04-30)",
        ],
        ledger={RECEIVABLE: "1231.25", REVENUE: "-651.00", DEFERRED: "-334.00", OUTPUT_VAT: "-246.25"},
    )


async def test_a_customer_moves_abroad_before_a_credit(begin: Begin) -> None:
    """What was billed with VAT is credited with VAT: two became one for sixteen days of March, 320.00 less and 160.00
    anew, which the new zone bears none of."""
    story = await begin("2026-03-01")
    price = await story.price("310")
    customer = await story.customer()
    subscription = await story.subscribe(
        await story.plan({"priceId": price, "quantity": 2}),
        "2026-03-01",
        customer,
        prorationBehavior="create_prorations",
    )
    await story.on("2026-03-11")
    await story.ok(
        "PATCH", f"/v1/customers/{customer}", {"countryCode": "DE", "vatZone": "eu", "vatNumber": "DE136695976"}
    )
    await story.on("2026-03-16")
    await story.change_now(subscription, "edit_products", {"products": [{"priceId": price, "quantity": 1}]})
    await story.on("2026-04-30")
    await story.ends(
        invoices=[
            "2026-03-01: 620.00 = 620.00 (03-01/03-31)",
            "2026-04-01: 470.00 = 160.00 (03-16/03-31) + 310.00 (04-01/04-30)",
        ],
        notes=["2026-04-01: -320.00 on 1 = -320.00 (03-16/03-31)"],
        ledger={RECEIVABLE: "845.00", REVENUE: "-300.00", REVENUE_EU: "-470.00", OUTPUT_VAT: "-75.00"},
    )
