"""A company's logo: which file it is, and whether it is fit to print.

A logo is drawn anew for each document, so what drawing it may cost is bounded when it comes in.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from struct import error as StructError  # noqa: N812 a class with a lower-case name
from struct import unpack_from
from typing import Final, Literal

import typst

LogoFormat = Literal["png", "jpg", "svg"]

MAX_LOGO_BYTES: Final = 500_000
MAX_LOGO_PIXELS: Final = 8_000_000

_SVG_START: Final = re.compile(
    r"\ufeff?\s*(<\?xml[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>|\s)*<(\w+:)?svg[\s>/]", re.DOTALL
)
_SVG_REFUSED: Final = re.compile(r"<(?:\w+:)?(filter|image|feImage|foreignObject|script)[\s/>]")
#: Elements that repeat others. They nest, so n of them draw up to 3^(n/3) copies: 6,561 for 24.
_SVG_REPEATING: Final = re.compile(r"<(?:\w+:)?(?:use|pattern|marker|mask|clipPath)[\s/>]")
_MAX_SVG_REPEATING: Final = 24
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NUMBER: Final = r"(\d{1,6}(?:\.\d{1,6})?)"
_SVG_TAG: Final = re.compile(r"<(?:\w+:)?svg\b[^>]*")
_SVG_WIDTH, _SVG_HEIGHT = (
    re.compile(rf"\s{name}\s*=\s*[\"']\s*{_NUMBER}(px|pt|mm|cm|in|)\s*[\"']") for name in ("width", "height")
)
_SVG_VIEW_BOX: Final = re.compile(rf"\sviewBox\s*=\s*[\"'][^\"']*[\s,]{_NUMBER}[\s,]+{_NUMBER}\s*[\"']")

_DRAWING: Final = b"""
#let logo = json(bytes(sys.inputs.logo))
#set page(width: 50mm, height: 50mm, margin: 0mm)
#image(bytes(logo.data), format: logo.form, width: 40mm, height: 40mm)
"""


class UnreadableLogo(ValueError):  # noqa: N818 named for what it is
    """The logo is no PNG, JPEG or SVG file, is damaged or costs too much to draw."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo that passed the checks which need no decoding. `shape` is width to height, None where unknown."""

    form: LogoFormat
    content: bytes
    shape: tuple[int, int] | None


def read_logo(content: bytes) -> Logo:
    """Recognise a logo by its content, never by a name. Raises `UnreadableLogo`."""
    if len(content) > MAX_LOGO_BYTES:
        raise UnreadableLogo(f"the logo is larger than {MAX_LOGO_BYTES} bytes")
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return _raster("png", content, *unpack_from(">II", content, 16))
        if content.startswith(b"\xff\xd8\xff"):
            return _raster("jpg", content, *_jpeg_size(content))
    except StructError:
        raise UnreadableLogo("the logo is cut off") from None
    return _drawing(content)


def check_drawable(logo: Logo) -> None:
    """Draw the logo once as documents will: damage further inside the file shows now. Raises `UnreadableLogo`."""
    data = logo.content.decode() if logo.form == "svg" else list(logo.content)
    try:
        typst.compile(
            _DRAWING,
            format="svg",
            sys_inputs={"logo": json.dumps({"form": logo.form, "data": data})},
            ignore_system_fonts=True,
        )
    except typst.TypstError as error:
        raise UnreadableLogo(f"the logo can't be drawn: {error.message}") from None


def _raster(form: LogoFormat, content: bytes, wide: int, high: int) -> Logo:
    if not 0 < wide * high <= MAX_LOGO_PIXELS:
        raise UnreadableLogo(f"the logo has {wide} x {high} pixels; at most {MAX_LOGO_PIXELS} can be printed")
    return Logo(form, content, (wide, high))


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """The pixels of the first frame, found by walking the segments; the walk ends at the end of the file."""
    at = 2
    while True:
        mark, code, length = unpack_from(">BBH", content, at)
        if mark != 0xFF:
            raise UnreadableLogo("the logo is a damaged JPEG file")
        if code in _JPEG_FRAMES:
            high, wide = unpack_from(">HH", content, at + 5)
            return wide, high
        at += 1 if code == 0xFF else 2 + max(length, 2)


def _drawing(content: bytes) -> Logo:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if not _SVG_START.match(text):
        raise UnreadableLogo("the logo is no PNG, JPEG or SVG file")
    if "<!ENTITY" in text:
        raise UnreadableLogo("the logo is an SVG file with entities")
    if refused := _SVG_REFUSED.search(text):
        raise UnreadableLogo(f"the logo is an SVG file with a <{refused.group(1)}> element")
    if len(_SVG_REPEATING.findall(text)) > _MAX_SVG_REPEATING:
        raise UnreadableLogo("the logo is an SVG file that repeats its elements too often")
    return Logo("svg", content, _drawing_shape(text))


def _drawing_shape(text: str) -> tuple[int, int] | None:
    """Width and height of a drawing, in thousandths: its size in one unit, else its view box."""
    found = _SVG_TAG.search(text)
    tag = found.group() if found else ""
    width, height, box = (pattern.search(tag) for pattern in (_SVG_WIDTH, _SVG_HEIGHT, _SVG_VIEW_BOX))
    if width and height and width[2] == height[2]:
        numbers = width[1], height[1]
    elif box:
        numbers = box[1], box[2]
    else:
        return None
    wide, high = (int(Decimal(number) * 1000) for number in numbers)
    return (wide, high) if wide > 0 and high > 0 else None
