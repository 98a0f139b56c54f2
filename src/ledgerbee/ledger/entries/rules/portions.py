"""Entries and drafts with many lines, cut into portions that are read and written one by one. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from uuid import UUID

#: Lines up to which what is asked for is read at once: most pages have fewer.
MAX_AT_ONCE: Final = 1_000
#: Lines that are read by one transaction where there are more, and lines of one portion.
MAX_IN_GROUP: Final = 500
MAX_IN_PORTION: Final = 250

#: What stands around the lines in the JSON of an entry or draft. No text in it can hold these: its quotes are escaped.
_BEFORE: Final = b',"lines":['
_AFTER: Final = b'],"attachmentCount":'


class Portion(NamedTuple):
    """Some of the lines of one entry or draft, by their numbers from 1, both inclusive."""

    owner: UUID
    first: int
    last: int
    is_last: bool

    @property
    def size(self) -> int:
        """How much there is to do: its lines, and what is written around them."""
        return self.last - self.first + 2


def groups_of(counts: Iterable[tuple[UUID, int]]) -> Iterator[list[Portion]]:
    """The entries or drafts in portions, in order, those together that one transaction reads.

    `counts` are their ids and how many lines each has.
    """
    group: list[Portion] = []
    lines = 0
    for portion in portions_of(counts):
        size = portion.last - portion.first + 1
        if group and lines + size > MAX_IN_GROUP:
            yield group
            group, lines = [], 0
        group.append(portion)
        lines += size
    if group:
        yield group


def portions_of(counts: Iterable[tuple[UUID, int]]) -> Iterator[Portion]:
    """The entries or drafts in portions, in order."""
    for owner, count in counts:
        for first in range(1, max(count, 1) + 1, MAX_IN_PORTION):
            last = min(first + MAX_IN_PORTION - 1, count)
            yield Portion(owner, first, last, last == count)


def text_of(portion: Portion, whole: bytes) -> bytes:
    """What a portion adds to its owner's JSON: `whole` is that JSON as if the portion's lines were all there are."""
    before, start, rest = whole.partition(_BEFORE)
    lines, end, after = rest.partition(_AFTER)
    return (before + start if portion.first == 1 else b",") + lines + (end + after if portion.is_last else b"")
