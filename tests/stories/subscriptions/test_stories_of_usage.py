"""Stories of usage. Amounts in kroner, VAT is 25 % of them."""

from typing import Any

import pytest
from tests.stories.subscriptions.steps import OUTPUT_VAT, RECEIVABLE, REVENUE, Begin, Story

TIERS: list[dict[str, Any]] = [
    {"upTo": 10, "unitAmount": "5"},
    {"upTo": 100, "unitAmount": "3"},
    {"upTo": None, "unitAmount": "1"},
]


async def metered_and_monthly(story: Story, amount: str = "2") -> tuple[str, str]:
    """A meter, and a subscription since 1 March of 310.00 a month and so much for a unit of it."""
    meter, price = await story.meter(amount)
    plan = await story.plan(await story.price("310"), price)
    return meter, await story.subscribe(plan, "2026-03-01")


@pytest.mark.parametrize(
    ("model", "tiers", "in_arrears", "ledger"),
    [
        (
            # 10 at 5.00, 90 at 3.00, 20 at 1.00; then 10 at 5.00.
            "GRADUATED",
            TIERS,
            [
                "2026-04-01: 650.00 = 310.00 (03-01/03-31) + 340.00 (03-01/03-31)",
                "2026-05-01: 360.00 = 310.00 (04-01/04-30) + 50.00 (04-01/04-30)",
            ],
            {RECEIVABLE: "1650.00", REVENUE: "-1320.00", OUTPUT_VAT: "-330.00"},
        ),
        (
            # All 120 at 1.00, then all 10 at 5.00 and 20.00 for the tier.
            "VOLUME",
            [{**TIERS[0], "flatAmount": "20"}, *TIERS[1:]],
            [
                "2026-04-01: 430.00 = 310.00 (03-01/03-31) + 120.00 (03-01/03-31)",
                "2026-05-01: 380.00 = 310.00 (04-01/04-30) + 70.00 (04-01/04-30)",
            ],
            {RECEIVABLE: "1400.00", REVENUE: "-1120.00", OUTPUT_VAT: "-280.00"},
        ),
        (
            # Three packages of 50 are begun, then one.
            "PACKAGE",
            [{"upTo": None, "unitAmount": "45", "packageSize": 50}],
            [
                "2026-04-01: 445.00 = 310.00 (03-01/03-31) + 135.00 (03-01/03-31)",
                "2026-05-01: 355.00 = 310.00 (04-01/04-30) + 45.00 (04-01/04-30)",
            ],
            {RECEIVABLE: "1387.50", REVENUE: "-1110.00", OUTPUT_VAT: "-277.50"},
        ),
    ],
)
async def test_tiers_in_arrears(
    begin: Begin, model: str, tiers: list[Any], in_arrears: list[str], ledger: dict[int, str]
) -> None:
    """120 units in March, 10 in April, none in May, which costs nothing."""
    story = await begin("2026-03-01")
    meter, price = await story.meter(tiers, pricingModel=model)
    plan = await story.plan(await story.price("310"), price)
    subscription = await story.subscribe(plan, "2026-03-01", billingDirection="arrears")
    await story.on("2026-03-20")
    await story.use(meter, subscription, "60", "2026-03-10")
    await story.use(meter, subscription, "60", "2026-03-20")
    await story.on("2026-04-10")
    await story.use(meter, subscription, "10", "2026-04-10")
    await story.on("2026-06-02")
    await story.ends(invoices=[*in_arrears, "2026-06-01: 310.00 = 310.00 (05-01/05-31)"], ledger=ledger)


async def test_each_way_to_count(begin: Begin) -> None:
    """7, 3, 7 and then 4, at 10.00: 21 in sum, four events, 7 at most, 4 at last, three that differ."""
    story = await begin("2026-03-01")
    ways = ("SUM", "COUNT", "MAX", "LAST", "UNIQUE_COUNT")
    meters = [await story.meter("10", aggregation=way) for way in ways]
    plan = await story.plan(*(price for _, price in meters), interval="month")
    subscription = await story.subscribe(plan, "2026-03-01")
    await story.on("2026-03-20")
    for meter, _ in meters:
        for day, value in (("2026-03-05", "7"), ("2026-03-10", "3"), ("2026-03-15", "7"), ("2026-03-20", "4")):
            await story.use(meter, subscription, value, day)
    await story.on("2026-04-30")
    days = "(03-01/03-31)"
    await story.ends(
        invoices=[f"2026-04-01: 390.00 = 210.00 {days} + 40.00 {days} + 70.00 {days} + 40.00 {days} + 30.00 {days}"],
        ledger={RECEIVABLE: "487.50", REVENUE: "-390.00", OUTPUT_VAT: "-97.50"},
    )


