"""What a printed document says, in both languages."""

import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from tests.unit.printed import BANK, GERMAN, INVOICE, LINE, D, missing, pages, placed, squeezed, text

from ledgerbee.core.money import round_money
from ledgerbee.sales.rendering.formatting import format_date, format_money, format_number, format_percent
from ledgerbee.sales.rendering.model import PrintableDocument, PrintLine, PrintVatRow, VatInBase
from ledgerbee.sales.rendering.renderer import render


def test_a_danish_invoice_says_all_the_law_asks_for() -> None:
    # momsbekendtgørelsen § 58: date, number, seller's registration, both parties, quantity and kind, delivery date,
    # base, unit price, discount, rate and VAT amount.
    assert not missing(
        INVOICE,
        *("Faktura", "2026-0042", "22. november 2026", "30. november 2026", "20. november 2026"),
        *("Nordlys Kaffe ApS", "Havnegade 12, 2. tv.", "8000 Aarhus C", "CVR-/momsnr. DK13585628"),
        *("Ærø Rederi & Færgefart A/S", "Att. Åse Ørsted", "Søndergade 44", "5970 Ærøskøbing", "CVR-nr. 25313763"),
        *("EAN-nr. 5798009811578", "Vores ref.", "Mette Holm", "Deres ref.", "Åse Ø.", "PO-nr.", "PO-77812"),
        *("Kaffe, november", "Espressobønner, Sidamo 12,5 kg 189,95 10 % 25 % 2.136,94"),
        *(
            "Moms Grundlag Momsbeløb",
            "25 % 2.136,94 534,24",
            "Total DKK 2.671,18",
            "DKK 2.671,18",
            "Senest 30. november 2026",
        ),
        *(
            "Bank Nordjyske Bank",
            "kontonr. 9070 1626347102",
            "IBAN DK50 0040 0440 1162 43",
            "NDEADKKK",
            "+71<000000000042017+88888888<",
        ),
        *("Netto 8 dage.", "Tak for handlen.", "Tlf. +45 86 12 34 56", "regnskab@nordlyskaffe.example", "Side 1 af 1"),
    )


def test_an_english_invoice_abroad_names_countries_and_writes_numbers_in_english() -> None:
    invoice = replace(INVOICE, language="en", buyer=GERMAN)
    assert not missing(
        invoice,
        *("Invoice", "Number", "22 November 2026", "Due date", "Delivery date", "20 November 2026", "To", "From"),
        *("Germany", "Denmark", "VAT no. DE129273398", "CVR/VAT no. DK13585628", "Quantity", "Unit price", "12.5"),
        *("10%", "25%", "2,136.94", "Taxable amount", "VAT amount", "Total DKK", "2,671.18", "Amount due"),
        *("By 30 November 2026", "Reg./account no.", "Payment ID", "Notes", "Page 1 of 1"),
    )


def test_a_supply_under_reverse_charge_shows_its_reason_and_neither_rate_nor_amount() -> None:
    reason = "Omvendt betalingspligt: køber afregner momsen (artikel 196, direktiv 2006/112/EF)."
    rows = (PrintVatRow(D(0), "AE", D("2136.94"), D(0), reason),)
    invoice = replace(
        INVOICE,
        buyer=GERMAN,
        lines=(replace(LINE, vat_rate=None),),
        vat_rows=rows,
        vat=D(0),
        total=D("2136.94"),
        legal_texts=("Momsfri levering efter momslovens § 34.",),
    )
    content = text(invoice)
    assert "Omvendt betalingspligt 2.136,94 –" in content
    assert squeezed(reason) in squeezed(content)
    assert "Momsfri levering efter momslovens § 34." in content
    assert "0 %" not in content.replace("10 %", "")


@pytest.mark.parametrize(
    ("category", "danish", "english"),
    [
        ("K", "EU-salg uden moms", "Intra-EU supply"),
        ("G", "Eksport uden moms", "Export"),
        ("E", "Momsfrit", "Exempt from VAT"),
        ("O", "Ikke momspligtigt", "Not subject to VAT"),
        ("Z", "0 %", "0%"),
    ],
)
def test_each_vat_category_is_named(category: Any, danish: str, english: str) -> None:
    invoice = replace(INVOICE, vat_rows=(PrintVatRow(D(0), category, D("2136.94"), D(0)),))
    assert not missing(invoice, danish)
    assert not missing(replace(invoice, language="en"), english)


def test_every_vat_rate_has_its_own_base_and_amount() -> None:
    rows = (PrintVatRow(D(25), "S", D("1000"), D("250")), PrintVatRow(D("12.5"), "S", D("80"), D("10")))
    assert not missing(replace(INVOICE, vat_rows=rows), "25 %", "1.000,00", "250,00", "12,5 %", "80,00", "10,00")


