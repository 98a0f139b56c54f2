"""The PDF of an invoice: what it says in each zone and language, and that it stays as it was booked."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from tests.api.instances import instance
from tests.api.test_invoices import template
from tests.conftest import Api, SteeredClock
from tests.selling import Shop, line
from tests.unit.fonts import write_font

from ledgerbee.app.config import Settings
from ledgerbee.sales.rendering.pool import use_fonts


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
    assert name == 'inline; filename="Faktura 1.pdf"'
    for part in (
        "Faktura", "Nordlys ApS", "Strandvejen 7", "DK13585628", "Havblik A/S", "Havnegade 1", "1058 København K",
        "16. marts 2026", "30. marts 2026", "PO-7", "Consulting", "1.234,50", "2.222,10", "25 %", "555,53", "2.777,63",
        "Netto 14 dage", "DK50 0040 0440 1162 43",
    ):  # fmt: skip
        assert part in text, part
    assert "KLADDE" not in text


async def test_an_invoice_in_kroner_is_paid_by_a_slip(shop: Shop) -> None:
    """FIK: card type 71, the invoice's number with its check digit, the creditor (decisions "Documents")."""
    await shop.ok("PATCH", "/v1/company", {"fikCreditorNumber": "12345674"})
    price = await shop.price("10")
    text, _ = await pdf(shop, await shop.sold(line(price)))
    assert "+71<000000000000018+12345674<" in text
    text, _ = await pdf(shop, await shop.sold(line(price, unitPrice="5"), currency="EUR"))
    assert "+71" not in text


async def test_a_delivery_on_another_day_is_told(shop: Shop) -> None:
    """Momsbekendtgørelsen § 58, stk. 1, no. 6."""
    price = await shop.price("10")
    draft = await shop.draft(await shop.customer(), line(price), deliveryDate="2026-03-02")
    for invoice in (draft, await shop.send(draft)):
        text, _ = await pdf(shop, invoice)
        assert "Leveringsdato" in text
        assert "2. marts 2026" in text
    without, _ = await pdf(shop, await shop.draft(draft["customerId"], line(price)))
    assert "Leveringsdato" not in without


async def test_a_draft_carries_a_watermark_and_no_number(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price("10")))
    text, name = await pdf(shop, draft)
    assert "KLADDE" in text
    assert "12,50" in text
    assert name == 'inline; filename="Faktura kladde.pdf"'
    assert await pdf(shop, draft, "?draft=true") == (text, name)


async def test_a_sent_invoice_can_be_shown_as_a_draft(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price("10")))
    assert "KLADDE" in (await pdf(shop, sent, "?draft=true"))[0]
    assert "KLADDE" not in (await pdf(shop, sent))[0]
    await shop.refused("GET", f"/v1/invoices/{sent['id']}/pdf?draft=7", None, 400, "SHARED_VALIDATION_FAILED")


