"""Credit notes: what they take of an invoice, how they are booked, and what becomes of the invoice."""

from decimal import Decimal
from typing import Any

import pytest
from tests.api.test_payments import account, pay
from tests.conftest import Api
from tests.ledger_books import books_of
from tests.selling import Shop, booked, line

from ledgerbee.ledger.entries.model import EntryType

RECEIVABLE = 6190


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def told(document: dict[str, Any]) -> dict[str, Any]:
    """A document of an answer as its events have it."""
    return {name: value for name, value in document.items() if name != "deliveryStatus"}


def standing(invoice: dict[str, Any]) -> tuple[str, str, str, str]:
    return invoice["status"], invoice["amountPaid"], invoice["creditedAmount"], invoice["amountDue"]


async def faultless(shop: Shop) -> bool:
    found = await (await books_of(shop.api)).verify_all()
    assert found.fault is None, found.fault
    return True


async def test_all_of_an_invoice(shop: Shop) -> None:
    price = await shop.price("99.50")
    draft = await shop.draft(
        await shop.customer(), line(price, 3, discountPercent=10), {"lineType": "text", "description": "Thanks"},
        reference="PO-7", ourReference="Anna",
    )  # fmt: skip
    sold = await shop.send(draft)
    note = await shop.credit(sold, notes="Returned")
    assert {name: note[name] for name in ("number", "status", "subtotal", "vat", "amount", "currency", "date")} == {
        "number": "1", "status": "draft", "subtotal": "-268.65", "vat": "-67.16", "amount": "-335.81",
        "currency": "DKK", "date": "2026-03-16",
    }  # fmt: skip
    assert (note["invoiceId"], note["invoiceNumber"]) == (sold["id"], "1")
    assert (note["reference"], note["ourReference"], note["notes"]) == ("PO-7", "Anna", "Returned")
    assert (note["journalEntryId"], note["sentAt"], note["deliveryStatus"]) == (None, None, None)
    [credited] = note["lines"]
    for alone in ("prepaymentInvoiceId", "subscriptionId", "childCustomerId"):  # which lines of invoices alone have
        del sold["lines"][0][alone]
    assert credited | {"id": None} == {
        **sold["lines"][0], "id": None, "totalPrice": "-268.65", "vatAmount": "-67.16",
        "invoiceLineId": sold["lines"][0]["id"],
    }  # fmt: skip
    assert await shop.note(note["id"]) == note
    assert await shop.events("credit_note.created") == [told(note)]
    assert standing(await shop.invoice(sold["id"])) == ("sent", "0.00", "0.00", "335.81"), "nothing is booked yet"

    answer = await shop.ok("POST", f"/v1/credit-notes/{note['id']}/send", {}, status=200)
    assert answer == {"success": True, "deliveryType": "Manual", "sproomDocumentId": None}
    sent = await shop.note(note["id"])
    news = {"status", "journalEntryId", "documentTemplateId", "sentAt", "deliveryStatus"}
    assert {name for name in sent if sent[name] != note[name]} == news
    assert (sent["status"], sent["deliveryStatus"]) == ("sent", "manual")
    entry = await shop.entry(sent["journalEntryId"])
    assert booked(entry) == [
        (RECEIVABLE, Decimal("-335.81"), Decimal("-335.81"), "CONTROL"),
        (1010, Decimal("268.65"), Decimal("268.65"), "ENTERED"),
        (7680, Decimal("67.16"), Decimal("67.16"), "VAT"),
    ]
    content = entry.content
    assert (content.entry_type, content.original_amount) == (EntryType.CUSTOMER_INVOICE, Decimal("-335.81"))
    assert (content.reference, content.description) == ("1", "Kreditnota 1 til faktura 1, Havblik A/S")
    source = await shop.value("SELECT source_type || source_id FROM journal_entries WHERE id = $1", entry.id)
    assert source == "credit_note" + note["id"]
    credited_invoice = await shop.invoice(sold["id"])
    assert standing(credited_invoice) == ("credited", "0.00", "335.81", "0.00")
    assert await shop.balance(RECEIVABLE) == 0
    assert await shop.events("credit_note.sent") == [told(sent)]
    assert await shop.events("invoice.credited") == [told(credited_invoice)]
    assert await shop.events("invoice.paid") == []
    assert await faultless(shop)


