"""MRR, its movements, and how it goes with what was invoiced: by real subscriptions, billed over HTTP."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.billing import Biller
from tests.conftest import SteeredClock, new_company

from ledgerbee.platform.db import Database

NONE = {"new": "0.00", "expansion": "0.00", "contraction": "0.00", "churn": "0.00", "reactivation": "0.00"}
REASONS = (
    "calendar", "changes", "notInvoiced", "givenAway", "notRefunded", "otherTerms", "discount", "credited",
    "exchangeRates", "rounding",
)  # fmt: skip


@pytest.fixture
async def biller(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> Biller:
    """Its company is made on 1 January: the clock never goes back."""
    clock.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return Biller(await new_company(http, database, clock))


async def mrr(biller: Biller, month: str) -> dict[str, Any]:
    """A month's figures, which add up, and are those of the customers."""
    found: dict[str, Any] = await biller.ok("GET", f"/v1/metrics/mrr?month={month}")
    moves = {name: Decimal(amount) for name, amount in found["movements"].items()}
    opening, closing = Decimal(found["openingMrr"]), Decimal(found["mrr"])
    up = moves["new"] + moves["expansion"] + moves["reactivation"]
    assert opening + up - moves["contraction"] - moves["churn"] == closing
    listed = (await biller.ok("GET", f"/v1/metrics/mrr/customers?month={month}&limit=100"))["data"]
    assert sum(Decimal(one["mrr"]) > 0 for one in listed) == found["customers"]
    for name, count in found["movedCustomers"].items():
        assert sum(one["movement"] == name for one in listed) == count
    return found


async def reconciled(biller: Biller, month: str) -> dict[str, Any]:
    """A month's reconciliation, which adds up: the amounts, and the reasons that are not zero."""
    found = await biller.ok("GET", f"/v1/metrics/revenue-reconciliation?month={month}")
    reasons = {name: Decimal(found["reasons"][name]) for name in REASONS}
    amounts = {name: Decimal(found[name]) for name in ("mrr", "agreed", "invoiced", "difference")}
    assert amounts["mrr"] + reasons["calendar"] + reasons["changes"] == amounts["agreed"]
    assert amounts["mrr"] + sum(reasons.values()) == amounts["invoiced"]
    assert amounts["difference"] == amounts["invoiced"] - amounts["mrr"]
    shown = {name: found[name] for name in ("mrr", "agreed", "invoiced")}
    return shown | {name: found["reasons"][name] for name in REASONS if reasons[name]}


async def credit(biller: Biller, invoice: dict[str, Any], amount: int) -> None:
    """Credit so much of an invoice's only line by hand."""
    (line,) = invoice["lines"]
    note = await biller.ok("POST", "/v1/credit-notes", {
        "customerId": invoice["customerId"], "invoiceNumber": invoice["number"], "date": invoice["date"],
        "lines": [{"invoiceLineId": line["id"], "quantity": 1, "unitPrice": amount}],
    })  # fmt: skip
    await biller.ok("POST", f"/v1/credit-notes/{note['id']}/send", {"deliveryType": "Manual"}, status=200)