@pytest.mark.parametrize(
    ("customer", "group", "reason"),
    [
        ({"vatZone": "eu", "countryCode": "SE", "vatNumber": "SE556677889901"}, "1", "Article 138"),
        ({"vatZone": "eu", "countryCode": "SE", "vatNumber": "SE556677889901"}, "2", "Articles 44 and 196"),
        ({"vatZone": "eu", "countryCode": "SE", "vatNumber": "SE556677889901", "language": "da"}, "1", "artikel 138"),
        ({"vatZone": "abroad", "countryCode": "NO"}, "1", "Article 146"),
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


@pytest.mark.parametrize(
    ("fields", "title", "name"),
    [
        ({"countryCode": "DK"}, "Faktura", "Faktura 1.pdf"),
        ({"countryCode": "GL", "vatZone": "abroad"}, "Faktura", "Faktura 1.pdf"),
        ({"countryCode": "FO", "vatZone": "abroad"}, "Faktura", "Faktura 1.pdf"),
        ({"countryCode": "US", "vatZone": "abroad"}, "Invoice", "Invoice 1.pdf"),
        ({"countryCode": "US", "vatZone": "abroad", "language": "da"}, "Faktura", "Faktura 1.pdf"),
        ({"countryCode": "DK", "language": "en"}, "Invoice", "Invoice 1.pdf"),
    ],
)
async def test_the_buyers_country_speaks_where_no_language_is_set(
    shop: Shop, fields: dict[str, str], title: str, name: str
) -> None:
    draft = await shop.draft(await shop.customer(**fields), line(await shop.price("10", "1")))
    assert title in (await pdf(shop, draft))[0].split()
    text, disposition = await pdf(shop, await shop.send(draft))
    assert title in text.split()
    assert disposition == f'inline; filename="{name}"'


async def test_of_several_templates_in_the_buyers_language_the_default_goes_first(shop: Shop) -> None:
    first = await shop.draft(await shop.customer(), line(await shop.price("10")))
    second = await shop.draft(await shop.customer(), line(await shop.price("10")))
    chosen = [(await shop.send(first))["documentTemplateId"]]
    own = {"name": "Egen", "documentType": "invoice-template", "language": "da", "isDefault": True}
    default = (await shop.ok("POST", "/v1/document-templates", own))["id"]
    chosen.append((await shop.send(second))["documentTemplateId"])
    assert chosen[0] != default
    assert chosen[1] == default


async def test_goods_and_services_abroad_stand_apart_with_a_mark_each(shop: Shop) -> None:
    # momsbekendtgørelsen § 58, stk. 3
    goods, services = await shop.price("100", "1"), await shop.price("7", "2")
    for zone, country, number in (("abroad", "NO", None), ("eu", "SE", "SE556677889901")):
        customer = await shop.customer(vatZone=zone, countryCode=country, vatNumber=number)
        sent = await shop.send(await shop.draft(customer, line(goods), line(services), line(goods)))
        text = " ".join((await pdf(shop, sent))[0].split())
        rows = re.findall(r"([ab]\)) [A-Z][A-Za-z -]+ ([\d.]+) –", text)
        assert sorted(amount for _, amount in rows) == ["200.00", "7.00"]
        marks = dict(rows)
        assert set(marks) == {"a)", "b)"}
        for mark, amount in marks.items():
            shown = "100.00" if amount == "200.00" else "7.00"
            assert text.count(f"{shown} {mark} {shown}") == (2 if shown == "100.00" else 1)


async def test_what_no_font_shows_is_refused_before_it_is_booked(shop: Shop) -> None:
    customer, price = await shop.customer(name="東京 A/S"), await shop.price("10")
    draft = await shop.draft(customer, line(price, description="Kaffe ☕ 咖啡"), notes="ไทย")
    for method, path, body in (
        ("POST", f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Manual"}),
        ("POST", f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Email", "overrideEmail": "a@example.com"}),
        ("GET", f"/v1/invoices/{draft['id']}/pdf", None),
    ):
        details = await shop.refused(method, path, body, 400, "DOCUMENT_CHARACTERS_UNPRINTABLE")
        found = {it["character"]: it for it in details["characters"]}
        assert set(found) == set("東京咖啡ไทย")
        assert found["東"] == {
            "character": "東", "codePoint": "U+6771", "name": "CJK UNIFIED IDEOGRAPH-6771", "fields": ["buyer.name"],
        }  # fmt: skip
        assert found["咖"]["fields"] == ["lines.0.description"]
        assert found["ท"]["fields"] == ["notes"]
    assert (await shop.invoice(draft["id"]))["status"] == "draft"
    assert await shop.events("invoice.sent") == []
    assert await shop.value("SELECT count(*) FROM journal_entries WHERE company_id = $1", shop.api.company_id) == 0
    await shop.ok("PATCH", f"/v1/customers/{customer}", {"name": "Tokyo A/S"})
    changes = {"lines": [line(price, description="Kaffe ☕")], "notes": None}
    await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", changes)
    assert (await shop.send(draft))["number"] == "1"


async def test_a_folder_of_fonts_lets_it_go(shop: Shop, tmp_path: Path) -> None:
    draft = await shop.draft(await shop.customer(name="東京 A/S"), line(await shop.price("10")))
    write_font(tmp_path, "japanese.ttf", "東京")
    use_fonts(tmp_path)
    try:
        assert "東京A/S" in "".join((await pdf(shop, draft))[0].split())
        sent = await shop.send(draft)
        assert "東京A/S" in "".join((await pdf(shop, sent))[0].split())
        unread = await shop.send(await shop.draft(draft["customerId"], line(await shop.price("10"))))
    finally:
        use_fonts(None)
    # Without the fonts again, what is booked is refused by name too: never a box in the place of a letter. What was set
    # meanwhile is kept.
    await shop.refused("GET", f"/v1/invoices/{unread['id']}/pdf", None, 400, "DOCUMENT_CHARACTERS_UNPRINTABLE")
    assert "東京A/S" in "".join((await pdf(shop, sent))[0].split())


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


async def test_the_folder_of_fonts_is_a_setting(
    shop: Shop, database_url: str, clock: SteeredClock, tmp_path: Path
) -> None:
    draft = await shop.draft(await shop.customer(name="東京 A/S"), line(await shop.price("10")))
    write_font(tmp_path, "japanese.ttf", "東京")
    path = f"/api/v1/invoices/{draft['id']}/pdf"
    try:
        async with instance(database_url, clock, settings=Settings(fonts_dir=tmp_path)) as client:
            assert (await client.get(path, headers={"x-api-key": shop.api.key})).status_code == 200
    finally:
        use_fonts(None)
