"""Payments on invoices: bank against receivable, exact in both currencies, never too much."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import Api
from tests.selling import Shop, as_told, booked, line

from ledgerbee.ledger.entries.model import EntryType
from ledgerbee.ledger.verify import verify


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def pay(shop: Shop, invoice: dict[str, Any], amount: str, **fields: Any) -> dict[str, Any]:
    body = {"date": "2026-03-20", "amount": amount, **fields}
    paid: dict[str, Any] = await shop.ok("POST", f"/v1/invoices/{invoice['id']}/payments", body)
    return paid


async def account(shop: Shop, number: int) -> str:
    return next(str(a["id"]) for a in await shop.ok("GET", "/v1/accounts") if a["accountNumber"] == number)


async def test_a_payment_settles_the_invoice(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price("100")))
    payment = await pay(shop, sent, "125", reference="Bank 17")
    entry = await shop.entry(payment["journalEntryId"])
    assert booked(entry) == [
        (6480, Decimal(125), Decimal(125), "ENTERED"),
        (6190, Decimal(-125), Decimal(-125), "CONTROL"),
    ]
    assert (entry.content.entry_type, entry.content.reference) == (EntryType.CUSTOMER_PAYMENT, "Bank 17")
    assert entry.content.description == "Betaling af faktura 1, Havblik A/S"
    assert entry.content.date.isoformat() == "2026-03-20"
    assert payment.pop("id")
    assert payment == {
        "invoiceId": sent["id"],
        "customerId": sent["customerId"],
        "date": "2026-03-20",
        "amount": "125.00",
        "currency": "DKK",
        "accountId": await account(shop, 6480),
        "reference": "Bank 17",
        "exchangeRate": "1",
        "amountInBaseCurrency": "125.00",
        "exchangeDifference": "0.00",
        "journalEntryId": str(entry.id),
        "reversedAt": None,
        "reversalEntryId": None,
        "createdAt": "2026-03-16T12:00:00.000Z",
    }
    paid = await shop.invoice(sent["id"])
    assert (paid["status"], paid["amountPaid"], paid["amountDue"]) == ("paid", "125.00", "0.00")
    assert await shop.events("invoice.paid") == [as_told(paid)]
    (event,) = await shop.events("payment.recorded")
    listed = await shop.ok("GET", f"/v1/invoices/{sent['id']}/payments")
    assert listed == [event]
    assert await shop.balance(6190) == 0


async def test_parts_are_counted(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price("100")))
    await pay(shop, sent, "25.01", date="2026-03-19")
    part = await shop.invoice(sent["id"])
    assert (part["status"], part["amountPaid"], part["amountDue"]) == ("partially_paid", "25.01", "99.99")
    assert await shop.events("invoice.paid") == []
    await pay(shop, sent, "99.99")
    assert (await shop.invoice(sent["id"]))["status"] == "paid"
    amounts = [payment["amount"] for payment in await shop.ok("GET", f"/v1/invoices/{sent['id']}/payments")]
    assert amounts == ["25.01", "99.99"]


async def test_the_account_can_be_chosen(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price("100")))
    payment = await pay(shop, sent, "125", accountId=await account(shop, 6470))
    assert booked(await shop.entry(payment["journalEntryId"]))[0][0] == 6470


class TestForeignCurrency:
    """The bank takes the day's rate, the receivable the invoice's."""

    async def sold(self, shop: Shop, amount: str = "100") -> dict[str, Any]:
        return await shop.sold(line(await shop.price(amount, currency="USD"), unitPrice=amount), currency="USD")

    async def test_the_difference_is_a_gain_or_a_loss(self, shop: Shop) -> None:
        for rate, number, sign in (("9.5", 3535, -1), ("2.5", 3610, 1)):
            sent = await self.sold(shop)
            payment = await pay(shop, sent, "125", exchangeRate=rate)
            bank, receivable, difference = booked(await shop.entry(payment["journalEntryId"]))
            invoiced = booked(await shop.entry(sent["journalEntryId"]))[0][2]
            assert bank == (6480, Decimal(125), Decimal(125) * Decimal(rate), "ENTERED")
            assert receivable == (6190, Decimal(-125), -invoiced, "CONTROL")
            assert difference == (number, Decimal(0), -(bank[2] + receivable[2]), "ENTERED")
            assert (difference[2] < 0) == (sign < 0)
            assert Decimal(payment["exchangeDifference"]) == -difference[2]
        assert await shop.balance(6190) == 0

    async def test_the_days_rate_is_taken(self, shop: Shop) -> None:
        sent = await self.sold(shop)
        payment = await pay(shop, sent, "125", date="2026-03-18")
        rates = [
            await shop.value(
                "SELECT rate_per_eur FROM exchange_rates WHERE currency = $1 AND day = '2026-03-18'", currency
            )
            for currency in ("DKK", "USD")
        ]
        assert Decimal(payment["exchangeRate"]) == (rates[0] / rates[1]).quantize(Decimal("1e-12"))

    async def test_many_parts_leave_nothing_in_either_currency(self, shop: Shop) -> None:
        sent = await self.sold(shop, "33.37")
        due = Decimal(sent["amount"])
        for number in range(6):
            await pay(shop, sent, "6.67", exchangeRate=f"{7 + number / 10}")
            due -= Decimal("6.67")
        await pay(shop, sent, str(due), exchangeRate="6.999999999999")
        assert (await shop.invoice(sent["id"]))["status"] == "paid"
        assert await shop.balance(6190) == 0
        amount = "SELECT sum(l.amount) FROM journal_lines l WHERE l.customer_id IS NOT NULL"
        assert await shop.value(amount) == 0
        assert (await shop.api.run(verify, one_snapshot=True)).fault is None

    async def test_yen(self, shop: Shop) -> None:
        sent = await shop.sold(line(await shop.price("999", currency="JPY")), currency="JPY")
        body = {"date": "2026-03-20", "amount": "100.5"}
        await shop.refused("POST", f"/v1/invoices/{sent['id']}/payments", body, 400, "SHARED_VALIDATION_FAILED")
        await pay(shop, sent, "100")
        await pay(shop, sent, str(int(sent["amount"]) - 100))
        assert await shop.balance(6190) == 0


async def test_of_racing_payments_none_pays_too_much(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price("100")))
    body = {"date": "2026-03-20", "amount": "50"}
    answers = await asyncio.gather(*(shop.api.post(f"/v1/invoices/{sent['id']}/payments", body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 400, 400, 400, 400]
    assert (await shop.invoice(sent["id"]))["amountPaid"] == "100.00"
    assert await shop.balance(6190) == 25


class TestRefusals:
    """Refused means: nothing is booked, nothing is paid."""

    async def refused(self, shop: Shop, status: int, code: str, **fields: Any) -> dict[str, Any]:
        sent = await shop.sold(line(await shop.price("100")))
        body = {"date": "2026-03-20", "amount": "10", **fields}
        details = await shop.refused("POST", f"/v1/invoices/{sent['id']}/payments", body, status, code)
        assert await shop.invoice(sent["id"]) == sent
        assert await shop.value("SELECT count(*) FROM payments") == 0
        assert await shop.balance(6190) == 125
        return details

    async def test_too_much(self, shop: Shop) -> None:
        details = await self.refused(shop, 400, "PAYMENT_EXCEEDS_INVOICE", amount="125.01")
        assert details == {"amount": "125.01", "amountDue": "125.00"}

    async def test_another_currency(self, shop: Shop) -> None:
        await self.refused(shop, 400, "PAYMENT_CURRENCY_MISMATCH", currency="EUR")

    async def test_a_receivables_account(self, shop: Shop) -> None:
        await self.refused(shop, 400, "PAYMENT_ACCOUNT_INVALID", accountId=await account(shop, 6190))

    async def test_a_revenue_account(self, shop: Shop) -> None:
        await self.refused(shop, 400, "PAYMENT_ACCOUNT_INVALID", accountId=await account(shop, 1010))

    async def test_a_heading(self, shop: Shop) -> None:
        await self.refused(shop, 400, "ACCOUNT_NOT_BOOKABLE", accountId=await account(shop, 6462))

    async def test_another_companys_account(self, shop: Shop, other_api: Api) -> None:
        await self.refused(shop, 404, "ACCOUNT_NOT_FOUND", accountId=await account(Shop(other_api), 6480))

    async def test_a_locked_period(self, shop: Shop) -> None:
        await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-02-28"})
        details = await self.refused(shop, 409, "PERIOD_LOCKED", date="2026-02-28")
        assert details == {"property": "date", "lockedThrough": "2026-02-28", "date": "2026-02-28"}

    @pytest.mark.parametrize(
        "fields",
        [
            {"amount": 0},
            {"amount": "-1"},
            {"amount": "1.001"},
            {"amount": "Infinity"},
            {"amount": None},
            {"date": "20-03-2026"},
            {"exchangeRate": "1.5"},
            {"exchangeRate": 0},
            {"accountId": "bank"},
            {"method": "card"},
        ],
    )
    async def test_bad_input(self, shop: Shop, fields: dict[str, Any]) -> None:
        await self.refused(shop, 400, "SHARED_VALIDATION_FAILED", **fields)


async def test_only_what_is_open_is_paid(shop: Shop) -> None:
    price = await shop.price("100")
    draft = await shop.draft(await shop.customer(), line(price))
    sent = await shop.sold(line(price))
    await pay(shop, sent, "125")
    body = {"date": "2026-03-20", "amount": "1"}
    nothing = await shop.sold(line(price, 0))
    for invoice, status in ((draft, "draft"), (sent, "paid"), (nothing, "paid")):
        path = f"/v1/invoices/{invoice['id']}/payments"
        assert await shop.refused("POST", path, body, 409, "INVOICE_INVALID_STATE") == {"status": status}


async def test_another_companys_invoice_is_not_there_to_pay(shop: Shop, other_api: Api) -> None:
    sent = await shop.sold(line(await shop.price()))
    other = Shop(other_api)
    body = {"date": "2026-03-20", "amount": "1"}
    await other.refused("POST", f"/v1/invoices/{sent['id']}/payments", body, 404, "INVOICE_NOT_FOUND")
    await other.refused("GET", f"/v1/invoices/{sent['id']}/payments", None, 404, "INVOICE_NOT_FOUND")
