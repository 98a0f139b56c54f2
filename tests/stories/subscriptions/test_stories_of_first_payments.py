"""Stories of subscriptions that begin when they are paid, and of what follows the last decline of a charge.

100.00 a month and 25 % VAT, on cards of the provider that is built in.
"""

import asyncio
from typing import Any

from tests.cards import VISA, Cards
from tests.conftest import BLOBS
from tests.days import job_of
from tests.ledger_books import as_owner
from tests.stories.subscriptions.steps import BANK, DEFERRED, OUTPUT_VAT, RECEIVABLE, REVENUE, Begin, Story

from ledgerbee.app.jobs import jobs_with
from ledgerbee.app.settling import SETTLED
from ledgerbee.app.worker import Worker
from ledgerbee.network.transport.model import NoTransport
from ledgerbee.payments.charges.jobs import charge_card
from ledgerbee.platform.mail import Mailer
from ledgerbee.tenancy.clocks.model import ADVANCE_JOB

SOFT, SOFT_ONCE, HARD, SECURE, ENDING = (
    "4000000000009995", "4000000000009987", "4000000000009979", "4000000000003220", "4000000000000341",
)  # fmt: skip
CLEARING, UNIDENTIFIED, FEES = 6331, 8042, 2391
AWAITED = ["assigned", "billed"]
PAID = [*AWAITED, "payment_succeeded", "started"]


async def begun(begin: Begin, day: str) -> tuple[Story, Cards]:
    story = await begin(day)
    cards = Cards(story.api)
    await cards.enable()
    story.jobs.providers = cards.providers
    return story, cards


async def paying_first(
    story: Story, cards: Cards, number: str, start: str, plan: str | None = None, **fields: Any
) -> str:
    """A subscription of a new customer that begins when it is paid for, with a card."""
    customer = await story.customer()
    card = (await cards.save(customer, number))["id"]
    body = {"paymentMethodId": card, "automaticBilling": True, "paymentBehavior": "pay_first", **fields}
    return await story.subscribe(plan or await story.plan_of("100"), start, customer, **body)


async def told(story: Story, subscription: str) -> list[dict[str, Any]]:
    """What was told of a subscription, oldest first: the data, and what comes after `subscription.`; but for that its
    customer has no address for invoices."""
    found = await story.ok("GET", f"/v1/events?objectId={subscription}&limit=100")
    return [
        {**one["data"], "topic": one["type"].removeprefix("subscription.")}
        for one in found["data"]
        if one["data"].get("errorType") != "undeliverable_recipient"
    ]


async def topics(story: Story, subscription: str) -> list[str]:
    return [one["topic"] for one in await told(story, subscription)]


async def errors(story: Story, subscription: str) -> list[tuple[str, str]]:
    return [(one["errorType"], one["code"]) for one in await told(story, subscription) if one["topic"] == "error"]


async def standing(story: Story, *subscriptions: str) -> list[str]:
    return [await story.status(one) for one in subscriptions]


