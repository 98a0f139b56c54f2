"""What a credit note says on paper and in its mail, and how it is delivered."""

import asyncio
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from tests.api.test_delivery_worker import TIMEOUT_S, working
from tests.conftest import Api
from tests.post_office import PostOffice, open_post_office
from tests.selling import Shop, line


@pytest.fixture
async def shop(api: Api) -> Shop:
    shop = Shop(api)
    company = {
        "address": "Strandvejen 7", "postalCode": "2900", "city": "Hellerup", "vatNumber": "13585628",
        "iban": "DK5000400440116243",
    }  # fmt: skip
    await shop.ok("PATCH", "/v1/company", company)
    return shop


async def printed(shop: Shop, note: dict[str, Any], query: str = "") -> tuple[str, str]:
    """The text of a note's PDF, and the name of the file."""
    response = await shop.api.get(f"/v1/credit-notes/{note['id']}/pdf{query}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/pdf"
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(response.content)).pages)
    return text.replace("\xa0", " "), response.headers["content-disposition"]


async def test_a_note_names_its_invoice(shop: Shop) -> None:
    """Momsbekendtgørelsen § 58(2): what an invoice says, and which invoice it amends. Nothing is to be paid."""
    customer = await shop.customer(vatNumber="29189846")
    sold = await shop.send(await shop.draft(customer, line(await shop.price("1234.5"), 2, discountPercent=10)))
    note = await shop.credit(sold, date="2026-03-20", notes="Returned goods")
    drafted, name = await printed(shop, note)
    assert (name, "KLADDE" in drafted) == ('inline; filename="Kreditnota 1.pdf"', True)
    assert "Havblik A/S" in drafted
    await shop.ok("PATCH", f"/v1/customers/{customer}", {"name": "Solblik A/S"})
    text, _ = await printed(shop, await shop.send_note(note))
    for part in (
        "Kreditnota", "Krediterer faktura", "Nordlys ApS", "Strandvejen 7", "DK13585628", "Havblik A/S", "Havnegade 1",
        "1058 København K", "20. marts 2026", "Consulting", "1.234,50", "−2.222,10", "25 %", "−555,53", "−2.777,63",
        "Returned goods",
    ):  # fmt: skip
        assert part in text, part
    for absent in ("KLADDE", "Solblik", "Til betaling", "Netto 14 dage", "DK50 0040"):
        assert absent not in text, absent
    assert "KLADDE" in (await printed(shop, note, "?draft=true"))[0]


async def test_a_note_is_in_the_invoices_language(shop: Shop) -> None:
    customer = await shop.customer(language="en")
    sold = await shop.send(await shop.draft(customer, line(await shop.price("100"))))
    await shop.ok("PATCH", f"/v1/customers/{customer}", {"language": "da"})
    text, name = await printed(shop, await shop.send_note(await shop.credit(sold)))
    assert name == 'inline; filename="Credit note 1.pdf"'
    assert ("Credits invoice" in text, "−125.00" in text) == (True, True)


async def test_a_note_that_was_cancelled_is_a_draft_for_ever(shop: Shop) -> None:
    note = await shop.credit(await shop.sold(line(await shop.price("100"))))
    await shop.ok("POST", f"/v1/credit-notes/{note['id']}/cancel", {}, status=200)
    assert "KLADDE" in (await printed(shop, note))[0]


@pytest.mark.parametrize(("language", "words"), [
    ("da", ("Kreditnota 1 fra Nordlys ApS", "Vedhæftet er kreditnota 1", "Krediterer faktura: 1")),
    ("en", ("Credit note 1 from Nordlys ApS", "Please find attached credit note 1", "Credits invoice: 1")),
])  # fmt: skip
async def test_it_goes_out_as_mail(shop: Shop, language: str, words: tuple[str, ...]) -> None:
    address = f"buyer.{shop.api.company_id}@havblik.example"
    customer = await shop.customer(email=address, language=language)
    sold = await shop.send(await shop.draft(customer, line(await shop.price("100"))))
    note = await shop.send_note(await shop.credit(sold), deliveryType="Email")
    assert (note["status"], note["deliveryStatus"], note["sentAt"]) == ("scheduled", "pending", None)
    assert (await shop.invoice(sold["id"]))["status"] == "credited", "booked is booked, whatever becomes of the mail"
    async with open_post_office(PostOffice()) as office, working(shop.api, office.url):
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                if (await shop.note(note["id"]))["status"] == "sent":
                    break
                await asyncio.sleep(0.05)
        [mail] = office.mails_to(address)
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert mail["Subject"] == words[0]
    assert all(word in text for word in words[1:]), text
    assert "IBAN" not in text
    assert [part.get_filename() for part in mail.iter_attachments()] == [f"{words[0].split(' 1')[0]} 1.pdf"]
    status = await shop.ok("GET", f"/v1/credit-notes/{note['id']}/delivery-status")
    assert (status["status"], [attempt["recipient"] for attempt in status["attempts"]]) == ("delivered", [address])


async def test_without_an_address_nothing_is_booked(shop: Shop) -> None:
    sold = await shop.sold(line(await shop.price("100")))
    note = await shop.credit(sold)
    path = f"/v1/credit-notes/{note['id']}/send"
    await shop.refused("POST", path, {"deliveryType": "Email"}, 400, "CREDIT_NOTE_RECIPIENT_MISSING")
    await shop.refused("POST", path, {"deliveryType": "Sproom"}, 409, "E_INVOICE_INCOMPLETE")
    assert await shop.note(note["id"]) == note
    assert (await shop.invoice(sold["id"]))["status"] == "sent"


async def test_a_note_states_its_seller(api: Api) -> None:
    """As an invoice does (momsbekendtgørelsen § 58(2))."""
    shop = Shop(api)
    sold = await shop.sold(line(await shop.price("100")))
    note = await shop.credit(sold)
    await shop.ok("PATCH", "/v1/company", {"city": None})
    details = await shop.refused("POST", f"/v1/credit-notes/{note['id']}/send", {}, 400, "INVOICE_SELLER_INCOMPLETE")
    assert details == {"missing": ["city"]}
