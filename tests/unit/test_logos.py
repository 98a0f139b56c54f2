"""Logos: pictures of all kinds are kept as they look, nothing else is, and no file costs more than it may."""

import asyncio
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from tests.pictures import COSTLY, HOSTILE, jpeg_of_scans, plain_png, read, saved, swapped_profile, turned_jpeg

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.tenancy.company import logo as logos
from ledgerbee.tenancy.company import redraw
from ledgerbee.tenancy.company.actions import drawn_logo
from ledgerbee.tenancy.company.logo import (
    MAX_LOGO_BYTES,
    MAX_LOGO_PIXELS,
    PRINTED_PIXELS,
    UnreadableLogo,
    read_logo,
    redrawn,
)

PROGRAM = Path(redraw.__file__)
SECRET = b"nobody is to see this"


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_or_a_costly_one_is_refused(name: str) -> None:
    content = HOSTILE[name]()
    with pytest.raises(UnreadableLogo, match="the logo"):
        redrawn(content[:MAX_LOGO_BYTES])


#: Runs a program and says last what its memory was at most: what a fork of this process has counts as the child's, so
#: that a small one starts it.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=sys.stdin, capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
sys.stdout.buffer.write(done.stdout[:1] + b" %d %d" % (done.returncode, used))
"""


@pytest.mark.parametrize("name", [*HOSTILE, *COSTLY])
def test_no_picture_takes_much_memory(name: str, tmp_path: Path) -> None:
    """The program alone, without the look at the first bytes before it: what it took at most, by the system's count."""
    (tmp_path / "logo").write_bytes({**HOSTILE, **COSTLY}[name]()[:MAX_LOGO_BYTES])
    limits = [str(MAX_LOGO_PIXELS), "1654", "378", str(MAX_LOGO_BYTES)]
    command = [sys.executable, "-I", "-c", MEASURE, sys.executable, "-I", str(PROGRAM), *limits]
    with (tmp_path / "logo").open("rb") as logo:
        told = subprocess.run(command, stdin=logo, stdout=subprocess.PIPE, text=True, check=True).stdout
    answer, code, used = told.split()
    assert (answer, code) == ("-" if name in HOSTILE else "+", "0")
    assert int(used) < 300_000_000


def test_the_program_that_draws_is_bounded() -> None:
    program = (
        f"import resource, runpy; runpy.run_path({str(PROGRAM)!r})['bound']()\n"
        "print(*(resource.getrlimit(one)[0] for one in"
        " (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC)))\n"
        "try:\n  bytearray(2 << 30)\nexcept MemoryError:\n  print('no memory')\n"
    )
    told = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [f"{redraw.MEMORY} {redraw.CPU_S} 0 0", "no memory"]
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != redraw.MEMORY  # its limits, not ours


def test_a_picture_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logos, "TIMEOUT_S", 0.001)
    with pytest.raises(UnreadableLogo, match="too long"):
        redrawn(plain_png())


def test_a_picture_of_many_scans_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logos, "TIMEOUT_S", 0.001)  # what is begun is refused for its time
    with pytest.raises(UnreadableLogo, match="more than 100 scans"):
        redrawn(jpeg_of_scans())


async def test_one_company_s_logos_leave_room_for_another_s() -> None:
    picture = saved(Image.new("RGB", (4000, 2000), "red"), "PNG")
    flood = [asyncio.create_task(drawn_logo(UUID(int=1), picture)) for _ in range(12)]
    await asyncio.sleep(0)
    await drawn_logo(UUID(int=2), plain_png())
    assert sum(not task.done() for task in flood) >= 3  # two were under way, two more had a turn at most
    told = await asyncio.gather(*flood, return_exceptions=True)
    busy = [one for one in told if isinstance(one, LedgerBeeError)]
    assert {one.code for one in busy} == {"SERVER_BUSY"}
    assert len(busy) == len(flood) - 2 - 5


