"""The fonts of a folder that the operator names, beside those shipped: for characters that these lack.

Loaded when the first document needs it: fontTools takes a third of a second, and few installations have such a folder.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog
import typst

from ledgerbee.sales.rendering.font_reader import count_fonts, read_face
from ledgerbee.sales.rendering.fonts import SHIPPED, SUFFIXES, FontSet, shipped_faces, typst_fonts
from ledgerbee.sales.rendering.metrics import Face, FontMetrics

#: Bounds of an operator's folder. All of Noto is some 500 files, the largest (Chinese, Japanese, Korean) 30 MB.
MOST_FILES: Final = 2_000
MOST_BYTES: Final = 64 * 1024 * 1024
#: Fonts in one file (a collection).
MOST_FONTS: Final = 64
_REGULAR: Final = 400

log = structlog.get_logger("ledgerbee.printing")


def fonts_with(folder: Path) -> FontSet:
    """The shipped fonts and those in `folder` and below, in the order of their paths.

    What can't be used (damaged, over `MOST_BYTES`, not to be embedded, beyond `MOST_FILES`) is left out with a warning.
    Typst searches folders only, so it gets one with links to what is left.
    """
    links = TemporaryDirectory(prefix="ledgerbee-fonts-")
    files = [file.resolve() for file in _usable_files(folder)]
    for number, file in enumerate(files):
        (Path(links.name) / f"{number:04d}{file.suffix.lower()}").symlink_to(file)
    others = typst_fonts(Path(links.name))
    read = {_file_of(font) for font in others.fonts()}
    for file in files:
        if file not in read:
            _leave_out(file, ValueError("Typst reads no font in it"))
    metrics = FontMetrics(shipped_faces(), list(faces(others)))
    return FontSet(metrics, typst_fonts(SHIPPED, Path(links.name)), links)


def _file_of(font: typst.FontInfo) -> Path:
    return Path(font.path or "").resolve()


def faces(fonts: typst.Fonts) -> Iterator[Face]:
    """A face for each family, the regular one where it has one, in the order of their files."""
    regular: dict[str, typst.FontInfo] = {}
    for font in sorted(fonts.fonts(), key=_preference):
        regular.setdefault(font.family, font)
    for font in sorted(regular.values(), key=lambda font: (font.path or "", font.index)):
        file = _file_of(font)
        try:
            yield read_face(font.family, file.read_bytes(), font.index)
        except (OSError, ValueError) as fault:
            _leave_out(file, fault)


def _preference(font: typst.FontInfo) -> tuple[bool, int, str, int]:
    return font.style != "normal", abs(font.weight - _REGULAR), font.path or "", font.index


def _usable_files(folder: Path) -> Iterator[Path]:
    for number, file in enumerate(_font_files(folder)):
        if number == MOST_FILES:
            log.warning("fonts.left_out", folder=str(folder), reason=f"only the first {MOST_FILES} files are used")
            return
        try:
            _check(file)
        except (OSError, ValueError) as fault:
            _leave_out(file, fault)
        else:
            yield file


def _leave_out(file: Path, fault: Exception) -> None:
    log.warning("font.left_out", file=str(file), reason=str(fault))


def _font_files(folder: Path) -> list[Path]:
    """The font files of a folder and of those below it, in a stable order. What can't be listed is left out."""
    found = [Path(path) / name for path, _, names in os.walk(folder) for name in names]
    return sorted(file for file in found if file.suffix.lower() in SUFFIXES)


def _check(file: Path) -> None:
    """Raises `OSError` and `ValueError` for a file that can't be used."""
    if not file.is_file():  # a pipe would be read for ever
        raise ValueError("it is no file")
    if file.stat().st_size > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    content = file.read_bytes()
    for index in range(min(count_fonts(content), MOST_FONTS)):
        read_face("", content, index)
