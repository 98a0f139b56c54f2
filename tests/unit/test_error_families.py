"""Errors of one kind tell the same, in the same words, of every resource (docs/reference/errors.md)."""

import ast
import re
from functools import cache

import pytest
from docs.reference import generate

from ledgerbee.core.errors import ErrorCode

#: The end of a code -> the only way to raise it.
FAMILIES = {
    "_NOT_FOUND": "missing",
    "_ALREADY_EXISTS": "taken",
    "_IN_USE": "used",
    "_INVALID_STATE": "in_state",
}
#: About a request, not about an object.
NO_OBJECTS = {"IDEMPOTENCY_KEY_IN_USE"}


@cache
def raised() -> list[tuple[str, str, bool]]:
    """Each place where an error is made: the code's name, the way, and whether anything is told."""
    return [
        (name, node.func.attr, bool(node.args or node.keywords))
        for file in generate.SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if re.fullmatch(r"[A-Z][A-Z_]+", name := ast.unparse(node.func.value))
    ]


@pytest.mark.parametrize("ending", FAMILIES)
def test_a_code_of_a_family_is_raised_in_its_way(ending: str) -> None:
    places = [place for place in raised() if place[0].endswith(ending) and place[0] not in NO_OBJECTS]
    assert places
    wrong = [
        place
        for place in places
        if place[1] != FAMILIES[ending]
        and not (ending == "_NOT_FOUND" and (place[1] == "unless" or place[1:] == ("error", False)))
    ]
    assert wrong == []


@pytest.mark.parametrize("error", generate.error_codes(), ids=lambda error: error.code)
def test_a_way_is_for_its_family_alone(error: ErrorCode) -> None:
    ways = {way for name, way, _ in raised() if name == error.code and way in FAMILIES.values()}
    assert ways <= {way for ending, way in FAMILIES.items() if error.code.endswith(ending)}


def test_what_a_family_tells() -> None:
    code = ErrorCode("THING_NOT_FOUND", 404, "No such thing")
    assert code.missing("lines.0.thingId", "thingId", 7).details == {"property": "lines.0.thingId", "thingId": "7"}
    assert code.taken("number", "A").details == {"property": "number", "value": "A"}
    assert code.used(("products",)).details == {"usedBy": ["products"]}
    assert code.in_state("booked", bookedAs="1").details == {"status": "booked", "bookedAs": "1"}
    assert code.in_state("booked", "It is booked").message == "It is booked"
