"""A company in a story: what its people do, in their words, each by requests that any caller could send.

A story moves the clock with `on`; what the worker has to do until then is done at its moment.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, NamedTuple

from tests.conftest import BLOBS
from tests.stories.harness.client import Body, Client
from tests.stories.harness.figures import bookable, moved
from tests.stories.harness.jobs import Jobs

from ledgerbee.app.verify import verify
from ledgerbee.ledger.verify import Verification
from ledgerbee.platform.context import Context

#: When people work, in UTC.
MORNING: Final = time(9, tzinfo=UTC)
ENTRIES: Final = "/v1/journal-entries"
DRAFTS: Final = "/v2/draft-journal-entries"

#: Amounts in the company's currency by account number, debit positive.
Amounts = Mapping[int, str]


class Item(NamedTuple):
    """A line of an entry: an amount (debit positive), and the VAT code by which it holds or bears its tax."""

    account: int
    amount: str
    vat_code: str | None = None


class Sold(NamedTuple):
    """A line of an invoice: how many of a product, by its own price or another, less a discount in percent."""

    quantity: int
    product: str
    price: str | None = None
    discount: int | None = None


@dataclass
class Company(Client):
    """One company; `accounts`, `codes`, `customers`, ... are the ids of what it has, by number, code or name."""

    jobs: Jobs = field(init=False)
    accounts: dict[int, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    prices: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.api)

    # Time

    async def on(self, day: str) -> None:
        """Let time go by until the morning of a day; what waits for a moment on the way is done at that moment."""
        morning = datetime.combine(date.fromisoformat(day), MORNING)
        assert morning >= self.api.clock(), "a story goes forward"
        while (moment := await self.jobs.next_moment()) is not None and moment <= morning:
            self.api.clock.now = max(moment, self.api.clock())
            await self.jobs.run()
        self.api.clock.now = morning

    async def run_jobs(self) -> list[str]:
        """Have the worker do what is due now; the names of the jobs."""
        return await self.jobs.run()

    # What it has

    async def looks_at_its_chart(self) -> None:
        """Know the accounts, the VAT codes and the product groups of a new company."""
        self.accounts = {row["accountNumber"]: row["id"] for row in await self.ok("GET", "/v1/accounts")}
        self.codes = {row["vatCode"]: row["id"] for row in await self.ok("GET", "/v1/vat-codes")}
        self.groups = {row["name"]: row["id"] for row in (await self.ok("GET", "/v1/product-groups"))["data"]}

    async def opens_account(self, number: int, name: str, *, like: int) -> Body:
        """An account of its own, of the kind and with the VAT code of a standard account."""
        body = {"accountNumber": number, "publicAccountId": like, "name": name}
        account: Body = await self.ok("POST", "/v1/accounts", body)
        self.accounts[number] = account["id"]
        return account

    async def sorts_products(self, name: str, *, home: int, without_vat: int, eu: int, abroad: int) -> None:
        """A product group, and the accounts that its sales are booked on."""
        accounts = {"domestic": home, "domesticWithoutVat": without_vat, "eu": eu, "abroad": abroad}
        ids = {f"{zone}AccountId": self.accounts[number] for zone, number in accounts.items()}
        group = await self.ok("POST", "/v1/product-groups", {"number": str(len(self.groups) + 1), "name": name, **ids})
        self.groups[name] = group["id"]

    async def offers(self, product: str, price: str, *, group: str) -> None:
        """A product at a price for each."""
        body = {"number": product, "name": product, "productGroupId": self.groups[group], "unit": "pcs"}
        made = await self.ok("POST", "/v1/products", body)
        terms = {"billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE", "unitAmount": price}
        self.prices[product] = (await self.ok("POST", "/v1/product-prices", {"productId": made["id"], **terms}))["id"]

    async def gets_to_know(self, name: str, *, group: int = 1, **fields: Any) -> None:
        """A customer: a business in Denmark unless told otherwise."""
        groups = {row["number"]: row["id"] for row in await self.ok("GET", "/v1/customer-groups")}
        body = {
            "customerNumber": str(len(self.customers) + 1), "customerType": "company", "name": name,
            "countryCode": "DK", "vatZone": "domestic", "customerGroupId": groups[str(group)], **fields,
        }  # fmt: skip
        self.customers[name] = (await self.ok("POST", "/v1/customers", body))["id"]

    async def hears_a_rate(self, currency: str, rate: str) -> None:
        """Today's rate of a currency: kroner for one unit."""
        body = {"currency": currency, "date": self.today, "rate": rate}
        await self.ok("PUT", "/v1/exchange-rates", body)

    # Sales

    async def drafts_invoice(self, customer: str, *lines: Sold, day: str | None = None, **fields: Any) -> Body:
        """A draft, dated today unless told otherwise."""
        body = {"customerId": self.customers[customer], "date": day or self.today, **fields}
        body["lines"] = [self._sold(line) for line in lines]
        draft: Body = await self.ok("POST", "/v1/invoices", body)
        return draft

    def _sold(self, line: Sold) -> Body:
        body: Body = {"priceId": self.prices[line.product], "quantity": line.quantity}
        if line.price is not None:
            body["unitPrice"] = line.price
        if line.discount is not None:
            body["discountPercent"] = line.discount
        return body

    async def sends(self, draft: Body, *, by_mail: bool = False) -> Body:
        """A draft goes out: it is numbered and booked; the invoice as it is then."""
        body = {"deliveryType": "Email" if by_mail else "Manual"}
        await self.ok("POST", f"/v1/invoices/{draft['id']}/send", body)
        return await self.invoice(draft)

    async def sells(self, customer: str, *lines: Sold, by_mail: bool = False, **fields: Any) -> Body:
        """An invoice of today, sent."""
        return await self.sends(await self.drafts_invoice(customer, *lines, **fields), by_mail=by_mail)

    async def invoice(self, invoice: Body) -> Body:
        """An invoice as it is now."""
        found: Body = await self.ok("GET", f"/v1/invoices/{invoice['id']}")
        return found

    async def is_paid(self, invoice: Body, amount: str, **fields: Any) -> Body:
        """A customer pays today, into the bank; the payment."""
        body = {"date": self.today, "amount": amount, **fields}
        payment: Body = await self.ok("POST", f"/v1/invoices/{invoice['id']}/payments", body)
        return payment

    async def gives_back(self, payment: Body, why: str) -> Body:
        """A payment was returned today; the payment."""
        body = {"date": self.today, "description": why}
        reversed_: Body = await self.ok("POST", f"/v1/payments/{payment['id']}/reverse", body)
        return reversed_

    # Books

    def _entry(self, text: str, items: tuple[Item, ...], vouchers: Mapping[str, bytes]) -> Body:
        lines = []
        for item in items:
            amount = Decimal(item.amount)
            line = {"accountId": self.accounts[item.account], "side": "DEBIT" if amount > 0 else "CREDIT"}
            code = {"vatCodeId": self.codes[item.vat_code]} if item.vat_code else {}
            lines.append({**line, "amount": str(abs(amount)), **code})
        total = sum(max(Decimal(item.amount), Decimal(0)) for item in items)
        body: Body = {
            "entryType": "JOURNAL_ENTRY", "date": self.today, "description": text, "originalAmount": str(total),
            "lines": lines,
        }  # fmt: skip
        if vouchers:
            body["attachments"] = [
                {"fileName": name, "contentType": "application/pdf", "content": base64.b64encode(content).decode()}
                for name, content in vouchers.items()
            ]
        return body

    async def enters(self, text: str, *items: Item, vouchers: Mapping[str, bytes] | None = None) -> Body:
        """An entry of today, by hand, with vouchers (PDF) by their names."""
        entry: Body = await self.ok("POST", "/v2/journal-entries", self._entry(text, items, vouchers or {}))
        return entry

    async def drafts_entry(self, text: str, *items: Item) -> Body:
        """An entry that is not booked yet."""
        draft: Body = await self.ok("POST", DRAFTS, self._entry(text, items, {}))
        return draft

    async def corrects(self, draft: Body, *items: Item) -> Body:
        """Other amounts in a draft, and today's date."""
        changes = self._entry("", items, {})
        names = ("date", "originalAmount", "lines")
        corrected: Body = await self.ok("PATCH", f"{DRAFTS}/{draft['id']}", {name: changes[name] for name in names})
        return corrected

    async def books(self, draft: Body) -> Body:
        """The entry that a draft becomes."""
        entry: Body = await self.ok("POST", f"{DRAFTS}/{draft['id']}/book")
        return entry

    async def reverses(self, entry: Body, why: str) -> Body:
        """The entry that takes another back, today."""
        body = {"date": self.today, "description": why}
        reversal: Body = await self.ok("POST", f"{ENTRIES}/{entry['id']}/reverse", body)
        return reversal

    async def closes_the_books_through(self, day: str) -> None:
        """Nothing is entered any more on that day or before."""
        await self.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": day})

    # Looking

    @property
    def today(self) -> str:
        return self.api.clock().date().isoformat()

    async def entry(self, entry_id: str) -> dict[int, Decimal]:
        """What an entry moved, in the company's currency."""
        return moved(await self.ok("GET", f"{ENTRIES}/{entry_id}"))

    async def entries(self) -> list[Body]:
        """All entries (a hundred at most), by number."""
        page = await self.ok("GET", ENTRIES, params={"limit": 100})
        assert page["total"] == len(page["data"])
        return sorted(page["data"], key=lambda entry: int(entry["entryNumber"]))

    async def vouchers(self, entry: Body) -> dict[str, bytes]:
        """The files of an entry by name."""
        path = f"{ENTRIES}/{entry['id']}/attachments"
        listed = await self.ok("GET", path)
        return {file["fileName"]: (await self.api.get(f"{path}/{file['id']}")).content for file in listed}

    async def trial_balance(self, first: str, last: str) -> Body:
        """The report as it is answered."""
        report: Body = await self.ok("GET", "/v1/reports/trial-balance", params={"fromDate": first, "toDate": last})
        return report

    async def balances(self, day: str) -> dict[int, Decimal]:
        """Where each account stands at the end of a day; those that stand at nothing are left out."""
        report = await self.trial_balance(day, day)
        assert (report["totals"]["opening"], report["totals"]["closing"]) == ("0.00", "0.00")
        standing = {number: Decimal(row["closing"]) for number, row in bookable(report).items()}
        return {number: amount for number, amount in standing.items() if amount}

    async def turnover(self, first: str, last: str, *accounts: int) -> dict[int, Decimal]:
        """What moved on some accounts from one day through another."""
        rows = bookable(await self.trial_balance(first, last))
        return {number: Decimal(rows[number]["debit"]) - Decimal(rows[number]["credit"]) for number in accounts}

    async def audit(self) -> Verification:
        """What `ledgerbee verify` finds, every file and document included."""

        async def work(context: Context) -> Verification:
            return await verify(context, blobs=BLOBS)

        found: Verification = await self.api.run(work, one_snapshot=True)
        return found


def kroner(amounts: Amounts) -> dict[int, Decimal]:
    """Amounts as a story writes them, to compare: `{6480: "1_000.00"}`."""
    return {number: Decimal(amount) for number, amount in amounts.items()}