async def test_late_usage_up_and_down(begin: Begin) -> None:
    """10 units of March at 2.00; 5 come in April, and 4 are taken off in May."""
    story = await begin("2026-03-01")
    meter, subscription = await metered_and_monthly(story)
    await story.on("2026-03-10")
    await story.use(meter, subscription, "10", "2026-03-10")
    await story.on("2026-04-05")
    await story.use(meter, subscription, "5", "2026-03-20")
    await story.on("2026-05-05")
    await story.use(meter, subscription, "-4", "2026-03-25")
    await story.on("2026-06-30")
    await story.ends(
        invoices=[
            "2026-03-01: 310.00 = 310.00 (03-01/03-31)",
            "2026-04-01: 330.00 = 310.00 (04-01/04-30) + 20.00 (03-01/03-31)",
            "2026-05-01: 320.00 = 10.00 (03-01/03-31) + 310.00 (05-01/05-31)",
            "2026-06-01: 302.00 = -8.00 (03-01/03-31) + 310.00 (06-01/06-30)",
        ],
        ledger={RECEIVABLE: "1577.50", REVENUE: "-1262.00", OUTPUT_VAT: "-315.50"},
    )


async def test_what_is_below_zero_is_carried(begin: Begin) -> None:
    """B13: -3 in March, 4 in April: 1 is billed, at 2.00."""
    story = await begin("2026-03-01")
    meter, price = await story.meter("2")
    subscription = await story.subscribe(await story.plan(price, interval="month"), "2026-03-01")
    await story.on("2026-03-10")
    await story.use(meter, subscription, "-3", "2026-03-10")
    await story.on("2026-04-10")
    await story.use(meter, subscription, "4", "2026-04-10")
    await story.on("2026-05-31")
    await story.ends(
        invoices=["2026-05-01: 2.00 = 2.00 (04-01/04-30)"],
        ledger={RECEIVABLE: "2.50", REVENUE: "-2.00", OUTPUT_VAT: "-0.50"},
    )


async def test_usage_after_the_end(begin: Begin) -> None:
    """Within thirty days it is billed by itself, 5 units at 2.00; later it is too late."""
    story = await begin("2026-03-01")
    meter, subscription = await metered_and_monthly(story)
    await story.on("2026-03-15")
    await story.cancel(subscription, "end_of_cycle")
    await story.on("2026-04-10")
    await story.use(meter, subscription, "5", "2026-03-20")
    await story.on("2026-05-05")
    await story.use(meter, subscription, "7", "2026-03-21")
    await story.on("2026-05-31")
    usage = await story.ok("GET", f"/v1/meters/{meter}/usage")
    assert (usage["accepted"], usage["billed"], usage["tooLate"]) == (2, 1, 1)
    await story.ends(
        invoices=["2026-03-01: 310.00 = 310.00 (03-01/03-31)", "2026-04-11: 10.00 = 10.00 (03-01/03-31)"],
        ledger={RECEIVABLE: "400.00", REVENUE: "-320.00", OUTPUT_VAT: "-80.00"},
    )


async def test_usage_before_a_back_dated_start(begin: Begin) -> None:
    """8 units are nobody's until a subscription that began before them is made; 16.00 for them."""
    story = await begin("2026-03-05")
    meter, price = await story.meter("2")
    plan = await story.plan(await story.price("310"), price)
    customer = await story.customer()
    body = {"value": "8", "customerId": customer, "meterId": meter, "timestamp": "2026-03-05T11:00:00Z"}
    await story.done("POST", "/v1/meters/report", body)
    assert (await story.ok("GET", "/v1/usage/unattributed"))["total"] == 1
    await story.on("2026-03-20")
    await story.subscribe(plan, "2026-03-01", customer)
    assert (await story.ok("GET", "/v1/usage/unattributed"))["total"] == 0
    await story.on("2026-04-30")
    await story.ends(
        invoices=[
            "2026-03-20: 310.00 = 310.00 (03-01/03-31)",
            "2026-04-01: 326.00 = 310.00 (04-01/04-30) + 16.00 (03-01/03-31)",
        ],
        ledger={RECEIVABLE: "795.00", REVENUE: "-636.00", OUTPUT_VAT: "-159.00"},
    )


