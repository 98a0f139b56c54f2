"""Bytes that no client should send, at every door: 400, nothing stored, and never a 500."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.operations import OPERATIONS, WITH_IDS, WRITES, Row
from tests.contract.test_operations import path_of
from tests.contract.world import World
from tests.table_rows import rows_of

JSON_WRITES = [row for row in WRITES if not row.file]
FORMS = [row for row in OPERATIONS if row.takes_form]
READS = [row for row in OPERATIONS if row.method == "GET"]

#: What can stand for a text inside of a JSON body, already encoded.
#: Longer than any text, but not than a file.
LONG = b'"' + b"x" * 200_000 + b'"'
BAD_TEXTS = [
    b'"K\xf8b"',  # Windows-1252
    b'"\xff"',
    b'"\xc3"',  # cut off
    b'"\xc0\x80"',  # a NUL in two bytes
    b'"\xed\xa0\x80"',  # a surrogate
    b'"\xf4\x90\x80\x80"',  # beyond Unicode
    b'"a\x00b"',
    b'"a\\u0000b"',
    b'"\\ud800"',
    b'"\\udfff x"',
    b'"\\ud800\\ud800"',
    b'"a\rb"',
    b'"a\nb"',
    LONG,
    b"9" * 5_000,
    b"1e400",
    b"-1e-400",
    b"1E999999999999999999999",
    b"1" + b"0" * 4_000,
    b"0." + b"1" * 4_000,
    b"NaN",
    b"-Infinity",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 500 + b"]" * 500,
    b"tru",
    b"'a'",
    b"01",
    b"0x10",
    b"",
]


def bad_bodies(body: dict[str, Any]) -> list[bytes]:
    """The valid body, broken as a whole."""
    text = json.dumps(body)
    return [
        text.encode("utf-16"),
        text.encode("utf-16-le"),
        text.encode("utf-32"),
        b"\xef\xbb\xbf\xef\xbb\xbf" + text.encode(),
        text.encode() + b"\x00",
        b"\x00" + text.encode(),
        text.encode() + b"{}",
        b"\x1f\x8b" + text.encode(),  # gzip's first bytes
        text.encode()[:-1],
        b"\xff",
        b" ",
        b"\r",
        b"null",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'"' + b"\\ud800" + b'"',
    ]


def with_bad(body: dict[str, Any], name: str, bad: bytes) -> bytes:
    """The body with `bad` as the value of the field `name`."""
    marked = json.dumps({**body, name: "@@@"}, ensure_ascii=False).encode()
    return marked.replace(b'"@@@"', bad, 1)


def assert_refused(answer: httpx.Response, sent: object) -> None:
    assert answer.status_code == 400, (answer.status_code, sent, answer.text[:300])
    assert answer.json()["code"] == "SHARED_VALIDATION_FAILED", sent
    assert "Traceback" not in answer.text
    assert "Decimal(" not in answer.text


async def send(world: World, row: Row, content: bytes) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return await world.api.request(row.method, path_of(row, world.ids), content=content, headers=headers)


@pytest.mark.parametrize("row", JSON_WRITES, ids=str)
async def test_a_body_of_bad_bytes_is_refused(row: Row, world: World) -> None:
    before = await rows_of(world.api)
    body = row.sent(world)["json"]
    for content in bad_bodies(body):
        assert_refused(await send(world, row, content), content[:60])
    assert await rows_of(world.api) == before


@pytest.mark.parametrize("row", JSON_WRITES, ids=str)
async def test_a_field_of_bad_bytes_is_refused(row: Row, world: World) -> None:
    """An unknown field, where nothing else is; each of its fields, where the valid body has some."""
    before = await rows_of(world.api)
    body = row.sent(world)["json"]
    for name in [*body, "noSuchField"]:
        for bad in BAD_TEXTS:
            content = with_bad(body, name, bad)
            answer = await send(world, row, content)
            if answer.status_code == 404 and _is_reference(name):
                continue
            if name == "content" and bad is LONG:  # base64 of a file, which is refused by who reads it
                assert (answer.status_code, answer.json()["code"]) == (400, "INCOMING_DOCUMENT_UNREADABLE")
                continue
            assert_refused(answer, (name, bad[:40]))
    assert await rows_of(world.api) == before


def _is_reference(name: str) -> bool:
    return name.endswith("Id")


@pytest.mark.parametrize("row", JSON_WRITES, ids=str)
async def test_nested_fields_of_bad_bytes_are_refused(row: Row, world: World) -> None:
    before = await rows_of(world.api)
    body = row.sent(world)["json"]
    for place in texts_of(body):
        for bad in BAD_TEXTS[:12]:
            marked = json.dumps(replaced(body, place, "@@@"), ensure_ascii=False).encode().replace(b'"@@@"', bad, 1)
            assert_refused(await send(world, row, marked), (place, bad[:40]))
    assert await rows_of(world.api) == before


def texts_of(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of texts below the first level of a body."""
    if isinstance(value, dict):
        return [place for name, one in value.items() for place in texts_of(one, (*path, name))]
    if isinstance(value, list):
        return [place for index, one in enumerate(value) for place in texts_of(one, (*path, index))]
    return [path] if isinstance(value, str) and len(path) > 1 else []


def replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """The value with another one at a place."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("row", JSON_WRITES, ids=str)
async def test_names_and_doubled_fields_of_bad_bytes(row: Row, world: World) -> None:
    """A name of bad bytes is refused; of a name that is there twice the last value counts, as JSON readers have it."""
    body = row.sent(world)["json"]
    for name in (b'"\xff"', b'"\\ud800"', b'"\\u0000"', b'"a\x00"', b'"' + b"n" * 100_000 + b'"'):
        inner = json.dumps(body).encode()[1:-1]
        content = b"{" + name + b":1" + (b"," + inner if inner else b"") + b"}"
        assert_refused(await send(world, row, content), name[:40])
    for name, value in body.items():
        doubled = json.dumps(body).encode()[:-1] + b"," + json.dumps(name).encode() + b':{"wrong": []}}'
        answer = await send(world, row, doubled)
        assert answer.status_code == 400, (name, value, answer.text)


@pytest.mark.parametrize("row", JSON_WRITES, ids=str)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_bytes_come_it_is_no_500(row: Row, world: World, data: st.DataObject) -> None:
    valid = json.dumps(row.sent(world)["json"]).encode()
    place = data.draw(st.integers(0, len(valid)))
    junk = data.draw(st.binary(min_size=1, max_size=6) | st.sampled_from(BAD_TEXTS))
    content = data.draw(
        st.sampled_from([valid[:place] + junk + valid[place:], valid[:place] + junk + valid[place + 6 :]])
    )
    answer = await send(world, row, content)
    assert answer.status_code < 500, (content, answer.text)


@pytest.mark.parametrize("row", WITH_IDS, ids=str)
async def test_a_path_of_bad_bytes_is_refused(row: Row, world: World) -> None:
    for name in row.id_names:
        for bad in ("%ff", "%00", "%ed%a0%80", "a%0d%0ab", "%c3", "x" * 20_000, "%e2%80%ae", "%2e%2e"):
            ids = {**world.ids, name: bad, f"{row.tag}.{name}": bad}
            answer = await world.api.request(row.method, path_of(row, ids), **_body(row, world))
            assert answer.status_code in {400, 404}, (bad[:20], answer.text)


@pytest.mark.parametrize("row", [row for row in OPERATIONS if not row.public], ids=str)
async def test_a_query_of_bad_bytes_is_refused(row: Row, world: World) -> None:
    for bad in ("search=%ff", "%ff=1", "search=%00", "page=%ed%a0%80", "a%00=1", "page=%c3", "x=\x80"):
        path = path_of(row, world.ids)
        path += ("&" if "?" in path else "?") + bad
        answer = await world.api.request(row.method, path, **_body(row, world))
        assert answer.status_code == 400, (bad, answer.text)


@pytest.mark.parametrize("row", [row for row in OPERATIONS if not row.public], ids=str)
async def test_headers_of_bad_bytes_are_refused(row: Row, world: World) -> None:
    """No credential, or no key, is made of such bytes."""
    for bad in (b"\xff", b"a\x80", "ø".encode(), b"x" * 300):
        options = _body(row, world)
        headers = {name.encode(): value.encode() for name, value in options.pop("headers", {}).items()}
        address = f"/api{path_of(row, world.ids)}"
        answer = await world.api.http.request(row.method, address, headers={**headers, b"x-api-key": bad}, **options)
        assert answer.status_code == 401, (bad, answer.text)
        if row.writes:
            headers |= {b"x-api-key": world.api.key.encode(), b"x-api-idempotency-key": bad}
            answer = await world.api.http.request(row.method, address, headers=headers, **options)
            assert_refused(answer, bad)


@pytest.mark.parametrize("row", FORMS, ids=str)
async def test_a_form_of_bad_bytes_is_refused(row: Row, world: World) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for bad in (b"\xff", b"client_id=%ff", b"client_id=\xed\xa0\x80", b"a=1&" * 200, b"client_id=%00&client_secret=%00",
                b"\x00", b"client_id=" + b"x" * 16_000):  # fmt: skip
        answer = await world.api.http.request(row.method, f"/api{row.path}", content=bad, headers=headers)
        assert answer.status_code in {400, 401, 429}, (bad[:40], answer.text)
        assert "error" in answer.json()


def _body(row: Row, world: World) -> dict[str, Any]:
    if not row.writes:
        return {}
    return {} if row.public else row.sent(world)
