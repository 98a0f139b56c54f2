"""Stories of pauses. Amounts in kroner, VAT is 25 % of them."""

import pytest
from tests.stories.subscriptions.steps import DEFERRED, OUTPUT_VAT, RECEIVABLE, REVENUE, YEARS_BEFORE, Begin

MARCH = "2026-03-01: 310.00 = 310.00 (03-01/03-31)"
APRIL = "2026-04-01: 310.00 = 310.00 (04-01/04-30)"


@pytest.mark.parametrize(
    ("mode", "invoices", "notes", "ledger"),
    [
        ("none", [APRIL], [], {RECEIVABLE: "775.00", REVENUE: "-620.00", OUTPUT_VAT: "-155.00"}),
        (
            "create_prorations",
            ["2026-04-01: 210.00 = -210.00 (03-11/03-31) + 110.00 (03-21/03-31) + 310.00 (04-01/04-30)"],
            [],
            {RECEIVABLE: "650.00", REVENUE: "-520.00", OUTPUT_VAT: "-130.00"},
        ),
        (
            "always_invoice",
            ["2026-03-21: 110.00 = 110.00 (03-21/03-31)", APRIL],
            ["2026-03-11: -210.00 on 1 = -210.00 (03-11/03-31)"],
            {RECEIVABLE: "650.00", REVENUE: "-520.00", OUTPUT_VAT: "-130.00"},
        ),
    ],
)
async def test_within_a_period(
    begin: Begin, mode: str, invoices: list[str], notes: list[str], ledger: dict[int, str]
) -> None:
    """Ten of the thirty-one days of March, at 10.00."""
    story = await begin("2026-03-01")
    subscription = await story.subscribe(await story.plan_of("310"), "2026-03-01")
    await story.on("2026-03-11")
    await story.pause(subscription, mode)
    assert await story.status(subscription) == "paused"
    await story.on("2026-03-21")
    await story.resume(subscription, mode)
    assert await story.status(subscription) == "active"
    await story.on("2026-04-30")
    await story.ends(invoices=[MARCH, *invoices], notes=notes, ledger=ledger)


@pytest.mark.parametrize(
    ("mode", "invoices", "notes", "ledger"),
    [
        (
            "none",
            ["2026-05-01: 310.00 = 310.00 (05-01/05-31)"],
            [],
            {RECEIVABLE: "775.00", REVENUE: "-620.00", OUTPUT_VAT: "-155.00"},
        ),
        (
            "create_prorations",
            ["2026-05-01: 203.33 = -210.00 (03-11/03-31) + 103.33 (04-21/04-30) + 310.00 (05-01/05-31)"],
            [],
            {RECEIVABLE: "641.66", REVENUE: "-513.33", OUTPUT_VAT: "-128.33"},
        ),
        (
            "always_invoice",
            ["2026-04-21: 103.33 = 103.33 (04-21/04-30)", "2026-05-01: 310.00 = 310.00 (05-01/05-31)"],
            ["2026-03-11: -210.00 on 1 = -210.00 (03-11/03-31)"],
            {RECEIVABLE: "641.66", REVENUE: "-513.33", OUTPUT_VAT: "-128.33"},
        ),
    ],
)
async def test_over_a_boundary(
    begin: Begin, mode: str, invoices: list[str], notes: list[str], ledger: dict[int, str]
) -> None:
    """The last 21 days of March come back; April is billed for its last ten days, a third of 310.00."""
    story = await begin("2026-03-01")
    subscription = await story.subscribe(await story.plan_of("310"), "2026-03-01")
    await story.on("2026-03-11")
    await story.pause(subscription, mode)
    await story.on("2026-04-21")
    await story.resume(subscription, mode)
    await story.on("2026-05-31")
    await story.ends(invoices=[MARCH, *invoices], notes=notes, ledger=ledger)


