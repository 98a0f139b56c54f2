"""E-invoices say what their documents say, in the way of each format."""

import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.grid import BUYER, BUYERS, LINES, SELLER, SELLERS, TREATMENTS, Case, Sold, cases, snapshot
from tests.ubl import Ubl

from ledgerbee.core.money import format_amount
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.network.xml import leaf, node, root
from ledgerbee.parties.customers.model import Customer
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.documents.printing import printable
from ledgerbee.sales.einvoices.writing import missing, write
from ledgerbee.tenancy.company.model import Company

PEPPOL, OIOUBL = EInvoiceFormat.PEPPOL, EInvoiceFormat.OIOUBL
INVOICE, CREDIT_NOTE = DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE
D = Decimal
Lines = list[Sold | str]


def content(
    lines: Lines,
    treatment: str = "standard",
    kind: DocumentKind = INVOICE,
    currency: str = "DKK",
    company: Company = SELLER,
    customer: Customer = BUYER,
) -> dict[str, Any]:
    return snapshot(kind, company, customer, currency, lines, TREATMENTS[treatment])


def written(form: EInvoiceFormat, lines: Lines, **others: Any) -> Ubl:
    return Ubl.of(write(content(lines, **others), form))


ONE: Lines = [Sold("1", "1000")]


# Parties


def test_a_danish_company_is_written_three_ways_in_one_document() -> None:
    party = written(PEPPOL, ONE).part("AccountingSupplierParty/Party")
    assert party.schemed("EndpointID") == ("0184", "13585628")
    assert party.schemed("PartyTaxScheme/CompanyID") == (None, "DK13585628")
    assert party.schemed("PartyLegalEntity/CompanyID") == ("0184", "13585628")
    party = written(OIOUBL, ONE).part("AccountingSupplierParty/Party")
    assert party.schemed("EndpointID") == ("DK:CVR", "DK13585628")
    assert party.schemed("PartyTaxScheme/CompanyID") == ("DK:SE", "DK13585628")
    assert party.schemed("PartyLegalEntity/CompanyID") == ("DK:CVR", "DK13585628")


@pytest.mark.parametrize(
    ("address", "peppol", "oioubl"),
    [
        ("0198:DK13585628", ("0198", "DK13585628"), ("DK:SE", "DK13585628")),
        ("0096:1003388394", ("0096", "1003388394"), ("DK:P", "1003388394")),
    ],
)
def test_an_invoice_goes_where_its_buyer_wants_it(
    address: str, peppol: tuple[str, str], oioubl: tuple[str, str]
) -> None:
    """The EAN of an invoice comes first: it may be that of a department or of one send."""
    path = "AccountingCustomerParty/Party/EndpointID"
    customer = replace(BUYER, endpoint_id=address)
    assert written(PEPPOL, ONE, customer=customer).schemed(path) == peppol
    assert written(OIOUBL, ONE, customer=customer).schemed(path) == oioubl
    with_ean = replace(customer, ean_number="5798009811578")
    assert written(PEPPOL, ONE, customer=with_ean).schemed(path) == ("0088", "5798009811578")


# Means of payment


def test_a_payment_slip() -> None:
    means = written(PEPPOL, ONE).part("PaymentMeans")
    assert means.text("PaymentMeansCode") == "93"
    assert means.text("PaymentID") == "71#000000202610424"
    assert means.text("PayeeFinancialAccount/ID") == "12345674"
    assert means.parts("PayeeFinancialAccount/FinancialInstitutionBranch") == []
    means = written(OIOUBL, ONE).part("PaymentMeans")
    assert means.text("PaymentMeansCode") == "93"
    assert means.text("PaymentChannelCode") == "DK:FIK"
    assert means.text("PaymentID") == "71"
    assert means.text("InstructionID") == "000000202610424"
    assert means.text("CreditAccount/AccountID") == "12345674"


