"""Font files for tests: a shipped one whose glyphs are given to other characters, whole or damaged."""

import struct
from collections.abc import Sequence
from pathlib import Path

from ledgerbee.sales.rendering.fonts import SHIPPED

#: Any glyphs will do, from this one on: what counts is which characters there are.
_GLYPH = 20
_FAMILY = "Noto Sans Hebrew"


def font_of(characters: str, family: str = "Test Sans Script", fs_type: int = 0) -> bytes:
    """A TrueType font that has `characters` only. `family` has as many letters as the font it is made of."""
    assert len(family) == len(_FAMILY)
    tables = _tables((SHIPPED / "NotoSansHebrew-Regular.ttf").read_bytes())
    tables[b"cmap"] = _character_map([(ord(character), ord(character)) for character in sorted(set(characters))])
    tables[b"name"] = tables[b"name"].replace(_FAMILY.encode("utf-16-be"), family.encode("utf-16-be"))
    tables[b"OS/2"] = tables[b"OS/2"][:8] + struct.pack(">H", fs_type) + tables[b"OS/2"][10:]
    return _file(tables)


def font_with_ranges(ranges: Sequence[tuple[int, int]]) -> bytes:
    """A font whose character map claims ranges of code points, sensible or not."""
    tables = _tables((SHIPPED / "NotoSansHebrew-Regular.ttf").read_bytes())
    return _file(tables | {b"cmap": _character_map(ranges)})


def collection(*fonts: bytes) -> bytes:
    """A TrueType collection of fonts."""
    start = 12 + 4 * len(fonts)
    offsets, bodies = [], b""
    for font in fonts:
        offsets.append(start + len(bodies))
        bodies += _file(_tables(font), offsets[-1])
    return b"ttcf" + struct.pack(f">II{len(fonts)}I", 0x10000, len(fonts), *offsets) + bodies


def write_font(folder: Path, name: str, characters: str, family: str = "Test Sans Script") -> Path:
    """A font file that has `characters` only."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(font_of(characters, family))
    return file


def _tables(font: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">H", font, 4)
    entries = [struct.unpack_from(">4sIII", font, 12 + number * 16) for number in range(count)]
    return {name: font[offset : offset + length] for name, _, offset, length in entries}


def _file(tables: dict[bytes, bytes], start: int = 0) -> bytes:
    directory = struct.pack(">IHHHH", 0x10000, len(tables), 0, 0, 0)
    offset = start + 12 + 16 * len(tables)
    body = b""
    for name, content in sorted(tables.items()):
        directory += struct.pack(">4sIII", name, 0, offset + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    return directory + body


def _character_map(ranges: Sequence[tuple[int, int]]) -> bytes:
    groups = b"".join(
        struct.pack(">III", first, last, _GLYPH + number % 20) for number, (first, last) in enumerate(ranges)
    )
    table = struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(ranges)) + groups
    return struct.pack(">HHHHI", 0, 1, 3, 10, 12) + table