@pytest.mark.parametrize(
    ("mode", "invoices", "notes"),
    [
        ("none", [APRIL], []),
        ("create_prorations", [APRIL], []),
        (
            "always_invoice",
            ["2026-03-11: 210.00 = 210.00 (03-11/03-31)", APRIL],
            ["2026-03-11: -210.00 on 1 = -210.00 (03-11/03-31)"],
        ),
    ],
)
async def test_for_no_day_at_all(begin: Begin, mode: str, invoices: list[str], notes: list[str]) -> None:
    """Resumed on the day of the pause: it costs nothing, though what was credited and charged is told."""
    story = await begin("2026-03-01")
    subscription = await story.subscribe(await story.plan_of("310"), "2026-03-01")
    await story.on("2026-03-11")
    await story.pause(subscription, mode)
    await story.resume(subscription, mode)
    await story.on("2026-04-30")
    await story.ends(
        invoices=[MARCH, *invoices],
        notes=notes,
        ledger={RECEIVABLE: "775.00", REVENUE: "-620.00", OUTPUT_VAT: "-155.00"},
    )


async def test_an_end_comes_in_a_pause(begin: Begin) -> None:
    """B7: what has ended can't be resumed, and runs pass it by."""
    story = await begin("2026-02-01")
    plan = await story.plan_of("280")
    subscription = await story.subscribe(plan, "2026-02-01", endDate="2026-03-14")
    await story.on("2026-02-15")
    await story.pause(subscription)
    await story.on("2026-03-20")
    assert await story.status(subscription) == "expired"
    code, _ = await story.refused("POST", f"/v1/subscriptions/{subscription}/resume", {})
    assert code == "SUBSCRIPTION_INVALID_STATE"
    run = await story.run()
    assert (run["status"], run["results"]) == ("completed", [])
    await story.ends(
        invoices=["2026-02-01: 280.00 = 280.00 (02-01/02-28)"],
        ledger={RECEIVABLE: "350.00", REVENUE: "-280.00", OUTPUT_VAT: "-70.00"},
    )


async def test_usage_in_a_pause_is_nobodys(begin: Begin) -> None:
    """In arrears: ten and eleven days of 10.00, and 5 + 9 units at 2.00; the 7 in between are listed."""
    story = await begin("2026-03-01")
    meter, price = await story.meter("2")
    plan = await story.plan(await story.price("310"), price)
    subscription = await story.subscribe(plan, "2026-03-01", billingDirection="arrears")
    await story.on("2026-03-11")
    await story.pause(subscription)
    await story.on("2026-03-21")
    await story.resume(subscription)
    await story.on("2026-03-25")
    for day, value in (("2026-03-05", "5"), ("2026-03-15", "7"), ("2026-03-25", "9")):
        await story.use(meter, subscription, value, day)
    unattributed = (await story.ok("GET", "/v1/usage/unattributed"))["data"]
    assert [one["value"] for one in unattributed] == [7]
    await story.on("2026-04-30")
    await story.ends(
        invoices=["2026-04-01: 238.00 = 100.00 (03-01/03-10) + 110.00 (03-21/03-31) + 28.00 (03-01/03-31)"],
        ledger={RECEIVABLE: "297.50", REVENUE: "-238.00", OUTPUT_VAT: "-59.50"},
    )


async def test_a_year_paused_over_its_end(begin: Begin) -> None:
    """3,650.00, 10.00 a day, paused on 1 December and resumed on 1 February: 31 days come back, and of the next year,
    which would have begun in the pause, 334 days are left: 3,340.00, of which February earns 280.00."""
    story = await begin("2026-11-15")
    plan = await story.plan_of("3650", "year")
    subscription = await story.subscribe(plan, "2026-01-01", prorationBehavior="always_invoice")
    await story.on("2026-12-01")
    await story.pause(subscription, "always_invoice")
    await story.on("2027-02-01")
    await story.resume(subscription, "always_invoice")
    await story.on("2027-03-01")
    await story.ends(
        invoices=[
            "2026-11-15: 3650.00 = 3650.00 (01-01/12-31)",
            "2027-02-01: 3340.00 = 3340.00 (02-01/12-31)",
        ],
        notes=["2026-12-01: -310.00 on 1 = -310.00 (12-01/12-31)"],
        ledger={
            RECEIVABLE: "8350.00",
            YEARS_BEFORE: "-3340.00",
            REVENUE: "-280.00",
            DEFERRED: "-3060.00",
            OUTPUT_VAT: "-1670.00",
        },
    )
