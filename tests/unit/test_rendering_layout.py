"""Where everything stands on a page: columns, whole texts and numbers, what stays together."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.printed import (
    BANK,
    BUYER,
    GERMAN,
    INVOICE,
    LINE,
    SELLER,
    D,
    Piece,
    boxes,
    missing,
    pages,
    placed,
    squeezed,
    text,
)

from ledgerbee.sales.rendering.fonts import shipped_fonts
from ledgerbee.sales.rendering.model import PrintableDocument, PrintLine, PrintVatRow, References, VatInBase
from ledgerbee.sales.rendering.renderer import render
from ledgerbee.sales.rendering.wording import WORDINGS

HEBREW, ARABIC = 'שולחן כתיבה 12 ס"מ', "قهوة عربية 500 غرام"
METRICS = shipped_fonts().metrics
few = settings(max_examples=25)


def figures(document: PrintableDocument) -> list[tuple[float, str]]:
    """The figures of the last line, with their places."""
    pieces = placed(document)
    (last,) = [piece for piece in pieces if piece.text == "7.777,77"]
    return [(piece.x, piece.text) for piece in pieces if abs(piece.y - last.y) < 0.5 and piece.x > 300]


def with_last(**changes: Any) -> PrintableDocument:
    line = replace(LINE, unit_price=D("1234.56"), total=D("7777.77"), **changes)
    return replace(INVOICE, lines=(LINE, line))


PLAIN = figures(with_last(description="Table"))


def check_figures(description: str) -> None:
    found = figures(with_last(description=description))
    assert [text for _, text in found] == [text for _, text in PLAIN]
    assert [x for x, _ in found] == pytest.approx([x for x, _ in PLAIN], abs=0.2)


@pytest.mark.parametrize(
    "description",
    [
        HEBREW,
        ARABIC,
        f"{HEBREW} Coffee x2",
        f"Coffee {HEBREW} 25 kg",
        f"12 {HEBREW}",
        "שָׁלוֹם 7",
        f"{HEBREW}\n{ARABIC}\nSecond 3",
        f"Table\n{HEBREW}",
        f"{HEBREW} " * 20,
        f"{ARABIC} Table 25 " * 20,
    ],
)
def test_a_description_from_right_to_left_leaves_the_figures_in_their_columns(description: str) -> None:
    check_figures(description)


@few
@given(st.lists(st.sampled_from(["שלום", "قهوة", "Coffee", "12", "3,50", "(x)", "\n", "%", "٢٥"]), max_size=12))
def test_any_mixture_of_directions_leaves_the_figures_in_their_columns(words: list[str]) -> None:
    check_figures(" ".join(words))


def test_a_unit_from_right_to_left_stays_in_its_column() -> None:
    found = {shown: x for x, shown in figures(with_last(unit='ק"ג', description=HEBREW))}
    for x, shown in PLAIN:
        if shown != "kg":
            assert found[shown] == pytest.approx(x, abs=0.2)
    assert found["12,5"] < found["ק"] < found["1.234,56"]


def test_mixed_text_runs_in_the_direction_of_its_first_letter() -> None:
    def order(description: str, *words: str) -> list[str]:
        starts = {piece.text.strip(): piece.x for piece in placed(with_last(description=description))}
        return sorted(words, key=lambda word: starts[word])

    assert order("שולחן 12 Coffee", "שולחן", "12", "Coffee") == ["Coffee", "12", "שולחן"]
    assert order("Coffee שולחן עץ", "Coffee", "שולחן", "עץ") == ["Coffee", "עץ", "שולחן"]


def test_names_and_addresses_from_right_to_left_stand_in_their_blocks() -> None:
    buyer = replace(BUYER, name=HEBREW, address=(f"{ARABIC} 7", "Second 4", "רחוב הרצל 12"), attention="דוד 3")
    pieces = placed(replace(INVOICE, buyer=buyer, seller=replace(SELLER, name=HEBREW), references=References(HEBREW)))
    latin = placed(INVOICE)
    for word in ("Nummer", "2026-0042", "Vores ref.", "22. november 2026", "Side 1 af 1", "CVR-nr. 25313763"):
        assert [piece.x for piece in pieces if piece.text == word] == [p.x for p in latin if p.text == word], word
    lines = {piece.text.strip(): piece.y for piece in pieces}
    assert lines["Second 4"] > lines["הרצל"] > lines["CVR-nr. 25313763"]


LONG = [
    "Rederi og Handelsselskab " * 8,
    "Donaudampfschifffahrt" * 10,
    "VARE-1234/5678-" * 14,
    "W" * 200,
    f"{HEBREW} " * 11,
]


@pytest.mark.parametrize("long", LONG)
@pytest.mark.parametrize("times", [1, 5])
def test_nothing_is_cut(long: str, times: int) -> None:
    """Names of 200 and of 1,000 characters, the most that can be entered, in every field."""
    whole = (long * times)[: 200 * times].strip()
    fields: dict[str, Any] = {
        "seller": replace(SELLER, name=f"{whole}1", address=(f"{whole}2",), email=f"{whole}3", website=f"{whole}4"),
        "buyer": replace(BUYER, name=f"{whole}5", address=(f"{whole}6",), city=f"{whole}7", attention=f"{whole}8"),
        "references": References(f"{whole}9", f"{whole}10", f"{whole}11", f"{whole}12"),
        "lines": (replace(LINE, description=f"{whole}13", unit=f"{whole}14"), PrintLine("text", f"{whole}15")),
        "payment": replace(BANK, bank_name=f"{whole}16", payment_id=f"{whole}17"),
        "notes": f"{whole}18",
    }
    for field, value in fields.items():
        found = boxes(render(replace(INVOICE, **{field: value})))
        assert min(left for left, *_ in found) >= 56
        assert max(left for left, *_ in found) <= 539
        assert min(bottom for _, bottom, *_ in found) >= 15
    content = letters(text(replace(INVOICE, **fields)))
    for letter in set(letters(whole)):
        assert content.count(letter) >= 18 * letters(whole).count(letter), letter
    assert "…" not in content


def letters(content: str) -> str:
    """Without the blanks and breaks that wrapping adds or takes."""
    return "".join(char for char in squeezed(content) if char.isalpha() or char == "…")


def test_a_long_name_stands_whole_in_its_block_and_is_not_repeated_in_part() -> None:
    name = "Nordlys Kaffe Import Export " * 12
    pieces = pages(replace(INVOICE, seller=replace(SELLER, name=name), lines=(LINE,) * 60))
    assert squeezed("".join(pieces)).count(squeezed(name)) == 1


figures_of_lines = st.fixed_dictionaries(
    {
        "quantity": st.decimals(-(10**9), 10**9, places=6),
        "unit_price": st.decimals(-(10**13), 10**13, places=12),
        "total": st.decimals(-(10**13), 10**13, places=2),
        "discount_percent": st.none() | st.decimals(0, 100, places=4),
        "unit": st.none() | st.text("abcdefghijklmnop ", max_size=60),
        "vat_row": st.none() | st.just(1),
    }
)
amounts = st.decimals(-(10**13), 10**13, places=2)


@few
@given(st.lists(figures_of_lines, min_size=1, max_size=4), amounts, amounts, amounts, st.sampled_from(["da", "en"]))
def test_no_figure_leaves_its_column_or_its_line(
    lines: list[dict[str, Any]], subtotal: Decimal, vat: Decimal, total: Decimal, language: Any
) -> None:
    rows = (
        PrintVatRow(D(25), "S", subtotal, vat),
        PrintVatRow(D(0), "AE", total, D(0), "Reverse charge"),
        PrintVatRow(D(0), "K", vat, D(0), "Intra-Community supply"),
    )
    document = replace(
        INVOICE, language=language, lines=tuple(replace(LINE, **line) for line in lines), vat_rows=rows,
        subtotal=subtotal, vat=vat, total=total, amount_paid=vat,
        vat_in_base=VatInBase("DKK", total, D("7.460112345678")),
    )  # fmt: skip
    pieces = placed(document)
    assert not list(overlaps(pieces))
    figures_ = [piece for piece in pieces if piece.y < 560 and set(piece.text) <= set("0123456789.,−")]
    assert max(piece.x + width(piece) for piece in figures_) < 540
    shown = [piece.text for piece in pieces]
    assert {figure for line in document.lines for figure in figures_of(line, language)} <= set(shown)


def figures_of(line: PrintLine, language: str) -> list[str]:
    marks = str.maketrans(",.", ".,") if language == "da" else {}
    return [f"{line.total:,.2f}".replace("-", "−").translate(marks)] if line.total and abs(line.total) >= 1 else []


def width(piece: Piece) -> float:
    """Roughly: regular letters, tabular figures."""
    regular = METRICS.tabular_width(piece.text, round(piece.size * 1000)) / 1000
    return 0.97 * regular


def overlaps(pieces: list[Piece]) -> Iterator[tuple[Piece, Piece]]:
    """Neighbours on a base line that run into one another."""
    ordered = sorted(pieces, key=lambda piece: (piece.page, piece.y, piece.x))
    for left, right in pairwise(ordered):
        if (left.page, left.y) == (right.page, right.y) and left.x + width(left) > right.x + 1:
            yield left, right


def test_what_does_not_fit_beside_its_label_stands_below_it_at_the_right() -> None:
    invoice = replace(
        INVOICE,
        references=References(our_reference="Afdelingen for indkøb af kaffe og te", purchase_order="7" * 60),
        vat_in_base=VatInBase("DKK", D("3985.58"), D("7.460112345678")),
    )
    pieces = {piece.text: piece for piece in placed(invoice)}
    label, value = pieces["Moms i DKK (1 DKK = 7,460112345678 DKK)"], pieces["3.985,58"]
    assert value.y < label.y
    assert value.x + width(value) > 530
    below = pieces["Vores ref."]
    assert all(piece.x > below.x for piece in pieces.values() if piece.text.startswith(("Afdelingen", "777")))


NOTES = [None, "Tak for handlen.", "Tak for handlen. " * 60, "Tak.\n" * 30]


@pytest.mark.parametrize("notes", NOTES)
@pytest.mark.parametrize("last", [LINE, PrintLine("separator"), PrintLine("text", "Tekst. " * 120)])
def test_totals_payment_and_notes_are_never_alone_on_a_page(notes: str | None, last: PrintLine) -> None:
    for count in range(8, 34):
        lines = (*(replace(LINE, description=f"Vare {number:03d}") for number in range(count)), last)
        found = pages(replace(INVOICE, lines=lines, notes=notes))
        (page,) = [number for number, content in enumerate(found) if "Total DKK" in content]
        end = {"text": "Tekst.", "product": "Espressobønner", "separator": f"Vare {count - 1:03d}"}[last.kind]
        assert end in found[page]
        assert "Til betaling" in found[page]
        assert notes is None or "Bemærkninger" in found[page]
        assert notes is None or "Tak" in found[-1]
        assert all("Beskrivelse" in content for content in found if "Vare " in content)
        assert all(f"Side {number} af {len(found)}" in content for number, content in enumerate(found, 1))


def test_the_titles_are_repeated_only_where_lines_go_on() -> None:
    found = pages(replace(INVOICE, lines=(LINE,) * 70, notes="Tak for handlen. " * 900))
    assert ["Beskrivelse" in content for content in found] == ["Espressobønner" in content for content in found]
    assert "Espressobønner" not in found[-1]


KINDS = {"K": "Momsfri levering af varer (artikel 138)", "AE": "Omvendt betalingspligt (artikel 196)"}


def with_rows(*rows: PrintVatRow) -> PrintableDocument:
    lines = tuple(
        replace(LINE, description=f"Vare {index}", vat_row=index, vat_rate=row.rate if row.category in "SZ" else None)
        for index, row in enumerate(rows)
    )
    return replace(INVOICE, buyer=GERMAN, lines=lines, vat_rows=rows)


def test_lines_of_different_treatments_lead_to_their_reasons() -> None:
    goods, services = (PrintVatRow(D(0), kind, D(10), D(0), reason) for kind, reason in KINDS.items())  # type: ignore[arg-type]
    content = text(
        with_rows(PrintVatRow(D(25), "S", D(10), D("2.5")), goods, services, PrintVatRow(D(0), "Z", D(10), D(0)))
    )
    for part in (
        "Vare 0 12,5 kg 189,95 10 % 25 % 2.136,94",
        "Vare 1 12,5 kg 189,95 10 % a) 2.136,94",
        "Vare 2 12,5 kg 189,95 10 % b) 2.136,94",
        "Vare 3 12,5 kg 189,95 10 % 0 % c) 2.136,94",
        "a) EU-salg uden moms 10,00 –",
        "b) Omvendt betalingspligt 10,00 –",
        "c) 0 % 10,00 0,00",
        f"a) {KINDS['K']}",
        f"b) {KINDS['AE']}",
    ):
        assert part in content, part


def test_goods_and_services_abroad_of_one_category_have_marks_of_their_own() -> None:
    rows = [PrintVatRow(D(0), "G", D(net), D(0), reason) for net, reason in ((1, "Eksport"), (2, "Ydelse"))]
    assert not missing(
        with_rows(*rows), "a) Eksport uden moms 1,00", "b) Eksport uden moms 2,00", "a) Eksport", "b) Ydelse"
    )


@pytest.mark.parametrize("rates", [("S",), ("K",), ("S", "K"), ("S", "S")])
def test_one_treatment_without_vat_needs_no_mark(rates: tuple[Any, ...]) -> None:
    rows = [PrintVatRow(D(25) if kind == "S" else D(0), kind, D(1), D(0), KINDS.get(kind)) for kind in rates]
    assert "a)" not in text(with_rows(*rows))


def test_there_are_marks_for_any_number_of_treatments() -> None:
    content = text(with_rows(*(PrintVatRow(D(0), "E", D(1), D(0), f"Grund {number}") for number in range(30))))
    assert all(part in content for part in ("z) Grund 25", "aa) Grund 26", "ad) Grund 29"))


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("kind", ["invoice", "credit_note", "quote", "order_confirmation"])
def test_all_labels_are_in_the_documents_language(language: Any, kind: Any) -> None:
    """Every word of ours that the other language doesn't share."""
    full = replace(
        INVOICE, kind=kind, language=language, is_draft=True, buyer=GERMAN, valid_until=INVOICE.due_date,
        currency="EUR", amount_paid=D(1), amount_credited=D(2),
        vat_in_base=VatInBase("DKK", D(1), D("7.46")), credits_invoice_number="7",
    )  # fmt: skip
    own, other = words_of(language), words_of("en" if language == "da" else "da")
    printed = set(
        text(replace(full, notes="7", references=References(), lines=(replace(LINE, description="7"),))).split()
    )
    assert printed & own
    assert not printed & (other - own)


def words_of(language: Any) -> set[str]:
    wording = WORDINGS[language]
    values = [getattr(wording, name) for name in wording.__dataclass_fields__]
    texts = [text for value in values for text in (value.values() if isinstance(value, dict) else [value])]
    return {word for text in texts for word in text.replace("{}", " ").split() if len(word) > 2}


def test_an_iban_is_printed_in_groups_of_four() -> None:
    for written in ("DK5000400440116243", "DK50 0040 0440 1162 43", "DK50 00400440 116243"):
        content = text(replace(INVOICE, payment=replace(BANK, iban=written)))
        assert content.count("IBAN DK50 0040 0440 1162 43") == 2