async def test_a_partial_credit_leaves_the_rest_due(shop: Shop) -> None:
    """50.00, credited 10.00: 40.00 is due, which takes payments; a second note of 40.00 makes it credited."""
    sold = await shop.sold(line(await shop.price("40")))
    part = await shop.credited(sold, {"priceId": sold["lines"][0]["priceId"], "unitPrice": "8"})
    assert standing(part) == ("sent", "0.00", "10.00", "40.00")
    assert standing(await shop.credited(sold)) == ("credited", "0.00", "50.00", "0.00")
    other = await shop.sold(line(await shop.price("40")))
    await shop.credited(other, {"invoiceLineId": other["lines"][0]["id"], "unitPrice": 8})
    body = {"date": "2026-03-20", "amount": "40.01"}
    details = await shop.refused("POST", f"/v1/invoices/{other['id']}/payments", body, 400, "PAYMENT_EXCEEDS_INVOICE")
    assert details["amountDue"] == "40.00"
    await pay(shop, other, "40")
    assert standing(await shop.invoice(other["id"])) == ("paid", "40.00", "10.00", "0.00")
    assert await shop.balance(RECEIVABLE) == 0
    assert await faultless(shop)


async def test_a_note_for_each_line_ends_at_zero(shop: Shop) -> None:
    """Three lines of 3.33 at 25 %, VAT 2.50: the last note takes the last of the VAT; a fourth is refused."""
    price = await shop.price("3.33")
    sold = await shop.sold(*[line(price) for _ in range(3)])
    notes = [await shop.credit(sold, {"priceId": price}) for _ in range(3)]
    assert [note["vat"] for note in notes] == ["-0.83", "-0.83", "-0.84"]
    assert [note["lines"][0]["invoiceLineId"] for note in notes] == [sold_line["id"] for sold_line in sold["lines"]]
    body = {"customerId": sold["customerId"], "invoiceNumber": sold["number"], "lines": [{"priceId": price}]}
    await shop.refused("POST", "/v1/credit-notes", body, 409, "CREDIT_NOTE_EXCEEDS_INVOICE")
    for note in notes:
        await shop.send_note(note)
    assert standing(await shop.invoice(sold["id"])) == ("credited", "0.00", sold["amount"], "0.00")
    assert await shop.balance(RECEIVABLE) == await shop.balance(7680) == 0


async def test_what_is_more_than_due_stays_on_the_customer(shop: Shop) -> None:
    """Invoice 1,250.00, paid 750.00, credit note 625.00: 500.00 closes it, 125.00 is the customer's credit."""
    sold = await shop.sold(line(await shop.price("500"), 2))
    await pay(shop, sold, "750")
    half = await shop.credited(sold, {"invoiceLineId": sold["lines"][0]["id"], "quantity": 1})
    assert standing(half) == ("paid", "750.00", "625.00", "0.00")
    assert await shop.balance(RECEIVABLE) == -125
    assert [event["id"] for event in await shop.events("invoice.paid")] == [sold["id"]]
    body = {"date": "2026-03-20", "amount": "0.01"}
    await shop.refused("POST", f"/v1/invoices/{sold['id']}/payments", body, 409, "INVOICE_INVALID_STATE")
    assert await faultless(shop)
    whole = await shop.credited(sold)
    assert standing(whole) == ("credited", "750.00", "1250.00", "0.00")
    assert await shop.balance(RECEIVABLE) == -750
    assert await faultless(shop)


async def test_a_payment_that_is_taken_back_after_a_credit(shop: Shop) -> None:
    sold = await shop.sold(line(await shop.price("500"), 2))
    payment = await pay(shop, sold, "750")
    await shop.credited(sold, {"invoiceLineId": sold["lines"][0]["id"], "quantity": 1})
    await shop.ok("POST", f"/v1/payments/{payment['id']}/reverse", {}, status=200)
    assert standing(await shop.invoice(sold["id"])) == ("sent", "0.00", "625.00", "625.00")
    assert await faultless(shop)
    again = await pay(shop, sold, "625")
    await shop.credited(sold)
    assert standing(await shop.invoice(sold["id"])) == ("credited", "625.00", "1250.00", "0.00")
    await shop.ok("POST", f"/v1/payments/{again['id']}/reverse", {}, status=200)
    assert standing(await shop.invoice(sold["id"])) == ("credited", "0.00", "1250.00", "0.00")
    assert await shop.balance(RECEIVABLE) == 0
    assert await faultless(shop)


