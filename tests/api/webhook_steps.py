"""What tests of webhooks do with endpoints, and what only the worker would otherwise write."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from tests.conftest import Api

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context

PATH: Final = "/v1/webhook-endpoints"
#: This machine, where tests may send to.
URL: Final = "http://127.0.0.1:9/hook"
BODY: Final = {"url": URL, "enabledEvents": ["customer.created", "customer.updated"]}


async def made(api: Api, **fields: Any) -> dict[str, Any]:
    """A new endpoint, with its secret."""
    answer = await api.post(PATH, {**BODY, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def shown(api: Api, endpoint: dict[str, Any]) -> dict[str, Any]:
    """An endpoint as it is now."""
    return dict((await api.get(f"{PATH}/{endpoint['id']}")).json())


async def changed(api: Api, endpoint: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An endpoint after a PUT of its fields."""
    answer = await api.put(f"{PATH}/{endpoint['id']}", {**BODY, **fields})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def customer(api: Api, number: str = "C-1") -> dict[str, Any]:
    """A new customer, whose event is told."""
    group = (await api.get("/v1/customer-groups")).json()[0]["id"]
    body = {"customerType": "company", "name": "Havn A/S", "vatZone": "domestic", "countryCode": "DK"}
    answer = await api.post("/v1/customers", {**body, "customerNumber": number, "customerGroupId": group})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def events(api: Api, *topics: str) -> list[dict[str, Any]]:
    """The company's events of these topics, in the order of their commits."""

    async def work(context: Context) -> list[dict[str, Any]]:
        found = await context.connection.fetch(
            "SELECT id, type, object_id, position, data FROM events WHERE company_id = $1 AND type = ANY ($2)"
            " ORDER BY position",
            context.company_id,
            topics,
        )
        return [dict(row) for row in found]

    found: list[dict[str, Any]] = await api.run(work)
    return found


async def tell(api: Api, endpoint: dict[str, Any]) -> None:
    """As if deliveries were made of all events until now."""

    async def work(context: Context) -> None:
        await context.connection.execute(
            "UPDATE webhook_endpoints SET told_up_to = (SELECT last_position FROM event_counters WHERE company_id = $1)"
            " WHERE company_id = $1 AND id = $2",
            context.company_id,
            UUID(endpoint["id"]),
        )

    await api.run(work)


async def deliver(
    api: Api, endpoint: dict[str, Any], event: dict[str, Any], status: str, attempts: list[dict[str, Any]] | None = None
) -> str:
    """Put a delivery of an event in place, as the worker leaves it; a pending one is tried again in an hour."""
    delivery_id = new_id()

    async def work(context: Context) -> None:
        ended = None if status == "pending" else context.now
        await context.connection.execute(
            "INSERT INTO webhook_deliveries (company_id, id, endpoint_id, event_id, event_type, object_id, position,"
            " status, attempts, next_attempt_at, created_at, finished_at)"
            " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN NOT EXISTS (SELECT FROM webhook_deliveries d"
            " WHERE d.company_id = $1 AND d.endpoint_id = $3 AND d.object_id = $6 AND d.status = 'pending')"
            " THEN $10::timestamptz END, $11, $12",
            context.company_id,
            delivery_id,
            UUID(endpoint["id"]),
            event["id"],
            event["type"],
            event["object_id"],
            event["position"],
            status,
            attempts or [],
            context.now + timedelta(hours=1) if ended is None else None,
            context.now,
            ended,
        )

    await api.run(work)
    return str(delivery_id)


async def end(api: Api, event_id: Any, status: str) -> None:
    """End what waits of an event, as the worker does."""

    async def work(context: Context) -> None:
        await context.connection.execute(
            "UPDATE webhook_deliveries SET status = $3, next_attempt_at = NULL, finished_at = $4"
            " WHERE company_id = $1 AND event_id = $2 AND status = 'pending'",
            context.company_id,
            UUID(str(event_id)),
            status,
            context.now,
        )

    await api.run(work)


async def log(api: Api, endpoint: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    """The newest deliveries of an endpoint."""
    answer = await api.get(f"{PATH}/{endpoint['id']}/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])
