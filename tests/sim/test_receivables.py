"""A customer at random: invoices, payments, credit notes, credit used and paid back; each answer predicted."""

from decimal import Decimal
from random import Random
from typing import Any, Final

import pytest
from tests.conftest import Api
from tests.ledger_books import books_of
from tests.selling import Shop, line
from tests.sim.figures import text_of
from tests.sim.receivables import Gift, Receivables, Refused, Sale

_STEPS: Final = 45
#: Kroner for a euro, by day: every document goes at its own.
_RATES: Final = {"2026-03-10": "7.4", "2026-03-12": "7.46371", "2026-03-16": "7.5529"}


class Run:
    """One seed's requests, the answers that the model predicts, and what is so afterwards."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.random = Random(seed)
        self.model = Receivables()
        self.customer = ""
        self.prices: dict[str, str] = {}
        #: Payments by id, those taken back too, with their invoice.
        self.payments: dict[str, str] = {}
        self.taken_back = 0

    async def begin(self) -> None:
        for day, rate in _RATES.items():
            await self.shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": day, "rate": rate}, status=200)
        self.customer = await self.shop.customer()
        self.prices = {currency: await self.shop.price("1", currency=currency) for currency in ("DKK", "EUR")}
        for _ in range(3):
            await self.sell()

    async def step(self) -> None:
        kinds = (self.sell, self.pay, self.pay, self.credit, self.credit, self.give, self.apply, self.apply,
                 self.refund, self.reverse)  # fmt: skip
        await self.random.choice(kinds)()
        await self.look()

    async def sell(self) -> None:
        net, currency, day = self._new()
        body = {"unitPrice": text_of(net, currency)}
        draft = await self.shop.draft(
            self.customer, line(self.prices[currency], 1, **body), currency=currency, date=day
        )
        sent = await self.shop.send(draft)
        self.model.sales[sent["id"]] = Sale(number=sent["number"], currency=currency, day=day, amount=_with_vat(net))

    async def give(self) -> None:
        net, currency, day = self._new()
        lines = [line(self.prices[currency], 1, unitPrice=text_of(net, currency))]
        body = {"customerId": self.customer, "currency": currency, "date": day, "lines": lines}
        note = await self.shop.send_note(await self.shop.ok("POST", "/v1/credit-notes", body))
        self.model.gifts[note["id"]] = Gift(number=note["number"], currency=currency, day=day, amount=_with_vat(net))

    async def pay(self) -> None:
        sale_id, sale = self._sale()
        amount = self.random.choice((sale.due, sale.due + 1, self.random.randrange(1, sale.amount + 1))) or 1
        body = {"date": "2026-03-20", "amount": text_of(amount, sale.currency)}
        if sale.currency == "EUR":
            body["exchangeRate"] = f"7.{self.random.randrange(1_000, 9_000)}"
        made = await self.answer(f"/v1/invoices/{sale_id}/payments", body, self.model.pay(sale, amount))
        if made is not None:
            sale.payments[made["id"]] = amount
            self.payments[made["id"]] = sale_id

    async def reverse(self) -> None:
        if self.payments:
            payment = self.random.choice(list(self.payments))
            refused = self.model.reverse(self.model.sales[self.payments[payment]], payment)
            if await self.answer(f"/v1/payments/{payment}/reverse", {}, refused) is not None:
                self.taken_back += 1

    async def credit(self) -> None:
        """All of an invoice, or a reduction in price."""
        sale_id, sale = self._sale()
        invoice = await self.shop.invoice(sale_id)
        left = (sale.amount - sale.credited) // 5 * 4
        net = self.random.choice((left, left + 4, self.random.randrange(1, 2_000) * 4)) or 4
        lines = [{"invoiceLineId": invoice["lines"][0]["id"], "unitPrice": text_of(net, sale.currency)}]
        body = {"customerId": self.customer, "invoiceNumber": sale.number, "lines": lines}
        made = await self.answer("/v1/credit-notes", body, self.model.credit_note(sale, _with_vat(net)))
        if made is not None:
            await self.shop.send_note(made)

    async def apply(self) -> None:
        sale_id, sale = self._sale()
        amount = self.random.choice((None, None, sale.due + 1, self.random.randrange(1, sale.amount + 1)))
        body = {} if amount is None else {"amount": text_of(amount, sale.currency)}
        predicted = self.model.apply(sale, amount)
        refused = None if isinstance(predicted, int) else predicted
        made = await self.answer(f"/v1/invoices/{sale_id}/apply-credit", body, refused)
        if made is not None and isinstance(predicted, int):
            assert made["amount"] == text_of(predicted, sale.currency)

    async def refund(self) -> None:
        currency = self.random.choice(("DKK", "EUR"))
        available = self.model.credit(currency)
        amount = self.random.choice((available + 1, self.random.randrange(1, available + 2)))
        body = {"amount": text_of(amount, currency), "currency": currency, "date": "2026-03-20"}
        if currency == "EUR":
            body["exchangeRate"] = "7.31"
        await self.answer(f"/v1/customers/{self.customer}/credit/refund", body, self.model.refund(currency, amount))

    async def end(self) -> None:
        """Pay what is due, pay back what is over: nothing is left, in either currency."""
        for sale_id, sale in self.model.sales.items():
            if sale.due:
                body = {"date": "2026-03-20", "amount": text_of(sale.due, sale.currency)}
                paid = await self.answer(f"/v1/invoices/{sale_id}/payments", body, None)
                assert paid is not None
                sale.payments[paid["id"]] = sale.due
        for currency in ("DKK", "EUR"):
            if left := self.model.credit(currency):
                body = {"amount": text_of(left, currency), "currency": currency, "date": "2026-03-20"}
                refused = self.model.refund(currency, left)
                await self.answer(f"/v1/customers/{self.customer}/credit/refund", body, refused)
        await self.look()

    async def answer(self, path: str, body: Any, refused: Refused | None) -> Any:
        """The answer to a request, as it was predicted; None where it is refused."""
        answer = await self.shop.api.post(path, body)
        if refused is None:
            assert answer.is_success, (path, body, answer.text)
            return answer.json()
        assert (answer.status_code, answer.json().get("code")) == refused, (path, body, answer.text)
        return None

    async def look(self) -> None:
        """Compare every invoice, the customer's credit and the receivable with the model's."""
        for sale_id, sale in self.model.sales.items():
            found = await self.shop.invoice(sale_id)
            names = ("amountPaid", "creditedAmount", "appliedCredit", "amountDue")
            figures = (sum(sale.payments.values()), sale.credited, sale.applied, sale.due)
            expected = (sale.status, *(text_of(one, sale.currency) for one in figures))
            assert (found["status"], *(found[name] for name in names)) == expected, sale
        credit = await self.shop.ok("GET", f"/v1/customers/{self.customer}/credit")
        names = ("amount", "applied", "refunded", "available")
        assert {one["currency"]: tuple(one[name] for name in names) for one in credit["balances"]} == {
            currency: tuple(text_of(one, currency) for one in figures)
            for currency, figures in self.model.balances().items()
        }
        for one in credit["balances"]:
            left = sum(Decimal(source["available"]) for source in one["sources"])
            assert left == Decimal(one["available"])
        for currency in ("DKK", "EUR"):
            stands = await self.receivable("amount", currency)
            assert text_of(int(stands.scaleb(2)), currency) == text_of(self.model.balance(currency), currency)

    async def receivable(self, column: str, currency: str) -> Decimal:
        found: Decimal = await self.shop.value(
            f"SELECT coalesce(sum({column}), 0) FROM journal_lines"
            " WHERE company_id = $1 AND customer_id IS NOT NULL AND currency = $2",
            self.shop.api.company_id, currency,
        )  # fmt: skip
        return found

    def _new(self) -> tuple[int, str, str]:
        """A net amount whose VAT is whole, a currency, a day."""
        day = self.random.choice(list(_RATES))
        return self.random.randrange(1, 20_000) * 4, self.random.choice(("DKK", "EUR")), day

    def _sale(self) -> tuple[str, Sale]:
        return self.random.choice(list(self.model.sales.items()))


def _with_vat(net: int) -> int:
    return net * 5 // 4


@pytest.mark.parametrize("seed", [6, 7])
async def test_each_answer_is_the_predicted_one(api: Api, seed: int) -> None:
    run = Run(Shop(api), seed)
    await run.begin()
    for _ in range(_STEPS):
        await run.step()
    await run.end()
    for currency in ("DKK", "EUR"):
        assert await run.receivable("amount", currency) == 0
    # A payment that is taken back after a credit note may leave a unit of kroner: its entry is reversed as it is.
    left = [await run.receivable("base_amount", currency) for currency in ("DKK", "EUR")]
    assert left[0] == 0
    assert abs(left[1]) <= Decimal("0.02") * run.taken_back
    assert (await (await books_of(api)).verify_all()).fault is None
    used = run.model.applied.keys() | run.model.refunded.keys()
    assert used == {"DKK", "EUR"}, "the seed uses credit in both"
