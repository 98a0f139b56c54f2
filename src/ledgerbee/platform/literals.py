"""Array literals of PostgreSQL, for thousands of rows in one statement, which casts them: `$1::text::uuid[]`.

The driver encodes an array element by element, and checks of each whether it is a list itself; joining strings takes a
tenth of that. None becomes NULL.
"""

from collections.abc import Iterable


def array(elements: Iterable[str]) -> str:
    """An array of what needs no quotes: numbers, days, ids, words of ours."""
    return f"{{{','.join(elements)}}}"


def nullable_array(elements: Iterable[object]) -> str:
    """The same of what `str` writes so; None is NULL."""
    return array(["NULL" if element is None else str(element) for element in elements])


def text_array(elements: Iterable[str | None]) -> str:
    """An array of any texts."""
    return array(["NULL" if text is None else _quoted(text) for text in elements])


def bytea_array(elements: Iterable[bytes]) -> str:
    """An array of bytea."""
    return array([f'"\\\\x{element.hex()}"' for element in elements])


def _quoted(text: str) -> str:
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
