"""Fonts of a folder: what they add, which files are left out, and what is refused where no font shows it."""

import io
import json
import os
import shutil
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typst
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from structlog.testing import capture_logs
from tests.unit.fonts import collection, font_of, font_with_ranges, write_font
from tests.unit.printed import BUYER, INVOICE, LINE

from ledgerbee.sales.rendering import extra_fonts, fonts
from ledgerbee.sales.rendering.coverage import UnprintableTextError
from ledgerbee.sales.rendering.font_reader import read_face
from ledgerbee.sales.rendering.font_table import font_table
from ledgerbee.sales.rendering.model import PrintableDocument, References
from ledgerbee.sales.rendering.renderer import Renderer, render

CHINESE = replace(INVOICE, lines=(LINE, replace(LINE, description="中文 coffee")), buyer=replace(BUYER, name="文"))


def refused(document: PrintableDocument, extra_fonts: Path | None = None) -> list[tuple[str, str, tuple[str, ...]]]:
    """Code points, names and fields of what no font shows; empty for what prints. Check and rendering agree."""
    found: list[list[tuple[str, str, tuple[str, ...]]]] = []
    with closing(Renderer(extra_fonts)) as renderer:
        for act in (renderer.check, renderer.render):
            try:
                act(document)
                found.append([])
            except UnprintableTextError as refusal:
                found.append([(it.code_point, it.name, it.fields) for it in refusal.hidden])
    assert found[0] == found[1]
    return found[0]


def fonts_of(pdf: bytes) -> set[str]:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return {str(font.get_object()["/BaseFont"]).partition("+")[2] for page in pages for font in _fonts(page)}


def _fonts(page: Any) -> list[Any]:
    return list(page["/Resources"]["/Font"].values())


def test_what_no_font_shows_is_refused_by_name_and_place() -> None:
    assert refused(CHINESE) == [
        ("U+6587", "CJK UNIFIED IDEOGRAPH-6587", ("buyer.name", "lines.1.description")),
        ("U+4E2D", "CJK UNIFIED IDEOGRAPH-4E2D", ("lines.1.description",)),
    ]
    with pytest.raises(UnprintableTextError, match=r"U\+6587 CJK UNIFIED IDEOGRAPH-6587, U\+4E2D"):
        render(CHINESE)


@pytest.mark.parametrize(
    ("text", "code_points"),
    [
        ("ไทย", ["U+0E44", "U+0E17", "U+0E22"]),
        ("हि", ["U+0939", "U+093F"]),  # a letter and its vowel sign
        ("𐍈", ["U+10348"]),
        ("\ue000", ["U+E000"]),  # private use: every font draws something else
        ("\U000fffff", ["U+FFFFF"]),
        ("\ud800", ["U+D800"]),
        ("\u0378", ["U+0378"]),  # no character yet
        ("1\u20e3", ["U+20E3"]),  # a mark without a letter
        ("\u0301", ["U+0301"]),
        ("a\u0e34", ["U+0E34"]),
        ("e\u0301 ø ŵ", []),  # composed to letters that are there
        ("שָׁ مَ", []),
        ("👍🏽 ❤\ufe0f 😀\u200d", []),
        ("a\u202eb\u200d\u200b\u2066c\0\x1b", []),  # nothing to see
        ("葛\U000e0100", ["U+845B"]),  # the letter, not its variation selector
    ],
)
def test_characters_are_judged_by_what_there_is_to_see(text: str, code_points: list[str]) -> None:
    assert [code for code, _, _ in refused(replace(INVOICE, notes=text))] == code_points


def test_every_printed_field_is_looked_at() -> None:
    document = replace(
        INVOICE,
        number="中",
        references=References("中", "中", "中", "中"),
        lines=(replace(LINE, unit="中"),),
        buyer=replace(BUYER, address=("a", "中"), city="中", attention="中", ean="中"),
        notes="中",
    )
    ((_, _, fields),) = refused(document)
    assert len(fields) == 10
    assert {"number", "buyer.address.1", "buyer.city", "references.purchaseOrder", "lines.0.unit"} <= set(fields)


