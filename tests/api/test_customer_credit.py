"""Credit of customers: where it comes from, what it is used on, what is paid back, and what the books say."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tests.api.test_credit_notes import standing
from tests.api.test_credit_notes_together import faultless, outcomes, together
from tests.api.test_payments import account, pay
from tests.conftest import Api
from tests.selling import Shop, as_told, booked, line

RECEIVABLE = 6190
BANK = 6480
GAIN = 3535
LOSS = 3610


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def credit_of(shop: Shop, customer: str) -> dict[str, tuple[str, str, str, str]]:
    """By currency: all of it, what was used on invoices, what was paid back, what is left."""
    found = await shop.ok("GET", f"/v1/customers/{customer}/credit")
    return {
        one["currency"]: (one["amount"], one["applied"], one["refunded"], one["available"]) for one in found["balances"]
    }


async def apply(shop: Shop, invoice: dict[str, Any], amount: str | None = None) -> dict[str, Any]:
    body = {} if amount is None else {"amount": amount}
    used: dict[str, Any] = await shop.ok("POST", f"/v1/invoices/{invoice['id']}/apply-credit", body)
    return used


async def refund(shop: Shop, customer: str, amount: str, **fields: Any) -> dict[str, Any]:
    body = {"amount": amount, "date": "2026-03-20", **fields}  # the day of `pay`
    used: dict[str, Any] = await shop.ok("POST", f"/v1/customers/{customer}/credit/refund", body)
    return used


async def sell(shop: Shop, customer: str, price: str, **fields: Any) -> dict[str, Any]:
    """A sent invoice to a customer, of `price` and VAT."""
    currency = fields.get("currency", "DKK")
    return await shop.send(await shop.draft(customer, line(await shop.price(price, currency=currency)), **fields))


async def give(shop: Shop, customer: str, price: str, **fields: Any) -> dict[str, Any]:
    """A sent credit note of no invoice, of `price` and VAT."""
    currency = fields.get("currency", "DKK")
    lines = [line(await shop.price(price, currency=currency))]
    body = {"customerId": customer, "date": "2026-03-16", "lines": lines, **fields}
    return await shop.send_note(await shop.ok("POST", "/v1/credit-notes", body))


async def overpaid(shop: Shop, customer: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An invoice of 1,250.00, paid with 750.00 and credited with 625.00; and the payment."""
    price = await shop.price("500")
    sold = await shop.send(await shop.draft(customer, line(price, 2)))
    payment = await pay(shop, sold, "750")
    await shop.credited(sold, {"invoiceLineId": sold["lines"][0]["id"], "quantity": 1})
    return sold, payment


async def test_what_is_more_than_due_is_part_refunded_and_part_set_off(shop: Shop) -> None:
    """Invoice 1,250.00, paid 750.00, credit note 625.00: 125.00 stays; 40.00 of it is paid back, the rest set off."""
    customer = await shop.customer()
    sold, _ = await overpaid(shop, customer)
    assert standing(await shop.invoice(sold["id"])) == ("paid", "750.00", "625.00", "0.00")
    assert await shop.balance(RECEIVABLE) == -125
    found = await shop.ok("GET", f"/v1/customers/{customer}/credit")
    assert found == {
        "customerId": customer,
        "balances": [
            {
                "currency": "DKK", "amount": "125.00", "applied": "0.00", "refunded": "0.00", "reserved": "0.00",
                "available": "125.00",
                "sources": [
                    {
                        "type": "invoice", "id": sold["id"], "number": sold["number"], "date": "2026-03-16",
                        "creditNoteNumbers": ["1"], "amount": "125.00", "used": "0.00", "reserved": "0.00",
                        "available": "125.00",
                    }
                ],
            }
        ],
    }  # fmt: skip
    back = await refund(shop, customer, "40", reference="Retur 1")
    entry = await shop.entry(back["journalEntryId"])
    assert booked(entry) == [
        (RECEIVABLE, Decimal(40), Decimal(40), "CONTROL"),
        (BANK, Decimal(-40), Decimal(-40), "ENTERED"),
    ]
    assert (entry.content.description, entry.content.reference) == (
        "Udbetaling af tilgodehavende, Havblik A/S",
        "Retur 1",
    )
    assert await shop.events("customer.credit_refunded") == [back]
    assert (await credit_of(shop, customer))["DKK"] == ("125.00", "0.00", "40.00", "85.00")

    later = await sell(shop, customer, "80")
    used = await apply(shop, later)
    assert used == {
        "id": used["id"], "customerId": customer, "invoiceId": later["id"], "accountId": None, "date": "2026-03-20",
        "amount": "85.00", "currency": "DKK", "exchangeRate": "1", "exchangeDifference": "0.00", "reference": None,
        "journalEntryId": None, "createdAt": "2026-03-16T12:00:00.000Z",
        "sources": [{"type": "invoice", "id": sold["id"], "number": sold["number"], "amount": "85.00"}],
    }  # fmt: skip
    now = await shop.invoice(later["id"])
    assert (now["status"], now["amountPaid"], now["appliedCredit"], now["amountDue"]) == (
        "partially_paid", "0.00", "85.00", "15.00",
    )  # fmt: skip
    assert await shop.events("invoice.credit_applied") == [{**as_told(now), "creditUse": used}]
    assert (await credit_of(shop, customer))["DKK"] == ("125.00", "85.00", "40.00", "0.00")
    assert await shop.balance(RECEIVABLE) == 15
    await pay(shop, later, "15")
    assert (await shop.invoice(later["id"]))["status"] == "paid"
    assert await shop.balance(RECEIVABLE) == 0
    assert await faultless(shop)


