"""Keeps the diary's books in a running product, through its public API, each month by another door."""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tests.stories.company_year.diary import Event, Item
from tests.stories.company_year.people import CATALOGUE, CUSTOMERS, EXTRA_ACCOUNTS, PRO_RATA_CODES, SELLER, VENDORS
from tests.stories.harness.client import Body, Client
from tests.stories.harness.jobs import Jobs

TYPES: Final = {
    "bill": "SUPPLIER_INVOICE",
    "pay": "SUPPLIER_PAYMENT",
    "charge": "CUSTOMER_INVOICE",
    "collect": "CUSTOMER_PAYMENT",
    "journal": "JOURNAL_ENTRY",
}
#: The receivables and payables that v1 is told, and v2 adds: the account and the side for a positive amount.
CONTROLS: Final = {
    "bill": (7440, "CREDIT"),
    "pay": (7440, "DEBIT"),
    "charge": (6190, "DEBIT"),
    "collect": (6190, "CREDIT"),
}
IMPORTS: Final = "/v2/journal-entries/import"


@dataclass
class Bookkeeper(Client):
    """Posts events; `entries`, `invoices` and `payments` hold the ids of what came of them, by the event's key."""

    accounts: dict[int, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    parties: dict[str, str] = field(default_factory=dict)
    prices: dict[str, str] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    invoices: dict[str, str] = field(default_factory=dict)
    payments: dict[str, str] = field(default_factory=dict)

    async def set_up(self) -> None:
        """The company, accounts that a new chart lacks, deductible shares, customers, vendors and products."""
        await self.ok("PATCH", "/v1/company", SELLER)
        found = await self.ok("GET", "/v1/accounts")
        self.accounts = {row["accountNumber"]: row["id"] for row in found}
        for body in EXTRA_ACCOUNTS:
            self.accounts[body["accountNumber"]] = (await self.ok("POST", "/v1/accounts", body))["id"]
        self.codes = {row["vatCode"]: row["id"] for row in await self.ok("GET", "/v1/vat-codes")}
        for code, share in PRO_RATA_CODES.items():
            rates = {"rates": [{"vatRate": 25, "deductibleShare": share}]}
            await self.ok("PUT", f"/v1/vat-codes/{self.codes[code]}/rates", rates)
        await self._parties()
        await self._products()

    async def _parties(self) -> None:
        customer_groups = {row["number"]: row["id"] for row in await self.ok("GET", "/v1/customer-groups")}
        vendor_groups = {row["number"]: row["id"] for row in await self.ok("GET", "/v1/vendor-groups")}
        for name, (group, body) in CUSTOMERS.items():
            made = {"customerNumber": name, "customerGroupId": customer_groups[group], **body}
            self.parties[name] = (await self.ok("POST", "/v1/customers", made))["id"]
        for name, (group, title, country, currency) in VENDORS.items():
            made = {
                "vendorNumber": name, "name": title, "vendorGroupId": vendor_groups[group], "currency": currency,
                "countryCode": country, "contacts": [{"name": title}],
            }  # fmt: skip
            self.parties[name] = (await self.ok("POST", "/v1/vendors", made))["id"]

    async def _products(self) -> None:
        groups = {row["number"]: row["id"] for row in (await self.ok("GET", "/v1/product-groups"))["data"]}
        exempt = self.accounts[1012]
        courses = {
            "number": "3", "name": "Kurser", "domesticAccountId": exempt, "domesticWithoutVatAccountId": exempt,
            "euAccountId": self.accounts[1150], "abroadAccountId": self.accounts[1200],
        }  # fmt: skip
        groups["course"] = (await self.ok("POST", "/v1/product-groups", courses))["id"]
        numbers = {"goods": groups["1"], "services": groups["2"], "course": groups["course"]}
        for product, (kind, price) in CATALOGUE.items():
            body = {"number": product, "name": product, "productGroupId": numbers[kind], "unit": "pcs"}
            made = await self.ok("POST", "/v1/products", body)
            priced = {
                "productId": made["id"], "billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE",
                "unitAmount": price,
            }  # fmt: skip
            self.prices[product] = (await self.ok("POST", "/v1/product-prices", priced))["id"]

    async def keep(self, events: Sequence[Event]) -> None:
        """Book a month's events: documents and payments as they come, entries through the month's door at its end."""
        waiting: list[Event] = []
        for event in events:
            self.api.clock.now = datetime(event.day.year, event.day.month, event.day.day, 12, tzinfo=UTC)
            if event.kind in TYPES:
                waiting.append(event)
                continue
            # What was written before is there when it is locked or taken back.
            if event.kind in {"reverse", "lock"}:
                await self._through_the_door(waiting)
                waiting = []
            await getattr(self, f"_{event.kind}")(event)
        await self._through_the_door(waiting)

    async def _through_the_door(self, events: Sequence[Event]) -> None:
        if not events:
            return
        month = events[0].day.month
        doors: dict[int, Callable[[Sequence[Event]], Awaitable[None]]] = {
            1: self._one_by_one, 2: self._batch, 3: self._older_one_by_one, 4: self._drafts, 5: self._older_batch,
            6: self._json_lines, 7: self._csv, 8: self._older_drafts, 10: self._json_lines, 11: self._one_by_one,
        }  # fmt: skip
        await doors.get(month, self._batch)(events)

    async def _invoice(self, event: Event) -> None:
        day = event.day.isoformat()
        if event.currency != "DKK":
            own = {"currency": event.currency, "date": day, "rate": str(event.rate)}
            await self.ok("PUT", "/v1/exchange-rates", own)
        lines = []
        for sold in event.sold:
            line: Body = {"priceId": self.prices[sold.product], "quantity": str(sold.quantity)}
            if sold.price is not None:
                line["unitPrice"] = str(sold.price)
            if sold.discount:
                line["discountPercent"] = str(sold.discount)
            lines.append(line)
        body = {
            "customerId": self.parties[event.party], "date": day, "currency": event.currency, "lines": lines,
            "reference": event.key, "deliveryDate": event.options.get("delivered", day),
        }  # fmt: skip
        draft = await self.ok("POST", "/v1/invoices", body)
        await self.ok("POST", f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Manual"})
        sent = await self.ok("GET", f"/v1/invoices/{draft['id']}")
        assert Decimal(sent["amount"]) == event.amount, (event.key, sent["amount"])
        self.invoices[event.key], self.entries[event.key] = sent["id"], sent["journalEntryId"]

    async def _receipt(self, event: Event) -> None:
        body = {
            "date": event.day.isoformat(), "amount": str(event.amount), "currency": event.currency,
            "accountId": self.accounts[int(event.options.get("to", 6480))], "exchangeRate": str(event.rate),
        }  # fmt: skip
        made = await self.ok("POST", f"/v1/invoices/{self.invoices[event.party]}/payments", body)
        self.payments[event.key], self.entries[event.key] = made["id"], made["journalEntryId"]

    async def _returned(self, event: Event) -> None:
        body = {"date": event.day.isoformat(), "description": event.text}
        await self.ok("POST", f"/v1/payments/{self.payments[event.party]}/reverse", body)

    async def _reverse(self, event: Event) -> None:
        body = {"date": event.day.isoformat(), "description": event.text}
        made = await self.ok("POST", f"/v1/journal-entries/{self.entries[event.party]}/reverse", body)
        self.entries[event.key] = made["id"]

    async def _lock(self, event: Event) -> None:
        """Closes a period; what is entered in it afterwards is refused and changes nothing."""
        await self.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": event.options["through"]})
        late = {
            "entryType": "JOURNAL_ENTRY", "date": event.options["through"], "originalAmount": "1.00",
            "lines": [self._line(Item(2450, Decimal(1))), self._line(Item(6480, Decimal(-1)))],
        }  # fmt: skip
        answer = await self.api.post("/v2/journal-entries", late)
        assert (answer.status_code, answer.json()["code"]) == (409, "PERIOD_LOCKED")

    async def _one_by_one(self, events: Sequence[Event]) -> None:
        for event in events:
            self._know(event, await self.ok("POST", "/v2/journal-entries", self._entry(event)))

    async def _batch(self, events: Sequence[Event]) -> None:
        made = await self.ok("POST", "/v2/journal-entries/batch", {"entries": [self._entry(event) for event in events]})
        self._know_all(events, made["entries"])

    async def _older_one_by_one(self, events: Sequence[Event]) -> None:
        for event in events:
            self._know(event, await self.ok("POST", "/v1/journal-entries", self._entry_with_control(event)))

    async def _older_batch(self, events: Sequence[Event]) -> None:
        body = {"entries": [self._entry_with_control(event) for event in events]}
        self._know_all(events, (await self.ok("POST", "/v1/journal-batches", body))["entries"])

    async def _drafts(self, events: Sequence[Event]) -> None:
        """Drafted with a wrong text, corrected, booked."""
        drafted = [{**self._entry(event), "description": "?"} for event in events]
        made = await self.ok("POST", "/v2/draft-journal-batches", {"entries": drafted})
        for event, draft in zip(events, made["drafts"], strict=True):
            path = f"/v2/draft-journal-entries/{draft['id']}"
            await self.ok("PATCH", path, {"description": event.text})
            self._know(event, await self.ok("POST", f"{path}/book"))

    async def _older_drafts(self, events: Sequence[Event]) -> None:
        for event in events:
            draft = await self.ok("POST", "/v1/draft-journal-entries", self._entry_with_control(event))
            self._know(event, await self.ok("POST", f"/v1/draft-journal-entries/{draft['id']}/book"))

    async def _json_lines(self, events: Sequence[Event]) -> None:
        rows = [json.dumps(self._row(event)) for event in events]
        await self._import("\n".join(rows), "application/x-ndjson", events)

    async def _csv(self, events: Sequence[Event]) -> None:
        """The bank's lines as a CSV file with decimal commas; what a CSV file can't say goes by the batch."""
        banking = [event for event in events if event.kind in {"pay", "collect", "journal"} and event.currency == "DKK"]
        head = "entry date entryType originalAmount vendorNumber customerNumber description externalSystemId"
        rows = [";".join([*head.split(), "accountNumber", "debit", "credit", "vatCode"])]
        for event in banking:
            party = (event.party, "") if event.party in VENDORS else ("", event.party)
            front = (event.key, event.day, TYPES[event.kind], f"{self._total(event):f}".replace(".", ","), *party)
            for item in event.items:
                amount = f"{abs(item.amount):f}".replace(".", ",")
                sides = (amount, "") if item.amount > 0 else ("", amount)
                cells = (*front, event.text.replace(";", ","), event.key, item.account, *sides, item.code or "")
                rows.append(";".join(str(cell) for cell in cells))
        if banking:
            await self._import("\r\n".join(rows), "text/csv", banking)
        if others := [event for event in events if event not in banking]:
            await self._batch(others)

    async def _import(self, content: str, media_type: str, events: Sequence[Event]) -> None:
        headers = {"content-type": media_type}
        begun = await self.ok("POST", IMPORTS, content=content.encode(), headers=headers)
        await Jobs(self.api).run()
        done = await self.ok("GET", f"{IMPORTS}/{begun['id']}")
        errors = await self.ok("GET", f"{IMPORTS}/{begun['id']}/errors")
        assert done["status"] == "completed", done
        assert errors["data"] == [], errors
        for event in events:
            found = await self.ok("GET", "/v1/journal-entries", params={"externalSystemId": event.key})
            self._know_all([event], found["data"])

    def _know(self, event: Event, entry: Body) -> None:
        self.entries[event.key] = entry["id"]

    def _know_all(self, events: Iterable[Event], entries: Iterable[Body]) -> None:
        for event, entry in zip(events, entries, strict=True):
            self._know(event, entry)

    @staticmethod
    def _total(event: Event) -> Decimal:
        if event.kind == "journal":
            return sum((item.amount for item in event.items if item.amount > 0), Decimal(0))
        return event.amount

    def _entry(self, event: Event) -> Body:
        """The body of v2: the receivable or payable is the system's."""
        body: Body = {
            "entryType": TYPES[event.kind], "date": event.day.isoformat(), "originalAmount": str(self._total(event)),
            "description": event.text, "reference": event.key, "externalSystemId": event.key,
            "lines": [self._line(item, -1 if event.kind == "charge" else 1) for item in event.items],
        }  # fmt: skip
        if event.currency != "DKK":
            body |= {"currency": event.currency, "exchangeRate": str(event.rate)}
        if event.party:
            body["vendorId" if event.party in VENDORS else "customerId"] = self.parties[event.party]
        return body

    def _entry_with_control(self, event: Event) -> Body:
        """The body of v1: with the receivable or payable among the lines."""
        body = self._entry(event)
        if event.kind in CONTROLS:
            account, side = CONTROLS[event.kind]
            amount = event.amount if side == "DEBIT" else -event.amount
            body["lines"].append(self._line(Item(account, amount)))
        return body

    def _row(self, event: Event) -> Body:
        """A line of JSON Lines: numbers and codes in the place of ids."""
        body = self._entry(event)
        body.pop("vendorId", None)
        body.pop("customerId", None)
        if event.party:
            body["vendorNumber" if event.party in VENDORS else "customerNumber"] = event.party
        for line, item in zip(body["lines"], event.items, strict=True):
            del line["accountId"]
            line["accountNumber"] = item.account
            if item.code:
                del line["vatCodeId"]
                line["vatCode"] = item.code
        return body

    def _line(self, item: Item, sign: int = 1) -> Body:
        line: Body = {
            "accountId": self.accounts[item.account],
            "side": "DEBIT" if item.amount * sign > 0 else "CREDIT",
            "amount": str(abs(item.amount)),
        }
        if item.code:
            line["vatCodeId"] = self.codes[item.code]
        if item.contains is not None:
            line["vatIncluded"] = item.contains
        if item.stated_vat is not None:
            line["vatAmount"] = str(abs(item.stated_vat))
        return line
