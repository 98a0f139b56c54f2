"""The e-invoice of an invoice over the API: as it was booked, in both formats, or why there is none."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.conftest import Api, SteeredClock, new_company
from tests.selling import Shop, line
from tests.ubl import Ubl

from ledgerbee.platform.db import Database


@pytest.fixture
async def shop(api: Api) -> Shop:
    shop = Shop(api)
    company = {
        "bankName": "Nordjyske Bank",
        "bankRegistrationNumber": "9070",
        "bankAccountNumber": "1626347102",
        "iban": "DK5000400440116243",
        "bic": "DABADKKK",
        "fikCreditorNumber": "12345674",
    }
    await shop.ok("PATCH", "/v1/company", company)
    return shop


async def e_invoice(shop: Shop, invoice: dict[str, Any], query: str = "") -> Ubl:
    response = await shop.api.get(f"/v1/invoices/{invoice['id']}/e-invoice{query}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/xml")
    return Ubl.of(response.content)


async def test_a_sent_invoice_is_an_e_invoice(shop: Shop) -> None:
    customer = await shop.customer(vatNumber="25313763")
    draft = await shop.draft(customer, line(await shop.price("5.504"), 6, discountPercent=20), reference="PO-7")
    invoice = await shop.send(draft)
    document = await e_invoice(shop, invoice)
    assert document.text("ID") == invoice["number"]
    assert document.text("LegalMonetaryTotal/TaxExclusiveAmount") == invoice["subtotal"] == "26.42"
    assert document.text("TaxTotal/TaxAmount") == invoice["vat"]
    assert document.text("LegalMonetaryTotal/PayableAmount") == invoice["amount"]
    assert document.text("OrderReference/ID") == "PO-7"
    assert document.attributes("InvoiceLine/InvoicedQuantity") == {"unitCode": "HUR"}
    assert document.schemed("AccountingCustomerParty/Party/EndpointID") == ("0184", "25313763")
    assert document.text("PaymentMeans/PaymentMeansCode") == "93"
    document = await e_invoice(shop, invoice, "?format=oioubl")
    assert document.text("CustomizationID") == "OIOUBL-2.1"
    assert document.text("UUID") == invoice["id"]
    assert document.text("LegalMonetaryTotal/PayableAmount") == invoice["amount"]


async def test_its_file_has_a_name(shop: Shop) -> None:
    invoice = await shop.send(
        await shop.draft(await shop.customer(eanNumber="5798009811578"), line(await shop.price()))
    )
    response = await shop.api.get(f"/v1/invoices/{invoice['id']}/e-invoice?format=oioubl")
    assert response.headers["content-disposition"] == 'attachment; filename="Faktura 1 oioubl.xml"'


async def test_it_stays_as_it_was_booked(shop: Shop) -> None:
    customer = await shop.customer(eanNumber="5798009811578")
    invoice = await shop.send(await shop.draft(customer, line(await shop.price())))
    before = (await shop.api.get(f"/v1/invoices/{invoice['id']}/e-invoice")).content
    await shop.ok("PATCH", f"/v1/customers/{customer}", {"name": "Another", "eanNumber": None}, status=200)
    await shop.ok("PATCH", "/v1/company", {"fikCreditorNumber": None}, status=200)
    assert (await shop.api.get(f"/v1/invoices/{invoice['id']}/e-invoice")).content == before


async def test_in_euro_it_says_the_vat_that_the_ledger_has_in_kroner(shop: Shop) -> None:
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.46"}, status=200)
    customer = await shop.customer(eanNumber="5798009811578")
    price = line(await shop.price(), unitPrice="1000")
    invoice = await shop.send(await shop.draft(customer, price, currency="EUR"))
    own, in_kroner = (await e_invoice(shop, invoice)).parts("TaxTotal")
    assert (own.text("TaxAmount"), in_kroner.text("TaxAmount")) == ("250.00", "1865.00")
    assert await shop.balance(7680) == Decimal("-1865.00")


async def test_it_goes_to_the_ean_else_to_the_customers_endpoint(shop: Shop) -> None:
    """The EAN of the send outranks what the customer has."""
    customer = await shop.customer(endpointId="0198:13585628")
    path, price = "AccountingCustomerParty/Party/EndpointID", line(await shop.price())
    document = await e_invoice(shop, await shop.send(await shop.draft(customer, price)))
    assert document.schemed(path) == ("0198", "DK13585628")
    sent = await shop.send(await shop.draft(customer, price), overrideEanNumber="5798009811578")
    assert (await e_invoice(shop, sent)).schemed(path) == ("0088", "5798009811578")


async def test_a_draft_has_none(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(eanNumber="5798009811578"), line(await shop.price()))
    path = f"/v1/invoices/{draft['id']}/e-invoice"
    assert await shop.refused("GET", path, None, 409, "INVOICE_INVALID_STATE") == {"status": "draft"}


async def test_what_is_missing_is_told(shop: Shop) -> None:
    invoice = await shop.sold(line(await shop.price()))
    path = f"/v1/invoices/{invoice['id']}/e-invoice?format=oioubl"
    details = await shop.refused("GET", path, None, 409, "E_INVOICE_INCOMPLETE")
    assert details == {"format": "oioubl", "missing": ["buyer.endpoint"]}


@pytest.mark.parametrize("query", ["?format=pdf", "?format=", "?format=peppol&format=oioubl", "?draft=true"])
async def test_another_format_is_refused(shop: Shop, query: str) -> None:
    invoice = await shop.sold(line(await shop.price()))
    path = f"/v1/invoices/{invoice['id']}/e-invoice{query}"
    await shop.refused("GET", path, None, 400, "SHARED_VALIDATION_FAILED")


async def test_another_companys_invoice_is_not_found(
    shop: Shop, http: httpx.AsyncClient, database: Database, clock: SteeredClock
) -> None:
    invoice = await shop.sold(line(await shop.price()))
    other = Shop(await new_company(http, database, clock))
    await other.refused("GET", f"/v1/invoices/{invoice['id']}/e-invoice", None, 404, "INVOICE_NOT_FOUND")


async def test_thousands_of_lines_are_written_whole(shop: Shop) -> None:
    price = await shop.price("1")
    draft = await shop.draft(await shop.customer(eanNumber="5798009811578"), *[line(price) for _ in range(2_000)])
    document = await e_invoice(shop, await shop.send(draft))
    assert document.texts("InvoiceLine/LineExtensionAmount") == ["1.00"] * 2_000
    assert document.text("LegalMonetaryTotal/PayableAmount") == "2500.00"