async def test_what_is_credited_in_part_leaves_no_credit(shop: Shop) -> None:
    """50.00, credited 10.00: nothing is over; what is due can be settled by credit from elsewhere, then credited."""
    customer = await shop.customer()
    sold = await shop.send(await shop.draft(customer, line(await shop.price("8"), 5)))
    one = {"invoiceLineId": sold["lines"][0]["id"]}
    await shop.credited(sold, {**one, "quantity": 1})
    assert await credit_of(shop, customer) == {}
    await give(shop, customer, "8")
    await apply(shop, sold)
    now = await shop.invoice(sold["id"])
    assert (standing(now), now["appliedCredit"]) == (("partially_paid", "0.00", "10.00", "30.00"), "10.00")
    await shop.credited(sold, {**one, "quantity": 4})
    now = await shop.invoice(sold["id"])
    assert standing(now) == ("credited", "0.00", "50.00", "0.00")
    assert (await credit_of(shop, customer))["DKK"] == ("20.00", "10.00", "0.00", "10.00")
    assert await shop.balance(RECEIVABLE) == -10
    assert await faultless(shop)


async def test_the_oldest_credit_goes_first_over_receivables_accounts(shop: Shop) -> None:
    """A credit that stands on the receivables account of an earlier group is moved to the invoice's."""
    customer = await shop.customer()
    notes = [await give(shop, customer, "100", date=day) for day in ("2026-03-12", "2026-03-10")]
    other = (await shop.ok("POST", "/v1/accounts", {
        "accountNumber": 61901, "name": "Tilgodehavender, engros", "publicAccountId": RECEIVABLE,
        "controlAccountType": "ACCOUNTS_RECEIVABLE",
    }))["id"]  # fmt: skip
    group = await shop.ok("POST", "/v1/customer-groups", {"number": "9", "name": "Engros", "accountId": other})
    await shop.ok("PATCH", f"/v1/customers/{customer}", {"customerGroupId": group["id"]})
    sold = await sell(shop, customer, "160")
    used = await apply(shop, sold)
    assert [(one["id"], one["amount"]) for one in used["sources"]] == [
        (notes[1]["id"], "125.00"), (notes[0]["id"], "75.00"),
    ]  # fmt: skip
    entry = await shop.entry(used["journalEntryId"])
    assert booked(entry) == [
        (RECEIVABLE, Decimal(200), Decimal(200), "CONTROL"),
        (61901, Decimal(-200), Decimal(-200), "CONTROL"),
    ]
    assert entry.content.description == f"Modregning på faktura {sold['number']}, Havblik A/S"
    assert (await shop.balance(RECEIVABLE), await shop.balance(61901)) == (Decimal(-50), Decimal(0))
    assert [one["status"] for one in await shop.events("invoice.paid")] == ["paid"]
    assert await faultless(shop)


async def at_rate(shop: Shop, rate: str, day: str) -> None:
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": day, "rate": rate}, status=200)


