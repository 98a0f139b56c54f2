"""Stories of parents that pay. Amounts in kroner, VAT is 25 % of them."""

from tests.stories.subscriptions.steps import BANK, OUTPUT_VAT, RECEIVABLE, REVENUE, Begin


async def test_a_parent_of_fifty(begin: Begin) -> None:
    """One invoice a month, 100.00 a child. One child leaves on 16 April: half of its month comes back."""
    story = await begin("2026-03-30")
    parent, plan = await story.customer(), await story.plan_of("100")
    children = [await story.customer(billingRelationship="parent_pays", parentCustomerId=parent) for _ in range(50)]
    subscriptions = [await story.subscribe(plan, "2026-04-01", child) for child in children]
    await story.on("2026-04-16")
    refund = await story.cancel(subscriptions[6], refundBehavior="prorated")
    assert refund["amount"] == "50.00"
    await story.on("2026-05-31")
    assert {one["customerId"] for one in await story.documents("invoices")} == {parent}
    await story.ends(
        invoices=[
            f"2026-04-01: 5000.00 = {' + '.join(['100.00 (04-01/04-30)'] * 50)}",
            f"2026-05-01: 4900.00 = {' + '.join(['100.00 (05-01/05-31)'] * 49)}",
        ],
        notes=["2026-04-16: -50.00 on 1 = -50.00 (04-16/04-30)"],
        ledger={RECEIVABLE: "12312.50", REVENUE: "-9850.00", OUTPUT_VAT: "-2462.50"},
    )


async def test_an_invoice_for_each_child(begin: Begin) -> None:
    """One for each of three children, all to the parent; from May on, one for all of them."""
    story = await begin("2026-03-30")
    parent, plan = await story.customer(invoicingMode="per_child"), await story.plan_of("100")
    for _ in range(3):
        child = await story.customer(billingRelationship="parent_pays", parentCustomerId=parent)
        await story.subscribe(plan, "2026-04-01", child)
    await story.on("2026-04-20")
    await story.ok("PATCH", f"/v1/customers/{parent}", {"invoicingMode": "single_invoice"})
    await story.on("2026-05-31")
    assert {one["customerId"] for one in await story.documents("invoices")} == {parent}
    await story.ends(
        invoices=[
            *["2026-04-01: 100.00 = 100.00 (04-01/04-30)"] * 3,
            "2026-05-01: 300.00 = 100.00 (05-01/05-31) + 100.00 (05-01/05-31) + 100.00 (05-01/05-31)",
        ],
        ledger={RECEIVABLE: "750.00", REVENUE: "-600.00", OUTPUT_VAT: "-150.00"},
    )


async def test_a_child_pays_for_itself_from_may_on(begin: Begin) -> None:
    """What falls due goes to who pays that day."""
    story = await begin("2026-03-30")
    parent, plan = await story.customer(), await story.plan_of("100")
    children = [await story.customer(billingRelationship="parent_pays", parentCustomerId=parent) for _ in range(2)]
    for child in children:
        await story.subscribe(plan, "2026-04-01", child)
    await story.on("2026-04-20")
    await story.ok("PATCH", f"/v1/customers/{children[0]}", {"billingRelationship": "self"})
    await story.on("2026-05-31")
    invoices = await story.documents("invoices")
    assert invoices[0]["customerId"] == parent
    assert {one["customerId"] for one in invoices[1:]} == {parent, children[0]}
    await story.ends(
        invoices=[
            "2026-04-01: 200.00 = 100.00 (04-01/04-30) + 100.00 (04-01/04-30)",
            *["2026-05-01: 100.00 = 100.00 (05-01/05-31)"] * 2,
        ],
        ledger={RECEIVABLE: "500.00", REVENUE: "-400.00", OUTPUT_VAT: "-100.00"},
    )


async def test_one_child_of_two_leaves_with_the_last_invoice(begin: Begin) -> None:
    """Only its own line of the paid invoice comes back; the other child has less from 16 April on, for which May has no
    room: fifteen days of 10.00 less fifteen of 1.00 and the 30.00 of May."""
    story = await begin("2026-03-30")
    parent, plan = await story.customer(), await story.plan_of("300")
    children = [await story.customer(billingRelationship="parent_pays", parentCustomerId=parent) for _ in range(2)]
    stays, leaves = [
        await story.subscribe(plan, "2026-04-01", child, prorationBehavior="create_prorations") for child in children
    ]
    await story.on("2026-04-02")
    await story.is_paid(1)
    await story.on("2026-04-16")
    await story.change_now(stays, "replace_plan", {"planId": await story.plan_of("30")})
    assert (await story.cancel(leaves, refundBehavior="last_invoice"))["amount"] == "300.00"
    await story.on("2026-05-31")
    await story.ends(
        invoices=[
            "2026-04-01: 600.00 = 300.00 (04-01/04-30) + 300.00 (04-01/04-30)",
            "2026-05-01: 0.00 = -45.00 (04-16/04-30) + 15.00 (04-16/04-30) + 30.00 (05-01/05-31)",
        ],
        notes=[
            "2026-04-16: -300.00 on 1 = -300.00 (04-01/04-30)",
            "2026-05-01: -105.00 on 1 = -105.00 (04-16/04-30)",
        ],
        ledger={BANK: "750.00", RECEIVABLE: "-506.25", REVENUE: "-195.00", OUTPUT_VAT: "-48.75"},
    )
