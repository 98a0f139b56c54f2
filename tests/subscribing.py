"""A company with subscriptions, for tests: plans and subscriptions over the API, billed as the worker does it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from tests.conftest import Api
from tests.selling import Shop

from ledgerbee.billing.subscriptions.actions.advance import AdvanceResult, advance
from ledgerbee.platform.context import Context


@dataclass
class Subscriptions:
    """One company's subscriptions. Ids and bodies are the wire's."""

    api: Api
    shop: Shop = field(init=False)

    def __post_init__(self) -> None:
        self.shop = Shop(self.api)

    async def price(self, amount: str = "200", interval: str = "month", **fields: Any) -> str:
        """A new RECURRING price."""
        return await self.shop.price(amount, billingPeriodType="RECURRING", billingInterval=interval, **fields)

    async def plan(self, *prices: str | dict[str, Any], **fields: Any) -> str:
        """A new plan of these prices."""
        items = [{"priceId": one} if isinstance(one, str) else one for one in prices]
        created: str = (
            await self.shop.ok("POST", "/v1/subscription-plans", {"name": "Basis", "items": items, **fields})
        )["id"]
        return created

    async def monthly(self, amount: str = "200") -> str:
        """A new plan of one monthly price."""
        return await self.plan(await self.price(amount))

    async def assigned(self, plan: str | None = None, start: str = "2026-03-01", **fields: Any) -> dict[str, Any]:
        """A new subscription of a new customer, unless told otherwise."""
        body = {"planId": plan or await self.monthly(), "startDate": start, **fields}
        if "customerId" not in body:
            body["customerId"] = await self.shop.customer(email="faktura@example.com")
        created: dict[str, Any] = await self.shop.ok("POST", "/v1/subscriptions", body)
        return created

    async def get(self, subscription: dict[str, Any] | str, query: str = "") -> dict[str, Any]:
        """A subscription as the API shows it."""
        found: dict[str, Any] = await self.shop.ok("GET", f"{self.path(subscription)}{query}")
        return found

    def path(self, subscription: dict[str, Any] | str, below: str = "") -> str:
        """The path of a subscription, or of something below it."""
        subscription_id = subscription if isinstance(subscription, str) else subscription["id"]
        return f"/v1/subscriptions/{subscription_id}{below}"

    async def parts(self, subscription: dict[str, Any] | str, name: str) -> list[dict[str, Any]]:
        """What is listed below a subscription, in the order of the API."""
        found = await self.shop.ok("GET", self.path(subscription, f"/{name}"))
        return list(found if isinstance(found, list) else found["data"])

    async def change(
        self, subscription: dict[str, Any], kind: str, payload: dict[str, Any] | None = None, **fields: Any
    ) -> dict[str, Any]:
        """A change that is accepted."""
        body = {"type": kind, **fields} | ({} if payload is None else {"payload": payload})
        made: dict[str, Any] = await self.shop.ok("POST", self.path(subscription, "/scheduled-changes"), body)
        return made

    async def cancel(self, subscription: dict[str, Any], strategy: str, **fields: Any) -> dict[str, Any]:
        """A subscription after a cancellation that is accepted."""
        body = {"id": subscription["id"], "strategy": strategy, **fields}
        answer: dict[str, Any] = await self.shop.ok("POST", "/v1/subscriptions/cancel", body, status=200)
        return answer

    def move_to(self, day: str) -> None:
        """Put the clock on noon of a day."""
        self.api.clock.now = self.api.clock.now.replace(
            **dict(zip(("year", "month", "day"), map(int, day.split("-")), strict=True))  # type: ignore[arg-type]
        )

    async def bill(self, subscription: dict[str, Any] | str) -> AdvanceResult:
        """Advance a subscription to today, as a run does."""
        subscription_id = UUID(subscription if isinstance(subscription, str) else subscription["id"])

        async def run(context: Context) -> AdvanceResult:
            (advanced,) = await advance(context, [subscription_id], context.today)
            return advanced

        advanced: AdvanceResult = await self.api.run(run)
        return advanced

    async def events(self, subscription: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """What was told of a subscription, oldest first: what comes after `subscription.`, and the data."""
        found = await self.shop.ok("GET", f"/v1/events?objectId={subscription['id']}&limit=100")
        return [(one["type"].removeprefix("subscription."), one["data"]) for one in found["data"]]

    async def topics(self, subscription: dict[str, Any]) -> list[str]:
        """Those events' topics."""
        return [topic for topic, _ in await self.events(subscription)]

    async def jobs(self) -> list[dict[str, Any]]:
        """The payloads of jobs that wait to bill subscriptions of the company, oldest first."""
        async with self.api.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT convert_from(payload, 'UTF8')::jsonb AS payload FROM pgqueuer"
                " WHERE entrypoint = 'bill_subscriptions' ORDER BY id"
            )
        return [row["payload"] for row in rows if row["payload"].get("companyId") == str(self.api.company_id)]

    @property
    def today(self) -> date:
        return self.api.clock().date()
