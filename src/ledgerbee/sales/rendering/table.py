"""The lines of a document as a table: which columns, how wide, how high each row is and where its figures stand.

Decided here from the fonts' metrics because it is far cheaper than to let the template measure every cell.
All lengths are whole thousandths of a point.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledgerbee.core.money import EXACT, ZERO
from ledgerbee.sales.rendering.formatting import format_money, format_number, format_percent, format_unit_price
from ledgerbee.sales.rendering.metrics import FontMetrics
from ledgerbee.sales.rendering.model import PrintableDocument, PrintLine
from ledgerbee.sales.rendering.text import directed, fitted, is_directed, one_line, printable, wrapped
from ledgerbee.sales.rendering.wording import Wording

#: Between the margins of an A4 page (170 mm).
PAGE_ROOM: Final = 481_800
#: Font sizes; the template sets the same ones.
BODY: Final = 9000
DETAIL: Final = 8000
#: Kerning moves letters by a little; a line that is this much narrower than its column fits for sure.
SAFETY: Final = 2000
#: Lines of a long text that stay with what stands before or after it.
KEPT_LINES: Final = 3

#: Sizes of the figures, the first that leaves the description its room: a number is never broken.
_FIGURE_SIZES: Final = (BODY, 8000, 7000, 6000, 5000)
_DESCRIPTION_ROOM: Final = 100_000
_GUTTER: Final = 10_000
_UNIT: Final = 1
_AMOUNT: Final = 5
#: A unit is a text and may wrap: widest column for it, and the one where the figures had to shrink.
_UNIT_ROOM: Final = 96_000
_NARROW_UNIT_ROOM: Final = 48_000
#: Height of a row with one line, and of each line of detail below it.
_ROW: Final = 17_500
_DETAIL_LINE: Final = 11_000
#: A row of more lines is left to the template, which can break it between pages.
_MOST_DETAIL_LINES: Final = 5

Table = dict[str, Any]
#: Widths or texts by number of the column.
Columns = Mapping[int, int]
Cells = Mapping[int, str]


def lay_out_table(document: PrintableDocument, words: Wording, metrics: FontMetrics, marks: Sequence[str]) -> Table:
    """Columns that hold something, each as wide as its widest entry; the description takes what is left.

    `marks` has a mark for each of the document's VAT rows, empty where its lines need none. A row whose texts all fit
    on their lines has a `height` and its figures as `parts` (distance from what stands before it, text). Any other row
    has height 0 and its figures as `cells`, for the template to lay out. The last `closing` rows stay with the totals.
    `sum` of a row is what the amounts come to with it: pages end with it as `carried` and begin with it as `brought`,
    both empty where no line has an amount.
    """
    titles = (words.quantity, words.unit, words.unit_price, words.discount, words.vat_short, words.amount)
    cells = [_cells(document, line, metrics, marks) if line.kind == "product" else None for line in document.lines]
    entries = [{texts[index] for texts in cells if texts is not None} for index in range(len(titles))]
    used = [index for index, texts in enumerate(entries) if index == _AMOUNT or any(texts)]
    size, widths = _columns({index: (titles[index], entries[index]) for index in used}, metrics)
    rows: list[Table] = []
    sum_of_lines = ZERO
    for number, (line, texts) in enumerate(zip(document.lines, cells, strict=True), 1):
        row = _row(line, None if texts is None else {index: texts[index] for index in used}, size, widths, metrics)
        sum_of_lines = EXACT.add(sum_of_lines, line.total or ZERO)
        row["sum"] = format_money(sum_of_lines, document.currency, document.language)
        is_split = number == len(cells) and row["height"] == 0
        rows += _split(row, _room(widths, texts is None), metrics) if is_split else [row]
    has_amounts = any(line.total is not None for line in document.lines)
    solid = [index for index, row in enumerate(rows) if row["kind"] != "separator"]
    return {
        "titles": [words.description, *(titles[index] for index in used)],
        "widths": [_room(widths), *widths.values()],
        "unit": used.index(_UNIT) + 1 if _UNIT in used else 0,
        "size": size,
        "rows": [_with_directions(row) for row in rows],
        "carried": words.carried if has_amounts else "",
        "brought": words.brought if has_amounts else "",
        "closing": len(rows) - solid[-1] if solid else 0,
    }


def _room(widths: Columns, without_figures: bool = False) -> int:
    """How wide a description may be beside the columns."""
    return PAGE_ROOM if without_figures else PAGE_ROOM - sum(widths.values()) - _GUTTER * len(widths)


def _columns(columns: Mapping[int, tuple[str, set[str]]], metrics: FontMetrics) -> tuple[int, dict[int, int]]:
    """The size of the figures, and the width of each column of a title and entries."""
    for size in _FIGURE_SIZES:
        widths = {}
        for index, (title, entries) in columns.items():
            width = max((metrics.tabular_width(text, size) for text in entries), default=0)
            if index == _UNIT:
                width = min(width, _UNIT_ROOM if size == BODY else _NARROW_UNIT_ROOM)
            widths[index] = max(metrics.tabular_width(title, BODY), width)
        if _room(widths) >= _DESCRIPTION_ROOM:
            break
    return size, widths


def _cells(document: PrintableDocument, line: PrintLine, metrics: FontMetrics, marks: Sequence[str]) -> tuple[str, ...]:
    language, currency = document.language, document.currency
    rate = "" if line.vat_rate is None else format_percent(line.vat_rate, language)
    mark = "" if line.vat_row is None else marks[line.vat_row]
    return (
        "" if line.quantity is None else format_number(line.quantity, language),
        one_line(printable(line.unit, metrics)).strip() if line.unit else "",
        "" if line.unit_price is None else format_unit_price(line.unit_price, currency, language),
        format_percent(line.discount_percent, language) if line.discount_percent else "",
        f"{rate} {mark}".strip(),
        "" if line.total is None else format_money(line.total, currency, language),
    )


def _row(line: PrintLine, cells: Cells | None, size: int, widths: Columns, metrics: FontMetrics) -> Table:
    room = _room(widths, cells is None)
    head, _, detail = fitted(printable(line.description, metrics).strip(), metrics, BODY, room).partition("\n")
    details = detail.split("\n") if detail else []
    row: Table = {"kind": line.kind, "head": head, "detail": detail, "height": _ROW + _DETAIL_LINE * len(details)}
    measured = {index: metrics.tabular_width(text, size) for index, text in (cells or {}).items()}
    if (
        len(details) <= _MOST_DETAIL_LINES
        and metrics.width(head, BODY) <= room - SAFETY
        and all(metrics.width(line, DETAIL) <= room - SAFETY for line in details)
        and measured.get(_UNIT, 0) <= widths.get(_UNIT, 0)
    ):
        return row | {"parts": _parts(cells or {}, measured, widths)}
    texts = (fitted(text, metrics, size, widths[index]) for index, text in (cells or {}).items())
    return row | {"height": 0, "cells": list(texts), "open": False}


def _parts(cells: Cells, measured: Columns, widths: Columns) -> Sequence[Sequence[Any]]:
    """The figures of a row from left to right, each with its distance from the one before.

    They end at the right margin: columns are aligned right but for the unit, which is aligned left.
    """
    parts: list[list[Any]] = []
    edge = end = _room(widths)
    for index, column in widths.items():
        start = edge + _GUTTER
        edge = start + column
        if text := cells.get(index):
            begin = start if index == _UNIT else edge - measured[index]
            parts.append([begin - end, text])
            end = begin + measured[index]
    return [*parts, [edge - end, ""]] if parts else []


def _with_directions(row: Table) -> Table:
    """The row, with its texts as `text.Directed` if one of them has a direction of its own; few rows have."""
    cells, parts = row.get("cells", ()), row.get("parts", ())
    if not any(map(is_directed, (row["head"], row["detail"], *cells, *(text for _, text in parts)))):
        return row | {"directed": False}
    return row | {
        "directed": True,
        "head": directed(row["head"]),
        "detail": directed(row["detail"]),
        "cells": [directed(text) for text in cells],
        "parts": [[gap, directed(text)] for gap, text in parts],
    }


def _split(row: Table, room: int, metrics: FontMetrics) -> list[Table]:
    """A row of many lines as two: what its description ends with can then stay with the totals below it."""
    heads = wrapped(row["head"], metrics, BODY, room - SAFETY)
    details = wrapped(row["detail"], metrics, DETAIL, room - SAFETY) if row["detail"] else []
    first = len(heads) + len(details) - KEPT_LINES
    if first < KEPT_LINES:
        return [row]
    rest = max(0, first - len(heads))
    return [
        row | {"head": "\n".join(heads[:first]), "detail": "\n".join(details[:rest]), "open": True},
        {
            "kind": "text",
            "head": "\n".join(heads[first:]),
            "detail": "\n".join(details[rest:]),
            "height": 0,
            "open": False,
            "sum": row["sum"],
        },
    ]
