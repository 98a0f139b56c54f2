"""The details of an invoice's children: a part of the invoice each, which sum up to it, and files with names."""

import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.grid import BUYER, SELLER, TREATMENTS, Sold, snapshot

from ledgerbee.sales.documents.child_details import count_children, details_of, zip_name, zipped
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.documents.printing import printable

#: For each child the prices that it is charged.
CHILDREN = st.lists(st.lists(st.decimals("0.01", "999", places=2), min_size=1, max_size=4), min_size=1, max_size=4)


def content(children: list[list[Decimal]], treatment: str = "standard") -> dict[str, Any]:
    """An invoice that charges something of no child first, and then children, each below its name."""
    lines: list[Sold | str] = [Sold("1", "5")]
    owners: list[int | None] = [None]
    for number, prices in enumerate(children, 1):
        lines += [f"{number} Barn", *(Sold("1", str(price)) for price in prices)]
        owners += [number] * (1 + len(prices))
    made = snapshot(DocumentKind.INVOICE, SELLER, BUYER, "DKK", lines, TREATMENTS[treatment])
    for line, owner in zip(made["lines"], owners, strict=True):
        line.update({"child": str(owner)} if owner else {})
    return made


@given(children=CHILDREN)
def test_details_sum_up_to_what_children_are_charged(children: list[list[Decimal]]) -> None:
    invoice = content(children)
    details = details_of(invoice)
    assert count_children(invoice) == len(children)
    assert [one["references"]["description"] for one in details] == [f"{it} Barn" for it in range(1, len(children) + 1)]
    assert [Decimal(one["subtotal"]) for one in details] == [sum(prices) for prices in children]
    other = invoice["lines"][0]
    for whole, part in (("subtotal", "total"), ("vat", "vat")):
        assert sum(Decimal(one[whole]) for one in details) + Decimal(other[part]) == Decimal(invoice[whole])
    for one in details:
        assert sum(Decimal(row["vat"]) for row in one["vatRows"]) == Decimal(one["vat"])
        assert Decimal(one["amount"]) == Decimal(one["subtotal"]) + Decimal(one["vat"])
        assert len(printable(one, is_draft=False).lines) == len(one["lines"])


def test_details_are_no_invoice() -> None:
    (details,) = details_of(content([[Decimal(100)]]))
    printed = printable(details, is_draft=False)
    assert (printed.kind, printed.payment, printed.due_date, printed.notes) == ("child_details", None, None, None)
    assert printed.intro == "Dette er ikke en faktura, men en del af, hvad faktura 2026-1042 omfatter."
    assert printed.number == "2026-1042"


def test_an_invoice_without_children_has_none() -> None:
    assert details_of(content([])) == []


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["1 Barn A/S", "1 Barn A-S", "1 barn a-s"], ["1 Barn A-S", "1 Barn A-S (2)", "1 barn a-s (3)"]),
        (["../" * 40], ["..-" * 16 + ".."]),
        (["1 " + "x" * 300, "1 " + "x" * 299], ["1 " + "x" * 48, "1 " + "x" * 48 + " (2)"]),
    ],
)
def test_files_are_named_by_their_children(names: list[str], files: list[str]) -> None:
    invoice = content([])
    assert zip_name(invoice) == "Specifikation af faktura 2026-1042.zip"
    pdfs = [({"references": {"description": name}}, b"%PDF-1.7") for name in names]
    packed = zipped(invoice, pdfs)
    assert packed == zipped(invoice, pdfs)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == [f"{name}.pdf" for name in files]
