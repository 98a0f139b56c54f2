"""A company's logo: which file it is, and the picture that is kept of it.

What comes in is decoded once, in a process of its own with bounds (`company.redraw`), and drawn anew: what is kept and
printed is ours, without metadata, in sRGB, no larger than a document shows.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from struct import error as StructError  # noqa: N812  a class with a lower-case name
from struct import unpack_from
from typing import Final, Literal

LogoFormat = Literal["png", "jpg"]

#: Bytes of the file that comes in, and of the picture that is kept.
MAX_LOGO_BYTES: Final = 500_000
MAX_LOGO_PIXELS: Final = 8_000_000
#: Passes over a JPEG's pixels, each of which takes the time of a whole picture: a progressive one has some ten.
MAX_SCANS: Final = 100
#: What a document shows (70 mm x 16 mm) at 600 dots an inch.
PRINTED_PIXELS: Final = (1654, 378)
#: Seconds that drawing may take, waiting for a processor included; CPU time is bounded more narrowly.
TIMEOUT_S: Final = 30

_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: What a scan begins with. Within its pixels a byte 0xFF is never followed by this one.
_SCAN: Final = b"\xff\xda"
_PROGRAM: Final = Path(__file__).with_name("redraw.py")


class UnreadableLogo(ValueError):  # noqa: N818  named for what it is
    """The logo is no PNG or JPEG file, is damaged or costs too much to read."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture: its format, the bytes of its file, and its width and height in pixels."""

    form: LogoFormat
    content: bytes
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class NewLogo:
    """The logo to have from now on; None: none any more."""

    logo: Logo | None


def read_logo(content: bytes) -> Logo:
    """Recognise a logo by its content, never by a name; nothing is decoded. Raises `UnreadableLogo`."""
    if len(content) > MAX_LOGO_BYTES:
        raise UnreadableLogo(f"the logo is larger than {MAX_LOGO_BYTES} bytes")
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return _picture("png", content, *unpack_from(">II", content, 16))
        if content.startswith(b"\xff\xd8\xff"):
            if content.count(_SCAN) > MAX_SCANS:
                raise UnreadableLogo(f"the logo is a JPEG file of more than {MAX_SCANS} scans")
            return _picture("jpg", content, *_jpeg_size(content))
    except StructError:
        raise UnreadableLogo("the logo is cut off") from None
    if b"<svg" in content[:4_096].lower() or content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise UnreadableLogo("the logo is an SVG drawing: save it as PNG, 1,600 pixels wide or more")
    raise UnreadableLogo("the logo is no PNG or JPEG file")


def redrawn(content: bytes) -> Logo:
    """The picture to keep of a file that came in. Blocks for as long as drawing takes, `TIMEOUT_S` at most.

    Transparency stays; of an animation the first picture; a photograph is turned the way its camera was held. Raises
    `UnreadableLogo`.
    """
    read_logo(content)
    wide, high = PRINTED_PIXELS
    arguments = [str(number) for number in (MAX_LOGO_PIXELS, wide, high, MAX_LOGO_BYTES)]
    try:
        # Isolated: neither the environment nor the working directory says what is imported.
        done = subprocess.run(  # noqa: S603  our own program; the file is its input
            [sys.executable, "-I", _PROGRAM, *arguments],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnreadableLogo("the logo can't be read: it takes too long") from None
    sign, answer = done.stdout[:1], done.stdout[1:]
    if done.returncode != 0 or sign not in {b"+", b"-"}:
        raise UnreadableLogo("the logo can't be read: it takes too much memory or time")
    if sign == b"-":
        raise UnreadableLogo(f"the logo can't be read: {answer.decode('utf-8', 'replace')}")
    return read_logo(answer.partition(b"\n")[2])


def _picture(form: LogoFormat, content: bytes, wide: int, high: int) -> Logo:
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