def test_an_invoice_in_euro_states_its_vat_in_kroner() -> None:
    # VAT Directive, article 230.
    invoice = replace(INVOICE, currency="EUR", vat_in_base=VatInBase("DKK", D("3985.58"), D("7.4601")))
    assert not missing(invoice, "Total EUR", "Moms i DKK (1 EUR = 7,4601 DKK)", "3.985,58")


def test_amounts_follow_the_minor_units_of_their_currency() -> None:
    yen = replace(INVOICE, currency="JPY", lines=(replace(LINE, unit_price=D("0.0125"), total=D(1234)),), total=D(1543))
    assert not missing(yen, "Total JPY", "1.543", "0,0125", "1.234")
    assert "1.543," not in text(yen)


def test_what_was_paid_is_taken_off_what_is_asked_for() -> None:
    invoice = replace(INVOICE, amount_paid=D("671.18"))
    assert not missing(invoice, "Betalt", "−671,18", "Restbeløb DKK", "2.000,00", "DKK 2.000,00")
    credited = replace(invoice, amount_credited=D("0.01"))
    assert not missing(credited, "Krediteret −0,01", "Restbeløb DKK 1.999,99", "Til betaling", "DKK 1.999,99")
    assert "Krediteret" not in text(invoice)


@pytest.mark.parametrize("paid", ["2671.18", "3000"])
def test_an_invoice_on_which_nothing_is_due_asks_for_nothing(paid: str) -> None:
    content = text(replace(INVOICE, amount_paid=D(paid)))
    assert "Restbeløb DKK 0,00" in content
    assert not [asked for asked in ("Til betaling", "BIC/SWIFT", "Netto 8 dage", "+71<") if asked in content]


def test_a_credit_note_names_the_invoice_it_amends() -> None:
    note = replace(
        INVOICE,
        kind="credit_note",
        number="K-7",
        credits_invoice_number="2026-0042",
        lines=(replace(LINE, total=D("-2136.94")),),
        total=D("-2671.18"),
        payment=None,
    )
    assert not missing(note, "Kreditnota", "K-7", "Krediterer faktura", "2026-0042", "−2.136,94", "−2.671,18")
    assert not missing(replace(note, language="en"), "Credit note", "Credits invoice", "−2,671.18")


def test_quotes_and_order_confirmations_have_their_own_titles() -> None:
    quote = replace(INVOICE, kind="quote", valid_until=date(2026, 12, 31), due_date=None, payment=None)
    assert not missing(quote, "Tilbud", "Gyldigt til", "31. december 2026")
    assert not missing(replace(quote, language="en"), "Quote", "Valid until", "31 December 2026")
    order = replace(quote, kind="order_confirmation", valid_until=None)
    assert not missing(order, "Ordrebekræftelse")
    assert not missing(replace(order, language="en"), "Order confirmation")


def test_only_drafts_carry_the_watermark_and_on_every_page() -> None:
    assert "KLADDE" not in text(INVOICE)
    draft = replace(INVOICE, is_draft=True, number=None, lines=(LINE,) * 80)
    danish = pages(draft)
    assert len(danish) > 2
    assert all("KLADDE" in page for page in danish)
    assert all("DRAFT" in page for page in pages(replace(draft, language="en")))
    assert "2026-0042" in text(replace(draft, number="2026-0042"))


def test_an_issued_document_needs_a_number_and_a_currency() -> None:
    with pytest.raises(ValueError, match="only a draft"):
        replace(INVOICE, number=None)
    with pytest.raises(ValueError, match="ISO 4217"):
        replace(INVOICE, currency="KRONER")
    with pytest.raises(ValueError, match="printed as a number"):
        render(replace(INVOICE, total=D("NaN")))


def test_a_thousand_lines_fill_many_pages_with_a_head_on_each() -> None:
    lines = tuple(replace(LINE, description=f"Vare {n:04d}", quantity=D(n)) for n in range(1000))
    found = pages(replace(INVOICE, lines=lines))
    assert len(found) > 20
    content = "\n".join(found)
    assert all(content.count(f"Vare {n:04d}") == 1 for n in range(1000))
    assert all("Beskrivelse" in page and "Beløb" in page for page in found if "Vare" in page)
    assert all(f"Side {n} af {len(found)}" in page for n, page in enumerate(found, 1))
    assert all("Faktura 2026-0042" in page for page in found[1:])


def test_text_lines_and_separators_have_no_figures() -> None:
    lines = (PrintLine("text", "Leveret i uge 47.\nSom aftalt."), PrintLine("separator"), LINE)
    assert not missing(replace(INVOICE, lines=lines), "Leveret i uge 47.", "Som aftalt.", "Espressobønner, Sidamo")
    only_text = replace(INVOICE, lines=(PrintLine("text", "Intet at betale."),), vat_rows=())
    assert not missing(only_text, "Intet at betale.")


