"""Parents that pay for their children, over HTTP: what is on their invoices, what goes along, what is given back."""

import io
import zipfile
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any
from uuid import UUID

import pypdf
import pytest
import pytest_asyncio
from tests.api.test_delivery import run_job
from tests.billing import Biller, outcomes
from tests.conftest import Api
from tests.days import job_of
from tests.post_office import PostOffice, attachments, open_post_office

from ledgerbee.billing.runs import store
from ledgerbee.billing.runs.model import BillingOutcome, DuePayer
from ledgerbee.billing.runs.process import _Process
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import jobs
from ledgerbee.sales.delivery.printing import print_sent
from ledgerbee.sales.kinds import KINDS

#: A change of today that bills itself.
AT_ONCE: dict[str, Any] = {"effectiveDate": "2026-03-16", "prorationBehavior": "always_invoice"}


@pytest.fixture
def biller(api: Api) -> Biller:
    return Biller(api)


@pytest_asyncio.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with open_post_office(PostOffice()) as office:
        yield office


def paid_by(parent: str, **fields: Any) -> dict[str, Any]:
    return {"parentCustomerId": parent, "billingRelationship": "parent_pays", **fields}


def headings(invoice: dict[str, Any]) -> list[str]:
    return [line["description"] for line in invoice["lines"] if line["lineType"] == "text"]


def amounts(document: dict[str, Any]) -> list[str]:
    return [line["totalPrice"] for line in document["lines"] if line["lineType"] == "product"]


async def patch(biller: Biller, customer: str, **fields: Any) -> None:
    await biller.ok("PATCH", f"/v1/customers/{customer}", fields)


def pdfs_in(content: bytes) -> dict[str, str]:
    """The texts of the PDFs in a zip, by their names."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {
            name: "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(archive.read(name))).pages)
            for name in archive.namelist()
        }


async def test_fifty_children_of_two_levels_and_two_currencies(biller: Biller) -> None:
    """The invoices are those of who pays for itself: its terms, its VAT zone; discounts are the children's."""
    await biller.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-01", "rate": "7.46"}, status=200)
    account = (await biller.ok("GET", "/v1/customer-groups"))[0]["accountId"]
    cheaper = await biller.ok(
        "POST", "/v1/customer-groups", {"number": "R", "name": "Rabat", "accountId": account, "discount": "10"}
    )
    zone = {"vatZone": "eu", "vatNumber": "SE556012579001", "countryCode": "SE"}
    top = await biller.customer(name="Koncern AB", paymentTerms=30, email="koncern@example.com", **zone)
    middle = await biller.customer(name="Mellem A/S", customerGroupId=cheaper["id"], **paid_by(top, paymentTerms=3))
    kroner = await biller.plan(await biller.recurring("100"), await biller.recurring("7.50"))
    euros = await biller.plan(await biller.recurring("20", currency="EUR"), currency="EUR")
    children = {}
    for number in reversed(range(1, 51)):
        group = {"customerGroupId": cheaper["id"]} if number == 50 else {}
        fields = paid_by(middle if number > 40 else top, customerNumber=f"K{number}", name=f"Barn {number}", **group)
        child = await biller.customer(**fields)
        children[number] = child, await biller.subscribe(euros if number % 5 == 0 else kroner, "2026-03-01", child)
    own = await biller.subscribe(kroner, "2026-03-01", middle)
    assert {one["id"] for one in await biller.ok("GET", f"/v1/customers?parentCustomerId={middle}")} == {
        children[number][0] for number in range(41, 51)
    }
    run = await biller.bill()
    assert (run["invoices"], run["processed"], run["refused"]) == (51, 51, 0)
    in_euros, in_kroner = sorted(await biller.invoices(), key=lambda one: len(one["lines"]))
    for invoice, currency in ((in_euros, "EUR"), (in_kroner, "DKK")):
        facts = (invoice["customerId"], invoice["currency"], invoice["dueDate"], invoice["vat"], invoice["status"])
        assert facts == (top, currency, "2026-04-15", "0.00", "scheduled")
    assert headings(in_euros) == [f"K{number} Barn {number}" for number in range(5, 51, 5)]
    assert amounts(in_euros) == ["20.00"] * 9 + ["18.00"]
    shown = [f"K{number} Barn {number}" for number in range(1, 51) if number % 5]
    own_number = (await biller.ok("GET", f"/v1/customers/{middle}"))["customerNumber"]
    assert headings(in_kroner) == [f"{own_number} Mellem A/S", *shown]
    assert amounts(in_kroner) == ["90.00", "6.75", *["100.00", "7.50"] * 40]
    billed = {line["childCustomerId"]: line["subscriptionId"] for line in in_kroner["lines"] if line["subscriptionId"]}
    expected = {child: subscription for number, (child, subscription) in children.items() if number % 5}
    assert billed == expected | {middle: own}
    for above, below in pairwise(in_kroner["lines"]):
        assert below["lineType"] == "text" or above["childCustomerId"] == below["childCustomerId"]
    told = await biller.events("subscription.billed")
    assert sorted(one["subscriptionId"] for one in told) == sorted([own, *(one for _, one in children.values())])
    assert (await biller.bill())["processed"] == 0
    await biller.check_books()


