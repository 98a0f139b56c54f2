"""The QR code of an invoice in euro, read off the page as a bank's app reads it (EPC069-12)."""

import io
from dataclasses import replace
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from tests.unit.printed import BANK, INVOICE, SELLER, D, text

from ledgerbee.sales.rendering.model import PrintableDocument
from ledgerbee.sales.rendering.renderer import render

EURO = replace(INVOICE, currency="EUR", payment=replace(BANK, payment_id="2026-0042"))


def scanned(document: PrintableDocument) -> list[str] | None:
    """The lines of the code; None where there is none."""
    pdf = pypdfium2.PdfDocument(io.BytesIO(render(document)))
    try:
        found = [code for page in pdf for code in zxingcpp.read_barcodes(page.render(scale=3).to_pil())]
    finally:
        pdf.close()
    assert len(found) <= 1
    return found[0].text.split("\n") if found else None


def test_it_says_whom_to_pay_how_much_and_what_for() -> None:
    code = scanned(EURO)
    assert code is not None
    tag, version, charset, scheme, bic, name, iban, amount, purpose, structured, remittance = code
    assert (tag, version, charset, scheme) == ("BCD", "002", "1", "SCT")
    assert (bic, iban) == ("NDEADKKK", "DK5000400440116243")
    assert (name, remittance) == ("Nordlys Kaffe ApS", "2026-0042")
    assert (amount[:3], D(amount[3:])) == ("EUR", D("2671.18"))
    assert purpose == structured == ""
    assert "Scan koden" in text(EURO)


@pytest.mark.parametrize(("changes", "amount"), [
    ({"amount_paid": D("671.18")}, "2000.00"),
    ({"amount_paid": D("600"), "amount_credited": D("71.18")}, "2000.00"),
    ({"total": D("0.01")}, "0.01"),
    ({"total": D("999999999.99")}, "999999999.99"),
])  # fmt: skip
def test_it_is_for_what_is_due(changes: dict[str, Any], amount: str) -> None:
    code = scanned(replace(EURO, **changes))
    assert code is not None
    assert D(code[7].removeprefix("EUR")) == D(amount)


@pytest.mark.parametrize("changes", [
    {"currency": "DKK"},
    {"is_draft": True},
    {"total": D(0)},
    {"total": D("1000000000.00")},
    {"amount_paid": D("2671.18")},
    {"amount_paid": D("5000")},
    {"payment": None},
    {"payment": replace(BANK, payment_id="7", iban=None)},
    {"payment": replace(BANK, payment_id=None)},
    {"payment": replace(BANK, payment_id="7" * 141)},
])  # fmt: skip
def test_there_is_none_where_nothing_can_be_paid_by_it(changes: dict[str, Any]) -> None:
    document = replace(EURO, **changes)
    assert scanned(document) is None
    assert "Scan koden" not in text(document)


@pytest.mark.parametrize(("name", "shown"), [
    ("Ærø Rederi & Færgefart A/S", "Ærø Rederi & Færgefart A/S"),
    ("Καφές Αθήνα ΑΕ", "Καφές Αθήνα ΑΕ"),
    ("Nordlys\nKaffe\r\nBCD", "Nordlys Kaffe BCD"),
    ("Åse " * 30, ("Åse " * 30)[:70].strip()),
    ("W" * 200, "W" * 70),
])  # fmt: skip
def test_a_name_is_one_line_of_70_characters(name: str, shown: str) -> None:
    code = scanned(replace(EURO, seller=replace(SELLER, name=name)))
    assert code is not None
    assert code[5] == shown
    assert len(code) == 11


def test_what_a_payer_states_may_have_140_characters() -> None:
    code = scanned(replace(EURO, payment=replace(BANK, payment_id="7" * 140, bic=None)))
    assert code is not None
    assert (code[4], code[10]) == ("", "7" * 140)
