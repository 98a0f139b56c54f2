"""Texts of a body that can't be kept: PostgreSQL has no NUL, and UTF-8 no unpaired surrogates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledgerbee.core.errors import invalid, property_path, shortened

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
#: The constraint's name, and what it says after the property's name.
RULE: Final = ("isText", "must not contain NUL or unpaired surrogate characters")


@dataclass(frozen=True, slots=True)
class Unstorable:
    """Stands in a decoded body for a text that can't be kept. No field takes it, so it is refused where it stands.

    `is_name` says that the name of the field is such a text, not its value.
    """

    is_name: bool = False


def is_about_text(error: Mapping[str, Any]) -> bool:
    """Whether a finding of Pydantic's is about a text that can't be kept: the value itself, or an unknown name."""
    value = error.get("input")
    return isinstance(value, Unstorable) and (value.is_name or error["type"] != "extra_forbidden")


def marked(value: Any) -> Any:
    """A decoded body with an `Unstorable` for each text that can't be kept; names show what they have instead."""
    if isinstance(value, str):
        return Unstorable() if _UNSTORABLE.search(value) else value
    if isinstance(value, dict):
        return dict(_field(name, item) for name, item in value.items())
    if isinstance(value, list):
        return [marked(item) for item in value]
    return value


def _field(name: str, value: Any) -> tuple[str, Any]:
    if _UNSTORABLE.search(name):
        return _UNSTORABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", name), Unstorable(is_name=True)
    return name, marked(value)


def check_text(value: Any, path: str = "") -> None:
    """Raises the validation error of the first text in a decoded body that can't be kept."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise invalid((path, RULE[0], f"{path or 'body'} {RULE[1]}"))
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key, path)
            check_text(item, _below(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_text(item, _below(path, str(index)))


def _below(path: str, name: str) -> str:
    """The path of a field or an item; cut as in the refusal, so that deep ones below long names cost little."""
    return shortened(property_path(path, name))
