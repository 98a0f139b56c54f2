"""Billing runs over HTTP: what is billed, for whom, how often, and for whom not."""

import pytest
from tests.billing import Biller, outcomes, periods
from tests.conftest import Api


@pytest.fixture
def biller(api: Api) -> Biller:
    return Biller(api)


async def test_one_invoice_for_each_period(biller: Biller) -> None:
    customer = await biller.customer(email="buyer@havblik.example")
    plan = await biller.plan(await biller.recurring("200"))
    subscription = await biller.subscribe(plan, "2026-01-10", customer)
    run = await biller.bill_changed(subscription)
    assert (run["status"], run["trigger"], run["processed"], run["invoices"]) == ("completed", "change", 1, 3)
    invoices = await biller.invoices()
    assert [(one["number"], one["date"], one["amount"], one["status"]) for one in invoices] == [
        (str(number), "2026-03-16", "250.00", "scheduled") for number in (1, 2, 3)
    ]
    assert [periods(one) for one in invoices] == [
        [("2026-01-10", "2026-02-09", "200.00")],
        [("2026-02-10", "2026-03-09", "200.00")],
        [("2026-03-10", "2026-04-09", "200.00")],
    ]
    assert [one["invoiceId"] for one in run["results"]] == [one["id"] for one in invoices]
    await biller.check_books()

