"""The e-invoice of a credit note over the API: as it was booked, in both formats, or why there is none."""

from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import Api
from tests.selling import Shop, line
from tests.ubl import Ubl


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def e_invoice(shop: Shop, note: dict[str, Any], form: str) -> Ubl:
    response = await shop.api.get(f"/v1/credit-notes/{note['id']}/e-invoice?format={form}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/xml")
    assert response.headers["content-disposition"].endswith(f' {form}.xml"')
    return Ubl.of(response.content)


@pytest.mark.parametrize("form", ["peppol", "oioubl"])
async def test_its_amounts_are_positive_and_it_names_its_invoice(shop: Shop, form: str) -> None:
    customer = await shop.customer(eanNumber="5798009811578")
    sold = await shop.send(await shop.draft(customer, line(await shop.price("5.504"), 6, discountPercent=20)))
    note = await shop.send_note(await shop.credit(sold))
    document = await e_invoice(shop, note, form)
    totals = "LegalMonetaryTotal/"
    assert document.text("ID") == note["number"]
    assert document.text("BillingReference/InvoiceDocumentReference/ID") == sold["number"]
    assert Decimal(document.text(f"{totals}LineExtensionAmount") or 0) == -Decimal(note["subtotal"])
    assert Decimal(document.text("TaxTotal/TaxAmount") or 0) == -Decimal(note["vat"])
    assert Decimal(document.text(f"{totals}PayableAmount") or 0) == -Decimal(note["amount"])
    assert document.text("CreditNoteLine/CreditedQuantity") in {"6", "6.00"}


async def test_what_is_not_booked_has_none(shop: Shop) -> None:
    sold = await shop.send(
        await shop.draft(await shop.customer(eanNumber="5798009811578"), line(await shop.price("100")))
    )
    note = await shop.credit(sold)
    path = f"/v1/credit-notes/{note['id']}/e-invoice"
    assert await shop.refused("GET", path, None, 409, "CREDIT_NOTE_INVALID_STATE") == {"status": "draft"}
    await shop.ok("POST", f"/v1/credit-notes/{note['id']}/cancel", {}, status=200)
    assert await shop.refused("GET", path, None, 409, "CREDIT_NOTE_INVALID_STATE") == {"status": "cancelled"}


async def test_of_no_invoice_it_names_none(shop: Shop) -> None:
    customer = await shop.customer(eanNumber="5798009811578")
    body = {"customerId": customer, "date": "2026-03-16", "lines": [line(await shop.price("100"))]}
    note = await shop.send_note(await shop.ok("POST", "/v1/credit-notes", body))
    document = await e_invoice(shop, note, "peppol")
    assert document.texts("BillingReference/InvoiceDocumentReference/ID") == []
    assert document.text("LegalMonetaryTotal/PayableAmount") == "125.00"


async def test_what_is_missing_is_told(shop: Shop) -> None:
    note = await shop.send_note(await shop.credit(await shop.sold(line(await shop.price("100")))))
    path = f"/v1/credit-notes/{note['id']}/e-invoice?format=oioubl"
    details = await shop.refused("GET", path, None, 409, "E_INVOICE_INCOMPLETE")
    assert details == {"format": "oioubl", "missing": ["buyer.endpoint"]}
