"""QuickPay as its documentation has it: subscriptions, and payments that do what their order id says."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.receivers import Answer, Received, receiving

API_KEY = "e57e3a6f4b1c4d0f9a"
PRIVATE_KEY = "0b5c1f7ad5f04d5b8b8f6e0f9f2d7a11"

#: Codes of the last operation by the beginning of an order id; None: it is pending.
CODES = {
    "DECLINED": ("40000", "Rejected by acquirer", "40413", "Insufficient funds"),
    "LOST": ("40000", "Rejected by acquirer", "40412", "Card lost or stolen"),
    "SCA": ("30100", "3-D Secure required", "30100", "3-D Secure is required"),
    "GATEWAY": ("50000", "Gateway error", None, None),
    "PENDING": None,
}
APPROVED = ("20000", "Approved", "20000", "Approved")


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


@dataclass
class QuickPayServer:
    """Keeps what it is asked and what was made. `reply` is answered in place of everything."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    payments: dict[int, dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[int, dict[str, Any]] = field(default_factory=dict)
    reply: Answer | None = None
    #: Answers by the end of a path, in place of what would be done.
    replies: dict[str, Answer | Callable[[], Answer]] = field(default_factory=dict)
    _number: int = 1000

    def last(self, method: str, path: str) -> Asked:
        """The newest request to a path."""
        return next(one for one in reversed(self.asked) if (one.method, one.path) == (method, path))

    async def answer(self, received: Received) -> Answer | None:
        parts = urlsplit(received.path)
        body = json.loads(received.body) if received.body else None
        asked = Asked(received.method, parts.path, dict(parse_qsl(parts.query)), body, received.headers)
        self.asked.append(asked)
        if self.reply is not None:
            return self.reply
        for end, reply in self.replies.items():
            if asked.path.endswith(end):
                return reply if isinstance(reply, Answer) else reply()
        return self._refusal(asked) or await self._do(asked)

    def _refusal(self, asked: Asked) -> Answer | None:
        if asked.headers["accept-version"] != "v10":
            return as_json({"message": "Unknown version"}, 406)
        if asked.headers["authorization"] != "Basic " + base64.b64encode(f":{API_KEY}".encode()).decode():
            return as_json({"message": f"Invalid API key {asked.headers['authorization']}"}, 401)
        return None

    async def _do(self, asked: Asked) -> Answer | None:
        _, kind, *rest = asked.path.split("/")
        objects = self.payments if kind == "payments" else self.subscriptions
        if not rest:
            return self._create(asked) if asked.method == "POST" else self._list(asked, objects)
        if (found := objects.get(int(rest[0]))) is None:
            return as_json({"message": "Not found"}, 404)
        if rest[1:] == ["recurring"]:
            return await self._recur(asked, found)
        if rest[1:] == ["refund"]:
            return self._refund(asked, found)
        if rest[1:] == ["link"]:
            found = {"url": f"https://payment.quickpay.net/subscriptions/{found['id']}"}
        if rest[1:] == ["cancel"]:
            return self._cancel(found) if kind == "subscriptions" else self._cancel_payment(found)
        return self._capture(found) if rest[1:] == ["capture"] else as_json(found)

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _is_taken(self, order_id: str) -> bool:
        return order_id in {one["order_id"] for one in (*self.payments.values(), *self.subscriptions.values())}

    def _create(self, asked: Asked) -> Answer:
        if self._is_taken(asked.body["order_id"]):
            return invalid("order_id", "already exists on another subscription")
        number = self._next()
        self.subscriptions[number] = {
            "id": number,
            "order_id": asked.body["order_id"],
            "type": "Subscription",
            "currency": asked.body["currency"],
            "state": "initial",
            "accepted": False,
            "metadata": {},
            "operations": [],
            "test_mode": True,
        }
        return as_json(self.subscriptions[number], 201)

    def enter_card(self, number: int) -> None:
        """What the card's owner does on the page."""
        card = {"type": "card", "brand": "Dankort", "last4": "0008", "exp_month": 11, "exp_year": 2029}
        self.subscriptions[number] |= {"state": "active", "accepted": True, "metadata": card}
        self.subscriptions[number]["operations"].append(operation(1, "authorize", 0, APPROVED))

    def _cancel(self, subscription: dict[str, Any]) -> Answer:
        if subscription["state"] == "cancelled":
            return invalid("state", "can't be cancelled")
        subscription["state"] = "cancelled"
        return as_json(subscription, 202)

    def _cancel_payment(self, payment: dict[str, Any]) -> Answer:
        """Cancels what is authorized. By its order id it is answered late, or refused by the acquirer."""
        if not is_authorized(payment):
            return invalid("state", "can't be cancelled")
        codes = {"UNCAPTUREDLATE": None, "UNCAPTUREDSTAYS": CODES["DECLINED"]}
        code = next((value for start, value in codes.items() if payment["order_id"].startswith(start)), APPROVED)
        payment["operations"].append(operation(len(payment["operations"]) + 1, "cancel", 0, code))
        return as_json(payment, 202)

    def _capture(self, payment: dict[str, Any]) -> Answer:
        """What somebody does by hand at QuickPay."""
        if not is_authorized(payment):
            return invalid("state", "can't be captured")
        amount = payment["operations"][0]["amount"]
        payment["operations"].append(operation(len(payment["operations"]) + 1, "capture", amount))
        return as_json(payment, 202)

    async def _recur(self, asked: Asked, subscription: dict[str, Any]) -> Answer | None:
        order_id, amount = asked.body["order_id"], asked.body["amount"]
        if not 4 <= len(order_id) <= 20:
            return invalid("order_id", "is the wrong length")
        if self._is_taken(order_id):
            return invalid("order_id", "already exists on another payment")
        if subscription["state"] != "active":
            return invalid("id", "is not active")
        number, callback = self._next(), asked.headers.get("quickpay-callback-url")
        code = next((value for start, value in CODES.items() if order_id.startswith(start)), APPROVED)
        operations = [operation(1, "recurring", amount, code, callback)]
        if order_id.startswith("UNCAPTURED"):
            operations.append(operation(2, "capture", amount, CODES["DECLINED"], callback))
        elif code == APPROVED:
            operations.append(operation(2, "capture", amount, APPROVED, callback))
        self.payments[number] = {
            "id": number,
            "order_id": order_id,
            "type": "Payment",
            "currency": subscription["currency"],
            "state": "processed" if code == APPROVED else "rejected",
            "accepted": code == APPROVED,
            "operations": operations,
            "link": None,
            "test_mode": True,
            "fee": None,
        }
        if order_id.startswith("STALLS"):
            await asyncio.sleep(30)
        if order_id.startswith("BREAKS"):
            return Answer(500, b"<html>Internal server error</html>")
        if order_id.startswith("GARBAGE"):
            return Answer(202, b'{"id": ')
        return as_json(self.payments[number], 202)

    def _refund(self, asked: Asked, payment: dict[str, Any]) -> Answer:
        code = CODES["DECLINED"] if asked.body["amount"] == 1 else APPROVED
        callback = asked.headers.get("quickpay-callback-url")
        number = len(payment["operations"]) + 1
        payment["operations"].append(operation(number, "refund", asked.body["amount"], code, callback))
        return as_json(payment, 202)

    def _list(self, asked: Asked, objects: dict[int, dict[str, Any]]) -> Answer:
        found = list(objects.values())
        if "order_id" in asked.query:
            found = [one for one in found if one["order_id"] == asked.query["order_id"]]
        size, page = int(asked.query.get("page_size", 20)), int(asked.query.get("page", 1))
        return as_json(found[(page - 1) * size : page * size])


