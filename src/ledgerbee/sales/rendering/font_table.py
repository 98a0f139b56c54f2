"""Writes `font_table.json`, what is known of the shipped fonts. To run where one of their files was exchanged:

python -m ledgerbee.sales.rendering.font_table
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from ledgerbee.sales.rendering.font_reader import read_face
from ledgerbee.sales.rendering.fonts import SHIPPED, TABLE, FontFile, typst_fonts

#: The weight of a family whose measures are taken.
_REGULAR: Final = 400


def font_table() -> bytes:
    """The table of the files as they are."""
    infos = sorted(typst_fonts(SHIPPED).fonts(), key=lambda info: str(info.path))
    table = {Path(str(info.path)).name: _font_file(Path(str(info.path)), info.family, info.weight) for info in infos}
    return json.dumps(msgspec.to_builtins(table, str_keys=True), indent=1).encode() + b"\n"  # ASCII alone


def _font_file(file: Path, family: str, weight: int) -> FontFile:
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if weight != _REGULAR:
        return FontFile(sha256, family)
    face = read_face(family, content, with_tabular=True)
    return FontFile(sha256, family, _by_advance(face.advances), _by_advance(face.tabular))


def _by_advance(advances: Mapping[str, int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for character, advance in sorted(advances.items()):
        found[advance] = found.get(advance, "") + character
    return dict(sorted(found.items()))


if __name__ == "__main__":
    TABLE.write_bytes(font_table())
