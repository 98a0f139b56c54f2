"""Texts stay texts, logos stay pictures, pages keep their form, and the same document gives the same bytes."""

import inspect
import io
import struct
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader
from tests.pictures import saved
from tests.unit.printed import BANK, BUYER, INVOICE, LINE, SELLER, D, boxes, png, squeezed, text, texts_of

from ledgerbee.sales.rendering.coverage import UnprintableTextError
from ledgerbee.sales.rendering.fonts import shipped_fonts
from ledgerbee.sales.rendering.model import Party, PaymentDetails, PrintLine, PrintVatRow, References
from ledgerbee.sales.rendering.renderer import PDF_STANDARD, Renderer, render
from ledgerbee.sales.rendering.view import template_input
from ledgerbee.tenancy.company.logo import UnreadableLogo, read_logo

HOSTILE = [
    '#panic("x")',
    "*bold* _it_ `raw` = Heading",
    "$x^2$ @ref <label>",
    '#read("/etc/passwd")',
    '#import "@preview/cetz:0.1.0"',
    '#sys.inputs #eval("1+1")',
    "\\ \\u{41} \\n ~ -- --- -> 1/2",
    "]) #while true {}",
    "// not a comment /* nor this */",
    "</script><b>&amp;",
    "'; DROP TABLE invoices; --",
    '{"json": "\\"}',
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_markup_is_printed_letter_for_letter(hostile: str) -> None:
    party = Party(name=hostile, address=(hostile,), city=hostile, attention=hostile, vat_number=hostile)
    invoice = replace(
        INVOICE,
        number=hostile,
        buyer=party,
        seller=replace(party, email=hostile),
        references=References(hostile, hostile, hostile, hostile),
        lines=(replace(LINE, description=hostile, unit=hostile), PrintLine("text", hostile)),
        vat_rows=(PrintVatRow(D(0), "E", D(1), D(0), hostile),),
        payment=PaymentDetails(hostile, "1", "2", hostile, hostile, hostile, hostile),
        notes=hostile,
        legal_texts=(hostile,),
        credits_invoice_number=hostile,
    )
    pdf = render(invoice)
    content = squeezed("".join(texts_of(pdf)))
    assert content.count(squeezed(hostile)) >= 17
    assert b"root:" not in pdf


def test_what_has_no_look_of_its_own_is_left_out() -> None:
    notes = (
        "NUL\0 bell\a tab\tend\r\nnext\u2028line \u202e123\u202c \ufe0f\U0001f600 שלום مرحبا e\u0301 Ω €–… \u2764\ufe0f"
    )
    content = text(replace(INVOICE, notes=notes))
    assert "NUL bell tab end\nnext\nline 123 😀" in content
    assert "שלום" in content
    assert all(letter in content for letter in "مرحبا")
    assert "é Ω €–… ❤" in content
    assert "\0" not in content


@settings(max_examples=60)
@given(
    st.text(st.characters(codec=None), max_size=20),
    st.text(st.sampled_from("א́ؐ\u200d\ufe0f\u064e👍🏽\u20e3#aﷺ \n"), max_size=40),
)
def test_any_text_prints_or_is_refused_by_name(anything: str, marks: str) -> None:
    lines = (replace(LINE, description=anything + marks, unit=marks), PrintLine("text", marks + anything))
    invoice = replace(INVOICE, lines=lines, buyer=Party(marks, (anything,)), notes=marks, payment=None)
    pdf, hidden = b"", set()
    try:
        pdf = render(invoice)
    except UnprintableTextError as refusal:
        hidden = {it.character for it in refusal.hidden}
    assert pdf.startswith(b"%PDF-") != bool(hidden)
    assert hidden <= {*anything, *marks, *unicodedata.normalize("NFC", anything + marks)}


@pytest.mark.parametrize("word", ["W" * 10_000, "lang tekst " * 1000, "\n" * 10_000, "1." * 5000])
def test_ten_thousand_characters_stay_inside_the_page(word: str) -> None:
    invoice = replace(
        INVOICE,
        number=word.strip()[:200] or "1",
        seller=replace(SELLER, name=word, email=word, address=(word,)),
        buyer=replace(BUYER, name=word, address=(word, word), ean=word),
        references=References(word, word, word, word),
        lines=(replace(LINE, description=word, unit=word, quantity=D("9" * 13 + ".123456")), LINE),
        payment=replace(BANK, bank_name=word, payment_id=word, terms=word),
        notes=word,
    )
    pdf = render(invoice)
    found = texts_of(pdf)
    assert "Side 1 af" in found[0]
    assert len(found) < 200
    lefts = [left for left, *_ in boxes(pdf)]
    assert min(lefts) >= 56
    assert max(lefts) <= 539


def test_the_same_document_gives_the_same_bytes() -> None:
    invoice = replace(INVOICE, logo=png(), notes="😀 שלום")
    first, second = Renderer(), Renderer()
    assert first.render(invoice) == second.render(invoice) == first.render(replace(invoice))
    assert first.render(invoice) != first.render(replace(invoice, number="2026-0043"))
    first.close()
    second.close()


def test_the_template_is_the_one_that_is_shipped(tmp_path: Path) -> None:
    """The bytes of a template that is given as text, where no file can be read: it is a file only to be parsed once."""
    invoice = replace(INVOICE, logo=png(), notes=HOSTILE[0])
    shipped = Path(inspect.getfile(Renderer)).parent / "typst" / "document.typ"
    fonts = shipped_fonts()
    compiler = typst.Compiler(root=tmp_path, font_paths=fonts.fonts, package_path=tmp_path, package_cache_path=tmp_path)
    expected = compiler.compile(
        shipped.read_bytes(),
        format="pdf",
        sys_inputs={"document": template_input(invoice, fonts.metrics)},
        pdf_standards=[PDF_STANDARD],
        pdf_tags=False,
        timestamp=int(datetime.combine(invoice.issue_date, time(), UTC).timestamp()),
    )
    renderer = Renderer()
    try:
        assert [renderer.render(invoice), renderer.render(INVOICE), renderer.render(invoice)][::2] == [expected] * 2
    finally:
        renderer.close()


def test_the_file_is_archivable_and_knows_what_it_is() -> None:
    reader = PdfReader(io.BytesIO(render(INVOICE)))
    metadata = reader.metadata
    assert metadata is not None
    assert metadata.title == "Faktura 2026-0042"
    assert metadata.author == "Nordlys Kaffe ApS"
    assert metadata.creation_date is not None
    assert metadata.creation_date.date() == date(2026, 11, 22)
    packet = reader.root_object["/Metadata"].get_object().get_data().decode()  # type: ignore[union-attr]
    assert "<pdfaid:part>3</pdfaid:part>" in packet
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in packet
    fonts = {str(font["/BaseFont"]) for page in reader.pages for font in _fonts(page)}
    assert all("Inter" in font for font in fonts)


def _fonts(page: Any) -> list[Any]:
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]


