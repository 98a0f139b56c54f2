"""Texts that other programs say: as something that can be read, and kept."""

import re
from typing import Final

#: Halves of surrogate pairs, but for those that stand for a byte which was no UTF-8 (PEP 383).
_HALVES: Final = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
_UNKNOWN: Final = "\ufffd"
#: Characters kept of what the other side of a delivery said, and of its name for what it accepted.
_LONGEST_REPLY: Final = 1_000
_LONGEST_ID: Final = 200


def readable(said: str, longest: int) -> str:
    """What another program said, on one line of at most `longest` characters, each of which can be seen and stored.

    What was no text to it (a surrogate without its other half, bytes in no encoding) is U+FFFD. Control characters,
    NUL among them, and those that turn around or hide what stands beside them are blanks.
    """
    whole = _HALVES.sub(_UNKNOWN, said).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    seen = "".join([one if one.isprintable() else " " for one in whole])
    return " ".join(seen.split())[:longest].rstrip()


def readable_reply(said: str) -> str:
    """What the other side of a delivery said, as text that can be stored: servers answer in any encoding."""
    return readable(said, _LONGEST_REPLY)


def readable_id(said: str | None) -> str | None:
    """The other side's name for what it accepted, as text that can be stored; None where nothing is left of it."""
    return readable(said or "", _LONGEST_ID) or None
