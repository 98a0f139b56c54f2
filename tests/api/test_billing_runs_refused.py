"""Billing runs in which something is in the way: one customer, the day, an address."""

from typing import Any

import pytest
from tests.api.test_invoices_sending import NORWEGIAN
from tests.billing import Biller, outcomes
from tests.conftest import Api

from ledgerbee.platform.context import Context


@pytest.fixture
def biller(api: Api) -> Biller:
    return Biller(api)


#: What takes the account of sales abroad (1200) from being used, and gives it back.
BREAKING = [
    ("vat_code_id = NULL", "SALES_DOCUMENT_VAT_CODE_UNUSABLE"),
    ("is_active = false", "ACCOUNT_NOT_BOOKABLE"),
]


async def set_account(biller: Biller, values: str) -> Any:
    """Change the account of sales abroad behind the API's back; the id of the VAT code that it had."""

    async def work(context: Context) -> Any:
        found = await context.connection.fetchval(
            "SELECT vat_code_id FROM accounts WHERE company_id = $1 AND number = 1200", context.company_id
        )
        await context.connection.execute(
            f"UPDATE accounts SET {values} WHERE company_id = $1 AND number = 1200", context.company_id
        )
        return found

    return await biller.api.run(work)


@pytest.mark.parametrize(("broken", "code"), BREAKING)
async def test_one_who_can_not_be_billed_is_named_and_billed_after_the_mend(
    biller: Biller, broken: str, code: str
) -> None:
    plan = await biller.plan(await biller.recurring("100"))
    bad_customer = await biller.customer(**NORWEGIAN)
    bad = [await biller.subscribe(plan, "2026-03-01", bad_customer) for _ in range(2)]
    good = [await biller.subscribe(plan, "2026-03-01") for _ in range(5)]
    had = await set_account(biller, broken)
    run = await biller.bill()
    assert (run["status"], run["invoices"], run["refused"], run["processed"]) == ("completed", 5, 2, 7)
    refused = [one for one in run["results"] if one["outcome"] == "refused"]
    assert {one["subscriptionId"] for one in refused} == set(bad)
    assert {(one["customerId"], one["code"]) for one in refused} == {(bad_customer, code)}
    assert {one["subscriptionId"] for one in run["results"] if one["outcome"] == "invoiced"} == set(good)
    errors = await biller.events("subscription.error")
    assert {(one["id"], one["errorType"], one["code"]) for one in errors if one["errorType"] == "billing_failed"} == {
        (one, "billing_failed", code) for one in bad
    }
    assert [await biller.charges(one) for one in bad] == [[], []]
    assert [one["number"] for one in await biller.invoices()] == ["1", "2", "3", "4", "5"]
    assert (await biller.bill())["refused"] == 2
    await set_account(biller, f"is_active = true, vat_code_id = '{had}'")
    run = await biller.bill()
    assert (run["invoices"], run["refused"]) == (2, 0)
    assert {one["subscriptionId"] for one in run["results"]} == set(bad)
    await biller.check_books()


async def test_nobody_is_billed_by_half(biller: Biller) -> None:
    """One price of two can't be billed: neither is, and nothing else of the customer."""
    abroad = await biller.customer(**NORWEGIAN)
    goods = await biller.recurring("100", group="1")
    services = await biller.recurring("50", group="2")
    both = await biller.subscribe(await biller.plan(goods, services), "2026-03-01", abroad)
    alone = await biller.subscribe(await biller.plan(goods), "2026-03-01", abroad)
    await set_account(biller, "vat_code_id = NULL")
    run = await biller.bill()
    assert {one["subscriptionId"] for one in run["results"] if one["outcome"] == "refused"} == {both, alone}
    assert await biller.invoices() == []


async def test_without_an_address_it_is_booked_and_handed_over_by_hand(biller: Biller) -> None:
    customer = await biller.customer(email=None)
    subscription = await biller.subscribe(await biller.plan(await biller.recurring()), "2026-03-01", customer)
    assert outcomes(await biller.bill()) == [("invoiced", None)]
    (invoice,) = await biller.invoices()
    assert (invoice["status"], invoice["number"]) == ("sent", "1")
    delivery = await biller.ok("GET", f"/v1/invoices/{invoice['id']}/delivery-status")
    assert delivery["deliveryType"] == "Manual"
    (error,) = await biller.events("subscription.error")
    assert (error["subscriptionId"], error["errorType"]) == (subscription, "undeliverable_recipient")
    assert error["invoiceId"] == invoice["id"]


async def test_a_locked_day_fails_the_run_and_books_nothing(biller: Biller) -> None:
    subscription = await biller.subscribe(await biller.plan(await biller.recurring()), "2026-03-01")
    await biller.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-03-31"})
    run = await biller.bill()
    assert (run["status"], run["code"], run["results"], run["processed"]) == ("failed", "PERIOD_LOCKED", [], 0)
    assert run["message"]
    assert (await biller.invoices(), await biller.charges(subscription)) == ([], [])
    (completed,) = await biller.events("billing.run_completed")
    assert (completed["status"], completed["code"]) == ("failed", "PERIOD_LOCKED")
    assert await biller.events("subscription.error") == []
    # A run of named ones, as of one that was just assigned, tells each of them.
    named = await biller.bill(subscriptionIds=[subscription])
    assert (named["status"], named["code"], named["refused"]) == ("failed", "PERIOD_LOCKED", 1)
    (error,) = await biller.events("subscription.error")
    assert (error["id"], error["errorType"], error["code"]) == (subscription, "billing_failed", "PERIOD_LOCKED")
    biller.on("2026-04-01")
    assert (await biller.bill())["invoices"] == 2


async def test_a_customer_who_is_inactive_by_now_is_refused(biller: Biller) -> None:
    customer = await biller.customer()
    await biller.subscribe(await biller.plan(await biller.recurring()), "2026-03-01", customer)
    await biller.ok("PATCH", f"/v1/customers/{customer}", {"isActive": False})
    assert outcomes(await biller.bill()) == [("refused", "SALES_DOCUMENT_CUSTOMER_INACTIVE")]
    await biller.ok("PATCH", f"/v1/customers/{customer}", {"isActive": True})
    assert outcomes(await biller.bill()) == [("invoiced", None)]
