"""Which characters of a document the fonts can't show, and where they stand: what is refused before it is booked."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from ledgerbee.core.fields import names_of, wire_name
from ledgerbee.sales.rendering.metrics import FontMetrics
from ledgerbee.sales.rendering.model import PrintableDocument
from ledgerbee.sales.rendering.text import fonts_beyond, has_marks, is_plain, unprintable

#: Characters and fields that are named of a document; the rest is more of the same.
_MOST_CHARACTERS: Final = 50
_MOST_FIELDS: Final = 10


@dataclass(frozen=True, slots=True)
class Hidden:
    """A character without a glyph and the fields of the document it stands in (`lines.0.description`)."""

    character: str
    fields: tuple[str, ...]

    @property
    def code_point(self) -> str:
        """`U+4E2D`."""
        return f"U+{ord(self.character):04X}"

    @property
    def name(self) -> str:
        """The character's name in Unicode, empty for what has none."""
        return unicodedata.name(self.character, "")


class UnprintableTextError(ValueError):
    """No available font shows all of a document; `hidden` says which characters, and where they stand."""

    def __init__(self, message: str, hidden: list[Hidden]) -> None:
        super().__init__(message)
        self.hidden = hidden


def hidden_characters(document: PrintableDocument, metrics: FontMetrics) -> list[Hidden]:
    """The characters of a document that no font shows, in order of their first appearance."""
    found: dict[str, list[str]] = {}
    for field, text in special_texts(document):
        for character in unprintable(text, metrics):
            found.setdefault(character, []).append(field)
    return [
        Hidden(character, tuple(places[:_MOST_FIELDS])) for character, places in list(found.items())[:_MOST_CHARACTERS]
    ]


def special_texts(document: PrintableDocument) -> list[tuple[str, str]]:
    """The texts of a document, by field, that hold more than every document can show."""
    return [(field, text) for field, text in _texts("", document) if not is_plain(text)]


def needs_trial(document: PrintableDocument) -> bool:
    """True when a font has to put signs of the document together: only setting them shows whether it can."""
    return any(has_marks(text) for _, text in special_texts(document))


def families_beyond(document: PrintableDocument, metrics: FontMetrics) -> list[str]:
    """The families that a document needs besides the shipped ones, in a stable order."""
    return sorted({family for _, text in special_texts(document) for family in fonts_beyond(text, metrics)})


def _texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _texts(f"{name}.{index}", item)
    elif hasattr(value, "__dataclass_fields__"):
        for attribute, written in _fields(value.__class__):
            yield from _texts(f"{name}.{written}" if name else written, getattr(value, attribute))


@cache
def _fields(of: Any) -> list[tuple[str, str]]:
    """The attributes of a dataclass and how they are called on the wire."""
    return [(name, wire_name(name)) for name in names_of(of)]
