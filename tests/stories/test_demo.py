"""The story of the product: published documents sold or credited, mailed, booked, paid, received and audited; a month
of published flights metered and billed.

The demo runs once, as `ledgerbee demo` runs it. What it did is read back through the API and compared with the
published file anew: nothing here trusts what the demo says about itself.
"""

import asyncio
import copy
import csv
import io
import json
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pypdf
import pytest
import pytest_asyncio
import stdnum.dk.cvr
import stdnum.iban
from asgi_lifespan import LifespanManager
from sqlalchemy.engine import make_url
from tests.conftest import with_database
from tests.platform.servers import end
from tests.runtime.processes import PROGRAM, environment
from typer.testing import CliRunner

from ledgerbee import embedded as postgres
from ledgerbee.app.cli.commands import app
from ledgerbee.app.demo import checks, flights
from ledgerbee.app.demo.database import own_database
from ledgerbee.app.demo.metering import Metered
from ledgerbee.app.demo.run import Books, Outcome, run
from ledgerbee.app.demo.seller import Sold
from ledgerbee.app.main import create_app

FILE = Path(__file__).parents[2] / "examples" / "published-invoices.json"
DOCUMENTS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))["documents"]
NOTES = {document["key"]: document for document in DOCUMENTS if document["kind"] == "credit_note"}
INVOICES = {document["key"]: document for document in DOCUMENTS if document["kind"] == "invoice"}
MAILED = {key for key, document in INVOICES.items() if "email" in document["buyer"]}
#: Published numbers that are none of their country: no e-invoice can come from them.
STAND_INS = {"cen-example-2": "NO123456785MVA", "cen-example-5": "NL163567060B01"}

each_invoice = pytest.mark.parametrize("key", INVOICES)


@pytest.fixture(scope="module")
def demo_url(database_url: str) -> Iterator[str]:
    """A login on a database that is not there yet, beside the tests' own."""
    url = with_database(database_url, f"{make_url(database_url).database}_demo")
    yield url
    asyncio.run(execute(database_url, f'DROP DATABASE IF EXISTS "{make_url(url).database}"'))


@pytest.fixture(scope="module")
def outcome(database_url: str, demo_url: str) -> Outcome:
    with own_database(database_url) as found:
        assert found.owner_url == demo_url
        return run(found, DOCUMENTS, flights.flights())