async def test_nothing_is_todays_customers_or_catalogues(shop: Shop) -> None:
    """Zone, name and address have changed, the price is archived, the group sells on another account, the customer is
    not active: the note is the invoice's."""
    price = await shop.price("80")
    customer = await shop.customer(name="Gammel A/S")
    sold = await shop.send(await shop.draft(customer, line(price)))
    await shop.ok("PATCH", f"/v1/customers/{customer}", {
        "name": "Ny AB", "vatZone": "eu", "countryCode": "SE", "vatNumber": "SE556677889901", "address": "Nygatan 1",
        "city": "Malmö", "postalCode": "21120", "language": "en", "isActive": False,
    })  # fmt: skip
    await shop.ok("POST", f"/v1/product-prices/{price}/archive", {}, status=200)
    other = await account(shop, 1012)
    groups = await shop.groups()
    await shop.ok("PATCH", f"/v1/product-groups/{groups['2']}", {"domesticWithoutVatAccountId": other})
    note = await shop.send_note(await shop.credit(sold))
    assert note["amount"] == "-100.00"
    entry = await shop.entry(note["journalEntryId"])
    assert [account for account, *_ in booked(entry)] == [RECEIVABLE, 1010, 7680]
    content = await shop.value("SELECT content FROM document_snapshots WHERE document_id = $1", note["id"])
    was = await shop.value("SELECT content FROM document_snapshots WHERE document_id = $1", sold["id"])
    assert content["buyer"] == was["buyer"]
    assert (content["buyer"]["name"], content["language"]) == ("Gammel A/S", "da")
    assert content["vatRows"] == [{**was["vatRows"][0], "taxable": "-80.00", "vat": "-20.00"}]
    assert content["creditsInvoiceNumber"] == sold["number"]


async def test_a_sale_without_vat_is_credited_with_its_reason(shop: Shop) -> None:
    swede = {"vatZone": "eu", "countryCode": "SE", "vatNumber": "SE556677889901"}
    sold = await shop.send(await shop.draft(await shop.customer(**swede), line(await shop.price("80"))))
    note = await shop.send_note(await shop.credit(sold))
    entry = await shop.entry(note["journalEntryId"])
    assert booked(entry) == [
        (RECEIVABLE, Decimal(-80), Decimal(-80), "CONTROL"), (1150, Decimal(80), Decimal(80), "ENTERED"),
    ]  # fmt: skip
    was, now = [
        await shop.value("SELECT content FROM document_snapshots WHERE document_id = $1", one["id"])
        for one in (sold, note)
    ]
    assert now["vatRows"][0]["exemptionReason"] == was["vatRows"][0]["exemptionReason"]
    assert now["vatRows"][0]["category"] == "AE"


async def test_a_credit_of_no_invoice(shop: Shop) -> None:
    price = await shop.price("100")
    customer = await shop.customer()
    body = {"customerId": customer, "date": "2026-03-16", "lines": [line(price, 2, unitPrice="50"), line(price)]}
    note = await shop.ok("POST", "/v1/credit-notes", body)
    assert (note["number"], note["amount"], note["invoiceId"], note["invoiceNumber"]) == ("1", "-250.00", None, None)
    assert [one["totalPrice"] for one in note["lines"]] == ["-100.00", "-100.00"]
    assert [one["unitPrice"] for one in note["lines"]] == ["50", "100"]
    assert [one["invoiceLineId"] for one in note["lines"]] == [None, None]
    sent = await shop.send_note(note)
    entry = await shop.entry(sent["journalEntryId"])
    assert booked(entry) == [
        (RECEIVABLE, Decimal(-250), Decimal(-250), "CONTROL"),
        (1010, Decimal(200), Decimal(200), "ENTERED"),
        (7680, Decimal(50), Decimal(50), "VAT"),
    ]
    assert entry.content.description == "Kreditnota 1, Havblik A/S"
    assert await shop.events("invoice.credited") == []
    assert await faultless(shop)


