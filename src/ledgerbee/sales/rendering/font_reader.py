"""Reading font files with fontTools: which characters a font has, and how far they advance.

Loading fontTools takes a third of a second: what every process needs to know stands in `font_table.json`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Final

from fontTools.ttLib import TTFont

from ledgerbee.sales.rendering.metrics import EM, Face

#: `fsType` of a font whose maker forbids to embed it (OpenType, table OS/2); no PDF/A may use it.
_RESTRICTED: Final = 2
#: The kind of lookup that exchanges single glyphs (OpenType, table GSUB).
_SINGLE_SUBSTITUTION: Final = 1


class UnusableFontError(ValueError):
    """A file is no font that can be read and embedded."""


def count_fonts(content: bytes) -> int:
    """How many fonts a file has: more than one in a collection. Raises `UnusableFontError`."""
    with _opened(content, 0) as font:
        return getattr(font.reader, "numFonts", 1)


def read_face(family: str, content: bytes, index: int = 0, *, with_tabular: bool = False) -> Face:
    """A font of a file, the `index`-th of a collection; `with_tabular` with its tabular figures too.

    Raises `UnusableFontError` for what is no TrueType or OpenType font that can be read and embedded.
    """
    with _opened(content, index) as font:
        if "OS/2" in font and font["OS/2"].fsType & 0xF == _RESTRICTED:
            raise UnusableFontError("its maker forbids to embed it")
        # Glyphs by number: their names stand in tables that may be large, and are of no use here.
        font.setGlyphOrder([f"glyph{number:05d}" for number in range(font["maxp"].numGlyphs)])
        units = font["head"].unitsPerEm
        advances = {glyph: (advance * EM + units // 2) // units for glyph, (advance, _) in font["hmtx"].metrics.items()}
        glyphs = font.getBestCmap()
        if not glyphs:
            raise UnusableFontError("it has no characters that are known here")
        tabular = _tabular_glyphs(font) if with_tabular else {}
        return Face(
            family,
            {chr(code): advances[glyph] for code, glyph in glyphs.items()},
            {chr(code): advances[tabular[glyph]] for code, glyph in glyphs.items() if glyph in tabular},
        )


@contextmanager
def _opened(content: bytes, index: int) -> Iterator[Any]:
    """The tables of a font. Whatever fontTools raises for a damaged file is an `UnusableFontError`."""
    try:
        with TTFont(BytesIO(content), fontNumber=index, lazy=True) as font:
            yield font
    except (UnusableFontError, MemoryError):
        raise
    except Exception as fault:
        raise UnusableFontError("it is no readable font") from fault


def _tabular_glyphs(font: Any) -> Mapping[str, str]:
    """The glyphs that take the place of others where figures are tabular."""
    if "GSUB" not in font:
        return {}
    substitutions = font["GSUB"].table
    features = [one.Feature for one in substitutions.FeatureList.FeatureRecord if one.FeatureTag == "tnum"]
    found: dict[str, str] = {}
    for number in sorted({number for feature in features for number in feature.LookupListIndex}):
        for subtable in substitutions.LookupList.Lookup[number].SubTable:
            extended = getattr(subtable, "ExtSubTable", subtable)
            if extended.LookupType == _SINGLE_SUBSTITUTION:
                found |= extended.mapping
    return found
