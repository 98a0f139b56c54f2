"""The lines of a document as a table: which columns, how wide, how high each row is and where its figures stand.

Decided here from the fonts' metrics because it is far cheaper than to let the template measure every cell.
All lengths are whole thousandths of a point.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledgerbee.sales.rendering.formatting import format_money, format_number, format_percent, format_unit_price
from ledgerbee.sales.rendering.metrics import FontMetrics
from ledgerbee.sales.rendering.model import PrintableDocument, PrintLine
from ledgerbee.sales.rendering.text import fitted, one_line, printable
from ledgerbee.sales.rendering.wording import Wording

#: Between the margins of an A4 page (170 mm).
PAGE_ROOM: Final = 481_800
#: Font sizes; the template sets the same ones.
BODY: Final = 9000
DETAIL: Final = 8000

_GUTTER: Final = 10_000
_WIDEST_COLUMN: Final = 96_000
_UNIT: Final = 1
_AMOUNT: Final = 5
_UNIT_LIMIT: Final = 24
#: Height of a row with one line, and of each line of detail below it.
_ROW: Final = 17_500
_DETAIL_LINE: Final = 11_000
#: A row of more lines is left to the template, which can break it between pages.
_MOST_DETAIL_LINES: Final = 5
#: Kerning moves letters by a little; a line that is this much narrower than its column fits for sure.
_SAFETY: Final = 2000

Table = dict[str, Any]
Cells = tuple[str, ...]


def lay_out_table(document: PrintableDocument, words: Wording, metrics: FontMetrics) -> Table:
    """Columns that hold something, each as wide as its widest entry; the description takes what is left.

    A row whose texts all fit on their lines has a `height` and its figures as `parts` (distance from what stands
    before it, text). Any other row has height 0 and its figures as `cells`, for the template to lay out.
    """
    cells = [_cells(document, line, metrics) if line.kind == "product" else None for line in document.lines]
    titles = (words.quantity, words.unit, words.unit_price, words.discount, words.vat_short, words.amount)
    products = [texts for texts in cells if texts is not None]
    used = [index for index in range(len(titles)) if index == _AMOUNT or any(texts[index] for texts in products)]
    widths = {
        index: min(_WIDEST_COLUMN, max(metrics.tabular_width(texts[index], BODY) for texts in (titles, *products)))
        for index in used
    }
    room = PAGE_ROOM - sum(widths.values()) - _GUTTER * len(used)
    return {
        "titles": [words.description, *(titles[index] for index in used)],
        "widths": [room, *widths.values()],
        "unit": used.index(_UNIT) + 1 if _UNIT in used else 0,
        "rows": [
            _row(line, None if texts is None else {index: texts[index] for index in used}, widths, metrics)
            for line, texts in zip(document.lines, cells, strict=True)
        ],
    }


def _cells(document: PrintableDocument, line: PrintLine, metrics: FontMetrics) -> Cells:
    language, currency = document.language, document.currency
    return (
        "" if line.quantity is None else format_number(line.quantity, language),
        one_line(printable(line.unit, metrics, _UNIT_LIMIT)).strip() if line.unit else "",
        "" if line.unit_price is None else format_unit_price(line.unit_price, currency, language),
        format_percent(line.discount_percent, language) if line.discount_percent else "",
        "" if line.vat_rate is None else format_percent(line.vat_rate, language),
        "" if line.total is None else format_money(line.total, currency, language),
    )


def _row(line: PrintLine, cells: Mapping[int, str] | None, widths: Mapping[int, int], metrics: FontMetrics) -> Table:
    room = PAGE_ROOM if cells is None else PAGE_ROOM - sum(widths.values()) - _GUTTER * len(widths)
    text = fitted(printable(line.description, metrics).strip(), metrics, BODY, room)
    head, _, detail = text.partition("\n")
    details = detail.split("\n") if detail else []
    row: Table = {"kind": line.kind, "head": head, "detail": detail, "height": _ROW + _DETAIL_LINE * len(details)}
    fits = (
        len(details) <= _MOST_DETAIL_LINES
        and metrics.width(head, BODY) <= room - _SAFETY
        and all(metrics.width(line, DETAIL) <= room - _SAFETY for line in details)
    )
    measured = {index: metrics.tabular_width(text, BODY) for index, text in (cells or {}).items()}
    if fits and all(width <= _WIDEST_COLUMN for width in measured.values()):
        return row | {"parts": _parts(cells or {}, measured, widths)}
    texts = [fitted(text, metrics, BODY, _WIDEST_COLUMN) for text in (cells or {}).values()]
    return row | {"height": 0, "cells": texts}


def _parts(cells: Mapping[int, str], measured: Mapping[int, int], widths: Mapping[int, int]) -> Sequence[Sequence[Any]]:
    """The figures of a row from left to right, each with its distance from the one before.

    They end at the right margin: columns are aligned right but for the unit, which is aligned left.
    """
    parts: list[list[Any]] = []
    edge = end = PAGE_ROOM - sum(widths.values()) - _GUTTER * len(widths)
    for index, column in widths.items():
        start = edge + _GUTTER
        edge = start + column
        if text := cells.get(index):
            begin = start if index == _UNIT else edge - measured[index]
            parts.append([begin - end, text])
            end = begin + measured[index]
    return [*parts, [edge - end, ""]] if parts else []
