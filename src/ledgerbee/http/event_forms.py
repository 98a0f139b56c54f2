"""The wire form of an object, for the events that tell of it.

A resource's form stands with its operations, in `http.py`, which imports the actions: these can't import it. They name
the kind of object instead, and the module beside the kind's own that writes its form is loaded when the first event of
that kind is told.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol, TypeVar

_F = TypeVar("_F", bound="Callable[..., _Form]")


class _Form(Protocol):
    def model_dump(self, *, mode: str, exclude_unset: bool) -> dict[str, Any]: ...


_FORMS: dict[type, Callable[..., _Form]] = {}


def form_of(kind: type) -> Callable[[_F], _F]:
    """Marks the function that writes the wire form of objects of a kind; its module is the `http` beside the kind's."""

    def mark(write: _F) -> _F:
        _FORMS[kind] = write
        return write

    return mark


def told(kind: type, *arguments: Any) -> dict[str, Any]:
    """The wire form as JSON values of the object that `arguments` give: those of the kind's own function."""
    if kind not in _FORMS:
        import_module(f"{kind.__module__.rpartition('.')[0]}.http")
    return _FORMS[kind](*arguments).model_dump(mode="json", exclude_unset=True)
