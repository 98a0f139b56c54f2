"""Pictures as people upload them, and pictures made to do harm. All are made here."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageCms

PNG_START = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, data: bytes, crc: int | None = None) -> bytes:
    """A chunk of a PNG file."""
    return (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) if crc is None else crc)
    )


def header(wide: int, high: int, depth: int = 8, colour: int = 2) -> bytes:
    """The first chunk of a PNG file."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, depth, colour, 0, 0, 0))


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    """A picture as a file."""
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def read(content: bytes) -> Image.Image:
    """A file as a picture."""
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def plain_png(wide: int = 2, high: int = 2, *more: bytes) -> bytes:
    """A red picture; `more` are chunks before its pixels."""
    rows = zlib.compress(b"".join(b"\0" + b"\xff\0\0" * wide for _ in range(high)))
    return PNG_START + header(wide, high) + b"".join(more) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def huge_png() -> bytes:
    """30,000 x 30,000 black pixels of one bit: 110 KB that take 900 MB as eight-bit greys."""
    rows = zlib.compress(bytes(30_000 * (1 + 30_000 // 8)), 9)
    return PNG_START + header(30_000, 30_000, 1, 0) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def lying_png() -> bytes:
    """Says that it is small and has the pixels of a large one."""
    rows = zlib.compress(bytes(200_000_000), 9)
    return PNG_START + header(10, 10) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def bomb(name: bytes, start: bytes) -> bytes:
    """A chunk that unpacks to 400 MB: an ICC profile (`iCCP`) or a text (`zTXt`, `iTXt`)."""
    return plain_png(2, 2, chunk(name, start + zlib.compress(bytes(400_000_000), 9)))


def turned_jpeg() -> bytes:
    """A photograph taken with the camera on its side: 20 wide, 40 high, red above, blue below."""
    picture = Image.new("RGB", (40, 20), "red")
    picture.paste((0, 0, 255), (20, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description that nobody is to see"
    return saved(picture, "JPEG", exif=exif.tobytes(), quality=95, subsampling=0)


def jpeg_of(wide: int, high: int) -> bytes:
    """A JPEG file that says that it is of that size."""
    content = bytearray(saved(Image.new("RGB", (8, 8)), "JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", high, wide)
    return bytes(content)


def jpeg_of_scans() -> bytes:
    """A progressive JPEG file that refines the same pixels over and over: 480 kB that take half a minute."""
    content = saved(Image.new("RGB", (2800, 2800)), "JPEG", progressive=True)
    scan = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + scan * ((480_000 - len(content)) // len(scan)) + content[-2:]


def svg(inside: str = "", start: str = "<svg") -> bytes:
    """A drawing."""
    return f'{start} xmlns="http://www.w3.org/2000/svg" width="9" height="9">{inside}</svg>'.encode()


def patterns(depth: int) -> bytes:
    """A drawing whose patterns fill each other: each level takes eight times as long as the one before."""
    made = "".join(
        f'<pattern id="p{n}" width="1" height="1">' + f'<rect fill="url(#p{n - 1})"/>' * 3 + "</pattern>"
        for n in range(1, depth)
    )
    return svg(f'{made}<rect width="9" height="9" fill="url(#p{depth - 1})"/>')


#: What is refused, by name. Functions, for some take a while to make.
HOSTILE: dict[str, Callable[[], bytes]] = {
    "huge": huge_png,
    "profile bomb": lambda: bomb(b"iCCP", b"icc\0\0"),
    "text bomb": lambda: bomb(b"zTXt", b"Comment\0\0"),
    "international text bomb": lambda: bomb(b"iTXt", b"Comment\0\1\0\0\0"),
    "cut off": lambda: plain_png(50, 50)[:-20],
    "cut off in the header": lambda: plain_png()[:20],
    "only a start": lambda: PNG_START,
    "wrong checksum of the header": lambda: plain_png().replace(header(2, 2), header(2, 2)[:-4] + b"abcd"),
    "wrong checksum of the pixels": lambda: PNG_START + header(2, 2) + chunk(
        b"IDAT", zlib.compress(bytes(14)), 7
    ) + chunk(b"IEND", b""),
    "no pixels": lambda: PNG_START + header(2, 2) + chunk(b"IEND", b""),
    "of no width": lambda: plain_png(0, 2),
    "damaged pixels": lambda: PNG_START + header(9, 9) + chunk(b"IDAT", b"not compressed") + chunk(b"IEND", b""),
    "JPEG of 30,000 x 30,000": lambda: jpeg_of(30_000, 30_000),
    "JPEG of 65,535 x 65,535": lambda: jpeg_of(65_535, 65_535),
    "JPEG cut off": lambda: saved(Image.effect_noise((99, 99), 99), "JPEG")[:-400],
    "JPEG of a start": lambda: b"\xff\xd8\xff\xe0",
    "JPEG without a frame": lambda: b"\xff\xd8\xff\xe0\x00\x04abcdef",
    "GIF": lambda: saved(Image.new("P", (9, 9)), "GIF"),
    "WebP": lambda: saved(Image.new("RGB", (9, 9)), "WEBP"),
    "TIFF": lambda: saved(Image.new("RGB", (9, 9)), "TIFF"),
    "BMP": lambda: saved(Image.new("RGB", (9, 9)), "BMP"),
    "ICO": lambda: saved(Image.new("RGBA", (16, 16)), "ICO"),
    "PSD": lambda: b"8BPS\0\1\0\0\0\0\0\0\0\3\0\0\0\x09\0\0\0\x09\0\x08\0\3" + bytes(64),
    "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
    "a GIF that goes on as PNG": lambda: b"GIF89a" + plain_png(),
    "a PNG's start and a GIF": lambda: PNG_START + saved(Image.new("P", (9, 9)), "GIF"),
    "a PNG's start and a drawing": lambda: PNG_START + svg(),
    "PDF": lambda: b"%PDF-1.7\n" + plain_png(),
    "ZIP": lambda: b"PK\3\4" + plain_png(),
    "HTML": lambda: b"<html><img src=x></html>",
    "text": lambda: b"hello",
    "nothing": lambda: b"",
    "SVG": svg,
    "SVG with a declaration": lambda: b'<?xml version="1.0"?><!-- a logo -->' + svg(),
    "SVG with a mark": lambda: b"\xef\xbb\xbf\n" + svg(),
    "SVG in UTF-16": lambda: svg().decode().encode("utf-16"),
    "SVG of patterns": lambda: patterns(14),
    "SVG that reads a file": lambda: svg('<image href="/etc/passwd"/>'),
    "SVG with a prefix": lambda: b'<a-b:svg xmlns:a-b="http://www.w3.org/2000/svg"><a-b:image href="a"/></a-b:svg>',
    "SVG with entities": lambda: b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;"),
}  # fmt: skip


#: Costly to read whole, but the first pixels are all that is shown of them: taken.
COSTLY: dict[str, Callable[[], bytes]] = {"more pixels than it says": lying_png}


def swapped_profile() -> bytes:
    """An ICC profile under which red is green: what is in other colours than sRGB has to be converted."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)
