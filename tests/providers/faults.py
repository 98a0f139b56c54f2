"""What goes wrong on the way to a provider and at it, in front of the servers that stand for Stripe and QuickPay.

Time is the company's: what takes long here takes as long by the clock that a test moves, and none of the test's own.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from tests.conftest import SteeredClock
from tests.receivers import Answer, Received

#: Longer than the adapters of these tests wait, in seconds of the test.
TOO_LONG_S: Final = 1.0


class Fault(Enum):
    """What becomes of one request. Unless it says otherwise what was asked for is done, and the answer suffers."""

    #: The request never arrives.
    IS_LOST = auto()
    #: It is done at once, and answered when nobody waits any more.
    ANSWERS_LATE = auto()
    #: It is done after 40 seconds; nobody waits any more.
    HANGS = auto()
    CLOSES = auto()
    CUTS_BODY = auto()
    ANSWERS_TWICE = auto()
    #: It is not done.
    ERROR_BEFORE = auto()
    ERROR_AFTER = auto()
    #: It is not done.
    TOO_MANY = auto()
    GARBAGE = auto()
    EMPTY = auto()
    HTML = auto()
    ANOTHER_OBJECT = auto()
    WRONG_AMOUNT = auto()
    WRONG_CURRENCY = auto()
    WRONG_REFERENCE = auto()


_HANGS: Final = timedelta(seconds=40)
_HTML: Final = b"<html><title>502 Bad Gateway</title></html>"
_IN_PLACE: Final = {
    Fault.ERROR_AFTER: Answer(500, b'{"error": {"type": "api_error", "message": "No"}}'),
    Fault.GARBAGE: Answer(200, b"\x1f\x8b\x08\xff{"),
    Fault.EMPTY: Answer(200, b""),
    Fault.HTML: Answer(200, _HTML, (("content-type", "text/html"),)),
    Fault.ANOTHER_OBJECT: Answer(200, b'{"id": "re_1", "object": "refund"}'),
}
_INSTEAD: Final = {
    Fault.ERROR_BEFORE: Answer(503, _HTML),
    Fault.TOO_MANY: Answer(429, b'{"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "No"}}'),
}


@dataclass
class Front:
    """Stands before a server. `charging` are the faults of the next requests to charge, `looking` those of the next
    others; `always` of every charge that is shown. What was made is shown after `lag`."""

    behind: Callable[[Received], Awaitable[Answer | None]]
    clock: SteeredClock
    charging: list[Fault] = field(default_factory=list)
    looking: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    lag: timedelta = timedelta(0)
    #: Called when references that were given before are forgotten, a day later.
    forget: Callable[[], None] = lambda: None
    asked: int = 0
    _due: list[tuple[datetime, Received]] = field(default_factory=list)
    _made: dict[str, datetime] = field(default_factory=dict)
    _forgotten_at: datetime | None = None

    async def answer(self, received: Received) -> Answer | None:
        """Take a request."""
        await self.tick()
        is_charge = received.method == "POST" and received.path.endswith(("/payment_intents", "/recurring"))
        faults = self.charging if is_charge else self.looking
        fault = faults.pop(0) if faults else None
        if not is_charge:
            return await self._spoilt(fault, await self._seen(received) if fault not in _INSTEAD else None)
        self.asked += 1
        if fault is Fault.HANGS:
            self._due.append((self.clock.now + _HANGS, received))
        if fault in {Fault.HANGS, Fault.IS_LOST}:
            await asyncio.sleep(TOO_LONG_S)
            return None
        return await self._spoilt(fault, await self._do(received) if fault not in _INSTEAD else None)

    async def tick(self) -> None:
        """Do what is due by now."""
        for moment, received in list(self._due):
            if moment <= self.clock.now:
                self._due.remove((moment, received))
                await self._do(received)
        self._forgotten_at = self._forgotten_at or self.clock.now
        if self.clock.now >= self._forgotten_at + timedelta(days=1):
            self._forgotten_at = self.clock.now
            self.forget()

    async def _do(self, received: Received) -> Answer | None:
        answer = await self.behind(received)
        if answer is not None and answer.status < 300 and (reference := reference_of(json.loads(answer.body))):
            self._made.setdefault(reference, self.clock.now)
        return answer

    async def _seen(self, received: Received) -> Answer | None:
        """What is shown: nothing that is younger than the lag."""
        answer = await self.behind(received)
        if answer is None or answer.status != 200 or not self.lag:
            return answer
        told = json.loads(answer.body)
        if isinstance(told, list):
            return replace(answer, body=json.dumps([one for one in told if self._is_shown(one)]).encode())
        if isinstance(told.get("data"), list):
            shown = [one for one in told["data"] if self._is_shown(one)]
            return replace(answer, body=json.dumps(told | {"data": shown}).encode())
        return answer if self._is_shown(told) else Answer(404, b'{"error": {"code": "resource_missing"}}')

    def _is_shown(self, told: dict[str, Any]) -> bool:
        made = self._made.get(reference_of(told) or "")
        return made is None or made + self.lag <= self.clock.now

    async def _spoilt(self, fault: Fault | None, answer: Answer | None) -> Answer | None:
        """An answer as it arrives."""
        fault = fault or self.always
        if fault in _INSTEAD:
            return _INSTEAD[fault]
        if answer is None or fault is None or fault is Fault.CLOSES:
            return None if fault is Fault.CLOSES else answer
        if fault is Fault.ANSWERS_LATE:
            await asyncio.sleep(TOO_LONG_S)
        if fault is Fault.CUTS_BODY:
            return replace(answer, sent=len(answer.body) // 2)
        if fault is Fault.ANSWERS_TWICE:
            return replace(answer, times=2)
        return _IN_PLACE.get(fault, answer if answer.status >= 300 else replace(answer, body=_changed(fault, answer)))


def _changed(fault: Fault, answer: Answer) -> bytes:
    """An answer's body that says something else than is so."""
    told = json.loads(answer.body)
    charges = told if isinstance(told, list) else told.get("data", [told])
    for one in charges:
        if fault is Fault.WRONG_CURRENCY:
            one["currency"] = "eur" if "object" in one else "EUR"
        elif fault is Fault.WRONG_AMOUNT:
            for part in [one, *one.get("operations", [])]:
                if "amount" in part:
                    part["amount"] += 100
        elif fault is Fault.WRONG_REFERENCE:
            one["order_id"] = "ANOTHER1"
            one["metadata"] = {"reference": "ANOTHER1"}
    return json.dumps(told).encode()


def reference_of(told: dict[str, Any]) -> str | None:
    """Our reference of a charge, as either shows it."""
    found = told.get("order_id") or (told.get("metadata") or {}).get("reference")
    return str(found) if found else None