def test_a_refusal_names_a_bounded_number_of_characters() -> None:
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 500)))
    assert len(refused(replace(INVOICE, notes=many))) == 50


def test_a_folder_of_fonts_shows_what_the_shipped_ones_lack(tmp_path: Path) -> None:
    write_font(tmp_path, "deep/er/Script.TTF", "中文")
    assert refused(CHINESE, tmp_path) == []
    with closing(Renderer(tmp_path)) as renderer:
        pdf = renderer.render(CHINESE)
        assert renderer.render(CHINESE) == pdf
    content = PdfReader(io.BytesIO(pdf)).pages[0].extract_text().replace("\u00a0", " ")
    assert "中文 coffee 12,5 kg 189,95" in content
    assert fonts_of(pdf) - fonts_of(render(INVOICE)) == {"NotoSansHebrew-Regular"}  # what the test's font is made of
    assert refused(replace(INVOICE, notes="中文字"), tmp_path) == [("U+5B57", "CJK UNIFIED IDEOGRAPH-5B57", ("notes",))]


def test_a_collection_of_fonts_is_read_whole(tmp_path: Path) -> None:
    both = collection(font_of("中", "Test Sans Script"), font_of("文", "Test Sans Second"))
    (tmp_path / "both.ttc").write_bytes(both)
    assert refused(CHINESE, tmp_path) == []


def test_letters_and_marks_need_one_font_that_has_both(tmp_path: Path) -> None:
    write_font(tmp_path, "letters.ttf", "ह", "Test Sans Script")
    write_font(tmp_path, "marks.ttf", "ि", "Test Sans Second")
    hindi = replace(INVOICE, notes="हि")
    assert [code for code, _, _ in refused(hindi, tmp_path)] == ["U+093F"]
    write_font(tmp_path, "whole.ttf", "हि", "Test Sans Entire")
    assert refused(hindi, tmp_path) == []


def test_what_the_shipped_fonts_show_is_the_same_everywhere(tmp_path: Path) -> None:
    write_font(tmp_path, "script.ttf", "abcÆØÅ中")
    with closing(Renderer(tmp_path)) as renderer:
        assert renderer.render(INVOICE) == render(INVOICE)


