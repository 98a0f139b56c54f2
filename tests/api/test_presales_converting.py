"""Converting quotes and order confirmations: what is copied, what is linked, once only."""

import asyncio
from typing import Any

import pytest
from tests.conftest import Api
from tests.selling import Shop, line

LINE_FIELDS = ("lineType", "priceId", "description", "quantity", "unit", "unitPrice", "discountPercent", "totalPrice")
FIELDS = (
    "customerId", "customerDepartmentId", "customerContactId", "date", "currency", "reference", "ourReference", "notes",
    "subtotal", "vat", "amount",
)  # fmt: skip


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def convert(shop: Shop, quote: dict[str, Any], target: str = "invoice", **document: Any) -> dict[str, Any]:
    body = {"target": target, **({"document": document} if document else {})}
    made: dict[str, Any] = await shop.ok("POST", f"/v1/quotes/{quote['id']}/convert", body)
    return made


async def rich_quote(shop: Shop) -> dict[str, Any]:
    """A sent quote with something in every field."""
    customer, price = await shop.customer(), await shop.price("99.99")
    contact = await shop.ok("POST", f"/v1/customers/{customer}/contacts", {"name": "Mette", "email": "m@example.com"})
    draft = await shop.quote(
        customer,
        line(price, "2.5", unitPrice="80.123456", discountPercent=10, description="Work"),
        {"lineType": "separator"},
        {"lineType": "text", "description": "Thanks"},
        line(price, 3),
        customerContactId=contact["id"], reference="PO-7", ourReference="Anna", notes="Tak", validUntil="2026-04-01",
    )  # fmt: skip
    await shop.ok("POST", f"/v1/quotes/{draft['id']}/send", {}, status=200)
    found: dict[str, Any] = await shop.ok("GET", f"/v1/quotes/{draft['id']}")
    return found


def same_sale(one: dict[str, Any], other: dict[str, Any]) -> bool:
    lines = [[[each[name] for name in LINE_FIELDS] for each in document["lines"]] for document in (one, other)]
    return [one[name] for name in FIELDS] == [other[name] for name in FIELDS] and lines[0] == lines[1]


async def test_a_quote_becomes_an_order_confirmation_becomes_an_invoice(shop: Shop) -> None:
    quote = await rich_quote(shop)
    confirmation = await convert(shop, quote, "orderConfirmation")
    assert same_sale(quote, confirmation)
    assert confirmation["convertedFrom"] == {"type": "quote", "id": quote["id"]}
    assert (confirmation["status"], confirmation["documentNumber"], confirmation["documentTemplateId"]) == (
        "draft", None, None,
    )  # fmt: skip
    assert "warnings" not in confirmation
    assert await shop.ok("GET", f"/v1/order-confirmations/{confirmation['id']}") == confirmation
    source = await shop.ok("GET", f"/v1/quotes/{quote['id']}")
    assert (source["status"], source["displayStatus"]) == ("sent", "converted")
    assert source["convertedToOrderConfirmationId"] == confirmation["id"]
    assert {one["id"] for one in confirmation["lines"]} & {one["id"] for one in quote["lines"]} == set()

    path = f"/v1/order-confirmations/{confirmation['id']}"
    body = {"target": "invoice"}
    await shop.refused("POST", f"{path}/convert", body, 400, "SALES_DOCUMENT_CONVERT_REQUIRES_SENT")
    await shop.ok("POST", f"{path}/send", {}, status=200)
    invoice = await shop.ok("POST", f"{path}/convert", body)
    assert same_sale(quote, invoice)
    assert invoice["convertedFrom"] == {"type": "orderConfirmation", "id": confirmation["id"]}
    assert (invoice["status"], invoice["number"], invoice["dueDate"]) == ("draft", None, "2026-03-30")
    assert await shop.invoice(invoice["id"]) == invoice
    confirmation = await shop.ok("GET", path)
    assert (confirmation["displayStatus"], confirmation["convertedToInvoiceId"]) == ("converted", invoice["id"])

    sent = await shop.send(invoice)
    assert (sent["number"], sent["amount"], sent["convertedFrom"]) == ("1", quote["amount"], invoice["convertedFrom"])


async def test_nothing_is_mailed_or_numbered_and_each_event_is_there_once(shop: Shop) -> None:
    quote = await rich_quote(shop)
    await shop.ok("POST", f"/v1/quotes/{quote['id']}/accept", {}, status=200)
    made = await convert(shop, quote)
    assert (made["number"], made["status"], made["deliveryStatus"]) == (None, "draft", None)
    count = "SELECT count(*) FROM {} WHERE company_id = $1"
    assert await shop.value(count.format("deliveries"), shop.api.company_id) == 1, "the quote's own"
    assert await shop.value("SELECT count(*) FROM number_series WHERE company_id = $1", shop.api.company_id) == 1
    for topic in ("quote.created", "quote.sent", "quote.accepted", "quote.converted", "invoice.created"):
        assert len(await shop.events(topic)) == 1, topic
    (event,) = await shop.events("quote.converted")
    assert event["convertedToInvoiceId"] == made["id"]