KINDS: dict[str, tuple[str, Any, str, dict[str, Any]]] = {
    "RGB": ("RGB", (200, 30, 60), "PNG", {}),
    "RGBA": ("RGBA", (200, 30, 60, 99), "PNG", {}),
    "opaque RGBA": ("RGBA", (200, 30, 60, 255), "PNG", {}),
    "grey": ("L", 120, "PNG", {}),
    "grey with alpha": ("LA", (120, 40), "PNG", {}),
    "one bit": ("1", 1, "PNG", {}),
    "16 bits": ("I;16", 120 * 256, "PNG", {}),
    "palette": ("P", 1, "PNG", {}),
    "transparent palette": ("P", 0, "PNG", {"transparency": 0}),
    "transparent colour": ("RGB", (1, 2, 3), "PNG", {"transparency": (1, 2, 3)}),
    "JPEG": ("RGB", (200, 30, 60), "JPEG", {"quality": 95, "subsampling": 0}),
    "grey JPEG": ("L", 120, "JPEG", {}),
    "progressive JPEG": ("RGB", (200, 30, 60), "JPEG", {"progressive": True, "quality": 95, "subsampling": 0}),
    "CMYK JPEG": ("CMYK", (0, 255, 255, 0), "JPEG", {"quality": 95, "subsampling": 0}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_all_kinds_keep_their_look(kind: str) -> None:
    mode, colour, form, options = KINDS[kind]
    picture = Image.new(mode, (60, 20), colour)
    drawn = redrawn(saved(picture, form, **options))
    assert (drawn.form, drawn.shape) == ("png" if form == "PNG" else "jpg", (60, 20))
    shown = read(drawn.content)
    assert shown.mode in {"RGB", "RGBA"}
    expected = {
        "16 bits": (120, 120, 120, 255),
        "transparent palette": (0, 0, 0, 0),
        "transparent colour": (1, 2, 3, 0),
        "CMYK JPEG": (255, 0, 0, 255),
    }.get(kind) or picture.convert("RGBA").getpixel((5, 5))
    pixel = shown.convert("RGBA").getpixel((5, 5))
    assert isinstance(pixel, tuple)
    assert isinstance(expected, tuple)
    assert max(abs(a - b) for a, b in zip(pixel, expected, strict=True)) <= 3


def test_a_picture_is_no_larger_than_it_is_printed() -> None:
    drawn = redrawn(saved(Image.new("RGB", (4000, 2000), "red"), "PNG"))
    assert drawn.shape == (756, 378)
    assert redrawn(saved(Image.new("RGB", (4000, 10), "red"), "PNG")).shape[0] == PRINTED_PIXELS[0]
    assert redrawn(plain_png(1, 1)).shape == (1, 1)


def test_a_picture_that_can_not_be_packed_small_is_made_smaller() -> None:
    noise = Image.effect_noise((1600, 370), 255)
    picture = Image.merge("RGB", [noise, noise.rotate(90), noise.rotate(180)])
    drawn = redrawn(saved(picture, "JPEG", quality=55))
    assert len(drawn.content) <= MAX_LOGO_BYTES


def test_a_photograph_stands_the_right_way_up_and_says_nothing_of_itself() -> None:
    drawn = redrawn(turned_jpeg())
    shown = read(drawn.content)
    assert drawn.shape == (20, 40)
    assert shown.getpixel((10, 5)) == pytest.approx((254, 0, 0), abs=4)
    assert shown.getpixel((10, 35)) == pytest.approx((0, 0, 254), abs=4)
    assert not shown.getexif()
    assert b"description" not in drawn.content


def test_of_an_animation_the_first_picture_stays() -> None:
    first, second = Image.new("RGB", (9, 9), "red"), Image.new("RGB", (9, 9), "blue")
    shown = read(redrawn(saved(first, "PNG", save_all=True, append_images=[second])).content)
    assert getattr(shown, "n_frames", 1) == 1
    assert shown.convert("RGB").getpixel((4, 4)) == (255, 0, 0)


def test_colours_are_converted_from_their_profile_and_one_that_says_nothing_is_passed_over() -> None:
    red = Image.new("RGB", (9, 9), "red")
    pixel = read(redrawn(saved(red, "PNG", icc_profile=swapped_profile())).content).getpixel((4, 4))
    assert isinstance(pixel, tuple)
    assert pixel[1] > 200
    assert pixel[0] < 100
    assert read(redrawn(saved(red, "PNG", icc_profile=b"no profile")).content).getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_nothing_but_the_pixels_stays(form: str) -> None:
    """What hides behind, before or within a picture: a file that is two things at once is only a picture afterwards."""
    start = saved(Image.new("RGB", (9, 9), "red"), form, icc_profile=SECRET, comment=SECRET)
    drawn = redrawn(start + b"<script>" + SECRET + b"</script>" + b"PK\3\4" + SECRET)
    assert SECRET not in drawn.content
    assert set(read(drawn.content).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_what_was_kept_is_taken_again_and_stays() -> None:
    drawn = redrawn(plain_png(40, 10))
    assert read_logo(drawn.content) == drawn
    assert redrawn(drawn.content) == drawn


def test_an_svg_drawing_is_told_what_to_do() -> None:
    with pytest.raises(UnreadableLogo, match="SVG drawing: save it as PNG"):
        redrawn(HOSTILE["SVG"]())