@pytest.mark.parametrize(
    ("seller", "registration", "account"),
    [("account only", "9070", "1626347102"), ("IBAN only", "0040", "0440116243")],
)
def test_a_domestic_transfer(seller: str, registration: str, account: str) -> None:
    for form in EInvoiceFormat:
        means = written(form, ONE, company=SELLERS[seller]).part("PaymentMeans")
        assert means.text("PaymentMeansCode") == "42"
        assert means.text("PayeeFinancialAccount/ID") == account
        assert means.text("PayeeFinancialAccount/FinancialInstitutionBranch/ID") == registration
    assert means.text("PayeeFinancialAccount/PaymentNote") == "2026-1042"


def test_a_transfer_in_euro() -> None:
    means = written(PEPPOL, ONE, currency="EUR").part("PaymentMeans")
    assert means.text("PaymentMeansCode") == "58"
    assert means.text("PaymentID") == "2026-1042"
    assert means.text("PayeeFinancialAccount/ID") == "DK5000400440116243"
    assert means.text("PayeeFinancialAccount/FinancialInstitutionBranch/ID") == "DABADKKK"


def test_a_transfer_abroad_has_another_code_in_oioubl() -> None:
    given: dict[str, Any] = {"currency": "USD", "customer": BUYERS["American"]}
    assert written(PEPPOL, ONE, **given).text("PaymentMeans/PaymentMeansCode") == "30"
    means = written(OIOUBL, ONE, **given).part("PaymentMeans")
    assert means.text("PaymentMeansCode") == "31"
    assert means.text("PayeeFinancialAccount/FinancialInstitutionBranch/FinancialInstitution/ID") == "DABADKKK"
    given["company"] = SELLERS["IBAN only"]
    assert written(OIOUBL, ONE, **given).text("PaymentMeans/PaymentMeansCode") == "1"


def test_a_seller_without_an_account_states_none() -> None:
    for form in EInvoiceFormat:
        assert written(form, ONE, company=SELLERS["no bank"]).parts("PaymentMeans") == []


# Lines


def test_a_discount_is_an_allowance_in_peppol_and_in_the_price_of_oioubl() -> None:
    lines: Lines = [Sold("6", "5.504", "20")]
    line = written(PEPPOL, lines).part("InvoiceLine")
    assert line.text("LineExtensionAmount") == "26.42"
    assert line.text("Price/PriceAmount") == "5.504"
    assert line.text("AllowanceCharge/Amount") == "6.60"
    assert line.text("AllowanceCharge/BaseAmount") == "33.02"
    assert line.text("AllowanceCharge/MultiplierFactorNumeric") == "20"
    assert line.parts("AllowanceCharge/TaxCategory") == []
    line = written(OIOUBL, lines).part("InvoiceLine")
    assert line.text("LineExtensionAmount") == "26.42"
    assert line.text("Price/PriceAmount") == "4.4032"
    assert line.text("AllowanceCharge/Amount") == "6.60"
    assert line.text("AllowanceCharge/MultiplierFactorNumeric") == "0.2"
    assert line.text("AllowanceCharge/TaxCategory/ID") == "StandardRated"


def test_a_negative_line_has_a_negative_quantity_and_its_discount_in_the_price() -> None:
    """An e-invoice has no negative price (BR-27)."""
    lines: Lines = [Sold("10", "100"), Sold("-6", "5.504", "20"), Sold("2", "-10")]
    _, discounted, cheaper = written(PEPPOL, lines).parts("InvoiceLine")
    assert discounted.text("InvoicedQuantity") == "-6"
    assert discounted.text("LineExtensionAmount") == "-26.42"
    assert discounted.text("Price/PriceAmount") == "4.4032"
    assert discounted.text("Price/AllowanceCharge/BaseAmount") == "5.504"
    assert discounted.text("Price/AllowanceCharge/Amount") == "1.1008"
    assert (cheaper.text("InvoicedQuantity"), cheaper.text("Price/PriceAmount")) == ("-2", "10")


