"""How a term is read, and in which order hits are given. Pure."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from ledgerbee.app.mcp.searching.model import Found, Hit, Match, Term
from ledgerbee.core.ids import parse_id

_MATCHES: Final = {match: place for place, match in enumerate(Match)}
_TYPES: Final = {found: place for place, found in enumerate(Found)}
#: The largest number of an account or an entry.
_MAX_NUMBER: Final = 2**31 - 1


def term_of(text: str) -> Term:
    """What a text asks for."""
    text = text.strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None
    return Term(text, _id(text), number if number is not None and number <= _MAX_NUMBER else None)


def _id(text: str) -> UUID | None:
    try:
        return parse_id(text)
    except ValueError:
        return None


def in_order(hits: Iterable[Hit]) -> list[Hit]:
    """The best hits first; equally good ones by kind, as they were found."""
    return sorted(hits, key=lambda hit: (_MATCHES[hit.match], _TYPES[hit.type]))