async def test_what_counts_and_how_it_moves(biller: Biller) -> None:
    """Five payers and one who is late are 294 and eight trials nothing; what was stays what it was."""
    basis = await biller.plan(await biller.recurring("49"))
    payers = [await biller.subscribe(basis, "2026-01-01") for _ in range(6)]
    for _ in range(8):
        await biller.subscribe(basis, "2026-01-20", trialDays=30, endDate="2026-02-10")
    await biller.bill()
    for invoice in (await biller.invoices())[:5]:
        await biller.pay(invoice)
    biller.on("2026-01-31")
    january = await mrr(biller, "2026-01")
    assert january | {
        "mrr": "294.00", "arr": "3528.00", "openingMrr": "0.00", "customers": 6, "trialCustomers": 8, "arpa": "49.00",
        "asOf": "2026-01-31", "currency": "DKK", "churnRate": None, "netRevenueRetention": None,
        "movements": NONE | {"new": "294.00"},
    } == january  # fmt: skip

    # A month that a payer is given free is no trial.
    (free, *_) = await biller.invoices()
    await credit(biller, free, 49)
    assert await mrr(biller, "2026-01") == january

    biller.on("2026-02-10")
    seats = await biller.plan(await biller.recurring("15"))
    await biller.subscribe(seats, "2026-02-10", productOverrides=[])
    seats_price = (await biller.ok("GET", f"/v1/subscription-plans/{seats}"))["items"][0]["priceId"]
    await biller.subscribe(seats, "2026-02-10", productOverrides=[{"priceId": seats_price, "quantity": 77}])
    paused, cancelled, pending, more = payers[:4]
    await biller.ok("POST", f"/v1/subscriptions/{paused}/pause", {}, status=200)
    await biller.cancel(cancelled)
    await biller.cancel(pending, "specific_date", effectiveDate="2026-03-01")
    await biller.change(more, "replace_plan", effectiveDate="2026-02-10", payload={
        "planId": seats, "products": [{"priceId": seats_price, "quantity": 4}],
    })  # fmt: skip
    biller.on("2026-03-15")
    await biller.ok("POST", f"/v1/subscriptions/{paused}/resume", {}, status=200)
    february = await mrr(biller, "2026-02")
    assert february | {
        "mrr": "1377.00", "openingMrr": "294.00", "customers": 6, "trialCustomers": 0,
        "movements": NONE | {"new": "1170.00", "churn": "98.00", "expansion": "11.00"},
        "movedCustomers": {"new": 2, "expansion": 1, "contraction": 0, "churn": 2, "reactivation": 0},
        "churnRate": "0.333333", "netRevenueRetention": "0.704082", "arpa": "229.50",
    } == february  # fmt: skip
    march = await mrr(biller, "2026-03")
    assert march | {
        "asOf": "2026-03-15", "mrr": "1377.00", "openingMrr": "1377.00", "customers": 6,
        "movements": NONE | {"reactivation": "49.00", "churn": "49.00"},
    } == march  # fmt: skip
    series = await biller.ok("GET", "/v1/metrics/mrr/series?from=2026-01")
    assert series["data"] == [
        {name: value for name, value in one.items() if name != "currency"} for one in (january, february, march)
    ]

    page = await biller.ok("GET", "/v1/metrics/mrr/customers?month=2026-02&limit=2&page=2")
    assert ([one["mrr"] for one in page["data"]], page["total"], page["month"]) == (["49.00", "49.00"], 8, "2026-02")
    churned = await biller.ok("GET", "/v1/metrics/mrr/customers?month=2026-02&movement=churn")
    assert [(one["customerName"], one["openingMrr"], one["change"]) for one in churned["data"]] == [
        ("Havblik A/S", "49.00", "-49.00")
    ] * 2  # fmt: skip

    # A subscription of days of the past changes their months.
    await biller.subscribe(basis, "2026-01-31")
    assert (await mrr(biller, "2026-01"))["mrr"] == "343.00"
    assert (await mrr(biller, "1999-12"))["mrr"] == "0.00"


async def test_prices_are_made_monthly_and_the_companys_currency(biller: Biller) -> None:
    _, usage = await biller.metered()
    once = await biller.price("500", billingPeriodType="ONE_TIME")
    tiers = [{"upTo": 10, "unitAmount": 5}, {"upTo": None, "unitAmount": 3}]
    tiered = await biller.recurring(unitAmount=None, pricingModel="GRADUATED", tiers=tiers)
    yearly, weekly, daily, quarterly = [
        await biller.recurring(amount, interval=interval, count=count)
        for amount, interval, count in (("1000", "year", 1), ("12", "week", 2), ("1", "day", 1), ("300", "month", 3))
    ]
    group = (await biller.ok("POST", "/v1/customer-groups", {
        "number": "77", "name": "Venner", "discount": 10,
        "accountId": (await biller.ok("GET", "/v1/customer-groups"))[0]["accountId"],
    }))["id"]  # fmt: skip
    friend = await biller.customer(customerGroupId=group)
    euro = await biller.plan(await biller.recurring("100", currency="EUR"), currency="EUR")
    for price in (yearly, weekly, daily, quarterly):
        await biller.subscribe(await biller.plan(price), "2026-01-01")
    override = [{"priceId": tiered, "quantity": 12}]
    await biller.subscribe(await biller.plan(once, usage, tiered), "2026-01-01", friend, productOverrides=override)
    await biller.subscribe(euro, "2026-01-01", friend)
    for day, rate in (("2026-01-31", "7.5"), ("2026-02-28", "7.4")):
        await biller.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": day, "rate": rate})
    biller.on("2026-03-01")
    january = await mrr(biller, "2026-01")
    # 83.333 + 26 + 30.417 + 100, and of the friend 0.9 * (56 + 750)
    assert (january["mrr"], january["arr"], january["customers"]) == ("965.15", "11581.80", 5)
    assert january["arpa"] == "193.03"
    february = await mrr(biller, "2026-02")
    assert february["movements"] == NONE | {"contraction": "9.00"}