async def test_in_a_foreign_currency_each_document_goes_at_its_own_rate(shop: Shop) -> None:
    customer = await shop.customer()
    await at_rate(shop, "7.40", "2026-03-10")
    await at_rate(shop, "7.4637", "2026-03-16")
    await give(shop, customer, "100", currency="EUR", date="2026-03-10")
    sold = await sell(shop, customer, "40.01", currency="EUR")
    used = await apply(shop, sold)
    taken, given = Decimal("370.07"), Decimal("373.26")  # 50.01 at 7.40, and at 7.4637
    assert used["exchangeDifference"] == str(taken - given) == "-3.19"
    assert booked(await shop.entry(used["journalEntryId"])) == [
        (RECEIVABLE, Decimal("50.01"), taken, "CONTROL"),
        (RECEIVABLE, Decimal("-50.01"), -given, "CONTROL"),
        (LOSS, Decimal(0), given - taken, "ENTERED"),
    ]
    back = await refund(shop, customer, "74.99", currency="EUR", exchangeRate="7.30", date="2026-03-20")
    assert await shop.balance(RECEIVABLE) == 0
    assert (back["exchangeDifference"], await shop.balance(GAIN)) == ("7.50", Decimal("-7.50"))
    assert await credit_of(shop, customer) == {"EUR": ("125.00", "50.01", "74.99", "0.00")}
    assert await faultless(shop)


class TestRefusals:
    """Refused means: nothing is used, nothing is booked."""

    async def test_what_is_not_there_in_this_currency(self, shop: Shop) -> None:
        customer = await shop.customer()
        await at_rate(shop, "7.46", "2026-03-16")
        await give(shop, customer, "100", currency="EUR")
        sold, draft = await sell(shop, customer, "100"), await shop.draft(customer, line(await shop.price("100")))
        of_others = await sell(shop, await shop.customer(), "100", currency="EUR")
        apply_to = "/v1/invoices/{}/apply-credit".format
        back = f"/v1/customers/{customer}/credit/refund"
        none = {"currency": "DKK", "available": "0.00"}
        assert await shop.refused("POST", apply_to(sold["id"]), {}, 409, "CUSTOMER_CREDIT_INSUFFICIENT") == none
        assert await shop.refused("POST", back, {"amount": "1"}, 409, "CUSTOMER_CREDIT_INSUFFICIENT") == none
        too_much = {"amount": "125.01", "currency": "EUR"}
        assert await shop.refused("POST", back, too_much, 409, "CUSTOMER_CREDIT_INSUFFICIENT") == {
            "currency": "EUR", "available": "125.00",
        }  # fmt: skip
        await shop.refused("POST", apply_to(of_others["id"]), {}, 409, "CUSTOMER_CREDIT_INSUFFICIENT")
        await shop.refused("POST", apply_to(draft["id"]), {}, 409, "INVOICE_INVALID_STATE")
        await shop.refused("POST", apply_to(sold["id"]), {"amount": "125.01"}, 400, "CREDIT_EXCEEDS_INVOICE")
        for wrong in ("0", "-1", "0.001"):
            await shop.refused("POST", apply_to(sold["id"]), {"amount": wrong}, 400, "SHARED_VALIDATION_FAILED")
            await shop.refused("POST", back, {"amount": wrong}, 400, "SHARED_VALIDATION_FAILED")
        no_money = {"amount": "1", "currency": "EUR", "accountId": await account(shop, RECEIVABLE)}
        await shop.refused("POST", back, no_money, 400, "PAYMENT_ACCOUNT_INVALID")
        assert await credit_of(shop, customer) == {"EUR": ("125.00", "0.00", "0.00", "125.00")}
        assert await shop.invoice(sold["id"]) == sold
        assert await shop.value("SELECT count(*) FROM credit_uses") == 0

    async def test_a_day_before_there_was_the_credit(self, shop: Shop) -> None:
        customer = await shop.customer()
        path = f"/v1/customers/{customer}/credit/refund"
        note = await give(shop, customer, "100", date="2026-03-20")
        sold, _ = await overpaid(shop, customer)
        for day, amount, status in (("2026-03-15", "1", 400), ("2026-03-19", "126", 400), ("2026-03-20", "126", 201)):
            response = await shop.api.post(path, {"amount": amount, "date": day})
            assert response.status_code == status, (day, response.text)
        later = await sell(shop, customer, "100")
        used = await apply(shop, later)
        assert (used["date"], note["date"]) == ("2026-03-20", "2026-03-20")
        assert sold["date"] == "2026-03-16"
        assert await faultless(shop)

    async def test_the_past_is_closed(self, shop: Shop) -> None:
        customer = await shop.customer()
        await give(shop, customer, "100")
        await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-03-16"}, status=200)
        body = {"amount": "125", "date": "2026-03-16"}
        await shop.refused("POST", f"/v1/customers/{customer}/credit/refund", body, 409, "PERIOD_LOCKED")
        assert (await credit_of(shop, customer))["DKK"] == ("125.00", "0.00", "0.00", "125.00")
        await refund(shop, customer, "125", date="2026-03-17")
        assert await shop.balance(RECEIVABLE) == 0

    async def test_a_payment_whose_excess_was_used_stays(self, shop: Shop) -> None:
        customer = await shop.customer()
        sold, payment = await overpaid(shop, customer)
        await refund(shop, customer, "0.01")
        before = await shop.invoice(sold["id"])
        path = f"/v1/payments/{payment['id']}/reverse"
        assert await shop.refused("POST", path, {}, 409, "PAYMENT_CREDIT_USED") == {
            "creditUsed": "0.01", "creditLeft": "0.00",
        }  # fmt: skip
        assert await shop.invoice(sold["id"]) == before
        assert await faultless(shop)

    async def test_a_payment_beyond_which_enough_is_left_goes_back(self, shop: Shop) -> None:
        customer = await shop.customer()
        sold = await sell(shop, customer, "100")
        payments = [await pay(shop, sold, amount) for amount in ("100", "25")]
        await shop.credited(sold)
        await refund(shop, customer, "100")
        await shop.ok("POST", f"/v1/payments/{payments[1]['id']}/reverse", {}, status=200)
        assert (await credit_of(shop, customer))["DKK"] == ("100.00", "0.00", "100.00", "0.00")
        assert await shop.balance(RECEIVABLE) == 0
        assert await faultless(shop)


