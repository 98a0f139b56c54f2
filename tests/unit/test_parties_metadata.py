"""Metadata on the wire: what is taken, what is kept, what a filter matches."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ledgerbee.http.json_body import decode_json
from ledgerbee.http.metadata import Metadata, MetadataOut, is_same, matching_objects

REQUEST: TypeAdapter[dict[str, Any]] = TypeAdapter(Metadata)
RESPONSE: TypeAdapter[dict[str, Any]] = TypeAdapter(MetadataOut)

Numbers = st.integers(-(10**15) + 1, 10**15 - 1) | st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places), st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 6)
)


@given(Numbers)
def test_numbers_come_out_as_they_went_in(number: int | Decimal) -> None:
    kept = REQUEST.validate_python(decode_json(f'{{"n": {number:f}}}'.encode()))
    stored = json.loads(json.dumps(kept), parse_float=Decimal)
    assert Decimal(stored["n"]) == number
    out = json.loads(RESPONSE.dump_json(stored), parse_float=Decimal)
    assert Decimal(out["n"]) == number


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=40), st.text("aæ日\n'\" 0", max_size=20) | st.booleans(), max_size=5
    )
)
def test_texts_and_booleans_stay_what_they_are(given_metadata: dict[str, Any]) -> None:
    assert REQUEST.validate_python(given_metadata) == given_metadata
    assert json.loads(RESPONSE.dump_json(given_metadata)) == given_metadata


@pytest.mark.parametrize(
    "bad",
    [
        {"a": None},
        {"a": []},
        {"a": {}},
        {"": "x"},
        {"a[b]": "x"},
        {"k" * 41: "x"},
        {"a": "x" * 501},
        {"a": Decimal("1E+400")},
        {"a": Decimal("1E-400")},
        {"a": Decimal("1.0000000000000000000000000000000000001")},
        {"a": 1234567890123456},
        {"a": 10**400},
        {str(number): "x" for number in range(51)},
        [],
        "x",
        None,
    ],
)
def test_refused(bad: Any) -> None:
    with pytest.raises(ValidationError):
        REQUEST.validate_python(bad)


def test_limits_are_inclusive() -> None:
    full = {f"{number:040}": "x" * 500 for number in range(50)}
    assert REQUEST.validate_python(full) == full


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", [{"k": "x"}]),
        ("true", [{"k": "true"}, {"k": True}]),
        ("False", [{"k": "False"}]),
        ("17", [{"k": "17"}, {"k": 17}]),
        ("-1.50", [{"k": "-1.50"}, {"k": -1.5}]),
        ("1e3", [{"k": "1e3"}]),
        ("12345678901234567890", [{"k": "12345678901234567890"}]),
        ("", [{"k": ""}]),
    ],
)
def test_what_a_filter_matches(text: str, expected: list[dict[str, Any]]) -> None:
    assert matching_objects("k", text) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1}, {"a": True}, False),
        ({"a": False}, {"a": 0}, False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": True, "b": "x"}, {"b": "x", "a": True}, True),
        ({"a": "1"}, {"a": 1}, False),
        ({}, {"a": False}, False),
    ],
)
def test_same_metadata_is_the_same_json(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert is_same(one, other) == is_same(other, one) == same