def is_authorized(payment: dict[str, Any]) -> bool:
    """Whether a payment has an amount that can be captured or cancelled."""
    done = {one["type"] for one in payment["operations"] if one["qp_status_code"] == "20000"}
    return bool(done & {"recurring", "authorize"}) and not done & {"capture", "cancel"}


def operation(
    number: int,
    kind: str,
    amount: int,
    code: tuple[str | None, ...] | None = APPROVED,
    callback: str | None = None,
    at: str = "2026-11-30T08:00:00Z",
) -> dict[str, Any]:
    """An operation as QuickPay shows it; one without a code is pending."""
    names = ("qp_status_code", "qp_status_msg", "aq_status_code", "aq_status_msg")
    return {
        "id": number,
        "type": kind,
        "amount": amount,
        "pending": code is None,
        **dict(zip(names, code or (None,) * 4, strict=True)),
        "acquirer": "clearhaus",
        "callback_url": callback,
        "created_at": at,
    }


def as_json(told: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(told).encode(), (("content-type", "application/json"),))


def invalid(name: str, words: str) -> Answer:
    """A refusal in QuickPay's form."""
    told = {"message": f"Validation error {API_KEY}", "errors": {name: [words]}, "error_code": None}
    return as_json(told, 400)


@asynccontextmanager
async def quickpay_server() -> AsyncIterator[QuickPayServer]:
    """The server for the length of the block."""
    server = QuickPayServer()
    async with receiving(server.answer) as receiver:
        server.url = receiver.url.removesuffix("/hook")
        yield server
