"""Stories of trials. Amounts in kroner, VAT is 25 % of them."""

import pytest
from tests.stories.subscriptions.steps import DEFERRED, OUTPUT_VAT, RECEIVABLE, REVENUE, Begin


@pytest.mark.parametrize(
    ("mode", "invoices", "ledger"),
    [
        (
            "none",
            ["2026-04-20: 310.00 = 310.00 (04-20/05-19)"],
            {RECEIVABLE: "387.50", REVENUE: "-113.67", DEFERRED: "-196.33", OUTPUT_VAT: "-77.50"},
        ),
        (
            "create_prorations",
            ["2026-04-20: 480.00 = 170.00 (04-03/04-19) + 310.00 (04-20/05-19)"],
            {RECEIVABLE: "600.00", REVENUE: "-283.67", DEFERRED: "-196.33", OUTPUT_VAT: "-120.00"},
        ),
        (
            "always_invoice",
            ["2026-04-03: 170.00 = 170.00 (04-03/04-19)", "2026-04-20: 310.00 = 310.00 (04-20/05-19)"],
            {RECEIVABLE: "600.00", REVENUE: "-283.67", DEFERRED: "-196.33", OUTPUT_VAT: "-120.00"},
        ),
    ],
)
async def test_over_the_end_of_march_and_the_change_to_summer_time(
    begin: Begin, mode: str, invoices: list[str], ledger: dict[int, str]
) -> None:
    """Fourteen days from 20 March on are free: clocks change on the 29th. Seventeen of thirty-one days are left of the
    first period, 170.00 of 310.00; eleven of the thirty days of the next are in April, 113.67."""
    story = await begin("2026-03-20")
    plan = await story.plan_of("310", trialDays=14)
    subscription = await story.subscribe(plan, "2026-03-20", prorationBehavior=mode)
    assert (await story.subscription(subscription))["trialEndDate"] == "2026-04-02"
    await story.on("2026-04-02")
    assert (await story.status(subscription), await story.documents("invoices")) == ("trial", [])
    await story.on("2026-04-03")
    assert await story.status(subscription) == "active"
    await story.on("2026-05-01")
    await story.ends(invoices=invoices, ledger=ledger)


async def test_usage_around_the_end_of_a_trial_and_of_summer_time(begin: Begin) -> None:
    """Seven days from 20 October on; on the 25th clocks go back, so that the 27th begins at 23:00 in UTC. What comes a
    minute before it is shown, a minute after it is billed, at 2.00."""
    story = await begin("2026-10-20")
    meter, price = await story.meter("2")
    subscription = await story.subscribe(await story.plan(price, interval="month", trialDays=7), "2026-10-20")
    await story.on("2026-10-27")
    await story.use(meter, subscription, "3", "2026-10-26T22:59:00Z")
    await story.use(meter, subscription, "5", "2026-10-26T23:01:00Z")
    await story.on("2026-11-20")
    usage = await story.ok("GET", f"/v1/meters/{meter}/usage")
    assert {name: usage[name] for name in ("accepted", "attributed", "shown", "billed", "open")} == {
        "accepted": 2, "attributed": 2, "shown": 1, "billed": 1, "open": 0,
    }  # fmt: skip
    await story.ends(
        invoices=["2026-11-20: 10.00 = 10.00 (10-27/11-19)"],
        ledger={RECEIVABLE: "12.50", REVENUE: "-10.00", OUTPUT_VAT: "-2.50"},
    )


async def test_usage_of_a_trial_is_not_billed(begin: Begin) -> None:
    """100 units on the third day are shown, 50 on the twentieth are billed at 1.00. Seventeen of thirty-one days are
    left of January, 170.00 of 310.00."""
    story = await begin("2026-01-01")
    meter, price = await story.meter("1")
    plan = await story.plan(await story.price("310"), price, trialDays=14)
    subscription = await story.subscribe(plan, "2026-01-01", prorationBehavior="create_prorations")
    await story.on("2026-01-20")
    await story.use(meter, subscription, "100", "2026-01-03")
    await story.use(meter, subscription, "50", "2026-01-20")
    await story.on("2026-02-28")
    await story.ends(
        invoices=["2026-02-01: 530.00 = 170.00 (01-15/01-31) + 310.00 (02-01/02-28) + 50.00 (01-15/01-31)"],
        ledger={RECEIVABLE: "662.50", REVENUE: "-530.00", OUTPUT_VAT: "-132.50"},
    )


async def test_who_leaves_in_a_trial_pays_nothing(begin: Begin) -> None:
    story = await begin("2026-01-25")
    subscription = await story.subscribe(await story.plan_of("310", trialDays=30), "2026-01-25")
    await story.on("2026-02-10")
    await story.cancel(subscription, "end_of_cycle")
    assert await story.status(subscription) == "pending_cancellation"
    await story.on("2026-02-24")
    assert await story.status(subscription) == "cancelled"
    await story.on("2026-04-01")
    await story.ends(invoices=[], ledger={})
