"""People's text made printable: nothing a page can't show, nothing that breaks out of its column."""

import re
import unicodedata
from typing import Final

from ledgerbee.sales.rendering.metrics import EM, FontMetrics

#: Printed in the place of a character no font covers.
MISSING: Final = "□"
ELLIPSIS: Final = "…"
_BREAK: Final = "\u200b"
#: Characters between two places where an overlong word may break; shaping within them stays whole.
_PIECE: Final = 8
#: No character but a few ornaments is wider; saves measuring what fits anyhow.
_WIDEST: Final = 13_000

_LINE_ENDS: Final = re.compile(r"\r\n?|[\u0085\u2028\u2029\v\f]")
_WORD: Final = re.compile(r"\S{8,}")
#: What is printable as it stands, and by far the most of what is printed.
_PLAIN: Final = re.compile(r"[ -~\u00a0-\u00ac\u00ae-\u017f–—‘’“”„•…€\n]*")
#: Invisible on purpose and kept: joiners that scripts need, soft hyphen, break opportunity.
_KEPT_FORMAT: Final = frozenset("\u200b\u200c\u200d\u00ad")


def printable(text: str, metrics: FontMetrics, limit: int | None = None) -> str:
    """`text` without what can't be printed, cut after `limit` characters (an ellipsis marks it).

    Tabs and the many line ends become blanks and `\\n`. Control characters, variation selectors and the marks that
    reverse the direction of what follows (a way to show another amount than is stored) are dropped, and so are marks
    that have no letter to stand on. Characters without a glyph, lone surrogates among them, become `□`.
    """
    if limit is not None and len(text) > limit:
        text = text[: limit - 1].rstrip() + ELLIPSIS
    if _PLAIN.fullmatch(text):
        return text
    text = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text.replace("\t", " ")))
    shown: list[str] = []
    for character in text:
        if not unicodedata.category(character).startswith("M"):
            shown.append(_character(character, metrics))
        elif shown and shown[-1][:1].isalpha() and metrics.covers_together(shown[-1] + character):
            shown[-1] += character
    return "".join(shown)


def _character(character: str, metrics: FontMetrics) -> str:
    if character == "\n" or character in _KEPT_FORMAT:
        return character
    category = unicodedata.category(character)
    if category in {"Cc", "Cf"}:
        return ""
    if category == "Zs":
        return character if character == "\u00a0" else " "
    if category in {"Cn", "Co", "Cs"}:  # fonts draw private signs with them, and newer marks than Python knows
        return MISSING
    return character if metrics.covers(character) else MISSING


def one_line(text: str) -> str:
    """`text` with its line ends as blanks."""
    return text.replace("\n", " ") if "\n" in text else text


def clipped(text: str, metrics: FontMetrics, size: int, room: int) -> str:
    """As much of one line of `text` as fits `room` when set in `size` (an ellipsis marks the cut)."""
    if len(text) * size * _WIDEST <= room * EM or metrics.width(text, size) <= room:
        return text
    left = room - metrics.width(ELLIPSIS, size)
    for index, character in enumerate(text):
        left -= metrics.width(character, size)
        if left < 0:
            return text[:index].rstrip() + ELLIPSIS
    return text


def fitted(text: str, metrics: FontMetrics, size: int, room: int) -> str:
    """`text` with break opportunities in the words that are wider than `room` when set in `size`."""

    def with_breaks(match: re.Match[str]) -> str:
        word = match.group()
        if len(word) * size * _WIDEST <= room * EM or metrics.width(word, size) <= room:
            return word
        pieces = [word[start : start + _PIECE] for start in range(0, len(word), _PIECE)]
        return "".join(
            piece if index == 0 or unicodedata.combining(piece[0]) else _BREAK + piece
            for index, piece in enumerate(pieces)
        )

    return _WORD.sub(with_breaks, text)


def split(text: str, metrics: FontMetrics, size: int, room: int) -> list[str]:
    """`text` cut into lines that fit `room` when set in `size`, for what must be complete and has no blanks."""
    if metrics.width(text, size) <= room:
        return [text]
    lines = [""]
    for character in text:
        if lines[-1] and metrics.width(lines[-1] + character, size) > room:
            lines.append("")
        lines[-1] += character
    return lines
