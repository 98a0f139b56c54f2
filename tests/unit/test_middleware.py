"""Whatever happens inside, a request is answered in the API's own form, and is counted and logged with that status."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledgerbee.http.envelope import NOT_FOUND
from ledgerbee.http.metrics import REQUESTS
from ledgerbee.http.middleware import HttpMiddleware
from ledgerbee.platform.credentials.model import Principal

NOW = datetime(2026, 3, 16, tzinfo=UTC)


def _raises(fault: BaseException) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise fault

    return app


async def _says_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    return


async def _waits(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


async def _waits_in_pieces(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    await asyncio.Event().wait()


async def _nobody(_: Request) -> Principal | None:
    return None


async def _fails(_: Request) -> Principal | None:
    raise ConnectionError("the database is gone")


def _counted() -> Counter[int]:
    """How many requests were counted by status, which is what the log says of them too."""
    (metric,) = REQUESTS.collect()
    found: Counter[int] = Counter()
    for sample in metric.samples:
        if sample.name.endswith("_total"):
            found[int(sample.labels["status"])] += int(sample.value)
    return found


class _Exchange:
    """One request to an application inside the middleware, the messages it sent, and the statuses counted."""

    def __init__(self, app: ASGIApp, identify: Callable[[Request], Awaitable[Principal | None]] = _nobody) -> None:
        self.middleware = HttpMiddleware(app, routes=[], clock=lambda: NOW, identify=identify, allowed_origins=())
        self.sent: list[Message] = []
        self.statuses: list[int] = []

    async def run(self, *, cancel: bool = False) -> None:
        scope: Scope = {"type": "http", "method": "GET", "path": "/api/v1/company", "headers": [], "query_string": b""}

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            self.sent.append(message)

        before = _counted()
        task = asyncio.create_task(self.middleware(scope, receive, send))
        await asyncio.sleep(0)
        if cancel:
            task.cancel()
        try:
            await task
        finally:
            self.statuses = [status for status, count in _counted().items() for _ in range(count - before[status])]

    @property
    def answer(self) -> tuple[int, dict[str, Any]]:
        start, body = self.sent
        assert (b"content-type", b"application/json") in start["headers"]
        assert any(name == b"x-request-id" for name, _ in start["headers"])
        return start["status"], json.loads(body["body"])


@pytest.mark.parametrize("identify", [_nobody, _fails])
@pytest.mark.parametrize(
    ("app", "status", "code"),
    [
        (_raises(RuntimeError("unforeseen")), 500, "INTERNAL_ERROR"),
        (_raises(RecursionError()), 500, "INTERNAL_ERROR"),
        (_raises(MemoryError()), 500, "INTERNAL_ERROR"),
        (_raises(asyncio.CancelledError()), 500, "INTERNAL_ERROR"),  # of what it waited for, not of itself
        (_says_nothing, 500, "INTERNAL_ERROR"),
    ],
)
async def test_what_fails_is_told_as_json(app: ASGIApp, status: int, code: str, identify: Any) -> None:
    exchange = _Exchange(app, identify)
    await exchange.run()
    assert (exchange.answer[0], exchange.answer[1]["code"]) == (status, code)
    assert exchange.statuses == [status]


async def test_a_refusal_is_told_as_json_when_nobody_knows_the_key() -> None:
    exchange = _Exchange(_raises(NOT_FOUND.error()), _fails)
    await exchange.run()
    assert exchange.answer[0] == 500
    assert exchange.statuses == [500]


async def test_a_request_that_is_no_longer_waited_for_is_told_so() -> None:
    exchange = _Exchange(_waits, _fails)
    await exchange.run(cancel=True)
    assert (exchange.answer[0], exchange.answer[1]["code"]) == (503, "SERVER_STOPPING")
    assert any(name == b"retry-after" for name, _ in exchange.sent[0]["headers"])
    assert exchange.statuses == [503]


async def test_half_an_answer_is_never_made_to_look_whole() -> None:
    exchange = _Exchange(_waits_in_pieces)
    with pytest.raises(asyncio.CancelledError):
        await exchange.run(cancel=True)
    assert [message.get("body") for message in exchange.sent] == [None, b"half"]
    assert exchange.statuses == [200]


async def test_a_client_that_left_is_no_fault() -> None:
    exchange = _Exchange(_raises(ClientDisconnect()))
    await exchange.run()
    assert (exchange.sent, exchange.statuses) == ([], [499])