async def test_one_child_gives_back_its_own_lines_only(biller: Biller) -> None:
    parent = await biller.customer(name="Koncern A/S")
    small = await biller.plan(await biller.recurring("300"), await biller.recurring("10"))
    large = await biller.plan(await biller.recurring("620"))
    first, second, third = [
        await biller.subscribe(
            small,
            "2026-03-01",
            await biller.customer(name=f"Barn {name}", customerNumber=name, **paid_by(parent)),
            prorationBehavior="always_invoice",
        )
        for name in ("1", "2", "3")
    ]
    await biller.bill()
    (invoice,) = await biller.invoices()
    cancelled = await biller.cancel(first, refundBehavior="prorated")
    assert cancelled["refund"]["amount"] == "160.00"
    (tenner,) = (line for line in invoice["lines"] if (line["subscriptionId"], line["totalPrice"]) == (second, "10.00"))
    await biller.credited(invoice, {"invoiceLineId": tenner["id"]})
    await biller.pay(await biller.invoice(invoice["id"]))
    refunded = await biller.cancel(second, refundBehavior="last_invoice")
    assert refunded["refund"]["amount"] == "300.00"
    notes = await biller.notes()
    assert [(note["customerId"], headings(note), amounts(note)) for note in notes] == [
        (parent, ["1 Barn 1"], ["-154.84", "-5.16"]),
        (parent, [], ["-10.00"]),
        (parent, ["2 Barn 2"], ["-300.00"]),
    ]
    # Whatever else the child has, nothing of its brothers' is given.
    again = await biller.subscribe(large, "2026-03-16", (await biller.subscription(second))["customerId"])
    assert (await biller.cancel(again, refundBehavior="last_invoice"))["refund"]["reason"] == "no_paid_invoice"
    await biller.change(third, "replace_plan", payload={"planId": large}, **AT_ONCE)
    upgraded = (await biller.invoices())[1]
    assert (headings(upgraded), amounts(upgraded)) == (["3 Barn 3"], ["-154.84", "-5.16", "320.00"])
    await biller.check_books()


async def test_one_bad_child_keeps_all_of_its_payer_from_being_billed_and_nobody_else(biller: Biller) -> None:
    parent, other = await biller.customer(), await biller.customer()
    plan = await biller.plan(await biller.recurring("100"))
    fine, bad = await biller.customer(**paid_by(parent)), await biller.customer(name="Barn 漢字", **paid_by(parent))
    ours = [await biller.subscribe(plan, "2026-03-01", one) for one in (fine, bad)]
    theirs = await biller.subscribe(plan, "2026-03-01", await biller.customer(**paid_by(other)))
    run = await biller.bill()
    refused = {one["subscriptionId"]: one["code"] for one in run["results"] if one["outcome"] == "refused"}
    assert refused == dict.fromkeys(ours, "DOCUMENT_CHARACTERS_UNPRINTABLE")
    assert [(one["customerId"], amounts(one)) for one in await biller.invoices()] == [(other, ["100.00"])]
    assert [await biller.charges(one) for one in ours] == [[], []]
    await biller.refused("PATCH", f"/v1/customers/{parent}", {"invoicingMode": "none"}, 400, "SHARED_VALIDATION_FAILED")
    await biller.refused("GET", "/v1/customers?parentCustomerId=x", None, 400, "SHARED_VALIDATION_FAILED")
    await patch(biller, bad, name="Barn")
    assert outcomes(await biller.bill()) == [("invoiced", None)] * 2
    assert [len(amounts(one)) for one in await biller.invoices()] == [1, 2]
    assert [len(await biller.charges(one)) for one in (*ours, theirs)] == [1, 1, 1]
    await biller.check_books()


