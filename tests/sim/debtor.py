"""A customer at random: invoices, payments, credit notes, credit used and paid back; each answer predicted."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, Final

import httpx
from tests.sim.auditor import MismatchError, same
from tests.sim.figures import text_of
from tests.sim.receivables import Gift, Receivables, Refused, Sale
from tests.sim.requests import Request

CURRENCIES: Final = ("DKK", "EUR")


@dataclass
class Debtor:
    """One seed's requests about a new customer, the answers that the model predicts, and what is so afterwards.

    `send` gets the answer to a request, however often that has to be sent; `tag` tells its idempotency keys from
    others'. Every method raises `MismatchError` where the system says something else than the model.
    """

    send: Callable[[Request], Awaitable[httpx.Response]]
    random: Random
    tag: str
    #: Kroner for a euro, by day: every document goes at its own.
    rates: dict[str, str]
    #: The day of credit notes on invoices, and that of payments and refunds: none before those of `rates`.
    credited_on: str
    paid_on: str
    model: Receivables = field(default_factory=Receivables)
    customer: str = ""
    prices: dict[str, str] = field(default_factory=dict)
    #: Payments by id, those taken back too, with their invoice.
    payments: dict[str, str] = field(default_factory=dict)
    taken_back: int = 0
    _count: int = 0

    async def begin(self) -> None:
        """Make the customer, something to sell and the first invoices."""
        for day, rate in self.rates.items():
            await self._ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": day, "rate": rate})
        customer = {
            "customerNumber": "D1", "customerType": "company", "name": "Havblik A/S", "countryCode": "DK",
            "vatZone": "domestic", "customerGroupId": (await self._ok("GET", "/v1/customer-groups"))[0]["id"],
        }  # fmt: skip
        self.customer = (await self._ok("POST", "/v1/customers", customer))["id"]
        groups = {group["number"]: group["id"] for group in await self._ok("GET", "/v1/product-groups")}
        product = {"number": "D1", "name": "Kaffe", "productGroupId": groups["1"]}
        price = {
            "productId": (await self._ok("POST", "/v1/products", product))["id"], "billingPeriodType": "ONE_TIME",
            "pricingModel": "FLAT_RATE", "unitAmount": "1",
        }  # fmt: skip
        for currency in CURRENCIES:
            made = await self._ok("POST", "/v1/product-prices", {**price, "currency": currency})
            self.prices[currency] = made["id"]
        for _ in range(3):
            await self.sell()

    async def step(self) -> None:
        """One of the things that happen to a receivable."""
        kinds = (self.sell, self.pay, self.pay, self.credit, self.credit, self.give, self.apply, self.apply,
                 self.apply_twice_at_once, self.refund, self.reverse)  # fmt: skip
        await self.random.choice(kinds)()

    async def sell(self) -> None:
        net, currency, day = self._new()
        body = {"customerId": self.customer, "currency": currency, "date": day, "lines": self._lines(net, currency)}
        draft = await self._ok("POST", "/v1/invoices", body)
        await self._ok("POST", f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Manual"})
        sent = await self._ok("GET", f"/v1/invoices/{draft['id']}")
        self.model.sales[sent["id"]] = Sale(number=sent["number"], currency=currency, day=day, amount=_with_vat(net))

    async def give(self) -> None:
        """A credit note of no invoice."""
        net, currency, day = self._new()
        body = {"customerId": self.customer, "currency": currency, "date": day, "lines": self._lines(net, currency)}
        note = await self._ok("POST", "/v1/credit-notes", body)
        await self._ok("POST", f"/v1/credit-notes/{note['id']}/send", {})
        self.model.gifts[note["id"]] = Gift(number=note["number"], currency=currency, day=day, amount=_with_vat(net))

    async def pay(self) -> None:
        sale_id, sale = self._sale()
        amount = self.random.choice((sale.due, sale.due + 1, self.random.randrange(1, sale.amount + 1))) or 1
        body = {"date": self.paid_on, "amount": text_of(amount, sale.currency)}
        if sale.currency == "EUR":
            body["exchangeRate"] = f"7.{self.random.randrange(1_000, 9_000)}"
        made = await self._answer(f"/v1/invoices/{sale_id}/payments", body, self.model.pay(sale, amount))
        if made is not None:
            sale.payments[made["id"]] = amount
            self.payments[made["id"]] = sale_id

    async def reverse(self) -> None:
        if self.payments:
            payment = self.random.choice(list(self.payments))
            refused = self.model.reverse(self.model.sales[self.payments[payment]], payment)
            if await self._answer(f"/v1/payments/{payment}/reverse", {}, refused) is not None:
                self.taken_back += 1

    async def credit(self) -> None:
        """All of an invoice, or a reduction in price: what was paid of it before is over."""
        sale_id, sale = self._sale()
        invoice = await self._ok("GET", f"/v1/invoices/{sale_id}")
        left = (sale.amount - sale.credited) // 5 * 4
        net = self.random.choice((left, left + 4, self.random.randrange(1, 2_000) * 4)) or 4
        lines = [{"invoiceLineId": invoice["lines"][0]["id"], "unitPrice": text_of(net, sale.currency)}]
        body = {
            "customerId": self.customer, "invoiceNumber": sale.number, "date": self.credited_on, "lines": lines,
        }  # fmt: skip
        made = await self._answer("/v1/credit-notes", body, self.model.credit_note(sale, _with_vat(net)))
        if made is not None:
            await self._ok("POST", f"/v1/credit-notes/{made['id']}/send", {})

    async def apply(self) -> None:
        sale_id, sale = self._sale()
        amount = self.random.choice((None, None, sale.due + 1, self.random.randrange(1, sale.amount + 1)))
        body = {} if amount is None else {"amount": text_of(amount, sale.currency)}
        predicted = self.model.apply(sale, amount)
        refused = None if isinstance(predicted, int) else predicted
        made = await self._answer(f"/v1/invoices/{sale_id}/apply-credit", body, refused)
        if made is not None and isinstance(predicted, int):
            same(f"credit used on {sale_id}", text_of(predicted, sale.currency), made["amount"])

    async def apply_twice_at_once(self) -> None:
        """The same, asked for twice at the same time: as if it was one after the other, whichever is the first."""
        sale_id, sale = self._sale()
        predicted = Counter(
            (201, text_of(one, sale.currency)) if isinstance(one, int) else one
            for one in (self.model.apply(sale, None), self.model.apply(sale, None))
        )
        requests = [self._request("POST", f"/v1/invoices/{sale_id}/apply-credit", {}) for _ in range(2)]
        answers = await asyncio.gather(*(self.send(request) for request in requests))
        said = Counter((one.status_code, one.json()["amount" if one.is_success else "code"]) for one in answers)
        same(f"credit used twice at once on {sale_id}", predicted, said)

    async def refund(self) -> None:
        currency = self.random.choice(CURRENCIES)
        available = self.model.credit(currency)
        amount = self.random.choice((available + 1, self.random.randrange(1, available + 2)))
        body = {"amount": text_of(amount, currency), "currency": currency, "date": self.paid_on}
        if currency == "EUR":
            body["exchangeRate"] = "7.31"
        await self._answer(f"/v1/customers/{self.customer}/credit/refund", body, self.model.refund(currency, amount))

    async def end(self) -> None:
        """Pay what is due, pay back what is over: nothing is left, in either currency."""
        for sale_id, sale in self.model.sales.items():
            if sale.due:
                body = {"date": self.paid_on, "amount": text_of(sale.due, sale.currency)}
                paid = await self._answer(f"/v1/invoices/{sale_id}/payments", body, None)
                sale.payments[paid["id"]] = sale.due
        for currency in CURRENCIES:
            if left := self.model.credit(currency):
                body = {"amount": text_of(left, currency), "currency": currency, "date": self.paid_on}
                refused = self.model.refund(currency, left)
                await self._answer(f"/v1/customers/{self.customer}/credit/refund", body, refused)

    async def look(self) -> None:
        """Compare every invoice and the customer's credit with the model's."""
        for sale_id, sale in self.model.sales.items():
            found = await self._ok("GET", f"/v1/invoices/{sale_id}")
            same(f"invoice {sale_id}", *figures_of(sale, found))
        credit = await self._ok("GET", f"/v1/customers/{self.customer}/credit")
        names = ("amount", "applied", "refunded", "available")
        expected_credit = {
            currency: tuple(text_of(one, currency) for one in figures)
            for currency, figures in self.model.balances().items()
        }
        told = {one["currency"]: tuple(one[name] for name in names) for one in credit["balances"]}
        same("the customer's credit", expected_credit, told)
        for one in credit["balances"]:
            left = sum(Decimal(source["available"]) for source in one["sources"])
            same("what is left of its sources", Decimal(one["available"]), left)

    async def _answer(self, path: str, body: Any, refused: Refused | None) -> Any:
        """The answer to a request, as it was predicted; None where it is refused."""
        if refused is None:
            return await self._ok("POST", path, body)
        request = self._request("POST", path, body)
        answer = await self.send(request)
        same(str(request), refused, (answer.status_code, answer.json().get("code")))
        return None

    async def _ok(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request that must succeed; of a list what is in it."""
        request = self._request(method, path, body)
        response = await self.send(request)
        if not response.is_success:
            raise MismatchError(f"{request}\nexpected success\ngot {response.status_code} {response.text}")
        answer = response.json()
        return answer["data"] if isinstance(answer, dict) and "data" in answer else answer

    def _request(self, method: str, path: str, body: Any) -> Request:
        self._count += 1
        return Request("", method, path, body, key=None if method == "GET" else f"{self.tag}-{self._count}")

    def _new(self) -> tuple[int, str, str]:
        """A net amount whose VAT is whole, a currency, a day."""
        day = self.random.choice(list(self.rates))
        return self.random.randrange(1, 20_000) * 4, self.random.choice(CURRENCIES), day

    def _lines(self, net: int, currency: str) -> list[dict[str, Any]]:
        return [{"priceId": self.prices[currency], "quantity": 1, "unitPrice": text_of(net, currency)}]

    def _sale(self) -> tuple[str, Sale]:
        return self.random.choice(list(self.model.sales.items()))


def figures_of(sale: Sale, found: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The status and amounts of an invoice, as predicted and as they were found."""
    names = ("amountPaid", "creditedAmount", "appliedCredit", "amountDue")
    figures = (sum(sale.payments.values()), sale.credited, sale.applied, sale.due)
    expected = (sale.status, *(text_of(one, sale.currency) for one in figures))
    return expected, (found["status"], *(found[name] for name in names))


def _with_vat(net: int) -> int:
    return net * 5 // 4
