"""How large a body may be: in bytes, and in what its JSON is made of.

Decoding and validating take time by the element, not by the byte, and hold the event loop: what has too many elements
is refused by a count before either.
"""

from typing import Any, Final

from ledgerbee.core.errors import LedgerBeeError, invalid

#: Bytes of a body, where an operation says nothing.
SMALL_BODY: Final = 1024 * 1024
#: Bytes of a body that may carry files, or many entries (contract 2.28).
LARGE_BODY: Final = 15 * 1024 * 1024
#: Bytes of a form, which may come from anybody: no credential is shown before it is read.
FORM_BODY: Final = 16 * 1024
#: Bytes from which on a body is worked on in steps, so that other requests get their turn in between.
LARGE: Final = 64 * 1024
#: Elements (keys of objects and items of lists) of a body of either size.
MAX_ELEMENTS: Final = 20_000
MAX_ELEMENTS_LARGE: Final = 100_000
#: How deep lists and objects may be nested: no request of ours is deeper than six.
MAX_DEPTH: Final = 20
#: Characters of a number: no column holds nearly as many.
MAX_DIGITS: Final = 100
#: Escapes in strings: each takes the decoder some thirty times as long as a plain character.
MAX_ESCAPES: Final = 500_000

#: Each element brings one of these but the first of each list and object, which brings a bracket.
_MARKS: Final = (b",", b"[", b"{")
#: An element takes two bytes at least.
_BYTES_PER_ELEMENT: Final = 2
#: Bytes that are counted at a time.
_STRIDE: Final = 256 * 1024


def max_elements(max_body: int) -> int:
    """How many elements a body of an operation that takes `max_body` bytes may have."""
    return MAX_ELEMENTS if max_body <= SMALL_BODY else MAX_ELEMENTS_LARGE


def check_elements(raw: bytes, limit: int) -> None:
    """Refuse JSON of more than `limit` elements. Raises a validation error. Costs small bodies a comparison.

    Commas and opening brackets are counted, those in strings too: no text of ours holds nearly as many.
    """
    if len(raw) <= limit * _BYTES_PER_ELEMENT:
        return
    found = 0
    for start in range(0, len(raw), _STRIDE):
        found += sum(raw.count(mark, start, start + _STRIDE) for mark in _MARKS)
        if found > limit:
            raise _refused("maxElements", f"must have no more than {limit} fields and list items in all")
    if len(raw) > MAX_ESCAPES and raw.count(b"\\") > MAX_ESCAPES:
        raise _refused("maxEscapes", f"must have no more than {MAX_ESCAPES} escaped characters")


def check_depth(value: Any) -> None:
    """Refuse decoded JSON whose lists and objects are nested deeper than `MAX_DEPTH`. Raises a validation error."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise _refused("maxDepth", f"must not be nested deeper than {MAX_DEPTH} levels")


def check_digits(number: str) -> str:
    """The number as it is written, if it isn't longer than `MAX_DIGITS`. Raises `ValueError`."""
    if len(number) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} characters")
    return number


def _refused(rule: str, text: str) -> LedgerBeeError:
    return invalid(("", rule, f"body {text}"))
