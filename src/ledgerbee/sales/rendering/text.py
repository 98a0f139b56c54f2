"""People's text made printable: what a page can't show is found, and nothing breaks out of its column.

A text is never cut. What is longer than its column goes on in the next line, in the middle of a word if need be.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from ledgerbee.sales.rendering.metrics import EM, FontMetrics

_BREAK: Final = "\u200b"
#: Characters between two places where an overlong word may break; shaping within them stays whole.
_PIECE: Final = 8
#: No character but a few ornaments is wider; saves measuring what fits anyhow.
_WIDEST: Final = 13_000

_LINE_ENDS: Final = re.compile(r"\r\n?|[\u0085\u2028\u2029\v\f]")
_WORD: Final = re.compile(r"\S{8,}")
#: What is printable as it stands, and by far the most of what is printed.
_PLAIN: Final = re.compile(r"[ -~\u00a0-\u00ac\u00ae-\u017f–—‘’“”„•…€\n]*")
#: Joiners belong to the letters around them; they have no glyph and are kept for what they do to the letters.
_JOINERS: Final = frozenset("\u200c\u200d")
#: Invisible on purpose and kept as well: break opportunity, soft hyphen.
_KEPT_FORMAT: Final = frozenset("\u200b\u00ad") | _JOINERS
#: Marks that only choose between forms of a character (variation selectors, grapheme joiner): the common form does.
_CHOOSERS: Final = re.compile("[\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
#: Skin colours of emoji: pages are printed in one colour.
_EMOJI_MODIFIERS: Final = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
#: The blocks of scripts that are written from right to left.
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)

#: A text, or its lines with their direction (True: from right to left) when one of them has one of its own.
Directed = str | list[tuple[bool, str]]


def is_plain(text: str) -> bool:
    """True for text that every document can show as it stands."""
    return (text.isascii() and text.isprintable()) or _PLAIN.fullmatch(text) is not None


def printable(text: str, metrics: FontMetrics) -> str:
    """`text` as it is set: without what has no look of its own, and without what `unprintable` names.

    Tabs and the many line ends become blanks and `\\n`. Control characters, variation selectors and the marks that
    reverse the direction of what follows (a way to show another amount than is stored) are dropped.
    """
    return text if is_plain(text) else "".join(_shown(cluster, metrics) or "" for cluster in _clusters(text))


def unprintable(text: str, metrics: FontMetrics) -> list[str]:
    """The characters of `text` that no font can show, in order and once each.

    A mark needs a letter to stand on and a font that has both: without one, it is named.
    """
    if is_plain(text):
        return []
    hidden = [cluster for cluster in _clusters(text) if _shown(cluster, metrics) is None]
    found: dict[str, None] = {}
    for cluster in hidden:
        found |= dict.fromkeys(
            [character for character in cluster if _character(character, metrics) is None] or _marks(cluster)
        )
    return list(found)


def has_marks(text: str) -> bool:
    """True when a font has to put signs together: only setting the text shows whether it can."""
    return not is_plain(text) and any(_marks(cluster) for cluster in _clusters(text))


def fonts_beyond(text: str, metrics: FontMetrics) -> set[str]:
    """The families that `text` needs besides the shipped ones."""
    if is_plain(text):
        return set()
    families = (metrics.family_beyond([cluster[0], *_marks(cluster)]) for cluster in set(_clusters(text)))
    return {family for family in families if family}


def _clusters(text: str) -> Iterator[str]:
    """Characters with the marks and joiners that follow them."""
    composed = unicodedata.normalize("NFC", _CHOOSERS.sub("", _LINE_ENDS.sub("\n", text.replace("\t", " "))))
    cluster = ""
    for character in composed:
        if cluster and (character in _JOINERS or unicodedata.category(character).startswith("M")):
            cluster += character
            continue
        if cluster:
            yield cluster
        cluster = character
    if cluster:
        yield cluster


def _marks(cluster: str) -> list[str]:
    first = cluster[0]
    others = [character for character in cluster[1:] if character not in _JOINERS]
    return [first, *others] if unicodedata.category(first).startswith("M") else others


def _shown(cluster: str, metrics: FontMetrics) -> str | None:
    """What is set for a cluster, None when no font can."""
    first, marks = cluster[0], _marks(cluster)
    if marks:
        return cluster if first.isalpha() and metrics.covers_together([first, *marks]) else None
    shown = _character(first, metrics)
    return shown if shown is None or len(cluster) == 1 else shown + cluster[1:]


def _character(character: str, metrics: FontMetrics) -> str | None:
    if character == "\n" or character in _KEPT_FORMAT:
        return character
    category = unicodedata.category(character)
    if category in {"Cc", "Cf"}:
        return ""
    if category == "Zs":
        return character if character == "\u00a0" else " "
    if category in {"Cn", "Co", "Cs"}:  # fonts draw private signs with them, and newer marks than Python knows
        return None
    if metrics.covers(character):
        return character
    return "" if character in _EMOJI_MODIFIERS else None


def is_directed(text: str) -> bool:
    """True when there is text from right to left in it."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def directed(text: str) -> Directed:
    """`text`, each line with the direction of its first letter when there is text from right to left in it."""
    if not is_directed(text):
        return text
    return [(_starts_right(line), line) for line in text.split("\n")]


def _starts_right(line: str) -> bool:
    directions = (unicodedata.bidirectional(character) for character in line)
    return next((direction != "L" for direction in directions if direction in {"L", "R", "AL"}), False)


def one_line(text: str) -> str:
    """`text` with its line ends as blanks."""
    return text.replace("\n", " ") if "\n" in text else text


def fits(text: str, metrics: FontMetrics, size: int, room: int) -> bool:
    """True when one line of `text` set in `size` is no wider than `room`."""
    return len(text) * size * _WIDEST <= room * EM or metrics.width(text, size) <= room


def fitted(text: str, metrics: FontMetrics, size: int, room: int) -> str:
    """`text` with break opportunities in the words that are wider than `room` when set in `size`."""

    def with_breaks(match: re.Match[str]) -> str:
        word = match.group()
        if fits(word, metrics, size, room):
            return word
        pieces = [word[start : start + _PIECE] for start in range(0, len(word), _PIECE)]
        return "".join(
            piece if index == 0 or _continues(piece[0]) else _BREAK + piece for index, piece in enumerate(pieces)
        )

    return _WORD.sub(with_breaks, text)


def split(text: str, metrics: FontMetrics, size: int, room: int) -> list[str]:
    """`text` broken into lines that fit `room` when set in `size`, anywhere between two letters."""
    if fits(text, metrics, size, room):
        return [text]
    lines = [""]
    left = room
    for character in text:
        width = metrics.width(character, size)
        if lines[-1] and width > left and not _continues(character):
            lines.append("")
            left = room
        lines[-1] += character
        left -= width
    return lines


def wrapped(text: str, metrics: FontMetrics, size: int, room: int) -> list[str]:
    """The lines of `text` when set in `size` in a column as wide as `room`: whole words where they fit."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        if fits(paragraph, metrics, size, room):
            lines.append(paragraph)
            continue
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if fits(longer, metrics, size, room):
                line = longer
                continue
            if line:
                lines.append(line)
            *full, line = split(word, metrics, size, room)
            lines += full
        lines.append(line)
    return lines


def _continues(character: str) -> bool:
    """True for what belongs to the letter before it."""
    return character in _JOINERS or unicodedata.category(character).startswith("M")
