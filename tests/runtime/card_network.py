"""A payment provider as a process of its own: `python -m tests.runtime.card_network SEED` prints its address and
charges cards until its input ends.

It speaks as much of Stripe and of QuickPay as charging takes, and behaves badly by chance: it is late, drops
connections, answers 500 after it has charged, and shows what it did some time later. As Stripe it remembers no
idempotency key: asked twice it charges twice. `GET /taken` tells what it took: references, and amounts in minor units.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tests.providers.quickpay_server import as_json, invalid, operation
from tests.receivers import Answer, Received, receiving

#: Seconds at most that a charge takes, and until it is shown then. Together they are less than a charge is waited for.
MOST_DELAY_S: Final = 0.6
MOST_LAG_S: Final = 0.5
#: The cards that are saved there.
STRIPE_CARD: Final = "cus_1/pm_1"
QUICKPAY_CARD: Final = "7"


@dataclass
class Made:
    """A charge that was made, and from when it is shown."""

    id: int
    reference: str
    amount: int
    shown_at: float


@dataclass
class CardNetwork:
    """All that was charged."""

    chance: random.Random
    made: list[Made] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: count(1001))

    async def answer(self, received: Received) -> Answer | None:
        """Take a request of either kind."""
        parts = urlsplit(received.path)
        query, path = dict(parse_qsl(parts.query)), parts.path
        if path == "/taken":
            return as_json([[one.reference, one.amount] for one in self.made])
        if received.method == "POST":
            return await self._charge(path, received.body)
        return as_json(*self._told(path, query))

    def _told(self, path: str, query: dict[str, str]) -> tuple[object, int]:
        """What is shown at a path, and the status."""
        shown = self._shown()
        if path == "/v1/payment_intents":
            return {"object": "list", "data": [_intent(one) for one in shown], "has_more": False}, 200
        if path == "/payments":
            return [_payment(one) for one in shown if one.reference == query["order_id"]], 200
        if path.startswith("/subscriptions/"):
            return {"id": int(QUICKPAY_CARD), "state": "active", "operations": []}, 200
        number = path.rpartition("/")[2].removeprefix("pi_")
        found = next((one for one in shown if str(one.id) == number), None)
        if found is None:
            return {"error": {"type": "invalid_request_error", "code": "resource_missing"}}, 404
        return (_intent if path.startswith("/v1") else _payment)(found), 200

    def _shown(self) -> list[Made]:
        return [one for one in self.made if one.shown_at <= time.monotonic()]

    async def _charge(self, path: str, body: bytes) -> Answer | None:
        is_stripe = path == "/v1/payment_intents"
        fields = dict(parse_qsl(body.decode())) if is_stripe else json.loads(body)
        reference = fields["metadata[reference]"] if is_stripe else fields["order_id"]
        if self.chance.random() < 0.05:
            return None  # it never arrived
        await asyncio.sleep(self.chance.choice((0, 0.01, 0.05, self.chance.uniform(0, MOST_DELAY_S))))
        if not is_stripe and any(one.reference == reference for one in self.made):
            return invalid("order_id", "already exists on another payment")
        lag = self.chance.choice((0, 0, self.chance.uniform(0, MOST_LAG_S)))
        one = Made(next(self._ids), reference, int(fields["amount"]), time.monotonic() + lag)
        self.made.append(one)
        await asyncio.sleep(self.chance.choice((0, 0, self.chance.uniform(0, MOST_DELAY_S))))
        how = self.chance.random()
        if how < 0.05:
            return None
        if how < 0.1:
            return Answer(500, b"<html>Internal server error</html>")
        return as_json(_intent(one) if is_stripe else _payment(one))


def _intent(one: Made) -> dict[str, Any]:
    return {
        "id": f"pi_{one.id}",
        "object": "payment_intent",
        "status": "succeeded",
        "amount": one.amount,
        "currency": "dkk",
        "metadata": {"reference": one.reference},
        "livemode": False,
    }


def _payment(one: Made) -> dict[str, Any]:
    operations = [operation(1, "recurring", one.amount), operation(2, "capture", one.amount)]
    return {"id": one.id, "order_id": one.reference, "type": "Payment", "currency": "DKK", "operations": operations}


async def _serve(seed: str) -> None:
    network = CardNetwork(random.Random(seed))  # noqa: S311  what goes wrong when
    async with receiving(network.answer) as receiver:
        print(receiver.url.removesuffix("/hook"), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until whoever started it is done


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
