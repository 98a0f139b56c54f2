"""The one form of a call's arguments: that of all spellings that say the same to the tool. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ledgerbee.core.ids import parse_id

Schema = Mapping[str, Any]

_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
#: Names of fields that are ids, or lists of them: their schemas don't say so.
_ID_NAME: Final = re.compile(r"(^id|Ids?)$")
#: What says the same as nothing, where a value may be left out: the tools make, and change nothing that they leave out.
_NOTHING: Final[tuple[Any, ...]] = (None, [], {})


def form_of(arguments: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Arguments that `schema` takes, in the form of all that say the same.

    Numbers and texts of digits are one where it takes numbers, ids one however they are written; a value that is the
    default, null or empty is left out where it need not be there.
    """
    return _object(arguments, [schema])


def _form(value: Any, branches: Sequence[Schema], name: str) -> Any:
    """A value under one of the alternatives `branches`; `name` is that of the nearest property."""
    if isinstance(value, Mapping):
        return _object(value, [one for one in branches if "properties" in one])
    if isinstance(value, (list, tuple)):
        items = [inner for one in branches for inner in _branches(one.get("items", {}))]
        return [_form(one, items, name) for one in value]
    if isinstance(value, bool) or not any(_takes(one, "number") or _takes(one, "integer") for one in branches):
        is_id = isinstance(value, str) and (
            _ID_NAME.search(name) or any(one.get("format") == "uuid" for one in branches)
        )
        return _id(value) if is_id else value
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return value
    return _number(Decimal(value)) if isinstance(value, (int, str, Decimal)) else value


def _object(value: Mapping[str, Any], branches: Sequence[Schema]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in value.items():
        known = [branch["properties"][name] for branch in branches if name in branch["properties"]]
        inner = [branch for schema in known for branch in _branches(schema)]
        form = _form(one, inner, name)
        is_needed = any(name in branch.get("required", ()) for branch in branches)
        if is_needed or not known or not _says_nothing(form, known, inner, name):
            found[name] = form
    return found


def _says_nothing(form: Any, known: Sequence[Schema], inner: Sequence[Schema], name: str) -> bool:
    if any(form == one and isinstance(form, type(one)) for one in _NOTHING):
        return True
    defaults = [_form(one["default"], inner, name) for one in (*known, *inner) if "default" in one]
    return any(form == one and isinstance(form, type(one)) for one in defaults)


def _branches(schema: Schema) -> Iterable[Schema]:
    """The alternatives of a schema, those of alternatives too."""
    choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return [branch for one in choices for branch in _branches(one)] if choices else [schema]


def _takes(schema: Schema, kind: str) -> bool:
    return kind == schema.get("type") or (isinstance(schema.get("type"), list) and kind in schema["type"])


def _id(text: str) -> str:
    try:
        return str(parse_id(text))
    except ValueError:
        return text


def _number(value: Decimal) -> str:
    """A number by its digits and its exponent: nothing is rounded, and no exponent makes it long."""
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).strip("0")
    if not text or not isinstance(exponent, int):
        return "0"
    trailing = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return f"{'-' if sign else ''}{text}e{exponent + trailing}"
