"""What the PDF of a sent document shows beside what was booked (payments, credits, the logo), and its e-invoice."""

import base64
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from tests.conftest import Api
from tests.pictures import plain_png
from tests.selling import Shop, line
from tests.ubl import Ubl

EAN = "5798009811578"


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def sold(shop: Shop, amount: str = "1000", **fields: Any) -> dict[str, Any]:
    """A sent invoice to a customer who gets e-invoices."""
    customer = await shop.customer(eanNumber=EAN)
    return await shop.send(await shop.draft(customer, line(await shop.price(amount)), **fields))


async def pdf(shop: Shop, path: str) -> bytes:
    response = await shop.api.get(f"/v1/{path}/pdf")
    assert response.status_code == 200, response.text
    return response.content


def text_of(content: bytes) -> str:
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
    return text.replace("\xa0", " ")


def files_in(content: bytes) -> dict[str, list[bytes]]:
    return dict(PdfReader(BytesIO(content)).attachments)


async def test_what_was_paid_and_credited_is_shown_and_gone_when_it_is_taken_back(shop: Shop) -> None:
    """Momsbekendtgørelsen § 58 has the invoice as it was; what is left to pay of it is the state of the day."""
    invoice = await sold(shop)
    path = f"invoices/{invoice['id']}"
    as_sent = await pdf(shop, path)
    assert "Betalt" not in text_of(as_sent)
    assert "Restbeløb" not in text_of(as_sent)
    body = {"date": "2026-03-20", "amount": "750"}
    payment = await shop.ok("POST", f"/v1/invoices/{invoice['id']}/payments", body)
    paid = text_of(await pdf(shop, path))
    assert ("Betalt −750,00" in paid, "Restbeløb DKK 500,00" in paid, "DKK 500,00" in paid) == (True, True, True)
    reversal = {"date": "2026-03-21"}
    await shop.ok("POST", f"/v1/payments/{payment['id']}/reverse", reversal, status=200)
    assert await pdf(shop, path) == as_sent


async def test_a_credit_in_part_leaves_the_rest_to_pay_and_one_in_full_nothing(shop: Shop) -> None:
    """Case A8: 50.00, credited 10.00."""
    invoice = await sold(shop, "40")
    path, what = f"invoices/{invoice['id']}", {"invoiceLineId": invoice["lines"][0]["id"]}
    await shop.credited(invoice, {**what, "unitPrice": "8"})
    text = text_of(await pdf(shop, path))
    assert ("Krediteret −10,00" in text, "Restbeløb DKK 40,00" in text, "Til betaling" in text) == (True, True, True)
    await shop.credited(invoice)
    text = text_of(await pdf(shop, path))
    assert ("Krediteret −50,00" in text, "Restbeløb DKK 0,00" in text, "Til betaling" in text) == (True, True, False)


async def test_credit_that_was_used_is_paid(shop: Shop) -> None:
    """Case A7: 1,250.00, paid 750.00, credited 625.00; what is over, 125.00, is used on the next invoice."""
    customer, price = await shop.customer(eanNumber=EAN), await shop.price("1000")
    first, second = [await shop.send(await shop.draft(customer, line(price))) for _ in range(2)]
    await shop.ok("POST", f"/v1/invoices/{first['id']}/payments", {"date": "2026-03-20", "amount": "750"})
    await shop.credited(first, {"invoiceLineId": first["lines"][0]["id"], "unitPrice": "500"})
    text = text_of(await pdf(shop, f"invoices/{first['id']}"))
    for part in ("Betalt −750,00", "Krediteret −625,00", "Restbeløb DKK 0,00"):
        assert part in text, part
    await shop.ok("POST", f"/v1/invoices/{second['id']}/apply-credit", {})
    text = text_of(await pdf(shop, f"invoices/{second['id']}"))
    assert ("Betalt −125,00" in text, "Restbeløb DKK 1.125,00" in text) == (True, True)


async def test_a_new_logo_is_printed_on_what_was_sent(shop: Shop) -> None:
    path = f"invoices/{(await sold(shop))['id']}"
    without = await pdf(shop, path)
    await shop.ok("PATCH", "/v1/company", {"logo": base64.b64encode(plain_png(40, 20)).decode()})
    with_logo = await pdf(shop, path)
    assert [len(PdfReader(BytesIO(one)).pages[0].images) for one in (without, with_logo)] == [0, 1]
    await shop.ok("PATCH", "/v1/company", {"logo": None})
    assert await pdf(shop, path) == without


async def test_the_e_invoice_is_inside(shop: Shop) -> None:
    invoice = await sold(shop)
    path = f"invoices/{invoice['id']}"
    xml = (await shop.api.get(f"/v1/{path}/e-invoice?format=peppol")).content
    assert files_in(await pdf(shop, path)) == {"Faktura 1 peppol.xml": [xml]}
    note = await shop.send_note(await shop.credit(invoice))
    content = (await shop.api.get(f"/v1/credit-notes/{note['id']}/e-invoice?format=peppol")).content
    assert files_in(await pdf(shop, f"credit-notes/{note['id']}")) == {"Kreditnota 1 peppol.xml": [content]}
    assert Ubl.of(content).text("LegalMonetaryTotal/PayableAmount") == "1250.00"
    assert Ubl.of(content).text("BillingReference/InvoiceDocumentReference/ID") == invoice["number"]
    # What was paid and credited since is the paper's; the e-invoice is as it was booked.
    assert files_in(await pdf(shop, path)) == {"Faktura 1 peppol.xml": [xml]}


async def test_what_is_no_e_invoice_has_none_inside(shop: Shop) -> None:
    nobody = await shop.sold(line(await shop.price("10")))
    await shop.refused("GET", f"/v1/invoices/{nobody['id']}/e-invoice", None, 409, "E_INVOICE_INCOMPLETE")
    draft = await shop.draft(await shop.customer(eanNumber=EAN), line(await shop.price("10")))
    quote = await shop.offered(line(await shop.price("10")))
    for path in (f"invoices/{nobody['id']}", f"invoices/{draft['id']}", f"quotes/{quote['id']}"):
        assert files_in(await pdf(shop, path)) == {}