async def test_one_that_pays_at_once_later_or_never(begin: Begin) -> None:
    """Six begin on 16 March, each with another card."""
    story, cards = await begun(begin, "2026-03-16")
    plan = await story.plan_of("100")
    paid = await paying_first(story, cards, VISA, "2026-03-16", plan)
    later = await paying_first(story, cards, SOFT_ONCE, "2026-03-16", plan)
    never = await paying_first(story, cards, SOFT, "2026-03-16", plan)
    refused = await paying_first(story, cards, HARD, "2026-03-16", plan)
    confirmed = await paying_first(story, cards, SECURE, "2026-03-16", plan)
    too_late = await paying_first(story, cards, SECURE, "2026-03-16", plan)
    everyone = (paid, later, never, refused, confirmed, too_late)
    assert await standing(story, *everyone) == [
        "active", "awaiting_payment", "awaiting_payment", "expired", "awaiting_payment", "awaiting_payment",
    ]  # fmt: skip
    assert (await topics(story, paid), await topics(story, later)) == (PAID, AWAITED)
    assert await topics(story, refused) == [*AWAITED, "error", "churned"]
    assert await errors(story, refused) == [("charge_failed", "stolen_card")]
    shown = await story.subscription(later)
    first = shown["firstInvoiceId"]
    assert (shown["payBy"], (await story.ok("GET", f"/v1/invoices/{first}"))["amountDue"]) == ("2026-03-23", "125.00")
    assert (await story.ok("GET", "/v1/metrics/mrr?month=2026-03"))["mrr"] == "100.00"
    # It is shown what comes once it is paid, and nothing else can be changed.
    preview = await story.ok("POST", f"/v1/subscriptions/{later}/preview", {})
    assert preview["next"]["date"] == "2026-04-16"
    code, details = await story.refused("POST", f"/v1/subscriptions/{later}/pause", {})
    assert (code, details["status"]) == ("SUBSCRIPTION_INVALID_STATE", "awaiting_payment")

    urls = {}
    for one in (confirmed, too_late):
        invoice = (await story.subscription(one))["firstInvoiceId"]
        (charge,) = await story.ok("GET", f"/v1/invoices/{invoice}/charges")
        assert charge["status"] == "requires_action"
        urls[one] = charge["actionUrl"]
    await cards.send(urls[confirmed], answer="confirm")
    await story.on("2026-03-17")
    assert await standing(story, *everyone) == [
        "active", "active", "awaiting_payment", "expired", "active", "awaiting_payment",
    ]  # fmt: skip
    assert (await topics(story, later), await topics(story, confirmed)) == (PAID, PAID)

    for day in range(18, 24):
        await story.on(f"2026-03-{day}")
    assert (await standing(story, never, too_late), await errors(story, never)) == (
        ["expired", "expired"], [("charge_failed", "not_paid_in_time")],
    )  # fmt: skip
    assert await topics(story, too_late) == [*AWAITED, "error", "churned"]
    # Nobody can confirm it after that.
    await cards.send(urls[too_late], answer="confirm")
    await story.on("2026-04-16")
    assert await standing(story, *everyone) == ["active", "active", "expired", "expired", "active", "expired"]
    assert (await topics(story, paid))[4:] == ["billed", "payment_succeeded"]
    revenue = await story.ok("GET", "/v1/metrics/revenue-reconciliation?month=2026-03")
    assert [revenue[name] for name in ("mrr", "agreed", "invoiced")] == ["300.00", "154.84", "154.84"]
    month, next_month = "2026-03-16: 100.00 = 100.00 (03-16/04-15)", "2026-04-16: 100.00 = 100.00 (04-16/05-15)"
    await story.ends(
        invoices=[month] * 6 + [next_month] * 3,
        notes=[
            "2026-03-16: -100.00 on 4 = -100.00 (03-16/04-15)",
            "2026-03-23: -100.00 on 3 = -100.00 (03-16/04-15)",
            "2026-03-23: -100.00 on 6 = -100.00 (03-16/04-15)",
        ],
        # One of the second month waits to be confirmed. The three charges of March were paid out, less 3.55 of each.
        ledger={
            RECEIVABLE: "125.00",
            CLEARING: "250.00",
            BANK: "364.35",
            FEES: "10.65",
            REVENUE: "-154.83",
            DEFERRED: "-445.17",
            OUTPUT_VAT: "-150.00",
        },
    )


