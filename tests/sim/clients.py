"""Clients: they send until they have an answer, and hold every answer against the model."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import httpx
from tests.runtime.processes import PATIENCE
from tests.sim.auditor import MismatchError, body_of, check_answer, same
from tests.sim.debtor import Debtor
from tests.sim.entering import A_HASH, A_NUMBER
from tests.sim.model import Answer, Company
from tests.sim.requests import Request
from tests.sim.subscriber import Subscriber
from tests.sim.workload import Workload

#: Seconds in which a billing run ends whose worker lives.
_SOON = 4
#: Kroner for a euro, by days before today.
_RATES = {6: "7.4", 4: "7.46371", 0: "7.5529"}
#: Statuses and codes that say: not now. Whether anything was done is not known, or not for this client to know.
_LATER = frozenset({"DATABASE_UNAVAILABLE", "TOO_MUCH_CONTENTION", "IDEMPOTENCY_KEY_IN_USE"})


@dataclass
class Line:
    """A client's connection, with the key of its company."""

    http: httpx.AsyncClient
    key: str
    before_each: Callable[[], None] = lambda: None
    retries: int = 0

    async def send(self, request: Request) -> httpx.Response:
        """The answer to a request: sent again, under the same idempotency key, for as long as there is none."""
        headers = {"x-api-key": self.key}
        if request.key is not None:
            headers["x-api-idempotency-key"] = request.key
        deadline = time.monotonic() + PATIENCE
        while True:
            self.before_each()
            try:
                response = await self.http.request(
                    request.method,
                    f"/api{request.path}",
                    headers=headers,
                    json=request.body,
                    params=request.params or None,
                )
                if response.status_code < 400 or response.json()["code"] not in _LATER:
                    return response
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                raise MismatchError(f"{request}\nno answer within {PATIENCE} s")
            self.retries += 1
            await asyncio.sleep(0.05)

    async def again(self, request: Request, first: httpx.Response) -> None:
        """The same once more is answered from memory; the same key with another body is refused."""
        replayed = await self.send(request)
        if (replayed.status_code, replayed.content) != (first.status_code, first.content):
            raise MismatchError(f"{request}\nanswered {first.text}\nand when sent again {replayed.text}")
        if replayed.headers.get("Idempotent-Replayed") != "true":
            raise MismatchError(f"{request}\nwas carried out again")
        other = await self.send(replace(request, body={**request.body, "noSuchField": 1}))
        if other.json()["code"] not in {"IDEMPOTENCY_KEY_REUSED", "SHARED_VALIDATION_FAILED"}:
            raise MismatchError(f"{request}\nwith another body: {other.text}")


def today() -> Any:
    """The day in the companies' time zone."""
    return datetime.now(ZoneInfo("Europe/Copenhagen")).date()


@dataclass
class Client:
    """Alone with a company: every answer is known beforehand, to the number."""

    line: Line
    company: Company
    workload: Workload
    random: Random

    async def work(self, operations: int) -> None:
        """Send that many requests, one after the other. Raises `MismatchError`."""
        for _ in range(operations):
            request = self.workload.next()
            expected = self.company.answer(request, today())
            retries = self.line.retries
            response = await self.line.send(request)
            if request.method == "DELETE" and self.line.retries > retries and response.status_code == 404:
                self.company.take(request, "")  # it takes no key: the first try did it, unheard
                continue
            check_answer(request, expected, response)
            if expected.body is not None:
                self.company.take(request, body_of(response))
                if request.key is not None and self.random.random() < 0.05:
                    await self.line.again(request, response)


@dataclass
class Sharer:
    """One of several at work in a company: what it gets is known, but for the place in the books."""

    line: Line
    company: Company
    workload: Workload
    random: Random
    own: list[str] = field(default_factory=list)

    #: What they may do to each other's company.
    _KINDS: ClassVar = ("enter", "enter", "enter", "enter_wrong", "same", "reversals", "bookings")

    async def work(self, operations: int) -> None:
        """Send that many requests. Raises `MismatchError`."""
        for _ in range(operations):
            kind = self.random.choice(self._KINDS)
            if kind == "reversals":
                await self._reverse_twice_at_once()
            elif kind == "bookings":
                await self._book_twice_at_once()
            elif kind == "same":
                await self._same_twice_at_once()
            else:
                request = getattr(self.workload, kind)()
                self._check(request, await self.line.send(request))

    async def _same_twice_at_once(self) -> None:
        request = self.workload.enter()
        one, other = await asyncio.gather(self.line.send(request), self.line.send(request))
        self._check(request, one)
        if _kept(one) != _kept(other):
            raise MismatchError(f"{request}\nsent twice at once: {one.text}\nand {other.text}")

    async def _reverse_twice_at_once(self) -> None:
        if not self.own:
            return
        entry = self.company.entries[self.own.pop()]
        request = Request("reverse", "POST", f"/v1/journal-entries/{entry['id']}/reverse", {"date": entry["date"]})
        await self._one_wins(request, 201, "JOURNAL_ENTRY_ALREADY_REVERSED")

    async def _book_twice_at_once(self) -> None:
        draft = self.workload.draft()
        made = await self.line.send(draft)
        self._check(draft, made)
        request = Request("book", "POST", f"/v2/draft-journal-entries/{made.json()['id']}/book", {})
        await self._one_wins(request, 200, "DRAFT_JOURNAL_ENTRY_INVALID_STATE")

    async def _one_wins(self, request: Request, status: int, code: str) -> None:
        """Of the request twice at once, each under a key of its own."""
        requests = [replace(request, key=f"{self.workload.tag}-{request.path}-{number}") for number in range(2)]
        answers = await asyncio.gather(*(self.line.send(one) for one in requests))
        if sorted(answer.status_code for answer in answers) != [status, 409]:
            raise MismatchError(f"{request}\ntwice at once: {[answer.text for answer in answers]}")
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        self._check(request, won)
        check_answer(request, Answer(409, None, code), lost)

    def _check(self, request: Request, response: httpx.Response) -> None:
        expected = self.company.answer(request, today())
        if expected.body is not None and "entryNumber" in expected.body:
            expected = replace(expected, body={**expected.body, "entryNumber": A_NUMBER, "previousHash": A_HASH})
        check_answer(request, expected, response)
        if expected.body is not None:
            self.company.take(request, response.json())
            if request.kind == "enter":
                self.own.append(response.json()["id"])


