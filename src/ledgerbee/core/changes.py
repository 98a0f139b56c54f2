"""Fields of dataclasses by their names: all of an object, and those that a caller wants changed."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Generic, TypeVar

F = TypeVar("F")
Row = TypeVar("Row")


#: Names of fields by class: `dataclasses.fields` looks them up anew each time.
_NAMES: Final[dict[type[Any], tuple[str, ...]]] = {}


def names_of(kind: type[Any]) -> tuple[str, ...]:
    """The names of a dataclass's fields, in their order."""
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(field.name for field in fields(kind))
    return names


def fields_of(given: Any) -> dict[str, Any]:
    """The fields of a dataclass's object by name, as they are: `dataclasses.asdict` copies all within them."""
    return {name: getattr(given, name) for name in names_of(type(given))}


@dataclass(frozen=True, slots=True)
class Changes(Generic[F]):
    """New values for some of the fields of a dataclass `F`, by name; the fields that aren't there stay as they are.

    Made where a request comes in, by a function that knows which fields there are (`http.wire.changes_to`).
    """

    fields: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def __bool__(self) -> bool:
        return bool(self.fields)

    def applied_to(self, before: Row, **others: Any) -> Row:
        """`before` (an `F`) with the changes, and with `others`, which follow from them."""
        return replace(before, **{**self.fields, **others})  # type: ignore[type-var]