async def test_by_hand_by_both_at_once_and_not_at_all(begin: Begin) -> None:
    """What somebody pays by hand begins it too; usage counts from its first day; a cancellation leaves nothing due; a
    card that has ended by the first day is a decline."""
    story, cards = await begun(begin, "2026-03-16")
    meter, metered = await story.meter("2")
    plan = await story.plan(await story.price("100"), metered)
    ending = await paying_first(story, cards, ENDING, "2026-04-02")
    by_hand = await paying_first(story, cards, SOFT, "2026-03-16", plan)
    await story.use(meter, by_hand, "3", "2026-03-16")
    assert (await story.ok("GET", f"/v1/meters/{meter}/usage"))["unattributed"] == 1
    assert (await story.ok("GET", f"/v1/meters/{meter}/subscriptions"))["subscriptions"] == []
    await story.is_paid(1)
    assert await standing(story, ending, by_hand) == ["scheduled", "active"]
    assert (await topics(story, by_hand), await errors(story, by_hand)) == ([*AWAITED, "started"], [])
    usage = await story.ok("GET", f"/v1/meters/{meter}/usage")
    assert (usage["unattributed"], usage["attributed"]) == (0, 1)

    cancelled = await paying_first(story, cards, SOFT, "2026-03-16")
    refund = await story.cancel(cancelled, "end_of_cycle")
    assert (refund["amount"], len(refund["creditNoteIds"])) == ("100.00", 1)
    assert (await topics(story, cancelled))[2:] == ["churned"]
    assert await standing(story, cancelled) == ["cancelled"]

    both = await paying_first(story, cards, SECURE, "2026-03-16")
    invoice = (await story.subscription(both))["firstInvoiceId"]
    (charge,) = await story.ok("GET", f"/v1/invoices/{invoice}/charges")
    await cards.send(charge["actionUrl"], answer="confirm")
    body = {"date": "2026-03-16", "amount": "125"}
    await asyncio.gather(
        charge_card(cards.providers, job_of(story.api, chargeId=charge["id"])),
        story.api.post(f"/v1/invoices/{invoice}/payments", body),
    )
    await story.jobs.run()
    assert (await topics(story, both)).count("started") == 1
    assert (await standing(story, both), (await story.invoice(3))["status"]) == (["active"], "paid")

    await story.on("2026-04-02")
    assert (await standing(story, ending), await errors(story, ending)) == (
        ["expired"], [("charge_failed", "PAYMENT_METHOD_INACTIVE")],
    )  # fmt: skip
    assert [one["status"] for one in await story.documents("invoices")] == ["paid", "credited", "paid", "credited"]
    assert await story._fault() is None


async def test_another_card_pays_when_nobody_confirms(begin: Begin) -> None:
    """A charge that waits for its owner is cancelled, and the subscription waits on; whoever cancels that, or takes the
    card away, leaves nothing to be confirmed. A running one is not paused by the cancellation of its charge."""
    story, cards = await begun(begin, "2026-03-16")
    await story.ok("PATCH", "/v1/company", {"afterLastDecline": "cancel"})
    plan = await story.plan_of("100")
    first = await paying_first(story, cards, SECURE, "2026-03-16", plan)
    given_up = await paying_first(story, cards, SECURE, "2026-03-16", plan)
    cardless = await paying_first(story, cards, SECURE, "2026-03-16", plan)
    customer = await story.customer()
    card = (await cards.save(customer, SECURE))["id"]
    running = await story.subscribe(plan, "2026-03-16", customer, paymentMethodId=card, automaticBilling=True)
    everyone = (first, given_up, cardless, running)
    await story.on("2026-03-16")
    charges = []
    for one in await story.documents("invoices"):
        charges += await story.ok("GET", f"/v1/invoices/{one['id']}/charges")
    assert [one["status"] for one in charges] == ["requires_action"] * 4
    by_customer = {one["customerId"]: one for one in charges}

    async def charge_of(subscription: str) -> dict[str, Any]:
        found: dict[str, Any] = by_customer[(await story.subscription(subscription))["customerId"]]
        return found

    for subscription in (first, running):
        await story.ok("POST", f"/v1/charges/{(await charge_of(subscription))['id']}/cancel", {})
    await story.cancel(given_up, "end_of_cycle")
    gone = await charge_of(cardless)
    path = f"/v1/customers/{gone['customerId']}/payment-methods/{gone['paymentMethodId']}/agreement"
    assert (await story.api.delete(path)).status_code == 204
    await story.jobs.run()
    codes = [(await story.ok("GET", f"/v1/charges/{(await charge_of(one))['id']}"))["declineCode"] for one in everyone]
    assert codes == ["cancelled", "nothing_due", "card_unavailable", "cancelled"]
    assert await standing(story, *everyone) == ["awaiting_payment", "cancelled", "expired", "active"]
    for charge in charges:
        assert "trukket den tilbage" in (await cards.seen(charge["actionUrl"])).text
    await story.on("2026-03-17")
    assert await standing(story, *everyone) == ["awaiting_payment", "cancelled", "expired", "active"]
    assert [await errors(story, one) for one in everyone] == [[], [], [("charge_failed", "card_unavailable")], []]
    charge = await charge_of(first)
    other = (await cards.save(charge["customerId"], VISA))["id"]
    await story.ok("POST", f"/v1/invoices/{charge['invoiceId']}/charges", {"paymentMethodId": other})
    await story.jobs.run()
    assert (await standing(story, first), await topics(story, first)) == (["active"], PAID)
    assert await story._fault() is None


