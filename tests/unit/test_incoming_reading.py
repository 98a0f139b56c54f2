"""Reading e-invoices that others wrote: every published example, every encoding, and what is no e-invoice at all."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.ubl_files import SENDER, line, oioubl, peppol, restated

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.network.ubl import MAX_DEPTH, MAX_ELEMENTS
from ledgerbee.purchases.incoming_documents.model import DocumentFormat, DocumentType, ProblemCode, Totals
from ledgerbee.purchases.incoming_documents.printing import printable
from ledgerbee.purchases.incoming_documents.reading import read
from ledgerbee.purchases.incoming_documents.rules.checks import check

FILE = Path(__file__).parents[2] / "examples" / "published-invoices.json"
DOCUMENTS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))["documents"]
#: What two published examples have wrong: a return without its minus sign, and a quantity too many.
ODD = {"cen-example-1": {ProblemCode.LINE_AMOUNT_DIFFERS}, "cen-example-2": {ProblemCode.LINE_AMOUNT_DIFFERS}}


@pytest.mark.parametrize("document", DOCUMENTS, ids=[document["key"] for document in DOCUMENTS])
def test_every_published_example_has_the_totals_printed_in_it(document: dict[str, Any]) -> None:
    found = read(restated(document))
    printed = {name: Decimal(amount) for name, amount in document["totals"].items()}
    other = document.get("taxCurrency")
    vat_in = (other, Decimal(document["vatInTaxCurrency"])) if other else None
    assert found.totals == Totals(**printed, vat_in=vat_in)
    assert (found.number, found.currency) == (document["id"], document["currency"])
    assert found.type == document["kind"]
    assert found.issue_date.isoformat() == document["issueDate"]
    assert (found.sender.name, found.receiver.name) == (document["seller"]["name"], document["buyer"]["name"])
    assert {problem.code for problem in check(found, None)} == ODD.get(document["key"], set())
    paper = printable(found, "en")
    assert (paper.subtotal, paper.vat, paper.total) == (printed["net"], printed["vat"], printed["gross"])
    assert len(paper.lines) == len(document["lines"]) + len(document["allowancesAndCharges"])


def test_encodings_change_nothing() -> None:
    wanted = read(peppol(line("100.00", name="Blåbærgrød")))
    assert wanted.lines[0].name == "Blåbærgrød"
    text = peppol(line("100.00", name="Blåbærgrød")).decode()
    unmarked = text.replace(' encoding="UTF-8"', "")
    for raw in (
        b"\xef\xbb\xbf" + text.encode(),
        unmarked.encode("utf-16"),
        unmarked.encode("utf-16-be").join((b"\xfe\xff", b"")),
        text.replace("UTF-8", "UTF-16").encode("utf-16-le").join((b"\xff\xfe", b"")),
        text.replace("UTF-8", "ISO-8859-1").encode("iso-8859-1"),
        text.replace("UTF-8", "windows-1252").encode("cp1252"),
    ):
        assert read(raw) == wanted


_ROOT = peppol().decode().partition("?>")[2]
_LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "no element found"),
        (b"%PDF-1.7", "well-formed"),
        (b"<Invoice>", "well-formed"),
        (b"<html/>", "no Invoice or CreditNote"),
        (b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>', "no Invoice or CreditNote"),
        (f"<!DOCTYPE Invoice>{_ROOT}".encode(), "document type"),
        (f'<!DOCTYPE lolz [<!ENTITY a0 "ha">{_LAUGHS}]><lolz>&a9;</lolz>'.encode(), "document type"),
        (b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', "document type"),
        (b"<a>" * (MAX_DEPTH + 1), "in each other"),
        (b"<a>" + b"<b/>" * MAX_ELEMENTS, "elements"),
        (b'<?xml version="1.0" encoding="EBCDIC-NO-SUCH"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a/>', "encoding"),
        ("<a>blå</a>".encode("iso-8859-1"), "well-formed"),
        (peppol().replace(b"DKK</cbc:DocumentCurrencyCode>", b"</cbc:DocumentCurrencyCode>"), "DocumentCurrencyCode"),
        (peppol().replace(b"<cbc:ID>F-1001</cbc:ID>", b""), "no ID"),
        (peppol().replace(b"<cbc:IssueDate>2026-03-16</cbc:IssueDate>", b""), "no IssueDate"),
        (peppol(date="2026-02-30"), "no day"),
        (peppol(date="16.3.2026"), "no day"),
        (peppol().replace(b"AccountingSupplierParty", b"OtherParty"), "AccountingSupplierParty"),
        (peppol(sender={**SENDER, "name": " "}), "name of the AccountingSupplierParty"),
        (peppol().replace(b"LegalMonetaryTotal", b"Total"), "LegalMonetaryTotal"),
        (peppol().replace(b"InvoiceLine", b"OtherLine"), "no lines"),
        (peppol().replace(b">1000.00</cbc:LineExtensionAmount>", b">1e3</cbc:LineExtensionAmount>"), "no number"),
        (peppol().replace(b">1000.00</cbc:PayableAmount>", b">x</cbc:PayableAmount>", 1).replace(
            b">1250.00</cbc:PayableAmount>", b">NaN</cbc:PayableAmount>"), "no number"),
        (peppol(line("99999999999999.00")), "larger than any"),
    ],
    ids=range(25),
)  # fmt: skip
def test_what_is_refused_says_why(raw: bytes, why: str) -> None:
    with pytest.raises(LedgerBeeError, match=why) as refused:
        read(raw)
    assert refused.value.code == "INCOMING_DOCUMENT_UNREADABLE"


_OTHERS = 'xmlns:e="urn:x"'


@pytest.mark.parametrize("prefix", ["e:", "cac:", "cbc:"])
def test_elements_count_by_their_namespace(prefix: str) -> None:
    """What an extension says with the same names changes nothing; nor does the wrong one of the two of UBL."""
    raw, wanted = peppol(note="n", due="2026-04-01").decode(), read(peppol(note="n", due="2026-04-01"))
    for name in re.findall(r"<(?:cac|cbc):(\w+)", raw):
        own = next(found for found in ("cac:", "cbc:") if f"<{found}{name}" in raw)
        if own == prefix:
            continue
        copied = re.search(rf"<{own}{name}[ >].*?</{own}{name}>", raw)
        assert copied is not None
        other = (
            copied[0].replace(f"{own}{name}", f"{prefix}{name}").replace(">1000.00<", ">7.00<").replace("-1001", "-7")
        )
        assert read(raw.replace(copied[0], other + copied[0], 1).replace("<Invoice ", f"<Invoice {_OTHERS} ")
                    .encode()) == wanted, name  # fmt: skip


def test_names_of_swapped_namespaces_are_none() -> None:
    swapped = (
        peppol().replace(b"xmlns:cac", b"xmlns:x").replace(b"xmlns:cbc", b"xmlns:cac").replace(b"xmlns:x", b"xmlns:cbc")
    )
    with pytest.raises(LedgerBeeError, match="no lines"):
        read(swapped)


@pytest.mark.parametrize(
    "element",
    [
        "<cac:InvoiceLine><cbc:LineExtensionAmount>1</cbc:LineExtensionAmount></cac:InvoiceLine>",
        "<cac:AllowanceCharge><cbc:Amount>0</cbc:Amount></cac:AllowanceCharge>",
        "<cac:TaxTotal><cac:TaxSubtotal><cbc:TaxAmount>0</cbc:TaxAmount></cac:TaxSubtotal></cac:TaxTotal>",
    ],
    ids=["lines", "charges", "rates"],
)
def test_too_much_to_print_is_refused(element: str) -> None:
    with pytest.raises(LedgerBeeError, match="more than 5000 lines, charges and amounts of VAT"):
        read(peppol().replace(b"</Invoice>", f"{element * 5_001}</Invoice>".encode()))


@pytest.mark.parametrize(
    ("written", "true", "shown", "hidden"),
    [
        ("A B", "A B", "A B", []),
        ("\n  A  B\t", "A  B", "A B", []),
        ("A\tB", "A B", "A B", ["U+0009"]),
        ("A&#10;B", "A B", "A B", ["U+000A"]),
        ("A\xa0B", "A\xa0B", "A B", ["U+00A0"]),
        ("A-1\xa0", "A-1\xa0", "A-1", ["U+00A0"]),
        ("a\u200bb", "a\u200bb", "ab", ["U+200B"]),
        ("\u202cF-\u200b10\xad01\u200b\ufeff", "\u202cF-\u200b10\xad01\u200b\ufeff", "F-1001",
         ["U+202C", "U+200B", "U+00AD", "U+FEFF"]),
    ],
)  # fmt: skip
def test_a_number_is_kept_as_it_is_and_shown_without_what_cant_be_seen(
    written: str, true: str, shown: str, hidden: list[str]
) -> None:
    document = read(peppol().decode().replace("<cbc:ID>F-1001<", f"<cbc:ID>{written}<").encode())
    assert (document.true_number, document.number) == (true, shown)
    noticed = [problem.message for problem in check(document, None) if problem.code == "NUMBER_UNREADABLE"]
    assert [one.partition(": ")[2] for one in noticed] == ([", ".join(hidden)] if hidden else [])


@pytest.mark.parametrize("written", ["", "\u200b", "\xa0\t"])
def test_a_number_of_which_nothing_is_seen_is_none(written: str) -> None:
    with pytest.raises(LedgerBeeError, match="no ID"):
        read(peppol().decode().replace("<cbc:ID>F-1001<", f"<cbc:ID>{written}<").encode())


def test_oioubl_says_the_same_as_peppol() -> None:
    lines = (line("5000.00", name="Hejsetavle", item="5712345780121"), line("50.00", quantity="2", price="25.00"))
    theirs, ours = read(oioubl(*lines)), read(peppol(*lines))
    assert (theirs.format, ours.format) == (DocumentFormat.OIOUBL, DocumentFormat.PEPPOL)
    assert theirs.totals == ours.totals
    assert theirs.taxes == ours.taxes
    assert [(one.name, one.net, one.category, one.rate) for one in theirs.lines] == [
        (one.name, one.net, one.category, one.rate) for one in ours.lines
    ]


def test_numbers_of_a_party_are_one_whatever_the_scheme() -> None:
    schemes = ["0184|13585628", "0198|DK13585628", "DK:CVR|DK13585628", "DK:SE|DK13585628"]
    found = [read(peppol(sender={**SENDER, "vat": None, "endpoint": scheme})).sender for scheme in schemes]
    assert {one.numbers for one in found} == {("DK13585628",)}
    assert [one.endpoint for one in found] == ["0184:13585628", "0198:13585628", "0184:13585628", "0198:13585628"]
    german = read(peppol(sender={"name": "A", "country": "DE", "endpoint": "9930|DE123456789"})).sender
    assert german.numbers == ("DE123456789",)
    gln = read(peppol(sender={"name": "A", "endpoint": "GLN|5798009811578"})).sender
    assert (gln.numbers, gln.endpoint, gln.known_country) == ((), "0088:5798009811578", None)


def test_texts_longer_than_anybody_writes_are_cut() -> None:
    found = read(peppol(line("1.00", name="a" * 5_000), number="9" * 1_000, note="n" * 50_000))
    assert (len(found.lines[0].name), len(found.number), len(found.note or "")) == (300, 200, 2_000)


def test_what_is_left_out_is_taken_from_the_rest() -> None:
    """A gross amount that isn't stated follows from what is to be paid; a line's VAT from the one of the document."""
    raw = peppol(kind="CreditNote", prepaid="100.00").decode()
    raw = raw.replace('<cbc:TaxInclusiveAmount currencyID="DKK">1250.00</cbc:TaxInclusiveAmount>', "")
    start, end = raw.index("<cac:ClassifiedTaxCategory>"), raw.index("</cac:ClassifiedTaxCategory>")
    found = read((raw[:start] + raw[end + len("</cac:ClassifiedTaxCategory>") :]).encode())
    assert found.type is DocumentType.CREDIT_NOTE
    assert (found.totals.gross, found.totals.payable) == (Decimal(1250), Decimal(1150))
    assert (found.lines[0].category, found.lines[0].rate) == ("S", Decimal(25))
