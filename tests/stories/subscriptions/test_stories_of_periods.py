"""Stories of periods: which days a subscription is billed for, and when. Amounts in kroner, VAT is 25 % of them."""

from datetime import date

import pytest
from tests.stories.subscriptions.steps import DEFERRED, OUTPUT_VAT, RECEIVABLE, REVENUE, YEARS_BEFORE, Begin

from ledgerbee.core.dates import add_months, last_of_month


@pytest.mark.parametrize(
    ("start", "today", "price", "invoices", "ledger"),
    [
        (
            # The last period has 31 days, 10.00 each, of which April has one.
            "2026-01-31",
            "2026-05-30",
            "310",
            [
                "2026-01-31: 310.00 = 310.00 (01-31/02-27)",
                "2026-02-28: 310.00 = 310.00 (02-28/03-30)",
                "2026-03-31: 310.00 = 310.00 (03-31/04-29)",
                "2026-04-30: 310.00 = 310.00 (04-30/05-30)",
            ],
            {RECEIVABLE: "1550.00", REVENUE: "-940.00", DEFERRED: "-300.00", OUTPUT_VAT: "-310.00"},
        ),
        (
            # 30 days of 10.00, one of them in April.
            "2026-01-30",
            "2026-05-29",
            "300",
            [
                "2026-01-30: 300.00 = 300.00 (01-30/02-27)",
                "2026-02-28: 300.00 = 300.00 (02-28/03-29)",
                "2026-03-30: 300.00 = 300.00 (03-30/04-29)",
                "2026-04-30: 300.00 = 300.00 (04-30/05-29)",
            ],
            {RECEIVABLE: "1500.00", REVENUE: "-910.00", DEFERRED: "-290.00", OUTPUT_VAT: "-300.00"},
        ),
        (
            # 30 days of 10.00, two of them in April.
            "2026-01-29",
            "2026-05-28",
            "300",
            [
                "2026-01-29: 300.00 = 300.00 (01-29/02-27)",
                "2026-02-28: 300.00 = 300.00 (02-28/03-28)",
                "2026-03-29: 300.00 = 300.00 (03-29/04-28)",
                "2026-04-29: 300.00 = 300.00 (04-29/05-28)",
            ],
            {RECEIVABLE: "1500.00", REVENUE: "-920.00", DEFERRED: "-280.00", OUTPUT_VAT: "-300.00"},
        ),
        (
            # In a leap year February ends a day later.
            "2024-01-31",
            "2024-05-30",
            "310",
            [
                "2024-01-31: 310.00 = 310.00 (01-31/02-28)",
                "2024-02-29: 310.00 = 310.00 (02-29/03-30)",
                "2024-03-31: 310.00 = 310.00 (03-31/04-29)",
                "2024-04-30: 310.00 = 310.00 (04-30/05-30)",
            ],
            {RECEIVABLE: "1550.00", REVENUE: "-940.00", DEFERRED: "-300.00", OUTPUT_VAT: "-310.00"},
        ),
    ],
    ids=["31st", "30th", "29th", "31st-leap-year"],
)
async def test_the_last_days_of_months(
    begin: Begin, start: str, today: str, price: str, invoices: list[str], ledger: dict[int, str]
) -> None:
    story = await begin(start)
    await story.subscribe(await story.plan_of(price), start)
    await story.on(today)
    await story.ends(invoices=invoices, ledger=ledger)


async def test_a_quarter_from_the_last_of_november(begin: Begin) -> None:
    """Of the first 90 days 32 are in 2025: 327.11 of 920.00. Of the 92 from 30 May on two are in May."""
    story = await begin("2025-11-30")
    await story.subscribe(await story.plan_of("920", "3 month"), "2025-11-30")
    await story.on("2026-06-01")
    await story.ends(
        invoices=[
            "2025-11-30: 920.00 = 920.00 (11-30/2026-02-27)",
            "2026-02-28: 920.00 = 920.00 (02-28/05-29)",
            "2026-05-30: 920.00 = 920.00 (05-30/08-29)",
        ],
        ledger={
            RECEIVABLE: "3450.00",
            YEARS_BEFORE: "-327.11",
            REVENUE: "-1532.89",
            DEFERRED: "-900.00",
            OUTPUT_VAT: "-690.00",
        },
    )


