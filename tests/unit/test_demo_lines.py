"""What the demo makes of the published documents, and that it ships with the package."""

import subprocess
import sys
import zipfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
import stdnum.dk.cvr

from ledgerbee.app.demo import published
from ledgerbee.app.demo.published import Document
from ledgerbee.app.demo.seller import cvr_number, vat_number
from ledgerbee.core.money import HUNDRED, multiply, percent_of, round_money, total

ROOT = Path(__file__).parents[2]
DOCUMENTS = published.documents()
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=[document["key"] for document in DOCUMENTS])


@each_document
def test_lines_give_the_published_figures(document: Document) -> None:
    nets: dict[published.Tax, list[Decimal]] = defaultdict(list)
    for line in published.lines(document):
        price = line.item.unit_price if line.unit_price is None else line.unit_price
        net = percent_of(multiply(line.quantity, price), HUNDRED - line.discount_percent)
        nets[line.item.tax].append(round_money(net, document["currency"]))
    vat = {
        tax: round_money(percent_of(total(amounts), tax.rate), document["currency"]) for tax, amounts in nets.items()
    }
    stated = {
        published.Tax(row["category"], Decimal(row["rate"]), row.get("exemptionReason")): Decimal(row["tax"])
        for row in document["vat"]
    }
    assert vat == stated
    figures = published.figures(document)
    assert total([amount for amounts in nets.values() for amount in amounts]) == figures.net
    assert total(list(vat.values())) == figures.vat
    assert figures.net + figures.vat == figures.gross


@pytest.mark.parametrize(
    ("told", "used"),
    [
        ("DK12345678", "12345674"),
        ("DK13585628", "13585628"),
        ("DK 13 58 56 28", "13585628"),
        ("DK16356706", "16356700"),
    ],
)
def test_a_danish_seller_has_a_cvr_number(told: str, used: str) -> None:
    assert cvr_number(told) == used
    assert stdnum.dk.cvr.is_valid(used)


@pytest.mark.parametrize(
    ("country", "told", "used"),
    [
        ("GB", "GB1232434", "GB1232434"),
        ("BE", "BE0000000196", "BE0000000196"),
        ("NL", "NL8200.98.395.B.01", "NL8200.98.395.B.01"),
        ("NL", "NL16356706", "NL163567060B01"),
        ("NO", "NO990399123MVA", "NO990399123MVA"),
        ("DK", "DK12345678", "12345674"),
    ],
)
def test_a_seller_has_a_number_that_e_invoices_come_from(country: str, told: str, used: str) -> None:
    assert vat_number(country, told) == used


def test_catalogue_prices_are_the_published_ones_but_where_the_line_is_odd() -> None:
    own_price = {
        (document["key"], line.item.name)
        for document in DOCUMENTS
        for line in published.lines(document)
        if line.unit_price is not None and line.item.unit_price
    }
    assert own_price == {
        ("cen-example-1", "FRITUUR VET 10 KG RETOUR"),
        ("cen-example-2", "Laptop computer"),
    }


def test_remarks_name_what_an_invoice_does_not_say() -> None:
    by_key = {document["key"]: document for document in DOCUMENTS}
    assert published.remarks(by_key["oioubl-invoice"]) == []
    assert published.remarks(by_key["dk-peppol-invoice"]) == [
        "100.00 paid in advance: not stated on an invoice, recorded as its payment",
        "cash rounding of 0.25 on what is paid: not part of the invoice",
    ]
    assert published.remarks(by_key["dk-peppol-credit-note"])[0] == (
        "100.00 paid in advance: not stated on a credit note"
    )
    assert [document["key"] for document in DOCUMENTS if published.is_credit_note(document)] == [
        "cen-credit-note-1",
        "peppol-credit-note",
        "dk-peppol-credit-note",
        "oioubl-credit-note",
    ]


@pytest.mark.parametrize("content", ["[]", "1", "null", "{}", '{"documents": {}}', "not JSON"])
def test_another_file_must_be_one_of_documents(tmp_path: Path, content: str) -> None:
    file = tmp_path / "documents.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"documents|Expecting value") as told:
        published.documents(file)
    assert "body" not in str(told.value)  # HTTP's word: this is a file


def test_the_wheel_holds_the_one_file(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packaged = archive.read("ledgerbee/app/demo/published-invoices.json")
    assert packaged == (ROOT / "examples" / "published-invoices.json").read_bytes()
    assert not (ROOT / "src/ledgerbee/app/demo/published-invoices.json").exists()
