"""Subscribing to webhooks over the API, and the worker's dispatcher at work in the test's own process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.company_copies import SECRET_KEY
from tests.conftest import Api

from ledgerbee.platform.context import Context
from ledgerbee.platform.secrets import SecretBox
from ledgerbee.webhooks.sending.dispatcher import Dispatcher
from ledgerbee.webhooks.sending.sender import Sender

BOX = SecretBox(lambda: [SECRET_KEY])


@asynccontextmanager
async def dispatching(api: Api) -> AsyncIterator[Dispatcher]:
    """A dispatcher at work for the length of the block; it looks for what is due by the clock of the test."""
    sender = Sender()
    dispatcher = Dispatcher(api.database, sender, api.clock, BOX, poll=timedelta(milliseconds=50))
    running = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        await running
        await sender.close()


async def subscribe(api: Api, url: str, *topics: str, **more: Any) -> dict[str, Any]:
    """A new endpoint, with its secret."""
    made = await api.post("/v1/webhook-endpoints", {"url": url, "enabledEvents": list(topics), **more})
    assert made.status_code == 201, made.text
    endpoint: dict[str, Any] = made.json()
    return endpoint


async def endpoint_of(api: Api, endpoint_id: str) -> dict[str, Any]:
    """The endpoint as it is shown."""
    found = await api.get(f"/v1/webhook-endpoints/{endpoint_id}")
    assert found.status_code == 200, found.text
    endpoint: dict[str, Any] = found.json()
    return endpoint


async def log_of(api: Api, endpoint_id: str, **query: Any) -> list[dict[str, Any]]:
    """The deliveries of an endpoint, newest first; up to 100."""
    found = await api.get(f"/v1/webhook-endpoints/{endpoint_id}/deliveries", params={"limit": 100, **query})
    assert found.status_code == 200, found.text
    deliveries: list[dict[str, Any]] = found.json()["data"]
    return deliveries


async def tell(api: Api, *events: tuple[str, UUID, dict[str, Any]]) -> None:
    """Events of one transaction: topic, object and its form."""

    async def work(context: Context) -> None:
        for topic, object_id, data in events:
            context.emit(topic, object_id, data)

    await api.run(work)


async def until(condition: Any, seconds: float = 20) -> Any:
    """What an asynchronous question answers, once that is something. Raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not (found := await condition()):  # noqa: ASYNC110  the worker gives no sign
            await asyncio.sleep(0.02)
    return found
