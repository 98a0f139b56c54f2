"""What the fonts can draw and how wide it gets, read from the `cmap` and `hmtx` tables of their files.

An archivable PDF must not contain a character without a glyph, so what no font covers has to be known before a page
is set. And a table whose column widths and row heights are known beforehand is set in half the time. Understands the
two character maps that matter: format 4 (basic plane) and format 12 (all planes).
"""

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, lt
from struct import error as StructError  # noqa: N812 - a class with a lower-case name
from struct import unpack_from
from typing import Final

#: Advances are whole parts of an em, widths and sizes whole thousandths of a point (9 pt = 9000).
EM: Final = 10_000

#: Advances that differ in tabular setting (Inter's `tnum` feature).
_TABULAR: Final = (
    dict.fromkeys("0123456789+-−×÷=<>~*±≈≠≤≥", 6484)
    | dict.fromkeys("()[]{}", 3906)
    | dict.fromkeys(",.:; \u00a0\u2008", 2686)
)
#: For what has no width of its own in the files.
_UNKNOWN: Final = 11_000
#: A font has at most as many glyphs, and no more ranges of characters than that.
_MOST_RANGES: Final = 0xFFFF
#: `fsType` of a font whose maker forbids to embed it (OpenType, table OS/2); no PDF/A may use it.
_RESTRICTED: Final = 2


@dataclass(frozen=True, slots=True)
class Face:
    """One font: its family, and its characters as ranges of code points.

    The n-th range is from `firsts[n]` to `lasts[n]` and has the glyphs from `glyphs[n]` on; glyph g advances by
    `advances[g]` (the last for all beyond) parts of `units` of an em.
    """

    family: str
    firsts: Sequence[int]
    lasts: Sequence[int]
    glyphs: Sequence[int]
    advances: Sequence[int]
    units: int

    def advance(self, character: str) -> int | None:
        """How wide the character is, in parts of an em; None when the font has no glyph for it."""
        code = ord(character)
        at = bisect_right(self.firsts, code) - 1
        if at < 0 or code > self.lasts[at]:
            return None
        glyph = self.glyphs[at] + code - self.firsts[at]
        return self.advances[min(glyph, len(self.advances) - 1)] * EM // self.units

    def covers(self, characters: Sequence[str]) -> bool:
        """True when it has glyphs for all of the characters."""
        return all(self.advance(character) is not None for character in characters)

    def characters(self) -> Iterator[str]:
        """All that it has a glyph for."""
        for first, last in zip(self.firsts, self.lasts, strict=True):
            yield from map(chr, range(first, last + 1))


class _Advances(dict[str, int]):
    """Advances by character, looked up in the fonts once they are asked for."""

    def __init__(self, known: Mapping[str, int], faces: Sequence[Face]) -> None:
        super().__init__(known)
        self._faces = faces

    def __missing__(self, character: str) -> int:
        found = (face.advance(character) for face in self._faces)
        self[character] = next((advance for advance in found if advance is not None), _UNKNOWN)
        return self[character]


class FontMetrics:
    """The widths of all characters that the `shipped` fonts cover, and `others` beside them.

    The first font with a glyph counts.
    """

    def __init__(self, shipped: Sequence[Face], others: Sequence[Face] = ()) -> None:
        known: dict[str, int] = {}
        for face in reversed(shipped):
            known |= {character: face.advance(character) or 0 for character in face.characters()}
        self._shipped, self._others = shipped, others
        self._covered = frozenset(known)
        self._advances = _Advances(known, others)
        self._tabular = _Advances(known | _TABULAR, others)

    def covers(self, character: str) -> bool:
        """True when a font has a glyph for the character."""
        return character in self._covered or any(face.covers(character) for face in self._others)

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


def read_face(family: str, font: bytes, index: int = 0) -> Face:
    """A font of a file, the `index`-th of a collection.

    Raises `ValueError` for what is no TrueType or OpenType font that can be read and embedded.
    """
    try:
        return _face(family, _Tables(font, index))
    except (LookupError, ArithmeticError, StructError) as error:
        raise ValueError("it is no readable font") from error


