"""Audit events as JSON. That of the object is long at times (an entry of thousands of lines): it is read in pieces."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Literal
from uuid import UUID

import msgspec

from ledgerbee.http.caller import Caller
from ledgerbee.http.step_scheduler import STEPS
from ledgerbee.tenancy.audit import store
from ledgerbee.tenancy.audit.model import AUDIT_EVENT_NOT_FOUND, AuditEvent
from ledgerbee.tenancy.audit.wire import AuditEventResponse


def json_of(event: AuditEvent) -> bytes | None:
    """The event's wire form, UTF-8; None where its JSON is too long to have been read with it."""
    return None if event.data is None else _written(event, event.data, event.before)


async def in_pieces(caller: Caller, events: Sequence[AuditEvent], start: bytes, end: bytes) -> AsyncGenerator[bytes]:
    """The wire forms, comma-separated between `start` and `end`.

    Raises `AUDIT_EVENT_NOT_FOUND` when one was removed meanwhile, at the end of its retention.
    """
    yield start
    comma = b""
    for group in _groups(events):
        await STEPS.wait()
        if group[0].size > store.MAX_AT_ONCE:
            (event,) = group
            yield comma + _head(event)
            async for part in _in_parts(caller, event.id, "before"):
                yield part
            yield b',"data":'
            async for part in _in_parts(caller, event.id, "data"):
                yield part
            yield b"}"
        else:
            yield comma + b",".join(await _read(caller, group))
        comma = b","
    yield end


def _groups(events: Sequence[AuditEvent]) -> Iterator[list[AuditEvent]]:
    """Those together that are read at once."""
    group: list[AuditEvent] = []
    size = 0
    for event in events:
        if group and size + event.size > store.MAX_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(event)
        size += event.size
    if group:
        yield group


async def _read(caller: Caller, events: Sequence[AuditEvent]) -> list[bytes]:
    long = [event.id for event in events if event.data is None]
    texts = await caller.read_step(lambda context: store.get_texts(context, long)) if long else {}
    await STEPS.wait()
    written = []
    for event in events:
        data, before = (event.data, event.before) if event.data is not None else texts.get(event.id, (None, None))
        if data is None:
            raise AUDIT_EVENT_NOT_FOUND.error()
        written.append(_written(event, data, before))
    return written


async def _in_parts(caller: Caller, event_id: UUID, column: Literal["data", "before"]) -> AsyncGenerator[bytes]:
    start = 0
    while True:
        part = await caller.read_step(lambda context: store.get_part(context, event_id, column, start))  # noqa: B023
        await STEPS.wait()
        is_last = part is None or len(part) < store.MAX_PART
        # What is there as a whole is written as everywhere; parts are left as they are.
        yield _compact(part) if part is None or (is_last and not start) else part.encode()
        if is_last:
            return
        start += store.MAX_PART


def _written(event: AuditEvent, data: str, before: str | None) -> bytes:
    return b'%b%b,"data":%b}' % (_head(event), _compact(before), _compact(data))


def _head(event: AuditEvent) -> bytes:
    """All that comes before the JSON of `before`."""
    head = AuditEventResponse.model_validate(event).model_dump_json(exclude={"before", "data"})
    return b'%b,"before":' % head[:-1].encode()


def _compact(text: str | None) -> bytes:
    """JSON without blanks; the database writes some."""
    return b"null" if text is None else msgspec.json.format(text.encode(), indent=-1)
