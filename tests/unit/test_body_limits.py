"""What a JSON body may be made of."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import MAX_FINDINGS, LedgerBeeError, invalid
from ledgerbee.http.body_limits import (
    LARGE_BODY,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_ELEMENTS,
    MAX_ELEMENTS_LARGE,
    MAX_ESCAPES,
    SMALL_BODY,
    check_elements,
    max_elements,
)
from ledgerbee.http.json_body import decode_json
from ledgerbee.http.validation import validation_error

_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=40,
)


def elements(value: Any) -> int:
    """Keys of objects and items of lists."""
    if isinstance(value, dict):
        return len(value) + sum(elements(item) for item in value.values())
    return len(value) + sum(elements(item) for item in value) if isinstance(value, list) else 0


def rules(fault: LedgerBeeError) -> list[str]:
    return [rule for row in fault.details["validationErrors"] for rule in row["constraints"]]


@given(value=_VALUES)
def test_no_body_of_more_elements_passes(value: Any) -> None:
    count = elements(value)
    if count > 1:
        with pytest.raises(LedgerBeeError) as caught:
            check_elements(json.dumps(value).encode(), count - 1)
        assert rules(caught.value) == ["maxElements"]


@given(value=_VALUES)
def test_a_body_of_ordinary_text_passes_with_as_many_as_it_has(value: Any) -> None:
    raw = json.dumps(value).encode()
    in_texts = sum(raw.count(mark) for mark in (b",", b"[", b"{")) - elements(value)
    check_elements(raw, elements(value) + max(in_texts, 0))


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"[" + b"[]," * 3_000_000 + b"[]]", "maxElements"),
        (b"[" + b"1," * 5_000_000 + b"1]", "maxElements"),
        (b'{"a":1,' * 2_000_000, "maxElements"),
        (b"[" * 10_000_000, "maxElements"),
        (b'"' + b"\\u0041" * 2_000_000 + b'"', "maxEscapes"),
    ],
)
def test_hostile_bodies_are_refused_by_a_count(raw: bytes, rule: str) -> None:
    with pytest.raises(LedgerBeeError) as caught:
        check_elements(raw, MAX_ELEMENTS_LARGE)
    assert rules(caught.value) == [rule]


def test_files_pass() -> None:
    """Base64 as some write it, each slash escaped."""
    raw = b'{"attachments":[{"content":"' + (b"QUJD" * 15 + b"AAA\\/") * 200_000 + b'"}]}'
    assert raw.count(b"\\") < MAX_ESCAPES
    check_elements(raw, MAX_ELEMENTS_LARGE)


def test_small_bodies_have_fewer_elements() -> None:
    assert (max_elements(SMALL_BODY), max_elements(LARGE_BODY)) == (MAX_ELEMENTS, MAX_ELEMENTS_LARGE)


@pytest.mark.parametrize("kind", ["[{}]", '{{"a":{}}}'])
def test_nesting_has_an_end(kind: str) -> None:
    def nested(depth: int) -> bytes:
        text = "1"
        for _ in range(depth):
            text = kind.format(text)
        return text.encode()

    decode_json(nested(MAX_DEPTH))
    with pytest.raises(LedgerBeeError) as caught:
        decode_json(nested(MAX_DEPTH + 1))
    assert rules(caught.value) == ["maxDepth"]


@pytest.mark.parametrize("number", ["{}", "-{}", "1.{}", "{}e1", "0.{}E-5", "1e{}"])
def test_a_number_has_an_end(number: str) -> None:
    decode_json(number.format("1" * 5).encode())
    with pytest.raises(LedgerBeeError) as caught:
        decode_json(number.format("1" * MAX_DIGITS * 2).encode())
    assert rules(caught.value) == ["isJson"]


@pytest.mark.parametrize("count", [1, MAX_FINDINGS, MAX_FINDINGS + 1, 5_000])
def test_findings_are_told_up_to_a_hundred_properties(count: int) -> None:
    named = invalid(*((f"p{number}", "isInt", "wrong") for number in range(count)))
    found = validation_error([{"type": "int_type", "loc": ("body", f"p{number}")} for number in range(count)])
    for fault in (named, found):
        assert len(fault.details["validationErrors"]) == min(count, MAX_FINDINGS)
        assert fault.details.get("furtherErrors", 0) == max(count - MAX_FINDINGS, 0)