class TestTogether:
    """Whoever asks at once: never more is used than there is."""

    async def test_the_same_credit_on_two_invoices_and_back(self, shop: Shop) -> None:
        customer = await shop.customer()
        await give(shop, customer, "100")
        sold = [await sell(shop, customer, "100") for _ in range(2)]
        answers = await together(
            shop,
            *[(f"/v1/invoices/{one['id']}/apply-credit", {"amount": "80"}) for one in sold],
            (f"/v1/customers/{customer}/credit/refund", {"amount": "80"}),
        )
        lost = (409, "CUSTOMER_CREDIT_INSUFFICIENT")
        assert outcomes(answers) == [(201, None), lost, lost]
        answers = await together(shop, *[(f"/v1/invoices/{one['id']}/apply-credit", {}) for one in sold])
        assert sorted(status for status, _ in outcomes(answers)) == [201, 409]
        assert (await credit_of(shop, customer))["DKK"][3] == "0.00"
        assert await faultless(shop)

    @pytest.mark.parametrize("way", ["apply", "refund"])
    async def test_a_use_and_the_reversal_of_the_payment_that_made_it(self, shop: Shop, way: str) -> None:
        customer = await shop.customer()
        _, payment = await overpaid(shop, customer)
        if way == "apply":
            later = await sell(shop, customer, "100")
            use: tuple[str, Any] = (f"/v1/invoices/{later['id']}/apply-credit", {"amount": "125"})
        else:
            use = (f"/v1/customers/{customer}/credit/refund", {"amount": "125", "date": "2026-03-20"})
        answers = await together(shop, use, (f"/v1/payments/{payment['id']}/reverse", {}))
        assert [answer.status_code for answer in answers] in ([201, 409], [409, 200])
        assert (await credit_of(shop, customer)).get("DKK", ("", "", "", "0.00"))[3] == "0.00"
        assert await faultless(shop)

    async def test_credit_and_payment_never_settle_more_than_is_due(self, shop: Shop) -> None:
        customer = await shop.customer()
        await give(shop, customer, "100")
        sold = await sell(shop, customer, "100")
        paid = {"date": "2026-03-16", "amount": "125"}
        answers = await asyncio.gather(
            shop.api.post(f"/v1/invoices/{sold['id']}/apply-credit", {"amount": "125"}),
            shop.api.post(f"/v1/invoices/{sold['id']}/payments", paid),
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        now = await shop.invoice(sold["id"])
        assert (now["status"], now["amountDue"]) == ("paid", "0.00")
        assert {now["amountPaid"], now["appliedCredit"]} == {"0.00", "125.00"}
        assert await faultless(shop)
