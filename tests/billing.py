"""A company that sells by subscription, for tests: plans and subscriptions over the API, runs in process."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from tests.days import job_of
from tests.selling import Shop

from ledgerbee.app.verify import verify
from ledgerbee.billing.runs.jobs import bill_subscriptions, carry_out
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobRun

_numbers = count(1)


@dataclass
class Biller(Shop):
    """One company's subscriptions. Ids and bodies are the wire's; its day is the clock's."""

    def on(self, day: str) -> None:
        """Have it be noon of a day."""
        self.api.clock.now = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).replace(hour=12)

    async def recurring(self, amount: str = "100", interval: str = "month", count: int = 1, **fields: Any) -> str:
        """A new price that recurs."""
        body = {"billingPeriodType": "RECURRING", "billingInterval": interval, "billingIntervalCount": count, **fields}
        return await self.price(amount, **body)

    async def plan(self, *prices: str, **fields: Any) -> str:
        """A new plan of one of each price."""
        body = {"name": "Basis", "items": [{"priceId": price} for price in prices], **fields}
        created: str = (await self.ok("POST", "/v1/subscription-plans", body))["id"]
        return created

    async def subscribe(self, plan: str, start: str, customer: str | None = None, **fields: Any) -> str:
        """A new subscription, of a new customer unless one is named. Nothing of it is billed yet."""
        body = {"customerId": customer or await self.customer(), "planId": plan, "startDate": start, **fields}
        created: str = (await self.ok("POST", "/v1/subscriptions", body))["id"]
        return created

    async def subscription(self, subscription_id: str) -> dict[str, Any]:
        """A subscription as the API shows it."""
        found: dict[str, Any] = await self.ok("GET", f"/v1/subscriptions/{subscription_id}")
        return found

    async def change(self, subscription_id: str, kind: str, status: int = 201, **fields: Any) -> dict[str, Any]:
        """Ask for a change."""
        path = f"/v1/subscriptions/{subscription_id}/scheduled-changes"
        made: dict[str, Any] = await self.ok("POST", path, {"type": kind, **fields}, status=status)
        return made

    async def preview(self, subscription_id: str, change: dict[str, Any] | None = None) -> dict[str, Any]:
        """What a change and the next billing would make."""
        body = {} if change is None else {"change": change}
        path = f"/v1/subscriptions/{subscription_id}/preview"
        made: dict[str, Any] = await self.ok("POST", path, body, status=200)
        return made

    async def start_run(self, **body: Any) -> str:
        """Ask for a billing run; its id."""
        started: str = (await self.ok("POST", "/v1/billing-runs", body, status=202))["id"]
        return started

    async def bill(self, **body: Any) -> dict[str, Any]:
        """Ask for a billing run, and carry it out; the run with its results."""
        return await self.carry_out(await self.start_run(**body))

    async def carry_out(self, run_id: str) -> dict[str, Any]:
        """Carry a run out as the worker does; the run with its results."""
        await carry_out(self.job(billingRunId=run_id))
        return await self.run(run_id)

    async def run(self, run_id: str, **parameters: Any) -> dict[str, Any]:
        """A run as the API shows it."""
        answer = await self.api.get(f"/v1/billing-runs/{run_id}", params={"limit": 100, **parameters})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def bill_changed(self, *subscription_ids: str) -> dict[str, Any]:
        """Bill subscriptions as the worker does right after they were made or changed; the run."""
        await bill_subscriptions(self.job(subscriptionIds=list(subscription_ids)))
        newest = (await self.ok("GET", "/v1/billing-runs?limit=1"))["data"][0]
        return await self.carry_out(newest["id"])

    async def cancel(self, subscription_id: str, strategy: str = "immediately", **fields: Any) -> dict[str, Any]:
        """Cancel a subscription; the answer."""
        body = {"id": subscription_id, "strategy": strategy, **fields}
        answer: dict[str, Any] = await self.ok("POST", "/v1/subscriptions/cancel", body, status=200)
        return answer

    async def metered(self, amount: str = "2", **fields: Any) -> tuple[str, str]:
        """A new meter, and a monthly USAGE price of it."""
        meter = (await self.ok("POST", "/v1/meters", {"name": f"Calls {next(_numbers)}"}))["id"]
        return meter, await self.usage_price(meter, amount, **fields)

    async def usage_price(self, meter: str, amount: str = "2", **fields: Any) -> str:
        """A new monthly USAGE price of a meter."""
        body = {"billingPeriodType": "USAGE", "billingInterval": "month", "meterId": meter, **fields}
        return await self.price(amount, **body)

    async def use(self, meter: str, subscription_id: str, value: str, day: str) -> None:
        """Report usage of a subscription's customer at noon of a day."""
        customer = (await self.subscription(subscription_id))["customerId"]
        body = {"value": value, "customerId": customer, "meterId": meter, "timestamp": f"{day}T11:00:00Z"}
        answer = await self.api.post(
            "/v1/meters/report", body, headers={"x-api-idempotency-key": f"key-{next(_numbers)}"}
        )
        assert answer.status_code == 202, answer.text

    async def pay(self, invoice: dict[str, Any]) -> None:
        """Pay an invoice in full."""
        body = {"date": invoice["date"], "amount": invoice["amountDue"]}
        await self.ok("POST", f"/v1/invoices/{invoice['id']}/payments", body)

    def job(self, **payload: Any) -> JobRun:
        """One run of a job of the company."""
        return job_of(self.api, **payload)

    async def invoices(self) -> list[dict[str, Any]]:
        """The company's invoices with their lines, in the order of their numbers."""
        listed = await self.ok("GET", "/v1/invoices?limit=100")
        found = [await self.invoice(one["id"]) for one in listed["data"]]
        return sorted(found, key=lambda one: int(one["number"] or 0))

    async def notes(self) -> list[dict[str, Any]]:
        """The company's credit notes with their lines, in the order of their numbers."""
        listed = await self.ok("GET", "/v1/credit-notes?limit=100")
        found = [await self.note(one["id"]) for one in listed["data"]]
        return sorted(found, key=lambda one: int(one["number"]))

    async def charges(self, subscription_id: str) -> list[dict[str, Any]]:
        """The charges of a subscription, the newest first."""
        found: list[dict[str, Any]] = (await self.ok("GET", f"/v1/subscriptions/{subscription_id}/charges?limit=100"))[
            "data"
        ]
        return found

    async def check_books(self) -> None:
        """The whole audit of the company passes."""

        async def work(context: Context) -> str | None:
            fault = (await verify(context)).fault
            return None if fault is None else fault.what

        found = await self.api.run(work, one_snapshot=True)
        assert found is None, found

    async def count(self, table: str) -> int:
        """How many rows of a table the company has."""
        found: int = await self.value(f"SELECT count(*) FROM {table} WHERE company_id = $1", self.api.company_id)
        return found


def outcomes(run: dict[str, Any]) -> list[tuple[str, str | None]]:
    """The outcome and code of each result of a run."""
    return [(one["outcome"], one["code"]) for one in run["results"]]


def periods(invoice: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The days of each line of an invoice, and its amount."""
    return [(line["servicePeriodStart"], line["servicePeriodEnd"], line["totalPrice"]) for line in invoice["lines"]]
