"""The fonts of the printed documents that are shipped, and what is known of them (`font_table.json`)."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import typst

from ledgerbee.sales.rendering.metrics import Face, FontMetrics

SHIPPED: Final = Path(__file__).parent / "fonts"
#: Written by `font_table`. Reading the files themselves would load fontTools, which takes a third of a second.
TABLE: Final = SHIPPED / "font_table.json"
SUFFIXES: Final = frozenset({".ttf", ".otf", ".ttc", ".otc"})


class FontFile(msgspec.Struct, frozen=True):
    """A shipped file by its content's SHA-256, and the face that is read of it; a bolder face has no measures.

    `advances` and `tabular` are those of a `Face` the other way round: characters by their advance.
    """

    sha256: str
    family: str
    advances: dict[int, str] = msgspec.field(default_factory=dict)
    tabular: dict[int, str] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FontSet:
    """Fonts as Typst takes them and what they cover. `links` is a folder to keep as long as they are used."""

    metrics: FontMetrics
    fonts: typst.Fonts
    links: "TemporaryDirectory[str] | None" = None

    def close(self) -> None:
        """Remove the folder of links; the fonts can't be used any more."""
        if self.links is not None:
            self.links.cleanup()


def shipped_fonts() -> FontSet:
    """The fonts of the package. Raises `ValueError` where a file is another one than the table's."""
    return FontSet(FontMetrics(shipped_faces()), typst_fonts(SHIPPED))


def shipped_faces() -> list[Face]:
    """A face for each shipped family. Raises `ValueError` where a file is another one than the table's."""
    table = msgspec.json.decode(TABLE.read_bytes(), type=dict[str, FontFile])
    files = [file for file in SHIPPED.iterdir() if file.suffix in SUFFIXES]
    if {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files} != {
        name: one.sha256 for name, one in table.items()
    }:
        raise ValueError(f"{TABLE.name} is of other fonts: write it anew, see {SHIPPED / 'README.md'}")
    return [
        Face(one.family, _by_character(one.advances), _by_character(one.tabular))
        for one in table.values()
        if one.advances
    ]


def typst_fonts(*folders: Path) -> typst.Fonts:
    """The fonts of the folders, and no others."""
    paths = [str(folder) for folder in folders]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=paths)


def _by_character(characters: dict[int, str]) -> dict[str, int]:
    return {character: advance for advance, some in characters.items() for character in some}