async def test_invoices_are_reconciled_with_what_was_agreed(biller: Biller) -> None:
    monthly = await biller.plan(await biller.recurring("310"))
    larger = await biller.plan(await biller.recurring("620"))
    full = await biller.subscribe(monthly, "2026-01-01")
    await biller.bill()
    assert await reconciled(biller, "2026-01") == {"mrr": "310.00", "agreed": "310.00", "invoiced": "310.00"}
    await credit(biller, (await biller.invoices())[0], 31)
    biller.on("2026-01-11")
    given = await biller.subscribe(monthly, "2026-01-11", billingCycleAnchor="2026-01-01", prorationBehavior="none")
    await biller.subscribe(monthly, "2026-01-01", billingDirection="arrears")
    await biller.bill()
    biller.on("2026-01-21")
    await biller.cancel(full)
    await biller.change(given, "replace_plan", effectiveDate="2026-01-21", payload={"planId": larger},
                        prorationBehavior="none")  # fmt: skip
    assert await reconciled(biller, "2026-01") == {
        "mrr": "930.00", "agreed": "830.00", "invoiced": "279.00", "changes": "-100.00", "notInvoiced": "-310.00",
        "givenAway": "-320.00", "notRefunded": "110.00", "credited": "-31.00",
    }  # fmt: skip
    biller.on("2026-02-01")
    for day, rate in (("2026-02-01", "7.5"), ("2026-02-28", "7.4")):
        await biller.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": day, "rate": rate})
    await biller.subscribe(
        await biller.plan(await biller.recurring("100", currency="EUR"), currency="EUR"), "2026-02-01"
    )
    await biller.bill()
    assert "notInvoiced" not in await reconciled(biller, "2026-01")
    (euro,) = [one for one in await biller.invoices() if one["currency"] == "EUR"]
    await credit(biller, euro, 20)
    biller.on("2026-02-15")
    await biller.cancel(given, refundBehavior="prorated")
    biller.on("2026-03-01")
    # 310 in arrears and 100 EUR; what was refunded is on a credit note of the subscription's own.
    assert await reconciled(biller, "2026-02") == {
        "mrr": "1050.00", "agreed": "1360.00", "invoiced": "910.00", "changes": "310.00", "notInvoiced": "-310.00",
        "credited": "-148.00", "exchangeRates": "8.00",
    }  # fmt: skip
    await biller.check_books()


async def test_a_month_has_begun_and_a_series_has_an_end(biller: Biller) -> None:
    for path in ("mrr", "mrr/customers", "revenue-reconciliation"):
        for query, name in (("", "month"), ("?month=2026-1", "month"), ("?month=2026-02", "month"),
                            ("?month=1899-12", "month"), ("?month=2026-01-01", "month")):  # fmt: skip
            found = await biller.refused("GET", f"/v1/metrics/{path}{query}", None, 400, "SHARED_VALIDATION_FAILED")
            assert [one["property"] for one in found["validationErrors"]] == [name], (path, query)
    for query, name in (
        ("from=2026-02&to=2026-01", "from"), ("to=2026-02", "to"), ("from=2021-01&to=2026-01", "from"),
        ("from=x", "from"),
    ):  # fmt: skip
        found = await biller.refused("GET", f"/v1/metrics/mrr/series?{query}", None, 400, "SHARED_VALIDATION_FAILED")
        assert [one["property"] for one in found["validationErrors"]] == [name], query
    series = await biller.ok("GET", "/v1/metrics/mrr/series")
    assert [one["month"] for one in series["data"]][::11] == ["2025-02", "2026-01"]
    assert len((await biller.ok("GET", "/v1/metrics/mrr/series?from=2021-02"))["data"]) == 60
    empty = await biller.ok("GET", "/v1/metrics/mrr/customers?month=2026-01&movement=none")
    assert (empty["data"], empty["total"]) == ([], 0)
    dirham = await biller.plan(await biller.recurring("100", currency="AED"), currency="AED")
    await biller.subscribe(dirham, "2026-01-01")
    for path in ("mrr", "mrr/customers", "revenue-reconciliation"):
        found = await biller.refused("GET", f"/v1/metrics/{path}?month=2026-01", None, 400, "EXCHANGE_RATE_MISSING")
        assert (found["currency"], found["date"]) == ("AED", "2026-01-01")
    assert (await mrr(biller, "2025-12"))["mrr"] == "0.00"


async def test_a_note_on_a_line_that_charges_share_counts_once(biller: Biller) -> None:
    """Paused and resumed on the 16th: the days from then on are paid for by another charge on January's line."""
    subscription = await biller.subscribe(
        await biller.plan(await biller.recurring("310")), "2026-01-01", prorationBehavior="create_prorations"
    )
    await biller.bill()
    biller.on("2026-01-16")
    await biller.change(subscription, "pause", effectiveDate="2026-01-16")
    await biller.change(subscription, "resume", effectiveDate="2026-01-16")
    biller.on("2026-02-01")
    await biller.bill()
    assert {one["invoiceId"] for one in await biller.charges(subscription) if one["kind"] == "proration"} == {
        (await biller.invoices())[0]["id"]
    }
    await credit(biller, (await biller.invoices())[0], 31)
    assert await reconciled(biller, "2026-01") == {
        "mrr": "310.00", "agreed": "310.00", "invoiced": "279.00", "credited": "-31.00",
    }  # fmt: skip
    await biller.check_books()
