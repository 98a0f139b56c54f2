"""Steps that the tests of usage share: meters, usage prices, the spans of subscriptions, what is reported."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
from tests.api.catalog_steps import new_meter, new_price, new_product
from tests.conftest import Api
from tests.selling import Shop

from ledgerbee.app.verify import verify
from ledgerbee.billing.usage import actions
from ledgerbee.billing.usage.model import AskedQuantity, UsedQuantity
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context

REPORT = "/v1/meters/report"
BATCH = "/v1/meters/report-batch"
EVENTS = "/v1/usage/events"
UNATTRIBUTED = "/v1/usage/unattributed"
KEY = "x-api-idempotency-key"
DAY = timedelta(days=1)

_SPAN = """
INSERT INTO metered_spans (company_id, subscription_id, price_id, meter_id, customer_id, starts_on, ends_on, is_trial,
                           chain_starts_on, billed_until, closes_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
#: Whose each event is, and how it counts.
_OWNED = "SELECT id, subscription_id, state FROM usage_events WHERE company_id = $1"


@dataclass
class Metering:
    """A company that meters: a meter, a price of it and a customer, until a test makes others."""

    api: Api
    meter_id: str
    price_id: str
    product: dict[str, Any]
    customer_id: str
    sent: int = 0
    prices: dict[str, str] = field(default_factory=dict)

    async def new_customer(self) -> str:
        return str(await Shop(self.api).customer())

    async def new_price(self, meter_id: str | None = None) -> str:
        return await usage_price(self.api, self.product["id"], meter_id or self.meter_id)

    async def span(self, starts_on: date, ends_on: date | None = None, /, **fields: Any) -> UUID:
        """A span of a subscription, written as billing writes it; the subscription."""
        chain = fields.pop("subscription_id", None) or new_id()
        row = {
            "price_id": self.price_id,
            "meter_id": self.meter_id,
            "customer_id": self.customer_id,
            "is_trial": False,
            "chain_starts_on": starts_on,
            "billed_until": starts_on,
            "closes_on": None,
            **fields,
        }

        async def work(context: Context) -> None:
            await actions.hold(context, [UUID(str(row["customer_id"]))])
            await context.connection.execute(
                _SPAN, context.company_id, chain, row["price_id"], row["meter_id"], row["customer_id"], starts_on,
                ends_on, row["is_trial"], row["chain_starts_on"], row["billed_until"], row["closes_on"],
            )  # fmt: skip

        await self.api.run(work)
        return UUID(str(chain))

    async def change_spans(self, changes: str, *arguments: Any, from_day: date = date(2020, 1, 1)) -> int:
        """Change spans (`changes` is what an UPDATE sets, and where) and attribute anew; how many events moved."""

        async def work(context: Context) -> int:
            await actions.hold(context, [UUID(self.customer_id)])
            # The application makes spans anew; only their owner may set what it likes.
            await context.connection.execute("SET ROLE NONE")
            await context.connection.execute(changes, context.company_id, *arguments)
            await context.connection.execute("RESET ROLE")
            before = await context.connection.fetch(_OWNED, context.company_id)
            await actions.reattribute(context, [UUID(self.customer_id)], from_day)
            return len({*await context.connection.fetch(_OWNED, context.company_id)} - {*before})

        moved: int = await self.api.run(work)
        return moved

    def body(self, value: Any = 1, **fields: Any) -> dict[str, Any]:
        """A report of this customer to this meter; None leaves a field out."""
        body = {"value": value, "customerId": self.customer_id, "meterId": self.meter_id, **fields}
        return {name: one for name, one in body.items() if one is not None}

    async def report(self, value: Any = 1, key: str | None = None, **fields: Any) -> httpx.Response:
        return await self.api.post(REPORT, self.body(value, **fields), headers={KEY: key or str(new_id())})

    async def reported(self, value: Any = 1, on: date | None = None, /, **fields: Any) -> str:
        """A report that is taken in; the event's id. `on` is the day, at noon."""
        stamp = {} if on is None else {"timestamp": f"{on}T12:00:00Z"}
        answer = await self.report(value, **stamp, **fields)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["requestId"])

    def keyed(self, value: Any = 1, key: str | None = None, **fields: Any) -> dict[str, Any]:
        return {"idempotencyKey": key or str(new_id()), **self.body(value, **fields)}

    async def batch(self, *events: dict[str, Any]) -> httpx.Response:
        return await self.api.post(BATCH, {"events": list(events)})

    async def usage(self, meter_id: str | None = None, **query: Any) -> dict[str, Any]:
        answer = await self.api.get(f"/v1/meters/{meter_id or self.meter_id}/usage", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found["accepted"] == found["attributed"] + found["unattributed"]
        assert found["attributed"] == found["billed"] + found["open"] + found["shown"] + found["tooLate"]
        return found

    async def event(self, event_id: str) -> dict[str, Any]:
        events = (await self.api.get(EVENTS, params={"limit": 100})).json()["data"]
        return next(one for one in events if one["id"] == event_id)

    async def quantity(self, chain: UUID, first: date, end: date, price_id: str | None = None) -> tuple[int, Decimal]:
        (found,) = await self.quantities((chain, price_id or self.price_id, first, end))
        return found.events, found.quantity

    async def quantities(self, *asked: tuple[UUID, str, date, date]) -> list[UsedQuantity]:
        listed = [AskedQuantity(chain, UUID(price), first, end) for chain, price, first, end in asked]

        async def work(context: Context) -> list[UsedQuantity]:
            return await actions.quantities(context, listed)

        found: list[UsedQuantity] = await self.api.run(work)
        return found

    async def late(self) -> list[tuple[str, str, date, int]]:
        """What is marked late: subscription, price, day, events."""

        async def work(context: Context) -> list[Any]:
            return list(
                await context.connection.fetch(
                    "SELECT subscription_id::text, price_id::text, day, events FROM late_usage WHERE company_id = $1"
                    " ORDER BY day, price_id",
                    context.company_id,
                )
            )

        return [tuple(row) for row in await self.api.run(work)]

    async def fault(self) -> str | None:
        """What `verify` says."""

        async def work(context: Context) -> str | None:
            found = (await verify(context)).fault
            return None if found is None else found.what

        said: str | None = await self.api.run(work, one_snapshot=True)
        return said


async def usage_price(api: Api, product_id: str, meter_id: str) -> str:
    """A price of 1 for each unit that a meter counts, by the month."""
    price = await new_price(
        api, product_id, billingPeriodType="USAGE", billingInterval="month", unitAmount=1, meterId=meter_id
    )
    return str(price["id"])


async def metering(api: Api, **meter: Any) -> Metering:
    """A company that meters."""
    product = await new_product(api, name="API access")
    meter_id = await new_meter(api, **meter)
    price_id = await usage_price(api, product["id"], meter_id)
    made = Metering(api, meter_id, price_id, product, "")
    made.customer_id = await made.new_customer()
    return made
