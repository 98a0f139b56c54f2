"""Changes of an object: the fields that a caller named, and no others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ledgerbee.core.fields import replace

F = TypeVar("F")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Changes(Generic[F]):
    """New values for some of the fields of a class `F`, by name; the fields that aren't there stay as they are.

    Made where a request comes in, by a function that knows which fields there are (`http.wire.changes_to`).
    """

    fields: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def __bool__(self) -> bool:
        return bool(self.fields)

    def applied_to(self, before: Row, **others: Any) -> Row:
        """`before` (an `F`) with the changes, and with `others`, which follow from them."""
        return replace(before, **{**self.fields, **others})