async def test_what_was_converted_is_read_only(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()))
    await convert(shop, quote)
    path = f"/v1/quotes/{quote['id']}"
    after = await shop.ok("GET", path)
    for method, one, body in (
        ("POST", f"{path}/convert", {"target": "invoice"}),
        ("POST", f"{path}/convert", {"target": "orderConfirmation"}),
        ("POST", f"{path}/accept", None), ("POST", f"{path}/reject", None), ("POST", f"{path}/send", {}),
        ("PATCH", path, {"validUntil": "2026-06-01"}), ("PATCH", path, {"notes": "x"}),
    ):  # fmt: skip
        assert await shop.refused(method, one, body, 409, "QUOTE_INVALID_STATE") == {"status": "converted"}
    assert await shop.ok("GET", path) == after


async def test_of_two_conversions_at_once_one_wins(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()))
    targets = ["invoice", "orderConfirmation"] * 2
    answers = await asyncio.gather(
        *(shop.api.post(f"/v1/quotes/{quote['id']}/convert", {"target": target}) for target in targets)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    made = [(await shop.ok("GET", path))["total"] for path in ("/v1/invoices", "/v1/order-confirmations")]
    assert sorted(made) == [0, 1]


async def test_a_draft_or_rejected_quote_is_not_converted_an_expired_one_is(shop: Shop) -> None:
    price = await shop.price()
    draft = await shop.quote(await shop.customer(), line(price))
    path, body = f"/v1/quotes/{draft['id']}/convert", {"target": "invoice"}
    await shop.refused("POST", path, body, 400, "SALES_DOCUMENT_CONVERT_REQUIRES_SENT")
    rejected = await shop.offered(line(price))
    await shop.ok("POST", f"/v1/quotes/{rejected['id']}/reject", {}, status=200)
    path = f"/v1/quotes/{rejected['id']}/convert"
    assert await shop.refused("POST", path, body, 409, "QUOTE_INVALID_STATE") == {"status": "rejected"}
    expired = await shop.offered(line(price), validUntil="2026-03-16")
    shop.api.clock.advance(days=5)
    assert (await convert(shop, expired))["status"] == "draft"


async def test_prices_stand_as_they_were_offered(shop: Shop) -> None:
    """Whatever became of the catalogue: a discount of the group, a price and product that are sold no more."""
    product = await shop.product()
    price = await shop.price("100", product=product)
    quote = await shop.offered(line(price, 3))
    await shop.ok("PATCH", f"/v1/products/{product}", {"name": "Renamed"})
    archived = await shop.api.post(f"/v1/product-prices/{price}/archive")
    assert archived.status_code == 200, archived.text
    made = await convert(shop, quote)
    assert same_sale(quote, made)
    assert made["lines"][0]["description"] == "Consulting"


async def test_the_document_of_the_request_says_what_is_otherwise(shop: Shop) -> None:
    quote, price = await rich_quote(shop), await shop.price("10")
    made = await convert(
        shop, quote, date="2026-03-20", dueDate="2026-05-01", notes=None, reference="PO-8", description="May",
        customerContactId=None, lines=[line(price, 4)],
    )  # fmt: skip
    assert (made["date"], made["dueDate"], made["notes"], made["reference"]) == (
        "2026-03-20",
        "2026-05-01",
        None,
        "PO-8",
    )
    assert (made["ourReference"], made["description"], made["customerContactId"]) == ("Anna", "May", None)
    assert (made["subtotal"], made["amount"]) == ("40.00", "50.00")
    (warning,) = made["warnings"]
    assert warning["code"] == "SALES_DOCUMENT_TOTALS_DIFFER"
    assert warning["details"]["before"]["amount"] == quote["amount"]
    assert warning["details"]["after"] == {"currency": "DKK", "subtotal": "40.00", "vat": "10.00", "amount": "50.00"}


async def test_vat_is_that_of_the_made_documents_tax_point(shop: Shop) -> None:
    """The rate falls on 1 April: who accepted 125.00 gets an invoice of 120.00, and the seller is told."""
    quote = await shop.offered(line(await shop.price("100", group="1")))
    assert quote["amount"] == "125.00"
    (code,) = [one for one in await shop.ok("GET", "/v1/vat-codes") if one["vatCode"] == "S01"]
    rates = {"rates": [{"vatRate": 25}, {"vatRate": 20, "validFrom": "2026-04-01"}]}
    await shop.ok("PUT", f"/v1/vat-codes/{code['id']}/rates", rates)
    made = await convert(shop, quote, date="2026-04-02")
    assert (made["subtotal"], made["vat"], made["amount"]) == ("100.00", "20.00", "120.00")
    assert [one["details"]["after"]["vat"] for one in made["warnings"]] == ["20.00"]


@pytest.mark.parametrize(
    ("target", "document", "property_"),
    [
        ("invoice", {"lines": [{"lineType": "text", "description": "x"}]}, "document.lines"),
        ("invoice", {"dueDate": "2026-01-01"}, "document.dueDate"),
        ("invoice", {"date": "2028-01-01"}, "document.date"),
        ("invoice", {"validUntil": "2026-04-01"}, "document.validUntil"),
        ("invoice", {"customerId": "01a205bb-0000-7000-8000-000000000000"}, "document.customerId"),
        ("orderConfirmation", {"dueDate": "2026-04-01"}, "document.dueDate"),
        ("orderConfirmation", {"paymentTerms": 8, "description": "x"}, "document.paymentTerms"),
        ("quote", {}, "target"),
    ],
)
async def test_a_wrong_document_is_told_where_it_is_wrong_and_nothing_is_made(
    shop: Shop, target: str, document: dict[str, Any], property_: str
) -> None:
    quote = await shop.offered(line(await shop.price()))
    path = f"/v1/quotes/{quote['id']}"
    body = {"target": target, "document": document}
    details = await shop.refused("POST", f"{path}/convert", body, 400, "SHARED_VALIDATION_FAILED")
    assert property_ in {error["property"] for error in details["validationErrors"]}
    assert await shop.ok("GET", path) == quote
    assert (await shop.ok("GET", "/v1/invoices"))["total"] == 0


async def test_what_the_document_refers_to_is_told_with_its_place(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()))
    nobody = "01a205bb-0000-7000-8000-000000000000"
    path = f"/v1/quotes/{quote['id']}/convert"
    for document, code, property_ in (
        ({"lines": [line(nobody)]}, "PRODUCT_PRICE_NOT_FOUND", "document.lines.0.priceId"),
        ({"customerContactId": nobody}, "CONTACT_NOT_FOUND", "document.customerContactId"),
        ({"documentTemplateId": nobody}, "DOCUMENT_TEMPLATE_NOT_FOUND", "document.documentTemplateId"),
    ):
        details = await shop.refused("POST", path, {"target": "invoice", "document": document}, 404, code)
        assert details["property"] == property_


