"""Danish payment slips (FIK): the payment id of an invoice, and what its snapshot and its PDF say of it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.grid import BUYER, LINES, SELLER, TREATMENTS, snapshot

from ledgerbee.sales.documents import fik
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.documents.printing import printable
from ledgerbee.sales.documents.units import unit_code
from ledgerbee.tenancy.company.model import Company


@pytest.mark.parametrize(
    ("number", "payment_id"),
    [
        ("1", "000000000000018"),
        ("2", "000000000000026"),
        ("00404040000066", "004040400000669"),
        ("F-2026/1", "000000000202614"),
        ("", None),
        ("ÆØÅ", None),
        ("٣", None),
        ("123456789012345", None),
    ],
)
def test_the_payment_id_is_the_number_with_a_check_digit(number: str, payment_id: str | None) -> None:
    assert fik.payment_id(number) == payment_id


@given(st.integers(1, 10**14 - 1))
def test_payment_ids_are_of_15_digits_and_pass_modulus_10(number: int) -> None:
    digits = fik.payment_id(str(number)) or ""
    assert len(digits) == 15
    assert int(digits[:14]) == number
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    assert sum(sum(divmod(one, 10)) for one in doubled) % 10 == 0


def invoice(company: Company = SELLER, currency: str = "DKK") -> dict[str, Any]:
    return snapshot(DocumentKind.INVOICE, company, BUYER, currency, LINES["units"], TREATMENTS["standard"])


def test_an_invoice_in_kroner_prints_the_line_of_its_slip() -> None:
    payment = printable(invoice(), is_draft=False).payment
    assert payment is not None
    assert payment.payment_id == "+71<000000202610424+12345674<"


@pytest.mark.parametrize(
    "content",
    [invoice(currency="EUR"), invoice(replace(SELLER, fik_creditor_number=None))],
    ids=["in EUR", "without a creditor number"],
)
def test_other_invoices_print_their_number(content: dict[str, Any]) -> None:
    payment = printable(content, is_draft=False).payment
    assert payment is not None
    assert payment.payment_id == "2026-1042"


def test_nothing_but_an_invoice_is_paid_by_a_slip() -> None:
    note = snapshot(DocumentKind.CREDIT_NOTE, SELLER, BUYER, "DKK", LINES["plain"], TREATMENTS["standard"])
    assert fik.line_of(note["payment"]) is None


def test_what_was_kept_before_there_were_slips_prints_its_number() -> None:
    content = invoice()
    content["payment"] = {key: value for key, value in content["payment"].items() if not key.startswith("fik")}
    payment = printable(content, is_draft=False).payment
    assert payment is not None
    assert payment.payment_id == "2026-1042"


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ("timer", "HUR"), ("Hours", "HUR"), ("stk.", "C62"), ("md.", "MON"), ("kg", "KGM"), ("m²", "MTK"),
        ("HUR", "HUR"), ("År ", "ANN"), ("", "C62"), (None, "C62"), ("paller", "C62"),
    ],
)  # fmt: skip
def test_units_have_codes(unit: str | None, code: str) -> None:
    assert unit_code(unit) == code


def test_a_snapshot_keeps_the_codes_of_its_units() -> None:
    codes = [line["unitCode"] for line in invoice()["lines"]]
    assert codes == ["HUR", "KGM", "MTK", "ANN", "SET", "PR", "DZN", "C62", "C62"]
