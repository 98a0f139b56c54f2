"""Stories of changes: other plans, quantities, cadences. Amounts in kroner, VAT is 25 % of them."""

import pytest
from tests.stories.harness.client import Body
from tests.stories.subscriptions.steps import DEFERRED, OUTPUT_VAT, RECEIVABLE, REVENUE, YEARS_BEFORE, Begin, Story


async def replace_now(story: Story, subscription: str, plan: str, mode: str) -> None:
    """Another plan from today on."""
    await story.change_now(subscription, "replace_plan", {"planId": plan}, prorationBehavior=mode)


async def by_month_or(story: Story, kind: str, monthly: str, longer: str) -> str:
    """A plan of one product, by the month or by longer periods."""
    product = await story.product()
    by_month = await story.price(monthly, productId=product)
    other = await story.price(longer, kind, productId=product)
    return await story.plan(by_month, alternatives=[{"items": [{"priceId": other}]}])


async def test_a_second_upgrade_inside_a_year_knows_the_first(begin: Begin) -> None:
    """B1: 4,990 a year; 9,980 for the 342 days from 24 January on, 14,970 for the 337 from the 29th on."""
    story = await begin("2026-01-01")
    small, middle, large = [await story.plan_of(amount, "year") for amount in ("4990", "9980", "14970")]
    subscription = await story.subscribe(small, "2026-01-01")
    await story.on("2026-01-24")
    await replace_now(story, subscription, middle, "always_invoice")
    await story.on("2026-01-29")
    await replace_now(story, subscription, large, "always_invoice")
    await story.on("2026-02-01")
    await story.ends(
        invoices=[
            "2026-01-01: 4990.00 = 4990.00 (01-01/12-31)",
            "2026-01-24: 4675.56 = -4675.56 (01-24/12-31) + 9351.12 (01-24/12-31)",
            "2026-01-29: 4607.21 = -9214.41 (01-29/12-31) + 13821.62 (01-29/12-31)",
        ],
        # January: 423.81 of the first, -109.37 + 218.74 of eight days, -82.03 + 123.04 of three: 574.19 of 14,272.77.
        ledger={RECEIVABLE: "17840.96", REVENUE: "-574.19", DEFERRED: "-13698.58", OUTPUT_VAT: "-3568.19"},
    )


async def test_an_upgrade_two_days_before_the_boundary(begin: Begin) -> None:
    """B2: two of thirty-one days, 5.16 of 80.00 less 1.68 of 26.00."""
    story = await begin("2026-03-01")
    subscription = await story.subscribe(await story.plan_of("26"), "2026-03-01")
    await story.on("2026-03-30")
    await replace_now(story, subscription, await story.plan_of("80"), "always_invoice")
    await story.on("2026-04-30")
    await story.ends(
        invoices=[
            "2026-03-01: 26.00 = 26.00 (03-01/03-31)",
            "2026-03-30: 3.48 = -1.68 (03-30/03-31) + 5.16 (03-30/03-31)",
            "2026-04-01: 80.00 = 80.00 (04-01/04-30)",
        ],
        ledger={RECEIVABLE: "136.85", REVENUE: "-109.48", OUTPUT_VAT: "-27.37"},
    )


