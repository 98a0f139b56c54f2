"""Texts of others: what programs say, as something that can be read and kept; names as they stand among our words."""

import re
from typing import Final

#: Halves of surrogate pairs, but for those that stand for a byte which was no UTF-8 (PEP 383).
_HALVES: Final = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
_UNKNOWN: Final = "\ufffd"
#: Characters kept of what the other side of a delivery said, and of its name for what it accepted.
_LONGEST_REPLY: Final = 1_000
_LONGEST_ID: Final = 200
#: Characters that turn around what stands beside them: embeddings, overrides, isolates, and their ends.
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
#: Those, marks of a direction, and the blocks of scripts that are written from right to left (UAX 9, 3.2).
_FROM_RIGHT: Final = re.compile(
    "[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
#: What begins and ends a part whose direction is its own and changes nothing around it.
_FIRST_STRONG_ISOLATE: Final = "\u2068"
_POP_ISOLATE: Final = "\u2069"
_ISOLATED: Final = re.compile("\u2068[^\u202a-\u202e\u2066-\u2069]*\u2069")


def isolated(text: str) -> str:
    """A text of somebody else as it stands between ours, in a page's title or a mail's subject too: what is written
    from right to left in it, or would turn around what follows, does so within it only (UAX 9, 6.2).

    Most texts stay as they are, and so does one that is isolated already, or has parts that are.
    """
    if not _FROM_RIGHT.search(_ISOLATED.sub("", text)):
        return text
    return f"{_FIRST_STRONG_ISOLATE}{_TURNING.sub('', text)}{_POP_ISOLATE}"


def isolated_value(value: object) -> object:
    """What a template of a page fills in: texts are `isolated`; what says that it is escaped already, as addresses and
    values of forms are, and all that is no text stays as it is.
    """
    return isolated(value) if type(value) is str else value


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
