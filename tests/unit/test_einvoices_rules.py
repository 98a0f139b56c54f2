"""What an e-invoice needs before it can be one, and how it is paid."""

from dataclasses import replace
from typing import Any

import pytest
from tests.conformance.grid import BUYER, BUYERS, LINES, SELLER, SELLERS, TREATMENTS, snapshot

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.parties.customers.model import Customer
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.einvoices.model import TradeDocument
from ledgerbee.sales.einvoices.reading import document_of
from ledgerbee.sales.einvoices.rules import PaymentMeans, check_complete, missing, payment_means, route
from ledgerbee.tenancy.company.model import Company

PEPPOL, OIOUBL = EInvoiceFormat.PEPPOL, EInvoiceFormat.OIOUBL


def document(
    company: Company = SELLER, customer: Customer = BUYER, treatment: str = "standard", currency: str = "DKK"
) -> TradeDocument:
    content = snapshot(DocumentKind.INVOICE, company, customer, currency, LINES["thirds"], TREATMENTS[treatment])
    return document_of(content)


def test_a_whole_document_lacks_nothing() -> None:
    for form in EInvoiceFormat:
        assert missing(document(), form) == ()
        check_complete(document(), form)


NOBODY = replace(BUYER, vat_number=None)
FRENCH = replace(NOBODY, country_code="FR", vat_number="FR40303265045")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("oioubl", "0184:13585628", f"0184:{BUYER.vat_number}")),
        ({"customer": BUYERS["public"]}, ("oioubl", "0184:13585628", f"0088:{BUYERS['public'].ean_number}")),
        ({"customer": replace(NOBODY, endpoint_id="0198:DK13585628")}, ("oioubl", "0184:13585628", "0198:DK13585628")),
        ({"treatment": "two rates"}, ("peppol", "0184:13585628", f"0184:{BUYER.vat_number}")),
        ({"customer": FRENCH}, ("peppol", "0184:13585628", "9957:FR40303265045")),
        ({"customer": replace(FRENCH, country_code="DK", vat_number=None, endpoint_id="9957:FR40303265045")},
         ("peppol", "0184:13585628", "9957:FR40303265045")),
    ],
)  # fmt: skip
def test_danish_parties_exchange_oioubl_where_it_can_state_the_document(
    given: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    assert route(document(**given)) == (*expected, "DK")


@pytest.mark.parametrize("given", [{"customer": NOBODY, "treatment": "two rates"}, {"customer": NOBODY}])
def test_who_can_be_reached_in_no_format_is_told_what_the_last_one_lacks(given: dict[str, Any]) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        route(document(**given))
    assert refused.value.details == {"format": "peppol", "missing": ["buyer.endpoint"]}


NAMELESS = replace(SELLER, vat_number=None)


@pytest.mark.parametrize(
    ("given", "form", "expected"),
    [
        ({"customer": NOBODY}, PEPPOL, ("buyer.endpoint",)),
        ({"customer": NOBODY}, OIOUBL, ("buyer.endpoint",)),
        ({"customer": replace(BUYER, vat_number="12345678")}, PEPPOL, ("buyer.endpoint",)),
        ({"customer": replace(BUYER, ean_number="5798009811579")}, PEPPOL, ("buyer.endpoint",)),
        ({"customer": BUYERS["public"]}, OIOUBL, ()),
        ({"customer": replace(NOBODY, country_code="FR", vat_number="FR40303265045")}, PEPPOL, ()),
        ({"customer": replace(NOBODY, country_code="FR", vat_number="FR40303265045")}, OIOUBL, ("buyer.endpoint",)),
        ({"customer": replace(NOBODY, country_code="US", vat_number="12-3456789")}, PEPPOL, ("buyer.endpoint",)),
        ({"company": NAMELESS}, PEPPOL, ("seller.vatNumber",)),
        ({"company": NAMELESS, "treatment": "outside the scope"}, OIOUBL, ("seller.vatNumber",)),
        ({"customer": BUYERS["public"], "treatment": "goods to the EU"}, PEPPOL, ("buyer.vatNumber",)),
        ({"customer": BUYERS["public"], "treatment": "reverse charge"}, PEPPOL, ("buyer.vatNumber",)),
        ({"treatment": "reverse charge"}, PEPPOL, ()),
        ({"treatment": "two rates"}, PEPPOL, ()),
        ({"treatment": "two rates"}, OIOUBL, ("vatRates",)),
        ({"currency": "KWD"}, PEPPOL, ("currency",)),
        ({"currency": "JPY"}, PEPPOL, ()),
        (
            {"company": NAMELESS, "customer": NOBODY, "currency": "KWD"},
            PEPPOL,
            ("currency", "seller.vatNumber", "buyer.endpoint"),
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(given: dict[str, Any], form: EInvoiceFormat, expected: tuple[str, ...]) -> None:
    assert missing(document(**given), form) == expected


def test_a_document_that_lacks_something_is_refused() -> None:
    with pytest.raises(LedgerBeeError) as refused:
        check_complete(document(customer=NOBODY), PEPPOL)
    assert refused.value.error_code.code == "E_INVOICE_INCOMPLETE"
    assert refused.value.details == {"format": "peppol", "missing": ["buyer.endpoint"]}


@pytest.mark.parametrize(
    ("seller", "buyer", "currency", "expected"),
    [
        ("all ways to pay", "company", "DKK", PaymentMeans.FIK),
        ("slip only", "company", "DKK", PaymentMeans.FIK),
        ("slip only", "German", "DKK", PaymentMeans.FIK),
        ("slip only", "company", "EUR", None),
        ("account only", "company", "DKK", PaymentMeans.DOMESTIC_TRANSFER),
        ("account only", "Greenlandic", "DKK", PaymentMeans.DOMESTIC_TRANSFER),
        ("account only", "company", "EUR", None),
        ("IBAN only", "company", "DKK", PaymentMeans.DOMESTIC_TRANSFER),
        ("all ways to pay", "German", "DKK", PaymentMeans.CREDIT_TRANSFER),
        ("all ways to pay", "company", "EUR", PaymentMeans.SEPA_TRANSFER),
        ("all ways to pay", "German", "EUR", PaymentMeans.SEPA_TRANSFER),
        ("all ways to pay", "company", "USD", PaymentMeans.FOREIGN_TRANSFER),
        ("IBAN only", "company", "USD", PaymentMeans.UNDEFINED),
        ("all ways to pay", "American", "USD", PaymentMeans.CREDIT_TRANSFER),
        ("Swedish", "Swedish", "DKK", PaymentMeans.CREDIT_TRANSFER),
        ("no bank", "company", "DKK", None),
    ],
)
def test_how_an_invoice_is_paid(seller: str, buyer: str, currency: str, expected: PaymentMeans | None) -> None:
    """Between Danish parties 30 is not allowed (DK-R-005)."""
    assert payment_means(document(SELLERS[seller], BUYERS[buyer], currency=currency)) is expected