@pytest.mark.parametrize(
    ("mode", "invoices", "notes", "ledger"),
    [
        (
            "none",
            ["2026-04-01: 620.00 = 620.00 (04-01/04-30)"],
            [],
            {RECEIVABLE: "1162.50", REVENUE: "-930.00", OUTPUT_VAT: "-232.50"},
        ),
        (
            # Ten days of 10.00, five of 20.00, five of 10.00, eleven of 20.00: 470.00 for March.
            "create_prorations",
            [
                (
                    "2026-04-01: 780.00 = -210.00 (03-11/03-31) + 420.00 (03-11/03-31) + -320.00 (03-16/03-31)"
                    " + 160.00 (03-16/03-31) + -110.00 (03-21/03-31) + 220.00 (03-21/03-31) + 620.00 (04-01/04-30)"
                ),
            ],
            [],
            {RECEIVABLE: "1362.50", REVENUE: "-1090.00", OUTPUT_VAT: "-272.50"},
        ),
        (
            # What a change lowers is credited at once: 320.00 less 160.00.
            "always_invoice",
            [
                "2026-03-11: 210.00 = -210.00 (03-11/03-31) + 420.00 (03-11/03-31)",
                "2026-03-21: 110.00 = -110.00 (03-21/03-31) + 220.00 (03-21/03-31)",
                "2026-04-01: 620.00 = 620.00 (04-01/04-30)",
            ],
            ["2026-03-16: -160.00 on 2 = -160.00 (03-16/03-31)"],
            {RECEIVABLE: "1362.50", REVENUE: "-1090.00", OUTPUT_VAT: "-272.50"},
        ),
    ],
)
async def test_up_down_and_up_again_in_a_month(
    begin: Begin, mode: str, invoices: list[str], notes: list[str], ledger: dict[int, str]
) -> None:
    story = await begin("2026-03-01")
    small, large = await story.plan_of("310"), await story.plan_of("620")
    subscription = await story.subscribe(small, "2026-03-01")
    for day, plan in (("2026-03-11", large), ("2026-03-16", small), ("2026-03-21", large)):
        await story.on(day)
        await replace_now(story, subscription, plan, mode)
    await story.on("2026-04-30")
    await story.ends(invoices=["2026-03-01: 310.00 = 310.00 (03-01/03-31)", *invoices], notes=notes, ledger=ledger)


@pytest.mark.parametrize(
    ("mode", "invoices", "notes"),
    [
        ("none", [], []),
        ("create_prorations", [], []),
        (
            "always_invoice",
            ["2026-03-11: 420.00 = 420.00 (03-11/03-31)"],
            ["2026-03-11: -420.00 on 1 = -420.00 (03-11/03-31)"],
        ),
    ],
)
async def test_from_free_to_paid_and_back_on_one_day(
    begin: Begin, mode: str, invoices: list[str], notes: list[str]
) -> None:
    """B16: what held for no day costs nothing. What was sent in between is taken back."""
    story = await begin("2026-03-01")
    free, paid = await story.plan_of("0"), await story.plan_of("620")
    subscription = await story.subscribe(free, "2026-03-01")
    await story.on("2026-03-11")
    await replace_now(story, subscription, paid, mode)
    await replace_now(story, subscription, free, mode)
    assert (await story.subscription(subscription))["planId"] == free
    await story.on("2026-05-01")
    await story.ends(invoices=invoices, notes=notes, ledger={})


async def test_two_changes_on_one_day_end_in_one_state(begin: Begin) -> None:
    """B16: three for the twenty-one days that are left of March, 10.00 a day each, whatever was asked for before."""
    story = await begin("2026-03-01")
    price = await story.price("310")
    subscription = await story.subscribe(await story.plan(price), "2026-03-01")
    await story.on("2026-03-11")
    for quantity in (2, 3):
        products = [{"priceId": price, "quantity": quantity}]
        await story.change_now(
            subscription, "edit_products", {"products": products}, prorationBehavior="create_prorations"
        )
    await story.on("2026-04-30")
    await story.ends(
        invoices=[
            "2026-03-01: 310.00 = 310.00 (03-01/03-31)",
            "2026-04-01: 1350.00 = -210.00 (03-11/03-31) + 630.00 (03-11/03-31) + 930.00 (04-01/04-30)",
        ],
        ledger={RECEIVABLE: "2075.00", REVENUE: "-1660.00", OUTPUT_VAT: "-415.00"},
    )


async def test_from_months_to_years_at_a_boundary(begin: Begin) -> None:
    """B15: asked for on 10 March, effective on the 31st. The second year has 366 days, one in March: 2.73."""
    story = await begin("2026-01-31")
    subscription = await story.subscribe(await by_month_or(story, "year", "100", "1000"), "2026-01-31")
    await story.on("2026-03-10")
    change = await story.change(subscription, "change_cadence", {"interval": "year"})
    assert change["effectiveDate"] == "2026-03-31"
    await story.on("2027-04-01")
    await story.ends(
        invoices=[
            "2026-01-31: 100.00 = 100.00 (01-31/02-27)",
            "2026-02-28: 100.00 = 100.00 (02-28/03-30)",
            "2026-03-31: 1000.00 = 1000.00 (03-31/2027-03-30)",
            "2027-03-31: 1000.00 = 1000.00 (03-31/2028-03-30)",
        ],
        # 276 days of the first year are in 2026: 756.16, and 243.84 in 2027.
        ledger={
            RECEIVABLE: "2750.00",
            YEARS_BEFORE: "-956.16",
            REVENUE: "-246.57",
            DEFERRED: "-997.27",
            OUTPUT_VAT: "-550.00",
        },
    )