@pytest.mark.parametrize("logo", [png(), png(4000, 10), saved(Image.new("RGB", (90, 30), "red"), "JPEG")])
def test_logos_are_drawn(logo: bytes) -> None:
    with_logo, without = render(replace(INVOICE, logo=logo)), render(INVOICE)
    assert with_logo != without
    assert read_logo(logo).content == logo
    assert render(replace(INVOICE, logo=b"")) == without


JPEG_HEAD = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08"


@pytest.mark.parametrize(
    "logo",
    [
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        png()[:60],
        png()[:40] + b"\0" + png()[41:],
        png(1, 1).replace(struct.pack(">II", 1, 1), struct.pack(">II", 60_000, 60_000)),
        b"\xff\xd8\xff\xe0",
        b"\xff\xd8\xff\xe0\x00\x04abcdef",
        JPEG_HEAD + struct.pack(">HH", 10, 10),
        JPEG_HEAD + struct.pack(">HH", 30_000, 30_000),
        b"<html></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xff\xfe<svg",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 1_000_001,
    ],
)
def test_a_bad_logo_is_refused_with_a_clear_error(logo: bytes) -> None:
    with pytest.raises(UnreadableLogo, match="the logo"):
        render(replace(INVOICE, logo=logo))
    assert render(INVOICE).startswith(b"%PDF-")