def _kept(response: httpx.Response) -> Any:
    """What an idempotency key has of an answer: a refusal is found again, at another moment."""
    return response.content if response.is_success else (response.status_code, body_of(response) | {"timestamp": ""})


class Licensor:
    """Alone with a company that sells by subscription: what it charges is known, and which changes it refuses."""

    def __init__(self, line: Line, random: Random, tag: str) -> None:
        self.line = line
        self.random = random
        self.subscriber = Subscriber(self._send, self._bill, today, Random(random.getrandbits(64)), tag)
        #: Waits by this one are no operations.
        self._waiting = Line(line.http, line.key)
        self._tag = tag
        self._runs = 0

    async def work(self, operations: int) -> None:
        """Let things happen to subscriptions, fewer since most are several requests. Raises `MismatchError`."""
        await self.subscriber.begin()
        for _ in range(max(operations // 4, 12)):
            await self.subscriber.step()
        await self.subscriber.end()

    async def _bill(self) -> None:
        """Have everything billed that is due, mostly by one run, else by two at once.

        A run whose worker was killed goes on when that is noticed, half a minute later: another one is asked for.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            count = self.random.choice((1, 1, 2))
            runs = await asyncio.gather(*(self._start() for _ in range(count)))
            if all(await asyncio.gather(*(self._ends_soon(run) for run in runs))):
                return
        raise MismatchError(f"no billing run came to its end within {PATIENCE} s")

    async def _start(self) -> str:
        self._runs += 1
        request = Request("", "POST", "/v1/billing-runs", {}, key=f"{self._tag}-run-{self._runs}")
        answer = await self.line.send(request)
        if answer.status_code != 202:
            raise MismatchError(f"{request}\nexpected 202\ngot {answer.status_code} {answer.text}")
        started: str = answer.json()["id"]
        return started

    async def _ends_soon(self, run_id: str) -> bool:
        until = time.monotonic() + _SOON
        while time.monotonic() < until:
            run = (await self._waiting.send(Request("", "GET", f"/v1/billing-runs/{run_id}"))).json()
            if run["status"] in {"completed", "failed"}:
                same("the end of a run", ("completed", 0, 0), (run["status"], run["refused"], run["skipped"]))
                return True
            await asyncio.sleep(0.05)
        return False

    async def _send(self, request: Request) -> httpx.Response:
        return await _sent(self.line, request, self.random)


async def _sent(line: Line, request: Request, random: Random) -> httpx.Response:
    """The answer to a request, which is sometimes asked for again."""
    response = await line.send(request)
    if request.method == "POST" and response.is_success and random.random() < 0.05:
        await line.again(request, response)
    return response


class Seller:
    """Alone with a company that sells to one customer: every answer is known, and every amount of the customer's."""

    def __init__(self, line: Line, random: Random, tag: str) -> None:
        self.line = line
        self.random = random
        day = today()
        rates = {(day - timedelta(days=ago)).isoformat(): rate for ago, rate in _RATES.items()}
        own = Random(random.getrandbits(64))  # what is sent again follows from which answer is the first of two
        self.debtor = Debtor(self._send, own, tag, rates, credited_on=day.isoformat(), paid_on=day.isoformat())

    async def work(self, operations: int) -> None:
        """Let that many things happen to the customer's receivables, and settle them. Raises `MismatchError`."""
        await self.debtor.begin()
        for _ in range(operations):
            await self.debtor.step()
        await self.debtor.look()
        await self.debtor.end()
        await self.debtor.look()

    async def _send(self, request: Request) -> httpx.Response:
        return await _sent(self.line, request, self.random)
