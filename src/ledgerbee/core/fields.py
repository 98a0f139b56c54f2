"""The fields of dataclasses and of msgspec's structs, by name.

What is made by the thousand (rows of documents, of subscriptions) is a struct: it is made and copied in a tenth of the
time.
"""

import dataclasses
from typing import Any, Final, TypeVar

from msgspec import Struct, structs

T = TypeVar("T")

#: Names of fields by class: `dataclasses.fields` looks them up anew each time.
_NAMES: Final[dict[type[Any], tuple[str, ...]]] = {}


def names_of(kind: type[Any]) -> tuple[str, ...]:
    """The names of a class's fields, in their order."""
    if issubclass(kind, Struct):
        return kind.__struct_fields__
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(field.name for field in dataclasses.fields(kind))
    return names


def replace(before: T, /, **changes: Any) -> T:
    """A copy with some fields changed."""
    if isinstance(before, Struct):
        return structs.replace(before, **changes)
    return dataclasses.replace(before, **changes)  # type: ignore[type-var]


def fields_of(given: Any, kind: type[Any] | None = None) -> dict[str, Any]:
    """The fields of an object by name, or those that the class `kind` has (of any object with them).

    As they are: `dataclasses.asdict` copies all within them.
    """
    return {name: getattr(given, name) for name in names_of(kind or type(given))}


def wire_name(field: str) -> str:
    """A field's name as the wire has it: `unit_amount` -> `unitAmount`."""
    head, *rest = field.split("_")
    return head + "".join(word.capitalize() for word in rest)
