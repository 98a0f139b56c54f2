"""However a body is made, others have their turn: no step on the event loop does much, or reads all of a large body.

Calls are counted, not seconds: they are the same on any machine.
"""

import asyncio
import base64
import json
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, Final
from uuid import uuid4

import pytest
from tests.contract.world import World

from ledgerbee.http import body_limits, idempotency, json_body
from ledgerbee.http.body_limits import LARGE
from ledgerbee.ledger.entries import fast_wire
from ledgerbee.ledger.uploads import rules as attachments

#: Calls of functions between two turns of others; a million take about a tenth of a second.
_MOST_CALLS: Final = 80_000
#: What looks at all of a body at once.
_WHOLE: Final = (
    body_limits.check_elements,
    idempotency.reservation,
    fast_wire.decode_entry,
    fast_wire.decode_batch,
    json_body._readable,
    attachments._decode,
)
_ENTRY, _BATCH, _DRAFTS = "/v2/journal-entries", "/v2/journal-entries/batch", "/v2/draft-journal-batches"


class Steps:
    """What the thread of the event loop calls between two turns of somebody else."""

    def __init__(self) -> None:
        self.most = self.turns = self._calls = 0
        self.whole: set[str] = set()
        self._codes: dict[CodeType, str] = {work.__code__: work.__name__ for work in _WHOLE}

    def count(self, frame: FrameType, event: str, _: Any) -> None:
        """For `sys.setprofile`."""
        if event == "call":
            if frame.f_code in self._codes:
                self.whole.add(self._codes[frame.f_code])
            self._calls += 1
        elif event == "c_call":
            self._calls += 1

    async def take_turns(self) -> None:
        while True:
            self.turns += 1
            self.most = max(self.most, self._calls)
            self._calls = 0
            await asyncio.sleep(0)


def _file(content: bytes, kind: str = "text/plain") -> dict[str, str]:
    return {"fileName": "voucher.txt", "contentType": kind, "content": base64.b64encode(content).decode()}


def _bodies(account: str) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Name, path and body of each; a body is made when it is asked for."""
    lines = [{"accountId": account, "side": side, "amount": "10"} for side in ("DEBIT", "CREDIT")]
    entry = {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "10", "lines": lines}
    many = {**entry, "originalAmount": "1200", "lines": lines * 120}
    yield "unknown names", _ENTRY, lambda: json.dumps({**entry, **{f"k{number}": 1 for number in range(98_000)}})
    yield "long unknown names", _ENTRY, lambda: json.dumps({**entry, **{f"k{n}{'x' * 140}": 1 for n in range(90_000)}})
    unknown = {f"k{number}": 1 for number in range(900)}
    yield "unknown names in each entry", _BATCH, lambda: json.dumps({"entries": [{**entry, **unknown}] * 100})
    yield "long numbers", _BATCH, lambda: '{"entries":[' + f"{'9' * 999}," * 15_000 + "1]}"
    yield "numbers", _ENTRY, lambda: json.dumps({**entry, "tagIds": [1.5] * 90_000})
    yield (
        "digits as texts",
        _BATCH,
        lambda: json.dumps({"entries": [{**entry, "lines": [{"amount": "9" * 999}] * 140}] * 100}),
    )
    yield "nested", _ENTRY, lambda: '{"a":[' + ",".join(["[" * 17 + "]" * 17] * 5_000) + "]}"
    yield "wrong lines", _BATCH, lambda: json.dumps({"entries": [{**entry, "lines": [{"x": 1}] * 400}] * 100})
    yield "a long text", _ENTRY, lambda: json.dumps({**entry, "description": "x" * 14_000_000})
    yield "a long name", _ENTRY, lambda: '{"' + "k" * 14_000_000 + '":1}'
    yield "escapes", _ENTRY, lambda: '{"description":"' + "\\u0041" * 490_000 + '"}'
    yield "texts that can't be kept", _ENTRY, lambda: '{"a":["\\u0000",' + ",".join(['"a"'] * 98_000) + "]}"
    yield "blanks", _ENTRY, lambda: " " * 14_900_000 + "{}"
    yield "a file", _ENTRY, lambda: json.dumps({**entry, "attachments": [_file(b"Two boxes " * 1_000_000)]})
    yield "a file of another type", _ENTRY, lambda: json.dumps({**entry, "attachments": [_file(b"PK\3\4" * 2_000_000)]})
    yield "a batch", _BATCH, lambda: json.dumps({"entries": [many] * 100})
    yield (
        "a batch that isn't plain",
        _BATCH,
        lambda: json.dumps({"entries": [many] * 100}).replace("JOURNAL_", "JOURNAL\\u005f"),
    )
    yield "drafts", _DRAFTS, lambda: json.dumps({"entries": [many] * 100})
    nobody = {**many, "customerId": str(uuid4())}
    yield "drafts of nobody", _DRAFTS, lambda: json.dumps({"entries": [nobody] * 100})
    yield (
        "names of a small operation",
        "/v1/customers",
        lambda: json.dumps({f"k{number}": 1 for number in range(19_000)}),
    )
    yield "numbers of a small operation", "/v1/customers", lambda: '{"a":[' + f"{'9' * 99}," * 10_000 + "1]}"


_NAMES: Final = [name for name, _, _ in _bodies("")]


@pytest.mark.parametrize("name", _NAMES)
async def test_others_have_their_turn(world: World, name: str) -> None:
    (path, body) = next((path, body()) for one, path, body in _bodies(world.ids["accountId"]) if one == name)
    content = body.encode()
    assert len(content) > LARGE
    steps = Steps()
    neighbour = asyncio.create_task(steps.take_turns())
    await asyncio.sleep(0)
    headers = {"content-type": "application/json", "x-api-idempotency-key": uuid4().hex}
    before: Callable[..., Any] | None = sys.getprofile()
    sys.setprofile(steps.count)
    try:
        answer = await world.api.request("POST", path, content=content, headers=headers)
    finally:
        sys.setprofile(before)
        neighbour.cancel()
    assert answer.status_code in {201, 400, 404}, answer.text[:300]
    assert steps.whole == set()
    assert steps.most <= _MOST_CALLS
    assert steps.turns > 10
