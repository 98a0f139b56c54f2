"""Arrays in PostgreSQL's text form, for what is written by the thousand: a statement casts them, `$1::text::uuid[]`.

The driver encodes an array element by element, and asks of each whether it is a list of its own; joining texts takes a
tenth of that. None becomes NULL.
"""

from collections.abc import Iterable


def plain(elements: Iterable[str]) -> str:
    """An array of what needs no quotes: numbers, days, ids, words of ours."""
    return f"{{{','.join(elements)}}}"


def plain_or_null(elements: Iterable[object]) -> str:
    """As `plain`, of what is written so by `str`, some of it missing."""
    return plain(["NULL" if element is None else str(element) for element in elements])


def texts(elements: Iterable[str | None]) -> str:
    """An array of any texts."""
    return plain(["NULL" if text is None else _quoted(text) for text in elements])


def binaries(elements: Iterable[bytes]) -> str:
    """An array of bytea."""
    return plain([f'"\\\\x{element.hex()}"' for element in elements])


def _quoted(text: str) -> str:
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
