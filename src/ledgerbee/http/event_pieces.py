"""Events as JSON: in one answer where they are short, else read and sent in pieces (`http/json_stream.py`)."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from fastapi import Response

from ledgerbee.core.errors import ErrorCode
from ledgerbee.http.caller import Caller
from ledgerbee.http.json_stream import JsonStream
from ledgerbee.http.step_scheduler import STEPS
from ledgerbee.platform import event_json
from ledgerbee.platform.event_json import Column, Texts, compact, with_members


@dataclass(frozen=True, slots=True)
class Member:
    """The JSON of a `column` in an event's form, behind the bytes `ahead`.

    `added` are members that it has ahead of its own: then it is an object.
    """

    ahead: bytes
    column: Column
    added: bytes = b""

    def whole(self, text: str | None) -> bytes:
        """What is written of it, where its text is there as a whole."""
        return self.ahead + (with_members(self.added, text) if self.added and text is not None else compact(text))


@dataclass(frozen=True, slots=True)
class EventForm:
    """How an event is written: its members, the first behind all that comes before it, and then the closing brace.

    `texts` has the JSON of its columns; None of an event whose JSON is long: `size` says how long in bytes, or more.
    """

    id: UUID
    size: int
    members: Sequence[Member]
    texts: Texts | None = field(repr=False)

    def whole(self, texts: Texts) -> bytes:
        """Its wire form, UTF-8."""
        return b"".join(member.whole(texts[member.column]) for member in self.members) + _END


_END: Final = b"}"


def events_answer(
    caller: Caller, events: Sequence[EventForm], missing: ErrorCode, start: bytes = b"", end: bytes = b""
) -> Response:
    """The events, comma-separated between `start` and `end`; in pieces where one of them is long.

    The connection ends where one was removed meanwhile, at the end of its retention, which is `missing`.
    """
    texts = [event.texts for event in events if event.texts is not None]
    if len(texts) < len(events):
        return JsonStream(_in_pieces(caller, events, missing, start, end))
    written = [event.whole(read) for event, read in zip(events, texts, strict=True)]
    return Response(b"%b%b%b" % (start, b",".join(written), end), media_type="application/json")


async def _in_pieces(
    caller: Caller, events: Sequence[EventForm], missing: ErrorCode, start: bytes, end: bytes
) -> AsyncGenerator[bytes]:
    yield start
    comma = b""
    for group in _groups(events):
        await STEPS.wait()
        if group[0].size > event_json.MAX_AT_ONCE:
            (event,) = group
            if comma:
                yield comma
            for member in event.members:
                async for part in _in_parts(caller, event.id, member, missing):
                    yield part
            yield _END
        else:
            yield comma + b",".join(await _read(caller, group, missing))
        comma = b","
    yield end


def _groups(events: Sequence[EventForm]) -> Iterator[list[EventForm]]:
    """Those together that are read at once."""
    group: list[EventForm] = []
    size = 0
    for event in events:
        if group and size + event.size > event_json.MAX_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(event)
        size += event.size
    if group:
        yield group


async def _read(caller: Caller, events: Sequence[EventForm], missing: ErrorCode) -> list[bytes]:
    long = [event.id for event in events if event.texts is None]
    columns = [member.column for member in events[0].members]
    read = await caller.read_step(lambda context: event_json.get_texts(context, long, columns)) if long else {}
    await STEPS.wait()
    return [event.whole(missing.unless(event.texts or read.get(event.id))) for event in events]


async def _in_parts(caller: Caller, event_id: UUID, member: Member, missing: ErrorCode) -> AsyncGenerator[bytes]:
    start = 0
    while True:
        part = await caller.read_step(
            lambda context: event_json.get_part(context, event_id, member.column, start, missing)  # noqa: B023
        )
        await STEPS.wait()
        is_last = part is None or len(part) < event_json.MAX_PART
        if start == 0 and is_last:
            yield member.whole(part)  # as everywhere; parts are left as the database writes them
        else:
            if start == 0:
                yield member.ahead + (b"{%b," % member.added if member.added else b"")
            yield (part or "")[1 if start == 0 and member.added else 0 :].encode()
        if is_last:
            return
        start += event_json.MAX_PART
