"""Texts that other programs say: as something that can be read, and kept."""

import re
from typing import Final

#: Halves of surrogate pairs, but for those that stand for a byte which was no UTF-8 (PEP 383).
_HALVES: Final = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
_UNKNOWN: Final = "\ufffd"


def readable(said: str, longest: int) -> str:
    """What another program said, on one line of at most `longest` characters, each of which can be seen and stored.

    What was no text to it (a surrogate without its other half, bytes in no encoding) is U+FFFD. Control characters,
    NUL among them, and those that turn around or hide what stands beside them are blanks.
    """
    whole = _HALVES.sub(_UNKNOWN, said).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    seen = "".join([one if one.isprintable() else " " for one in whole])
    return " ".join(seen.split())[:longest].rstrip()