async def test_today_is_the_day_unless_one_is_given(shop: Shop) -> None:
    sold = await shop.sold(line(await shop.price()))
    shop.api.clock.advance(days=3)
    assert (await shop.credit(sold, {"invoiceLineId": sold["lines"][0]["id"], "unitPrice": 1}))["date"] == "2026-03-19"
    later = await shop.credited(sold, date="2026-04-01")
    entry_day = await shop.value("SELECT max(entry_date)::text FROM journal_entries WHERE company_id = $1",
                                 shop.api.company_id)  # fmt: skip
    assert (later["status"], entry_day) == ("sent", "2026-04-01")


async def test_a_note_that_is_cancelled_gives_back_what_it_took(shop: Shop) -> None:
    sold = await shop.sold(line(await shop.price()))
    note = await shop.credit(sold)
    body = {"customerId": sold["customerId"], "invoiceNumber": sold["number"]}
    await shop.refused("POST", "/v1/credit-notes", body, 409, "CREDIT_NOTE_EXCEEDS_INVOICE")
    cancelled = await shop.ok("POST", f"/v1/credit-notes/{note['id']}/cancel", {}, status=200)
    assert cancelled == {**note, "status": "cancelled"}
    assert await shop.events("credit_note.cancelled") == [told(cancelled)]
    for action in ("cancel", "send"):
        details = await shop.refused(
            "POST", f"/v1/credit-notes/{note['id']}/{action}", {}, 409, "CREDIT_NOTE_INVALID_STATE"
        )
        assert details == {"status": "cancelled"}
    again = await shop.send_note(await shop.credit(sold))
    assert again["number"] == "2", "the number of the cancelled one stays its own"
    await shop.refused("POST", f"/v1/credit-notes/{again['id']}/cancel", {}, 409, "CREDIT_NOTE_INVALID_STATE")
    await shop.refused("POST", f"/v1/credit-notes/{again['id']}/send", {}, 409, "CREDIT_NOTE_INVALID_STATE")
    assert await faultless(shop)


class TestForeignCurrency:
    """Each document by the invoice's rate; what is left of the receivable goes to exchange differences."""

    RATE = "7.4637"

    async def sold(self, shop: Shop, price: str, quantity: int = 1) -> dict[str, Any]:
        await shop.ok(
            "PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": self.RATE}, status=200
        )
        return await shop.sold(line(await shop.price(price, currency="EUR"), quantity), currency="EUR")

    async def test_notes_leave_nothing_of_the_receivable(self, shop: Shop) -> None:
        sold = await self.sold(shop, "0.03", 7)
        for _ in range(7):
            note = await shop.send_note(
                await shop.credit(sold, {"invoiceLineId": sold["lines"][0]["id"], "quantity": 1})
            )
            entry = await shop.entry(note["journalEntryId"])
            assert entry.content.exchange_rate == Decimal(self.RATE)
        assert standing(await shop.invoice(sold["id"]))[0] == "credited"
        assert await shop.balance(RECEIVABLE) == 0
        assert await faultless(shop)

    async def test_notes_and_payments_in_turns(self, shop: Shop) -> None:
        sold = await self.sold(shop, "33.33", 3)
        one = {"invoiceLineId": sold["lines"][0]["id"], "quantity": 1}
        await pay(shop, sold, "0.01")
        await shop.credited(sold, one)
        await pay(shop, sold, "41.65")
        await shop.credited(sold, one)
        due = (await shop.invoice(sold["id"]))["amountDue"]
        assert due == "0.01"
        await pay(shop, sold, due)
        assert await shop.balance(RECEIVABLE) == 0
        assert await faultless(shop)

    async def test_what_is_more_than_due_is_a_credit_at_the_invoices_rate(self, shop: Shop) -> None:
        sold = await self.sold(shop, "100")
        await pay(shop, sold, "75")
        await shop.credited(sold)
        expected = -(Decimal(75) * Decimal(self.RATE)).quantize(Decimal("0.01"))
        assert abs(await shop.balance(RECEIVABLE) - expected) <= Decimal("0.01")
        assert await faultless(shop)

    async def test_parts_of_what_was_paid(self, shop: Shop) -> None:
        """The credit of each note is what it adds to the whole at the invoice's rate, a unit off its own."""
        self.RATE = "0.635757"
        sold = await self.sold(shop, "1000")
        await pay(shop, sold, sold["amount"])
        for net in ("1.05", "1.40"):
            await shop.credited(sold, {"invoiceLineId": sold["lines"][0]["id"], "unitPrice": net})
        assert await shop.balance(RECEIVABLE) == -Decimal("1.95")
        assert await faultless(shop)

    async def test_vat_is_stated_in_kroner(self, shop: Shop) -> None:
        sold = await self.sold(shop, "100")
        note = await shop.send_note(await shop.credit(sold))
        content = await shop.value("SELECT content FROM document_snapshots WHERE document_id = $1", note["id"])
        assert content["vatInBase"] == {"currency": "DKK", "amount": "-186.59", "rate": self.RATE}