async def test_from_months_to_years_at_once(begin: Begin) -> None:
    """B15: 10 March is the new anchor; 21 of 31 days come back, 67.74 of 100.00. March and April are 52 of 365 days
    of the year: 142.47 of 1,000.00."""
    story = await begin("2026-01-31")
    subscription = await story.subscribe(await by_month_or(story, "year", "100", "1000"), "2026-01-31")
    await story.on("2026-03-10")
    await story.change_now(subscription, "change_cadence", {"interval": "year"}, prorationBehavior="always_invoice")
    assert (await story.subscription(subscription))["nextBillingDate"] == "2027-03-10"
    await story.on("2026-05-01")
    await story.ends(
        invoices=[
            "2026-01-31: 100.00 = 100.00 (01-31/02-27)",
            "2026-02-28: 100.00 = 100.00 (02-28/03-30)",
            "2026-03-10: 932.26 = -67.74 (03-10/03-30) + 1000.00 (03-10/2027-03-09)",
        ],
        ledger={
            RECEIVABLE: "1415.33",
            REVENUE: "-274.73",
            DEFERRED: "-857.53",
            OUTPUT_VAT: "-283.07",
        },
    )


async def test_a_period_that_is_begun_anew(begin: Begin) -> None:
    """Of the period from 11 March to 10 April twenty-one of thirty-one days of 20.00 are in March."""
    story = await begin("2026-03-01")
    subscription = await story.subscribe(await story.plan_of("310"), "2026-03-01")
    await story.on("2026-03-11")
    await story.change_now(
        subscription,
        "replace_plan",
        {"planId": await story.plan_of("620")},
        prorationBehavior="always_invoice",
        restartPeriod=True,
    )
    await story.on("2026-04-11")
    await story.ends(
        invoices=[
            "2026-03-01: 310.00 = 310.00 (03-01/03-31)",
            "2026-03-11: 410.00 = -210.00 (03-11/03-31) + 620.00 (03-11/04-10)",
            "2026-04-11: 620.00 = 620.00 (04-11/05-10)",
        ],
        ledger={RECEIVABLE: "1675.00", REVENUE: "-520.00", DEFERRED: "-820.00", OUTPUT_VAT: "-335.00"},
    )


async def test_a_new_version_of_a_plan_is_for_who_takes_it(begin: Begin) -> None:
    """100.00 become 150.00 on 15 January: whoever has the plan keeps its price until they take it anew."""
    story = await begin("2026-01-01")
    product = await story.product()
    plan = await story.plan(await story.price("100", productId=product))
    subscription = await story.subscribe(plan, "2026-01-01")
    await story.on("2026-01-15")
    dearer = await story.price("150", productId=product)
    await story.ok("PATCH", f"/v1/subscription-plans/{plan}", {"items": [{"priceId": dearer}]})
    await story.on("2026-02-01")
    await story.subscribe(plan, "2026-02-01", endDate="2026-02-28")
    await story.change(subscription, "replace_plan", {"planId": plan})
    await story.on("2026-03-31")
    await story.ends(
        invoices=[
            "2026-01-01: 100.00 = 100.00 (01-01/01-31)",
            "2026-02-01: 100.00 = 100.00 (02-01/02-28)",
            "2026-02-01: 150.00 = 150.00 (02-01/02-28)",
            "2026-03-01: 150.00 = 150.00 (03-01/03-31)",
        ],
        ledger={RECEIVABLE: "625.00", REVENUE: "-500.00", OUTPUT_VAT: "-125.00"},
    )


