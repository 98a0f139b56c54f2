"""`metadata`: the caller's own keys on an object, and finding objects by them (contract 2.4, decisions "Base").

An object of strings, numbers and booleans: at most 50 keys of up to 40 characters, strings of up to 500, numbers
of up to 15 significant digits, which every JSON reader keeps exactly. Lists are filtered by it: see
`metadata_filters`.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.core.money import plain_number

MAX_KEYS: Final = 50
MAX_KEY_LENGTH: Final = 40
MAX_VALUE_LENGTH: Final = 500
MAX_DIGITS: Final = 15

_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_VALUE_SCHEMA: Final = {
    "anyOf": [{"type": "string", "maxLength": MAX_VALUE_LENGTH}, {"type": "number"}, {"type": "boolean"}]
}


def _check_value(value: Any) -> Any:
    if isinstance(value, (bool, str)):
        if isinstance(value, str) and len(value) > MAX_VALUE_LENGTH:
            raise PydanticCustomError("maxLength", f"must be shorter than or equal to {MAX_VALUE_LENGTH} characters")
        return value
    if isinstance(value, (int, Decimal)):
        if not _fits(Decimal(value)):
            raise PydanticCustomError("maxDigits", f"must have at most {MAX_DIGITS} significant digits")
        return plain_number(Decimal(value))
    raise PydanticCustomError("isMetadataValue", "must be a string, a number or a boolean value")


def _fits(value: Decimal) -> bool:
    if not value.is_finite() or abs(value.adjusted()) > MAX_DIGITS:
        return False
    return len("".join(map(str, value.as_tuple().digits)).rstrip("0")) <= MAX_DIGITS


_Key = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY_LENGTH, pattern=r"^[^\[\]]+$")]
_Value = Annotated[Any, BeforeValidator(_check_value), WithJsonSchema(_VALUE_SCHEMA)]

#: Metadata in a request.
Metadata = Annotated[
    dict[_Key, _Value],
    Field(
        max_length=MAX_KEYS,
        description="Your own keys: strings, numbers and booleans. At most 50 keys of up to 40 characters (no square "
        "brackets), strings of up to 500 characters, numbers of up to 15 significant digits.",
        examples=[{"crmId": "A-17"}],
    ),
]


def _write_value(value: Any) -> Any:
    return plain_number(value) if isinstance(value, Decimal) else value


#: Metadata in an answer.
MetadataOut = Annotated[
    dict[str, Annotated[Any, PlainSerializer(_write_value), WithJsonSchema(_VALUE_SCHEMA)]],
    Field(description="Your own keys", examples=[{"crmId": "A-17"}]),
]


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two objects' metadata are the same JSON: to Python, 1 equals true."""
    return one == other and all((type(value) is bool) == (type(other[key]) is bool) for key, value in one.items())


def matching_objects(key: str, text: str) -> list[dict[str, Any]]:
    """The objects of which a `jsonb` must contain one (`@>`) to match `metadata[key]=text`."""
    candidates: list[dict[str, Any]] = [{key: text}]
    if text in {"true", "false"}:
        candidates.append({key: text == "true"})
    elif _NUMBER.fullmatch(text) and _fits(Decimal(text)):
        candidates.append({key: plain_number(Decimal(text))})
    return candidates