class TestRefusals:
    """Refused means: no note, no number, nothing reserved."""

    @pytest.mark.parametrize(
        ("fields", "status", "code", "property_"),
        [
            ({"invoiceNumber": "999"}, 404, "INVOICE_NOT_FOUND", "invoiceNumber"),
            ({"currency": "EUR"}, 400, "SHARED_VALIDATION_FAILED", "currency"),
            ({"date": "2026-03-15"}, 400, "SHARED_VALIDATION_FAILED", "date"),
            ({"date": "2028-01-01"}, 400, "SHARED_VALIDATION_FAILED", "date"),
            ({"lines": [{"lineType": "separator"}]}, 400, "SHARED_VALIDATION_FAILED", "lines"),
            ({"lines": [{"quantity": 1}]}, 400, "SHARED_VALIDATION_FAILED", "lines.0.priceId"),
            ({"lines": []}, 400, "SHARED_VALIDATION_FAILED", "lines"),
            ({"lines": [{"invoiceLineId": "{line}", "quantity": 2}]}, 409, "CREDIT_NOTE_EXCEEDS_INVOICE",
             "lines.0.quantity"),
            ({"lines": [{"invoiceLineId": "{line}", "unitPrice": 101}]}, 409, "CREDIT_NOTE_EXCEEDS_INVOICE", "lines.0"),
            ({"lines": [{"invoiceLineId": "{line}"}, {"invoiceLineId": "{line}"}]}, 409, "CREDIT_NOTE_EXCEEDS_INVOICE",
             "lines.1.invoiceLineId"),
            ({"lines": [{"invoiceLineId": "{customer}"}]}, 400, "CREDIT_NOTE_LINE_NOT_ON_INVOICE",
             "lines.0.invoiceLineId"),
            ({"lines": [{"lineType": "separator", "invoiceLineId": "{line}"}, {"invoiceLineId": "{line}"}]},
             400, "SHARED_VALIDATION_FAILED", "lines.0.invoiceLineId"),
            ({"invoiceNumber": None, "lines": [{"invoiceLineId": "{line}", "priceId": "{price}"}]}, 400,
             "SHARED_VALIDATION_FAILED", "lines.0.invoiceLineId"),
            ({"invoiceNumber": None, "lines": None}, 400, "SHARED_VALIDATION_FAILED", "lines"),
            ({"invoiceNumber": None, "lines": [{"priceId": "{price}", "unitPrice": -1}]}, 400,
             "CREDIT_NOTE_AMOUNT_POSITIVE", None),
            ({"customerContactId": "{line}"}, 404, "CONTACT_NOT_FOUND", "customerContactId"),
            ({"customerDepartmentId": "{line}"}, 400, "SHARED_VALIDATION_FAILED", "customerDepartmentId"),
            ({"totalPrice": "1"}, 400, "SHARED_VALIDATION_FAILED", "totalPrice"),
        ],
    )  # fmt: skip
    async def test_what_cannot_be(
        self, shop: Shop, fields: dict[str, Any], status: int, code: str, property_: str | None
    ) -> None:
        sold = await shop.sold(line(await shop.price("100")))
        ids = {"line": sold["lines"][0]["id"], "price": sold["lines"][0]["priceId"], "customer": sold["customerId"]}

        def filled(value: Any) -> Any:
            if isinstance(value, list):
                return [filled(one) for one in value]
            if isinstance(value, dict):
                return {name: filled(one) for name, one in value.items()}
            return ids.get(value.strip("{}"), value) if isinstance(value, str) else value

        body = {"customerId": sold["customerId"], "invoiceNumber": sold["number"], **filled(fields)}
        body = {name: value for name, value in body.items() if value is not None}
        details = await shop.refused("POST", "/v1/credit-notes", body, status, code)
        if code == "SHARED_VALIDATION_FAILED":
            assert property_ in {error["property"] for error in details["validationErrors"]}
        elif property_ is not None:
            assert details["property"] == property_
        assert (await shop.ok("GET", "/v1/credit-notes"))["total"] == 0
        assert (await shop.credit(sold))["number"] == "1"

    async def test_another_customers_invoice(self, shop: Shop) -> None:
        sold = await shop.sold(line(await shop.price("100")))
        body = {"customerId": await shop.customer(), "invoiceNumber": sold["number"]}
        details = await shop.refused("POST", "/v1/credit-notes", body, 400, "SHARED_VALIDATION_FAILED")
        assert [error["property"] for error in details["validationErrors"]] == ["customerId"]

    async def test_a_closed_period(self, shop: Shop) -> None:
        sold = await shop.sold(line(await shop.price("100")))
        note = await shop.credit(sold)
        await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-03-31"})
        await shop.refused("POST", f"/v1/credit-notes/{note['id']}/send", {}, 409, "PERIOD_LOCKED")
        assert (await shop.note(note["id"])) == note
        assert standing(await shop.invoice(sold["id"])) == ("sent", "0.00", "0.00", "125.00")

    async def test_another_companys(self, shop: Shop, other_api: Api) -> None:
        sold = await shop.sold(line(await shop.price("100")))
        other = Shop(other_api)
        body = {"customerId": await other.customer(), "invoiceNumber": sold["number"]}
        await other.refused("POST", "/v1/credit-notes", body, 404, "INVOICE_NOT_FOUND")
        own = await other.sold(line(await other.price("100")))
        lines = [{"invoiceLineId": sold["lines"][0]["id"]}]
        body = {"customerId": own["customerId"], "invoiceNumber": own["number"], "lines": lines}
        await other.refused("POST", "/v1/credit-notes", body, 400, "CREDIT_NOTE_LINE_NOT_ON_INVOICE")


