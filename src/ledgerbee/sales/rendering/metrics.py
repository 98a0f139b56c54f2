"""What the fonts can draw and how wide it gets, read from the `cmap` and `hmtx` tables of their files.

An archivable PDF must not contain a character without a glyph, so what no font covers is replaced before a page is
set. And a table whose column widths and row heights are known beforehand is set in half the time. Understands the
two character maps that matter: format 4 (basic plane) and format 12 (all planes).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
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


class FontMetrics:
    """The widths of all characters that a list of font files covers; the first file with a glyph counts."""

    def __init__(self, fonts: Sequence[Path]) -> None:
        """Raises `ValueError` for a file that is no TrueType or OpenType font."""
        advances: dict[str, int] = {}
        self._fonts: list[Mapping[str, int]] = []
        for font in fonts:
            try:
                self._fonts.append(dict(_advances(font.read_bytes())))
            except (LookupError, ArithmeticError, ValueError, StructError) as error:
                raise ValueError(f"{font.name} is no readable font") from error
        for covered in reversed(self._fonts):
            advances |= covered
        self._advances: Mapping[str, int] = advances
        self._tabular: Mapping[str, int] = advances | _TABULAR

    def covers(self, character: str) -> bool:
        """True when a font has a glyph for the character."""
        return character in self._advances

    def covers_together(self, characters: str) -> bool:
        """True when one font has glyphs for all the characters, as a letter and its marks need."""
        return any(all(character in font for character in characters) for font in self._fonts)

    def width(self, text: str, size: int) -> int:
        """The width of one line of `text` set in `size`, without kerning (which changes it by little)."""
        return _width(self._advances, text, size)

    def tabular_width(self, text: str, size: int) -> int:
        """The exact width of one line of `text` set in `size` with tabular figures and kerning off."""
        return _width(self._tabular, text, size)


def _width(advances: Mapping[str, int], text: str, size: int) -> int:
    advance = advances.get
    return sum([advance(character, _UNKNOWN) for character in text]) * size // EM


def font_files(folder: Path) -> list[Path]:
    """The TrueType and OpenType files of a folder, in a stable order."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in {".ttf", ".otf"})


def _advances(font: bytes) -> Iterator[tuple[str, int]]:
    """Characters and their advance in parts of an em."""
    (units,) = unpack_from(">H", font, _table(font, b"head") + 18)
    (measured,) = unpack_from(">H", font, _table(font, b"hhea") + 34)
    widths = unpack_from(">" + "Hh" * measured, font, _table(font, b"hmtx"))[::2]
    for code, glyph in _glyphs(font):
        yield chr(code), widths[min(glyph, measured - 1)] * EM // units


def _table(font: bytes, tag: bytes) -> int:
    (count,) = unpack_from(">H", font, 4)
    for index in range(count):
        name, _, offset, _ = unpack_from(">4sIII", font, 12 + index * 16)
        if name == tag:
            return int(offset)
    raise LookupError(f"no table {tag!r}")


def _glyphs(font: bytes) -> Iterator[tuple[int, int]]:
    """Code points and their glyph, from every character map of the font."""
    start = _table(font, b"cmap")
    (count,) = unpack_from(">H", font, start + 2)
    offsets = {unpack_from(">I", font, start + 8 + index * 8)[0] for index in range(count)}
    for at in sorted(start + offset for offset in offsets):
        (form,) = unpack_from(">H", font, at)
        if form == 4:
            yield from _format_4(font, at)
        elif form == 12:
            yield from _format_12(font, at)


def _format_4(font: bytes, at: int) -> Iterator[tuple[int, int]]:
    segments = unpack_from(">H", font, at + 6)[0] // 2
    ends = unpack_from(f">{segments}H", font, at + 14)
    starts = unpack_from(f">{segments}H", font, at + 16 + 2 * segments)
    deltas = unpack_from(f">{segments}H", font, at + 16 + 4 * segments)
    offsets_at = at + 16 + 6 * segments
    offsets = unpack_from(f">{segments}H", font, offsets_at)
    for index, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offsets[index]:
                (glyph,) = unpack_from(">H", font, offsets_at + 2 * index + offsets[index] + 2 * (code - first))
            if glyph and (glyph + deltas[index]) & 0xFFFF:
                yield code, (glyph + deltas[index]) & 0xFFFF


def _format_12(font: bytes, at: int) -> Iterator[tuple[int, int]]:
    (groups,) = unpack_from(">I", font, at + 12)
    for index in range(groups):
        first, last, glyph = unpack_from(">III", font, at + 16 + index * 12)
        for code in range(first, min(last, 0x10FFFF) + 1):
            yield code, glyph + code - first
