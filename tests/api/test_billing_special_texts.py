"""Billing of documents whose texts have to be set before it is known that they can be printed."""

import pytest
from tests.billing import Biller
from tests.conftest import Api

#: Names that are no plain text, and can be printed.
_GREEK = [f"Ελλάς {number} ΑΕ" for number in range(7)]
#: A character that no font of the documents has.
_UNPRINTABLE = "Aps \U00012000"


@pytest.fixture
def biller(api: Api) -> Biller:
    return Biller(api)


async def test_a_run_bills_customers_of_any_script(biller: Biller) -> None:
    plan = await biller.plan(await biller.recurring("200"))
    for name in _GREEK:
        await biller.subscribe(plan, "2026-03-01", await biller.customer(name=name))
    run = await biller.bill()
    assert (run["status"], run["invoices"], run["refused"]) == ("completed", len(_GREEK), 0)
    dry = await biller.bill(dryRun=True)
    assert (dry["status"], dry["invoices"], dry["refused"]) == ("completed", 0, 0)
    await biller.check_books()


async def test_what_cannot_be_printed_is_refused_alone(biller: Biller) -> None:
    plan = await biller.plan(await biller.recurring("200"))
    for name in (_GREEK[0], _UNPRINTABLE, "Havblik ApS"):
        await biller.subscribe(plan, "2026-03-01", await biller.customer(name=name))
    run = await biller.bill()
    assert (run["status"], run["invoices"], run["refused"]) == ("completed", 2, 1)
    (refused,) = [one["code"] for one in run["results"] if one["outcome"] == "refused"]
    assert refused == "DOCUMENT_CHARACTERS_UNPRINTABLE"


async def test_a_preview_and_a_dry_run_print_as_the_run_does(biller: Biller) -> None:
    plan = await biller.plan(await biller.recurring("200"))
    subscription = await biller.subscribe(plan, "2026-03-01", await biller.customer(name=_GREEK[0]))
    preview = await biller.preview(subscription)
    assert preview["next"]["amount"] == "250.00"
    dry = await biller.bill(dryRun=True)
    assert [one["amount"] for one in dry["results"]] == ["200.00"]
    assert (await biller.bill())["invoices"] == 1


@pytest.mark.parametrize("refund", ["prorated", "last_invoice"])
async def test_refunds_of_one_run_are_tried_together(biller: Biller, refund: str) -> None:
    plan = await biller.plan(await biller.recurring("310"))
    subscriptions = [await biller.subscribe(plan, "2026-03-01", await biller.customer(name=name)) for name in _GREEK]
    await biller.bill()
    for invoice in await biller.invoices():
        await biller.pay(invoice)
    for subscription in subscriptions:
        await biller.cancel(subscription, "specific_date", effectiveDate="2026-03-20", refundBehavior=refund)
    biller.on("2026-03-20")
    run = await biller.bill()
    assert (run["status"], run["refused"]) == ("completed", 0)
    assert len(await biller.notes()) == len(_GREEK)
    await biller.check_books()
