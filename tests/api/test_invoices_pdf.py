"""The PDF of an invoice: what it says in each zone and language, and that it stays as it was booked."""

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from tests.api.test_invoices import template
from tests.conftest import Api
from tests.selling import Shop, line


@pytest.fixture
async def shop(api: Api) -> Shop:
    shop = Shop(api)
    company = {
        "address": "Strandvejen 7",
        "postalCode": "2900",
        "city": "Hellerup",
        "vatNumber": "13585628",
        "iban": "DK5000400440116243",
    }
    await shop.ok("PATCH", "/v1/company", company)
    return shop


async def pdf(shop: Shop, invoice: dict[str, Any], query: str = "") -> tuple[str, str]:
    """The text of an invoice's PDF, and the name of the file."""
    response = await shop.api.get(f"/v1/invoices/{invoice['id']}/pdf{query}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/pdf"
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(response.content)).pages)
    return text.replace("\xa0", " "), response.headers["content-disposition"]


async def test_a_sent_invoice_says_what_the_law_wants(shop: Shop) -> None:
    customer = await shop.customer(vatNumber="29189846")
    draft = await shop.draft(customer, line(await shop.price("1234.5"), 2, discountPercent=10), reference="PO-7")
    text, name = await pdf(shop, await shop.send(draft))
    assert name == 'inline; filename="invoice-1.pdf"'
    for part in (
        "Faktura", "Nordlys ApS", "Strandvejen 7", "DK13585628", "Havblik A/S", "Havnegade 1", "1058 København K",
        "16. marts 2026", "30. marts 2026", "PO-7", "Consulting", "1.234,50", "2.222,10", "25 %", "555,53", "2.777,63",
        "Netto 14 dage", "DK5000400440116243",
    ):  # fmt: skip
        assert part in text, part
    assert "KLADDE" not in text


async def test_a_draft_carries_a_watermark_and_no_number(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price("10")))
    text, name = await pdf(shop, draft)
    assert "KLADDE" in text
    assert "12,50" in text
    assert name == 'inline; filename="invoice-draft.pdf"'
    assert await pdf(shop, draft, "?draft=true") == (text, name)


async def test_a_sent_invoice_can_be_shown_as_a_draft(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price("10")))
    assert "KLADDE" in (await pdf(shop, sent, "?draft=true"))[0]
    assert "KLADDE" not in (await pdf(shop, sent))[0]
    await shop.refused("GET", f"/v1/invoices/{sent['id']}/pdf?draft=7", None, 400, "SHARED_VALIDATION_FAILED")


@pytest.mark.parametrize(
    ("customer", "group", "reason"),
    [
        ({"vatZone": "eu", "countryCode": "SE", "vatNumber": "SE556677889901"}, "1", "artikel 138"),
        ({"vatZone": "eu", "countryCode": "SE", "vatNumber": "SE556677889901"}, "2", "artikel 44 og 196"),
        ({"vatZone": "abroad", "countryCode": "NO"}, "1", "artikel 146"),
        ({"vatZone": "domestic_without_vat", "vatNumber": "29189846"}, "1", "momslovens § 46"),
        ({"vatZone": "domestic_without_vat"}, "2", "momslovens § 13"),
    ],
)
async def test_without_vat_the_reason_is_told(shop: Shop, customer: dict[str, str], group: str, reason: str) -> None:
    draft = await shop.draft(await shop.customer(**customer), line(await shop.price("10", group)))
    text = " ".join((await pdf(shop, await shop.send(draft)))[0].split())
    assert reason in text
    assert customer.get("vatNumber", "") in text
    assert "25 %" not in text