async def test_the_mode_of_a_parent_decides_until_it_is_another_one(
    biller: Biller, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Details of children go along with what bills several at once, made once."""
    parent = await biller.customer(
        email="koncern@example.com", invoicingMode="per_child", includeChildDetailsPdf=True, language="en"
    )
    plan = await biller.plan(await biller.recurring("100"), await biller.recurring("8"))
    for number in ("A/2", "A-2", "1"):
        child = await biller.customer(customerNumber=number, name="Barn ÆØ", **paid_by(parent))
        await biller.subscribe(plan, "2026-03-01", child)
    await biller.bill()
    alone = await biller.invoices()
    assert [(headings(one), amounts(one), one["customerId"]) for one in alone] == [
        ([f"{number} Barn ÆØ"], ["100.00", "8.00"], parent) for number in ("A/2", "A-2", "1")
    ]
    await patch(biller, parent, invoicingMode="single_invoice")
    biller.on("2026-04-01")
    await biller.bill()
    together = (await biller.invoices())[-1]
    assert headings(together) == ["1 Barn ÆØ", "A-2 Barn ÆØ", "A/2 Barn ÆØ"]
    for invoice in (alone[0], together):
        await run_job(biller, invoice, office.url)
    (_, first), (_, second) = office.mails
    assert list(attachments(first)) == ["Invoice 1.pdf"]
    files = attachments(second)
    assert list(files) == ["Invoice 4.pdf", "Details of invoice 4.zip"]
    path = f"/v1/invoices/{together['id']}/child-details"
    answer = await biller.api.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert 'filename="Details of invoice 4.zip"' in answer.headers["content-disposition"]
    assert answer.content == files["Details of invoice 4.zip"]
    texts = pdfs_in(answer.content)
    assert list(texts) == ["1 Barn ÆØ.pdf", "A-2 Barn ÆØ.pdf", "A-2 Barn ÆØ (2).pdf"]
    text = texts["1 Barn ÆØ.pdf"]
    assert "Details of invoice" in text
    assert "This is not an invoice" in text
    assert all(figure in text for figure in ("100.00", "8.00", "108.00", "27.00", "135.00"))
    assert "324.00" not in text
    assert "Amount due" not in text
    await biller.pay(together)
    assert (await biller.api.get(path)).content == answer.content
    assert pdfs_in((await biller.api.get(f"/v1/invoices/{alone[0]['id']}/child-details")).content).keys() == {
        "A-2 Barn ÆØ.pdf"
    }
    monkeypatch.setattr(jobs, "MOST_CHILDREN", 2)
    biller.on("2026-05-01")
    await biller.bill()
    many = (await biller.invoices())[-1]
    await run_job(biller, many, office.url)
    assert list(attachments(office.mails[-1][1])) == [f"Invoice {many['number']}.pdf"]
    assert await _has_print_job(biller, many["id"])
    await print_sent(KINDS, job_of(biller.api, kind="invoice", documentIds=[many["id"]]))
    own = await biller.subscribe(plan, "2026-05-01")
    await biller.bill()
    (billed,) = (one for one in await biller.invoices() if one["lines"][0]["subscriptionId"] == own)
    assert pdfs_in((await biller.api.get(f"/v1/invoices/{billed['id']}/child-details")).content) == {}
    draft = await biller.draft(parent, {"priceId": await biller.price(), "quantity": 1})
    await biller.refused("GET", f"/v1/invoices/{draft['id']}/child-details", None, 409, "INVOICE_INVALID_STATE")
    await biller.check_books()


async def _has_print_job(biller: Biller, document_id: str) -> bool:
    async with biller.api.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT convert_from(payload, 'UTF8')::jsonb AS payload FROM pgqueuer WHERE entrypoint = 'print_documents'"
        )
    return any(document_id in row["payload"]["documentIds"] for row in rows)


async def test_who_pays_may_change_while_something_waits(biller: Biller) -> None:
    """What waits is billed to who pays then; what another one was billed goes back to that one."""
    before, after = await biller.customer(name="Før A/S"), await biller.customer(name="Efter A/S")
    child = await biller.customer(customerNumber="B1", name="Barn", **paid_by(before))
    small, large = await biller.plan(await biller.recurring("310")), await biller.plan(await biller.recurring("620"))
    subscription = await biller.subscribe(small, "2026-03-01", child)
    await biller.bill()
    later: dict[str, Any] = {"effectiveDate": "2026-03-16", "prorationBehavior": "create_prorations"}
    await biller.change(subscription, "replace_plan", payload={"planId": large}, **later)
    await patch(biller, child, parentCustomerId=after)
    biller.on("2026-04-01")
    run = await biller.bill()
    assert sorted(outcomes(run)) == [("credited", None), ("invoiced", None)]
    first, second = await biller.invoices()
    assert (first["customerId"], amounts(first)) == (before, ["310.00"])
    assert (second["customerId"], headings(second), amounts(second)) == (after, ["B1 Barn"], ["320.00", "620.00"])
    (note,) = await biller.notes()
    assert (note["customerId"], headings(note), amounts(note)) == (before, ["B1 Barn"], ["-160.00"])
    await biller.check_books()
    # It pays for itself by now: a run that has looked before is told so, and nothing is lost.
    await patch(biller, child, billingRelationship="self", isActive=False)
    biller.on("2026-05-01")
    process = _Process(job_of(biller.api), await _run(biller), lambda _: None)
    await process._bill([DuePayer(UUID(after), [UUID(subscription)])])
    assert [one.outcome for one in await _results(biller, process)] == [BillingOutcome.REFUSED]
    await patch(biller, child, isActive=True)
    await biller.bill()
    third = (await biller.invoices())[-1]
    assert (third["customerId"], headings(third), amounts(third)) == (child, [], ["620.00"])
    assert third["lines"][0]["childCustomerId"] is None
    await biller.check_books()


async def _run(biller: Biller) -> Any:
    run_id = UUID(await biller.start_run())

    async def work(context: Context) -> Any:
        return await store.get(context, run_id)

    return await biller.api.run(work)


async def _results(biller: Biller, process: _Process) -> Any:
    async def work(context: Context) -> Any:
        return await store.all_results(context, process.run.id)

    return await biller.api.run(work)
