"""Steps of stories of subscriptions: a sandbox that sells by subscription, moved by its test clock.

A story does what any caller could do, over the public API; the worker's jobs run in process, after each step. It ends
with `ends`: the audit, all invoices and credit notes, and the balances of the ledger, as the test has them by hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pprint import pformat
from typing import Any, Final, Protocol

from pgqueuer.models import Job
from tests.stories.harness.client import Body, Client
from tests.stories.harness.figures import bookable
from tests.stories.harness.jobs import Jobs

from ledgerbee.app.verify import verify
from ledgerbee.platform.context import Context

#: Accounts of the Danish standard chart: who owes, what is paid, sales of services by zone, what the years before came
#: to, what isn't earned yet, VAT.
RECEIVABLE, BANK, REVENUE, REVENUE_EU, REVENUE_ABROAD, YEARS_BEFORE, DEFERRED, OUTPUT_VAT = (
    6190, 6480, 1010, 1150, 1200, 6935, 8071, 7680,
)  # fmt: skip

#: The job that prints documents ahead of time.
_PRINTING: Final = "print_documents"
_numbers = count(1)


class Begin(Protocol):
    """Begins a story on a day."""

    async def __call__(self, day: str) -> "Story": ...


@dataclass
class Story(Client):
    """One sandbox. Ids and bodies are the wire's; amounts are texts as the API has them."""

    jobs: Jobs = field(init=False)
    _product_groups: dict[str, str] = field(default_factory=dict)
    _customer_groups: list[Body] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.jobs = _Worker(self.api)

    # Time

    async def on(self, day: str) -> None:
        """Have the company's day be `day`, at most 750 days on, with all that is due on the way and on it."""
        await self.jobs.run()
        await self.ok("POST", "/v1/test-clock/advance", {"toDate": day})
        await self.jobs.run()
        clock = await self.ok("GET", "/v1/test-clock")
        assert (clock["status"], clock["today"]) == ("idle", day), clock

    async def done(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The answer to a request that must succeed, once the worker has done what follows from it."""
        answer = await self.ok(method, path, body, **options)
        await self.jobs.run()
        return answer

    # What is sold, and to whom

    async def price(self, amount: str | Sequence[Body], kind: str = "month", **fields: Any) -> str:
        """A new price: `kind` is an interval, with how many of it make a period ("3 month"), or `once`.

        A price with tiers has them in place of an amount, and its `pricingModel`.
        """
        body = {"pricingModel": "FLAT_RATE", **fields}
        body |= {"unitAmount": amount} if isinstance(amount, str) else {"tiers": list(amount)}
        if kind == "once":
            body["billingPeriodType"] = "ONE_TIME"
        else:
            number, _, interval = kind.rpartition(" ")
            body = {"billingPeriodType": "RECURRING", **body}
            body |= {"billingInterval": interval, "billingIntervalCount": int(number or 1)}
        if "productId" not in body:
            body["productId"] = await self.product()
        made: str = (await self.ok("POST", "/v1/product-prices", body))["id"]
        return made

    async def product(self, **fields: Any) -> str:
        """A new product, of the group of services."""
        if not self._product_groups:
            found = (await self.ok("GET", "/v1/product-groups"))["data"]
            self._product_groups = {row["number"]: row["id"] for row in found}
        number = next(_numbers)
        body = {"number": f"P{number}", "name": f"Service {number}", "productGroupId": self._product_groups["2"]}
        made: str = (await self.ok("POST", "/v1/products", {**body, "unit": "pcs", **fields}))["id"]
        return made

    async def meter(self, amount: str | Sequence[Body] = "2", **fields: Any) -> tuple[str, str]:
        """A new meter, and a monthly price of it."""
        own = {name: fields.pop(name) for name in ("aggregation", "uniqueKey") if name in fields}
        meter: str = (await self.ok("POST", "/v1/meters", {"name": f"Calls {next(_numbers)}", **own}))["id"]
        return meter, await self.metered(meter, amount, **fields)

    async def metered(self, meter: str, amount: str | Sequence[Body] = "2", **fields: Any) -> str:
        """A new monthly price of a meter."""
        return await self.price(amount, billingPeriodType="USAGE", meterId=meter, **fields)

    async def plan(self, *prices: str | Body, **fields: Any) -> str:
        """A new plan of one of each price."""
        items = [{"priceId": price} if isinstance(price, str) else price for price in prices]
        body = {"name": f"Plan {next(_numbers)}", "items": items, **fields}
        made: str = (await self.ok("POST", "/v1/subscription-plans", body))["id"]
        return made

    async def plan_of(self, amount: str, kind: str = "month", **fields: Any) -> str:
        """A new plan of one price."""
        return await self.plan(await self.price(amount, kind), **fields)

    async def customer(self, group: int = 1, **fields: Any) -> str:
        """A new customer: a Danish company unless told otherwise."""
        if not self._customer_groups:
            self._customer_groups = await self.ok("GET", "/v1/customer-groups")
        number = next(_numbers)
        groups = {row["number"]: row["id"] for row in self._customer_groups}
        body = {
            "customerNumber": f"C{number}", "customerType": "company", "name": f"Kunde {number:03}",
            "countryCode": "DK", "vatZone": "domestic", "customerGroupId": groups[str(group)], "address": "Havnegade 1",
            "postalCode": "1058", "city": "København K", **fields,
        }  # fmt: skip
        made: str = (await self.ok("POST", "/v1/customers", body))["id"]
        return made

    # Subscriptions

    async def subscribe(self, plan: str, start: str, customer: str | None = None, **fields: Any) -> str:
        """A new subscription, of a new customer unless one is named, billed as far as it is due."""
        body = {"customerId": customer or await self.customer(), "planId": plan, "startDate": start, **fields}
        made: str = (await self.done("POST", "/v1/subscriptions", body))["id"]
        return made

    async def subscription(self, subscription: str) -> Body:
        """A subscription as it is now."""
        found: Body = await self.ok("GET", f"/v1/subscriptions/{subscription}")
        return found

    async def status(self, subscription: str) -> str:
        """Where it stands."""
        found: str = (await self.subscription(subscription))["status"]
        return found

    async def change(self, subscription: str, kind: str, payload: Body | None = None, **fields: Any) -> Body:
        """Ask for a change."""
        body = {"type": kind, **fields} | ({} if payload is None else {"payload": payload})
        made: Body = await self.done("POST", f"/v1/subscriptions/{subscription}/scheduled-changes", body)
        return made

    async def change_now(self, subscription: str, kind: str, payload: Body | None = None, **fields: Any) -> Body:
        """A change of today."""
        today = (await self.ok("GET", "/v1/test-clock"))["today"]
        return await self.change(subscription, kind, payload, effectiveDate=today, **fields)

    async def pause(self, subscription: str, mode: str = "none", **fields: Any) -> None:
        """Pause it today, unless told otherwise."""
        await self.done("POST", f"/v1/subscriptions/{subscription}/pause", {"prorationBehavior": mode, **fields})

    async def resume(self, subscription: str, mode: str = "none", **fields: Any) -> None:
        """Resume it today, unless told otherwise."""
        await self.done("POST", f"/v1/subscriptions/{subscription}/resume", {"prorationBehavior": mode, **fields})

    async def cancel(self, subscription: str, strategy: str = "immediately", **fields: Any) -> Body:
        """Cancel it; what is given back."""
        body = {"id": subscription, "strategy": strategy, **fields}
        answer: Body = await self.done("POST", "/v1/subscriptions/cancel", body)
        return answer["refund"] or {}

    async def use(self, meter: str, subscription: str, value: str, moment: str, **metadata: str) -> None:
        """Report usage at noon of a day, or at a moment."""
        customer = (await self.subscription(subscription))["customerId"]
        timestamp = moment if "T" in moment else f"{moment}T11:00:00Z"
        body: Body = {"value": value, "customerId": customer, "meterId": meter, "timestamp": timestamp}
        if metadata:
            body["metadata"] = metadata
        await self.done("POST", "/v1/meters/report", body)

    async def run(self, **body: Any) -> Body:
        """A billing run that was asked for, when it is over."""
        started = await self.done("POST", "/v1/billing-runs", body)
        found: Body = await self.ok("GET", f"/v1/billing-runs/{started['id']}?limit=100")
        return found

    # Documents

    async def documents(self, kind: str) -> list[Body]:
        """All documents of a kind, by their numbers."""
        listed = await self.ok("GET", f"/v1/{kind}?limit=100")
        assert listed["total"] == len(listed["data"])
        found = [await self.ok("GET", f"/v1/{kind}/{one['id']}") for one in listed["data"]]
        return sorted(found, key=lambda one: int(one["number"]))

    async def invoice(self, number: int) -> Body:
        """The invoice with that number."""
        return (await self.documents("invoices"))[number - 1]

    async def is_paid(self, number: int) -> None:
        """An invoice is paid in full, today."""
        invoice = await self.invoice(number)
        today = (await self.ok("GET", "/v1/test-clock"))["today"]
        body = {"date": today, "amount": invoice["amountDue"]}
        await self.done("POST", f"/v1/invoices/{invoice['id']}/payments", body)

    async def credits(self, number: int) -> None:
        """An invoice is credited by hand, whole."""
        invoice = await self.invoice(number)
        body = {"customerId": invoice["customerId"], "invoiceNumber": invoice["number"]}
        note = await self.ok("POST", "/v1/credit-notes", body)
        await self.done("POST", f"/v1/credit-notes/{note['id']}/send", {"deliveryType": "Manual"})

    async def books(self, day: str | None = None) -> dict[int, str]:
        """Where each account stands at the end of a day, of today unless told otherwise."""
        day = day or (await self.ok("GET", "/v1/test-clock"))["today"]
        days = {"fromDate": day, "toDate": day}
        rows = bookable(await self.ok("GET", "/v1/reports/trial-balance", params=days))
        return {number: row["closing"] for number, row in rows.items() if Decimal(row["closing"])}

    async def ends(self, *, invoices: Sequence[str], notes: Sequence[str] = (), ledger: Mapping[int, str]) -> None:
        """The audit finds nothing, and there are just these documents (see `told`), and balances (debit positive).

        All that differs is said at once.
        """
        found = {
            "invoices": [told(one) for one in await self.documents("invoices")],
            "notes": [told(one) for one in await self.documents("credit-notes")],
            "ledger": await self.books(),
            "audit": await self._fault(),
        }
        expected = {"invoices": list(invoices), "notes": list(notes), "ledger": dict(ledger), "audit": None}
        differing = {name: found[name] for name in found if found[name] != expected[name]}
        assert not differing, pformat(differing, width=110)

    async def _fault(self) -> str | None:
        """What `ledgerbee verify` finds."""

        async def work(context: Context) -> str | None:
            fault = (await verify(context)).fault
            return None if fault is None else fault.what

        found: str | None = await self.api.run(work, one_snapshot=True)
        return found


class _Worker(Jobs):
    """A worker that leaves documents unprinted: no story looks at paper, and printing takes longer than all else."""

    async def _queued(self) -> list[Job]:
        waiting = [job for job in await super()._queued() if job.entrypoint != _PRINTING]
        self.due = {job.id: self.due[job.id] for job in waiting}
        return waiting


def told(document: Body) -> str:
    """A document in a line: its day, its sum without VAT, which invoice it credits, and its lines with their days.

    `2026-03-16: 100.00 = 100.00 (03-01/03-31)`; days of another year than the document's are told with it.
    """
    day = document["date"]
    on = f" on {document['invoiceNumber']}" if document.get("invoiceNumber") else ""
    lines = " + ".join(_line_told(line, day[:5]) for line in document["lines"] if line["lineType"] == "product")
    return f"{day}: {document['subtotal']}{on} = {lines}"


def _line_told(line: Body, year: str) -> str:
    first, last = line["servicePeriodStart"], line["servicePeriodEnd"]
    days = "" if first is None else f" ({first.removeprefix(year)}/{last.removeprefix(year)})"
    return f"{line['totalPrice']}{days}"


def moment(day: str) -> datetime:
    """Noon of a day."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).replace(hour=12)
