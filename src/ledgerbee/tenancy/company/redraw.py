"""A program of its own: reads a picture from standard input, writes it anew to standard output. See `company.logo`.

What comes in is anybody's: it is decoded here, where memory, CPU time, files and processes are bounded, and where
nothing else is. Imports nothing of ours. Arguments: the most pixels that are read, the width and height that the
result fits into, the most bytes of the result. Answers `+png` or `+jpg`, a line end and the picture; or `-` and why
there is none.
"""

import io
import resource
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

#: Bytes of address space: the interpreter, the libraries, and a picture of 8 million pixels several times over.
MEMORY = 1024 * 1024 * 1024
CPU_S = 5


class Refused(Exception):  # noqa: N818  named for what it is
    """Why the picture is not taken."""


def bound() -> None:
    """Give up what isn't needed to draw. Where the system has no such limit the others still hold."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (getattr(resource, "RLIMIT_NPROC", resource.RLIMIT_CORE), 0),
    ):
        try:
            resource.setrlimit(limit, (value, value))
        except (ValueError, OSError):
            continue


def redraw(content: bytes, most_pixels: int, box: tuple[int, int], most_bytes: int) -> tuple[str, bytes]:
    """The picture without anything but its pixels, in sRGB. Raises `Refused` and what the library raises."""
    from PIL import Image, ImageFile, ImageOps, PngImagePlugin  # noqa: PLC0415  under the limits

    PngImagePlugin.MAX_TEXT_CHUNK = 128 * 1024
    PngImagePlugin.MAX_TEXT_MEMORY = 1024 * 1024
    ImageFile.MAXBLOCK = 4 * box[0] * box[1]  # room for a JPEG file in one piece
    Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is decoded
    opened = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
    wide, high = opened.size
    if not 0 < wide * high <= most_pixels:
        raise Refused(f"it has {wide} x {high} pixels; at most {most_pixels} can be printed")
    form = "png" if opened.format == "PNG" else "jpg"
    if form == "png":
        Image.open(io.BytesIO(content), formats=("PNG",)).verify()  # the checksums, which decoding passes over
    opened.load()
    profile = opened.info.get("icc_profile")
    picture = _in_srgb(_eight_bits(ImageOps.exif_transpose(opened)), profile)
    picture.thumbnail(box, Image.Resampling.LANCZOS)
    while True:
        drawn = _written(picture, form)
        if len(drawn) <= most_bytes:
            return form, drawn
        picture = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)), Image.Resampling.LANCZOS)


def _eight_bits(picture: "Image") -> "Image":
    """With 8 bits a channel, and colours or greys rather than places in a palette."""
    if picture.mode.startswith("I"):  # 16 bits of grey
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.mode in {"P", "PA", "1"} or "transparency" in picture.info:
        has_alpha = "transparency" in picture.info or picture.mode == "PA"
        return picture.convert("RGBA" if has_alpha else "RGB")
    return picture


def _in_srgb(picture: "Image", profile: bytes | None) -> "Image":
    """In sRGB by its own profile; one that says nothing usable counts as none."""
    from PIL import ImageCms  # noqa: PLC0415

    alpha = picture.getchannel("A") if picture.mode in {"LA", "RGBA"} else None
    colours = picture.convert("L" if picture.mode == "LA" else "RGB") if alpha else picture
    if profile:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            own, ours = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            colours = ImageCms.profileToProfile(colours, own, ours, outputMode="RGB") or colours
    colours = colours.convert("RGB")
    if alpha is not None and alpha.getextrema() != (255, 255):
        colours.putalpha(alpha)
    return colours


def _written(picture: "Image", form: str) -> bytes:
    picture.info = {}  # metadata would be written again from there
    out = io.BytesIO()
    if form == "png":
        picture.save(out, "PNG", optimize=True)
    else:
        picture.save(out, "JPEG", quality=92, subsampling=0)
    return out.getvalue()


def main(arguments: list[str]) -> None:
    """Answer for the picture on standard input."""
    bound()
    content = sys.stdin.buffer.read()
    most_pixels, wide, high, most_bytes = map(int, arguments)
    try:
        form, drawn = redraw(content, most_pixels, (wide, high), most_bytes)
    except Refused as fault:
        answer = f"-{fault}".encode()
    except MemoryError:
        answer = b"-it takes too much memory"
    except Exception as fault:  # noqa: BLE001  whatever a library finds wrong with a picture
        answer = f"-it is damaged ({type(fault).__name__})".encode()
    else:
        answer = f"+{form}\n".encode() + drawn
    sys.stdout.buffer.write(answer)


if __name__ == "__main__":
    main(sys.argv[1:])