async def test_an_invoice_that_was_made_is_not_deleted(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()))
    made = await convert(shop, quote)
    details = await shop.refused("DELETE", f"/v1/invoices/{made['id']}", None, 409, "INVOICE_IN_USE")
    assert details == {"usedBy": ["quotes"]}
    assert await shop.invoice(made["id"]) == made
    changed = await shop.ok("PATCH", f"/v1/invoices/{made['id']}", {"notes": "Tak"})
    assert changed["convertedFrom"] == {"type": "quote", "id": quote["id"]}


async def test_in_a_foreign_currency_the_amounts_stand(shop: Shop) -> None:
    """Converted at the rate of the quote's day: another day has another rate, and the offer is what was offered."""
    customer, price = await shop.customer(currency="EUR"), await shop.price("100")
    draft = await shop.quote(customer, line(price, 3), currency="EUR")
    await shop.ok("POST", f"/v1/quotes/{draft['id']}/send", {}, status=200)
    made = await convert(shop, draft, date="2026-03-18")
    assert (made["currency"], made["amount"]) == ("EUR", draft["amount"])
    assert made["lines"][0]["unitPrice"] == draft["lines"][0]["unitPrice"]
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-18", "rate": "7.9"}, status=200)
    moved = await shop.ok("PATCH", f"/v1/invoices/{made['id']}", {"date": "2026-03-17"})
    moved = await shop.ok("PATCH", f"/v1/invoices/{made['id']}", {"date": "2026-03-18"})
    assert (moved["amount"], moved["lines"][0]["unitPrice"]) == (made["amount"], made["lines"][0]["unitPrice"])


async def test_a_conversion_again_under_its_key_is_the_same(shop: Shop) -> None:
    quote = await shop.offered(line(await shop.price()))
    key = {"x-api-idempotency-key": "convert-1"}
    path, body = f"/v1/quotes/{quote['id']}/convert", {"target": "orderConfirmation"}
    first = await shop.api.post(path, body, headers=key)
    again = await shop.api.post(path, body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (await shop.ok("GET", "/v1/order-confirmations"))["total"] == 1