def test_whole_yen_have_the_price_of_the_whole_quantity() -> None:
    """3 x 10.50 is 31.50, which is 32 yen: rules allow 0.02."""
    line = written(PEPPOL, [Sold("3", "10.5")], currency="JPY").part("InvoiceLine")
    assert line.text("LineExtensionAmount") == "32"
    assert (line.text("Price/PriceAmount"), line.text("Price/BaseQuantity")) == ("32", "3")


def test_a_price_with_a_fixed_part_of_which_nothing_was_used_is_one_of_it() -> None:
    given = content([Sold("0", "0"), Sold("1", "50", "50")])
    given["lines"][0].update(total="25.00", vat="6.25")
    given["vatRows"][0].update(taxable="50.00", vat="12.50")
    line = Ubl.of(write(given, PEPPOL)).parts("InvoiceLine")[0]
    assert (line.text("InvoicedQuantity"), line.text("Price/PriceAmount")) == ("1", "25")


def test_oioubl_has_no_quantity_of_zero() -> None:
    line = written(OIOUBL, [Sold("0", "100"), Sold("1", "5")]).parts("InvoiceLine")[0]
    assert (line.text("InvoicedQuantity"), line.text("Price/PriceAmount")) == ("1", "0")


def test_texts_between_lines_are_kept_as_notes() -> None:
    document = written(PEPPOL, ["First", Sold("2", "100"), "Of the first\nline", "and more", Sold("1", "1")])
    assert document.text("Note") == "Kaffe, november\nFirst\nTak for handlen."
    assert [line.text("Note") for line in document.parts("InvoiceLine")] == ["Of the first\nline\nand more", None]


def test_a_line_names_the_child_that_it_is_for() -> None:
    """The name stands above a child's lines on paper, and here with each of them."""
    given = content(["1 Barn", Sold("1", "10"), "Of the line", Sold("1", "20"), "2 Barn", Sold("1", "30")])
    for line, child in zip(given["lines"], ("A", "A", None, "A", "B", "B"), strict=True):
        line.update({"child": child} if child else {})
    document = Ubl.of(write(given, PEPPOL))
    notes = [line.text("Note") for line in document.parts("InvoiceLine")]
    assert notes == ["1 Barn\nOf the line", "1 Barn", "2 Barn"]
    assert document.text("Note") == "Kaffe, november\nTak for handlen."


def test_the_texts_of_the_template_are_said_too() -> None:
    given = content(ONE)
    given["template"] = {"introText": "As agreed", "paymentText": "Thank you for paying in time", "footerText": "F"}
    for form in EInvoiceFormat:
        document = Ubl.of(write(given, form))
        assert document.text("Note") == "Kaffe, november\nAs agreed\nTak for handlen."
        assert document.text("PaymentTerms/Note") == "Netto 30 dage\nThank you for paying in time"


def test_a_description_of_several_lines_has_a_name() -> None:
    item = written(PEPPOL, [Sold("1", "1"), Sold("2", "2")]).parts("InvoiceLine/Item")[1]
    assert item.text("Name") == "Vare 1"
    assert item.text("Description") == "Vare 1\nmed en linje til"


# VAT


def test_vat_is_that_of_the_sum_of_the_nets() -> None:
    """Three lines of 99.99: 74.99 and not 75.00, on the lines of OIOUBL too."""
    lines: Lines = [Sold("1", "99.99")] * 3
    document = written(PEPPOL, lines)
    assert document.text("TaxTotal/TaxAmount") == "74.99"
    assert document.text("LegalMonetaryTotal/TaxExclusiveAmount") == "299.97"
    assert document.text("LegalMonetaryTotal/PayableAmount") == "374.96"
    document = written(OIOUBL, lines)
    assert document.text("LegalMonetaryTotal/TaxExclusiveAmount") == "74.99"
    assert sum(map(D, document.texts("InvoiceLine/TaxTotal/TaxAmount"))) == D("74.99")


