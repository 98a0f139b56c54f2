"""What a document says that it is, and the currency of its amounts: shown where it contradicts the rest."""

from decimal import Decimal

import pytest
from tests.ubl_files import entry, peppol

from ledgerbee.purchases.incoming_documents.model import ProblemCode
from ledgerbee.purchases.incoming_documents.reading import read
from ledgerbee.purchases.incoming_documents.rules.checks import check


@pytest.mark.parametrize("name", [
    "LineExtensionAmount", "PriceAmount", "Amount", "TaxableAmount", "TaxAmount", "TaxExclusiveAmount",
    "TaxInclusiveAmount", "AllowanceTotalAmount", "PrepaidAmount", "PayableRoundingAmount", "PayableAmount",
])  # fmt: skip
@pytest.mark.parametrize("kind", ["Invoice", "CreditNote"])
def test_an_amount_in_another_currency_is_shown(name: str, kind: str) -> None:
    """Each amount that is read, the last of its name in the document, which is also the one of a line."""
    raw = peppol(entries=[entry("allowance", "10.00")], prepaid="1", rounding="1", kind=kind).decode()
    start, _, end = raw.rpartition(f'<cbc:{name} currencyID="DKK"')
    for code, shown in (("EUR", ("EUR",)), ("dkk", ("dkk",)), (" DKK ", ()), ("", ())):
        found = read(f'{start}<cbc:{name} currencyID="{code}"{end}'.encode())
        assert found.other_currencies == shown
        assert [one.code for one in check(found, None) if one.code == "CURRENCY_DIFFERS"] == ["CURRENCY_DIFFERS"] * len(
            shown
        )


_DIFFERS, _UNUSUAL = [ProblemCode.DOCUMENT_TYPE_DIFFERS], [ProblemCode.DOCUMENT_TYPE_UNUSUAL]


@pytest.mark.parametrize(
    ("kind", "codes", "wanted"),
    [
        ("Invoice", "380 383 326 82", []),
        ("Invoice", "381 396 261 503 325", _DIFFERS),
        ("Invoice", "386 384 389 393 751 999 x", _UNUSUAL),
        ("CreditNote", "381 83 532", []),
        ("CreditNote", "380 383 386 325", _DIFFERS),
        ("CreditNote", "396 261 999", _UNUSUAL),
    ],
)
def test_a_document_is_what_its_code_says_or_that_is_shown(kind: str, codes: str, wanted: list[ProblemCode]) -> None:
    for code in codes.split():
        written = f"</cbc:IssueDate><cbc:{kind}TypeCode> {code} </cbc:{kind}TypeCode>".encode()
        raw = peppol(kind=kind).replace(b"</cbc:IssueDate>", written)
        found = list(check(read(raw), None))
        assert [one.code for one in found] == wanted, code
        assert all(code in one.message for one in found)


def test_vat_in_the_tax_currency_is_none_of_those() -> None:
    found = read(peppol(vat_in=("EUR", "33.50")))
    assert (found.other_currencies, found.totals.vat_in) == ((), ("EUR", Decimal("33.50")))
    only = read(peppol().replace(b'<cbc:TaxAmount currencyID="DKK"', b'<cbc:TaxAmount currencyID="EUR"'))
    assert only.other_currencies == ("EUR",), "the VAT of the document itself"
