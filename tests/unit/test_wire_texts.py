"""Single-line texts of requests."""

import pytest
from pydantic import TypeAdapter, ValidationError

from ledgerbee.http.wire import MAX_LINE, Line, OptionalLine

_REQUIRED, _OPTIONAL = TypeAdapter[str](Line), TypeAdapter[str](OptionalLine)


@pytest.mark.parametrize("text", ["a", " a ", "\ta\n", "a" * MAX_LINE, " " * (MAX_LINE - 1) + "a"])
def test_blanks_at_the_ends_are_dropped(text: str) -> None:
    assert _REQUIRED.validate_python(text) == _OPTIONAL.validate_python(text) == text.strip()


@pytest.mark.parametrize("text", ["a" * (MAX_LINE + 1), "a" + " " * MAX_LINE, " " * (MAX_LINE + 1)])
def test_what_was_sent_has_at_most_so_many_characters(text: str) -> None:
    for kind in (_REQUIRED, _OPTIONAL):
        with pytest.raises(ValidationError) as refused:
            kind.validate_python(text)
        assert [fault["type"] for fault in refused.value.errors()] == ["string_too_long"]


def test_what_is_required_is_more_than_blanks() -> None:
    assert _OPTIONAL.validate_python("  ") == ""
    with pytest.raises(ValidationError) as refused:
        _REQUIRED.validate_python("  ")
    assert [fault["type"] for fault in refused.value.errors()] == ["string_too_short"]
    for kind in (_REQUIRED, _OPTIONAL):
        with pytest.raises(ValidationError):
            kind.validate_python(5)


def test_the_document_tells_both_lengths() -> None:
    assert _REQUIRED.json_schema() == {"type": "string", "minLength": 1, "maxLength": MAX_LINE}
    assert _OPTIONAL.json_schema() == {"type": "string", "maxLength": MAX_LINE}
