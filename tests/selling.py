"""A company that sells, for tests: customers, products and prices over the API, the ledger read behind it."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from tests.conftest import Api

from ledgerbee.ledger.entries.model import EntryId, JournalEntry, Side
from ledgerbee.ledger.entries.store import reads as entries
from ledgerbee.platform.context import Context

_numbers = count(1)


@dataclass
class Shop:
    """One company's sales. Ids and bodies are the wire's."""

    api: Api

    async def ok(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        """The answer to a request that must succeed."""
        options = {} if body is None else {"json": body}
        response = await self.api.request(method, path, **options)
        expected = status or (201 if method == "POST" else 200)
        assert response.status_code == expected, response.text
        return response.json()

    async def ok_empty(self, method: str, path: str) -> None:
        """A request that must succeed without a body."""
        response = await self.api.request(method, path)
        assert response.status_code == 204, response.text

    async def refused(self, method: str, path: str, body: Any, status: int, code: str) -> dict[str, Any]:
        """The `details` of a refusal with this status and code."""
        options = {} if body is None else {"json": body}
        response = await self.api.request(method, path, **options)
        assert (response.status_code, response.json().get("code")) == (status, code), response.text
        details: dict[str, Any] = response.json()["details"]
        return details

    async def customer(self, **fields: Any) -> str:
        """A new Danish company as customer."""
        groups = await self.ok("GET", "/v1/customer-groups")
        body = {
            "customerNumber": f"C{next(_numbers)}",
            "customerType": "company",
            "name": "Havblik A/S",
            "countryCode": "DK",
            "vatZone": "domestic",
            "customerGroupId": groups[0]["id"],
            "address": "Havnegade 1",
            "postalCode": "1058",
            "city": "København K",
            **fields,
        }
        created: str = (await self.ok("POST", "/v1/customers", body))["id"]
        return created

    async def groups(self) -> dict[str, str]:
        """The product groups of the seeded chart by number: 1 goods, 2 services."""
        found = await self.ok("GET", "/v1/product-groups")
        return {group["number"]: group["id"] for group in found["data"]}

    async def product(self, group: str = "2", **fields: Any) -> str:
        """A new product of a seeded group."""
        body = {
            "number": f"P{next(_numbers)}",
            "name": "Consulting",
            "productGroupId": (await self.groups())[group],
            "unit": "hours",
            **fields,
        }
        created: str = (await self.ok("POST", "/v1/products", body))["id"]
        return created

    async def price(self, amount: str = "100", group: str = "2", product: str | None = None, **fields: Any) -> str:
        """A new flat one-time price of a product."""
        body = {
            "productId": product or await self.product(group),
            "billingPeriodType": "ONE_TIME",
            "pricingModel": "FLAT_RATE",
            "unitAmount": amount,
            **fields,
        }
        if body["pricingModel"] != "FLAT_RATE":
            del body["unitAmount"]
        created: str = (await self.ok("POST", "/v1/product-prices", body))["id"]
        return created

    async def draft(self, customer: str, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A new draft, dated at the clock's day unless told otherwise."""
        body = {"customerId": customer, "date": "2026-03-16", "lines": list(lines), **fields}
        created: dict[str, Any] = await self.ok("POST", "/v1/invoices", body)
        return created

    async def send(self, invoice: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Send a draft (`Manual` unless told otherwise); the invoice as it is then."""
        body = {"deliveryType": "Manual", **options}
        await self.ok("POST", f"/v1/invoices/{invoice['id']}/send", body, status=200)
        return await self.invoice(invoice["id"])

    async def invoice(self, invoice_id: str) -> dict[str, Any]:
        """An invoice as the API shows it."""
        found: dict[str, Any] = await self.ok("GET", f"/v1/invoices/{invoice_id}")
        return found

    async def sold(self, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A sent invoice to a new Danish customer."""
        return await self.send(await self.draft(await self.customer(), *lines, **fields))

    async def quote(self, customer: str, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A new draft of a quote, dated at the clock's day unless told otherwise."""
        body = {"customerId": customer, "date": "2026-03-16", "lines": list(lines), **fields}
        created: dict[str, Any] = await self.ok("POST", "/v1/quotes", body)
        return created

    async def order_confirmation(self, customer: str, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A new draft of an order confirmation, dated at the clock's day unless told otherwise."""
        body = {"customerId": customer, "date": "2026-03-16", "lines": list(lines), **fields}
        created: dict[str, Any] = await self.ok("POST", "/v1/order-confirmations", body)
        return created

    async def offered(self, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A sent quote to a new Danish customer."""
        draft = await self.quote(await self.customer(), *lines, **fields)
        await self.ok("POST", f"/v1/quotes/{draft['id']}/send", {}, status=200)
        found: dict[str, Any] = await self.ok("GET", f"/v1/quotes/{draft['id']}")
        return found

    async def ordered(self, quote: dict[str, Any]) -> dict[str, Any]:
        """A sent order confirmation that was made of a sent quote."""
        made = await self.ok("POST", f"/v1/quotes/{quote['id']}/convert", {"target": "orderConfirmation"})
        await self.ok("POST", f"/v1/order-confirmations/{made['id']}/send", {}, status=200)
        found: dict[str, Any] = await self.ok("GET", f"/v1/order-confirmations/{made['id']}")
        return found

    async def credit(self, invoice: dict[str, Any], *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A new credit note on an invoice: of these lines, or of all that is left."""
        body = {"customerId": invoice["customerId"], "invoiceNumber": invoice["number"], **fields}
        if lines:
            body["lines"] = list(lines)
        made: dict[str, Any] = await self.ok("POST", "/v1/credit-notes", body)
        return made

    async def send_note(self, note: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Send a credit note (`Manual` unless told otherwise); the note as it is then."""
        await self.ok("POST", f"/v1/credit-notes/{note['id']}/send", options, status=200)
        return await self.note(note["id"])

    async def credited(self, invoice: dict[str, Any], *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A sent credit note on an invoice; the invoice as it is then."""
        await self.send_note(await self.credit(invoice, *lines, **fields))
        return await self.invoice(invoice["id"])

    async def note(self, note_id: str) -> dict[str, Any]:
        """A credit note as the API shows it."""
        found: dict[str, Any] = await self.ok("GET", f"/v1/credit-notes/{note_id}")
        return found

    async def entry(self, entry_id: str) -> JournalEntry:
        """A posted entry."""

        async def work(context: Context) -> JournalEntry:
            return await entries.get(context, EntryId(UUID(entry_id)))

        found: JournalEntry = await self.api.run(work)
        return found

    async def value(self, query: str, *arguments: Any) -> Any:
        """One value out of the company's rows."""

        async def work(context: Context) -> Any:
            return await context.connection.fetchval(query, *arguments)

        return await self.api.run(work)

    async def balance(self, account_number: int) -> Decimal:
        """An account's balance in the base currency, debit positive."""
        found: Decimal = await self.value(
            "SELECT coalesce(sum(l.base_amount), 0) FROM journal_lines l JOIN accounts a USING (company_id)"
            " WHERE a.company_id = $1 AND a.id = l.account_id AND a.number = $2",
            self.api.company_id,
            account_number,
        )
        return found

    async def events(self, topic: str) -> list[dict[str, Any]]:
        """The data of the company's events of a topic, oldest first."""

        async def work(context: Context) -> list[dict[str, Any]]:
            rows = await context.connection.fetch(
                "SELECT data FROM events WHERE company_id = $1 AND type = $2 ORDER BY id", context.company_id, topic
            )
            return [row["data"] for row in rows]

        found: list[dict[str, Any]] = await self.api.run(work)
        return found


def as_told(invoice: dict[str, Any]) -> dict[str, Any]:
    """An invoice of an answer as its events have it: where its delivery stands is told by events of its own."""
    return {name: value for name, value in invoice.items() if name != "deliveryStatus"}


def line(price: str, quantity: Any = 1, **fields: Any) -> dict[str, Any]:
    """A product line."""
    return {"priceId": price, "quantity": quantity, **fields}


def booked(entry: JournalEntry) -> list[tuple[int, Decimal, Decimal, str]]:
    """An entry's lines: account number, amount and base amount (debit positive), line type."""
    signs = {Side.DEBIT: 1, Side.CREDIT: -1}
    return [
        (
            entry.accounts[line.account_id].number,
            signs[line.side] * line.amount,
            signs[line.side] * line.base_amount,
            line.line_type.value,
        )
        for line in entry.content.lines
    ]