async def test_a_clock_that_passes_a_month_in_one_step(begin: Begin, database_url: str) -> None:
    """What is declined on its first day is charged again on the next, and not at the end of the step."""
    owner = await as_owner(database_url)
    names = [*SETTLED, ADVANCE_JOB]
    await owner.execute("DELETE FROM pgqueuer WHERE entrypoint = ANY($1)", names)  # of other tests
    await owner.close()
    story, cards = await begun(begin, "2026-03-16")
    subscription = await paying_first(story, cards, SOFT_ONCE, "2026-03-20")
    kinds = jobs_with(NoTransport(), cards.providers)
    worker = Worker(
        story.api.database, Mailer(None, "a@b.dk"), BLOBS, story.api.clock, {name: kinds[name] for name in names}
    )
    working = asyncio.create_task(worker.run())
    await story.ok("POST", "/v1/test-clock/advance", {"toDate": "2026-04-20"})
    async with asyncio.timeout(60):
        while (await story.ok("GET", "/v1/test-clock"))["status"] != "idle":  # noqa: ASYNC110  the worker moves it
            await asyncio.sleep(0.05)
    worker.stop()
    await working
    paid = [await story.ok("GET", f"/v1/invoices/{one['id']}/payments") for one in await story.documents("invoices")]
    assert [one["date"] for (one,) in paid] == ["2026-03-21", "2026-04-20"]
    assert await topics(story, subscription) == [*PAID, "billed", "payment_succeeded"]


async def test_what_follows_the_last_decline(begin: Begin) -> None:
    """A parent pays for two children on one invoice; the card that pays for both succeeds once, and then another one
    does not. Of the three that a company may choose, each is done."""
    story, cards = await begun(begin, "2026-03-16")
    assert (await story.ok("GET", "/v1/company"))["afterLastDecline"] == "keep"
    parent = await story.customer(invoicingMode="single_invoice")
    good, bad = (await cards.save(parent, VISA))["id"], (await cards.save(parent, HARD))["id"]
    plan, children = await story.plan_of("100"), []
    for _ in range(2):
        child = await story.customer(parentCustomerId=parent, billingRelationship="parent_pays")
        children.append(await story.subscribe(plan, "2026-04-01", child, paymentMethodId=good, automaticBilling=True))
    await story.on("2026-04-01")
    for one in children:
        (cleared,) = [event for event in await told(story, one) if event["topic"] == "payment_succeeded"]
        invoice = await story.ok("GET", f"/v1/invoices/{cleared['invoiceId']}")
        assert (cleared["subscriptionId"], invoice["status"], invoice["subtotal"]) == (one, "paid", "200.00")
        await story.ok("PATCH", f"/v1/subscriptions/{one}", {"paymentMethodId": bad})
    for day, setting, then in (
        ("2026-05-01", "keep", "active"), ("2026-06-01", "pause", "paused"), ("2026-07-01", "cancel", "cancelled"),
    ):  # fmt: skip
        await story.ok("PATCH", "/v1/company", {"afterLastDecline": setting})
        await story.on(day)
        assert await standing(story, *children) == [then, then]
        for one in children:
            assert (await errors(story, one))[-1] == ("charge_failed", "stolen_card")
            if then == "paused":
                await story.resume(one)
    assert [one["status"] for one in await story.documents("invoices")] == ["paid", "sent", "sent", "sent"]
    assert [await errors(story, one) for one in children] == [[("charge_failed", "stolen_card")] * 3] * 2
    assert (await topics(story, children[0]))[-2:] == ["error", "churned"]
    assert (await story.documents("credit-notes"), await story._fault()) == ([], None)