@pytest_asyncio.fixture(scope="module")
async def demo(outcome: Outcome, demo_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API on the demo's books."""
    async with LifespanManager(create_app(demo_url)) as manager:
        transport = httpx.ASGITransport(manager.app, client=("127.0.0.1", 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://ledgerbee.test") as client:
            yield client


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def sale_of(outcome: Outcome, key: str) -> Sold:
    (sale,) = [sale for sale in outcome.sold if sale.document["key"] == key]
    return sale


def books_of(outcome: Outcome, company_id: str) -> Books:
    (books,) = [books for books in outcome.books if books.company["id"] == company_id]
    return books


async def read(demo: httpx.AsyncClient, outcome: Outcome, key: str, path: str) -> Any:
    """What the API answers to the seller of a published invoice; `{}` in the path stands for our invoice's id."""
    sale = sale_of(outcome, key)
    books = books_of(outcome, sale.company_id)
    answer = await demo.get(f"/api{path.format(sale.invoice['id'])}", headers={"x-api-key": books.key})
    assert answer.status_code == 200, answer.text
    return answer.content if answer.headers["content-type"] == "application/pdf" else answer.json()


def paid_in_the_story(document: dict[str, Any]) -> Decimal:
    """What was paid in advance; in full where a mailed invoice is paid like any other."""
    prepaid = Decimal(document["totals"]["prepaid"])
    if prepaid or document["key"] not in {"dk-peppol-invoice-norwegian-supplier", "oioubl-invoice"}:
        return prepaid
    return Decimal(document["totals"]["gross"])


def test_every_document_is_sold_and_received(outcome: Outcome) -> None:
    assert (len(INVOICES), len(NOTES)) == (10, 4)
    assert [sale.document["key"] for sale in outcome.sold] == [document["key"] for document in DOCUMENTS]
    assert [sale.document["key"] for sale in outcome.sold if sale.note] == list(NOTES)
    assert outcome.received.keys() == INVOICES.keys() | NOTES.keys()
    assert checks.faults(outcome) == []


@pytest.mark.parametrize("key", NOTES)
async def test_a_credit_note_has_the_published_figures(demo: httpx.AsyncClient, outcome: Outcome, key: str) -> None:
    totals, sale = NOTES[key]["totals"], sale_of(outcome, key)
    assert sale.note is not None
    note = await read(demo, outcome, key, f"/v1/credit-notes/{sale.note['id']}")
    figures = [-Decimal(note[name]) for name in ("subtotal", "vat", "amount")]
    assert figures == [Decimal(totals[name]) for name in ("net", "vat", "gross")]
    entry = await read(demo, outcome, key, f"/v1/journal-entries/{note['journalEntryId']}")
    assert Decimal(entry["originalAmount"]) == -Decimal(totals["gross"])
    invoice = await read(demo, outcome, key, "/v1/invoices/{}")
    assert (invoice["status"], invoice["amountDue"]) == ("credited", "0.00")


@pytest.mark.parametrize("key", [document["key"] for document in DOCUMENTS])
async def test_what_was_sold_is_received_to_the_cent(demo: httpx.AsyncClient, outcome: Outcome, key: str) -> None:
    """The buyer's draft and entry, read anew: what it owes, and what of it isn't VAT that it deducts."""
    (document,) = [one for one in DOCUMENTS if one["key"] == key]
    received, published = outcome.received[key], {name: Decimal(one) for name, one in document["totals"].items()}
    headers = {"x-api-key": outcome.buyer.key}
    shown = (await demo.get(f"/api/v1/incoming-documents/{received.document['id']}", headers=headers)).json()
    assert (shown["status"], shown["documentType"]) == ("booked", document["kind"])
    totals = {name: Decimal(shown["totals"][name]) for name in ("net", "vat", "gross", "payable")}
    assert totals == {name: published[name] for name in ("net", "vat", "gross")} | {"payable": published["gross"]}
    # What is shown of it is no fault of its figures: they are the buyer's name, and VAT that isn't Danish.
    assert not [one for one in shown["problems"] if "DIFFER" in one["code"] and one["code"] != "RECEIVER_DIFFERS"]
    entry = (await demo.get(f"/api/v1/journal-entries/{shown['journalEntryId']}", headers=headers)).json()
    sign = 1 if document["kind"] == "invoice" else -1
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in entry["lines"]:
        sums[line["lineType"]] += {"DEBIT": 1, "CREDIT": -1}[line["side"]] * Decimal(line["amount"])
    assert sums["CONTROL"] == -sign * published["gross"]
    deducted = published["vat"] if document["seller"]["country"] == "DK" else Decimal(0)
    assert (sums["VAT"], sums["ENTERED"]) == (sign * deducted, sign * (published["gross"] - deducted))


@each_invoice
async def test_the_figures_are_the_published_ones(demo: httpx.AsyncClient, outcome: Outcome, key: str) -> None:
    published, invoice = INVOICES[key], await read(demo, outcome, key, "/v1/invoices/{}")
    totals = published["totals"]
    assert Decimal(invoice["subtotal"]) == Decimal(totals["net"])
    assert Decimal(invoice["vat"]) == Decimal(totals["vat"])
    assert Decimal(invoice["amount"]) == Decimal(totals["gross"])
    assert (invoice["currency"], invoice["date"]) == (published["currency"], published["issueDate"])
    if "dueDate" in published:
        assert invoice["dueDate"] == published["dueDate"]
    ours: dict[Decimal, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for line in invoice["lines"]:
        ours[Decimal(str(line["vatRate"]))][0] += Decimal(line["totalPrice"])
        ours[Decimal(str(line["vatRate"]))][1] += Decimal(line["vatAmount"])
    theirs: dict[Decimal, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in published["vat"]:
        theirs[Decimal(row["rate"])][0] += Decimal(row["taxable"])
        theirs[Decimal(row["rate"])][1] += Decimal(row["tax"])
    assert ours == theirs


@each_invoice
async def test_the_books_say_the_same(demo: httpx.AsyncClient, outcome: Outcome, key: str) -> None:
    published, invoice = INVOICES[key], await read(demo, outcome, key, "/v1/invoices/{}")
    entry = await read(demo, outcome, key, f"/v1/journal-entries/{invoice['journalEntryId']}")
    assert (entry["date"], entry["currency"]) == (published["issueDate"], published["currency"])
    assert Decimal(entry["originalAmount"]) == Decimal(published["totals"]["gross"])
    balance: dict[str, Decimal] = defaultdict(Decimal)
    by_type: dict[str, Decimal] = defaultdict(Decimal)
    for line in entry["lines"]:
        sign = {"DEBIT": 1, "CREDIT": -1}[line["side"]]
        balance["amount"] += sign * Decimal(line["amount"])
        balance["base"] += sign * Decimal(line["amountInBaseCurrency"])
        by_type[line["lineType"]] += sign * Decimal(line["amount"])
    assert balance == {"amount": 0, "base": 0}
    assert by_type["CONTROL"] == Decimal(published["totals"]["gross"])
    assert by_type["ENTERED"] == -Decimal(published["totals"]["net"])
    assert by_type["VAT"] == -Decimal(published["totals"]["vat"])


@each_invoice
async def test_each_invoice_reached_its_buyer_once(demo: httpx.AsyncClient, outcome: Outcome, key: str) -> None:
    published, invoice = INVOICES[key], await read(demo, outcome, key, "/v1/invoices/{}")
    delivery = await read(demo, outcome, key, "/v1/invoices/{}/delivery-status")
    if key not in MAILED:
        assert (delivery["status"], delivery["attempts"]) == ("manual", [])
        return
    assert (delivery["status"], len(delivery["attempts"])) == ("delivered", 1)
    assert invoice["sentAt"] is not None
    (mail,) = [mail for mail in outcome.mails if mail.message_id == delivery["attempts"][0]["providerId"]]
    assert list(mail.recipients) == [published["buyer"]["email"]]
    assert str(mail.message["From"].addresses[0].display_name) == published["seller"]["name"]
    is_danish = published["buyer"]["country"] == "DK"
    sold = sale_of(outcome, key)  # its PDF is that of the day of sending: that of now says what was paid since
    assert mail.attachments() == {f"{'Faktura' if is_danish else 'Invoice'} {invoice['number']}.pdf": sold.pdf}
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(sale_of(outcome, key).pdf)).pages)
    gross = f"{Decimal(published['totals']['gross']):,.2f}"
    if is_danish:
        gross = gross.translate(str.maketrans(",.", ".,"))
    assert gross in printed
    assert published["buyer"]["name"] in printed


def test_there_is_one_mail_for_each_mailed_invoice(outcome: Outcome) -> None:
    assert len(outcome.mails) == len(MAILED) == 7


@each_invoice
async def test_the_seller_is_stated(demo: httpx.AsyncClient, outcome: Outcome, key: str) -> None:
    published = INVOICES[key]["seller"]
    company = await read(demo, outcome, key, "/v1/company")
    place = ("address", "postalCode", "city")
    assert [company[name] for name in place] == [published[name] for name in place]
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(sale_of(outcome, key).pdf)).pages)
    if published["country"] != "DK":
        number = STAND_INS.get(key, published["vatNumber"])
        assert company["vatNumber"].replace(" ", "") == number.replace(" ", "")
        told = f"{published['vatNumber']}: no number of its country; the made-up {number} stands in for it"
        assert (told in books_of(outcome, company["id"]).refused) == (key in STAND_INS)
        return
    assert stdnum.dk.cvr.is_valid(company["vatNumber"])
    assert stdnum.iban.is_valid(company["iban"])
    assert company["vatNumber"] in printed
    assert company["iban"] in printed.replace(" ", "")
    stand_in = f"{published['vatNumber']}: no CVR number; the made-up {company['vatNumber']} stands in for it"
    assert stand_in in books_of(outcome, company["id"]).refused


@each_invoice
async def test_payments_settle_what_they_say(demo: httpx.AsyncClient, outcome: Outcome, key: str) -> None:
    published, invoice = INVOICES[key], await read(demo, outcome, key, "/v1/invoices/{}")
    paid, gross = paid_in_the_story(published), Decimal(published["totals"]["gross"])
    assert (Decimal(invoice["amountPaid"]), Decimal(invoice["amountDue"])) == (paid, gross - paid)
    assert invoice["status"] == ("paid" if paid == gross else "partially_paid" if paid else "sent")


def test_every_ledger_balances_and_passes_the_audit(outcome: Outcome) -> None:
    assert len(outcome.books) == len({published["seller"]["name"] for published in DOCUMENTS}) == 9
    assert len(outcome.all_books) == 11
    for books in outcome.all_books:
        rows = [row for row in books.trial_balance["rows"] if row["ledgerType"] in {"BALANCE_SHEET", "PROFIT_AND_LOSS"}]
        sums = {name: sum(Decimal(row[name]) for row in rows) for name in ("opening", "debit", "credit", "closing")}
        assert sums["debit"] == sums["credit"] > 0
        assert sums["opening"] == sums["closing"] == 0
        assert sums == {name: Decimal(books.trial_balance["totals"][name]) for name in sums}
        assert books.verification.passed
        if outcome.metered is not None and books is outcome.metered[1]:
            assert books.verification.entries == 2  # the invoice, and the charge that pays it
            continue
        sold = [sale for sale in outcome.sold if sale.company_id == books.company["id"]]
        more = sum(len(sale.payments) + (sale.note is not None) for sale in sold)
        assert books.verification.entries == len(sold or DOCUMENTS) + more


@pytest.fixture
def metered(outcome: Outcome) -> Metered:
    assert outcome.metered is not None
    return outcome.metered[0]


async def test_a_month_of_flights_is_billed_in_tiers(demo: httpx.AsyncClient, metered: Metered) -> None:
    with (FILE.parent / "flights-of-a-month.csv").open(newline="") as file:
        flown = [row for row in csv.DictReader(file) if row["air_time"] != "NA"]
    january = [int(row["air_time"]) for row in flown if row["day"].startswith("2013-01-")]
    minutes = sum(january)
    assert (len(flown), len(january), minutes) == (2816, 2724, 543_556)
    for_minutes = 100_000 * Decimal("0.0420") + 200_000 * Decimal("0.0275") + (minutes - 300_000) * Decimal("0.0155")
    assert for_minutes == Decimal("13475.118")

    async def get(path: str) -> Any:
        answer = await demo.get(f"/api{path}", headers={"x-api-key": metered.client.key})
        assert answer.status_code == 200, answer.text
        return answer.json()

    listed = await get("/v1/invoices")
    assert listed["total"] == 1
    invoice = await get(f"/v1/invoices/{listed['data'][0]['id']}")
    lines = {line["totalPrice"]: line for line in invoice["lines"]}
    assert lines.keys() == {"1250.00", "13475.12"}
    assert Decimal(str(lines["13475.12"]["quantity"])) == minutes
    for line in lines.values():
        assert (line["servicePeriodStart"], line["servicePeriodEnd"]) == ("2013-01-01", "2013-01-31")
    assert invoice["subtotal"] == "14725.12"
    entry = await get(f"/v1/journal-entries/{invoice['journalEntryId']}")
    assert (entry["currency"], entry["originalAmount"]) == ("USD", invoice["amount"])
    assert (invoice["status"], invoice["amountDue"]) == ("paid", "0.00")
    assert [(one["status"], one["provider"]) for one in metered.charges] == [("succeeded", "sandbox")]
    # The last ones of the month took off when it was February in UTC; none was counted twice, those of 1 February wait.
    late = [row for row in flown if row["day"] == "2013-01-31" and int(row["sched_dep_time"]) >= 1900]
    assert len(late) == 9
    usage = await get(f"/v1/meters/{(await get('/v1/meters'))['data'][0]['id']}/usage")
    assert usage == {
        "accepted": 2816, "attributed": 2816, "unattributed": 0, "billed": 2724, "open": 92, "shown": 0, "tooLate": 0,
        "quantity": sum(int(row["air_time"]) for row in flown),
    }  # fmt: skip


def test_a_month_that_is_billed_otherwise_is_found(metered: Metered) -> None:
    first, *others = metered.flown
    altered = replace(metered, flown=[replace(first, minutes=first.minutes + 100), *others])
    assert checks.metering_faults(altered) == [
        "metered month: minutes of the month on the meter: 543556, by the flights 543656",
        "metered month: minutes on the invoice: 543556, by the flights 543656",
        "metered month: cents for the minutes: 1347512, by the flights 1347667",
        "metered month: cents before VAT: 1472512, by the flights 1472667",
    ]
    assert (
        checks.metering_faults(replace(metered, flown=others))[0]
        == "metered month: events taken in: 2816, by the flights 2815"
    )
    assert checks.metering_faults(replace(metered, charges=[])) == [
        "metered month: the invoice of 14725.12 is paid, its charges []"
    ]
    lost = replace(metered, usage={**metered.usage, "open": 91})
    assert "metered month: attributed events are not all billed, open, shown or too late: " in "".join(
        checks.metering_faults(lost)
    )


async def test_receivables_are_what_is_due(demo: httpx.AsyncClient, outcome: Outcome) -> None:
    """Where a seller's books are in the currency it invoices in."""
    checked = 0
    for key, published in INVOICES.items():
        books = books_of(outcome, sale_of(outcome, key).company_id)
        if books.trial_balance["currency"] != published["currency"]:
            continue
        accounts = {row["accountNumber"]: row for row in books.trial_balance["rows"]}
        receivable = accounts[6190 if published["seller"]["country"] == "DK" else 1100]
        assert Decimal(receivable["closing"]) == Decimal(published["totals"]["gross"]) - paid_in_the_story(published)
        checked += 1
    assert checked == 6


@pytest.fixture
def empty_database_url(database_url: str) -> Iterator[str]:
    name = f"{make_url(database_url).database}_altered"
    asyncio.run(execute(database_url, f'CREATE DATABASE "{name}"'))
    yield with_database(database_url, name)
    for made in (name, f"{name}_demo"):
        asyncio.run(execute(database_url, f'DROP DATABASE "{made}"'))


def test_an_altered_figure_is_found_and_fails_the_command(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered = copy.deepcopy(INVOICES["oioubl-invoice"])
    altered["totals"]["vat"] = "1262.51"
    file = tmp_path / "altered.json"
    file.write_text(json.dumps({"documents": [altered, INVOICES["peppol-base"]]}))
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    result = CliRunner().invoke(app, ["demo", "--documents", str(file), "--output", str(tmp_path / "out")])
    assert result.exit_code == 1, result.output
    assert "fault: oioubl-invoice: VAT 1262.50, published 1262.51" in result.stdout
    assert result.stdout.count("equal") == 1
    assert "Everything holds" not in result.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["oioubl-invoice.pdf", "peppol-base.pdf"]


def test_demos_at_once_have_a_database_each(demo: httpx.AsyncClient, database_url: str, demo_url: str) -> None:
    """The first one's is in use by the tests' own client; the next two begin at once."""
    with own_database(database_url) as second, own_database(database_url) as third:
        urls = [second.owner_url, third.owner_url]
    assert urls == [with_database(demo_url, f"{make_url(demo_url).database}_{number}") for number in (2, 3)]
    for url in urls:
        asyncio.run(execute(database_url, f'DROP DATABASE "{make_url(url).database}"'))


def test_two_commands_at_once_and_one_after_them() -> None:
    """On a machine where nothing of ledgerbee is yet: one makes the database, the other waits for it."""
    folder = Path(tempfile.mkdtemp(prefix="lb-demo-", dir="/tmp"))  # the database's account can't enter pytest's own
    folder.chmod(0o711)
    try:
        file = folder / "one.json"
        file.write_text(json.dumps({"documents": [INVOICES["peppol-base"]]}))
        outputs = [folder / f"out-{number}" for number in range(3)]
        commands: list[list[str | Path]] = [
            [PROGRAM, "demo", "--documents", file, "--output", output, "--data-dir", folder / "data"]
            for output in outputs
        ]
        first, second = [
            subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for command in commands[:2]
        ]
        for program in (first, second):
            said = program.communicate()[0]
            assert program.returncode == 0, said
            assert "Everything holds" in said
        after = subprocess.run(commands[2], env=environment(), capture_output=True, text=True, check=False)
        assert after.returncode == 0, after.stderr
        assert [len(list(output.iterdir())) for output in outputs] == [1, 1, 1]
        assert postgres.status(folder / "data").state is postgres.State.STOPPED
    finally:
        end(folder / "data")
        shutil.rmtree(folder)
