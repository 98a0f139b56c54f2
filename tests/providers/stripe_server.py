"""Stripe as far as tests need it: `localstripe`, a process of its own, behind a server that has what it lacks.

The server in front keeps what is asked. It has Checkout sessions, idempotency keys, the customer's list of payment
intents and what declines show as Stripe documents them, and holds back parameters that `localstripe` doesn't know.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from tests.receivers import Answer, Received, receiving
from tests.webhooks import until

SITE = Path(__file__).with_name("localstripe_site")
PROGRAM = Path(sys.executable).with_name("localstripe")
SECRET_KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
WEBHOOK_SECRET = "whsec_0123456789abcdef"
#: Parameters of a payment intent that are Stripe's and unknown to `localstripe`.
UNKNOWN = ("allowed_payment_method_types", "description", "statement_descriptor_suffix")


@dataclass(frozen=True)
class Asked:
    """One request: its fields are those of the body, or of the query."""

    method: str
    path: str
    fields: dict[str, str]
    headers: dict[str, str]


#: Answers a request; None leaves it to the server.
Behaviour = Callable[[Asked], Awaitable[Answer | None]]


@dataclass
class StripeServer:
    """The server in front. `url` is the adapter's base address; `behave` may answer in its place."""

    upstream: httpx.AsyncClient
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    behave: Behaviour | None = None
    #: Whether a decline shows its payment intent, as Stripe's does.
    tells_declined: bool = True
    #: Payment intents as they were made, by id.
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    _sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    _answers: dict[str, tuple[dict[str, str], Answer]] = field(default_factory=dict)

    def last(self, path: str) -> Asked:
        """The newest request to a path."""
        return next(one for one in reversed(self.asked) if one.path == path)

    async def answer(self, received: Received) -> Answer | None:
        parts = urlsplit(received.path)
        text = parts.query if received.method == "GET" else received.body.decode()
        asked = Asked(received.method, parts.path, dict(parse_qsl(text)), received.headers)
        self.asked.append(asked)
        if self.behave is not None and (told := await self.behave(asked)) is not None:
            return told
        key = asked.headers.get("idempotency-key") if asked.method == "POST" else None
        if key is None:
            return await self._do(asked)
        if key in self._answers:
            fields, answer = self._answers[key]
            return answer if fields == asked.fields else failure(400, "idempotency_error")
        answer = await self._do(asked)
        self._answers[key] = (asked.fields, answer)
        return answer

    def forget(self) -> None:
        """Forget idempotency keys, as Stripe does of those that are a day old."""
        self._answers.clear()

    async def _do(self, asked: Asked) -> Answer:
        if asked.path.startswith("/v1/checkout/sessions"):
            return self._checkout(asked)
        if (asked.method, asked.path) == ("GET", "/v1/payment_intents"):
            return await self._intents(asked)
        kept = {name: value for name, value in asked.fields.items() if name.partition("[")[0] not in UNKNOWN}
        answer = await self._forward(asked, kept)
        if answer.status == 200 and (asked.method, asked.path) == ("POST", "/v1/payment_intents"):
            told = json.loads(answer.body)
            self.made[told["id"]] = told
        if answer.status == 402 and asked.path == "/v1/payment_intents":
            return await self._declined(answer)
        return answer

    async def _forward(self, asked: Asked, fields: dict[str, str]) -> Answer:
        headers = {"authorization": asked.headers["authorization"]}
        body = None if asked.method == "GET" else urlencode(fields).encode()
        if body is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        query = fields if asked.method == "GET" else None
        told = await self.upstream.request(asked.method, asked.path, params=query, content=body, headers=headers)
        return Answer(told.status_code, told.content)

    def _checkout(self, asked: Asked) -> Answer:
        if asked.method == "POST":
            number = f"cs_test_{len(self._sessions) + 1}"
            self._sessions[number] = {
                "id": number,
                "object": "checkout.session",
                "mode": asked.fields["mode"],
                "status": "open",
                "url": f"https://checkout.stripe.com/c/pay/{number}",
                "customer": asked.fields["customer"],
                "client_reference_id": asked.fields["client_reference_id"],
                "metadata": {"reference": asked.fields["metadata[reference]"]},
                "setup_intent": None,
            }
            return as_json(self._sessions[number])
        session = self._sessions.get(asked.path.rpartition("/")[2])
        return failure(404, "invalid_request_error", code="resource_missing") if session is None else as_json(session)

    async def enter_card(self, session_id: str, number: str) -> None:
        """What the card's owner does on the page."""
        session = self._sessions[session_id]
        card = {"card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2030", "card[cvc]": "123"}
        method = await self.do("payment_methods", type="card", **card)
        method = await self.do(f"payment_methods/{method['id']}/attach", customer=session["customer"])
        session["status"] = "complete"
        session["setup_intent"] = {"object": "setup_intent", "status": "succeeded", "payment_method": method}

    def expire(self, session_id: str) -> None:
        """What becomes of a page that nobody used for a day."""
        self._sessions[session_id]["status"] = "expired"

    async def do(self, path: str, **fields: str) -> dict[str, Any]:
        """A request straight to `localstripe`."""
        done = await self.upstream.post(f"/v1/{path}", data=fields, auth=(SECRET_KEY, ""))
        assert done.status_code == 200, done.text
        told: dict[str, Any] = done.json()
        return told

    async def _intents(self, asked: Asked) -> Answer:
        """`localstripe` lists those of all customers, oldest first."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"has_more": True}
        while page["has_more"]:
            after = {"starting_after": found[-1]["id"]} if found else {}
            expand = {name: value for name, value in asked.fields.items() if name.startswith("expand")}
            answer = await self._forward(asked, {"limit": "100", **after, **expand})
            if answer.status != 200:
                return answer
            page = json.loads(answer.body)
            found += page["data"]
        own = [one for one in reversed(found) if one["customer"] == asked.fields["customer"]]
        start = next((n + 1 for n, one in enumerate(own) if one["id"] == asked.fields.get("starting_after")), 0)
        end = start + int(asked.fields["limit"])
        return as_json({"object": "list", "data": own[start:end], "has_more": end < len(own), "url": asked.path})

    async def _declined(self, answer: Answer) -> Answer:
        fault = json.loads(answer.body)["error"] | {"type": "card_error", "decline_code": "generic_decline"}
        if self.tells_declined:
            found = await self.upstream.get("/v1/payment_intents", params={"limit": "100"}, auth=(SECRET_KEY, ""))
            own = [one for one in found.json()["data"] if (one["latest_charge"] or {}).get("id") == fault["charge"]]
            fault["payment_intent"] = own[-1]
        return as_json({"error": fault}, 402)


def as_json(told: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(told).encode(), (("content-type", "application/json"),))


def failure(status: int, kind: str, **more: str) -> Answer:
    """An error in Stripe's form, with words that no caller of ours is to see."""
    return as_json({"error": {"type": kind, "message": f"No: {SECRET_KEY}", **more}}, status)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@asynccontextmanager
async def stripe_server() -> AsyncIterator[StripeServer]:
    """The server, and the process behind it, for the length of the block."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(SITE)}
    process = subprocess.Popen(  # noqa: ASYNC220  it doesn't wait for it
        [PROGRAM, "--port", str(port), "--from-scratch"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as upstream:

            async def ready() -> bool:
                assert process.poll() is None
                try:
                    return (await upstream.get("/v1/customers", auth=(SECRET_KEY, ""))).status_code == 200
                except httpx.ConnectError:
                    return False

            await until(ready)
            server = StripeServer(upstream)
            async with receiving(server.answer) as receiver:
                server.url = receiver.url.removesuffix("/hook")
                yield server
    finally:
        process.terminate()
        process.wait(20)