async def test_the_customers_language_is_spoken(shop: Shop) -> None:
    customer = await shop.customer(language="en", vatZone="abroad", countryCode="NO")
    price = await shop.price("1234.5", "1")
    text, _ = await pdf(shop, await shop.send(await shop.draft(customer, line(price))))
    for part in ("Invoice", "1,234.50", "Article 146", "Net 14 days"):
        assert part in text, part
    danish = await template(shop, "invoice-template", "Faktura")
    text, _ = await pdf(shop, await shop.send(await shop.draft(customer, line(price)), documentTemplateId=danish))
    assert "Faktura" in text


async def test_a_foreign_currency_states_its_vat_in_kroner(shop: Shop) -> None:
    price = await shop.price("100", currency="EUR")
    draft = await shop.draft(await shop.customer(), line(price), currency="EUR")
    for invoice in (draft, await shop.send(draft)):
        text, _ = await pdf(shop, invoice)
        assert "Moms i DKK" in text
        assert "186," in text  # 25 EUR at 7.46 to 7.48


@pytest.mark.parametrize(("currency", "rate", "vat"), [("USD", "10", "250,00"), ("KWD", "22.123456", "553,09")])
async def test_the_vat_in_kroner_is_at_the_companys_own_rate(shop: Shop, currency: str, rate: str, vat: str) -> None:
    own = {"currency": currency, "date": "2026-03-16", "rate": rate}
    await shop.ok("PUT", "/v1/exchange-rates", own)
    price = await shop.price("100", currency=currency)
    draft = await shop.draft(await shop.customer(), line(price), currency=currency)
    for invoice in (draft, await shop.send(draft)):
        text, _ = await pdf(shop, invoice)
        assert vat in text


async def test_a_draft_without_a_rate_is_shown_without_kroner(shop: Shop) -> None:
    price = await shop.price("100", currency="KWD")
    text, _ = await pdf(shop, await shop.draft(await shop.customer(), line(price), currency="KWD"))
    assert "125,000" in text
    assert "DKK" not in text


async def test_what_was_booked_does_not_change(shop: Shop) -> None:
    product = await shop.product()
    customer, price = await shop.customer(), await shop.price(product=product)
    sent = await shop.send(await shop.draft(customer, line(price)))
    before = await pdf(shop, sent)
    await shop.ok("PATCH", f"/v1/customers/{customer}", {"name": "New name", "address": "Elsewhere 2"})
    await shop.ok("PATCH", f"/v1/products/{product}", {"name": "New product"})
    await shop.ok("PATCH", "/v1/company", {"name": "New seller", "city": "Aarhus"})
    assert await pdf(shop, sent) == before


async def test_a_department_has_its_own_address(shop: Shop) -> None:
    customer, price = await shop.customer(), await shop.price()
    department = {"name": "Indkøb", "address": "Sidegade 9", "postalCode": "8000", "city": "Aarhus C"}
    created = await shop.ok("POST", f"/v1/customers/{customer}/departments", department)
    contact = await shop.ok("POST", f"/v1/customers/{customer}/contacts", {"name": "Ida Lund"})
    draft = await shop.draft(customer, line(price), customerDepartmentId=created["id"], customerContactId=contact["id"])
    text, _ = await pdf(shop, draft)
    for part in ("Att. Indkøb", "Sidegade 9", "8000 Aarhus C", "Ida Lund"):
        assert part in text, part
    assert "Havnegade" not in text


async def test_markup_is_printed_as_text(shop: Shop) -> None:
    hostile = '#import "x": y; $1/0$ *bold* <b> // \\ @ref'
    draft = await shop.draft(
        await shop.customer(name=hostile), line(await shop.price(), description=hostile), notes=hostile
    )
    text = "".join((await pdf(shop, await shop.send(draft)))[0].split())
    assert text.count("".join(hostile.split())) >= 3


async def test_a_thousand_lines_are_printed(shop: Shop) -> None:
    price = await shop.price("1")
    draft = await shop.draft(await shop.customer(), *[line(price, description=f"Unit {n:04d}") for n in range(1000)])
    text, _ = await pdf(shop, draft)
    assert text.count("Unit ") == 1000