def test_an_invoice_in_euro_states_its_vat_in_kroner() -> None:
    document = written(PEPPOL, ONE, currency="EUR")
    assert document.text("TaxCurrencyCode") == "DKK"
    own, in_kroner = document.parts("TaxTotal")
    assert own.text("TaxAmount") == "250.00"
    assert (in_kroner.text("TaxAmount"), in_kroner.attributes("TaxAmount")) == ("1865.00", {"currencyID": "DKK"})
    assert in_kroner.parts("TaxSubtotal") == []
    document = written(OIOUBL, ONE, currency="EUR")
    assert document.text("TaxCurrencyCode") == "DKK"
    assert document.text("TaxTotal/TaxSubtotal/TransactionCurrencyTaxAmount") == "1865.00"


@pytest.mark.parametrize("treatment", ["standard", "reverse charge"])
def test_nothing_is_said_in_kroner_without_need(treatment: str) -> None:
    """In kroner, and where no VAT is charged in another currency."""
    document = written(PEPPOL, ONE, treatment=treatment, currency="DKK" if treatment == "standard" else "EUR")
    assert document.text("TaxCurrencyCode") is None
    assert len(document.parts("TaxTotal")) == 1


def test_rows_that_differ_in_their_reason_are_one() -> None:
    row = written(PEPPOL, ONE * 2, treatment="export", customer=BUYERS["American"]).part("TaxTotal/TaxSubtotal")
    assert row.text("TaxableAmount") == "2000.00"
    assert row.text("TaxCategory/TaxExemptionReason") == "Article 146; Articles 44 and 59"


def test_what_is_outside_the_scope_stands_alone_or_as_exempt() -> None:
    alone = written(PEPPOL, ONE, treatment="outside the scope")
    assert alone.texts("TaxTotal/TaxSubtotal/TaxCategory/ID") == ["O"]
    assert alone.parts("AccountingSupplierParty/Party/PartyTaxScheme") == []
    beside = written(PEPPOL, ONE * 2, treatment="standard and outside")
    assert beside.texts("TaxTotal/TaxSubtotal/TaxCategory/ID") == ["S", "E"]
    assert "Outside the scope" in (beside.texts("TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReason")[0])


def test_goods_to_the_eu_say_day_and_country() -> None:
    given = content(ONE, "goods to the EU", customer=BUYERS["German"])
    given["deliveryDate"] = None
    delivery = Ubl.of(write(given, PEPPOL)).part("Delivery")
    assert delivery.text("ActualDeliveryDate") == "2026-03-16"
    assert delivery.text("DeliveryLocation/Address/Country/IdentificationCode") == "DE"


# Credit notes


def test_a_credit_note_states_what_it_credits() -> None:
    for form in EInvoiceFormat:
        document = written(form, [Sold("6", "5.504", "20")], kind=CREDIT_NOTE)
        assert document.name == "CreditNote"
        assert document.text("LegalMonetaryTotal/PayableAmount") == "33.03"
        assert document.text("CreditNoteLine/CreditedQuantity") == "6"
        assert document.text("CreditNoteLine/LineExtensionAmount") == "26.42"
        assert document.text("BillingReference/InvoiceDocumentReference/ID") == "1041"
        assert document.parts("PaymentMeans") == []


def test_a_credit_note_is_read_alike_with_positive_quantities() -> None:
    """Only the amounts of a credit note are sure to be negative."""
    given = content([Sold("2", "100"), Sold("-1", "30", "10")], kind=CREDIT_NOTE)
    other = copy.deepcopy(given)
    for line in other["lines"]:
        line["quantity"] = line["quantity"].removeprefix("-")
    for form in EInvoiceFormat:
        assert write(other, form) == write(given, form)


# All of them