async def test_years_from_a_leap_day(begin: Begin) -> None:
    """Three years are caught up on 1 February 2027, two follow. The one from 28 February 2027 on has 366 days, 307 of
    them in 2027: 3,061.61 of 3,650.00; of the last, 10.00 a day, one day is in February 2028."""
    story = await begin("2027-02-01")
    await story.subscribe(await story.plan_of("3650", "year"), "2024-02-29")
    await story.on("2028-03-01")
    await story.ends(
        invoices=[
            "2027-02-01: 3650.00 = 3650.00 (2024-02-29/2025-02-27)",
            "2027-02-01: 3650.00 = 3650.00 (2025-02-28/2026-02-27)",
            "2027-02-01: 3650.00 = 3650.00 (2026-02-28/02-27)",
            "2027-02-28: 3650.00 = 3650.00 (02-28/2028-02-28)",
            "2028-02-29: 3650.00 = 3650.00 (02-29/2029-02-27)",
        ],
        ledger={
            RECEIVABLE: "22812.50",
            YEARS_BEFORE: "-14011.61",
            REVENUE: "-598.39",
            DEFERRED: "-3640.00",
            OUTPUT_VAT: "-4562.50",
        },
    )


@pytest.mark.parametrize("mode", ["none", "create_prorations", "always_invoice"])
async def test_weeks_until_an_end_in_one(begin: Begin, mode: str) -> None:
    """The last week has three days, 30.00 of 70.00; it is given away where partial periods are."""
    story = await begin("2026-03-02")
    plan = await story.plan_of("70", "week")
    subscription = await story.subscribe(plan, "2026-03-02", endDate="2026-03-25", prorationBehavior=mode)
    await story.on("2026-03-25")
    assert await story.status(subscription) == "active"
    await story.on("2026-04-01")
    assert await story.status(subscription) == "expired"
    whole = [
        "2026-03-02: 70.00 = 70.00 (03-02/03-08)",
        "2026-03-09: 70.00 = 70.00 (03-09/03-15)",
        "2026-03-16: 70.00 = 70.00 (03-16/03-22)",
    ]
    if mode == "none":
        await story.ends(invoices=whole, ledger={RECEIVABLE: "262.50", REVENUE: "-210.00", OUTPUT_VAT: "-52.50"})
    else:
        await story.ends(
            invoices=[*whole, "2026-03-23: 30.00 = 30.00 (03-23/03-25)"],
            ledger={RECEIVABLE: "300.00", REVENUE: "-240.00", OUTPUT_VAT: "-60.00"},
        )


async def test_days_and_fortnights(begin: Begin) -> None:
    """10.00 a day for five days over the end of March, and 140.00 for two weeks, two of whose days are in March."""
    story = await begin("2026-03-30")
    await story.subscribe(await story.plan_of("10", "day"), "2026-03-30", endDate="2026-04-03")
    await story.subscribe(await story.plan_of("140", "2 week"), "2026-03-30")
    await story.on("2026-04-12")
    await story.ends(
        invoices=[
            "2026-03-30: 10.00 = 10.00 (03-30/03-30)",
            "2026-03-30: 140.00 = 140.00 (03-30/04-12)",
            "2026-03-31: 10.00 = 10.00 (03-31/03-31)",
            "2026-04-01: 10.00 = 10.00 (04-01/04-01)",
            "2026-04-02: 10.00 = 10.00 (04-02/04-02)",
            "2026-04-03: 10.00 = 10.00 (04-03/04-03)",
        ],
        # 190.00 without VAT; twelve of fourteen days of 10.00 are April's, which isn't over.
        ledger={RECEIVABLE: "237.50", REVENUE: "-70.00", DEFERRED: "-120.00", OUTPUT_VAT: "-47.50"},
    )


async def test_arrears_until_an_end_in_mid_period(begin: Begin) -> None:
    """Ten of thirty-one days of May are billed on the day after them, whatever the mode: 100.00 of 310.00."""
    story = await begin("2026-03-01")
    plan = await story.plan_of("310")
    await story.subscribe(plan, "2026-03-01", endDate="2026-05-10", billingDirection="arrears")
    await story.on("2026-06-02")
    await story.ends(
        invoices=[
            "2026-04-01: 310.00 = 310.00 (03-01/03-31)",
            "2026-05-01: 310.00 = 310.00 (04-01/04-30)",
            "2026-05-11: 100.00 = 100.00 (05-01/05-10)",
        ],
        ledger={RECEIVABLE: "900.00", REVENUE: "-720.00", OUTPUT_VAT: "-180.00"},
    )


