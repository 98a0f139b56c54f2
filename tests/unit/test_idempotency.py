"""When two requests under one idempotency key are the same one."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.http.idempotency import Reservation, reservation

JSON = "application/json"
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**17, 10**21)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=15,
)


def reserved(body: bytes, query: bytes = b"", media_type: str = JSON, **options: bool) -> Reservation:
    headers = [(b"x-api-idempotency-key", b"k"), (b"content-type", media_type.encode())]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/x", "query_string": query, "headers": headers}
    found = reservation(Request(scope), body, **options)
    assert found is not None
    return found


def same(one: bytes, other: bytes) -> bool:
    return reserved(one).request_hash == reserved(other).request_hash


def written(value: Any, draw: Callable[..., Any]) -> str:
    """JSON of the value in one of its spellings."""
    blank: str = draw(st.sampled_from(["", " ", "\n", "\t  "]))
    if isinstance(value, dict):
        names = draw(st.permutations(list(value)))
        members = [f"{written(name, draw)}{blank}:{blank}{written(value[name], draw)}" for name in names]
        return "{" + blank + ",".join(members) + blank + "}"
    if isinstance(value, list):
        return "[" + blank + f"{blank},".join(written(one, draw) for one in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=bool(draw(st.booleans())))
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    number = Decimal(value)
    sign, digits, exponent = number.as_tuple()
    zeros: int = draw(st.integers(0, 3)) if number else 0  # JSON has no `00`
    assert isinstance(exponent, int)
    shown = f"{'-' if sign else ''}{''.join(map(str, digits)).lstrip('0') or '0'}{'0' * zeros}"
    return str(
        draw(st.sampled_from([f"{shown}e{exponent - zeros}", f"{shown}.000E{exponent - zeros:+d}", _plain(number)]))
    )


def _plain(number: Decimal) -> str:
    text = f"{number:f}" if abs(number.adjusted()) < 50 else str(number)
    return text.replace("E", "e")


@given(_VALUES, st.data())
def test_a_json_value_is_the_same_request_in_every_spelling(value: Any, data: Any) -> None:
    assert same(written(value, data.draw).encode(), written(value, data.draw).encode())


def _key(value: Any) -> Any:
    """A value that is equal for equal JSON only: to Python, 1 is true."""
    if isinstance(value, dict):
        return ("object", tuple(sorted((name, _key(one)) for name, one in value.items())))
    if isinstance(value, list):
        return ("array", tuple(map(_key, value)))
    if isinstance(value, (bool, str)) or value is None:
        return (type(value).__name__, str(value))
    return ("number", str(Decimal(value).normalize()) if value else "0")


@given(_VALUES, _VALUES, st.data())
def test_other_json_values_are_other_requests(one: Any, other: Any, data: Any) -> None:
    bodies = written(one, data.draw).encode(), written(other, data.draw).encode()
    if _key(one) != _key(other):
        assert not same(*bodies)


def test_numbers_by_value_and_nothing_else_by_it() -> None:
    assert same(b'{"a": 1}', b'{"a": 1.0}')
    assert same(b'{"a": 1}', b'{"a": 1e0}')
    assert same(b'{"a": 100}', b'{"a": 1E2}')
    assert same(b'{"a": 0.10}', b'{"a": 0.1}')
    assert same(b'{"a": -0}', b'{"a": 0.00}')
    assert not same(b'{"a": 1}', b'{"a": "1"}')
    assert not same(b'{"a": 1}', b'{"a": true}')
    assert not same(b'{"a": 0.1}', b'{"a": 0.1000000000000000000000000000000000000001}')
    assert not same(b'{"a": null}', b"{}")
    assert same(b"", b"{}")


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_what_is_no_json_is_compared_as_bytes(one: bytes, other: bytes) -> None:
    for malformed in (b"{" + one, b'{"a":1,"a":' + one):
        assert same(malformed, malformed)
        assert malformed == b"{" + other or not same(malformed, b"{" + other) or _is_json(malformed)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body.decode())
    except ValueError:
        return False
    return True


def test_a_name_twice_is_compared_as_bytes() -> None:
    assert same(b'{"a":1,"a":2}', b'{"a":1,"a":2}')
    assert not same(b'{"a":1,"a":2}', b'{"a":2}')
    assert not same(b'{"a":1,"a":2}', b'{"a":1, "a":2}')


def test_hostile_bodies_are_compared_quickly_and_as_bytes() -> None:
    for body in (
        b"[" * 100_000,
        b"9" * 100_000,
        b"0." + b"1" * 100_000,
        b"1e999999999999999999999",
        b"[" + b"[]," * 300_000,
    ):
        assert same(body, body)
        assert not same(body, body + b" ")


def test_queries_are_compared_as_pairs() -> None:
    def hashed(query: bytes) -> bytes:
        return reserved(b"{}", query).request_hash

    assert hashed(b"a=1&b=%41") == hashed(b"b=A&a=%31")
    assert hashed(b"a=1") != hashed(b"a=2")
    assert hashed(b"a=1&a=2") != hashed(b"a=1")
    assert hashed(b"a=") != hashed(b"")


def test_the_media_type_of_a_file_is_part_of_the_request() -> None:
    csv = reserved(b"", media_type="text/csv; charset=utf-8", streams=True).with_content(b"x")
    assert csv == reserved(b"", media_type="Text/CSV", streams=True).with_content(b"x")
    assert not csv.is_of(reserved(b"", media_type="application/x-ndjson", streams=True).with_content(b"x").request_hash)
    assert not csv.is_of(reserved(b"", media_type="text/csv", streams=True).with_content(b"y").request_hash)
