"""What the fonts can draw and how wide it gets.

An archivable PDF must not contain a character without a glyph, so what no font covers has to be known before a page
is set. And a table whose column widths and row heights are known beforehand is set in half the time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

#: Advances are whole parts of an em, widths and sizes whole thousandths of a point (9 pt = 9000).
EM: Final = 10_000
#: For what has no width of its own in the files.
_UNKNOWN: Final = 11_000


@dataclass(frozen=True, slots=True)
class Face:
    """One font: its family, and how far each of its characters advances, in parts of an em.

    `tabular` has the characters whose advance is another one where figures are tabular (the OpenType feature `tnum`).
    """

    family: str
    advances: Mapping[str, int]
    tabular: Mapping[str, int] = field(default_factory=dict)

    def covers(self, characters: Sequence[str]) -> bool:
        """True when it has glyphs for all of the characters."""
        return all(character in self.advances for character in characters)


class _Advances(dict[str, int]):
    """Advances by character, looked up in the fonts once they are asked for."""

    def __init__(self, known: Mapping[str, int], faces: Sequence[Face]) -> None:
        super().__init__(known)
        self._faces = faces

    def __missing__(self, character: str) -> int:
        found = (face.advances[character] for face in self._faces if character in face.advances)
        self[character] = next(found, _UNKNOWN)
        return self[character]


class FontMetrics:
    """The widths of all characters that the `shipped` fonts cover, and `others` beside them.

    The first font with a glyph counts.
    """

    def __init__(self, shipped: Sequence[Face], others: Sequence[Face] = ()) -> None:
        known: dict[str, int] = {}
        tabular: dict[str, int] = {}
        for face in reversed(shipped):
            known |= face.advances
            tabular |= {**face.advances, **face.tabular}
        self._shipped, self._others = shipped, others
        self._advances = _Advances(known, others)
        self._tabular = _Advances(tabular, others)

    def covers(self, character: str) -> bool:
        """True when a font has a glyph for the character."""
        return any(face.covers(character) for face in (*self._shipped, *self._others))

    def covers_together(self, characters: Sequence[str]) -> bool:
        """True when one font has glyphs for all the characters, as a letter and its marks need."""
        return any(face.covers(characters) for face in (*self._shipped, *self._others))

    def family_beyond(self, characters: Sequence[str]) -> str | None:
        """The family that has all the characters when no shipped font does."""
        if any(face.covers(characters) for face in self._shipped):
            return None
        return next((face.family for face in self._others if face.covers(characters)), None)

    def width(self, text: str, size: int) -> int:
        """The width of one line of `text` set in `size`, without kerning (which changes it by little)."""
        return _width(self._advances, text, size)

    def tabular_width(self, text: str, size: int) -> int:
        """The exact width of one line of `text` set in `size` with tabular figures and kerning off."""
        return _width(self._tabular, text, size)


def _width(advances: _Advances, text: str, size: int) -> int:
    return sum(map(advances.__getitem__, text)) * size // EM
