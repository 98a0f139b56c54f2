"""Writing a document's texts for the places where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ledgerbee.sales.rendering.formatting import format_money
from ledgerbee.sales.rendering.metrics import FontMetrics
from ledgerbee.sales.rendering.model import PrintableDocument
from ledgerbee.sales.rendering.table import BODY, SAFETY
from ledgerbee.sales.rendering.text import Directed, directed, fits, fitted, one_line, printable, split, wrapped
from ledgerbee.sales.rendering.wording import Wording

#: How much wider semi-bold is than regular, in percent.
BOLD: Final = 108


@dataclass(frozen=True, slots=True)
class Writer:
    """One document, its words and its fonts. Sizes and rooms are thousandths of a point."""

    document: PrintableDocument
    words: Wording
    metrics: FontMetrics

    def bare(self, text: str) -> str:
        """A text as one line, without anything invisible in it."""
        return one_line(printable(text, self.metrics)).strip()

    def line(self, text: str, room: int, size: int = BODY) -> str:
        """A text as one line, which wraps where it is longer than `room`."""
        return fitted(self.bare(text), self.metrics, size, room)

    def complete(self, text: str, room: int) -> list[str]:
        """The lines of a text that must not get invisible characters: people copy and scan it."""
        return split(self.bare(text), self.metrics, BODY, room)

    def lines(self, text: str, room: int, size: int = BODY) -> list[str]:
        """The lines that a text takes in a column as wide as `room`."""
        return wrapped(printable(text, self.metrics).strip(), self.metrics, size, room - SAFETY)

    def running(self, text: str, room: int, size: int = BODY) -> Directed:
        """Text of any length."""
        return directed(fitted(printable(text, self.metrics).strip(), self.metrics, size, room)) if text else ""

    def side_by_side(self, room: int, *texts: str) -> bool:
        """True when texts fit one line of `room`."""
        return fits("".join(texts), self.metrics, BODY, room)

    def size_for(self, text: str, room: int, sizes: Sequence[int]) -> int:
        """The first of `sizes` in which figures in semi-bold fit one line of `room`, else the last."""
        widths = ((size, self.metrics.tabular_width(text, size) * BOLD // 100) for size in sizes)
        return next((size for size, width in widths if width <= room), sizes[-1])

    def money(self, amount: Decimal) -> str:
        return format_money(amount, self.document.currency, self.document.language)