@pytest.mark.parametrize(
    ("mode", "invoices", "ledger"),
    [
        (
            "none",
            ["2026-03-15: 280.00 = 280.00 (03-15/04-14)"],
            {RECEIVABLE: "350.00", REVENUE: "-153.55", DEFERRED: "-126.45", OUTPUT_VAT: "-70.00"},
        ),
        (
            "create_prorations",
            ["2026-03-15: 330.00 = 50.00 (03-10/03-14) + 280.00 (03-15/04-14)"],
            {RECEIVABLE: "412.50", REVENUE: "-203.55", DEFERRED: "-126.45", OUTPUT_VAT: "-82.50"},
        ),
        (
            "always_invoice",
            ["2026-03-10: 50.00 = 50.00 (03-10/03-14)", "2026-03-15: 280.00 = 280.00 (03-15/04-14)"],
            {RECEIVABLE: "412.50", REVENUE: "-203.55", DEFERRED: "-126.45", OUTPUT_VAT: "-82.50"},
        ),
    ],
)
async def test_an_anchor_after_the_start(begin: Begin, mode: str, invoices: list[str], ledger: dict[int, str]) -> None:
    """Five days before the first boundary, of the twenty-eight from 15 February on: 50.00 of 280.00. Of the first whole
    period seventeen of thirty-one days are in March: 153.55."""
    story = await begin("2026-03-10")
    plan = await story.plan_of("280")
    await story.subscribe(plan, "2026-03-10", billingCycleAnchor="2026-05-15", prorationBehavior=mode)
    await story.on("2026-04-01")
    await story.ends(invoices=invoices, ledger=ledger)


async def test_from_advance_to_arrears_and_back(begin: Begin) -> None:
    """Each direction holds from a boundary on: no month is billed twice, and none is left out."""
    story = await begin("2026-01-01")
    subscription = await story.subscribe(await story.plan_of("300"), "2026-01-01")
    await story.on("2026-01-20")
    await story.change(subscription, "change_direction", {"billingDirection": "arrears"})
    await story.on("2026-03-20")
    await story.change(subscription, "change_direction", {"billingDirection": "advance"})
    await story.on("2026-05-02")
    await story.ends(
        invoices=[
            "2026-01-01: 300.00 = 300.00 (01-01/01-31)",
            "2026-03-01: 300.00 = 300.00 (02-01/02-28)",
            "2026-04-01: 600.00 = 300.00 (03-01/03-31) + 300.00 (04-01/04-30)",
            "2026-05-01: 300.00 = 300.00 (05-01/05-31)",
        ],
        ledger={RECEIVABLE: "1875.00", REVENUE: "-1500.00", OUTPUT_VAT: "-375.00"},
    )


async def test_two_years_are_caught_up_after_a_word(begin: Begin) -> None:
    """Twenty-six months wait until somebody confirms them; twenty-four don't. All are dated the day they are made."""
    story = await begin("2026-02-10")
    plan = await story.plan_of("100")
    waiting = await story.subscribe(plan, "2024-01-01", name="Lang")
    await story.on("2026-02-11")
    assert await story.documents("invoices") == []
    unconfirmed = await story.run()
    assert [(one["subscriptionId"], one["code"]) for one in unconfirmed["results"]] == [(waiting, "needs_confirmation")]
    await story.run(confirmCatchUp=True)
    await story.subscribe(plan, "2024-03-01")
    lines = [f"2026-02-11: 100.00 = 100.00 ({first}/{last})" for first, last in _months("2024-01-01", 26)]
    await story.ends(
        invoices=[*lines, *lines[2:]],
        ledger={RECEIVABLE: "6250.00", REVENUE: "-5000.00", OUTPUT_VAT: "-1250.00"},
    )


def _months(first: str, count: int) -> list[tuple[str, str]]:
    """First and last days of months, told as days of 2026."""
    firsts = [add_months(date.fromisoformat(first), number) for number in range(count)]
    return [(f"{day}".removeprefix("2026-"), f"{last_of_month(day)}".removeprefix("2026-")) for day in firsts]
