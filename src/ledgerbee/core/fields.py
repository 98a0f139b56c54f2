"""The fields of dataclasses, by name."""

from dataclasses import fields
from typing import Any, Final

#: Names of fields by class: `dataclasses.fields` looks them up anew each time.
_NAMES: Final[dict[type[Any], tuple[str, ...]]] = {}


def names_of(kind: type[Any]) -> tuple[str, ...]:
    """The names of a dataclass's fields, in their order."""
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(field.name for field in fields(kind))
    return names


def fields_of(given: Any, kind: type[Any] | None = None) -> dict[str, Any]:
    """The fields of a dataclass's object by name, or those that the dataclass `kind` has (of any object with them).

    As they are: `dataclasses.asdict` copies all within them.
    """
    return {name: getattr(given, name) for name in names_of(kind or type(given))}


def wire_name(field: str) -> str:
    """A field's name as the wire has it: `unit_amount` -> `unitAmount`."""
    head, *rest = field.split("_")
    return head + "".join(word.capitalize() for word in rest)