HEBREW_FONT = (fonts.SHIPPED / "NotoSansHebrew-Regular.ttf").read_bytes()
BROKEN = {
    "empty.ttf": b"",
    "text.ttf": b"not a font at all, but a letter of a reader",
    "zeros.otf": b"\0\1\0\0" + b"\0" * 40,
    "cut.ttf": font_of("中")[:700],
    "collection.ttc": b"ttcf" + b"\xff" * 100,
    "endless.ttf": font_with_ranges([(0, 0xFFFFFFFF)]),
    "again.ttf": font_with_ranges([(0x4E00, 0x9FFF)] * 5000),
    "backwards.ttf": font_with_ranges([(0x9FFF, 0x4E00)]),
    "beyond.ttf": font_with_ranges([(0x4E00, 0x4E00 + 60_000)]),  # more than it has glyphs
    "restricted.ttf": font_of("中文", fs_type=2),
    "scales.ttf": HEBREW_FONT.replace(b"head", b"dead"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_used_is_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BROKEN[name])
    started = time.monotonic()
    with capture_logs() as logs:
        assert [code for code, _, _ in refused(CHINESE, tmp_path)] == ["U+6587", "U+4E2D"]
    assert time.monotonic() - started < 10
    assert {(entry["event"], entry["log_level"]) for entry in logs} == {("font.left_out", "warning")}
    assert all(entry["file"].endswith(name) and entry["reason"] for entry in logs)
    write_font(tmp_path, "good.ttf", "中文")
    assert refused(CHINESE, tmp_path) == []


def test_what_is_no_file_of_a_bearable_size_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.ttf")
    (tmp_path / "folder.ttf").mkdir()
    (tmp_path / "nowhere.ttf").symlink_to(tmp_path / "gone.ttf")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "readme.txt").write_text("no font")
    with (tmp_path / "huge.ttf").open("wb") as huge:
        huge.truncate(extra_fonts.MOST_BYTES + 1)
    write_font(tmp_path, "zz.ttf", "中文")
    with capture_logs() as logs:
        assert refused(CHINESE, tmp_path) == []
    assert {Path(entry["file"]).name for entry in logs} == {"pipe.ttf", "nowhere.ttf", "huge.ttf"}
    monkeypatch.setattr(extra_fonts, "MOST_FILES", 3)
    with capture_logs() as logs:
        assert refused(CHINESE, tmp_path) != []
    assert "fonts.left_out" in {entry["event"] for entry in logs}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_font_never_does_harm(tmp_path: Path, data: st.DataObject) -> None:
    """Any byte anywhere: the document prints, or is refused, as the check said."""
    whole = bytearray(font_of("中文字"))
    for _ in range(data.draw(st.integers(1, 20))):
        # Most of a font are glyphs; its directory and tables stand at the start.
        end = data.draw(st.sampled_from([300, 2000, len(whole)]))
        whole[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged.ttf").write_bytes(whole[: data.draw(st.sampled_from([len(whole), len(whole) // 2, 900]))])
    with capture_logs():
        refused(CHINESE, tmp_path)


@given(st.binary(max_size=2000), st.integers(0, 3))
def test_anything_but_a_font_is_told_so(content: bytes, index: int) -> None:
    for start in (b"", b"\0\1\0\0\0\1\0\0\0\0\0\0", b"ttcf\0\1\0\0\0\0\0\1\0\0\0\x10"):
        with pytest.raises(ValueError, match="it "):
            read_face("", start + content, index)


def test_the_shipped_fonts_cover_what_they_are_there_for() -> None:
    metrics = fonts.shipped_fonts().metrics
    for text in ("ÆØÅæøåÄÖÜß€£¥", "ЖЩЫѢЉ", "ΑΩάώ", "אבגשת", "ءابيے", "😀👍🎉", "ĀŐŁŻŽ"):
        assert [character for character in text if not metrics.covers(character)] == []


def test_the_table_of_the_shipped_fonts_is_what_their_files_say() -> None:
    assert font_table() == fonts.TABLE.read_bytes()


def test_a_font_that_was_exchanged_is_refused_until_the_table_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures stand where the table says: with another file they would be mislaid without a word."""
    shutil.copytree(fonts.SHIPPED, tmp_path / "fonts")
    monkeypatch.setattr(fonts, "SHIPPED", tmp_path / "fonts")
    assert fonts.shipped_faces()
    (tmp_path / "fonts" / "Inter-SemiBold.ttf").write_bytes(font_of("中"))
    with pytest.raises(ValueError, match="is of other fonts"):
        fonts.shipped_faces()


#: Every sign of amounts, and the letters and signs around them.
MEASURED = [
    *map(chr, range(0x21, 0x7F)),
    *"ÆØÅæøå€£–—−×÷±≈≠≤≥•…“”",
    *(f"a{blank}b" for blank in (" ", "\u00a0", "\u2008")),
    *("1.234.567,89", "-12,5 %", "(7)", "2026-03-16"),
]
MEASURE = b"""
#set text(font: "Inter", size: 100pt, kerning: false, ligatures: false, features: ("calt": 0))
#let width(..options) = it => measure(text(..options, it)).width.pt()
#let texts = json(bytes(sys.inputs.texts))
#context [#metadata((texts.map(width()), texts.map(width(number-width: "tabular")))) <widths>]
"""


def test_widths_are_those_that_typst_sets() -> None:
    metrics, inputs = fonts.shipped_fonts().metrics, {"texts": json.dumps(MEASURED)}
    found = typst.query(
        MEASURE, "<widths>", field="value", one=True, font_paths=fonts.typst_fonts(fonts.SHIPPED), sys_inputs=inputs
    )
    for width, measured in zip((metrics.width, metrics.tabular_width), json.loads(found), strict=True):
        computed = [width(text, 100_000) / 1000 for text in MEASURED]
        assert computed == pytest.approx(measured, abs=0.1)