async def test_usage_around_an_upgrade(begin: Begin) -> None:
    """B4: 40 at 1.00 before 15 March, 60 at 3.00 after; the upgrade is 17 of 31 days of 310.00 more."""
    story = await begin("2026-03-01")
    meter, cheap = await story.meter("1")
    dear = await story.metered(meter, "3")
    small = await story.plan(await story.price("310"), cheap)
    large = await story.plan(await story.price("620"), dear)
    subscription = await story.subscribe(small, "2026-03-01")
    await story.on("2026-03-14")
    await story.use(meter, subscription, "40", "2026-03-14")
    await story.on("2026-03-15")
    await story.change_now(subscription, "replace_plan", {"planId": large}, prorationBehavior="always_invoice")
    await story.use(meter, subscription, "60", "2026-03-15")
    await story.on("2026-04-30")
    await story.ends(
        invoices=[
            "2026-03-01: 310.00 = 310.00 (03-01/03-31)",
            "2026-03-15: 170.00 = -170.00 (03-15/03-31) + 340.00 (03-15/03-31)",
            "2026-04-01: 840.00 = 620.00 (04-01/04-30) + 40.00 (03-01/03-14) + 180.00 (03-15/03-31)",
        ],
        ledger={RECEIVABLE: "1650.00", REVENUE: "-1320.00", OUTPUT_VAT: "-330.00"},
    )


async def test_days_of_grace(begin: Begin) -> None:
    """The whole invoice waits three days; what comes meanwhile is on it, 5 + 2 units at 2.00."""
    story = await begin("2026-03-01")
    await story.ok("PATCH", "/v1/company", {"usageGraceDays": 3})
    meter, subscription = await metered_and_monthly(story)
    await story.on("2026-03-10")
    await story.use(meter, subscription, "5", "2026-03-10")
    await story.on("2026-04-02")
    await story.use(meter, subscription, "2", "2026-03-31")
    await story.on("2026-04-03")
    assert len(await story.documents("invoices")) == 1
    await story.on("2026-04-30")
    await story.ends(
        invoices=[
            "2026-03-01: 310.00 = 310.00 (03-01/03-31)",
            "2026-04-04: 324.00 = 310.00 (04-01/04-30) + 14.00 (03-01/03-31)",
        ],
        ledger={RECEIVABLE: "792.50", REVENUE: "-634.00", OUTPUT_VAT: "-158.50"},
    )


async def test_usage_by_the_week_beside_a_month(begin: Begin) -> None:
    """Weeks are counted from the anchor, 1 March, over the ends of months: 3 units in each of two, at 2.00."""
    story = await begin("2026-03-01")
    meter, price = await story.meter("2", kind="week")
    subscription = await story.subscribe(await story.plan(await story.price("310"), price), "2026-03-01")
    await story.on("2026-03-10")
    await story.use(meter, subscription, "3", "2026-03-03")
    await story.use(meter, subscription, "3", "2026-03-10")
    await story.on("2026-04-02")
    await story.use(meter, subscription, "4", "2026-03-31")
    await story.on("2026-04-30")
    await story.ends(
        invoices=[
            "2026-03-01: 310.00 = 310.00 (03-01/03-31)",
            "2026-03-15: 6.00 = 6.00 (03-08/03-14)",
            "2026-04-01: 316.00 = 6.00 (03-01/03-07) + 310.00 (04-01/04-30)",
            "2026-04-05: 8.00 = 8.00 (03-29/04-04)",
        ],
        ledger={RECEIVABLE: "800.00", REVENUE: "-640.00", OUTPUT_VAT: "-160.00"},
    )