class TestLists:
    async def test_what_they_can_be_narrowed_to_and_sorted_by(self, shop: Shop) -> None:
        sold = [await shop.sold(line(await shop.price(amount))) for amount in ("10", "30", "20")]
        notes = [await shop.credit(one, description=f"Word {place}") for place, one in enumerate(sold)]
        await shop.send_note(notes[1])

        async def listed(**query: str) -> list[str]:
            found = await shop.ok("GET", "/v1/credit-notes?" + "&".join(f"{k}={v}" for k, v in query.items()))
            assert found["total"] == len(found["data"])
            assert all("lines" not in one for one in found["data"])
            return [one["number"] for one in found["data"]]

        assert sorted(await listed()) == ["1", "2", "3"]
        assert await listed(sortBy="amount", sortOrder="ASC") == ["2", "3", "1"]
        assert await listed(sortBy="number", sortOrder="DESC") == ["3", "2", "1"]
        assert await listed(status="sent") == ["2"]
        assert await listed(customerId=sold[2]["customerId"]) == ["3"]
        assert await listed(invoiceId=sold[0]["id"]) == ["1"]
        assert await listed(deliveryStatus="manual") == ["2"]
        assert await listed(search="word 2") == ["3"]
        assert await listed(search="1") == ["1"]

    async def test_where_a_delivery_stands(self, shop: Shop) -> None:
        note = await shop.credit(await shop.sold(line(await shop.price())))
        path = f"/v1/credit-notes/{note['id']}/delivery-status"
        assert await shop.ok("GET", path) == {
            "status": "pending",
            "deliveryType": None,
            "attempts": [],
            "recipients": [],
        }
        await shop.send_note(note)
        assert await shop.ok("GET", path) == {
            "status": "manual",
            "deliveryType": "Manual",
            "attempts": [],
            "recipients": [],
        }


async def test_a_price_on_a_note_stays_as_it_is(shop: Shop) -> None:
    price = await shop.price("10")
    body = {"customerId": await shop.customer(), "lines": [line(price)]}
    await shop.ok("POST", "/v1/credit-notes", body)
    await shop.refused("PATCH", f"/v1/product-prices/{price}", {"unitAmount": "11"}, 409, "PRODUCT_PRICE_LOCKED")
    response = await shop.api.request("DELETE", f"/v1/product-prices/{price}")
    assert response.json()["code"] == "PRODUCT_PRICE_IN_USE"
