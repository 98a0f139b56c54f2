"""Invoices that are given up as uncollectible: the loss, the VAT that goes back, and money that comes in after all."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tests.api.test_credit_notes import RECEIVABLE, faultless, standing, told
from tests.api.test_customer_credit import apply, give, sell
from tests.api.test_payments import pay
from tests.conftest import Api
from tests.selling import Shop, booked, line

OUTPUT_VAT = 7680
LOSS = 2280


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def write_off(shop: Shop, invoice: dict[str, Any], **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = await shop.ok("POST", f"/v1/invoices/{invoice['id']}/write-off", fields)
    return made


async def balances(shop: Shop) -> list[Decimal]:
    return [await shop.balance(number) for number in (RECEIVABLE, LOSS, OUTPUT_VAT)]


async def test_a_partly_paid_invoice_is_given_up(shop: Shop) -> None:
    """1,250.00 with 250.00 of VAT, 500.00 paid: of 750.00 the loss is 600.00, and 150.00 of VAT go back."""
    sold = await shop.sold(line(await shop.price("1000")))
    payment = await pay(shop, sold, "500")
    before = await shop.invoice(sold["id"])
    path = f"/v1/invoices/{sold['id']}"
    lost = await write_off(shop, sold, date="2026-03-21", description="Konkurs")
    assert {name: lost[name] for name in ("date", "amount", "loss", "vatAmount", "currency", "description")} == {
        "date": "2026-03-21", "amount": "750.00", "loss": "600.00", "vatAmount": "150.00", "currency": "DKK",
        "description": "Konkurs",
    }  # fmt: skip
    entry = await shop.entry(lost["journalEntryId"])
    assert booked(entry) == [
        (RECEIVABLE, Decimal(-750), Decimal(-750), "CONTROL"),
        (LOSS, Decimal(600), Decimal(600), "ENTERED"),
        (OUTPUT_VAT, Decimal(150), Decimal(150), "VAT"),
    ]
    charged = (await shop.entry(sold["journalEntryId"])).content.lines[-1]
    regulated = entry.content.lines[-1]
    assert (regulated.vat_code_id, regulated.vat_rate) == (charged.vat_code_id, charged.vat_rate)
    assert entry.content.description == "Konkurs, Tab på faktura 1, Havblik A/S"
    given_up = await shop.invoice(sold["id"])
    assert standing(given_up) == ("uncollectible", "500.00", "0.00", "0.00")
    assert given_up["writtenOffAmount"] == "750.00"
    assert await shop.events("invoice.written_off") == [{**told(given_up), "writeOff": lost}]
    assert await balances(shop) == [0, 600, -100]
    assert await faultless(shop)

    credit = {"customerId": sold["customerId"], "invoiceNumber": "1"}
    for method, where, body, code in (
        ("POST", f"{path}/write-off", {}, "INVOICE_INVALID_STATE"),
        ("POST", f"{path}/cancel", {}, "INVOICE_INVALID_STATE"),
        ("POST", f"/v1/payments/{payment['id']}/reverse", {}, "INVOICE_INVALID_STATE"),
        ("POST", "/v1/credit-notes", credit, "INVOICE_INVALID_STATE"),
        ("POST", f"/v1/journal-entries/{lost['journalEntryId']}/reverse", {}, "JOURNAL_ENTRY_INVALID_STATE"),
    ):
        await shop.refused(method, where, body, 409, code)
    assert await shop.invoice(sold["id"]) == given_up

    await shop.refused("POST", f"{path}/write-off/reverse", {"date": "2026-03-20"}, 400, "SHARED_VALIDATION_FAILED")
    taken_back = await shop.ok("POST", f"{path}/write-off/reverse", {"date": "2026-04-02"}, status=200)
    news = {name for name in taken_back if taken_back[name] != lost[name]}
    assert news == {"reversedAt", "reversalEntryId"}
    opened = await shop.invoice(sold["id"])
    assert opened == {**before, "updatedAt": opened["updatedAt"]}
    assert await shop.events("invoice.write_off_reversed") == [{**told(opened), "writeOff": taken_back}]
    assert await balances(shop) == [750, 0, -250]
    await shop.refused("POST", f"{path}/write-off/reverse", {}, 409, "INVOICE_NOT_WRITTEN_OFF")
    await shop.credited(sold)
    assert standing(await shop.invoice(sold["id"]))[0] == "credited"
    assert await faultless(shop)


async def test_money_that_comes_in_after_all(shop: Shop) -> None:
    """Of 1,250.00 that were given up 250.00 come in: 1,000.00 stay lost, and the VAT on what came in is owed again."""
    sold = await shop.sold(line(await shop.price("1000")))
    path = f"/v1/invoices/{sold['id']}"
    lost = await write_off(shop, sold, date="2026-03-21", description="Konkurs")
    assert await balances(shop) == [0, 1000, 0]
    await pay(shop, sold, "250", date="2026-04-02")
    after = await shop.invoice(sold["id"])
    assert (standing(after), after["writtenOffAmount"]) == (("uncollectible", "250.00", "0.00", "0.00"), "1000.00")
    assert await balances(shop) == [0, 800, -50]
    first, rest = await shop.ok("GET", f"{path}/write-offs")
    assert first == {**lost, "reversedAt": first["reversedAt"], "reversalEntryId": first["reversalEntryId"]}
    assert {name: rest[name] for name in ("date", "loss", "vatAmount", "description", "reversedAt")} == {
        "date": "2026-04-02", "loss": "800.00", "vatAmount": "200.00", "description": "Konkurs", "reversedAt": None,
    }  # fmt: skip
    assert (await shop.entry(first["reversalEntryId"])).content.date.isoformat() == "2026-04-02"
    assert await faultless(shop)
    too_much = {"date": "2026-04-03", "amount": "1000.01"}
    await shop.refused("POST", f"{path}/payments", too_much, 400, "PAYMENT_EXCEEDS_INVOICE")
    assert await shop.ok("GET", f"{path}/write-offs") == [first, rest]
    # It came in before it was given up: nothing is taken back before it was booked.
    last = await pay(shop, sold, "1000", date="2026-03-20")
    assert standing(await shop.invoice(sold["id"])) == ("paid", "1250.00", "0.00", "0.00")
    assert await balances(shop) == [0, 0, -250]
    assert len(await shop.events("invoice.paid")) == 1
    await shop.ok("POST", f"/v1/payments/{last['id']}/reverse", {}, status=200)
    assert standing(await shop.invoice(sold["id"])) == ("partially_paid", "250.00", "0.00", "1000.00")
    assert await faultless(shop)


@pytest.mark.parametrize(
    ("customer", "credited", "due", "vat"),
    [
        ({}, "0", "1250.00", "250.00"),
        # Half is credited, and half of the VAT with it.
        ({}, "500", "625.00", "125.00"),
        ({"countryCode": "DE", "vatZone": "eu", "vatNumber": "DE136695976"}, "0", "1000.00", "0.00"),
        ({"countryCode": "US", "vatZone": "abroad"}, "0", "1000.00", "0.00"),
    ],
)
async def test_the_vat_is_that_of_what_is_due(
    shop: Shop, customer: dict[str, str], credited: str, due: str, vat: str
) -> None:
    buyer = await shop.customer(**customer)
    sold = await shop.send(await shop.draft(buyer, line(await shop.price("500"), 2)))
    if credited != "0":
        await shop.credited(sold, {"invoiceLineId": sold["lines"][0]["id"], "unitPrice": credited, "quantity": 1})
    lost = await write_off(shop, sold)
    assert (lost["amount"], lost["vatAmount"]) == (due, vat)
    assert await shop.balance(RECEIVABLE) == await shop.balance(OUTPUT_VAT) == 0
    assert await faultless(shop)


async def test_a_loss_in_a_foreign_currency(shop: Shop) -> None:
    """At the invoice's rate: no money came in, so there is no exchange difference, and nothing of the receivable is
    left."""
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.4637"}, status=200)
    sold = await shop.sold(line(await shop.price("33.33", currency="EUR"), 3), currency="EUR")
    await pay(shop, sold, "41.67", exchangeRate="7.5")
    lost = await write_off(shop, sold)
    # 83.32 of 124.99, which has 25.00 of VAT.
    assert (lost["amount"], lost["vatAmount"]) == ("83.32", "16.67")
    entry = await shop.entry(lost["journalEntryId"])
    assert entry.content.exchange_rate == Decimal("7.4637")
    assert [number for number, *_ in booked(entry)] == [RECEIVABLE, LOSS, OUTPUT_VAT]
    assert await shop.balance(RECEIVABLE) == 0
    assert await faultless(shop)
    await pay(shop, sold, "0.01", exchangeRate="7.5")
    assert await shop.balance(RECEIVABLE) == 0
    assert await faultless(shop)
    await pay(shop, sold, "83.31", exchangeRate="7.5")
    assert await shop.balance(RECEIVABLE) == await shop.balance(LOSS) == 0
    assert await faultless(shop)


async def test_what_is_refused_changes_nothing(shop: Shop) -> None:
    sold = await shop.sold(line(await shop.price("100")))
    draft = await shop.draft(sold["customerId"], line(sold["lines"][0]["priceId"]))
    path = f"/v1/invoices/{sold['id']}/write-off"
    await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-03-31"})
    await shop.refused("POST", path, {"date": "2026-03-31"}, 409, "PERIOD_LOCKED")
    await shop.refused("POST", path, {"date": "2026-03-15"}, 400, "SHARED_VALIDATION_FAILED")
    await shop.refused("POST", path, {"date": "2031-03-15"}, 400, "SHARED_VALIDATION_FAILED")
    await shop.refused("POST", f"/v1/invoices/{draft['id']}/write-off", {}, 409, "INVOICE_INVALID_STATE")
    assert await shop.invoice(sold["id"]) == sold
    assert await shop.ok("GET", f"{path}s") == []
    assert await shop.events("invoice.written_off") == []
    lost = await write_off(shop, sold, date="2026-04-01")
    await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-04-30"})
    await shop.refused("POST", f"{path}/reverse", {"date": "2026-04-30"}, 409, "PERIOD_LOCKED")
    assert await shop.ok("GET", f"{path}s") == [lost]
    assert await faultless(shop)


async def test_of_those_who_settle_it_at_once_each_sees_the_other(shop: Shop) -> None:
    """Of two write-offs one wins; the payment comes before it, or takes it back and leaves the rest given up."""
    sold = await shop.sold(line(await shop.price("100")))
    path = f"/v1/invoices/{sold['id']}"
    payment = {"date": "2026-03-20", "amount": "25"}
    requests = [(f"{path}/write-off", {}), (f"{path}/payments", payment), (f"{path}/write-off", {})]
    answers = await asyncio.gather(*(shop.api.post(where, body) for where, body in requests))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409]
    after = await shop.invoice(sold["id"])
    assert (standing(after), after["writtenOffAmount"]) == (("uncollectible", "25.00", "0.00", "0.00"), "100.00")
    assert await balances(shop) == [0, 80, -5]
    assert await faultless(shop)
    undone = await asyncio.gather(*(shop.api.post(f"{path}/write-off/reverse", {}) for _ in range(2)))
    assert sorted(answer.status_code for answer in undone) == [200, 409]
    assert await balances(shop) == [100, 0, -25]


async def test_credit_that_was_used_counts_as_paid(shop: Shop) -> None:
    """Of 500.00 with 100.00 of VAT 125.00 were settled by credit: of 375.00 the VAT is 75.00."""
    customer = await shop.customer()
    await give(shop, customer, "100")
    sold = await sell(shop, customer, "400")
    await apply(shop, sold)
    lost = await write_off(shop, sold)
    assert (lost["amount"], lost["loss"], lost["vatAmount"]) == ("375.00", "300.00", "75.00")
    assert (await shop.invoice(sold["id"]))["status"] == "uncollectible"
    assert await shop.balance(RECEIVABLE) == 0
    assert await faultless(shop)
    await shop.ok("POST", f"/v1/invoices/{sold['id']}/write-off/reverse", {}, status=200)
    assert standing(await shop.invoice(sold["id"])) == ("partially_paid", "0.00", "0.00", "375.00")
    assert await faultless(shop)
