"""Names and values of any length, in every place of every request: an answer repeats a bounded part of them."""

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from tests.contract.operations import OPERATIONS, WRITES, Row
from tests.contract.test_operations import path_of
from tests.contract.test_requests import errors_of, with_query
from tests.contract.world import World

from ledgerbee.core.errors import MAX_FINDINGS, MAX_NAME
from ledgerbee.http.json_body import decode_json

#: Characters; a body of 1 MB has room for it, every operation takes that.
_LENGTH: Final = 900_000
#: Bytes of an answer that tells of one name or value: some findings, each with its name and its text.
_SHORT: Final = 20_000


def _altered(value: Any, name: str) -> Iterator[tuple[Any, str]]:
    """`value` once for each object in it with one more field, and once for each text in it with a long one instead.

    Beside each the property that is told of it, as far as it is known.
    """
    if isinstance(value, dict):
        yield {**value, "k" * _LENGTH: 1}, "k"
        yield {**value, "k." * (_LENGTH // 2): {"a": ["\ud800"]}}, "k."
        for key, inner in value.items():
            for changed, told in _altered(inner, key):
                yield {**value, key: changed}, told
    elif isinstance(value, list):
        for index, inner in enumerate(value[:2]):
            for changed, told in _altered(inner, name):
                copied = copy.copy(value)
                copied[index] = changed
                yield copied, told
    elif name != "content":  # a file, which may well be that long
        yield "v" * _LENGTH, name


@pytest.mark.parametrize("row", [row for row in WRITES if not row.file and not row.public], ids=str)
async def test_a_body_is_not_repeated(row: Row, world: World) -> None:
    valid = row.sent(world)["json"]
    for body, told in _altered(valid, ""):
        answer = await world.api.http.request(
            row.method,
            f"/api{path_of(row, world.ids)}",
            content=json.dumps(body),
            headers={"x-api-key": world.api.key, "content-type": "application/json"},
        )
        assert 400 <= answer.status_code < 500, (told, answer.text[:500])
        assert len(answer.content) < _SHORT, (told, answer.text[:500])


@pytest.mark.parametrize("row", [row for row in OPERATIONS if not row.public], ids=str)
async def test_an_address_is_not_repeated(row: Row, world: World) -> None:
    for query in (
        f"{'k' * 15_000}=1",
        "&".join(f"{'k' * 100}{number}=1" for number in range(140)),
        "metadata[=&" * 900,
    ):
        answer = await _asked(row, world, with_query(path_of(row, world.ids), query))
        assert answer.status_code == 400
        assert len(answer.content) < 60_000
    found = errors_of(await _asked(row, world, with_query(path_of(row, world.ids), f"{'k' * 15_000}=1")))
    shown = "k" * MAX_NAME + "…"
    assert found == {shown: {"whitelistValidation": f"{shown} should not exist"}}


async def _asked(row: Row, world: World, path: str) -> httpx.Response:
    options: dict[str, Any] = row.sent(world) if row.writes else {}
    headers = {"x-api-key": world.api.key, **options.pop("headers", {})}
    return await world.api.http.request(row.method, f"/api{path}", headers=headers, **options)


async def test_many_long_names_are_told_in_part(world: World) -> None:
    names = [f"{number:03}{'k' * 2_000}" for number in range(400)]
    answer = await world.api.post("/v1/customers", dict.fromkeys(names, 1))
    assert len(errors_of(answer)) == MAX_FINDINGS
    assert len(answer.content) < 3 * MAX_FINDINGS * MAX_NAME


def test_places_below_a_long_name_cost_little() -> None:
    """Each of the items has the name in its path: written out they were 50 GB."""
    body = json.dumps({"k" * 1_000_000: [*(["a"] * 50_000), "\ud800"]}).encode()
    with pytest.raises(Exception, match="Bad Request") as caught:
        decode_json(body)
    (found,) = caught.value.details["validationErrors"]  # type: ignore[attr-defined]
    assert found["property"] == "k" * MAX_NAME + "…"
