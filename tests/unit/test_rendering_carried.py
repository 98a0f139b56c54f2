"""Long documents: what the lines come to at the end of each page, and again at the start of the next."""

import re
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.printed import INVOICE, LINE, D, pages, squeezed

from ledgerbee.sales.rendering.formatting import format_money
from ledgerbee.sales.rendering.model import Language, PrintableDocument, PrintLine

#: An amount after these words.
WORDS = {
    "da": {"carried": r"Overføres\s+([−\d.,]+)", "brought": r"Overført\s+([−\d.,]+)"},
    "en": {"carried": r"Carried forward\s+([−\d.,]+)", "brought": r"Brought forward\s+([−\d.,]+)"},
}


def said(page: str, language: Language, which: str) -> str | None:
    found = re.findall(WORDS[language][which], page)
    assert len(found) <= 1, found
    return found[0] if found else None


def check_carried(document: PrintableDocument) -> int:
    """Each page that the lines leave says what they come to so far, the next says it again; how many do."""
    found, lines, language = pages(document), document.lines, document.language
    marks = {number: f"L{number:04d}." for number, line in enumerate(lines) if line.kind != "separator"}
    page_of = {
        number: next(index for index, page in enumerate(found) if mark in squeezed(page))
        for number, mark in marks.items()
    }
    last = max(page_of.values())
    so_far = list(accumulate((line.total or D(0) for line in lines), initial=D(0)))
    for index, page in enumerate(found):
        on_it = [number for number, where in page_of.items() if where <= index]
        expected = format_money(so_far[on_it[-1] + 1], document.currency, language) if on_it and index < last else None
        assert said(page, language, "carried") == expected, index
        if index + 1 < len(found):
            assert said(found[index + 1], language, "brought") == expected, index
    assert said(found[0], language, "brought") is None
    return last


def numbered(lines: list[PrintLine]) -> tuple[PrintLine, ...]:
    return tuple(
        line if line.kind == "separator" else replace(line, description=f"L{number:04d}. {line.description}")
        for number, line in enumerate(lines)
    )


money = st.decimals(-(10**7), 10**7, places=2)
sold = st.builds(lambda total: replace(LINE, total=total, description="Vare"), money)
described = st.builds(
    lambda total, times: replace(LINE, total=total, description="Vare\n" * times), money, st.integers(1, 9)
)
free = st.just(replace(LINE, description="Gratis", unit_price=D(0), total=D("0.00")))
without_figures = st.just(replace(LINE, description="Efter aftale", unit_price=None, total=None))
texts = st.builds(lambda times: PrintLine("text", "Leveret efter aftale. " * times), st.integers(1, 60))
separators = st.just(PrintLine("separator"))


@settings(max_examples=8)
@given(
    st.lists(st.one_of(sold, described, free, without_figures, texts, separators), min_size=25, max_size=90),
    st.sampled_from(["da", "en"]),
    st.sampled_from(["DKK", "JPY", "KWD"]),
)
def test_any_lines_are_carried_to_the_cent(lines: list[PrintLine], language: Language, currency: str) -> None:
    numbers = numbered(
        [LINE, *lines, LINE]
    )  # a separator at the end may stand on a page of its own, which isn't looked at
    check_carried(replace(INVOICE, lines=numbers, language=language, currency=currency, payment=None))


def test_500_lines_are_carried_over_all_their_pages() -> None:
    lines = numbered([replace(LINE, description="Vare", total=D("0.01") * number) for number in range(500)])
    assert check_carried(replace(INVOICE, lines=lines)) > 12


@pytest.mark.parametrize("lines", [(LINE,) * 3, (PrintLine("text", "Tekst. " * 900),) * 3, ()])
def test_nothing_is_carried_on_one_page_or_where_no_line_has_an_amount(lines: tuple[PrintLine, ...]) -> None:
    content = "\n".join(pages(replace(INVOICE, lines=lines)))
    assert not re.search("Overført|Overføres", content)


def test_pages_behind_the_lines_carry_nothing() -> None:
    found = pages(replace(INVOICE, lines=(LINE,) * 70, notes="Tak for handlen. " * 900))
    told = [("Overført" in page, "Overføres" in page) for page in found]
    last = max(index for index, page in enumerate(found) if "Espressobønner" in page)
    assert told[0] == (False, True)
    assert told[last] == (True, False)
    assert told[last + 1 :] == [(False, False)] * (len(found) - last - 1)


def test_amounts_that_are_large_stand_within_the_page() -> None:
    lines = numbered([replace(LINE, description="Vare", total=Decimal(10) ** 12) for _ in range(60)])
    check_carried(replace(INVOICE, lines=lines))
