"""Terms of payment in words."""

from collections.abc import Mapping
from typing import Final

_TERMS: Final[Mapping[str, tuple[str, str]]] = {
    "da": ("Netto kontant", "Netto {} dage"),
    "en": ("Due on receipt", "Net {} days"),
}


def terms_in_words(days: int | None, language: str) -> str | None:
    """Terms of so many days, in Danish (`da`) or English; None where the document states none."""
    at_once, within = _TERMS["da" if language == "da" else "en"]
    return None if days is None else within.format(days) if days else at_once