async def test_another_currency_is_refused(begin: Begin) -> None:
    """At once and on a day to come; the subscription goes on as it was."""
    story = await begin("2026-03-01")
    subscription = await story.subscribe(await story.plan_of("310"), "2026-03-01")
    euros = await story.plan(await story.price("40", currency="EUR"), currency="EUR")
    for day in ({"effectiveDate": "2026-03-01"}, {"effectiveDate": "2026-03-20"}, {}):
        body = {"type": "replace_plan", "payload": {"planId": euros}, **day}
        code, _ = await story.refused("POST", f"/v1/subscriptions/{subscription}/scheduled-changes", body)
        assert code == "SUBSCRIPTION_CURRENCY_MISMATCH"
    await story.on("2026-04-30")
    await story.ends(
        invoices=["2026-03-01: 310.00 = 310.00 (03-01/03-31)", "2026-04-01: 310.00 = 310.00 (04-01/04-30)"],
        ledger={RECEIVABLE: "775.00", REVENUE: "-620.00", OUTPUT_VAT: "-155.00"},
    )


async def test_a_set_up_fee_comes_once(begin: Begin) -> None:
    """B8: 500.00 on the first day, whatever plan has it later. Twenty days of March cost 100.00 a month more."""
    story = await begin("2026-03-01")
    fee = await story.price("500", "once")
    small, large = [await story.plan(await story.price(amount), fee) for amount in ("100", "200")]
    subscription = await story.subscribe(small, "2026-03-01")
    await story.on("2026-03-12")
    await replace_now(story, subscription, large, "create_prorations")
    await story.on("2026-04-30")
    await story.ends(
        invoices=[
            "2026-03-01: 600.00 = 500.00 + 100.00 (03-01/03-31)",
            "2026-04-01: 264.51 = -64.52 (03-12/03-31) + 129.03 (03-12/03-31) + 200.00 (04-01/04-30)",
        ],
        ledger={RECEIVABLE: "1080.64", REVENUE: "-864.51", OUTPUT_VAT: "-216.13"},
    )


async def test_a_change_of_each_type_on_its_day(begin: Begin) -> None:
    """All agreed on the first day: three from February on, a pause in March, another plan in May, in arrears from June
    on, by the quarter from July on, and an end."""
    story = await begin("2026-01-01")
    price = await story.price("100")
    subscription = await story.subscribe(await story.plan(price), "2026-01-01")
    large = await by_month_or(story, "3 month", "200", "540")
    agreed = [
        ("edit_products", "2026-02-01", {"products": [{"priceId": price, "quantity": 3}]}),
        ("pause", "2026-03-01", None),
        ("resume", "2026-04-01", None),
        ("replace_plan", "2026-05-01", {"planId": large}),
        ("change_direction", "2026-06-01", {"billingDirection": "arrears"}),
        ("change_cadence", "2026-07-01", {"interval": "month", "intervalCount": 3}),
        ("cancel", "2026-10-01", {"refundBehavior": "none"}),
    ]
    for kind, day, payload in agreed:
        await story.change(subscription, kind, payload, effectiveDate=day)
    listed = await story.ok("GET", f"/v1/subscriptions/{subscription}/scheduled-changes")
    assert [(one["type"], one["effectiveDate"], one["status"]) for one in listed] == [
        (kind, day, "pending") for kind, day, _ in agreed
    ]
    await story.on("2026-10-01")
    applied = await story.ok("GET", f"/v1/subscriptions/{subscription}/scheduled-changes?statuses=applied")
    assert [one["type"] for one in applied] == [kind for kind, _, _ in agreed]
    assert await story.status(subscription) == "cancelled"
    await story.ends(
        invoices=[
            "2026-01-01: 100.00 = 100.00 (01-01/01-31)",
            "2026-02-01: 300.00 = 300.00 (02-01/02-28)",
            "2026-04-01: 300.00 = 300.00 (04-01/04-30)",
            "2026-05-01: 200.00 = 200.00 (05-01/05-31)",
            "2026-07-01: 200.00 = 200.00 (06-01/06-30)",
            "2026-10-01: 540.00 = 540.00 (07-01/09-30)",
        ],
        ledger={RECEIVABLE: "2050.00", REVENUE: "-1640.00", OUTPUT_VAT: "-410.00"},
    )


async def test_fewer_are_credited_at_once(begin: Begin) -> None:
    """Two become one for sixteen days of March, 10.00 a day less: a credit note, and no invoice of nothing."""
    story = await begin("2026-03-01")
    price = await story.price("310")
    subscription = await story.subscribe(await story.plan({"priceId": price, "quantity": 2}), "2026-03-01")
    await story.on("2026-03-16")
    await story.change_now(
        subscription,
        "edit_products",
        {"products": [{"priceId": price, "quantity": 1}]},
        prorationBehavior="always_invoice",
    )
    await story.on("2026-04-30")
    await story.ends(
        invoices=["2026-03-01: 620.00 = 620.00 (03-01/03-31)", "2026-04-01: 310.00 = 310.00 (04-01/04-30)"],
        notes=["2026-03-16: -160.00 on 1 = -160.00 (03-16/03-31)"],
        ledger={RECEIVABLE: "962.50", REVENUE: "-770.00", OUTPUT_VAT: "-192.50"},
    )


