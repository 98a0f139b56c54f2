"""Entries and drafts as responses. What has many lines is read and written a portion at a time."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from fastapi import Response

from ledgerbee.http.caller import Caller
from ledgerbee.http.json_stream import JsonStream
from ledgerbee.http.step_scheduler import STEPS
from ledgerbee.http.wire import pages
from ledgerbee.ledger.entries.model import PostedEntry
from ledgerbee.ledger.entries.query import EntryQuery
from ledgerbee.ledger.entries.rules.portions import Portion, groups_of, text_of
from ledgerbee.ledger.entries.store.lines import Found
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import TOO_MUCH_CONTENTION
from ledgerbee.platform.steps import StepCounter, in_steps


class HasLines(Protocol):
    """An entry or a draft."""

    @property
    def line_ids(self) -> Sequence[UUID]: ...


T = TypeVar("T", bound=HasLines)

#: Reads each of some portions of what was found, with its own lines; None for what is there no more.
ReadPortions = Callable[[Context, Found[T], Sequence[Portion]], Awaitable[Sequence[T | None]]]


def created(posted: PostedEntry) -> Response:
    return Response(posted.json, 201, media_type="application/json")


def created_batch(name: bytes, texts: Sequence[bytes]) -> Response:
    """What was made together, by the JSON of each, as a response; `name` is what the list is called."""
    body = b'{"totalCreated":%d,"%b":[%b]}' % (len(texts), name, b",".join(texts))
    return Response(body, 201, media_type="application/json")


async def one(caller: Caller, found: Found[T], read: ReadPortions[T], write: Callable[[T], bytes]) -> Response:
    """The one that was found; `write` makes the JSON of it, whole or of a portion."""
    if found.whole is None:
        return JsonStream(_in_portions(caller, found, read, write))
    (whole,) = found.whole
    return Response(write(whole), media_type="application/json")


async def page(
    caller: Caller,
    query: EntryQuery,
    found: Found[T],
    read: ReadPortions[T],
    write: Callable[[T], bytes],
    *,
    may_lack: bool = False,
) -> Response:
    """The page that was asked for. With `may_lack` it leaves out what is there no more by the time it is read."""
    start = b'{"data":['
    numbers = found.total, query.page, query.limit, pages(found.total, query.limit)
    end = b'],"total":%d,"page":%d,"limit":%d,"totalPages":%d}' % numbers
    if found.whole is None:
        return JsonStream(_in_portions(caller, found, read, write, start, end, may_lack=may_lack))
    texts = b",".join([write(whole) async for whole in in_steps(found.whole, lambda whole: len(whole.line_ids))])
    return Response(start + texts + end, media_type="application/json")


async def _in_portions(
    caller: Caller,
    found: Found[T],
    read: ReadPortions[T],
    write: Callable[[T], bytes],
    start: bytes = b"",
    end: bytes = b"",
    *,
    may_lack: bool = False,
) -> AsyncGenerator[bytes]:
    """The JSON of what was found, comma-separated between `start` and `end`, in pieces.

    With `may_lack` what has gone is left out. Raises `TOO_MUCH_CONTENTION` where that can't be.
    """
    yield start
    is_first = True
    begun: UUID | None = None
    steps = StepCounter()
    for group in groups_of(found.counts):
        texts = []
        parts = await caller.read_step(lambda context, group=group: read(context, found, group))  # type: ignore[misc]
        await STEPS.wait()
        for portion, part in zip(group, parts, strict=True):
            if part is None:
                if not may_lack or portion.owner == begun:
                    raise TOO_MUCH_CONTENTION.error("What was asked for has gone while the answer was being read.")
                continue
            if steps.is_due(portion.size):
                await STEPS.wait()
            if portion.first == 1 and not is_first:
                texts.append(b",")
            texts.append(text_of(portion, write(part)))
            is_first, begun = False, portion.owner
        yield b"".join(texts)
    yield end