class _Tables:
    """The tables of one font in a file. Raises `LookupError` and `StructError` for a file that is damaged."""

    def __init__(self, content: bytes, index: int) -> None:
        start = unpack_from(">I", content, 12 + 4 * index)[0] if content[:4] == b"ttcf" else 0
        self.content = content
        (count,) = unpack_from(">H", content, start + 4)
        entries = (unpack_from(">4sIII", content, start + 12 + number * 16) for number in range(count))
        self._offsets = {name: offset for name, _, offset, _ in entries}

    def __contains__(self, tag: bytes) -> bool:
        return tag in self._offsets

    def read(self, tag: bytes, form: str, at: int = 0) -> tuple[int, ...]:
        """Numbers of a table, from its byte `at` on."""
        return unpack_from(form, self.content, self._offsets[tag] + at)

    def array(self, tag: bytes, kind: str, count: int, at: int = 0) -> "array[int]":
        """Many numbers of a table: `kind` H of 16 bits, I of 32."""
        numbers = array(kind)
        start = self._offsets[tag] + at
        numbers.frombytes(self.content[start : start + count * numbers.itemsize])
        if len(numbers) != count:
            raise LookupError("the table ends early")
        if sys.byteorder == "little":
            numbers.byteswap()
        return numbers


def _face(family: str, tables: _Tables) -> Face:
    if b"OS/2" in tables and tables.read(b"OS/2", ">H", 8)[0] & 0xF == _RESTRICTED:
        raise ValueError("its maker forbids to embed it")
    (units,) = tables.read(b"head", ">H", 18)
    (measured,) = tables.read(b"hhea", ">H", 34)
    (count,) = tables.read(b"maxp", ">H", 4)
    if not units or not measured:
        raise ValueError("it has no measures")
    firsts, lasts, glyphs = _ranges(tables)
    ends = (glyph + last - first for first, last, glyph in zip(firsts, lasts, glyphs, strict=True))
    # Ranges that overlap or run into one another would be gone through for hours, here and by Typst.
    if any(map(lt, lasts, firsts)) or any(map(ge, lasts, firsts[1:])) or any(end >= count for end in ends):
        raise ValueError("its character map is damaged")
    return Face(family, firsts, lasts, glyphs, tables.array(b"hmtx", "H", 2 * measured)[::2], units)


def _ranges(tables: _Tables) -> "tuple[array[int], array[int], array[int]]":
    """First and last code points of ranges and the glyphs they start with, in order, from the font's largest map."""
    (count,) = tables.read(b"cmap", ">H", 2)
    maps = [tables.read(b"cmap", ">HHI", 4 + index * 8) for index in range(min(count, _MOST_RANGES))]
    # Platforms 0 (Unicode) and 3 (Windows), of the latter the encodings 1 and 10; others are no Unicode.
    offsets = {at for platform, encoding, at in maps if platform == 0 or (platform == 3 and encoding in (1, 10))}
    by_form = {tables.read(b"cmap", ">H", at)[0]: at for at in sorted(offsets)}
    if 12 in by_form:
        return _format_12(tables, by_form[12])
    if 4 in by_form:
        return _format_4(tables, by_form[4])
    raise ValueError("it has no character map that is known here")


def _format_12(tables: _Tables, at: int) -> "tuple[array[int], array[int], array[int]]":
    (count,) = tables.read(b"cmap", ">I", at + 12)
    if count > _MOST_RANGES:
        raise ValueError("its character map is too large")
    groups = tables.array(b"cmap", "I", 3 * count, at + 16)
    firsts, lasts, glyphs = groups[::3], groups[1::3], groups[2::3]
    if lasts and lasts[-1] > 0x10FFFF:
        raise ValueError("its character map is damaged")
    return firsts, lasts, glyphs


def _format_4(tables: _Tables, at: int) -> "tuple[array[int], array[int], array[int]]":
    segments = tables.read(b"cmap", ">H", at + 6)[0] // 2
    ends = tables.array(b"cmap", "H", segments, at + 14)
    starts = tables.array(b"cmap", "H", segments, at + 16 + 2 * segments)
    deltas = tables.array(b"cmap", "H", segments, at + 16 + 4 * segments)
    offsets_at = at + 16 + 6 * segments
    offsets = tables.array(b"cmap", "H", segments, offsets_at)
    if any(map(lt, ends, starts)) or any(map(ge, ends, starts[1:])):
        raise ValueError("its character map is damaged")
    firsts, lasts, glyphs = array("I"), array("I"), array("I")
    for index, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offsets[index]:
                (glyph,) = tables.read(b"cmap", ">H", offsets_at + 2 * index + offsets[index] + 2 * (code - first))
            glyph = (glyph + deltas[index]) & 0xFFFF if glyph else 0
            if glyph and lasts and lasts[-1] == code - 1 and glyphs[-1] + code - firsts[-1] == glyph:
                lasts[-1] = code
            elif glyph:
                firsts.append(code)
                lasts.append(code)
                glyphs.append(glyph)
    return firsts, lasts, glyphs