async def test_more_in_arrears_and_an_end(begin: Begin) -> None:
    """Ten days of one and ten of two, at 10.00 a day, are billed on the day of the end, and none is given back."""
    story = await begin("2026-03-01")
    price = await story.price("310")
    subscription = await story.subscribe(await story.plan(price), "2026-03-01", billingDirection="arrears")
    await story.on("2026-03-11")
    await story.change_now(subscription, "edit_products", {"products": [{"priceId": price, "quantity": 2}]})
    await story.on("2026-03-21")
    await story.cancel(subscription, refundBehavior="prorated")
    await story.on("2026-05-01")
    await story.ends(
        invoices=["2026-03-21: 300.00 = 100.00 (03-01/03-10) + 200.00 (03-11/03-20)"],
        ledger={RECEIVABLE: "375.00", REVENUE: "-300.00", OUTPUT_VAT: "-75.00"},
    )


async def test_seats_that_become_cheaper(begin: Begin) -> None:
    """31.00 each for the first five, 15.50 for the others: four cost 124.00, eight 201.50; 21 of 31 days of both."""
    story = await begin("2026-03-01")
    tiers: list[Body] = [{"upTo": 5, "unitAmount": "31"}, {"upTo": None, "unitAmount": "15.50"}]
    price = await story.price(tiers, pricingModel="GRADUATED")
    plan = await story.plan({"priceId": price, "quantity": 4})
    subscription = await story.subscribe(plan, "2026-03-01", prorationBehavior="create_prorations")
    await story.on("2026-03-11")
    await story.change_now(subscription, "edit_products", {"products": [{"priceId": price, "quantity": 8}]})
    await story.on("2026-04-30")
    await story.ends(
        invoices=[
            "2026-03-01: 124.00 = 124.00 (03-01/03-31)",
            "2026-04-01: 254.00 = -84.00 (03-11/03-31) + 136.50 (03-11/03-31) + 201.50 (04-01/04-30)",
        ],
        ledger={RECEIVABLE: "472.50", REVENUE: "-378.00", OUTPUT_VAT: "-94.50"},
    )


async def test_a_year_goes_up_and_down_and_ends(begin: Begin) -> None:
    """10.00 a day for one: 69 days of one, 97 of three, 97 of two: 690.00 + 2,910.00 + 1,940.00."""
    story = await begin("2026-01-01")
    price = await story.price("3650", "year")
    subscription = await story.subscribe(await story.plan(price), "2026-01-01", prorationBehavior="always_invoice")
    for day, quantity in (("2026-03-11", 3), ("2026-06-16", 2)):
        await story.on(day)
        products = [{"priceId": price, "quantity": quantity}]
        await story.change_now(subscription, "edit_products", {"products": products})
    await story.on("2026-09-21")
    assert (await story.cancel(subscription, refundBehavior="prorated"))["amount"] == "2040.00"
    await story.on("2026-10-01")
    earned = {
        "2026-03-31": "-1320.00", "2026-05-31": "-3150.00", "2026-06-30": "-3900.00", "2026-08-31": "-5140.00",
        "2026-09-30": "-5540.00",
    }  # fmt: skip
    assert {day: (await story.books(day))[REVENUE] for day in earned} == earned
    await story.ends(
        invoices=[
            "2026-01-01: 3650.00 = 3650.00 (01-01/12-31)",
            "2026-03-11: 5920.00 = -2960.00 (03-11/12-31) + 8880.00 (03-11/12-31)",
        ],
        notes=[
            "2026-06-16: -1990.00 on 2 = -1990.00 (06-16/12-31)",
            "2026-09-21: -2040.00 on 2 = -2040.00 (09-21/12-31)",
        ],
        ledger={RECEIVABLE: "6925.00", REVENUE: "-5540.00", OUTPUT_VAT: "-1385.00"},
    )
