"""A company that bills what its customer uses: published flights are reported to a meter, and their month is billed.

The customer's saved card is charged for it: a test card, with which no money moves.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from ledgerbee.app.demo import flights as published
from ledgerbee.app.demo.client import Client, DemoError
from ledgerbee.app.demo.flights import FIRST_DAY, NEXT_MONTH, Flight

_NAME: Final = "Hudson Flight Tracking"
#: Seconds that the worker gets for a billing run, and for a charge.
_PATIENCE_S: Final = 60
#: A test card whose charges succeed.
_CARD: Final = "4242424242424242"
#: Events that a batch has at most.
_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Metered:
    """A month of usage as it was billed. The dictionaries are the API's answers.

    `batches` are the answers to the batches, `repeated` those to the same ones again. `month` and `usage` say what
    became of the events: of those of the month, and of all. `run` billed the month, `rerun` was asked to do so again.
    `charges` are those of the first invoice.
    """

    client: Client
    company: dict[str, Any]
    flown: Sequence[Flight]
    batches: list[dict[str, Any]]
    repeated: list[dict[str, Any]]
    month: dict[str, Any]
    usage: dict[str, Any]
    run: dict[str, Any]
    rerun: dict[str, Any]
    invoices: list[dict[str, Any]]
    charges: list[dict[str, Any]]
    pdf: bytes
    trial_balance: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Meterer:
    """The company, its customer, meter and subscription."""

    client: Client
    company: dict[str, Any]
    customer_id: str
    meter_id: str

    @classmethod
    async def open(cls, client: Client, turn: asyncio.Lock) -> "Meterer":
        """A new American company with a subscription that began years ago and is billed after each month.

        `client` may create companies, in its `turn`.
        """
        body = {"name": _NAME, "countryCode": "US", "baseCurrency": "USD", "timeZone": published.TIME_ZONE}
        async with turn:
            made = await client.post("/v1/companies", body)
        own = Client(client.http, made["key"])
        address = {"address": "12 Battery Place", "postalCode": "10004", "city": "New York"}
        made |= await own.patch("/v1/company", {**address, "vatNumber": "13-5585628"})
        meter = await own.post("/v1/meters", {"name": "Minutes in the air", "unit": "minutes", "aggregation": "SUM"})
        customer = await _customer(own)
        plan = await _plan(own, meter["id"])
        await own.put("/v1/payment-providers/sandbox", {"isEnabled": True})
        card = await own.post("/v1/payment-providers/sandbox/cards", {"customerId": customer["id"], "number": _CARD})
        await own.post(
            "/v1/subscriptions",
            {
                "customerId": customer["id"],
                "planId": plan["id"],
                "startDate": FIRST_DAY.isoformat(),
                "billingDirection": "arrears",
                "automaticBilling": True,
                "paymentMethodId": card["id"],
            },
        )
        return cls(own, made, customer["id"], meter["id"])

    async def bill(self, flown: Sequence[Flight]) -> Metered:
        """Report the flights, each batch twice, and bill their month, twice too; the invoice is charged by itself."""
        batches = [self._batch(flown[start : start + _BATCH]) for start in range(0, len(flown), _BATCH)]
        answers = await asyncio.gather(*(self.client.post("/v1/meters/report-batch", batch) for batch in batches))
        again = await asyncio.gather(*(self.client.post("/v1/meters/report-batch", batch) for batch in batches))
        run, rerun = await self._run(), await self._run()
        last_day = NEXT_MONTH - timedelta(days=1)
        month = await self.client.get(
            f"/v1/meters/{self.meter_id}/usage", **{"from": FIRST_DAY.isoformat(), "to": last_day.isoformat()}
        )
        usage = await self.client.get(f"/v1/meters/{self.meter_id}/usage")
        listed = (await self.client.get("/v1/invoices"))["data"]
        if not listed:
            raise DemoError(f"The billing run made no invoice: {run}")
        charges = await self._until(f"/v1/invoices/{listed[0]['id']}/charges", "The charge", _have_ended)
        invoices = [await self.client.get(f"/v1/invoices/{one['id']}") for one in listed]
        pdf = await self.client.get_bytes(f"/v1/invoices/{invoices[0]['id']}/pdf")
        year = date.fromisoformat(invoices[0]["date"]).year
        balance = await self.client.get("/v1/reports/trial-balance", fromDate=f"{year}-01-01", toDate=f"{year}-12-31")
        return Metered(
            self.client, self.company, flown, answers, again, month, usage, run, rerun, invoices, charges, pdf, balance
        )

    def _batch(self, flown: Sequence[Flight]) -> dict[str, Any]:
        return {
            "events": [
                {
                    "idempotencyKey": flight.key,
                    "meterId": self.meter_id,
                    "customerId": self.customer_id,
                    "value": flight.minutes,
                    "timestamp": flight.departs_at.isoformat(),
                }
                for flight in flown
            ]
        }

    async def _run(self) -> dict[str, Any]:
        """Have everything billed that was due on the first day of the next month; the run with its results."""
        started = await self.client.post("/v1/billing-runs", {"asOf": NEXT_MONTH.isoformat()})
        run: dict[str, Any] = await self._until(f"/v1/billing-runs/{started['id']}", "The billing run", _is_over)
        return run

    async def _until(self, path: str, what: str, is_over: Callable[[Any], bool]) -> Any:
        """What is at `path` once the worker is done with it."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while True:
                    found = await self.client.get(path)
                    if is_over(found):
                        return found
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise DemoError(f"{what} was not over within {_PATIENCE_S} seconds") from None


def _is_over(run: dict[str, Any]) -> bool:
    return run["status"] in {"completed", "failed"}


def _have_ended(charges: list[dict[str, Any]]) -> bool:
    """Whether none is under way; an invoice that nobody charges has none."""
    return all(charge["status"] in {"succeeded", "failed"} for charge in charges)


async def _customer(client: Client) -> dict[str, Any]:
    groups = await client.get("/v1/customer-groups")
    body = {
        "customerNumber": "AA",
        "customerType": "company",
        "name": published.CARRIER,
        "countryCode": "US",
        "vatZone": "domestic",
        "customerGroupId": groups[0]["id"],
        "address": "1 Skyview Drive",
        "postalCode": "76155",
        "city": "Fort Worth",
    }
    made: dict[str, Any] = await client.post("/v1/customers", body)
    return made


async def _plan(client: Client, meter_id: str) -> dict[str, Any]:
    """A fee for the month, and the minutes in tiers."""
    groups = (await client.get("/v1/product-groups"))["data"]
    terms: list[dict[str, Any]] = [
        {
            "billingPeriodType": "RECURRING",
            "pricingModel": "FLAT_RATE",
            "unitAmount": published.in_units(published.FEE_CENTS, 2),
        },
        {
            "billingPeriodType": "USAGE",
            "pricingModel": "GRADUATED",
            "meterId": meter_id,
            "tiers": [{"upTo": up_to, "unitAmount": published.in_units(rate, 4)} for up_to, rate in published.TIERS],
        },
    ]
    prices = []
    for name, unit, own in zip(("Tracking", "Minutes in the air"), ("month", "minutes"), terms, strict=True):
        product = await client.post(
            "/v1/products", {"number": name, "name": name, "unit": unit, "productGroupId": groups[0]["id"]}
        )
        body = {"productId": product["id"], "billingInterval": "month", **own}
        prices.append(await client.post("/v1/product-prices", body))
    items = [{"priceId": price["id"]} for price in prices]
    made: dict[str, Any] = await client.post("/v1/subscription-plans", {"name": "Flights", "items": items})
    return made
