"""Entries and drafts with many lines over HTTP: read and written a portion at a time."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from ledgerbee.http.caller import Caller
from ledgerbee.http.step_scheduler import STEPS
from ledgerbee.ledger.entries.rules import Portion, groups_of, text_of
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import TOO_MUCH_CONTENTION
from ledgerbee.platform.steps import StepCounter

T = TypeVar("T")


async def in_portions(
    caller: Caller,
    counts: Sequence[tuple[UUID, int]],
    read: Callable[[Context, Sequence[Portion]], Awaitable[Sequence[T | None]]],
    write: Callable[[T], bytes],
    start: bytes = b"",
    end: bytes = b"",
    *,
    may_lack: bool = False,
) -> AsyncGenerator[bytes]:
    """The JSON of entries or drafts, comma-separated between `start` and `end`, in pieces.

    `counts` are their ids and how many lines each has. `read` gives each of some portions with its own lines, and None
    for what is there no more; `write` makes the whole JSON of such a one. With `may_lack` what has gone is left out.
    Raises `TOO_MUCH_CONTENTION` where that can't be.
    """
    yield start
    is_first = True
    begun: UUID | None = None
    steps = StepCounter()
    for group in groups_of(counts):
        texts = []
        found = await caller.read_step(lambda context, group=group: read(context, group))  # type: ignore[misc]
        await STEPS.wait()
        for portion, one in zip(group, found, strict=True):
            if one is None:
                if not may_lack or portion.owner == begun:
                    raise TOO_MUCH_CONTENTION.error("What was asked for has gone while the answer was being read.")
                continue
            if steps.is_due(portion.size):
                await STEPS.wait()
            if portion.first == 1 and not is_first:
                texts.append(b",")
            texts.append(text_of(portion, write(one)))
            is_first, begun = False, portion.owner
        yield b"".join(texts)
    yield end
