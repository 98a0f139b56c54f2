"""What changes in mid-period and cancellations cost, billed over HTTP: figures from the field."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import httpx
import pytest
from pypdf import PdfReader
from tests.api.test_deferrals import DEFERRED, REVENUE, recognize
from tests.billing import Biller, periods
from tests.conftest import SteeredClock, new_company

from ledgerbee.platform.db import Database

NOTHING = Decimal(0)


@pytest.fixture
async def biller(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> Biller:
    """Its company is made on 1 January: the clock never goes back."""
    clock.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return Biller(await new_company(http, database, clock))


async def net(biller: Biller) -> Decimal:
    """What was invoiced less what was credited, without VAT."""
    documents = [*await biller.invoices(), *await biller.notes()]
    return sum((Decimal(one["subtotal"]) for one in documents), NOTHING)


async def replace_plan(biller: Biller, subscription: str, plan: str, day: str, behavior: str) -> dict[str, Any]:
    """Another plan at once, and what falls due by it."""
    biller.on(day)
    made = await biller.change(
        subscription, "replace_plan", effectiveDate=day, prorationBehavior=behavior, payload={"planId": plan}
    )
    await biller.bill_changed(subscription)
    return made


async def test_a_second_upgrade_inside_a_period_knows_the_first(biller: Biller) -> None:
    small, middle, large = [
        await biller.plan(await biller.recurring(amount, interval="year")) for amount in ("4990", "9980", "14970")
    ]
    biller.on("2026-01-01")
    subscription = await biller.subscribe(small, "2026-01-01")
    await biller.bill()
    await replace_plan(biller, subscription, middle, "2026-01-24", "always_invoice")
    await replace_plan(biller, subscription, large, "2026-01-29", "always_invoice")
    assert [one["subtotal"] for one in await biller.invoices()] == ["4990.00", "4675.56", "4607.21"]
    assert await net(biller) == Decimal("14272.77")
    await biller.check_books()


async def test_an_upgrade_just_before_the_boundary_is_not_billed_twice(biller: Biller) -> None:
    small, large = [await biller.plan(await biller.recurring(amount)) for amount in ("26", "80")]
    biller.on("2026-03-01")
    subscription = await biller.subscribe(small, "2026-03-01")
    await biller.bill()
    await replace_plan(biller, subscription, large, "2026-03-30", "always_invoice")
    biller.on("2026-04-01")
    await biller.bill()
    invoices = await biller.invoices()
    assert [one["subtotal"] for one in invoices] == ["26.00", "3.48", "80.00"]
    assert periods(invoices[1]) == [("2026-03-30", "2026-03-31", "-1.68"), ("2026-03-30", "2026-03-31", "5.16")]
    await biller.check_books()


async def test_usage_around_an_upgrade_is_billed_once_each_at_its_price(biller: Biller) -> None:
    meter, old_price = await biller.metered("1")
    new_price = await biller.usage_price(meter, "3")
    small = await biller.plan(await biller.recurring("100"), old_price)
    large = await biller.plan(await biller.recurring("200"), new_price)
    biller.on("2026-03-01")
    subscription = await biller.subscribe(small, "2026-03-01")
    await biller.bill()
    biller.on("2026-03-14")
    await biller.use(meter, subscription, "40", "2026-03-14")
    await replace_plan(biller, subscription, large, "2026-03-15", "always_invoice")
    await biller.use(meter, subscription, "60", "2026-03-15")
    biller.on("2026-04-01")
    await biller.bill()
    usage = [one for one in await biller.charges(subscription) if one["kind"] == "usage"]
    assert sorted((one["quantity"], one["amount"]) for one in usage) == [(40, "40.00"), (60, "180.00")]
    upgrade = Decimal("109.68") - Decimal("54.84")  # 17 of 31 days
    assert await net(biller) == 100 + upgrade + 40 + 180 + 200
    await biller.check_books()


async def test_what_was_credited_by_hand_is_not_refunded_again(biller: Biller) -> None:
    biller.on("2026-03-01")
    subscription = await biller.subscribe(await biller.plan(await biller.recurring("300")), "2026-03-01")
    await biller.bill()
    (invoice,) = await biller.invoices()
    biller.on("2026-03-05")
    await biller.credited(invoice)
    biller.on("2026-03-10")
    answer = await biller.cancel(subscription, refundBehavior="prorated")
    assert answer["refund"] == {
        "behavior": "prorated", "creditNoteIds": [], "amount": "0.00", "reason": "nothing_left",
    }  # fmt: skip
    await biller.bill_changed(subscription)
    assert (len(await biller.invoices()), len(await biller.notes()), await net(biller)) == (1, 1, NOTHING)
    await biller.check_books()


async def test_crediting_an_invoice_stops_nothing(biller: Biller) -> None:
    biller.on("2026-03-01")
    subscription = await biller.subscribe(await biller.plan(await biller.recurring("300")), "2026-03-01")
    await biller.bill()
    await biller.credited((await biller.invoices())[0])
    assert (await biller.bill())["processed"] == 0
    biller.on("2026-04-01")
    await biller.bill()
    assert [periods(one)[0][0] for one in await biller.invoices()] == ["2026-03-01", "2026-04-01"]
    assert (await biller.subscription(subscription))["status"] == "active"


async def test_a_price_that_comes_once_is_billed_once(biller: Biller) -> None:
    setup = await biller.price("500")
    small = await biller.plan(await biller.recurring("100"), setup)
    large = await biller.plan(await biller.recurring("200"), setup)
    biller.on("2026-03-01")
    subscription = await biller.subscribe(small, "2026-03-01")
    await biller.bill()
    await replace_plan(biller, subscription, large, "2026-03-12", "create_prorations")
    biller.on("2026-04-01")
    await biller.bill()
    once = [one["amount"] for one in await biller.charges(subscription) if one["kind"] == "one_time"]
    assert once == ["500.00"]
    upgrade = Decimal("129.03") - Decimal("64.52")  # 20 of 31 days
    assert await net(biller) == 500 + 100 + upgrade + 200
    await biller.check_books()


@pytest.mark.parametrize(
    ("behavior", "first", "then"),
    [
        ("none", ["100.00"], ["200.00"]),
        ("create_prorations", ["100.00"], ["-51.61", "103.23", "200.00"]),
        ("always_invoice", ["100.00", "51.62"], ["200.00"]),
    ],
)
async def test_each_way_of_proration(biller: Biller, behavior: str, first: list[str], then: list[str]) -> None:
    small, large = [await biller.plan(await biller.recurring(amount)) for amount in ("100", "200")]
    biller.on("2026-03-01")
    subscription = await biller.subscribe(small, "2026-03-01")
    await biller.bill()
    await replace_plan(biller, subscription, large, "2026-03-16", behavior)
    assert [one["subtotal"] for one in await biller.invoices()] == first
    biller.on("2026-04-01")
    await biller.bill()
    assert sorted(one[2] for one in periods((await biller.invoices())[-1])) == sorted(then)
    await biller.check_books()


@pytest.mark.parametrize(("behavior", "credited"), [("always_invoice", "-51.62"), ("create_prorations", None)])
async def test_a_downgrade_lowers_what_was_billed(biller: Biller, behavior: str, credited: str | None) -> None:
    large, small = [await biller.plan(await biller.recurring(amount)) for amount in ("200", "100")]
    biller.on("2026-03-01")
    subscription = await biller.subscribe(large, "2026-03-01")
    await biller.bill()
    await replace_plan(biller, subscription, small, "2026-03-16", behavior)
    biller.on("2026-04-01")
    await biller.bill()
    notes = [one["subtotal"] for one in await biller.notes()]
    assert notes == ([] if credited is None else [credited])
    assert "0.00" not in {one["subtotal"] for one in await biller.invoices()}
    assert await net(biller) == 200 - Decimal("103.23") + Decimal("51.61") + 100
    for note in await biller.notes():
        assert note["invoiceNumber"] == "1"
    await biller.check_books()


async def test_what_the_next_invoice_has_no_room_for_becomes_a_credit_note(biller: Biller) -> None:
    large = await biller.plan(await biller.recurring("1000"))
    small = await biller.plan(await biller.recurring("10"))
    biller.on("2026-03-01")
    subscription = await biller.subscribe(large, "2026-03-01")
    await biller.bill()
    await replace_plan(biller, subscription, small, "2026-03-02", "create_prorations")
    biller.on("2026-04-01")
    run = await biller.bill()
    assert run["invoices"] == 1, run
    first, second = await biller.invoices()
    (note,) = await biller.notes()
    assert (first["subtotal"], second["subtotal"]) == ("1000.00", "0.00")
    # 30 of 31 days: 967.74 back, 9.68 for them, 10.00 for April
    assert note["subtotal"] == "-948.06"
    assert await net(biller) == Decimal("51.94")
    await biller.check_books()


async def test_vat_is_given_back_where_it_was_charged(biller: Biller) -> None:
    """The customer has moved abroad before the invoice that would take back what was billed with VAT.

    Of another subscription the invoices go to another department since: they don't take back what the first one paid.
    """
    large, small = [await biller.plan(await biller.recurring(amount)) for amount in ("200", "100")]
    biller.on("2026-03-01")
    customer, other = await biller.customer(), await biller.customer()
    options = {"prorationBehavior": "create_prorations"}
    subscriptions = [await biller.subscribe(large, "2026-03-01", one, **options) for one in (customer, other)]
    await biller.bill()
    for subscription in subscriptions:
        await replace_plan(biller, subscription, small, "2026-03-16", "create_prorations")
    await biller.ok("PATCH", f"/v1/customers/{customer}", {"vatZone": "abroad", "countryCode": "NO"})
    department = (await biller.ok("POST", f"/v1/customers/{other}/departments", {"name": "Salg"}))["id"]
    await biller.ok("PATCH", f"/v1/subscriptions/{subscriptions[1]}", {"customerDepartmentId": department})
    biller.on("2026-04-01")
    run = await biller.bill()
    assert (run["invoices"], run["creditNotes"]) == (2, 2)
    invoices, notes = await biller.invoices(), await biller.notes()
    assert sorted((one["subtotal"], one["vat"]) for one in invoices[2:]) == [("151.61", "0.00"), ("151.61", "37.90")]
    assert [(one["subtotal"], one["vat"]) for one in notes] == [("-103.23", "-25.81")] * 2
    assert {one["invoiceNumber"] for one in notes} == {"1", "2"}
    await biller.check_books()


async def test_what_another_rate_of_vat_was_charged_on_is_given_back_by_a_note(biller: Biller) -> None:
    """From what has VAT to what has none: the new invoice has no negative line with more VAT than it charges."""
    services = next(it for it in (await biller.ok("GET", "/v1/product-groups"))["data"] if it["number"] == "2")
    accounts = {name: services[name] for name in ("euAccountId", "abroadAccountId", "domesticWithoutVatAccountId")}
    exempt = {"number": "77", "name": "Exempt", "domesticAccountId": services["abroadAccountId"], **accounts}
    await biller.ok("POST", "/v1/product-groups", exempt)
    yearly = [{"items": [{"priceId": await biller.recurring("2000", "year", group="77")}]}]
    with_vat = await biller.plan(await biller.recurring("1600"), alternatives=yearly)
    without = await biller.plan(await biller.recurring("1700", group="77"))
    biller.on("2026-12-01")
    at_once, later, cadence = [await biller.subscribe(with_vat, "2026-12-01") for _ in range(3)]
    await biller.bill()
    await replace_plan(biller, at_once, without, "2026-12-02", "always_invoice")
    at_boundary: dict[str, Any] = {
        "effectiveDate": "2026-12-02",
        "prorationBehavior": "create_prorations",
        "restartPeriod": True,
    }
    await biller.change(later, "replace_plan", payload={"planId": without}, **at_boundary)
    now: dict[str, Any] = {"effectiveDate": "2026-12-02", "prorationBehavior": "always_invoice"}
    await biller.change(cadence, "change_cadence", payload={"interval": "year"}, **now)
    assert {one["outcome"] for one in (await biller.bill())["results"]} == {"invoiced", "credited"}
    biller.on("2026-12-12")
    refund = (await biller.cancel(cadence, refundBehavior="prorated"))["refund"]
    assert (refund["amount"], len(refund["creditNoteIds"])) == ("1945.21", 1)
    invoiced = [(one["subtotal"], one["vat"]) for one in await biller.invoices()]
    assert invoiced[:3] == [("1600.00", "400.00")] * 3
    assert sorted(invoiced[3:]) == [("1645.16", "0.00"), ("1700.00", "0.00"), ("2000.00", "0.00")]
    noted = [(one["subtotal"], one["vat"]) for one in await biller.notes()]
    assert noted == [("-1548.39", "-387.10")] * 3 + [("-1945.21", "0.00")]
    await biller.check_books()


async def test_nothing_stays_deferred_of_what_was_refunded_on_two_invoices(biller: Biller) -> None:
    """From a month to a year, which is cancelled for more than the difference was; and more seats for some days, in a
    currency that has another rate by then."""
    yearly = [{"items": [{"priceId": await biller.recurring("3650", "year")}]}]
    monthly = await biller.plan(await biller.recurring("1600"), alternatives=yearly)
    seats = await biller.recurring("3650", "year", currency="USD")
    for day, rate in (("2026-12-01", "6"), ("2026-12-10", "7"), ("2026-12-20", "5"), ("2027-01-10", "8")):
        await biller.ok("PUT", "/v1/exchange-rates", {"currency": "USD", "date": day, "rate": rate}, status=200)
    biller.on("2026-12-01")
    cadence = await biller.subscribe(monthly, "2026-12-01")
    abroad = await biller.subscribe(await biller.plan(seats, currency="USD"), "2026-12-01")
    await biller.bill()
    now: dict[str, Any] = {"prorationBehavior": "always_invoice"}
    biller.on("2026-12-02")
    await biller.change(cadence, "change_cadence", effectiveDate="2026-12-02", payload={"interval": "year"}, **now)
    await biller.bill_changed(cadence)
    for day, quantity in (("2026-12-10", 3), ("2026-12-20", 1)):
        biller.on(day)
        products = [{"priceId": seats, "quantity": quantity}]
        await biller.change(abroad, "edit_products", effectiveDate=day, payload={"products": products}, **now)
        if quantity == 3:
            biller.on("2026-12-12")
            assert (await biller.cancel(cadence, refundBehavior="prorated"))["refund"]["amount"] == "3550.00"
    biller.on("2027-01-10")
    assert (await biller.cancel(abroad, refundBehavior="prorated"))["refund"]["amount"] == "3250.00"
    billed = [(one["invoiceNumber"], one["subtotal"]) for one in await biller.notes()]
    assert billed == [("3", "-2101.61"), ("1", "-1448.39"), ("4", "-6920.00"), ("2", "-3250.00")]
    assert [one[:2] for one in periods((await biller.notes())[1])] == [
        ("2026-12-12", "2026-12-31"), ("2026-12-02", "2026-12-11"),
    ]  # fmt: skip
    biller.on("2027-02-01")
    await recognize(biller, "2027-01")
    assert await biller.balance(DEFERRED) == NOTHING
    await biller.check_books()


async def test_a_first_part_of_a_period_costs_its_days(biller: Biller) -> None:
    biller.on("2026-07-11")
    plan = await biller.plan(await biller.recurring("200"))
    options = {"billingCycleAnchor": "2026-07-01"}
    at_once = await biller.subscribe(plan, "2026-07-11", **options, prorationBehavior="always_invoice")
    later = await biller.subscribe(plan, "2026-07-11", **options, prorationBehavior="create_prorations")
    free = await biller.subscribe(plan, "2026-07-11", **options)
    await biller.bill()
    (invoice,) = await biller.invoices()
    assert periods(invoice) == [("2026-07-11", "2026-07-31", "135.48")]
    biller.on("2026-08-01")
    run = await biller.bill()
    amounts = {one["subscriptionId"]: one["amount"] for one in run["results"]}
    assert amounts == {at_once: "200.00", later: "335.48", free: "200.00"}
    await biller.check_books()


class TestCancelling:
    """What a cancellation gives back."""

    @pytest.fixture
    async def subscription(self, biller: Biller) -> str:
        """One of 310.00 a month, billed and paid for February and March; it is 11 March."""
        biller.on("2026-03-01")
        subscription = await biller.subscribe(await biller.plan(await biller.recurring("310")), "2026-02-01")
        await biller.bill()
        for invoice in await biller.invoices():
            await biller.pay(invoice)
        biller.on("2026-03-11")
        return subscription

    async def test_nothing(self, biller: Biller, subscription: str) -> None:
        answer = await biller.cancel(subscription)
        assert answer["refund"] == {"behavior": "none", "creditNoteIds": [], "amount": "0.00", "reason": None}
        assert answer["status"] == "cancelled"
        assert await biller.notes() == []

    async def test_the_days_that_are_left(self, biller: Biller, subscription: str) -> None:
        answer = await biller.cancel(subscription, refundBehavior="prorated")
        (note,) = await biller.notes()
        assert (note["subtotal"], note["invoiceNumber"], note["status"]) == ("-210.00", "2", "sent")
        assert answer["refund"] == {
            "behavior": "prorated", "creditNoteIds": [note["id"]], "amount": "210.00", "reason": None,
        }  # fmt: skip
        assert [one["id"] for one in await biller.events("billing.credit_note_sent")] == [note["id"]]
        await biller.check_books()

    async def test_the_newest_paid_invoice(self, biller: Biller, subscription: str) -> None:
        answer = await biller.cancel(subscription, refundBehavior="last_invoice")
        (note,) = await biller.notes()
        assert (note["subtotal"], note["invoiceNumber"]) == ("-310.00", "2")
        assert answer["refund"]["amount"] == "310.00"
        await biller.check_books()

    async def test_no_paid_invoice(self, biller: Biller) -> None:
        biller.on("2026-03-01")
        subscription = await biller.subscribe(await biller.plan(await biller.recurring("310")), "2026-03-01")
        await biller.bill()
        answer = await biller.cancel(subscription, refundBehavior="last_invoice")
        assert answer["refund"] == {
            "behavior": "last_invoice", "creditNoteIds": [], "amount": "0.00", "reason": "no_paid_invoice",
        }  # fmt: skip
        assert await biller.notes() == []

    @pytest.mark.parametrize(("behavior", "credited"), [("prorated", "-120.00"), ("last_invoice", "-310.00")])
    async def test_on_a_day_to_come_a_run_gives_it_back(
        self, biller: Biller, subscription: str, behavior: str, credited: str
    ) -> None:
        await biller.cancel(subscription, "specific_date", effectiveDate="2026-03-20", refundBehavior=behavior)
        assert await biller.notes() == []
        biller.on("2026-03-20")
        run = await biller.bill()
        (note,) = await biller.notes()
        assert note["subtotal"] == credited
        (result,) = run["results"]
        assert (result["outcome"], result["creditNoteId"], result["amount"]) == ("credited", note["id"], credited)
        assert run["creditNotes"] == 1
        assert (await biller.subscription(subscription))["status"] == "cancelled"
        biller.on("2026-04-01")
        assert (await biller.bill())["invoices"] == 0
        await biller.check_books()

    async def test_what_is_in_arrears_is_billed_whatever_the_refund(self, biller: Biller) -> None:
        meter, price = await biller.metered("2")
        biller.on("2026-03-01")
        plan = await biller.plan(await biller.recurring("310"), price)
        subscription = await biller.subscribe(plan, "2026-03-01", billingDirection="arrears")
        await biller.bill()
        biller.on("2026-03-11")
        await biller.use(meter, subscription, "7", "2026-03-10")
        await biller.cancel(subscription, refundBehavior="prorated")
        await biller.bill_changed(subscription)
        (invoice,) = await biller.invoices()
        assert sorted(one[2] for one in periods(invoice)) == ["100.00", "14.00"]
        assert await biller.notes() == []
        await biller.check_books()

    async def test_a_pause_and_a_resume(self, biller: Biller, subscription: str) -> None:
        path = f"/v1/subscriptions/{subscription}"
        await biller.ok("POST", f"{path}/pause", {"prorationBehavior": "always_invoice"}, status=200)
        (note,) = await biller.notes()
        assert note["subtotal"] == "-210.00"
        biller.on("2026-04-05")
        assert (await biller.bill())["invoices"] == 0
        biller.on("2026-04-16")
        await biller.ok("POST", f"{path}/resume", {"prorationBehavior": "always_invoice"}, status=200)
        await biller.bill_changed(subscription)
        last = (await biller.invoices())[-1]
        assert periods(last) == [("2026-04-16", "2026-04-30", "155.00")]
        await biller.check_books()


async def test_a_refund_after_an_upgrade_is_spread_over_the_invoices_that_billed_it(biller: Biller) -> None:
    price = await biller.recurring("100")
    subscription = await biller.subscribe(await biller.plan(price), "2026-01-01", prorationBehavior="always_invoice")
    await biller.bill()
    biller.on("2026-01-11")
    await biller.change(
        subscription,
        "edit_products",
        effectiveDate="2026-01-11",
        payload={"products": [{"priceId": price, "quantity": 3}]},
    )
    assert [one["subtotal"] for one in await biller.invoices()] == ["100.00", "135.49"]
    biller.on("2026-01-12")
    cancelled = await biller.ok(
        "POST",
        "/v1/subscriptions/cancel",
        {"id": subscription, "strategy": "immediately", "refundBehavior": "prorated"},
        status=200,
    )
    assert cancelled["refund"]["amount"] == "193.55"
    assert sorted(one["subtotal"] for one in await biller.notes()) == ["-135.49", "-58.06"]
    await biller.bill()
    await biller.check_books()


async def test_days_that_are_given_back_are_not_earned(biller: Biller) -> None:
    """Two for a year at 10.00 a day each, one less from 10 April on, cancelled with effect from 10 May.

    March is recognised, April isn't when the notes are sent. What they say of their days stands on paper too.
    """
    biller.on("2026-03-01")
    price = await biller.recurring("3650", interval="year")
    both: dict[str, Any] = {
        "productOverrides": [{"priceId": price, "quantity": 2}],
        "prorationBehavior": "always_invoice",
    }
    subscription = await biller.subscribe(await biller.plan(price), "2026-03-01", **both)
    await biller.bill()
    assert await biller.balance(DEFERRED) == -7300
    biller.on("2026-04-10")
    await recognize(biller, "2026-03")
    fewer = {"products": [{"priceId": price, "quantity": 1}]}
    await biller.change(subscription, "edit_products", effectiveDate="2026-04-10", payload=fewer)
    biller.on("2026-05-10")
    await biller.cancel(subscription, refundBehavior="prorated")
    first, second = await biller.notes()
    assert periods(first) == [("2026-04-10", "2027-02-28", "-3250.00")]
    assert periods(second) == [("2026-05-10", "2027-02-28", "-2950.00")]
    assert len(await biller.invoices()) == 1
    assert await biller.balance(DEFERRED) == -480
    printed = await biller.api.get(f"/v1/credit-notes/{second['id']}/pdf")
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(printed.content)).pages)
    assert "10. maj 2026 - 28. feb. 2027" in text.replace("\xa0", " ")
    biller.on("2026-06-01")
    assert await recognize(biller, "2026-05") == [("2026-04", "390.00"), ("2026-05", "90.00")]
    assert (await biller.balance(REVENUE), await biller.balance(DEFERRED)) == (Decimal(-1100), NOTHING)
    await biller.check_books()


async def test_what_is_lowered_again_and_again_stays_on_the_line_that_billed_it(biller: Biller) -> None:
    """Three, two and one of 100.00 in one month, then none; 50.00 of the first days were credited by hand."""
    biller.on("2026-03-01")
    price = await biller.recurring("100")
    options: dict[str, Any] = {
        "productOverrides": [{"priceId": price, "quantity": 3}],
        "prorationBehavior": "always_invoice",
    }
    subscription = await biller.subscribe(await biller.plan(price), "2026-03-01", **options)
    await biller.bill()
    for day, quantity in (("2026-03-11", 2), ("2026-03-21", 1)):
        biller.on(day)
        fewer = {"products": [{"priceId": price, "quantity": quantity}]}
        await biller.change(subscription, "edit_products", effectiveDate=day, payload=fewer)
    (invoice,) = await biller.invoices()
    await biller.credited(invoice, {"invoiceLineId": invoice["lines"][0]["id"], "quantity": 1, "unitPrice": "50"})
    biller.on("2026-03-26")
    assert (await biller.cancel(subscription, refundBehavior="prorated"))["refund"]["amount"] == "19.35"
    assert len(await biller.invoices()) == 1
    assert [one["subtotal"] for one in await biller.notes()] == ["-67.75", "-35.49", "-50.00", "-19.35"]
    assert {one["invoiceLineId"] for one in await biller.charges(subscription)} == {invoice["lines"][0]["id"], None}
    await biller.check_books()


async def test_a_refund_of_an_invoice_that_was_given_up_is_nothing(biller: Biller) -> None:
    subscription = await biller.subscribe(await biller.plan(await biller.recurring("310")), "2026-01-01")
    await biller.bill()
    (invoice,) = await biller.invoices()
    biller.on("2026-01-11")
    await biller.ok("POST", f"/v1/invoices/{invoice['id']}/write-off", {})
    cancelled = await biller.ok(
        "POST",
        "/v1/subscriptions/cancel",
        {"id": subscription, "strategy": "immediately", "refundBehavior": "prorated"},
        status=200,
    )
    assert (cancelled["status"], cancelled["refund"]["amount"]) == ("cancelled", "0.00")
    assert cancelled["refund"]["reason"] == "nothing_left"
    await biller.bill()
    await biller.check_books()


async def test_a_lower_quantity_that_waited_leaves_an_invoice_that_can_be_refunded(biller: Biller) -> None:
    price = await biller.recurring("100")
    subscription = await biller.subscribe(
        await biller.plan(price),
        "2026-01-01",
        prorationBehavior="create_prorations",
        productOverrides=[{"priceId": price, "quantity": 3}],
    )
    await biller.bill()
    biller.on("2026-01-03")
    await biller.change(
        subscription,
        "edit_products",
        effectiveDate="2026-01-03",
        payload={"products": [{"priceId": price, "quantity": 1}]},
    )
    biller.on("2026-02-01")
    await biller.bill()
    biller.on("2026-02-03")
    await biller.ok(
        "POST",
        "/v1/subscriptions/cancel",
        {"id": subscription, "strategy": "immediately", "refundBehavior": "prorated"},
        status=200,
    )
    # Two days of three, thirty-one less two of one in January, and two days of one in February.
    assert await net(biller) == Decimal("300.00") - Decimal("187.10") + Decimal(100) - Decimal("92.86")
    await biller.check_books()


async def test_a_credit_that_waits_takes_back_no_more_than_what_is_left_when_it_is_billed(biller: Biller) -> None:
    """Credited by hand meanwhile, after a credit at once; and an invoice that was given up."""
    price = await biller.recurring("310")
    plan = await biller.plan(price)
    options: dict[str, Any] = {
        "productOverrides": [{"priceId": price, "quantity": 3}],
        "prorationBehavior": "create_prorations",
    }
    credited, given_up = [await biller.subscribe(plan, "2026-01-01", **options) for _ in range(2)]
    await biller.bill()
    invoices = {one["lines"][0]["subscriptionId"]: one for one in await biller.invoices()}
    biller.on("2026-01-10")
    await biller.ok("POST", f"/v1/invoices/{invoices[given_up]['id']}/write-off", {})
    fewer: dict[str, Any] = {
        "effectiveDate": "2026-01-10",
        "payload": {"products": [{"priceId": price, "quantity": 1}]},
    }
    await biller.change(given_up, "edit_products", **fewer)
    biller.on("2026-01-11")
    fewer = {"effectiveDate": "2026-01-11", "payload": {"products": [{"priceId": price, "quantity": 2}]}}
    await biller.change(credited, "edit_products", prorationBehavior="always_invoice", **fewer)
    biller.on("2026-01-21")
    await biller.change(credited, "pause", effectiveDate="2026-01-21")
    line = invoices[credited]["lines"][0]["id"]
    await biller.credited(invoices[credited], {"invoiceLineId": line, "quantity": 1, "unitPrice": "600"})
    biller.on("2026-01-27")
    await biller.change(credited, "resume", effectiveDate="2026-01-27")
    biller.on("2026-02-01")
    await biller.bill()
    billed = {one["lines"][0]["subscriptionId"]: one for one in await biller.invoices() if one["date"] == "2026-02-01"}
    assert [line["totalPrice"] for line in billed[credited]["lines"]] == ["-120.00", "100.00", "620.00"]
    assert (billed[given_up]["subtotal"], len(await biller.notes())) == ("310.00", 2)
    await biller.check_books()