@pytest.mark.parametrize("form", list(EInvoiceFormat))
def test_the_figures_are_those_of_the_pdf(form: EInvoiceFormat) -> None:
    for case in cases():
        if not missing(case.snapshot, form):
            _compare(case, Ubl.of(write(case.snapshot, form)), form)


def _compare(case: Case, document: Ubl, form: EInvoiceFormat) -> None:
    paper = printable(case.snapshot, is_draft=False)
    sign = -1 if paper.kind == "credit_note" else 1
    line = f"{document.name}Line"

    def amounts(path: str) -> list[Decimal]:
        return [D(text) for text in document.texts(path)]

    assert document.text("ID") == paper.number, case.name
    assert amounts("LegalMonetaryTotal/LineExtensionAmount") == [sign * paper.subtotal], case.name
    assert amounts("LegalMonetaryTotal/PayableAmount") == [sign * paper.total], case.name
    assert amounts("TaxTotal/TaxAmount")[0] == sign * paper.vat, case.name
    assert sum(amounts("TaxTotal/TaxSubtotal/TaxAmount")) == sign * paper.vat, case.name
    nets = [sign * one.total for one in paper.lines if one.total is not None]
    assert amounts(f"{line}/LineExtensionAmount") == nets, case.name
    if paper.vat_in_base is not None and form is PEPPOL:
        in_base = format_amount(sign * paper.vat_in_base.amount, paper.vat_in_base.currency)
        assert document.parts("TaxTotal")[1].text("TaxAmount") == in_base, case.name
    slip = (paper.payment.payment_id or "") if paper.payment else ""
    if slip.startswith("+71<") and form is PEPPOL and document.parts("PaymentMeans"):
        means = document.part("PaymentMeans")
        said = f"+71<{(means.text('PaymentID') or '')[3:]}+{means.text('PayeeFinancialAccount/ID')}<"
        assert said == slip or means.text("PaymentMeansCode") != "93", case.name


def test_what_was_kept_before_e_invoices_is_written_all_the_same() -> None:
    given = content([*LINES["units"], "A text"])
    old = copy.deepcopy(given)
    del old["id"], old["payment"]["fikPaymentId"], old["payment"]["fikCreditorNumber"], old["deliveryDate"]
    for line in old["lines"]:
        line.pop("unitCode", None)
        line.pop("vatRow", None)
    document = Ubl.of(write(old, PEPPOL))
    assert document.texts("InvoiceLine/LineExtensionAmount") == ["10.00"] * 9
    assert document.text("PaymentMeans/PaymentMeansCode") == "42"
    assert b'unitCode="HUR"' in write(old, OIOUBL)


def test_a_buyer_without_references_is_named_by_its_number() -> None:
    """A reference is wanted (PEPPOL-EN16931-R003)."""
    given = content(ONE)
    given["references"] = dict.fromkeys(given["references"])
    document = Ubl.of(write(given, PEPPOL))
    assert document.text("BuyerReference") == "C1"
    assert document.parts("OrderReference") == []


# XML


@given(st.text(st.characters(exclude_categories=())))
def test_a_text_stays_a_text(text: str) -> None:
    """Whatever it is: no markup comes of it, and what XML 1.0 can't hold (§ 2.2) is left out."""
    xml = root("Invoice", leaf("Note", text, languageID=text), leaf("ID", "1"))
    codes = [ord(char) for char in text]
    kept = [
        code for code in codes if code in {9, 10} or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF
    ]
    expected = "".join(map(chr, kept)).strip()
    document = Ubl.of(xml)
    assert document.text("Note") == (expected or None)
    assert document.text("ID") == "1"


def test_what_is_empty_is_left_out() -> None:
    assert node("Party", leaf("Name", " \n\x0b"), node("Contact", leaf("Name", None))) == ""


def test_names_are_escaped() -> None:
    document = written(PEPPOL, ONE, company=replace(SELLER, name='A & B <"C">\x00'))
    assert document.text("AccountingSupplierParty/Party/PartyName/Name") == 'A & B <"C">'