def test_a_document_of_zero_and_without_lines_prints() -> None:
    zero = replace(LINE, unit_price=D(0), total=D("0.00"), discount_percent=D(0))
    invoice = replace(INVOICE, lines=(zero,), vat_rows=(), subtotal=D(0), vat=D(0), total=D("-0.00"))
    assert not missing(invoice, "Total DKK", "0,00")
    assert "−" not in text(invoice)
    assert "Rabat" not in text(invoice)
    assert not missing(replace(invoice, lines=()), "Total DKK")


amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**13), max_value=10**13, places=4)


@given(amounts, st.sampled_from(["DKK", "JPY", "KWD"]))
def test_printed_money_reads_back_as_the_rounded_amount(amount: Decimal, currency: str) -> None:
    english = format_money(amount, currency, "en")
    assert D(english.replace(",", "").replace("−", "-")) == round_money(amount, currency)
    danish = format_money(amount, currency, "da")
    assert danish.translate(str.maketrans(",.", ".,")) == english
    assert all(len(group) == 3 for group in english.partition(".")[0].lstrip("−").split(",")[1:])


def test_numbers_and_dates_are_written_as_their_readers_expect() -> None:
    assert format_number(D("1234567.5"), "da") == "1.234.567,5"
    assert format_number(D("-0.004"), "en", 2, 2) == "0.00"
    assert format_number(D("1E+3"), "en") == "1,000"
    assert format_number(D("2.0000005"), "da") == "2,000001"
    assert format_percent(D("25.00"), "da") == "25\u00a0%"
    assert format_percent(D("12.50"), "en") == "12.5%"
    assert format_date(date(2026, 3, 1), "da") == "1.\u00a0marts\u00a02026"
    assert format_date(date(2026, 12, 24), "en") == "24\u00a0December\u00a02026"


def test_a_template_adds_its_texts_in_their_places() -> None:
    bank = replace(BANK, text="Renter efter renteloven")
    document = replace(INVOICE, intro="Tak for ordren", payment=bank, footer="Medlem af foreningen")
    (page,) = pages(document)
    order = [
        page.index(words)
        for words in (
            "Kaffe, november",
            "Tak for ordren",
            "Beskrivelse",
            "Renter efter renteloven",
            "Medlem af foreningen",
        )
    ]
    assert order == sorted(order)
    (plain,) = pages(INVOICE)
    assert "Medlem" not in plain


def test_long_texts_of_a_template_are_printed_whole() -> None:
    words = " ".join(f"ord{number}" for number in range(250))
    footer = " ".join(f"fod{number}" for number in range(28))
    document = replace(INVOICE, intro=words, footer=footer, payment=replace(BANK, text=words.replace("ord", "pay")))
    printed = squeezed(text(document))
    assert missing(document, *(f"ord{number}" for number in range(250))) == []
    assert printed.count("pay249") == 1
    assert [squeezed(footer) in squeezed(page) for page in pages(document)] == [True] * len(pages(document))


@pytest.mark.parametrize("footer", ["x\n" * 99, "W" * 200, "Å " * 100, "x\u2028" * 100])
def test_no_footer_takes_the_page_from_the_document(footer: str) -> None:
    (page,) = pages(replace(INVOICE, footer=footer))
    for needed in ("Ærø Rederi", "534,24", "Total DKK", "2.671,18", "Side 1 af 1", "Nummer"):
        assert needed in page


@pytest.mark.parametrize("count", [20, 31, 80, 300])
def test_a_payment_text_of_many_lines_is_printed_whole_within_the_pages(count: int) -> None:
    bank = replace(BANK, text="\n".join(f"betal{number}" for number in range(count)))
    found = [piece for piece in placed(replace(INVOICE, payment=bank)) if piece.text.startswith("betal")]
    assert {piece.text for piece in found} == {f"betal{number}" for number in range(count)}
    assert all(85 < piece.y < 800 for piece in found)  # between footer and top, in points


def colors(document: PrintableDocument) -> set[tuple[int, ...]]:
    """The colors that the first page is filled with, as red, green and blue from 0 to 255."""
    contents = PdfReader(io.BytesIO(render(document))).pages[0].get_contents()
    assert contents is not None
    found = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (?:rg|scn)", contents.get_data())
    return {tuple(round(float(part) * 255) for part in color) for color in found}


def test_the_title_has_the_color_of_the_template() -> None:
    own, other = (0x1D, 0x4E, 0x5F), (0xAA, 0x33, 0x00)
    assert own in colors(INVOICE)
    assert other not in colors(INVOICE)
    assert other in colors(replace(INVOICE, accent_color="#aa3300"))
    assert own not in colors(replace(INVOICE, accent_color="#aa3300"))
